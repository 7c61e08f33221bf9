"""Which models there are."""

from __future__ import annotations

from collections import defaultdict

from shopkeeper.core.errors import ShopkeeperError
from shopkeeper.language.backends.base import Ready
from shopkeeper.language.opening import kinds, price_of, ready
from shopkeeper.language.types import Price
from shopkeeper.models.backend import month, prices
from shopkeeper.models.types import Model, ModelList
from shopkeeper.shop.shop import Shop
from shopkeeper.store.spending import Line, Spending


def listed(shop: Shop) -> ModelList:
    """The shop's own, those with a price, those that answered this month, then each kind."""
    used: dict[str, list[Line]] = defaultdict(list)
    for line in Spending(shop.database).of(month(shop)):
        used[line.model].append(line)
    default = shop.settings.model
    priced = prices(shop)
    names = [default, *(f"openai:{name}" for name in priced), *used, *kinds()]
    models = [
        _model(name, name == default, priced, used.get(name, [])) for name in dict.fromkeys(names)
    ]
    return ModelList(models=tuple(models), currency=shop.settings.currency, month=month(shop))


def _model(name: str, default: bool, priced: dict[str, Price], lines: list[Line]) -> Model:
    price, found = None, Ready(False, "")
    try:
        found = ready(name)
        price = price_of(name, priced)
    except ShopkeeperError as error:  # a row of the list says what is wrong with it
        found = Ready(False, found.says or str(error))
    return Model(
        name=name,
        default=default,
        ready=found.ok,
        says=found.says,
        sent=price.sent if price else None,
        written=price.written if price else None,
        calls=sum(line.calls for line in lines),
        last_at=max((line.last_at for line in lines), default=None),
    )
