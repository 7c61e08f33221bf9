from __future__ import annotations

import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import narwhals as nw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.identity.oracle import Oracle

from shopkeeper.collect.accept import accept
from shopkeeper.core.errors import NotFound
from shopkeeper.core.operation import OWNER
from shopkeeper.core.settings import Settings
from shopkeeper.shop import Shop
from shopkeeper.store.timeline import Chains, Statement, spans

START = datetime(2026, 3, 1, 14, 30, tzinfo=UTC)  # half past ten in the evening in Shanghai
STEP = timedelta(minutes=20)  # so that days change within a few steps
USERS = ["ann", "bob", "cat", "dan"]
VISITORS = ["phone", "laptop"]
Steps = list[tuple[Any, ...]]
MOMENTS = st.integers(0, 12).map(lambda n: START + n * STEP)


def _statement(number: int, sent: str, customer: str, since: datetime) -> Statement:
    return Statement(sent, customer, since, "test", number)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(USERS + VISITORS), st.sampled_from(USERS + VISITORS), MOMENTS),
        max_size=14,
    )
)
def test_periods_answer_as_following_each_statement_by_hand_does(
    said: list[tuple[str, str, datetime]],
) -> None:
    statements = [_statement(number, *one) for number, one in enumerate(said) if one[0] != one[1]]
    oracle = Oracle()
    for one in statements:
        known = oracle.said.setdefault(one.sent_id, [])
        known.append((one.since, one.number, one.customer_id))
    chains = Chains(statements)
    for sent in USERS + VISITORS:
        periods = chains.own(sent)
        if periods is None:
            periods = chains.resolved(spans(s for s in statements if s.sent_id == sent))
        for step in range(-1, 14):
            moment = START + step * STEP
            found = [
                p.customer_id
                for p in periods
                if (p.start is None or p.start <= moment) and (p.until is None or moment < p.until)
            ]
            assert len(found) <= 1, "periods of one id overlap"
            assert (found or [sent])[0] == oracle.customer(sent, moment)
        assert all(a.until == b.start for a, b in pairwise(periods))


identifies = st.tuples(
    st.just("identify"), st.sampled_from(VISITORS), st.sampled_from(USERS), MOMENTS
)
aliases = st.tuples(st.just("alias"), st.sampled_from(USERS), st.sampled_from(USERS), MOMENTS)
undos = st.tuples(st.just("undo"), st.sampled_from(USERS + VISITORS))
tracks = st.tuples(
    st.just("track"), st.sampled_from([*USERS, None]), st.sampled_from([*VISITORS, None]), MOMENTS
)
moves = st.just(("move",))


days = st.lists(
    st.one_of(identifies, aliases, undos, tracks, tracks, moves), min_size=8, max_size=40
)
slow_shop: Any = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow],
    "derandomize": True,
}


@settings(max_examples=4, **slow_shop)
@given(days)
def test_tables_and_tail_name_the_customer_that_the_oracle_names(steps: Steps) -> None:
    _told_alike(steps)


@pytest.mark.slow
@settings(max_examples=80, **slow_shop)
@given(days)
def test_tables_and_tail_name_the_customer_that_the_oracle_names_in_many_shops(
    steps: Steps,
) -> None:
    _told_alike(steps)


def _told_alike(steps: Steps) -> None:
    oracle = Oracle()
    events: list[Any] = []
    with tempfile.TemporaryDirectory() as folder:
        made = Settings(name="t", time_zone="Asia/Shanghai", currency="CNY")
        with Shop.create(f"{folder}/shop", made) as shop:
            for number, step in enumerate(steps):
                _do(shop, oracle, events, number, step)
            expected = {
                name: oracle.customer(user or visitor, moment)
                for name, user, visitor, moment in events
            }
            assert _customers(shop, live=True) == expected
            for visitor in VISITORS:
                mine = {k for k, u, v, _ in events if (u or v) == visitor}
                seen = _customers(shop, live=[visitor])
                assert {k: seen[k] for k in mine} == {k: expected[k] for k in mine}
            by_day = Counter(
                (str((moment + timedelta(hours=8)).date()), expected[name])
                for name, _, _, moment in events
            )
            assert _by_day(shop, live=True) == by_day
            _move(shop)
            assert _customers(shop, live=False) == expected
            assert _by_day(shop, live=False) == by_day


def _do(shop: Shop, oracle: Oracle, events: list[Any], number: int, step: tuple[Any, ...]) -> None:
    if step[0] == "move":
        _move(shop)
    elif step[0] == "undo":
        oracle.undo(step[1])
        try:
            shop.people.undo(step[1], "test")
        except NotFound:
            assert not oracle.said.get(step[1])
    elif step[0] == "track":
        _, user, visitor, moment = step
        if user or visitor:
            call = {"type": "track", "event": "Product Viewed", "messageId": f"m{number}"}
            _send(shop, {**call, "userId": user, "anonymousId": visitor}, moment)
            events.append((f"m{number}", user, visitor, moment))
    else:
        kind, sent, customer, moment = step
        if sent != customer:
            key = "anonymousId" if kind == "identify" else "previousId"
            _send(shop, {"type": kind, key: sent, "userId": customer}, moment)
            oracle.identify(sent, customer, moment)


def _send(shop: Shop, call: dict[str, Any], moment: datetime) -> None:
    call = {k: v for k, v in call.items() if v is not None} | {"timestamp": moment.isoformat()}
    done = accept(shop, call, actor=OWNER, received_at=START + 100 * STEP)
    assert done.accepted == 1, done.refused


def _move(shop: Shop) -> None:
    with shop.writer("test") as writer:
        writer.drain()
        writer.snapshot()
        writer.maintain()


def _customers(shop: Shop, live: bool | list[str]) -> dict[str, str]:
    rows = shop.query(lambda s: s.events().select("event_id", "customer_id"), live=live)
    return dict(zip(rows["event_id"].to_pylist(), rows["customer_id"].to_pylist(), strict=True))


def _by_day(shop: Shop, live: bool) -> Counter[tuple[str, str]]:
    rows = shop.query(
        lambda s: s.daily().group_by("day", "customer_id").agg(nw.col("events").sum()), live=live
    )
    return Counter({(str(r["day"]), r["customer_id"]): r["events"] for r in rows.to_pylist()})
