"""Marks that people write into sentences: ``The [screen](screen) is [bright](+)``, as text and mentions.

``[term](category)`` is what is spoken of. ``[opinion](+)``, ``(-)`` or ``(0)`` is what is said of the
nearest term before it, with ``>`` (``(+>)``) of the nearest after it, with a category (``(-delivery)``)
of nothing that the sentence names.
"""

from __future__ import annotations

import re
from collections.abc import Container

from shopkeeper.core.errors import BadInput
from shopkeeper.tasks.marks import Mention, Place

_MARK = re.compile(r"\[([^\[\]]+)\]\(([-+0]?)(>?)(\w*)\)")
_SIGN = {"+": 1, "0": 0, "-": -1}


def read(marked: str, categories: Container[str]) -> tuple[str, list[Mention]]:
    """The plain text and its mentions, opinions in the order they stand; a term without one has None.

    Raises :class:`BadInput` for a mark that makes no sense, such as an opinion on nothing.
    """
    text, last = "", 0
    terms: list[tuple[Place, str]] = []
    opinions: list[tuple[Place, re.Match[str]]] = []
    for mark in _MARK.finditer(marked):
        text += marked[last : mark.start()]
        place = len(text), len(text) + len(mark[1])
        text, last = text + mark[1], mark.end()
        if mark[4] and mark[4] not in categories:
            raise BadInput(f"Unknown category {mark[4]!r} in {marked!r}.", hint="See labels.toml.")
        if mark[2]:
            opinions.append((place, mark))
        else:
            terms.append((place, mark[4]))
    text += marked[last:]
    if "](" in text:
        raise BadInput(f"A mark in {marked!r} cannot be read.", hint="Write [text](mark).")
    mentions = [_mention(place, mark, terms, marked) for place, mark in opinions]
    spoken = {mention.aspect for mention in mentions}
    mentions += [Mention(place, None, 0, name) for place, name in terms if place not in spoken]
    return text, mentions


def _mention(
    place: Place, mark: re.Match[str], terms: list[tuple[Place, str]], marked: str
) -> Mention:
    sign = _SIGN[mark[2]]
    if mark[4]:
        return Mention(None, place, sign, mark[4])
    after = mark[3] == ">"
    near = [term for term in terms if (term[0] > place) == after]
    if not near:
        raise BadInput(
            f"The opinion {mark[1]!r} in {marked!r} is on nothing.", hint="Name its term."
        )
    aspect, category = min(near) if after else max(near)
    return Mention(aspect, place, sign, category)
