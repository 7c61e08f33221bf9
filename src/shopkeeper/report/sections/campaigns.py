"""What campaigns did against those who were held out, with their intervals."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import TypeAdapter

from shopkeeper.core.types import CannotSay, Estimate, EstimateOrCannotSay
from shopkeeper.report import charts
from shopkeeper.report.desk import Desk
from shopkeeper.report.forest import Effect, forest
from shopkeeper.report.parts import Bar, Cell, Chart, Opening, Section, Table, clipped
from shopkeeper.store.campaigns import Stored

_ADAPTER: TypeAdapter[Estimate | CannotSay] = TypeAdapter(EstimateOrCannotSay)
_FIGURES = ("lift", "revenue", "margin", "cost")
_COMMAND = ("shopkeeper", "campaigns", "results")


def campaigns(desk: Desk) -> Section:
    """Lift of each measured campaign, and a row for each that was started."""
    w, started = desk.w, desk.facts.advised.campaigns
    if not started:
        return Section("campaigns", w("measured.title"), "", empty=w("measured.empty"))
    return Section(
        name="campaigns",
        title=w("measured.title"),
        lead=w("measured.lead"),
        charts=_chart(desk),
        groups=(("campaigns-started", w("measured.started"), tuple(_rows(desk))),),
    )


def _arms(campaign: Stored) -> Mapping[str, Mapping[str, Any]]:
    told: Mapping[str, Mapping[str, Any]] = (campaign.result or {}).get("arms", {})
    return told


def _figure(arm: Mapping[str, Any], name: str) -> Estimate | CannotSay | None:
    told = arm.get(name)
    return None if told is None else _ADAPTER.validate_python(dict(told))


def _chart(desk: Desk) -> tuple[Chart, ...]:
    w, n = desk.w, desk.n
    effects, rows = [], []
    for campaign in desk.facts.advised.campaigns:
        for variant, arm in _arms(campaign).items():
            lift = _figure(arm, "lift")
            if not isinstance(lift, Estimate):
                continue
            label = campaign.name if len(_arms(campaign)) == 1 else f"{campaign.name} {variant}"
            ends = [n.relative(one) for one in (lift.value, lift.low, lift.high)]
            tip = f"{label}: {ends[0]} ({ends[1]} – {ends[2]})"
            effects.append(Effect(label, lift.value, lift.low, lift.high, tip))
            rows.append([Cell(label), *(Cell(one, number=True) for one in ends)])
    if not effects:
        return ()
    heads = ((w("measured.campaign"), False), *((w(f"measured.{one}"), True)
             for one in ("lift", "low", "high")))  # fmt: skip
    title, told = w("measured.chart"), w("measured.chart_text")
    wide, narrow = (
        forest(f"lift-{size}", (title, told), effects, write=n.relative, width=width)
        for size, width in (("wide", 1000), ("narrow", 358))
    )
    opening = Opening(title, told, table=Table(heads, rows), command=shlex.join(_COMMAND))
    return (Chart(title, wide, narrow, (), opening),)


def _rows(desk: Desk) -> Iterator[Bar]:
    w, n = desk.w, desk.n
    started = desk.facts.advised.campaigns
    most = max((_sent(one) for one in started), default=0)
    for one in started:
        sent = _sent(one)
        shown = clipped(one.name)
        yield Bar(
            label=shown.text,
            full=shown.full,
            bar=charts.bar(sent / most if most else 0.0, f"{one.name}: {sent}"),
            value=n.count(sent),
            aside=w(f"measured.status.{one.status}"),
            opening=Opening(
                meaning=one.name,
                notes=tuple(_notes(desk, one)),
                command=shlex.join([*_COMMAND, one.id]),
            ),
            name=f"campaign-{one.id}",
        )


def _sent(campaign: Stored) -> int:
    return sum(int(arm.get("sent", 0)) for arm in _arms(campaign).values())


def _notes(desk: Desk, campaign: Stored) -> Iterator[str]:
    w, n = desk.w, desk.n
    if campaign.launched_at is not None:
        yield w("measured.since", channel=campaign.channel, time=n.time(campaign.launched_at))
    if not _arms(campaign):
        yield w("measured.no_result")
    for variant, arm in _arms(campaign).items():
        for name in _FIGURES:
            told = _figure(arm, name)
            if isinstance(told, Estimate):
                write = n.relative if name == "lift" else n.money
                value, low, high = (write(one) for one in (told.value, told.low, told.high))
                label = w(f"measured.{name}")
                yield w(
                    "measured.figure", arm=variant, label=label, value=value, low=low, high=high
                )
