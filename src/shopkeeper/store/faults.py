"""What a database's own errors mean to Shopkeeper: translated once, where they enter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from shopkeeper.core.errors import BadInput, Conflict, Corrupt, ShopkeeperError, Unavailable

_BUSY = ("database is locked", "database table is locked", "lock timeout", "deadlock detected")
_DAMAGED = ("malformed", "file is not a database", "invalid page", "could not read block")
_FULL = ("disk is full", "no space left", "disk i/o error")
_REFUSED = ("authentication failed", "no password supplied", "does not exist", "pg_hba.conf")
_MIGRATE = ("no such table", "no such column", "undefinedtable", "undefinedcolumn")


@contextmanager
def translated(address: str) -> Iterator[None]:
    """Raise our errors in place of the driver's; a mistake of ours in SQL stays as it is."""
    try:
        yield
    except exc.DataError as error:
        raise BadInput(
            f"The database cannot store a value: {_cause(error)}.",
            hint="Text may not hold the character NUL; numbers must be in range.",
        ) from error
    except exc.IntegrityError as error:
        raise Conflict(f"A rule of the database forbids this: {_cause(error)}.") from error
    except exc.TimeoutError as error:
        raise Unavailable(
            f"All connections to {address} are in use.", hint="Try again shortly."
        ) from error
    except exc.StatementError as error:
        if isinstance(error.orig, ShopkeeperError):  # a column's type refused the value
            raise error.orig from None
        ours = _meaning(error, address)
        if ours is None:
            raise
        raise ours from error
    except (UnicodeEncodeError, OverflowError) as error:  # the drivers let these through
        raise BadInput(
            f"The database cannot store a value: {type(error).__name__}.",
            hint="Leave out broken Unicode and numbers beyond 64 bits.",
        ) from error


def _meaning(error: exc.StatementError, address: str) -> ShopkeeperError | None:
    cause = _cause(error)
    words = f"{type(error.orig).__name__} {cause}".lower()
    if any(word in words for word in _DAMAGED):
        return Corrupt(f"The database {address} is damaged: {cause}.", hint="Restore a backup.")
    if any(word in words for word in _FULL):
        return Unavailable(f"{address} cannot be written: {cause}.", hint="Make room on its disk.")
    if any(word in words for word in _BUSY):
        return Unavailable(
            f"{address} is busy with another process's transaction.", hint="Try again shortly."
        )
    if any(word in words for word in _MIGRATE):
        return Conflict(
            f"{address} lacks a table or column that this version needs: {cause}.",
            hint="Open the shop once with this version: that brings its tables up to date.",
        )
    if isinstance(error, exc.OperationalError | exc.InterfaceError):
        hint = "Start the server, or correct SHOPKEEPER_DATABASE."
        if any(word in words for word in _REFUSED):
            hint = "Correct user, password and name in SHOPKEEPER_DATABASE."
        return Unavailable(f"{address} does not answer: {cause}.", hint=hint)
    return None


def _cause(error: exc.StatementError) -> str:
    """The driver's first line: it holds neither the statement's parameters nor a password."""
    lines = str(error.orig).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error.orig).__name__
