"""The breaker of a provider: after several faults in a row it is left alone for a while, then tried again."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Final

from shopkeeper.store.contact_controls import Controls

RESTING: Final = "resting"
DISABLED: Final = "disabled"
NOT_SET_UP: Final = "not_set_up"
_FAULTS: Final = 5
_LONGEST: Final = timedelta(minutes=10)


def name(channel: str) -> str:
    """Under which name the breaker of a channel stands among the controls."""
    return f"provider:{channel}"


class Breaker:
    """One for each channel of a process; what it decides stands in the store, where all can see it."""

    def __init__(self, controls: Controls, channel: str) -> None:
        self._controls = controls
        self._name = name(channel)
        self.rest = timedelta(seconds=10)
        self._lock = threading.Lock()
        self._faults = 0
        self._opened = 0

    def note(self, code: str, *, fault: bool, now: datetime) -> bool:
        """Count how a try went; True when the provider is to be left alone from now on."""
        with self._lock:
            if not fault:
                if self._opened:
                    self._controls.free(self._name)
                self._faults = self._opened = 0
                return False
            self._faults += 1
            # While it is being tried again one fault is enough.
            if self._faults < _FAULTS and not self._opened:
                return False
            rest = min(max(_LONGEST, self.rest), self.rest * 2**self._opened)
            self._faults, self._opened = 0, min(self._opened + 1, 16)
            self._controls.set(self._name, RESTING, code, now + rest)
            return True

    def disable(self, code: str) -> None:
        """The provider takes nothing more: a person must look."""
        self._controls.set(self._name, DISABLED, code)

    def not_set_up(self, reason: str, until: datetime) -> None:
        """The channel cannot be opened; it is tried again then."""
        self._controls.set(self._name, NOT_SET_UP, reason, until)
