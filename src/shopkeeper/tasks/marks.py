"""Marked texts: what a person marked, as tags of units and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shopkeeper.tasks.windows import Seen

Place = tuple[int, int]
"""First character of a span and the one after its last, in the text as given."""

OUTSIDE, ASPECT, ASPECT_ON, OPINION, OPINION_ON = range(5)
FOLLOWS: NDArray[np.bool_] = np.array(
    [
        [True, True, False, True, False],
        [True, True, True, True, False],
        [True, True, True, True, False],
        [True, True, False, True, True],
        [True, True, False, True, True],
    ]
)
"""Which tag may stand after which: a span goes on only after its own kind."""


class Mention(NamedTuple):
    """One thing a text says: an opinion on an aspect. Either place may be None, not both."""

    aspect: Place | None
    opinion: Place | None
    polarity: int = 0
    category: str = ""


def tags_of(seen: Seen, mentions: Sequence[Sequence[Mention]]) -> NDArray[np.int8]:
    """The tag of each unit; where spans overlap the opinion is kept, and of two aspects the first."""
    tags = np.zeros(len(seen.begins), np.int8)
    for text, marked in enumerate(mentions):
        aspects = sorted({m.aspect for m in marked if m.aspect is not None})
        opinions = sorted({m.opinion for m in marked if m.opinion is not None})
        first, last = int(seen.rows.starts[text]), int(seen.rows.starts[text + 1])
        begins, ends = seen.begins[first:last], seen.ends[first:last]
        for places, tag in ((opinions, OPINION), (aspects, ASPECT)):
            for begin, end in places:
                inside = np.flatnonzero((begins < end) & (ends > begin)) + first
                if len(inside) and not tags[inside].any():
                    tags[inside] = tag + 1
                    tags[inside[0]] = tag
    return tags


def places_of(seen: Seen, tags: NDArray[np.int8]) -> list[tuple[list[Place], list[Place]]]:
    """The aspects and the opinions of each text."""
    found: list[tuple[list[Place], list[Place]]] = [
        ([], []) for _ in range(len(seen.rows.starts) - 1)
    ]
    heads = np.flatnonzero((tags == ASPECT) | (tags == OPINION))
    texts = np.searchsorted(seen.rows.starts, heads, side="right") - 1
    for head, text in zip(heads.tolist(), texts.tolist(), strict=True):
        tag, last = int(tags[head]), head
        limit = int(seen.rows.starts[text + 1])
        while last + 1 < limit and tags[last + 1] == tag + 1:
            last += 1
        place = (int(seen.begins[head]), int(seen.ends[last]))
        found[text][tag == OPINION].append(place)
    return found
