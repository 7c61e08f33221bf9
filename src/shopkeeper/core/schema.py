"""Every table of the warehouse and every column name: the one place where they are written.

Types are words that any engine can map: ``string``, ``int64``, ``float64``, ``bool``, ``timestamp``
(UTC, microseconds), ``date`` and ``map`` (of string to string).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column: its name, its type and what it means."""

    name: str
    type: str
    meaning: str
    required: bool = False


@dataclass(frozen=True)
class Table:
    """One table: its columns in order, what identifies a row, and how it is partitioned."""

    name: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    partition: str | None = None

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


EVENTS = Table(
    "events",
    key=("event_id",),
    partition="day",
    columns=(
        Column(
            "event_id", "string", "unique; a second one is refused as a duplicate", required=True
        ),
        Column("user_id", "string", "the shop's own customer id, as sent"),
        Column("anonymous_id", "string", "the visitor's device or cookie, as sent"),
        Column("name", "string", "GA4 snake case: view_item, purchase …", required=True),
        Column("time", "timestamp", "when it happened, UTC", required=True),
        Column("received_at", "timestamp", "when it was accepted, UTC", required=True),
        Column("day", "date", "the shop's local date of `time`", required=True),
        Column("item_id", "string", "what it was about"),
        Column("quantity", "float64", "units; positive, also for refunds"),
        Column("price", "float64", "of one unit, in `currency`"),
        Column("value", "float64", "of the line: quantity × price after discounts; positive"),
        Column("cost", "float64", "of the line to the shop, where known"),
        Column("currency", "string", "ISO 4217"),
        Column("order_id", "string", "one row a line: lines of one order share it"),
        Column("session_id", "string", "one visit"),
        Column("query", "string", "what was searched for"),
        Column("channel", "string", "where the customer came from or was reached"),
        Column("campaign_id", "string", "the campaign that led here"),
        Column("content_id", "string", "the message or page variant that led here"),
        Column("experiment_id", "string", "the experiment the customer was in"),
        Column("variant_id", "string", "the arm of that experiment"),
        Column("propensity", "float64", "probability with which this was shown"),
        Column("properties", "map", "what has no column of its own"),
        Column("source", "string", "which importer or key brought it", required=True),
    ),
)

TEXTS = Table(
    "texts",
    key=("text_id",),
    partition="day",
    columns=(
        Column("text_id", "string", "unique", required=True),
        Column(
            "kind", "string", "review, post, ticket, chat, news, document, creative", required=True
        ),
        Column("author_role", "string", "customer, agent, shop, machine"),
        Column("thread_id", "string", "the conversation or discussion it belongs to"),
        Column("customer_id", "string", "whose words, as sent"),
        Column("item_id", "string", "what it is about"),
        Column("time", "timestamp", "when it was written, UTC", required=True),
        Column("day", "date", "the shop's local date of `time`", required=True),
        Column("language", "string", "zh, en …"),
        Column("title", "string", "headline or subject"),
        Column("body", "string", "the words: untrusted", required=True),
        Column("rating", "float64", "1 to 5, where given"),
        Column("source", "string", "which importer or key brought it", required=True),
        Column("url", "string", "where it was published"),
    ),
)

READINGS = Table(
    "readings",
    key=("text_id", "task", "position", "model_version"),
    partition="day",
    columns=(
        Column("text_id", "string", "the text that was read", required=True),
        Column("day", "date", "that text's day", required=True),
        Column("task", "string", "what was asked: theme, sentiment, aspects …", required=True),
        Column("position", "int64", "0, 1, … for several findings in one text", required=True),
        Column("label", "string", "the answer: a theme's id, a polarity, an aspect's category"),
        Column("span", "string", "the words of the text that it is about"),
        Column("opinion", "string", "the words of the text that judge it"),
        Column("span_start", "int64", "first character of `span` in the text; null without a span"),
        Column("span_end", "int64", "first character after it"),
        Column("value", "float64", "a number: polarity, similarity to the theme"),
        Column("confidence", "float64", "calibrated chance that the answer is right"),
        Column("answered_by", "string", "who answered: a student, a teacher …", required=True),
        Column("model_version", "string", "which version of it", required=True),
        Column("time", "timestamp", "when it was read, UTC", required=True),
    ),
)

