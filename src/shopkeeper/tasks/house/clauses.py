"""Clauses from terms and opinions, each with the place of what it speaks of and of what it says."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple, TypeGuard

from shopkeeper.tasks.house.written import Tables
from shopkeeper.tasks.marks import Mention, Place

NEGATIVE, NEUTRAL, POSITIVE = "negative", "neutral", "positive"
OTHER = {NEGATIVE: POSITIVE, POSITIVE: NEGATIVE}
POLARITY = {NEGATIVE: -1, NEUTRAL: 0, POSITIVE: 1}
_NEGATED = {NEGATIVE: 0.10, POSITIVE: 0.03}  # "not good" is said far more often than "not bad"
_LONGEST_NEGATED = 3
_HAN = re.compile(r"[\u3400-\u9fff]")
_PIECE = re.compile(r"\{(\w+)\}|([^{]+)")


class Clause(NamedTuple):
    """A clause and, where it is known what of, its mention (places within ``text``)."""

    text: str
    mention: Mention | None = None


class Said(NamedTuple):
    """An opinion that may be said of some terms; ``kind`` is the pattern that joins them."""

    kind: str
    category: str
    terms: Sequence[str]
    opinion: str


Group = dict[str, list[Clause | Said]]
"""By polarity, what can be said of one topic."""


class Clauses:
    """What can be said in a language, by topic; ``rules`` join terms, adverbs and opinions.

    Of each polarity a topic is chosen as often as it has clauses: returns and carriers are written of
    in complaint more than in praise, here as in life.
    """

    def __init__(
        self,
        aspects: Tables,
        whole: Mapping[str, Mapping[str, Sequence[str]]],
        rules: Mapping[str, Sequence[str]],
        chance: random.Random,
    ) -> None:
        """``whole``: clauses that stand as they are, by topic and polarity."""
        self._rules = rules
        self._chance = chance
        groups: list[Group] = [
            {label: [Clause(text) for text in texts] for label, texts in topic.items()}
            for topic in whole.values()
        ]
        groups += [_group(name, table) for name, table in aspects.items() if "terms" in table]
        self.groups = groups
        self._weights = {
            label: list(accumulate(len(group.get(label, [])) for group in groups))
            for label in POLARITY
        }
        self._deniable: dict[str, list[Said]] = {
            label: [said for group in groups for said in group.get(label, []) if _deniable(said)]
            for label in OTHER
        }

    def any(self, label: str) -> Clause:
        """A clause of this polarity."""
        if self._chance.random() < _NEGATED.get(label, 0):
            return self._filled(self._chance.choice(self._deniable[OTHER[label]]), label, "negated")
        group = self._chance.choices(self.groups, cum_weights=self._weights[label])[0]
        found = self._chance.choice(group[label])
        return self._filled(found, label, found.kind) if isinstance(found, Said) else found

    def _filled(self, said: Said, label: str, kind: str) -> Clause:
        choose = self._chance.choice
        slots = {"term": choose(said.terms), "opinion": said.opinion, "adverb": "", "negator": ""}
        pattern = choose(self._rules[kind])
        if "{negator}" in pattern:
            slots["negator"] = choose(self._rules["negator"])
        if "{adverb}" in pattern and self._takes_adverb(said.opinion):
            slots["adverb"] = choose(self._rules["adverb"])
        text, places = _joined(pattern, slots)
        opinion = places["opinion"]
        for slot in ("adverb", "negator"):  # "very good" is the opinion, not "good"
            if slots[slot] and not text[places[slot][1] : opinion[0]].strip():
                opinion = places[slot][0], opinion[1]
        mention = Mention(places.get("term"), opinion, POLARITY[label], said.category)
        return Clause(text, mention)

    def _takes_adverb(self, opinion: str) -> bool:
        return len(opinion) <= 2 or not _HAN.search(opinion) or self._chance.random() < 0.3


def _group(category: str, table: Mapping[str, Sequence[str]]) -> Group:
    group: Group = {}
    for label, sign in POLARITY.items():
        said: list[Clause | Said] = [
            Said(kind, category, table["terms"], opinion)
            for kind, key in (("opinion", label), ("verbs", f"{label}_verbs"))
            for opinion in table.get(key, [])
        ]
        said += [
            Clause(text, Mention(None, (0, len(text)), sign, category))
            for text in table.get(f"{label}_alone", [])
        ]
        group[label] = said
    return group


def shifted(mention: Mention, by: int) -> Mention:
    """The same mention in a text that has ``by`` more characters before it."""
    aspect = None if mention.aspect is None else (mention.aspect[0] + by, mention.aspect[1] + by)
    opinion = (
        None if mention.opinion is None else (mention.opinion[0] + by, mention.opinion[1] + by)
    )
    return mention._replace(aspect=aspect, opinion=opinion)


def _deniable(said: Clause | Said) -> TypeGuard[Said]:
    """Only plain short adjectives can be denied by a word before them."""
    if not isinstance(said, Said):
        return False
    opinion = said.opinion
    if said.kind != "opinion" or " " in opinion or opinion.startswith(("不", "没", "太", "有")):
        return False
    return not _HAN.search(opinion) or len(opinion) <= _LONGEST_NEGATED


def _joined(pattern: str, slots: Mapping[str, str]) -> tuple[str, dict[str, Place]]:
    """The pattern filled, without double blanks, and where each slot came to stand."""
    text, places = "", {}
    for slot, plain in _PIECE.findall(pattern):
        piece = slots[slot] if slot else plain
        if not text or text.endswith(" "):
            piece = piece.lstrip()
        begin = len(text) + len(piece) - len(piece.lstrip())
        text += piece
        if slot:
            places[slot] = begin, len(text.rstrip()) if piece.strip() else begin
    return text.rstrip(), places
