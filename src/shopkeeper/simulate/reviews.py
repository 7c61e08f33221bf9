"""Reviews in words: opening, clauses by aspect and polarity, comparison, close."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from shopkeeper.simulate.grammar import Grammar, Slots
from shopkeeper.simulate.products import Catalogue, Product


@dataclass(frozen=True)
class Facts:
    """What a text may refer to: the product, the mentions as (aspect, polarity), what really happened."""

    item: int
    product: Product
    mentions: tuple[tuple[str, int], ...]
    rating: int
    days: int
    late: int
    nth: int


def review(
    words: Grammar, catalogue: Catalogue, about: Facts, chance: Random
) -> tuple[str | None, str]:
    """Title (None where that language's customers write none) and body."""
    slots = slots_of(words, catalogue, about, chance)
    body = _short(words, about, chance, slots) or _long(words, catalogue, about, chance, slots)
    body = words.polish(body, chance)
    if chance.random() < 0.12 and about.rating != 3:
        kind = "emoji_good" if about.rating > 3 else "emoji_bad"
        body += chance.choice(words.frames[kind])
    return _title(words, catalogue, about, chance), body


def slots_of(words: Grammar, catalogue: Catalogue, about: Facts, chance: Random) -> Slots:
    """What templates may name."""
    label, value, fact = words.fact(about.product, chance)
    place = 0 if words.language == "zh" else 1
    title = about.product.titles[words.language]
    return {
        "noun": catalogue.noun(about.item, words.language),
        "brand": about.product.brand_names[place],
        "title": title.split(" ")[0] if words.language == "zh" else title.split(",")[0],
        "days": str(about.days),
        "late": str(about.late),
        "nth": str(about.nth),
        "name": label,
        "value": value,
        "fact": fact,
    }


def clause(
    words: Grammar, catalogue: Catalogue, mention: tuple[str, int], about: Facts, chance: Random
) -> str:
    """A clause that says this polarity of this aspect, and nothing that did not happen."""
    aspect, polarity = mention
    slots = dict(slots_of(words, catalogue, about, chance))
    if polarity == 0:
        name = catalogue.aspect_names[aspect][0 if words.language == "zh" else 1]
        return words.pick(words.frames["neutral"], chance, slots | {"aspect": name})
    templates = words.aspects[aspect]["good" if polarity > 0 else "bad"]
    if polarity < 0 and aspect == "delivery":
        true = [t for t in templates if ("{late}" not in t and "{days}" not in t) or about.late > 0]
        templates = true or templates
    return words.pick(templates, chance, slots)


def _short(words: Grammar, about: Facts, chance: Random, slots: Slots) -> str | None:
    if len(about.mentions) != 1 or about.mentions[0][1] != 1 or chance.random() > 0.2:
        return None
    aspect = about.mentions[0][0]
    praise = words.pick(words.aspects[aspect]["good"], chance, slots)
    happy = words.pick(words.frames["happy"], chance, slots)
    return words.pick(
        words.frames["short"], chance, dict(slots) | {"praise": praise, "happy": happy}
    )


def _long(words: Grammar, catalogue: Catalogue, about: Facts, chance: Random, slots: Slots) -> str:
    stop = "。" if words.language == "zh" else ". "
    text = _opening(words, about, chance, slots)
    if chance.random() < 0.15:
        text += words.pick(words.frames["fact_lead"], chance, slots)
        text += "，" if words.language == "zh" else ". "
    text += _judgement(words, catalogue, about, chance)
    if chance.random() < 0.5:
        kind = "happy" if about.rating > 3 else "even" if about.rating == 3 else "unhappy"
        text += stop + words.pick(words.frames[kind], chance, slots)
    return text.strip() + stop.strip()


def _opening(words: Grammar, about: Facts, chance: Random, slots: Slots) -> str:
    if chance.random() > 0.55:
        return ""
    again = about.nth >= 2 and chance.random() < 0.5
    opening = words.pick(words.frames["again" if again else "first"], chance, slots)
    return opening + (chance.choice("，。，") if words.language == "zh" else ". ")


def _judgement(words: Grammar, catalogue: Catalogue, about: Facts, chance: Random) -> str:
    """The mentions, good ones first after a good experience, bad ones first after a bad one."""
    said = {
        way: [
            clause(words, catalogue, mention, about, chance)
            for mention in about.mentions
            if mention[1] == way
        ]
        for way in (1, 0, -1)
    }
    way = 1 if about.rating > 3 else -1
    if said[way] and about.rating != 3 and chance.random() < 0.15:
        kind = "compare_good" if way > 0 else "compare_bad"
        said[way].append(words.pick(words.frames[kind], chance, {}))
    joined = {way: _chain(words, clauses, chance) for way, clauses in said.items()}
    order = (
        (1, 0, -1)
        if about.rating > 3 or (about.rating == 3 and chance.random() < 0.5)
        else (-1, 0, 1)
    )
    text, last = "", 0
    for way in order:
        if not joined[way]:
            continue
        if text:
            turn = "but" if way < last else "yet"
            text += chance.choice(words.frames[turn])
        text, last = text + joined[way], way
    return text


def _chain(words: Grammar, clauses: list[str], chance: Random) -> str:
    text = ""
    for one in clauses:
        text += (chance.choice(words.frames["join"]) if text else "") + one
    return text


def _title(words: Grammar, catalogue: Catalogue, about: Facts, chance: Random) -> str | None:
    if not words.frames["title_good"] or chance.random() > 0.7:
        return None
    names = {
        way: [catalogue.aspect_names[a][1] for a, p in about.mentions if p == way]
        for way in (1, -1)
    }
    noun = catalogue.noun(about.item, words.language)
    if names[1] and names[-1]:
        slots = {"aspect": names[1][0], "other": names[-1][0], "noun": noun}
        text = words.pick(words.frames["title_mixed"], chance, slots)
    elif names[1] or names[-1]:
        way = 1 if names[1] else -1
        slots = {"aspect": names[way][0], "noun": noun}
        kind = "title_good" if way > 0 else "title_bad"
        text = words.pick(words.frames[kind], chance, slots)
    else:
        text = words.pick(words.frames["even"], chance, {"noun": noun})
    return text[0].upper() + text[1:]
