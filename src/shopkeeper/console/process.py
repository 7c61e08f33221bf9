"""The console as a process of its own: what ``shopkeeper serve`` supervises."""

from __future__ import annotations

import logging
import signal
import socket
import sys
from pathlib import Path
from types import FrameType

import uvicorn

from shopkeeper.console.app import create
from shopkeeper.console.options import ConsoleOptions
from shopkeeper.core.errors import BadInput
from shopkeeper.shop.shop import Shop

log = logging.getLogger("shopkeeper.console")

_SWITCH_S = 0.001


def run(folder: Path, options: ConsoleOptions, listening: socket.socket | None = None) -> None:
    """Serve the console of the shop in ``folder`` until SIGTERM.

    On the first start it prints where the owner chooses name and password: the address holds a code
    that works once and for ``setup_hours``, and of which the store keeps only a hash.

    Args:
        folder: the shop's.
        options: where to listen (unless ``listening`` is given) and how long to trust whom.
        listening: a socket that listens already, as a supervisor holds it.
    """
    with Shop.open(folder) as shop, listening or listen(options) as held:
        url = address(held)
        config = uvicorn.Config(
            create(shop, options),
            log_config=None,  # the process decides what a line may hold
            access_log=False,
            server_header=False,
            proxy_headers=bool(options.trusted_proxy),
            forwarded_allow_ips=options.trusted_proxy or None,
            timeout_graceful_shutdown=3,
            ws_max_size=1_000_000,
        )
        server = uvicorn.Server(config)
        # Threads that work something out give way sooner, so that a click is answered meanwhile.
        sys.setswitchinterval(_SWITCH_S)

        def stop(_signal: int, _frame: FrameType | None) -> None:
            server.should_exit = True

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        _say(f"The console is at {url}")
        invite_owner(shop, options, url)
        server.run(sockets=[held])


def invite_owner(shop: Shop, options: ConsoleOptions, url: str) -> None:
    """While nobody can sign in, say where the first owner makes themselves known."""
    if shop.persons.list():
        return
    invitation = shop.invitations.create("", "owner", hours=options.setup_hours)
    _say(f"Set up the owner, once, within {options.setup_hours * 60:.0f} minutes:")
    _say(f"  {url}/set-up?code={invitation.code}")


def listen(options: ConsoleOptions) -> socket.socket:
    """A listening socket; :class:`BadInput` where the port is taken."""
    try:
        return socket.create_server(
            (options.host, options.port),
            family=socket.AF_INET6 if ":" in options.host else socket.AF_INET,
        )
    except OSError as error:
        raise BadInput(
            f"Cannot listen on {options.host}:{options.port}: {error.strerror}.",
            hint="Choose another --port (0 takes a free one) or --host.",
            field="port",
        ) from error


def address(held: socket.socket) -> str:
    """The URL at which a socket listens."""
    host, port = held.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
