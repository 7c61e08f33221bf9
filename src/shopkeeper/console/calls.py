"""Operations for people who are signed in: with their right, and off the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import cache
from typing import Any, Final, TypeVar

import orjson
from pydantic import BaseModel

from shopkeeper.console.cache import Key, Replies, Stamp
from shopkeeper.console.options import ConsoleOptions
from shopkeeper.console.sessions import Session, SessionEnded, Sessions
from shopkeeper.core import operation as operations
from shopkeeper.core.errors import Cancelled, Unavailable
from shopkeeper.core.operation import Actor, Context, Effect, Operation
from shopkeeper.core.period import Days, Period
from shopkeeper.shop.shop import Shop
from shopkeeper.store.jobs import Job, JobStatus
from shopkeeper.store.people.persons import scopes
from shopkeeper.warehouse.source import Frame, Source

T = TypeVar("T")
Build = Callable[[Source], Frame]

_MOST_QUEUED: Final = 200
_KEPT: Final = frozenset({"metrics", "customers"})
_KEPT_ALSO: Final = frozenset({"recommend.popular", "recommend.related"})
"""What depends on the tables alone, so that it may be answered from memory while they stand still."""
_ROLE_SECONDS: Final = 2.0
_LOOKING, _WORKING = 4, 4
"""Threads that look something up, and that work something out: the first never wait for the second."""


class Calls:
    """The one way from a page to the shop. Whoever calls is checked each time, role and session."""

    def __init__(self, shop: Shop, sessions: Sessions, options: ConsoleOptions) -> None:
        self.shop = shop
        self.sessions = sessions
        self.options = options
        self._replies = Replies(options.kept_replies)
        self._stamp: tuple[float, Stamp] = (float("-inf"), ())
        self._span: tuple[Stamp, Days | None] = ((), None)
        self._actors: dict[str, tuple[float, Actor]] = {}
        self._looking = ThreadPoolExecutor(_LOOKING, "look")
        self._working = ThreadPoolExecutor(_WORKING, "work")
        self._closed = False

    def close(self) -> None:
        """Begin nothing more, and wait for what is being worked out: the shop is closed after that."""
        self._closed = True
        for room in (self._looking, self._working):
            room.shutdown(cancel_futures=True)

    async def run(self, session: Session, name: str, /, **arguments: Any) -> Any:
        """The reply of the operation called ``capability.name``.

        Raises:
            SessionEnded: the person has been idle for too long, or was shut out.
            ShopkeeperError: what the operation raises, NotAllowed among it.
        """
        self.sessions.touch(session)
        operation = find(name)
        if not _kept(operation):
            return await self._in(self._working, lambda: self._run(session, operation, arguments))
        actor, stamp = await self.look(lambda: (self.actor(session), self.stamp()))
        operation.permit(actor)  # before anything is answered from memory
        return await self._ask(operation, arguments, actor, stamp, self._working)

    async def recall(self, session: Session, name: str, /, **arguments: Any) -> Any | None:
        """What :meth:`run` last replied to anybody, though events may have come since; None if unknown.

        It comes from memory. ``run`` says afterwards what is true now.
        """
        self.sessions.touch(session)
        operation = find(name)
        actor, stamp = await self.look(lambda: (self.actor(session), self.stamp()))
        operation.permit(actor)
        return self._replies.last(_key(operation, arguments), stamp)

    async def foresee(self, room: Executor, name: str, /, **arguments: Any) -> None:
        """Work out what somebody may ask soon, in a room of its own, for whoever may see it then."""
        stamp = await self.look(self.stamp)
        nobody = Actor("console", "console", frozenset({"*:read"}))
        await self._ask(find(name), arguments, nobody, stamp, room)

    async def start(self, session: Session, name: str, /, **arguments: Any) -> Job:
        """A queued job that the worker runs; progress and outcome stand in the store."""
        self.sessions.touch(session)
        return await self.look(lambda: self._start(session, name, arguments))

    async def days(self, session: Session, since: Period) -> Days | None:
        """What a period means in this shop."""
        self.sessions.touch(session)
        return await self.look(lambda: self.resolved(since))

    def resolved(self, since: Period) -> Days | None:
        """What a period means in this shop, now; it reads the tables where they have changed."""
        stamp = self.stamp()
        if self._span[0] != stamp:
            self._span = (stamp, self.shop.span())
        span = self._span[1]
        return since.resolve(span.start, span.end) if span else None

    async def rows(self, session: Session, like: str, build: Build) -> list[dict[str, Any]]:
        """The rows of a query of the tables, for who may run the operation ``like``."""
        self.sessions.touch(session)

        def queried() -> list[dict[str, Any]]:
            find(like).permit(self.actor(session))
            found: list[dict[str, Any]] = self.shop.query(build).to_pylist()
            return found

        return await self._in(self._working, queried)

    async def look(self, work: Callable[[], T]) -> T:
        """What a short look into the store gives, off the event loop."""
        return await self._in(self._looking, work)

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

    def stamp(self) -> Stamp:
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

    async def _in(self, room: Executor, work: Callable[[], T]) -> T:
        if self._closed:
            raise Cancelled("The console is stopping.", hint="Load the page again.")
        return await asyncio.get_running_loop().run_in_executor(room, work)

    async def _ask(
        self,
        operation: Operation[Any, Any],
        arguments: Mapping[str, Any],
        actor: Actor,
        stamp: Stamp,
        room: Executor,
    ) -> BaseModel:
        def work() -> BaseModel:
            reply: BaseModel = operation.run(Context(self.shop, actor), arguments)
            return reply

        reply = self._replies.ask(_key(operation, arguments), stamp, work, room)
        # Shielded: whoever goes away must not take the reply from others who wait for it.
        return await asyncio.shield(asyncio.wrap_future(reply))

    def _run(
        self, session: Session, operation: Operation[Any, Any], arguments: Mapping[str, Any]
    ) -> BaseModel:
        reply: BaseModel = operation.run(Context(self.shop, self.actor(session)), arguments)
        return reply

    def _start(self, session: Session, name: str, arguments: Mapping[str, Any]) -> Job:
        operation = find(name)
        actor = self.actor(session)
        operation.admit(actor, arguments)
        operation.check(arguments)
        jobs = self.shop.jobs
        if len(jobs.list(status=JobStatus.QUEUED, limit=_MOST_QUEUED)) >= _MOST_QUEUED:
            raise Unavailable("Too many jobs wait already.", hint="Try again when some have run.")
        return jobs.create(operation.full_name, arguments, actor.name, actor.scopes)


@cache
def find(full_name: str) -> Operation[Any, Any]:
    """The operation called ``capability.name``; looking for it reads folders, so once is enough."""
    return operations.find(full_name)


def _kept(operation: Operation[Any, Any]) -> bool:
    """Whether it depends on the tables alone, so that it may be answered from memory."""
    known = operation.capability in _KEPT or operation.full_name in _KEPT_ALSO
    return known and operation.effect == Effect.READ


def _key(operation: Operation[Any, Any], arguments: Mapping[str, Any]) -> Key:
    return operation.full_name, orjson.dumps(arguments, option=orjson.OPT_SORT_KEYS)
