"""What holds sending up: a person's pause or stop, a provider that said no more, a breaker that opened."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, select

from shopkeeper.store import tables
from shopkeeper.store.contact_tables import contact_controls
from shopkeeper.store.database import Database

_C = contact_controls.c
_CHANGED = ("state", "reason", "since", "until")

ALL = "all"


@dataclass(frozen=True, slots=True)
class Control:
    """What is held up, and since when.

    ``name`` is ``all``, ``channel:<name>``, ``step:<name>`` or ``campaign:<name>`` where a person holds it
    up, ``provider:<channel>`` where the channel's breaker does.
    """

    name: str
    state: str
    reason: str
    since: datetime
    until: datetime | None


def over(channel: str) -> list[str]:
    """The controls under which a whole channel stands."""
    return [ALL, f"channel:{channel}", f"provider:{channel}"]


def names(channel: str, step: str, campaign: str) -> list[str]:
    """The controls under which a message stands."""
    return [*over(channel), f"step:{step}", f"campaign:{campaign}"]


def held(connection: Connection, wanted: list[str], at: datetime) -> Control | None:
    """The control among these that holds messages up at that time."""
    query = select(contact_controls).where(_C.name.in_(wanted))
    for row in connection.execute(query).mappings():
        control = Control(**row)
        if control.until is None or control.until > at:
            return control
    return None


class Controls:
    """Reads and sets them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set(self, name: str, state: str, reason: str, until: datetime | None = None) -> None:
        """Hold up what goes by this name, until then or until it is freed."""
        now = datetime.now(UTC)
        row = {"name": name, "state": state, "reason": reason, "since": now, "until": until}
        with self._database.begin() as connection:
            connection.execute(tables.upsert(connection, contact_controls, ["name"], _CHANGED), row)

    def free(self, name: str) -> bool:
        """Let it go on; False where nothing held it up."""
        gone = delete(contact_controls).where(_C.name == name)
        with self._database.begin() as connection:
            return connection.execute(gone).rowcount > 0

    def all(self) -> list[Control]:
        """Everything that is held up, or was until lately."""
        with self._database.connect() as connection:
            rows = connection.execute(select(contact_controls).order_by(_C.name)).mappings()
            return [Control(**row) for row in rows]

    def of(self, wanted: list[str], at: datetime) -> Control | None:
        """The control among these that holds at that time."""
        with self._database.connect() as connection:
            return held(connection, wanted, at)
