"""What an import makes old is renewed once; a number becomes a segment by one call."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.customers.world import world

from shopkeeper.core.errors import BadInput
from shopkeeper.core.period import Period
from shopkeeper.customers import operations as customers
from shopkeeper.customers.freshness import QUIET, renew
from shopkeeper.metrics import operations as metrics
from shopkeeper.metrics.types import ActiveDays, OfMetric
from shopkeeper.shop import Shop
from shopkeeper.store.imports import Receipt
from shopkeeper.store.jobs import JobStatus

REFRESH = "customers.refresh_segments"
BUYERS = OfMetric(metric="buyers", since=Period("all"))


def imported(shop: Shop, ended: datetime, new: int = 5) -> None:
    receipt = Receipt(
        import_id=f"i{ended.timestamp()}", importer="csv", source="x.csv", started_at=ended,
        status="done", new=new, finished_at=ended,
    )  # fmt: skip
    shop.imports.save(receipt)


def kept(shop: Shop) -> Any:
    return {one.what: one for one in customers.freshness(shop).kept}


def test_an_import_makes_memberships_old_and_they_are_renewed_once(shop: Shop) -> None:
    world(shop)
    assert renew(shop) == []
    customers.refresh_segments(shop)
    assert not kept(shop)["segments"].stale
    imported(shop, datetime.now(UTC) - QUIET * 2)
    assert renew(shop) == []  # they are younger than that
    imported(shop, datetime.now(UTC) + timedelta(seconds=1))
    assert kept(shop)["segments"].stale
    assert not kept(shop)["predictions"].stale  # there are none
    assert renew(shop) == []  # another file may follow


def test_two_imports_are_one_renewal(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    world(shop)
    customers.refresh_segments(shop)
    monkeypatch.setattr("shopkeeper.customers.freshness.QUIET", timedelta())
    for _ in range(2):
        imported(shop, datetime.now(UTC))
        renew(shop)
        renew(shop)
    [job] = shop.jobs.list()
    assert (job.operation, job.status, dict(job.arguments)) == (REFRESH, JobStatus.QUEUED, {})
    assert kept(shop)["segments"].renewal == "queued"
    shop.jobs.start(job.job_id)
    assert kept(shop)["segments"].renewal == "running"
    customers.refresh_segments(shop)
    shop.jobs.finish(job.job_id)
    assert not kept(shop)["segments"].stale
    assert renew(shop) == []


def test_rows_that_came_while_the_refresh_ran_make_it_old(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    world(shop)
    customers.refresh_segments(shop)
    monkeypatch.setattr("shopkeeper.customers.freshness.QUIET", timedelta())
    imported(shop, datetime.now(UTC))
    renew(shop)
    [job] = shop.jobs.list()
    shop.jobs.start(job.job_id)
    imported(shop, datetime.now(UTC))
    customers.refresh_segments(shop)
    shop.jobs.finish(job.job_id)
    assert kept(shop)["segments"].stale
    assert renew(shop) == [REFRESH]


def test_an_import_that_runs_or_brought_nothing_queues_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    world(shop)
    customers.refresh_segments(shop)
    monkeypatch.setattr("shopkeeper.customers.freshness.QUIET", timedelta())
    imported(shop, datetime.now(UTC), new=0)
    assert renew(shop) == []
    imported(shop, datetime.now(UTC))
    running = shop.jobs.create("collect.import_file", {"path": "next.csv"}, "anna", {"*:*"})
    assert renew(shop) == []
    shop.jobs.start(running.job_id)
    shop.jobs.finish(running.job_id)
    assert renew(shop) == [REFRESH]


def test_the_customers_behind_a_number_become_a_segment(shop: Shop) -> None:
    world(shop)
    made = customers.segment_of_number(shop, number=BUYERS, name="Spring buyers")
    again = customers.segment_of_number(shop, number=BUYERS, name="Spring buyers")
    assert (made.row.name, again.row.name) == ("Spring buyers", "Spring buyers 2")
    assert made.row.text == 'on list "Spring buyers"'
    [job] = shop.jobs.list()  # both ask for the same refresh
    assert job.operation == REFRESH
    customers.refresh_segments(shop)
    page = metrics.people(shop, number=BUYERS, size=1000)
    members = customers.segment_members(shop, segment=made.row.id, limit=1000)
    assert {row.customer_id for row in members.rows} == {row[0] for row in page.rows}
    assert page.total > 10


def test_a_number_without_anybody_makes_no_segment(shop: Shop) -> None:
    world(shop)
    nobody = ActiveDays(since=Period("all"), days=7)
    with pytest.raises(BadInput) as refused:
        customers.segment_of_number(shop, number=nobody)
    assert refused.value.field == "number"
    assert customers.segments(shop).segments == ()
    assert shop.jobs.list() == []
