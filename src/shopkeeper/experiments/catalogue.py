"""The measures that need no definition, and those of a design."""

from __future__ import annotations

from typing import Final

from shopkeeper.core.errors import UnknownName
from shopkeeper.core.events import ADD_TO_CART, BEGIN_CHECKOUT, PURCHASE, REFUND, VIEW_ITEM
from shopkeeper.experiments.types import Counted, Design, Metric, Role
from shopkeeper.stats.effects import Shape

_BEFORE: Final = 28


def _bought(of: str) -> Counted:
    return Counted.model_validate({"event": PURCHASE, "of": of})


_ALL: Final = (
    Metric(
        name="conversion", kind="proportion", what=_bought("events"), unit="share",
        before_days=_BEFORE, label_zh="购买转化率", label_en="Conversion",
    ),
    Metric(
        name="revenue", kind="mean", what=_bought("value"), unit="money", before_days=_BEFORE,
        label_zh="人均销售额", label_en="Revenue per customer",
    ),
    Metric(
        name="margin", kind="mean", what=_bought("margin"), unit="money", before_days=_BEFORE,
        label_zh="人均毛利", label_en="Margin per customer",
    ),
    Metric(
        name="orders", kind="mean", what=_bought("orders"), before_days=_BEFORE,
        label_zh="人均订单数", label_en="Orders per customer",
    ),
    Metric(
        name="units_bought", kind="mean", what=_bought("quantity"), before_days=_BEFORE,
        label_zh="人均购买件数", label_en="Units per customer",
    ),
    Metric(
        name="average_order", kind="ratio", what=_bought("value"), over=_bought("orders"),
        unit="money", label_zh="平均订单金额", label_en="Average order value",
    ),
    Metric(
        name="checkout_completion", kind="ratio", what=_bought("orders"),
        over=Counted(event=BEGIN_CHECKOUT), unit="share",
        label_zh="每次结算的订单数", label_en="Orders per checkout",
    ),
    Metric(
        name="cart_rate", kind="proportion", what=Counted(event=ADD_TO_CART), unit="share",
        before_days=_BEFORE, label_zh="加购率", label_en="Add-to-cart rate",
    ),
    Metric(
        name="views", kind="mean", what=Counted(event=VIEW_ITEM), before_days=_BEFORE,
        label_zh="人均浏览数", label_en="Views per customer",
    ),
    Metric(
        name="return_rate", kind="ratio", what=Counted(event=REFUND, of="quantity"),
        over=_bought("quantity"), unit="share", good="down",
        label_zh="退货率", label_en="Return rate",
    ),
    Metric(
        name="refunds", kind="mean", what=Counted(event=REFUND, of="value"), unit="money",
        good="down", label_zh="人均退款额", label_en="Refunds per customer",
    ),
    Metric(
        name="retention", kind="retention", what=Counted(event="*"), unit="share", from_day=7,
        before_days=_BEFORE, label_zh="次周留存", label_en="Back in the second week",
    ),
)  # fmt: skip

READY: Final[dict[str, Metric]] = {metric.name: metric for metric in _ALL}


def of(design: Design) -> dict[str, tuple[Role, Metric]]:
    """The design's measures by name, with what each is for; their windows as the design says.

    Raises:
        UnknownName: a measure is neither ready nor defined by the design.
    """
    known = READY | {metric.name: metric for metric in design.metrics}
    asked: list[tuple[str, Role]] = [(design.primary, "primary")]
    asked += [(name, "guardrail") for name in design.guardrails]
    asked += [(name, "secondary") for name in design.secondary]
    found: dict[str, tuple[Role, Metric]] = {}
    for name, role in asked:
        found[name] = (role, metric(name, known, design.days))
    return found


def metric(name: str, known: dict[str, Metric] = READY, days: int | None = None) -> Metric:
    """The measure of that name, with another window where one is given."""
    if name not in known:
        raise UnknownName("metric", name, known, field="metric")
    return known[name] if days is None else known[name].model_copy(update={"days": days})


def shape(of_metric: Metric) -> Shape:
    """How its effect is worked out."""
    if of_metric.kind in ("proportion", "retention"):
        return "proportion"
    return "ratio" if of_metric.kind == "ratio" else "mean"
