"""How the server runs: one frozen record, handed to every process it starts."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from shopkeeper.core.types import Value

Part = Literal["api", "worker", "console"]
CONSOLE: Final = "shopkeeper.console"

MOST_QUEUED = 200
"""Jobs that may wait: more are refused until some have run."""


class ServeOptions(Value):
    """Where the server listens and what it lets through.

    Rates are per key (failures, and visitors with a browser key: per address) and per API process;
    sizes are bytes after any gzip is undone. ``trusted_proxy`` is the one address whose
    ``X-Forwarded-For`` is believed. ``parts`` names what runs here, where parts run apart; the console
    listens on ``host`` too, answers under ``console_names``, and if ``secure`` sends its cookies by HTTPS
    alone.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    api_workers: int = Field(default=1, ge=1, le=64)
    trusted_proxy: str = ""
    calls_per_minute: int = Field(default=600, ge=1)
    intake_calls_per_minute: int = Field(default=60_000, ge=1)
    visitor_calls_per_minute: int = Field(default=600, ge=1)
    failures_per_minute: int = Field(default=30, ge=1)
    call_bytes: int = Field(default=1_000_000, ge=1_000)
    batch_bytes: int = Field(default=500_000, ge=32_000)
    event_bytes: int = Field(default=32_000, ge=1_000)
    waiting_events: int = Field(default=50_000, ge=1_000)
    body_seconds: float = Field(default=30.0, gt=0)
    drain_seconds: float = Field(default=1.0, gt=0)
    jobs_at_once: int = Field(default=1, ge=1, le=16)
    upload_bytes: int = Field(default=5_000_000_000, ge=1_000)
    console: bool = True
    console_port: int = Field(default=8001, ge=0, le=65535)
    console_names: tuple[str, ...] = ()
    secure: bool = False
    parts: tuple[Part, ...] = ()
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @property
    def running(self) -> tuple[Part, ...]:
        """The parts that run here: those that were named, else all."""
        return self.parts or (("api", "worker", "console") if self.console else ("api", "worker"))
