"""The HTTP API of one shop: operations, intake, health; made here, served by uvicorn."""

from __future__ import annotations

import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import FrameType

import uvicorn
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp

import shopkeeper
from shopkeeper.recommend.keeping import Keeper
from shopkeeper.server import faults
from shopkeeper.server.agents.http import Agents
from shopkeeper.server.contact import Contact
from shopkeeper.server.front import Front
from shopkeeper.server.headers import Headers
from shopkeeper.server.intake import PATHS, Intake
from shopkeeper.server.limits import Rate
from shopkeeper.server.observe import routes as observe
from shopkeeper.server.observe.requests import Watched
from shopkeeper.server.options import ServeOptions
from shopkeeper.server.personalize import Personalize
from shopkeeper.server.routes import Calls
from shopkeeper.server.signin import SignIn
from shopkeeper.server.upload import Upload
from shopkeeper.shop.shop import Shop

_ABOUT = (
    "Every operation is `POST /v1/<capability>/<operation>` with a JSON object of arguments. "
    "Events come in by Segment's calls: `POST /v1/track`, `/v1/batch` … "
    "Errors have one shape, `FaultReply`, whatever went wrong."
)


def create(shop: Shop, options: ServeOptions) -> ASGIApp:
    """The ASGI application of this shop."""
    signin = SignIn(
        shop.keys.find, Rate("wrong keys from one address", options.failures_per_minute)
    )
    intake = Intake(shop, signin, options)
    agents = Agents(shop, signin, options)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        keeper = Keeper(shop)
        keeper.start()
        try:
            async with agents.running():
                yield
        finally:  # also where the start itself fails
            await run_in_threadpool(keeper.close)
            await run_in_threadpool(intake.close)

    app = FastAPI(
        title="Shopkeeper",
        version=shopkeeper.__version__,
        description=_ABOUT,
        docs_url=None,  # its page loads code from another site
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    faults.install(app)
    Calls(shop, signin, options).install(app)
    intake.install(app)

    observe.install(app, shop, signin, lambda: intake.full)
    Upload(shop, signin, options).install(app)
    Contact(shop, options).install(app)
    Personalize(shop, signin, intake, options).install(app)
    agents.install(app)
    known = frozenset(getattr(route, "path", "") for route in app.routes)
    return Watched(Headers(Front(app), PATHS), known)


def serve(folder: Path, options: ServeOptions, listening: socket.socket) -> None:
    """Serve on a socket that is listening already, until SIGTERM; requests under way are finished."""
    with Shop.open(folder) as shop:
        config = uvicorn.Config(
            create(shop, options),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(options.trusted_proxy),
            forwarded_allow_ips=options.trusted_proxy or None,
            timeout_keep_alive=30,
            timeout_graceful_shutdown=10,
        )
        server = uvicorn.Server(config)

        def stop(_signal: int, _frame: FrameType | None) -> None:
            server.should_exit = True

        # uvicorn has its own handlers while it serves, then raises the signal again: with the default
        # action the process would end here, before the shop is closed.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        server.run(sockets=[listening])
