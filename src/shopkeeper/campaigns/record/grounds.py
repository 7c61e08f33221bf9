"""What a message or its absence rests on: segment, words, draw, consent, rules; each as of its time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import narwhals as nw

from shopkeeper.campaigns.designing import arms_of
from shopkeeper.campaigns.record.types import (
    Approval,
    Consent,
    Draw,
    Membership,
    Rules,
    Statement,
    Words,
)
from shopkeeper.campaigns.types import Design
from shopkeeper.contact.policy import Policy
from shopkeeper.content.approved import as_sent
from shopkeeper.content.types import Fact, Version
from shopkeeper.core.errors import ShopkeeperError
from shopkeeper.core.settings import Language
from shopkeeper.customers.segmenting.listing import reasons
from shopkeeper.customers.segmenting.parsing import from_json
from shopkeeper.customers.segmenting.printing import written
from shopkeeper.shop.shop import Shop
from shopkeeper.store.assignments import Assignments
from shopkeeper.store.campaigns import Stored
from shopkeeper.store.columns import microseconds
from shopkeeper.store.contact_policies import ContactPolicies
from shopkeeper.store.messages import Message
from shopkeeper.store.reach import reading
from shopkeeper.warehouse.source import Frame, Source


def approval(stored: Stored) -> Approval:
    """Who made the campaign and who let it go."""
    return Approval(
        campaign_id=stored.id,
        name=stored.name,
        status=stored.status,
        created_by=stored.created_by,
        created_at=stored.created_at,
        confirmed_by=stored.confirmed_by,
        confirmed_at=stored.confirmed_at,
        plan_hash=stored.plan_hash,
        suggestion=stored.advice,
    )


def looked_at(stored: Stored) -> datetime | None:
    """When the campaign looked who is in its segment; None: it has not yet."""
    at = stored.progress.get("at")
    return datetime.fromisoformat(at) if at else None


def membership(
    shop: Shop, stored: Stored, customer_id: str, at: datetime, lang: Language
) -> Membership:
    """The customer's time in the segment that held then; without one, ``since`` is null."""
    design = Design.model_validate(stored.design)

    def build(source: Source) -> Frame:
        moment = nw.lit(at)
        return source.memberships().filter(
            nw.col("segment") == design.segment_id,
            nw.col("customer_id") == customer_id,
            nw.col("valid_from") <= moment,
            nw.col("valid_to").is_null() | (nw.col("valid_to") > moment),
        )

    rows = shop.query(build).to_pylist()
    row: Mapping[str, Any] = rows[0] if rows else {}
    versions = {one.version: one for one in shop.segments.versions(design.segment_id)}
    wanted = row.get("version") or stored.segment_version
    version = versions.get(wanted) if wanted else None
    return Membership(
        segment_id=design.segment_id,
        name=version.name if version else shop.segments.get(design.segment_id).name,
        version=wanted,
        definition=_text(version.definition) if version else "",
        note=version.note if version else "",
        since=row.get("valid_from"),
        until=row.get("valid_to"),
        at=at,
        reasons=reasons(row.get("reasons"), lang),
    )


def _text(definition: Mapping[str, Any]) -> str:
    try:
        return written(from_json(dict(definition)))
    except ShopkeeperError:
        return str(dict(definition))


def words(shop: Shop, message: Message) -> Words | str:
    """The version that was sent, withdrawn since or not; or why it cannot be told; empty: none was named."""
    template_id, _, version = str(message.labels.get("content_id", "")).partition("@")
    if not version.isdecimal():
        return ""
    try:
        known: Version = as_sent(shop, template_id, int(version))
    except ShopkeeperError as error:
        return error.message
    sent = message.labels.get("facts", ())
    return Words(
        content_id=known.content_id,
        name=known.name,
        written_by=known.written_by,
        author=known.author,
        editors=known.editors,
        approver=known.approver,
        approved_at=known.approved_at,
        checks=known.checks,
        facts=tuple(Fact.model_validate(one) for one in sent) or known.facts,
        label={str(lang): told for lang, told in known.label.items()},
        digest=known.digest,
        withdrawn=known.withdrawn,
        content=None if message.content is None else dict(message.content),
    )


def draw(shop: Shop, stored: Stored, customer_id: str) -> Draw | None:
    """What the hash gave, as it was kept; None where nothing was drawn for them."""
    found = Assignments(shop.database).known(stored.experiment_id, [customer_id])
    given = found.get(customer_id)
    if given is None:
        return None
    return Draw(
        experiment_id=given.experiment_id,
        variant_id=given.variant_id,
        propensity=given.propensity,
        at=given.time,
        shares={one.variant_id: one.share for one in arms_of(stored)},
    )


def consent(
    shop: Shop, about: tuple[str, str], customer_id: str, at: datetime, policy: Policy
) -> Consent:
    """What the customer had said by then, under whichever of their ids, and what proves it."""
    purpose, _ = about
    said = [
        Statement(
            purpose=one.purpose,
            channel=one.channel,
            status=one.status.value,
            time=one.time,
            recorded_at=one.recorded_at,
            proof=dict(one.proof),
        )
        for one in shop.consent.history(customer_id)
        if (one.purpose, one.channel) == about
    ]
    before = [one for one in said if one.time <= at]
    return Consent(
        at=at,
        needed=not policy.is_service(purpose),
        held=before[-1] if before else None,
        history=tuple(said),
    )


def rules(
    shop: Shop, version: int, message: tuple[str, str, int], at: datetime
) -> tuple[Rules, Policy]:
    """The rules of that version, and how many messages had reached the customer within their windows.

    ``message`` is whose, on which channel, and the number of the message that is asked about (or 0).
    """
    customer_id, channel, number = message
    told = ContactPolicies(shop.database).version(version)
    policy = Policy.model_validate(told)
    longest = max((cap.days for cap in policy.caps_on(channel)), default=0)
    with reading(shop.database) as reach:
        since = at - timedelta(days=longest)
        sent = reach.sent([customer_id], since, free=policy.service_purposes, but=number)
    before = sum(1 for _, time in sent.get(customer_id, []) if time <= microseconds(at))
    found = Rules(version=version, policy=policy.model_dump(mode="json"), messages_before=before)
    return found, policy
