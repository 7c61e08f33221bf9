"""Removes customers from every table of the store, and looks for them in every cell of it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    LargeBinary,
    Table,
    Text,
    bindparam,
    delete,
    func,
    literal,
    or_,
    select,
    type_coerce,
    update,
)

from shopkeeper.core.subject import ERASED, Needles, Subject
from shopkeeper.store import (
    advice_tables,
    campaign_tables,
    contact_tables,
    content_tables,
    customers_tables,
    experiment_tables,
    insight_tables,
    language_tables,
    recommend_tables,
    tables,
    tasks_tables,
)
from shopkeeper.store.batches import batches
from shopkeeper.store.columns import Json
from shopkeeper.store.database import CUSTOMER_LOCK, Database, lock
from shopkeeper.store.messages import ERASED as NOBODY
from shopkeeper.store.messages import WAITING, State
from shopkeeper.store.revisions import bump

_AT_ONCE = 40
_OWN = frozenset({"erasures", "restrictions"})
_SCRUBBED = (
    (tables.jobs, "number", ("arguments", "result", "error", "message")),
    (tables.imports, "number", ("source", "repaired", "details")),
    (insight_tables.themes, "number", ("names", "words")),
    (insight_tables.theme_changes, "number", ("details",)),
    (recommend_tables.rule_sets, "version", ("rules", "note")),
    (experiment_tables.experiment_changes, "number", ("details",)),
    (customers_tables.segment_versions, "number", ("name", "definition", "note")),
    (customers_tables.segments, "number", ("name",)),
    (content_tables.templates, "number", ("name",)),
    (
        content_tables.template_versions,
        "number",
        ("body", "facts", "checks", "reason", "withdrawn_reason"),
    ),
    (campaign_tables.campaigns, "number", ("name", "why", "design")),
    (campaign_tables.campaign_changes, "number", ("details",)),
    (advice_tables.suggestions, "number", ("reason", "body")),
    (contact_tables.messages, "number", ("content", "labels")),
    (contact_tables.attempts, "number", ("answer",)),
    (contact_tables.message_events, "number", ("link",)),
)
"""Rows that stay without the name: what happened is still told."""
_TOLD = (
    (tables.customers, "customer_id", ("traits",)),
    (tables.consent, "number", ("proof",)),
    (tables.log, "seq", ("payload",)),
    (tables.refused, "number", ("raw",)),
    *_SCRUBBED,
)
"""Cells of JSON in which a field may stand for a person."""


def found(database: Database, needles: Needles) -> dict[str, int]:
    """In how many cells of each column the needles are; the record of a running erasure apart."""
    counts: dict[str, int] = {}
    with database.connect() as connection:
        for table in tables.metadata.sorted_tables:
            if table.name in _OWN:
                continue
            for column in table.columns:
                if isinstance(column.type, Text | Json | LargeBinary):
                    number = _count(connection, table, column, needles)
                    if number:
                        counts[f"{table.name}.{column.name}"] = number
        for table, key, columns in _TOLD:
            for name in columns:
                if keys := _named(connection, table, key, table.c[name], needles):
                    place = f"{table.name}.{name}"
                    counts[place] = counts.get(place, 0) + len(keys)
    return counts


def erase(database: Database, subjects: Sequence[Subject], moved: int) -> None:
    """Remove the customers from every table; rows of the log up to ``moved`` are in the tables.

    What is only kept to refuse a repetition keeps its number and loses its content. A refusal of
    consent needs no row: where nothing is recorded the answer is no.
    """
    needles = Needles.of(*subjects)
    held = sorted({one.sent_id for s in subjects for one in s.held})
    ids = sorted({i for s in subjects for i in (*s.ids, s.customer_id)})
    with database.begin() as connection:
        if database.dialect_name == "postgresql":
            lock(connection, CUSTOMER_LOCK)
        _people(connection, ids)
        _log(connection, held, needles, moved)
        _refused(connection, needles)
        _prompts(connection, needles)
        _labels(connection, ids, needles)
        _lists(connection, ids)
        _assignments(connection, ids)
        _messages(connection, ids, needles)
        for table, key, columns in _SCRUBBED:
            _scrub(connection, table, key, columns, needles)


def scour(database: Database) -> None:
    """Leave nothing of what was deleted on any page of the database."""
    names = ("customers", "identities", "consent", "log", "log_tail", "refused", "imports", "jobs")
    read = ("prompts", "labels", "label_queue", "themes", "theme_changes", "rule_sets")
    tried = ("assignments", "experiment_changes")
    grouped = ("segments", "segment_versions", "list_members", "manual_lists")
    reached = ("messages", "attempts", "message_events", "suppressions")
    written = ("templates", "template_versions", "campaigns", "campaign_changes", "suggestions")
    database.scour(
        (*names, *sorted(_OWN), "pseudonyms", *read, *tried, *grouped, *reached, *written)
    )


def _people(connection: Connection, ids: Sequence[str]) -> None:
    i = tables.identities.c
    for page in batches(ids, 900):
        gone = delete(tables.identities).where(or_(i.customer_id.in_(page), i.sent_id.in_(page)))
        connection.execute(gone)
        for table in (tables.customers, tables.consent):
            connection.execute(delete(table).where(table.c.customer_id.in_(page)))
    bump(connection, "customers", "identities")


def _log(connection: Connection, held: Sequence[str], needles: Needles, moved: int) -> None:
    log, tail = tables.log, tables.log_tail
    emptied = {"kind": "erased", "subject": "", "anonymous_id": "", "payload": b""}
    for page in batches(held, 400):
        theirs = or_(log.c.subject.in_(page), log.c.anonymous_id.in_(page))
        connection.execute(update(log).where(theirs, log.c.seq <= moved).values(emptied))
        gone = delete(tail).where(tail.c.subject.in_(page), tail.c.seq <= moved)
        connection.execute(gone)
    for test in _tests(connection, log.c.payload, needles):
        connection.execute(update(log).where(test, log.c.seq <= moved).values(emptied))
    for page in batches(_named(connection, log, "seq", log.c.payload, needles), 900):
        connection.execute(
            update(log).where(log.c.seq.in_(page), log.c.seq <= moved).values(emptied)
        )
    for test in _tests(connection, log.c.event_id, needles):
        for seq in connection.scalars(select(log.c.seq).where(test, log.c.seq <= moved)).all():
            fresh = f"erased-{secrets.token_hex(16)}"
            one = update(log).where(log.c.seq == seq)
            connection.execute(one.values(event_id=fresh, **emptied))


def _refused(connection: Connection, needles: Needles) -> None:
    r = tables.refused.c
    values = {"raw": None, "reason": ERASED, "hint": "", "retried_by": "erased"}
    for column in (r.raw, r.reason, r.hint):
        for test in _tests(connection, column, needles):
            gone = update(tables.refused).where(test)
            connection.execute(gone.values(**values, retried_at=datetime.now(UTC)))
    for page in batches(_named(connection, tables.refused, "number", r.raw, needles), 900):
        gone = update(tables.refused).where(r.number.in_(page))
        connection.execute(gone.values(**values, retried_at=datetime.now(UTC)))


def _prompts(connection: Connection, needles: Needles) -> None:
    """Answers of models about them, and those in which a name stands that was not masked."""
    prompts = language_tables.prompts
    for column in (prompts.c.about, prompts.c.reply):
        for test in _tests(connection, column, needles):
            connection.execute(delete(prompts).where(test))


def _labels(connection: Connection, ids: Sequence[str], needles: Needles) -> None:
    """Labels of their texts, texts of theirs that wait for one, and labels that quote their name."""
    labels, queue = tasks_tables.labels, tasks_tables.label_queue
    for page in batches(ids, 900):
        for table in (labels, queue):
            connection.execute(delete(table).where(table.c.customer_id.in_(page)))
    for column in (labels.c.value, labels.c.reason, labels.c.text_id):
        for test in _tests(connection, column, needles):
            connection.execute(delete(labels).where(test))
    for test in _tests(connection, queue.c.text_id, needles):
        connection.execute(delete(queue).where(test))


def _lists(connection: Connection, ids: Sequence[str]) -> None:
    """Lists of customers that people keep."""
    listed = customers_tables.list_members
    for page in batches(ids, 900):
        connection.execute(delete(listed).where(listed.c.customer_id.in_(page)))


def _assignments(connection: Connection, ids: Sequence[str]) -> None:
    """Which variants they were given; sums of whole variants stay, they are nobody's."""
    assigned = experiment_tables.assignments
    for page in batches(ids, 900):
        connection.execute(delete(assigned).where(assigned.c.unit_id.in_(page)))


