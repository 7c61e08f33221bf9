"""What follows an order: delivery, returns, reviews and chats, on later days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shopkeeper.core import events as names
from shopkeeper.simulate.calendar import DAY_US
from shopkeeper.simulate.chance import stream
from shopkeeper.simulate.effects import Today, touches
from shopkeeper.simulate.lands import COUNTRIES
from shopkeeper.simulate.opinions import opinions
from shopkeeper.simulate.plans import CHAT, INTENTS, PLAN, REVIEW, Plans
from shopkeeper.simulate.rows import (
    DELIVERY,
    ORDER_DELIVERED,
    RATING,
    REASON,
    REASONS,
    Rows,
    blank,
    money,
)
from shopkeeper.simulate.setting import Setting
from shopkeeper.simulate.walk import Lines

_HOUR: Final = 3_600_000_000
_USUAL = np.array([one.delivery for one in COUNTRIES.values()])
_LATE_CHAT = 0.06  # chance per day of lateness to ask where the parcel is
_RETURN_CHAT = 0.45


@dataclass
class Fate:
    """Per order line: when it arrived, how late, whether it is faulty, and whether it goes back."""

    days: NDArray[np.int64]
    late: NDArray[np.int64]
    delivered: NDArray[np.int64]
    affected: NDArray[np.bool_]
    returned: NDArray[np.bool_]
    opened: NDArray[np.int64]


def aftermath(
    setting: Setting, today: Today, lines: Lines, number: int
) -> tuple[list[Rows], list[Plans]]:
    """Rows and plans for texts that come later, from the lines of one day."""
    random = stream(setting.seed, "aftermath", number)
    fate = _fate(setting, today, lines, number, random)
    refunds = _refunds(setting, lines, fate, random)
    plans = _plans(setting, today, lines, fate)
    reviews, rows = _reviews(setting, lines, fate, plans, random)
    chats = _chats(setting, lines, fate, plans, random)
    return [_deliveries(lines, fate), refunds, rows], [reviews, chats]


def _fate(
    setting: Setting, today: Today, lines: Lines, number: int, random: np.random.Generator
) -> Fate:
    orders, first, order = np.unique(lines.session, return_index=True, return_inverse=True)
    usual = _USUAL[lines.country[first]]
    days = np.maximum(usual - 1, 1) + random.poisson(1.1, len(orders))
    for place, happening in today.of("delivery_delay"):
        slow = stream(setting.seed, "delay", place, number)
        nobody = np.full(len(orders), -1)
        country = lines.country[first]
        fits = touches(happening, country=country, language=nobody, device=nobody, channel=nobody)
        extra = slow.normal(happening.size, 0.15 * happening.size, len(orders))
        days = days + np.where(fits, np.round(np.maximum(extra, 0)), 0).astype(np.int64)
    hour = 9 + 11 * random.random(len(orders))
    arrives = setting.clock.midnights[number] + days * DAY_US + (hour * _HOUR).astype(np.int64)
    opened = lines.time[first]
    added = today.defect[lines.item]
    hit_chance = np.where(added > 0, np.minimum(1.0, 0.45 + 1.2 * added), 0.0)
    affected = random.random(len(order)) < hit_chance
    usual_return = setting.goods.returns[lines.item]
    more = np.where(affected, added / np.maximum(hit_chance, 1e-9), 0.0)
    returned = random.random(len(order)) < np.minimum(usual_return + more, 0.97)
    late = np.maximum(days - usual - 1, 0)
    return Fate(days[order], late[order], arrives[order], affected, returned, opened[order])


def _deliveries(lines: Lines, fate: Fate) -> Rows:
    _, first = np.unique(lines.session, return_index=True)
    rows = _from_server(lines, first, ORDER_DELIVERED, fate.delivered[first])
    rows["note"] = DELIVERY + np.minimum(fate.days[first], 99)
    return rows


def _from_server(
    lines: Lines, index: NDArray[np.int64], name: str, time: NDArray[np.int64]
) -> Rows:
    """Rows that the shop's own systems write: about an order, without a visit."""
    rows = blank(len(index), name)
    rows["time"] = time
    rows["customer"] = lines.customer[index]
    rows["country"] = lines.country[index]
    rows["order"] = lines.session[index]
    return rows


