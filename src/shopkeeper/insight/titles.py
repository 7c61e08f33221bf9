"""Names of personas by the shop's language model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from pydantic import Field

from shopkeeper.core.errors import ModelFailed
from shopkeeper.core.operation import Context
from shopkeeper.core.text import normalise
from shopkeeper.core.types import Value
from shopkeeper.insight.naming import LANGUAGES, places
from shopkeeper.insight.types import Persona, Personas
from shopkeeper.language import prompt
from shopkeeper.language.types import Backend, Request
from shopkeeper.models.backend import open_model

_PROMPT: Final = Path(__file__).with_name("persona.toml")


class Title(Value):
    """What the model is to answer."""

    zh: Annotated[str, Field(min_length=1, max_length=16)]
    en: Annotated[str, Field(min_length=1, max_length=40)]


def by_model(ctx: Context, found: Personas, model: str) -> Personas:
    """The same personas with names by the shop's language model, or the one named.

    It is shown what sets each apart, no text and no id of a customer. A name that it does not give, or
    gives to two, stays the one made of traits.
    """
    backend = open_model(ctx.shop, model)
    named: list[Persona] = []
    try:
        for done, one in enumerate(found.personas):
            ctx.progress(done, len(found.personas), "naming personas")
            named.append(_asked(backend, one))
    finally:
        backend.close()
    alike = {
        place
        for lang in LANGUAGES
        for place in places([one.names[lang].casefold() for one in named])
    }
    kept = [found.personas[place] if place in alike else one for place, one in enumerate(named)]
    return found.model_copy(update={"personas": tuple(kept)})


def _asked(backend: Backend, persona: Persona) -> Persona:
    known = prompt.load(_PROMPT)
    told = [
        f"{trait.names['en']}: {'above' if trait.distance > 0 else 'below'} all customers by "
        f"{abs(trait.distance):.1f} standard deviations"
        for trait in persona.traits
    ]
    request = Request(
        messages=known.messages(texts={"traits": told}, fixed={}),
        purpose="personas",
        schema=Title,
        version=known.version,
        max_tokens=80,
    )
    try:
        reply = backend.complete(request)
    except ModelFailed:
        return persona
    if not isinstance(reply.value, Title):
        return persona
    names = {"zh": normalise(reply.value.zh), "en": normalise(reply.value.en)}
    return persona.model_copy(update={"names": names, "named_by": backend.name})
