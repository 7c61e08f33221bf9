"""What a customer bought, for how much, how often, and gave back."""

from __future__ import annotations

import narwhals as nw

from shopkeeper.core.events import PURCHASE, REFUND
from shopkeeper.customers.ordinal import ordinal
from shopkeeper.customers.traits.scene import Scene, ratio
from shopkeeper.warehouse.source import Frame

_RECENT = 90


def frames(scene: Scene) -> list[Frame]:
    """Sums over orders; purchases without an order id count once a day, as in RFM."""
    sold = scene.events().filter(nw.col("name") == PURCHASE)
    list_value = nw.col("price") * nw.col("quantity")
    both = ~list_value.is_null() & ~nw.col("value").is_null()
    orders = (
        sold.select(
            "customer_id",
            "day",
            "value",
            "quantity",
            order=nw.coalesce(nw.col("order_id"), nw.col("day").cast(nw.String)),
            listed=nw.when(both).then(list_value),
            charged=nw.when(both).then(nw.col("value")),
        )
        .group_by("customer_id", "order")
        .agg(
            nw.col("day").min(),
            nw.col("value").sum(),
            nw.col("value").count().alias("valued"),
            nw.col("quantity").sum(),
            nw.col("listed").sum(),
            nw.col("charged").sum(),
        )
        .with_columns(
            recent=nw.when(scene.within(_RECENT)).then(nw.lit(1)).otherwise(nw.lit(0)),
            recent_value=nw.when(scene.within(_RECENT)).then(nw.col("value")),
        )
        .group_by("customer_id")
        .agg(
            nw.len().alias("orders"),
            nw.col("day").min().alias("first_order"),
            nw.col("day").max().alias("last_order"),
            nw.col("value").sum().alias("revenue"),
            nw.col("value").max().alias("largest_order"),
            nw.col("valued").sum(),
            nw.col("quantity").sum().alias("units"),
            nw.col("listed").sum(),
            nw.col("charged").sum(),
            nw.col("recent").sum().alias("orders_90"),
            nw.col("recent_value").sum().alias("revenue_90"),
        )
    )
    refunds = (
        scene.events()
        .filter(nw.col("name") == REFUND)
        .group_by("customer_id")
        .agg(nw.col("value").sum().alias("refunds"), nw.len().alias("refund_lines"))
    )
    return [orders, refunds]


def steps(scene: Scene) -> dict[str, nw.Expr]:
    """What several traits are made of; money is null where no purchase carries a value."""
    zero = nw.lit(0.0)
    priced = (nw.col("valued") > 0) | nw.col("orders").is_null()
    span = ordinal(nw.col("last_order")) - ordinal(nw.col("first_order"))
    return {
        "order_since": nw.lit(scene.as_of.toordinal()) - ordinal(nw.col("last_order")),
        "order_gap": ratio(span, nw.col("orders") - 1),
        "priced": priced,
        "earned": nw.when(priced).then(nw.coalesce(nw.col("revenue"), zero)),
        "given_back": nw.coalesce(nw.col("refunds"), zero),
    }


def columns(scene: Scene) -> dict[str, nw.Expr]:  # noqa: ARG001 - as every family
    """The traits."""
    none, zero = nw.lit(0), nw.lit(0.0)
    orders = nw.coalesce(nw.col("orders"), none)
    since, gap = nw.col("order_since"), nw.col("order_gap")
    revenue, refunds = nw.col("earned"), nw.col("given_back")
    # Many orders within a day or two are one errand: overdue is counted in days at least.
    usual = nw.when((gap > 0) & (gap < 1)).then(nw.lit(1.0)).otherwise(gap)
    return {
        "orders": orders,
        "orders_90": nw.coalesce(nw.col("orders_90"), none),
        "first_order": nw.col("first_order"),
        "last_order": nw.col("last_order"),
        "days_since_order": since,
        "revenue": revenue,
        "revenue_90": nw.when(nw.col("priced")).then(nw.coalesce(nw.col("revenue_90"), zero)),
        "net_revenue": revenue - refunds,
        "average_order": nw.when(nw.col("valued") > 0).then(
            ratio(nw.col("revenue"), nw.col("orders"))
        ),
        "largest_order": nw.col("largest_order"),
        "units_an_order": ratio(nw.col("units"), nw.col("orders")),
        "days_between_orders": gap,
        "overdue": ratio(since, usual),
        "refunds": refunds,
        "refund_share": ratio(refunds, revenue),
        "discount_share": 1 - ratio(nw.col("charged"), nw.col("listed")),
    }
