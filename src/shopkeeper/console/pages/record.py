"""The decision record: why a customer got this, or nothing, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from nicegui import PageArguments, ui

from shopkeeper.campaigns.record.types import Record
from shopkeeper.console import figures, parts
from shopkeeper.console.parts import Column, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.content.types import Withdrawal

_ASKED = {
    "message": "message_id",
    "customer": "customer_id",
    "campaign": "campaign_id",
    "decision": "decision_id",
}


async def page(visit: Visit, args: PageArguments) -> None:
    """The record of what the address names, or a form that asks for it."""
    w = visit.w
    given = {name: args.query_parameters.get(short, "") for short, name in _ASKED.items()}
    parts.title(w("record.title"), w("record.lead"))
    _form(visit, given)
    holder = box("stack")
    if any(given.values()):
        asked = {name: value for name, value in given.items() if value}
        await visit.fill(
            holder,
            lambda: visit.run("campaigns.record", **asked, lang=visit.lang),
            lambda reply: _drawn(visit, reply),
        )
    else:
        with holder:
            parts.empty(w("record.none"), w("record.none_lead"), "manage_search")


def _form(visit: Visit, given: Mapping[str, str]) -> None:
    w = visit.w
    fields = {}
    with box("form-row"):
        for short, name in _ASKED.items():
            field = ui.input(label=w(f"record.{short}"), value=given[name])
            fields[short] = field.props("outlined dense").classes("wide-field")

        def go() -> None:
            told = {k: str(f.value or "").strip() for k, f in fields.items()}
            query = "&".join(f"{k}={quote(v, safe='')}" for k, v in told.items() if v)
            ui.navigate.to(f"/record?{query}")

        parts.button(w("record.ask"), go, icon="search")


def link(
    visit: Visit, *, message_id: str = "", customer_id: str = "", campaign_id: str = ""
) -> None:
    """A way to a record, from wherever one of these is shown."""
    told = {"message": message_id, "customer": customer_id, "campaign": campaign_id}
    query = "&".join(f"{k}={quote(v, safe='')}" for k, v in told.items() if v)
    parts.link(visit.w("record.open"), f"/record?{query}")


def _drawn(visit: Visit, reply: Record) -> None:
    w = visit.w
    with parts.panel(reply.answer):
        if not reply.certain:
            parts.badge(w("record.uncertain"), "warn")
        for one in reply.unknown:
            text(one, "lead")
        if reply.withheld:
            text(w("record.withheld"), "lead")
    _why(visit, reply)
    _listed(visit, reply)
    _words(visit, reply)
    _consent(visit, reply)
    _sending(visit, reply)
    _outcome(visit, reply)


def _facts(visit: Visit, heading: str, told: Mapping[str, Any]) -> None:
    """A panel of names and values; what is empty is left out."""
    with parts.panel(visit.w(f"record.{heading}")), parts.facts():
        for name, value in told.items():
            if value not in (None, "", ()):
                parts.fact(visit.w(f"record.{name}"), str(value))


def _why(visit: Visit, reply: Record) -> None:
    n, inside, draw, gone = visit.n, reply.membership, reply.draw, reply.approval
    if inside is not None:
        reasons = " · ".join(one.text for one in inside.reasons)
        told = {
            "segment": f"{inside.segment_id} {inside.name}",
            "version": inside.version,
            "definition": inside.definition,
            "since": figures.moment(visit, inside.since),
            "reasons": reasons,
            "note": inside.note,
        }
        _facts(visit, "whom", told)
    if draw is not None:
        shares = " · ".join(f"{name} {n.share(share, 0)}" for name, share in draw.shares.items())
        told = {
            "experiment": draw.experiment_id,
            "variant": draw.variant_id,
            "propensity": n.share(draw.propensity),
            "drawn": figures.moment(visit, draw.at),
            "shares": shares,
        }
        _facts(visit, "draw", told)
    if gone is not None:
        told = {
            "campaign": f"{gone.campaign_id} {gone.name}",
            "created_by": f"{gone.created_by} · {figures.moment(visit, gone.created_at)}",
            "confirmed_by": f"{gone.confirmed_by or '–'} · {figures.moment(visit, gone.confirmed_at)}",
            "plan_hash": gone.plan_hash,
            "suggestion": gone.suggestion,
        }
        _facts(visit, "approval", told)


def _words(visit: Visit, reply: Record) -> None:
    words = reply.words
    if words is None:
        return
    content = words.content or {}
    told = {
        "template": f"{words.content_id} {words.name}",
        "subject": content.get("subject"),
        "text": content.get("text"),
        "author": ", ".join((words.author, *words.editors)),
        "written_by": words.written_by,
        "approver": f"{words.approver} · {figures.moment(visit, words.approved_at)}",
        "facts": " · ".join(f"{one.item_id} {one.name}: {one.value}" for one in words.facts),
        "checks": " · ".join(f"{one.code}: {one.verdict} ({one.because})" for one in words.checks),
        "label": " · ".join(words.label.values()),
        "digest": words.digest,
        "withdrawn": _withdrawn(visit, words.withdrawn),
    }
    _facts(visit, "words", told)


def _withdrawn(visit: Visit, gone: Withdrawal | None) -> str:
    if gone is None:
        return ""
    return f"{gone.by} · {figures.moment(visit, gone.at)} · {gone.reason}"


def _consent(visit: Visit, reply: Record) -> None:
    w, consent, rules = visit.w, reply.consent, reply.rules
    if consent is not None:
        held = consent.held
        needed, silent = w("page.yes" if consent.needed else "page.no"), w("consent.silent")
        told: dict[str, Any] = {"needed": needed, "status": silent if consent.needed else ""}
        if held is not None:
            told |= {
                "status": w(f"consent.{held.status}"),
                "said": figures.moment(visit, held.time),
                "recorded": figures.moment(visit, held.recorded_at),
                "proof": " · ".join(f"{k}: {v}" for k, v in held.proof.items()),
            }
        _facts(visit, "consent", told)
    if rules is not None:
        caps = " · ".join(f"{one['most']} / {one['days']} d" for one in rules.policy["caps"])
        quiet = rules.policy["quiet"]
        told = {
            "policy": rules.version,
            "caps": caps,
            "quiet": f"{quiet['start']}–{quiet['end']}" if quiet else "–",
            "before": rules.messages_before,
        }
        _facts(visit, "rules", told)


def _sending(visit: Visit, reply: Record) -> None:
    w, sent = visit.w, reply.sending
    if sent is None:
        return
    with parts.panel(w("record.sending")):
        with parts.facts():
            parts.fact(w("record.message"), sent.message_id)
            parts.fact(w("record.state"), w.get(f"message.{sent.state}", sent.state))
            parts.fact(w("record.sent"), figures.moment(visit, sent.sent_at))
            if sent.address:
                parts.fact(w("record.address"), sent.address)
        rows = [
            {"id": f"t{n}", "time": figures.moment(visit, one.started_at),
             "what": one.outcome or "–", "detail": " ".join(filter(None, (one.code, one.answer)))}
            for n, one in enumerate(sent.tries)
        ]  # fmt: skip
        rows += [
            {"id": f"e{n}", "time": figures.moment(visit, one.time), "what": one.kind,
             "detail": one.why or one.link or ""}
            for n, one in enumerate(sent.events)
        ]  # fmt: skip
        if rows:
            columns = [
                Column("time", w("column.time")),
                Column("what", w("record.what")),
                Column("detail", w("record.detail"), wraps=True),
            ]
            parts.table(columns, rows, label=w("record.sending"))


def _listed(visit: Visit, reply: Record) -> None:
    w, n, listed = visit.w, visit.n, reply.listed
    if listed is None:
        return
    told = {
        "decision": listed.decision_id,
        "policy": listed.policy,
        "rules_fired": " · ".join(listed.rules),
        "context": " · ".join(f"{k}: {v}" for k, v in listed.context.items()),
    }
    _facts(visit, "listed", told)
    columns = [
        Column("place", w("record.place"), number=True),
        Column("item", w("column.item_id"), wraps=True),
        Column("chance", w("record.propensity"), number=True),
        Column("others", w("record.candidates"), number=True),
    ]
    rows = [
        {"id": str(one.position), "place": one.position + 1, "item": one.title,
         "chance": n.share(one.propensity), "others": len(one.candidates)}
        for one in listed.places
    ]  # fmt: skip
    with parts.panel(w("record.places")):
        parts.table(columns, rows, label=w("record.places"))


def _outcome(visit: Visit, reply: Record) -> None:
    n, after = visit.n, reply.outcome
    if after is None:
        return
    told = {
        "window": f"{figures.moment(visit, after.since)} – {figures.moment(visit, after.until)}",
        "whole": visit.w("page.yes" if after.whole else "page.no"),
        "views": n.count(after.views),
        "orders": n.count(after.orders),
        "revenue": n.money(after.revenue),
        "order_ids": " · ".join(after.order_ids),
    }
    _facts(visit, "outcome", told)
