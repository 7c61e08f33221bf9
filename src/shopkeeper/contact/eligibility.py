"""Who may be reached now, and why not: one verdict for each customer, for one or for a million."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from shopkeeper.contact import addresses
from shopkeeper.contact.policy import Cap, Policy
from shopkeeper.contact.quiet import next_allowed, zone_of
from shopkeeper.store.batches import batches
from shopkeeper.store.columns import microseconds
from shopkeeper.store.consent.statements import Status
from shopkeeper.store.database import Database
from shopkeeper.store.reach import Barred, Reach, Said, reading
from shopkeeper.store.suppressions import Cause, Suppressions

_PAGE: Final = 10_000
_DAY_US: Final = 86_400_000_000
_GRANT: Final = Status.GRANT.value


class Why(StrEnum):
    """Why a customer is or is not reached, in the order in which it is asked: the first holds."""

    OK = "ok"
    RESTRICTED = "restricted"
    COMPLAINT = "suppressed_complaint"
    BOUNCE = "suppressed_bounce"
    MANUAL = "suppressed_manual"
    UNSUBSCRIBE = "suppressed_unsubscribe"
    NO_CONSENT = "no_consent"
    REFUSED = "consent_refused"
    WITHDRAWN = "consent_withdrawn"
    NO_ADDRESS = "no_address"
    INVALID_ADDRESS = "invalid_address"
    CAPPED = "capped"
    CONTROL = "control"
    QUIET = "quiet_hours"


_CAUSES: Final = {cause: Why(f"suppressed_{cause.value}") for cause in Cause}
_NOT_GRANTED: Final = {
    "": Why.NO_CONSENT,
    Status.DENY.value: Why.REFUSED,
    Status.REVOKED.value: Why.WITHDRAWN,
}


@dataclass(frozen=True, slots=True)
class Ask:
    """What is asked: for which purpose and channel, whose kind of address, by which rules, and when.

    ``control`` are customers whom an experiment holds out; ``but`` is the number of the message that is
    about to leave, which does not count towards its own cap.
    """

    purpose: str
    channel: str
    kind: str
    policy: Policy
    at: datetime
    zone: str
    control: Collection[str] = frozenset()
    but: int = 0


class Verdict(NamedTuple):
    """Whether one customer is reached, where, and from when on where the hour is quiet."""

    customer_id: str
    why: Why
    address: str = ""
    next_at: datetime | None = None


@dataclass(slots=True)
class _Known:
    """What is known of the customers of one page; in ``barred`` are those against whom something stands."""

    ask: Ask
    service: bool
    caps: tuple[Cap, ...]
    traits: Mapping[str, Mapping[str, str]]
    restricted: Collection[str]
    said: Mapping[str, Said]
    barred: Mapping[str, list[Barred]]
    sent: Mapping[str, list[tuple[str, int]]]
    places: Mapping[str, str | None]
    quiet_until: dict[str, datetime | None] = field(default_factory=dict)


def judge(
    reach: Reach, suppressions: Suppressions, ask: Ask, customer_ids: Sequence[str]
) -> list[Verdict]:
    """The verdict on each customer, in the order given; all from one state of the store."""
    known = _known(reach, suppressions, ask, customer_ids)
    return [_verdict(known, one) for one in customer_ids]


def counts(database: Database, ask: Ask, customer_ids: Iterable[str]) -> Counter[Why]:
    """How many of the customers are reached now, and how many not for which reason."""
    found: Counter[Why] = Counter()
    for page in verdicts(database, ask, customer_ids):
        found.update(verdict.why for verdict in page)
    return found


def verdicts(database: Database, ask: Ask, customer_ids: Iterable[str]) -> Iterator[list[Verdict]]:
    """The verdicts on the customers in order, a page at a time: a million of them need little memory."""
    suppressions = Suppressions(database)
    for page in batches(customer_ids, _PAGE):
        with reading(database) as reach, _uncollected():
            found = judge(reach, suppressions, ask, page)
        yield found


@contextmanager
def _uncollected() -> Iterator[None]:
    """Hold the collector of cycles back for one page: there are none here, and it took half of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _known(reach: Reach, suppressions: Suppressions, ask: Ask, ids: Sequence[str]) -> _Known:
    service = ask.policy.is_service(ask.purpose)
    caps = () if service else ask.policy.caps_on(ask.channel)
    traits = reach.traits(ids)
    nothing: dict[str, str] = {}
    places = {one: addresses.of(ask.kind, one, traits.get(one, nothing)) for one in ids}
    owners = reach.owners(ids)
    told = list(owners)
    return _Known(
        ask=ask,
        service=service,
        caps=caps,
        traits=traits,
        restricted={o for one in reach.restricted(told) for o in owners[one]},
        said={} if service else _said(reach, ask, owners),
        barred=_barred(reach, suppressions, ask, owners, places),
        sent=_sent(reach, ask, caps, owners),
        places=places,
    )


