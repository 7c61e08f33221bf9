"""Absolute terms of China's Advertising Law: blocked, allowed because of an exception, or in need of proof.

Article 9(3) of the law forbids 国家级, 最高级, 最佳 and the like. SAMR's guideline no. 6 of 2023 says when
such words are no offence: they do not point at the goods (article 5: the service, a goal), or cannot mislead
(article 6: a comparison with the shop's own goods, a tip for use, a grade of a standard, a name, an award,
a fact within a time and place). Grades, awards and facts hold only for who can prove them. What is decided
here is a reading of the words, not legal advice: a person approves.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

Ruling = Literal["block", "needs_evidence", "allowed"]

NOT_ABSOLUTE: Final = "not_absolute"
_FILE: Final = Path(__file__).with_suffix(".toml")
_MARK: Final = "‹"
_BEFORE, _AFTER = 60, 60
"""Characters around a term that are looked at: what stands farther away does not change its meaning."""
_NAME_LONGEST: Final = 40
"""A longer title is a row of slogans, not a name; a Han character counts twice."""
_HAN: Final = re.compile("[\u3400-\u9fff]")


@dataclass(frozen=True, slots=True)
class Term:
    """One absolute term: where it stands, what holds for it and why."""

    start: int
    end: int
    quote: str
    verdict: Ruling
    because: str


@dataclass(frozen=True, slots=True)
class _Rule:
    groups: frozenset[str]
    when: re.Pattern[str]
    unless: re.Pattern[str] | None
    sentence: bool
    verdict: Ruling
    because: str

    def fits(self, group: str, clause: str, sentence: str) -> bool:
        if group not in self.groups and "*" not in self.groups:
            return False
        around = sentence if self.sentence else clause
        return bool(self.when.search(around)) and not (
            self.unless and self.unless.search(around.replace("\n", " "))
        )


@dataclass(frozen=True, slots=True)
class _Kind:
    group: str
    pattern: re.Pattern[str]
    verdict: Ruling
    because: str


@dataclass(frozen=True, slots=True)
class _Tongue:
    clause: re.Pattern[str]
    sentence: re.Pattern[str]
    kinds: tuple[_Kind, ...]
    rules: tuple[_Rule, ...]


def absolute_terms(text: str, names: Iterable[str] = ()) -> list[Term]:
    """The absolute terms of a text in either language, in order; words that only look like one are left out.

    Args:
        text: the words.
        names: brands and names of goods: a term inside one names the goods, and praises nothing.
    """
    named = list(_within(text, names))
    found: list[Term] = []
    for tongue in _tongues():
        for kind in tongue.kinds:
            for one in kind.pattern.finditer(text):
                term = _judged(text, tongue, kind, one, named)
                if term.because != NOT_ABSOLUTE:
                    found.append(term)
    found.sort(key=lambda term: (term.start, -term.end))
    return list(_apart(found))


def _judged(
    text: str,
    tongue: _Tongue,
    kind: _Kind,
    one: re.Match[str],
    named: Sequence[tuple[int, int]],
) -> Term:
    start, end = one.span()
    if any(a <= start and end <= b for a, b in named):
        return Term(start, end, one[0], "allowed", "product_name")
    clause = _around(text, start, tongue.clause)
    sentence = _around(text, start, tongue.sentence)
    for rule in tongue.rules:
        if rule.fits(kind.group, clause, sentence):
            return Term(start, end, one[0], rule.verdict, rule.because)
    return Term(start, end, one[0], kind.verdict, kind.because)


def _around(text: str, at: int, ends: re.Pattern[str]) -> str:
    """The clause or sentence at a place, with a mark where the term begins."""
    before = text[max(0, at - _BEFORE) : at]
    cut = max((m.end() for m in ends.finditer(before)), default=0)
    after = text[at : at + _AFTER]
    stop = next((m.start() for m in ends.finditer(after) if m.start() > 0), len(after))
    # "No. 1", "No.1": the dot belongs to the term
    return before[cut:] + _MARK + after[: max(stop, min(len(after), 6)) if stop <= 2 else stop]


def _within(text: str, names: Iterable[str]) -> Iterator[tuple[int, int]]:
    for name in names:
        if len(name) >= 2 and len(name) + len(_HAN.findall(name)) <= _NAME_LONGEST:
            for found in re.finditer(re.escape(name), text, re.IGNORECASE):
                yield found.span()


def _apart(found: Sequence[Term]) -> Iterator[Term]:
    """Without those that stand inside an earlier one; the worse verdict of two stays."""
    last: Term | None = None
    for term in found:
        if last is not None and term.start < last.end:
            if _WORST[term.verdict] > _WORST[last.verdict]:
                last = term
            continue
        if last is not None:
            yield last
        last = term
    if last is not None:
        yield last


_WORST: Final[dict[Ruling, int]] = {"allowed": 0, "needs_evidence": 1, "block": 2}


@cache
def _tongues() -> tuple[_Tongue, ...]:
    told = tomllib.loads(_FILE.read_text("utf-8"))
    return tuple(_tongue(one) for one in told.values())


def _tongue(told: Mapping[str, Any]) -> _Tongue:
    return _Tongue(
        re.compile(told["clause"]),
        re.compile(told["sentence"]),
        tuple(
            _Kind(one["group"], _compiled(one["pattern"]), one["verdict"], one["because"])
            for one in told["terms"]
        ),
        tuple(
            _Rule(
                frozenset(one["groups"]),
                _compiled(one["when"]),
                _compiled(one["unless"]) if "unless" in one else None,
                bool(one.get("sentence")),
                one["verdict"],
                one["because"],
            )
            for one in told["rules"]
        ),
    )


def _compiled(pattern: str) -> re.Pattern[str]:
    # Long lists are broken over lines of the file by a backslash.
    return re.compile(pattern.replace("\\\n", ""))
