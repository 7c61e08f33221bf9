"""What a campaign would do: how many customers for which reason, counted as sending itself counts."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.campaigns.audience import listed, members
from shopkeeper.campaigns.designing import CONTROL, arms, templates
from shopkeeper.campaigns.page import BUDGET, HELD_OUT, affordable, problem_of
from shopkeeper.campaigns.types import Arm, Design, Problem, Sample
from shopkeeper.contact.eligibility import Ask, Why, verdicts
from shopkeeper.contact.looking import asked
from shopkeeper.contact.quiet import next_allowed
from shopkeeper.content.rendering import Rendered, letters
from shopkeeper.content.types import Version
from shopkeeper.decisions.assignment import held_out
from shopkeeper.shop.shop import Shop
from shopkeeper.store.assignments import Holdouts
from shopkeeper.store.campaigns import Stored

TRIED: Final = 2_000
"""Of a larger audience so many customers are drawn by chance, and letters are written for them alone."""
_ENOUGH: Final = 200
_EACH: Final = 3
"""Samples of each variant and language."""


@dataclass
class Reckoning:
    """What came of it; ``counts`` add up to ``audience``. ``compared`` are those who are drawn into arms."""

    versions: list[Version]
    arms: tuple[Arm, ...]
    policy: int
    at: datetime
    audience: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    compared: int = 0
    estimated: bool = False
    samples: list[Sample] = field(default_factory=list)
    problems: dict[Problem, None] = field(default_factory=dict)

    @property
    def reached(self) -> int:
        return self.counts[Why.OK.value] + self.counts[Why.QUIET.value]


@dataclass
class _Seen:
    """Customers who may be reached; ``first`` are those of them for whom letters are written, in order."""

    reachable: int = 0
    quiet: int = 0
    held: int = 0
    first: dict[str, bool] = field(default_factory=dict)
    """By customer, whether they are in the standing hold-out."""


def reckon(shop: Shop, stored: Stored) -> Reckoning:
    """Judge the segment's members of now as if it started now, or when it is to start."""
    design = Design.model_validate(stored.design)
    versions = templates(shop, design)
    now = shop.now()
    at = max(now, design.starts_at) if design.starts_at else now
    policy, ask = asked(shop, versions[0].channel, versions[0].purpose)
    made = Reckoning(versions, arms(design, versions), policy, now)
    ids = members(shop, design.segment_id, now)
    ids = ids.take(pc.array_sort_indices(ids))  # neighbours lie together in the store
    made.audience = len(ids)
    if design.local_time:  # every clock shows the same hour then: it is asked of the shop's
        quiet = next_allowed(at, shop.settings.zone, ask.policy.quiet) > at
        quiet = quiet and not ask.policy.is_service(ask.purpose)
        ask = replace(ask, policy=ask.policy.model_copy(update={"quiet": None}))
        seen = _judged(shop, replace(ask, at=at), made, ids)
        seen.quiet = seen.reachable if quiet else 0
    else:
        seen = _judged(shop, replace(ask, at=at), made, ids)
    _without_letters(shop, made, seen)
    _split(design, made, seen)
    made.counts = +made.counts
    return made


def _judged(shop: Shop, ask: Ask, made: Reckoning, ids: pa.Array) -> _Seen:
    """Count who is not reached, and look at the others."""
    places = random.Random(0).sample(range(len(ids)), min(TRIED, len(ids)))  # noqa: S311 - a sample
    lucky = set(ids.take(pa.array(places, pa.int64())).to_pylist())
    hold = Holdouts(shop.database).current()
    seen, ahead = _Seen(), dict[str, bool]()
    for page in verdicts(shop.database, ask, listed(ids)):
        for one in page:
            if one.why is not Why.OK and one.why is not Why.QUIET:
                made.counts[one.why.value] += 1
                continue
            held = hold is not None and held_out(hold.salt, hold.share, one.customer_id)
            seen.reachable += 1
            seen.held += held
            seen.quiet += one.why is Why.QUIET
            if one.customer_id in lucky:
                seen.first[one.customer_id] = held
            if len(ahead) < TRIED:
                ahead[one.customer_id] = held
    if len(seen.first) < _ENOUGH:  # few are reachable: all of them, or those ahead in the list
        seen.first = ahead
    return seen


def _without_letters(shop: Shop, made: Reckoning, seen: _Seen) -> None:
    """Write the first letters of every variant; count who would lack one, scaled up to all."""
    lacking: dict[str, str] = {}
    ids = list(seen.first)
    for arm, version in zip((a for a in made.arms if a.template_id), made.versions, strict=True):
        for one in letters(shop, version, ids):
            if problem := problem_of(one):
                lacking.setdefault(one.customer_id, problem)
                about = Problem(content_id=version.content_id, reason=problem, detail=one.detail)
                made.problems.setdefault(about, None)
            else:
                _sample(made.samples, arm.variant_id, one)
    scale = seen.reachable / len(ids) if ids else 1.0
    left = seen.reachable  # however it is rounded, there are no more than these
    for problem, count in Counter(lacking.values()).items():
        made.counts[problem] += (some := min(left, round(count * scale)))
        left -= some
    held = sum(seen.first[one] for one in lacking)
    made.counts[HELD_OUT] += max(0, min(left, seen.held - round(held * scale)))
    everyone = len(lacking) == len(ids)  # what all lack is no matter of chance
    made.estimated = bool(lacking) and not everyone and scale > 1


def _sample(samples: list[Sample], variant_id: str, one: Rendered) -> None:
    alike = (s for s in samples if s.variant_id == variant_id and s.language == one.language)
    if sum(1 for _ in alike) < _EACH:
        samples.append(
            Sample(
                variant_id=variant_id,
                customer_id=one.customer_id,
                language=one.language,
                content=dict(one.content or {}),
            )
        )


def _split(design: Design, made: Reckoning, seen: _Seen) -> None:
    """Who is left, into those held out, those the budget reaches for, and the others."""
    left = max(0, made.audience - made.counts.total())
    control = round(left * design.hold_out)
    treated = left - control
    if design.budget is not None and design.cost_per_message:
        most = affordable(design.budget, design.cost_per_message)
        if treated > most:
            treated = most
            control = round(most * design.hold_out / (1 - design.hold_out))
            made.counts[BUDGET] += left - control - treated
    quiet = round(treated * seen.quiet / seen.reachable) if seen.reachable else 0
    made.counts[CONTROL] += control
    made.counts[Why.QUIET.value] += quiet
    made.counts[Why.OK.value] += treated - quiet
    made.compared = control + treated
