"""The log of choices made for customers, with the chance that each had: durable when recorded.

Choices travel as events do: appended to the intake log, moved by the one writer into the table
``decisions``. Many that wait at once become one transaction: the first of them writes for all.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from weakref import WeakKeyDictionary

import orjson

from shopkeeper.shop.shop import Shop
from shopkeeper.store.log import Entry, IntakeLog

RECOMMEND: Final = "recommend"
_DIGITS: Final = 9


@dataclass(frozen=True)
class Choice:
    """What stands at one place, and the chance of each that could have, given those above it."""

    chosen: str
    propensity: float
    candidates: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """One choice for one customer, or a list of them; ``customer_id`` None: for nobody known."""

    decision_id: str
    time: datetime
    customer_id: str | None
    kind: str
    choices: Sequence[Choice]
    policy: str
    rules: Sequence[str] = ()
    context: Mapping[str, str] = field(default_factory=dict)
    personalised: bool = True


def record(shop: Shop, decisions: Sequence[Decision]) -> None:
    """Write the decisions down; they are on disk when this returns. One recorded twice counts once."""
    zone = shop.settings.zone
    entries = []
    for one in decisions:
        day = one.time.astimezone(zone).date()
        rows = [
            orjson.dumps(_row(one, place, choice) | {"day": day})
            for place, choice in enumerate(one.choices)
        ]
        if rows:
            subject = one.customer_id or ""
            key = f"decision:{one.decision_id}"
            entries.append(Entry(key, subject, "", one.time, "decisions", b",".join(rows)))
    if entries:
        _group(shop).append(entries)


def _row(decision: Decision, place: int, choice: Choice) -> dict[str, object]:
    chances = {name: str(round(c, _DIGITS)) for name, c in choice.candidates.items()}
    return {
        "decision_id": decision.decision_id,
        "position": place,
        "time": int(decision.time.timestamp() * 1_000_000),
        "customer_id": decision.customer_id,
        "kind": decision.kind,
        "chosen": choice.chosen,
        "propensity": choice.propensity,
        "candidates": chances,
        "policy": decision.policy,
        "rules": orjson.dumps(list(decision.rules)).decode(),
        "context": dict(decision.context),
        "personalised": decision.personalised,
    }


@dataclass
class _Waiting:
    entries: list[Entry]
    done: bool = False
    error: BaseException | None = None


class _Group:
    """Threads that record at once: one of them writes for all, the others wait for it."""

    def __init__(self, log: IntakeLog) -> None:
        self._log = log
        self._turn = threading.Condition()
        self._queue: list[_Waiting] = []
        self._writing = False

    def append(self, entries: list[Entry]) -> None:
        mine = _Waiting(entries)
        with self._turn:
            self._queue.append(mine)
            while self._writing and not mine.done:
                self._turn.wait()
            batch: list[_Waiting] = []
            if not mine.done:
                batch, self._queue, self._writing = self._queue, [], True
        if batch:
            self._write(batch)
        if mine.error is not None:
            raise mine.error

    def _write(self, batch: list[_Waiting]) -> None:
        error: BaseException | None = None
        try:
            self._log.append([one.entries for one in batch])
        except BaseException as failed:  # noqa: BLE001 - told to everybody whose rows it held
            error = failed
        with self._turn:
            for one in batch:
                one.done, one.error = True, error
            self._writing = False
            self._turn.notify_all()


_groups: WeakKeyDictionary[Shop, _Group] = WeakKeyDictionary()
_lock = threading.Lock()


def _group(shop: Shop) -> _Group:
    with _lock:
        found = _groups.get(shop)
        if found is None:
            found = _groups[shop] = _Group(shop.log)
        return found
