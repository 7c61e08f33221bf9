"""Where a customer stands in their life with the shop, what to doubt, and what to do next."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from shopkeeper.core.settings import Language
from shopkeeper.core.types import Reason
from shopkeeper.customers.profile import wording
from shopkeeper.customers.segmenting.saying import shown
from shopkeeper.customers.traits.catalogue import trait
from shopkeeper.customers.types import Action, ConsentState

_NEW, _LOST = 30, 365
_SLOW, _LAPSED = 1.5, 3.0
_USUAL = 60
"""Days between orders taken for usual of who has bought only once."""
_WORTH = 3
_CART_DAYS = 14

Traits = Mapping[str, Any]


def stage(known: Traits) -> str:
    """visitor, new, active, slowing, lapsed, lost or doubted."""
    if known["doubt"] in ("bot", "test"):
        return "doubted"
    if (known["days_since_seen"] or 0) >= _LOST:
        return "lost"
    if not known["orders"]:
        return "visitor"
    since = known["days_since_order"]
    if known["orders"] == 1 and since < _NEW:
        return "new"
    waited = known["overdue"] if known["overdue"] is not None else since / _USUAL
    if waited < _SLOW:
        return "active"
    return "slowing" if waited < _LAPSED else "lapsed"


def called(name: str, lang: Language) -> str:
    """The stage in words."""
    return str(_words()["stage"][lang][name])


def flags(known: Traits, shared: Sequence[str], lang: Language) -> tuple[Reason, ...]:
    """Why the account is to be doubted; ``shared`` are ids that were others' as well."""
    words = _words()["flag"][lang]
    found = []
    if doubt := known["doubt"]:
        found.append(Reason(code=f"doubt.{doubt}", text=str(words[doubt]).format(**known)))
    if shared:
        text = str(words["shared"]).format(ids=", ".join(shared))
        found.append(Reason(code="doubt.shared", text=text))
    return tuple(found)


def actions(known: Traits, refused: Sequence[ConsentState], lang: Language) -> tuple[Action, ...]:
    """What to do next, most urgent first, by rules over the traits; each with what it rests on."""
    words, at = _words()["action"][lang], stage(known)
    channels = ", ".join(sorted({one.channel for one in refused}))
    tests: dict[str, tuple[Callable[[], bool], tuple[str, ...]]] = {
        "check": (lambda: known["doubt"] is not None, ("doubt",)),
        "answer": (lambda: _complained(known), ("negative_texts", "days_since_text")),
        "refused": (lambda: bool(channels), ()),
        "win_back": (
            lambda: at == "lapsed" and known["orders"] >= _WORTH and bool(known["revenue"]),
            ("orders", "days_since_order"),
        ),
        "remind": (
            lambda: at == "slowing" and known["overdue"] is not None,
            ("days_since_order", "days_between_orders"),
        ),
        "second": (lambda: at == "new", ("orders", "first_order")),
        "cart": (lambda: _left_cart(known), ("carts", "days_since_seen")),
        "more": (lambda: _likes(known) and bool(known["orders"]), ("favourite_category", "orders")),
        "first": (lambda: _likes(known) and not known["orders"], ("favourite_category", "views")),
    }
    found = []
    for code, (holds, rests) in tests.items():
        if holds():
            text = str(words[code]).format(**known, channels=channels)
            told = "; ".join(_told(name, known, lang) for name in rests) or channels
            found.append(Action(code=code, text=text, evidence=told))
    return tuple(found)


def _told(name: str, known: Traits, lang: Language) -> str:
    """A trait and its value in words."""
    one = trait(name)
    value = known[name]
    plain = value.isoformat() if isinstance(value, date) else value
    said = "–" if plain is None else wording.value(name, shown(plain, one.kind), lang)
    return f"{one.called(lang)}: {said}"


def _complained(known: Traits) -> bool:
    since = known["days_since_text"]
    return bool(known["negative_texts"]) and since is not None and since <= _NEW


def _left_cart(known: Traits) -> bool:
    seen, bought = known["days_since_seen"], known["days_since_order"]
    recent = seen is not None and seen <= _CART_DAYS
    return bool(known["carts"]) and recent and (bought is None or bought > seen)


def _likes(known: Traits) -> bool:
    return known["favourite_category"] is not None


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads(files(__package__).joinpath("words.toml").read_text("utf-8"))
