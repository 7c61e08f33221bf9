"""What an endpoint's failures mean: whether to try again, and whether they may have been charged for."""

from __future__ import annotations

import math
import re

import httpx2
from pydantic_ai import exceptions

from shopkeeper.core.errors import ModelBusy, ModelFailed, ShopkeeperError, TooLarge
from shopkeeper.language.types import Request

_BUSY_STATUS = frozenset({408, 409, 425, 429})
_BUSY = (
    exceptions.ModelRateLimitError,
    exceptions.ModelUnavailableError,
    exceptions.ModelServerError,
)
_UNSENT = frozenset({"pool", "connect"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_SAID = 300
_LONGEST_WAIT = 86_400.0


class NotRead(httpx2.RemoteProtocolError):
    """An answer that was not read to its end, on purpose."""


def translated(error: Exception, name: str, request: Request, key_name: str) -> ShopkeeperError:
    """Our error in place of the library's. Where an answer was on its way, its cost is not known."""
    kept_out = _cause(error, NotRead)
    if kept_out is not None:
        return ModelFailed(
            f"The answer of {name} was not read: {kept_out}.",
            hint="Check what answers at that address.",
            tokens_in=None,
            tokens_out=None,
        )
    if isinstance(error, TimeoutError | exceptions.ModelRequestTimeout):
        return _lost(f"{name} did not answer within {request.timeout:g} s.")
    if isinstance(error, exceptions.ModelConnectionError):
        return _broken(error, name, request)
    if isinstance(error, exceptions.ContentFilterError):
        return ModelFailed(
            f"The filter of {name} refuses this text.",
            hint="Leave this text to a person, or ask another model.",
        )
    if _status(error) is not None or isinstance(error, exceptions.ModelRequestRejectedError):
        return _api(error, name, request, key_name)
    return _lost(f"What {name} answered is not an answer of such an endpoint: {_said(error)}.")


def _broken(error: exceptions.ModelConnectionError, name: str, request: Request) -> ShopkeeperError:
    if error.phase in _UNSENT:
        return ModelBusy(
            f"{name} cannot be reached: {_said(error)}.",
            hint="Check the address and that the endpoint runs.",
        )
    if isinstance(error, exceptions.ModelTimeoutError):
        return _lost(f"{name} did not answer within {request.timeout:g} s.")
    return _lost(f"The connection to {name} broke before its answer was whole: {_said(error)}.")


def _api(error: Exception, name: str, request: Request, key_name: str) -> ShopkeeperError:
    status = _status(error) or 0
    if isinstance(error, exceptions.ModelQuotaExceededError):
        return ModelFailed(
            f"The account at {name} has nothing left: {_said(error)}.", hint="Top it up there."
        )
    if isinstance(error, exceptions.ModelAuthenticationError):
        return ModelFailed(
            f"{name} does not accept the key: {_said(error)}.",
            hint=f"Correct it in the environment variable {key_name}.",
            field=key_name,
        )
    if isinstance(error, exceptions.ModelContextWindowExceededError):
        return TooLarge(
            f"The prompt for {request.purpose} is longer than {name} reads.",
            hint="Send fewer or shorter texts at once.",
        )
    if isinstance(error, _BUSY) or status >= 500 or status in _BUSY_STATUS:
        late = ModelBusy(f"{name} cannot answer now: {_said(error)}.", hint="Try again later.")
        late.after = _seconds(getattr(error, "retry_after", None))
        return late
    if 300 <= status < 400:
        return ModelFailed(
            f"{name} points to another address, which is not followed: it would get texts and key.",
            hint="Set the address to where it really is.",
        )
    return ModelFailed(f"{name} refuses this request: {_said(error)}.")


def _lost(message: str) -> ModelBusy:
    return ModelBusy(message, hint="Try again later.", tokens_in=None, tokens_out=None)


def _seconds(told: float | None) -> float | None:
    if told is None or not math.isfinite(told) or told < 0:
        return None
    return min(told, _LONGEST_WAIT)


def _status(error: Exception) -> int | None:
    if isinstance(error, exceptions.ModelHTTPError):
        return error.status_code
    told = getattr(error.__cause__, "status_code", None)  # the library maps errors from 400 only
    return told if isinstance(told, int) else None


def _cause(error: BaseException | None, kind: type[Exception]) -> BaseException | None:
    """The error of that kind from which another came, if there is one."""
    while error is not None and not isinstance(error, kind):
        error = error.__cause__ or error.__context__
    return error


def _said(error: Exception) -> str:
    """The first words of what was said, without characters that a terminal obeys."""
    text = _CONTROL.sub(" ", getattr(error, "message", None) or str(error) or type(error).__name__)
    return (text if len(text) <= _SAID else f"{text[:_SAID]} …").rstrip(". ")
