"""Objects of JSON flattened to fixed columns: a sheet, so that one set of rules cleans them too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import islice

import orjson
import pyarrow as pa

from shopkeeper.collect import sheet
from shopkeeper.collect.calls import Unit
from shopkeeper.collect.fields import Fault
from shopkeeper.collect.importers import table
from shopkeeper.collect.mapping import Mapping
from shopkeeper.collect.request import Request, Result
from shopkeeper.collect.sheet import Batch, Broken, Sheet

_PAGE = 2_000
_CUT = 8_000
Flat = Callable[[object], dict[str, str | None]]


def bring(
    request: Request, mapping: Mapping, flat: Flat, units: Callable[[], Iterable[Unit]]
) -> Result:
    """Import units, each flattened to the mapping's columns; one that has a fault is refused.

    ``units`` is empty where refused rows are tried again: those were flattened before.
    """
    request = replace(request, mapping=mapping)
    if request.file is None:
        return table.bring_sheet(request, mapping, table.again(request.again))
    columns = tuple(dict.fromkeys(name for _, names in mapping.theirs() for name in names))
    return table.bring_sheet(
        request, mapping, Sheet(columns, lambda: _batches(units(), columns, flat), "object")
    )


def _batches(units: Iterable[Unit], columns: tuple[str, ...], flat: Flat) -> Iterator[Batch]:
    numbered = enumerate(units, 1)
    while page := list(islice(numbered, _PAGE)):
        good: list[tuple[int, dict[str, str | None]]] = []
        broken = []
        for number, unit in page:
            try:
                if unit.where == "(row)":
                    raise Fault("(row)", "it is not a JSON object", "Export it again.")
                good.append((number, flat(unit.body)))
            except Fault as fault:
                raw = sheet.torn([_text(unit.body)])
                broken.append(Broken(number, fault.field, fault.reason, fault.hint, raw))
        rows = pa.array([number for number, _ in good], pa.int64())
        cells = [pa.array([row.get(name) for _, row in good], pa.string()) for name in columns]
        yield Batch(sheet.table(cells, rows), tuple(broken))


def legible(text: str | None) -> str | None:
    """Text without lone surrogates, which no table can hold."""
    return text.encode("utf-8", "replace").decode() if text is not None else None


def plain(html: object) -> str | None:
    """The words of HTML, without its tags, scripts and styles."""
    if not isinstance(html, str) or not html.strip():
        return None
    words = _Words()
    words.feed(html)
    words.close()
    return " ".join("".join(words.parts).split()) or None


def short(text: str | None, most: int = _CUT) -> str | None:
    """The text up to a limit, with a sign where it was cut."""
    return text if text is None or len(text) <= most else f"{text[: most - 1]}…"


class _Words(HTMLParser):
    _SILENT = frozenset({"script", "style", "template"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self._silent += tag in self._SILENT
        self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._SILENT and self._silent:
            self._silent -= 1
        self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def _text(body: object) -> str:
    return body if isinstance(body, str) else orjson.dumps(body).decode()
