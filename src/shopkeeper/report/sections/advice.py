"""What to do next by the rules of advice: whom, with what, why now, what it may bring."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from shopkeeper.report import charts
from shopkeeper.report.desk import Desk
from shopkeeper.report.parts import Bar, Note, Opening, Section, clipped
from shopkeeper.store.suggestions import Suggestion

_NEXT = 3


def advice(desk: Desk) -> Section:
    """A row for each open suggestion, the best first."""
    w, told = desk.w, desk.facts.advised
    if not told.suggestions:
        empty = w("suggestions.empty" if told.look else "suggestions.unlooked")
        return Section("suggestions", w("suggestions.title"), "", empty=empty)
    most = max(int(one.body["customers"]) for one in told.suggestions)
    return Section(
        name="suggestions",
        title=w("suggestions.title"),
        lead=w("suggestions.lead", day=told.look.as_of if told.look else ""),
        groups=(
            (
                "suggestions-open",
                w("suggestions.open"),
                tuple(_row(desk, one, most) for one in told.suggestions),
            ),
        ),
    )


def following(desk: Desk) -> Iterator[Note]:
    """The first of them as lines of what to do next."""
    for one in desk.facts.advised.suggestions[:_NEXT]:
        said = _said(desk, one)
        tone = "bad" if one.body["care"] else "warn"
        yield Note(said["title"], f"suggestion-{one.id}", tone, more=said["what"])


def _said(desk: Desk, one: Suggestion) -> Mapping[str, Any]:
    told: Mapping[str, Any] = one.body["said"][desk.lang]
    return told


def _row(desk: Desk, one: Suggestion, most: int) -> Bar:
    said, customers = _said(desk, one), int(one.body["customers"])
    shown = clipped(said["title"], 90)
    return Bar(
        label=shown.text,
        full=shown.full,
        bar=charts.bar(customers / most, said["title"]),
        value=desk.n.count(customers),
        aside=one.body["channel"] or "",
        opening=Opening(
            meaning=said["title"],
            formula=said["sentence"],
            notes=(said["what"], *said["lines"], *_gain(desk, one), *said["risks"]),
            command=shlex.join(["shopkeeper", "advice", "show", one.id]),
        ),
        name=f"suggestion-{one.id}",
    )


def _gain(desk: Desk, one: Suggestion) -> Iterator[str]:
    """Expected gain and the test that would settle it."""
    w, n, body = desk.w, desk.n, one.body
    expected, test = body["expected"], body["test"]
    if body["care"]:
        return
    if expected["kind"] == "estimate":
        ends = {name: n.money(expected[name]) for name in ("value", "low", "high")}
        yield w("suggestions.expected", **ends)
    else:
        yield w("suggestions.unknown", reason=_said(desk, one)["cannot"]["expected"]["reason"])
    if test["kind"] == "test":
        yield w(
            "suggestions.test",
            hold_out=n.share(test["hold_out"], 0),
            customers=n.count(test["customers"]),
            days=n.count(test["days"]),
            least=n.points(test["detectable"]),
        )
