"""Rules for lists: what holds, a draft to change, what it would change, and the way back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from nicegui import PageArguments, ui
from nicegui.element import Element

from shopkeeper.console import figures, parts
from shopkeeper.console.pages.rule_form import Form
from shopkeeper.console.parts import Column, badge, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.recommend.types import Moved, RuleBook, RuleBooks, WhatIf

_SAMPLE: Final = 200


async def page(visit: Visit, _args: PageArguments) -> None:
    """The page."""
    parts.link(visit.w("menu.recommend"), "/recommend", "back")
    parts.title(visit.w("rules.title"), visit.w("rules.lead"))
    desk = _Desk(visit, box("stack"))
    await desk.load()


class _Desk:
    """The rules before the person: the draft where there is one, else what holds."""

    def __init__(self, visit: Visit, holder: Element) -> None:
        self.visit = visit
        self.holder = holder
        self.books: RuleBooks | None = None

    async def load(self) -> None:
        await self.visit.fill(self.holder, lambda: self.visit.run("recommend.rules"), self._draw)

    @property
    def rules(self) -> list[dict[str, Any]]:
        """The rules that an edit starts from, as JSON."""
        if self.books is None:
            return []
        book = self.books.draft or self.books.published
        return [
            rule.model_dump(mode="json", exclude_defaults=True) | {"kind": rule.kind}
            for rule in book.rules
        ]

    async def add(self, rule: Mapping[str, Any]) -> bool:
        """Put a rule behind the others of the draft; whether it was taken."""
        return await self._save([*self.rules, dict(rule)])

    async def remove(self, place: int) -> None:
        """Take a rule out of the draft; the message offers the way back."""
        before = self.rules
        if await self._save([rule for n, rule in enumerate(before) if n != place]):
            self.visit.tell(
                self.visit.w("rules.removed", name=before[place]["name"]),
                undo=lambda: self._save(before),
            )

    async def _save(self, rules: Sequence[Mapping[str, Any]]) -> bool:
        return await self._act("draft_rules", rules=list(rules))

    async def _act(self, name: str, **arguments: Any) -> bool:
        books = await self.visit.attempt(self.visit.run(f"recommend.{name}", **arguments))
        if books is None:
            return False
        self.holder.clear()
        with self.holder:
            self._draw(books)
        return True

    async def _publish(self) -> None:
        if self.books is not None and self.books.draft is not None:
            version = self.books.draft.version
            if await self._act("publish_rules", version=version):
                self.visit.tell(self.visit.w("rules.published_now"), undo=self._undo)

    async def _undo(self) -> None:
        await self._act("undo_rules")

    async def _discard(self) -> None:
        before = self.rules
        if await self._act("discard_rules"):
            self.visit.tell(self.visit.w("rules.discarded"), undo=lambda: self._save(before))

    def _draw(self, books: RuleBooks) -> None:
        self.books = books
        w, may = self.visit.w, self.visit.may("recommend.draft_rules")
        if books.draft is not None:
            with parts.panel(
                w("rules.draft"), lead=w("rules.draft_lead", version=books.draft.version)
            ):
                self._listed(books.draft, may)
                self._decide(may)
        with parts.panel(w("rules.holds"), lead=self._since(books)):
            self._listed(books.published, may and books.draft is None)
            if may and books.published.version:
                with box("form-row"):
                    parts.plain_button(w("rules.undo"), self._undo, icon="undo")
        if may:
            with parts.panel(w("rules.add"), lead=w("rules.add_lead")):
                Form(self.visit, self.add).draw()
        with parts.panel(w("rules.versions")):
            self._versions(books)

    def _since(self, books: RuleBooks) -> str:
        w = self.visit.w
        if not books.published.version:
            return w("rules.none_lead")
        return w("rules.version", version=books.published.version)

    def _listed(self, book: RuleBook, may: bool) -> None:
        w = self.visit.w
        if not book.rules:
            parts.empty(w("rules.empty"), w("rules.empty_advice"), "rule")
            return
        with box("rules", "ol"):
            for place, rule in enumerate(book.rules):
                with box("rule", "li"):
                    with box("rule-what"):
                        with box("rule-head"):
                            text(rule.name, "rule-name")
                            badge(w(f"rules.kind_{rule.kind}"))
                        text(said(self.visit, rule.model_dump(mode="json")), "lead")
                    if may:
                        button = ui.button(icon="delete", on_click=partial(self.remove, place))
                        label = w("rules.remove", name=rule.name)
                        button.props(f'flat round dense aria-label="{label}"')
        for conflict in book.conflicts:
            with box("conflict").props("role=note"):
                if conflict.second is None:
                    text(w("rules.idle", name=conflict.first), "conflict-head")
                else:
                    names = f"{conflict.first} × {conflict.second}"
                    text(w("rules.conflict", names=names), "conflict-head")
                wins = w("rules.wins", name=conflict.wins) if conflict.wins else ""
                text(f"{w(f'rules.why_{conflict.code}')} {wins}".strip(), "lead")

    def _decide(self, may: bool) -> None:
        w = self.visit.w

        async def compare() -> None:
            await self.visit.fill(
                shown,
                lambda: self.visit.run("recommend.what_if", customers=_SAMPLE),
                lambda reply: changes(self.visit, reply),
            )

        with box("form-row"):
            parts.plain_button(w("rules.what_if"), compare, icon="compare_arrows")
            if may:
                parts.button(w("rules.publish"), self._publish, icon="publish")
                parts.plain_button(w("rules.discard"), self._discard, icon="delete")
        shown = box("stack")

    def _versions(self, books: RuleBooks) -> None:
        w, n = self.visit.w, self.visit.n
        columns = [
            Column("version", w("rules.version_column"), number=True),
            Column("status", w("rules.status")),
            Column("rules", w("rules.count"), number=True),
            Column("made", w("rules.made")),
            Column("note", w("rules.note"), wraps=True),
        ]
        rows = [
            {
                "id": str(one.version),
                "version": n.count(one.version),
                "status": w(f"rules.status_{one.status}"),
                "rules": n.count(one.rules),
                "made": n.time(one.made_at),
                "note": one.note,
            }
            for one in books.versions
        ]
        if not rows:
            text(w("rules.no_versions"), "lead")
            return
        parts.table(columns, rows, label=w("rules.versions"))


def changes(visit: Visit, reply: WhatIf) -> None:
    """What a draft would change, in figures and items."""
    w, n = visit.w, visit.n
    with parts.facts():
        parts.fact(w("rules.customers"), n.count(reply.customers))
        parts.fact(w("rules.changed"), _share(visit, reply.changed))
        coverage = f"{n.count(reply.coverage_now)} → {n.count(reply.coverage_then)}"
        parts.fact(w("rules.coverage"), coverage)
        parts.fact(w("rules.shorter"), n.count(reply.shorter))
        parts.fact(w("rules.nothing_left"), n.count(reply.empty))
        parts.fact(w("rules.probability"), _share(visit, reply.probability))
        parts.fact(w("rules.revenue"), _money(visit, reply.revenue))
    if isinstance(reply.probability, CannotSay):
        text(figures.why_not(visit, reply.probability), "lead")
    if reply.example is not None:
        text(figures.why_not(visit, reply.example), "lead")
    for name, moved in (("gained", reply.gained), ("lost", reply.lost)):
        if moved:
            text(w(f"rules.{name}"), tag="h3")
            _moved(visit, moved, w(f"rules.{name}"))


def _moved(visit: Visit, moved: Sequence[Moved], label: str) -> None:
    w, n = visit.w, visit.n
    columns = [
        Column("item", w("rules.item"), wraps=True),
        Column("now", w("rules.now"), number=True),
        Column("then", w("rules.then"), number=True),
    ]
    rows = [
        {
            "id": one.item_id,
            "item": one.title or one.item_id,
            "now": n.count(one.now),
            "then": n.count(one.then),
        }
        for one in moved
    ]
    parts.table(columns, rows, label=label)


def _share(visit: Visit, amount: Estimate | CannotSay) -> str:
    if isinstance(amount, CannotSay):
        return "–"
    low, high = visit.n.share(amount.low), visit.n.share(amount.high)
    return f"{visit.n.share(amount.value)} ({low} – {high})"


def _money(visit: Visit, amount: Estimate | CannotSay) -> str:
    if isinstance(amount, CannotSay):
        return "–"
    low, high = visit.n.money(amount.low), visit.n.money(amount.high)
    return f"{visit.n.money(amount.value)} ({low} – {high})"


def said(visit: Visit, rule: Mapping[str, Any]) -> str:
    """The rule as a sentence."""
    w, n = visit.w, visit.n
    told = dict(rule)
    kind = str(told["kind"])
    values = {
        "where": _where(visit, told.get("where") or {}) or w("rules.all_items"),
        "share": n.share(float(told.get("share") or 0)),
        "place": n.count(told.get("place") or 0),
        "item": str(told.get("item_id") or ""),
        "most": n.count(told.get("most") or 0),
        "by": w.get(f"rules.by_{told.get('by')}", str(told.get("by") or "")),
        "least": n.count(told.get("least") or 0),
        "days": n.count(told["days"]) if told.get("days") else "",
        "strength": n.share(float(told.get("strength") or 0)),
    }
    key = "rules.said_never_again_days" if kind == "never_again" and told.get("days") else ""
    sentence = w(key or f"rules.said_{kind}", **values)
    return " ".join((sentence, *_scope(visit, told.get("scope") or {})))


def _where(visit: Visit, match: Mapping[str, Any]) -> str:
    w, n, join = visit.w, visit.n, visit.w("rules.join")
    told = [
        w(f"rules.where_{name}", values=join.join(match[name]))
        for name in ("items", "kinds", "brands", "categories")
        if match.get(name)
    ]
    told += [
        f"{name}: {join.join(values)}" for name, values in (match.get("attributes") or {}).items()
    ]
    if match.get("price_from") is not None:
        told.append(w("rules.where_from", price=n.money(match["price_from"])))
    if match.get("price_to") is not None:
        told.append(w("rules.where_to", price=n.money(match["price_to"])))
    if match.get("new_days"):
        told.append(w("rules.where_new", days=n.count(match["new_days"])))
    return w("rules.and").join(told)


def _scope(visit: Visit, scope: Mapping[str, Any]) -> list[str]:
    w, join = visit.w, visit.w("rules.join")
    told = []
    if scope.get("pages"):
        told.append(w("rules.scope_pages", pages=join.join(scope["pages"])))
    if scope.get("segment"):
        told.append(w("rules.scope_segment", segment=scope["segment"]))
    if scope.get("customers"):
        told.append(w("rules.scope_customers", count=visit.n.count(len(scope["customers"]))))
    told += [
        w(f"rules.scope_{name}", day=str(scope[name])[:10])
        for name in ("valid_from", "valid_to")
        if scope.get(name)
    ]
    return told
