"""What a customer likes: category, brand and price band, by purchases of a year and looks of 90 days."""

from __future__ import annotations

import narwhals as nw

from shopkeeper.core.events import ADD_TO_CART, PURCHASE, VIEW_ITEM
from shopkeeper.customers.traits.scene import Scene, favourite, goods, ratio
from shopkeeper.warehouse.source import Frame

OPTIONAL = True
_BOUGHT, _LOOKED = 365, 90
_POINTS = {VIEW_ITEM: 1, ADD_TO_CART: 3, PURCHASE: 5}
_LOW, _HIGH = 0.8, 1.25
"""Prices paid, against the mean of the item's category."""


def frames(scene: Scene) -> list[Frame]:
    """Favourites by points (a view 1, a cart 3, a purchase 5), and how dear what they bought was."""
    name = nw.col("name")
    carts = nw.when(name == ADD_TO_CART).then(nw.lit(_POINTS[ADD_TO_CART])).otherwise(nw.lit(1))
    points = nw.when(name == PURCHASE).then(nw.lit(_POINTS[PURCHASE])).otherwise(carts)
    recent = (name == PURCHASE) | scene.within(_LOOKED)
    by_item = (
        scene.events(_BOUGHT)
        .filter(name.is_in(list(_POINTS)), recent, ~nw.col("item_id").is_null())
        .select("customer_id", "item_id", points=points)
        .group_by("customer_id", "item_id")
        .agg(nw.col("points").sum())
    )
    liked = by_item.join(goods(scene), on="item_id", how="inner")
    paid = (
        scene.events(_BOUGHT)
        .filter(name == PURCHASE, nw.col("price") > 0)
        .select("customer_id", "item_id", "price")
        .join(goods(scene), on="item_id", how="inner")
        .filter(nw.col("usual_price") > 0)
        .select("customer_id", level=ratio(nw.col("price"), nw.col("usual_price")))
        .group_by("customer_id")
        .agg(nw.col("level").mean().alias("price_level"))
    )
    return [
        favourite(liked, "category", "points", "favourite_category"),
        favourite(liked, "brand", "points", "favourite_brand"),
        paid,
    ]


def columns(scene: Scene) -> dict[str, nw.Expr]:  # noqa: ARG001 - as every family
    """The traits."""
    level = nw.col("price_level")
    band = nw.when(level > _HIGH).then(nw.lit("high")).otherwise(nw.lit("middle"))
    return {
        "favourite_category": nw.col("favourite_category"),
        "favourite_brand": nw.col("favourite_brand"),
        "price_level": level,
        "price_band": nw.when(~level.is_null()).then(
            nw.when(level < _LOW).then(nw.lit("low")).otherwise(band)
        ),
    }
