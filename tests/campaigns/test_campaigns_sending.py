"""Campaigns from draft to sent, on either database, through a real mail server."""

from __future__ import annotations

import email
import email.policy
import threading

import pytest
from sqlalchemy import update
from tests.campaigns.conftest import Stage
from tests.contact.mailbox import Mailbox, Taken
from tests.contact.provider import Provider

from shopkeeper.campaigns.launching import Launcher, launch
from shopkeeper.campaigns.operations import confirm, dry_run, edit, pause, resume, show, stop
from shopkeeper.campaigns.types import Choice
from shopkeeper.contact.sender import Sender
from shopkeeper.core.errors import Conflict, NotAllowed
from shopkeeper.core.operation import Actor, Context
from shopkeeper.experiments.operations import hold_out
from shopkeeper.store.campaigns import Campaigns
from shopkeeper.store.content_tables import template_versions
from shopkeeper.store.segments import ARCHIVED, LIVE


def bodies(taken: Taken) -> tuple[str, str]:
    """The text and the page of an e-mail."""
    message = email.message_from_bytes(taken.data, policy=email.policy.default)
    text, page = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert page is not None
    return text.get_content(), page.get_content()


def test_the_hold_out_gets_nothing_and_everybody_else_one_letter(
    stage: Stage, mailbox: Mailbox
) -> None:
    people = stage.people(60)
    campaign = stage.launched(stage.segment(*people), hold_out=0.3)
    stage.send()
    launch(stage.shop)
    arms = stage.exposed(campaign)
    assert set(arms) == set(people)
    control = {one for one, arm in arms.items() if arm == "control"}
    assert 5 <= len(control) <= 35
    reached = [one.recipient.partition("@")[0] for one in mailbox.taken]
    assert sorted(reached) == sorted(set(people) - control)
    assert stage.counts(campaign) == {"control": len(control), "queued": 60 - len(control)}
    assert show(stage.shop, campaign).campaign.status == "done"


def test_a_dry_run_adds_up_and_says_why(stage: Stage) -> None:
    people = stage.people(40)
    stage.customer("N1", granted="")
    stage.customer("N2", email="")
    stage.customer("N3", email="bad@example.com\nBcc: all@example.com")
    hold_out(stage.shop, 0.2, "the whole programme")
    segment = stage.segment(*people, "N1", "N2", "N3", "GHOST")
    made = stage.draft(segment, hold_out=0.25, cost_per_message=0.5, budget=5)
    found = dry_run(stage.shop, made.campaign_id)
    counts = {one.reason: one.customers for one in found.counts}
    assert sum(counts.values()) == found.audience == 44
    assert counts["no_consent"] == 2
    assert counts["no_address"] + counts["invalid_address"] == 2
    assert counts["ok"] == found.reached == 10
    assert counts["control"] == 3
    assert counts["budget"] + counts["hold_out"] == 40 - 13
    assert found.cost.kind == "estimate"
    assert found.cost.value == 5
    assert {one.content["subject"] for one in found.samples} == {"New tea"}
    assert stage.states() == {}


def test_a_letter_that_lacks_a_variable_keeps_its_customer_out_of_all_arms(stage: Stage) -> None:
    named = [stage.customer(f"C{n}", name=f"Name {n}") for n in range(20)]
    nameless = [stage.customer(f"X{n}") for n in range(7)]
    words = {"subject": "For {{ customer.name }}", "text": "Tea."}
    segment = stage.segment(*named, *nameless)
    told = stage.template(words)
    made = stage.draft(segment, told, hold_out=0.5)
    found = dry_run(stage.shop, made.campaign_id)
    assert {one.reason: one.customers for one in found.counts}["missing_variable"] == 7
    [problem] = found.problems
    assert (problem.reason, problem.detail) == ("missing_variable", "customer.name")
    campaign = stage.launched(segment, told, stage.template(), hold_out=0.5)
    assert stage.counts(campaign)["missing_variable"] == 7
    assert set(stage.exposed(campaign)) == set(named)


