"""Every error of the API in the one shape; nothing internal leaves the process."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from shopkeeper.core.errors import ShopkeeperError, TooLarge
from shopkeeper.core.text import did_you_mean
from shopkeeper.core.types import Value
from shopkeeper.server.body import TooSlow
from shopkeeper.server.observe import logs

log = logs.logger("api")


class Fault(Value):
    """What went wrong, where, and what to do."""

    code: str
    message: str
    hint: str
    field: str | None
    retryable: bool


class FaultReply(Value):
    """The body of every answer that is not a success."""

    error: Fault


REPLIES: dict[int | str, dict[str, Any]] = {
    "default": {"model": FaultReply, "description": "What went wrong, and what to do."}
}


def install(app: FastAPI) -> None:
    """Give the app its handlers."""
    app.add_exception_handler(ShopkeeperError, _ours)
    app.add_exception_handler(HTTPException, _framework)
    app.add_exception_handler(Exception, _unexpected)


def answer(error: ShopkeeperError, more: dict[str, Any] | None = None) -> Response:
    """The response for an error of ours; ``more`` stands beside the error."""
    headers = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="shopkeeper"'
    if error.retryable and error.status in (429, 503):
        headers["Retry-After"] = str(getattr(error, "retry_after", 1))
    if isinstance(error, TooLarge | TooSlow):
        headers["Connection"] = "close"  # the rest of the body is not read
    if error.status >= 500:
        level = logging.WARNING if error.retryable else logging.ERROR
        log.log(level, "answered with an error", exc_info=error)
    return _response(error.status, {**error.to_json(), **(more or {})}, headers)


async def guarded(call: Callable[[Request], Awaitable[Response]], request: Request) -> Response:
    """What the call answers, or the answer for its error."""
    try:
        return await call(request)
    except ShopkeeperError as error:
        return answer(error)
    except HTTPException as error:
        return await _framework(request, error)
    except Exception as error:  # noqa: BLE001 - logged with its number; the client is told no more
        return await _unexpected(request, error)


async def _ours(_request: Request, error: Exception) -> Response:
    if not isinstance(error, ShopkeeperError):
        raise error
    return answer(error)


async def _framework(request: Request, error: Exception) -> Response:
    """What the framework refuses before an operation is found: 404, 405."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(getattr(error, "headers", None) or {})
    path = request.url.path
    if status == 404:
        known = [getattr(route, "path", "") for route in request.app.routes]
        near = did_you_mean(path, known)
        hint = f"Did you mean {near}?" if near else "See /openapi.json for what there is."
        return _fault(404, "NotFound", f"There is nothing at {path}.", hint, headers)
    if status == 405:
        hint = f"Use {headers.get('allow') or headers.get('Allow') or 'POST'}."
        message = f"{request.method} is not allowed at {path}."
        return _fault(405, "NotAllowedMethod", message, hint, headers)
    return _fault(status, "Refused", str(getattr(error, "detail", "Refused.")), "", headers)


async def _unexpected(_request: Request, error: Exception) -> Response:
    number = secrets.token_hex(4)
    log.error("unexpected error", number=number, exc_info=error)
    return _fault(
        500,
        "Internal",
        "Something went wrong on the server.",
        f"Try again; if it stays, give the owner this number: {number}.",
        {},
    )


def _fault(status: int, code: str, message: str, hint: str, headers: dict[str, str]) -> Response:
    fault = Fault(code=code, message=message, hint=hint, field=None, retryable=status >= 500)
    return _response(status, {"error": fault.model_dump()}, headers)


def _response(status: int, content: dict[str, Any], headers: dict[str, str]) -> Response:
    body = orjson.dumps(content, default=str, option=orjson.OPT_NON_STR_KEYS)
    return Response(body, status, headers, media_type="application/json")
