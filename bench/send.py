"""Reaching customers: e-mails a minute to an SMTP server on loopback, kills, a dry run for a million.

Every e-mail is judged as it leaves, signed with DKIM (RSA, 2048 bits) and noted before and after, on SQLite
with full sync. The kills are SIGKILL, at random moments, of the sender and of the server in turn.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import func, select

from bench.harness import Row, write
from shopkeeper.contact.dispatch import Desk
from shopkeeper.contact.eligibility import Why, counts
from shopkeeper.contact.enqueueing import Order, enqueue
from shopkeeper.contact.looking import asked
from shopkeeper.core.settings import Settings
from shopkeeper.shop.shop import Shop
from shopkeeper.store import tables
from shopkeeper.store.contact_policies import ContactPolicies
from shopkeeper.store.contact_tables import messages, suppressions
from shopkeeper.store.outbox import Outbox
from shopkeeper.store.suppressions import Suppressions

EMAILS = int(os.environ.get("SEND_EMAILS", "100000"))
KILLS = int(os.environ.get("SEND_KILLS", "50"))
MILLION = int(os.environ.get("SEND_CUSTOMERS", "1000000"))
_PAGE = 20_000
_OPEN: dict[str, Any] = {
    "quiet": None,
    "caps": [{"most": 3, "days": 7}],
    "retry_seconds": [0.2] * 100,
    "rest_seconds": 0.3,
}
_HTML = (
    "<html><body><h1>New tea</h1>"
    + "<p>Picked in March, rolled by hand.</p>" * 20
    + "</body></html>"
)


def main() -> None:
    """Measure and record."""
    write("send", [*_speed(), *_killed(), *_dry_run()], data="customers made for this benchmark")


@dataclass(frozen=True)
class Outcome:
    """What a run with kills came to; ``unknown`` messages are listed for a person."""

    lost: int
    double: int
    unknown: int
    sent: int


def _speed() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="bench-send-") as name:
        folder = Path(name)
        shop = prepared(folder, EMAILS)
        environment = surroundings(folder, sign=True)
        with sink(folder) as port, process("desk", folder, environment | _url(port)) as desk:
            memory = _watched(desk.pid, shop)
        with shop.database.connect() as connection:
            first, last = connection.execute(
                select(func.min(messages.c.sent_at), func.max(messages.c.changed_at))
            ).one()
        shop.close()
        arrived = (folder / "sink").read_text().split()
        seconds = (last - first).total_seconds()
        rate = EMAILS / seconds * 60
        late, early = statistics.median(memory[len(memory) // 2 :]), memory[len(memory) // 4]
        note = f"{EMAILS} e-mails in {seconds:.0f} s, signed; {len(set(arrived))} arrived"
        return [
            Row("send.per_min", round(rate), round(rate), round(rate), "e-mails/min", note),
            Row(
                "send.memory_growth", round(late / early, 3), min(memory), max(memory), "ratio",
                "median of the second half to the end of the first quarter; low, high in MB",
            ),
        ]  # fmt: skip


def _watched(pid: int, shop: Shop) -> list[float]:
    """The sender's memory in MB, every half second until nothing waits."""
    watched, found = psutil.Process(pid), [0.0]
    while _waiting(shop):
        time.sleep(0.5)
        found.append(watched.memory_info().rss / 1e6)
    return found[1:]


def _killed() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="bench-kill-") as name:
        found = kill(Path(name), kills=KILLS, customers=KILLS * 150, seed=1)
    note = f"{KILLS} kills of sender and server, {found.sent} arrived, {found.unknown} unknown and listed"
    return [
        Row("send.lost", found.lost, found.lost, found.lost, "e-mails", note),
        Row("send.double", found.double, found.double, found.double, "e-mails", note),
        Row("send.unknown_per_kill", found.unknown / KILLS, 0, found.unknown, "e-mails", note),
    ]


