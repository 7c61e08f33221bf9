"""SQL that cleans one cell: text, number, time. Every format and mapping goes through these.

The expressions run on DuckDB over columns of text, whole batches at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

EARLIEST = "1990-01-01"

_BLANKS = " \t\r\n\u3000\u00a0\ufeff\u200b"
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
# A spreadsheet runs a cell that starts like this. "-5%", "+1 pack", "@anna" and "=)" are texts.
FORMULA = (
    r"^([=＝]+[\s+\-@]*[A-Za-z0-9\"'(\\{$]"
    r"|[+＋\-－][^0-9.,％%\s]*[A-Za-z]+[\w.]*[(!|]"
    r"|[+＋\-－][\s0-9.,+\-*/()=]*[A-Za-z@=\"][\w.]*[(!|]"
    r"|[+＋\-－][0-9.]+[+\-*/][0-9.+\-*/()]*[=@(]"
    r"|[@＠]\s*[A-Za-z][\w.]*[(!|])"
)
_PLAIN = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?"
_GROUPED = r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?"
_LOCAL = r"\d{4}-\d{1,2}-\d{1,2}([T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?)?"
_OFFSET = (
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)? ?(Z|UTC|GMT|[+-](0\d|1[0-5])(:?[0-5]\d)?)"
)
_COMMON = (
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d", "%Y.%m.%d %H:%M:%S", "%Y.%m.%d",
    "%Y年%m月%d日 %H:%M:%S", "%Y年%m月%d日 %H:%M", "%Y年%m月%d日", "%Y年%m月%d日%H:%M:%S",
    "%d %b %Y %H:%M:%S", "%d %b %Y", "%d-%b-%Y", "%d-%b-%Y %H:%M:%S", "%b %d, %Y", "%B %d, %Y",
)  # fmt: skip
_SIGNS = {
    "CNY": ("CN¥", "RMB", "人民币", "¥", "￥", "元"), "JPY": ("JP¥", "¥", "￥", "円"), "USD": ("US$", "$"),
    "EUR": ("€",), "GBP": ("£",), "HKD": ("HK$", "$"), "TWD": ("NT$", "$", "元"), "AUD": ("A$", "AU$", "$"),
    "CAD": ("C$", "CA$", "$"), "SGD": ("S$", "$"), "NZD": ("NZ$", "$"), "BRL": ("R$",), "MXN": ("$",),
    "INR": ("₹", "Rs.", "Rs"), "KRW": ("₩",), "RUB": ("₽",), "THB": ("฿",), "VND": ("₫",), "TRY": ("₺",),
}  # fmt: skip
EPOCHS = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}
LARGEST = 1e12


def literal(text: str) -> str:
    """``text`` as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def signs(currency: str | None) -> str:
    """A pattern of what stands for this currency beside an amount; without one, for any currency."""
    codes = [currency] if currency else list(_SIGNS)
    every = {sign for code in codes for sign in (code, *_SIGNS.get(code, ()))}
    return "|".join(re.escape(sign) for sign in sorted(every, key=lambda s: (-len(s), s)))


