"""Text of strangers made safe to print: no escape sequence, no markup, no hidden direction."""

from __future__ import annotations

import re
import sys

from rich.console import Console
from rich.text import Text

# C0 and C1 controls (a terminal obeys them), bidirectional overrides and isolates (they reorder what
# is read), and lone surrogates (they cannot be encoded). Line feed is kept only where lines are.
_UNSAFE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def visible(text: str, *, lines: bool = False) -> str:
    """The text with every character that a terminal would obey written out in hexadecimal."""
    cleaned = _UNSAFE.sub(lambda found: ascii(found[0])[1:-1], text)
    return cleaned if lines else cleaned.replace("\n", "⏎").replace("\t", " ")


def plain(text: str, style: str = "", *, lines: bool = False) -> Text:
    """The text for rich, with no markup read into it."""
    return Text(visible(text, lines=lines), style=style)


def console(*, errors: bool = False) -> Console:
    """Where to print: standard output, or standard error for what is not the answer."""
    return Console(
        file=sys.stderr if errors else sys.stdout, highlight=False, markup=False, emoji=False
    )
