"""A real SMTP server on loopback that keeps what it takes, and misbehaves when it is told to."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self


@dataclass(frozen=True)
class Taken:
    """One message that the server said it took, or took without having said so."""

    sender: str
    recipient: str
    data: bytes
    connection: int


@dataclass
class Orders:
    """What to do with the next messages, by the recipient's local part; each order is used up."""

    answers: dict[str, list[str]] = field(default_factory=dict)

    def next(self, recipient: str, stage: str) -> str:
        waiting = self.answers.get(recipient.partition("@")[0], [])
        if waiting and waiting[0].startswith(f"{stage}:"):
            return waiting.pop(0).partition(":")[2]
        return ""


class _Dialogue(socketserver.StreamRequestHandler):
    """SMTP, as far as senders speak it."""

    server: _Server

    def handle(self) -> None:
        box = self.server.box
        with box.lock:
            box.connections += 1
            self.number = box.connections
        self._say("220 mailbox ready")
        sender = recipient = ""
        while line := self.rfile.readline():
            verb = line.split(b" ")[0].strip().upper()
            if verb in (b"EHLO", b"HELO"):
                self._say("250-mailbox\r\n250 8BITMIME")
            elif verb == b"MAIL":
                sender = _inside(line)
                self._say("250 2.1.0 ok")
            elif verb == b"RCPT":
                recipient = _inside(line)
                if not self._obey(box.orders.next(recipient, "rcpt"), "250 2.1.5 ok"):
                    return
            elif verb == b"DATA":
                if not self._data(sender, recipient):
                    return
            elif verb == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _data(self, sender: str, recipient: str) -> bool:
        box = self.server.box
        self._say("354 go on")
        order = box.orders.next(recipient, "body")
        if order == "drop":
            self.rfile.readline()
            return False
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return False
            lines.append(line[1:] if line.startswith(b".") else line)
        order = box.orders.next(recipient, "data")
        if order[:1] not in ("4", "5"):
            with box.lock:
                box.taken.append(Taken(sender, recipient, b"".join(lines), self.number))
        return self._obey(order, "250 2.0.0 queued as 7")

    def _obey(self, order: str, otherwise: str) -> bool:
        if order == "drop":
            self.connection.shutdown(socket.SHUT_RDWR)
            return False
        if order.startswith("slow "):
            time.sleep(float(order.removeprefix("slow ")))
            order = ""
        self._say(order or otherwise)
        return True

    def _say(self, line: str) -> None:
        self.wfile.write(line.encode() + b"\r\n")


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int, box: Mailbox) -> None:
        self.box = box
        super().__init__(("127.0.0.1", port), _Dialogue)

    def handle_error(self, _request: object, _address: object) -> None:
        """A client that goes away is no news."""


class Mailbox:
    """The server, and what it has taken."""

    def __init__(self, port: int = 0) -> None:
        self.taken: list[Taken] = []
        self.orders = Orders()
        self.connections = 0
        self.lock = threading.Lock()
        self._server = _Server(port, self)
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    def order(self, local: str, *answers: str) -> None:
        """``rcpt:450 …``, ``body:drop``, ``data:drop``, ``data:slow 3``, ``data:550 …`` in turn."""
        self.orders.answers[local] = list(answers)

    def to(self, recipient: str) -> list[Taken]:
        return [one for one in self.taken if one.recipient == recipient]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _at: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _inside(line: bytes) -> str:
    return line.decode().partition("<")[2].partition(">")[0]
