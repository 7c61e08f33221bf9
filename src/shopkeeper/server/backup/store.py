"""The store's part of a backup: one consistent state of SQLite or PostgreSQL, while others write."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import URL, make_url

from shopkeeper.core.errors import Conflict, Corrupt, MissingExtra, ShopkeeperError, Unavailable
from shopkeeper.shop.shop import Shop
from shopkeeper.store.database import Database

_JOB_ENGINE = "dbos"  # its schema: what runs is not taken up again from a backup
_NOT_KEPT = ("--no-owner", "--no-privileges")


def save(shop: Shop, target: Path) -> None:
    """Write the state of this moment to ``target``."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if shop.database.dialect_name == "sqlite":
        _save_sqlite(_sqlite_file(shop), target)
        return
    url = make_url(shop.settings.database)
    _run(
        "pg_dump",
        [
            "--format=custom",
            f"--exclude-schema={_JOB_ENGINE}",
            *_NOT_KEPT,
            f"--file={target}",
            f"--dbname={_address(url)}",
        ],
        url,
    )


def check(file: Path, dialect: str) -> None:
    """Decode it all; :class:`Corrupt` where that fails."""
    if dialect != "sqlite":
        _run("pg_restore", ["--file", os.devnull, str(file)], None)
        return
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro&immutable=1", uri=True)) as opened:
            found = opened.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.DatabaseError as error:
        raise Corrupt(f"The database in the backup cannot be read: {error}.") from error
    if found != "ok":
        raise Corrupt(f"The database in the backup is damaged: {found}.")


def load(file: Path, dialect: str, folder: Path, database: str) -> None:
    """Put it in its place: a file in ``folder``, or the empty PostgreSQL database of that address.

    Raises:
        Conflict: the address is of another kind of database, or the database is not empty.
    """
    given = make_url(database).get_backend_name() if database else "sqlite"
    if given != dialect:
        raise Conflict(
            f"The backup holds a {dialect} database; SHOPKEEPER_DATABASE names {given}.",
            hint="Name an empty database of the same kind."
            if dialect == "postgresql"
            else "Unset SHOPKEEPER_DATABASE.",
        )
    if dialect == "sqlite":
        target = Path(str(make_url(database).database)) if database else folder / "shop.sqlite"
        if target.exists():
            raise Conflict(f"There is a database at {target} already.", hint="Move it away first.")
        shutil.copyfile(file, target)
        target.chmod(0o600)
        return
    _require_empty(database)
    url = make_url(database)
    _run(
        "pg_restore",
        [
            *_NOT_KEPT,
            "--exit-on-error",
            "--single-transaction",
            f"--dbname={_address(url)}",
            str(file),
        ],
        url,
    )


def _sqlite_file(shop: Shop) -> Path:
    given = shop.settings.database
    return Path(str(make_url(given).database)) if given else shop.folder / "shop.sqlite"


def _save_sqlite(source: Path, target: Path) -> None:
    """SQLite's own online backup, in one step: one state, and writers do not wait."""
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with (
            closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True, timeout=30)) as opened,
            closing(sqlite3.connect(target)) as copy,
        ):
            opened.backup(copy, pages=-1)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
    except sqlite3.Error as error:
        raise Unavailable(f"The database could not be copied: {error}.") from error


def _require_empty(database: str) -> None:
    opened = Database(database)
    try:
        with opened.connect() as connection:
            found = connection.exec_driver_sql(
                "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
            ).scalar()
    finally:
        opened.close()
    if found:
        raise Conflict(
            "The database named by SHOPKEEPER_DATABASE is not empty.",
            hint="Create a new one for the restored shop.",
        )


def _run(program: str, arguments: Sequence[str], url: URL | None) -> None:
    """Run one of PostgreSQL's programs; a password goes by the environment, which others cannot read."""
    found = shutil.which(program)
    if found is None:
        raise MissingProgram(program)
    environment = dict(os.environ)
    if url is not None and url.password is not None:
        environment["PGPASSWORD"] = str(url.password)
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own program, arguments of ours
        [found, *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["no words"])[0][:300]
        kind = Corrupt if url is None else Unavailable
        raise kind(
            f"{program} failed: {said}.",
            hint="Its major version must not be lower than the server's.",
        )


class MissingProgram(MissingExtra):
    """Backing up PostgreSQL needs its client programs."""

    def __init__(self, program: str) -> None:
        ShopkeeperError.__init__(
            self,
            f"Backups of PostgreSQL need the program {program}.",
            hint="Install PostgreSQL's client programs (Debian: postgresql-client).",
        )


def _address(url: URL) -> str:
    """The address for libpq, without the password."""
    plain = url.set(drivername="postgresql", password=None)
    return plain.render_as_string(hide_password=False)
