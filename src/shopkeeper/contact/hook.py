"""A provider reached by one signed POST for each letter, which it knows again by its id."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import httpx2
import orjson

from shopkeeper.contact.channels.base import Surroundings
from shopkeeper.contact.letter import Letter, Outcome, Result
from shopkeeper.contact.signatures import headers, secrets
from shopkeeper.core.errors import BadInput

_SECONDS: Final = 20.0
_GONE, _TOO_MANY = 410, 429
_OF_THE_LETTER: Final = frozenset({400, 404, 409, 413, 415, 422})
"""Answers that say that this letter will never be taken; any other failure is the provider's."""

_ABOUT_NOBODY: Final = "invalid_recipient"


class Hook:
    """One endpoint and the connection to it."""

    def __init__(self, url: str, keys: tuple[bytes, ...], seconds: float) -> None:
        self._url = url
        self._keys = keys
        self._client = httpx2.Client(timeout=seconds, follow_redirects=False, trust_env=False)

    @classmethod
    def of(cls, around: Surroundings, prefix: str) -> Hook:
        """The endpoint of ``<prefix>_URL`` with the secret of ``<prefix>_SECRET``."""
        url = around.need(f"{prefix}_URL", "https://provider.example/messages")
        if not url.startswith(("https://", "http://")):
            raise BadInput(
                f"{prefix}_URL is no web address.", hint="Write https://….", field=f"{prefix}_URL"
            )
        secret = around.need(f"{prefix}_SECRET", "whsec_… as agreed with the provider")
        seconds = float(around.get(f"{prefix}_SECONDS", str(_SECONDS)))
        return cls(url, secrets(secret, f"{prefix}_SECRET"), seconds)

    def post(self, letter: Letter, kind: str, data: dict[str, Any]) -> Result:
        """Hand the letter over; the same id and body whenever it is tried again."""
        now = datetime.now(UTC)
        body = orjson.dumps({"type": kind, "timestamp": now.isoformat(), "data": data})
        signed = headers(self._keys, letter.message_id, now, body)
        try:
            reply = self._client.post(
                self._url, content=body, headers={**signed, "content-type": "application/json"}
            )
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            return Result(Outcome.LATER, "connect", type(error).__name__, fault=True)
        except httpx2.HTTPError as error:
            # It may have been taken: the provider knows the id, so that another try is safe.
            return Result(Outcome.UNSURE, "no_answer", type(error).__name__, fault=True)
        return _result(reply)

    def close(self) -> None:
        """End the connection."""
        self._client.close()


def _result(reply: httpx2.Response) -> Result:
    status, code, words = reply.status_code, str(reply.status_code), reply.text[:500]
    told = _told(reply)
    if reply.is_success:
        reference = told.get("id")
        return Result(
            Outcome.ACCEPTED, code, words, reference if isinstance(reference, str) else None
        )
    if status == _GONE:
        return Result(Outcome.DISABLED, code, words, fault=True)
    if status in _OF_THE_LETTER:
        return Result(Outcome.REFUSED, code, words, bad_address=told.get("code") == _ABOUT_NOBODY)
    wait = _wait(reply.headers.get("retry-after", ""))
    return Result(Outcome.LATER, code, words, wait_s=wait, fault=status != _TOO_MANY)


def _told(reply: httpx2.Response) -> dict[str, Any]:
    try:
        told = orjson.loads(reply.content)
    except orjson.JSONDecodeError:
        return {}
    return told if isinstance(told, dict) else {}


def _wait(told: str) -> float | None:
    """Seconds of a Retry-After, which is a number of them or a date."""
    if told.isascii() and told.isdigit():
        return float(told[:7])
    try:
        at = parsedate_to_datetime(told)
    except ValueError:
        return None
    return max(0.0, (at - datetime.now(UTC)).total_seconds()) if at.tzinfo else None
