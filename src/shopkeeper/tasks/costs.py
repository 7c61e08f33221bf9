"""What a thousand texts cost: by the teacher alone, and with a student in front of it."""

from __future__ import annotations

from shopkeeper.core.errors import BadInput
from shopkeeper.core.types import Value


class Cost(Value):
    """Amounts are in the shop's currency, for a thousand texts; ``labels`` is paid once.

    ``pays_after`` is the number of texts after which the labels have paid for themselves; None: never.
    """

    teacher_alone: float
    cascade: float
    labels: float
    pays_after: int | None


def cost(per_text: float, local_share: float, labels: int) -> Cost:
    """The cost when the teacher takes ``per_text`` and the student serves ``local_share``.

    ``labels`` texts were labelled by the teacher to train and calibrate the student.
    """
    if not 0 <= local_share <= 1 or per_text < 0:
        raise BadInput("A share is from 0 to 1 and a price at least 0.", hint="Check both.")
    saved = per_text * local_share
    return Cost(
        teacher_alone=1000 * per_text,
        cascade=1000 * per_text * (1 - local_share),
        labels=per_text * labels,
        pays_after=round(per_text * labels / saved) if saved else None,
    )
