"""Headers that every answer carries, and who may read answers from another site."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]
_POLICY = b"content-security-policy"
# Browsers of any site may send events (with a browser key), and read nothing but the receipt.
_INTAKE = [
    (b"access-control-allow-origin", b"*"),
    (b"cross-origin-resource-policy", b"cross-origin"),
]
_PREFLIGHT = [
    (b"access-control-allow-methods", b"POST"),
    (b"access-control-allow-headers", b"authorization, content-type, content-encoding"),
    (b"access-control-max-age", b"86400"),
]


class Headers:
    """Wraps the app: security headers on all, cross-site answers on the intake paths only."""

    def __init__(self, app: ASGIApp, open_paths: frozenset[str]) -> None:
        self._app = app
        self._open = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        cross_site = scope["path"] in self._open
        if cross_site and scope["method"] == "OPTIONS":
            await _preflight(send)
            return

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _merged(list(message.get("headers", [])), cross_site)
            await send(message)

        await self._app(scope, receive, stamped)


def _merged(headers: list[tuple[bytes, bytes]], cross_site: bool) -> list[tuple[bytes, bytes]]:
    more = dict(_ALWAYS) | (dict(_INTAKE) if cross_site else {})
    if any(name.lower() == _POLICY for name, _ in headers):
        del more[_POLICY]  # a page of ours says itself what it shows
    return [pair for pair in headers if pair[0].lower() not in more] + list(more.items())


async def _preflight(send: Send) -> None:
    headers = _merged([*_PREFLIGHT, (b"content-length", b"0")], cross_site=True)
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
