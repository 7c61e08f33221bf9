"""What is predicted, by name: of the table of scores and in every reply."""

from __future__ import annotations

from typing import Final

HORIZONS: Final = (30, 60, 90)
"""Days within which somebody buys or stays away."""

MODEL: Final = "customers.predict"
PREDICTIONS: Final = (
    *(f"churn_{days}" for days in HORIZONS),
    *("next_order_days", "orders_90", "value_365"),
)
