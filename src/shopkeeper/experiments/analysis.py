"""Each measure of each variant beside the control, look by look, under the experiment's rule."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Final

from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay, Estimate, EstimateOrCannotSay
from shopkeeper.experiments import catalogue
from shopkeeper.experiments.sums import Cohort
from shopkeeper.experiments.types import Comparison, Design, Look, Metric, Role
from shopkeeper.experiments.wording import say
from shopkeeper.stats.effects import Effect, effect, value
from shopkeeper.stats.moments import Moments
from shopkeeper.stats.stopping import Stopping, holm

LEAST: Final = 30
"""Customers that each variant must have before a look counts: normal intervals promise too much of fewer."""


@dataclass(frozen=True)
class Course:
    """A measure of one variant and the control over the looks that count."""

    metric: Metric
    role: Role
    variant_id: str
    stopping: Stopping
    days: tuple[date, ...]
    effects: tuple[Effect, ...]
    values: tuple[float | None, float | None]
    """Of the control and the variant, of all who count, also before a look does."""
    why_not: CannotSay | None
    lang: Language

    @property
    def units(self) -> list[int]:
        return [one.n for one in self.effects]

    def bounds(self, alpha: float) -> list[float]:
        """The critical |z| of each look; of a fixed horizon's single look by Student's t."""
        if self.stopping.rule == "fixed":
            return [one.fixed_multiplier(alpha) for one in self.effects]
        return list(self.stopping.multipliers(self.units, alpha))

    def crossed(self, alpha: float) -> int | None:
        """The first look at which |z| was beyond its bound."""
        for place, (one, bound) in enumerate(zip(self.effects, self.bounds(alpha), strict=True)):
            if abs(one.z) > bound:
                return place
        return None

    def for_the_better(self, place: int) -> bool:
        """Whether the difference at that look is one that is wished for."""
        return (self.effects[place].value > 0) == (self.metric.good == "up")


def planned(design: Design, variant_id: str) -> float:
    """The customers of a variant and the control together at the planned end."""
    shares = {v.variant_id: v.share for v in design.variants}
    pair = shares[variant_id] + design.variants[0].share
    return design.units * pair / sum(shares.values())


def courses(
    design: Design,
    asked: dict[str, tuple[Role, Metric]],
    cohorts: dict[str, list[Cohort]],
    lang: Language,
) -> list[Course]:
    """Every measure of every variant but the control."""
    control, *others = design.variants
    made = []
    for role, metric in asked.values():
        for variant in others:
            pair = (control.variant_id, variant.variant_id)
            stopping = Stopping(design.rule, planned(design, variant.variant_id))
            found = cohorts[metric.name]
            made.append(_course(design, (role, metric), pair, stopping, found, lang))
    return made


def _course(
    design: Design,
    asked: tuple[Role, Metric],
    pair: tuple[str, str],
    stopping: Stopping,
    cohorts: Sequence[Cohort],
    lang: Language,
) -> Course:
    role, metric = asked
    shape = catalogue.shape(metric)
    totals = {variant: Moments() for variant in pair}
    days: list[date] = []
    effects: list[Effect] = []
    why: CannotSay | None = None
    by_day = [(day, list(found)) for day, found in groupby(cohorts, key=lambda one: one.day)]
    for place, (day, found) in enumerate(by_day):
        for cohort in found:
            if cohort.variant_id in totals:
                totals[cohort.variant_id] += cohort.moments[metric.name]
        if (place + 1) % design.look_days:
            continue
        control, treatment = (totals[variant] for variant in pair)
        if min(control.n, treatment.n) < LEAST:
            few = min(control.n, treatment.n)
            why = CannotSay(
                reason=say(lang, "few", units=few), needed=say(lang, "few_needed", units=LEAST)
            )
            continue
        reply = effect(control, treatment, shape, adjusted=metric.before_days > 0)
        if isinstance(reply, CannotSay):
            why = CannotSay(reason=say(lang, "flat"), needed=say(lang, "flat_needed"))
        elif reply.error > 0:
            days.append(day)
            effects.append(reply)
    counted = stopping.counted([one.n for one in effects])
    if not effects and why is None:
        why = CannotSay(
            reason=say(lang, "waiting"),
            needed=say(lang, "waiting_needed", days=metric.from_day + metric.days),
        )
    return Course(
        metric,
        role,
        pair[1],
        stopping,
        tuple(days[i] for i in counted),
        tuple(effects[i] for i in counted),
        (value(totals[pair[0]], shape), value(totals[pair[1]], shape)),
        why if not counted else None,
        lang,
    )


def compared(design: Design, made: Sequence[Course]) -> tuple[Comparison, ...]:
    """The courses as comparisons; the error is shared among the measures of a role by Holm's step-down."""
    found: dict[int, bool] = {}
    for role in ("primary", "guardrail", "secondary"):
        family = [i for i, course in enumerate(made) if course.role == role]
        tests = [
            [made[i].crossed(design.alpha / (j + 1)) is not None for j in range(len(family))]
            for i in family
        ]
        found |= dict(zip(family, holm(tests), strict=True))
    sizes = {role: sum(course.role == role for course in made) for role in {c.role for c in made}}
    return tuple(
        _comparison(course, design.alpha, sizes[course.role], found[i])
        for i, course in enumerate(made)
    )


def _comparison(course: Course, alpha: float, family: int, found: bool) -> Comparison:
    level = alpha / family
    bounds = course.bounds(level)
    # Holm may have let it fall at a larger share of the error than the interval has.
    places = [course.crossed(alpha / j) for j in range(family, 0, -1)]
    place = next((one for one in places if one is not None), None) if found else None
    last = course.effects[-1] if course.effects else None
    return Comparison(
        metric=course.metric,
        role=course.role,
        variant_id=course.variant_id,
        control=course.values[0],
        treatment=course.values[1],
        difference=_interval(course, bounds, level, relative=False),
        relative=_interval(course, bounds, level, relative=True),
        found=place is not None,
        good=None if place is None else course.for_the_better(place),
        found_on=None if place is None else course.days[place],
        saved=last.saved if last else 0.0,
        looks=tuple(
            _look(day, one, bound)
            for day, one, bound in zip(course.days, course.effects, bounds, strict=True)
        ),
    )


def _interval(
    course: Course, bounds: Sequence[float], alpha: float, *, relative: bool
) -> EstimateOrCannotSay:
    if not course.effects:
        return course.why_not or _too_early(course)
    last, bound = course.effects[-1], bounds[-1]
    if math.isinf(bound):
        return _too_early(course)
    found = last.relative if relative else last.value
    error = last.relative_error if relative else last.error
    if math.isnan(found):
        return CannotSay(reason=say(course.lang, "zero"), needed=say(course.lang, "zero_needed"))
    half = bound * error
    return Estimate(value=found, low=found - half, high=found + half, n=last.n, level=1 - alpha)


def _too_early(course: Course) -> CannotSay:
    units = f"{math.ceil(course.stopping.planned):,}"
    key = "once" if course.stopping.rule == "fixed" else "fifth"
    return CannotSay(
        reason=say(course.lang, key), needed=say(course.lang, f"{key}_needed", units=units)
    )


def _look(day: date, one: Effect, bound: float) -> Look:
    quiet = math.isinf(bound)
    return Look(
        day=day,
        units=one.n,
        value=one.value,
        low=None if quiet else one.value - bound * one.error,
        high=None if quiet else one.value + bound * one.error,
        z=one.z,
        bound=None if quiet else bound,
    )