def macros(decimal: str, currency: str | None = None) -> list[str]:
    """Statements that define the cleaning functions for a file with this decimal sign and currency.

    Without a currency, as where a column names each row's, the signs of all are known.
    """
    sign = signs(currency)
    before = literal(rf"(?i)^([+-]?)\s*(?:{sign})\s*([+-]?)\s*")
    after = literal(rf"(?i)\s*(?:{sign})$")
    plain, grouped, unsigned, point = _PLAIN, _GROUPED, "replace(x, ',', '')", "x"
    if decimal == ",":
        plain, grouped = _PLAIN.replace(r"\.", ","), r"[+-]?\d{1,3}(\.\d{3})+(,\d+)?"
        unsigned = "replace(replace(x, '.', ''), ',', '.')"
        point = "replace(x, ',', '.')"
    edges = f"^[{_BLANKS}]|[{_BLANKS}]$"  # the pattern costs a fifth of a trim
    first = literal("=＝+＋-－@＠")
    untidy = f"^$|{edges}|{_CONTROL}"
    unsafe = rf"{untidy}|^[=＝+＋\-－@＠]"
    return [
        f"CREATE MACRO bare(x) AS CASE WHEN regexp_matches(x, {literal(edges)}) "
        f"THEN trim(x, {literal(_BLANKS)}) ELSE x END",
        f"CREATE MACRO spoiled(x) AS regexp_matches(x, {literal(_CONTROL)})",
        # Nearly every cell is as it should be: one pattern says so and spares it the rest, which the
        # engine would work out once for each time that a macro names its argument.
        f"CREATE MACRO tidy(x) AS CASE WHEN NOT regexp_matches(x, {literal(untidy)}) THEN x "
        f"ELSE nullif(bare(regexp_replace(x, {literal(_CONTROL)}, '', 'g')), '') END",
        # The test of the first character spares the pattern for nearly every cell.
        f"CREATE MACRO formula(x) AS CASE WHEN contains({first}, left(x, 1)) "
        f"THEN regexp_matches(x, {literal(FORMULA)}) ELSE false END",
        "CREATE MACRO harmless(x) AS CASE WHEN formula(x) THEN '''' || x ELSE x END",
        f"CREATE MACRO safe(x) AS CASE WHEN NOT regexp_matches(x, {literal(unsafe)}) THEN x "
        "ELSE harmless(tidy(x)) END",
        f"CREATE MACRO grouped(x) AS regexp_full_match(x, {literal(grouped)})",
        f"CREATE MACRO number(x) AS CASE WHEN regexp_full_match(x, {literal(plain)}) "
        f"THEN try_cast({point} AS DOUBLE) WHEN grouped(x) THEN try_cast({unsigned} AS DOUBLE) END",
        f"CREATE MACRO money(x) AS coalesce(number(x), number(regexp_replace("
        f"regexp_replace(x, {before}, '\\1\\2'), {after}, '')))",
        f"CREATE MACRO sane(x) AS isfinite(x) AND abs(x) <= {LARGEST}",
    ]


def exact_time(cell: str, formats: Iterable[str]) -> str:
    """The UTC time (TIMESTAMP) of cells that say their offset or count from 1970; else null."""
    chosen = tuple(formats)
    epochs = [f for f in chosen if f in EPOCHS]
    if epochs:
        count = f"try_cast({cell} AS DOUBLE) * {EPOCHS[epochs[0]]}"
        return f"make_timestamp(try_cast({count} AS BIGINT))"
    offsets = [f for f in chosen if "%z" in f]
    if chosen:
        return f"timezone('UTC', {_strptime(cell, offsets)})" if offsets else "NULL::TIMESTAMP"
    return (
        f"CASE WHEN regexp_full_match({cell}, {literal(_OFFSET)}) "
        f"THEN timezone('UTC', try_cast({cell} AS TIMESTAMPTZ)) "
        f"WHEN regexp_full_match({cell}, '\\d{{9,10}}(\\.\\d+)?') "
        f"THEN make_timestamp((try_cast({cell} AS DOUBLE) * 1000000)::BIGINT) "
        f"WHEN regexp_full_match({cell}, '\\d{{12,13}}') "
        f"THEN make_timestamp(try_cast({cell} AS BIGINT) * 1000) "
        f"WHEN regexp_full_match({cell}, '\\d{{15,16}}') "
        f"THEN make_timestamp(try_cast({cell} AS BIGINT)) END"
    )


def local_time(cell: str, formats: Iterable[str]) -> str:
    """The local time (TIMESTAMP) of cells that say no offset; else null."""
    chosen = tuple(formats)
    if chosen:
        plain = [f for f in chosen if f not in EPOCHS and "%z" not in f]
        return _strptime(cell, plain) if plain else "NULL::TIMESTAMP"
    return (
        f"CASE WHEN regexp_full_match({cell}, {literal(_LOCAL)}) THEN try_cast({cell} AS TIMESTAMP) "
        f"WHEN regexp_full_match({cell}, '\\d{{14}}') THEN try_strptime({cell}, '%Y%m%d%H%M%S') "
        f"WHEN regexp_full_match({cell}, '\\d{{8}}') THEN try_strptime({cell}, '%Y%m%d') "
        f"WHEN regexp_matches({cell}, '[/年.]|[A-Za-z]{{3}}') THEN {_strptime(cell, _COMMON)} END"
    )


def _strptime(cell: str, formats: Iterable[str]) -> str:
    listed = ", ".join(literal(f) for f in formats)
    return f"try_strptime({cell}, [{listed}])"


def finite(sql: str) -> str:
    """The number, or null where it is none that can be summed."""
    return f"CASE WHEN isfinite({sql}) THEN {sql} END"
