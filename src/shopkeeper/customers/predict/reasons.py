"""Why a prediction is what it is: features as groups, in the words of an operations manager."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shopkeeper.core.settings import Language
from shopkeeper.core.types import Reason
from shopkeeper.customers.predict.blend import Blend
from shopkeeper.customers.predict.features import PREFIX, Features

Array = NDArray[np.float64]
Told = dict[str, float]

GROUPS: dict[str, tuple[str, ...]] = {
    "recency": (
        "days_since_order",
        "overdue",
        "order_gap",
        "order_gap_spread",
        "last_gap",
        "alive",
    ),
    "lately": ("order_days_14", "order_days_30", "order_days_60", "order_days_90", "revenue_90"),
    "habit": ("order_days", "orders", "tenure_days", "order_days_180", "expected_orders"),
    "money": ("revenue", "average_order", "last_order", "units", "lines_an_order", "last_lines"),
    "visits": (
        *("days_since_seen", "active_days_30", "active_days_90"),
        *("views_30", "views_90", "carts_30", "carts_90"),
    ),
    "refunds": ("refund_share",),
    "taste": ("items", "item_again", "item_price", "item_quantity"),
}
"""Features that say the same to a person: what they add counts together."""

_TOLD = {
    "recency": ("days_since_order", "order_gap"),
    "lately": ("order_days_90",),
    "habit": ("order_days", "tenure_days"),
    "money": ("average_order",),
    "visits": ("days_since_seen", "views_30"),
    "refunds": ("refund_share",),
    "taste": ("items",),
}
_SHARES = ("refund_share", "alive")
_FINE = ("orders", "spend", "average_order")
_MOST = 3


def of_features(model: Blend, known: Features) -> list[str]:
    """For each customer, as JSON, what speaks most for the label (such as staying away) and against it.

    The weight is what the group adds to the log-odds, exactly (see :mod:`.trees`).
    """
    added = model.contributions(known.values)
    places = [_places(known, code) for code in GROUPS]
    weights = np.column_stack([added[:, one].sum(axis=1) for one in places])
    order = np.argsort(-np.abs(weights), axis=1)[:, :_MOST]
    told_of = {name for names in _TOLD.values() for name in names if name in known.names}
    shown = {name: known.column(name) for name in told_of}
    codes = list(GROUPS)
    found = []
    for row, best in enumerate(order.tolist()):
        told = []
        for place in best:
            if not weights[row, place]:
                continue
            evidence = {name: float(shown[name][row]) for name in _TOLD[codes[place]]}
            told.append(_entry(codes[place], float(weights[row, place]), evidence))
        found.append(json.dumps(told, separators=(",", ":")))
    return found


def _places(known: Features, code: str) -> list[int]:
    """The columns of a group; of tastes every direction."""
    more = [name for name in known.names if name.startswith(PREFIX)] if code == "taste" else []
    names = (*GROUPS[code], *more)
    return [known.names.index(name) for name in names if name in known.names]


def entry(code: str, weight: float, **evidence: float) -> str:
    """One reason as the table keeps it."""
    return json.dumps([_entry(code, weight, evidence)], separators=(",", ":"))


def _entry(code: str, weight: float, evidence: Mapping[str, float]) -> dict[str, Any]:
    known = {name: round(value, 4) for name, value in evidence.items() if np.isfinite(value)}
    if code == "recency" and "order_gap" not in known:
        code = "recency_once"
    return {
        "code": f"{code}.{'more' if weight > 0 else 'less'}",
        "weight": round(weight, 4),
        **known,
    }


def told(kept: str | None, lang: Language, words: str = "churn") -> tuple[Reason, ...]:
    """The reasons of a row of the table, in the words of a prediction or of a likeness."""
    entries: Sequence[dict[str, Any]] = json.loads(kept) if kept else []
    found = []
    for one in entries:
        code, weight = one["code"], one["weight"]
        evidence = {k: v for k, v in one.items() if k not in ("code", "weight")}
        group, _, sign = code.partition(".")
        said = {name: _said(name, value) for name, value in evidence.items()}
        text = _words(words)[group][sign][lang].format(**said)
        found.append(Reason(code=f"predict.{code}", text=text, weight=weight, evidence=evidence))
    return tuple(found)


def _said(name: str, value: float) -> str:
    if name in _SHARES:
        return f"{value:.0%}"
    if name in _FINE:
        return f"{value:,.2f}".rstrip("0").rstrip(".")
    return f"{value:,.0f}"


@cache
def _words(name: str) -> dict[str, Any]:
    file = files("shopkeeper.customers.predict").joinpath("words", f"{name}.toml")
    return tomllib.loads(file.read_text("utf-8"))
