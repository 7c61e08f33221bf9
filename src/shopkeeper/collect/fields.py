"""Values of a live call: texts, numbers and properties, each refused by its own name when wrong."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import orjson

from shopkeeper.collect.cells import FORMULA, LARGEST

ID_LIMIT = 256
TEXT_LIMIT = 65_536
VALUE_LIMIT = 8_192
KEY_LIMIT = 128
MOST = 200

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_FORMULA = re.compile(FORMULA)
_SUSPECT = frozenset("=＝+＋-－@＠")


class Fault(Exception):
    """Why a call is refused: the field, the reason and what to do."""

    def __init__(self, field: str, reason: str, hint: str = "") -> None:
        super().__init__(field, reason, hint)
        self.field = field
        self.reason = reason
        self.hint = hint


def text(value: str) -> str:
    """The text without control characters and edges; a spreadsheet formula made harmless."""
    if not value.isprintable():
        value = _CONTROL.sub("", value)
    value = value.strip()
    if value and value[0] in _SUSPECT and _FORMULA.match(value):
        return f"'{value}"
    return value


def identifier(value: object, field: str) -> str | None:
    """An id as text; None where it is empty."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Fault(field, f"is {_kind(value)}, not an id", "Send a text.")
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    cleaned = text(str(value))
    if len(cleaned) > ID_LIMIT:
        raise Fault(field, f"has {len(cleaned)} characters; at most {ID_LIMIT} are taken")
    return cleaned or None


def amount(value: object, field: str) -> float | None:
    """A number that is finite and not negative; None where it is absent."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            return amount(float(value), field)
        except ValueError:
            raise Fault(field, f"{value[:40]!r} is not a number", "Send 19.9.") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Fault(field, f"is {_kind(value)}, not a number", "Send 19.9.")
    if not math.isfinite(value) or value > LARGEST:
        raise Fault(field, "is not a number that can be", "Send 19.9.")
    if value < 0:
        raise Fault(field, f"is negative ({value})", "Send returns as Order Refunded.")
    return float(value)


def flatten(values: Mapping[str, Any], field: str) -> dict[str, str]:
    """Nested values as texts under dotted names; lists as JSON. Absent ones are left out."""
    out: dict[str, str] = {}
    _flatten(values, field, "", out)
    return out


def _flatten(values: Mapping[str, Any], field: str, prefix: str, out: dict[str, str]) -> None:
    for key, value in values.items():
        name = prefix + text(str(key))
        if value is None:
            continue
        if isinstance(value, Mapping) and name.count(".") < 3:
            _flatten(value, field, f"{name}.", out)
            continue
        shown = _shown(value, f"{field}.{name}")
        if len(name) > KEY_LIMIT:
            raise Fault(f"{field}.{name[:40]}…", f"the name is longer than {KEY_LIMIT} characters")
        if shown:
            out[name] = shown
        if len(out) > MOST:
            raise Fault(field, f"holds more than {MOST} values", "Send only what is used.")


def _shown(value: object, field: str) -> str:
    if isinstance(value, str):
        shown = text(value)
    elif isinstance(value, bool):
        shown = "true" if value else "false"
    elif isinstance(value, int | float):
        shown = str(value) if math.isfinite(value) else ""
    else:
        try:
            shown = orjson.dumps(value).decode()
        except TypeError:
            raise Fault(field, f"is {_kind(value)}, which is no JSON value") from None
    if len(shown) > VALUE_LIMIT:
        raise Fault(
            field, f"has {len(shown)} characters; at most {VALUE_LIMIT} are taken", "Shorten it."
        )
    return shown


def _kind(value: object) -> str:
    names = {"dict": "an object", "list": "a list", "bool": "true or false", "NoneType": "null"}
    return names.get(type(value).__name__, type(value).__name__)
