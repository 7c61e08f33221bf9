"""Shop: a workspace of tables, state, clock and settings. Everything else is given one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from shopkeeper.core import settings as settings_file
from shopkeeper.core.errors import Conflict, NotFound
from shopkeeper.core.operation import Actor
from shopkeeper.core.period import Days
from shopkeeper.core.settings import Settings
from shopkeeper.shop.seen import Seen
from shopkeeper.shop.spill import spill
from shopkeeper.shop.state import State
from shopkeeper.shop.trail import audited
from shopkeeper.shop.writing import Writing
from shopkeeper.store.audit.chain import Audit
from shopkeeper.store.catalogue import Catalogue
from shopkeeper.store.consent.statements import Consent
from shopkeeper.store.customers import Customers
from shopkeeper.store.database import Database
from shopkeeper.store.imports import Imports
from shopkeeper.store.jobs import Jobs
from shopkeeper.store.keys.ring import Keys
from shopkeeper.store.log import IntakeLog
from shopkeeper.store.people.invitations import Invitations
from shopkeeper.store.people.persons import Persons
from shopkeeper.store.restrictions import Restrictions
from shopkeeper.store.revisions import Glance, Revisions
from shopkeeper.store.segments import Segments
from shopkeeper.warehouse.source import Tail
from shopkeeper.warehouse.timelines import FOLDER as TIMELINES
from shopkeeper.warehouse.timelines import Timelines
from shopkeeper.warehouse.warehouse import Build, Warehouse
from shopkeeper.warehouse.writer import Writer, decode

_TAIL_ROWS = 200_000  # a live answer reads no more than this of what waits in the log


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Shop:
    """One shop, opened from its folder; safe to share between threads; close it when done."""

    def __init__(
        self, folder: Path, settings: Settings, *, now: Callable[[], datetime] = _utc_now
    ) -> None:
        self.folder = folder
        self.settings = settings
        self.now = now
        self.database = Database(settings.database or folder / "shop.sqlite")
        self.database.migrate()
        root = settings.tables if "://" in settings.tables else str(folder / settings.tables)
        self.warehouse = Warehouse(
            root,
            memory_mb=settings.memory_mb,
            spill=spill(folder),
            engine=settings.engine,
            spark_url=settings.spark_url,
        )
        self.timelines = Timelines(self.warehouse, folder / TIMELINES)
        self.log = IntakeLog(self.database)
        self.catalogue = Catalogue(self.database)
        self.people = Customers(self.database)
        self.consent = Consent(self.database)
        self.keys = Keys(self.database)
        self.persons = Persons(self.database)
        self.invitations = Invitations(self.database)
        self.audit = Audit(self.database)
        self.jobs = Jobs(self.database)
        self.imports = Imports(self.database)
        self.segments = Segments(self.database)
        self.restrictions = Restrictions(self.database)
        self.state = State(self.catalogue, self.people, Revisions(self.database), settings.zone)
        self._seen = Seen(self.database, self.people, self.restrictions, settings.zone)
        self._writing = Writing(self)

    @classmethod
    def create(cls, folder: str | Path, settings: Settings | None = None) -> Shop:
        """A new shop in ``folder``, which is made where it is missing.

        Raises:
            Conflict: there is a shop already.
        """
        path = Path(folder).resolve()
        file = path / settings_file.FILE
        if file.exists():
            raise Conflict(
                f"There is a shop in {path} already.", hint="Open it, or choose another folder."
            )
        path.mkdir(parents=True, exist_ok=True)
        file.write_text(settings_file.dump(settings or Settings()), "utf-8")
        return cls.open(path)

    @classmethod
    def open(cls, folder: str | Path, *, now: Callable[[], datetime] = _utc_now) -> Shop:
        """The shop in ``folder``, its database brought up to date.

        Raises:
            NotFound: there is none; says how to make one.
        """
        path = Path(folder).resolve()
        if not (path / settings_file.FILE).exists():
            raise NotFound(
                f"There is no shop in {path}.", hint=f"Make one: shopkeeper init {folder}"
            )
        return cls(path, settings_file.load(path), now=now)

    def query(self, build: Build, *, live: bool | Sequence[str] = False) -> pa.Table:
        """The rows of the frame that ``build`` makes of the tables.

        Args:
            build: a function of a :class:`~shopkeeper.warehouse.source.Source`.
            live: also count events that were accepted and not moved yet: all of them, or those of the
                given ``user_id`` and ``anonymous_id`` alone, which is faster.
        """
        tail: Tail | None = None
        if live is True:
            tail = self._whole_tail
        elif live:
            subjects = list(live)

            def tail(after: int) -> pa.Table:
                return decode(self.log.tail(after, subjects), "events")

        people = self._seen.by(live)
        return self.warehouse.query(build, now=self.now(), tail=tail, people=people)

    def span(self) -> Days | None:
        """The first and the last local day that has events; None in a shop without any."""
        return self.warehouse.span()

    def hides(self, customer_id: str, seen: Glance) -> bool:
        """Whether the customer's data are restricted, as of that look: queries leave them out."""
        return customer_id in self._seen.at(seen).customers

    def writer(self, purpose: str) -> AbstractContextManager[Writer]:
        """The tables' writer, while the ``with`` block lasts.

        Within one process it may be entered again, also from other threads.

        Raises:
            LeaseHeld: another process writes; names it.
        """
        return self._writing.hold(purpose)

    @contextmanager
    def audited(self, actor: Actor, operation: str, arguments: Mapping[str, Any]) -> Iterator[None]:
        """Record who ran what, and how it ended, in the audit chain."""
        with audited(self.audit, actor, operation, arguments):
            yield

    def close(self) -> None:
        """Give back the database, the engine and, if held, the lease."""
        self._writing.close()
        self.warehouse.close()
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def _whole_tail(self, after: int) -> pa.Table:
        rows = self.log.read(after, _TAIL_ROWS)
        return decode([payload for _, table, payload in rows if table == "events"], "events")
