"""Every request measured, traced and, if it failed or was slow, logged: by its route, never its words."""

from __future__ import annotations

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shopkeeper.server.observe import logs, meters, traces

_SLOW_SECONDS = 5.0
_CARRIED = {b"traceparent", b"tracestate"}
log = logs.logger("api")


class Watched:
    """Wraps the whole application."""

    def __init__(self, app: ASGIApp, routes: frozenset[str]) -> None:
        """``routes`` are the paths that may be named; every other is "other"."""
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        route = scope["path"] if scope["path"] in self._routes else "other"
        status = 500
        began = time.perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        headers = {k.decode(): v.decode("latin-1") for k, v in scope["headers"] if k in _CARRIED}
        with traces.span(f"{scope['method']} {route}", headers) as attributes:
            try:
                await self._app(scope, receive, noted)
            finally:
                seconds = time.perf_counter() - began
                attributes["http.request.method"] = scope["method"]
                attributes["http.route"] = route
                attributes["http.response.status_code"] = status
                meters.REQUESTS.labels(route, str(status)).inc()
                meters.REQUEST_SECONDS.labels(route).observe(seconds)
                _tell(route, scope["method"], status, seconds)


def _tell(route: str, method: str, status: int, seconds: float) -> None:
    level = logging.DEBUG
    if status >= 500:
        level = logging.WARNING
    elif seconds > _SLOW_SECONDS:
        level = logging.INFO
    if logging.getLogger("shopkeeper.api").isEnabledFor(level):
        ms = round(seconds * 1000, 1)
        log.log(level, "request", route=route, method=method, status=status, ms=ms)
