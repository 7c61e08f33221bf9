"""Operations for people who are signed in: with their right, and off the event loop."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, Final, TypeVar

import orjson
from pydantic import BaseModel

from shopkeeper.console.cache import Key, Replies, Stamp
from shopkeeper.console.options import ConsoleOptions
from shopkeeper.console.sessions import Session, SessionEnded, Sessions
from shopkeeper.core.errors import Cancelled, Unavailable
from shopkeeper.core.operation import Actor, Context, Effect, Operation, find
from shopkeeper.core.period import Days, Period
from shopkeeper.shop.shop import Shop
from shopkeeper.store.jobs import Job, JobStatus
from shopkeeper.store.people.persons import scopes
from shopkeeper.warehouse.source import Frame, Source

T = TypeVar("T")
Build = Callable[[Source], Frame]

_MOST_QUEUED: Final = 200
_KEPT: Final = frozenset({"metrics", "customers"})
"""What depends on the tables alone, so that it may be answered from memory while they stand still."""
_NEVER_KEPT: Final = frozenset({"customers.freshness"})
"""What also depends on jobs that run."""
_ROWS: Final = ("items", "customers", "identities", "restrictions", "segments")
"""Of the store, with a number each that grows with every change."""
_ROLE_SECONDS: Final = 2.0
_LOOKING, _WORKING = 4, max(2, os.cpu_count() or 1)
"""Threads that look something up, and that work something out: the first never wait for the second."""
_SHARE: Final = 0.25
"""Of one thread's time, how much may go into working out anew what was known, while events stream in."""
_LONGEST_S: Final = 120.0


class Calls:
    """The one way from a page to the shop. Whoever calls is checked each time, role and session."""

    def __init__(self, shop: Shop, sessions: Sessions, options: ConsoleOptions) -> None:
        self.shop = shop
        self.sessions = sessions
        self.options = options
        self._replies = Replies(options.kept_replies)
        self._stamp: tuple[float, Stamp] = (float("-inf"), ())
        self._held_until = float("-inf")
        self._version = -1
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
        actor, stamp = await self._asker(session)
        operation.permit(actor)  # before anything is answered from memory
        return await self._ask(operation, arguments, actor, stamp, self._working)

    async def recall(self, session: Session, name: str, /, **arguments: Any) -> Any | None:
        """What :meth:`run` last replied to anybody, though events may have come since; None if unknown.

        It comes from memory. ``run`` says afterwards what is true now.
        """
        self.sessions.touch(session)
        operation = find(name)
        actor, stamp = await self._asker(session)
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
        until, stamp = self._stamp
        if until > time.monotonic() and self._span[0] == stamp:  # nothing to look up
            return self.resolved(since)
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

    def actor(self, session: Session, *, asked: bool = False) -> Actor:
        """The person with the rights of their role as it is now, or as it was two seconds ago.

        With ``asked`` the store is asked in any case: who opens a page learns that it does not answer.
        """
        now = time.monotonic()
        known = self._actors.get(session.person)
        if known is not None and known[0] > now and not asked:
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
        if now >= self._held_until:
            self._version = self._written("events")
            self._held_until = now
        stamp = (
            self._version,
            *(self._written(table) for table in ("memberships", "scores")),  # by jobs: never held
            *(self.shop.state.revision(table) for table in _ROWS),
        )
        self._stamp = (now + self.options.stamp_seconds, stamp)
        return stamp

    def _written(self, table: str) -> int:
        snapshot = self.shop.warehouse.tables[table].snapshot()
        return snapshot.version if snapshot else -1

    def renew(self) -> None:
        """Look at the tables anew with the next question: more has changed than a few events."""
        self._held_until = float("-inf")
        self._stamp = (float("-inf"), self._stamp[1])

    def _took(self, seconds: float) -> None:
        """Show people the same version of the events the longer, the more it costs to answer from it.

        Fifty people over ten million events, into which others stream, would else ask for nothing but
        answers that are old before they are there. What takes somebody out of the figures (an erasure,
        a restriction, a merge) is another part of the stamp and counts at once.
        """
        held = self._held_until + seconds / _SHARE
        self._held_until = min(held, time.monotonic() + _LONGEST_S)

    async def _asker(self, session: Session) -> tuple[Actor, Stamp]:
        """Who asks and of which state, without a thread where both were looked up just now."""
        now = time.monotonic()
        known, (until, stamp) = self._actors.get(session.person), self._stamp
        if known is not None and min(known[0], until) > now:
            return known[1], stamp
        return await self.look(lambda: (self.actor(session), self.stamp()))

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
            began = time.monotonic()
            reply: BaseModel = operation.run(Context(self.shop, actor), arguments)
            self._took(time.monotonic() - began)
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


def _kept(operation: Operation[Any, Any]) -> bool:
    """Whether it depends on the tables alone, so that it may be answered from memory."""
    kept = operation.capability in _KEPT and operation.full_name not in _NEVER_KEPT
    return kept and operation.effect == Effect.READ


def _key(operation: Operation[Any, Any], arguments: Mapping[str, Any]) -> Key:
    return operation.full_name, orjson.dumps(arguments, option=orjson.OPT_SORT_KEYS)
