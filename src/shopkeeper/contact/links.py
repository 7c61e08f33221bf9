"""Links in messages that only the shop can have made: unsubscribe, tracked clicks, opens."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from shopkeeper.core.errors import BadInput
from shopkeeper.store.database import Database

PUBLIC_URL: Final = "SHOPKEEPER_PUBLIC_URL"
PATH: Final = "/v1/contact"
_SECRET: Final = "links in messages"  # noqa: S105 - the secret's name
_LONGEST: Final = 4_000
_SIGNATURE_BYTES: Final = 16


@dataclass(frozen=True)
class Links:
    """Makes and reads them. ``base`` is where customers reach the server: https://shop.example."""

    key: bytes = field(repr=False)
    base: str = ""

    @classmethod
    def of(cls, database: Database, environment: Mapping[str, str] | None = None) -> Links:
        """The shop's links, with the base of ``SHOPKEEPER_PUBLIC_URL``."""
        told = (os.environ if environment is None else environment).get(PUBLIC_URL, "").strip()
        if told and not told.startswith(("https://", "http://")):
            raise BadInput(
                f"{PUBLIC_URL} is no web address.", hint="Write https://….", field=PUBLIC_URL
            )
        return cls(database.secret(_SECRET, secrets.token_bytes(32)), told.rstrip("/"))

    def unsubscribe(self, customer_id: str, channel: str, purpose: str, message_id: str) -> str:
        """Where this customer takes back this consent, and no other."""
        token = self.token("unsubscribe", [customer_id, channel, purpose, message_id])
        return f"{self.base}{PATH}/unsubscribe/{token}"

    def click(self, message_id: str, target: str) -> str:
        """A link to the target by way of the shop, which notes the click."""
        return f"{self.base}{PATH}/click/{self.token('click', [message_id, target])}"

    def opened(self, message_id: str) -> str:
        """A picture that is fetched when the message is shown."""
        return f"{self.base}{PATH}/open/{self.token('open', [message_id])}"

    def token(self, kind: str, parts: Sequence[str]) -> str:
        """The parts, signed."""
        told = json.dumps([kind, *parts], ensure_ascii=False, separators=(",", ":")).encode()
        return f"{_encoded(told)}.{_encoded(self._signature(told))}"

    def read(self, kind: str, token: str) -> list[str]:
        """The parts of a token of that kind.

        Raises:
            BadInput: it was not made here, or for something else.
        """
        told, _, signature = token.partition(".")
        try:
            data, given = _decoded(told), _decoded(signature)
        except (binascii.Error, ValueError):
            data, given = b"", b""
        right = len(token) <= _LONGEST and hmac.compare_digest(self._signature(data), given)
        parts: list[str] = json.loads(data) if right and data else []
        if not parts or parts[0] != kind:
            raise BadInput(
                "This link was not made by the shop, or was cut off.",
                hint="Use the whole link as it stands in the message.",
                field="token",
            )
        return parts[1:]

    def _signature(self, data: bytes) -> bytes:
        return hmac.digest(self.key, data, "sha256")[:_SIGNATURE_BYTES]


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
