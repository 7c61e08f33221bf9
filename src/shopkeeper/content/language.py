"""The language of templates: ``{{ name }}`` and ``{{ name | filter: "value" }}``, and nothing else.

There are no expressions, attributes, calls, loops or includes: a name is looked up in a mapping of texts, so
that a template can reach nothing but what it is given. The spelling is Liquid's, which marketers know.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from shopkeeper.core.errors import BadInput, UnknownName

Place = Literal["line", "text", "html"]

UNSUBSCRIBE: Final = "unsubscribe_url"
_MOST: Final = 200
"""Variables in one text."""
_LONGEST: Final = 400
"""Characters between the braces."""
_NAME: Final = re.compile(r"[^\W\d_]\w*(?:\.\w+){0,2}")
_FILTER: Final = re.compile(
    r"""\s*\|\s*([a-z]+)\s*(?::\s*(?:"([^"{}]*)"|'([^'{}]*)'|(\d{1,4})))?\s*"""
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_INVISIBLE: Final = re.compile("[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")


@dataclass(frozen=True, slots=True)
class Variable:
    """One slot: whose value, what stands in for a missing one, and how long it may be (0: as it is)."""

    name: str
    default: str | None
    longest: int
    start: int
    end: int


Piece = str | Variable


class Missing(Exception):
    """A variable has no value and no fall-back."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def parse(text: str, field: str) -> tuple[Piece, ...]:
    """The pieces of a template: words and variables.

    Raises:
        BadInput: names the place of what cannot be read.
        UnknownName: no such filter.
    """
    pieces: list[Piece] = []
    at = 0
    # Searched for, not matched: a regular expression would look for the end anew at every opening.
    while (start := text.find("{{", at)) >= 0 and (end := text.find("}}", start)) >= 0:
        pieces.append(_words(text[at:start], field))
        pieces.append(_variable(text, start, end + 2, field))
        at = end + 2
    pieces.append(_words(text[at:], field))
    if sum(isinstance(one, Variable) for one in pieces) > _MOST:
        raise BadInput(f"More than {_MOST} variables.", hint="Shorten it.", field=field)
    return tuple(one for one in pieces if one != "")


def _words(text: str, field: str) -> str:
    for sign in ("{{", "}}", "{%"):
        if sign in text:
            near = text[max(0, text.index(sign) - 10) :][:40]
            raise BadInput(
                f"{field}: {sign} opens or closes no variable, near {near!r}.",
                hint='Write {{ customer.name | default: "there" }}; nothing else is known.',
                field=field,
            )
    return text


def _variable(text: str, start: int, end: int, field: str) -> Variable:
    told = text[start + 2 : end - 2].strip()
    name, _, _ = (part.strip() for part in told.partition("|"))
    if len(told) > _LONGEST or not _NAME.fullmatch(name):
        raise BadInput(
            f"{field}: {text[start:end][:60]!r} is no variable.",
            hint='Write {{ customer.name | default: "there" }}: a name and filters, nothing else.',
            field=field,
        )
    rest, default, longest = told[len(name) :], None, 0
    while rest.strip():
        part = _FILTER.match(rest)
        if part is None:
            raise BadInput(
                f"{field}: {rest.strip()[:40]!r} is no filter.",
                hint='Filters are default: "words" and truncate: 20.',
                field=field,
            )
        value = part[2] if part[2] is not None else part[3]
        if part[1] == "default" and value is not None:
            default = value
        elif part[1] == "truncate" and part[4]:
            longest = max(2, int(part[4]))
        elif part[1] in ("default", "truncate"):
            raise BadInput(
                f"{field}: the filter {part[1]!r} lacks its value.",
                hint='Write default: "words" or truncate: 20.',
                field=field,
            )
        else:
            raise UnknownName("filter", part[1], ("default", "truncate"), field=field)
        rest = rest[part.end() :]
    return Variable(name, default, longest, start, end)


def names(pieces: tuple[Piece, ...]) -> list[Variable]:
    """The variables, in order."""
    return [one for one in pieces if isinstance(one, Variable)]


def fill(pieces: tuple[Piece, ...], values: Mapping[str, str], place: Place) -> str:
    """The words with each variable's value, escaped for its place.

    Raises:
        Missing: a variable has neither value nor fall-back.
    """
    escape = _ESCAPES[place]
    return "".join(
        one if isinstance(one, str) else _filled(one, values, escape) for one in pieces
    )  # fmt: skip


def _filled(one: Variable, values: Mapping[str, str], escape: Callable[[str], str]) -> str:
    if one.name == UNSUBSCRIBE:
        return "{{" + UNSUBSCRIBE + "}}"  # each letter's own, put in as it leaves
    value = values.get(one.name) or one.default
    if value is None:
        raise Missing(one.name)
    if one.longest and len(value) > one.longest:
        value = value[: one.longest - 1].rstrip() + "…"
    return escape(value)


def line(value: str) -> str:
    """A value as one line: no control characters, nothing invisible, nothing that opens a variable."""
    plain = _INVISIBLE.sub("", _CONTROL.sub(" ", value))
    return " ".join(plain.replace("{{", "{ {").replace("}}", "} }").split())


_ESCAPES: Final[dict[Place, Callable[[str], str]]] = {
    "line": line,
    "text": line,
    "html": lambda value: html.escape(line(value)),
}
