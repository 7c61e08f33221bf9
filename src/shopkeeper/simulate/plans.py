"""What a text will be about, decided before its words: the truth of each review and chat."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

REVIEW: Final = 0
CHAT: Final = 1
INTENTS: Final = (
    "product_question",
    "where",
    "return",
    "fault",
    "invoice",
    "price_protection",
    "usage",
)
MENTIONS: Final = 4

PLAN: Final = np.dtype(
    [
        ("time", "i8"),
        ("order", "i8"),
        ("customer", "i4"),
        ("item", "i2"),
        ("kind", "i1"),
        ("intent", "i1"),
        ("language", "i1"),
        ("rating", "i1"),
        ("days", "i2"),
        ("late", "i2"),
        ("cause", "i2"),
        ("fault", "i2"),
        ("nth", "i4"),
        ("returned", "?"),
        ("quantity", "f8"),
        ("price", "f8"),
        ("rise", "f8"),
        ("aspects", "i1", (MENTIONS,)),
        ("polarity", "i1", (MENTIONS,)),
    ]
)

Plans = NDArray[Any]
