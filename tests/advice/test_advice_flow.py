"""From looking to what became of it: refresh, list, rows, dismiss, take; on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.advice.conftest import Plot

from shopkeeper.advice.operations import dismiss, list_, refresh, restore, rows, show, take
from shopkeeper.advice.types import Test as HoldOut
from shopkeeper.campaigns.types import Design
from shopkeeper.core.errors import Conflict, NotAllowed, NotFound
from shopkeeper.core.operation import Actor, Context
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.shop import Shop
from shopkeeper.store.campaigns import Campaigns

NOBODY = Actor("key", "reader", frozenset({"advice:read"}))


def _stage(plot: Plot) -> Plot:
    """Fifty left carts, twenty of which by customers who complained of late; most may be e-mailed."""
    people = [f"c{n:02}" for n in range(60)]
    for n, user in enumerate(people):
        plot.did(3, "add_to_cart", user, "pot-1")
        plot.did(16, "add_to_cart", user, "pot-1")
        if n < 25:
            plot.buy(10, user, "cup-1")
        if n < 5:
            plot.wrote(2, user, "negative")
        consent = {"email": f"{user}@example.com"}
        plot.shop.people.upsert([{"customer_id": user, "traits": consent if n != 7 else {}}])
        if n % 10:
            told = (user, "marketing", "email", "GRANT", plot.time - timedelta(days=50))
            plot.shop.consent.record(*told, {"form": "checkout"})
    plot.done()
    return plot


def test_a_suggestion_says_everything_and_each_line_opens_to_its_rows(plot: Plot) -> None:
    shop = _stage(plot).shop
    found = refresh(shop)
    assert [one.rule for one in found.suggestions] == ["complaint", "cart"]
    assert found.cannot_say is None
    assert {one.rule for one in found.silent} >= {"win_back", "thank", "price_cut"}
    care, cart = found.suggestions
    assert care.what.care
    assert care.channel is None
    assert isinstance(care.expected, CannotSay)
    assert cart.whom.customers == 55
    assert cart.title == "Remind 55 customers of their carts"
    assert cart.channel == "email"
    reach = next(one for one in cart.reach if one.channel == "email")
    # Of 55 five gave no consent (c10, c20 …) and one has no address.
    assert (reach.reachable, reach.reasons) == (49, {"no_consent": 5, "no_address": 1})
    assert isinstance(cart.expected, CannotSay)
    assert "fewer than 3 campaigns" in cart.expected.reason
    assert isinstance(cart.at_stake, Estimate)
    assert cart.at_stake.value == pytest.approx(49 * 20.0)
    assert isinstance(cart.test, HoldOut)
    assert (cart.test.customers, cart.test.days) == (49, 14)
    assert cart.test.base.n == 60
    assert cart.test.base.value == pytest.approx(25 / 60)
    assert cart.overlaps == ()
    assert show(shop, cart.suggestion_id, lang="zh").title == "提醒 55 位客户查看购物车"
    assert all(line.text for line in cart.why)
    for one in found.suggestions:
        for number, line in enumerate(one.why, 1):
            if line.opens is None:
                continue
            behind = rows(shop, one.suggestion_id, number, limit=5)
            assert behind.total > 0
            assert len(behind.rows[0]) == len(behind.columns)
            if line.code == "size":
                assert behind.total == one.whom.customers
            if line.code == "said":
                assert behind.total == line.figures["texts"].value
            if line.code == "base":
                assert behind.total == line.figures["customers"].value
    with pytest.raises(NotFound):
        rows(shop, one.suggestion_id, 99)
    with pytest.raises(NotAllowed):
        rows(Context(shop, NOBODY), one.suggestion_id, 1)


def test_what_was_dismissed_does_not_come_again_until_its_time(plot: Plot) -> None:
    shop = _stage(plot).shop
    care, cart = refresh(shop).suggestions
    gone = dismiss(shop, cart.suggestion_id, reason="our carts are wish lists", days=10)
    assert (gone.state, gone.reason, gone.decided_by) == (
        "dismissed", "our carts are wish lists", "owner",
    )  # fmt: skip
    with pytest.raises(Conflict):
        dismiss(shop, cart.suggestion_id)
    assert [one.suggestion_id for one in refresh(shop).suggestions] == [care.suggestion_id]
    assert list_(shop, state="dismissed").suggestions[0].suggestion_id == cart.suggestion_id
    back = restore(shop, cart.suggestion_id)
    assert (back.state, back.quiet_until) == ("open", None)
    dismiss(shop, cart.suggestion_id, days=10)
    plot.time += timedelta(days=11)
    fresh = refresh(shop).suggestions[1]
    assert fresh.rule == "cart"
    assert fresh.suggestion_id != cart.suggestion_id


def test_what_was_taken_is_a_segment_and_a_draft(any_shop: Plot) -> None:
    shop = _stage(any_shop).shop
    care, cart = refresh(shop).suggestions
    with pytest.raises(Conflict):
        take(shop, care.suggestion_id)
    found = take(shop, cart.suggestion_id)
    assert found.suggestion.state == "taken"
    # The house has written a draft about what sells; another person has to approve it.
    assert found.missing == ("approval",)
    design = found.draft["design"]
    assert design["templates"] == [{"template_id": found.template_id}]
    segment = shop.segments.get(design["segment_id"])
    assert segment.name == cart.title
    sizes = shop.segments.sizes(segment.number, 5)
    assert [one.members for one in sizes] == [55]
    assert design["hold_out"] == cart.test.hold_out  # type: ignore[union-attr]
    assert take(shop, cart.suggestion_id).draft == found.draft  # again: the same, no second segment
    assert len(shop.segments.all()) == 1
    Design.model_validate(design)
    assert "campaigns draft" in found.next
    assert [one.rule for one in refresh(shop).suggestions] == ["complaint"]


def _campaign(shop: Shop, advice: str, revenue: float, error: float, **told: Any) -> None:
    """A campaign that was measured."""
    estimate = {
        "kind": "estimate", "value": revenue, "low": revenue - 1.96 * error,
        "high": revenue + 1.96 * error, "n": 500, "level": 0.95,
    }  # fmt: skip
    nothing = {"kind": "cannot_say", "reason": "no costs", "needed": "costs"}
    arm = {"n": 400, "sent": 390, "lift": estimate, "difference": estimate, "revenue": estimate,
           "margin": nothing, "cost": nothing}  # fmt: skip
    design = {"name": "Past", "cost_per_message": 0.05}
    row = {
        "name": "Past", "design": design, "arms": [], "channel": "email",
        "purpose": "marketing", "advice": advice, **told,
    }  # fmt: skip
    store = Campaigns(shop.database)
    made = store.add("ann", shop.now(), row)
    store.keep_result(made.id, {"at": shop.now().isoformat(), "arms": {"A": arm}})


def test_past_campaigns_tell_what_to_expect_and_what_became_of_it(plot: Plot) -> None:
    shop = _stage(plot).shop
    cart = refresh(shop).suggestions[1]
    take(shop, cart.suggestion_id)
    _campaign(shop, cart.suggestion_id, 2.0, 0.2)
    restore(shop, cart.suggestion_id)
    for revenue in (1.5, 2.5):
        _campaign(shop, "", revenue, 0.2)
    found = refresh(shop).suggestions[1]
    assert isinstance(found.expected, Estimate)
    assert 1.5 * 49 < found.expected.value < 2.5 * 49
    assert found.expected.low < found.expected.value < found.expected.high
    assert len(set(found.expected_from)) == 3
    assert "3 measured campaigns" in found.ranked_by
    assert isinstance(found.cost, Estimate)
    assert found.cost.value == pytest.approx(49 * 0.05)
    [became] = found.became
    assert became.campaign_id in found.expected_from
    assert became.sent == 390
    assert isinstance(became.revenue, Estimate)
    assert became.revenue.value == 2.0


def test_an_empty_shop_says_what_it_takes(plot: Plot) -> None:
    found = list_(plot.shop)
    assert found.suggestions == ()
    assert found.cannot_say is not None
    assert "advice refresh" in found.cannot_say.needed


def test_two_suggestions_for_the_same_customers_say_so(plot: Plot) -> None:
    _stage(plot)
    plot.items([{"item_id": "pot-1", "title": "Pot", "category": "Ware", "price": 150.0,
                 "stock": 3.0}])  # fmt: skip
    for one in refresh(plot.shop).suggestions:
        if one.rule == "cart":
            [other] = one.overlaps
            assert other.title.startswith("Tell 55 customers")
            assert (other.customers, other.share) == (55, 1.0)
            assert any("one message" in risk for risk in one.risks)
            return
    pytest.fail("no suggestion for carts")
