"""Segment's calls as rows of our tables: pure, so that files and the HTTP intake share it.

Field names and rules: Segment's spec (camelCase) and the snake case of its warehouses. Clock repair:
``timestamp = receivedAt − (sentAt − originalTimestamp)``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import orjson

from shopkeeper.collect.clock import AHEAD, EARLIEST, LocalDays, micros, parse
from shopkeeper.collect.commerce import lines
from shopkeeper.collect.fields import TEXT_LIMIT, Fault, flatten, identifier, text
from shopkeeper.core import events
from shopkeeper.core.text import digest, language

KINDS: Final = ("track", "identify", "page", "screen", "group", "alias")
BATCH_LIMIT: Final = 1000
_MESSAGE_ID = 240
_MINUTE = 60_000_000
_PAGE = ("path", "title", "url", "referrer")

Row = dict[str, Any]


@dataclass(frozen=True)
class Rules:
    """What holds for the calls of one key or file.

    ``live`` calls may lack a time (they happened now); in a file that would be a guess.
    """

    source: str
    days: LocalDays
    currency: str
    may_identify: bool = True
    may_money: bool = True
    live: bool = True
    nobody: bool = False
    """Whether a call may be nobody's: a guest's order, a visitor who refused cookies."""


@dataclass(slots=True)
class Accepted:
    """What a call becomes: rows with their table and log id, a link between ids, a customer's news."""

    user_id: str | None
    anonymous_id: str | None
    time: int
    rows: list[tuple[str, str, Row]] = field(default_factory=list)
    link: tuple[str, str, str] | None = None
    """sent id, customer it stands for, by what."""
    customer: dict[str, Any] | None = None
    repaired: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a call was not taken."""

    field: str
    reason: str
    hint: str


def unpack(body: object, kind: str | None = None) -> Iterator[tuple[str, object]]:
    """The calls in a request's body or a file's line, each with where it stands (``batch[3].``).

    ``kind`` is the type that the HTTP path says; a batch's ``sentAt`` and ``context`` hold for its calls.
    """
    if not isinstance(body, Mapping):
        yield "", body
        return
    inner = body.get("batch")
    if inner is None and kind != "batch":
        yield "", body if kind is None else {**body, "type": kind}
        return
    if not isinstance(inner, list):
        yield "batch", inner
        return
    shared = {k: body[k] for k in ("sentAt", "sent_at", "context", "receivedAt") if k in body}
    for index, call in enumerate(inner):
        known = isinstance(call, Mapping) and shared
        yield f"batch[{index}].", {**shared, **call} if known else call


def rows(
    call: object, rules: Rules, received_at: datetime, *, where: str = "", occurrence: int = 0
) -> Accepted | Refused:
    """The call's rows, or which of its fields is wrong and what to do.

    ``where`` (``batch[3].``) stands before the field in a refusal; ``occurrence`` tells equal calls
    without a ``messageId`` apart.
    """
    try:
        if not isinstance(call, Mapping):
            raise Fault("", "is not an object", 'Send {"type": "track", …}.')
        return _Call(call, rules, received_at, occurrence).accepted()
    except Fault as fault:
        name = f"{where}{fault.field}".rstrip(".") or "body"
        return Refused(name, fault.reason, fault.hint)


class _Call:
    __slots__ = ("_call", "_occurrence", "_out", "_received", "_rules", "_server")

    def __init__(
        self, call: Mapping[str, Any], rules: Rules, received_at: datetime, occurrence: int
    ) -> None:
        self._call = call
        self._rules = rules
        self._server = micros(received_at)
        self._received = self._server
        self._occurrence = occurrence

    def accepted(self) -> Accepted:
        call = self._call
        kind = call.get("type")
        if kind not in KINDS:
            known = ", ".join(KINDS)
            raise Fault("type", f"{str(kind)[:40]!r} is not a type of call", f"Known: {known}.")
        user = identifier(_either(call, "userId", "user_id"), "userId")
        visitor = identifier(_either(call, "anonymousId", "anonymous_id"), "anonymousId")
        self._out = Accepted(user, visitor, 0)
        self._permit(kind)
        nobody = self._out.user_id is None and visitor is None
        if nobody and kind != "alias" and not (self._rules.nobody and kind == "track"):
            raise Fault("userId", "is missing, and so is anonymousId", "Send one of the two.")
        self._out.time = self._time()
        handler = getattr(self, f"_{kind}")
        handler(self._message_id())
        return self._out

    def _permit(self, kind: str) -> None:
        if self._rules.may_identify:
            return
        if kind in ("identify", "alias", "group"):
            raise Fault(
                "type", f"a browser key may not {kind}",
                "Send it from your server with a server key.",
            )  # fmt: skip
        if self._out.user_id is not None:
            if self._out.anonymous_id is None:
                raise Fault(
                    "userId", "a browser key cannot say who a customer is",
                    "Send anonymousId; link the two by identify from your server.",
                )  # fmt: skip
            self._out.user_id = None
            self._out.repaired.append("userId of a browser key left out: it proves nothing")

    def _time(self) -> int:
        call, live = self._call, self._rules.live
        received = _either(call, "receivedAt", "received_at")
        if received is not None and not live:  # an archive says when Segment's server got the call
            self._received = self._moment(received, "receivedAt")
        original = _either(call, "originalTimestamp", "original_timestamp")
        name = "originalTimestamp" if original is not None else "timestamp"
        original = call.get("timestamp") if original is None else original
        sent = _either(call, "sentAt", "sent_at")
        if original is None:
            if not live and received is None:
                raise Fault("timestamp", "is missing", "A file's calls need their time.")
            time = self._received
        else:
            time = self._moment(original, name)
            if sent is not None and (live or received is not None):
                time = self._repaired(time, self._moment(sent, "sentAt"))
        if time < EARLIEST:
            raise Fault(name, "is before 1990", "Send ISO 8601 or milliseconds since 1970.")
        if time > self._server + AHEAD:
            raise Fault(name, "is in the future", "Send sentAt too: it repairs a wrong clock.")
        return time

    def _repaired(self, time: int, sent: int) -> int:
        shift = self._received - sent
        if abs(shift) > _MINUTE:
            self._out.repaired.append("time moved by what the sender's clock was off")
        return time + shift

    def _moment(self, value: object, name: str) -> int:
        found = parse(value)
        if found is None:
            raise Fault(
                name,
                f"{str(value)[:40]!r} is not a time",
                "Send ISO 8601: 2026-01-31T12:00:00.000Z.",
            )
        return found

    def _message_id(self) -> str:
        given = identifier(_either(self._call, "messageId", "message_id"), "messageId")
        if given is not None:
            if len(given) > _MESSAGE_ID:  # a line's number is put behind it
                raise Fault("messageId", f"has more than {_MESSAGE_ID} characters", "Shorten it.")
            return given
        self._out.repaired.append("accepted without messageId: an id was made of the content")
        try:
            content = orjson.dumps(
                self._call, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS
            )
        except TypeError as error:
            raise Fault("", f"is no JSON: {error}") from error
        timed = "timestamp" in self._call or "originalTimestamp" in self._call
        moment = "" if timed or not self._rules.live else str(self._server)
        return "made-" + digest(content.decode("utf-8", "replace"), moment, str(self._occurrence))

    def _track(self, message_id: str) -> None:
        sent = self._call.get("event")
        if not isinstance(sent, str) or not sent.strip():
            raise Fault("event", "is missing", 'Name what happened: "Product Viewed".')
        if len(sent) > 128:
            raise Fault("event", f"has {len(sent)} characters; at most 128 are taken")
        name = _canonical(sent)
        if not name:
            raise Fault("event", f"{sent[:40]!r} is no name", 'Name it: "Product Viewed".')
        if name in events.MONEY and not self._rules.may_money:
            raise Fault(
                "event", f"a browser key may not record revenue ({name})",
                "Send orders and refunds from your server with a server key.",
            )  # fmt: skip
        properties = self._object("properties")
        if name == events.REVIEW:
            properties = self._review(message_id, properties)
        self._events(message_id, name, lines(properties, name, self._rules.currency))

    def _page(self, message_id: str) -> None:
        self._viewed(message_id, events.PAGE_VIEW, "page")

    def _screen(self, message_id: str) -> None:
        self._viewed(message_id, events.SCREEN_VIEW, "screen")

    def _viewed(self, message_id: str, name: str, kind: str) -> None:
        properties = dict(self._object("properties"))
        for key in ("name", "category"):
            if self._call.get(key) is not None:
                properties[f"{kind}_{key}"] = self._call[key]
        for key in ("url", "referrer"):
            if isinstance(properties.get(key), str):
                properties[key] = _plain_url(properties[key])
        self._events(message_id, name, lines(properties, name, self._rules.currency))

    def _group(self, message_id: str) -> None:
        group = identifier(_either(self._call, "groupId", "group_id"), "groupId")
        if group is None:
            raise Fault("groupId", "is missing", "Name the group.")
        told = flatten(self._object("traits"), "traits")
        self._events(message_id, events.GROUP, [{"properties": {"group_id": group} | told}])

    def _identify(self, message_id: str) -> None:
        out = self._out
        customer = out.user_id or out.anonymous_id or ""
        given = self._object("traits")
        told = flatten(given, "traits")
        for name, value in told.items():
            row = {
                "customer_id": customer, "name": name, "value": value, "time": out.time,
                "source": self._rules.source,
            }  # fmt: skip
            out.rows.append(("traits", digest(message_id, name), row))
        if out.user_id and out.anonymous_id:
            out.link = (out.anonymous_id, out.user_id, "identify")
        out.customer = {
            "customer_id": customer,
            "first_seen": out.time,
            "language": told.get("language") or self._locale(),
            "country": told.get("address.country") or told.get("country"),
            "traits": told,
        }

    def _alias(self, _message_id: str) -> None:
        previous = identifier(_either(self._call, "previousId", "previous_id"), "previousId")
        if previous is None or self._out.user_id is None:
            missing = "previousId" if previous is None else "userId"
            raise Fault(missing, "is missing", "alias needs previousId and userId.")
        if previous == self._out.user_id:
            raise Fault("previousId", "is the same as userId", "Leave this call out.")
        self._out.link = (previous, self._out.user_id, "alias")

    def _review(self, message_id: str, properties: Mapping[str, Any]) -> Mapping[str, Any]:
        body = properties.get("review_body") or properties.get("reviewBody")
        rest = {k: v for k, v in properties.items() if k not in ("review_body", "reviewBody")}
        rating = _rating(properties.get("rating"))
        if body is None:
            return rest
        if not isinstance(body, str) or len(body) > TEXT_LIMIT:
            raise Fault("properties.review_body", f"is not a text of up to {TEXT_LIMIT} characters")
        review = identifier(properties.get("review_id"), "properties.review_id")
        out = self._out
        row = {
            "text_id": review or message_id, "kind": "review", "author_role": "customer",
            "customer_id": out.user_id or out.anonymous_id,
            "item_id": identifier(_either(properties, "product_id", "item_id"), "properties.product_id"),
            "time": out.time, "day": self._rules.days.day(out.time), "language": language(body),
            "title": text(str(properties.get("title") or "")) or None, "body": text(body),
            "rating": rating, "source": self._rules.source,
        }  # fmt: skip
        if row["body"]:
            out.rows.append(("texts", digest("text", str(row["text_id"])), row))
        return rest

    def _events(self, message_id: str, name: str, parts: list[Row]) -> None:
        out = self._out
        common: Row = {
            "name": name,
            "time": out.time,
            "received_at": self._received,
            "day": self._rules.days.day(out.time),
            "source": self._rules.source,
        }
        if out.user_id is not None:
            common["user_id"] = out.user_id
        if out.anonymous_id is not None:
            common["anonymous_id"] = out.anonymous_id
        context = self._call.get("context")
        if context:
            common |= self._context(context)
        several = len(parts) > 1
        for index, part in enumerate(parts):
            row = {**common, **part}
            if "properties" in common and "properties" in part:
                row["properties"] = common["properties"] | part["properties"]
            row["event_id"] = event_id = f"{message_id}/{index}" if several else message_id
            out.rows.append(("events", event_id, row))

    def _context(self, context: object) -> Row:
        if not isinstance(context, Mapping):
            raise Fault("context", "is not an object", "Send {} or leave it out.")
        found: Row = {}
        if isinstance(campaign := context.get("campaign"), Mapping):
            for column, keys in _CAMPAIGN.items():
                value = next((campaign[k] for k in keys if campaign.get(k)), None)
                if value is not None:
                    found[column] = identifier(value, f"context.campaign.{keys[0]}")
        session = context.get("sessionId") or context.get("session_id")
        if session is not None:
            found["session_id"] = identifier(session, "context.sessionId")
        if isinstance(page := context.get("page"), Mapping):
            seen = {f"page.{k}": _plain_url(page[k]) for k in _PAGE if isinstance(page.get(k), str)}
            found["properties"] = flatten(seen, "context") if seen else {}
        return found

    def _locale(self) -> str | None:
        context = self._call.get("context")
        locale = context.get("locale") if isinstance(context, Mapping) else None
        return locale[:2].lower() if isinstance(locale, str) and locale[:2].isalpha() else None

    def _object(self, name: str) -> Mapping[str, Any]:
        value = self._call.get(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise Fault(name, "is not an object", 'Send {"key": "value"}.')
        return value


_CAMPAIGN = {
    "campaign_id": ("id", "name"),
    "content_id": ("content",),
    "channel": ("medium", "source"),
}


@lru_cache(4096)
def _canonical(name: str) -> str:
    return events.canonical(name)


def _either(values: Mapping[str, Any], camel: str, snake: str) -> Any:
    found = values.get(camel)
    return values.get(snake) if found is None else found


def _plain_url(url: str) -> str:
    """A page's address without its query: that may carry tokens and names."""
    return url.partition("?")[0].partition("#")[0][:2048]


def _rating(value: object) -> float | None:
    if value is None or value == "":
        return None
    try:
        rating = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise Fault(
            "properties.rating", f"{str(value)[:40]!r} is not a number", "1 to 5."
        ) from None
    if not 1 <= rating <= 5:
        raise Fault("properties.rating", f"{rating} is not from 1 to 5", "Rescale it.")
    return rating
