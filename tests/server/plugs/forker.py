"""Starts the server's parts as forks of a process that has imported them already.

A restart then takes a tenth of a second instead of one, so that tests can kill many times. Commands
and answers are lines of JSON; the listening socket of a shop lives here, and outlives its processes.
"""

from __future__ import annotations

import importlib
import json
import os
import socket
import sys
from typing import Any

from shopkeeper.server import api, process, worker, workflows

IMPORTED = (api, worker, workflows)  # for the forks
_sockets: dict[str, socket.socket] = {}


def start(part: str, folder: str, options: str, database: str) -> dict[str, int]:
    """A new process, and the port of its shop's socket."""
    listening = _sockets.get(folder)
    if listening is None:
        listening = _sockets[folder] = socket.create_server(("127.0.0.1", 0), backlog=512)
    child = os.fork()
    if child:
        return {"pid": child, "port": listening.getsockname()[1]}
    os.environ |= {
        process.FOLDER: folder,
        process.OPTIONS: options,
        process.SOCKET: str(listening.fileno()),
        process.PARENT: str(os.getppid()),
    }
    if database:
        os.environ["SHOPKEEPER_DATABASE"] = database
    try:
        code = process.main(part)
    except BaseException:  # noqa: BLE001 - a fork must never fall back into the loop below
        sys.excepthook(*sys.exc_info())
        code = 70
    os._exit(code)


def ended(pid: int) -> dict[str, int | None]:
    """The exit code (negative: the signal that ended it), or null while it runs."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return {"code": os.waitstatus_to_exitcode(status) if found else None}


def main() -> None:
    importlib.import_module("with_slow_jobs").install()
    for line in sys.stdin:
        command: dict[str, Any] = json.loads(line)
        answer: dict[str, Any]
        answer = start(**command) if command.pop("do") == "start" else ended(**command)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


main()
