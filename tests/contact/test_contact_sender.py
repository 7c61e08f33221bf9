"""The outbox and its senders against a real SMTP server that misbehaves on order."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.contact.conftest import World
from tests.contact.mailbox import Mailbox

from shopkeeper.contact.sender import Sender
from shopkeeper.store.contact_controls import Controls
from shopkeeper.store.messages import State
from shopkeeper.store.suppressions import Suppressions


@pytest.fixture(autouse=True)
def _rules(world: World) -> None:
    world.rules()


def test_each_customer_gets_one_message_however_often_it_is_queued(
    world: World, mailbox: Mailbox, sent: Callable[..., int]
) -> None:
    for n in range(3):
        world.customer(f"c{n}")
    assert world.queue("c0", "c1", "c2") == 3
    assert world.queue("c0", "c1", "c2", "c0") == 0
    assert sent() == 3
    assert sent() == 0
    assert sorted(t.recipient for t in mailbox.taken) == [f"c{n}@example.com" for n in range(3)]
    assert len({t.connection for t in mailbox.taken}) == 1  # one connection for all
    assert world.states() == {"accepted": 3}
    tries = world.outbox.tries(world.one("c1").number)
    assert [(t["outcome"], t["code"]) for t in tries] == [("accepted", "250")]
    assert tries[0]["finished_at"] is not None


def test_a_consent_withdrawn_while_queued_keeps_the_message_back_and_says_why(
    world: World, mailbox: Mailbox, sent: Callable[..., int]
) -> None:
    world.customer("ann")
    world.customer("bob")
    world.queue("ann", "bob")
    world.say("ann", "REVOKED", "email", minutes=1)
    sent()
    assert [t.recipient for t in mailbox.taken] == ["bob@example.com"]
    assert (world.one("ann").state, world.one("ann").reason) == ("cancelled", "consent_withdrawn")
    assert world.outbox.tries(world.one("ann").number) == []


def test_greylisting_is_waited_for_and_then_served(
    world: World, mailbox: Mailbox, sent: Callable[..., int]
) -> None:
    world.customer("grey")
    world.queue("grey")
    mailbox.order("grey", "rcpt:450 4.2.0 greylisted, come back")
    sent()
    waiting = world.one("grey")
    assert (waiting.state, waiting.reason) == ("queued", "later_450")
    assert 47 < (waiting.due_at - world.clock.now).total_seconds() < 73  # 60 s with jitter
    assert sent() == 0  # not before its time
    world.clock.forward(seconds=80)
    sent()
    assert world.one("grey").state == "accepted"
    assert len(mailbox.to("grey@example.com")) == 1


@pytest.mark.parametrize(
    ("order", "state", "reason"),
    [
        ("rcpt:550 5.1.1 <ODD@example.com> unknown", "bounced", "refused_550"),
        ("rcpt:554 5.7.1 spam", "failed", "refused_554"),
        ("data:552 5.2.2 too large", "failed", "refused_552"),
        ("data:451 4.3.0 local error", "queued", "later_451"),
        ("rcpt:421 4.3.2 shutting down", "queued", "later_421"),
        ("rcpt:drop", "queued", "later_dropped"),
        ("body:drop", "unknown", "dropped_after_data"),
        ("data:drop", "unknown", "dropped_after_data"),
        ("data:slow 1.4", "unknown", "dropped_after_data"),
    ],
)
def test_what_a_server_does_becomes_the_messages_state(
    world: World, mailbox: Mailbox, sent: Callable[..., int], order: str, state: str, reason: str
) -> None:
    for one in ("odd", "even"):
        world.customer(one)
    world.queue("odd")
    world.queue("even", step="spring-2")
    mailbox.order("odd", order)
    sent()
    assert (world.one("odd").state, world.one("odd").reason) == (state, reason)
    assert world.one("even").state == "accepted"  # the next letter goes over a fresh dialogue
    if state == "unknown":  # it may have arrived or not: it is never sent again by itself
        assert len(mailbox.to("odd@example.com")) == (0 if order == "body:drop" else 1)
        world.clock.forward(days=3)
        assert sent() == 0
    if state == "bounced":
        (tried,) = world.outbox.tries(world.one("odd").number)
        assert tried["answer"] == "5.1.1 <(address)> unknown"
        found = Suppressions(world.shop.database).of(address="odd@example.com")
        assert [s.reason for s in found] == ["bounce"]


def test_after_its_last_try_a_message_has_failed(
    world: World, mailbox: Mailbox, sent: Callable[..., int]
) -> None:
    world.customer("grey")
    world.queue("grey")
    mailbox.order("grey", *["rcpt:450 later"] * 9)
    for _ in range(4):
        sent()
        world.clock.forward(minutes=2)
    assert (world.one("grey").state, world.one("grey").reason) == ("failed", "gave_up")
    assert len(world.outbox.tries(world.one("grey").number)) == 4


def test_a_provider_that_fails_is_left_alone_then_tried_again(
    world: World, mailbox: Mailbox
) -> None:
    names = [world.customer(f"c{n}") for n in range(8)]
    world.queue(*names)
    for one in names:
        mailbox.order(one, "rcpt:421 4.3.2 overloaded")
    way = world.way()
    sender = Sender(way, way.plug.open(world.around))
    sender.work()
    assert sum(not v for v in mailbox.orders.answers.values()) == 5  # five faults in a row
    control = Controls(world.shop.database).all()
    assert [(c.name, c.state, c.reason) for c in control] == [("provider:email", "resting", "421")]
    assert sender.work() == 0
    world.clock.forward(seconds=11)
    for one in names:
        mailbox.order(one)
    sender.work()
    assert world.states()["accepted"] == 3  # the five wait for their next try
    assert Controls(world.shop.database).all() == []
    sender.close()


def test_two_senders_at_once_share_the_work_and_double_nothing(
    world: World, mailbox: Mailbox
) -> None:
    names = [world.customer(f"c{n:03d}") for n in range(120)]
    world.queue(*names)
    way = world.way()

    def work() -> None:
        sender = Sender(way, way.plug.open(world.around))
        while sender.work():
            pass
        sender.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(t.recipient for t in mailbox.taken) == sorted(f"{n}@example.com" for n in names)
    assert world.states() == {"accepted": 120}


def test_a_cap_holds_between_senders_that_work_at_once(world: World, mailbox: Mailbox) -> None:
    world.rules(caps=[{"most": 1, "days": 1}])
    names = [world.customer(f"c{n:02d}") for n in range(20)]
    for number in range(4):
        world.queue(*names, step=f"step-{number}")
    way = world.way()

    def work() -> None:
        sender = Sender(way, way.plug.open(world.around))
        while sender.work():
            pass
        sender.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(t.recipient for t in mailbox.taken) == sorted(f"{n}@example.com" for n in names)
    assert world.states() == {
        "accepted": 20,
        "cancelled": 60,
    }


def test_a_sleeping_senders_lease_ends_and_its_late_answer_still_counts(
    world: World, mailbox: Mailbox
) -> None:
    world.customer("ann")
    world.queue("ann")
    way = world.way()
    sender = Sender(way, way.plug.open(world.around))
    batch = world.outbox.lease("email", sender._owner, 10, world.clock.now)
    assert sender._one(batch[0])  # handed over; the answer is not written down yet
    assert world.one("ann").state == "sending"
    world.clock.forward(minutes=6)
    assert world.outbox.recover([], world.clock.now) == {"queued": 0, "unknown": 1}
    assert world.one("ann").state == "unknown"
    sender.close()
    assert world.one("ann").state == State.ACCEPTED


def test_stopping_a_step_cancels_what_waits_also_when_a_sender_holds_it(
    world: World, mailbox: Mailbox
) -> None:
    world.customer("ann")
    world.queue("ann")
    way = world.way()
    sender = Sender(way, way.plug.open(world.around))
    batch = world.outbox.lease("email", sender._owner, 10, world.clock.now)
    assert world.outbox.cancel({"step": "spring-1"}, "stopped", world.clock.now) == 1
    assert sender._one(batch[0])
    sender.close()
    assert mailbox.taken == []
    assert world.one("ann").state == "cancelled"


def test_a_pause_holds_up_and_resume_goes_on(
    world: World, mailbox: Mailbox, sent: Callable[..., int]
) -> None:
    world.customer("ann")
    controls = Controls(world.shop.database)
    for name in ("all", "channel:email", "step:spring-1", "campaign:spring"):
        controls.set(name, "paused", "")
        world.queue("ann", campaign_id="spring")
        assert sent() == 0
        assert controls.free(name)
    assert sent() == 1
    assert world.one("ann").state == "accepted"


def test_the_queue_of_quiet_hours_leaves_when_they_end(
    world: World, mailbox: Mailbox, sent: Callable[..., int]
) -> None:
    world.rules(quiet={"start": "22:00", "end": "08:00"})
    world.customer("ann", time_zone="America/New_York")  # 23:00 there
    world.queue("ann")
    sent()
    waiting = world.one("ann")
    assert (waiting.state, waiting.reason) == ("queued", "quiet_hours")
    assert (waiting.due_at - world.clock.now).total_seconds() == 9 * 3600
    world.clock.forward(hours=9)
    sent()
    assert world.one("ann").state == "accepted"


def test_a_message_that_would_leave_too_late_does_not(
    world: World, mailbox: Mailbox, sent: Callable[..., int]
) -> None:
    world.customer("ann")
    world.customer("bob", time_zone="America/New_York")
    world.rules(quiet={"start": "22:00", "end": "08:00"})
    world.queue("bob", not_after=world.clock.now + timedelta(hours=3))
    sent()
    assert world.one("bob").reason == "quiet_hours_until_too_late"
    world.queue("ann", not_after=world.clock.now + timedelta(minutes=1))
    world.clock.forward(minutes=2)
    sent()
    assert (world.one("ann").state, world.one("ann").reason) == ("cancelled", "too_late")
    assert mailbox.taken == []


def test_the_pace_of_a_channel_and_of_a_domain(world: World, mailbox: Mailbox) -> None:
    world.rules(paces=[{"channel": "email", "per_minute": 60_000, "per_domain": 1}])
    names = [world.customer(f"c{n}") for n in range(5)]
    world.customer("far", email="far@elsewhere.example")
    world.queue(*names, "far")
    way = world.way()
    sender = Sender(way, way.plug.open(world.around))
    sender.work()
    sender.close()
    assert len(mailbox.taken) == 2  # one a minute to one domain, and the other's one
    assert {m.reason for m in world.outbox.page({"state": "queued"}, 9)} == {"throttled"}
