"""Customers who complained of late: they get an answer from a person, and no marketing."""

from __future__ import annotations

from shopkeeper.advice.idea import Idea, complained, count, line
from shopkeeper.advice.types import Opens
from shopkeeper.advice.view import COMPLAINT_DAYS, View


def ideas(view: View) -> list[Idea]:
    """One group, to be cared for; every other rule leaves it out."""
    days = view.days(COMPLAINT_DAYS)
    bad = [
        one
        for one in view.readings
        if one.task == "sentiment" and one.label == "negative" and one.day in days
    ]
    if not bad:
        return []
    opens = Opens(what="texts", mood="negative", first_day=days.start, last_day=days.end)
    said = line(
        "said",
        days,
        opens,
        texts=count(len({one.text_id for one in bad})),
        people=count(len({one.customer_id for one in bad})),
    )
    return [Idea("complaint", complained(COMPLAINT_DAYS), [said], care=True)]
