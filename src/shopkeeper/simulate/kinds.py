"""The kinds of happenings that a scenario may plant: their targets, their sizes, what they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ITEMS: Final = ("item", "category", "brand")
PEOPLE: Final = ("country", "language", "device", "channel")


@dataclass(frozen=True)
class Kind:
    """One kind: ``size`` lies within ``low`` and ``high``; ``metric`` × or + it says what shows.

    ``needs`` are targets of which a happening must give at least one; ``extras`` are further keys.
    """

    name: str
    size: str
    low: float
    high: float
    targets: tuple[str, ...]
    does: str
    metric: str
    needs: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    default: float | None = None
    reverts: bool = True


_ALL = (
    Kind(
        "price_rise",
        "share by which the price goes up: 0.2 is 20 %",
        0.01,
        3.0,
        ITEMS,
        "Prices go up; customers put the items into the cart less often, by their price sensitivity.",
        "price of the items × (1 + size)",
        needs=ITEMS,
    ),
    Kind(
        "price_cut",
        "share by which the price goes down: 0.2 is 20 %",
        0.01,
        0.8,
        ITEMS,
        "Prices go down; customers put the items into the cart more often.",
        "price of the items × (1 - size)",
        needs=ITEMS,
    ),
    Kind(
        "stock_out",
        "share of carts that the missing stock prevents; 1 is all",
        0.1,
        1.0,
        ITEMS,
        "The items can be seen but hardly put into the cart; lists show them less.",
        "units sold of the items × (1 - size)",
        needs=ITEMS,
        default=1.0,
    ),
    Kind(
        "quality_defect",
        "added share of lines that come back: 0.3 is 30 points more",
        0.02,
        0.9,
        ITEMS,
        "What is sold in these days has a fault: returns, and reviews and chats that name the aspect.",
        "return rate of lines bought in the window + size",
        needs=ITEMS,
        extras=("aspect",),
    ),
    Kind(
        "delivery_delay",
        "days that a delivery takes longer",
        0.5,
        60.0,
        ("country",),
        "Orders of these days arrive late; customers ask where they are and complain.",
        "days from order to delivery + size",
    ),
    Kind(
        "campaign",
        "added share of visits in the segment: 0.5 is half as many again",
        0.05,
        10.0,
        ("country", "language", "device", "category"),
        "Customers of the segment visit more; the added visits carry the campaign's id and channel.",
        "visits of signed-up customers in the segment × (1 + size)",
        extras=("channel", "discount", "name"),
    ),
    Kind(
        "competitor",
        "share of visits lost",
        0.05,
        0.95,
        ("category", "country", "language"),
        "Another shop takes visits away.",
        "visits in the segment × (1 - size)",
        needs=("category", "country", "language"),
        extras=("name",),
    ),
    Kind(
        "tracking_outage",
        "share of events that are not recorded",
        0.05,
        1.0,
        (*PEOPLE,),
        "The browser's events are lost; purchases and refunds come from the server and stay, unless "
        "`events` names them.",
        "recorded events of these names × (1 - size)",
        extras=("events",),
        default=1.0,
    ),
    Kind(
        "bot_traffic",
        "added views, as a share of the day's usual views: 1 is as many again",
        0.05,
        20.0,
        ("country",),
        "Machines view items page after page, with new visitor ids, and never buy.",
        "view_item + size × the usual number",
    ),
    Kind(
        "site_slowdown",
        "share of visits that leave before they see an item",
        0.05,
        0.95,
        PEOPLE,
        "Pages load slowly and visitors give up.",
        "visits with a view_item × (1 - size)",
    ),
    Kind(
        "checkout_bug",
        "share of checkouts that fail",
        0.05,
        1.0,
        PEOPLE,
        "The last step of the checkout fails.",
        "purchases per begin_checkout × (1 - size)",
    ),
    Kind(
        "experiment",
        "how much more often a checkout ends in an order for the treated half: 0.1 is 10 % more",
        0.01,
        0.15,
        (),
        "Each customer is in one of two halves by a hash. At a checkout they are shown their variant, which "
        "is recorded as experiment_viewed; the treated order more often.",
        "orders per checkout of the treatment × (1 + size)",
        extras=("name",),
    ),
    Kind(
        "viral",
        "added views of the items, as a multiple of their usual views: 5 is six times as many",
        0.5,
        100.0,
        ("item", "brand"),
        "New visitors and customers come from social media for these items.",
        "view_item of the items × (1 + size)",
        needs=("item", "brand"),
        extras=("country", "language"),
    ),
    Kind(
        "new_launch",
        "how much better than its usual rank the item is shown and liked: 1 is e times",
        0.0,
        5.0,
        ("item",),
        "The item is offered from the first day on, and pushed until the last. `upcoming` items of the "
        "catalogue are meant for it: they are not sold otherwise. Any other item disappears from the "
        "time before.",
        "no event of the item before the start, many after it",
        needs=("item",),
        default=1.0,
        reverts=False,
    ),
    Kind(
        "churn_wave",
        "share of the segment's customers who leave for good in the window",
        0.02,
        0.95,
        ("country", "language", "device", "category"),
        "Customers drop out without a last order.",
        "customers still active × (1 - size)",
    ),
)

KINDS: Final[dict[str, Kind]] = {kind.name: kind for kind in _ALL}
