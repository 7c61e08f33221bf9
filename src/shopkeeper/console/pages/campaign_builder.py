"""Building a campaign: whom, which words, when, held against whom; with a dry run at each try."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from nicegui import PageArguments, ui

from shopkeeper.campaigns.types import Design
from shopkeeper.console import parts
from shopkeeper.console.pages.campaign_try import tried
from shopkeeper.console.parts import box
from shopkeeper.console.visit import Visit

_MEASURES: Final = ("conversion", "revenue", "margin", "orders", "retention")
_MINUTES: Final = "%Y-%m-%dT%H:%M"


@dataclass
class _Known:
    """What can be chosen, and the draft that is changed, if it is one."""

    segments: dict[str, str]
    templates: dict[str, str]
    design: Design | None
    campaign_id: str
    revision: int


async def page(visit: Visit, args: PageArguments) -> None:
    """The form, empty or with a draft's values, and below it what would happen."""
    campaign_id = args.query_parameters.get("id", "")
    w = visit.w
    parts.link(w("campaigns.back"), "/campaigns", "back")
    with box("page-top"):
        parts.title(w("campaigns.new"), w("campaigns.new_lead"))
    holder = box("stack")

    async def load() -> _Known:
        found = await visit.run("customers.segments", lang=visit.lang)
        templates = await visit.run("content.list")
        design, revision = None, 0
        if campaign_id:
            shown = await visit.run("campaigns.show", campaign_id=campaign_id)
            design, revision = shown.campaign.design, shown.campaign.revision
        return _Known(
            segments={one.id: _sized(visit, one) for one in found.segments},
            templates={
                one.template_id: f"{one.name} · {one.channel} · {one.template_id}"
                for one in templates.templates
                if one.approved_version is not None
            },
            design=design,
            campaign_id=campaign_id,
            revision=revision,
        )

    await visit.fill(holder, load, lambda known: _Form(visit, known).build())


def _sized(visit: Visit, segment: Any) -> str:
    size = "–" if segment.members is None else visit.n.count(segment.members)
    return f"{segment.name} · {size} · {segment.id}"