def _messages(connection: Connection, ids: Sequence[str], needles: Needles) -> None:
    """What was sent to them stays without name, address and words, so that a campaign's counts stay true.

    What waits is never sent. Addresses that must not be written to stay suppressed by their keyed hash.
    """
    messages, m = contact_tables.messages, contact_tables.messages.c
    numbers: set[int] = set()
    for page in batches(ids, 900):
        numbers.update(connection.scalars(select(m.number).where(m.customer_id.in_(page))))
        barred = contact_tables.suppressions
        unnamed = update(barred).where(barred.c.customer_id.in_(page))
        connection.execute(unnamed.values(customer_id=None))
    for test in _tests(connection, m.address, needles):
        numbers.update(connection.scalars(select(m.number).where(test)))
    for rows in batches(sorted(numbers), 900):
        waits = m.state.in_(WAITING)
        gone = {"state": State.CANCELLED.value, "reason": "erased", "owner": None}
        connection.execute(update(messages).where(m.number.in_(rows), waits).values(gone))
        blank: dict[str, Any] = {"address": None, "content": None, "labels": {}, "reference": None}
        connection.execute(update(messages).where(m.number.in_(rows)).values(blank))
        for table, values in (
            (contact_tables.attempts, {"answer": None}),
            (contact_tables.message_events, {"link": None, "told": True}),
        ):
            connection.execute(update(table).where(table.c.message.in_(rows)).values(values))
        named = [{"row": number, "name": f"{NOBODY}{secrets.token_hex(16)}"} for number in rows]
        one = update(messages).where(m.number == bindparam("row"))
        connection.execute(one.values(customer_id=bindparam("name")), named)


