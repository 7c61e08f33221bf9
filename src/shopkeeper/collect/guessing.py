"""Guesses a mapping from the names of a file's columns and from their values."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import orjson

from shopkeeper.collect import mapping, naming
from shopkeeper.collect.inspecting import UNCLEAR, Looked, kind, look
from shopkeeper.collect.mapping import template_columns
from shopkeeper.collect.naming import MONEY, Found, assigned
from shopkeeper.collect.types import Guessed, GuessedColumn
from shopkeeper.core.operation import Context

_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_SEQUENCE = re.compile(r"\S{1,40}( \S{1,40}){2,}")
_PAIR = 2
_UTTERED = (("ticket", r"ticket|工单"), ("chat", r"chat|dialog|utterance|对话|会话|聊天"),
            ("post", r"post|tweet|weibo|微博|帖"))  # fmt: skip


def guess(ctx: Context, path: str) -> Guessed:
    """The mapping that the file's columns suggest."""
    seen = look(ctx, path)
    target, found = _target(seen)
    needed = {
        "events": ("time",),
        "items": ("item_id",),
        "customers": ("user_id",),
        "texts": ("body",),
    }
    missing = tuple(name for name in needed[target] if name not in found)
    used = {theirs for theirs, _ in found.values()}
    unused = tuple(n for n in seen.values if n not in used and kind(seen.values[n]) != "empty")
    text, notes = ("", _wanting(target, seen)) if missing else _written(target, found, seen, ctx)
    if text:
        mapping.parse(text, "guessed")  # raises rather than reply with what could not be read
    sure = [confidence for _, confidence in found.values()]
    return Guessed(
        target=target,
        mapping=text,
        confidence=round(min(sure, default=0.0), 2) if not missing else 0.0,
        columns=tuple(
            GuessedColumn(ours=_ours(ours, target), theirs=theirs, confidence=round(c, 2))
            for ours, (theirs, c) in found.items()
            if ours != "event_id"
        ),
        unused=unused,
        missing=missing,
        notes=(*seen.notes, *notes),
    )


def _target(seen: Looked) -> tuple[str, Found]:
    values = seen.values
    if seen.headless:
        found = naming.by_place(values)
        return ("texts" if "body" in found else "events"), found
    found, customers = assigned(naming.EVENTS, values), assigned(naming.CUSTOMERS, values)
    texts = assigned(naming.TEXTS, values)
    if "body" in texts and ("rating" in texts or not any(name in found for name in MONEY)):
        return "texts", texts
    since = customers.get("first_seen", ("", 0.0))[1]
    if found.get("time", ("", 0.0))[1] < since and "user_id" in customers:
        return "customers", customers
    if "time" in found and ("user_id" in found or "item_id" in found or "name" in found):
        return "events", found
    items = assigned(naming.ITEMS, values)
    for target, key, chosen in (("items", "item_id", items), ("customers", "user_id", customers)):
        if key in chosen and naming.unique(values[chosen[key][0]]):
            return target, chosen
    return "events", found


def _wanting(target: str, seen: Looked) -> list[str]:
    """What to do about a file that gives no mapping."""
    if target == "texts":
        return ["No column holds what customers wrote. Name it yourself: columns.body."]
    lines = [cells for cells in seen.values.values() if cells]
    sequence = len(lines) == 1 and all(_SEQUENCE.fullmatch(cell) for cell in lines[0])
    pairs = seen.headless and len(lines) == _PAIR and all(kind(cells) == "whole" for cells in lines)
    if sequence or pairs:
        return ['Lines of "user item item …" need no guess: import them with --mapping sequences.']
    return [
        "No column holds times that can be read, and no column tells the rows apart as items or "
        "customers. If the times stand in another file, join the two first; if one time holds for "
        'all rows, write the mapping with [constants] time = "2026-01-31".'
    ]


def _ours(name: str, target: str) -> str:
    return "customer_id" if name == "user_id" and target in ("customers", "texts") else name


def _written(target: str, found: Found, seen: Looked, ctx: Context) -> tuple[str, list[str]]:
    notes: list[str] = []
    lines = [f"about = {_quoted('guessed from ' + seen.file.path.name)}", f'target = "{target}"']
    of_items, of_customers = _besides(target, found, seen)
    used = {*(theirs for theirs, _ in found.values()), *of_items.values(), *of_customers.values()}
    spare = [n for n in seen.values if n not in used and kind(seen.values[n]) != "empty"]
    kept = [name for name in spare if not template_columns(name)][:50]
    if kept and target != "texts":
        lines.append(f"extra = [{', '.join(map(_quoted, kept))}]")
    lines += _file(found, seen, notes)
    lines += ["", "[columns]"]
    for ours, (theirs, confidence) in found.items():
        if ours != "event_id":
            lines.append(f"{_ours(ours, target)} = {_quoted(theirs)}  # {confidence:.0%}")
    if target == "items":
        lines += ["", "[constants]", 'kind = "product"']
    if target == "texts":
        lines += _texts(found, seen, spare, notes, ctx)
    if target == "events":
        lines += _event(found, seen, notes)
        lines += _columns("items", of_items) + _columns("customers", of_customers)
    return "\n".join(lines) + "\n", notes