class _Form:
    """The fields, and the draft that they are kept in."""

    def __init__(self, visit: Visit, known: _Known) -> None:
        self.visit = visit
        self.known = known
        self.campaign_id = known.campaign_id
        self.revision = known.revision

    def build(self) -> None:
        """Draw the form; what is missing before one can be made is said."""
        w = self.visit.w
        if not self.known.segments:
            parts.empty(w("campaigns.no_segments"), w("campaigns.no_segments_advice"), "groups")
            parts.link(w("menu.groups"), "/segments")
            return
        if not self.known.templates:
            parts.empty(w("campaigns.no_templates"), w("campaigns.no_templates_advice"), "drafts")
            parts.link(w("menu.templates"), "/templates")
            return
        with parts.panel(w("campaigns.step_what")), box():
            self._whom()
            self._when()
            self._measured()
            with box("form-row"):
                parts.button(w("campaigns.try"), self.save, icon="play_circle")
                self.go = parts.plain_button(w("campaigns.go_on"), self._go, icon="arrow_forward")
                self.go.set_enabled(bool(self.campaign_id))
        self.holder = box("stack")

    def _whom(self) -> None:
        w, design = self.visit.w, self.known.design
        with box("form-row"):
            self.name = _field(w("campaigns.name"), design.name if design else "")
            first = design.segment_id if design else next(iter(self.known.segments))
            self.segment = ui.select(
                self.known.segments, value=first, label=w("campaigns.segment"), with_input=True
            )
            self.segment.props("outlined dense options-dense").classes("wide-field")
        with box("form-row"):
            chosen = [one.template_id for one in design.templates] if design else []
            chosen = [one for one in chosen if one in self.known.templates]
            self.templates = ui.select(
                self.known.templates,
                value=chosen or [next(iter(self.known.templates))],
                multiple=True,
                label=w("campaigns.templates"),
            )
            self.templates.props("outlined dense options-dense use-chips").classes("wide-field")
            held = (design.hold_out if design else 0.1) * 100
            self.hold_out = _number(w("campaigns.hold_out_percent"), held, 50)
        with box("form-row"):
            when = {one: w(f"campaigns.{one}") for one in ("at_start", "at_confirm")}
            kept = design.membership if design else "at_start"
            self.membership = ui.select(when, value=kept, label=w("campaigns.membership"))
            self.membership.props("outlined dense options-dense").classes("wide-field")

    def _when(self) -> None:
        w, design = self.visit.w, self.known.design
        with box("form-row"):
            self.starts = self._moment(w("campaigns.starts"), design.starts_at if design else None)
            self.ends = self._moment(w("campaigns.ends"), design.ends_at if design else None)
            self.local = ui.checkbox(
                w("campaigns.local_time"), value=design.local_time if design else False
            )

    def _measured(self) -> None:
        w, design = self.visit.w, self.known.design
        with box("form-row"):
            cost = design.cost_per_message if design else None
            self.cost = _number(w("campaigns.cost_per_message"), cost, 1_000_000)
            self.budget = _number(w("campaigns.budget"), design.budget if design else None, 1e12)
            names = {one: w.get(f"measure.{one}", one) for one in _MEASURES}
            primary = design.primary if design else _MEASURES[0]
            names.setdefault(primary, primary)
            self.primary = ui.select(names, value=primary, label=w("campaigns.measure"))
            self.primary.props("outlined dense options-dense")
            days = design.window_days if design else 7
            self.days = _number(w("campaigns.window_days"), days, 90)

    def _moment(self, label: str, value: datetime | None) -> ui.input:
        local = value.astimezone(self.visit.settings.zone).strftime(_MINUTES) if value else ""
        field = ui.input(label=label, value=local)
        return field.props("outlined dense type=datetime-local stack-label")

    def _design(self) -> dict[str, Any]:
        return {
            "name": str(self.name.value or "").strip(),
            "segment_id": self.segment.value,
            "membership": self.membership.value,
            "templates": [{"template_id": one} for one in self.templates.value or []],
            "hold_out": float(self.hold_out.value or 0) / 100,
            "starts_at": self._told(self.starts),
            "ends_at": self._told(self.ends),
            "local_time": bool(self.local.value),
            "cost_per_message": _amount(self.cost),
            "budget": _amount(self.budget),
            "primary": self.primary.value,
            "window_days": int(self.days.value or 7),
        }

    def _told(self, field: ui.input) -> str | None:
        """The moment in the shop's time zone, as ISO 8601."""
        told = str(field.value or "").strip()
        if not told:
            return None
        try:
            local = datetime.strptime(told[:16], _MINUTES)
        except ValueError:
            return told  # the operation says what is wrong with it
        return local.replace(tzinfo=self.visit.settings.zone).isoformat()

    async def save(self) -> None:
        """Keep the draft, and show what would happen."""
        visit, design = self.visit, self._design()
        if self.campaign_id:
            call = visit.run(
                "campaigns.edit",
                campaign_id=self.campaign_id,
                design=design,
                revision=self.revision,
            )
        else:
            call = visit.run("campaigns.draft", design=design)
        done = await visit.attempt(call)
        if done is None:
            return
        self.campaign_id, self.revision = done.campaign_id, done.revision
        self.go.set_enabled(True)
        given = {"campaign_id": self.campaign_id, "lang": visit.lang}
        await visit.fill(
            self.holder,
            lambda: visit.run("campaigns.dry_run", **given),
            lambda reply: tried(visit, reply),
        )

    def _go(self) -> None:
        ui.navigate.to(f"/campaigns/{quote(self.campaign_id, safe='')}")


def _field(words: str, value: str) -> ui.input:
    field = ui.input(label=words, value=value).props("outlined dense maxlength=200")
    return field.classes("wide-field")


def _number(words: str, value: float | None, most: float) -> ui.number:
    field = ui.number(label=words, value=value, min=0, max=most)
    return field.props("outlined dense stack-label")


def _amount(field: ui.number) -> float | None:
    return None if field.value in (None, "") else float(field.value)
