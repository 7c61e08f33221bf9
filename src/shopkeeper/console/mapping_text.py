"""The text of a mapping with other columns in it: the rest of it stays as it was written."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

_SECTION = re.compile(r"^\[columns\]\n(?:[^\[\n].*\n|\n(?!\[))*", re.M)
_EXTRA = re.compile(r"^extra = \[.*\]\n", re.M)

SKELETON = {
    "events": 'target = "events"\n\n[columns]\n\n[event]\nname = "purchase"\n',
    "items": 'target = "items"\n\n[columns]\n\n[constants]\nkind = "product"\n',
    "customers": 'target = "customers"\n\n[columns]\n',
    "texts": 'target = "texts"\n\n[columns]\n\n[constants]\nkind = "review"\n',
}
"""What a mapping begins with where none could be guessed."""


def with_columns(text: str, columns: Mapping[str, str], extra: Sequence[str]) -> str:
    """The mapping where ``columns`` says which column of theirs is which of ours.

    ``extra`` are theirs that are kept as text beside ours.
    """
    lines = [f"{ours} = {_quoted(theirs)}\n" for ours, theirs in columns.items()]
    section = "[columns]\n" + "".join(lines) + "\n"
    if _SECTION.search(text):
        text = _SECTION.sub(lambda _: section, text, count=1)
    else:
        text = text.rstrip("\n") + "\n\n" + section
    text = _EXTRA.sub("", text)
    if extra:
        line = f"extra = [{', '.join(map(_quoted, extra))}]\n"
        text = re.sub(r"^target = .*\n", lambda found: found[0] + line, text, count=1, flags=re.M)
    return text.rstrip("\n") + "\n"


def _quoted(text: str) -> str:
    """A TOML string: JSON's escapes are TOML's."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
