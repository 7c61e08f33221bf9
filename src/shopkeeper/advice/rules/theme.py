"""A theme that more customers write about than before: joined in where they like it, answered else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shopkeeper.advice.idea import Idea, count, every, line, never, share, text
from shopkeeper.advice.types import Opens
from shopkeeper.advice.view import COMPLAINT_DAYS, Spoken, View
from shopkeeper.core.types import Estimate
from shopkeeper.customers.segmenting.definition import Definition, Said
from shopkeeper.stats.intervals import difference, proportion
from shopkeeper.stats.summary import Proportion
from shopkeeper.store.themes import Theme, Themes

_MONTH: Final = 28
_LEAST: Final = 10
_RISE: Final = 1.5
_BAD: Final = 0.4
_LEVEL: Final = 0.99
"""Many themes are looked at: a rise is told only where its interval is this sure."""

_GROUPS: Final = 2


def ideas(view: View) -> list[Idea]:
    """A group for each of the two themes that grew most."""
    said = [one for one in view.readings if one.task == "theme"]
    now, before = view.days(_MONTH), view.days(_MONTH, ago=_MONTH)
    sums = [len({one.text_id for one in said if one.day in days}) for days in (now, before)]
    if min(sums, default=0) < _LEAST:
        return []
    known = {one.theme_id: one for one in Themes(view.shop.database).all()}
    risen: list[tuple[float, Idea]] = []
    for theme_id in sorted({one.label for one in said} & set(known)):
        mine = [one for one in said if one.label == theme_id]
        shares = [
            proportion(
                Proportion(total, len({one.text_id for one in mine if one.day in days})), _LEVEL
            )
            for total, days in zip(sums, (now, before), strict=True)
        ]
        found = _risen(view, known[theme_id], mine, shares)
        if found is not None:
            risen.append(found)
    risen.sort(key=lambda pair: (-pair[0], pair[1].subject))
    return [idea for _, idea in risen[:_GROUPS]]


def _risen(
    view: View, theme: Theme, mine: Sequence[Spoken], shares: Sequence[object]
) -> tuple[float, Idea] | None:
    """The idea and by how much the theme rose, where it did beyond chance."""
    now, before = shares
    if not isinstance(now, Estimate) or not isinstance(before, Estimate):
        return None
    days = view.days(_MONTH)
    recent = {one.text_id for one in mine if one.day in days}
    rise = difference(now, before)
    name = dict(theme.names)
    if len(recent) < _LEAST or rise.low <= 0 or now.value < _RISE * before.value:
        return None
    if not view.proper(*name.values(), *theme.words):
        return None
    bad = sum(view.moods.get(one) == "negative" for one in recent) / len(recent)
    called = {lang: text(told) for lang, told in name.items()}
    said = line(
        "grown",
        days,
        Opens(what="texts", theme=theme.theme_id, first_day=days.start, last_day=days.end),
        texts=count(len(recent)),
        now=share(now.value, now.low, now.high),
        before=share(before.value),
        bad=share(bad),
        **called,
    )
    care = bad >= _BAD
    return rise.value, Idea(
        "theme",
        _whom(theme.theme_id, care),
        [said],
        subject=theme.theme_id,
        names=called,
        care=care,
    )


def _whom(theme_id: str, care: bool) -> Definition:
    """Who wrote of it; for marketing without those who complained."""
    wrote = Said(theme=theme_id, within=_MONTH)
    if care:
        return wrote
    return every(wrote, never(Said(mood="negative", within=COMPLAINT_DAYS)))
