"""One child of the supervisor, told by its environment what to do: the API or the worker."""

from __future__ import annotations

import importlib
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

from shopkeeper.core.errors import ShopkeeperError
from shopkeeper.server.observe import logs, meters, traces
from shopkeeper.server.options import CONSOLE, ServeOptions

FOLDER, OPTIONS, SOCKET, PARENT = (
    "SHOPKEEPER_CHILD_FOLDER",
    "SHOPKEEPER_CHILD_OPTIONS",
    "SHOPKEEPER_CHILD_SOCKET",
    "SHOPKEEPER_CHILD_PARENT",
)


_MEMORY_SECONDS = 10.0
_BEHIND = 5
"""How far the worker steps back: where cores are few, who waits for a page or an answer goes first."""

log = logs.logger("process")


def main(part: str) -> int:
    """Run one part until SIGTERM; the exit code."""
    folder = Path(os.environ[FOLDER])
    options = ServeOptions.model_validate_json(os.environ[OPTIONS])
    logs.configure(part, level=options.log_level)
    _end_with_parent()
    _note_memory(part)
    try:
        traces.start(part)
        if part == "api":
            from shopkeeper.server import api  # noqa: PLC0415 - the worker needs no web framework

            api.serve(folder, options, socket.socket(fileno=int(os.environ[SOCKET])))
        elif part == "console":
            _console(folder, options, socket.socket(fileno=int(os.environ[SOCKET])))
        else:
            from shopkeeper.server import worker  # noqa: PLC0415 - the API needs no writer loop

            os.nice(_BEHIND)
            worker.run(folder, options)
    except ShopkeeperError as error:
        # Who starts the server reads this: what is wrong with the shop or the settings, and what to do.
        sys.stderr.write(f"{part}: {error}\n")
        log.error("the part ends", error=error)
        return 1
    finally:
        traces.stop()
    return 0


def _console(folder: Path, options: ServeOptions, listening: socket.socket) -> None:
    """Run the console, found by name: it stands beside the server, and neither imports the other."""
    made = importlib.import_module(f"{CONSOLE}.options").ConsoleOptions(
        host=options.host,
        port=options.console_port,
        names=options.console_names,
        secure=options.secure,
        trusted_proxy=options.trusted_proxy,
    )
    importlib.import_module(f"{CONSOLE}.process").run(folder, made, listening)


def _note_memory(part: str) -> None:
    """Keep the figure of what this process holds up to date."""

    def watch() -> None:
        while True:
            meters.remember_memory(part)
            time.sleep(_MEMORY_SECONDS)

    threading.Thread(target=watch, name="memory", daemon=True).start()


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
