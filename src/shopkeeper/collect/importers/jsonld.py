"""schema.org ``Product`` as JSON-LD: a file of it, or the ``<script>`` blocks of saved web pages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from itertools import islice

import orjson

from shopkeeper.collect import documents, objects
from shopkeeper.collect.calls import Unit
from shopkeeper.collect.products import MAPPING, flat, products
from shopkeeper.collect.request import Request, Result
from shopkeeper.collect.source import File
from shopkeeper.core.errors import BadInput, TooLarge

ABOUT = "schema.org Product as JSON-LD: .json, .jsonld, JSON lines, or a saved web page"
NEEDS_MAPPING = False
_PAGES = (".html", ".htm", ".xhtml")
_PAGE = 16 << 20
_SEARCHED = 1_000


def bring(request: Request) -> Result:
    """Read, check and load the products; nothing is written before all were judged.

    Raises:
        BadInput: a mapping was given, or the file holds no product.
    """
    made = partial(flat, currency=request.shop.settings.currency)
    file = request.file
    if file is None:
        return objects.bring(request, MAPPING, made, tuple)
    if request.mapping is not None:
        raise BadInput("JSON-LD needs no mapping.", hint="Leave it out.", field="mapping")
    if all(unit.where == "(row)" for unit in islice(_units(file), _SEARCHED)):
        raise BadInput(
            f"{file.path.name!r} holds no Product of schema.org.",
            hint='It should say "@type": "Product".',
            field="path",
        )
    return objects.bring(request, MAPPING, made, lambda: _units(file))


def _units(file: File) -> Iterator[Unit]:
    if file.suffix not in _PAGES:
        yield from documents.units(file, products)
        return
    with file.text(None) as stream:
        text = stream.read(_PAGE + 1)
    if len(text) > _PAGE:
        raise TooLarge("The page is too large.", hint="Save its JSON-LD alone.", field="path")
    blocks = _Blocks()
    blocks.feed(text)
    blocks.close()
    for number, block in enumerate(blocks.found, 1):
        try:
            body = orjson.loads(block)
        except (orjson.JSONDecodeError, RecursionError, UnicodeEncodeError):
            yield Unit(number, "(row)", block[:2000].encode("utf-8", "replace").decode())
            continue
        for product in products(body):
            yield Unit(number, "", product)


class _Blocks(HTMLParser):
    """The texts of a page's ``application/ld+json`` scripts."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.found: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kind = (dict(attrs).get("type") or "").partition(";")[0].strip().lower()
        if tag == "script" and kind == "application/ld+json":
            self._inside = True
            self.found.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.found[-1] += data
