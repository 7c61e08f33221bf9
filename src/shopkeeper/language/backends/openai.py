"""Any endpoint that speaks OpenAI's chat protocol: OpenAI, DeepSeek, Qwen, vLLM, Ollama.

Where it is and the key come from the environment alone, always as a pair, so that no key goes to the
wrong house: ``SHOPKEEPER_OPENAI_URL`` with ``SHOPKEEPER_OPENAI_KEY``, otherwise ``OPENAI_BASE_URL`` with
``OPENAI_API_KEY``.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from shopkeeper.core import discovery
from shopkeeper.core.errors import BadInput
from shopkeeper.language.backends.base import Ready
from shopkeeper.language.embedding import Embedder
from shopkeeper.language.types import Backend, Price

NEEDS = "model"

URL, KEY = "SHOPKEEPER_OPENAI_URL", "SHOPKEEPER_OPENAI_KEY"
LOCAL = "SHOPKEEPER_OPENAI_LOCAL"
_COMMON = ("OPENAI_BASE_URL", "OPENAI_API_KEY")
_DEFAULT = "https://api.openai.com/v1"
_NO_KEY = "none"  # what a server of one's own takes where it asks for no key


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the model is asked, and whether that is this machine."""

    url: str
    key: str = field(repr=False)
    key_name: str
    remote: bool
    own: bool
    """Whether it is OpenAI's own, which names some parameters in a way of its own."""


def endpoint(environment: Mapping[str, str]) -> Endpoint:
    """The endpoint that the environment names.

    Raises:
        BadInput: the address would send texts and key in clear, or a key is missing; names the variable.
    """
    url_name, key_name = (URL, KEY) if environment.get(URL) or environment.get(KEY) else _COMMON
    url = (environment.get(url_name) or _DEFAULT).strip().rstrip("/")
    host, loopback = _checked(url, url_name)
    key = (environment.get(key_name) or "").strip()
    if not key and not loopback:
        raise BadInput(
            f"There is no key for {host}.",
            hint=f"Put it into the environment variable {key_name}.",
            field=key_name,
        )
    if not key.isascii() or any(c.isspace() for c in key):
        raise BadInput(
            f"The key in {key_name} has characters that no key has.",
            hint="Copy it again, without quotes or blanks.",
            field=key_name,
        )
    local = loopback and environment.get(LOCAL, "") in ("1", "true", "yes")
    return Endpoint(url, key or _NO_KEY, key_name, not local, host == "api.openai.com")


def ready(model: str) -> Ready:  # noqa: ARG001 - as every backend
    """Whether address and key are there; nobody is asked."""
    try:
        found = endpoint(os.environ)
    except BadInput as error:
        return Ready(False, str(error))
    what = "leaves this machine" if found.remote else "stays on this machine"
    return Ready(True, f"{found.url}, key from {found.key_name}; what is sent {what}")


def price(model: str, declared: Price | None) -> Price | None:  # noqa: ARG001 - as every backend
    """What the owner declared: list prices change, and an endpoint on this machine may cost as well."""
    return declared


def open(model: str, price: Price | None) -> Backend:  # noqa: A001 - as every backend
    """The model behind the endpoint that the environment names."""
    engine: Any = discovery.load("shopkeeper.language.engines", "openai", what="engine")
    backend: Backend = engine.Chat(model, endpoint(os.environ), price)
    return backend


def open_embedder(model: str, price: Price | None) -> Embedder:
    """The model of vectors behind the same endpoint."""
    engine: Any = discovery.load("shopkeeper.language.engines", "openai_vectors", what="engine")
    embedder: Embedder = engine.Embeddings(model, endpoint(os.environ), price)
    return embedder


def _checked(url: str, name: str) -> tuple[str, bool]:
    """The host, and whether it is this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise BadInput(
            f"The address in {name} cannot be read.",
            hint="Write https://host/v1.",
            field=name,
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise BadInput(
            f"The address in {name} holds more than scheme, host, port and path.",
            hint=f"Put a key into {KEY}, not into the address.",
            field=name,
        )
    loopback = _is_loopback(host)
    if parts.scheme == "http" and not loopback:
        raise BadInput(
            f"{host} is not on this machine and its address is not https: texts and key would be sent "
            "readable for anybody on the way.",
            hint=f"Write https:// in {name}, or reach it by a tunnel that ends on this machine.",
            field=name,
        )
    return host, loopback


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
