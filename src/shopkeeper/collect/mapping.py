"""The mapping file: which column of theirs is which of ours, in a few lines of TOML.

The language is described with examples in ``docs/import.md``. A mapping is checked whole before the
first row is read: a key or column of ours that does not exist is named with its line.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator

from shopkeeper.core.errors import BadInput, UnknownName
from shopkeeper.core.schema import CUSTOMERS, EVENTS, ITEMS, TEXTS, Table
from shopkeeper.core.text import did_you_mean
from shopkeeper.core.types import Value

SHIPPED = Path(__file__).parent / "mappings"
TARGETS = {"events": EVENTS, "texts": TEXTS, "items": ITEMS, "customers": CUSTOMERS}
_OURS = frozenset({"day", "received_at", "source", "properties", "traits", "attributes"})
_VALIDITY = frozenset({"valid_from", "valid_to"})
_TEMPLATE = re.compile(r"\{([^{}]+)\}")

Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class FileOptions(Value):
    """How the file is written; what is absent is found out from the file."""

    format: str | None = None
    sheet: Text | None = None
    encoding: str | None = None
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=10)] | None = None
    header: Annotated[tuple[Text, ...], Field(max_length=2_000)] = ()
    decimal: Literal[".", ","] = "."
    time_zone: str | None = None
    time_formats: tuple[Text, ...] = ()
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")] | None = None
    rates: dict[str, float] = Field(default_factory=dict)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        if name is not None and name not in available_timezones():
            near = did_you_mean(name, available_timezones())
            raise ValueError(f"no time zone is named {name!r}; did you mean {near!r}?")
        return name

    @field_validator("header")
    @classmethod
    def _names_differ(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice!r} stands there twice; give every column a name of its own")
        return names

    @field_validator("rates")
    @classmethod
    def _positive(cls, rates: dict[str, float]) -> dict[str, float]:
        for code, rate in rates.items():
            if not 0 < rate < 1e9:
                raise ValueError(f"the rate of {code} must be above 0")
        return rates


class Condition(Value):
    """What must hold of one cell; several keys must all hold."""

    equals: str | float | None = None
    one_of: tuple[str, ...] | None = None
    starts_with: str | None = None
    ends_with: str | None = None
    contains: str | None = None
    matches: str | None = None
    below: float | None = None
    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    empty: bool | None = None

    @field_validator("matches")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"is not a regular expression: {error}") from error
        return pattern

    @model_validator(mode="after")
    def _says_something(self) -> Condition:
        if not self.model_fields_set:
            raise ValueError("a condition needs at least one test, such as equals or below")
        return self


When = Annotated[dict[str, Condition], Field(min_length=1)]


class NameRule(Value):
    name: Text
    when: When


class EventOptions(Value):
    """What an event is called, how it is told from others, and which signs are dropped."""

    name: Text | None = None
    id: Text = "content"
    absolute: tuple[str, ...] = ()
    names: dict[str, Text] = Field(default_factory=dict)
    rules: tuple[NameRule, ...] = ()

    @field_validator("id")
    @classmethod
    def _says_how(cls, text: str) -> str:
        if text != "content" and not template_columns(text):
            raise ValueError('must be "content" or name columns, as in "{InvoiceNo}/{line}"')
        return text


class KindRule(Value):
    kind: Text
    when: When


class ItemOptions(Value):
    """Which columns of an events file describe the item, and of what kind it is."""

    columns: dict[str, str] = Field(default_factory=dict)
    kind: Text = "product"
    rules: tuple[KindRule, ...] = ()


class CustomerOptions(Value):
    """Which columns of an events file describe the customer."""

    columns: dict[str, str] = Field(default_factory=dict)
    traits: tuple[str, ...] = ()


class Sequence(Value):
    """Times for a file that has none: event n of a line stands n steps after ``start``."""

    start: str = "2010-01-01"
    step_seconds: Annotated[int, Field(ge=1, le=31_536_000)] = 86_400


class Mapping(Value):
    """A whole mapping file."""

    name: Text = "own"
    about: str = ""
    target: Literal["events", "items", "texts", "customers"] = "events"
    notes: tuple[str, ...] = ()
    file: FileOptions = FileOptions()
    columns: dict[str, str] = Field(min_length=1)
    constants: dict[str, str | float] = Field(default_factory=dict)
    extra: tuple[str, ...] = ()
    event: EventOptions = EventOptions()
    items: ItemOptions | None = None
    customers: CustomerOptions | None = None
    sequence: Sequence = Sequence()

    @property
    def table(self) -> Table:
        return TARGETS[self.target]

    def theirs(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Every column of the file that this mapping needs, with the key that needs it."""
        for ours, theirs in self.columns.items():
            yield f"columns.{ours}", template_columns(theirs) or (theirs,)
        for theirs in self.extra:
            yield "extra", (theirs,)
        yield from self._sections()

    def _sections(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        yield "event.id", template_columns(self.event.id)
        for rule in self.event.rules:
            yield "event.rules", tuple(rule.when)
        if self.items:
            yield "items.columns", tuple(self.items.columns.values())
            for kind in self.items.rules:
                yield "items.rules", tuple(kind.when)
        if self.customers:
            yield "customers.columns", tuple(self.customers.columns.values())
            yield "customers.traits", self.customers.traits

    @model_validator(mode="after")
    def _ours_exist(self) -> Mapping:
        _known("columns", self.columns, _allowed(self.table))
        _known("constants", self.constants, _allowed(self.table))
        both = set(self.columns) & set(self.constants)
        if both:
            raise ValueError(f"{min(both)!r} stands in columns and in constants; keep one")
        if self.extra and self.target == "texts":
            raise ValueError("texts have no place for extra columns; leave extra out")
        if self.items:
            _known("items.columns", self.items.columns, _allowed(ITEMS) - {"item_id", "kind"})
        if self.customers:
            _known("customers.columns", self.customers.columns, {"country", "language"})
        _known("event.absolute", self.event.absolute, {"quantity", "price", "value", "cost"})
        return self

    @model_validator(mode="after")
    def _complete(self) -> Mapping:
        given = set(self.columns) | set(self.constants)
        need = {
            "events": ("time",),
            "items": ("item_id",),
            "texts": ("time", "body", "kind"),
            "customers": ("customer_id",),
        }[self.target]
        for column in need:
            if column not in given:
                raise ValueError(f"columns must say which column is {column!r}")
        if self.target == "events" and "name" not in given and not self.event.name:
            raise ValueError("event.name or columns.name must say what the events are called")
        return self


def template_columns(text: str) -> tuple[str, ...]:
    """The columns in a template such as ``{InvoiceNo}/{line}``; none where it is no template."""
    return tuple(_TEMPLATE.findall(text))


def shipped() -> dict[str, Path]:
    """The mappings that come with Shopkeeper: name to file."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.toml"))}


def load(name_or_path: str) -> Mapping:
    """A shipped mapping by its name, or one's own by the path of its ``.toml`` file.

    Raises:
        UnknownName: no shipped mapping has this name.
        BadInput: the file cannot be read or a key in it is wrong; says which and on what line.
    """
    known = shipped()
    if name_or_path in known:
        return read(known[name_or_path])
    if not name_or_path.endswith(".toml"):
        raise UnknownName("mapping", name_or_path, known, field="mapping")
    return read(Path(name_or_path))


def read(path: Path) -> Mapping:
    """The mapping in this file."""
    try:
        if path.stat().st_size > 1_000_000:
            raise BadInput(f"{path.name} is too large for a mapping.", field="mapping")
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"The mapping {str(path)!r} cannot be read: {error}.",
            hint="Give the path of a UTF-8 .toml file or the name of a shipped mapping.",
            field="mapping",
        ) from error
    return parse(text, path.stem)


def parse(text: str, name: str) -> Mapping:
    """The mapping written in ``text``; ``name`` stands where it gives itself none."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(
            f"The mapping {name!r} is not valid TOML: {error}.",
            hint="Correct that line; docs/import.md shows examples.",
            field="mapping",
        ) from error
    values.setdefault("name", name)
    try:
        return Mapping.model_validate(values)
    except ValidationError as error:
        raise _explained(error, text, name) from error