def _scrub(
    connection: Connection, table: Table, key: str, columns: Collection[str], needles: Needles
) -> None:
    numbers: set[int] = set()
    for name in columns:
        for test in _tests(connection, table.c[name], needles):
            numbers.update(connection.scalars(select(table.c[key]).where(test)))
        numbers.update(_named(connection, table, key, table.c[name], needles))
    for number in sorted(numbers):
        one = select(*(table.c[name] for name in columns)).where(table.c[key] == number)
        row = connection.execute(one).mappings().one()
        values = {name: needles.scrubbed(value) for name, value in row.items()}
        connection.execute(update(table).where(table.c[key] == number).values(values))


def _count(connection: Connection, table: Table, column: Column[Any], needles: Needles) -> int:
    query = select(func.count()).select_from(table)
    return sum(
        connection.scalar(query.where(test)) or 0 for test in _tests(connection, column, needles)
    )


def _tests(
    connection: Connection, column: Column[Any], needles: Needles
) -> Iterator[ColumnElement[bool]]:
    """Conditions that a cell names somebody, a few words at a time."""
    if isinstance(column.type, LargeBinary):
        words = (*needles.spellings, *needles.quoted)
        for page in batches(words, _AT_ONCE):
            yield or_(*(_holds(connection, column, word.encode()) for word in page))
        return
    cell = type_coerce(column, Text)
    for page in batches((*needles.spellings, *needles.quoted), _AT_ONCE):
        yield or_(*(_holds(connection, cell, word) for word in page))
    for page in batches(sorted(needles.bare), 900):
        yield cell.in_(page)


