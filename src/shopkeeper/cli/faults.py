"""What went wrong, on standard error: a message and a hint, or the one JSON shape of every surface."""

from __future__ import annotations

import json
import sys

from shopkeeper.core.errors import ShopkeeperError


class Usage(ShopkeeperError):
    """The command line itself is wrong: no such command, no such option, something missing."""

    status = 422


class Internal(ShopkeeperError):
    """Something that Shopkeeper did not foresee."""


def inside(error: Exception, variable: str) -> Internal:
    """What to say of an error that nobody foresaw."""
    return Internal(
        f"Something went wrong inside: {type(error).__name__}: {error}",
        hint=f"Run it again with {variable}=1 to see where, and report that.",
    )


def report(error: ShopkeeperError, *, as_json: bool) -> None:
    """Print the error without a traceback."""
    if as_json:
        sys.stderr.write(json.dumps(error.to_json()) + "\n")
        return
    from shopkeeper.cli.terminal import console, plain  # noqa: PLC0415 - rich only where it prints

    out = console(errors=True)
    out.print(plain("Error: ", "bold red").append_text(plain(error.message, lines=True)))
    if error.hint:
        out.print(plain(f"  → {error.hint}", "yellow", lines=True))
