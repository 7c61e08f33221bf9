"""The clusters that were found, as a map with names and reasons."""

from __future__ import annotations

import json
from typing import Any, Final

import narwhals as nw

from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay
from shopkeeper.customers.clusters.naming import name, reasons
from shopkeeper.customers.types import Cluster, ClusterMap, Dot
from shopkeeper.shop.shop import Shop
from shopkeeper.store.models import Model, Models

_DOTS: Final = 600
_NOTHING = CannotSay(
    reason="Nobody has looked for clusters yet.",
    needed="a run: shopkeeper customers cluster",
    code="no_run",
)


def model_of(shop: Shop, by: str) -> Model | None:
    """What the newest run found."""
    return Models(shop.database).current(f"customers.clusters.{by}")


def shown(shop: Shop, by: str, lang: Language) -> ClusterMap:
    """The clusters by size, and some customers as dots: those near each other are alike."""
    model = model_of(shop, by)
    if model is None:
        return ClusterMap(by=by, missing=_NOTHING)
    card = model.card
    clusters = sorted((_cluster(by, one, card, lang) for one in card["clusters"]), key=_order)
    return ClusterMap(
        by=by,
        version=model.version,
        customers=card.get("customers", 0),
        stability=card.get("stability"),
        clusters=tuple(clusters),
        dots=_dots(shop, by) if clusters else (),
        missing=CannotSay.model_validate(card["missing"]) if "missing" in card else None,
    )


def _cluster(by: str, one: dict[str, Any], card: Any, lang: Language) -> Cluster:
    told = [(column, apart) for column, apart in one["told"]]
    return Cluster(
        id=f"C{one['id']}",
        name=name(by, told, lang),
        customers=one["size"],
        share=one["size"] / max(1, card["customers"]),
        reasons=reasons(by, told, one["means"], lang),
    )


def _order(one: Cluster) -> tuple[int, str]:
    return -one.customers, one.id


def _dots(shop: Shop, by: str) -> tuple[Dot, ...]:
    """At most 600 customers, drawn evenly by id."""
    rows = shop.query(
        lambda source: (
            source.scores()
            .filter(nw.col("prediction") == f"cluster_{by}", nw.col("valid_to").is_null())
            .select("customer_id", "value", "reasons")
            .with_columns(
                place=nw.col("customer_id").rank("ordinal"), every=(nw.len() // _DOTS) + 1
            )
            .filter(nw.col("place") % nw.col("every") == 0)
            .select("customer_id", "value", "reasons")
        )
    ).to_pylist()
    found = []
    for row in sorted(rows, key=lambda one: str(one["customer_id"])):
        place = json.loads(row["reasons"])
        found.append(
            Dot(
                customer_id=row["customer_id"],
                cluster=f"C{row['value']:.0f}",
                x=place["x"],
                y=place["y"],
            )
        )
    return tuple(found)
