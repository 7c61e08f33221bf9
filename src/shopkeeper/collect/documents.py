"""JSON files of either kind: one object a line, or one document that holds a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import orjson

from shopkeeper.collect.calls import Unit
from shopkeeper.collect.formats.jsonl import lines
from shopkeeper.collect.source import File, damaged, legible
from shopkeeper.core.errors import BadInput

_WHOLE = 64 << 20  # characters; a parsed document takes several times as much memory

Split = Callable[[object], Iterable[object]]


def units(file: File, split: Split) -> Iterator[Unit]:
    """The file's objects; ``split`` says which ones a line or the whole document stands for.

    A file of lines is read a line at a time. A document is read whole.

    Raises:
        BadInput: a document is larger than 64 MiB of text.
    """
    whole = _document(file)
    if whole is not None:
        for number, body in enumerate(split(whole), 1):
            yield Unit(number, "", body)
        return
    with file.text(None) as stream:
        for number, line in lines(stream, file):
            body = _parsed(line)
            if body is None or damaged(line):
                yield Unit(number, "(row)", legible(line))
                continue
            for part in split(body):
                yield Unit(number, "", part)


def _document(file: File) -> object | None:
    """The whole file as one value; None where its first line is a value by itself."""
    with file.text(None) as stream:
        first = next(islice(lines(stream, file), 1), None)
        if first is None or _parsed(first[1]) is not None:
            return None
    with file.text(None) as stream:
        text = stream.read(_WHOLE + 1)
    if len(text) > _WHOLE:
        if any(_parsed(line) is not None for line in text[:1_000_000].splitlines()[1:100]):
            return None  # lines, of which the first is broken
        raise BadInput(
            f"{file.path.name!r} is one JSON document of more than {_WHOLE >> 20} MiB.",
            hint="Split it, or write one object a line.",
            field="path",
        )
    return _parsed(text) if not damaged(text) else None


def _parsed(text: str) -> object | None:
    try:
        found: object = orjson.loads(text.strip("\ufeff \r\n\t"))
    except (orjson.JSONDecodeError, RecursionError, UnicodeEncodeError):
        return None
    return found if isinstance(found, dict | list) else None
