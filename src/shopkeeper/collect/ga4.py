"""A row of GA4's BigQuery export as a call: parameters, goods, money, where the visit came from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from shopkeeper.collect.accept import moment
from shopkeeper.collect.calls import numbered
from shopkeeper.collect.fields import Fault, amount, flatten, identifier
from shopkeeper.core.text import digest

_NOTHING = frozenset({"(not set)", "(none)", "", "(not provided)", "(data deleted)"})
_KINDS = ("string_value", "int_value", "double_value", "float_value")
_PLACE = ("batch_page_id", "batch_ordering_id", "batch_event_index")
"""What tells events of one visitor at one moment apart; exports hold them since 2024."""
_ITEM = {"item_name": "name", "item_brand": "brand", "item_variant": "variant", "coupon": "coupon",
         "affiliation": "affiliation", "item_list_id": "list_id", "item_list_name": "list_name",
         "item_list_index": "position", "promotion_id": "promotion_id",
         "promotion_name": "promotion_name", "location_id": "location_id"}  # fmt: skip
_CATEGORIES = (
    "item_category",
    "item_category2",
    "item_category3",
    "item_category4",
    "item_category5",
)
_CAMPAIGN = {"manual_campaign_id": "id", "manual_campaign_name": "name", "manual_content": "content",
             "manual_medium": "medium", "manual_source": "source"}  # fmt: skip
_TOLD = {"campaign_id": "id", "campaign": "name", "content": "content", "medium": "medium",
         "source": "source"}  # fmt: skip
_OURS = frozenset(
    {"products", "items", "ecommerce", "user_id", "propensity", "experiment_id", "variant_id", "channel",
     "discount", "total", "subtotal", "revenue", "sku", "order_id", "item_id", "price", "quantity", "cost"}
)  # fmt: skip
"""Parameters whose names mean something else with us: kept with ``param_`` before them."""

Call = dict[str, Any]


def call(event: object, made: Counter[str]) -> Call:
    """The event as a Segment ``track`` call. ``made`` counts the ids made of content so far.

    Raises:
        Fault: a field that cannot be taken, by GA4's own name.
    """
    if not isinstance(event, Mapping):
        raise Fault("(row)", "is not an object", "Export the table events_… as JSON lines.")
    name = event.get("event_name")
    if not isinstance(name, str) or not name.strip():
        raise Fault("event_name", "is missing", "Export the table events_… as JSON lines.")
    told = _parameters(event.get("event_params"), "event_params")
    visitor = _given(identifier(event.get("user_pseudo_id"), "user_pseudo_id"))
    out: Call = {
        "type": "track",
        "event": name,
        "messageId": _id(event, made),
        "timestamp": _moment(event.get("event_timestamp")),
        "userId": _given(identifier(event.get("user_id"), "user_id")),
        "anonymousId": visitor,
        "properties": _properties(event, told, visitor),
    }
    campaign = _campaign(event, told)
    if campaign:
        out["context"] = {"campaign": campaign}
    return out


def _moment(value: object) -> str:
    """ISO 8601 of what GA4 writes in microseconds since 1970, as a number or as text."""
    text = "" if isinstance(value, bool) else str(value)
    if not re.fullmatch(r"\d{15,16}", text):
        raise Fault(
            "event_timestamp", f"{text[:40]!r} is no count of microseconds since 1970",
            "Export the table as it is: 1767614400000000.",
        )  # fmt: skip
    return moment(int(text)).isoformat()


def _id(event: Mapping[str, Any], made: Counter[str]) -> str:
    place = [event.get(name) for name in _PLACE]
    if any(part is None for part in place):
        return numbered("ga4", event, made)
    names = (
        "user_pseudo_id",
        "event_timestamp",
        "event_name",
        "event_bundle_sequence_id",
        "stream_id",
    )
    return "ga4/" + digest(*(str(part) for part in (*(event.get(n) for n in names), *place)))


def _given(value: Any) -> Any:
    return None if value is None or (isinstance(value, str) and value in _NOTHING) else value


def _parameters(listed: object, field: str) -> dict[str, Any]:
    """``event_params``: a list of {key, value {string_value, int_value …}}."""
    if listed is None:
        return {}
    if not isinstance(listed, list):
        raise Fault(field, "is not a list", "Export the table as JSON lines, not flattened.")
    found: dict[str, Any] = {}
    for index, one in enumerate(listed):
        value = one.get("value") if isinstance(one, Mapping) else None
        if not isinstance(one, Mapping) or not isinstance(one.get("key"), str):
            raise Fault(f"{field}[{index}]", "is not {key, value}", "Export the table as it is.")
        if isinstance(value, Mapping):
            value = next((value[k] for k in _KINDS if value.get(k) is not None), None)
        if _given(value) is not None:
            found[one["key"]] = value
    return found


def _inside(event: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = event.get(name)
    if found is None:
        return {}
    if not isinstance(found, Mapping):
        raise Fault(name, "is not an object", "Export the table as JSON lines, not flattened.")
    return found


def _properties(event: Mapping[str, Any], told: Mapping[str, Any], visitor: object) -> Call:
    out: Call = {}
    for key, value in told.items():
        if key == "ga_session_id":
            # A session's number is the second it began: only with the visitor is it one visit.
            out["session_id"] = f"{visitor}.{value}" if visitor else str(value)
        elif key not in _TOLD:  # those say where the visit came from: see _campaign
            out[f"param_{key}" if key in _OURS else key] = _bare(value)
    device, geo = _inside(event, "device"), _inside(event, "geo")
    seen = {
        "device": device.get("category"), "os": device.get("operating_system"),
        "language": device.get("language"), "country": geo.get("country"), "city": geo.get("city"),
        "platform": event.get("platform"),
    }  # fmt: skip
    out |= {key: value for key, value in seen.items() if _given(value) is not None}
    products = list(_products(event.get("items")))
    if products:
        out["products"] = products
    return out | _money(event)


def _bare(value: Any) -> Any:
    """An address without its query, which may carry names and tokens."""
    if isinstance(value, str) and value[:8].lower().startswith(("http://", "https://")):
        try:
            parts = urlsplit(value)
        except ValueError:
            return value.partition("?")[0][:2048]
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"[:2048]
    return value


def _money(event: Mapping[str, Any]) -> Call:
    told = _inside(event, "ecommerce")
    name = event.get("event_name")
    found = {
        "order_id": _given(told.get("transaction_id")),
        "tax": _number(told, "tax_value"),
        "shipping": _number(told, "shipping_value"),
    }
    field = "refund_value" if name == "refund" else "purchase_revenue"
    if name in ("purchase", "refund"):
        found["revenue"] = _number(told, field)  # counts where neither a value nor prices do
    return {key: value for key, value in found.items() if value is not None}


def _number(values: Mapping[str, Any], name: str) -> float | None:
    return amount(values.get(name), name if name.startswith("item") else f"ecommerce.{name}")


def _products(items: object) -> Iterator[Call]:
    if items is None:
        return
    if not isinstance(items, list):
        raise Fault("items", "is not a list", "Export the table as JSON lines, not flattened.")
    for index, item in enumerate(items):
        if not isinstance(item, Mapping):
            raise Fault(f"items[{index}]", "is not an object", "Export the table as it is.")
        yield _product(item, f"items[{index}]")


def _product(item: Mapping[str, Any], field: str) -> Call:
    out: Call = {
        ours: item[theirs] for theirs, ours in _ITEM.items() if _given(item.get(theirs)) is not None
    }
    out["product_id"] = _given(item.get("item_id")) or _given(item.get("item_name"))
    if out["product_id"] is None:
        raise Fault(f"{field}.item_id", "is missing, and so is item_name", "GA4 asks for one.")
    path = [str(item[name]) for name in _CATEGORIES if _given(item.get(name)) is not None]
    if path:
        out["category"] = " > ".join(path)
    for name in ("price", "quantity"):
        if item.get(name) is not None:
            out[name] = item[name]
    told = _parameters(item.get("item_params"), f"{field}.item_params")
    for key, value in flatten(told, f"{field}.item_params").items():
        out.setdefault(f"param_{key}", value)
    return out


def _campaign(event: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, str]:
    """The campaign of this event; ``traffic_source`` is that of the visitor's first visit, and not used."""
    collected = _inside(event, "collected_traffic_source")
    found = {ours: _given(collected.get(theirs)) for theirs, ours in _CAMPAIGN.items()}
    for theirs, ours in _TOLD.items():
        found[ours] = found.get(ours) or _given(told.get(theirs))
    return {key: str(value)[:200] for key, value in found.items() if value is not None}
