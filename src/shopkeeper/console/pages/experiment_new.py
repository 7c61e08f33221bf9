"""Designing an experiment: what it would cost by each way of ending it, then what is tried on whom."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from nicegui import PageArguments, ui
from nicegui.element import Element

from shopkeeper.console import figures, parts
from shopkeeper.console.pages.experiments import label
from shopkeeper.console.parts import Column, badge, box, text
from shopkeeper.console.visit import Visit
from shopkeeper.experiments.types import Metrics, Planning, Price

_KNOWS: Final[dict[str, bool | None]] = {"yes": True, "no": False, "unsure": None}


async def page(visit: Visit, _args: PageArguments) -> None:
    """First the price, then the design."""
    parts.link(visit.w("experiments.back"), "/experiments", "back")
    with box("page-top"):
        parts.title(visit.w("experiments.new"), visit.w("experiments.new_lead"))
    holder = box("stack")

    def draw(reply: Metrics) -> None:
        _Desk(visit, reply).build()

    await visit.fill(holder, lambda: visit.run("experiments.metrics"), draw)


class _Desk:
    """What the person has chosen so far."""

    def __init__(self, visit: Visit, metrics: Metrics) -> None:
        self.visit = visit
        self.labels = {m.name: label(visit, m) for m in metrics.metrics}
        self.primary = next(iter(self.labels))
        self.effect = 10.0
        self.known = "unsure"
        self.rule = "obrien_fleming"
        self.units = 0
        self.prices: Element | None = None
        self.design: Element | None = None

    def build(self) -> None:
        """The two steps."""
        w = self.visit.w
        with parts.panel(w("experiments.step_price"), lead=w("experiments.step_price_lead")):
            with box():  # the style sheet would draw two rows right under a heading together
                self._questions()
            self.prices = box("stack")
        self.design = box("stack")

    def _questions(self) -> None:
        w = self.visit.w
        with box("form-row"):
            select = ui.select(self.labels, value=self.primary, label=w("experiments.primary"))
            select.props("outlined dense options-dense").classes("wide-field")
            select.bind_value_to(self, "primary")
            effect = ui.number(
                label=w("experiments.effect"), value=self.effect, min=0.5, max=500, step=1
            )
            effect.props("outlined dense").bind_value_to(self, "effect")
        with box("form-row"), box():
            text(w("experiments.question"), "fact-name").props("id=end-known")
            known = ui.radio({k: w(f"experiments.knows_{k}") for k in _KNOWS}, value=self.known)
            known.props('inline aria-labelledby="end-known"').bind_value_to(self, "known")
        with box("form-row"):
            parts.button(w("experiments.work_out"), self.price, icon="calculate")

    async def price(self) -> None:
        """Ask what it would cost."""
        if self.prices is None:
            return
        ask = {
            "metric": self.primary,
            "effect": float(self.effect or 0) / 100,
            "end_known": _KNOWS[self.known],
            "lang": self.visit.lang,
        }
        await self.visit.fill(
            self.prices, lambda: self.visit.run("experiments.plan", **ask), self._priced
        )

    def _priced(self, reply: Planning) -> None:
        w, n = self.visit.w, self.visit.n
        if self.design is not None:
            self.design.clear()
        if reply.cannot_say is not None:
            text(figures.why_not(self.visit, reply.cannot_say), "lead")
            return
        with parts.facts():
            base = figures.full(self.visit, reply.base, reply.metric.unit)
            parts.fact(w("experiments.base"), base)
            parts.fact(w("experiments.arrivals"), n.decimal_or_count(reply.arrivals or 0))
            parts.fact(w("experiments.saved"), n.share(reply.saved))
            parts.fact(w("experiments.power"), n.share(reply.power, 0))
        columns = [
            Column("rule", w("experiments.rule"), opens=True),
            Column("units", w("experiments.customers_needed"), number=True),
            Column("days", w("experiments.days_needed"), number=True),
            Column("if_true", w("experiments.if_true"), number=True),
            Column("if_none", w("experiments.if_none"), number=True),
            Column("what", w("experiments.meaning"), wraps=True),
        ]
        rows = [self._row(price) for price in reply.prices]
        parts.table(
            columns,
            rows,
            label=w("experiments.prices"),
            on_open=lambda rule: self._choose(rule, reply.prices),
        )
        with box("voice-head"):
            if reply.recommended is not None:
                badge(w(f"stopping.{reply.recommended}"), "good")
            text(reply.why, "lead")
        self._choose(reply.recommended or self.rule, reply.prices)

    def _row(self, price: Price) -> dict[str, str]:
        w, n = self.visit.w, self.visit.n

        def days(count: int | None) -> str:
            return w("experiments.too_long") if count is None else n.count(count)

        return {
            "id": price.rule,
            "rule": w(f"stopping.{price.rule}"),
            "units": n.count(price.units),
            "days": days(price.days),
            "if_true": days(price.days_if_true),
            "if_none": days(price.days_if_none),
            "what": price.what,
        }

    def _choose(self, rule: str, prices: tuple[Price, ...]) -> None:
        self.rule = rule
        self.units = next(price.units for price in prices if price.rule == rule)
        if self.design is None:
            return
        self.design.clear()
        with self.design:
            self._form()

    def _form(self) -> None:
        w, n = self.visit.w, self.visit.n
        lead = w(
            "experiments.step_design_lead",
            rule=w(f"stopping.{self.rule}"),
            units=n.count(self.units),
        )
        others = {name: words for name, words in self.labels.items() if name != self.primary}
        with parts.panel(w("experiments.step_design"), lead=lead), box():
            with box("form-row"):
                name = _field(w("experiments.name"), 200)
                code = _field(w("experiments.id"), 100)
            with box("form-row"):
                hypothesis = _field(w("experiments.hypothesis"), 500)
                changed = _field(w("experiments.what_changes"), 500)
            with box("form-row"):
                guards = ui.select(others, multiple=True, label=w("experiments.guardrails"))
                guards.props("outlined dense options-dense use-chips").classes("wide-field")
                more = ui.select(others, multiple=True, label=w("experiments.secondaries"))
                more.props("outlined dense options-dense use-chips").classes("wide-field")

            async def create() -> None:
                design: dict[str, Any] = {
                    "name": str(name.value or "").strip(),
                    "hypothesis": str(hypothesis.value or "").strip(),
                    "variants": [
                        {"variant_id": "control"},
                        {"variant_id": "treatment", "what": str(changed.value or "").strip()},
                    ],
                    "primary": self.primary,
                    "guardrails": list(guards.value or []),
                    "secondary": [m for m in (more.value or []) if m not in (guards.value or [])],
                    "rule": self.rule,
                    "units": self.units,
                }
                given = str(code.value or "").strip()
                done = await self.visit.attempt(
                    self.visit.run("experiments.create", experiment_id=given, design=design)
                )
                if done is not None:
                    self.visit.tell(w("experiments.created"))
                    ui.navigate.to(f"/experiments/{quote(done.experiment_id, safe='')}")

            with box("form-row"):
                parts.button(w("experiments.create"), create, icon="science")


def _field(words: str, longest: int) -> ui.input:
    field = ui.input(label=words).props(f"outlined dense maxlength={longest}")
    return field.classes("wide-field")
