"""Why a customer got nothing of a campaign: the first ground that holds, in the order of asking."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shopkeeper.campaigns.designing import CONTROL, arms_of
from shopkeeper.campaigns.leaving import WITHDRAWN, words_withdrawn
from shopkeeper.campaigns.record.types import Consent, Draw, Membership, Rules
from shopkeeper.contact.channels.base import plug
from shopkeeper.contact.eligibility import Ask, Why, judge
from shopkeeper.contact.policy import Policy
from shopkeeper.content.approved import as_sent
from shopkeeper.content.rendering import letters
from shopkeeper.core.errors import ShopkeeperError
from shopkeeper.decisions.assignment import held_out
from shopkeeper.shop.shop import Shop
from shopkeeper.store.assignments import Holdouts
from shopkeeper.store.campaigns import Stored
from shopkeeper.store.columns import microseconds
from shopkeeper.store.reach import reading
from shopkeeper.store.suppressions import Suppressions

_CONSENT: Final = {
    None: Why.NO_CONSENT,
    "DENY": Why.REFUSED,
    "REVOKED": Why.WITHDRAWN,
}
_LISTED: Final = (Why.COMPLAINT, Why.BOUNCE, Why.MANUAL, Why.UNSUBSCRIBE)


@dataclass(frozen=True)
class Ground:
    """Why nothing: a code, the key of its sentence with its values, and whether it was written down then."""

    code: str
    key: str
    values: dict[str, object]
    certain: bool = True


@dataclass(frozen=True)
class Known:
    """What is known of the customer as of the time at which the campaign looked."""

    customer_id: str
    at: datetime
    membership: Membership
    draw: Draw | None
    consent: Consent
    rules: Rules
    policy: Policy


def ground(shop: Shop, stored: Stored, known: Known) -> Ground:
    """The first that holds."""
    if known.draw is not None and known.draw.variant_id == CONTROL:
        share = f"{known.draw.shares.get(CONTROL, 0.0):.0%}"
        return Ground("control", "control", {"share": share})
    hold = Holdouts(shop.database).current()
    if hold is not None and held_out(hold.salt, hold.share, known.customer_id):
        return Ground("held_out", "held_out", {})
    with reading(shop.database) as reach:
        restricted = reach.restricted([known.customer_id])
    if restricted:  # no table tells of them any more, memberships neither
        return Ground("restricted", "restricted", {}, certain=False)
    if known.membership.since is None:
        return Ground("not_in_segment", "not_in_segment", {"segment": known.membership.name})
    return _barred(shop, stored, known) or _left(shop, stored, known)


def _barred(shop: Shop, stored: Stored, known: Known) -> Ground | None:
    """Restriction, suppression, consent, address, caps: worked out as of then."""
    why = _verdict(shop, stored, known)
    if why in _LISTED and not _listed_then(shop, known):
        why = _CONSENT.get(known.consent.held.status if known.consent.held else None, Why.OK)
    channel: dict[str, object] = {"channel": stored.channel}
    if why in _LISTED:
        reason = why.value.removeprefix("suppressed_")
        return Ground(why.value, "suppressed", {"reason": reason}, certain=False)
    if why is not Why.OK:
        # Statements are only ever added, each with its time: what held then is known for sure.
        stated = why in (Why.NO_CONSENT, Why.REFUSED, Why.WITHDRAWN)
        return Ground(why.value, why.value, channel, certain=stated)
    if _capped(shop, stored, known):
        return Ground("capped", "capped", {"messages": known.rules.messages_before}, certain=False)
    return None


def _verdict(shop: Shop, stored: Stored, known: Known) -> Why:
    ask = Ask(
        purpose=stored.purpose,
        channel=stored.channel,
        kind=plug(stored.channel).kind,
        policy=known.policy.model_copy(update={"caps": (), "quiet": None}),
        at=known.at,
        zone=shop.settings.time_zone,
    )
    suppressions = Suppressions(shop.database)
    with reading(shop.database) as reach:
        return judge(reach, suppressions, ask, [known.customer_id])[0].why


def _listed_then(shop: Shop, known: Known) -> bool:
    entries = Suppressions(shop.database).of(customer_id=known.customer_id)
    return not entries or any(one.since <= known.at for one in entries)


def _capped(shop: Shop, stored: Stored, known: Known) -> bool:
    """Whether a cap was full then, messages that were sent later left out."""
    caps = known.policy.caps_on(stored.channel)
    if not caps or known.policy.is_service(stored.purpose):
        return False
    now = microseconds(known.at)
    longest = max(cap.days for cap in caps)
    with reading(shop.database) as reach:
        since = datetime.fromtimestamp(known.at.timestamp() - longest * 86_400, tz=known.at.tzinfo)
        free = known.policy.service_purposes
        sent = reach.sent([known.customer_id], since, free=free).get(known.customer_id, [])
    return any(
        sum(
            now - cap.days * 86_400_000_000 < time <= now and cap.channel in ("", channel)
            for channel, time in sent
        )
        >= cap.most
        for cap in caps
    )


def _held_up(shop: Shop, stored: Stored) -> str:
    """Whether words were withdrawn while somebody's turn was still to come."""
    if stored.progress.get("complete") or not words_withdrawn(shop, stored, stored.finished_at):
        return ""
    return WITHDRAWN


def _left(shop: Shop, stored: Stored, known: Known) -> Ground:
    """Nothing stood against them: was there a letter, and did their turn come?"""
    for arm in arms_of(stored):
        if arm.template_id is None:
            continue
        try:
            version = as_sent(shop, arm.template_id, arm.version or 0)
        except ShopkeeperError as error:
            return Ground("words", "letter", {"reason": error.message}, certain=False)
        for one in letters(shop, version, [known.customer_id]):
            if one.problem:
                reason = f"{one.problem} {one.detail}".strip()
                return Ground(one.problem, "letter", {"reason": reason}, certain=False)
    counts = stored.progress.get("counts", {})
    closed = next((why for why in ("budget", "too_late") if counts.get(why)), None)
    closed = closed or _held_up(shop, stored)
    if closed:
        return Ground(closed, closed, {}, certain=False)
    return Ground("not_reached", "not_reached", {}, certain=False)
