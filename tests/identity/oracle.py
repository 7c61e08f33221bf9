"""The rules of identity once more, in the plainest Python: one loop per question, nothing precomputed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

Said = tuple[datetime, int, str]
"""Since when, in which order it was recorded, and for whom the id stands."""


@dataclass
class Oracle:
    """What was said about ids; ``customer`` answers for one id at one time."""

    said: dict[str, list[Said]] = field(default_factory=dict)
    count: int = 0

    def identify(self, sent: str, customer: str, since: datetime) -> None:
        if sent == customer or _at(self.said.get(sent, []), since) == customer:
            return
        self.count += 1
        self.said.setdefault(sent, []).append((since, self.count, customer))

    def undo(self, sent: str) -> None:
        known = sorted(self.said.get(sent, []))
        if not known:
            return
        known.pop()
        if known:  # the one before is recorded anew
            since, _, customer = known.pop()
            self.count += 1
            known.append((since, self.count, customer))
        self.said[sent] = known

    def customer(self, sent: str, moment: datetime) -> str:
        edges = self._without_circles()
        while edges.get(sent):
            sent = _at(edges[sent], moment) or sent
        return sent

    def _without_circles(self) -> dict[str, list[Said]]:
        edges: dict[str, list[Said]] = {}
        every = (
            (since, n, sent, who) for sent, all_ in self.said.items() for since, n, who in all_
        )
        for since, number, sent, customer in sorted(every):
            if sent in set(_reached(edges, customer)):
                edges.pop(customer, None)
            edges.setdefault(sent, []).append((since, number, customer))
        return edges


def _at(said: Iterable[Said], moment: datetime) -> str | None:
    known = sorted(said)
    before = [customer for since, _, customer in known if since <= moment]
    if before:
        return before[-1]
    return known[0][2] if known else None


def _reached(edges: dict[str, list[Said]], start: str) -> Iterator[str]:
    waiting, seen = [start], set()
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            yield one
            waiting += [customer for _, _, customer in edges.get(one, [])]
