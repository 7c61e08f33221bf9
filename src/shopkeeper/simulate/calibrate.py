"""How often customers must come for the world to reach the size that its scenario asks for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shopkeeper.core.errors import BadInput
from shopkeeper.simulate import visits as arrivals
from shopkeeper.simulate.aftermath import aftermath
from shopkeeper.simulate.chance import stream
from shopkeeper.simulate.effects import Effects
from shopkeeper.simulate.rows import CODE
from shopkeeper.simulate.setting import Setting
from shopkeeper.simulate.state import beginning
from shopkeeper.simulate.walk import walk

_PILOT = 12_000  # visits of each sort
_SAMPLE = 4_000  # customers
_MOST_A_DAY = 0.5
"""Visits a customer and day: above it the rule of at most one a day would bend the purchase rates."""


def calibrate(setting: Setting) -> None:
    """Find the visit rates that give about ``scenario.events`` events if nothing is planted.

    The estimate rests on pilot visits and never on happenings, so that planting one leaves what
    comes before it as it was.

    Raises:
        BadInput: so many events cannot come from so few customers in these days.
    """
    scenario = setting.scenario
    effects = setting.effects
    setting.effects = Effects((), setting.clock, setting.catalogue, setting.goods, setting.people)
    own, own_orders, own_texts, own_views = _pilot(setting, arrivals.CUSTOMERS)
    other, _, _, other_views = _pilot(setting, arrivals.VISITORS)
    setting.effects = effects
    ratio = scenario.visitors / (1 - scenario.visitors)
    wanted = scenario.events / (own + ratio * other)
    if wanted > _MOST_A_DAY * scenario.customers * scenario.days:
        most = int(_MOST_A_DAY * scenario.customers * scenario.days * (own + ratio * other))
        raise BadInput(
            f"{scenario.customers:,} customers cannot make {scenario.events:,} events in "
            f"{scenario.days} days; {most:,} at most.",
            hint="Ask for more customers, more days or fewer events.",
            field="events",
        )
    setting.visit_rate = _visit_rate(setting, wanted, own_orders)
    levels = sum(
        setting.seasons(n)[setting.people.country[:_SAMPLE]].mean() for n in range(scenario.days)
    )
    setting.visitors_a_day = ratio * wanted / levels
    setting.views_a_day = (own_views + ratio * other_views) * wanted / levels
    expected_texts = wanted * own_texts
    setting.text_share = min(1.0, scenario.max_texts / max(expected_texts, 1.0))


def _pilot(setting: Setting, kind: int) -> tuple[float, float, float, NDArray[np.float64]]:
    """Per visit: events in all, orders, texts, and views by item."""
    number = setting.clock.days // 2
    random = stream(setting.seed, "pilot", kind)
    people = setting.people
    chance = random.random(_PILOT) * people.rate.sum()
    persons = np.searchsorted(np.cumsum(people.rate), chance, side="right")
    persons = np.minimum(persons, people.count - 1)
    if kind != arrivals.CUSTOMERS:
        persons = random.integers(0, people.count, _PILOT)
    state = beginning(people, setting.clock, setting.seed, len(setting.catalogue.categories))
    state.known_at[:] = 0
    state.linked_at[:] = 0
    today = setting.effects.on(number)
    visits = arrivals.build(setting, persons, number, kind)
    visits.discount[:] = 0
    walked = walk(setting, state, today, visits, number)
    later, plans = aftermath(setting, today, walked.lines, number)
    events = sum(map(len, walked.rows)) + sum(map(len, later))
    views = np.concatenate(walked.rows)
    views = views[views["name"] == CODE["view_item"]]["item"]
    by_item = np.bincount(views, minlength=setting.goods.count) / _PILOT
    orders = len(np.unique(walked.lines.session))
    return events / _PILOT, orders / _PILOT, sum(map(len, plans)) / _PILOT, by_item


def _visit_rate(setting: Setting, wanted: float, orders_a_visit: float) -> float:
    """The scale of all visit rates at which the expected number of visits is ``wanted``."""
    people, days = setting.people, setting.clock.days
    step = max(1, days // 180)
    numbers = np.arange(0, days, step)
    count = min(people.count, _SAMPLE)
    level = np.array([setting.seasons(int(n))[people.country[:count]] for n in numbers]).T
    since = numbers[None, :] - np.maximum(people.arrival[:count, None], 0)
    present = since >= 0
    rate, drop = people.rate[:count, None], people.drop[:count, None]
    share = people.count / count

    def expected(scale: float) -> float:
        # Orders come at about a constant rate; each ends the relation with probability `drop`.
        alive = np.exp(-scale * rate * orders_a_visit * drop * np.maximum(since, 0))
        comes = -np.expm1(-scale * rate * level * alive) * present
        return float(comes.sum() * step * share) + float((people.arrival >= 0).sum())

    low, high = 0.0, 1.0
    while expected(high) < wanted and high < 4_096:
        high *= 2
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (middle, high) if expected(middle) < wanted else (low, middle)
    return (low + high) / 2
