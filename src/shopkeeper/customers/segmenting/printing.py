"""A definition as one line of text that :mod:`parsing` reads back to the same definition."""

from __future__ import annotations

import re

from shopkeeper.customers.segmenting.definition import (
    All,
    Any,
    Bucket,
    Definition,
    Did,
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
)

KEYWORDS = frozenset(
    {
        *("and", "or", "not", "in", "is", "known", "did", "then", "at", "least", "most", "exactly"),
        *("times", "within", "during", "days", "said", "aspect", "theme", "positive", "negative"),
        *("neutral", "score", "told", "segment", "on", "list", "bucket", "to", "of", "everyone"),
    }
)
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def written(definition: Definition) -> str:
    """The canonical text."""
    return _written(definition, 0)


def _written(one: Definition, above: int) -> str:
    """``above`` is how tightly the surrounding word binds: 1 or, 2 and, 3 not."""
    if isinstance(one, Not):
        return f"not {_written(one.of, 3)}"
    if not isinstance(one, All | Any):
        return _leaf(one)
    word, binds = ("and", 2) if isinstance(one, All) else ("or", 1)
    # A part of the same kind is kept apart by brackets, so that it reads back as it was nested.
    text = f" {word} ".join(_written(part, binds) for part in one.of)
    return f"({text})" if above >= binds else text


def _leaf(one: Definition) -> str:
    match one:
        case Trait():
            return _trait(one)
        case Did():
            return _did(one)
        case Sequence():
            steps = " then ".join(step(s) for s in one.steps)
            return f"did {steps} within {one.within} days during {one.during} days"
        case Said():
            return _said(one)
        case _:
            return _reference(one)


def _reference(one: Definition) -> str:
    match one:
        case Score():
            return f"score {quoted(one.name)} {one.op} {scalar(one.value)}"
        case Told():
            told = "is known" if one.value is None else f"{one.op} {quoted(one.value)}"
            return f"told {quoted(one.name)} {told}"
        case InSegment():
            return f"in segment {one.id}"
        case OnList():
            return f"on list {quoted(one.name)}"
        case Bucket():
            return f"in bucket {scalar(one.start)} to {scalar(one.end)} of {quoted(one.salt)}"
        case _:
            return "everyone"


def _trait(one: Trait) -> str:
    name = word(one.name)
    if one.op == "known":
        return f"{name} is known"
    values = ", ".join(scalar(v) for v in one.values)
    return f"{name} in ({values})" if one.op == "in" else f"{name} {one.op} {values}"


def _did(one: Did) -> str:
    text = f"did {step(one.step)} {one.count} {one.times} times"
    return text if one.within is None else f"{text} within {one.within} days"


def _said(one: Said) -> str:
    parts = ["said"]
    if one.aspect is not None:
        parts.append(f"aspect {quoted(one.aspect)}")
    if one.theme is not None:
        parts.append(f"theme {quoted(one.theme)}")
    if one.mood is not None:
        parts.append(one.mood)
    parts.append(f"at least {one.times} times")
    if one.within is not None:
        parts.append(f"within {one.within} days")
    return " ".join(parts)


def step(one: Step) -> str:
    """An event with its filters."""
    if not one.where:
        return word(one.event)
    return f"{word(one.event)} [{', '.join(_filter(f) for f in one.where)}]"


def _filter(one: Filter) -> str:
    return f"{one.field} {one.op} {scalar(one.value)}"


def word(name: str) -> str:
    """A name as it is where it is a plain word, else in quotes."""
    return name if _PLAIN.fullmatch(name) and name not in KEYWORDS else quoted(name)


def scalar(value: Scalar) -> str:
    """A number in its shortest form, a text in quotes."""
    if isinstance(value, str):
        return quoted(value)
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def quoted(text: str) -> str:
    """The text in double quotes."""
    told = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{told}"'
