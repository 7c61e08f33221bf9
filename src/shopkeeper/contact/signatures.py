"""Standard Webhooks 1.0: a body signed with its id and time, and checked again."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from shopkeeper.core.errors import BadInput, NotSignedIn

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
WINDOW_S: Final = 300
"""How far a message's time may be from ours: an older one may be a replay."""

_PREFIX = "whsec_"
_SHORTEST = 16


def secrets(told: str, name: str) -> tuple[bytes, ...]:
    """The secrets in a setting: ``whsec_…`` in base64, several apart by spaces while they are changed.

    Raises:
        BadInput: one cannot be read, or is too short to keep anybody out.
    """
    found = []
    for one in told.split():
        try:
            found.append(base64.b64decode(one.removeprefix(_PREFIX), validate=True))
        except (binascii.Error, ValueError):
            found.append(b"")
    if not found or min(map(len, found)) < _SHORTEST:
        raise BadInput(
            f"{name} is no secret of Standard Webhooks.",
            hint="Write whsec_ and at least 24 random bytes in base64.",
            field=name,
        )
    return tuple(found)


def headers(keys: Sequence[bytes], message_id: str, now: datetime, body: bytes) -> dict[str, str]:
    """The headers that prove who sent the body, and that it is not sent again by another."""
    seconds = int(now.timestamp())
    return {
        ID: message_id,
        TIMESTAMP: str(seconds),
        SIGNATURE: " ".join(f"v1,{_sign(key, message_id, seconds, body)}" for key in keys),
    }


def verify(keys: Sequence[bytes], given: Mapping[str, str], body: bytes, now: datetime) -> str:
    """The id of a message that one of the keys has signed lately.

    Raises:
        NotSignedIn: it is signed by nobody known, or its time is too far from now.
    """
    message_id, told = given.get(ID, ""), given.get(TIMESTAMP, "")
    if not message_id or not told.isascii() or not told.isdigit():
        raise NotSignedIn("The call is not signed.", hint="Sign it as Standard Webhooks says.")
    seconds = int(told[:12])
    if abs(now.timestamp() - seconds) > WINDOW_S:
        raise NotSignedIn(
            "The call's time is too far from now.", hint="Sign it anew, and set the clock."
        )
    offered = [
        part.removeprefix("v1,") for part in given.get(SIGNATURE, "").split() if part[:3] == "v1,"
    ]
    for key in keys:
        right = _sign(key, message_id, seconds, body)
        if any(hmac.compare_digest(right.encode(), one.encode()) for one in offered):
            return message_id
    raise NotSignedIn("The call's signature is wrong.", hint="Sign it with the secret set here.")


def _sign(key: bytes, message_id: str, seconds: int, body: bytes) -> str:
    signed = f"{message_id}.{seconds}.".encode() + body
    return base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
