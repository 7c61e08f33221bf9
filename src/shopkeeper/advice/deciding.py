"""What a person does with a suggestion: take it, put it away, bring it back."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from shopkeeper.advice.reaching import PURPOSE
from shopkeeper.advice.showing import shown
from shopkeeper.advice.sizing import WINDOW
from shopkeeper.advice.types import Suggestion, Taken, Test
from shopkeeper.content.authoring import draft
from shopkeeper.content.house.grammar import HOUSE
from shopkeeper.content.proposing import Wanted, propose
from shopkeeper.core.errors import BadInput, Conflict, LeaseHeld, NotFound
from shopkeeper.core.operation import Context, silent
from shopkeeper.core.settings import Language
from shopkeeper.customers.segmenting.parsing import from_json
from shopkeeper.customers.segmenting.refreshing import refresh
from shopkeeper.customers.segmenting.saving import save
from shopkeeper.store.suggestions import DISMISSED, OPEN, TAKEN, Suggestions
from shopkeeper.store.templates import APPROVED, Templates

_REST: Final = timedelta(days=30)
"""For so long what was taken does not come again."""

_HOLD_OUT: Final = 0.1
_LONGEST: Final = 120


def dismiss(ctx: Context, suggestion_id: str, reason: str, days: int, lang: Language) -> Suggestion:
    """Put it away for so many days."""
    now = ctx.shop.now()
    times = (now, now + timedelta(days=days))
    kept = Suggestions(ctx.shop.database)
    kept.decide(suggestion_id, ((OPEN,), DISMISSED), (reason.strip(), ctx.actor.name), times)
    return shown(ctx.shop, suggestion_id, lang)


def restore(ctx: Context, suggestion_id: str, lang: Language) -> Suggestion:
    """Open it again."""
    kept = Suggestions(ctx.shop.database)
    told = ((DISMISSED, TAKEN), OPEN)
    kept.decide(suggestion_id, told, ("", ctx.actor.name), (ctx.shop.now(), None))
    return shown(ctx.shop, suggestion_id, lang)


def take(ctx: Context, suggestion_id: str, lang: Language) -> Taken:
    """Mark it, keep its group as a segment, and say how its campaign is made; again: the same."""
    shop = ctx.shop
    kept = Suggestions(shop.database)
    one = kept.get(suggestion_id)
    if one.body["care"]:
        raise Conflict(
            "This suggestion is a matter for people: no campaign is made of it.",
            hint="Answer the customers; dismiss it when that is done.",
            field="suggestion_id",
        )
    if one.state == OPEN:
        now = shop.now()
        told = ("", ctx.actor.name)
        one = kept.decide(suggestion_id, ((OPEN,), TAKEN), told, (now, now + _REST))
    elif one.state != TAKEN:
        raise Conflict(
            f"{suggestion_id} is {one.state}.",
            hint="Bring it back first: shopkeeper advice restore",
            field="suggestion_id",
        )
    title = one.body["said"][lang]["title"]
    if not one.body.get("segment_id"):
        definition = from_json(one.body["tree"])
        segment = save(shop, title[:_LONGEST], definition, False, f"advice {suggestion_id}")
        kept.note(suggestion_id, {"segment_id": segment.id})
        _fill(ctx)
    suggestion = shown(shop, suggestion_id, lang)
    template, missing = _template(ctx, suggestion, kept.get(suggestion_id).body)
    arguments = _draft(suggestion, template)
    return Taken(
        suggestion=suggestion,
        draft=arguments,
        template_id=template or None,
        missing=missing,
        next=_next(arguments),
    )


def _fill(ctx: Context) -> None:
    """Find the members of the new segment: now, or by the worker where one is at the tables."""
    try:
        refresh(replace(ctx, progress=silent), copy=False)
    except LeaseHeld:
        scopes = frozenset({"customers:write"})
        ctx.shop.jobs.create("customers.refresh_segments", {}, ctx.actor.name, scopes)


def _draft(suggestion: Suggestion, template: str) -> dict[str, Any]:
    """The arguments of ``campaigns draft``."""
    test = suggestion.test
    design = {
        "name": suggestion.title,
        "segment_id": suggestion.whom.segment_id,
        "templates": [{"template_id": template}] if template else [],
        "hold_out": test.hold_out if isinstance(test, Test) else _HOLD_OUT,
        "window_days": WINDOW,
        "primary": "conversion",
    }
    return {"design": design, "advice": suggestion.suggestion_id}


def _template(
    ctx: Context, suggestion: Suggestion, body: Mapping[str, Any]
) -> tuple[str, tuple[str, ...]]:
    """A fitting template and what it still lacks: an approved one; else the house's draft, kept now."""
    wanted = set(suggestion.what.item_ids)
    for template, versions in Templates(ctx.shop.database, ctx.shop.now).all():
        if template.channel != suggestion.channel or template.purpose != PURPOSE:
            continue
        approved = next((one for one in versions if one.state == APPROVED), None)
        if approved is None or approved.body.get("occasion") != suggestion.what.occasion:
            continue
        if not wanted or set(approved.body.get("item_ids", ())) & wanted:
            return template.id, ()
    proposed = body.get("template_id") or _proposed(ctx, suggestion, body)
    return proposed, ("approval" if proposed else "template",)


def _proposed(ctx: Context, suggestion: Suggestion, body: Mapping[str, Any]) -> str:
    """The draft that the house writes about the item in question; empty where it cannot."""
    about, occasion = body.get("about"), suggestion.what.occasion
    if not about or not occasion or suggestion.channel is None:
        return ""
    asked = Wanted(about, "", suggestion.channel, PURPOSE, (occasion,), HOUSE)  # type: ignore[arg-type]
    try:
        drafts = propose(ctx.shop, asked).drafts
    except (BadInput, NotFound):  # the item has no title, or is gone
        return ""
    if not drafts:
        return ""
    name = suggestion.title[:_LONGEST]
    made = draft(ctx.shop, ctx.actor, (name, suggestion.channel, PURPOSE), drafts[0].body)
    Suggestions(ctx.shop.database).note(suggestion.suggestion_id, {"template_id": made.template_id})
    return made.template_id


def _next(arguments: Mapping[str, Any]) -> str:
    """The command that makes the campaign; or, where words are missing, what to do first."""
    if not arguments["design"]["templates"]:
        return "shopkeeper content propose --help"
    told = json.dumps(arguments["design"], ensure_ascii=False)
    return shlex.join(
        ["shopkeeper", "campaigns", "draft", "--design", told, "--advice", arguments["advice"]]
    )
