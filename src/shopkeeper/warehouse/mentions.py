"""SQL that tells which rows of a table name customers: by a word inside a text, by a name in a field."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import duckdb

from shopkeeper.core.schema import TRAITS
from shopkeeper.core.subject import PERSONAL, Needles
from shopkeeper.warehouse.delta import Delta

WHOLE = {"events": ("query",), "texts": ("title", "body"), "traits": ("value",)}
"""Columns of free text in which a name may stand alone; others hold the names of other things."""
NAMES, _FIELDS = "getvariable('names')", "getvariable('fields')"
TELLS_NAME = f"list_contains({_FIELDS}, lower(e.key)) AND list_contains({NAMES}, e.value)"
_PARTS = ("keys", "values")
_FEW = 8


@dataclass(frozen=True)
class Words:
    """What to look for in rows of others: texts inside their text, and names as whole values.

    ``pattern`` matches any of ``inside``.
    """

    inside: tuple[str, ...] = ()
    pattern: str = ""
    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, needles: Needles) -> Words:
        """Those of the needles."""
        return cls(needles.inside, needles.pattern, needles.names | needles.bare)


NO_WORDS = Words()


def know(connection: duckdb.DuckDBPyConnection, names: Iterable[str]) -> None:
    """Let this connection know what :func:`named_fields` looks for."""
    connection.execute("SET VARIABLE names = ?", [sorted(names)])
    connection.execute("SET VARIABLE fields = ?", [sorted(PERSONAL)])


def named_fields(delta: Delta) -> Iterator[str]:
    """SQL: whether a field that stands for a person holds one of the names, for each such column."""
    for column in delta.table:
        if column.type == "map":
            told = f"list_filter(map_entries({column.name}), lambda e: {TELLS_NAME})"
            yield f"list_has_any(map_values({column.name}), {NAMES}) AND len({told}) > 0"
        elif column.name in WHOLE.get(delta.table.name, ()):
            yield is_name(column.name, delta.table.name)


def is_name(column: str, table: str) -> str:
    """SQL: whether such a column's whole value is a name; that of a trait if the trait is one."""
    a_field = f"list_contains({_FIELDS}, lower(name)) AND " if table == TRAITS.name else ""
    return f"coalesce({a_field}list_contains({NAMES}, {column}), false)"


def mentions(delta: Delta, words: Words) -> Iterator[str]:
    """SQL: whether a row's text holds one of the words; of maps the text of their keys and values."""
    texts = {f'"{c.name}"': f'"{c.name}"' for c in delta.table if c.type == "string"}
    for column in delta.table:
        if column.type == "map":
            parts = (f'array_to_string(map_{part}("{column.name}"), chr(31))' for part in _PARTS)
            texts[f"concat_ws(chr(31), {', '.join(parts)})"] = f'"{column.name}"'
    yield from holding(texts, words)


def holding(texts: Mapping[str, str], words: Words) -> Iterator[str]:
    """SQL: whether one of the texts holds one of the words; by text, the column that it is made of.

    A few words are looked for text by text, which is faster than a pattern in all of them as one. More
    as a pattern: each column would be read once for each.
    """
    if len(words.inside) > _FEW:
        yield f"regexp_matches(concat_ws(chr(31), {', '.join(texts)}), $pattern)"
        return
    for word in words.inside:
        literal = word.replace("'", "''")
        for text, column in texts.items():  # a map is turned into text only where there is one
            yield f"{column} IS NOT NULL AND contains({text}, '{literal}')"
