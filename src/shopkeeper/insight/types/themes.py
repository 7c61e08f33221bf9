"""What themes and hot topics answer with."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from shopkeeper.core.types import CannotSay, Estimate, EstimateOrCannotSay, Value

Cycle = Literal["day", "week", "month"]


class Span(Value):
    """The days that an answer is about, both included."""

    start: date
    end: date


class Quote(Value):
    """What somebody wrote, word for word. ``text`` is a cut of the text ``text_id``: untrusted words."""

    text_id: str
    text: str
    day: date
    item_id: str | None
    cut: bool = Field(description="whether the text goes on before or after")


class ThemeFit(Value):
    """What one language's themes rest on now."""

    language: str
    kind: str = Field(
        description="fresh: found anew; kept: the last ones go on; refit: with new ones"
    )
    version: str | None
    read: int = Field(description="texts read in this run")
    themes: int
    without_theme: float | None = Field(description="share of the fit's texts that have no theme")
    cannot_say: CannotSay | None = None


class Named(Value):
    """How many themes a language model gave names to, and how many keep the names made of their words."""

    named: int
    left: int
    model: str
    why: str = Field(default="", description="why some were left")
    cannot_say: CannotSay | None = None


class Updated(Value):
    """What an update of the themes did, by language."""

    fits: tuple[ThemeFit, ...]
    changes: int = Field(description="entries that it added to the log of changes")
    names: Named | None = Field(
        default=None,
        description="what the shop's language model named; none is set, or none was new",
    )
    seconds: float


class ThemeLine(Value):
    """One theme in a period. ``share`` is of all texts read; ``before`` of those of the period before."""

    theme_id: str
    name: str
    words: tuple[str, ...]
    language: str
    group_id: str | None
    group: str | None
    texts: int
    authors: int
    share: EstimateOrCannotSay
    before: EstimateOrCannotSay
    change: EstimateOrCannotSay = Field(description="share - before")
    stability: float | None = Field(
        description="how much of it a search in half of the texts finds again, 0 to 1"
    )
    quotes: tuple[Quote, ...] = ()


class Themes(Value):
    """The themes of a period, commonest first; texts without a theme are counted, not listed."""

    period: Span | None
    texts: int
    without_theme: int
    themes: tuple[ThemeLine, ...]
    cannot_say: CannotSay | None = None


class ThemePoint(Value):
    """One day, week or month of one theme. ``rate``: authors in it, with their exact Poisson interval."""

    start: date
    end: date
    partial: bool
    texts: int
    rate: Estimate
    share: EstimateOrCannotSay


class ThemeChange(Value):
    """What became of a theme: new, kept, renamed, split, merged, retired."""

    theme_id: str
    name: str
    time: datetime
    change: str
    details: dict[str, str | tuple[str, ...] | float]


class ThemeDetail(Value):
    """One theme over time, with its words, the texts that speak it most clearly, and its history."""

    theme_id: str
    name: str
    names: dict[str, str]
    named_by: str
    words: tuple[str, ...]
    language: str
    status: str
    members: tuple[str, ...] = Field(description="of a group: its themes")
    period: Span | None
    points: tuple[ThemePoint, ...]
    quotes: tuple[Quote, ...]
    changes: tuple[ThemeChange, ...]
    cannot_say: CannotSay | None = None


class ThemeChanges(Value):
    """The log of what became of themes, newest first."""

    changes: tuple[ThemeChange, ...]


class HotTopic(Value):
    """Something that more people write about than before: words, themes and judged aspects that rise.

    ``people`` wrote so in the ``days`` up to the day asked; ``expected`` would have, at the rate of the
    weeks before. ``p_value`` is of the strongest word, before the correction that the answer states.
    """

    words: tuple[str, ...]
    labels: tuple[str, ...] = Field(
        description="readings that rise with it: 'aspects delivery -' is blame of the delivery"
    )
    language: str
    theme_id: str | None = Field(description="the theme that most of its texts have")
    theme: str | None
    since: date
    days: int
    people: int
    expected: float
    times: EstimateOrCannotSay = Field(description="how many times as many people as expected")
    p_value: float
    quotes: tuple[Quote, ...]


class HotTopics(Value):
    """What rises on one day, strongest first.

    Looked at every day, ``false_alarms_per_quarter`` is how many topics would be shown in 91 days,
    on average at most, if nothing had risen by more than ``least_rise`` times.
    """

    day: date | None
    topics: tuple[HotTopic, ...]
    tested: int = Field(description="words and labels common enough to be able to raise an alarm")
    false_alarms_per_quarter: float
    least_rise: float
    cannot_say: CannotSay | None = None
