"""``/health``, ``/ready`` and ``/metrics``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from ipaddress import ip_address

import anyio
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import shopkeeper
from shopkeeper.core.errors import NotAllowed, Unavailable
from shopkeeper.core.operation import READ
from shopkeeper.server import faults
from shopkeeper.server.observe import meters, state
from shopkeeper.server.signin import SignIn, address
from shopkeeper.shop.shop import Shop

_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_BY_PROXY = ("x-forwarded-for", "forwarded", "via", "x-real-ip")


def install(app: FastAPI, shop: Shop, signin: SignIn, full: Callable[[], bool]) -> None:
    """Add the routes; ``full`` says whether so much waits that others should be sent elsewhere."""

    def ready() -> dict[str, str]:
        """Requests would be taken; 503 otherwise.

        ``degraded``: events are taken and kept, but no worker moves them into the tables or does jobs.
        """
        if full():
            raise Unavailable("Too many events wait to be written.", hint="Try again in a second.")
        checks = state.check(shop)
        if checks.disk != "ok":
            raise Unavailable("The disk is nearly full.", hint="Make room on the shop's disk.")
        return {"status": "ready" if checks.worker == "ok" else "degraded"}

    for path, answer in (("/health", _health), ("/ready", ready)):
        app.add_api_route(path, answer, tags=["health"], responses=faults.REPLIES)
    app.router.routes.append(Route("/metrics", partial(_metrics, shop, signin), methods=["GET"]))


def _health() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok", "version": shopkeeper.__version__}


async def _metrics(shop: Shop, signin: SignIn, request: Request) -> Response:
    """Figures for Prometheus: to this machine, or to a key with ``observe:read``."""
    if not _from_here(request):
        actor = await signin.actor(request)
        if not actor.may("observe", READ):
            raise NotAllowed(
                f"{actor.name} may not read the server's metrics.",
                hint="Ask the owner for the scope 'observe:read'.",
            )
    meters.remember_memory("api")
    return Response(await anyio.to_thread.run_sync(state.exposition, shop), media_type=_TEXT)


def _from_here(request: Request) -> bool:
    """From this machine, and not by a proxy on it that speaks for others."""
    if any(name in request.headers for name in _BY_PROXY):
        return False
    try:
        return ip_address(address(request)).is_loopback
    except ValueError:
        return False
