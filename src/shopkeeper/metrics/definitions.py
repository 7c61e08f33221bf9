"""Every metric, defined once: its words, its arithmetic and the rows behind it.

To add a metric, add one entry to ``_ALL``. Its arithmetic is over *units*: a unit is one customer,
or, for lines without a customer, one day of such lines. From a unit's columns (those of the daily
rollup, and the flags of ``units.py``) an entry says what is added up and, for a quotient, what by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

import narwhals as nw

from shopkeeper.core.errors import UnknownName
from shopkeeper.core.events import PURCHASE, REFUND
from shopkeeper.metrics.types import Behind, Definition
from shopkeeper.metrics.types import Unit as Measure

Kind = Literal["sum", "per_day", "count", "quotient", "share", "mean", "ratio"]
"""How units become a figure:

- ``sum`` of the values; ``per_day``: that sum over the days; ``count`` of units that hold;
- ``quotient`` of two sums, as it happened, without interval;
- ``share`` of the units of ``over`` that hold (Wilson's interval);
- ``mean`` of the values of the units of ``over`` (Student's);
- ``ratio`` of two sums over the units (delta method).
"""


@dataclass(frozen=True)
class Unit:
    """The columns of one unit in one of the periods; remembers which were asked for."""

    suffix: str = ""
    used: set[str] = field(default_factory=set)

    def __call__(self, column: str) -> nw.Expr:
        self.used.add(column)
        return nw.col(column + self.suffix)

    @property
    def known(self) -> nw.Expr:
        """Whether the unit is a customer, not a day of lines without one."""
        return ~nw.col("customer_id").is_null()

    def has(self, column: str) -> nw.Expr:
        """Whether the unit is a customer with any of this column."""
        return self.known & (self(column) > 0)


Term = Callable[[Unit], nw.Expr]


@dataclass(frozen=True)
class Basis:
    """What part of the data a metric rests on: ``part`` of ``whole``, and what that is called."""

    part: Term
    whole: Term
    zh: str
    en: str
    lacking: str


@dataclass(frozen=True)
class Metric:
    """One measure; see the module's docstring for how it is worked out.

    ``lines`` names the events behind a metric that is made of events or orders; with
    ``costed_lines`` only those whose cost is known. Nothing lies below ``least``, nor does an interval.
    """

    name: str
    zh: str
    en: str
    unit: Measure
    kind: Kind
    value: Term
    formula_zh: str
    formula_en: str
    behind: Behind
    lines: tuple[str, ...] = ()
    costed_lines: bool = False
    over: Term | None = None
    basis: Basis | None = None
    by_item: bool = False
    least: float | None = None
    good: Literal["up", "down", "neither"] = "up"

    @property
    def columns(self) -> frozenset[str]:
        """The unit columns that its arithmetic reads."""
        unit = Unit()
        for term in self.terms:
            term(unit)
        return frozenset(unit.used)

    @property
    def terms(self) -> tuple[Term, ...]:
        """Everything that is worked out per unit."""
        basis = (self.basis.part, self.basis.whole) if self.basis else ()
        return (self.value, *((self.over,) if self.over else ()), *basis)

    @property
    def estimate(self) -> bool:
        """Whether it is given with an interval."""
        return self.kind in ("share", "mean", "ratio")

    def definition(self) -> Definition:
        """Its words."""
        return Definition(
            name=self.name,
            label_zh=self.zh,
            label_en=self.en,
            unit=self.unit,
            formula_zh=self.formula_zh,
            formula_en=self.formula_en,
            behind=self.behind,
            additive=self.kind == "sum",
            estimate=self.estimate,
            by_item=self.by_item,
            good=self.good,
        )


_ACTIVITY = Basis(
    part=lambda u: nw.when(u.known).then(u("events")).otherwise(0.0),
    whole=lambda u: u("events"),
    zh="有客户标识的事件",
    en="events of a known customer",
    lacking="events with a user_id or anonymous_id",
)
_ORDERS = Basis(
    part=lambda u: nw.when(u.known).then(u("lines")).otherwise(0.0),
    whole=lambda u: u("lines"),
    zh="有客户标识的购买行",
    en="purchase lines of a known customer",
    lacking="purchases with a user_id or anonymous_id",
)
_COSTS = Basis(
    part=lambda u: u("costed_revenue"),
    whole=lambda u: u("revenue"),
    zh="成本已知的销售额",
    en="revenue whose cost is known",
    lacking="the cost of what was sold",
)


def _margin(u: Unit) -> nw.Expr:
    return (u("costed_revenue") - u("cost")) - (u("costed_refunds") - u("refund_cost"))


_ALL: Final = (
    Metric(
        "revenue", "销售额", "Revenue", "money", "sum", lambda u: u("revenue"),
        "购买行金额之和（折后，不含运费和税）",
        "the values of purchase lines added up (after discounts, without shipping and tax)",
        "events", lines=(PURCHASE,), by_item=True,
    ),
    Metric(
        "refunds", "退款额", "Refunds", "money", "sum", lambda u: u("refunds"),
        "退款行金额之和，记在退款当日",
        "the values of refund lines added up, on the day of the refund",
        "events", lines=(REFUND,), by_item=True, good="down",
    ),
    Metric(
        "net_revenue", "净销售额", "Net revenue", "money", "sum",
        lambda u: u("revenue") - u("refunds"),
        "销售额减退款额", "revenue less refunds", "events", lines=(PURCHASE, REFUND), by_item=True,
    ),
    Metric(
        "orders", "订单数", "Orders", "count", "sum", lambda u: u("orders"),
        "购买行的订单号数；同一订单号在不同日期或不同发送者下各计一次",
        "distinct order ids of purchase lines; one that appears on two days or from two senders "
        "counts for each", "orders", lines=(PURCHASE,), by_item=True,
    ),
    Metric(
        "units", "销量", "Units sold", "count", "sum", lambda u: u("units"),
        "购买行件数之和", "the quantities of purchase lines added up",
        "events", lines=(PURCHASE,), by_item=True,
    ),
    Metric(
        "returned_units", "退货件数", "Units returned", "count", "sum", lambda u: u("refund_units"),
        "退款行件数之和，记在退款当日",
        "the quantities of refund lines added up, on the day of the refund",
        "events", lines=(REFUND,), by_item=True, good="down",
    ),
    Metric(
        "margin", "毛利", "Gross margin", "money", "sum", _margin,
        "成本已知的净销售额减其成本；成本未知的行不计",
        "net revenue whose cost is known, less that cost; lines of unknown cost are left out",
        "events", lines=(PURCHASE, REFUND), costed_lines=True, basis=_COSTS, by_item=True,
    ),
    Metric(
        "margin_rate", "毛利率", "Margin rate", "share", "ratio", _margin,
        "毛利除以成本已知的净销售额", "gross margin over the net revenue whose cost is known",
        "events", lines=(PURCHASE, REFUND), costed_lines=True,
        over=lambda u: u("costed_revenue") - u("costed_refunds"),
        basis=_COSTS, by_item=True,
    ),
    Metric(
        "cost_known", "成本已知比例", "Cost known", "share", "quotient",
        lambda u: u("costed_revenue"),
        "成本已知的销售额除以销售额", "revenue whose cost is known over revenue",
        "events", lines=(PURCHASE,), over=lambda u: u("revenue"), by_item=True, good="neither",
    ),
    Metric(
        "average_order_value", "平均订单金额", "Average order value", "money", "ratio",
        lambda u: u("revenue"),
        "销售额除以订单数（退款前）；区间以客户为聚类",
        "revenue over orders (before refunds); the interval clusters by customer",
        "orders", lines=(PURCHASE,), over=lambda u: u("orders"), by_item=True,
    ),
    Metric(
        "units_per_order", "每单件数", "Units per order", "count", "ratio", lambda u: u("units"),
        "销量除以订单数；区间以客户为聚类",
        "units sold over orders; the interval clusters by customer",
        "orders", lines=(PURCHASE,), over=lambda u: u("orders"), by_item=True,
    ),
    Metric(
        "return_rate", "退货率", "Return rate", "share", "ratio", lambda u: u("refund_units"),
        "本期退货件数除以本期销量（退货可能来自更早的订单）",
        "units returned in the period over units sold in it (some were sold earlier)",
        "events", lines=(PURCHASE, REFUND), over=lambda u: u("units"), by_item=True, least=0.0,
        good="down",
    ),
    Metric(
        "active_customers", "活跃客户", "Active customers", "count", "count",
        lambda u: u.has("events"),
        "期内有任一事件的客户数", "customers with an event of any name in the period",
        "customers", basis=_ACTIVITY,
    ),
    Metric(
        "daily_active_customers", "日均活跃客户", "Daily active customers", "count", "per_day",
        lambda u: nw.when(u.known).then(u("active_days")).otherwise(0.0),
        "各日活跃客户数的平均", "customers active on a day, averaged over the period's days",
        "customers", basis=_ACTIVITY,
    ),
    Metric(
        "weekly_active_customers", "近7日活跃客户", "Weekly active customers", "count", "count",
        lambda u: u.has("recent_7"),
        "期末最后7天内活跃的客户数", "customers active in the last 7 days of the period",
        "customers", basis=_ACTIVITY,
    ),
    Metric(
        "monthly_active_customers", "近30日活跃客户", "Monthly active customers", "count", "count",
        lambda u: u.has("recent_30"),
        "期末最后30天内活跃的客户数", "customers active in the last 30 days of the period",
        "customers", basis=_ACTIVITY,
    ),
    Metric(
        "new_customers", "新客户", "New customers", "count", "count",
        lambda u: u.has("events") & u.has("new"),
        "首个事件在期内的客户数", "customers whose first event ever lies in the period",
        "customers", basis=_ACTIVITY,
    ),
    Metric(
        "returning_customers", "老客户", "Returning customers", "count", "count",
        lambda u: u.has("events") & ~u.has("new"),
        "期内活跃、首个事件早于本期的客户数",
        "customers active in the period whose first event lies before it",
        "customers", basis=_ACTIVITY,
    ),
    Metric(
        "buyers", "购买客户", "Buyers", "count", "count", lambda u: u.has("lines"),
        "期内有购买的客户数", "customers with a purchase in the period",
        "customers", basis=_ORDERS, by_item=True,
    ),
    Metric(
        "new_buyers", "首购客户", "First-time buyers", "count", "count",
        lambda u: u.has("lines") & u.has("first_buy"),
        "首次购买在期内的客户数", "customers whose first purchase ever lies in the period",
        "customers", basis=_ORDERS,
    ),
    Metric(
        "conversion", "购买转化率", "Conversion", "share", "share", lambda u: u.has("lines"),
        "购买客户除以活跃客户", "buyers over active customers",
        "customers", over=lambda u: u.has("events"), basis=_ACTIVITY,
    ),
    Metric(
        "repeat_rate", "复购率", "Repeat rate", "share", "share",
        lambda u: u.known & (u("orders") >= 2),
        "期内下单两次及以上的客户除以期内下单客户",
        "customers with two or more orders in the period over customers with one or more",
        "customers", over=lambda u: u.has("orders"), basis=_ORDERS,
    ),
    Metric(
        "revenue_per_buyer", "人均消费", "Revenue per buyer", "money", "mean",
        lambda u: u("revenue"),
        "购买客户的销售额除以购买客户数", "revenue of buyers over buyers",
        "customers", over=lambda u: u.has("lines"), basis=_ORDERS, by_item=True,
    ),
)  # fmt: skip

METRICS: Final[dict[str, Metric]] = {metric.name: metric for metric in _ALL}

HEADLINE: Final = tuple(METRICS)
"""What the overview shows, in order."""


def metric(name: str) -> Metric:
    """The metric of that name, or an error that says which is near."""
    if name not in METRICS:
        raise UnknownName("metric", name, METRICS, field="metric")
    return METRICS[name]
