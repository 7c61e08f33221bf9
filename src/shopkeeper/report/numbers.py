"""Numbers, money and dates as readers of one language write them."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from shopkeeper.core.settings import Language

SYMBOLS: Final = {
    "CNY": "¥", "USD": "$", "GBP": "£", "EUR": "€", "JPY": "JP¥", "HKD": "HK$", "TWD": "NT$",
    "KRW": "₩", "INR": "₹", "AUD": "A$", "CAD": "C$", "SGD": "S$", "BRL": "R$",
}  # fmt: skip
_MINUS: Final = "−"
_MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
_SCALES: Final = {
    "en": ((1e9, "bn", 1e9), (1e6, "m", 1e6)),
    "zh": ((1e8, "亿", 1e8), (1e5, "万", 1e4)),
}
_AXIS: Final = {
    "en": ((1e9, "bn", 1e9), (1e6, "m", 1e6), (1e4, "k", 1e3)),
    "zh": ((1e8, "亿", 1e8), (1e4, "万", 1e4)),
}


@dataclass(frozen=True)
class Numbers:
    """Writes numbers for readers of ``lang``; money in ``currency``, times in ``zone``."""

    lang: Language
    currency: str
    zone: ZoneInfo

    def count(self, value: float | None) -> str:
        """A whole number with separators: 541,909. Halves (medians) keep one place."""
        if value is None:
            return "–"
        places = 0 if float(value).is_integer() else 1
        return _signed(value, f"{abs(value):,.{places}f}")

    def decimal(self, value: float | None, places: int = 2) -> str:
        """A number with a fixed number of places."""
        return "–" if value is None else _signed(value, f"{abs(value):,.{places}f}")

    def decimal_or_count(self, value: float) -> str:
        """A whole number as such, another with two places."""
        return self.count(value) if value.is_integer() else self.decimal(value)

    def money(self, value: float | None) -> str:
        """An exact amount: £8,911,407.90."""
        return "–" if value is None else _signed(value, self.symbol + f"{abs(value):,.2f}")

    def short(self, value: float | None, unit: str) -> str:
        """An amount for a headline: £8.91m, ¥891.1万; exact where that is short anyway."""
        if value is None:
            return "–"
        if unit == "share":
            return self.share(value)
        sign = self.symbol if unit == "money" else ""
        size = abs(value)
        for least, name, divisor in _SCALES[self.lang]:
            if size >= least:
                scaled = size / divisor
                places = 2 if scaled < 10 else 1 if scaled < 10_000 else 0
                return _signed(value, f"{sign}{scaled:,.{places}f}{name}")
        if unit == "money":
            return _signed(value, f"{sign}{size:,.0f}" if size >= 1000 else f"{sign}{size:,.2f}")
        return self.count(value) if float(value).is_integer() else self.decimal(value)

    def tick(self, value: float, unit: str) -> str:
        """A round number for an axis: £400k, ¥40万."""
        if unit == "share":
            return self.share(value, 0)
        sign = self.symbol if unit == "money" else ""
        for least, name, divisor in _AXIS[self.lang]:
            if abs(value) >= least:
                return _signed(value, f"{sign}{abs(value) / divisor:,.6g}{name}")
        return _signed(value, f"{sign}{abs(value):,.6g}")

    def amount(self, value: float | None, unit: str) -> str:
        """The same amount in full."""
        if unit == "money":
            return self.money(value)
        if unit == "share":
            return self.share(value, 2)
        return "–" if value is None else self.decimal_or_count(float(value))

    def share(self, value: float | None, places: int = 1) -> str:
        """A quotient as per cent: 0.123 → 12.3%."""
        return "–" if value is None else _signed(value, f"{abs(value) * 100:,.{places}f}%")

    def relative(self, value: float) -> str:
        """A relative change with its sign: +12.3%; ten times and more as a multiple."""
        if value >= 10:
            return f"×{value + 1:,.0f}"
        return _plus(value, f"{abs(value) * 100:,.1f}%")

    def points(self, value: float) -> str:
        """A difference of shares in percentage points, with its sign."""
        name = {"en": " pts", "zh": " 个百分点"}[self.lang]
        return _plus(value, f"{abs(value) * 100:,.1f}{name}")

    def date(self, day: dt.date | None) -> str:
        """9 Dec 2011; 2011年12月9日."""
        if day is None:
            return "–"
        if self.lang == "zh":
            return f"{day.year}年{day.month}月{day.day}日"
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"

    def brief(self, day: dt.date, cycle: str) -> str:
        """A date for an axis: 9 Dec, 12月9日; a month: Dec 2011, 2011年12月."""
        month = _MONTHS[day.month - 1]
        if cycle == "month":
            return f"{day.year}年{day.month}月" if self.lang == "zh" else f"{month} {day.year}"
        return f"{day.month}月{day.day}日" if self.lang == "zh" else f"{day.day} {month}"

    def time(self, moment: dt.datetime) -> str:
        """A moment in the shop's time zone, to the minute."""
        local = moment.astimezone(self.zone)
        return f"{self.date(local.date())} {local:%H:%M}"

    @property
    def symbol(self) -> str:
        return SYMBOLS.get(self.currency, self.currency + " ")


def _signed(value: float, text: str) -> str:
    return _MINUS + text if value < 0 and any(c in "123456789" for c in text) else text


def _plus(value: float, text: str) -> str:
    if not any(c in "123456789" for c in text) or math.isnan(value):
        return text
    return ("+" if value > 0 else _MINUS) + text
