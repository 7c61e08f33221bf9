"""Plan: what a call that cannot be taken back would do, and the hash by which a person confirms it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from shopkeeper.core.types import Value


class Step(Value):
    """One thing that would happen: where, what, and to how many rows or files."""

    where: str
    what: str
    count: int


class Plan(Value):
    """What would happen. Nothing has happened yet.

    ``hash`` stands for exactly these steps of exactly this call: a confirmation of it is refused once
    either has changed.
    """

    operation: str
    steps: tuple[Step, ...]
    hash: str
    confirm: str


class Planned(Value):
    """The base of replies of operations that first answer with a plan; ``plan`` is null once done."""

    plan: Plan | None = None


def plan_of(operation: str, arguments: Mapping[str, Any], steps: Sequence[Step]) -> Plan:
    """The plan of a call of that operation."""
    told = [operation, dict(arguments), [step.model_dump() for step in steps]]
    text = json.dumps(told, sort_keys=True, default=str, separators=(",", ":"))
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return Plan(
        operation=operation,
        steps=tuple(steps),
        hash=digest,
        confirm="Nothing was done yet. To do it, a person repeats the call with "
        f"confirm={digest} (--confirm {digest})",
    )
