"""Short values of a JSON schema: to answer with, and to know how much room a whole answer needs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_DEEPEST = 24


class Endless(ValueError):
    """Every value of the schema holds another value of it."""


def smallest(schema: Mapping[str, Any]) -> Any:
    """A value that keeps to the schema, about as short as one can be.

    Of an enumeration it is the longest, so that its length is enough for any. Patterns and formats
    are not looked at.

    Raises:
        Endless: there is no finite one.
    """
    return _value(schema, schema.get("$defs", {}), 0)


def inner(schema: Mapping[str, Any]) -> list[Any]:
    """A short value of each object that may stand inside a value of the schema."""
    defs = schema.get("$defs", {})
    found: list[Any] = []
    waiting: list[Any] = [schema.get("properties", {}), defs]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, Mapping):
            if node.get("type") == "object":
                found.append(_value(node, defs, 0))
            waiting += node.values()
    return found


def _value(schema: Mapping[str, Any], defs: Mapping[str, Any], depth: int) -> Any:
    if depth > _DEEPEST:
        raise Endless
    if "$ref" in schema:
        return _value(defs[schema["$ref"].rpartition("/")[2]], defs, depth + 1)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return max(schema["enum"], key=lambda one: len(str(one)))
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return _first(schema[key], defs, depth)
    kind = schema.get("type", "null")
    return _OF_KIND[kind if isinstance(kind, str) else kind[0]](schema, defs, depth)


def _first(schemas: list[Mapping[str, Any]], defs: Mapping[str, Any], depth: int) -> Any:
    for one in schemas:
        try:
            return _value(one, defs, depth + 1)
        except Endless:
            continue
    raise Endless


def _object(schema: Mapping[str, Any], defs: Mapping[str, Any], depth: int) -> dict[str, Any]:
    properties = schema.get("properties", {})
    return {
        name: _value(properties.get(name, {}), defs, depth + 1)
        for name in schema.get("required", ())
    }


def _array(schema: Mapping[str, Any], defs: Mapping[str, Any], depth: int) -> list[Any]:
    fixed = [_value(one, defs, depth + 1) for one in schema.get("prefixItems", ())]
    more = max(0, schema.get("minItems", 0) - len(fixed))
    return fixed + [_value(schema.get("items", {}), defs, depth + 1) for _ in range(more)]


def _string(schema: Mapping[str, Any], _defs: Mapping[str, Any], _depth: int) -> str:
    return "x" * int(schema.get("minLength", 0))


def _number(schema: Mapping[str, Any], _defs: Mapping[str, Any], _depth: int) -> float:
    whole = schema.get("type") == "integer"
    least = schema.get("minimum")
    if least is None and "exclusiveMinimum" in schema:
        least = schema["exclusiveMinimum"] + (1 if whole else 1e-3)
    most = schema.get("maximum")
    if most is None and "exclusiveMaximum" in schema:
        most = schema["exclusiveMaximum"] - (1 if whole else 1e-3)
    value = max(0, least if least is not None else 0)
    return value if most is None else min(value, most)


_OF_KIND = {
    "object": _object,
    "array": _array,
    "string": _string,
    "number": _number,
    "integer": _number,
    "boolean": lambda *_: False,
    "null": lambda *_: None,
}
