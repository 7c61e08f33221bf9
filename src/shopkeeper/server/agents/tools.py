"""Which operations an agent is offered, and how they look as tools."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any, Final

from mcp_types import Tool, ToolAnnotations

from shopkeeper.core import discovery
from shopkeeper.core.operation import CONFIRM, WRITE, Actor, Effect, Operation, of
from shopkeeper.server.agents import untrusted

NEVER: Final = frozenset({"keys", "people", "governance"})
"""Capabilities whose writes are never offered: what rights people have, only a person decides."""


@cache
def every() -> dict[str, Operation[Any, Any]]:
    """All operations that some agent may be offered, by tool name."""
    return {
        f"{operation.capability}_{operation.name}": operation
        for capability in discovery.capabilities()
        for operation in of(capability).values()
        if _may_ever(operation)
    }


def offered(actor: Actor, *, may_write: bool) -> dict[str, Operation[Any, Any]]:
    """Those that this actor is offered: reads it may run and, if the owner allows, writes too."""
    return {
        name: operation
        for name, operation in every().items()
        if actor.may(operation.capability, operation.effect) and (operation.only_looks or may_write)
    }


@cache
def tool(name: str) -> Tool:
    """The operation as a tool: its arguments' schema, its reply's, and what it may change."""
    operation = every()[name]
    reads = operation.only_looks
    return Tool(
        name=name,
        title=operation.summary.rstrip("."),
        description=_description(operation),
        input_schema=operation.arguments.model_json_schema(),
        output_schema=untrusted.schema(operation.reply),
        annotations=ToolAnnotations(
            title=operation.summary.rstrip("."),
            read_only_hint=reads,
            destructive_hint=not reads,
            idempotent_hint=reads,
            open_world_hint=False,
        ),
    )


def _may_ever(operation: Operation[Any, Any]) -> bool:
    """Never what needs a person's confirmation, and never what gives rights."""
    if operation.effect > WRITE or operation.plan or CONFIRM in operation.arguments.model_fields:
        return False
    return operation.effect == Effect.READ or operation.capability not in NEVER


def _description(operation: Operation[Any, Any]) -> str:
    lines = [inspect.getdoc(operation.function) or ""]
    if operation.example:
        lines.append(f"Example arguments: {operation.example!r}.")
    if operation.job:
        lines.append("It may take minutes; progress is reported, and cancelling the call stops it.")
    return "\n\n".join(lines)
