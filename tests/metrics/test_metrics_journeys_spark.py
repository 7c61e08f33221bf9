"""Journeys over Spark Connect (Sail, with its workers apart) are what DuckDB says they are."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.metrics.test_metrics_drop_off import STEPS, planted
from tests.warehouse.cluster import Sail

from shopkeeper.core.period import Period
from shopkeeper.metrics import operations as metrics
from shopkeeper.metrics.types import ActiveDays, AtStep, CohortCell, OnPath
from shopkeeper.shop import Shop

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*RETRIES_EXCEEDED:UserWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
ALL = Period("all")


def replies(shop: Shop) -> list[Any]:
    """Every reply, and who is behind a number of each."""
    paths = metrics.paths(shop, since=ALL)
    way = paths.ways[0].steps
    numbers = (
        ActiveDays(since=ALL, days=1),
        AtStep(since=ALL, steps=STEPS, step=1, went="left"),
        CohortCell(cycle="week", start="purchase", cohort=date(2024, 3, 1)),
        OnPath(since=ALL, around="purchase", direction="before", depth=3, at=-len(way), steps=way),
    )  # fmt: skip
    return [
        metrics.stickiness(shop, since=ALL),
        paths,
        metrics.paths(shop, since=ALL, around="view_item", direction="after"),
        metrics.cohorts(shop, cycle="week"),
        metrics.drop_off(shop, step=1, since=ALL, steps=STEPS),
        *(metrics.people(shop, number=number, size=200) for number in numbers),
    ]


@pytest.mark.parametrize("mode", ["local-cluster"])
def test_journeys_are_the_same(
    make_shop: Any, make_event: Callable[..., dict[str, Any]], mode: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        main = sys.modules["__main__"]
        if not hasattr(main, "__file__"):
            patch.setattr(main, "__file__", pytest.__file__, raising=False)
        importlib.import_module("pyspark.sql.connect")
    local = planted(make_shop, make_event)
    expected = replies(local)
    sail = Sail(mode)
    try:
        remote = local.settings.model_copy(update={"engine": "spark", "spark_url": sail.url})
        with Shop(Path(local.folder), remote, now=local.now) as spark:
            found = replies(spark)
    finally:
        sail.kill()
    for one, other in zip(found, expected, strict=True):
        assert one == other
