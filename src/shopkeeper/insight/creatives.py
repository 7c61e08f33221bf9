"""What advertising creatives are made of, and how their elements go with the click-through rate.

Only what was shown under the same conditions is compared: the creatives with the same ``thread_id``, which
names a test (and, where pictures differ within a test, the picture too); the product where it is empty.
The effect of an element is the difference of the click rates of variants with and without it within a
test, weighted over tests by n1 n0 / (n1 + n0) impressions (the weights of Mantel & Haenszel). Its interval
comes from the spread between tests, so that an element that helps here and harms there is not called
sure; with several elements looked at, each interval is widened (Bonferroni).
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import narwhals as nw
from scipy.stats import norm

from shopkeeper.core.operation import Context
from shopkeeper.core.period import Period
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.insight.types import Creatives, Element
from shopkeeper.warehouse.source import Frame, Source

SHOWN: Final = ("ad_impression", "view_promotion")
CLICKED: Final = ("ad_click", "select_promotion")
"""Events about a creative: ``content_id`` is its text's id; ``quantity`` how many at once (default 1)."""

_LEVEL: Final = 0.95
_LEAST_TESTS: Final = 5

_PATTERNS: Final = {
    "number": r"\d|[一二三四五六七八九十百千万]+(?:个|件|种|天|元|折|步|招)",
    "question": r"[?？]|吗[。！!]?$|\b(?:why|how|what|who|which)\b",
    "exclamation": r"[!！]",
    "discount": r"\d折|打折|优惠|满减|立减|特价|券|\d+ ?% ?off|\b(?:sale|discount|deal|coupon|save)\b",
    "free": r"免费|包邮|赠|\bfree\b",
    "urgency": r"限时|限量|今天|最后|仅剩|抢|马上|\b(?:today|now|last|ends|hurry|limited|only \d+)\b",
    "you": r"[你您]|\b(?:you|your|yours|you're|you'll)\b",
    "we": r"我们|\b(?:we|our|us)\b",
    "quote": r"[\"“”「」]",
    "emoji": r"[\U0001F300-\U0001FAFF☀-➿]",
    "negation": r"不|没|别|\b(?:not|never|no|don't|doesn't|isn't|won't|can't)\b",
    "curiosity": r"竟然|居然|原来|揭秘|真相|秘密|\b(?:secret|what happened|turns out|reason|guess|until)\b",
    "proof": r"销量|好评|明星|专家|热卖|\b(?:best.?sell|reviews?|experts?|studies|study|award|million)\b",
    "newness": r"新款|新品|首发|上新|\b(?:new|launch|first)\b",
    "benefit": r"轻松|省心|舒适|省钱|变美|显瘦|\b(?:easy|easier|better|save|helps?|comfort|simple)\b",
}  # fmt: skip
_COMPILED = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _PATTERNS.items()}
_LONG = {True: 20, False: 80}  # characters, of a text with Han letters and of another
_HAN = re.compile(r"[一-鿿]")


class Variant(NamedTuple):
    """One creative as it was shown: variants with the same ``group`` may be compared."""

    group: str
    text: str
    shown: float
    clicked: float


def elements(text: str) -> frozenset[str]:
    """The elements that a creative has, by the words and signs that make them."""
    found = {name for name, pattern in _COMPILED.items() if pattern.search(text)}
    if len(text) > _LONG[bool(_HAN.search(text))]:
        found.add("long")
    return frozenset(found)


def creatives(ctx: Context, since: Period) -> Creatives:
    """See the operation ``creatives``."""
    rows = ctx.shop.query(lambda source: _shown(source, since, ctx)).to_pylist()
    variants = [
        Variant(
            row["thread_id"] or row["item_id"] or "",
            f"{row['title']}\n{row['body']}" if row["title"] else row["body"] or "",
            row["shown"],
            row["clicked"],
        )
        for row in rows
        if row["shown"] > 0
    ]
    if not variants:
        return Creatives(creatives=0, tests=0, impressions=0, elements=(), level=_LEVEL, cannot_say=CannotSay(
            reason="No creative's impressions are known.",
            needed=f"texts of kind `creative`, and events {' or '.join(SHOWN)} and {' or '.join(CLICKED)}"
            " with the text's id as content_id",
        ))  # fmt: skip
    return compared(variants)


