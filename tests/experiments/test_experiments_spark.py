"""An experiment's result over Spark Connect (Sail, with its workers apart) is what DuckDB says it is."""

from __future__ import annotations

import importlib
import shutil
import sys
from pathlib import Path

import pytest
from tests.experiments.conftest import NOW, Ran, history, load
from tests.warehouse.cluster import Sail

from shopkeeper.experiments.catalogue import READY
from shopkeeper.experiments.operations import result
from shopkeeper.shop import Shop

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*RETRIES_EXCEEDED:UserWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


def flat(told: object, where: str = "") -> dict[str, object]:
    """Every value of a reply by its place, so that numbers can be compared but for their last digits."""
    if isinstance(told, dict):
        parts = told.items()
    elif isinstance(told, list | tuple):
        parts = dict(enumerate(told)).items()
    else:
        return {where: told}
    return {
        place: value for key, part in parts for place, value in flat(part, f"{where}.{key}").items()
    }


@pytest.mark.parametrize("mode", ["local-cluster"])
def test_every_measure_is_the_same(spring: Shop, ran: Ran, tmp_path: Path, mode: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        main = sys.modules["__main__"]
        if not hasattr(main, "__file__"):
            patch.setattr(main, "__file__", pytest.__file__, raising=False)
        importlib.import_module("pyspark.sql.connect")
    others = tuple(name for name in READY if name != "orders")
    ran(primary="orders", secondary=others, units=600)
    load(spring, history(800, 0.3))
    # A shop of its own: what one engine has summed up is kept, and the other would not be asked.
    apart = shutil.copytree(spring.folder, tmp_path / "apart")
    expected = flat(result(spring, "checkout").model_dump())
    sail = Sail(mode)
    try:
        remote = spring.settings.model_copy(update={"engine": "spark", "spark_url": sail.url})
        with Shop(apart, remote, now=lambda: NOW) as spark:
            found = flat(result(spark, "checkout").model_dump())
    finally:
        sail.kill()
    assert found.keys() == expected.keys()
    for place, value in expected.items():
        if isinstance(value, float):
            assert found[place] == pytest.approx(value, rel=1e-9), place
        else:
            assert found[place] == value, place
