"""A run that labels texts, to be killed: ``python labeller.py <folder> <texts>``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import httpx2

from shopkeeper.core.errors import ShopkeeperError
from shopkeeper.language.guard import Rules, guard
from shopkeeper.language.many import complete_each
from shopkeeper.language.types import Message, Price, Reply, Request
from shopkeeper.store.database import Database
from shopkeeper.store.prompts import Prompts
from shopkeeper.store.spending import Caps, Spending

PRICE = Price(1.0, 1.0)


class Direct:
    """The scripted endpoint by plain HTTP: the library that the real backend takes loads for seconds."""

    name = "openai:scripted"
    remote = True
    price = PRICE

    def __init__(self, url: str) -> None:
        self._client = httpx2.Client(base_url=url, timeout=30)

    def complete(self, request: Request) -> Reply:
        turns = [{"role": m.role, "content": m.content} for m in request.messages]
        told = self._client.post("/chat/completions", json={"messages": turns}).json()
        text = told["choices"][0]["message"]["content"]
        used = told["usage"]
        return Reply(text, None, used["prompt_tokens"], used["completion_tokens"], self.name, 0.0)

    def close(self) -> None:
        self._client.close()


def label(folder: Path, texts: int) -> None:
    """Ask about each text, saying its number as soon as its answer is kept."""
    database = Database(folder / "state.db")
    database.migrate()
    rules = Rules(
        cache=Prompts(database),
        ledger=Spending(database),
        caps=Caps(10**12),
        month=lambda: "2026-11",
        may_send=lambda _request: True,
    )
    backend = guard(Direct(os.environ["SHOPKEEPER_OPENAI_URL"]), rules)
    requests = (Request((Message("user", f"text {n}"),), "label") for n in range(texts))
    for position, reply in complete_each(backend, requests, at_once=2):
        if isinstance(reply, ShopkeeperError):
            raise reply
        sys.stdout.write(f"{position} {'kept' if reply.cached else 'asked'}\n")
        sys.stdout.flush()
    backend.close()
    database.close()


if __name__ == "__main__":
    label(Path(sys.argv[1]), int(sys.argv[2]))
