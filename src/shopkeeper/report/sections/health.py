"""How far the data can be trusted."""

from __future__ import annotations

from typing import Final

from shopkeeper.collect.types import Finding, Receipt
from shopkeeper.report.desk import Desk
from shopkeeper.report.parts import Cell, Note, Opening, Section, Table
from shopkeeper.report.words import finding_words

_TONES: Final = {"problem": "bad", "warning": "warn", "note": "flat"}
_DAYS: Final = 5


def health(desk: Desk) -> Section:
    """Counts, findings, and what became of every line of the last imports."""
    reply = desk.facts.health
    notes = tuple(_note(desk, finding) for finding in reply.findings)
    if not notes:
        notes = (Note(desk.w("health.fine"), "", "good"),)
    return Section(
        name="health",
        title=desk.w("health.title"),
        lead=_lead(desk),
        notes=notes + tuple(_received(desk, receipt) for receipt in desk.facts.receipts),
        opening=_counts(desk),
    )


def _lead(desk: Desk) -> str:
    reply = desk.facts.health
    if reply.first_day is None:
        return desk.w("health.nothing")
    events = next((c.rows for c in reply.counts if c.table == "events"), 0)
    return desk.w(
        "health.lead",
        events=desk.n.count(events),
        start=desk.n.date(reply.first_day),
        end=desk.n.date(reply.last_day),
        days=desk.n.count(reply.days),
    )


def _note(desk: Desk, finding: Finding) -> Note:
    reply = desk.facts.health
    tone = _TONES[finding.severity]
    if desk.lang == "en":
        return Note(finding.message, "", tone, more=finding.to_do)
    known = finding_words("zh")
    values = {
        "share": desk.n.share(finding.share),
        "rows": desk.n.count(finding.rows),
        "days": desk.w("list.comma").join(map(desk.n.date, reply.days_without_events[:_DAYS])),
        "last": desk.n.date(reply.last_day),
    }
    text = known.get(f"{finding.code}.text", "")
    if not text:
        return Note(desk.w("finding.other", code=finding.code, **_only(values)), "", tone)
    return Note(text.format(**values), "", tone, more=known.get(f"{finding.code}.to_do", ""))


def _only(values: dict[str, str]) -> dict[str, str]:
    return {name: values[name] for name in ("rows", "share")}


def _counts(desk: Desk) -> Opening:
    reply = desk.facts.health
    heads = ((desk.w("health.table"), False), (desk.w("health.rows"), True))
    rows = [
        [Cell(desk.w.get(f"table.{c.table}", c.table)), Cell(desk.n.count(c.rows), number=True)]
        for c in reply.counts
    ]
    facts = (
        ("health.without_customer", desk.n.share(reply.without_customer)),
        ("health.without_item", desk.n.share(reply.without_item)),
        ("health.unknown_items", desk.n.count(reply.unknown_items)),
        ("health.empty_days", desk.n.count(len(reply.days_without_events))),
        ("health.refused", desk.n.count(reply.refused_waiting)),
        ("health.waiting", desk.n.count(reply.waiting_in_log)),
    )
    rows += [[Cell(desk.w(key)), Cell(text, number=True)] for key, text in facts]
    return Opening(
        meaning=desk.w("health.counts"),
        table=Table(heads, rows),
        command="shopkeeper collect health",
    )


def _received(desk: Desk, receipt: Receipt) -> Note:
    """What became of each line of one import; money by outcome, so that the file's total adds up."""
    text = desk.w(
        "health.import",
        file=receipt.file.replace("\\", "/").rpartition("/")[2],
        read=desk.n.count(receipt.rows_read),
        new=desk.n.count(receipt.new),
        duplicate=desk.n.count(receipt.duplicate),
        repaired=desk.n.count(receipt.repaired),
        refused=desk.n.count(receipt.refused),
    )
    parts = []
    for money in receipt.money:
        part = desk.w(
            "health.money",
            outcome=desk.w.get(f"event.{money.outcome}", money.outcome),
            rows=desk.n.count(money.rows),
            value=desk.n.money(money.file_value),
        )
        if money.without_customer:
            part += desk.w(
                "health.money_nobody",
                rows=desk.n.count(money.without_customer),
                value=desk.n.money(money.without_customer_value),
            )
        parts.append(part)
    return Note(text, "", "flat", more=desk.w("list.semicolon").join(parts))