def _besides(target: str, found: Found, seen: Looked) -> tuple[dict[str, str], dict[str, str]]:
    """What an events file tells of its items and customers."""
    if target != "events":
        return {}, {}
    used = {theirs for theirs, _ in found.values()}
    left = {name: cells for name, cells in seen.values.items() if name not in used}
    items = assigned(naming.OF_ITEMS, left) if "item_id" in found else {}
    of_items = {ours: theirs for ours, (theirs, _) in items.items()}
    if "price" in found and of_items:
        of_items["price"] = found["price"][0]
    customers = assigned(("country",), left) if "user_id" in found else {}
    return of_items, {ours: theirs for ours, (theirs, _) in customers.items()}


def _columns(section: str, of: dict[str, str]) -> list[str]:
    if not of:
        return []
    inner = ", ".join(f"{ours} = {_quoted(theirs)}" for ours, theirs in of.items())
    return ["", f"[{section}]", f"columns = {{ {inner} }}"]


def _file(found: Found, seen: Looked, notes: list[str]) -> list[str]:
    formats = _time_formats(found, seen, notes)
    lines = []
    if seen.headless:
        lines.append(f"header = [{', '.join(map(_quoted, seen.values))}]")
        ids = [found[ours][0] for ours in ("user_id", "item_id") if ours in found]
        if ids:
            notes.append(
                f"{', '.join(map(repr, ids))} are taken for the customer and the item by their "
                "place alone: look whether they are."
            )
    if formats:
        lines.append(f"time_formats = [{_quoted(formats)}]")
    return ["", "[file]", *lines] if lines else []


def _texts(
    found: Found, seen: Looked, spare: list[str], notes: list[str], ctx: Context
) -> list[str]:
    about = " ".join((seen.file.path.name, found["body"][0])).lower()
    what = next((name for name, words in _UTTERED if re.search(words, about)), "review")
    lines = ["", "[constants]", f'kind = "{what}"']
    if spare:
        notes.append(f"Texts keep no other columns: {', '.join(map(repr, spare))} are left out.")
    if "time" not in found:
        zone, now = ctx.shop.settings.zone, ctx.shop.now()
        written = datetime.fromtimestamp(seen.file.path.stat().st_mtime, UTC)
        day = f"{(written if _EARLIEST <= written <= now else now).astimezone(zone):%Y-%m-%d}"
        lines.append(f'time = "{day}"')
        notes.append(
            f"No column holds times: all texts are put on {day}, the file's own day. Correct it "
            "under [constants], or join the times to the file first."
        )
    return lines


def _event(found: Found, seen: Looked, notes: list[str]) -> list[str]:
    name = "purchase" if any(column in found for column in MONEY) else "view_item"
    if "name" not in found:
        notes.append(
            f"No column names the events: they are taken as {name}. Correct event.name if not."
        )
    lines = ["", "[event]", *([f'name = "{name}"'] if "name" not in found else [])]
    if "event_id" in found:
        lines.append(f"id = {_quoted('{' + found['event_id'][0] + '}')}")
    for ours in ("quantity", "value", "price"):
        theirs = found[ours][0] if ours in found else None
        if theirs is None or not any("-" in v[:4] for v in seen.values[theirs]):
            continue
        notes.append(
            f"{theirs!r} has negative numbers: they are taken as refunds. Correct the rule if not."
        )
        return [*lines, f'absolute = ["{ours}"]', "", "[[event.rules]]", 'name = "refund"',
                f"when = {{ {_quoted(theirs)} = {{ below = 0 }} }}"]  # fmt: skip
    return lines


def _time_formats(found: Found, seen: Looked, notes: list[str]) -> str | None:
    theirs = next((found[name][0] for name in ("time", "first_seen") if name in found), None)
    if theirs is None or kind(seen.values[theirs]) != "unclear time":
        return None
    parts = [m for value in seen.values[theirs] if (m := UNCLEAR.fullmatch(value))]
    day_first = any(int(m[1]) > 12 for m in parts)
    month_first = any(int(m[3]) > 12 for m in parts)
    short = any(len(m[4]) == 2 for m in parts)
    days = 1 if day_first else 3  # a short year is told from a day by how seldom it changes
    sure = not short or len({m[4] for m in parts}) < len({m[days] for m in parts})
    if day_first == month_first or not sure:
        notes.append(f"{theirs!r}: which is the day, which the month? Say it: [file] time_formats.")
        return None
    mark, first = parts[0][2], parts[0]
    order = ("%d", "%m") if day_first else ("%m", "%d")
    clock = ""
    if first[5]:
        clock = f" {'%I' if first[7] else '%H'}:%M{':%S' if first[6] else ''}"
        clock += first[7].replace(first[7].strip(), "%p") if first[7] else ""
    return f"{order[0]}{mark}{order[1]}{mark}{'%y' if short else '%Y'}{clock}"


def _quoted(text: str) -> str:
    """A TOML string: JSON's escapes are TOML's."""
    return (
        orjson.dumps(text.encode("utf-8", "replace").decode()).decode().replace("\x7f", "\\u007f")
    )
