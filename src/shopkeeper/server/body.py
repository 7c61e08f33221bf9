"""A request's body in full, never larger than allowed: counted as it streams in and as it inflates."""

from __future__ import annotations

import asyncio
import zlib
from typing import Any

import orjson
from starlette.requests import ClientDisconnect, Request

from shopkeeper.core.errors import BadInput, Cancelled, ShopkeeperError, TooLarge

_GZIP = 31  # zlib's window bits for a gzip header


class TooSlow(ShopkeeperError):
    """The body did not arrive in time: a connection is not held open for ever."""

    status = 408
    retryable = True


async def read(request: Request, *, limit: int, seconds: float) -> bytes:
    """The body, inflated if it is gzip.

    Raises:
        TooLarge: as sent or inflated it is over ``limit`` bytes; what is over is never held.
        TooSlow: it took longer than ``seconds``.
        BadInput: an encoding other than gzip, or broken gzip.
    """
    inflate = _inflater(request)
    _check_length(request, limit)
    parts: list[bytes] = []
    size = sent = 0
    try:
        async with asyncio.timeout(seconds):
            async for chunk in request.stream():
                sent += len(chunk)
                part = chunk if inflate is None else _inflated(inflate, chunk, limit - size)
                size += len(part)
                if max(size, sent) > limit:
                    raise _too_large(limit)
                parts.append(part)
    except TimeoutError:
        raise TooSlow(
            f"The request's body did not arrive within {seconds:g} s.", hint="Send it again."
        ) from None
    except ClientDisconnect:
        raise Cancelled("The client went away before its request was complete.") from None
    if inflate is not None and (not inflate.eof or inflate.unused_data):
        raise BadInput(
            "The body is not one whole gzip stream.", hint="Send it again.", field="body"
        )
    return b"".join(parts)


def parse(body: bytes) -> dict[str, Any]:
    """The JSON object in the body; an empty body is an empty object."""
    if not body.strip():
        return {}
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadInput(
            f"The body is not valid JSON: {error}.",
            hint="Send one JSON object in UTF-8.",
            field="body",
        ) from None
    if not isinstance(value, dict):
        raise BadInput(
            f"The body is a JSON {type(value).__name__}, not an object.",
            hint='Send an object such as {"name": "value"}.',
            field="body",
        )
    return value


def _inflater(request: Request) -> Any:
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding == "identity":
        return None
    if encoding != "gzip":
        raise BadInput(
            f"The body is encoded as {encoding!r}.",
            hint="Send it plain or as gzip.",
            field="Content-Encoding",
        )
    return zlib.decompressobj(_GZIP)


def _inflated(inflate: Any, chunk: bytes, room: int) -> bytes:
    """What the chunk inflates to, at most one byte more than there is room for."""
    try:
        part: bytes = inflate.decompress(chunk, room + 1)
    except zlib.error:
        raise BadInput("The body is not valid gzip.", hint="Send it again.", field="body") from None
    return part


def _check_length(request: Request, limit: int) -> None:
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(
        f"The request is larger than {limit:,} bytes.", hint="Split it into smaller requests."
    )
