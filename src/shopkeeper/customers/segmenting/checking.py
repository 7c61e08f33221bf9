"""What is wrong with a definition before it runs: unknown names, wrong kinds, cycles, sensitive traits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date

from shopkeeper.core.errors import BadInput, NotAllowed, ShopkeeperError, UnknownName
from shopkeeper.core.text import did_you_mean
from shopkeeper.customers.segmenting.definition import (
    All,
    Any,
    Definition,
    Did,
    InSegment,
    Leaf,
    Not,
    OnList,
    Sequence,
    Trait,
    leaves,
)
from shopkeeper.customers.segmenting.printing import written
from shopkeeper.customers.segmenting.sensitive import topic
from shopkeeper.customers.traits.catalogue import NUMBERS, trait

LEAVES = 60


def resolved(
    definition: Definition, known: Mapping[str, Definition], path: tuple[str, ...] = ()
) -> Definition:
    """The definition with other segments' definitions in their place.

    Raises:
        UnknownName: there is no such segment.
        BadInput: it refers to itself; names the way.
    """
    if isinstance(definition, InSegment):
        if definition.id in path:
            way = " → ".join((*path, definition.id))
            raise BadInput(
                f"The segment refers to itself: {way}.",
                hint="Take one of these references out.",
                field="definition",
            )
        if definition.id not in known:
            raise UnknownName("segment", definition.id, known, field="definition")
        return resolved(known[definition.id], known, (*path, definition.id))
    if isinstance(definition, Not):
        return Not(of=resolved(definition.of, known, path))
    if isinstance(definition, All | Any):
        parts = tuple(resolved(part, known, path) for part in definition.of)
        return type(definition)(of=parts)
    return definition


def check(definition: Definition, lists: Collection[str], allowed: Collection[str]) -> None:
    """Refuse what cannot be answered; ``allowed`` are sensitive topics that the owner turned on.

    Raises:
        UnknownName: no such trait or list; says what is near.
        BadInput: a value of another kind than the trait, or too many conditions.
        NotAllowed: a sensitive trait that is off.
    """
    found = leaves(definition)
    if len(found) > LEAVES:
        raise BadInput(
            f"The definition has {len(found)} conditions, other segments' included; {LEAVES} at most.",
            field="definition",
        )
    for leaf in found:
        _check(leaf, lists)
        about = topic(leaf)
        if about is not None and about not in allowed:
            raise NotAllowed(
                f"{written(leaf)!r} is about {about}: such inferences are off.",
                hint=f"The owner may turn it on with a reason: customers allow-sensitive --topic {about}.",
                field="definition",
            )


def problem(definition: Definition, lists: Collection[str], allowed: Collection[str]) -> str | None:
    """Why a stored definition no longer runs; None where it does."""
    try:
        check(definition, lists, allowed)
    except ShopkeeperError as error:
        return str(error)
    return None


def unseen(definition: Definition, events: Collection[str]) -> list[str]:
    """Warnings: events that this shop has never had."""
    told = []
    for leaf in leaves(definition):
        steps = (
            (leaf.step,)
            if isinstance(leaf, Did)
            else leaf.steps
            if isinstance(leaf, Sequence)
            else ()
        )
        for step in steps:
            if step.event not in events:
                near = did_you_mean(step.event, events)
                more = f" Did you mean {near!r}?" if near else ""
                told.append(f"This shop has no event {step.event!r}.{more}")
    return sorted(set(told))


def _check(leaf: Leaf, lists: Collection[str]) -> None:
    if isinstance(leaf, OnList) and leaf.name not in lists:
        raise UnknownName("list", leaf.name, lists, field="definition")
    if not isinstance(leaf, Trait):
        return
    kind = trait(leaf.name).kind
    if leaf.op == "known":
        return
    wants = float if kind in NUMBERS else str
    for value in leaf.values:
        if not isinstance(value, wants):
            raise BadInput(
                f"{leaf.name} is a {'number' if wants is float else kind}: {value!r} is not.",
                hint=_example(leaf.name, kind),
                field="definition",
            )
        if kind == "date":
            _a_date(leaf.name, str(value))
    if kind == "text" and leaf.op not in ("=", "!=", "in"):
        raise BadInput(
            f"{leaf.name} is a text: {leaf.op} has no meaning for it.",
            hint=_example(leaf.name, kind),
            field="definition",
        )


def _a_date(name: str, value: str) -> None:
    try:
        date.fromisoformat(value)
    except ValueError as error:
        raise BadInput(
            f"{name} is a date: {value!r} is none.",
            hint=_example(name, "date"),
            field="definition",
        ) from error


def _example(name: str, kind: str) -> str:
    value = {"date": '"2026-01-31"', "text": '"…"'}.get(kind, "10")
    op = "=" if kind == "text" else ">="
    return f"For example: {name} {op} {value}"
