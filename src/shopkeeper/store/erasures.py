"""Erasures begun and done. A finished one keeps its certificate, and nothing of whom it was about."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, select, update

from shopkeeper.store import tables
from shopkeeper.store.database import Database
from shopkeeper.store.restrictions import REVISION
from shopkeeper.store.revisions import bump

_SECRET = "erasures"  # noqa: S105 - the name of one


@dataclass(frozen=True, slots=True)
class Run:
    """One erasure: ``running`` until all is removed, ``proving`` until that is shown, then ``done``."""

    erasure_id: str
    status: str
    subjects: Mapping[str, Any]
    report: Mapping[str, Any]
    started_at: datetime
    finished_at: datetime | None


class Erasures:
    """The shop's erasures."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, subjects: Sequence[Mapping[str, Any]], report: Mapping[str, Any]) -> Run:
        """Note who is erased and what was planned, and restrict them, in one step."""
        row = {
            "erasure_id": secrets.token_hex(8),
            "status": "running",
            "subjects": {"subjects": list(subjects)},
            "report": dict(report),
            "started_at": datetime.now(UTC),
        }
        with self._database.begin() as connection:
            connection.execute(tables.erasures.insert(), row)
            for subject in subjects:
                restricted = {
                    "customer_id": subject["customer_id"],
                    "since": row["started_at"],
                    "reason": "erasure",
                }
                insert = tables.insert_new(connection, tables.restrictions)
                connection.execute(insert, restricted)
            bump(connection, REVISION)
        return Run(**row, finished_at=None)  # type: ignore[arg-type]

    def removed(self, run: Run, customer_ids: Iterable[str], who: Iterable[str]) -> None:
        """All is removed: forget who it was, but for keyed hashes by which a repetition is known."""
        r = tables.restrictions.c
        digests = sorted(map(self._digest, who))
        with self._database.begin() as connection:
            gone = delete(tables.restrictions).where(r.customer_id.in_(list(customer_ids)))
            connection.execute(gone)
            bump(connection, REVISION)
            values = {"status": "proving", "subjects": {"digests": digests}}
            connection.execute(self._one(run).values(values))

    def finish(self, run: Run, certificate: Mapping[str, Any]) -> None:
        """Keep the certificate, and no hash any longer."""
        values = {
            "status": "done",
            "subjects": {},
            "report": dict(certificate),
            "finished_at": datetime.now(UTC),
        }
        with self._database.begin() as connection:
            connection.execute(self._one(run).values(values))

    def open_of(self, who: Iterable[str]) -> Run | None:
        """The unfinished erasure of one of these ids, if there is one."""
        wanted = set(who)
        for run in self.list():
            if run.status == "running":
                subjects = run.subjects["subjects"]
                known = {s["customer_id"] for s in subjects}
                known |= {held[0] for s in subjects for held in s["held"]}
            elif run.status == "proving":
                digests = set(run.subjects["digests"])
                known = {one for one in wanted if self._digest(one) in digests}
            else:
                continue
            if wanted & known:
                return run
        return None

    def list(self) -> list[Run]:
        """Every erasure, the newest first."""
        e = tables.erasures
        query = select(e).order_by(e.c.number.desc())
        with self._database.connect() as connection:
            rows = connection.execute(query).mappings()
            return [Run(**{k: v for k, v in row.items() if k != "number"}) for row in rows]

    def _digest(self, text: str) -> str:
        key = self._database.secret(_SECRET, secrets.token_bytes(32))
        return hmac.digest(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hex()

    @staticmethod
    def _one(run: Run) -> Any:
        return update(tables.erasures).where(tables.erasures.c.erasure_id == run.erasure_id)
