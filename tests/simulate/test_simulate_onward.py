"""A world goes on: exactly as it would anyway, and otherwise where messages reach its people."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from tests.simulate.conftest import planted

from shopkeeper.simulate.days import Simulation
from shopkeeper.simulate.letters import temper
from shopkeeper.simulate.onward import Day, Letter, Onward
from shopkeeper.simulate.outcomes import MEASURES
from shopkeeper.simulate.state import NEVER
from shopkeeper.simulate.world import World


def _world(seed: int = 5) -> World:
    return World(planted(events=12_000, days=90), seed)


def _letters(onward: Onward, customers: list[str], discount: float = 0.15) -> list[Letter]:
    zone = onward.zone
    at = datetime.combine(onward.date(onward.first), datetime.min.time(), zone)
    items = ("tea-01", "skin-01", "home-01")
    return [
        Letter(f"m{n}", one, at + timedelta(hours=10), "again", items, discount)
        for n, one in enumerate(customers)
    ]


def _known(world: World) -> list[str]:
    return [row["customer_id"] for row in world.customers()]


def _alike(one: Day, other: Day) -> bool:
    return (
        one.events.equals(other.events)
        and one.texts.equals(other.texts)
        and (one.customers, one.identities) == (other.customers, other.identities)
    )


def test_what_was_built_stays_and_days_without_letters_are_the_plain_continuation() -> None:
    before = pa.Table.from_batches(list(_world().events()))
    world = _world()
    onward = Onward(world, 10)
    assert pa.Table.from_batches(list(_world().events())).equals(before)
    plain = Simulation(_world().setting)
    for number in range(90):
        plain.day(number)
    plain.extend(10)
    ids = set(before["event_id"].to_pylist())
    for number in range(90, 100):
        day, rows = onward.day(), plain.day(number)
        assert day.events.num_rows == len(rows) > 0
        times = day.events.column("time").cast(pa.int64()).to_numpy()
        assert np.array_equal(times, rows["time"])
        assert set(pc.unique(day.events.column("day")).to_pylist()) == {day.day}
        mine = set(day.events.column("event_id").to_pylist())
        assert len(mine) == day.events.num_rows
        assert not mine & ids
        ids |= mine


def test_deliveries_of_the_last_built_days_come_after_them() -> None:
    world = _world()
    told = pa.Table.from_batches(list(world.events()))
    ordered = set(told.filter(pc.equal(told["name"], "purchase"))["order_id"].to_pylist())
    delivered = set(told.filter(pc.equal(told["name"], "order_delivered"))["order_id"].to_pylist())
    onward = Onward(world, 8)
    for _ in range(8):
        day = pa.Table.from_batches([onward.day().events])
        came = day.filter(pc.equal(day["name"], "order_delivered"))["order_id"].to_pylist()
        delivered |= set(came)
    late = ordered - delivered
    assert len(late) < 0.02 * len(ordered)


def test_equal_letters_give_equal_days_and_reactions() -> None:
    days = []
    for _ in range(2):
        world = _world()
        onward = Onward(world, 4)
        letters = _letters(onward, _known(world))
        days.append([onward.day(letters), *(onward.day() for _ in range(3))])
    assert all(_alike(one, other) for one, other in zip(*days, strict=True))
    assert days[0][0].reactions == days[1][0].reactions


def test_who_gets_nothing_is_not_touched_by_what_others_get() -> None:
    """On the day of the letters everybody else does exactly what they would have done."""
    with_, without = _world(), _world()
    onward, plain = Onward(with_, 2), Onward(without, 2)
    some = set(_known(with_)[::2])
    day = onward.day(_letters(onward, sorted(some)))
    same = plain.day()

    def others(events: pa.RecordBatch) -> pa.Table:
        table = pa.Table.from_batches([events]).drop(["event_id", "received_at"])
        mine = pc.is_in(table["campaign_id"], pa.array(["again"]))
        mine = pc.fill_null(mine, fill_value=False)
        theirs = pc.fill_null(pc.is_in(table["user_id"], pa.array(sorted(some))), fill_value=False)
        return table.filter(pc.invert(pc.or_(mine, theirs)))

    assert others(day.events).drop(["session_id"]).equals(others(same.events).drop(["session_id"]))


def test_people_react_as_people_do_and_machines_as_machines() -> None:
    world = _world()
    onward = Onward(world, 15)
    letters = _letters(onward, _known(world))
    day = onward.day(letters)
    per = {one.message_id: one.time for one in letters}
    kinds = Counter(one.what for one in day.reactions)
    assert kinds["delivered"] + kinds["bounced"] == len(letters)
    assert 0 < kinds["unsubscribed"] < 0.04 * len(letters)
    people = [r for r in day.reactions if r.what == "opened" and "Proxy" not in r.agent]
    assert 0.2 * len(letters) < len(people) < 0.7 * len(letters)
    assert 0 < kinds["clicked"] < len(people)
    assert 0 < kinds["opened"] - len(people) < 0.3 * len(letters)
    assert all(r.time > per[r.message_id] for r in day.reactions)
    clicks = {r.message_id for r in day.reactions if r.what == "clicked"}
    events = [day.events, *(onward.day().events for _ in range(4))]
    table = pa.Table.from_batches(events)
    came = table.filter(pc.equal(table["campaign_id"], "again"))
    assert pc.count_distinct(came["session_id"]).as_py() == len(clicks)
    assert set(came["channel"].to_pylist()) == {"email"}
    bought = came.filter(pc.equal(came["name"], "purchase"))
    assert bought.num_rows
    assert {dict(p)["discount"] for p in bought["properties"].to_pylist()} == {"0.15"}


def test_the_truth_depends_on_taste_life_and_what_is_offered() -> None:
    world = _world()
    onward = Onward(world, 20)
    customers = _known(world)
    plain = onward.outcomes(_letters(onward, customers, 0.0), 14, 40)
    found = onward.outcomes(_letters(onward, customers, 0.3), 14, 40)
    for measure in MEASURES:
        assert np.allclose(plain.without[measure], found.without[measure])
    assert found.lift("orders") > plain.lift("orders") > 4 * plain.errors["orders"] > 0
    left = world.past().state.left_at[found.customers] != NEVER
    assert found.without["orders"][left].max() == 0
    gain = found.given["orders"] - found.without["orders"]
    assert 0 < gain[left].mean() < gain[~left].mean()
    reads = temper(world.setting.people, world.seed).reads[found.customers]
    keen = reads > np.median(reads)
    assert gain[keen & ~left].mean() > gain[~keen & ~left].mean()
    table = found.table()
    assert table.num_rows == len(customers)
    assert table["orders_with"].to_pylist() == pytest.approx(found.given["orders"].tolist())


def test_asking_for_the_truth_changes_nothing() -> None:
    asked, quiet = Onward(_world(), 3), Onward(_world(), 3)
    asked.outcomes(_letters(asked, ["c0000001", "c0000002"]), 2, 5)
    assert all(_alike(asked.day(), quiet.day()) for _ in range(3))


@pytest.mark.slow
def test_the_effect_is_recovered_from_what_happens() -> None:
    """Half of the people get letters; the difference of their orders is the true effect, over seeds."""
    scores = []
    for seed in range(12):
        world = World(planted(events=24_000, days=90), seed)
        onward = Onward(world, 16)
        customers = _known(world)
        everyone = _letters(onward, customers)
        truth = onward.outcomes(everyone, 14, 60)
        chosen = np.random.default_rng(seed).random(len(customers)) < 0.5
        sent = [one for one, yes in zip(everyone, chosen, strict=True) if yes]
        events = [onward.day(sent).events, *(onward.day().events for _ in range(15))]
        table = pa.Table.from_batches(events)
        table = table.filter(pc.equal(table["name"], "purchase"))
        start = everyone[0].time
        inside = pc.and_(
            pc.greater_equal(table["time"], pa.scalar(start)),
            pc.less(table["time"], pa.scalar(start + timedelta(days=14))),
        )
        table = table.filter(inside).group_by(["user_id", "order_id"]).aggregate([])
        counts = Counter(table["user_id"].to_pylist())
        orders = np.array([counts[one] for one in customers], float)
        got, none = orders[chosen], orders[~chosen]
        error = np.sqrt(got.var(ddof=1) / len(got) + none.var(ddof=1) / len(none))
        scores.append((got.mean() - none.mean() - truth.lift("orders")) / error)
    assert abs(np.mean(scores)) < 3 / np.sqrt(len(scores))
    assert max(map(abs, scores)) < 4
