"""Candidates beside live requests: in the shadow, in an experiment, and judged by recorded lists."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.recommend.test_recommend_release import _catalogue, _rows
from tests.stall import START, Row, event, sales, stock

from shopkeeper.core.errors import Conflict, NotFound, UnknownName
from shopkeeper.core.settings import Settings
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.decisions.log import Choice, Decision, record
from shopkeeper.experiments import operations as experiments
from shopkeeper.experiments.types import Design, Variant
from shopkeeper.recommend import shadowing
from shopkeeper.recommend.composing import Asked
from shopkeeper.recommend.gate import Verdict, beside
from shopkeeper.recommend.heads.popular import FittedPopular
from shopkeeper.recommend.history import DAY_MS
from shopkeeper.recommend.lists import CHANNEL, PURPOSE
from shopkeeper.recommend.mixture import BUCKETS, Mixture
from shopkeeper.recommend.model import learned, own
from shopkeeper.recommend.operations import (
    fit,
    items,
    promote,
    roll_back,
    shadow_live,
    show,
    stage,
    versions,
)
from shopkeeper.recommend.published import FOLDER
from shopkeeper.recommend.published import versions as kept
from shopkeeper.recommend.replay import Replayed, replay
from shopkeeper.recommend.serving import folder
from shopkeeper.shop import Shop


@pytest.fixture(scope="module")
def fitted_twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a shop with a version that serves and a candidate; to be copied."""
    folder = tmp_path_factory.mktemp("trials") / "shop"
    with Shop.create(folder, Settings(time_zone="Asia/Shanghai", currency="CNY")) as shop:
        stock(shop, _rows(), _catalogue())
        fit(shop)
        fit(shop, hold=True)
    return folder


@pytest.fixture
def two(fitted_twice: Path, tmp_path: Path) -> Iterator[tuple[Shop, str, str]]:
    """A shop, the version that serves and the candidate."""
    copy = tmp_path / "shop"
    shutil.copytree(fitted_twice, copy)
    candidate, serving = kept(copy / FOLDER)
    with Shop.open(copy) as shop:
        yield shop, serving, candidate


def _drained(shop: Shop) -> None:
    with shop.writer("test") as writer:
        writer.drain()


