"""Drafts by a language model: it sees facts marked as data, and every claim must have its fact."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from shopkeeper.content.facts import PRICE, Known
from shopkeeper.content.house.grammar import dressed, grammar, supporting, told_facts
from shopkeeper.content.types import Occasion, Part
from shopkeeper.core.errors import BadReply
from shopkeeper.core.settings import Language
from shopkeeper.core.types import Value
from shopkeeper.language import prompt
from shopkeeper.language.types import Request
from shopkeeper.models.backend import open_model
from shopkeeper.shop.shop import Shop
from shopkeeper.trust.claims import unsupported

PURPOSE: Final = "write"
_PROMPT: Final = Path(__file__).with_name("write.toml")
_LANGUAGES: Final = {"en": "English", "zh": "Simplified Chinese"}
_SUBJECT: Final = {"en": 80, "zh": 40}
_MOST: Final = 6


class Sentence(Value):
    """One sentence, and the numbers of the facts that it rests on."""

    text: Annotated[str, Field(min_length=1, max_length=300)]
    facts: tuple[int, ...]


class Written(Value):
    """What the model is to answer."""

    subject: Annotated[str, Field(min_length=1, max_length=120)]
    sentences: Annotated[tuple[Sentence, ...], Field(min_length=1, max_length=4)]


def write(
    shop: Shop,
    model: str,
    lang: Language,
    occasion: Occasion,
    facts: dict[str, Known],
    variant: int,
) -> tuple[Part, str]:
    """The words of one language, and the name of the model that wrote them.

    Raises:
        BadReply: it claimed what no fact says; names it. Any error of the model is passed on.
    """
    told = told_facts(lang, facts)[:_MOST]
    if PRICE in facts:
        told.append(("价格" if lang == "zh" else "price", facts[PRICE]))
    written, name = _asked(shop, model, lang, occasion, (facts["title"].said, told))
    _refuse_inventions(written, lang, occasion, (facts["title"].said, told))
    swaps = [(facts["title"].said, "{{ item.title }}")]
    swaps += [(facts[PRICE].said, "{{ item.price }}")] if PRICE in facts else []
    between = " " if lang == "en" else ""
    line = between.join(_with_variables(one.text, swaps) for one in written.sentences)
    return dressed(lang, _with_variables(written.subject, swaps), [line], variant), name


def _asked(
    shop: Shop,
    model: str,
    lang: Language,
    occasion: Occasion,
    about: tuple[str, Sequence[tuple[str, Known]]],
) -> tuple[Written, str]:
    title, told = about
    known = prompt.load(_PROMPT)
    messages = known.messages(
        texts={
            "title": title,
            "facts": "\n".join(f"{n}. {name}: {one.said}" for n, (name, one) in enumerate(told, 1)),
        },
        fixed={
            "language": _LANGUAGES[lang],
            "longest": str(_SUBJECT[lang]),
            "occasion": _said(lang, occasion, title),
        },
    )
    with closing(open_model(shop, model)) as backend:
        reply = backend.complete(
            Request(
                messages=messages,
                purpose=PURPOSE,
                schema=Written,
                version=known.version,
                about=(),  # nothing in it is of a customer
                max_tokens=500,
            )
        )
        if not isinstance(reply.value, Written):
            raise BadReply("The model gave no text.")
        return reply.value, backend.name


def _said(lang: Language, occasion: Occasion, title: str) -> str:
    del title  # stands in the prompt as data, never as an instruction
    named = "这件商品" if lang == "zh" else "the item"
    return str(grammar()[lang][occasion]["lines"][0]).format(title=named, price="")


def _refuse_inventions(
    written: Written,
    lang: Language,
    occasion: Occasion,
    about: tuple[str, Sequence[tuple[str, Known]]],
) -> None:
    title, told = about
    house = supporting(lang, occasion)
    every = [title, *house, *(f"{name} {one.said}" for name, one in told)]
    bad = unsupported(written.subject, every)
    for sentence in written.sentences:
        cited = [told[n - 1] for n in sentence.facts if 1 <= n <= len(told)]
        support = [title, *house, *(f"{name} {one.said}" for name, one in cited)]
        bad += unsupported(sentence.text, support)
    if bad:
        raise BadReply(f"It claimed what no fact says: {', '.join(bad[:5])}.")
    for text in (written.subject, *(one.text for one in written.sentences)):
        if "{{" in text or "}}" in text or "<" in text:
            raise BadReply("It wrote a variable or a tag.")


def _with_variables(text: str, swaps: Sequence[tuple[str, str]]) -> str:
    """The words with the item's title and price as variables, so that they follow the catalogue."""
    for said, variable in swaps:
        if said:
            text = text.replace(said, variable)
    return text
