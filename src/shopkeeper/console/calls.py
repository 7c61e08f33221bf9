"""Operations for people who are signed in: with their right, and off the event loop."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import narwhals as nw
import orjson
from nicegui import run
from pydantic import BaseModel

from shopkeeper.console.cache import Replies
from shopkeeper.console.options import ConsoleOptions
from shopkeeper.console.sessions import Session, SessionEnded, Sessions
from shopkeeper.core.errors import Cancelled, Unavailable
from shopkeeper.core.operation import Actor, Context, Effect, find
from shopkeeper.core.period import Days, Period
from shopkeeper.shop.shop import Shop
from shopkeeper.store.jobs import Job, JobStatus
from shopkeeper.store.people.persons import scopes
from shopkeeper.warehouse.source import Frame, Source

_MOST_QUEUED: Final = 200
_KEPT: Final = frozenset({"metrics", "customers"})
_KEPT_ALSO: Final = frozenset({"recommend.popular", "recommend.related"})
"""What depends on the tables alone, so that it may be answered from memory while they stand still."""
_ROLE_SECONDS: Final = 2.0


class Calls:
    """The one way from a page to the shop. Whoever calls is checked each time, role and session."""

    def __init__(self, shop: Shop, sessions: Sessions, options: ConsoleOptions) -> None:
        self.shop = shop
        self.sessions = sessions
        self.options = options
        self._replies = Replies(options.kept_replies)
        self._stamp: tuple[float, tuple[int, ...]] = (float("-inf"), ())
        self._actors: dict[str, tuple[float, Actor]] = {}

    async def run(self, session: Session, name: str, /, **arguments: Any) -> Any:
        """The reply of the operation called ``capability.name``.

        Raises:
            SessionEnded: the person has been idle for too long, or was shut out.
            ShopkeeperError: what the operation raises, NotAllowed among it.
        """
        self.sessions.touch(session)
        reply = await run.io_bound(self._run, session, name, arguments)
        if reply is None:
            raise Cancelled("The console is stopping.", hint="Load the page again.")
        return reply

    async def start(self, session: Session, name: str, /, **arguments: Any) -> Job:
        """A queued job that the worker runs; progress and outcome stand in the store."""
        self.sessions.touch(session)
        job = await run.io_bound(self._start, session, name, arguments)
        if job is None:
            raise Cancelled("The console is stopping.", hint="Load the page again.")
        return job

    async def days(self, session: Session, since: Period) -> Days | None:
        """What a period means in this shop."""
        self.sessions.touch(session)
        span = await run.io_bound(self.shop.span)
        return since.resolve(span.start, span.end) if span else None

    async def titles(self, session: Session, item_ids: Sequence[str]) -> dict[str, str]:
        """The titles of items, by id: what numbers are about, for who may see numbers."""
        self.sessions.touch(session)
        find("metrics.rows").permit(self.actor(session))
        return await run.io_bound(self._titles, item_ids) or {}

    def _titles(self, item_ids: Sequence[str]) -> dict[str, str]:
        def build(source: Source) -> Frame:
            known = source.items().filter(nw.col("item_id").is_in(item_ids))
            return known.select("item_id", "title")

        rows = self.shop.query(build).to_pylist()
        return {row["item_id"]: row["title"] for row in rows if row["title"]}

    def actor(self, session: Session) -> Actor:
        """The person with the rights of their role as it is now."""
        now = time.monotonic()
        known = self._actors.get(session.person)
        if known is not None and known[0] > now:
            return known[1]
        person = self.shop.persons.find(session.person)
        if person is None or person.disabled_at is not None:
            self.sessions.close_all(session.person)
            self._actors.pop(session.person, None)
            raise SessionEnded("expired")
        actor = Actor("person", person.name, scopes(person.role))
        self._actors[session.person] = (now + _ROLE_SECONDS, actor)
        return actor

    def stamp(self) -> tuple[int, ...]:
        """What changes whenever the tables or the rows they copy do."""
        now = time.monotonic()
        until, stamp = self._stamp
        if until > now:
            return stamp
        snapshot = self.shop.warehouse.tables["events"].snapshot()
        rows = ("items", "customers", "identities", "restrictions")
        stamp = (
            snapshot.version if snapshot else -1,
            *(self.shop.state.revision(table) for table in rows),
        )
        self._stamp = (now + self.options.stamp_seconds, stamp)
        return stamp

    def _run(self, session: Session, name: str, arguments: Mapping[str, Any]) -> BaseModel:
        operation = find(name)
        actor = self.actor(session)
        context = Context(self.shop, actor)
        kept = operation.effect == Effect.READ and (
            operation.capability in _KEPT or name in _KEPT_ALSO
        )
        if not kept:
            reply: BaseModel = operation.run(context, arguments)
            return reply
        operation.permit(actor)  # before anything is answered from memory
        key = (name, orjson.dumps(arguments, option=orjson.OPT_SORT_KEYS), self.stamp())
        return self._replies.get(key, lambda: operation.run(context, arguments))

    def _start(self, session: Session, name: str, arguments: Mapping[str, Any]) -> Job:
        operation = find(name)
        actor = self.actor(session)
        operation.admit(actor, arguments)
        operation.check(arguments)
        jobs = self.shop.jobs
        if len(jobs.list(status=JobStatus.QUEUED, limit=_MOST_QUEUED)) >= _MOST_QUEUED:
            raise Unavailable("Too many jobs wait already.", hint="Try again when some have run.")
        return jobs.create(operation.full_name, arguments, actor.name)