TRAITS = Table(
    "traits",
    key=("customer_id", "name", "time"),
    columns=(
        Column("customer_id", "string", "whose trait", required=True),
        Column(
            "name", "string", "what has no column of its own: gender, city, plan …", required=True
        ),
        Column("value", "string", "as text"),
        Column("time", "timestamp", "since when it holds", required=True),
        Column("source", "string", "who said so", required=True),
    ),
)

_VALIDITY = (
    Column("valid_from", "timestamp", "first instant at which this row held", required=True),
    Column("valid_to", "timestamp", "first instant at which it no longer did; null: it still does"),
)

ITEMS = Table(
    "items",
    key=("item_id", "valid_from"),
    columns=(
        Column("item_id", "string", "unique at any time", required=True),
        Column(
            "kind",
            "string",
            "product, article, video, fund; service for fees and postage",
            required=True,
        ),
        Column("title", "string", "the name customers see"),
        Column("description", "string", "a short text"),
        Column("body", "string", "the long text"),
        Column("brand", "string", "the maker"),
        Column("category", "string", "path, widest first, joined by ' > '"),
        Column("price", "float64", "of one unit"),
        Column("cost", "float64", "of one unit to the shop"),
        Column("stock", "float64", "units at hand"),
        Column("currency", "string", "ISO 4217, of price and cost"),
        Column("attributes", "map", "what has no column of its own"),
        Column("image_url", "string", "a picture"),
        Column("available_from", "timestamp", "not offered before"),
        Column("expires_at", "timestamp", "not offered from then on"),
        Column("language", "string", "of title and description"),
        *_VALIDITY,
    ),
)

FACTS = Table(
    "facts",
    key=("fact_id", "valid_from"),
    columns=(
        Column("fact_id", "string", "unique at any time", required=True),
        Column("item_id", "string", "what it is true of", required=True),
        Column("name", "string", "material, weight, origin …", required=True),
        Column("value", "string", "as text", required=True),
        Column("unit", "string", "kg, cm, % …"),
        Column("source", "string", "who says so: what copy may cite", required=True),
        *_VALIDITY,
    ),
)

CUSTOMERS = Table(
    "customers",
    key=("customer_id", "valid_from"),
    columns=(
        Column("customer_id", "string", "unique at any time", required=True),
        Column("first_seen", "timestamp", "when the shop first knew this customer"),
        Column("language", "string", "zh, en …"),
        Column("country", "string", "ISO 3166 or as sent"),
        Column("traits", "map", "current traits, as text"),
        *_VALIDITY,
    ),
)

IDENTITIES = Table(
    "identities",
    key=("sent_id",),
    columns=(
        Column("sent_id", "string", "a user_id or anonymous_id as events carry it", required=True),
        Column("customer_id", "string", "the customer it stands for now", required=True),
        Column("since", "timestamp", "when that became known", required=True),
        Column("by", "string", "identify, alias or a person", required=True),
    ),
)

HANDOVERS = Table(
    "handovers",
    key=("sent_id", "starts_at"),
    columns=(
        Column(
            "sent_id",
            "string",
            "an id that stood for several customers, as a shared device",
            required=True,
        ),
        Column("customer_id", "string", "for whom in this period", required=True),
        Column("starts_at", "timestamp", "first instant of the period; null: since ever"),
        Column("ends_at", "timestamp", "first instant after it; null: it goes on"),
        Column("starts_on", "date", "the shop's local date of `starts_at`"),
        Column("ends_on", "date", "the shop's local date of `ends_at`"),
    ),
)

