"""Kill -9 of the API and the writer in the middle of intake: nothing acknowledged is lost or doubled."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx2
import narwhals as nw

from shopkeeper.shop.shop import Shop

KILLS = {"sqlite": 24, "postgresql": 8}
EVENTS = 50
SENDERS = 3


class Sender(threading.Thread):
    """Sends batches without a pause, each again and again until it is acknowledged."""

    def __init__(self, port: int, secret: str, number: int) -> None:
        super().__init__()
        headers = {"Authorization": f"Bearer {secret}"}
        self._client = httpx2.Client(
            base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=20
        )
        self._number = number
        self.stop = threading.Event()
        self.acknowledged: list[str] = []
        self.cut = 0
        self.wrong: list[str] = []

    def run(self) -> None:
        batch = 0
        while not self.stop.is_set():
            ids = [f"s{self._number}-{batch:05d}-{n:02d}" for n in range(EVENTS)]
            taken = self._until_acknowledged(ids)
            self.acknowledged += ids
            if taken["accepted"] != EVENTS or taken["refused"]:
                self.wrong.append(str(taken))
            batch += 1
        self._client.close()

    def _until_acknowledged(self, ids: list[str]) -> dict[str, Any]:
        events = [
            {"type": "track", "messageId": i, "userId": i[:8], "event": "Product Viewed"}
            for i in ids
        ]
        while True:
            try:
                response = self._client.post("/v1/batch", json={"batch": events})
                if response.status_code == 200:
                    taken: dict[str, Any] = response.json()
                    return taken
            except httpx2.HTTPError:  # the server died under it: whether it was written is unknown
                self.cut += 1
            time.sleep(0.01)


def test_kill_minus_9_in_the_middle_of_intake_loses_and_doubles_nothing(
    database: str, processes: Any, until: Callable[..., Any]
) -> None:
    seed = random.SystemRandom().randrange(10**6)
    chance = random.Random(seed)
    with Shop.open(processes.folder) as shop:
        _, secret = shop.keys.create("sender", ("intake:write",), "server")
    running = {part: processes.start(part) for part in ("api", "worker")}
    senders = [Sender(processes.port, secret, n) for n in range(SENDERS)]
    for sender in senders:
        sender.start()
    killed = {"api": 0, "worker": 0}
    for _ in range(KILLS[database]):
        heard = sum(len(s.acknowledged) for s in senders)
        until(lambda h=heard: sum(len(s.acknowledged) for s in senders) > h)  # it is under way
        time.sleep(chance.uniform(0.0, 0.3))
        parts = chance.choice((("api",), ("worker",), ("api", "worker")))
        for part in parts:
            running[part].signal(signal.SIGKILL)
            killed[part] += 1
        for part in parts:
            running[part] = processes.start(part)
    for sender in senders:
        sender.stop.set()
    for sender in senders:
        sender.join(30)
        assert not sender.is_alive()
    processes.stop(signal.SIGKILL)
    assert min(killed.values()) > 0, killed
    acknowledged = {i for s in senders for i in s.acknowledged}
    assert not [w for s in senders for w in s.wrong]
    assert sum(s.cut for s in senders) >= killed["api"], (
        "requests were not cut: it killed too gently"
    )
    with Shop.open(processes.folder) as shop:
        assert _ids(shop, live=True) == sorted(acknowledged), f"tables and tail, seed {seed}"
        until(lambda: _drained(shop))
        assert _ids(shop, live=False) == sorted(acknowledged), f"tables, seed {seed}"


def _drained(shop: Shop) -> bool:
    with shop.writer("a test") as writer:
        writer.drain()
    return True


def _ids(shop: Shop, *, live: bool) -> list[str]:
    rows = shop.query(lambda source: source.events().select(nw.col("event_id")), live=live)
    return sorted(rows.column("event_id").to_pylist())
