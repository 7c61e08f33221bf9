"""Records what a customer said, once, and tells what follows from all they said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from shopkeeper.core.errors import BadInput
from shopkeeper.store.consent.purposes import PURPOSES, check, without_a_word
from shopkeeper.store.consent.statements import Decision, Status
from shopkeeper.store.consent.types import Consents, Recorded, Standing, Statement

if TYPE_CHECKING:
    from shopkeeper.shop.shop import Shop

_AHEAD: Final = timedelta(minutes=5)  # as far as clocks differ
_LONGEST: Final = 4_000


class Told(NamedTuple):
    """What is to be recorded; without a time it was said now."""

    purpose: str
    channel: str
    status: str
    source: str
    text: str
    time: datetime | None


def record(shop: Shop, customer_id: str, told: Told) -> Recorded:
    """See the operation of this name. It is kept for the customer that the id stands for now.

    Raises:
        BadInput: no source, a time without a zone or in the future, or a text longer than 4,000 characters.
    """
    check(told.purpose, told.channel)
    source = told.source.strip()
    if not source:
        raise BadInput(
            "source is empty.", hint="Say where they said so: 'checkout form'.", field="source"
        )
    if max(len(source), len(told.text)) > _LONGEST:
        raise BadInput(f"A proof has at most {_LONGEST:,} characters.", field="text")
    time = _time(shop, told.time)
    proof = {"source": source} | ({"text": told.text} if told.text else {})
    customer = shop.people.customer_of(customer_id) or customer_id
    new = shop.consent.record_once(
        Decision(
            customer,
            told.purpose,
            told.channel,
            Status(told.status),
            time or shop.now(),
            proof,
            datetime.now(UTC),
        ),
        repeats=time is None,
    )
    return Recorded(new=new, **dict(consents(shop, customer)))


def consents(shop: Shop, customer_id: str) -> Consents:
    """See the operation ``history``."""
    customer = shop.people.customer_of(customer_id) or customer_id
    said = shop.consent.history(customer)
    return Consents(
        customer_id=customer,
        standing=tuple(
            _standing(shop, purpose, channel, said)
            for purpose, channels in PURPOSES.items()
            for channel in channels
        ),
        statements=tuple(
            Statement(
                number=number,
                purpose=one.purpose,
                channel=one.channel,
                status=one.status.value,
                time=one.time,
                recorded_at=one.recorded_at,
                proof={str(key): str(value) for key, value in one.proof.items()},
            )
            for number, one in reversed(list(enumerate(said, 1)))
        ),
    )


def _standing(shop: Shop, purpose: str, channel: str, said: Sequence[Decision]) -> Standing:
    now = shop.now()
    theirs = [d for d in said if (d.purpose, d.channel) == (purpose, channel) and d.time <= now]
    last = theirs[-1] if theirs else None
    silent = without_a_word(purpose, shop.settings.model_texts)
    return Standing(
        purpose=purpose,
        channel=channel,
        status=last.status.value if last else None,
        since=last.time if last else None,
        allowed=last.status == Status.GRANT if last else silent,
    )


def _time(shop: Shop, given: datetime | None) -> datetime | None:
    if given is None:
        return None
    if given.tzinfo is None:
        raise BadInput(
            "time has no time zone.", hint="Write 2026-03-01T12:00:00+08:00.", field="time"
        )
    if given > shop.now() + _AHEAD:
        raise BadInput("time is in the future.", hint="Say when it was said.", field="time")
    return given
