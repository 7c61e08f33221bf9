"""SQL for what is left of a row once customers are erased: rows of others cleaned, kept ones emptied."""

from __future__ import annotations

from shopkeeper.core.schema import EVENTS
from shopkeeper.core.subject import ERASED
from shopkeeper.warehouse.delta import Delta
from shopkeeper.warehouse.mentions import NAMES, TELLS_NAME, WHOLE, Words, is_name
from shopkeeper.warehouse.whose import IS_THEIRS

_KEPT = frozenset(
    {"event_id", "item_id", "quantity", "price", "value", "cost", "currency", "order_id", "source"}
)
"""What an order record is: the rest of a kept row is emptied."""
_COUNTED = frozenset(
    {"channel", "campaign_id", "content_id", "experiment_id", "variant_id", "propensity"}
)
"""What else figures are made of: it stays of who is anonymised."""
_TEXTS = {
    "texts": ("title", "body", "url", "thread_id"),
    "readings": ("label", "span", "opinion"),
    "traits": ("value",),
    "decisions": ("rules", "context"),
}


def columns(delta: Delta, words: Words) -> str:
    """SQL: each column as it is written: others' rows cleaned, kept rows of the customers emptied."""
    return ", ".join(
        f'{_column(c.name, c.type, delta.table.name, words)} AS "{c.name}"' for c in delta.table
    )


def _column(column: str, kind: str, table: str, words: Words) -> str:
    cleaned = _cleaned(column, kind, table, words)
    if table != EVENTS.name:
        return cleaned if column in _TEXTS.get(table, ()) else f'"{column}"'
    if column in ("user_id", "anonymous_id", "event_id", "order_id", "session_id"):
        return _id(column, cleaned, words)
    if kind in ("timestamp", "date") or column == "name":
        return column
    if column in _COUNTED:
        return f"CASE WHEN NOT mine OR keeps THEN {cleaned} END"
    return cleaned if column in _KEPT else f"CASE WHEN NOT mine THEN {cleaned} END"


def _id(column: str, cleaned: str, words: Words) -> str:
    """SQL: a column of ids in events. What it stood for is still one order or visit, with no way back."""
    if column == "user_id":
        mine = "CASE WHEN keeps OR time >= $keep THEN pseudonym END"
        return f"CASE WHEN mine THEN {mine} WHEN NOT coalesce(user_id {IS_THEIRS}, false) THEN user_id END"
    if column == "anonymous_id":
        return f"CASE WHEN NOT mine AND NOT coalesce({column} {IS_THEIRS}, false) THEN {column} END"
    fresh = f"substr(sha256(getvariable('salt') || {column}), 1, 24)"
    if column == "session_id":
        return f"CASE WHEN NOT mine THEN {cleaned} WHEN keeps THEN {fresh} END"
    if not words.pattern:
        return column
    holds = f"named AND regexp_matches({column}, $pattern)"
    return f"CASE WHEN {holds} THEN 'erased-' || {fresh} ELSE {column} END"


def _cleaned(column: str, kind: str, table: str, words: Words) -> str:
    """SQL: a column of somebody else's row without what names the customers."""
    if kind == "string":
        told = f"regexp_replace({column}, $pattern, '{ERASED}', 'g')" if words.pattern else column
        if words.names and column in WHOLE.get(table, ()):
            told = f"CASE WHEN {is_name(column, table)} THEN '{ERASED}' ELSE {told} END"
        return column if told == column else f"CASE WHEN named THEN {told} ELSE {column} END"
    if kind != "map" or not (words.pattern or words.names):
        return column
    value, kept, tests = "e.value", f"map_entries({column})", []
    if words.pattern:
        value = f"regexp_replace(e.value, $pattern, '{ERASED}', 'g')"
        kept = f"list_filter({kept}, lambda e: NOT regexp_matches(e.key, $pattern))"
        tests.append(f"regexp_matches(CAST({column} AS VARCHAR), $pattern)")
    if words.names:
        value = f"CASE WHEN {TELLS_NAME} THEN '{ERASED}' ELSE {value} END"
        tests.append(f"list_has_any(map_values({column}), {NAMES})")
    entries = f"list_transform({kept}, lambda e: {{'key': e.key, 'value': {value}}})"
    return f"CASE WHEN named AND ({' OR '.join(tests)}) THEN map_from_entries({entries}) ELSE {column} END"
