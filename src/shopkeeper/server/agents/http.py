"""MCP over streamable HTTP at ``/mcp``: the same keys, scopes, rates and limits as the rest of the API.

Without sessions: each request is signed in by its own key, and any API process can answer it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from fastapi import FastAPI
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from shopkeeper.core.errors import NotAllowed, ShopkeeperError
from shopkeeper.core.operation import Actor
from shopkeeper.server import body, faults, handover
from shopkeeper.server.agents.desk import Desk
from shopkeeper.server.limits import Rate
from shopkeeper.server.options import ServeOptions
from shopkeeper.server.signin import SignIn
from shopkeeper.shop.shop import Shop

PATH: Final = "/mcp"
_ACTOR: Final = "shopkeeper.actor"


class Agents:
    """The endpoint."""

    def __init__(self, shop: Shop, signin: SignIn, options: ServeOptions) -> None:
        self._signin = signin
        self._options = options
        self._rate = Rate("agent calls of one key", options.calls_per_minute)
        desk = Desk(shop, _who, handover.by_worker)
        self._manager = StreamableHTTPSessionManager(
            desk.server, stateless=True, max_request_body_size=options.call_bytes
        )

    def install(self, app: FastAPI) -> None:
        """Add the route."""
        app.router.routes.append(Route(PATH, endpoint=self))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """While the application runs."""
        async with self._manager.run():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        if request.method != "POST":
            await Response(status_code=405, headers={"Allow": "POST"})(scope, receive, send)
            return
        try:
            scope[_ACTOR] = await self._permitted(request)
            sent = await body.read(
                request, limit=self._options.call_bytes, seconds=self._options.body_seconds
            )
        except ShopkeeperError as error:
            await faults.answer(error)(scope, receive, send)
            return
        await self._manager.handle_request(scope, _again(sent, receive), send)

    async def _permitted(self, request: Request) -> Actor:
        origin = request.headers.get("origin")
        if origin and urlsplit(origin).netloc != request.headers.get("host"):
            raise NotAllowed(
                "Pages of other sites may not speak to agents' tools.",
                hint="Call from a program, or from a page of this host.",
            )
        actor = await self._signin.actor(request)
        self._rate.count(actor.name)
        if actor.kind == "browser":
            raise NotAllowed(
                "A browser key may only send events.", hint="Give the agent a server key."
            )
        return actor


def _who(ctx: Any) -> Actor:
    """The actor that the request's own key belongs to."""
    actor: Actor = ctx.request.scope[_ACTOR]
    return actor


def _again(sent: bytes, receive: Receive) -> Receive:
    """The body once more, then whatever comes, such as the client's going away."""
    given = False

    async def next_message() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": sent, "more_body": False}

    return next_message
