"""A shop's own order numbers, written as a small and safe part of regular expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from shopkeeper.trust.personal.finding import CHECKED, Candidate
from shopkeeper.trust.personal.safe import check

ORDER_NUMBER = "order_number"


@dataclass(frozen=True)
class Patterns:
    r"""What a shop's order numbers look like, for example ``Patterns(("SO\d{10}", "20\d{6}-\d{6}"))``.

    Allowed are letters, digits, ``\d``, classes such as ``[A-Z0-9]``, ``{n}``, ``{n,m}``, ``?``,
    ``|`` and groups. A match stands alone: no letter or digit touches it.

    Raises:
        BadInput: a pattern could match too little, too much or too slowly; says where and why.
    """

    order_numbers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for position, pattern in enumerate(self.order_numbers):
            check(pattern, field=f"order_numbers[{position}]")

    def candidates(self, text: str) -> Iterator[Candidate]:
        """The order numbers in folded text."""
        if self._compiled is not None:
            for hit in self._compiled.finditer(text):
                yield Candidate(ORDER_NUMBER, hit.start(), hit.end(), CHECKED)

    @cached_property
    def _compiled(self) -> re.Pattern[str] | None:
        if not self.order_numbers:
            return None
        either = "|".join(f"(?:{pattern})" for pattern in self.order_numbers)
        return re.compile(f"(?<![A-Za-z0-9])(?:{either})(?![A-Za-z0-9])", re.IGNORECASE)


NONE = Patterns()
"""A shop that has told nothing about its order numbers."""
