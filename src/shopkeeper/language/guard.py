"""The only way to a model for the layers above: masked, then kept, then retried, then under a budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from shopkeeper.language.budgeted import Budgeted
from shopkeeper.language.cached import Cached
from shopkeeper.language.guarded import Guarded, MaySend
from shopkeeper.language.retried import Patience, Retried
from shopkeeper.language.types import Backend
from shopkeeper.store.prompts import Prompts
from shopkeeper.store.spending import Caps, Spending
from shopkeeper.trust.personal import NONE, Patterns

WINDOW = 32_000


@dataclass(frozen=True)
class Rules:
    """What a shop lets its models do.

    ``month`` names the month that it is now (``2026-11``), ``may_send`` decides whose texts a model may
    see that is not on this machine, ``window`` is about how many tokens a prompt may have.
    """

    cache: Prompts
    ledger: Spending
    caps: Caps
    month: Callable[[], str]
    may_send: MaySend
    patterns: Patterns = NONE
    patience: Patience = field(default_factory=Patience)
    window: int = WINDOW


def guard(backend: Backend, rules: Rules) -> Guarded:
    """The backend inside its guards: ``Guarded(Cached(Retried(Budgeted(backend))))``.

    Raises:
        BadInput: nobody said what the backend costs.
    """
    budgeted = Budgeted(backend, rules.ledger, rules.caps, rules.month)
    retried = Retried(budgeted, rules.patience)
    lasts = timedelta(seconds=rules.patience.overall + 120)
    cached = Cached(retried, rules.cache, lasts=lasts)
    return Guarded(cached, may_send=rules.may_send, patterns=rules.patterns, window=rules.window)
