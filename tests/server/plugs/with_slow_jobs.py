"""Lets the tests' jobs be found beside the shipped operations."""

from __future__ import annotations

from shopkeeper.core import discovery

_shipped = discovery.capabilities


def install() -> None:
    """Let the tests' capability be found beside the shipped ones."""
    discovery.capabilities = lambda: _shipped() | {"slowjobs": "slowjobs.operations"}
