"""One sender: takes messages that are due, decides about each as it leaves, hands it over, notes the answer.

What is promised, in words:

- A message leaves only if, in the same transaction that notes that it is about to leave, its customer may
  be reached: consent, suppressions, restriction, caps, quiet hours and controls are read there; and only
  if the facts that its labels name are still so.
- A message whose provider has answered is never sent again.
- If the sender dies, or the connection breaks, between the last byte and the answer, nobody here knows
  whether the message left. Channels that know a repetition by the message's id (webhook, SMS, WeChat) get
  it again: exactly once. The file channel can look. SMTP can do neither: the message becomes ``unknown``,
  is listed for a person, and is not sent again by itself: at most once. A sender has one message on its
  way at a time, so a crash leaves at most one unknown for each.
"""

from __future__ import annotations

import random
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from shopkeeper.contact import addresses
from shopkeeper.contact.breaker import Breaker
from shopkeeper.contact.channels.base import Channel, Plug
from shopkeeper.contact.dressing import dressed
from shopkeeper.contact.eligibility import Ask, Verdict, Why, judge
from shopkeeper.contact.letter import Content, Letter, Outcome, Result
from shopkeeper.contact.links import Links
from shopkeeper.contact.pace import Bucket, Domains
from shopkeeper.contact.policy import Policy, current
from shopkeeper.shop.shop import Shop
from shopkeeper.store.contact_controls import Control, Controls
from shopkeeper.store.messages import Finished, Message, State
from shopkeeper.store.outbox import Outbox, Turn, owner
from shopkeeper.store.suppressions import Cause, Suppressions

BATCH: Final = 50
"""Messages that one sender holds at a time."""

_JITTER: Final = 0.2
_HELD: Final = timedelta(seconds=5)
_UNCHECKED: Final = timedelta(minutes=1)

Untrue = Callable[[Shop, Mapping[str, Any]], str]
"""Given a message's labels, why its words are no longer true; empty: they are."""

_RESTS_ON: Final = ("facts", "items")
"""Labels, empty or not, of messages whose words must still be approved and true when they leave."""


@dataclass
class Way:
    """What the senders of one channel share: its plug, breaker and pace, and the shop's links."""

    shop: Shop
    plug: Plug
    links: Links
    untrue: Untrue | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    domains: Domains = field(default_factory=Domains)
    bucket: Bucket | None = None

    def __post_init__(self) -> None:
        database = self.shop.database
        self.outbox = Outbox(database)
        self.suppressions = Suppressions(database)
        self.breaker = Breaker(Controls(database), self.plug.name)

    def rules(self) -> tuple[int, Policy]:
        """The rules that hold now; the bucket follows their pace."""
        version, policy = current(self.shop.database)
        self.breaker.rest = timedelta(seconds=policy.rest_seconds)
        pace = policy.pace(self.plug.name)
        if pace is None:
            self.bucket = None
        elif self.bucket is None or self.bucket.per_minute != pace.per_minute:
            self.bucket = Bucket(pace.per_minute)
        return version, policy


@dataclass(frozen=True, slots=True)
class _Going:
    """A message that was begun, and the number of the try."""

    message: Message
    attempt: int
    letter: Letter


