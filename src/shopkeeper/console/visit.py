"""One open page: who looks at it, in which language, and its way to the shop."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

import narwhals as nw
from nicegui import background_tasks, ui
from nicegui.element import Element

from shopkeeper.console import parts
from shopkeeper.console.calls import Build, Calls
from shopkeeper.console.live import Live
from shopkeeper.console.pulse import Beat, Pulse
from shopkeeper.console.sessions import Session, SessionEnded
from shopkeeper.console.words import Words, words
from shopkeeper.core.errors import ShopkeeperError, Unavailable
from shopkeeper.core.operation import WRITE, Actor, find
from shopkeeper.core.period import Days, Period
from shopkeeper.core.settings import Language
from shopkeeper.metrics.types import Definition
from shopkeeper.report.numbers import Numbers
from shopkeeper.store.jobs import Job
from shopkeeper.warehouse.source import Frame, Source

T = TypeVar("T")
Again = Callable[[], Awaitable[Any]]

log = logging.getLogger("shopkeeper.console")

_STANDS_S: Final = 0.4  # what is shown stays for so long: charts must not be drawn twice in a row


class Visit:
    """What every page is given."""

    def __init__(
        self, calls: Calls, pulse: Pulse, session: Session, actor: Actor, lang: Language
    ) -> None:
        settings = calls.shop.settings
        self.calls = calls
        self.pulse = pulse
        self.session = session
        self.lang: Language = lang
        self.settings = settings
        self.w: Words = words(lang)
        self.n = Numbers(lang, settings.currency, settings.zone)
        self.since = "30d"
        self.actor = actor
        self.client = ui.context.client
        self.toasts: Element | None = None
        self.choices: dict[str, str] = {}
        self._live = Live()
        self._turns: WeakKeyDictionary[Element, object] = WeakKeyDictionary()
        self._drawn: WeakKeyDictionary[Element, object] = WeakKeyDictionary()
        self._waiting: WeakKeyDictionary[Element, Again] = WeakKeyDictionary()
        self._definitions: dict[str, Definition] = {}

    @property
    def origin(self) -> str:
        """The address under which this person reached the console."""
        request = self.client.request
        scheme = "https" if self.calls.options.secure else request.url.scheme
        return f"{scheme}://{request.url.netloc}"

    def may(self, operation: str) -> bool:
        """Whether the person may run it: what they may not is not offered."""
        capability, _, _ = operation.partition(".")
        return self.actor.may(capability, find(operation).effect)

    def may_write(self, capability: str) -> bool:
        """Whether the person may change what belongs to that capability."""
        return self.actor.may(capability, WRITE)

    async def run(self, name: str, /, **arguments: Any) -> Any:
        """The operation's reply, with this person's right."""
        return await self.calls.run(self.session, name, **arguments)

    async def recall(self, name: str, /, **arguments: Any) -> Any | None:
        """What it replied last, if that is in memory; events may have come since."""
        return await self.calls.recall(self.session, name, **arguments)

    async def start(self, name: str, /, **arguments: Any) -> Job | None:
        """Queue a job and say so; None where it was refused, which is said too."""
        job = await self.queue(name, **arguments)
        if job is not None:
            self.tell(self.w("jobs.queued"), link=f"/jobs/{job.job_id}")
        return job

    async def queue(self, name: str, /, **arguments: Any) -> Job | None:
        """The same where the page shows it itself."""
        return await self.attempt(self.calls.start(self.session, name, **arguments))

    async def definitions(self) -> dict[str, Definition]:
        """Every metric by name."""
        if not self._definitions:
            reply = await self.run("metrics.definitions")
            self._definitions = {d.name: d for d in reply.metrics}
        return self._definitions

    async def days(self) -> Days | None:
        """The days that the chosen period means in this shop; None in one without events."""
        return await self.calls.days(self.session, Period(self.since))

    async def rows(self, like: str, build: Build) -> list[dict[str, Any]]:
        """The rows of a query of the tables, with the right that the operation ``like`` needs."""
        return await self.calls.rows(self.session, like, build)

    async def titles(self, item_ids: Iterable[object]) -> dict[str, str]:
        """The titles of these items, as far as they have one."""
        wanted = sorted({str(i) for i in item_ids if i is not None})
        if not wanted:
            return {}

        def build(source: Source) -> Frame:
            known = source.items().filter(nw.col("item_id").is_in(wanted))
            return known.select("item_id", "title")

        rows = await self.rows("metrics.rows", build)
        return {row["item_id"]: row["title"] for row in rows if row["title"]}

    async def fill(
        self,
        holder: Element,
        work: Callable[[], Awaitable[T]],
        draw: Callable[[T], Any],
        *,
        quiet: bool = False,
        recall: Callable[[], Awaitable[T | None]] | None = None,
    ) -> None:
        """Show that something is worked out, then what ``draw`` makes of it, or what went wrong.

        With ``recall`` what it gives is drawn first. ``quiet`` leaves what stands there until something
        else is known.
        """
        turn = self._turns[holder] = object()
        holder.props("aria-busy=true")  # what stands there may be replaced under somebody's hand
        try:
            await self._filled(holder, turn, work, draw, quiet=quiet, recall=recall)
        finally:
            if not holder.is_deleted and self._turns.get(holder) is turn:
                holder.props(remove="aria-busy")

    async def _filled(
        self,
        holder: Element,
        turn: object,
        work: Callable[[], Awaitable[T]],
        draw: Callable[[T], Any],
        *,
        quiet: bool,
        recall: Callable[[], Awaitable[T | None]] | None,
    ) -> None:
        drawn_at, known = float("-inf"), None
        try:
            known = await recall() if recall is not None and not quiet else None
            if known is not None:
                self._draw(holder, turn, known, draw)
                drawn_at = time.monotonic()
            elif not quiet:
                holder.clear()
                with holder:
                    parts.waiting(self.w("page.loading"))
            reply = await work()
        except ShopkeeperError as error:
            stands = quiet or known is not None
            self._failed(holder, error, lambda: self.fill(holder, work, draw), stands=stands)
            return
        except Exception:
            log.exception("a page could not be filled")
            self._failed(holder, _inside(), lambda: self.fill(holder, work, draw), stands=quiet)
            return
        if (quiet or known is not None) and self._drawn.get(holder) == reply:
            return
        await asyncio.sleep(drawn_at + _STANDS_S - time.monotonic())
        self._draw(holder, turn, reply, draw)

    def _draw(self, holder: Element, turn: object, reply: T, draw: Callable[[T], Any]) -> None:
        if holder.is_deleted or self._turns.get(holder) is not turn:
            return  # nobody looks any more, or something newer was asked for meanwhile
        self._waiting.pop(holder, None)
        self._drawn[holder] = reply
        holder.clear()
        with holder:
            draw(reply)

    async def attempt(self, work: Awaitable[T]) -> T | None:
        """The outcome, or None after saying what went wrong."""
        try:
            return await work
        except SessionEnded as ended:
            self.leave(ended)
        except ShopkeeperError as error:
            self._complain(error)
        except Exception:
            log.exception("an action of a page failed")
            self._complain(_inside())
        return None

    def later(self, work: Awaitable[Any]) -> None:
        """Let it go on beside the page."""
        background_tasks.create(work)

    def tell(
        self, text: str, *, link: str = "", undo: Callable[[], Awaitable[Any]] | None = None
    ) -> None:
        """A short message that goes by itself, with a link or a way back."""
        self._toast((text,), link=link, undo=undo)

    def hush(self) -> None:
        """Take the messages away: they may name whom, or offer to undo what, is no more."""
        if self.toasts is not None and not self.toasts.is_deleted:
            self.toasts.clear()

    def leave(self, ended: SessionEnded) -> None:
        """To the sign-in page, which says why."""
        if not self.client.is_deleted:
            # Not `ui.navigate`: it would look for the path among the pages within this one.
            self.client.run_javascript(f"window.location.assign('/sign-in?why={ended.why}')")

    def live(self, holder: Element, changed: Callable[[Beat], Any], *, every: float = 0.0) -> None:
        """Tell a part of the page when the store looks different, every so many seconds at most."""
        self._live.add(holder, changed, every)

    def beat(self, beat: Beat) -> None:
        """Tell the live parts what the store looks like."""
        self._live.beat(beat)

    def back(self) -> None:
        """The store answers again: fill what could not be filled."""
        for holder, again in list(self._waiting.items()):
            if not holder.is_deleted:
                self.later(again())
        self._waiting.clear()

    def tick(self) -> None:
        """Leave when the session has ended; tell live parts that had to wait."""
        self._live.tick()
        if not self.calls.sessions.alive(self.session):
            self.leave(SessionEnded("expired"))

    def _complain(self, error: ShopkeeperError) -> None:
        self._toast((parts.headline(self.w, error), error.message, error.hint), wrong=True)

    def _toast(
        self,
        lines: Sequence[str],
        *,
        link: str = "",
        undo: Callable[[], Awaitable[Any]] | None = None,
        wrong: bool = False,
    ) -> None:
        if self.toasts is not None and not self.toasts.is_deleted:
            parts.toast(self.w, self.toasts, lines, link=link, undo=undo, wrong=wrong)

    def _failed(
        self, holder: Element, error: ShopkeeperError, again: Again, *, stands: bool
    ) -> None:
        if isinstance(error, SessionEnded):
            self.leave(error)
            return
        if holder.is_deleted:
            return
        if isinstance(error, Unavailable):
            self._waiting[holder] = again
            if stands:  # what stands there is of before, as the bar above the page says
                return
        holder.clear()
        self._drawn.pop(holder, None)
        with holder:
            parts.failure(self.w, error, again)


def _inside() -> ShopkeeperError:
    """What is said of an error that nobody foresaw: where to look, and nothing of its inside."""
    return ShopkeeperError("Something went wrong inside.", hint="Look at the server's log.")