def test_an_audience_that_empties_sends_nothing(stage: Stage) -> None:
    people = stage.people(12)
    segment, began = stage.segment(*people), stage.clock.now
    campaign = stage.draft(segment, hold_out=0)
    plan = confirm(stage.shop, campaign.campaign_id).plan
    assert plan is not None
    stage.clock.forward(hours=1)
    stage.enter(segment, *people, left=began)
    with pytest.raises(Conflict, match="Nobody would be reached"):
        confirm(stage.shop, campaign.campaign_id, confirm=plan.hash)
    stage.enter(segment, *people)
    again = stage.confirmed(segment, hold_out=0.2)
    stage.enter(segment, *people, left=stage.clock.now)
    stage.clock.forward(minutes=1)
    launch(stage.shop)
    launch(stage.shop)
    assert show(stage.shop, again.campaign_id).campaign.status == "done"
    assert show(stage.shop, again.campaign_id).campaign.audience == 0
    assert stage.states() == {}


def test_who_was_in_it_when_it_was_confirmed_where_that_was_asked_for(stage: Stage) -> None:
    people = stage.people(6)
    segment, began = stage.segment(*people[:4]), stage.clock.now
    stage.clock.forward(minutes=1)
    told = {"hold_out": 0, "starts_at": stage.clock.now.replace(hour=8)}
    then = stage.confirmed(segment, membership="at_confirm", **told)
    now = stage.confirmed(segment, **told)
    stage.clock.forward(minutes=1)
    stage.enter(segment, people[0], left=began)
    stage.enter(segment, *people[4:])
    stage.clock.forward(hours=4)
    launch(stage.shop)
    assert show(stage.shop, then.campaign_id).campaign.audience == 4
    assert show(stage.shop, now.campaign_id).campaign.audience == 5


def test_a_changed_segment_or_template_is_not_what_was_confirmed(stage: Stage) -> None:
    segment = stage.segment(*stage.people(5))
    campaign = stage.draft(segment, hold_out=0)
    plan = confirm(stage.shop, campaign.campaign_id).plan
    assert plan is not None
    other = (Choice(template_id=stage.template()),)
    edit(stage.shop, campaign.campaign_id, campaign.design.model_copy(update={"templates": other}))
    with pytest.raises(Conflict, match="no longer what was confirmed"):
        confirm(stage.shop, campaign.campaign_id, confirm=plan.hash)
    later = stage.clock.now.replace(hour=8)
    waiting = stage.confirmed(segment, hold_out=0, starts_at=later)
    known = stage.shop.segments.get(segment)
    old = stage.shop.segments.versions(segment)[0]
    stage.shop.segments.change(segment, old, known.status, known=known.version)
    stage.clock.forward(hours=5)
    launch(stage.shop)
    held = show(stage.shop, waiting.campaign_id).campaign
    assert (held.status, held.why) == ("paused", "segment_changed")
    with pytest.raises(Conflict, match="no longer the one"):
        resume(stage.shop, waiting.campaign_id)
    assert stage.states() == {}


def test_a_segment_that_was_put_away_holds_a_campaign_up_until_it_is_back(stage: Stage) -> None:
    people = stage.people(4)
    segment, later = stage.segment(*people), stage.clock.now.replace(hour=8)
    made = stage.confirmed(segment, hold_out=0, starts_at=later)
    stage.shop.segments.set_status(segment, ARCHIVED, stage.clock.now)
    stage.clock.forward(hours=5)
    launch(stage.shop)
    held = show(stage.shop, made.campaign_id).campaign
    assert (held.status, held.why) == ("paused", "segment_archived")
    stage.shop.segments.set_status(segment, LIVE, stage.clock.now)
    resume(stage.shop, made.campaign_id)
    launch(stage.shop)
    assert stage.counts(made.campaign_id) == {"queued": 4}


def test_words_that_an_erasure_changed_hold_a_campaign_up(stage: Stage) -> None:
    stage.people(3)
    told = stage.template()
    segment, later = stage.segment("C000", "C001"), stage.clock.now.replace(hour=8)
    made = stage.confirmed(segment, told, hold_out=0, starts_at=later)
    with stage.shop.database.begin() as connection:
        words = {"parts": {"en": {"subject": "x", "text": "y"}}, "item_ids": [], "evidence": []}
        connection.execute(update(template_versions).values(body=words))
    stage.clock.forward(hours=5)
    launch(stage.shop)
    held = show(stage.shop, made.campaign_id).campaign
    assert (held.status, held.why) == ("paused", "words_changed")
    assert stage.states() == {}


