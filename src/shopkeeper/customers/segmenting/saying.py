"""A definition as a sentence, and what a condition found as a reason, in English and Chinese."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any as Anything

from shopkeeper.core.settings import Language
from shopkeeper.customers.segmenting.definition import (
    All,
    Any,
    Bucket,
    Definition,
    Did,
    Filter,
    InSegment,
    Leaf,
    Not,
    OnList,
    Said,
    Scalar,
    Score,
    Sequence,
    Step,
    Told,
    Trait,
)
from shopkeeper.customers.segments import definitions
from shopkeeper.customers.traits.catalogue import Kind, catalogue

Found = str | float | int | None


def sentence(definition: Definition, lang: Language) -> str:
    """The definition in words."""
    return _said(definition, lang, outer=True)


def reason(leaf: Leaf, found: Found, held: bool, lang: Language) -> str:
    """What the condition found of one customer, and so why it holds or not."""
    w = words(lang)
    if isinstance(leaf, Trait) and found is not None and leaf.name in catalogue():
        one = catalogue()[leaf.name]
        value = shown(_called(leaf.name, found, lang), one.kind)
        return w["found"].format(name=one.called(lang), value=value)
    if isinstance(leaf, Did):
        when = _when(leaf.within, lang)
        key = "found_did" if found else "found_none"
        return w[key].format(
            step=_step(leaf.step, lang), value=shown(found or 0, "count"), when=when
        )
    if isinstance(leaf, Score) and found is not None:
        return w["found"].format(name=leaf.name, value=shown(found, "number"))
    key = "found_true" if held else "found_not"
    return w[key].format(sentence=sentence(leaf, lang))


def shown(value: Found, kind: Kind) -> str:
    """A value as people read it."""
    if not isinstance(value, int | float):
        return str(value)
    if kind == "share":
        return f"{value:.1%}"
    if kind == "money":
        return f"{value:,.2f}"
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


@cache
def words(lang: Language) -> Mapping[str, str]:
    """The words of one language."""
    told: Mapping[str, str] = _told()[lang]
    return told


def event(name: str, lang: Language) -> str:
    """An event's name in words; its own where there are none."""
    return str(_told()["events"][lang].get(name, name))


@cache
def _told() -> dict[str, Anything]:
    return tomllib.loads(files(__package__).joinpath("words.toml").read_text("utf-8"))


def _said(one: Definition, lang: Language, *, outer: bool = False) -> str:
    w = words(lang)
    if isinstance(one, Not):
        if isinstance(one.of, Did) and one.of.count == "at least" and one.of.times == 1:
            step, when = _step(one.of.step, lang), _when(one.of.within, lang)
            return w["did_not"].format(step=step, when=when)
        return w["not"].format(_said(one.of, lang, outer=True))
    if isinstance(one, All | Any):
        text = w["and" if isinstance(one, All) else "or"].join(_said(p, lang) for p in one.of)
        return text if outer else w["group"].format(text)
    return _leaf(one, lang)


def _leaf(one: Leaf, lang: Language) -> str:
    w = words(lang)
    match one:
        case Trait():
            return _trait(one, lang)
        case Did():
            count = w["once"] if (one.count, one.times) == ("at least", 1) else w[one.count]
            return w["did"].format(
                step=_step(one.step, lang),
                count=count.format(n=one.times),
                when=_when(one.within, lang),
            )
        case Sequence():
            steps = w["step_join"].join(f"“{_step(s, lang)}”" for s in one.steps)
            return w["then"].format(steps=steps, within=one.within, during=one.during)
        case Said():
            return _opinion(one, lang)
        case Score():
            return w["score"].format(name=one.name, op=w[one.op], value=shown(one.value, "number"))
        case _:
            return _reference(one, lang)


def _reference(one: Leaf, lang: Language) -> str:
    w = words(lang)
    match one:
        case Told():
            if one.value is None:
                return w["told_known"].format(name=one.name)
            return w["told"].format(name=one.name, op=w[one.op], value=one.value)
        case InSegment():
            return w["segment"].format(id=one.id)
        case OnList():
            return w["list"].format(name=one.name)
        case Bucket():
            start, end = shown(one.start, "number"), shown(one.end, "number")
            return w["bucket"].format(start=start, end=end, salt=one.salt)
        case _:
            return w["everyone"]


def _trait(one: Trait, lang: Language) -> str:
    w = words(lang)
    known = catalogue().get(one.name)
    name = known.called(lang) if known else one.name
    if one.op == "known":
        return w["trait_known"].format(name=name)
    kind: Kind = known.kind if known else "text"
    value = w["list_join"].join(_value(_called(one.name, v, lang), kind) for v in one.values)
    return w["trait"].format(name=name, op=w[one.op], value=value)


def _called(trait: str, value: Scalar, lang: Language) -> Scalar:
    """A value as its own page calls it: RFM segments have names."""
    segment = definitions().get(str(value)) if trait == "rfm_segment" else None
    return segment.name(lang) if segment else value


def _opinion(one: Said, lang: Language) -> str:
    w = words(lang)
    key = "said_theme" if one.theme else "said_aspect" if one.aspect else "said_mood"
    mood = w[one.mood] if one.mood else ""
    return (
        w[key]
        .format(
            theme=one.theme, aspect=one.aspect, mood=mood, n=one.times, when=_when(one.within, lang)
        )
        .strip()
    )


def _step(step: Step, lang: Language) -> str:
    name = event(step.event, lang)
    if not step.where:
        return name
    filters = words(lang)["list_join"].join(_filter(one, lang) for one in step.where)
    return words(lang)["where"].format(event=name, filters=filters)


def _filter(one: Filter, lang: Language) -> str:
    w = words(lang)
    return w["filter"].format(field=w[one.field], op=w[one.op], value=_value(one.value, "number"))


def _value(value: Scalar, kind: Kind) -> str:
    return f"“{value}”" if isinstance(value, str) else shown(value, kind)


def _when(days: int | None, lang: Language) -> str:
    w = words(lang)
    return w["ever"] if days is None else w["within"].format(days=days)
