"""Countries with their cities, devices, channels and currencies of the simulated world."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Country:
    """One country: which festivals it keeps, how it speaks, how far it is, its clock, where people live.

    ``weights`` are its share among customers by language; ``delivery`` is the usual days of a parcel.
    """

    festivals: str
    weights: dict[str, float]
    delivery: int
    time_zone: str
    cities: tuple[str, ...]


COUNTRIES: Final[dict[str, Country]] = {
    "CN": Country(
        "east",
        {"zh": 0.88, "en": 0.03},
        2,
        "Asia/Shanghai",
        ("Shanghai", "Beijing", "Shenzhen", "Hangzhou", "Chengdu", "Guangzhou", "Wuhan", "Xi'an"),
    ),
    "SG": Country("east", {"zh": 0.05, "en": 0.12}, 5, "Asia/Singapore", ("Singapore",)),
    "MY": Country(
        "east",
        {"zh": 0.04, "en": 0.07},
        6,
        "Asia/Kuala_Lumpur",
        ("Kuala Lumpur", "Penang", "Johor Bahru"),
    ),
    "US": Country(
        "west",
        {"zh": 0.015, "en": 0.38},
        8,
        "America/New_York",
        ("New York", "Seattle", "San Francisco", "Austin", "Chicago"),
    ),
    "GB": Country(
        "west", {"zh": 0.005, "en": 0.2}, 7, "Europe/London", ("London", "Manchester", "Edinburgh")
    ),
    "AU": Country(
        "west",
        {"zh": 0.005, "en": 0.12},
        7,
        "Australia/Sydney",
        ("Sydney", "Melbourne", "Brisbane"),
    ),
    "CA": Country(
        "west", {"zh": 0.005, "en": 0.08}, 8, "America/Vancouver", ("Vancouver", "Toronto")
    ),
}

DEVICES: Final = ("mobile", "desktop", "tablet")
VISIT_CHANNELS: Final = (
    "organic_search",
    "direct",
    "social",
    "paid_search",
    "email",
    "referral",
)
CHANNEL_SHARES: Final = (0.3, 0.24, 0.18, 0.14, 0.09, 0.05)
STANDING: Final[dict[str, str]] = {"paid_search": "always-on-search", "email": "newsletter"}
"""Campaigns that run all the time, by channel."""

RATES: Final[dict[str, float]] = {
    "CNY": 1.0,
    "USD": 0.14,
    "EUR": 0.13,
    "GBP": 0.11,
    "SGD": 0.19,
    "MYR": 0.62,
    "AUD": 0.21,
    "CAD": 0.19,
    "HKD": 1.1,
}
"""What one yuan of the authored prices is in the scenario's currency: fixed, to stay repeatable."""