DAILY = Table(
    "daily",
    key=("day", "user_id", "anonymous_id"),
    partition="day",
    columns=(
        Column("user_id", "string", "as sent"),
        Column("anonymous_id", "string", "as sent"),
        Column("day", "date", "the shop's local date", required=True),
        Column("events", "int64", "events by which somebody was active: not what happened to them"),
        Column("views", "int64", "view_item"),
        Column("carts", "int64", "add_to_cart"),
        Column("orders", "int64", "distinct order_id of purchases"),
        Column("lines", "int64", "purchase rows"),
        Column("units", "float64", "units bought"),
        Column("revenue", "float64", "value of purchases"),
        Column("cost", "float64", "cost of purchases whose cost is known"),
        Column("costed_revenue", "float64", "value of purchases whose cost is known"),
        Column("refund_lines", "int64", "refund rows"),
        Column("refund_units", "float64", "units given back"),
        Column("refunds", "float64", "value of refunds"),
        Column("refund_cost", "float64", "cost of refunded lines whose cost is known"),
        Column("costed_refunds", "float64", "value of refunds whose cost is known"),
        Column(
            "stamp",
            "string",
            "which state of that day's events this was computed from",
            required=True,
        ),
    ),
)

MEMBERSHIPS = Table(
    "memberships",
    key=("customer_id", "segment", "valid_from"),
    columns=(
        Column("customer_id", "string", "who is, or was, in the segment", required=True),
        Column("segment", "string", "the segment's id: S1, S2 …", required=True),
        Column("version", "int64", "the version of its definition that let them in", required=True),
        Column("reasons", "string", "JSON: what each condition found when they entered"),
        *_VALIDITY,
    ),
)
"""Only ever added to: a row with ``valid_to`` ends the open row of the same key."""

SCORES = Table(
    "scores",
    key=("customer_id", "prediction", "valid_from"),
    columns=(
        Column("customer_id", "string", "whom it is about", required=True),
        Column("prediction", "string", "churn_30, value_365, cluster, lookalike:…", required=True),
        Column("value", "float64", "a chance, a number or an amount; null: it cannot be said"),
        Column("low", "float64", "lower end of its interval"),
        Column("high", "float64", "upper end of its interval"),
        Column("reasons", "string", "JSON: codes, weights and what they rest on"),
        Column("model_version", "string", "which version of which model said so", required=True),
        *_VALIDITY,
    ),
)
"""A run writes its predictions anew: its rows are open, those of the run before are closed by it."""

DECISIONS = Table(
    "decisions",
    key=("decision_id", "position"),
    partition="day",
    columns=(
        Column("decision_id", "string", "one choice, or one list of them", required=True),
        Column("position", "int64", "0, 1, …: places of a list, the first being 0", required=True),
        Column("day", "date", "the shop's local date of `time`", required=True),
        Column("time", "timestamp", "when it was made, UTC", required=True),
        Column("customer_id", "string", "for whom"),
        Column("kind", "string", "recommend, experiment, message …", required=True),
        Column("chosen", "string", "what was chosen: an item_id, a variant_id …", required=True),
        Column("propensity", "float64", "the chance with which it was, given what stands above"),
        Column("candidates", "map", "the chance of each that could have been, as text"),
        Column("policy", "string", "the version of what decided", required=True),
        Column("rules", "string", "names of the rules that left a trace, as a JSON list"),
        Column("context", "map", "page, why and the like"),
        Column("personalised", "bool", "false: nothing about the customer counted", required=True),
    ),
)

_EVERY = (
    EVENTS,
    TEXTS,
    READINGS,
    TRAITS,
    ITEMS,
    FACTS,
    CUSTOMERS,
    IDENTITIES,
    HANDOVERS,
    DAILY,
    MEMBERSHIPS,
    SCORES,
    DECISIONS,
)

TABLES: dict[str, Table] = {table.name: table for table in _EVERY}
