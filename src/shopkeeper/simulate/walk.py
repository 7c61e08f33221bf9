"""The course of the visits of one day: lists, views, carts, checkouts, orders, as rows of events."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shopkeeper.core import events as names
from shopkeeper.simulate import choice
from shopkeeper.simulate.chance import stream
from shopkeeper.simulate.choice import Looks
from shopkeeper.simulate.effects import Today
from shopkeeper.simulate.rows import Rows, blank, money
from shopkeeper.simulate.setting import Setting
from shopkeeper.simulate.state import NEVER, State
from shopkeeper.simulate.visits import Visits

_SECOND = 1_000_000
_LOGGED_IN = 0.88
_CHECKOUT, _STRANGER_CHECKOUT, _PURCHASE = 0.76, 0.35, 0.86


@dataclass
class Lines:
    """The order lines of one day, as arrays."""

    customer: NDArray[np.int64]
    item: NDArray[np.int64]
    session: NDArray[np.int64]
    country: NDArray[np.int8]
    time: NDArray[np.int64]
    quantity: NDArray[np.float64]
    price: NDArray[np.float64]
    discount: NDArray[np.int64]
    nth: NDArray[np.int64]


@dataclass
class Walk:
    """What became of the visits: rows of events, order lines, and the visits that saw an item."""

    rows: list[Rows]
    lines: Lines
    views: int


@dataclass
class _Course:
    """One day's working state: when things happen in each visit, and who is signed in since when."""

    visits: Visits
    looks: Looks
    pace: NDArray[np.float64]
    checkout_at: NDArray[np.int64]
    signed: NDArray[np.int64]
    carted: NDArray[np.bool_]
    checkout: NDArray[np.bool_]
    bought: NDArray[np.bool_]

    def view_time(self, rows: NDArray[np.int64], slots: NDArray[np.int64]) -> NDArray[np.int64]:
        return self.visits.start[rows] + _us(15 + slots * self.pace[rows])

    def rows(self, name: str, index: NDArray[np.int64], time: NDArray[np.int64]) -> Rows:
        """Rows of these visits with what all events of a visit carry."""
        visits = self.visits
        rows = blank(len(index), name)
        rows["time"] = time
        rows["customer"] = np.where(time >= self.signed[index], visits.customer[index], -1)
        for field in ("device", "country", "channel", "campaign", "anonymous", "session"):
            rows[field] = getattr(visits, field)[index]
        return rows


def walk(setting: Setting, state: State, today: Today, visits: Visits, number: int) -> Walk:
    """Let the visits happen; ``state`` learns of sign-ups and orders, not of departures."""
    random = stream(setting.seed, "walk", number)
    seen = choice.looks(setting, state, today, visits, random)
    _turn_away(setting, today, visits, seen, number)
    course = _course(setting, state, today, visits, seen, number)
    _fail_checkouts(setting, today, course, number)
    _sign_in(setting, state, course, number)
    lines = _lines(setting, state, today, course, number)
    rows = [
        *_identify(state, course),
        *_shown(course),
        *_viewed(setting, today, course),
        *_tried(setting, today, course),
        _checkouts(course),
        _purchases(setting, course, lines),
    ]
    return Walk(rows, lines, int((seen.viewed >= 0).sum()))


def _us(seconds: NDArray[np.float64]) -> NDArray[np.int64]:
    return (seconds * _SECOND).astype(np.int64)


def _turn_away(setting: Setting, today: Today, visits: Visits, seen: Looks, number: int) -> None:
    for place, happening in today.of("site_slowdown"):
        random = stream(setting.seed, "slow", place, number)
        leaves = random.random(visits.count) < happening.size
        seen.viewed[leaves & visits.touched(happening)] = -1


def _course(
    setting: Setting, state: State, today: Today, visits: Visits, seen: Looks, number: int
) -> _Course:
    """Who puts items into the cart, who reaches the checkout, and when."""
    random = stream(setting.seed, "carts", number)
    people, count = setting.people, visits.count
    looked = seen.viewed >= 0
    active = (visits.customer >= 0) & state.alive[visits.person]
    ready = np.where(active, 1.0, np.where(visits.customer >= 0, 0.2, 0.45))
    relative = today.price[seen.viewed] * (1 - visits.discount / 100)[:, None]
    elastic = relative ** -people.price_sensitivity[visits.person][:, None]
    wish = 1 / (1 + np.exp(1.25 - 0.3 * np.clip(seen.liking, -6, 6).astype(np.float64)))
    chance = np.clip(wish * elastic, 0, 0.95) * ready[:, None] * today.available[seen.viewed]
    carted = looked & (random.random(looked.shape) < chance)
    any_cart = carted.any(axis=1)
    pace = np.clip(random.lognormal(3.5, 0.5, count), 8, 170)
    begins = np.where(active, _CHECKOUT, _STRANGER_CHECKOUT)
    checkout = any_cart & (random.random(count) < begins)
    buys = _PURCHASE * _bettered(setting, today, visits)
    bought = checkout & active & (random.random(count) < buys)
    at = visits.start + _us(25 + looked.sum(axis=1) * pace)
    never = np.full(count, NEVER)
    return _Course(visits, seen, pace, at, never, carted, checkout, bought)


def _bettered(setting: Setting, today: Today, visits: Visits) -> NDArray[np.float64]:
    """How many times likelier an order is where a customer is in the treated half of an experiment."""
    times = np.ones(visits.count)
    for place, happening in today.of("experiment"):
        treated = setting.effects.treated(place)[visits.person] & (visits.customer >= 0)
        times[treated] *= 1 + happening.size
    return np.minimum(times, 1 / _PURCHASE)


