"""Event names in GA4's snake case, what each is for, and the names that others use for them."""

from __future__ import annotations

import re
from typing import Final

VIEW_ITEM: Final = "view_item"
VIEW_ITEM_LIST: Final = "view_item_list"
SELECT_ITEM: Final = "select_item"
SEARCH: Final = "search"
ADD_TO_CART: Final = "add_to_cart"
REMOVE_FROM_CART: Final = "remove_from_cart"
VIEW_CART: Final = "view_cart"
ADD_TO_WISHLIST: Final = "add_to_wishlist"
BEGIN_CHECKOUT: Final = "begin_checkout"
ADD_SHIPPING_INFO: Final = "add_shipping_info"
ADD_PAYMENT_INFO: Final = "add_payment_info"
PURCHASE: Final = "purchase"
REFUND: Final = "refund"
VIEW_PROMOTION: Final = "view_promotion"
SELECT_PROMOTION: Final = "select_promotion"
PAGE_VIEW: Final = "page_view"
SCREEN_VIEW: Final = "screen_view"
REVIEW: Final = "review"
IMPRESSION: Final = "impression"
STOCK_ADJUSTMENT: Final = "stock_adjustment"
IDENTIFY: Final = "identify"
GROUP: Final = "group"
ALIAS: Final = "alias"
EXPERIMENT_VIEWED: Final = "experiment_viewed"
"""Somebody saw a variant: Segment's Experiment Viewed. With experiment_id, variant_id and propensity."""

ORDER_DELIVERED: Final = "order_delivered"

CHANNELS: Final = ("email", "sms", "wechat", "push", "webhook", "file")
"""Ways by which messages reach customers; what comes of one is the event ``<channel>_<report>``."""
REPORTS: Final = (
    "sent", "delivered", "deferred", "bounced", "complained", "opened", "clicked", "unsubscribed",
)  # fmt: skip
PASSIVE: Final = frozenset(
    {EXPERIMENT_VIEWED, ORDER_DELIVERED, STOCK_ADJUSTMENT}
    | {f"{channel}_{report}" for channel in CHANNELS for report in REPORTS}
)
"""What happened to a customer, or by mail alone: nobody is active, or was seen, by such an event."""

MONEY: Final = frozenset({PURCHASE, REFUND})
"""Names whose value counts as revenue: a browser key may not send them."""

ROBOT_EVENTS: Final = 1000
ROBOT_EVENTS_A_DAY: Final = 300
"""An account with as many events, on average on as many a day, and no order is taken for a robot."""

FUNNEL: Final = (VIEW_ITEM, ADD_TO_CART, BEGIN_CHECKOUT, PURCHASE)
"""The steps of the shop's standard funnel, in order."""

ALIASES: Final[dict[str, str]] = {
    "products searched": SEARCH,
    "product list viewed": VIEW_ITEM_LIST,
    "product list filtered": VIEW_ITEM_LIST,
    "promotion viewed": VIEW_PROMOTION,
    "promotion clicked": SELECT_PROMOTION,
    "product clicked": SELECT_ITEM,
    "product viewed": VIEW_ITEM,
    "product added": ADD_TO_CART,
    "product removed": REMOVE_FROM_CART,
    "cart viewed": VIEW_CART,
    "checkout started": BEGIN_CHECKOUT,
    "checkout step viewed": "view_checkout_step",
    "checkout step completed": "complete_checkout_step",
    "payment info entered": ADD_PAYMENT_INFO,
    "order completed": PURCHASE,
    "order updated": "update_order",
    "order refunded": REFUND,
    "order cancelled": "cancel_order",
    "coupon entered": "enter_coupon",
    "coupon applied": "apply_coupon",
    "coupon denied": "deny_coupon",
    "coupon removed": "remove_coupon",
    "product added to wishlist": ADD_TO_WISHLIST,
    "product removed from wishlist": "remove_from_wishlist",
    "wishlist product added to cart": ADD_TO_CART,
    "product shared": "share",
    "product reviewed": REVIEW,
    "email delivered": "email_delivered",
    "email opened": "email_opened",
    "email link clicked": "email_clicked",
    "email bounced": "email_bounced",
    "email marked as spam": "email_complained",
    "unsubscribed": "email_unsubscribed",
    "view": VIEW_ITEM,
    "cart": ADD_TO_CART,
    "addtocart": ADD_TO_CART,
    "buy": PURCHASE,
    "transaction": PURCHASE,
    "pv": VIEW_ITEM,
    "fav": ADD_TO_WISHLIST,
    "favorite": ADD_TO_WISHLIST,
    "浏览": VIEW_ITEM,
    "点击": VIEW_ITEM,
    "加购": ADD_TO_CART,
    "加入购物车": ADD_TO_CART,
    "收藏": ADD_TO_WISHLIST,
    "搜索": SEARCH,
    "下单": PURCHASE,
    "购买": PURCHASE,
    "付款": PURCHASE,
    "支付": PURCHASE,
    "退款": REFUND,
    "退货": REFUND,
}
"""Names of other systems (Segment's commerce spec v2, common data sets), lower case, to ours."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OTHER = re.compile(r"[^0-9a-z\u3400-\u9fff]+")


def canonical(name: str) -> str:
    """Our name of an event: an alias resolved, otherwise the given name in snake case.

    >>> canonical("Order Completed"), canonical("viewItem"), canonical("Signed  Up")
    ('purchase', 'view_item', 'signed_up')
    """
    words = _CAMEL.sub(" ", name.strip()).lower()
    words = " ".join(words.replace("_", " ").replace("-", " ").split())
    return ALIASES.get(words) or _OTHER.sub("_", words).strip("_")
