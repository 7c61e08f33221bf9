"""Fitting, publishing, serving and judging a shop's mixture."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from tests.stall import Row, accept, event, sales, stock

from shopkeeper.core.errors import Corrupt
from shopkeeper.core.subject import Needles
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.recommend import erase
from shopkeeper.recommend.lists import CHANNEL, PURPOSE, slates
from shopkeeper.recommend.operations import evaluate, fit, items
from shopkeeper.recommend.published import load, versions
from shopkeeper.recommend.serving import folder
from shopkeeper.recommend.types import DEFAULTS, Protocol
from shopkeeper.shop import Shop

TASTES, GOODS, CUSTOMERS, BOUGHT = 4, 10, 320, 6


def _catalogue() -> list[Row]:
    names = ("茶叶", "camera", "钓鱼", "bread")
    return [
        {
            "item_id": f"t{taste}-{n}",
            "title": f"{names[taste]} {n}",
            "brand": f"brand {taste}",
            "category": f"shop > {names[taste]}",
            "price": 10.0,
            "stock": 0.0 if n == 9 else 5.0,
        }
        for taste in range(TASTES)
        for n in range(GOODS)
    ] + [{"item_id": "fresh", "title": "钓鱼 新品", "brand": "brand 2", "price": 3.0}]


def _rows() -> list[Row]:
    """Each customer buys along one taste, one item a step; half of them bought last in the last week."""
    random = np.random.default_rng(11)
    lines: list[tuple[float, str | None, str, float | None]] = []
    for customer in range(CUSTOMERS):
        taste, end = customer % TASTES, 60 - float(random.integers(0, 10))
        own = random.permutation(GOODS)[:BOUGHT]
        lines += [
            (end - 8 * (BOUGHT - 1 - step) + step * 0.01, f"c{customer}", f"t{taste}-{n}", 10.0)
            for step, n in enumerate(own)
        ]
    return sales(lines)


@pytest.fixture
def stalled(shop: Shop) -> Shop:
    return stock(shop, _rows(), _catalogue())


def test_a_fitted_mixture_makes_the_lists_with_reasons_from_its_own_terms(stalled: Shop) -> None:
    before = items(stalled, "c1", k=4)
    assert before.model == DEFAULTS
    assert before.why_defaults is not None
    assert "recommend fit" in before.why_defaults.needed
    told = fit(stalled)
    assert told.version is not None
    assert told.validated >= 200
    for place in range(len(told.heads[0].by_history)):
        assert sum(head.by_history[place] for head in told.heads) == pytest.approx(1, abs=1e-3)
    reply = items(stalled, "c1", k=3)
    assert (reply.model, reply.why_defaults, reply.personalised) == (told.version, None, True)
    bought = {f"t1-{n}" for n in range(GOODS)}
    assert {slot.item_id for slot in reply.slots} <= bought - {"t1-9"}
    chances = [slot.probability or 0.0 for slot in reply.slots]
    assert chances == sorted(chances, reverse=True)
    assert 0 < sum(chances) <= 1 + 1e-6
    own = {str(row["item_id"]) for row in _rows() if row["user_id"] == "c1"}
    for slot in reply.slots:
        assert slot.item_id not in own
        reason = slot.reasons[0]
        assert reason.code.startswith((f"{slot.head}.", "popular."))
        assert 0 < reason.weight <= 1
        if not reason.code.startswith("popular."):
            assert reason.evidence["item_id"] in own
    assert (
        slates(stalled, ["c1", "nobody"], 3, "en")[0].slots
        == items(stalled, "c1", k=3, live=False).slots
    )


def test_excluded_and_sold_out_items_are_never_shown(stalled: Shop) -> None:
    fit(stalled)
    first = items(stalled, "c2", k=5)
    gone = first.slots[0].item_id
    second = items(stalled, "c2", k=100, exclude=(gone,))
    assert gone not in {slot.item_id for slot in second.slots}
    assert not any(slot.item_id.endswith("-9") for slot in second.slots)
    assert second.missing is not None
    nothing = items(stalled, "c2", k=3, exclude=tuple(row["item_id"] for row in _catalogue()))
    assert nothing.slots == ()
    assert nothing.missing is not None


def test_an_accepted_event_changes_the_next_answer_of_the_mixture(stalled: Shop) -> None:
    fit(stalled)
    before = items(stalled, "stranger", k=3)
    accept(stalled, event(99_999, 61, "add_to_cart", "stranger", "t3-1"))
    after = items(stalled, "stranger", k=3)
    assert {slot.item_id[:2] for slot in after.slots} == {"t3"}
    assert after.slots != before.slots
    assert after.slots[0].reasons[0].evidence["item_id"] == "t3-1"


def test_an_item_that_nobody_has_chosen_is_found_by_its_words(stalled: Shop) -> None:
    fit(stalled)
    reply = items(stalled, "c2", k=100, lang="zh")  # c2 likes fishing
    fresh = next(slot for slot in reply.slots if slot.item_id == "fresh")
    other = next(slot for slot in items(stalled, "c1", k=100).slots if slot.item_id == "fresh")
    assert (fresh.probability or 0) > 3 * (other.probability or 0)


def test_who_refuses_gets_what_is_popular_and_the_reply_says_so(stalled: Shop) -> None:
    fit(stalled)
    now = datetime.now(UTC) - timedelta(seconds=5)
    stalled.consent.record("c1", PURPOSE, CHANNEL, "DENY", now, {"form": "account"})
    reply = items(stalled, "c1", k=3)
    assert (reply.personalised, reply.history) == (False, 0)
    assert {slot.head for slot in reply.slots} == {"popular"}
    nobody = items(stalled, "c2", k=3)
    assert nobody.personalised
    stalled.consent.record(
        "c1", PURPOSE, CHANNEL, "GRANT", now + timedelta(seconds=1), {"form": "account"}
    )
    assert items(stalled, "c1", k=3).personalised


def test_a_damaged_version_is_refused_and_the_last_good_one_serves(stalled: Shop) -> None:
    first, second = fit(stalled).version, fit(stalled).version
    assert versions(folder(stalled)) == [second, first]
    (folder(stalled) / str(second) / "weights.npy").write_bytes(b"broken")
    with pytest.raises(Corrupt, match="weights"):
        load(folder(stalled) / str(second))
    with Shop.open(stalled.folder) as again:
        assert items(again, "c1", k=2).model == first


def test_erasing_somebody_removes_what_was_learned_from_them(stalled: Shop) -> None:
    fit(stalled)
    needles = Needles(frozenset({"c1"}), ("c1",))
    assert erase.found(stalled, needles) == {}
    assert erase.erase(stalled, needles)
    assert versions(folder(stalled)) == []
    assert items(stalled, "c2", k=2).model == DEFAULTS


def test_a_restriction_takes_the_mixture_out_of_service(stalled: Shop) -> None:
    fit(stalled)
    stalled.restrictions.add(["c5"], "asked")
    reply = items(stalled, "c2", k=2)
    assert reply.model == DEFAULTS
    assert reply.why_defaults is not None
    assert fit(stalled).version == items(stalled, "c2", k=2).model


def test_too_few_choices_fit_nothing(shop: Shop) -> None:
    stock(shop, sales([(float(n), f"c{n}", "tea", 5.0) for n in range(9)]))
    told = fit(shop)
    assert told.version is None
    assert told.missing is not None
    assert items(shop, "c1", k=2).model == DEFAULTS
    judged = evaluate(shop)
    assert isinstance(judged.leave_one_out, CannotSay)
    assert isinstance(judged.by_week, CannotSay)


def test_evaluation_finds_the_planted_tastes(stalled: Shop) -> None:
    reply = evaluate(stalled, weeks=1, most=200)
    assert isinstance(reply.by_week, Protocol)
    assert isinstance(reply.leave_one_out, Protocol)
    assert reply.customers == CUSTOMERS
    for protocol in (reply.by_week, reply.leave_one_out):
        scores = {score.model: score for score in protocol.scores}
        ours, popular = scores["mixture"].hr10, scores["popular_7_days"].hr10
        assert isinstance(ours, Estimate)
        assert isinstance(popular, Estimate)
        assert ours.low > popular.high
        assert isinstance(protocol.gain.ndcg10, Estimate)
        assert protocol.gain.ndcg10.low > 0
        assert protocol.gain.log_loss_ratio < 0.8
        assert scores["mixture"].log_loss is not None
        assert 0 <= scores["popular_7_days"].coverage <= scores["mixture"].coverage <= 1
        assert 0 <= scores["mixture"].gini < scores["popular_7_days"].gini <= 1
        assert sum(b.slots for b in protocol.reliability) == 10 * protocol.cases
        assert {group.name for group in protocol.groups} >= {"items chosen 4 times or more"}
