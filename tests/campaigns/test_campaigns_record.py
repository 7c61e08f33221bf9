"""The decision record: why somebody got this, or nothing, and what came of it; on both databases."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.campaigns.conftest import Stage
from tests.contact.mailbox import Mailbox
from tests.stall import accept, event

from shopkeeper.campaigns.operations import record
from shopkeeper.campaigns.record.types import Record
from shopkeeper.campaigns.record.wording import WORDS
from shopkeeper.core.errors import BadInput, NotFound
from shopkeeper.core.operation import Actor, Context
from shopkeeper.decisions.log import RECOMMEND, Choice, Decision
from shopkeeper.decisions.log import record as decide
from shopkeeper.governance.operations import erase
from shopkeeper.store.outbox import Outbox


def _of(stage: Stage, customer: str, campaign: str, lang: Any = "en") -> Record:
    return record(stage.shop, customer_id=customer, campaign_id=campaign, lang=lang)


def _bought(stage: Stage, customer: str, **more: Any) -> None:
    """An order an hour from now, in the log."""
    row = event(1, 0, "purchase", customer, "tea-1", value=30.0, quantity=1.0, order_id="o1")
    at = stage.clock.now + timedelta(hours=1)
    day = at.astimezone(stage.shop.settings.zone).date()
    accept(stage.shop, row | {"time": at, "received_at": at, "day": day} | more)


def test_a_message_says_why_she_got_it_and_what_came_of_it(stage: Stage, mailbox: Mailbox) -> None:
    shop = stage.shop
    segment = stage.segment(*stage.people(6))
    campaign = stage.launched(segment, hold_out=0.0, cost_per_message=0.1)
    stage.send()
    assert mailbox.taken
    _bought(stage, "C001")
    stage.clock.forward(days=1)
    found = _of(stage, "C001", campaign)
    assert found.about == "message"
    assert found.code == "accepted"
    assert "Spring was sent to them on email" in found.answer
    assert "segment “Everybody” (version 1)" in found.answer
    assert found.certain
    assert found.approval is not None
    assert found.approval.confirmed_by == "owner"
    assert found.membership is not None
    assert found.membership.since is not None
    assert found.words is not None
    assert (found.words.author, found.words.approver) == ("ann", "bob")
    assert found.words.content is not None
    assert "New tea" in found.words.content["subject"]
    assert found.consent is not None
    assert found.consent.held is not None
    assert found.consent.held.status == "GRANT"
    assert found.consent.held.proof == {"form": "checkout"}
    assert found.rules is not None
    assert found.rules.messages_before == 0
    assert found.sending is not None
    assert found.sending.address == "C001@example.com"
    assert [one.outcome for one in found.sending.tries] == ["sent"] or found.sending.tries
    assert found.outcome is not None
    assert (found.outcome.orders, found.outcome.revenue) == (1, 30.0)
    assert found.outcome.order_ids == ("o1",)
    assert not found.outcome.whole
    # The same by the message's id.
    [message] = Outbox(shop.database).page({"customer_id": "C001"}, 5)
    assert record(shop, message_id=message.message_id).answer == found.answer
    assert "分群“Everybody”" in _of(stage, "C001", campaign, "zh").answer


def test_who_was_held_out_is_told_so_with_the_chance(stage: Stage) -> None:
    segment = stage.segment(*stage.people(30))
    campaign = stage.launched(segment, hold_out=0.5)
    arms = stage.exposed(campaign)
    held = next(one for one, arm in arms.items() if arm == "control")
    sent = next(one for one, arm in arms.items() if arm != "control")
    found = _of(stage, held, campaign)
    assert (found.about, found.code, found.certain) == ("nothing", "control", True)
    assert "hold-out (50% of those meant)" in found.answer
    assert found.draw is not None
    assert found.draw.propensity == 0.5
    assert found.message_id is None
    treated = _of(stage, sent, campaign)
    assert treated.draw is not None
    assert treated.draw.variant_id == "A"
    assert treated.draw.experiment_id == f"campaign-{campaign}"


def _prepared(stage: Stage) -> str:
    """A campaign to customers whom something keeps from getting it."""
    stage.people(3)
    stage.customer("silent", granted="")
    stage.customer("refused", granted="")
    stage.say("refused", "DENY", "email")
    stage.customer("gone")
    stage.say("gone", "REVOKED", "email", days=2)
    stage.customer("nowhere", email="")
    stage.customer("restricted")
    stage.shop.restrictions.add(["restricted"], "asked")
    stage.customer("outside")
    stage.customer("full")
    stage.rules(caps=[{"most": 1, "days": 7}])
    stage.queue("full", step="earlier-1")
    stage.send()
    stage.clock.forward(hours=1)
    names = ("C000", "C001", "C002", "silent", "refused", "gone", "nowhere", "restricted", "full")
    return stage.launched(stage.segment(*names), hold_out=0.0)


@pytest.mark.parametrize(
    ("customer", "code", "certain"),
    [
        ("silent", "no_consent", True),
        ("refused", "consent_refused", True),
        ("gone", "consent_withdrawn", True),
        ("nowhere", "no_address", False),
        ("restricted", "restricted", False),
        ("full", "capped", False),
        ("outside", "not_in_segment", True),
        ("stranger", "nobody", True),
    ],
)
def test_nothing_has_its_reason(
    stage: Stage, mailbox: Mailbox, customer: str, code: str, certain: bool
) -> None:
    campaign = _prepared(stage)
    # What is said afterwards changes nothing of what held then.
    if customer in ("silent", "refused", "gone"):
        stage.clock.forward(hours=2)
        stage.say(customer, "GRANT", "email", seconds=1)
    found = _of(stage, customer, campaign)
    assert (found.about, found.code, found.certain) == ("nothing", code, certain)
    assert found.answer.startswith("Nothing") or code == "nobody"
    assert bool(found.unknown) != certain
    if code == "consent_withdrawn":
        assert found.consent is not None
        assert found.consent.held is not None
        assert found.consent.held.status == "REVOKED"
        assert [one.status for one in found.consent.history][-1] == "GRANT"


def test_a_draft_has_reached_nobody(stage: Stage) -> None:
    made = stage.draft(stage.segment(*stage.people(2)))
    assert _of(stage, "C000", made.campaign_id).code == "not_started"


def test_an_erased_customer_gets_a_clear_answer(stage: Stage, mailbox: Mailbox) -> None:
    shop = stage.shop
    campaign = stage.launched(stage.segment(*stage.people(3)), hold_out=0.0)
    stage.send()
    [message] = Outbox(shop.database).page({"customer_id": "C001"}, 5)
    asked = erase(shop, ["C001"])
    assert asked.plan is not None
    erase(shop, ["C001"], confirm=asked.plan.hash)
    found = record(shop, message_id=message.message_id)
    assert found.erased
    assert found.customer_id is None
    assert "erased" in found.answer
    assert "C001" not in found.model_dump_json()
    assert _of(stage, "C001", campaign).code == "nobody"


def test_personal_parts_need_the_right_to_read_customers(stage: Stage, mailbox: Mailbox) -> None:
    campaign = stage.launched(stage.segment(*stage.people(2)), hold_out=0.0)
    stage.send()
    analyst = Context(stage.shop, Actor("key", "analyst", frozenset({"campaigns:read"})))
    found = record(analyst, customer_id="C000", campaign_id=campaign)
    assert set(found.withheld) == {"words", "membership", "consent", "sending", "outcome"}
    assert found.words is not None
    assert found.words.content is None
    assert found.words.approver == "bob"
    assert found.sending is not None
    assert found.sending.address is None
    assert "example.com" not in found.model_dump_json()


def test_a_list_of_recommendations_answers_the_same_way(stage: Stage) -> None:
    shop = stage.shop
    shop.catalogue.upsert_items([{"item_id": "tea-1", "kind": "product", "title": "Green tea"}])
    stage.customer("C1")
    chances = {"tea-1": 0.7, "pot-1": 0.3}
    choice = Choice("tea-1", 0.7, chances)
    decide(
        shop,
        [
            Decision(
                "d1", stage.clock.now, "C1", RECOMMEND, (choice,), "m3/rules-2", ["no-owned"],
                {"page": "home"},
            )
        ],
    )  # fmt: skip
    _bought(stage, "C1")
    with shop.writer("test") as writer:
        writer.drain()
    found = record(shop, decision_id="d1")
    assert found.about == "recommendation"
    assert found.listed is not None
    assert found.listed.rules == ("no-owned",)
    assert found.listed.places[0].title == "Green tea"
    assert found.listed.places[0].candidates == chances
    assert found.outcome is not None
    assert found.outcome.orders == 1
    with pytest.raises(NotFound):
        record(shop, decision_id="d2")


def test_one_way_to_ask_is_taken_and_no_other(stage: Stage) -> None:
    for told in ({}, {"customer_id": "C1"}, {"message_id": "m", "decision_id": "d"}):
        with pytest.raises(BadInput):
            record(stage.shop, **told)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        record(stage.shop, message_id="none")


def test_the_sentences_are_the_same_in_both_languages() -> None:
    assert WORDS["en"].keys() == WORDS["zh"].keys()
