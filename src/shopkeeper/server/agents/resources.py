"""What an agent may read about the shop before it asks: tables, events, settings and operations."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from mcp_types import Resource

from shopkeeper.core import discovery, errors, events, schema
from shopkeeper.core.operation import of
from shopkeeper.server.agents import untrusted
from shopkeeper.shop.shop import Shop

_TABLES: Final = "shop://tables/"
_OPERATIONS: Final = "shop://operations/"
_JSON: Final = "application/json"
_MARKDOWN: Final = "text/markdown"


def listed() -> list[Resource]:
    """Every resource; none holds a row of the shop."""
    tables = [
        Resource(
            uri=f"{_TABLES}{table.name}",
            name=f"table {table.name}",
            description=f"Columns of the table {table.name}: names, types, meanings, key.",
            mime_type=_JSON,
        )
        for table in schema.TABLES.values()
    ]
    capabilities = [
        Resource(
            uri=f"{_OPERATIONS}{name}",
            name=f"operations of {name}",
            description=f"What {name} can do, with arguments and examples.",
            mime_type=_MARKDOWN,
        )
        for name in discovery.capabilities()
    ]
    single = [
        Resource(uri=uri, name=name, description=text, mime_type=kind)
        for uri, (name, text, kind, _) in _SINGLE.items()
    ]
    return [*single, *tables, *capabilities]


def read(shop: Shop, uri: str) -> tuple[str, str] | None:
    """The text and the type of a resource; None where there is none of that name."""
    if uri in _SINGLE:
        _, _, kind, build = _SINGLE[uri]
        return build(shop), kind
    if uri.startswith(_TABLES):
        table = schema.TABLES.get(uri.removeprefix(_TABLES))
        return (_table(table), _JSON) if table is not None else None
    if uri.startswith(_OPERATIONS):
        name = uri.removeprefix(_OPERATIONS)
        return (_capability(name), _MARKDOWN) if name in discovery.capabilities() else None
    return None


def _table(table: schema.Table) -> str:
    columns = [
        {"name": c.name, "type": str(c.type), "required": c.required, "meaning": c.meaning}
        for c in table
    ]
    described = {
        "table": table.name,
        "key": list(table.key),
        "partition": table.partition,
        "columns": columns,
    }
    return orjson.dumps(described, option=orjson.OPT_INDENT_2).decode()


def _capability(name: str) -> str:
    parts = [f"# {name}\n"]
    for operation in of(name).values():
        parts.append(f"## {operation.full_name}\n\n{inspect.getdoc(operation.function)}\n")
        parts.append(f"Effect: {operation.effect.name}. Example: {operation.example!r}.\n")
    return "\n".join(parts)


def _shop(shop: Shop) -> str:
    kept = shop.settings
    span = shop.span()
    about: Mapping[str, Any] = {
        "name": untrusted.shown(kept.name),
        "time_zone": kept.time_zone,
        "currency": kept.currency,
        "languages": list(kept.languages),
        "first_day": str(span.start) if span else None,
        "last_day": str(span.end) if span else None,
    }
    return orjson.dumps(about, option=orjson.OPT_INDENT_2).decode()


def _events(_shop: Shop) -> str:
    known = sorted(v for k, v in vars(events).items() if k.isupper() and isinstance(v, str))
    return (
        f"{inspect.getdoc(events)}\n\n{', '.join(known)}\n\nThe funnel: {' → '.join(events.FUNNEL)}"
    )


def _errors(_shop: Shop) -> str:
    return inspect.getdoc(errors) or ""


_SINGLE: Final[dict[str, tuple[str, str, str, Callable[[Shop], str]]]] = {
    "shop://about": ("the shop", "Time zone, currency, languages, days with events.", _JSON, _shop),
    "shop://events": ("event names", "How events are named.", _MARKDOWN, _events),
    "shop://errors": ("errors", "Every error that a call may answer with.", _MARKDOWN, _errors),
}
