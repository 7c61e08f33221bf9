"""Approved versions, as everybody who sends them gets them."""

from __future__ import annotations

from shopkeeper.content.digests import of_version
from shopkeeper.content.types import Body, Check, Fact, Version
from shopkeeper.core.errors import Conflict, NotFound
from shopkeeper.shop.shop import Shop
from shopkeeper.store.templates import APPROVED, Row, Template, Templates


def approved(shop: Shop, template_id: str, version: int | None = None) -> Version:
    """An approved version of a template; without a number the newest.

    Raises:
        NotFound: no such template, or no such version.
        Conflict: that version is not approved, or its words are no longer those that were.
    """
    store = Templates(shop.database, shop.now)
    template, rows = store.template(template_id), store.versions(template_id)
    if version is None:
        row = next((one for one in rows if one.state == APPROVED), None)
        if row is None:
            raise Conflict(
                f"No version of {template_id} is approved.",
                hint="Submit it, and let another person approve it.",
                field="template_id",
            )
        return version_of(template, row)
    for one in rows:
        if one.version == version:
            return version_of(template, one)
    raise NotFound(
        f"{template_id} has no version {version}.",
        hint=f"It has {', '.join(str(one.version) for one in reversed(rows))}.",
        field="version",
    )


def version_of(template: Template, row: Row) -> Version:
    """The version that a row holds.

    Raises:
        Conflict: it is not approved, or an erasure has taken a name out of it.
    """
    if row.state != APPROVED:
        raise Conflict(
            f"{template.id} version {row.version} is {row.state}, not approved.",
            hint="Only what another person approved may be sent.",
            field="version",
        )
    about = (template.id, row.version, template.channel, template.purpose)
    if of_version(about, row.body, row.facts, row.label, row.checks) != row.digest:
        raise Conflict(
            f"The words of {template.id} version {row.version} are not those that were approved.",
            hint="An erasure has taken a customer's data out of them. Make a new version.",
            field="version",
        )
    body = Body.model_validate(row.body)
    return Version.model_validate(
        {
            "template_id": template.id,
            "version": row.version,
            "name": template.name,
            "channel": template.channel,
            "purpose": template.purpose,
            "parts": body.parts,
            "item_ids": body.item_ids,
            "facts": tuple(Fact.model_validate(one) for one in row.facts),
            "label": dict(row.label),
            "evidence": body.evidence,
            "written_by": body.written_by,
            "occasion": body.occasion,
            "author": row.authors[0],
            "editors": tuple(row.authors[1:]),
            "approver": row.decided_by,
            "approved_at": row.decided_at,
            "checks": tuple(Check.model_validate(one) for one in row.checks),
            "digest": row.digest,
        }
    )
