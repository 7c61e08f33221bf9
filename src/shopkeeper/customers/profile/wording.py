"""What stands in the tables as codes, in words: values of traits, labels of readings, predictions."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

from shopkeeper.core.settings import Language
from shopkeeper.core.types import Reason
from shopkeeper.customers.predict.kinds import PREDICTIONS
from shopkeeper.customers.predict.reasons import told
from shopkeeper.customers.predict.shown import name
from shopkeeper.customers.segments import definitions
from shopkeeper.tasks.house.written import labels

_CHANCE, _MONEY, _LIKE, _GROUP = "churn_", "value_", "lookalike:", "cluster_"
_LABELLED: Final = ("aspects", "sentiment")
_DAYS: Final = "next_order_days"


def value(trait: str, said: str, lang: Language) -> str:
    """A trait's value in words, where it is a code; else as it is said."""
    if trait == "rfm_segment":
        known = definitions().get(said)
        return known.name(lang) if known else said
    if trait == "complains_of":
        return label("aspects", said, lang)
    found: Mapping[str, str] = _words()["value"][lang].get(trait, {})
    return found.get(said, said)


def label(task: str, said: str, lang: Language) -> str:
    """A reading's label in words; of a theme its id: its name stands in the store."""
    if task not in _LABELLED:
        return said
    return str(labels(task).get(said, {}).get(lang, said))


def prediction(code: str, lang: Language) -> str:
    """What a prediction, a group or a likeness is called."""
    if code in PREDICTIONS:
        return name(code, lang)
    words = _words()["prediction"][lang]
    if code.startswith(_LIKE):
        return str(words["lookalike"]).format(name=code.removeprefix(_LIKE))
    return str(words.get(code, code))


def score(code: str, found: float, low: float | None, high: float | None) -> str:
    """A prediction's value with its interval, in its own unit; a group by its id."""
    if code.startswith(_GROUP):
        return f"C{found:.0f}"
    ends = "" if low is None or high is None else f" ({_said(code, low)} – {_said(code, high)})"
    return _said(code, found) + ends


def why(code: str, kept: str | None, lang: Language) -> tuple[Reason, ...]:
    """The reasons that were kept with it, in words; groups tell theirs on their own page."""
    if code in PREDICTIONS:
        return told(kept, lang)
    return told(kept, lang, "likeness") if code.startswith(_LIKE) else ()


def _said(code: str, found: float) -> str:
    if code.startswith((_CHANCE, _LIKE)):
        return f"{found:.0%}"
    if code.startswith(_MONEY):
        return f"{found:,.2f}"
    return f"{found:,.0f}" if code == _DAYS else f"{found:,.1f}"


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("words.toml").read_text("utf-8"))
