"""What a file in ``kinds/`` exports: one recogniser of one kind of personal data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from shopkeeper.core import discovery
from shopkeeper.trust.personal.finding import Candidate

_KINDS = "shopkeeper.trust.personal.kinds"


@dataclass(frozen=True)
class Recogniser:
    """Finds one kind in folded text.

    ``needs`` is a cheap search that most texts fail; only where it hits is ``candidates`` called. Both
    run in time linear in the text. ``zh`` and ``en`` name the kind in masks.
    """

    kind: str
    zh: str
    en: str
    needs: re.Pattern[str]
    candidates: Callable[[str], Iterable[Candidate]]


@cache
def recognisers() -> tuple[Recogniser, ...]:
    """Every recogniser, by file name."""
    modules = (discovery.load(_KINDS, name, what="kind") for name in discovery.names(_KINDS))
    return tuple(module.RECOGNISER for module in modules)
