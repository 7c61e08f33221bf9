"""Writing templates: drafts, edits and the request for approval."""

from __future__ import annotations

from shopkeeper.content.checking import checked, stopping
from shopkeeper.content.digests import of_body
from shopkeeper.content.language import line
from shopkeeper.content.showing import shown
from shopkeeper.content.types import Body, Check, Checked, Shown
from shopkeeper.core.errors import BadInput, Conflict
from shopkeeper.core.operation import Actor
from shopkeeper.shop.shop import Shop
from shopkeeper.store.templates import DRAFT, SUBMITTED, Templates

_LONGEST = 120


def who(actor: Actor) -> str:
    """Whom an action is put down to: a person by name, anything else with its kind."""
    return actor.name if actor.kind == "person" else f"{actor.kind}:{actor.name}"


def check(shop: Shop, body: Body, channel: str, purpose: str) -> Checked:
    """See the operation of this name."""
    checks, facts = checked(shop, body, channel, purpose)
    return Checked(ready=not stopping(checks), checks=checks, facts=facts)


def draft(shop: Shop, actor: Actor, about: tuple[str, str, str], body: Body) -> Shown:
    """See the operation of this name. Words that cannot be read are refused; findings are shown.

    Raises:
        BadInput: no name, or a template that cannot be read.
    """
    name, channel, purpose = line(about[0]), *(one.strip() for one in about[1:])
    if not 0 < len(name) <= _LONGEST:
        raise BadInput("A template needs a name.", hint="Say what it is for.", field="name")
    body = _owned(actor, body)
    checked(shop, body, channel, purpose)
    told = body.model_dump(mode="json")
    row = Templates(shop.database, shop.now).create(
        (name, channel, purpose), told, of_body(told), who(actor)
    )
    return shown(shop, f"W{row.template}")


def edit(shop: Shop, actor: Actor, template_id: str, body: Body, base: str) -> Shown:
    """See the operation of this name.

    Raises:
        Conflict: somebody else has changed the words since.
    """
    store = Templates(shop.database, shop.now)
    template = store.template(template_id)
    last = store.versions(template_id)[0]
    machine = str(last.body.get("written_by", "person"))
    if machine not in ("person", "house"):  # a label that was owed stays owed
        body = body.model_copy(update={"written_by": machine})
    body = _owned(actor, body).model_copy(update={"occasion": last.body.get("occasion")})
    checked(shop, body, template.channel, template.purpose)
    told = body.model_dump(mode="json")
    if told == last.body and last.state in (DRAFT, SUBMITTED):
        return shown(shop, template_id)
    store.write(template_id, told, of_body(told), who(actor), base)
    return shown(shop, template_id)


def submit(shop: Shop, actor: Actor, template_id: str) -> Shown:
    """See the operation of this name.

    Raises:
        Conflict: there is no draft, or a finding stands against it.
    """
    store = Templates(shop.database, shop.now)
    template = store.template(template_id)
    last = store.versions(template_id)[0]
    if last.state != DRAFT:
        raise Conflict(
            f"{template_id} has no draft: version {last.version} is {last.state}.",
            hint="Edit it first.",
            field="template_id",
        )
    body = Body.model_validate(last.body)
    checks, _ = checked(shop, body, template.channel, template.purpose)
    refuse_stopped(checks)
    told = [one.model_dump(mode="json") for one in checks]
    store.submit(template_id, last.digest, told, who(actor))
    return shown(shop, template_id)


def refuse_stopped(checks: tuple[Check, ...]) -> None:
    """Raise :class:`Conflict` with the first finding that stops the words."""
    stopped = stopping(checks)
    if not stopped:
        return
    first = stopped[0]
    hint = (
        "Give evidence: the document that proves it."
        if first.verdict == "needs_evidence"
        else "Change the words."
    )
    more = f" ({len(stopped)} findings in all)" if len(stopped) > 1 else ""
    said = first.quote or first.detail
    raise Conflict(
        f"{first.where}: {first.code} ({first.because}) {said!r}{more}.",
        hint=hint,
        field=f"parts.{first.where}",
    )


def _owned(actor: Actor, body: Body) -> Body:
    """An agent is a model: what it says that a person wrote is labelled all the same."""
    if actor.kind == "agent" and body.written_by == "person":
        return body.model_copy(update={"written_by": who(actor)})
    return body