def _refunds(setting: Setting, lines: Lines, fate: Fate, random: np.random.Generator) -> Rows:
    index = np.flatnonzero(fate.returned)
    wait = (1 + 8 * random.random(len(index))) * DAY_US
    rows = _from_server(lines, index, names.REFUND, fate.delivered[index] + wait.astype(np.int64))
    quantity = lines.quantity[index]
    rows["item"] = lines.item[index]
    rows["quantity"] = quantity
    rows["price"] = lines.price[index]
    rows["discount"] = lines.discount[index]
    rows["value"] = money(quantity, lines.price[index], lines.discount[index])
    rows["cost"] = np.round(setting.goods.cost[lines.item[index]] * quantity, 2)
    usual = random.choice(len(REASONS), len(index), p=[0.3, 0.25, 0.2, 0.2, 0.05])
    usual = np.where(fate.late[index] > 3, REASONS.index("late"), usual)
    reason = np.where(fate.affected[index], REASONS.index("quality"), usual)
    rows["note"] = REASON + reason
    return rows


def _plans(setting: Setting, today: Today, lines: Lines, fate: Fate) -> Plans:
    plans = np.zeros(len(lines.item), PLAN)
    for field in ("customer", "item", "quantity", "price", "nth"):
        plans[field] = getattr(lines, field)
    plans["order"] = lines.session
    plans["days"], plans["late"] = fate.days, fate.late
    plans["returned"] = fate.returned
    plans["language"] = setting.people.language[lines.customer]
    plans["rise"] = today.price[lines.item] - 1
    plans["fault"] = np.where(fate.affected, today.faulty[lines.item], -1)
    plans["cause"] = np.where(fate.affected, today.cause[lines.item], -1)
    for place, _ in today.of("delivery_delay"):
        plans["cause"] = np.where((plans["cause"] < 0) & (fate.late > 1), place, plans["cause"])
    return plans


def _reviews(
    setting: Setting, lines: Lines, fate: Fate, plans: Plans, random: np.random.Generator
) -> tuple[Plans, Rows]:
    eager = setting.people.reviewer[lines.customer] * np.where(fate.affected, 1.8, 1.0)
    share = setting.scenario.reviews * setting.text_share
    index = np.flatnonzero(random.random(len(lines.item)) < share * eager)
    chosen: Any = plans[index]
    wait = (0.3 + np.minimum(random.exponential(3.5, len(index)), 25)) * DAY_US
    chosen["time"] = fate.delivered[index] + wait.astype(np.int64)
    chosen["kind"] = REVIEW
    opinions(setting, chosen, random)
    rows = _from_server(lines, index, names.REVIEW, chosen["time"])
    rows["item"] = lines.item[index]
    rows["note"] = RATING + chosen["rating"].astype(np.int16) - 1
    return chosen, rows


def _chats(
    setting: Setting, lines: Lines, fate: Fate, plans: Plans, random: np.random.Generator
) -> Plans:
    """At most one chat an order: about the parcel, a return, a fault, or an everyday question."""
    _, first = np.unique(lines.session, return_index=True)
    share = setting.scenario.chats * setting.text_share
    chance = random.random((4, len(first)))
    scale = min(1.0, share / 0.08)
    everyday = chance[0] < share
    usual = random.choice(
        [
            INTENTS.index(i)
            for i in ("product_question", "invoice", "price_protection", "usage", "where")
        ],
        len(first),
        p=[0.42, 0.14, 0.12, 0.2, 0.12],
    )
    intent = np.where(everyday, usual, -1)
    where = chance[1] < scale * np.minimum(0.7, _LATE_CHAT * fate.late[first])
    intent = np.where(where, INTENTS.index("where"), intent)
    fault = fate.affected[first] & (chance[2] < scale * 0.25)
    intent = np.where(fault, INTENTS.index("fault"), intent)
    back = fate.returned[first] & (chance[3] < scale * _RETURN_CHAT)
    intent = np.where(back, INTENTS.index("return"), intent)
    index = np.flatnonzero(intent >= 0)
    chosen: Any = plans[first[index]]
    chosen["kind"] = CHAT
    chosen["intent"] = intent[index]
    chosen["time"] = _chat_times(fate, first[index], intent[index], random)
    chosen["aspects"] = -1
    return np.asarray(chosen)


def _chat_times(
    fate: Fate,
    index: NDArray[np.int64],
    intent: NDArray[np.int64],
    random: np.random.Generator,
) -> NDArray[np.int64]:
    chance = random.random(len(index))
    opened, delivered = fate.opened[index], fate.delivered[index]
    before = opened - ((5 + 40 * chance) * 60_000_000).astype(np.int64)
    waiting = opened + ((0.6 + 0.35 * chance) * (delivered - opened)).astype(np.int64)
    after = delivered + ((2 + 20 * chance) * _HOUR).astype(np.int64)
    time = np.where(intent == INTENTS.index("product_question"), before, after)
    return np.where(intent == INTENTS.index("where"), waiting, time)