def kill(folder: Path, *, kills: int, customers: int, seed: int, database: str = "") -> Outcome:
    """Send to so many customers while the sender and the server are killed in turn.

    Lost is what is said to have been accepted and has not arrived, and what stands in no state that shows
    it to somebody; double is what arrived twice.
    """
    chance = random.Random(seed)
    shop = prepared(folder, customers, database)
    environment = surroundings(folder, sign=False)
    port = _free_port()
    running = {
        "sink": _start_sink(folder, port),
        "desk": start("desk", folder, environment | _url(port)),
    }
    for number in range(kills):
        _until_it_moves(folder)  # else it would be killed while it starts, which shows nothing
        time.sleep(chance.uniform(0, 0.15))
        what = "desk" if number % 2 else "sink"
        running[what].kill()
        running[what].wait()
        again = {"sink": lambda: _start_sink(folder, port),
                 "desk": lambda: start("desk", folder, environment | _url(port))}  # fmt: skip
        running[what] = again[what]()
    deadline = time.monotonic() + 300
    while _waiting(shop) and time.monotonic() < deadline:
        time.sleep(0.2)
    for one in running.values():
        one.send_signal(signal.SIGTERM)
        one.wait()
    found = _outcome(shop, folder)
    shop.close()
    return found


def _until_it_moves(folder: Path, letters: int = 5) -> None:
    """Wait until some more letters have arrived, at most half a minute."""
    path, line = folder / "sink", 50
    began, deadline = path.stat().st_size, time.monotonic() + 30
    while path.stat().st_size < began + letters * line and time.monotonic() < deadline:
        time.sleep(0.01)


def _waiting(shop: Shop) -> int:
    states = dict(Outbox(shop.database).counts("state"))
    return sum(states.get(state, 0) for state in ("queued", "leased", "sending"))


def _outcome(shop: Shop, folder: Path) -> Outcome:
    arrived = Counter(line[1:33] for line in (folder / "sink").read_text().split())
    lost = unknown = 0
    page: int | None = None
    outbox = Outbox(shop.database)
    while found := outbox.page({}, 1_000, page):
        page = found[-1].number
        for message in found:
            unknown += message.state == "unknown"
            here = arrived[message.message_id] > 0
            lost += (message.state == "accepted" and not here) or (
                message.state not in ("accepted", "unknown")
            )
    return Outcome(lost, sum(n > 1 for n in arrived.values()), unknown, len(arrived))


def _dry_run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="bench-dry-") as name:
        shop = made(Path(name), MILLION)
        hindered(shop, MILLION)
        runs = []
        for _ in range(3):
            _, ask = asked(shop, "email", "marketing")
            began = time.perf_counter()
            found = counts(shop.database, ask, (row_id(n) for n in range(MILLION)))
            runs.append(time.perf_counter() - began)
        shop.close()
        assert found.total() == MILLION
        assert all(found[why] for why in (Why.CAPPED, Why.WITHDRAWN, Why.BOUNCE, Why.NO_ADDRESS))
        return [Row.of("reach.1m.seconds", runs, "s", f"{MILLION} customers, {len(found)} reasons")]


def row_id(number: int) -> str:
    """The id of a customer of these benchmarks."""
    return f"customer-{number:07d}"


def made(folder: Path, customers: int, database: str = "") -> Shop:
    """A shop with so many customers who said yes to e-mails."""
    settings = Settings(time_zone="Asia/Shanghai", currency="CNY", database=database)
    shop = Shop(folder, settings) if database else Shop.create(folder / "shop", settings)
    now = datetime.now(UTC)
    before = now - timedelta(days=30)
    for start_at in range(0, customers, _PAGE):
        ids = [row_id(n) for n in range(start_at, min(start_at + _PAGE, customers))]
        said = {"purpose": "marketing", "channel": "email", "status": "GRANT", "time": before}
        with shop.database.begin() as connection:
            people = [
                {"customer_id": one, "traits": {"email": f"{one}@example.com", "plan": "basic"}}
                for one in ids
            ]
            connection.execute(tables.customers.insert(), people)
            yes = [
                said | {"customer_id": one, "proof": {"form": "f"}, "recorded_at": now}
                for one in ids
            ]
            connection.execute(tables.consent.insert(), yes)
    return shop


def prepared(folder: Path, customers: int, database: str = "") -> Shop:
    """A shop with a message to each of so many customers in its outbox."""
    shop = made(folder, customers, database)
    ContactPolicies(shop.database).put(_OPEN)
    content = {"subject": "New tea 新茶", "text": "New tea is here.", "html": _HTML}
    letters = ((row_id(n), content) for n in range(customers))
    found = enqueue(shop, Order("spring-1", "email", "marketing", "spring"), letters)
    assert found["queued"] == customers, found
    return shop


