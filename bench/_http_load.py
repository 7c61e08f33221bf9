"""Load on an HTTP server: as many connections as asked for, one request at a time on each, by one thread.

Requests are bytes made beforehand and answers are not parsed, so that the load costs a fraction of what
answering does. Beside each answer's time it tells the CPU time that the server's processes took.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psutil

_LEAST = 65_536


@dataclass
class Load:
    """What came back: milliseconds of each answer, the seconds it went on, and the server's CPU seconds."""

    times: list[float] = field(default_factory=list)
    seconds: float = 0.0
    cpu: float = 0.0
    bad: int = 0
    """Answers with another status than 200."""

    @property
    def rate(self) -> float:
        return len(self.times) / self.seconds

    @property
    def rate_per_cpu(self) -> float:
        """Answers per CPU second of the server."""
        return len(self.times) / max(self.cpu, 1e-9)


class _Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._got = b""
        self.began = 0.0

    def ask(self, request: bytes) -> None:
        self.began, self._got = time.perf_counter(), b""
        self.socket.sendall(request)

    def receive(self) -> int | None:
        """The status once the answer is whole."""
        part = self.socket.recv(_LEAST)
        if not part:
            raise ConnectionError("the server closed a connection under load")
        self._got += part
        head, found, body = self._got.partition(b"\r\n\r\n")
        if not found:
            return None
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        return int(head[9:12]) if len(body) >= length else None


def run(
    port: int,
    request: Callable[[int], bytes],
    *,
    connections: int,
    seconds: float,
    processes: Sequence[psutil.Process],
) -> Load:
    """Ask for so many seconds; ``request`` makes the bytes of the n-th request."""
    found, number = Load(), 0
    with selectors.DefaultSelector() as selector:
        open_ = [_Connection(port) for _ in range(connections)]
        before, started = cpu(processes), time.perf_counter()
        for one in open_:
            one.ask(request(number))
            number += 1
            selector.register(one.socket, selectors.EVENT_READ, one)
        waiting = len(open_)
        while waiting:
            for key, _ in selector.select(60):
                one = key.data
                status = one.receive()
                if status is None:
                    continue
                now = time.perf_counter()
                found.times.append((now - one.began) * 1000)
                found.bad += status != 200
                if now - started < seconds:
                    one.ask(request(number))
                    number += 1
                else:
                    waiting -= 1
                    selector.unregister(one.socket)
        found.seconds = time.perf_counter() - started
        found.cpu = cpu(processes) - before
        for one in open_:
            one.socket.close()
    return found


def cpu(processes: Sequence[psutil.Process]) -> float:
    """CPU seconds that these processes have taken."""
    return sum(sum(one.cpu_times()[:2]) for one in processes)


def post(path: str, key: str, body: bytes) -> bytes:
    """One POST as bytes."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
