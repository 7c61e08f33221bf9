"""What customers wish for, by the words people wish with: read by rules, no model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from shopkeeper.tasks.types import Answer, Span

NAME: Final = "rules"
VERSION: Final = "wishes-2"
_LONGEST: Final = 20_000  # of a text: a longer one is no review

_SENTENCE = re.compile(r"[^。！？!?\n.;；]+")
_WISH = re.compile(
    r"(?:希望|盼望|期待|建议|要是.{1,20}(?:就好|更好|完美)|如果.{1,20}(?:就好|更好|完美)|能不能|可不可以|"
    r"(?:何时|什么时候|几时)(?:能|会|可以)?再?(?:补|出|有|上架|上新)|想要|最好(?:能|可以|有)|求(?:补货|上架|出))"
    r"|\b(?:i (?:wish|hope)|would (?:be (?:better|nice|great|perfect) (?:if|with|to)|love to see|prefer)|"
    r"(?:it|you) (?:should|could) (?:have|be|offer|add|come|use|include)|"
    r"please (?:add|make|bring|offer|consider|stock|include)|if only|when will .{1,30} be (?:back|available)|"
    r"need(?:s)? to (?:be|have|add|offer|improve)|(?:i|would|we) suggest)",
    re.IGNORECASE,
)
_NOT = re.compile(
    r"希望(?:大家|各位|你们?慎|小心)|建议(?:购买|大家|入手|买|不要买|别买)|值得期待|没想到|"
    r"\b(?:hope (?:this|that|it) helps|i suggest (?:you )?(?:buy|not))",
    re.IGNORECASE,
)


class Wishes:
    """Answers with a span for every sentence that wishes for something."""

    name = NAME
    version = VERSION

    def answer(self, texts: Sequence[str]) -> list[Answer]:
        """One answer a text: the sentences that wish, as spans without a polarity."""
        return [self._one(text) for text in texts]

    def _one(self, text: str) -> Answer:
        if not text.strip():
            return Answer((), 0.0, NAME, VERSION, True, "it is empty")
        spans = []
        for sentence in _SENTENCE.finditer(text[:_LONGEST]):
            found = _WISH.search(sentence[0])
            if found is None or _NOT.search(sentence[0]):
                continue
            start = sentence.start() + len(sentence[0]) - len(sentence[0].lstrip())
            end = sentence.start() + len(sentence[0].rstrip())
            spans.append(Span(text[start:end], "wish", found[0], 0, start, end))
        return Answer(tuple(spans), 1.0, NAME, VERSION)
