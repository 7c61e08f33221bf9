"""Assignment: uniform, independent between layers, exclusive within one, kept, and held out before all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2, chi2_contingency

from shopkeeper.core.errors import Conflict, NotFound
from shopkeeper.core.events import EXPERIMENT_VIEWED
from shopkeeper.decisions.assignment import Arm, bucket, choose, held_out
from shopkeeper.experiments.operations import assign, create, hold_out, list_, reshare, start, stop
from shopkeeper.experiments.types import Assigned, Design
from shopkeeper.governance.operations import erase, export
from shopkeeper.shop import Shop
from shopkeeper.store.assignments import Assignments

UNITS = [f"customer-{i}" for i in range(40_000)]
HALVES = (Arm("control", 0.5), Arm("treatment", 0.5))


def test_buckets_are_filled_evenly() -> None:
    counts = np.bincount([bucket("default", unit) // 100 for unit in UNITS], minlength=100)
    expected = len(UNITS) / 100
    statistic = float(((counts - expected) ** 2 / expected).sum())
    assert chi2.sf(statistic, 99) > 0.001


@pytest.mark.parametrize("shares", [(0.5, 0.5), (0.1, 0.9), (0.2, 0.3, 0.5)])
def test_variants_get_their_shares(shares: tuple[float, ...]) -> None:
    arms = [Arm(str(i), share) for i, share in enumerate(shares)]
    chosen = [int(choose("salt", arms, unit).variant_id) for unit in UNITS]
    counts = np.bincount(chosen, minlength=len(arms))
    expected = np.array(shares) * len(UNITS)
    assert chi2.sf(float(((counts - expected) ** 2 / expected).sum()), len(arms) - 1) > 0.001


def test_layers_variants_and_the_hold_out_are_independent_of_each_other() -> None:
    draws: list[list[Any]] = [
        [bucket("one", u) * 4 // 10_000 for u in UNITS],
        [bucket("two", u) * 4 // 10_000 for u in UNITS],
        [choose("a", HALVES, u).variant_id for u in UNITS],
        [choose("b", HALVES, u).variant_id for u in UNITS],
        [held_out("h", 0.3, u) for u in UNITS],
    ]
    for i, first in enumerate(draws):
        for second in draws[:i]:
            values = [sorted(set(map(str, one))) for one in (first, second)]
            table = np.zeros((len(values[0]), len(values[1])))
            for a, b in zip(map(str, first), map(str, second), strict=True):
                table[values[0].index(a), values[1].index(b)] += 1
            assert chi2_contingency(table).pvalue > 0.0005


def test_an_assignment_is_the_same_in_every_process_and_for_good() -> None:
    # Frozen: another hash would move customers of running experiments.
    assert [bucket("default", u) for u in ("a", "客户-1")] == [8110, 1609]
    chosen = [choose("salt", HALVES, u).variant_id for u in ("a", "b", "c", "d")]
    assert chosen == ["control", "treatment", "control", "treatment"]


def test_a_larger_hold_out_keeps_who_was_in_it() -> None:
    small = {u for u in UNITS[:5000] if held_out("salt", 0.05, u)}
    large = {u for u in UNITS[:5000] if held_out("salt", 0.10, u)}
    assert small < large
    assert 0.04 < len(small) / 5000 < 0.06


def begun(shop: Shop, experiment_id: str, **design: Any) -> None:
    given = {"name": experiment_id, "units": 1000, **design}
    create(shop, experiment_id, Design.model_validate(given))
    start(shop, experiment_id)


def drawn(reply: Assigned) -> dict[str, str | None]:
    return {one.unit_id: one.variant_id for one in reply.units}


def test_experiments_of_one_layer_never_share_a_customer(shop: Shop) -> None:
    begun(shop, "one", traffic=0.4)
    begun(shop, "two", traffic=0.6)
    begun(shop, "other", layer="prices", traffic=0.5)
    units = tuple(UNITS[:400])
    by = {name: drawn(assign(shop, name, units)) for name in ("one", "two", "other")}
    inside = {name: {u for u, v in found.items() if v} for name, found in by.items()}
    assert inside["one"] | inside["two"] == set(units)
    assert not inside["one"] & inside["two"]
    assert len(inside["other"] & inside["one"]) > 40
    with pytest.raises(Conflict, match="0% of its traffic left"):
        begun(shop, "three", traffic=0.1)
    stop(shop, "one", "done")
    start(shop, "three")


def test_who_has_a_variant_keeps_it_when_shares_change(shop: Shop) -> None:
    begun(shop, "sticky")
    first = assign(shop, "sticky", tuple(UNITS[:200]))
    assert {one.why for one in first.units} == {"assigned"}
    assert all(one.propensity == 0.5 for one in first.units)
    reshare(shop, "sticky", {"control": 0.1, "treatment": 0.9})
    again = assign(shop, "sticky", tuple(UNITS[:400]))
    before, after = drawn(first), drawn(again)
    assert {u: after[u] for u in before} == before
    assert {one.why for one in again.units[:200]} == {"kept"}
    fresh = again.units[200:]
    assert {one.propensity for one in fresh} == {0.1, 0.9}
    assert sum(one.variant_id == "treatment" for one in fresh) > 150
    stop(shop, "sticky", "enough")
    late = assign(shop, "sticky", (UNITS[0], "never-seen"))
    assert [one.why for one in late.units] == ["kept", "not_running"]


def test_the_hold_out_stands_before_every_experiment(shop: Shop) -> None:
    begun(shop, "one")
    before = drawn(assign(shop, "one", tuple(UNITS[:300])))
    assert all(before.values())
    held = hold_out(shop, 0.2, "to see what all of it does")
    assert (held.share, held.reason) == (0.2, "to see what all of it does")
    after = assign(shop, "one", tuple(UNITS[:300]))
    out = {one.unit_id for one in after.units if one.why == "held_out"}
    assert 30 < len(out) < 90
    assert list_(shop).holdout.share == 0.2
    larger = hold_out(shop, 0.3, "more")
    assert larger.share == 0.3
    more = assign(shop, "one", tuple(UNITS[:300]))
    assert out < {one.unit_id for one in more.units if one.why == "held_out"}


def test_exposure_is_recorded_apart_from_assignment_with_its_probability(shop: Shop) -> None:
    begun(
        shop,
        "one",
        variants=[{"variant_id": "a", "share": 0.25}, {"variant_id": "b", "share": 0.75}],
    )
    assert assign(shop, "one", ("c1", "c2")).exposed == 0
    assert sum(list_(shop).experiments[0].assigned.values()) == 2
    reply = assign(shop, "one", ("c1",), exposed=True)
    assert reply.exposed == 1
    rows = shop.query(
        lambda s: s.events().select("user_id", "name", "experiment_id", "variant_id", "propensity"),
        live=True,
    ).to_pylist()
    [row] = rows
    assert row["name"] == EXPERIMENT_VIEWED
    assert (row["user_id"], row["experiment_id"]) == ("c1", "one")
    assert row["propensity"] == {"a": 0.25, "b": 0.75}[row["variant_id"]]
    stop(shop, "one", "done")
    with pytest.raises(Conflict):
        assign(shop, "one", ("c1",), exposed=True)


def test_assignments_stand_in_the_log_of_decisions_once_with_every_chance(shop: Shop) -> None:
    begun(
        shop,
        "one",
        variants=[{"variant_id": "a", "share": 0.25}, {"variant_id": "b", "share": 0.75}],
    )
    given = drawn(assign(shop, "one", ("customer-1", "customer-2")))
    assign(shop, "one", ("customer-1", "customer-2"))
    with shop.writer("test") as writer:
        writer.drain()
    rows = shop.query(lambda s: s.decisions()).to_pylist(maps_as_pydicts="strict")
    assert {r["customer_id"]: r["chosen"] for r in rows} == given
    assert len(rows) == 2
    for row in rows:
        assert (row["kind"], row["policy"]) == ("experiment", "one")
        assert row["candidates"] == {"a": "0.25", "b": "0.75"}
        assert row["propensity"] == float(row["candidates"][row["chosen"]])
        assert row["customer_id"] not in row["decision_id"]


def test_who_is_erased_leaves_no_assignment_and_who_asks_is_given_theirs(shop: Shop) -> None:
    begun(shop, "one")
    assign(shop, "one", ("customer-anna", "customer-berta"), exposed=True)
    with shop.writer("test") as writer:
        writer.drain()
    given = export(shop, "customer-anna")
    assert given.rows["store_assignments"] == 1
    plan = erase(shop, ["customer-anna"]).plan
    assert plan is not None
    assert {step.where for step in plan.steps} >= {"store: assignments.unit_id", "tables/decisions"}
    done = erase(shop, ["customer-anna"], confirm=plan.hash)
    assert done.certificate is not None
    assert done.certificate.clean, done.certificate.after
    known = Assignments(shop.database).known("one", ["customer-anna", "customer-berta"])
    assert list(known) == ["customer-berta"]


def test_what_is_not_there_is_said(shop: Shop) -> None:
    with pytest.raises(NotFound, match="no experiment 'nothing'"):
        assign(shop, "nothing", ("c1",))
    begun(shop, "one")
    with pytest.raises(Conflict, match="There is an experiment"):
        create(shop, "one", Design(name="again", units=100))
    with pytest.raises(Conflict, match="is running"):
        start(shop, "one")
