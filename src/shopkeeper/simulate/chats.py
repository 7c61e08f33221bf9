"""Chats in words: a customer asks, an agent answers from what is true, a few turns, and it ends."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from shopkeeper.simulate.grammar import Grammar
from shopkeeper.simulate.products import Catalogue
from shopkeeper.simulate.reviews import Facts, clause, slots_of

_PAIRED = ("invoice", "price_protection", "usage")
"""Intents whose questions, answers and follow-ups belong together by their place in the lists."""


@dataclass(frozen=True)
class Turn:
    """One message: who wrote it, how many seconds after the first, its words, what it complains of."""

    role: str
    after: int
    body: str
    mentions: tuple[tuple[str, int], ...] = ()


def chat(
    words: Grammar, catalogue: Catalogue, about: Facts, intent: str, chance: Random
) -> list[Turn]:
    """The turns of one chat about this intent, in order of time."""
    slots = dict(slots_of(words, catalogue, about, chance))
    mentions: tuple[tuple[str, int], ...] = ()
    if intent == "fault":
        mentions = about.mentions
        slots["complaint"] = clause(words, catalogue, mentions[0], about, chance)
    late = intent == "where" and about.late > 0
    if late:
        mentions = (("delivery", -1),)
    lines = words.chat[intent]
    topic = chance.randrange(len(lines["ask"]))
    ask = words.say(lines["ask"][topic], chance, slots)
    if chance.random() < 0.6:
        gap = "，" if words.language == "zh" else ", "
        ask = words.pick(words.chat["hello"], chance, slots).rstrip("?？") + gap + ask
    said: list[tuple[str, str]] = [("customer", ask)]
    if chance.random() < 0.35:
        said.append(("agent", words.pick(words.chat["agent_hello"], chance, slots)))
    answers = lines["answer_late" if late else "answer"]
    answer = answers[topic] if intent in _PAIRED else chance.choice(answers)
    said.append(("agent", words.say(answer, chance, slots)))
    said += _exchange(words, intent, topic, late, chance)
    if chance.random() < 0.55:
        said.append(("customer", words.pick(words.chat["thanks"], chance, slots)))
        if chance.random() < 0.4:
            said.append(("agent", words.pick(words.chat["agent_bye"], chance, slots)))
    return _timed(words, said, mentions, chance)


def _exchange(
    words: Grammar, intent: str, topic: int, late: bool, chance: Random
) -> list[tuple[str, str]]:
    """What the customer says next, often, and the agent's reply to just that."""
    lines = words.chat[intent]
    if (late or intent == "fault") and chance.random() < 0.35:
        angry = words.pick(words.chat["angry"], chance, {})
        return [("customer", angry), ("agent", words.say(lines["close"][0], chance, {}))]
    if chance.random() > 0.7:
        return []
    place = topic if intent in _PAIRED else chance.randrange(len(lines["follow"]))
    follow = words.say(lines["follow"][place], chance, {})
    return [("customer", follow), ("agent", words.say(lines["close"][place], chance, {}))]


def _timed(
    words: Grammar,
    said: list[tuple[str, str]],
    mentions: tuple[tuple[str, int], ...],
    chance: Random,
) -> list[Turn]:
    turns, after = [], 0
    for place, (role, text) in enumerate(said):
        body = words.polish(text, chance) if role == "customer" else _tidy(words, text)
        turns.append(Turn(role, after, body, mentions if place == 0 else ()))
        after += chance.randint(8, 90)
    return turns


def _tidy(words: Grammar, text: str) -> str:
    if words.language == "zh":
        return text if text.endswith(("？", "。", "！")) else text + "。"
    text = text[0].upper() + text[1:]
    return text if text.endswith(("?", ".", "!")) else text + "."
