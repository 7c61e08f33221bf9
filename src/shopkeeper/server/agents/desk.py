"""The MCP server of one shop: lists what the one who asks is offered, and runs it."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import anyio
from mcp.server.lowlevel import Server
from mcp.server.session import ServerSession
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListResourcesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    TextContent,
    TextResourceContents,
)
from pydantic import BaseModel

import shopkeeper
from shopkeeper.core.errors import Cancelled, NotAllowed, ShopkeeperError
from shopkeeper.core.operation import Actor, Context, Operation, Progress
from shopkeeper.server.agents import resources, tools, untrusted
from shopkeeper.server.observe import logs, traces
from shopkeeper.shop.shop import Shop

RunJob = Callable[[Shop, Operation[Any, Any], Mapping[str, Any], Actor, Progress], BaseModel]
"""How a long operation is run: in this process, or by the worker."""

_INSTRUCTIONS = (
    "Shopkeeper knows one shop: its customers, items and events, and what sold and why. "
    "Read shop://about first, and shop://operations/<capability> for what a tool means. "
    f"{untrusted.NOTICE}"
)
_AT_ONCE = 4
_REPORT_SECONDS = 0.25
log = logs.logger("agents")


class Desk:
    """Answers agents; ``who`` says who asks, from the request and never from its words."""

    def __init__(self, shop: Shop, who: Callable[[Any], Actor], run_job: RunJob) -> None:
        self._shop = shop
        self._who = who
        self._run_job = run_job
        self._room = anyio.CapacityLimiter(_AT_ONCE)
        self.server: Server[Any] = Server(
            "shopkeeper",
            version=shopkeeper.__version__,
            title="Shopkeeper 掌柜",
            instructions=_INSTRUCTIONS,
            get_tool_input_schema=_input_schema,
            on_list_tools=self._list,
            on_call_tool=self._call,
            on_list_resources=self._resources,
            on_read_resource=self._resource,
        )
        self.server.middleware.clear()  # its spans would carry the words of requests and errors

    async def _list(self, ctx: Any, _params: PaginatedRequestParams | None) -> ListToolsResult:
        names = self._offered(self._who(ctx))
        return ListToolsResult(tools=[tools.tool(name) for name in names])

    async def _call(self, ctx: Any, params: CallToolRequestParams) -> CallToolResult:
        actor = self._who(ctx)
        operation = self._offered(actor).get(params.name)
        if operation is None:
            if params.name not in tools.every():
                raise MCPError(INVALID_PARAMS, f"There is no tool {params.name[:80]!r}.")
            return _refused(_not_offered(params.name, actor, self._shop))
        work = partial(self._work, operation, params.arguments or {}, actor)
        try:
            with traces.span(f"agent {operation.full_name}"):
                result = await _watched(ctx.session, work, self._room)
        except ShopkeeperError as error:
            return _refused(error)
        except Exception as error:
            number = secrets.token_hex(4)
            log.error("unexpected error", number=number, exc_info=error)
            inside = f"Give the owner this number: {number}."
            return _refused(ShopkeeperError("Something went wrong on the server.", hint=inside))
        text = TextContent(type="text", text=untrusted.text(result))
        return CallToolResult(content=[text], structured_content=result)

    def _work(
        self,
        operation: Operation[Any, Any],
        arguments: Mapping[str, Any],
        actor: Actor,
        told: Progress,
    ) -> dict[str, Any]:
        if operation.job:
            return untrusted.wrapped(self._run_job(self._shop, operation, arguments, actor, told))
        return untrusted.wrapped(operation.run(Context(self._shop, actor, told), arguments))

    async def _resources(
        self, ctx: Any, _params: PaginatedRequestParams | None
    ) -> ListResourcesResult:
        self._who(ctx)
        return ListResourcesResult(resources=resources.listed())

    async def _resource(self, ctx: Any, params: ReadResourceRequestParams) -> ReadResourceResult:
        self._who(ctx)
        found = await anyio.to_thread.run_sync(resources.read, self._shop, str(params.uri))
        if found is None:
            raise MCPError(INVALID_PARAMS, "There is no such resource.")
        text, kind = found
        contents = TextResourceContents(uri=params.uri, mime_type=kind, text=text)
        return ReadResourceResult(contents=[contents])

    def _offered(self, actor: Actor) -> dict[str, Operation[Any, Any]]:
        return tools.offered(actor, may_write=self._shop.settings.agents_may_write)


class _Told:
    """Progress as a thread tells it: kept for the loop to report, and stopped from there."""

    def __init__(self) -> None:
        self.last: tuple[float, float | None, str] | None = None
        self.stop = threading.Event()

    def __call__(self, done: float, total: float | None, message: str) -> None:
        if self.stop.is_set():
            raise Cancelled("The agent stopped waiting.", hint="It is safe to run it again.")
        self.last = (done, total, message)


async def _watched(
    session: ServerSession,
    work: Callable[[Progress], dict[str, Any]],
    room: anyio.CapacityLimiter,
) -> dict[str, Any]:
    """Do the work in a thread and report its progress; a call that is cancelled stops it."""
    told = _Told()
    outcome: list[dict[str, Any] | Exception] = []

    def run() -> None:
        try:
            outcome.append(work(told))
        except Exception as error:  # noqa: BLE001 - raised again below, outside of the task group
            outcome.append(error)

    try:
        async with anyio.create_task_group() as group:
            group.start_soon(_report, session, told)
            await anyio.to_thread.run_sync(run, abandon_on_cancel=True, limiter=room)
            group.cancel_scope.cancel()
    finally:
        told.stop.set()
    result = outcome[0]
    if isinstance(result, Exception):
        raise result
    return result


async def _report(session: ServerSession, told: _Told) -> None:
    """Tell the client how far it is, as long as that grows."""
    reported = -1.0
    while True:
        await anyio.sleep(_REPORT_SECONDS)
        if told.last is not None and told.last[0] > reported:
            done, total, message = told.last
            reported = done
            await session.report_progress(done, total, untrusted.shown(message) or None)


def _refused(error: ShopkeeperError) -> CallToolResult:
    """The error for the model to read, so that it can correct itself."""
    told = error.to_json()["error"]
    lines = [f"{told['code']}: {untrusted.shown(told['message'])}", untrusted.shown(told["hint"])]
    text = TextContent(type="text", text="\n".join(filter(None, lines)))
    return CallToolResult(content=[text], is_error=True)


def _not_offered(name: str, actor: Actor, shop: Shop) -> NotAllowed:
    operation = tools.every()[name]
    if not operation.only_looks and not shop.settings.agents_may_write:
        return NotAllowed(
            f"Agents may not run {operation.full_name}: it writes.",
            hint="An owner may allow it: agents_may_write = true in shopkeeper.toml.",
        )
    try:
        operation.permit(actor)
    except NotAllowed as refused:
        return refused
    return NotAllowed(f"{operation.full_name} is not offered to agents.")


def _input_schema(name: str) -> Mapping[str, Any] | None:
    return tools.tool(name).input_schema if name in tools.every() else None
