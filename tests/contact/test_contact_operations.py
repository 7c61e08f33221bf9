"""The operations, the desk that sends, and that an erased customer leaves nothing behind but counts."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from tests.contact.conftest import World
from tests.contact.mailbox import Mailbox
from tests.contact.provider import Provider
from tests.contact.test_contact_channels import SECRET

from shopkeeper.contact import erase as files
from shopkeeper.contact import operations as contact
from shopkeeper.contact.channels.base import Surroundings, plug
from shopkeeper.contact.controlling import hold_restored
from shopkeeper.contact.dispatch import Desk
from shopkeeper.contact.enqueueing import Order, enqueue
from shopkeeper.contact.sender import Sender
from shopkeeper.core.errors import BadInput, Conflict, NotAllowed, NotFound
from shopkeeper.core.operation import Actor, Context
from shopkeeper.core.subject import Held, Needles, Subject
from shopkeeper.server.observe.state import exposition
from shopkeeper.store import erase as store
from shopkeeper.store.messages import State
from shopkeeper.store.outbox import owner
from shopkeeper.store.suppressions import Suppressions

CONTENT = {"subject": "Tea", "text": "New tea. {{unsubscribe_url}}"}


@pytest.fixture(autouse=True)
def _set_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.rules()
    for name in ("EMAIL", "WEBHOOK", "SMS", "WECHAT"):
        monkeypatch.delenv(f"SHOPKEEPER_{name}_URL", raising=False)
    monkeypatch.delenv("SHOPKEEPER_PUBLIC_URL", raising=False)


def test_a_call_that_reaches_customers_tells_first_whom_and_acts_on_that_alone(
    world: World,
) -> None:
    for one in ("ann", "bob", "eve"):
        world.customer(one, granted="file" if one != "eve" else "")
    call: dict[str, Any] = {
        "step": "s1", "channel": "file", "content": CONTENT, "customer_ids": ("ann", "bob", "eve", "ann"),
    }  # fmt: skip
    plan = contact.send(world.shop, **call).plan
    assert plan is not None
    assert [(s.what, s.count) for s in plan.steps] == [
        ("not reached: no_consent", 1),
        ("message queued", 2),
    ]
    assert world.states() == {}
    world.say("bob", "REVOKED", "file", minutes=1)
    with pytest.raises(Conflict):  # the audience has changed since
        contact.send(world.shop, **call, confirm=plan.hash)
    fresh = contact.send(world.shop, **call).plan
    assert fresh is not None
    machine = Context(world.shop, Actor("server", "key", frozenset({"*:*"})))
    with pytest.raises(NotAllowed, match="only a person"):
        contact.send(machine, **call, confirm=fresh.hash)
    assert contact.send(world.shop, **call, confirm=fresh.hash).queued == 1
    again = contact.send(world.shop, **call).plan
    assert again is not None
    assert ("not reached: already", 1) in [(s.what, s.count) for s in again.steps]
    with pytest.raises(BadInput) as raised:
        contact.send(world.shop, **(call | {"content": {"subject": "no words"}}))
    assert raised.value.field == "content.text"


def test_an_enqueued_audience_is_told_by_reason(world: World) -> None:
    for one in ("ann", "bob", "eve", "zoe"):
        world.customer(one, granted="" if one == "eve" else "email")
    letters = [(one, CONTENT) for one in ("ann", "bob", "eve", "zoe")]
    order = Order("s1", "email", "marketing", "spring", {"variant_id": "A"})
    assert enqueue(world.shop, order, letters, control=["zoe"]) == {
        "queued": 2, "no_consent": 1, "control": 1,
    }  # fmt: skip
    assert enqueue(world.shop, order, letters[:2]) == {"already": 2}
    assert world.one("ann").labels == {"variant_id": "A"}


def test_the_desk_sends_all_channels_and_recovers_what_the_dead_left(
    world: World, provider: Provider, mailbox: Mailbox
) -> None:
    world.environment |= {"SHOPKEEPER_SMS_URL": provider.url, "SHOPKEEPER_SMS_SECRET": SECRET}
    for n in range(4):
        for channel in ("email", "sms", "file"):
            world.say(f"c{n}", "GRANT", channel)
        world.customer(f"c{n}", granted="", phone=f"1380013800{n}")
    names = [f"c{n}" for n in range(4)]
    world.queue(*names)
    sms = {"template_id": "T1", "variables": {"name": "Ann"}}
    world.queue(*names, step="sms-1", channel="sms", content=sms)
    world.queue(*names, step="file-1", channel="file")
    died = json.loads(owner("x"))
    died["process"] |= {"pid": 2**22 + 1}
    for channel in ("email", "sms", "file"):  # a sender that died on its way with one message each
        (taken,) = world.outbox.lease(channel, json.dumps(died), 1, world.clock.now)
        with world.outbox.turn() as turn:
            turn.begin(taken, "x@example.com", 0, world.clock.now)
    failed: list[BaseException] = []
    desk = Desk(world.shop, world.around, lanes=2, failed=lambda _what, error: failed.append(error))
    thread = threading.Thread(target=desk.run)
    thread.start()
    wanted = {"accepted": 11, "unknown": 1}
    for _ in range(200):
        if world.states() == wanted:
            break
        thread.join(0.05)
    assert contact.status(world.shop).sender is not None
    desk.stop()
    thread.join()
    assert failed == []
    assert world.states() == wanted
    unknown = contact.outbox(world.shop, state="unknown").messages
    assert [(m.channel, m.reason) for m in unknown] == [("email", "sender_died")]
    assert len(mailbox.taken) == 3
    assert len({p.headers["webhook-id"] for p in provider.posted}) == 4
    assert contact.status(world.shop).sender is None


def test_emails_do_not_leave_where_nobody_could_unsubscribe(world: World, mailbox: Mailbox) -> None:
    world.customer("ann")
    world.queue("ann")
    del world.environment["SHOPKEEPER_PUBLIC_URL"]
    desk = Desk(world.shop, world.around, lanes=1)
    desk._tick()
    for thread in threading.enumerate():
        if thread.name == "email 0":
            thread.join()
    held = contact.status(world.shop).held
    assert [(h.name, h.state) for h in held] == [("provider:email", "not_set_up")]
    assert "link to unsubscribe" in held[0].reason
    assert mailbox.taken == []
    assert world.one("ann").state == "queued"


def test_a_person_settles_what_nobody_knows(
    world: World, mailbox: Mailbox, sent: Callable[..., int]
) -> None:
    for one in ("ann", "bob"):
        world.customer(one)
        mailbox.order(one, "data:drop")
    world.queue("ann", "bob")
    sent()
    assert world.states() == {"unknown": 2}
    chosen = {"state": "unknown", "message_ids": (world.one("ann").message_id,)}
    plan = contact.retry(world.shop, **chosen).plan  # type: ignore[arg-type]
    assert plan is not None
    assert plan.steps[0].what == "sent again; each may have arrived already"
    done = contact.retry(world.shop, **chosen, confirm=plan.hash)  # type: ignore[arg-type]
    assert done.queued == 1
    assert sent() == 1
    assert (world.one("ann").state, world.one("bob").state) == ("accepted", "unknown")
    record = contact.message(world.shop, world.one("ann").message_id)
    assert [t.outcome for t in record.tries] == ["unsure", "accepted"]
    assert record.address == "ann@example.com"
    assert [e.kind for e in record.events] == ["sent"]


def test_suppressing_pausing_and_stopping(world: World) -> None:
    world.customer("ann")
    assert contact.suppress(world.shop, address="ANN@example.com").changed == 1
    assert contact.check(world.shop, "email").reasons == {"suppressed_manual": 1}
    (entry,) = contact.suppressed(world.shop, address="ann@example.com").entries
    assert (entry.reason, entry.by) == ("manual", "local")
    assert contact.status(world.shop).suppressed == {"manual": 1}
    assert contact.unsuppress(world.shop, address="ann@example.com").changed == 1
    assert contact.check(world.shop, "email").reached == 1
    for wrong in ({"address": "nonsense"}, {}, {"customer_id": "c", "channel": "pigeon"}):
        with pytest.raises(BadInput):
            contact.suppress(world.shop, **wrong)
    world.queue("ann", campaign_id="spring")
    contact.pause(world.shop, "campaign:spring", "wait")
    (held,) = contact.status(world.shop).held
    assert (held.name, held.state, held.reason) == ("campaign:spring", "paused", "wait")
    contact.resume(world.shop, "campaign:spring")
    with pytest.raises(NotFound):
        contact.resume(world.shop, "campaign:spring")
    for wrong_name in ("campaign", "campaign:", "provider:email", "shop:x"):
        with pytest.raises(BadInput):
            contact.pause(world.shop, wrong_name)
    assert contact.stop(world.shop, "campaign:spring").changed == 1
    assert world.one("ann").reason == "stopped"


def test_a_restored_shop_sends_nothing_by_itself(
    world: World, mailbox: Mailbox, sent: Callable[..., int]
) -> None:
    assert not hold_restored(world.shop)
    world.customer("ann")
    world.queue("ann")
    assert hold_restored(world.shop)
    assert sent() == 0
    assert "restored from a backup" in contact.status(world.shop).held[0].reason
    contact.resume(world.shop, "all")
    assert sent() == 1


def test_rules_are_versioned_and_a_wrong_one_is_named(world: World) -> None:
    before = contact.rules(world.shop)
    after = contact.set_rules(world.shop, {"caps": [{"most": 2, "days": 7, "channel": "sms"}]})
    assert after.version == before.version + 1
    assert after.policy["quiet"] == {"start": "22:00:00", "end": "08:00:00"}
    for policy, field in (
        ({"caps": [{"most": 0, "days": 1}]}, "policy.caps.0.most"),
        ({"quiet": {"start": "08:00", "end": "08:00"}}, "policy.quiet"),
        ({"speed": 9}, "policy.speed"),
        ({"retry_seconds": [-1]}, "policy.retry_seconds"),
    ):
        with pytest.raises(BadInput) as raised:
            contact.set_rules(world.shop, policy)
        assert raised.value.field == field


def test_a_try_goes_to_one_address_at_once(
    world: World, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in world.environment.items():
        monkeypatch.setenv(name, value)
    call: dict[str, Any] = {"channel": "email", "address": "me@example.com", "content": CONTENT}
    plan = contact.test_send(world.shop, **call).plan
    assert plan is not None
    assert mailbox.taken == []
    done = contact.test_send(world.shop, **call, confirm=plan.hash)
    assert (done.outcome, done.code) == ("accepted", "250")
    assert [t.recipient for t in mailbox.taken] == ["me@example.com"]
    with pytest.raises(BadInput):
        contact.test_send(world.shop, "email", "me@example.com\r\nBcc: x@y.cn", CONTENT)


def test_the_figures_of_the_outbox_are_scraped(world: World) -> None:
    world.customer("ann")
    world.queue("ann")
    world.clock.forward(minutes=3)
    text = exposition(world.shop).decode()
    assert 'shopkeeper_messages{channel="email",state="queued"} 1.0' in text
    assert "shopkeeper_outbox_delay_seconds 180.0" in text


def test_an_erased_customer_leaves_counts_and_a_suppression_that_still_holds(
    world: World, mailbox: Mailbox, sent: Callable[..., int]
) -> None:
    for one in ("ann-4711", "bob-0815"):
        world.customer(one)
        world.say(one, "GRANT", "file")
    world.queue("ann-4711", "bob-0815")
    sent()
    world.queue("bob-0815", step="friends", content={
        "subject": "From ann-4711@example.com", "text": "She likes it"})  # fmt: skip
    world.queue("ann-4711", step="later")
    world.queue("ann-4711", "bob-0815", step="tried", channel="file")
    sender = Sender(world.way("file"), plug("file").open(Surroundings(world.shop.folder)))
    sender.work()
    sender.close()
    contact.suppress(world.shop, address="ann-4711@example.com", customer_id="ann-4711")
    subject = Subject(
        "ann-4711", "retained-1", (Held("ann-4711"),), words=("ann-4711@example.com",)
    )
    needles = Needles.of(subject)
    before = store.found(world.shop.database, needles)
    assert {"messages.customer_id", "messages.address", "messages.content"} <= set(before)
    assert "suppressions.customer_id" in before
    exported = store.of(world.shop.database, subject, needles, 0)["store_messages"]
    assert {row["step"] for row in exported} == {"spring-1", "later", "tried"}
    assert set(files.found(world.shop, needles)) == {"outgoing/letters.jsonl"}
    store.erase(world.shop.database, [subject], 0)
    assert set(files.erase(world.shop, needles)) == {"outgoing/letters.jsonl"}
    assert store.found(world.shop.database, needles) == {}
    assert files.found(world.shop, needles) == {}
    assert world.states() == {"accepted": 4, "cancelled": 1, "queued": 1}
    kept = orjson.loads((world.shop.folder / "outgoing" / "letters.jsonl").read_bytes())
    assert kept["address"] == "bob-0815"
    known = Suppressions(world.shop.database).of(address="ann-4711@example.com")
    assert [(one.reason, one.customer_id) for one in known] == [("manual", None)]
    world.customer("ann-new", email="ann-4711@example.com")  # somebody signs up with it again
    found = contact.check(world.shop, "email", customer_ids=("ann-new",))
    assert found.reasons == {"suppressed_manual": 1}
    states = {m.state for m in world.outbox.page({"reason": "erased"}, 9)}
    assert states == {State.CANCELLED}
