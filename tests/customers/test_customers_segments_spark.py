"""The same definitions over Spark Connect (Sail, with its workers apart) have the same members."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
from tests.conftest import SHANGHAI
from tests.customers.test_customers_segments import DEFINITIONS, NOW
from tests.customers.world import LAST, world
from tests.warehouse.cluster import Sail

from shopkeeper.customers import operations as customers
from shopkeeper.customers.segmenting.library import library
from shopkeeper.customers.segmenting.refreshing import everybody
from shopkeeper.shop import Shop

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*RETRIES_EXCEEDED:UserWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def _rows(shop: Shop) -> tuple[dict[str, set[str]], dict[str, dict[str, object]]]:
    plan = library(shop).plan
    table = everybody(shop, plan, LAST, every_trait=True)
    ids = table["customer_id"].to_pylist()
    members = {
        segment: {one for one, yes in zip(ids, held, strict=True) if yes}
        for segment, held in plan.members(table).items()
    }
    return members, {str(row["customer_id"]): row for row in table.to_pylist()}


@pytest.mark.parametrize("mode", ["local-cluster"])
def test_members_and_traits_are_the_same(tmp_path: Path, mode: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        main = sys.modules["__main__"]
        if not hasattr(main, "__file__"):
            patch.setattr(main, "__file__", pytest.__file__, raising=False)
        importlib.import_module("pyspark.sql.connect")
    Shop.create(tmp_path / "shop", SHANGHAI).close()
    with Shop.open(tmp_path / "shop", now=lambda: NOW) as local:
        world(local)
        customers.put_on_list(local, name="vip", customer_ids=("c00", "c01"))
        for name, text in DEFINITIONS.items():
            customers.save_segment(local, name=name, definition=text)
        members, traits = _rows(local)
    sail = Sail(mode)
    try:
        remote = SHANGHAI.model_copy(update={"engine": "spark", "spark_url": sail.url})
        with Shop(tmp_path / "shop", remote, now=lambda: NOW) as spark:
            theirs, their_traits = _rows(spark)
    finally:
        sail.kill()
    assert theirs == members
    for customer, row in traits.items():
        assert their_traits[customer] == pytest.approx(row), customer
