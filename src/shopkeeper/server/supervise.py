"""``shopkeeper serve``: keeps the API processes and the worker running, and stops them together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from types import FrameType

from shopkeeper.core.threads import counted
from shopkeeper.server import process
from shopkeeper.server.listening import listen
from shopkeeper.server.observe.names import SHARED
from shopkeeper.server.options import ServeOptions

_FIRST_DELAY, _LONGEST_DELAY = 0.2, 30.0
_STEADY_SECONDS = 10.0  # who lived that long starts with the first delay again
_STOP_SECONDS = 20.0


@dataclass
class Child:
    """One supervised process, and when it may start again."""

    name: str
    part: str
    listening: socket.socket | None = None
    running: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    not_before: float = 0.0
    delay: float = field(default=_FIRST_DELAY)


class Supervisor:
    """Starts what is missing, again and again, until it is told to stop."""

    def __init__(self, folder: Path, options: ServeOptions, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._options = options
        self._say = say
        self._stop = threading.Event()
        self._sockets: dict[str, list[socket.socket]] = {
            part: listen(options.host, port, option, count)
            for part, port, option, count in (
                ("api", options.port, "port", options.api_workers),
                ("console", options.console_port, "console_port", 1),
            )
            if part in options.running
        }
        self._figures = tempfile.TemporaryDirectory(prefix="shopkeeper-figures-")
        self.children = [
            child
            for part in options.running
            for child in _children(part, self._sockets.get(part, []))
        ]

    @property
    def url(self) -> str:
        return self.where("api") or ""

    @property
    def console_url(self) -> str | None:
        """Where the console will answer, if it runs here."""
        return self.where("console")

    def where(self, part: str) -> str | None:
        """The URL of a part that listens here."""
        if part not in self._sockets:
            return None
        host, port = self._sockets[part][0].getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def run(self) -> int:
        """Supervise until SIGTERM or SIGINT; 0 if all stopped in time."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._told_to_stop)
        try:
            while not self._stop.is_set():
                for child in self.children:
                    self._tend(child)
                self._stop.wait(0.1)
        finally:
            clean = self._end()
        return 0 if clean else 1

    def _told_to_stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stop.set()

    def _tend(self, child: Child) -> None:
        now = time.monotonic()
        if child.running is not None:
            code = child.running.poll()
            if code is None:
                return
            steady = now - child.started >= _STEADY_SECONDS
            child.delay = _FIRST_DELAY if steady else min(child.delay * 2, _LONGEST_DELAY)
            child.not_before = now + child.delay
            self._forget(child)
            child.running = None
            self._say(f"{child.name} ended ({code}); it starts again in {child.delay:.1f} s.")
        if now >= child.not_before:
            child.started = now
            child.running = start(
                child.part,
                self._folder,
                self._options,
                child.listening,
                self._figures.name,
            )

    def _forget(self, child: Child) -> None:
        """Take what a dead process held now (not what it counted) out of the shared figures."""
        if child.running is not None:
            for left in Path(self._figures.name).glob(f"gauge_live*_{child.running.pid}.db"):
                left.unlink(missing_ok=True)

    def _end(self) -> bool:
        """Ask all to finish what they hold; kill who has not after a while."""
        running = [c.running for c in self.children if c.running is not None]
        for one in running:
            one.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        clean = True
        for one in running:
            try:
                one.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()
                clean = False
        for listening in chain.from_iterable(self._sockets.values()):
            listening.close()
        self._figures.cleanup()
        return clean


def _children(part: str, sockets: Sequence[socket.socket]) -> list[Child]:
    if part == "api":
        return [Child(f"api-{n}", part, one) for n, one in enumerate(sockets, 1)]
    return [Child(part, part, next(iter(sockets), None))]


def _threads(part: str, options: ServeOptions) -> int:
    """With how many threads a process computes, where the environment does not say.

    Threads of one product wait for each other (:mod:`~shopkeeper.core.threads`), so requests take one each,
    and the worker as many as the other parts leave cores.
    """
    if part != "worker":
        return 1
    others = options.api_workers * ("api" in options.running) + ("console" in options.running)
    return max(1, (os.cpu_count() or 1) - others)


def start(
    part: str, folder: Path, options: ServeOptions, listening: socket.socket | None, figures: str
) -> subprocess.Popen[bytes]:
    """One child process; it is given its listening socket, which outlives it.

    All share what they measure in the folder ``figures``.
    """
    environment = (
        counted(_threads(part, options))
        | os.environ
        | {
            process.FOLDER: str(folder),
            process.OPTIONS: options.model_dump_json(),
            process.PARENT: str(os.getpid()),
            SHARED: figures,
        }
    )
    passed = [] if listening is None else [listening.fileno()]
    if passed:
        environment[process.SOCKET] = str(passed[0])
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", "shopkeeper.server.process", part],
        env=environment,
        pass_fds=passed,
    )
