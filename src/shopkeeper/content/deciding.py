"""Approval by another person: what they saw is what becomes immutable."""

from __future__ import annotations

from dataclasses import dataclass

from shopkeeper.content.approved import approved
from shopkeeper.content.authoring import refuse_stopped, who
from shopkeeper.content.checking import checked
from shopkeeper.content.digests import of_version
from shopkeeper.content.showing import shown
from shopkeeper.content.spec import spec_of
from shopkeeper.content.types import Body, Check, Decided, Fact, Shown
from shopkeeper.core.errors import BadInput, Conflict, NotAllowed
from shopkeeper.core.operation import Actor
from shopkeeper.core.plan import Step
from shopkeeper.core.settings import Language
from shopkeeper.shop.shop import Shop
from shopkeeper.store.templates import APPROVED, REJECTED, SUBMITTED, Row, Templates, Verdict


@dataclass(frozen=True)
class _Look:
    """What an approver looks at: the words, what they rest on now, and what the checks say now."""

    row: Row
    label: dict[Language, str]
    checks: tuple[Check, ...]
    facts: tuple[Fact, ...]
    digest: str


def planned(shop: Shop, actor: Actor, template_id: str, version: int) -> list[Step]:
    """What would be approved; its digest changes with any word, fact or finding."""
    look = _look(shop, actor, template_id, version)
    proofs = sum(bool(one.document) for one in look.checks)
    told = f"approved, {len(look.facts)} facts and {proofs} proofs, digest {look.digest}"
    return [Step(where=f"{template_id} version {version}", what=told, count=1)]


def approve(shop: Shop, actor: Actor, template_id: str, version: int, note: str) -> Decided:
    """See the operation of this name.

    Raises:
        NotAllowed: they wrote it themselves.
        Conflict: it is not what was submitted, somebody has decided it, or a check stands against it now.
    """
    look = _look(shop, actor, template_id, version)
    verdict = Verdict(
        APPROVED,
        who(actor),
        note,
        look.digest,
        [one.model_dump(mode="json") for one in look.facts],
        {str(lang): said for lang, said in look.label.items()},
        [one.model_dump(mode="json") for one in look.checks],
    )
    Templates(shop.database, shop.now).decide(template_id, version, look.row.digest, verdict)
    return Decided(version=approved(shop, template_id, version))


def reject(shop: Shop, actor: Actor, template_id: str, version: int, reason: str) -> Shown:
    """See the operation of this name.

    Raises:
        BadInput: no reason.
        Conflict: it does not wait for approval.
    """
    if not reason.strip():
        raise BadInput(
            "Say why.", hint="The author reads it, and changes that.", field="reason"
        )  # fmt: skip
    row = _submitted(shop, template_id, version)
    verdict = Verdict(REJECTED, who(actor), reason.strip())
    Templates(shop.database, shop.now).decide(template_id, version, row.digest, verdict)
    return shown(shop, template_id, version)


def withdraw(shop: Shop, actor: Actor, template_id: str, version: int, reason: str) -> Shown:
    """See the operation of this name. To stop words must be easy: who wrote them may, and who approves.

    Raises:
        NotAllowed: they are neither.
        BadInput: no reason.
        Conflict: it is not approved, or withdrawn already.
    """
    store = Templates(shop.database, shop.now)
    store.template(template_id)
    rows = [row for row in store.versions(template_id) if row.version == version]
    authors = {one for row in rows for one in row.authors}
    if not actor.holds("content:approve") and who(actor) not in authors:
        raise NotAllowed(
            f"{actor.name} neither wrote {template_id} version {version} nor may approve.",
            hint="Ask one of its authors, or somebody with the role approver or owner. "
            "To hold a campaign up: campaigns pause.",
        )
    if not reason.strip():
        raise BadInput(
            "Say why.", hint="Who uses the words reads it, and what they held up.", field="reason"
        )  # fmt: skip
    store.withdraw(template_id, version, who(actor), reason.strip())
    return shown(shop, template_id, version)


def _submitted(shop: Shop, template_id: str, version: int) -> Row:
    row = Templates(shop.database, shop.now).versions(template_id)[:1]
    if not row or row[0].version != version or row[0].state != SUBMITTED:
        there = f"version {row[0].version} is {row[0].state}" if row else "there is none"
        raise Conflict(
            f"Version {version} of {template_id} does not wait for approval: {there}.",
            hint="Look again: content show.",
            field="version",
        )
    return row[0]


def _look(shop: Shop, actor: Actor, template_id: str, version: int) -> _Look:
    if not actor.holds("content:approve"):
        raise NotAllowed(
            f"{actor.name} may not approve.",
            hint="Ask somebody with the role approver or owner.",
        )
    template = Templates(shop.database, shop.now).template(template_id)
    row = _submitted(shop, template_id, version)
    if who(actor) in row.authors:
        raise NotAllowed(
            f"{actor.name} wrote {template_id} version {version}: another person approves it.",
            hint="Ask a colleague with the role approver; invite one: people invite NAME --role approver.",
        )
    body = Body.model_validate(row.body)
    checks, facts = checked(shop, body, template.channel, template.purpose)
    refuse_stopped(checks)
    label = spec_of(template.channel).labels(body.written_by)
    digest = of_version(
        (template.id, version, template.channel, template.purpose),
        row.body,
        [one.model_dump(mode="json") for one in facts],
        {str(lang): said for lang, said in label.items()},
        [one.model_dump(mode="json") for one in checks],
    )
    return _Look(row, label, checks, facts, digest)