def _said(reach: Reach, ask: Ask, owners: Mapping[str, set[str]]) -> dict[str, Said]:
    """What each customer said last, under whichever of their ids."""
    found: dict[str, Said] = {}
    for one, said in reach.consent(list(owners), ask.purpose, ask.channel, ask.at).items():
        for owner in owners[one]:
            if owner not in found or said.order > found[owner].order:
                found[owner] = said
    return found


def _sent(
    reach: Reach, ask: Ask, caps: Sequence[Cap], owners: Mapping[str, set[str]]
) -> dict[str, list[tuple[str, int]]]:
    """What reached each customer within the longest window of the caps."""
    found: dict[str, list[tuple[str, int]]] = {}
    if not caps:
        return found
    since = ask.at - timedelta(days=max(cap.days for cap in caps))
    free = ask.policy.service_purposes
    for one, times in reach.sent(list(owners), since, free=free, but=ask.but).items():
        for owner in owners[one]:
            found.setdefault(owner, []).extend(times)
    return found


def _barred(
    reach: Reach,
    suppressions: Suppressions,
    ask: Ask,
    owners: Mapping[str, set[str]],
    places: Mapping[str, str | None],
) -> dict[str, list[Barred]]:
    """What stands against each customer, or against their address."""
    found: dict[str, list[Barred]] = {}
    against = reach.barred("customer_id", list(owners), ask.channel, ask.purpose)
    for one, entries in against.items():
        for owner in owners[one]:
            found.setdefault(owner, []).extend(entries)
    whose: dict[str, list[str]] = {}
    for customer, place in places.items():
        if place:
            digest = suppressions.digest(addresses.same(ask.kind, place))
            whose.setdefault(digest, []).append(customer)
    against = reach.barred("digest", list(whose), ask.channel, ask.purpose)
    for digest, entries in against.items():
        for customer in whose[digest]:
            found.setdefault(customer, []).extend(entries)
    return found


def _verdict(known: _Known, customer: str) -> Verdict:
    place, said = known.places[customer], known.said.get(customer)
    if customer in known.restricted:
        return Verdict(customer, Why.RESTRICTED)
    if customer in known.barred and (why := _strongest(known.barred[customer], said)):
        return Verdict(customer, why)
    if not known.service and (said is None or said.status != _GRANT):
        return Verdict(customer, _NOT_GRANTED[said.status if said else ""])
    if not place:
        return Verdict(customer, Why.NO_ADDRESS if place is None else Why.INVALID_ADDRESS)
    return Verdict(customer, Why.OK, place) if known.service else _of_time(known, customer, place)


def _of_time(known: _Known, customer: str, place: str) -> Verdict:
    ask, sent = known.ask, known.sent.get(customer)
    if sent and any(_full(cap, sent, ask.at) for cap in known.caps):
        return Verdict(customer, Why.CAPPED, place)
    if customer in ask.control:
        return Verdict(customer, Why.CONTROL, place)
    zone = addresses.zone(known.traits.get(customer, {}))
    if zone not in known.quiet_until:
        known.quiet_until[zone] = _quiet_until(ask, zone_of(zone, ask.zone))
    until = known.quiet_until[zone]
    return Verdict(customer, Why.QUIET if until else Why.OK, place, until)


def _strongest(entries: Sequence[Barred], said: Said | None) -> Why | None:
    """The strongest entry of the suppression list; a later grant outweighs an unsubscription."""
    granted = said.time if said is not None and said.status == _GRANT else None
    holding = {
        Cause(entry.cause)
        for entry in entries
        if entry.cause != Cause.UNSUBSCRIBE or granted is None or granted <= entry.since
    }
    return next((_CAUSES[cause] for cause in Cause if cause in holding), None)


def _full(cap: Cap, sent: Sequence[tuple[str, int]], at: datetime) -> bool:
    since = microseconds(at) - cap.days * _DAY_US
    return sum(t > since and cap.channel in ("", channel) for channel, t in sent) >= cap.most


def _quiet_until(ask: Ask, zone: ZoneInfo) -> datetime | None:
    """When the quiet hours end there; None where they have not begun."""
    at = ask.at.astimezone(UTC)
    allowed = next_allowed(at, zone, ask.policy.quiet)
    return None if allowed == at else allowed
