"""Apache Spark 4 itself: a standalone master, two workers, and one of them killed in mid-job.

It has no Delta jar, so it is given the current Parquet files. The test makes an environment of its
own with the full ``pyspark`` under ``build/``, or says why it cannot.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from bench.spark import difference
from tests.warehouse.asked import Case, Twin, cases, disagreements, simulated
from tests.warehouse.cluster import Cluster, missing_for_spark, spark, spark_home, wait_for

from shopkeeper.core.operation import Context, of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

_ENVIRONMENT = Path(__file__).parents[2] / "build" / "spark-4"
_ONCE = ("metrics.rows", "metrics.series", "metrics.breakdown")  # seconds a query: one form of each


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if why := missing_for_spark():
        pytest.skip(why)
    home = spark_home(_ENVIRONMENT)
    if isinstance(home, str):
        pytest.skip(home)
    with spark(home, tmp_path_factory.mktemp("cluster")) as started:
        yield started


@pytest.fixture
def twin(tmp_path: Path, cluster: Cluster) -> Iterator[Twin]:
    with Twin(simulated(tmp_path), cluster.url) as opened:
        yield opened


def _some(asked: list[Case]) -> list[Case]:
    """Each operation once, but every dimension of a breakdown."""
    seen: set[tuple[str, Any]] = set()
    chosen = []
    for one, arguments in asked:
        key = (one.full_name, arguments.get("by") if one.full_name in _ONCE else str(arguments))
        if key not in seen:
            seen.add(key)
            chosen.append((one, arguments))
    return chosen


def test_operations_reply_the_same_and_a_killed_worker_changes_nothing(
    twin: Twin, cluster: Cluster
) -> None:
    assert disagreements(twin, _some(cases(twin.duckdb))) == []
    engine = twin.spark.warehouse._engine
    assert engine._delta is False  # type: ignore[attr-defined]  # it was given the Parquet files

    members = of("customers")["members"]
    arguments = {"segment": "champions", "limit": 50}
    expected = members.run(Context(twin.duckdb), arguments).model_dump(mode="json")
    before = cluster.executors()
    assert len(before) == 2
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(members.run, Context(twin.spark), arguments)
        wait_for("work on both workers", cluster.busy)
        assert not answer.done()
        cluster.kill(1)
        assert not answer.done()
        reply = answer.result().model_dump(mode="json")
    assert difference(expected, reply) == ""
    wait_for("the loss to be noticed", lambda: len(cluster.executors()) == 1)
    assert cluster.executors().keys() < before.keys()
