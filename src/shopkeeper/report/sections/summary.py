"""The report in short: what changed, and what to do next. Every line is made of the facts below it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from shopkeeper.core.types import Estimate
from shopkeeper.customers.types import Segment
from shopkeeper.metrics.types import Exact, Figure
from shopkeeper.report.desk import Desk
from shopkeeper.report.parts import Note
from shopkeeper.report.sections import advice, goods
from shopkeeper.report.sections.figures import headline

_THEMES: Final = (
    ("net_revenue", "revenue", "margin"),
    ("buyers", "new_buyers", "active_customers"),
    ("orders",),
    ("average_order_value", "units_per_order", "revenue_per_buyer"),
    ("repeat_rate", "conversion"),
    ("return_rate", "refunds"),
    ("margin_rate",),
)  # fmt: skip
_MOST_CHANGES: Final = 5
_MOST_STEPS: Final = 5
_SMALL: Final = 0.02  # an exact figure that moved by less is called unchanged


def changed(desk: Desk) -> tuple[Note, ...]:
    """The largest changes, one a theme; without a period before, how things stand."""
    by_name = {figure.metric: figure for figure in desk.facts.overview.figures}
    found = []
    for theme in _THEMES:
        moved = [by_name[name] for name in theme if name in by_name and _clear(by_name[name])]
        if moved:
            found.append(_change(desk, moved[0]))
    if not found:
        found = list(_standing(desk))
    return (*found[:_MOST_CHANGES], *_moved_most(desk), *_concentration(desk))


def _clear(figure: Figure) -> bool:
    if not figure.beyond_chance:
        return False
    return isinstance(figure.change, Estimate) or abs(figure.relative or 0.0) >= _SMALL


def _change(desk: Desk, figure: Figure) -> Note:
    unit = desk.facts.definitions[figure.metric].unit
    change = _difference(figure)
    text = desk.w(
        "changed.rose" if change > 0 else "changed.fell",
        label=desk.label(figure.metric),
        change=desk.change(figure, unit).lstrip("+−"),
        value=desk.value(figure.value, unit),
        before=desk.value(figure.before, unit),
    )
    return Note(text, f"figure-{figure.metric}", desk.tone(figure))


def _standing(desk: Desk) -> Iterator[Note]:
    by_name = {figure.metric: figure for figure in desk.facts.overview.figures}
    key = "changed.stands" if desk.facts.overview.before is None else "changed.steady"
    for card in headline(desk).cards[:3]:
        if isinstance(by_name[card.name].value, (Exact, Estimate)):
            yield Note(desk.w(key, label=card.label, value=card.value), f"figure-{card.name}")


def _moved_most(desk: Desk) -> Iterator[Note]:
    """The group of goods that moved most in money, where that is more than chance."""
    for by in ("department", "item_id"):
        reply = desk.facts.breakdowns.get(by)
        groups = [g for g in reply.groups if not g.rest and g.group is not None] if reply else []
        moved = [(_difference(g.figure), g) for g in groups if _clear(g.figure)]
        if moved:
            change, group = max(moved, key=lambda one: abs(one[0]))
            key = "changed.group_rose" if change > 0 else "changed.group_fell"
            name = goods.label(desk, by, group).text
            text = desk.w(key, name=name, change=desk.change(group.figure, "money").lstrip("+−"))
            yield Note(text, f"group-by-{by}", desk.tone(group.figure))
            return


def _difference(figure: Figure) -> float:
    return 0.0 if figure.change.kind == "cannot_say" else figure.change.value


def _concentration(desk: Desk) -> Iterator[Note]:
    best = max(
        (s for s in desk.facts.rfm.segments if s.customers and s.share_of_revenue is not None),
        key=lambda s: s.share_of_revenue or 0.0,
        default=None,
    )
    if best is not None and (best.share_of_revenue or 0.0) > best.share_of_customers:
        yield Note(
            desk.w(
                "changed.concentration",
                name=best.name,
                customers=desk.n.share(best.share_of_customers),
                revenue=desk.n.share(best.share_of_revenue),
            ),
            f"segment-{best.code}",
        )


def following(desk: Desk) -> tuple[Note, ...]:
    """What to do next: the segments that call for it, the sold out, and what the data lack."""
    steps = [*advice.following(desk), *_win_back(desk), *_second_order(desk), *_restock(desk),
             *_returns(desk), *_best(desk), *_data(desk)]  # fmt: skip
    return tuple(steps[:_MOST_STEPS])


def _by_code(desk: Desk, code: str) -> Segment | None:
    return next((s for s in desk.facts.rfm.segments if s.code == code and s.customers), None)


def _win_back(desk: Desk) -> Iterator[Note]:
    for code in ("cannot_lose", "at_risk"):
        segment = _by_code(desk, code)
        if segment is None:
            continue
        worth = ""
        if segment.share_of_revenue is not None:
            worth = desk.w("next.worth", share=desk.n.share(segment.share_of_revenue))
        text = desk.w(
            "next.win_back",
            count=desk.n.count(segment.customers),
            name=segment.name,
            worth=worth,
            days=desk.n.count(round(segment.median_recency or 0)),
        )
        yield Note(text, f"segment-{code}", "bad", more=segment.advice.channel)
        return


def _second_order(desk: Desk) -> Iterator[Note]:
    rfm = desk.facts.rfm
    fresh = _by_code(desk, "new") or _by_code(desk, "promising")
    if fresh is None or rfm.bought_once < 0.3 * rfm.customers:
        return
    text = desk.w(
        "next.second_order",
        share=desk.n.share(rfm.bought_once / rfm.customers),
        count=desk.n.count(fresh.customers),
        name=fresh.name,
    )
    yield Note(text, f"segment-{fresh.code}", "warn", more=fresh.advice.offer)


def _restock(desk: Desk) -> Iterator[Note]:
    gone = desk.facts.sold_out
    if gone:
        titles = desk.w("list.comma").join(desk.item(slot.item_id, 30).text for slot in gone[:3])
        text = desk.w("next.restock", count=desk.n.count(len(gone)), titles=titles)
        yield Note(text, "recommend", "warn")


def _returns(desk: Desk) -> Iterator[Note]:
    figure = next((f for f in desk.facts.overview.figures if f.metric == "return_rate"), None)
    if figure is not None and desk.tone(figure) == "bad":
        text = desk.w("next.returns", change=desk.change(figure, "share"))
        yield Note(text, "figure-return_rate", "bad", more=desk.w("next.returns_do"))


def _best(desk: Desk) -> Iterator[Note]:
    best = _by_code(desk, "champions")
    if best is not None:
        text = desk.w("next.best", count=desk.n.count(best.customers), name=best.name)
        yield Note(text, "segment-champions", "good", more=best.advice.offer)


def _data(desk: Desk) -> Iterator[Note]:
    share = desk.facts.health.without_customer
    if share is not None and share >= 0.05:
        text = desk.w("next.identify", share=desk.n.share(share))
        yield Note(text, "health", "warn", more=desk.w("next.identify_do"))
    if desk.facts.health.refused_waiting:
        count = desk.n.count(desk.facts.health.refused_waiting)
        yield Note(desk.w("next.refused", count=count), "health", "warn")