def _named(
    connection: Connection, table: Table, key: str, column: Column[Any], needles: Needles
) -> list[Any]:
    """The keys of the rows in whose cell a field that stands for a person holds one of the names."""
    binary = isinstance(column.type, LargeBinary)
    cell: ColumnElement[Any] = column if binary else type_coerce(column, Text)
    found = []
    forms = {json.dumps(n, ensure_ascii=plain) for n in needles.names for plain in (True, False)}
    forms |= {json.dumps(form)[1:-1] for form in forms}  # of a text that is JSON within JSON
    for page in batches(sorted(forms), _AT_ONCE):
        tests = (_holds(connection, cell, form.encode() if binary else form) for form in page)
        for number, told in connection.execute(select(table.c[key], cell).where(or_(*tests))):
            if needles.in_fields(_parsed(told)):
                found.append(number)
    return sorted(set(found))


def _parsed(told: str | bytes) -> Any:
    try:
        found = json.loads(told)
    except ValueError:  # plain text has no fields
        return None
    return _parsed(found) if isinstance(found, str) else found


def _holds(
    connection: Connection, cell: ColumnElement[Any], word: str | bytes
) -> ColumnElement[bool]:
    if connection.dialect.name == "postgresql":
        return func.strpos(cell, word) > 0 if isinstance(word, str) else _position(cell, word)
    return func.instr(cell, word) > 0


def _position(cell: ColumnElement[Any], word: bytes) -> ColumnElement[bool]:
    return func.position(literal(word, LargeBinary).op("IN")(cell)) > 0


def known_of_others(database: Database, word: str, ids: Collection[str]) -> bool:
    """Whether a text stands in the traits of a customer other than these."""
    c = tables.customers.c
    with database.connect() as connection:
        test = _holds(connection, type_coerce(c.traits, Text), json.dumps(word)[1:-1])
        others = select(c.customer_id).where(test, c.customer_id.not_in(ids)).limit(1)
        return connection.scalar(others) is not None


def others_holding(database: Database, texts: Sequence[str], ids: Collection[str]) -> set[str]:
    """Ids known to the store, other than ``ids``, in which one of the texts stands."""
    known = (tables.customers.c.customer_id, tables.identities.c.sent_id)
    found: set[str] = set()
    with database.connect() as connection:
        for column in known:
            for page in batches(sorted(texts), _AT_ONCE):
                test = or_(*(_holds(connection, column, text) for text in page))
                found.update(connection.scalars(select(column).where(test)))
    return found - set(ids)


def of(
    database: Database, subject: Subject, needles: Needles, moved: int
) -> dict[str, list[dict[str, Any]]]:
    """Every row of the store about the customer, by table; of the log those that are not in the tables."""
    held = sorted({one.sent_id for one in subject.held})
    log, i = tables.log.c, tables.identities.c
    assigned = experiment_tables.assignments
    theirs = or_(log.subject.in_(held), log.anonymous_id.in_(held))
    queries = {
        "store_customers": select(tables.customers).where(tables.customers.c.customer_id.in_(held)),
        "store_identities": select(tables.identities).where(
            or_(i.customer_id.in_(held), i.sent_id.in_(sorted(subject.ids)))
        ),
        "store_consent": select(tables.consent).where(tables.consent.c.customer_id.in_(held)),
        "store_restrictions": select(tables.restrictions).where(
            tables.restrictions.c.customer_id.in_(held)
        ),
        "store_assignments": select(assigned).where(assigned.c.unit_id.in_(held)),
        "store_messages": select(contact_tables.messages).where(
            contact_tables.messages.c.customer_id.in_(held)
        ),
        "store_lists": select(customers_tables.list_members).where(
            customers_tables.list_members.c.customer_id.in_(held)
        ),
        "store_log": select(log.kind, log.received_at, log.payload).where(theirs, log.seq > moved),
    }
    with database.connect() as connection:
        rows = {
            name: [dict(row) for row in connection.execute(query).mappings()]
            for name, query in queries.items()
        }
        numbers: set[int] = set()
        for test in _tests(connection, tables.refused.c.raw, needles):
            numbers.update(connection.scalars(select(tables.refused.c.number).where(test)))
        refused = select(tables.refused).where(tables.refused.c.number.in_(sorted(numbers)))
        rows["store_refused"] = [dict(row) for row in connection.execute(refused).mappings()]
    return rows