class Sender:
    """One lane of a channel; not shared between threads."""

    def __init__(self, way: Way, channel: Channel) -> None:
        self._way = way
        self._channel = channel
        self._owner = owner(secrets.token_hex(4))
        self._pending: Finished | None = None
        self._version, self._policy = 0, Policy()
        self._random = random.Random()  # noqa: S311 - only spreads tries in time

    def work(self) -> int:
        """Take one batch and see it through; how many messages were taken."""
        way = self._way
        self._flush()
        batch = way.outbox.lease(way.plug.name, self._owner, BATCH, way.shop.now())
        if not batch:
            return 0
        self._version, self._policy = way.rules()
        try:
            for message in batch:
                if way.stop.is_set() or not self._one(message):
                    break
        finally:
            self._flush()
            way.outbox.give_back(self._owner, way.shop.now())
        return len(batch)

    def close(self) -> None:
        """Write down what is not yet, and end the connection."""
        self._flush()
        self._channel.close()

    def _one(self, message: Message) -> bool:
        """See one message through; False when the rest of the batch must wait."""
        way = self._way
        while way.bucket is not None and (wait := way.bucket.take()):
            self._flush()
            if way.stop.wait(wait):
                return False
        now = way.shop.now()
        with way.outbox.turn() as turn:
            if self._pending is not None:
                turn.finish(self._pending, now)
            going = self._decide(turn, message, now)
        self._pending = None
        if going is None:
            return True
        if isinstance(going, Control):
            return False
        return self._send(going)

    def _flush(self) -> None:
        if self._pending is not None:
            with self._way.outbox.turn() as turn:
                turn.finish(self._pending, self._way.shop.now())
            self._pending = None

    def _decide(self, turn: Turn, message: Message, now: datetime) -> _Going | Control | None:
        """Begin the message, put it off or drop it, by what holds at this moment."""
        held = turn.hold(message, now)
        if held is False:
            return None
        if isinstance(held, Control):
            turn.put_off(message, f"held_{held.state}", now + _HELD, now)
            return held
        if message.content is None or (message.not_after is not None and now > message.not_after):
            why = "erased" if message.content is None else "too_late"
            turn.drop(message, why, self._version, now)
            return None
        address = self._reachable(turn, message, now)
        if address is None:
            return None
        attempt = turn.begin(message, address, self._version, now)
        return _Going(message, attempt, self._letter(message, address, message.content))

    def _reachable(self, turn: Turn, message: Message, now: datetime) -> str | None:
        """Where the message may go at this moment; None where it was put off or dropped."""
        verdict = self._verdict(turn, message, now)
        if verdict.why is not Why.OK:
            self._hold_back(turn, message, verdict, now)
            return None
        if self._is_untrue(turn, message, now):
            return None
        if wait := self._domain_wait(verdict.address):
            turn.put_off(message, "throttled", now + timedelta(seconds=wait), now)
            return None
        return verdict.address

    def _is_untrue(self, turn: Turn, message: Message, now: datetime) -> bool:
        """Whether its words rest on what has changed: then it is dropped. Who cannot ask lets it wait."""
        if not any(name in message.labels for name in _RESTS_ON):
            return False
        if self._way.untrue is None:
            turn.put_off(message, "unchecked", now + _UNCHECKED, now)
            return True
        why = self._way.untrue(self._way.shop, message.labels)
        if why:
            turn.drop(message, why, self._version, now)
        return bool(why)

    def _verdict(self, turn: Turn, message: Message, now: datetime) -> Verdict:
        shop, plug = self._way.shop, self._way.plug
        ask = Ask(
            purpose=message.purpose,
            channel=message.channel,
            kind=plug.kind,
            policy=self._policy,
            at=now,
            zone=shop.settings.time_zone,
            but=message.number,
        )
        return judge(turn.reach, self._way.suppressions, ask, [message.customer_id])[0]

    def _hold_back(self, turn: Turn, message: Message, verdict: Verdict, now: datetime) -> None:
        late = message.not_after
        if verdict.next_at is None:
            turn.drop(message, verdict.why.value, self._version, now)
        elif late is not None and verdict.next_at > late:
            turn.drop(message, f"{verdict.why.value}_until_too_late", self._version, now)
        else:
            turn.put_off(message, verdict.why.value, verdict.next_at, now)

    def _domain_wait(self, address: str) -> float:
        pace = self._policy.pace(self._way.plug.name)
        if pace is None:
            return 0.0
        return self._way.domains.take(addresses.domain(address), pace.per_domain)

    def _letter(self, message: Message, address: str, told: Mapping[str, object]) -> Letter:
        way, purpose = self._way, message.purpose
        url = ""
        if way.links.base and not self._policy.is_service(purpose):
            url = way.links.unsubscribe(
                message.customer_id, message.channel, purpose, message.message_id
            )
        tracked = message.message_id if self._policy.track and way.links.base else ""
        content = dressed(Content.model_validate(told), url, way.links, tracked)
        return Letter(
            message.message_id, address, content, message.step, purpose, message.campaign_id, url
        )

    def _send(self, going: _Going) -> bool:
        """Hand the letter over; False when the provider is to be left alone."""
        way = self._way
        try:
            result = self._channel.send(going.letter)
        except Exception as error:  # noqa: BLE001 - a channel's mistake must not stop the others' messages
            result = Result(Outcome.UNSURE, "error", type(error).__name__, fault=True)
        now = way.shop.now()
        self._pending = self._finished(going, result, now)
        if result.bad_address and going.letter.address:
            self._suppress(going)
        if result.outcome is Outcome.DISABLED:
            way.breaker.disable(result.code)
            return False
        return not way.breaker.note(result.code, fault=result.fault, now=now)

    def _suppress(self, going: _Going) -> None:
        plug, address = self._way.plug, going.letter.address
        self._way.suppressions.add(
            Cause.BOUNCE,
            address=addresses.same(plug.kind, address),
            channel=plug.name,
            by="provider",
        )

    def _finished(self, going: _Going, result: Result, now: datetime) -> Finished:
        state, reason, due_at = self._next(going, result, now)
        return Finished(
            going.message,
            going.attempt,
            state,
            reason,
            result.outcome.value,
            result.code,
            _without(result.answer, going.letter.address),
            result.reference,
            due_at,
        )

    def _next(
        self, going: _Going, result: Result, now: datetime
    ) -> tuple[State, str, datetime | None]:
        outcome = result.outcome
        if outcome is Outcome.UNSURE:
            return self._unsure(going, result, now)
        if outcome is Outcome.ACCEPTED:
            return State.ACCEPTED, "", None
        if outcome is Outcome.REFUSED:
            state = State.BOUNCED if result.bad_address else State.FAILED
            return state, f"refused_{result.code}", None
        if outcome is Outcome.DISABLED:
            return State.QUEUED, "provider_disabled", now
        return self._later(going.message, result, now)

    def _unsure(
        self, going: _Going, result: Result, now: datetime
    ) -> tuple[State, str, datetime | None]:
        """Try again where the provider knows a repetition or can say that it has nothing; else unknown."""
        if self._way.plug.repeatable:
            return self._later(going.message, result, now)
        arrived = self._channel.arrived(going.message.message_id)
        if arrived is None:
            return State.UNKNOWN, result.code, None
        return (State.ACCEPTED, "", None) if arrived else self._later(going.message, result, now)

    def _later(
        self, message: Message, result: Result, now: datetime
    ) -> tuple[State, str, datetime | None]:
        """Queue it once more, each time after a longer wait, or give up."""
        waits = self._policy.retry_seconds
        if message.tries >= len(waits):
            return State.FAILED, "gave_up", None
        wait = waits[message.tries] * (1 + self._random.uniform(-_JITTER, _JITTER))
        wait = max(wait, result.wait_s or 0.0)
        due_at = now + timedelta(seconds=wait)
        if message.not_after is not None and due_at > message.not_after:
            return State.FAILED, "too_late_to_try_again", None
        return State.QUEUED, f"later_{result.code}", due_at


def _without(answer: str, address: str) -> str:
    """A provider's words without the address, which many repeat: tries outlive an erasure."""
    return (
        re.sub(re.escape(address), "(address)", answer, flags=re.IGNORECASE) if address else answer
    )
