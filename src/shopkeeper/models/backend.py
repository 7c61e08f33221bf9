"""A shop's way to a model: the settings turned into the guards around it."""

from __future__ import annotations

from shopkeeper.language.budgeted import declared
from shopkeeper.language.guard import Rules, guard
from shopkeeper.language.guarded import Guarded, MaySend
from shopkeeper.language.opening import open_backend, price_of
from shopkeeper.language.types import BILLIONTHS, Price, Request
from shopkeeper.shop.shop import Shop
from shopkeeper.store.consent.purposes import MODELS
from shopkeeper.store.consent.statements import Status
from shopkeeper.store.prompts import Prompts
from shopkeeper.store.spending import Caps, Spending
from shopkeeper.trust.personal import Patterns

PURPOSE, CHANNEL = MODELS
"""What a customer grants or refuses: that a model elsewhere is sent their texts, masked."""


def open_model(shop: Shop, spec: str = "") -> Guarded:
    """The shop's model, or the one named ``spec``, behind all its guards. Close it when done.

    Raises:
        UnknownName: there is no such kind of model; says what is near.
        BadInput: a key, a price or a file is missing; says which and where it belongs.
        MissingExtra: it needs a library that is not installed.
    """
    name = spec or shop.settings.model
    declared(name, price_of(name, prices(shop)))  # said before seconds go into loading
    allowed = rules(shop)
    return guard(open_backend(name, prices(shop)), allowed)


def rules(shop: Shop) -> Rules:
    """What the shop's settings let a model do."""
    return Rules(
        cache=Prompts(shop.database),
        ledger=Spending(shop.database),
        caps=caps(shop),
        month=lambda: month(shop),
        may_send=consenting(shop),
        patterns=Patterns(shop.settings.order_numbers),
        window=shop.settings.model_window,
    )


def prices(shop: Shop) -> dict[str, Price]:
    """What models cost, as the owner has written down."""
    return {name: Price(*price) for name, price in shop.settings.model_prices.items()}


def caps(shop: Shop) -> Caps:
    """What models may use in a month."""
    money = round(shop.settings.model_budget * BILLIONTHS)
    return Caps(money, shop.settings.model_tokens or None)


def month(shop: Shop) -> str:
    """The month that it is in the shop, as ``2026-11``."""
    return shop.now().astimezone(shop.settings.zone).strftime("%Y-%m")


def consenting(shop: Shop) -> MaySend:
    """Decides by the customers' consent and restrictions whose texts may leave, as `model_texts` says."""

    def may_send(request: Request) -> bool:
        about = set(request.about)
        if not about:
            return True
        if any(one.customer_id in about for one in shop.restrictions.list()):
            return False
        if shop.settings.model_texts == "granted":
            return shop.consent.allowed(about, PURPOSE, CHANNEL) == about
        return not any(_refused(shop, customer) for customer in about)

    return may_send


def _refused(shop: Shop, customer_id: str) -> bool:
    said = [
        d for d in shop.consent.history(customer_id) if (d.purpose, d.channel) == (PURPOSE, CHANNEL)
    ]
    return bool(said) and said[-1].status != Status.GRANT
