"""Answers of models that were paid for: found again by a keyed hash of the masked prompt.

The prompt is not kept. An answer is kept as it came, so masked, with the ids of the customers whose
texts the prompt held: erasing one of them erases it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, update

from shopkeeper.store import tables
from shopkeeper.store.database import Database
from shopkeeper.store.language_tables import prompts
from shopkeeper.store.process import Process

_SECRET = "prompts"  # noqa: S105 - the name of one


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to ask the model this, for a while or until its holder dies; others wait for the answer."""

    key: str
    token: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was kept."""

    reply: Mapping[str, Any]


class Prompts:
    """The shop's answers of models."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._secret: bytes | None = None

    def key(self, parts: Sequence[str]) -> str:
        """The keyed hash of a prompt's parts: without the shop's secret nobody can try texts against it."""
        if self._secret is None:
            self._secret = self._database.secret(_SECRET, secrets.token_bytes(32))
        text = json.dumps(list(parts)).encode()
        return hmac.digest(self._secret, text, hashlib.sha256).hex()

    def claim(
        self,
        key: str,
        *,
        model: str,
        purpose: str,
        about: Sequence[str],
        lasts: timedelta,
    ) -> Claim | Answer | None:
        """The kept answer; or the right to ask; or None while another process or thread asks."""
        p = prompts.c
        token = secrets.token_hex(16)
        with self._database.connect() as connection:
            known = connection.scalar(select(p.reply).where(p.key == key))
        if known is not None:
            return Answer(json.loads(known))
        with self._database.begin() as connection:
            now = self._database.now(connection)
            mine: dict[str, Any] = {
                "about": list(about),
                "asked_by": token,
                "asked_until": now + lasts,
                "process": Process.this().to_json(),
            }
            row = {"key": key, "model": model, "purpose": purpose, **mine}
            if connection.execute(tables.insert_new(connection, prompts), row).rowcount == 1:
                return Claim(key, token)
            there = connection.execute(select(prompts).where(p.key == key).with_for_update()).one()
            if there.reply is not None:
                return Answer(json.loads(there.reply))
            if there.asked_until > now and not Process.of(there.process).is_dead():
                return None
            connection.execute(update(prompts).where(p.key == key).values(**mine))
        return Claim(key, token)

    def keep(self, claim: Claim, reply: Mapping[str, Any]) -> None:
        """Keep the answer for good, unless one is kept or what it is about was erased meanwhile."""
        p = prompts.c
        # Not escaped: erasure looks for names in it. A lone surrogate cannot be stored, and means nothing.
        text = json.dumps(reply, ensure_ascii=False).encode("utf-8", "replace").decode()
        with self._database.begin() as connection:
            values = {
                "reply": text,
                "answered_at": self._database.now(connection),
                "asked_by": None,
                "asked_until": None,
                "process": None,
            }
            mine = update(prompts).where(p.key == claim.key, p.reply.is_(None))
            connection.execute(mine.values(values))

    def give_up(self, claim: Claim) -> None:
        """There is no answer: whoever waits may ask."""
        p = prompts.c
        with self._database.begin() as connection:
            mine = delete(prompts).where(p.key == claim.key, p.asked_by == claim.token)
            connection.execute(mine)

    def count(self) -> int:
        """How many answers are kept."""
        query = select(func.count()).where(prompts.c.reply.is_not(None))
        with self._database.connect() as connection:
            return connection.scalar(query) or 0
