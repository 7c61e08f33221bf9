"""What a template may say of a customer: their name and traits, never trusted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shopkeeper.core.settings import Language
from shopkeeper.shop.shop import Shop
from shopkeeper.store.consent.purposes import PERSONALISATION
from shopkeeper.store.consent.statements import Status
from shopkeeper.store.customers import Customer

NAME: Final = "customer.name"
_NAMES: Final = ("name", "first_name", "firstName", "full_name", "姓名", "昵称", "nickname")
_LONGEST: Final = 60
# Whoever signs up chooses their name: an address in it would be an advertisement in the shop's own letter.
_LINK: Final = re.compile(
    r"://|\bwww\.|[\w-]\.(?:com|cn|net|org|io|ru|top|xyz|info|co|me|cc|vip|shop|link|app|site)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Reader:
    """One customer as words see them."""

    customer_id: str
    language: str | None
    values: Mapping[str, str]


class Readers:
    """Reads customers a page at a time; who refused to be treated by their profile keeps only a name."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._against = frozenset(shop.consent.against(*PERSONALISATION))

    def of(self, customer_ids: Sequence[str]) -> list[Reader]:
        """The customers in the order of the ids; one that nobody knows has no values."""
        known = self._shop.people.some(customer_ids)
        return [self._reader(one, known.get(one)) for one in customer_ids]

    def _reader(self, customer_id: str, customer: Customer | None) -> Reader:
        if customer is None:
            return Reader(customer_id, None, {})
        values = values_of(customer.traits)
        if customer_id in self._against and self._refuses(customer_id):
            values = {name: value for name, value in values.items() if name == NAME}
        return Reader(customer_id, customer.language, values)

    def _refuses(self, customer_id: str) -> bool:
        said = [
            one
            for one in self._shop.consent.history(customer_id)
            if (one.purpose, one.channel) == PERSONALISATION
        ]
        return bool(said) and said[-1].status != Status.GRANT


def values_of(traits: Mapping[str, str | None]) -> dict[str, str]:
    """The variables that traits fill. What holds a link or is too long for a name fills none."""
    values = {
        f"customer.{name}": str(value).strip()
        for name, value in traits.items()
        if value is not None and usable(str(value))
    }
    name = next((v for n in _NAMES if (v := values.get(f"customer.{n}"))), "")
    values.pop(NAME, None)
    return values | ({NAME: name} if name else {})


def usable(value: str) -> bool:
    """Whether a trait may stand in a letter."""
    return 0 < len(value.strip()) <= _LONGEST and not _LINK.search(value)


def language(told: str | None, known: Sequence[Language], first: Language) -> Language:
    """The language in which somebody reads it: their own, else the shop's first, else what there is."""
    wanted = (told or "").lower()[:2]
    return next((one for one in known if one == wanted), first if first in known else known[0])
