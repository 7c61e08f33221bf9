"""What an experiment says, with its reasons, or why it cannot say it yet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay, Estimate, Reason
from shopkeeper.experiments.analysis import planned
from shopkeeper.experiments.types import (
    Arm,
    Comparison,
    Design,
    Metric,
    Outcome,
    SampleRatio,
    Status,
    Verdict,
)
from shopkeeper.experiments.wording import say


@dataclass(frozen=True)
class Seen:
    """What a verdict rests on. ``pace`` is how many customers a day come to be counted."""

    design: Design
    status: Status
    arms: Sequence[Arm]
    ratio: SampleRatio | None
    comparisons: Sequence[Comparison]
    pace: float

    @property
    def counted(self) -> int:
        return sum(arm.counted for arm in self.arms)

    @property
    def primary(self) -> list[Comparison]:
        return [one for one in self.comparisons if one.role == "primary"]


def verdict(seen: Seen, lang: Language) -> Verdict | CannotSay:
    """Better, worse, harm or no difference shown; else why it cannot be told."""
    return _unusable(seen, lang) or _shown(seen, lang) or _early(seen, lang)


def _unusable(seen: Seen, lang: Language) -> CannotSay | None:
    """Why nothing can be read at all."""
    if seen.status == "draft":
        return _cannot(lang, "draft")
    if seen.ratio is not None and not seen.ratio.ok:
        counts = ", ".join(f"{arm.variant_id} {arm.exposed:,}" for arm in seen.arms)
        return CannotSay(
            reason=say(lang, "broken", p=f"{seen.ratio.p_value:.2g}", counts=counts),
            needed=say(lang, "broken_needed"),
        )
    return None if seen.counted else _cannot(lang, "nobody")


def _shown(seen: Seen, lang: Language) -> Verdict | None:
    """What has been shown, or at the planned end that nothing was."""
    won = [one for one in seen.primary if one.found and one.good]
    lost = [one for one in seen.primary if one.found and not one.good]
    harmed = [one for one in seen.primary if _harmed(seen, one)]
    if won:
        best = max(won, key=lambda one: abs(_size(one)))
        return _decided(seen, "harm" if best in harmed else "better", best, lang)
    if len(lost) == len(seen.primary):
        return _decided(seen, "worse", min(lost, key=lambda one: abs(_size(one))), lang)
    if harmed:
        return _decided(seen, "harm", harmed[0], lang)
    return _decided(seen, "no_difference", seen.primary[0], lang) if _over(seen) else None


def _over(seen: Seen) -> bool:
    """Whether every variant has been compared at its planned end."""
    if seen.design.rule == "anytime":
        return False
    return all(
        bool(one.looks) and one.looks[-1].units >= planned(seen.design, one.variant_id)
        for one in seen.primary
    )


def _early(seen: Seen, lang: Language) -> CannotSay:
    counted, wanted = f"{seen.counted:,}", f"{seen.design.units:,}"
    if seen.status == "stopped":
        return CannotSay(
            reason=say(lang, "stopped", counted=counted, planned=wanted),
            needed=say(lang, "stopped_needed"),
        )
    if seen.design.rule == "anytime":
        return CannotSay(
            reason=say(lang, "early_open", counted=counted),
            needed=say(lang, "early_anytime", planned=wanted),
        )
    left = max(1, seen.design.units - seen.counted)
    days = f"{math.ceil(left / seen.pace):,}" if seen.pace else "?"
    return CannotSay(
        reason=say(lang, "early", counted=counted, planned=wanted),
        needed=say(lang, "early_needed", days=days),
    )


def _decided(seen: Seen, outcome: Outcome, one: Comparison, lang: Language) -> Verdict:
    guards = [
        c for c in seen.comparisons if c.role == "guardrail" and c.variant_id == one.variant_id
    ]
    bad = [c for c in guards if c.found and c.good is False]
    headline = say(
        lang,
        outcome,
        variant=one.variant_id,
        control=seen.design.variants[0].variant_id,
        metric=label(one.metric, lang),
        change=_change(one),
        guards=_names(bad, lang),
    )
    reasons = [_interval(one, outcome, lang), _rule(seen, one, lang)]
    if seen.ratio is not None:
        text = say(lang, "ratio", p=f"{seen.ratio.p_value:.2g}")
        reasons.append(Reason(code="ratio", text=text))
    for guard in bad:
        said = {"metric": label(guard.metric, lang), "variant": guard.variant_id}
        text = say(lang, "guard_bad", change=_change(guard), **said)
        reasons.append(Reason(code="guard_bad", text=text, evidence={"metric": guard.metric.name}))
    if fine := [c for c in guards if c not in bad]:
        text = say(lang, "guard_ok", guards=_names(fine, lang))
        reasons.append(Reason(code="guard_ok", text=text))
    return Verdict(
        outcome=outcome,
        variant_id=None if outcome == "no_difference" else one.variant_id,
        decided_on=one.found_on or (one.looks[-1].day if one.looks else None),
        headline=headline,
        reasons=tuple(reasons),
    )


def _interval(one: Comparison, outcome: Outcome, lang: Language) -> Reason:
    found = one.relative if isinstance(one.relative, Estimate) else one.difference
    if isinstance(found, CannotSay):
        return Reason(code="interval", text=found.reason)
    percent = isinstance(one.relative, Estimate)
    low, high = (_signed(x, percent=percent) for x in (found.low, found.high))
    if outcome == "no_difference":
        text = say(lang, "bound", metric=label(one.metric, lang), low=low, high=high)
    else:
        text = say(lang, "interval", level=f"{found.level * 100:.4g}", low=low, high=high)
    evidence: dict[str, str | float | int | None] = {
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "n": found.n,
    }
    return Reason(code="interval", text=text, evidence=evidence)


def _rule(seen: Seen, one: Comparison, lang: Language) -> Reason:
    rule = seen.design.rule
    text = say(lang, f"rule.{rule}", units=f"{seen.design.units:,}", looks=len(one.looks))
    return Reason(code="rule", text=text, evidence={"rule": rule, "looks": len(one.looks)})


def _harmed(seen: Seen, one: Comparison) -> bool:
    return any(
        c.role == "guardrail" and c.variant_id == one.variant_id and c.found and c.good is False
        for c in seen.comparisons
    )


def label(metric: Metric, lang: Language) -> str:
    """The measure's name in the reader's words."""
    return (metric.label_zh if lang == "zh" else metric.label_en) or metric.name


def _names(found: Sequence[Comparison], lang: Language) -> str:
    return ("、" if lang == "zh" else ", ").join(label(one.metric, lang) for one in found)


def _size(one: Comparison) -> float:
    return one.difference.value if isinstance(one.difference, Estimate) else 0.0


def _change(one: Comparison) -> str:
    if isinstance(one.relative, Estimate):
        return _signed(one.relative.value, percent=True)
    return _signed(_size(one), percent=False)


def _signed(value: float, *, percent: bool) -> str:
    return f"{value * 100:+.1f} %" if percent else f"{value:+.4g}"


def _cannot(lang: Language, key: str) -> CannotSay:
    return CannotSay(reason=say(lang, key), needed=say(lang, f"{key}_needed"))
