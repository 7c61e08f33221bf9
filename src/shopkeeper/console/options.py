"""How the console runs: one frozen record."""

from __future__ import annotations

from pydantic import Field

from shopkeeper.core.types import Value

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class ConsoleOptions(Value):
    """Where the console listens and how long it trusts whom.

    ``names`` are the host names under which people reach it, behind a proxy for example; it answers
    under no other, apart from those of this machine while it listens there. ``secure`` marks
    cookies for HTTPS only: set it behind a proxy that ends TLS. While events stream in the tables
    change every second: for ``stamp_seconds`` people are shown the same state of them.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8001, ge=0, le=65535)
    names: tuple[str, ...] = ()
    secure: bool = False
    trusted_proxy: str = ""
    idle_minutes: float = Field(default=30.0, gt=0)
    longest_hours: float = Field(default=12.0, gt=0)
    tries_per_minute: int = Field(default=10, ge=1)
    setup_hours: float = Field(default=1.0, gt=0, le=168)
    upload_bytes: int = Field(default=2_000_000_000, ge=1_000)
    kept_replies: int = Field(default=200, ge=1)
    stamp_seconds: float = Field(default=10.0, ge=0)
    pulse_seconds: float = Field(default=1.0, gt=0)

    @property
    def hosts(self) -> frozenset[str]:
        """The host names it answers to."""
        here = LOOPBACK if self.host in (*LOOPBACK, "0.0.0.0", "::") else (self.host,)  # noqa: S104
        return frozenset(name.casefold() for name in (*here, *self.names))
