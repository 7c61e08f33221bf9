"""A number of the console as a segment: the customers behind it, in the language of segments."""

from __future__ import annotations

from shopkeeper.core.period import Days
from shopkeeper.customers.segmenting.printing import quoted

_BOUGHT = frozenset(
    {"revenue", "net_revenue", "orders", "units", "buyers", "average_order_value", "margin"}
    | {"revenue_per_buyer", "gross_margin", "cost"}
)
_FILTERS = frozenset({"category", "brand", "channel"})
_TRAITS = frozenset({"country", "language"})
_TOLD = "traits."


def definition(metric: str, days: Days, by: str | None, group: str | None) -> str:
    """The definition of who is behind the number; empty where the language cannot say it."""
    count, where, more = len(days), "", ""
    if by is not None and group is None:
        return ""
    if by in _FILTERS and metric in _BOUGHT:
        where = f" [{by} = {quoted(str(group))}]"
    elif by in _TRAITS:
        more = f" and {by} = {quoted(str(group))}"
    elif by is not None and by.startswith(_TOLD):
        more = f" and told {quoted(by.removeprefix(_TOLD))} = {quoted(str(group))}"
    elif by is not None:
        return ""
    seen = f"days_since_seen < {count}"
    conditions = {
        "repeat_rate": f"did purchase at least 2 times within {count} days",
        "refunds": f"did refund at least 1 times within {count} days",
        "refund_rate": f"did refund at least 1 times within {count} days",
        "active_customers": seen,
        "daily_active_customers": seen,
        "weekly_active_customers": "days_since_seen < 7",
        "monthly_active_customers": "days_since_seen < 30",
        "new_customers": f"tenure_days < {count}",
        "returning_customers": f"{seen} and tenure_days >= {count}",
        "new_buyers": f"first_order >= {quoted(days.start.isoformat())}",
    }
    bought = f"did purchase{where} at least 1 times within {count} days"
    base = bought if metric in _BOUGHT else conditions.get(metric, "")
    return base + more if base else ""
