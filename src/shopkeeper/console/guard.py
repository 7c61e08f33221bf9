"""What every request passes first: is it meant for us, from our own pages, by somebody signed in?"""

from __future__ import annotations

import logging
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import quote, urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shopkeeper.console.options import ConsoleOptions
from shopkeeper.console.sessions import COOKIE, SessionEnded, Sessions
from shopkeeper.core.errors import NotAllowed, ShopkeeperError, TooLarge

log = logging.getLogger("shopkeeper.console")

OPEN: Final = frozenset({"/sign-in", "/set-up", "/health", "/ready"})
"""Paths for who is not signed in."""

REPORTS: Final = "/reports/file/"
EXPORTS: Final = "/exports/file/"

# NiceGUI writes inline scripts and styles into its page and Vue compiles templates in the browser, so
# both 'unsafe-' words are needed there. Everything comes from this host all the same.
_CONSOLE_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline';"
    " img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; manifest-src 'self';"
    " worker-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_DOOR_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'"
)
# A report has its own stricter policy inside; here it also loses the console's origin.
_REPORT_POLICY: Final = "sandbox allow-scripts allow-popups; frame-ancestors 'none'"

_ALWAYS: Final = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class Guard:
    """Wraps the console."""

    def __init__(self, app: ASGIApp, sessions: Sessions, options: ConsoleOptions) -> None:
        self.app = app
        self._sessions = sessions
        self._options = options

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer what is refused; hand on the rest."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal is None:
            await self._passed_on(scope, receive, send)
        elif scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008})
        else:
            await refusal(scope, receive, self._stamped(scope, send))

    async def _passed_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, self._stamped(scope, send))
        except RuntimeError as error:
            # What Starlette raises when a browser goes away before it is answered: nobody's fault.
            if str(error) != "No response returned.":
                raise

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
        if host.casefold() not in self._options.hosts:
            return _answer(
                NotAllowed("The console is not known by that name.", hint="Use --name HOST."), 421
            )
        changes = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        if changes and not _from_here(headers):
            return _answer(
                NotAllowed("This request came from another site.", hint="Load the page again."), 403
            )
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > self._options.upload_bytes:
            return _answer(TooLarge("The file is too large."), 413)
        if scope["path"] in OPEN:
            return None
        try:
            self._sessions.find(cookie_of(headers))
        except SessionEnded as ended:
            return _to_sign_in(scope, headers, ended)
        return None

    def _stamped(self, scope: Scope, send: Send) -> Send:
        path = scope["path"]
        more = dict(_ALWAYS)
        more["content-security-policy"] = (
            _DOOR_POLICY
            if path in OPEN
            else _REPORT_POLICY
            if path.startswith(REPORTS)
            else _CONSOLE_POLICY
        )
        if not path.startswith("/_nicegui/"):  # whose versioned files may be kept
            more["cache-control"] = "no-store"
        if self._options.secure:
            more["strict-transport-security"] = "max-age=31536000"
        pairs = [(name.encode(), value.encode()) for name, value in more.items()]

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [p for p in message.get("headers", []) if p[0].decode().lower() not in more]
                message = {**message, "headers": [*kept, *pairs]}
            await send(message)

        return stamped


def cookie_of(headers: Headers) -> str | None:
    """The text of the session's cookie."""
    try:
        cookies = SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return None
    return cookies[COOKIE].value if COOKIE in cookies else None


def _from_here(headers: Headers) -> bool:
    """Whether a page of this very host sent it: browsers say so, and no page can make them lie."""
    origin = headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc.casefold() == headers.get("host", "").casefold()
    return headers.get("sec-fetch-site") == "same-origin"


def _to_sign_in(scope: Scope, headers: Headers, ended: SessionEnded) -> Response:
    page = scope["type"] == "http" and scope["method"] == "GET"
    if not page or "text/html" not in headers.get("accept", ""):
        return _answer(ended, 401)
    where = scope["path"] + (f"?{scope['query_string'].decode()}" if scope["query_string"] else "")
    return RedirectResponse(f"/sign-in?why={ended.why}&to={quote(where, safe='')}", 303)


def _answer(error: ShopkeeperError, status: int) -> Response:
    return JSONResponse(error.to_json(), status)