def _fail_checkouts(setting: Setting, today: Today, course: _Course, number: int) -> None:
    for place, happening in today.of("checkout_bug"):
        random = stream(setting.seed, "bug", place, number)
        fails = random.random(course.visits.count) < happening.size
        course.bought &= ~(fails & course.visits.touched(happening))


def _sign_in(setting: Setting, state: State, course: _Course, number: int) -> None:
    """Since when each visit is signed in: from its start, on the way, at the checkout, or never."""
    random = stream(setting.seed, "sign-in", number)
    visits = course.visits
    logged_in = random.random(visits.count) < _LOGGED_IN
    own = np.flatnonzero(visits.customer >= 0)
    who = visits.customer[own]
    state.visits[who] += 1
    known = state.known_at[who] != NEVER
    joins = ~known & (state.visits[who] >= setting.people.signs_up[who])
    at_checkout = course.checkout[own]
    since = np.where(at_checkout, course.checkout_at[own] - 1, NEVER)
    since = np.where(joins, np.minimum(visits.start[own] + 12 * _SECOND, since), since)
    since = np.where(known & logged_in[own], visits.start[own], since)
    course.signed[own] = since
    state.known_at[who] = np.minimum(state.known_at[who], since)


def _identify(state: State, course: _Course) -> list[Rows]:
    """An ``identify`` where a device is first tied to its customer."""
    visits = course.visits
    signed = np.flatnonzero(course.signed != NEVER)
    who, device = visits.customer[signed], visits.device[signed]
    fresh = signed[state.linked_at[who, device] == NEVER]
    state.linked_at[visits.customer[fresh], visits.device[fresh]] = course.signed[fresh]
    return [course.rows(names.IDENTIFY, fresh, course.signed[fresh])]


def _shown(course: _Course) -> list[Rows]:
    seen, visits = course.looks, course.visits
    searching = np.flatnonzero(seen.kind == 0)
    searches = course.rows(names.SEARCH, searching, visits.start[searching])
    searches["query"] = seen.query[searching]
    rows, slots = np.nonzero((seen.kind >= 0)[:, None] & (seen.shown >= 0))
    lists = course.rows(names.VIEW_ITEM_LIST, rows, visits.start[rows] + 2 * _SECOND)
    lists["item"] = seen.shown[rows, slots]
    lists["list"] = seen.kind[rows]
    lists["position"] = slots + 1
    lists["propensity"] = seen.propensity[rows, slots]
    lists["query"] = seen.query[rows]
    return [searches, lists]


def _viewed(setting: Setting, today: Today, course: _Course) -> list[Rows]:
    rows, slots = np.nonzero(course.looks.viewed >= 0)
    views = course.rows(names.VIEW_ITEM, rows, course.view_time(rows, slots))
    views["item"] = course.looks.viewed[rows, slots]
    views["price"] = np.round(setting.goods.price * today.price, 2)[views["item"]]
    kept = course.carted[rows, slots]
    rows, slots = rows[kept], slots[kept]
    time = course.view_time(rows, slots) + _us(0.4 * course.pace[rows])
    carts = course.rows(names.ADD_TO_CART, rows, time)
    carts["item"] = course.looks.viewed[rows, slots]
    carts["price"] = views["price"][kept]
    carts["quantity"] = 1
    carts["value"] = carts["price"]
    return [views, carts]


def _checkouts(course: _Course) -> Rows:
    index = np.flatnonzero(course.checkout)
    return course.rows(names.BEGIN_CHECKOUT, index, course.checkout_at[index])


def _tried(setting: Setting, today: Today, course: _Course) -> list[Rows]:
    """Exposures to experiments: at each checkout of a customer, just as it begins."""
    made = []
    for place, happening in today.of("experiment"):
        index = np.flatnonzero(course.checkout & (course.visits.customer >= 0))
        rows = course.rows(names.EXPERIMENT_VIEWED, index, course.checkout_at[index])
        rows["experiment"] = setting.experiments.index(happening.name)
        rows["variant"] = setting.effects.treated(place)[course.visits.customer[index]]
        rows["propensity"] = 0.5
        made.append(rows)
    return made


def _lines(setting: Setting, state: State, today: Today, course: _Course, number: int) -> Lines:
    random = stream(setting.seed, "lines", number)
    goods, visits = setting.goods, course.visits
    rows, slots = np.nonzero(course.carted & course.bought[:, None])
    item = course.looks.viewed[rows, slots]
    customer = visits.customer[rows]
    buyers = visits.customer[course.bought]
    state.orders[buyers] += 1
    state.last_item[customer, visits.category[rows]] = item
    more = np.where(goods.consumable[item], 0.3, 0.08)
    pay = 40 + 50 * random.random(visits.count)
    return Lines(
        customer=customer,
        item=item,
        session=visits.session[rows],
        country=visits.country[rows],
        time=course.checkout_at[rows] + _us(pay[rows]),
        quantity=np.minimum(1 + random.poisson(more), 6).astype(np.float64),
        price=np.round(goods.price * today.price, 2)[item],
        discount=visits.discount[rows],
        nth=state.orders[customer].astype(np.int64),
    )


def _purchases(setting: Setting, course: _Course, lines: Lines) -> Rows:
    index = np.searchsorted(course.visits.session, lines.session, sorter=_order(course))
    rows = course.rows(names.PURCHASE, _order(course)[index], lines.time)
    rows["item"] = lines.item
    rows["order"] = lines.session
    rows["quantity"] = lines.quantity
    rows["price"] = lines.price
    rows["discount"] = lines.discount
    rows["value"] = money(lines.quantity, lines.price, lines.discount)
    rows["cost"] = np.round(setting.goods.cost[lines.item] * lines.quantity, 2)
    return rows


def _order(course: _Course) -> NDArray[np.int64]:
    return np.argsort(course.visits.session, kind="stable")
