"""DKIM signatures (RFC 6376): rsa-sha256, relaxed/relaxed."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Self

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from shopkeeper.core.errors import BadInput

_SIGNED: Final = (
    "from", "to", "subject", "date", "message-id", "mime-version", "content-type",
    "list-unsubscribe", "list-unsubscribe-post", "list-id",
)  # fmt: skip
_ONCE: Final = ("from", "to", "subject", "list-unsubscribe", "list-unsubscribe-post")
"""Named once more than they stand there: a second one that is put in breaks the signature."""

_SPACES = re.compile(rb"[ \t]+")
_FOLD = re.compile(rb"\r\n[ \t]+")
_LEAST_BITS: Final = 1024
_LINE: Final = 70


@dataclass(frozen=True)
class Signing:
    """The shop's key: its domain, its selector in the DNS, and the private key."""

    domain: str
    selector: str
    key: rsa.RSAPrivateKey = field(repr=False)

    @classmethod
    def of(cls, domain: str, selector: str, pem: bytes) -> Self:
        """The key in a PEM file.

        Raises:
            BadInput: it is no RSA key, needs a password or is too short.
        """
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as error:
            raise _no_key("cannot be read without a password") from error
        if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < _LEAST_BITS:
            raise _no_key("is no RSA key of 1024 bits or more")
        return cls(domain, selector, key)


def _no_key(why: str) -> BadInput:
    return BadInput(
        f"The DKIM key {why}.",
        hint="Make one: openssl genrsa 2048",
        field="SHOPKEEPER_EMAIL_DKIM_KEY",
    )


def signature(message: bytes, signing: Signing, now: datetime) -> bytes:
    """The header, with its line end, that goes before the message, whose lines end with CRLF."""
    head, _, body = message.partition(b"\r\n\r\n")
    headers = _headers(head)
    there = [name for name in _SIGNED if name in headers]
    named = [*there, *(name for name in _ONCE if name in headers)]
    digest = base64.b64encode(hashlib.sha256(_relaxed_body(body)).digest()).decode()
    told = (
        f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={signing.domain};\r\n"
        f"\ts={signing.selector}; t={int(now.timestamp())};\r\n"
        f"\th={_folded_names(named)};\r\n"
        f"\tbh={digest};\r\n\tb="
    )
    unsigned = _relaxed("dkim-signature", told.encode())
    signed = b"".join(headers[name] + b"\r\n" for name in there) + unsigned
    made = base64.b64encode(signing.key.sign(signed, padding.PKCS1v15(), hashes.SHA256())).decode()
    lines = "\r\n\t".join(made[n : n + _LINE] for n in range(0, len(made), _LINE))
    return f"DKIM-Signature: {told}{lines}\r\n".encode()


def _headers(head: bytes) -> dict[str, bytes]:
    """Each header in its relaxed form, by name; of several of a name the last."""
    found = {}
    for line in _FOLD.sub(b" ", head).split(b"\r\n"):
        name, _, value = line.partition(b":")
        told = name.strip().lower().decode("ascii", "replace")
        found[told] = _relaxed(told, value)
    return found


def _relaxed(name: str, value: bytes) -> bytes:
    unfolded = _SPACES.sub(b" ", value.replace(b"\r\n", b"")).strip(b" ")
    return name.encode() + b":" + unfolded


def _relaxed_body(body: bytes) -> bytes:
    lines = [_SPACES.sub(b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def _folded_names(names: Sequence[str]) -> str:
    half = (len(names) + 1) // 2
    return ":".join(names[:half]) + ":\r\n\t " + ":".join(names[half:])
