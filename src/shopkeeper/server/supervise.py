"""``shopkeeper serve``: keeps the API processes and the worker running, and stops them together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from shopkeeper.core.errors import BadInput
from shopkeeper.server import process
from shopkeeper.server.options import ServeOptions

_FIRST_DELAY, _LONGEST_DELAY = 0.2, 30.0
_STEADY_SECONDS = 10.0  # who lived that long starts with the first delay again
_STOP_SECONDS = 20.0
_BACKLOG = 2048


@dataclass
class Child:
    """One supervised process, and when it may start again."""

    name: str
    part: str
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
        self._socket = _listen(options)
        self.children = [
            *(Child(f"api-{n + 1}", "api") for n in range(options.api_workers)),
            Child("worker", "worker"),
        ]

    @property
    def url(self) -> str:
        host, port = self._socket.getsockname()[:2]
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
            child.running = None
            self._say(f"{child.name} ended ({code}); it starts again in {child.delay:.1f} s.")
        if now >= child.not_before:
            child.started = now
            child.running = start(child.part, self._folder, self._options, self._socket)

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
        self._socket.close()
        return clean


def start(
    part: str, folder: Path, options: ServeOptions, listening: socket.socket
) -> subprocess.Popen[bytes]:
    """One child process; an API process is given the listening socket, which outlives it."""
    environment = os.environ | {
        process.FOLDER: str(folder),
        process.OPTIONS: options.model_dump_json(),
        process.SOCKET: str(listening.fileno()),
        process.PARENT: str(os.getpid()),
    }
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        [sys.executable, "-m", "shopkeeper.server.process", part],
        env=environment,
        pass_fds=[listening.fileno()] if part == "api" else [],
    )


def _listen(options: ServeOptions) -> socket.socket:
    """A listening socket: connections wait in it while an API process is started again."""
    try:
        return socket.create_server(
            (options.host, options.port),
            family=socket.AF_INET6 if ":" in options.host else socket.AF_INET,
            backlog=_BACKLOG,
        )
    except OSError as error:
        raise BadInput(
            f"Cannot listen on {options.host}:{options.port}: {error.strerror}.",
            hint="Choose another --port (0 takes a free one) or --host.",
            field="port",
        ) from error
