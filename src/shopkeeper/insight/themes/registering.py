"""A fit as themes with ids, names, groups and changes: what stays the same keeps its id."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from shopkeeper.insight.themes import naming
from shopkeeper.insight.themes.cluster import Labels
from shopkeeper.insight.themes.fitting import Fitted
from shopkeeper.insight.themes.hierarchy import groups
from shopkeeper.insight.themes.identity import Match, match, same_words
from shopkeeper.insight.themes.mixture import NONE, theme_counts
from shopkeeper.insight.themes.model import Model
from shopkeeper.insight.themes.words import Tongue
from shopkeeper.store.themes import Change, Fit, Theme

PERSON = "person"
WORDS = "words"
_SAMPLED = 400  # texts of a theme in which phrases are looked for


@dataclass(frozen=True)
class Found:
    """A fit with the words of its sample, and the themes (rows of ``model``) that the sample had before."""

    tongue: Tongue
    fitted: Fitted
    rows: list[list[str]]
    before: Labels | None
    model: Model | None
    afresh: bool

    @property
    def texts(self) -> int:
        """How many texts the sample has."""
        return len(self.rows)


@dataclass(frozen=True)
class Stamp:
    """The fit's version and time, and who gives ids to what is new, by level."""

    version: str
    now: datetime
    fresh_id: Callable[[int], str]


@dataclass(frozen=True)
class Registered:
    """What a fit will leave in the store, before its texts are counted."""

    fit: Fit
    model: Model
    themes: tuple[Theme, ...]
    changes: tuple[Change, ...]

    def completed(self, read: int, totals: Mapping[str, int]) -> Registered:
        """With the number of texts read, and how many of them each theme has."""
        sums = dict(totals)
        for theme in self.themes:
            if theme.level == 2 and theme.parent_id:
                sums[theme.parent_id] = sums.get(theme.parent_id, 0) + totals.get(theme.theme_id, 0)
        themes = tuple(replace(t, texts=sums.get(t.theme_id, 0)) for t in self.themes)
        return replace(self, fit=replace(self.fit, texts=read), themes=themes)


@dataclass(frozen=True)
class _Level:
    """One level of a fit: which of its themes each text has, before and now, and their words."""

    level: int
    before: Labels
    labels: Labels
    old: Sequence[Theme]
    words: Sequence[Sequence[str]]
    names: Sequence[str]
    stability: Sequence[float | None]


def registered(known: Sequence[Theme], found: Found, stamp: Stamp) -> Registered:
    """Give each theme and group of themes its id, name and place among those known; tell what changed."""
    fitted, old = found.fitted, [t for t in known if t.tongue == found.tongue]
    counts = theme_counts(fitted.present, fitted.labels, len(fitted.mixture.evidence))
    above = groups(counts)
    upper = np.where(fitted.labels == NONE, NONE, above[fitted.labels])
    lower_level, upper_level = (_level(found, 2, old, fitted.labels), _level(found, 1, old, upper))
    parents, parent_changes = _themes(found, upper_level, stamp, [None] * (int(above.max()) + 1))
    inside = [parents[group].theme_id for group in above]
    themes, changes = _themes(found, lower_level, stamp, inside)
    kind = "fresh" if found.before is None or found.afresh else "refit"
    without = float(np.mean(fitted.labels == NONE))
    unknown = _unknown(found)
    model = Model(found.tongue, fitted.words, fitted.mixture, tuple(t.theme_id for t in themes))
    fit = Fit(stamp.version, found.tongue, kind, stamp.now, found.texts, without, unknown)
    return Registered(fit, model, (*parents, *themes), (*parent_changes, *changes))


def _unknown(found: Found) -> float:
    known = set(found.fitted.words)
    total = sum(map(len, found.rows))
    return sum(word not in known for text in found.rows for word in text) / max(1, total)


def _level(found: Found, level: int, old: Sequence[Theme], labels: Labels) -> _Level:
    """The level's labels before, and the words and names of its themes now."""
    fitted = found.fitted
    k = int(labels.max(initial=NONE)) + 1
    counts = theme_counts(fitted.present, labels, k)
    words = [[fitted.words[n] for n in row] for row in naming.chosen(counts, fitted.present)]
    names = []
    for theme, known in enumerate(words):
        members = np.flatnonzero(labels == theme)[:_SAMPLED]
        names.append(naming.name(known, [found.rows[n] for n in members], found.tongue))
    before = np.full(len(labels), NONE)
    if found.before is not None and found.model is not None:
        before = _before(found.before, found.model, old, level)
    stability: Sequence[float | None] = fitted.stability if level == 2 else (None,) * k
    same = [theme for theme in old if theme.level == level]
    return _Level(level, before, labels, same, words, names, stability)


def _before(labels: Labels, model: Model, old: Sequence[Theme], level: int) -> Labels:
    """Rows of the old model as places among the old themes of a level (themes, or their groups)."""
    same = [theme.theme_id for theme in old if theme.level == level]
    place = {one: n for n, one in enumerate(same)}
    where = {t.theme_id: t.theme_id if level == 2 else t.parent_id for t in old if t.level == 2}
    rows = [place.get(where.get(one) or "", NONE) for one in model.theme_ids]
    return np.asarray(np.array([*rows, NONE])[labels], np.int64)


def _themes(
    found: Found,
    level: _Level,
    stamp: Stamp,
    parents: Sequence[str | None],
) -> tuple[list[Theme], list[Change]]:
    """The level's themes, in the order of its labels, and what became of the old ones."""
    matched = match(level.before, level.labels, (len(level.old), len(level.names)))
    version, now = stamp.version, stamp.now
    themes: list[Theme] = []
    changes: list[Change] = []
    for new, (name, words) in enumerate(zip(level.names, level.words, strict=True)):
        known = level.old[matched.same[new]] if matched.same[new] != NONE else None
        theme = Theme(
            theme_id=known.theme_id if known else stamp.fresh_id(level.level),
            tongue=found.tongue,
            level=level.level,
            parent_id=parents[new],
            names={found.tongue: name},
            named_by=WORDS,
            words=words,
            texts=0,
            stability=level.stability[new],
            created_at=known.created_at if known else now,
            changed_at=now,
        )
        theme, change = _named(theme, known, level, matched, new)
        themes.append(theme)
        if change is not None:
            changes.append(Change(version, now, theme.theme_id, *change))
    gone = set(range(len(level.old))) - {int(one) for one in matched.same}
    for one in sorted(gone):
        heir = matched.heir(one)
        what: tuple[str, dict[str, str]] = ("retired", {})
        if heir is not None:
            what = ("merged", {"into": themes[heir].theme_id})
        changes.append(Change(version, now, level.old[one].theme_id, *what))
    return themes, changes


def _named(
    theme: Theme, known: Theme | None, level: _Level, matched: Match, new: int
) -> tuple[Theme, tuple[str, dict[str, object]] | None]:
    """The theme with the name it is to have, and what became of it; None: nothing."""
    if known is None:
        sources = [level.old[n].theme_id for n in matched.sources(new)]
        return theme, (("split", {"from": sources}) if sources else ("new", {}))
    if known.named_by == PERSON or same_words(known.words, theme.words):
        return replace(theme, names=known.names, named_by=known.named_by), None
    own = theme.names[theme.tongue]
    share = round(float(matched.went[matched.same[new], new]), 4)
    details = {"before": known.names.get(theme.tongue, ""), "now": own, "kept": share}
    return theme, ("renamed", details)
