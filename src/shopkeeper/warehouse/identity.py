"""Which customer a row belongs to, in the SQL that every engine shares.

Rows of events or of the rollup are joined, to the left, with identities and with handovers under the
names below. The user counts before the visitor. An id of one customer is that customer's for all
time; an id that changed hands belongs to whoever held it at the row's time. In the rollup it is
whoever held it on the row's day: rows of a day of change are computed from the events instead.
"""

from __future__ import annotations

from typing import Final, Literal

Moment = Literal["time", "day"]

SENT: Final = "coalesce(user_id, anonymous_id)"

KNOWN_COLUMNS: Final = {"sent_id": "known_sent", "customer_id": "known_customer"}
KNOWN: Final = f"{SENT} = known_sent"
CUSTOMER: Final = f"coalesce(known_customer, {SENT})"

SHARED_COLUMNS: Final = {
    "sent_id": "shared_sent",
    "customer_id": "shared_customer",
    "starts_at": "shared_from",
    "ends_at": "shared_until",
    "starts_on": "shared_from_day",
    "ends_on": "shared_until_day",
}
SHARED: Final[dict[Moment, str]] = {
    "time": f"{SENT} = shared_sent AND (shared_from IS NULL OR time >= shared_from)"
    " AND (shared_until IS NULL OR time < shared_until)",
    "day": f"{SENT} = shared_sent AND (shared_from_day IS NULL OR day > shared_from_day)"
    " AND (shared_until_day IS NULL OR day < shared_until_day)",
}
"""On the day of a change no period matches: those rows are left out of the rollup first."""

CUSTOMER_OF_SHARED: Final = f"coalesce(shared_customer, known_customer, {SENT})"


def renamed(columns: dict[str, str]) -> list[str]:
    """The columns under their names in the join, as SQL."""
    return [f"{column} AS {name}" for column, name in columns.items()]
