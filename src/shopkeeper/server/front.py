"""Calls before the framework: a path that is a call is looked up, not searched for among all routes.

The framework's router tries one route after the other, and its layers cost as much again as a call that is
answered from memory. What is no call (health, docs, uploads, agents) goes to the framework as before.
"""

from __future__ import annotations

from fastapi import FastAPI
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from shopkeeper.server import faults
from shopkeeper.server.routes import Direct, Handler


class Front:
    """Wraps the app: POST to a call's path is answered here, in the same one shape of errors."""

    def __init__(self, app: FastAPI) -> None:
        self._app: ASGIApp = app
        self._calls: dict[str, Handler] = {
            route.path: route.get_route_handler()
            for route in app.router.routes
            if isinstance(route, Direct)
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = None
        if scope["type"] == "http" and scope["method"] == "POST":
            call = self._calls.get(scope["path"])
        if call is None:
            await self._app(scope, receive, send)
            return
        answer = await faults.guarded(call, Request(scope, receive))
        await answer(scope, receive, send)
