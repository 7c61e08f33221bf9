"""Letters for customers out of an approved version: filled in, labelled, only while its facts hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shopkeeper.content.approved import approved
from shopkeeper.content.customer import Reader, Readers, language
from shopkeeper.content.facts import altered, item_variables, known, unavailable
from shopkeeper.content.language import Missing, Piece, Place, fill, parse
from shopkeeper.content.layout import page as laid_out
from shopkeeper.content.spec import Spec, spec_of
from shopkeeper.content.types import Altered, Fact, Part, Version
from shopkeeper.core.settings import Language
from shopkeeper.shop.shop import Shop
from shopkeeper.store.batches import batches

__all__ = ["Rendered", "approved", "letters", "still_true"]

_PAGE: Final = 2_000
MISSING, CHANGED, GONE = "missing_variable", "fact_changed", "out_of_stock"
PLACES: Final[dict[str, Place]] = {"subject": "line", "text": "text", "html": "html"}


@dataclass(frozen=True, slots=True)
class Rendered:
    """One customer's letter, or why there is none.

    ``content`` is what ``contact`` takes; None where ``problem`` says why: ``missing_variable``,
    ``fact_changed`` or ``out_of_stock``, with the variable, or the item and the two values, in ``detail``.
    """

    customer_id: str
    content: Mapping[str, Any] | None
    problem: str = ""
    detail: str = ""
    language: str = ""
    facts: tuple[Fact, ...] = ()


def letters(shop: Shop, version: Version, customer_ids: Sequence[str]) -> Iterator[Rendered]:
    """The letters of these customers, in their order; facts are looked at again for every 2,000."""
    spec, label = spec_of(version.channel), version.label
    forms = {one: Form(spec, one, part, label.get(one, "")) for one, part in version.parts.items()}
    first, readers = shop.settings.languages[0], Readers(shop)
    for page in batches(customer_ids, _PAGE):
        problem, detail = _wrong(shop, version)
        values = common(shop, version.item_ids)
        for reader in readers.of(page):
            tongue = language(reader.language, tuple(forms), first)
            if problem:
                yield Rendered(reader.customer_id, None, problem, detail, tongue, version.facts)
            else:
                yield _letter(reader, forms[tongue], values, tongue, version.facts)


def still_true(shop: Shop, facts: Iterable[Fact]) -> Altered | None:
    """The first of these facts that no longer holds, with what does; None: all hold."""
    told = tuple(facts)
    return altered(known(shop, [one.item_id for one in told]), told)


def common(shop: Shop, item_ids: Sequence[str]) -> dict[str, str]:
    """The variables that are the same for everybody."""
    values = item_variables(known(shop, item_ids), item_ids)
    return values | {"shop.name": shop.settings.name}


class Form:
    """One language of a version, read once and filled for many."""

    def __init__(self, spec: Spec, lang: Language, part: Part, label: str) -> None:
        self._lang = lang
        self._laid_out = spec.page and bool(part.text) and not part.html
        self._part = part
        self._label = label
        self._pieces: dict[str, tuple[Piece, ...]] = {
            name: parse(getattr(part, name), name) for name in PLACES if getattr(part, name)
        }
        self._variables = {name: parse(told, name) for name, told in part.variables.items()}

    def content(self, values: Mapping[str, str]) -> dict[str, Any]:
        """What `contact` takes: words, or a provider's template with its variables.

        A page that nobody wrote is laid out from the text, where the channel takes one.

        Raises:
            Missing: a variable has neither value nor fall-back.
        """
        if self._part.template_id:
            filled = {name: fill(told, values, "line") for name, told in self._variables.items()}
            return {"template_id": self._part.template_id, "variables": filled}
        told = {name: fill(one, values, PLACES[name]) for name, one in self._pieces.items()}
        if "subject" in told:
            told["subject"] = " ".join(told["subject"].split())
        if not self._laid_out:
            return labelled(told, self._label)
        words = (told.get("subject", ""), told["text"])
        made = laid_out(self._lang, values.get("shop.name", ""), words, self._label)
        return {**labelled(told, self._label), "html": made}


def labelled(told: dict[str, str], label: str) -> dict[str, str]:
    """The words with the label behind them."""
    if label and "text" in told:
        told["text"] = f"{told['text'].rstrip()}\n\n{label}\n"
    if label and "html" in told:
        mark, page = f"<p><small>{label}</small></p>", told["html"]
        end = page.lower().rfind("</body")
        told["html"] = page + mark if end < 0 else page[:end] + mark + page[end:]
    return told


def _wrong(shop: Shop, version: Version) -> tuple[str, str]:
    gone = unavailable(shop, version.item_ids, shop.now())
    if gone:
        return GONE, gone
    changed = still_true(shop, version.facts)
    if changed is None:
        return "", ""
    now = "nothing" if changed.now is None else changed.now
    return CHANGED, f"{changed.item_id} {changed.name}: approved {changed.value}, now {now}"


def _letter(
    reader: Reader,
    form: Form,
    values: Mapping[str, str],
    tongue: Language,
    facts: tuple[Fact, ...],
) -> Rendered:
    try:
        content = form.content({**reader.values, **values})
    except Missing as missing:
        return Rendered(reader.customer_id, None, MISSING, missing.name, tongue, facts)
    return Rendered(reader.customer_id, content, "", "", tongue, facts)