def compared(variants: Sequence[Variant]) -> Creatives:
    """How each element goes with the click-through rate, within tests, the strongest first."""
    tests: dict[str, list[tuple[frozenset[str], Variant]]] = defaultdict(list)
    for one in variants:
        tests[one.group].append((elements(one.text), one))
    names = [*_PATTERNS, "long"]
    looked = [
        name
        for name in names
        if sum(_split(t, name) is not None for t in tests.values()) >= _LEAST_TESTS
    ]
    level = 1 - (1 - _LEVEL) / max(1, len(looked))
    found = [_effect(name, tests, level if name in looked else None) for name in names]
    found.sort(key=lambda one: -abs(one.effect.value) if isinstance(one.effect, Estimate) else 1.0)
    return Creatives(
        creatives=len(variants),
        tests=sum(len(test) > 1 for test in tests.values()),
        impressions=round(sum(one.shown for one in variants)),
        elements=tuple(found),
        level=level,
    )


class _Arms(NamedTuple):
    """Impressions and clicks of a test's variants with and without an element."""

    shown: tuple[float, float]
    clicked: tuple[float, float]


def _split(test: Iterable[tuple[frozenset[str], Variant]], name: str) -> _Arms | None:
    shown, clicked = [0.0, 0.0], [0.0, 0.0]
    for has, one in test:
        shown[name not in has] += one.shown
        clicked[name not in has] += one.clicked
    if not all(shown):
        return None
    return _Arms((shown[0], shown[1]), (clicked[0], clicked[1]))


def _effect(
    name: str, tests: Mapping[str, list[tuple[frozenset[str], Variant]]], level: float | None
) -> Element:
    arms = [split for test in tests.values() if (split := _split(test, name)) is not None]
    having = sum(name in has for test in tests.values() for has, _ in test)
    if level is None:
        why = CannotSay(
            reason=f"Only {len(arms)} tests have variants with and without it.",
            needed=f"at least {_LEAST_TESTS} such tests",
        )
        return Element(element=name, creatives=having, tests=len(arms), rate=None, effect=why)
    weights = [a.shown[0] * a.shown[1] / sum(a.shown) for a in arms]
    gaps = [a.clicked[0] / a.shown[0] - a.clicked[1] / a.shown[1] for a in arms]
    total = sum(weights)
    effect = sum(w * gap for w, gap in zip(weights, gaps, strict=True)) / total
    # Tests differ in how much an element does: the spread between them is in the error, not only chance.
    spread = sum((w * (gap - effect)) ** 2 for w, gap in zip(weights, gaps, strict=True))
    half = (
        float(norm.ppf((1 + level) / 2)) * math.sqrt(spread * len(arms) / (len(arms) - 1)) / total
    )
    base = sum(a.clicked[1] for a in arms) / sum(a.shown[1] for a in arms)
    return Element(
        element=name,
        creatives=having,
        tests=len(arms),
        rate=base,
        effect=Estimate(
            value=effect, low=effect - half, high=effect + half, n=len(arms), level=level
        ),
    )


def _shown(source: Source, since: Period, ctx: Context) -> Frame:
    """One row a creative: its text, its test, and how often it was shown and clicked."""
    span = ctx.shop.span()
    days = since.resolve(span.start, span.end) if span else None
    many = nw.col("quantity").fill_null(1.0)
    events = source.events(days).filter(
        nw.col("name").is_in([*SHOWN, *CLICKED]), ~nw.col("content_id").is_null()
    )
    counted = (
        events.with_columns(
            shown=nw.when(nw.col("name").is_in(list(SHOWN))).then(many).otherwise(0.0),
            clicked=nw.when(nw.col("name").is_in(list(CLICKED))).then(many).otherwise(0.0),
        )
        .group_by("content_id")
        .agg(nw.col("shown").sum(), nw.col("clicked").sum())
    )
    texts = source.texts().filter(nw.col("kind") == "creative")
    said = texts.select("text_id", "title", "body", "item_id", "thread_id")
    return said.join(counted, left_on="text_id", right_on="content_id", how="inner").sort("text_id")


def of_table(rows: Iterable[Mapping[str, Any]]) -> Creatives:
    """The same of rows with ``test``, ``picture``, ``text``, ``impressions`` and ``clicks``."""
    return compared([
        Variant(f"{r['test']}|{r['picture']}", str(r["text"]), float(r["impressions"]), float(r["clicks"]))
        for r in rows
    ])  # fmt: skip
