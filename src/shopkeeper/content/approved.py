"""Approved versions, as everybody who sends them gets them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from shopkeeper.content.digests import of_version
from shopkeeper.content.types import Body, Check, Fact, Version, Withdrawal
from shopkeeper.core.errors import Conflict, NotFound
from shopkeeper.shop.shop import Shop
from shopkeeper.store.templates import APPROVED, WITHDRAWN, Row, Template, Templates

_DIGITS: Final = 10


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
    return version_of(template, _numbered(template_id, rows, version))


def as_sent(shop: Shop, template_id: str, version: int) -> Version:
    """A version as it was approved, also where it was withdrawn since: what was sent stays to be told.

    Raises:
        NotFound, Conflict: as :func:`approved`.
    """
    store = Templates(shop.database, shop.now)
    template, rows = store.template(template_id), store.versions(template_id)
    return version_of(template, _numbered(template_id, rows, version), withdrawn=True)


def withdrawn_at(shop: Shop, content_id: str) -> datetime | None:
    """When the approval of these words was taken back; None: it was not, or they are no template's."""
    template_id, _, version = content_id.partition("@")
    if not (version.isascii() and version.isdecimal() and len(version) < _DIGITS):
        return None
    try:
        return Templates(shop.database, shop.now).withdrawn_at(template_id, int(version))
    except NotFound:  # a program's own name for what it sends
        return None


def withdrawal_of(row: Row) -> Withdrawal | None:
    """Who withdrew it; None: nobody."""
    if row.state != WITHDRAWN or row.withdrawn_at is None:
        return None
    return Withdrawal(by=row.withdrawn_by or "", at=row.withdrawn_at, reason=row.withdrawn_reason)


def _numbered(template_id: str, rows: Sequence[Row], version: int) -> Row:
    for one in rows:
        if one.version == version:
            return one
    raise NotFound(
        f"{template_id} has no version {version}.",
        hint=f"It has {', '.join(str(one.version) for one in reversed(rows))}.",
        field="version",
    )


def version_of(template: Template, row: Row, *, withdrawn: bool = False) -> Version:
    """The version that a row holds; with ``withdrawn`` also one that was approved once.

    Raises:
        Conflict: it is not approved, or an erasure has taken a name out of it.
    """
    gone = withdrawal_of(row)
    if gone is not None and not withdrawn:
        raise Conflict(
            f"{template.id} version {row.version} was withdrawn by {gone.by}: {gone.reason}",
            hint="Choose other words, or edit them and have them approved anew.",
            field="version",
        )
    if row.state != APPROVED and gone is None:
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
            "withdrawn": gone,
        }
    )
