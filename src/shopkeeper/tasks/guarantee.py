"""How sure the student must be so that what it answers alone is wrong at most so often, surely.

What is guaranteed: among texts that come from where the calibration texts came from (drawn at random,
independently of the student), and whose answer is served locally, the share that differs from the
calibration labels is at most ``alpha``; the rule that picked the threshold breaks this promise in at
most a share ``delta`` of its uses. It says nothing about one text, about a label of its own, or about
texts of another kind; and it is about agreement with whoever labelled: a teacher, or people.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from shopkeeper.core.errors import BadInput
from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay, Estimate, Value
from shopkeeper.stats.binomial import lower, upper

Floats = NDArray[Any]
Against = Literal["teacher", "people"]
_STEP = 0.01
_FIRST_LABELS = 300
_FIRST_SHARES = (0.2, 0.5)


class Guarantee(Value):
    """From which confidence on the student answers alone, and what is promised of these answers.

    ``bound`` is the exact upper bound of their error (``errors`` of ``accepted`` calibration texts were
    wrong); ``share`` is the part of the calibration texts that would be served locally.
    """

    kind: Literal["guarantee"] = "guarantee"
    threshold: float
    alpha: float
    delta: float
    against: Against
    labels: int
    accepted: int
    errors: int
    bound: float
    share: float
    model_version: str = ""

    @property
    def statement(self) -> str:
        """The promise in one English sentence."""
        return self.sentence("en")

    def sentence(self, lang: Language) -> str:
        """The promise in one sentence of that language."""
        if lang == "zh":
            whom = "教师模型" if self.against == "teacher" else "人"
            return (
                f"在未经{whom}、由学生模型独自回答的文本中，与{whom}的答案不一致的不超过 {self.alpha:.1%}；"
                f"对与校准所用的 {self.labels} 条文本同类的文本，此结论的置信度为 {1 - self.delta:.0%}。"
            )
        who = "the teacher" if self.against == "teacher" else "people"
        return (
            f"Of the texts answered without {who}, at most {self.alpha:.1%} differ from what {who} would"
            f" say; this holds with {1 - self.delta:.0%} confidence for texts like the {self.labels}"
            " it was calibrated on."
        )


def grid(confidence: Floats, labels: int) -> list[float]:
    """The thresholds to try, highest first, from the confidences of a pool without labels.

    They must not depend on the calibration labels. The first serves the share at which ``labels``
    calibration texts leave some 300 accepted (a fifth to a half): fewer cannot prove 5 %, so starting at
    the surest few would end the sequence at once. Each next one serves 1 % more.
    """
    ordered = np.sort(np.asarray(confidence, float))[::-1]
    if not len(ordered):
        raise BadInput(
            "There is no confidence to take thresholds from.", hint="Give a pool of texts."
        )
    first = float(np.clip(_FIRST_LABELS / max(1, labels), *_FIRST_SHARES))
    shares = np.arange(first, 1 + _STEP / 2, _STEP)
    places = np.minimum((shares * len(ordered)).astype(int), len(ordered) - 1)
    thresholds = ordered[places]
    return [float(one) for one in dict.fromkeys(thresholds.tolist())]


def calibrate(
    confidence: Sequence[float] | Floats,
    right: Sequence[bool] | NDArray[np.bool_],
    thresholds: Sequence[float],
    *,
    alpha: float,
    delta: float,
    against: Against = "teacher",
    model_version: str = "",
) -> Guarantee | CannotSay:
    """The lowest threshold that is still proven, or why there is none.

    ``confidence`` and ``right`` are the student's on calibration texts, which were drawn at random and
    have taught it nothing. Fixed-sequence testing: the thresholds are tested from the highest down, each
    at level ``delta``, until the first whose exact upper bound exceeds ``alpha``. The number accepted
    is random, but given it the errors are binomial, so each test is exact; and since the first true
    "error > alpha" in the sequence is passed with probability at most ``delta``, so is any.

    Source: Angelopoulos, Bates, Candès, Jordan & Lei, "Learn then test", Annals of Applied Statistics
    19 (2025), section 4 with fixed-sequence testing; bound of Clopper & Pearson (1934).
    """
    sure, good = np.asarray(confidence, float), np.asarray(right, bool)
    if len(sure) != len(good):
        raise BadInput(f"{len(sure)} confidences but {len(good)} outcomes.", hint="One per text.")
    if list(thresholds) != sorted(thresholds, reverse=True):
        raise BadInput("The thresholds must fall.", hint="Take them from grid().")
    best: Guarantee | None = None
    errors = accepted = 0
    for threshold in thresholds:
        served = sure >= threshold
        accepted, errors = int(served.sum()), int((served & ~good).sum())
        bound = upper(errors, accepted, delta)
        if bound > alpha:
            break
        best = Guarantee(
            threshold=threshold,
            alpha=alpha,
            delta=delta,
            against=against,
            labels=len(sure),
            accepted=accepted,
            errors=errors,
            bound=bound,
            share=accepted / len(sure),
            model_version=model_version,
        )
    if best is None:
        reason = f"Of the {accepted} surest of {len(sure)} calibration texts {errors} were wrong."
        return CannotSay(reason=reason, needed="more calibration labels, or a better student")
    return best


def audited(right: Sequence[bool] | NDArray[np.bool_], delta: float) -> Estimate | CannotSay:
    """How often what was served is wrong, by an audit of served texts drawn at random.

    An exact interval at level 1 - ``delta`` (Clopper & Pearson); with people as auditors this is the
    error against people, whoever taught the student.
    """
    checked = np.asarray(right, bool)
    n, wrong = len(checked), int((~checked).sum())
    if n == 0:
        return CannotSay(reason="No served text was audited.", needed="at least 1, better 200")
    half = delta / 2
    return Estimate(
        value=wrong / n, low=lower(wrong, n, half), high=upper(wrong, n, half), n=n, level=1 - delta
    )
