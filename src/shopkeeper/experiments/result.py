"""The result of an experiment: counts, the check of shares, comparisons and the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from shopkeeper.core.settings import Language
from shopkeeper.experiments import catalogue
from shopkeeper.experiments.analysis import compared, courses
from shopkeeper.experiments.gather import Gathered, gather
from shopkeeper.experiments.running import experiment_of
from shopkeeper.experiments.types import Arm, Comparison, Design, Experiment, Result, SampleRatio
from shopkeeper.experiments.verdict import Seen, verdict
from shopkeeper.shop.shop import Shop
from shopkeeper.stats import ratio_check
from shopkeeper.store.experiments import Experiments

_RECENT = 7


def result(shop: Shop, experiment_id: str, lang: Language) -> Result:
    """What is known by now.

    Raises:
        NotFound: there is no such experiment.
    """
    stored = Experiments(shop.database).get(experiment_id)
    experiment = experiment_of(shop, stored)
    design = experiment.design
    asked = catalogue.of(design)
    found = gather(shop, stored, design, [metric for _, metric in asked.values()])
    arms = _arms(experiment, found)
    ratio = _ratio(design, found)
    comparisons: tuple[Comparison, ...] = ()
    if found is not None:
        comparisons = compared(design, courses(design, asked, found.cohorts, lang))
    seen = Seen(design, experiment.status, arms, ratio, comparisons, _pace(design, found))
    return Result(
        experiment=experiment,
        as_of=found.as_of if found else None,
        arms=arms,
        mixed=found.exposures.mixed if found else 0,
        earlier=found.exposures.earlier if found else 0,
        waiting=sum(arm.exposed - arm.counted for arm in arms),
        sample_ratio=ratio,
        comparisons=comparisons,
        verdict=verdict(seen, lang),
    )


def _arms(experiment: Experiment, found: Gathered | None) -> tuple[Arm, ...]:
    design = experiment.design
    exposed: Counter[str] = Counter()
    counted: Counter[str] = Counter()
    if found is not None:
        for day in found.exposures.by_day.values():
            exposed += day
        for cohort in found.cohorts[design.primary]:
            counted[cohort.variant_id] += cohort.units
    whole = sum(v.share for v in design.variants)
    return tuple(
        Arm(
            variant_id=v.variant_id,
            what=v.what,
            share=v.share / whole,
            assigned=experiment.assigned.get(v.variant_id, 0),
            exposed=exposed[v.variant_id],
            counted=counted[v.variant_id],
        )
        for v in design.variants
    )


def _ratio(design: Design, found: Gathered | None) -> SampleRatio | None:
    if found is None:
        return None
    names = [v.variant_id for v in design.variants]
    shares = [v.share for v in design.variants]
    days: Sequence[list[int]] = [
        [counts[name] for name in names] for counts in found.exposures.by_day.values()
    ]
    p = ratio_check.sequential(days, shares)
    totals = [sum(day[i] for day in days) for i in range(len(names))]
    return SampleRatio(
        p_value=p,
        chi_square=ratio_check.chi_square(totals, shares),
        alarm=ratio_check.ALARM,
        ok=p >= ratio_check.ALARM,
    )


def _pace(design: Design, found: Gathered | None) -> float:
    """Customers a day that came to be counted lately."""
    if found is None:
        return 0.0
    days: Counter[object] = Counter()
    for cohort in found.cohorts[design.primary]:
        days[cohort.day] += cohort.units
    recent = list(days.values())[-_RECENT:]
    return sum(recent) / len(recent) if recent else 0.0
