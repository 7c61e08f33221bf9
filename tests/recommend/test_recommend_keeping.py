"""Lists are kept fresh beside the requests: the old answer serves until the new one is whole."""

from __future__ import annotations

import gc
import logging
import shutil
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.recommend.test_recommend_release import _catalogue, _rows
from tests.stall import accept, event, stock

from shopkeeper.core.settings import Settings
from shopkeeper.recommend import beside, keeping, model, renewing, serving
from shopkeeper.recommend.keeping import Keeper
from shopkeeper.recommend.lists import CHANNEL, PURPOSE
from shopkeeper.recommend.operations import fit, items, promote, roll_back, show
from shopkeeper.recommend.registry import FILE, newest_good
from shopkeeper.recommend.serving import folder
from shopkeeper.recommend.types import DEFAULTS
from shopkeeper.shop import Shop


class Clock:
    """The time, and how far it was put forward."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now().astimezone() + self.ahead


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a shop with a version that serves and a candidate; to be copied."""
    there = tmp_path_factory.mktemp("keeping") / "shop"
    with Shop.create(there, Settings(time_zone="Asia/Shanghai", currency="CNY")) as shop:
        stock(shop, _rows(), _catalogue())
        fit(shop)
        fit(shop, hold=True)
    return there


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shop(twice: Path, tmp_path: Path, clock: Clock) -> Iterator[Shop]:
    shutil.copytree(twice, tmp_path / "shop")
    with Shop.open(tmp_path / "shop", now=clock) as opened:
        yield opened


