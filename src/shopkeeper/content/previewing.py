"""Letters as readers would get them: of a named customer, or of samples. Nothing of it is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from shopkeeper.content.customer import Readers, language
from shopkeeper.content.language import Missing, fill, parse
from shopkeeper.content.rendering import MISSING, Form, common
from shopkeeper.content.spec import Spec, spec_of
from shopkeeper.content.types import Body, Letter, Part, Previewed
from shopkeeper.core.settings import Language
from shopkeeper.shop.shop import Shop

SAMPLES: Final[dict[Language, tuple[tuple[str, str], ...]]] = {
    "zh": (("named", "林小满"), ("nameless", "")),
    "en": (("named", "Ann Lee"), ("nameless", "")),
}
"""Readers that nobody is: one with a name, one of whom nothing is known."""
_SLOT: Final = re.compile(r"\$\{(\w+)\}")


def preview(shop: Shop, body: Body, channel: str, customer_id: str) -> Previewed:
    """See the operation of this name.

    Raises:
        NotFound: no such customer.
    """
    values = common(shop, body.item_ids)
    return Previewed(letters=tuple(_letters(shop, body, customer_id, values, spec_of(channel))))


def _letters(
    shop: Shop,
    body: Body,
    customer_id: str,
    values: Mapping[str, str],
    spec: Spec,
) -> Iterator[Letter]:
    label = spec.labels(body.written_by)
    forms = {one: Form(spec, one, part, label.get(one, "")) for one, part in body.parts.items()}
    if customer_id:
        reader = Readers(shop).of([customer_id])[0]
        if reader.language is None and not reader.values:
            shop.people.get(customer_id)  # or say that nobody is
        own = language(reader.language, tuple(body.parts), shop.settings.languages[0])
        told = {**reader.values, **values}
        yield _letter(own, customer_id, body.parts[own], forms[own], told)
        return
    for tongue, part in body.parts.items():
        for name, called in SAMPLES[tongue]:
            told = {**({"customer.name": called} if called else {}), **values}
            yield _letter(tongue, name, part, forms[tongue], told)


def _letter(
    tongue: Language, reader: str, part: Part, form: Form, values: Mapping[str, str]
) -> Letter:
    try:
        content = form.content(values)
        wording = _wording(part, values) if part.template_id or part.variables else ""
    except Missing as missing:
        return Letter(
            language=tongue, reader=reader, content=None, problem=MISSING, detail=missing.name
        )
    return Letter(language=tongue, reader=reader, content=content, wording=wording)


def _wording(part: Part, values: Mapping[str, str]) -> str:
    filled = {
        name: fill(parse(told, name), values, "line") for name, told in part.variables.items()
    }
    return _SLOT.sub(lambda slot: filled.get(slot[1], slot[0]), part.text)
