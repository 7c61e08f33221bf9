"""Looks at the shop with every rule, counts, estimates, ranks, and keeps what was found."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shopkeeper.advice import gaining
from shopkeeper.advice.gaining import Past
from shopkeeper.advice.idea import Idea, count, line, number_of_days, rules, share, text
from shopkeeper.advice.reaching import reached
from shopkeeper.advice.sizing import WINDOW, Crowd, Group, crowd, overlaps
from shopkeeper.advice.testing import hold_out_for
from shopkeeper.advice.types import Line, Opens, Reach, Test
from shopkeeper.advice.view import View
from shopkeeper.advice.wording import LANGUAGES, Words
from shopkeeper.core.operation import Context
from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.customers.segmenting.library import last_day
from shopkeeper.customers.segmenting.printing import written
from shopkeeper.customers.segmenting.saying import sentence
from shopkeeper.shop.shop import Shop
from shopkeeper.store.suggestions import Found, Look, Suggestions

MOST: Final = 10
LEAST: Final = 10
"""Fewer customers are no group for a campaign; who complained is answered one by one."""

_COVER: Final = 0.5
_ORDER: Final = ("care", "known", "stake", "reach", "nobody")


@dataclass(frozen=True)
class Made:
    """A group with everything that is said of it; ``by`` is what its place rests on, ``score`` how high."""

    group: Group
    lines: tuple[Line, ...]
    reach: tuple[Reach, ...]
    expected: Estimate | CannotSay
    expected_from: tuple[str, ...]
    at_stake: Estimate | CannotSay
    cost: Estimate | CannotSay
    test: Test | CannotSay
    by: str
    score: float

    @property
    def best(self) -> Reach | None:
        """The channel that reaches most, where one reaches anybody."""
        return self.reach[0] if self.reach and self.reach[0].reachable else None


def refresh(ctx: Context) -> None:
    """See the operation of this name."""
    shop, began = ctx.shop, time.perf_counter()
    as_of = last_day(shop)
    if as_of is None:
        return
    steps = len(rules()) + 3
    found: list[Idea] = []
    silent = []
    view = View(shop, as_of)
    for done, (name, rule) in enumerate(rules().items()):
        ctx.progress(done, steps, name)
        ideas = [idea for idea in rule.ideas(view) if view.proper(*_named(idea))]
        found += ideas
        if not ideas:
            silent.append(name)
    kept = Suggestions(shop.database)
    quiet = kept.quiet(shop.now())
    found = [idea for idea in found if idea.key not in quiet]
    ctx.progress(steps - 3, steps, "counting customers")
    counted = _large(crowd(shop, found, as_of))
    there = {one.idea.rule for one in counted.groups}
    silent += sorted({one.rule for one in found} - there)
    ctx.progress(steps - 2, steps, "looking who may be reached")
    made = sorted(_made(shop, counted), key=lambda one: (_ORDER.index(one.by), -one.score))[:MOST]
    bodies = _bodies(view, made)
    ctx.progress(steps - 1, steps, "writing down")
    look = Look(shop.now(), str(as_of), round(time.perf_counter() - began, 3), silent)
    kept.renew(bodies, look)


def _named(idea: Idea) -> list[str]:
    told = [str(figure.value) for figure in idea.names.values()]
    return [idea.category, *told]


def _large(counted: Crowd) -> Crowd:
    """Without the groups that are too small."""
    groups = [g for g in counted.groups if g.size >= (1 if g.idea.care else LEAST)]
    return Crowd(counted.ids, groups)


def _made(shop: Shop, counted: Crowd) -> list[Made]:
    past = gaining.past(shop)
    everyone = len(counted.ids)
    reach = reached(shop, counted)
    return [
        _one(shop, group, some, past, everyone)
        for group, some in zip(counted.groups, reach, strict=True)
    ]


def _one(
    shop: Shop, group: Group, reach: tuple[Reach, ...], past: Sequence[Past], everyone: int
) -> Made:
    best = reach[0] if reach and reach[0].reachable else None
    customers = best.reachable if best else 0
    expected: Estimate | CannotSay = _unreached(group)
    cost: Estimate | CannotSay = expected
    test: Test | CannotSay = _unreached(group)
    from_: tuple[str, ...] = ()
    if best is not None:
        expected, from_ = gaining.expected(past, group.idea.rule, best.channel, customers)
        cost = gaining.cost(shop, best.channel, customers)
        test = hold_out_for(customers, group.base)
    stake = _stake(group, customers)
    by, score = _place(group, customers, expected, stake)
    return Made(
        group=group,
        lines=(*group.idea.lines, *_lines(group, best, everyone)),
        reach=reach,
        expected=expected,
        expected_from=from_,
        at_stake=stake,
        cost=cost,
        test=test,
        by=by,
        score=score,
    )


def _unreached(group: Group) -> CannotSay:
    return CannotSay(reason="care" if group.idea.care else "unreached")


def _stake(group: Group, customers: int) -> Estimate | CannotSay:
    if group.average_order is None:
        return CannotSay(reason="stake")
    value = group.average_order * customers
    return Estimate(value=value, low=value, high=value, n=group.size, level=1.0)


def _place(
    group: Group, customers: int, expected: Estimate | CannotSay, stake: Estimate | CannotSay
) -> tuple[str, float]:
    if group.idea.care:
        return "care", group.size
    if not customers:
        return "nobody", group.size
    if isinstance(expected, Estimate):
        return "known", expected.value
    if isinstance(stake, Estimate):
        return "stake", stake.value
    return "reach", customers


def _lines(group: Group, best: Reach | None, everyone: int) -> list[Line]:
    """What is counted of every group: its size, what such customers did, predictions, who may be reached."""
    them = Opens(what="customers")
    of = share(group.size / everyone)
    lines = []
    if group.share_of_revenue is None:
        lines.append(line("size_plain", None, them, customers=count(group.size), share=of))
    else:
        revenue = share(group.share_of_revenue)
        size = {"customers": count(group.size), "share": of, "revenue": revenue}
        lines.append(line("size", None, them, **size))
    if isinstance(group.base, Estimate) and not group.idea.care:
        lines.append(
            line(
                "base",
                group.base_days,
                Opens(
                    what="customers", first_day=group.base_days.start, last_day=group.base_days.end
                ),
                customers=count(group.base.n),
                share=share(group.base.value, group.base.low, group.base.high),
                days=number_of_days(WINDOW),
            )
        )
    if group.churn is not None:
        name, value, known = group.churn
        opens = Opens(what="scores", names=(name,))
        horizon = number_of_days(int(name.rpartition("_")[2]))
        figures = {"name": horizon, "share": share(value), "customers": count(known)}
        lines.append(line("churn", None, opens, **figures))
    if best is not None:
        there = {"reachable": count(best.reachable), "customers": count(best.customers)}
        lines.append(line("reach", None, them, **there, channel=text(best.channel)))
    return lines


def _risks(made: Made, words: Words, shared: bool) -> list[str]:
    """What speaks against it, in words."""
    idea, best = made.group.idea, made.best
    told = [words(f"{idea.rule}.risk")]
    if idea.care:
        return told
    if best is None:
        return [words("risk.nobody"), *told]
    capped = best.reasons.get("capped", 0)
    if best.reachable / best.customers < _COVER:
        told.append(words("risk.consent", {"share": share(best.reachable / best.customers)}))
    if capped:
        told.append(words("risk.capped", {"customers": count(capped)}))
    if not best.ready:
        told.append(words("risk.setup", {"channel": text(best.channel)}))
    if isinstance(made.expected, Estimate) and made.expected.low < 0:
        told.append(words("risk.loss"))
    if shared:
        told.append(words("risk.overlap"))
    return told


def _bodies(view: View, made: Sequence[Made]) -> list[Found]:
    shared = overlaps([one.group for one in made])
    found = []
    for rank, one in enumerate(made, 1):
        mine = {b: both for (a, b), both in shared.items() if a == rank - 1}
        told = [
            {"rule": (idea := made[b].group.idea).rule, "subject": idea.subject, "customers": both}
            for b, both in sorted(mine.items(), key=lambda pair: -pair[1])
        ]
        body = _body(view, one) | {"rank": rank, "overlaps": told}
        body["said"] = {lang: _said(view.shop, one, lang, bool(told)) for lang in LANGUAGES}
        idea = one.group.idea
        found.append(Found(idea.rule, idea.subject, body))
    return found


def _body(view: View, one: Made) -> dict[str, Any]:
    idea = one.group.idea
    best = one.best
    return {
        "as_of": str(view.as_of),
        "definition": written(one.group.definition),
        "tree": one.group.definition.model_dump(mode="json"),
        "customers": one.group.size,
        "occasion": idea.occasion,
        "item_ids": list(idea.item_ids),
        "titles": [view.items[item].title for item in idea.item_ids],
        "about": idea.item_ids[0] if idea.item_ids else _wanted(view),
        "category": idea.category,
        "care": idea.care,
        "lines": [told.model_dump(mode="json") for told in one.lines],
        "reach": [told.model_dump(mode="json") for told in one.reach],
        "channel": best.channel if best else None,
        "expected": one.expected.model_dump(mode="json"),
        "expected_from": list(one.expected_from),
        "at_stake": one.at_stake.model_dump(mode="json"),
        "cost": one.cost.model_dump(mode="json"),
        "test": one.test.model_dump(mode="json"),
    }


def _wanted(view: View) -> str | None:
    """What most customers bought of late, of what may be offered: words are about something."""
    there = [
        (demand.buyers, item)
        for item, demand in view.demand.items()
        if item in view.items and view.items[item].offered and view.proper(view.items[item].title)
    ]
    return max(there, default=(0, None))[1]


def _said(shop: Shop, one: Made, lang: Language, shared: bool) -> Mapping[str, Any]:
    """Every text of the suggestion in one language."""
    words, idea = Words(lang, shop.settings.currency), one.group.idea
    figures = {**idea.names, "customers": count(one.group.size)}
    care = "_care" if idea.rule == "theme" and idea.care else ""
    campaigns = {"campaigns": count(len(one.expected_from))}
    return {
        "title": words(f"{idea.rule}.title{care}", figures),
        "what": words(f"{idea.rule}.what{care}", figures),
        "sentence": sentence(one.group.definition, lang),
        "lines": [words.line(idea.rule, told) for told in one.lines],
        "risks": _risks(one, words, shared),
        "ranked_by": words(f"rank.{one.by}", campaigns),
        "cannot": _cannot(one, words),
    }


def _cannot(one: Made, words: Words) -> dict[str, dict[str, str]]:
    """Why a figure cannot be given, and what it takes, by its name; figures tell a code alone."""
    best = one.best
    figures = {
        "customers": count(best.reachable if best else 0),
        "channel": text(best.channel if best else ""),
    }
    values = {name: getattr(one, name) for name in ("expected", "cost", "test", "at_stake")}
    return {
        name: {
            "reason": words(f"cannot.{value.reason}", figures),
            "needed": words(f"cannot.{value.reason}_needed", figures),
        }
        for name, value in values.items()
        if isinstance(value, CannotSay)
    }