def hindered(shop: Shop, customers: int) -> None:
    """Some of the million withdrew, bounced, or had a message this week already."""
    now, known = datetime.now(UTC), Suppressions(shop.database)
    with shop.database.begin() as connection:
        no = {"purpose": "marketing", "channel": "email", "status": "REVOKED", "proof": {}}
        rows = [no | {"customer_id": row_id(n), "time": now, "recorded_at": now}
                for n in range(0, customers, 20)]  # fmt: skip
        connection.execute(tables.consent.insert(), rows)
        gone = {"channel": "email", "purpose": "", "reason": "bounce", "since": now, "by": "p"}
        bounced = [gone | {"digest": known.digest(f"{row_id(n)}@example.com")}
                   for n in range(1, customers, 50)]  # fmt: skip
        connection.execute(suppressions.insert(), bounced)
        yesterday = now - timedelta(hours=5)
        had = {
            "step": "before", "channel": "sms", "purpose": "marketing", "campaign_id": "", "labels": {},
            "state": "delivered", "reason": "", "due_at": yesterday, "policy": 0, "tries": 1,
            "created_at": yesterday, "sent_at": yesterday, "changed_at": yesterday,
        }  # fmt: skip
        sent = [
            had | {"customer_id": row_id(n), "message_id": f"m{n}"} for n in range(2, customers, 4)
        ]
        connection.execute(messages.insert(), sent)
        connection.execute(
            tables.customers.update()
            .where(tables.customers.c.customer_id.like("%3"))
            .values(traits={"phone": "13800138000"})
        )


def surroundings(folder: Path, *, sign: bool) -> dict[str, str]:
    """The settings of the e-mail channel."""
    found = {
        "SHOPKEEPER_EMAIL_FROM": "Tea Shop <news@shop.example>",
        "SHOPKEEPER_EMAIL_SECONDS": "10",
        "SHOPKEEPER_PUBLIC_URL": "https://shop.example",
    }
    if sign:
        key = rsa.generate_private_key(65537, 2048).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        (folder / "dkim.pem").write_bytes(key)
        found |= {
            "SHOPKEEPER_EMAIL_DKIM_KEY": str(folder / "dkim.pem"),
            "SHOPKEEPER_EMAIL_DKIM_SELECTOR": "s1",
        }
    return found


def _url(port: int) -> dict[str, str]:
    return {"SHOPKEEPER_EMAIL_URL": f"smtp://127.0.0.1:{port}"}


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _start_sink(folder: Path, port: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "bench._mail_sink", str(port), str(folder / "sink")]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    assert started.stdout.readline() == "ready\n"
    started.stdout.close()
    return started


@contextmanager
def sink(folder: Path) -> Iterator[int]:
    """A running server; its port."""
    port = _free_port()
    started = _start_sink(folder, port)
    try:
        yield port
    finally:
        started.terminate()
        started.wait()


def start(what: str, folder: Path, environment: dict[str, str]) -> subprocess.Popen[str]:
    """A process of this module."""
    command = [sys.executable, "-m", "bench.send", what, str(folder)]
    return subprocess.Popen(command, env=os.environ | environment, text=True)


@contextmanager
def process(
    what: str, folder: Path, environment: dict[str, str]
) -> Iterator[subprocess.Popen[str]]:
    """A running process of this module, told to stop at the end."""
    started = start(what, folder, environment)
    try:
        yield started
    finally:
        started.send_signal(signal.SIGTERM)
        started.wait()


def _desk(folder: Path) -> None:
    """Send until SIGTERM, as the worker does."""
    database = os.environ.get("SEND_DATABASE", "")
    settings = Settings(time_zone="Asia/Shanghai", currency="CNY", database=database)
    with Shop(folder, settings) if database else Shop.open(folder / "shop") as shop:
        desk = Desk(shop)
        signal.signal(
            signal.SIGTERM, lambda _signal, _frame: threading.Thread(target=desk.stop).start()
        )
        desk.run()


if __name__ == "__main__":
    _desk(Path(sys.argv[2]))
