"""Whether an HTML part holds nothing that runs, and variables only where their escaping holds."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final
from urllib.parse import urlsplit

from shopkeeper.content.checks.scene import Scene, Words
from shopkeeper.content.language import UNSUBSCRIBE, Variable

_ACTIVE: Final = frozenset(
    {"script", "iframe", "object", "embed", "form", "input", "button", "base", "link", "meta", "svg",
     "math", "frame", "frameset", "applet", "textarea", "select", "template", "noscript"}
)  # fmt: skip
_ADDRESSES: Final = frozenset(
    {"href", "src", "action", "background", "poster", "srcset", "formaction"}
)
_TEXTUAL: Final = frozenset({"alt", "title", "aria-label"})
_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel", ""})
_MARK: Final = "zqxvariablexqz"
_OWN: Final = "zqxunsubscribexqz"
"""Stand for variables while a page is read: letters, so that they would make a tag where a value would."""


def look(scene: Scene) -> None:
    """Add what a letter may not hold."""
    for words in scene.words:
        if words.name != "html":
            continue
        page = "".join(map(_marked, words.pieces))
        reader = _Reader()
        reader.feed(page)
        reader.close()
        for detail in dict.fromkeys(reader.problems):
            scene.add("block", "unsafe_html", _place(words, detail), "unsafe_html", detail)


def _marked(piece: str | Variable) -> str:
    if isinstance(piece, str):
        return piece.replace(_MARK, " ").replace(_OWN, " ")
    return _OWN if piece.name == UNSUBSCRIBE else _MARK


def _place(words: Words, detail: str) -> tuple[Words, int, int]:
    at = words.source.lower().find(detail.split()[0].lower())
    return (words, at, at + len(detail.split()[0])) if at >= 0 else (words, 0, 0)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.problems: list[str] = []
        self._style = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _ACTIVE:
            self.problems.append(f"<{tag}")
        if _MARK in tag or _OWN in tag:
            self.problems.append("{{ in a tag")
        self._style += tag == "style"
        for name, value in attrs:
            self._attribute(name, value or "")

    def _attribute(self, name: str, value: str) -> None:
        if name.startswith("on") or name in ("srcdoc", "http-equiv"):
            self.problems.append(f"{name} attribute")
        if _MARK in name or (_MARK in value and name not in _TEXTUAL):
            self.problems.append(f"{name} with a variable".replace(_MARK, "{{"))
        if _OWN in value and (name != "href" or value.strip() != _OWN):
            self.problems.append(f"{name} with a variable")
        if name in _ADDRESSES and _OWN not in value and not _safe(value):
            self.problems.append(f"{name} address")

    def handle_endtag(self, tag: str) -> None:
        self._style -= tag == "style"

    def handle_comment(self, data: str) -> None:
        if _MARK in data or _OWN in data or data.lstrip().startswith("["):
            self.problems.append("<!-- with a variable or condition")

    def handle_data(self, data: str) -> None:
        if self._style > 0 and (_MARK in data or "@import" in data or "expression(" in data):
            self.problems.append("style with a variable or import")


def _safe(address: str) -> bool:
    # Browsers skip white space and control characters in a scheme: java\nscript:
    plain = "".join(c for c in address if c > " ")
    try:
        return urlsplit(plain).scheme.lower() in _SCHEMES
    except ValueError:
        return False
