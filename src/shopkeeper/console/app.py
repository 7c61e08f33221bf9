"""The console of one shop as an ASGI application. NiceGUI keeps its state per process: make one."""

from __future__ import annotations

import asyncio
import copy
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from nicegui import ui
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from shopkeeper.console import frame, preferences, signatures
from shopkeeper.console.calls import Calls
from shopkeeper.console.door import Door
from shopkeeper.console.forecast import Forecast
from shopkeeper.console.guard import Guard
from shopkeeper.console.options import ConsoleOptions
from shopkeeper.console.pulse import Pulse
from shopkeeper.console.sessions import COOKIE, SessionEnded, Sessions
from shopkeeper.console.visit import Visit
from shopkeeper.core.errors import Unavailable
from shopkeeper.shop.shop import Shop

_SECRET = "console sessions"  # noqa: S105 - the name under which the store keeps it
_THEMES = {"auto": None, "light": False, "dark": True}
_ANSWER_S = 20.0  # longer than the store is waited for: then the page says that it does not answer
_QUASAR = {"zh": "zh-CN", "en": "en-US"}


def create(shop: Shop, options: ConsoleOptions | None = None) -> Guard:
    """The console, ready for uvicorn."""
    chosen = options or ConsoleOptions()
    signatures.remember()
    sessions = Sessions(
        shop.database.secret(_SECRET, secrets.token_bytes(32)),
        idle_seconds=chosen.idle_minutes * 60,
        longest_seconds=chosen.longest_hours * 3600,
    )
    calls = Calls(shop, sessions, chosen)
    forecast = Forecast(calls)
    pulse = Pulse(calls, forecast)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        pulse.start()
        yield
        pulse.stop()
        await asyncio.gather(asyncio.to_thread(forecast.close), asyncio.to_thread(calls.close))

    app = FastAPI(
        title="Shopkeeper", docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan
    )
    door = Door(calls)
    door.install(app)
    _pages(calls, pulse, door)
    ui.run_with(
        app,
        title="Shopkeeper",
        favicon=_FAVICON,
        tailwind=False,
        show_welcome_message=False,
        reconnect_timeout=30.0,  # a browser on a busy machine answers within 12 s, or comes back
        binding_refresh_interval=None,
    )
    return Guard(app, sessions, chosen)


def _pages(calls: Calls, pulse: Pulse, door: Door) -> None:
    """One page for every path: within it, only what changes is sent."""
    style = files("shopkeeper.console").joinpath("look/console.css").read_text("utf-8")
    ui.add_css(style, shared=True)

    async def root(request: Request) -> Response | None:
        try:
            session = calls.sessions.find(request.cookies.get(COOKIE))
            calls.sessions.touch(session)
            actor = await calls.look(lambda: calls.actor(session, asked=True))
        except SessionEnded as ended:  # shut out since the guard looked
            return RedirectResponse(f"/sign-in?why={ended.why}", 303)
        except Unavailable as error:
            return door.away(request, error)
        lang = preferences.language(request, calls.shop.settings)
        theme = preferences.theme(request)
        client = ui.context.client
        page: Any = copy.copy(client.page)  # the language and theme of this visit, not of all
        page.language, page.dark = _QUASAR[lang], _THEMES[theme]
        client.page = page
        frame.build(Visit(calls, pulse, session, actor, lang), theme)
        return None

    for path in ("/", "/{_:path}"):
        ui.page(path, response_timeout=_ANSWER_S)(root)


_FAVICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7"'
    ' fill="#b23a24"/><text x="16" y="22.5" font-size="18" fill="#fff" text-anchor="middle"'
    ' font-family="sans-serif">掌</text></svg>'
)