def _until(found: Callable[[], bool], seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


def _model(shop: Shop, k: int = 3) -> str:
    return items(shop, "c1", k=k).model


def _warm(shop: Shop) -> None:
    """Until everything that a list takes was made, and nothing is under way."""
    _until(lambda: model.latest(shop) is not None and bool(serving.held(shop)))
    _model(shop)


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> tuple[threading.Event, list[str]]:
    """A fit waits at the gate until it is opened; the threads that fitted."""
    opened, threads = threading.Event(), list[str]()
    real = model.fit

    def slow(shop: Shop) -> Any:
        threads.append(threading.current_thread().name)
        assert opened.wait(30)
        return real(shop)

    monkeypatch.setattr(model, "fit", slow)
    return opened, threads


def test_a_start_makes_everything_before_anybody_asks(shop: Shop) -> None:
    with Keeper(shop):
        _warm(shop)
        made = model.latest(shop)
        assert made is not None
        # The version stands beside the catalogue, and the rules are ready.
        assert {"serving", "rules"} <= made.derived.keys()
    # Without the thread each request sees to it itself again.
    assert not beside.kept(shop)


class _Ring:
    """Refers to itself: only the garbage collector frees it."""

    def __init__(self) -> None:
        self.me = self


def test_what_was_made_is_out_of_the_collectors_rounds_and_cycles_are_freed_at_the_next(
    shop: Shop, clock: Clock
) -> None:
    ring = _Ring()
    known = weakref.ref(ring)
    with Keeper(shop):
        _warm(shop)
        _until(lambda: gc.get_freeze_count() > 0)
        del ring
        gc.collect()
        assert known() is not None  # it was set aside with everything else
        clock.ahead = timedelta(minutes=11)
        _model(shop)  # somebody asks, so that what is old is made anew
        _until(lambda: known() is None)
    assert gc.get_freeze_count() == 0


def test_a_shop_without_a_version_loads_nothing_until_somebody_asks(tmp_path: Path) -> None:
    with Shop.create(tmp_path / "empty") as empty, Keeper(empty):
        time.sleep(2 * keeping._TICK)
        assert model.latest(empty) is None
        assert items(empty, "c1").slots == ()
        assert beside.kept(empty)


def test_the_old_list_serves_while_one_thread_makes_the_new(
    shop: Shop, clock: Clock, gate: tuple[threading.Event, list[str]]
) -> None:
    opened, threads = gate
    opened.set()
    with Keeper(shop):
        _warm(shop)
        before, first = items(shop, "c1", k=3), model.latest(shop)
        opened.clear()
        threads.clear()
        clock.ahead = timedelta(minutes=11)
        answers: list[float] = []

        def ask() -> None:
            for _ in range(10):
                began = time.monotonic()
                assert items(shop, "c1", k=3).slots == before.slots
                answers.append(time.monotonic() - began)

        asking = [threading.Thread(target=ask) for _ in range(4)]
        for one in asking:
            one.start()
        for one in asking:
            one.join(30)
        assert len(answers) == 40  # nobody waited for the gate
        _until(lambda: bool(threads))
        assert model.latest(shop) is first
        opened.set()
        _until(lambda: model.latest(shop) is not first)
        assert threads == ["lists"]
        assert items(shop, "c1", k=3).slots == before.slots


def test_what_must_count_at_once_does_so_while_the_new_one_is_being_made(
    shop: Shop, clock: Clock, gate: tuple[threading.Event, list[str]]
) -> None:
    opened, threads = gate
    opened.set()
    with Keeper(shop):
        _warm(shop)
        first = items(shop, "c1", k=3).slots[0].item_id
        opened.clear()
        threads.clear()
        clock.ahead = timedelta(minutes=11)
        _model(shop)
        _until(lambda: bool(threads))
        # Sold out, a refusal, an event.
        shop.catalogue.set_stock({first: 0.0})
        assert first not in {slot.item_id for slot in items(shop, "c1", k=3).slots}
        now = shop.now() - timedelta(seconds=5)
        shop.consent.record("c2", PURPOSE, CHANNEL, "DENY", now, {"form": "account"})
        assert not items(shop, "c2", k=3).personalised
        accept(shop, event(99_999, 61, "add_to_cart", "stranger", "t3-1"))
        told = items(shop, "stranger", k=2).slots[0].reasons[0]
        assert told.evidence["item_id"] == "t3-1"
        # A restriction is the one thing that is waited for: no answer holds what was learned from them.
        shop.restrictions.add(["c2"], "asked")
        got: list[tuple[str, int]] = []

        def ask() -> None:
            reply = items(shop, "c2", k=3)
            got.append((reply.model, reply.history))

        asking = threading.Thread(target=ask)
        asking.start()
        time.sleep(0.3)
        assert not got
        opened.set()
        asking.join(30)
        assert got == [(DEFAULTS, 0)]


def test_an_item_that_expires_meanwhile_is_not_shown(shop: Shop, clock: Clock) -> None:
    first = items(shop, "c1", k=3).slots[0].item_id
    row = next(row for row in _catalogue() if row["item_id"] == first)
    ends = shop.now() + timedelta(minutes=5)
    shop.catalogue.upsert_items([{"kind": "product"} | row | {"expires_at": ends}])
    with shop.writer("test") as writer:
        writer.snapshot()
    assert items(shop, "c1", k=3).slots[0].item_id == first
    clock.ahead = timedelta(minutes=6)  # not yet old
    assert first not in {slot.item_id for slot in items(shop, "c1", k=3).slots}


def test_another_version_serves_once_it_is_loaded_and_a_trial_waits_for_nobody(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = threading.Event()
    real = newest_good

    def slow(path: Path) -> Any:
        assert opened.wait(30)
        return real(path)

    opened.set()
    with Keeper(shop):
        _warm(shop)
        before = _model(shop)
        candidate = next(p.name for p in folder(shop).iterdir() if p.is_dir() and p.name != before)
        monkeypatch.setattr("shopkeeper.recommend.serving.newest_good", slow)
        opened.clear()
        promote(shop, candidate)
        for _ in range(20):  # it is being loaded: nobody waits, and nobody gets half of it
            assert _model(shop) == before
        opened.set()
        _until(lambda: _model(shop) == candidate)
        roll_back(shop)
        _until(lambda: _model(shop) == before)
        # Gone altogether: nothing of it serves from the next request on.
        (folder(shop) / FILE).unlink()
        assert _model(shop) == DEFAULTS


def test_what_fails_is_logged_and_tried_again_later_and_the_old_serves(
    shop: Shop,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(keeping, "_TICK", 0.05)
    with Keeper(shop):
        _warm(shop)
        before, first = _model(shop), model.latest(shop)
        real, failed = model.fit, list[float]()

        def fails(shop: Shop) -> Any:
            failed.append(time.monotonic())
            if len(failed) < 4:
                raise OSError("the disk is gone")
            return real(shop)

        monkeypatch.setattr(model, "fit", fails)
        clock.ahead = timedelta(minutes=11)

        def renewed() -> bool:
            assert _model(shop) == before
            return model.latest(shop) is not first

        with caplog.at_level(logging.ERROR, "shopkeeper.recommend"):
            _until(renewed)
        assert len(failed) == 4
        pauses = [b - a for a, b in pairwise(failed)]
        assert pauses[1] > 0.15  # each longer than the one before: at least 0.1, 0.2, 0.4 s
        assert pauses[2] > 0.35
        assert len(caplog.records) == 3


def test_nothing_half_made_is_ever_seen(
    shop: Shop, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Keeper(shop):
        _warm(shop)
        first = model.latest(shop)
        rehearsing = threading.Event()

        def breaks(*_: Any) -> None:
            rehearsing.set()
            raise ValueError("the rules cannot be compiled")

        monkeypatch.setattr(renewing, "rules_of", breaks)
        clock.ahead = timedelta(minutes=11)
        _model(shop)
        assert rehearsing.wait(30)
        assert model.latest(shop) is first
        assert show(shop, "c1", k=3).personalised


def test_where_nobody_asks_age_alone_is_no_reason(
    shop: Shop, clock: Clock, gate: tuple[threading.Event, list[str]]
) -> None:
    opened, threads = gate
    opened.set()
    with Keeper(shop):
        _until(lambda: model.latest(shop) is not None and bool(serving.held(shop)))
        assert threads == ["lists"]
        clock.ahead = timedelta(minutes=11)
        time.sleep(3 * keeping._TICK)
        assert threads == ["lists"]
        # A changed catalogue is taken in all the same: prices stand in lists.
        row = next(row for row in _catalogue() if row["item_id"] == "t1-0")
        shop.catalogue.upsert_items([{"kind": "product"} | row | {"price": 99.0}])
        with shop.writer("test") as writer:
            writer.snapshot()

        def dearer() -> bool:
            made = model.latest(shop)
            return made is not None and made.items["t1-0"]["price"] == 99.0

        _until(dearer)
