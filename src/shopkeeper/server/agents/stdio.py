"""MCP over standard input and output: ``shopkeeper mcp``, for an agent on the shop's own machine."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import anyio
from mcp.server.stdio import stdio_server

from shopkeeper.core.operation import Actor
from shopkeeper.server import handover
from shopkeeper.server.agents.desk import Desk
from shopkeeper.server.observe import logs, traces
from shopkeeper.shop.shop import Shop


def serve(folder: Path) -> None:
    """Answer one agent until it goes away; it may read and, if the owner allows, write.

    It is not the local owner: files to import must lie in the inbox.
    """
    logs.configure("mcp")
    traces.start("mcp")
    try:
        with Shop.open(folder) as shop:
            verbs = {"*:read", "*:write"} if shop.settings.agents_may_write else {"*:read"}
            actor = Actor("agent", "agent", frozenset(verbs))
            anyio.run(_serve, Desk(shop, partial(_always, actor), handover.run))
    finally:
        traces.stop()


async def _serve(desk: Desk) -> None:
    async with stdio_server() as (read, write):
        await desk.server.run(read, write, desk.server.create_initialization_options())


def _always(actor: Actor, _ctx: Any) -> Actor:
    return actor
