"""Words whose approval is taken back: nothing further leaves, what was sent is told; pages are measured."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx2
import pytest
from tests.campaigns.conftest import Stage
from tests.campaigns.test_campaigns_sending import bodies
from tests.contact.conftest import PERSON
from tests.contact.mailbox import Mailbox

from shopkeeper.campaigns.launching import launch
from shopkeeper.campaigns.operations import (
    confirm,
    draft,
    dry_run,
    record,
    results,
    resume,
    show,
    stop,
)
from shopkeeper.campaigns.types import Choice, Design
from shopkeeper.content.operations import withdraw
from shopkeeper.core.errors import Conflict
from shopkeeper.core.settings import Language


def gone(stage: Stage, template_id: str) -> None:
    withdraw(stage.shop, template_id, 1, "a wrong price")


def test_a_confirmed_campaign_is_held_up_at_once_and_does_not_go_on(
    stage: Stage, mailbox: Mailbox
) -> None:
    told = stage.template()
    segment, later = stage.segment(*stage.people(4)), stage.clock.now.replace(hour=8)
    made = stage.confirmed(segment, told, hold_out=0, starts_at=later)
    gone(stage, told)
    launch(stage.shop)
    found = show(stage.shop, made.campaign_id).campaign
    assert (found.status, found.why) == ("paused", "words_withdrawn")
    with pytest.raises(Conflict, match="taken back"):
        resume(stage.shop, made.campaign_id)
    stage.clock.forward(hours=9)
    launch(stage.shop)
    stage.send()
    assert mailbox.taken == []
    assert stop(stage.shop, made.campaign_id, "other words").status == "stopped"


def test_no_campaign_takes_withdrawn_words_not_even_one_that_was_planned(stage: Stage) -> None:
    told, segment = stage.template(), stage.segment(*stage.people(4))
    made = stage.draft(segment, told, hold_out=0)
    plan = confirm(stage.shop, made.campaign_id).plan
    assert plan is not None
    gone(stage, told)
    with pytest.raises(Conflict, match=r"withdrawn by|No version"):
        confirm(stage.shop, made.campaign_id, confirm=plan.hash)
    with pytest.raises(Conflict):
        dry_run(stage.shop, made.campaign_id)
    for version in (None, 1):
        choice = Choice(template_id=told, version=version)
        design = Design(name="Again", segment_id=segment, templates=(choice,))
        with pytest.raises(Conflict, match=told):
            draft(stage.shop, design)


def test_what_waits_in_the_outbox_does_not_leave_and_says_why(
    stage: Stage, mailbox: Mailbox
) -> None:
    told, other = stage.template(), stage.template()
    segment = stage.segment(*stage.people(12))
    campaign = stage.launched(segment, told, other, hold_out=0)
    arms = stage.exposed(campaign)
    gone(stage, told)
    stage.send()
    kept = {one for one, arm in arms.items() if arm == "A"}
    assert {one.recipient.partition("@")[0] for one in mailbox.taken} == set(arms) - kept
    found = {(r.state, r.reason): r.messages for r in show(stage.shop, campaign).live.deliveries}
    assert found[("cancelled", "withdrawn")] == len(kept)
    launch(stage.shop)  # all were drawn: it ends, and its results are of those who were meant
    assert show(stage.shop, campaign).campaign.status == "done"
    assert sum(arm.sent for arm in results(stage.shop, campaign).arms) == len(arms) - len(kept)
    one = min(kept)
    said = record(stage.shop, customer_id=one, campaign_id=campaign)
    assert "held back: the approval of its words was taken back" in said.answer
    said = record(stage.shop, customer_id=one, campaign_id=campaign, lang="zh")
    assert "文字的批准已被撤回" in said.answer


def test_the_record_tells_the_words_that_were_sent_before(stage: Stage, mailbox: Mailbox) -> None:
    told = stage.template()
    campaign = stage.launched(stage.segment(*stage.people(2)), told, hold_out=0)
    stage.send()
    assert len(mailbox.taken) == 2
    gone(stage, told)
    found = record(stage.shop, customer_id="C001", campaign_id=campaign)
    assert found.code == "accepted"
    assert found.words is not None
    assert (found.words.author, found.words.approver) == ("ann", "bob")
    assert found.words.content is not None
    assert "new tea is here" in found.words.content["text"]
    assert found.words.withdrawn is not None
    assert found.words.withdrawn.reason == "a wrong price"


def test_while_an_audience_is_drawn_nobody_further_is(stage: Stage, mailbox: Mailbox) -> None:
    told = stage.template()
    here = stage.people(3)
    there = [stage.customer(f"L{n}", time_zone="Europe/London") for n in range(3)]
    segment, at = stage.segment(*here, *there), stage.clock.now
    made = stage.confirmed(segment, told, hold_out=0, starts_at=at, local_time=True)
    campaign = made.campaign_id
    launch(stage.shop)
    stage.send()
    assert {one.recipient.partition("@")[0] for one in mailbox.taken} == set(here)
    gone(stage, told)
    stage.clock.forward(hours=9)
    launch(stage.shop)
    found = show(stage.shop, campaign).campaign
    assert (found.status, found.why) == ("paused", "words_withdrawn")
    with pytest.raises(Conflict, match="taken back"):
        resume(stage.shop, campaign)
    stage.send()
    assert len(mailbox.taken) == 3
    told_as: dict[Language, str] = {"en": "taken back before their turn", "zh": "批准已被撤回"}
    for lang, words in told_as.items():
        said = record(stage.shop, customer_id="L1", campaign_id=campaign, lang=lang)
        assert (said.about, said.code) == ("nothing", "withdrawn")
        assert words in said.answer
    stop(stage.shop, campaign, "other words")
    stage.clock.forward(days=1)
    assert record(stage.shop, customer_id="L1", campaign_id=campaign).code == "withdrawn"
    assert record(stage.shop, customer_id="C001", campaign_id=campaign).code == "accepted"


def test_who_had_no_turn_before_is_not_told_of_a_later_withdrawal(stage: Stage) -> None:
    told = stage.template()
    people = stage.people(10)
    more = {"hold_out": 0, "budget": 3, "cost_per_message": 1}
    campaign = stage.launched(stage.segment(*people), told, **more)
    stop(stage.shop, campaign, "enough")
    queued = {one.customer_id for one in stage.outbox.page({"campaign_id": campaign}, 20)}
    left = min(set(people) - queued)
    stage.clock.forward(days=1)
    gone(stage, told)
    assert record(stage.shop, customer_id=left, campaign_id=campaign).code == "budget"


def test_a_message_that_rests_on_no_fact_rests_on_its_approval(stage: Stage) -> None:
    told = stage.template()
    stage.launched(stage.segment(*stage.people(1)), told, hold_out=0)
    labels = stage.one("C000").labels
    assert (labels["facts"], labels["items"]) == ([], [])


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
def test_opens_and_clicks_of_words_without_a_page_are_counted(
    stage: Stage, mailbox: Mailbox, web: httpx2.Client
) -> None:
    words = {
        "subject": "Tea",
        "text": "See https://tea.example/new?a=1&b=2 today.\n\nUnsubscribe: {{ unsubscribe_url }}",
    }
    stage.rules(track=True)
    told = stage.template(words)
    campaign = stage.launched(stage.segment(*stage.people(1)), told, hold_out=0)
    stage.send()
    text, page = bodies(mailbox.taken[0])
    assert "https://tea.example/new?a=1&b=2 today." in text
    base = "https://shop.example"
    click, out = re.findall(r'<a href="([^"]+)"', page)
    assert click.startswith(f"{base}/v1/contact/click/")
    assert out.startswith(f"{base}/v1/contact/unsubscribe/")
    assert out in text
    [picture] = re.findall(r'<img src="([^"]+)"', page)
    stage.clock.now += timedelta(minutes=5)
    answer = web.get(click.removeprefix(base), headers=PERSON, follow_redirects=False)
    assert answer.headers["location"] == "https://tea.example/new?a=1&b=2"
    web.get(picture.removeprefix(base), headers=PERSON)
    found = {one.kind: one.people for one in results(stage.shop, campaign).responses}
    assert found == {"clicked": 1, "opened": 1, "sent": 1}
