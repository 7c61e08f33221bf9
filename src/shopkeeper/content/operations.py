"""What `content` can do: templates from the first words to what may be sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from shopkeeper.content.types import (
    Body,
    Checked,
    Decided,
    Evidences,
    Items,
    Listed,
    Occasion,
    Parts,
    Previewed,
    Proposals,
    Shown,
    Specs,
    State,
    Versions,
)
from shopkeeper.core.operation import READ, WRITE, Context, Effect, operation
from shopkeeper.core.plan import Step

Name = Annotated[str, Field(max_length=120)]
Id = Annotated[str, Field(min_length=1, max_length=40)]
Note = Annotated[str, Field(max_length=1_000)]
Number = Annotated[int, Field(ge=1, le=1_000_000)]
Writer = Annotated[str, Field(max_length=200)]
Occasions = Annotated[tuple[Occasion, ...], Field(max_length=9)]

_PARTS = {
    "zh": {
        "subject": "{{ item.title }}到货了",
        "text": '{{ customer.name | default: "您好" }}，{{ item.title }}到货了。退订：{{ unsubscribe_url }}',
    },
    "en": {
        "subject": "{{ item.title }} is here",
        "text": 'Dear {{ customer.name | default: "customer" }}, {{ item.title }} is here. '
        "Unsubscribe: {{ unsubscribe_url }}",
    },
}
_ABOUT = {"parts": _PARTS, "item_ids": ["SKU-1"]}


@operation(effect=READ, example={"channel": "email"})
def specs(ctx: Context, channel: str = "", item_id: str = "") -> Specs:
    """What each channel takes, and the variables that words may hold.

    Args:
        ctx: the shop.
        channel: one channel; without, all.
        item_id: whose facts are among the variables.
    """
    from shopkeeper.content.showing import told_specs

    return told_specs(ctx.shop, item_id, channel)


@operation(effect=READ, example={"item_id": "SKU-1", "occasions": ["thanks"]})
def propose(
    ctx: Context,
    item_id: Id,
    segment_id: str = "",
    channel: str = "email",
    purpose: str = "marketing",
    occasions: Occasions = (),
    model: Writer = "",
) -> Proposals:
    """Drafts about an item in both languages, by the house's grammar and, where one is set, a model.

    Only what is true is said: an occasion that the data do not show (it was never out of stock) and a draft
    that fails the checks are dropped, with the reason. Nothing is kept: `content draft` keeps one.

    Args:
        ctx: the shop.
        item_id: what the words are about.
        segment_id: whom they are for, such as S3; without, everybody.
        channel: email, sms, wechat, webhook or file.
        purpose: what for.
        occasions: why now; without, every occasion that holds.
        model: the language model; without, the shop's own; `house` for the grammar alone.
    """
    from shopkeeper.content.proposing import Wanted, propose

    wanted = Wanted(item_id, segment_id, channel, purpose, occasions, model)
    return propose(ctx.shop, wanted)


@operation(effect=READ, example={**_ABOUT, "channel": "email"})
def check(
    ctx: Context,
    parts: Parts,
    channel: str = "email",
    purpose: str = "marketing",
    item_ids: Items = (),
    evidence: Evidences = (),
) -> Checked:
    """What the checks say of words: what blocks, what needs a proof, what is allowed and because of what."""
    from shopkeeper.content.authoring import check

    body = Body(parts=parts, item_ids=item_ids, evidence=evidence)
    return check(ctx.shop, body, channel, purpose)


@operation(effect=READ, example={**_ABOUT, "channel": "email"})
def preview(
    ctx: Context,
    parts: Parts,
    channel: str = "email",
    item_ids: Items = (),
    customer_id: str = "",
    written_by: Writer = "person",
) -> Previewed:
    """The letters that these words make: for one customer, or for samples in each language. None is kept."""
    from shopkeeper.content.previewing import preview

    body = Body(parts=parts, item_ids=item_ids, written_by=written_by)
    return preview(ctx.shop, body, channel, customer_id)


@operation(effect=WRITE, example={"name": "Back in stock", "channel": "email", **_ABOUT})
def draft(  # noqa: PLR0913, PLR0917 - what a template consists of
    ctx: Context,
    name: Name,
    parts: Parts,
    channel: str = "email",
    purpose: str = "marketing",
    item_ids: Items = (),
    evidence: Evidences = (),
    written_by: Writer = "person",
    occasion: Occasion | None = None,
) -> Shown:
    """Keep words as a new template's first draft, findings beside it.

    Args:
        ctx: the shop and who writes.
        name: what people call it.
        parts: the words by language: subject, text, html; or template_id and variables.
        channel: email, sms, wechat, webhook or file.
        purpose: what for, as consent was given for it.
        item_ids: the items that they are about: `item`, `item2` … in the words.
        evidence: proofs: a quotation of the words, and the document that proves it.
        written_by: person, house or a model's name: a model's words are labelled.
        occasion: why now, as `content propose` names it.
    """
    from shopkeeper.content.authoring import draft

    body = Body(
        parts=parts,
        item_ids=item_ids,
        evidence=evidence,
        written_by=written_by,
        occasion=occasion,
    )
    return draft(ctx.shop, ctx.actor, (name, channel, purpose), body)


@operation(effect=WRITE, example={"template_id": "W1", **_ABOUT})
def edit(
    ctx: Context,
    template_id: Id,
    parts: Parts,
    item_ids: Items = (),
    evidence: Evidences = (),
    written_by: Writer = "person",
    base: str = "",
) -> Shown:
    """Change a template's words: what was submitted is a draft again, what was approved gets a new version.

    Args:
        ctx: the shop and who writes.
        template_id: which.
        parts: all words.
        item_ids: all items.
        evidence: all proofs.
        written_by: who wrote them; what a model wrote stays labelled.
        base: the digest of the version that was edited: if somebody has changed it since, nothing is written.
    """
    from shopkeeper.content.authoring import edit

    body = Body(parts=parts, item_ids=item_ids, evidence=evidence, written_by=written_by)
    return edit(ctx.shop, ctx.actor, template_id, body, base)


@operation(effect=WRITE, example={"template_id": "W1"})
def submit(ctx: Context, template_id: Id) -> Shown:
    """Ask for the approval of a draft; refused while a finding stands against it."""
    from shopkeeper.content.authoring import submit

    return submit(ctx.shop, ctx.actor, template_id)


def _approval(ctx: Context, template_id: str, version: int, note: str) -> Sequence[Step]:
    from shopkeeper.content.deciding import planned

    del note
    return planned(ctx.shop, ctx.actor, template_id, version)


@operation(
    effect=Effect.CONTACT, example={"template_id": "W1", "version": 1}, plan=_approval
)  # fmt: skip
def approve(
    ctx: Context, template_id: Id, version: Number, note: Note = "", confirm: str = ""
) -> Decided:
    """Let a submitted version be sent: immutable from then on. Another person than its authors, never a key.

    It is checked again; the confirmed hash is of exactly the words, facts and findings that were looked at.
    """
    from shopkeeper.content.deciding import approve

    del confirm
    return approve(ctx.shop, ctx.actor, template_id, version, note)


@operation(
    effect=WRITE, example={"template_id": "W1", "version": 1, "reason": "The price is wrong."}
)
def reject(ctx: Context, template_id: Id, version: Number, reason: Note) -> Shown:
    """Send a submitted version back to its author, with the reason."""
    from shopkeeper.content.deciding import reject

    return reject(ctx.shop, ctx.actor, template_id, version, reason)


@operation(
    effect=WRITE, example={"template_id": "W1", "version": 1, "reason": "The offer is over."}
)
def withdraw(ctx: Context, template_id: Id, version: Number, reason: Note) -> Shown:
    """Take an approval back: what waits with these words does not leave, and no campaign may use them.

    Campaigns that use them are held up. An older approved version is the newest that may be sent again.

    Args:
        ctx: the shop and who asks: an author of that version, or who may approve.
        template_id: which.
        version: which of its versions.
        reason: what whoever uses the words is told.
    """
    from shopkeeper.content.deciding import withdraw

    return withdraw(ctx.shop, ctx.actor, template_id, version, reason)


@operation(effect=READ)
def list_(ctx: Context, state: State | None = None, channel: str = "") -> Listed:
    """The templates, the newest first; with a state, those whose newest version has it (or may be sent)."""
    from shopkeeper.content.showing import listed

    return listed(ctx.shop, state or "", channel)


@operation(effect=READ, example={"template_id": "W1"})
def show(ctx: Context, template_id: Id, version: Number | None = None) -> Shown:
    """One version of a template (the newest) with its findings, and the approved words that it replaces."""
    from shopkeeper.content.showing import shown

    return shown(ctx.shop, template_id, version)


@operation(effect=READ, example={"template_id": "W1"})
def versions(ctx: Context, template_id: Id) -> Versions:
    """Every version of a template: who wrote it, who decided what, when and why."""
    from shopkeeper.content.showing import versions

    return versions(ctx.shop, template_id)
