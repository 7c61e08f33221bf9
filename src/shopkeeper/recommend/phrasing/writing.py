"""A title and a text for one item and one customer: by a grammar, or by a model that is checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from shopkeeper.core.errors import (
    BadReply,
    CannotAnswer,
    ModelFailed,
    NotFound,
    NotSent,
    OverBudget,
)
from shopkeeper.core.settings import Language
from shopkeeper.core.types import Value
from shopkeeper.language import prompt
from shopkeeper.language.types import Request
from shopkeeper.models.backend import open_model
from shopkeeper.recommend.lists import refuses
from shopkeeper.recommend.model import fitted, own
from shopkeeper.recommend.phrasing.facts import BRAND, CATEGORY, Fact, chosen, facts, interests
from shopkeeper.recommend.types import Claim, Phrase
from shopkeeper.shop.shop import Shop
from shopkeeper.trust.claims import unsupported

PURPOSE: Final = "phrase"
GRAMMAR: Final = "grammar"
_PROMPT: Final = Path(__file__).with_name("phrase.toml")
_MOST: Final = 3
_LANGUAGES: Final = {"en": "English", "zh": "Simplified Chinese"}
_WORDS: Final = {
    "en": {"title": "{title} – {values}", "join": ", ", "between": " "},
    "zh": {"title": "{title}｜{values}", "join": "、", "between": ""},
}
_SENTENCES: Final = {
    "en": {BRAND: "From {value}.", CATEGORY: "In {value}.", "": "{name}: {value}."},
    "zh": {BRAND: "来自{value}。", CATEGORY: "属于{value}。", "": "{name}：{value}。"},
}


class Sentence(Value):
    """One sentence, and the numbers of the facts that it rests on."""

    text: Annotated[str, Field(min_length=1, max_length=200)]
    facts: tuple[int, ...]


class Written(Value):
    """What the model is to answer."""

    title: Annotated[str, Field(min_length=1, max_length=80)]
    sentences: Annotated[tuple[Sentence, ...], Field(min_length=1, max_length=3)]


def phrase(shop: Shop, customer_id: str, item_id: str, lang: Language, model: str) -> Phrase:
    """See the operation of this name.

    Raises:
        NotFound: the catalogue does not know the item.
    """
    try:
        row = shop.catalogue.item(item_id)
    except NotFound as error:
        raise NotFound(
            error.message, hint="Give an item of the catalogue.", field="item_id"
        ) from None
    known = facts(row, shop.catalogue.facts_of(item_id))
    history = None if refuses(shop, customer_id) else own(shop, customer_id, live=True)
    wanted = interests(history, fitted(shop).items)
    told = chosen(known, wanted, _MOST)
    cared = [fact for fact in told if wanted.get(fact.key)]
    title = str(row["title"] or item_id)
    by_grammar = _by_grammar(item_id, title, told, lang)
    by_grammar = by_grammar.model_copy(update={"personalised": bool(cared)})
    if not model and shop.settings.model == "house":
        return by_grammar
    try:
        written, name = _asked(shop, model, (title, told, cared), lang, customer_id)
        return _checked(by_grammar, written, name, title, told)
    except (CannotAnswer, ModelFailed, NotSent, OverBudget) as error:
        return by_grammar.model_copy(update={"why": str(error)})


def _by_grammar(item_id: str, title: str, told: Sequence[Fact], lang: Language) -> Phrase:
    words, sentences = _WORDS[lang], _SENTENCES[lang]
    fresh = [fact for fact in told if fact.value.casefold() not in title.casefold()]
    values = words["join"].join(fact.value for fact in fresh[:2])
    claims = [Claim(text=fact.value, facts=(_named(fact),)) for fact in fresh[:2]]
    said = []
    for fact in told:
        form = sentences.get(fact.name, sentences[""]) if not fact.fact_id else sentences[""]
        text = form.format(name=fact.name, value=fact.value)
        said.append(text)
        claims.append(Claim(text=text, facts=(_named(fact),)))
    return Phrase(
        item_id=item_id,
        title=words["title"].format(title=title, values=values) if values else title,
        text=words["between"].join(said),
        claims=tuple(claims),
        by=GRAMMAR,
        personalised=False,
    )


def _asked(
    shop: Shop,
    model: str,
    about: tuple[str, Sequence[Fact], Sequence[Fact]],
    lang: Language,
    customer_id: str,
) -> tuple[Written, str]:
    title, told, cared = about
    known = prompt.load(_PROMPT)
    lines = "\n".join(f"{n}. {fact.name}: {fact.value}" for n, fact in enumerate(told, 1))
    texts: Mapping[str, str] = {
        "title": title,
        "facts": lines,
        "interests": ", ".join(fact.value for fact in cared) or "-",
    }
    messages = known.messages(texts=texts, fixed={"language": _LANGUAGES[lang]})
    with closing(open_model(shop, model)) as backend:
        reply = backend.complete(
            Request(
                messages=messages,
                purpose=PURPOSE,
                schema=Written,
                version=known.version,
                # What they care for was learned from them: their consent decides whether it may leave.
                about=(customer_id,) if cared else (),
                max_tokens=300,
            )
        )
        if not isinstance(reply.value, Written):
            raise BadReply("The model gave no text.")
        return reply.value, backend.name


def _checked(
    safe: Phrase, written: Written, model: str, title: str, told: Sequence[Fact]
) -> Phrase:
    """The model's words if each claim has its fact, else the grammar's, and why."""
    every = [title, *(f"{fact.name} {fact.value}" for fact in told)]
    bad = unsupported(written.title, every)
    for sentence in written.sentences:
        numbers = [n for n in sentence.facts if 1 <= n <= len(told)]
        support = [title, *(f"{told[n - 1].name} {told[n - 1].value}" for n in numbers)]
        bad += unsupported(sentence.text, support)
    if bad:
        why = f"{model} claimed what no fact says: {', '.join(bad[:5])}"
        return safe.model_copy(update={"why": why})
    between = " " if written.sentences[0].text.isascii() else ""
    return safe.model_copy(
        update={
            "title": written.title,
            "text": between.join(sentence.text for sentence in written.sentences),
            "claims": tuple(
                Claim(
                    text=sentence.text,
                    facts=tuple(_named(told[n - 1]) for n in sentence.facts if n <= len(told)),
                )
                for sentence in written.sentences
            ),
            "by": model,
        }
    )


def _named(fact: Fact) -> str:
    return fact.fact_id or f"{fact.name}={fact.value}"
