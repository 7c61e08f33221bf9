"""What the operations of `insight` answer with."""

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


class TaskRead(Value):
    """What a run read for one task; ``refused`` texts were empty, no text or too long to read."""

    task: str
    read: int
    refused: int
    answered_by: str = Field(description="house: the shipped reader; else the shop's own student")
    version: str
    unsure: int = Field(
        description="read by the shop's own student, but with less certainty than its promise needs"
    )
    escalated: int = Field(description="read by the language model in its place")
    queued: int = Field(description="put into the queue for a person's label")


class Read(Value):
    """What a run read, task by task; texts that were read before are not read again."""

    tasks: tuple[TaskRead, ...]
    seconds: float


Polarity = Literal["negative", "neutral", "positive"]


class Mood(Value):
    """How the texts of one group judge. Shares are of all texts read, in order of the polarities.

    ``corrected`` says whether the shares were corrected for the reader's errors by labelled texts.
    """

    group: str | None
    texts: int
    negative: EstimateOrCannotSay
    neutral: EstimateOrCannotSay
    positive: EstimateOrCannotSay
    corrected: bool
    labels: int = Field(description="texts of a random sample that a person or a teacher labelled")


class MoodPoint(Value):
    """One day, week or month: how many texts were read as what."""

    start: date
    negative: int
    neutral: int
    positive: int


class Moods(Value):
    """How customers' texts judge, in all, by group, and over time."""

    period: Span | None
    answered_by: str
    unsure: int = Field(description="texts whose reading the reader's promise does not cover")
    promise: str | None = Field(description="what is promised of the shop's own student's answers")
    whole: Mood | None
    groups: tuple[Mood, ...]
    points: tuple[MoodPoint, ...]
    cannot_say: CannotSay | None = None


class AspectCell(Value):
    """What is said of one aspect of one item: people, and how many of their texts praise or blame."""

    aspect: str
    name: str
    texts: int
    positive: int
    negative: int
    blame: EstimateOrCannotSay = Field(description="share of judging texts that blame")
    opinions: tuple[str, ...] = Field(description="the commonest words of judgement: untrusted")


class AspectRow(Value):
    """One item, or all of them, with its aspects, the most spoken of first."""

    item_id: str | None
    title: str | None
    texts: int
    cells: tuple[AspectCell, ...]


class AspectMatrix(Value):
    """Aspects by product; the first row is the whole shop."""

    period: Span | None
    answered_by: str
    rows: tuple[AspectRow, ...]
    cannot_say: CannotSay | None = None


class Voice(Value):
    """One thing that customers say, by how many people, in their own words."""

    aspect: str | None
    name: str
    people: int
    opinions: tuple[str, ...]
    quotes: tuple[Quote, ...]


class Voices(Value):
    """What customers praise, object to and wish for; every line is made of verbatim quotes."""

    period: Span | None
    item_id: str | None
    people: int
    praise: tuple[Voice, ...]
    objections: tuple[Voice, ...]
    wishes: tuple[Quote, ...]
    cannot_say: CannotSay | None = None


class TextReading(Value):
    """What one reader found in a text. ``span`` and ``opinion`` are words of it: untrusted."""

    task: str
    label: str | None
    name: str = Field(description="the label in words")
    span: str | None
    opinion: str | None
    value: float | None
    confidence: float | None
    answered_by: str


class TextDetail(Value):
    """One text, word for word (untrusted), with what the current readers found in it."""

    text_id: str
    kind: str
    author_role: str | None
    customer_id: str | None
    thread_id: str | None
    item_id: str | None
    item: str | None = Field(description="the item's title")
    day: date
    language: str | None
    title: str | None
    body: str
    rating: float | None
    source: str
    url: str | None
    readings: tuple[TextReading, ...]


class Queued(Value):
    """Texts that now wait for a person; random ones measure the reader, uncertain ones teach it."""

    task: str
    queued: int
    random: int
    uncertain: int
    cannot_say: CannotSay | None = None


class LabelChoice(Value):
    """One label that may be given."""

    name: str
    meaning: str
    names: dict[str, str] = Field(description="what people call it, by language")


class Marked(Value):
    """One thing that a text judges, marked by a person: words of the text, as they stand in it.

    ``aspect`` is empty where no thing is named ("arrived in a day"), ``opinion`` where no word judges.
    ``start`` is the aspect's first character, needed only where its words stand more than once.
    """

    aspect: str = ""
    opinion: str = ""
    category: str
    polarity: Polarity
    start: int | None = None


class LabelStatus(Value):
    """How far the labelling of one task is. ``spent`` went to models, in the shop's currency."""

    task: str
    waiting: int
    done: int
    skipped: int
    labels: dict[str, int] = Field(description="labels by who gave them")
    spent: float
    currency: str
    reader: str = Field(description="who reads now: house, or the shop's own student")


class LabelCard(Value):
    """One text to label, held for ten minutes for who asked; without ``text_id`` none waits.

    ``kind`` says what is asked for: one label, or spans, each with one of the labels as its category.
    """

    task: str
    kind: Literal["label", "spans"]
    question: str
    guidelines: str
    labels: tuple[LabelChoice, ...]
    text_id: str | None
    title: str | None
    text: str | None = Field(description="a customer's words: untrusted")
    day: date | None
    item_id: str | None
    why: str | None
    status: LabelStatus


class Taught(Value):
    """What came of teaching: a student of the shop's own, and what is promised of its answers."""

    task: str
    teacher: str
    labels: int
    trained_on: int
    proven_on: int
    version: str | None
    threshold: float | None = Field(description="confidence from which the student answers alone")
    local_share: float | None
    statement: str | None = Field(description="the promise, in words")
    stopped: str = Field(description="why fewer labels were asked for than wanted")
    cannot_say: CannotSay | None = None


class Element(Value):
    """One element of creatives. ``effect``: click rate with it less that without, within tests."""

    element: str
    creatives: int = Field(description="how many creatives have it")
    tests: int = Field(description="tests that have variants with and without it")
    rate: float | None = Field(description="click rate without it in those tests")
    effect: EstimateOrCannotSay


class Creatives(Value):
    """How the elements of creatives go with their click-through rate, the strongest first.

    ``level`` is that of each interval, widened for the number of elements looked at, so that all of them
    hold at once with 95 %. It says what goes together in tests, not that writing so will do the same.
    """

    creatives: int
    tests: int
    impressions: int
    elements: tuple[Element, ...]
    level: float
    cannot_say: CannotSay | None = None


class Trait(Value):
    """What sets a group apart: its mean beside that of all customers, and how far apart they are."""

    feature: str
    mean: float
    of_all: float
    distance: float = Field(
        description="standard deviations of all customers between the two means"
    )
    names: dict[str, str] = Field(description="the feature in words, by language")


class Persona(Value):
    """One group of customers, with what sets it apart and what its members say.

    Its name by language is made of what sets it apart: ``named_by`` says ``traits``, or which model.
    """

    persona: int
    names: dict[str, str]
    named_by: str
    customers: int
    share: float
    traits: tuple[Trait, ...]
    examples: tuple[str, ...] = Field(description="the members nearest to its middle")
    quotes: tuple[Quote, ...]


class Personas(Value):
    """Groups of customers by what they do and say, largest first; none where there are no clear ones.

    ``separation`` is the mean silhouette of the groups, ``by_chance`` the best that customers without any
    groups, but with the same spread of each feature, would have.
    """

    customers: int
    personas: tuple[Persona, ...]
    separation: float | None
    by_chance: float | None
    cannot_say: CannotSay | None = None
