"""Reads a definition: JSON, or the text that :mod:`printing` writes. Nothing of it is ever run as SQL."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any as Anything
from typing import NoReturn, TypeVar

from pydantic import TypeAdapter, ValidationError

from shopkeeper.core.errors import BadInput
from shopkeeper.core.types import Value
from shopkeeper.customers.segmenting.definition import (
    DEEPEST,
    FIELDS,
    All,
    Any,
    Bucket,
    Definition,
    Did,
    Everyone,
    Filter,
    InSegment,
    Not,
    OnList,
    Said,
    Scalar,
    Score,
    Sequence,
    Step,
    Told,
    Trait,
    depth,
)

LONGEST = 8_000
_TOKEN = re.compile(
    r'\s*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?![\w])'
    r"|(?P<op><=|>=|!=|=|<|>)|(?P<mark>[()\[\],])|(?P<word>[A-Za-z_\u3400-\u9fff][\w\u3400-\u9fff]*))"
)
_HINT = "For example: orders >= 2 and not did purchase at least 1 times within 30 days. See docs/segments.md."
_ADAPTER: TypeAdapter[Definition] = TypeAdapter(Definition)
_TEXT = "text"
Made = TypeVar("Made", bound=Value)


def parse(text: str) -> Definition:
    """The definition that the text or JSON means.

    Raises:
        BadInput: it means none; says where and what was expected.
    """
    told = text.strip()
    if not told or len(told) > LONGEST:
        raise BadInput(
            f"A definition has 1 to {LONGEST} characters; this one has {len(told)}.",
            hint=_HINT,
            field="definition",
        )
    found = from_json(told) if told.startswith("{") else _Reader(told).whole()
    if depth(found) > DEEPEST:
        raise BadInput(
            f"The definition is nested {depth(found)} deep; {DEEPEST} is the most.",
            hint="Make a segment of a part of it, and ask: in segment S1.",
            field="definition",
        )
    return found


def from_json(told: str | dict[str, Anything]) -> Definition:
    """The definition in JSON.

    Raises:
        BadInput: it is none; names the field.
    """
    try:
        value = json.loads(told) if isinstance(told, str) else told
        return _ADAPTER.validate_python(value)
    except (ValueError, RecursionError) as error:
        reason = "it cannot be read as JSON"
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            reason = f"{where}: {first['msg'].removeprefix('Value error, ')}"
        raise BadInput(f"No definition: {reason}.", hint=_HINT, field="definition") from error


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


class _Reader:
    """Recursive descent over the tokens of one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = _tokens(text)
        self.next = 0
        self.nested = 0

    def whole(self) -> Definition:
        found = self._any()
        if self.next < len(self.tokens):
            self._fail("and, or, or the end")
        return found

    def _any(self) -> Definition:
        parts = [self._all()]
        while self._take("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else self._made(Any, of=tuple(parts))

    def _all(self) -> Definition:
        parts = [self._unary()]
        while self._take("and"):
            parts.append(self._unary())
        return parts[0] if len(parts) == 1 else self._made(All, of=tuple(parts))

    def _unary(self) -> Definition:
        self.nested += 1
        if self.nested > 4 * DEEPEST:
            self._fail(f"no more than {DEEPEST} levels")
        try:
            if self._take("not"):
                return self._made(Not, of=self._unary())
            if self._take("("):
                found = self._any()
                self._need(")")
                return found
            return self._leaf()
        finally:
            self.nested -= 1

    def _leaf(self) -> Definition:
        kinds: dict[str, Callable[[], Definition]] = {
            "did": self._did,
            "said": self._said,
            "score": self._score,
            "told": self._told,
            "in": self._in,
            "on": self._on,
        }
        for word, read in kinds.items():
            if self._take(word):
                return read()
        return Everyone() if self._take("everyone") else self._trait()

    def _trait(self) -> Definition:
        name = self._name("a condition")
        if self._take("is"):
            self._need("known")
            return self._made(Trait, name=name, op="known")
        if self._take("in"):
            self._need("(")
            values = [self._scalar()]
            while self._take(","):
                values.append(self._scalar())
            self._need(")")
            return self._made(Trait, name=name, op="in", values=tuple(values))
        return self._made(Trait, name=name, op=self._op(), values=(self._scalar(),))

    def _did(self) -> Definition:
        steps = [self._step()]
        while self._take("then"):
            steps.append(self._step())
        if len(steps) == 1:
            count, times = self._times()
            return self._made(
                Did, step=steps[0], count=count, times=times, within=self._days("within")
            )
        within, during = self._days("within"), self._days("during")
        if within is None:
            self._fail("within … days")
        more = {} if during is None else {"during": during}
        return self._made(Sequence, steps=tuple(steps), within=within, **more)

    def _step(self) -> Step:
        event = self._name("the name of an event")
        where: list[Filter] = []
        if self._take("["):
            where.append(self._filter())
            while self._take(","):
                where.append(self._filter())
            self._need("]")
        return self._made(Step, event=event, where=tuple(where))

    def _filter(self) -> Filter:
        field = self._name(", ".join(FIELDS))
        return self._made(Filter, field=field, op=self._op(), value=self._scalar())

    def _times(self) -> tuple[str, int]:
        if self._take("at"):
            count = "at least" if self._take("least") else "at most"
            if count == "at most":
                self._need("most")
        elif self._take("exactly"):
            count = "exactly"
        else:
            return "at least", 1
        times = self._whole()
        self._need("times")
        return count, times

    def _said(self) -> Definition:
        told: dict[str, Anything] = {}
        for word in ("aspect", "theme"):
            if self._take(word):
                told[word] = self._name(f"the {word}")
        for mood in ("positive", "negative", "neutral"):
            if self._take(mood):
                told["mood"] = mood
        count, times = self._times()
        if count != "at least":
            self._fail("at least … times")
        return self._made(Said, **told, times=times, within=self._days("within"))

    def _score(self) -> Definition:
        return self._made(
            Score, name=self._name("a prediction"), op=self._op(), value=self._number()
        )

    def _told(self) -> Definition:
        name = self._name("what was told")
        if self._take("is"):
            self._need("known")
            return self._made(Told, name=name, op="known")
        return self._made(Told, name=name, op=self._op(), value=self._quoted())

    def _in(self) -> Definition:
        if self._take("segment"):
            return self._made(InSegment, id=self._name("the id of a segment"))
        self._need("bucket")
        start = self._number()
        self._need("to")
        end = self._number()
        self._need("of")
        return self._made(Bucket, salt=self._name("the salt"), start=start, end=end)

    def _on(self) -> Definition:
        self._need("list")
        return self._made(OnList, name=self._name("the name of a list"))

    def _days(self, word: str) -> int | None:
        if not self._take(word):
            return None
        days = self._whole()
        self._need("days")
        return days

    def _op(self) -> str:
        return self._kind("op", "a comparison: = != < <= > >=")

    def _scalar(self) -> Scalar:
        token = self._peek()
        if token is not None and token.kind == _TEXT:
            return self._quoted()
        return self._number()

    def _number(self) -> float:
        return float(self._kind("number", "a number"))

    def _whole(self) -> int:
        number = self._number()
        if number != int(number):
            self._fail("a whole number")
        return int(number)

    def _quoted(self) -> str:
        return _unquoted(self._kind(_TEXT, "a text in double quotes"))

    def _name(self, wanted: str) -> str:
        token = self._peek()
        if token is not None and token.kind == _TEXT:
            return self._quoted()
        return self._kind("word", wanted)

    def _kind(self, kind: str, wanted: str) -> str:
        token = self._peek()
        if token is None or token.kind != kind:
            self._fail(wanted)
        self.next += 1
        return token.text

    def _take(self, text: str) -> bool:
        token = self._peek()
        taken = token is not None and token.kind != _TEXT and token.text == text
        self.next += taken
        return taken

    def _need(self, text: str) -> None:
        if not self._take(text):
            self._fail(repr(text))

    def _peek(self) -> _Token | None:
        return self.tokens[self.next] if self.next < len(self.tokens) else None

    def _made(self, model: type[Made], **fields: Anything) -> Made:
        try:
            return model(**fields)
        except ValidationError as error:
            first = error.errors()[0]
            reason = first["msg"].removeprefix("Value error, ")
            where = ".".join(str(part) for part in first["loc"])
            raise BadInput(
                f"{f'{where}: ' if where else ''}{reason} (before character {self._at()}).",
                hint=_HINT,
                field="definition",
            ) from error

    def _at(self) -> int:
        token = self._peek()
        return (token.at if token else len(self.text)) + 1

    def _fail(self, wanted: str) -> NoReturn:
        token = self._peek()
        found = f"found {token.text!r}" if token else "the text ends"
        raise BadInput(
            f"At character {self._at()}: expected {wanted}, {found}.",
            hint=_HINT,
            field="definition",
        )


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    at = 0
    while at < len(text) and text[at:].strip():
        match = _TOKEN.match(text, at)
        if match is None:
            at += len(text[at:]) - len(text[at:].lstrip())
            raise BadInput(
                f"At character {at + 1}: {text[at : at + 12]!r} is no word of the language.",
                hint=_HINT,
                field="definition",
            )
        kind = str(match.lastgroup)
        found.append(_Token(kind, match[kind], match.start(kind)))
        at = match.end()
    return found


def _unquoted(token: str) -> str:
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], token[1:-1], flags=re.DOTALL)
