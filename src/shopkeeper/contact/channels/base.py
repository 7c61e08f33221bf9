"""What a channel is: ``contact/channels/<name>.py`` has ``KIND``, ``REPEATABLE`` and ``open_channel``."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

from shopkeeper.contact.letter import Content, Letter, Result
from shopkeeper.core import discovery
from shopkeeper.core.errors import BadInput

PACKAGE = "shopkeeper.contact.channels"


class Channel(Protocol):
    """One open way out. Not shared between threads: each sender opens its own."""

    def send(self, letter: Letter) -> Result:
        """Hand the letter over. Never raises for what a provider or the network does."""

    def arrived(self, message_id: str) -> bool | None:
        """Whether the provider has the message of that id; None where it cannot say."""

    def close(self) -> None:
        """End the connection."""


@dataclass(frozen=True)
class Surroundings:
    """Where a channel finds its settings (secrets only here) and the shop's folder."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def need(self, name: str, what: str) -> str:
        """The setting, or an error that says what it is for."""
        value = self.environment.get(name, "").strip()
        if not value:
            raise BadInput(
                f"The channel is not set up: {name} is missing.",
                hint=f"Set {name} in the environment: {what}.",
                field=name,
            )
        return value

    def get(self, name: str, otherwise: str = "") -> str:
        """The setting, or what holds without it."""
        return self.environment.get(name, "").strip() or otherwise


@dataclass(frozen=True)
class Plug:
    """A channel's module: its kind of addresses, and whether a repetition reaches the customer once."""

    name: str
    kind: str
    repeatable: bool
    check: Callable[[Content], None]
    open: Callable[[Surroundings], Channel]


def plug(name: str) -> Plug:
    """The channel of that name, or :class:`UnknownName`."""
    module = discovery.load(PACKAGE, name, what="channel")
    opener = cast("Callable[[Surroundings], Channel]", module.open_channel)
    return Plug(name, module.KIND, module.REPEATABLE, module.check, opener)


def plugs() -> list[Plug]:
    """Every channel."""
    return [plug(name) for name in discovery.names(PACKAGE)]


def need(content: Content, *names: str) -> None:
    """Refuse a content without one of these parts."""
    for name in names:
        if not getattr(content, name):
            raise BadInput(
                f"The content has no {name}.", hint=f"Give it a {name}.", field=f"content.{name}"
            )


def refuse(content: Content, *names: str, why: str) -> None:
    """Refuse a content with one of these parts."""
    for name in names:
        if getattr(content, name):
            raise BadInput(f"The content may have no {name}: {why}.", field=f"content.{name}")