class TestShadow:
    def test_it_answers_live_requests_unseen_and_what_it_did_is_told(
        self, two: tuple[Shop, str, str]
    ) -> None:
        shop, serving, candidate = two
        told = shadow_live(shop, candidate, 1.0)
        assert [(one.kind, one.version, one.share) for one in told.trials] == [
            ("shadow", candidate, 1.0)
        ]
        for number in range(12):
            assert items(shop, f"c{number}", k=4).model == serving
        shadowing.settle(shop)
        _drained(shop)
        live = next(one.live for one in versions(shop).versions if one.version == candidate)
        assert live is not None
        assert (live.requests, live.errors, live.dropped) == (12, 0, 0)
        assert live.overlap == pytest.approx(1.0)  # of the same data
        assert live.tau == pytest.approx(1.0)
        assert live.ms is not None
        assert live.ms > 0
        rows = shop.query(lambda source: source.decisions())
        assert rows.num_rows == 1  # sums, and nobody's id
        assert rows["customer_id"].to_pylist() == [None]
        assert shadow_live(shop, candidate, 0.0).trials == ()

    def test_a_candidate_that_fails_never_touches_the_answer(
        self, two: tuple[Shop, str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shop, serving, candidate = two
        expected = items(shop, "c1", k=4)
        shadow_live(shop, candidate, 1.0)

        def fails(*_: Any) -> Any:
            raise ZeroDivisionError("a candidate")

        monkeypatch.setattr(shadowing, "trial", fails)
        answers = [items(shop, "c1", k=4) for _ in range(3)]
        shadowing.settle(shop)
        _drained(shop)
        assert [answer.slots for answer in answers] == [expected.slots] * 3
        live = next(one.live for one in versions(shop).versions if one.version == candidate)
        assert live is not None
        assert (live.requests, live.errors, live.overlap) == (3, 3, None)
        assert answers[0].model == serving

    def test_damaged_files_of_a_candidate_are_errors_of_its_own(
        self, two: tuple[Shop, str, str]
    ) -> None:
        shop, serving, candidate = two
        shadow_live(shop, candidate, 1.0)
        (folder(shop) / candidate / "weights.npy").write_bytes(b"broken")
        assert items(shop, "c1", k=2).model == serving
        shadowing.settle(shop)
        assert shadowing.answer(
            shop,
            candidate,
            "en",
            shadowing.Answered("c1", _rows_of(shop, "c1"), Asked(2), items(shop, "c1", k=2), 1.0),
        ).errors

    def test_a_slow_candidate_delays_nobody(
        self, two: tuple[Shop, str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shop, _, candidate = two
        items(shop, "c1", k=2)
        shadow_live(shop, candidate, 1.0)

        def sleeps(*_: Any) -> Any:
            time.sleep(0.2)
            raise TimeoutError

        monkeypatch.setattr(shadowing, "trial", sleeps)
        monkeypatch.setattr(shadowing, "_WAITING", 2)
        began = time.perf_counter()
        for _ in range(40):
            items(shop, "c1", k=2)
        assert time.perf_counter() - began < 40 * 0.2 / 2
        shadowing.settle(shop)

    def test_what_serves_is_not_its_own_shadow(self, two: tuple[Shop, str, str]) -> None:
        shop, serving, _ = two
        with pytest.raises(Conflict):
            shadow_live(shop, serving)
        with pytest.raises(UnknownName):
            shadow_live(shop, "20200101T000000000000")


def _rows_of(shop: Shop, customer: str) -> Any:
    return own(shop, customer, live=True)


@pytest.mark.parametrize(
    ("first", "second", "tau"),
    [("abc", "abc", 1.0), ("abc", "cba", -1.0), ("abcd", "xbya", -1.0), ("ab", "bx", None)],
)
def test_kendalls_tau_counts_what_both_lists_hold(
    first: str, second: str, tau: float | None
) -> None:
    assert shadowing.kendall(list(first), list(second)) == tau


def _running(shop: Shop, name: str = "model-2") -> None:
    design = Design(
        name="a new model",
        primary="conversion",
        units=100,
        variants=(
            Variant(variant_id="control", share=0.5),
            Variant(variant_id="treatment", share=0.5),
        ),
    )
    experiments.create(shop, name, design)
    experiments.start(shop, name)


class TestStaged:
    def test_the_experiments_treatment_sees_it_and_the_rest_what_serves(
        self, two: tuple[Shop, str, str]
    ) -> None:
        shop, serving, candidate = two
        _running(shop)
        told = stage(shop, candidate, "model-2")
        assert told.serving == serving
        assert [one.experiment_id for one in told.trials] == ["model-2"]
        shown = {f"c{n}": show(shop, f"c{n}", k=3).model for n in range(40)}
        assert set(shown.values()) == {serving, candidate}
        given = experiments.assign(shop, "model-2", tuple(shown)).units
        for one in given:
            expected = candidate if one.variant_id == "treatment" else serving
            assert shown[one.unit_id] == expected
        assert all(one.why == "kept" for one in given)
        # A preview shows what the customer is shown, and assigns nobody.
        assert items(shop, "c1", k=3).model == shown["c1"]
        assert items(shop, "c77", k=3).model == serving
        _drained(shop)
        logged = shop.query(lambda source: source.decisions()).to_pylist(maps_as_pydicts="strict")
        lists = [row for row in logged if row["kind"] == "recommend"]
        variants = {row["customer_id"]: row["context"]["variant_id"] for row in lists}
        assert variants == {one.unit_id: one.variant_id for one in given}
        seen = shop.query(lambda source: source.events()).to_pylist()
        exposed = [row for row in seen if row["experiment_id"] == "model-2"]
        assert {row["user_id"]: row["variant_id"] for row in exposed} == variants

    def test_it_is_taken_back_at_once_and_ends_with_the_experiment(
        self, two: tuple[Shop, str, str]
    ) -> None:
        shop, serving, candidate = two
        _running(shop)
        stage(shop, candidate, "model-2")
        treated = next(n for n in range(40) if show(shop, f"c{n}", k=2).model == candidate)
        assert roll_back(shop).trials == ()
        assert show(shop, f"c{treated}", k=2).model == serving
        stage(shop, candidate, "model-2")
        assert show(shop, f"c{treated}", k=2).model == candidate
        experiments.stop(shop, "model-2", "decided")
        until = time.monotonic() + 2
        while show(shop, f"c{treated}", k=2).model != serving:
            assert time.monotonic() < until
        assert promote(shop, candidate).trials == ()

    def test_who_refuses_is_in_no_experiment_and_damage_lets_the_last_good_one_serve(
        self, two: tuple[Shop, str, str]
    ) -> None:
        shop, serving, candidate = two
        _running(shop)
        stage(shop, candidate, "model-2")
        shop.consent.record(
            "c1", PURPOSE, CHANNEL, "DENY", shop.now() - timedelta(seconds=1), {"form": "x"}
        )
        assert not show(shop, "c1", k=2).personalised
        assert experiments.assign(shop, "model-2", ("c1",)).units[0].why == "assigned"
        (folder(shop) / candidate / "weights.npy").write_bytes(b"broken")
        assert {show(shop, f"c{n}", k=2).model for n in range(2, 12)} == {serving}

    def test_what_cannot_be_tried_is_refused(self, two: tuple[Shop, str, str]) -> None:
        shop, serving, candidate = two
        with pytest.raises(NotFound):
            stage(shop, candidate, "nowhere")
        _running(shop)
        with pytest.raises(UnknownName):
            stage(shop, candidate, "model-2", "blue")
        with pytest.raises(Conflict):
            stage(shop, serving, "model-2")
        experiments.stop(shop, "model-2", "over")
        with pytest.raises(Conflict):
            stage(shop, candidate, "model-2")


GOODS = ("a", "b", "c", "d")
RATES = {"a": 0.10, "b": 0.45, "c": 0.02, "d": 0.02}


def _explored(shop: Shop, people: int, share: float) -> int:
    """Explored lists of one place, ``a`` first, where ``b`` earns far more; when they began (ms)."""
    lines: list[tuple[float, str | None, str, float | None]] = [
        (n % 5, f"old{n}", GOODS[n % 4], 5.0) for n in range(40)
    ]
    catalogue: list[Row] = [
        {"item_id": one, "title": one, "price": 5.0, "stock": 9.0} for one in GOODS
    ]
    stock(shop, sales(lines), catalogue)
    drawn = np.random.default_rng(7)
    told = {one: share * 0.25 + (1 - share) * (one == "a") for one in GOODS}
    now = shop.now().replace(microsecond=0) - timedelta(days=10)
    decisions, rows = [], []
    for n in range(people):
        item = GOODS[int(drawn.choice(4, p=list(told.values())))]
        context = {"explore": str(share)}
        choice = Choice(item, told[item], told)
        decisions.append(
            Decision(f"s{n}", now, f"u{n}", "recommend", [choice], "v", context=context)
        )
        if drawn.random() < RATES[item]:
            at = (now - START).total_seconds() / 86_400 + 0.5
            rows.append(
                event(n, at, "purchase", f"u{n}", item, value=1.0, quantity=1.0, order_id=f"o{n}")
            )
    record(shop, decisions)
    stock(shop, rows)
    return int(now.timestamp() * 1000) - DAY_MS


def _preferring(shop: Shop, item: str) -> tuple[Mixture, Any]:
    history = learned(shop)[0]
    weights = np.array([5.0 if one == item else 1.0 for one in history.item_ids.to_pylist()])
    heads = {"popular": FittedPopular(weights.astype(np.float32))}
    return Mixture(heads, {"popular": 1.0}, np.ones((len(BUCKETS), 1))), history


RANKING = Verdict(True, None, False, "by ranking")


class TestReplay:
    @pytest.mark.parametrize(("prefers", "truth"), [("b", 0.35), ("c", -0.08)])
    def test_its_interval_holds_what_the_candidate_would_have_earned(
        self, shop: Shop, prefers: str, truth: float
    ) -> None:
        since = _explored(shop, people=1500, share=0.5)
        found = replay(shop, *_preferring(shop, prefers), since)
        assert (found.reward, found.places) == ("purchase", 1500)
        assert isinstance(found.gain, Estimate)
        assert found.gain.low < truth < found.gain.high
        assert (found.gain.value > 0) == (truth > 0)
        verdict = beside(RANKING, found)
        assert verdict.passed == (truth > 0)
        assert verdict.note["replay"]["places"] == 1500

    def test_the_same_choices_differ_by_nothing(self, shop: Shop) -> None:
        since = _explored(shop, people=600, share=0.5)
        found = replay(shop, *_preferring(shop, "a"), since)
        assert isinstance(found.gain, Estimate)
        assert (found.gain.low, found.gain.value, found.gain.high) == (0.0, 0.0, 0.0)

    def test_too_thin_a_log_says_so_and_ranking_decides(self, shop: Shop) -> None:
        since = _explored(shop, people=60, share=0.5)
        found = replay(shop, *_preferring(shop, "b"), since)
        assert isinstance(found.gain, CannotSay)
        verdict = beside(RANKING, found)
        assert verdict.passed
        assert "ranking alone decides" in verdict.why
        refused = beside(replace(RANKING, passed=False), found)
        assert not refused.passed

    def test_lists_from_before_it_learned_and_certain_places_do_not_count(self, shop: Shop) -> None:
        since = _explored(shop, people=600, share=0.5)
        later = replay(shop, *_preferring(shop, "b"), since + 5 * DAY_MS)
        assert isinstance(later.gain, CannotSay)
        assert later.places == 0

    def test_a_night_without_recorded_lists_says_so_in_the_versions(
        self, two: tuple[Shop, str, str]
    ) -> None:
        newest = versions(two[0]).versions[0]
        assert newest.replay is not None
        assert isinstance(newest.replay.gain, CannotSay)
        assert "ranking alone decides" in newest.why


def test_replayed_refuses_only_what_is_surely_worse() -> None:
    near = Replayed(Estimate(value=-0.01, low=-0.03, high=0.01, n=900), "purchase", 900, 400.0)
    assert beside(RANKING, near).passed
    worse = Replayed(Estimate(value=-0.02, low=-0.03, high=-0.01, n=900), "purchase", 900, 400.0)
    assert not beside(RANKING, worse).passed
