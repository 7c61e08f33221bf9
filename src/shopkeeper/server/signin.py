"""Who asks, by API key: never by anything in the body."""

from __future__ import annotations

import base64
import binascii
import hashlib
import time
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from shopkeeper.core.errors import NotSignedIn
from shopkeeper.core.operation import Actor
from shopkeeper.server.limits import Rate

_SECONDS = 2.0  # a revoked key works no longer than this
_KNOWN = 4096  # keys kept in memory at once
_HINT = (
    "Send 'Authorization: Bearer <key>', or the key as the user name of Basic. "
    "An owner makes one with: shopkeeper keys create"
)


class SignIn:
    """Finds the actor behind a request; keys that were found are remembered for two seconds."""

    def __init__(self, find: Callable[[str], Actor | None], failures: Rate) -> None:
        self._find = find
        self._failures = failures
        self._known: dict[bytes, tuple[float, Actor]] = {}

    async def actor(self, request: Request) -> Actor:
        """The actor.

        Raises:
            NotSignedIn: no key, or none that is valid.
            TooManyCalls: too many wrong keys from this address.
        """
        secret = _secret(request.headers.get("authorization", ""))
        if not secret:
            raise NotSignedIn("No API key was sent.", hint=_HINT)
        fingerprint = hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(fingerprint)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        where = address(request)
        self._failures.check(where)
        actor = await run_in_threadpool(self._find, secret)
        if actor is None:
            self._known.pop(fingerprint, None)
            self._failures.count(where)
            raise NotSignedIn("This API key is not valid, or was revoked.", hint=_HINT)
        if len(self._known) >= _KNOWN:
            self._known.clear()
        self._known[fingerprint] = (time.monotonic() + _SECONDS, actor)
        return actor


def address(request: Request) -> str:
    """Where the request comes from; behind a trusted proxy, where it says."""
    return request.client.host if request.client else "unknown"


def _secret(header: str) -> str:
    scheme, _, rest = header.strip().partition(" ")
    rest = rest.strip()
    if scheme.lower() == "bearer":
        return rest
    if scheme.lower() != "basic":
        return ""
    try:
        decoded = base64.b64decode(rest, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    user, _, password = decoded.partition(":")
    return user or password
