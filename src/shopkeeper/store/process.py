"""Which process holds something, and whether it still lives."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil


@dataclass(frozen=True, slots=True)
class Process:
    """One process of one machine.

    ``place`` is the machine's boot and process-number space: only there does ``pid`` mean anything
    (two containers may share a host name). ``started`` is in seconds since that boot, which a change
    of the clock does not move.
    """

    host: str
    place: str
    pid: int
    started: float

    @classmethod
    def this(cls) -> Process:
        """The process that asks."""
        pid = os.getpid()
        return cls(socket.gethostname(), _place(), pid, _started(psutil.Process(pid)))

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Process:
        """The process that was stored with :meth:`to_json`."""
        return cls(stored["host"], stored["place"], stored["pid"], stored["started"])

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def is_here(self) -> bool:
        """Whether it is on this machine, if perhaps in another container."""
        return self.place.partition("/")[0] == _place().partition("/")[0]

    def is_dead(self) -> bool:
        """Whether it certainly lives no more; False for a process that cannot be seen from here."""
        if self.place != _place() or self.host != socket.gethostname():
            return False
        try:
            process = psutil.Process(self.pid)
            if abs(_started(process) - self.started) > 1:
                return True  # the number was given to another process
            return bool(process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD))
        except psutil.NoSuchProcess:
            return True
        except psutil.AccessDenied:
            return False

    def __str__(self) -> str:
        return f"process {self.pid} on host {self.host}"


def _started(process: psutil.Process) -> float:
    return float(process.create_time() - psutil.boot_time())


def _place() -> str:
    boot, pids = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")
    try:
        return f"{boot.read_text().strip()}/{pids.readlink()}"
    except OSError:  # not Linux: the host's name has to do
        return socket.gethostname()
