"""One child of the supervisor, told by its environment what to do: the API or the worker."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
from pathlib import Path

from shopkeeper.core.errors import ShopkeeperError
from shopkeeper.server.options import ServeOptions

FOLDER, OPTIONS, SOCKET, PARENT = (
    "SHOPKEEPER_CHILD_FOLDER",
    "SHOPKEEPER_CHILD_OPTIONS",
    "SHOPKEEPER_CHILD_SOCKET",
    "SHOPKEEPER_CHILD_PARENT",
)


def main(part: str) -> int:
    """Run one part until SIGTERM; the exit code."""
    logging.basicConfig(
        level=logging.WARNING, format=f"%(asctime)s {part} %(levelname)s %(message)s"
    )
    folder = Path(os.environ[FOLDER])
    options = ServeOptions.model_validate_json(os.environ[OPTIONS])
    _end_with_parent()
    try:
        if part == "api":
            from shopkeeper.server import api  # noqa: PLC0415 - the worker needs no web framework

            api.serve(folder, options, socket.socket(fileno=int(os.environ[SOCKET])))
        else:
            from shopkeeper.server import worker  # noqa: PLC0415 - the API needs no writer loop

            worker.run(folder, options)
    except ShopkeeperError as error:
        logging.getLogger("shopkeeper").error("%s", error)
        return 1
    return 0


def _end_with_parent() -> None:
    """Stop when the supervisor is gone, however it went: no orphan keeps the lease or the port."""
    parent = int(os.environ.get(PARENT, "0"))
    if not parent:
        return

    def watch() -> None:
        ticks = threading.Event()
        while not ticks.wait(0.5):
            if os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGTERM)
                return

    threading.Thread(target=watch, name="parent", daemon=True).start()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
