"""What customers say: how they judge, of what, and in which words. Quotes are text from outside."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from shopkeeper.core.types import Estimate, EstimateOrCannotSay
from shopkeeper.insight.types import HotTopic, Mood, MoodPoint, Quote, ThemeLine, Voice
from shopkeeper.report import charts
from shopkeeper.report.desk import Desk
from shopkeeper.report.parts import Bar, Card, Cell, Chart, Opening, Section, Table, clipped
from shopkeeper.report.said import Said

_QUOTED = 240
_SHADES = (("negative", "bad"), ("neutral", "flat"), ("positive", "good"))


def voices(desk: Desk) -> Section:
    """Sentiment with its course, hot topics, themes, praise, objections and wishes."""
    said = desk.facts.said
    whole = said.moods.whole
    groups = _groups(desk, said)
    if whole is None and not groups:
        return Section("voices", desk.w("voices.title"), "", empty=desk.w("voices.empty"))
    texts = whole.texts if whole else said.themes.texts
    return Section(
        name="voices",
        title=desk.w("voices.title"),
        lead=desk.w("voices.lead", texts=desk.n.count(texts)),
        cards=tuple(_card(desk, whole, *one) for one in _SHADES) if whole else (),
        charts=_chart(desk, said.moods.points),
        groups=groups,
    )


def _groups(desk: Desk, said: Said) -> tuple[tuple[str, str, tuple[Bar, ...]], ...]:
    themes = said.themes.themes
    most = max((_value(line.share) for line in themes), default=0.0)
    wishes = said.voices.wishes
    found = (
        ("hot", tuple(_hot(desk, topic) for topic in said.hot.topics)),
        ("themes", tuple(_theme(desk, line, most) for line in themes)),
        ("praise", _voices(desk, said.voices.praise, "good")),
        ("objections", _voices(desk, said.voices.objections, "bad")),
        ("wishes", (_wishes(desk, wishes),) if wishes else ()),
    )
    return tuple((f"said-{name}", desk.w(f"voices.{name}"), bars) for name, bars in found if bars)


def _card(desk: Desk, mood: Mood, name: str, tone: str) -> Card:
    amount: EstimateOrCannotSay = getattr(mood, name)
    points = desk.facts.said.moods.points
    label = desk.w(f"voices.{name}")
    notes = [desk.w("voices.corrected", labels=desk.n.count(mood.labels))
             if mood.corrected else desk.w("voices.raw")]  # fmt: skip
    if isinstance(amount, Estimate):
        notes.insert(0, desk.w(
            "figure.estimate", level=desk.n.share(amount.level, 0), low=desk.n.share(amount.low),
            high=desk.n.share(amount.high), n=desk.n.count(mood.texts),
        ))  # fmt: skip
    if desk.facts.said.moods.promise:
        notes.append(desk.facts.said.moods.promise)
    return Card(
        name=f"said-{name}",
        label=label,
        value=desk.n.share(amount.value) if isinstance(amount, Estimate) else "–",
        full=desk.n.share(amount.value, 2) if isinstance(amount, Estimate) else "",
        change="",
        tone=tone,
        interval=desk.interval(amount, "share") if isinstance(amount, Estimate) else "",
        spark=charts.spark([charts.Point("", _share(p, name), "") for p in points]),
        opening=Opening(
            meaning=label,
            formula=desk.w("voices.formula"),
            count=desk.w("voices.behind", texts=desk.n.count(mood.texts)),
            command=_command(desk, "sentiment"),
            notes=tuple(notes),
        ),
    )


def _chart(desk: Desk, points: Sequence[MoodPoint]) -> tuple[Chart, ...]:
    """The share of texts that blame, week by week."""
    if len(points) < 3:
        return ()
    title = desk.w("voices.trend")
    drawn = [
        charts.Point(
            desk.n.brief(point.start, "week"),
            _share(point, "negative"),
            f"{desk.n.date(point.start)}: {desk.n.share(_share(point, 'negative'))}",
        )
        for point in points
    ]
    wide, narrow = (
        charts.line(
            f"said-{size}",
            (title, desk.w("voices.trend_text", weeks=desk.n.count(len(points)))),
            drawn,
            write=lambda v: desk.n.tick(v, "share"),
            frame=frame,
        )
        for size, frame in (("wide", charts.WIDE), ("narrow", charts.NARROW))
    )
    heads = (
        (desk.w("column.day"), False),
        *((desk.w(f"voices.{name}"), True) for name, _ in _SHADES),
    )
    rows = [
        [Cell(desk.n.date(p.start)),
         *(Cell(desk.n.count(getattr(p, name)), number=True) for name, _ in _SHADES)]
        for p in points
    ]  # fmt: skip
    opening = Opening(
        title,
        desk.w("voices.trend_formula"),
        table=Table(heads, rows),
        command=_command(desk, "sentiment"),
    )
    return (Chart(title, wide, narrow, (("now", desk.w("voices.negative")),), opening),)


def _theme(desk: Desk, line: ThemeLine, most: float) -> Bar:
    share = _value(line.share)
    change, tone = "", "flat"
    notes = []
    if isinstance(line.share, Estimate):
        notes.append(desk.w(
            "figure.estimate", level=desk.n.share(line.share.level, 0),
            low=desk.n.share(line.share.low), high=desk.n.share(line.share.high),
            n=desk.n.count(line.share.n),
        ))  # fmt: skip
    if isinstance(line.change, Estimate):
        change = desk.n.points(line.change.value)
        low, high = desk.n.points(line.change.low), desk.n.points(line.change.high)
        sure = line.change.low > 0 or line.change.high < 0
        notes.append(desk.w("figure.certain" if sure else "figure.uncertain", low=low, high=high))
        change = change if sure else ""
    shown = clipped(line.name, 36)
    return Bar(
        label=shown.text,
        full=shown.full,
        bar=charts.bar(share / most if most else 0.0, f"{shown.text}: {desk.n.share(share)}"),
        value=desk.n.share(share),
        aside=change,
        tone=tone,
        tag=desk.w("voices.people", people=desk.n.count(line.authors)),
        opening=Opening(
            meaning=shown.text,
            formula=desk.w("voices.words", words=clipped(" · ".join(line.words), 200).text),
            count=desk.w("voices.behind", texts=desk.n.count(line.texts)),
            table=_quotes(desk, line.quotes),
            command=_command(desk, f"theme {shlex.quote(line.theme_id)}"),
            notes=tuple(notes),
        ),
    )


def _hot(desk: Desk, topic: HotTopic) -> Bar:
    shown = clipped(" · ".join((*topic.words, *topic.labels)) or (topic.theme or ""), 36)
    times = topic.times
    return Bar(
        label=shown.text,
        full=shown.full,
        bar=charts.bar(1.0, shown.text),
        value=desk.n.count(topic.people),
        aside=f"×{desk.n.decimal(times.value, 1)}" if isinstance(times, Estimate) else "",
        tag=desk.w("voices.since", day=desk.n.date(topic.since)),
        tone="bad",
        opening=Opening(
            meaning=shown.text,
            formula=desk.w(
                "voices.hot_formula",
                people=desk.n.count(topic.people),
                days=desk.n.count(topic.days),
                expected=desk.n.decimal(topic.expected, 1),
                rate=desk.n.decimal_or_count(desk.facts.said.hot.false_alarms_per_quarter),
            ),
            table=_quotes(desk, topic.quotes),
            command="shopkeeper insight hot",
        ),
    )


def _voices(desk: Desk, said: Sequence[Voice], tone: str) -> tuple[Bar, ...]:
    most = max((one.people for one in said), default=1)
    return tuple(
        Bar(
            label=clipped(one.name, 36).text,
            full="",
            bar=charts.bar(one.people / most, f"{one.name}: {one.people}"),
            value=desk.n.count(one.people),
            aside="",
            tone=tone,
            opening=Opening(
                meaning=one.name,
                formula=desk.w("voices.voice_formula"),
                notes=(desk.w("voices.words", words=clipped(" · ".join(one.opinions), 200).text),),
                table=_quotes(desk, one.quotes),
                command=_command(desk, "voices"),
            ),
        )
        for one in said
    )


def _wishes(desk: Desk, wishes: Sequence[Quote]) -> Bar:
    count = desk.n.count(len(wishes))
    return Bar(
        label=clipped(wishes[0].text, 36).text,
        full=clipped(wishes[0].text, _QUOTED).full,
        bar=charts.bar(1.0, count),
        value=count,
        aside="",
        tag="",
        opening=Opening(
            meaning=desk.w("voices.wishes"),
            formula=desk.w("voices.wish_formula"),
            table=_quotes(desk, wishes),
            command=_command(desk, "voices"),
        ),
    )


def _quotes(desk: Desk, quotes: Sequence[Quote]) -> Table | None:
    """Quotes word for word, each with the id of its text."""
    if not quotes:
        return None
    heads = tuple((desk.w(f"voices.{name}"), False) for name in ("quote", "day", "item", "text_id"))
    rows = [
        [
            Cell(clipped(quote.text, _QUOTED).text),
            Cell(desk.n.date(quote.day)),
            desk.item(quote.item_id, 24) if quote.item_id else Cell("–"),
            Cell(quote.text_id),
        ]
        for quote in quotes
    ]
    return Table(heads, rows)


def _command(desk: Desk, what: str) -> str:
    return f"shopkeeper insight {what} --since {desk.facts.days}"


def _share(point: MoodPoint, name: str) -> float | None:
    total = point.negative + point.neutral + point.positive
    part: int = getattr(point, name)
    return part / total if total else None


def _value(amount: EstimateOrCannotSay) -> float:
    return amount.value if isinstance(amount, Estimate) else 0.0