def test_of_two_people_who_confirm_at_once_one_is_told(stage: Stage) -> None:
    campaign = stage.draft(stage.segment(*stage.people(3)), hold_out=0)
    plan = confirm(stage.shop, campaign.campaign_id).plan
    assert plan is not None
    both = threading.Barrier(2)
    said: list[str] = []

    def one(name: str) -> None:
        person = Context(stage.shop, Actor("person", name, frozenset({"*:*"})))
        both.wait()
        try:
            confirm(person, campaign.campaign_id, confirm=plan.hash)
            said.append("done")
        except Conflict as error:
            said.append(error.message)

    threads = [threading.Thread(target=one, args=(name,)) for name in ("ann", "bob")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said.count("done") == 1
    [other] = [one for one in said if one != "done"]
    assert "confirmed" in other
    assert "by ann" in other or "by bob" in other or "ann has" in other or "bob has" in other


def test_a_key_never_confirms(stage: Stage) -> None:
    campaign = stage.draft(stage.segment(*stage.people(2)), hold_out=0)
    agent = Context(stage.shop, Actor("key", "agent", frozenset({"*:*"})))
    plan = confirm(agent, campaign.campaign_id).plan
    assert plan is not None
    with pytest.raises(NotAllowed, match="only a person"):
        confirm(agent, campaign.campaign_id, confirm=plan.hash)


def test_consent_withdrawn_and_a_price_changed_while_queued(stage: Stage, mailbox: Mailbox) -> None:
    stage.shop.catalogue.upsert_items(
        [{"item_id": "T1", "title": "Tea", "price": 99.0, "stock": 5.0}]
    )
    words = {"subject": "Tea", "text": "Tea for {{ item.price }}."}
    fact = {"item_id": "T1", "name": "price", "value": "99.00 CNY"}
    told = stage.template(words, [fact], ["T1"])
    segment = stage.segment(*stage.people(4))
    first = stage.launched(segment, told, hold_out=0)
    stage.say("C001", "REVOKED", "email", seconds=1)
    stage.send()
    assert {one.recipient for one in mailbox.taken} == {
        "C000@example.com",
        "C002@example.com",
        "C003@example.com",
    }
    text, page = bodies(mailbox.taken[0])
    assert "99" in text
    assert "99" in page
    second = stage.launched(segment, told, hold_out=0)
    stage.shop.catalogue.upsert_items(
        [{"item_id": "T1", "title": "Tea", "price": 120.0, "stock": 5.0}]
    )
    stage.send()
    assert len(mailbox.taken) == 3
    found = {
        (one.state, one.reason): one.messages for one in show(stage.shop, second).live.deliveries
    }
    assert found == {("cancelled", "fact_changed"): 3}
    third = stage.draft(segment, told, hold_out=0.5)
    counts = {one.reason: one.customers for one in dry_run(stage.shop, third.campaign_id).counts}
    assert counts == {"consent_withdrawn": 1, "fact_changed": 3}
    with pytest.raises(Conflict, match="Nobody would be reached"):
        confirm(stage.shop, third.campaign_id)
    assert show(stage.shop, first).live.left == 3


def test_a_price_that_changes_before_the_start_keeps_everybody_out_of_all_arms(
    stage: Stage,
) -> None:
    stage.shop.catalogue.upsert_items([{"item_id": "T1", "title": "Tea", "price": 99.0}])
    fact = {"item_id": "T1", "name": "price", "value": "99.00 CNY"}
    told = stage.template({"subject": "Tea", "text": "{{ item.price }}"}, [fact], ["T1"])
    later = stage.clock.now.replace(hour=8)
    made = stage.confirmed(stage.segment(*stage.people(9)), told, hold_out=0.3, starts_at=later)
    stage.shop.catalogue.upsert_items([{"item_id": "T1", "title": "Tea", "price": 98.0}])
    stage.clock.forward(hours=5)
    launch(stage.shop)
    assert stage.counts(made.campaign_id) == {"fact_changed": 9}
    assert stage.exposed(made.campaign_id) == {}


def test_what_sold_out_does_not_leave(stage: Stage, mailbox: Mailbox) -> None:
    stage.shop.catalogue.upsert_items([{"item_id": "T1", "title": "Tea", "stock": 1.0}])
    told = stage.template(items=["T1"])
    campaign = stage.launched(stage.segment(*stage.people(2)), told, hold_out=0)
    stage.shop.catalogue.upsert_items([{"item_id": "T1", "title": "Tea", "stock": 0.0}])
    stage.send()
    assert mailbox.taken == []
    [row] = show(stage.shop, campaign).live.deliveries
    assert (row.state, row.reason) == ("cancelled", "out_of_stock")


def test_a_sender_that_cannot_ask_lets_what_rests_on_facts_wait(
    stage: Stage, mailbox: Mailbox
) -> None:
    stage.shop.catalogue.upsert_items([{"item_id": "T1", "title": "Tea", "stock": 1.0}])
    campaign = stage.launched(
        stage.segment(*stage.people(1)), stage.template(items=["T1"]), hold_out=0
    )
    way = stage.way()
    way.untrue = None
    sender = Sender(way, way.plug.open(stage.around))
    sender.work()
    sender.close()
    [row] = show(stage.shop, campaign).live.deliveries
    assert (row.state, row.reason) == ("queued", "unchecked")
    assert mailbox.taken == []


def test_a_provider_that_takes_it_and_then_times_out_gets_it_once(
    stage: Stage, provider: Provider
) -> None:
    stage.environment |= {
        "SHOPKEEPER_WEBHOOK_URL": provider.url,
        "SHOPKEEPER_WEBHOOK_SECRET": "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        "SHOPKEEPER_WEBHOOK_SECONDS": "1",
    }
    provider.answers = [3.0]
    stage.customer("C1", "webhook")
    told = stage.template({"text": "Tea."}, channel="webhook")
    campaign = stage.launched(stage.segment("C1"), told, hold_out=0)
    stage.send("webhook")
    stage.clock.forward(minutes=10)
    stage.send("webhook")
    assert len({one.headers["webhook-id"] for one in provider.posted}) == 1
    assert len(provider.posted) == 2
    [row] = show(stage.shop, campaign).live.deliveries
    assert row.state == "accepted"


def test_pause_resume_and_stop(stage: Stage, mailbox: Mailbox) -> None:
    segment = stage.segment(*stage.people(6))
    campaign = stage.launched(segment, hold_out=0)
    assert pause(stage.shop, campaign, "a wrong word").status == "paused"
    stage.send()
    assert mailbox.taken == []
    assert "a wrong word" in show(stage.shop, campaign).live.held_by
    assert resume(stage.shop, campaign).status == "sending"
    stage.send()
    assert len(mailbox.taken) == 6
    second = stage.launched(segment, hold_out=0)
    assert stop(stage.shop, second, "enough").status == "stopped"
    stage.send()
    launch(stage.shop)
    assert len(mailbox.taken) == 6
    with pytest.raises(Conflict, match="stopped"):
        resume(stage.shop, second)


def test_the_budget_holds(stage: Stage, mailbox: Mailbox) -> None:
    segment = stage.segment(*stage.people(50))
    campaign = stage.launched(segment, hold_out=0.2, budget=3.0, cost_per_message=0.1)
    stage.send()
    counts = stage.counts(campaign)
    assert counts["queued"] == len(mailbox.taken) <= 30
    assert counts["budget"] > 0
    assert set(stage.exposed(campaign).values()) == {"control", "A"}


def test_a_refused_launch_of_two_processes_at_once_reaches_each_once(stage: Stage) -> None:
    people = stage.people(30)
    made = stage.confirmed(stage.segment(*people), hold_out=0)
    known = Campaigns(stage.shop.database).get(made.campaign_id)
    launch(stage.shop)
    # A second launcher that knew the campaign as it was before changes nothing.
    assert Launcher(stage.shop)._one(known, lambda: False) == 0
    assert stage.states() == {"queued": 30}
