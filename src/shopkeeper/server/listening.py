"""Sockets that listen before their processes run and outlive them."""

from __future__ import annotations

import socket
import sys

from shopkeeper.core.errors import BadInput

_BACKLOG = 2048


def listen(host: str, port: int, option: str, count: int = 1) -> list[socket.socket]:
    """A listening socket for each of ``count`` processes; connections wait in it until its process runs.

    On Linux each process has its own, and the kernel spreads connections among them. From a single one
    whichever process wakes first takes them: under sixteen connections that stayed open, one of two
    processes often had all of them. Elsewhere nothing is spread among sockets, so all share one.

    Raises:
        BadInput: nothing can listen there.
    """
    try:
        # Without SO_REUSEPORT first: with it a port that another server has would be shared with that server.
        first = _open(host, port)
        if count == 1 or sys.platform != "linux":
            return [first] * count
        port = first.getsockname()[1]
        first.close()
        return [_open(host, port, reuse_port=True) for _ in range(count)]
    except OSError as error:
        raise BadInput(
            f"Cannot listen on {host}:{port}: {error.strerror}.",
            hint=f"Choose another --{option.replace('_', '-')} (0 takes a free one) or --host.",
            field=option,
        ) from error


def _open(host: str, port: int, *, reuse_port: bool = False) -> socket.socket:
    return socket.create_server(
        (host, port),
        family=socket.AF_INET6 if ":" in host else socket.AF_INET,
        backlog=_BACKLOG,
        reuse_port=reuse_port,
    )