def _explained(error: ValidationError, text: str, name: str) -> BadInput:
    first = error.errors()[0]
    path = ".".join(str(part) for part in first["loc"])
    key = next((str(part) for part in reversed(first["loc"]) if isinstance(part, str)), "")
    message = first["msg"].removeprefix("Value error, ")
    hint = "docs/import.md lists every key."
    if first["type"] == "extra_forbidden":
        message = "there is no such key"
        near = did_you_mean(key, _KEYS)
        hint = f"Did you mean {near!r}?" if near else hint
    where = f"{path}{_line(text, key)}: " if path else ""
    end = "" if message.endswith("?") else "."
    return BadInput(f"The mapping {name!r} is wrong. {where}{message}{end}", hint=hint, field=path)


def _line(text: str, key: str) -> str:
    word = rf'"?{re.escape(key)}"?'
    pattern = re.compile(rf"^\s*\[*\s*(?:[\w.]+\.)?{word}\s*[\]=.]|[{{,]\s*{word}\s*=")
    for number, line in enumerate(text.splitlines(), 1):
        if key and pattern.search(line):
            return f" (line {number})"
    return ""


def _allowed(table: Table) -> set[str]:
    return set(table.names) - _OURS - _VALIDITY - ({"event_id"} if table is EVENTS else set())


def _known(where: str, names: Any, allowed: set[str]) -> None:
    for name in names:
        if name not in allowed:
            near = did_you_mean(name, allowed)
            hint = f"did you mean {near!r}?" if near else f"known: {', '.join(sorted(allowed))}"
            raise ValueError(f"{where} has no {name!r}; {hint}")


_KEYS = sorted(
    {
        name
        for model in (
            Mapping,
            FileOptions,
            Condition,
            NameRule,
            EventOptions,
            KindRule,
            ItemOptions,
            CustomerOptions,
            Sequence,
        )
        for name in model.model_fields
    }
)
