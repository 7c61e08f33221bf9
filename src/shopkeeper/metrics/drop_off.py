"""Why customers leave at a step: what they wrote and met in the days after it, beside who went on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, Final

import narwhals as nw

from shopkeeper.core.errors import BadInput
from shopkeeper.core.events import REFUND, SEARCH
from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days, Period
from shopkeeper.core.types import CannotSay, Estimate, EstimateOrCannotSay
from shopkeeper.metrics.funnel import checked, column, taken
from shopkeeper.metrics.robots import robots
from shopkeeper.metrics.types import DropOff, DropReason, Quote
from shopkeeper.metrics.window import Window, span, window
from shopkeeper.stats import intervals
from shopkeeper.stats.summary import Proportion
from shopkeeper.warehouse.source import Frame, Source

Row = Mapping[str, Any]
Key = tuple[str, str]
"""What kind of reason, and its name."""

LEAST: Final = 20
"""Customers of those who left that must have written before shares of them are told."""

LEFT, ON = "left", "on"
WITHOUT_RESULT: Final = "search_without_result"
_COUNTS: Final = ("results", "result_count", "results_count", "hits")
"""Properties of a search that say how many results it had."""

_WRITERS: Final = ("review", "post", "ticket", "chat")
_DAY_MS: Final = 86_400_000
_QUOTES, _LOOKED_AT, _LONGEST = 3, 240, 160
_KINDS: Final = {"aspects": "aspect", "theme": "theme", "sentiment": "sentiment"}
_NEGATIVE: Final = "negative"


@dataclass(frozen=True)
class _Asked:
    """The question: over which days of data, between which steps, and how long after."""

    seen: Window
    names: tuple[str, ...]
    step: int
    days: int

    @property
    def reach(self) -> Days:
        """The local days on which something could have been written or done."""
        last = self.seen.days.end + timedelta(days=self.days + 1)
        return Days(self.seen.days.start, min(last, self.seen.data.end))


def drop_off(
    ctx: Context, since: Period, steps: tuple[str, ...], step: int, days: int, k: int
) -> DropOff:
    """See the operation of this name."""
    names = checked(steps)
    if not 0 <= step < len(names) - 1:
        raise BadInput(
            f"At step {step} of {len(names)} nobody can leave before the next one.",
            hint=f"Steps count from 0; name one of 0 to {len(names) - 2}.",
            field="step",
        )
    seen = window(ctx, since)
    if isinstance(seen, CannotSay):
        return _nothing(names, step, days, seen)
    asked = _Asked(seen, names, step, days)
    end = ctx.shop.query(_latest).to_pylist()[0]["latest"] or 0
    sides = ctx.shop.query(lambda source: _sizes(source, asked, end)).to_pylist()
    counts: Counter[str] = Counter({row["side"]: int(row["customers"]) for row in sides})
    wrote = Counter({row["side"]: int(row["wrote"]) for row in sides})
    base = DropOff(
        period=span(seen.days), steps=names, step=step, days=days, left=counts[LEFT],
        went_on=counts[ON], unsettled=counts["unsettled"], left_wrote=wrote[LEFT],
        went_on_wrote=wrote[ON], reasons=(), unread=0,
    )  # fmt: skip
    if counts[LEFT] < LEAST:
        return base.model_copy(update={"cannot_say": _few(counts[LEFT], "left", days)})
    told = _told(ctx, asked, end) if wrote[LEFT] >= LEAST else {}
    met = _met(ctx, asked, end)
    reasons = _reasons(told, met, counts, wrote, k)
    quotes = _quotes(ctx, asked, end, [(r.kind, r.name) for r in reasons])
    reasons = tuple(
        one.model_copy(update={"quotes": quotes.get((one.kind, one.name), ())}) for one in reasons
    )
    unread = ctx.shop.query(lambda source: _unread(source, asked, end)).to_pylist()[0]["texts"]
    why = _few(wrote[LEFT], "left and wrote something", days) if wrote[LEFT] < LEAST else None
    return base.model_copy(update={"reasons": reasons, "unread": int(unread), "cannot_say": why})


def _nothing(names: tuple[str, ...], step: int, days: int, why: CannotSay) -> DropOff:
    return DropOff(
        period=None, steps=names, step=step, days=days, left=0, went_on=0, unsettled=0, left_wrote=0,
        went_on_wrote=0, reasons=(), unread=0, cannot_say=why,
    )  # fmt: skip


def _few(count: int, what: str, days: int) -> CannotSay:
    return CannotSay(
        reason=f"Only {count} customers {what} within {days} days: too few to compare shares.",
        needed=f"at least {LEAST} of them: a longer period, more days after the step, or more texts",
        code="few_left",
        values={"count": count, "least": LEAST},
    )


def _latest(source: Source) -> Frame:
    return source.events().select(nw.col("time_ms").max().alias("latest"))


def _sided(source: Source, asked: _Asked, end: int) -> Frame:
    """customer_id, side (left, on or unsettled) and ``from_ms``, when the step was taken."""
    rows = taken(source, asked.seen.days, asked.names)
    rows = rows.join(robots(source.events(asked.seen.days)), on="customer_id", how="anti")
    here, following = nw.col(column(asked.step)), nw.col(column(asked.step + 1))
    settled = nw.when(following.is_null()).then(nw.lit(LEFT)).otherwise(nw.lit(ON))
    late = here + asked.days * _DAY_MS > end
    side = nw.when(late).then(nw.lit("unsettled")).otherwise(settled)
    return rows.filter(~here.is_null()).select("customer_id", side=side, from_ms=here)


def _after(frame: Frame, sided: Frame, days: int) -> Frame:
    """The rows of the frame that lie in the days after their customer took the step."""
    rows = frame.join(sided, on="customer_id", how="inner")
    return rows.filter(
        nw.col("time_ms") >= nw.col("from_ms"),
        nw.col("time_ms") <= nw.col("from_ms") + days * _DAY_MS,
    )


def _texts(source: Source, asked: _Asked, end: int) -> Frame:
    """What customers wrote in those days: text_id, day, kind, body, customer_id, side."""
    texts = source.texts(asked.reach).filter(
        nw.col("kind").is_in(_WRITERS),
        nw.col("author_role").is_null() | (nw.col("author_role") == "customer"),
        ~nw.col("customer_id").is_null(),
    )
    links = source.identities().select("sent_id", known="customer_id")
    texts = texts.join(links, left_on="customer_id", right_on="sent_id", how="left")
    person = nw.coalesce(nw.col("known"), nw.col("customer_id")).alias("customer_id")
    texts = texts.select("text_id", "day", "kind", "body", "time_ms", person)
    return _after(texts, _sided(source, asked, end), asked.days)


def _sizes(source: Source, asked: _Asked, end: int) -> Frame:
    writers = _texts(source, asked, end).select("customer_id").unique()
    writers = writers.with_columns(wrote=nw.lit(1))
    sided = _sided(source, asked, end).join(writers, on="customer_id", how="left")
    wrote = nw.coalesce(nw.col("wrote"), nw.lit(0))
    return (
        sided.with_columns(wrote=wrote)
        .group_by("side")
        .agg(nw.len().alias("customers"), nw.col("wrote").sum())
    )


def _findings(source: Source, asked: _Asked, end: int) -> Frame:
    """What the newest reading found in those texts: complaints, themes, and a bad mood."""
    found = source.readings(asked.reach).filter(
        ~nw.col("label").is_null(), nw.col("task").is_in(list(_KINDS))
    )
    newest = found.group_by("text_id", "task").agg(nw.col("time").max().alias("newest"))
    found = found.join(newest, on=["text_id", "task"], how="inner")
    complaint = (nw.col("task") == "aspects") & (nw.col("value") < 0)
    mood = (nw.col("task") == "sentiment") & (nw.col("label") == _NEGATIVE)
    found = found.filter(
        nw.col("time") == nw.col("newest"), complaint | mood | (nw.col("task") == "theme")
    )
    found = found.select("text_id", "task", "label", "span", "opinion", "confidence")
    return found.join(_texts(source, asked, end), on="text_id", how="inner")


def _told(ctx: Context, asked: _Asked, end: int) -> dict[Key, Counter[str]]:
    """By reason, how many customers of each side gave it in words."""

    def build(source: Source) -> Frame:
        return (
            _findings(source, asked, end)
            .group_by("task", "label", "side")
            .agg(nw.col("customer_id").n_unique().alias("customers"))
        )

    counts: dict[Key, Counter[str]] = defaultdict(Counter)
    for row in ctx.shop.query(build).to_pylist():
        counts[_KINDS[row["task"]], row["label"]][row["side"]] += int(row["customers"])
    return counts


def _met(ctx: Context, asked: _Asked, end: int) -> dict[Key, Counter[str]]:
    """By what they did or met, how many customers of each side."""

    def build(source: Source) -> Frame:
        rows = source.events(asked.reach).filter(
            nw.col("name").is_in([SEARCH, REFUND]), ~nw.col("customer_id").is_null()
        )
        told = nw.coalesce(*(nw.col("properties").map.get(name) for name in _COUNTS))
        rows = rows.with_columns(told=told)
        without = (nw.col("name") == SEARCH) & nw.col("told").is_in(["0", "0.0"])
        empty = nw.when(without).then(nw.lit(WITHOUT_RESULT))
        name = nw.when(nw.col("name") == REFUND).then(nw.lit(REFUND)).otherwise(empty)
        acts = rows.select("customer_id", "time_ms", name=name).filter(~nw.col("name").is_null())
        met = _after(acts, _sided(source, asked, end), asked.days).select(
            "customer_id", "side", "name"
        )
        kinds = _texts(source, asked, end).filter(nw.col("kind").is_in(["ticket", "chat"]))
        asks = kinds.select("customer_id", "side", nw.col("kind").alias("name"))
        return (
            nw.concat([met, asks])
            .group_by("name", "side")
            .agg(nw.col("customer_id").n_unique().alias("customers"))
        )

    counts: dict[Key, Counter[str]] = defaultdict(Counter)
    for row in ctx.shop.query(build).to_pylist():
        counts["behaviour", row["name"]][row["side"]] += int(row["customers"])
    return counts


def _reasons(
    told: Mapping[Key, Counter[str]],
    met: Mapping[Key, Counter[str]],
    counts: Counter[str],
    wrote: Counter[str],
    k: int,
) -> tuple[DropReason, ...]:
    """The reasons that set those who left apart most, the surest first."""
    known = [(key, by_side, wrote, "wrote") for key, by_side in told.items() if by_side[LEFT]]
    known += [(key, by_side, counts, "all") for key, by_side in met.items() if by_side[LEFT]]
    level = 1 - (1 - intervals.LEVEL) / max(1, len(known))
    made = [_reason(key, by_side, of, level, named) for key, by_side, of, named in known]
    return tuple(sorted(made, key=_surest)[:k])


def _reason(
    key: Key, by_side: Counter[str], of: Counter[str], level: float, named: str
) -> DropReason:
    kind, name = key
    left = Proportion(of[LEFT], by_side[LEFT])
    on = Proportion(of[ON], by_side[ON]) if of[ON] >= LEAST else None
    apart: EstimateOrCannotSay = CannotSay(
        reason=f"Only {of[ON]} of those who went on can be compared with.",
        needed=f"at least {LEAST}",
        code="few_customers",
        values={"count": of[ON], "least": LEAST},
    )
    there = apart if on is None else intervals.proportion(on)
    if on is not None:
        first, second = intervals.proportion(left, level), intervals.proportion(on, level)
        if isinstance(first, Estimate) and isinstance(second, Estimate):
            apart = intervals.difference(first, second)
    return DropReason.model_validate(
        {
            "kind": kind,
            "name": name,
            "of": named,
            "customers": by_side[LEFT],
            "left": intervals.proportion(left),
            "went_on": there,
            "difference": apart,
            "beyond_chance": isinstance(apart, Estimate) and (apart.low > 0 or apart.high < 0),
            "quotes": (),
        }
    )


def _surest(one: DropReason) -> tuple[bool, float, int, str]:
    low = one.difference.low if isinstance(one.difference, Estimate) else -1.0
    return not (one.beyond_chance and low > 0), -low, -one.customers, one.name


def _quotes(
    ctx: Context, asked: _Asked, end: int, keys: Sequence[Key]
) -> dict[Key, tuple[Quote, ...]]:
    """For each reason in words, up to three quotes of different customers who left."""
    tasks = {kind: task for task, kind in _KINDS.items()}
    chosen: dict[Key, tuple[Quote, ...]] = {}
    for kind, name in keys:
        if kind not in tasks:
            continue
        build = partial(_quoted, asked=asked, end=end, task=tasks[kind], label=name)
        quotes: dict[str, Quote] = {}
        for row in ctx.shop.query(build).to_pylist():
            quotes.setdefault(row["customer_id"], _quote(row))
        chosen[kind, name] = tuple(quotes.values())[:_QUOTES]
    return chosen


def _quoted(source: Source, *, asked: _Asked, end: int, task: str, label: str) -> Frame:
    rows = _findings(source, asked, end).filter(
        nw.col("side") == LEFT, nw.col("task") == task, nw.col("label") == label
    )
    rows = rows.select("text_id", "customer_id", "day", "body", "span", "opinion", "confidence")
    order = rows.sort("confidence", "text_id", descending=[True, False], nulls_last=True)
    return order.head(_LOOKED_AT)


def _quote(row: Row) -> Quote:
    """The words around what was found, at most 160 characters of the text as it stands."""
    body: str = row["body"]
    found = body.find(row["opinion"] or row["span"] or "")
    start = max(0, found - _LONGEST // 2) if found > _LONGEST // 2 else 0
    words = body[start : start + _LONGEST]
    cut = ("…" if start else "") + words + ("…" if start + _LONGEST < len(body) else "")
    return Quote(text_id=row["text_id"], day=row["day"], words=cut)


def _unread(source: Source, asked: _Asked, end: int) -> Frame:
    read = source.readings(asked.reach).select("text_id").unique()
    texts = _texts(source, asked, end).filter(nw.col("side") == LEFT)
    return texts.join(read, on="text_id", how="anti").select(nw.len().alias("texts"))
