"""Templates as people look at them: a list, one with live findings, its history, and its channel's spec."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shopkeeper.content.approved import withdrawal_of
from shopkeeper.content.checking import checked, stopping
from shopkeeper.content.facts import known
from shopkeeper.content.rendering import common, still_true
from shopkeeper.content.spec import LABELS, spec_of, specs
from shopkeeper.content.types import (
    Altered,
    Body,
    Check,
    Fact,
    Listed,
    Shown,
    Specs,
    TemplateRow,
    VersionRow,
    Versions,
)
from shopkeeper.core.errors import NotFound, ShopkeeperError
from shopkeeper.shop.shop import Shop
from shopkeeper.store.templates import (
    APPROVED,
    REJECTED,
    SUBMITTED,
    WITHDRAWN,
    Row,
    Template,
    Templates,
)


def listed(shop: Shop, state: str, channel: str) -> Listed:
    """See the operation ``list``."""
    every = Templates(shop.database, shop.now).all()
    rows = [
        _row(template, versions)
        for template, versions in every
        if not channel or template.channel == channel
    ]
    wanted = [
        one
        for one in rows
        if not state
        or one.state == state
        or (state == APPROVED and one.approved_version is not None)
    ]
    waiting = sum(versions[0].state == SUBMITTED for _, versions in every)
    return Listed(templates=tuple(wanted), waiting=waiting)


def shown(shop: Shop, template_id: str, version: int | None = None) -> Shown:
    """See the operation ``show``."""
    store = Templates(shop.database, shop.now)
    template, rows = store.template(template_id), store.versions(template_id)
    row = _wanted(template_id, rows, version)
    body = Body.model_validate(row.body)
    older = [one for one in rows if one.state == APPROVED and one.version < row.version]
    values: dict[str, Any] = {
        "template_id": template.id,
        "name": template.name,
        "channel": template.channel,
        "purpose": template.purpose,
        "version": row.version,
        "state": row.state,
        "body": body,
        "digest": row.digest,
        "author": row.authors[0],
        "editors": tuple(row.authors[1:]),
        "made_at": row.made_at,
        "changed_at": row.changed_at,
        "submitted_at": row.submitted_at,
        "decided_by": row.decided_by,
        "decided_at": row.decided_at,
        "reason": row.reason,
        "withdrawn": withdrawal_of(row),
        "approved_version": next((r.version for r in rows if r.state == APPROVED), None),
        "before": Body.model_validate(older[0].body) if older else None,
    }
    return Shown.model_validate(values | _findings(shop, template, row, body))


def versions(shop: Shop, template_id: str) -> Versions:
    """See the operation of this name."""
    store = Templates(shop.database, shop.now)
    template = store.template(template_id)
    return Versions(
        template_id=template.id,
        name=template.name,
        versions=tuple(
            VersionRow(
                version=row.version,
                state=row.state,  # type: ignore[arg-type]  # the store writes no other
                author=row.authors[0],
                editors=tuple(row.authors[1:]),
                made_at=row.made_at,
                submitted_at=row.submitted_at,
                decided_by=row.decided_by,
                decided_at=row.decided_at,
                reason=row.reason,
                withdrawn=withdrawal_of(row),
                digest=row.digest,
                content_id=f"{template.id}@{row.version}",
            )
            for row in store.versions(template_id)
        ),
    )


def told_specs(shop: Shop, item_id: str, channel: str) -> Specs:
    """See the operation ``specs``."""
    if item_id and item_id not in known(shop, [item_id]):
        raise NotFound(f"No item {item_id!r}.", hint="Check the id.", field="item_id")
    chosen = [spec_of(channel)] if channel else list(specs().values())
    names = ["customer.name", *common(shop, [item_id] if item_id else []), "unsubscribe_url"]
    return Specs(
        specs=tuple(one.model_dump(mode="json") for one in chosen),
        variables=tuple(names),
        labels=dict(LABELS),
    )


def _findings(shop: Shop, template: Template, row: Row, body: Body) -> dict[str, Any]:
    """What stands beside the words: as it was decided, or as it is now while nobody has."""
    if row.state in (APPROVED, REJECTED, WITHDRAWN):
        checks = tuple(Check.model_validate(one) for one in row.checks)
        facts = tuple(Fact.model_validate(one) for one in row.facts)
        altered: Altered | None = still_true(shop, facts) if row.state == APPROVED else None
        return {
            "checks": checks,
            "facts": facts,
            "ready": not stopping(checks),
            "label": dict(row.label),
            "altered": altered,
        }
    label = spec_of(template.channel).labels(body.written_by)
    try:
        found, facts = checked(shop, body, template.channel, template.purpose)
    except ShopkeeperError as error:  # an item was removed since
        return {
            "checks": (),
            "facts": (),
            "ready": False,
            "label": label,
            "unreadable": str(error),
        }
    return {"checks": found, "facts": facts, "ready": not stopping(found), "label": label}


def _wanted(template_id: str, rows: Sequence[Row], version: int | None) -> Row:
    for one in rows:
        if version is None or one.version == version:
            return one
    raise NotFound(
        f"{template_id} has no version {version}.", hint="See `content versions`.", field="version"
    )


def _row(template: Template, rows: Sequence[Row]) -> TemplateRow:
    last = rows[0]
    return TemplateRow(
        template_id=template.id,
        name=template.name,
        channel=template.channel,
        purpose=template.purpose,
        version=last.version,
        state=last.state,  # type: ignore[arg-type]  # the store writes no other
        languages=tuple(last.body["parts"]),
        item_ids=tuple(last.body["item_ids"]),
        occasion=last.body.get("occasion"),
        author=last.authors[0],
        changed_at=last.changed_at,
        approved_version=next((one.version for one in rows if one.state == APPROVED), None),
    )
