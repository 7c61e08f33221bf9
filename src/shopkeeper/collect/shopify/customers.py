"""A customer as the shop keeps one: what is needed to count and to reach them, not where they live."""

from __future__ import annotations

from collections.abc import Mapping as Named

from shopkeeper.collect.fields import Fault
from shopkeeper.collect.mapping import Mapping
from shopkeeper.collect.objects import short
from shopkeeper.collect.shopify.spelling import Object, first, inside, needed

_TRAITS = ("email", "phone", "state", "tags", "email_marketing")
MAPPING = Mapping(
    name="shopify-customers",
    target="customers",
    columns={n: n for n in ("customer_id", "first_seen", "language", "country")},
    extra=_TRAITS,
)


def flat(customer: object) -> dict[str, str | None]:
    """The customer's columns as text; names and addresses are left out.

    Raises:
        Fault: a field that cannot be taken.
    """
    if not isinstance(customer, Named):
        raise Fault("(row)", "is not an object", "Export customers as JSON.")
    address = inside(customer, "default_address", "defaultAddress")
    tags = first(customer, "tags")
    locale = _text(customer, "locale")
    return {
        "customer_id": needed(customer, "customer"),
        "first_seen": _text(customer, "created_at", "createdAt"),
        "language": locale[:2].lower() if locale else None,
        "country": _text(address, "country_code", "countryCodeV2", "countryCode"),
        "email": _text(customer, "email")
        or _text(inside(customer, "defaultEmailAddress"), "emailAddress"),
        "phone": _text(customer, "phone")
        or _text(inside(customer, "defaultPhoneNumber"), "phoneNumber"),
        "state": (_text(customer, "state") or "").lower() or None,
        "tags": short(
            ", ".join(map(str, tags)) if isinstance(tags, list) else _text(customer, "tags")
        ),
        "email_marketing": _consent(customer),
    }


def _consent(customer: Object) -> str | None:
    told = inside(customer, "email_marketing_consent", "emailMarketingConsent",
                  "defaultEmailAddress")  # fmt: skip
    found = first(told, "state", "marketingState", "marketing_state")
    if found is None and isinstance(customer.get("accepts_marketing"), bool):
        return "subscribed" if customer["accepts_marketing"] else "not_subscribed"
    return str(found).lower() if isinstance(found, str) else None


def _text(body: Object, name: str, *others: str) -> str | None:
    found = first(body, name, *others)
    if found is None or isinstance(found, str):
        return found
    raise Fault(name, "is not a text", "Export it again.")
