"""HTTP intake: batches of 100, answered after durable, two cores, load from a second process, writer running.

Serves a fresh shop and sends for three rounds: events per second,
the 99th percentile of a request, how long an event takes into the tables and into a live answer.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from bench.harness import Row, write

SECONDS = float(os.environ.get("INTAKE_SECONDS", "20"))
ROUNDS = 3
CONNECTIONS = 12
BATCH = 100
_MARK = b"@@@@@@@@@@@@"  # where the number of a batch goes: as long as what replaces it


def main() -> None:
    """Measure and record."""
    write("intake", run(), data=f"batches of {BATCH} events over {CONNECTIONS} connections")


def run() -> list[Row]:
    """The measured rows; ``low`` and ``high`` are the worst and the best round."""
    from shopkeeper.shop.shop import Shop

    with tempfile.TemporaryDirectory(prefix="bench-intake-") as folder:
        with Shop.create(Path(folder) / "shop") as shop:
            _, secret = shop.keys.create("bench", ("intake:write",), "server")
        with _served(Path(folder) / "shop") as port, Shop.open(Path(folder) / "shop") as shop:
            _load(port, secret, 2.0, "warm")
            rounds, delays = [], []
            for number in range(ROUNDS):
                with _sampling(shop) as samples:
                    rounds.append(_load(port, secret, SECONDS, f"r{number}"))
                delays += samples
            live = [_live_ms(shop, port, secret, n) for n in range(20)]
            lost = _count_lost(shop, sum(r["events"] for r in rounds))
    return _rows(rounds, delays, live, lost)


def _rows(
    rounds: list[dict[str, Any]], delays: list[float], live: list[float], lost: int
) -> list[Row]:
    rates = [r["events"] / r["seconds"] for r in rounds]
    p99 = [r["p99_ms"] for r in rounds]
    p50 = [r["p50_ms"] for r in rounds]
    note = f"{ROUNDS} rounds of {SECONDS:g} s, {CONNECTIONS} connections, {lost} lost"
    middle = statistics.median
    return [
        Row("intake.http.events_per_s", middle(rates), min(rates), max(rates), "events/s", note),
        Row("intake.http.p99_ms", middle(p99), min(p99), max(p99), "ms", "of a batch of 100"),
        Row("intake.http.p50_ms", middle(p50), min(p50), max(p50), "ms", "of a batch of 100"),
        Row(
            "intake.table_delay_s", max(delays), min(delays), max(delays), "s", "under load, worst"
        ),
        Row("intake.live_ms", middle(live), min(live), max(live), "ms", "sent, answered and read"),
    ]


@contextmanager
def _served(folder: Path) -> Iterator[int]:
    """``shopkeeper serve`` on a free port, as a user would run it."""
    command = [sys.executable, "-m", "shopkeeper.cli.main", "--shop", str(folder), "serve"]
    with subprocess.Popen(
        [*command, "--no-console", "--port", "0"], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            port = int(line.split("http://127.0.0.1:")[1].split()[0])
            yield port
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)


def _load(port: int, secret: str, seconds: float, label: str) -> dict[str, Any]:
    """What the load generator, a process of its own, saw."""
    command = [sys.executable, "-m", "bench.intake", str(port), secret, str(seconds), label]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


@contextmanager
def _sampling(shop: Any) -> Iterator[list[float]]:
    """Every second, how long what is last in the log now takes until the tables hold it."""
    stop = threading.Event()
    samples: list[float] = []

    def watch() -> None:
        while not stop.wait(1.0):
            last, since = shop.log.last(), time.perf_counter()
            while shop.warehouse.tables["events"].position("intake") < last:
                time.sleep(0.1)
            samples.append(time.perf_counter() - since)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield samples
    finally:
        stop.set()
        thread.join()


def _live_ms(shop: Any, port: int, secret: str, number: int) -> float:
    """Milliseconds from sending one event to reading it in a live answer."""
    who = f"live-{number}-{time.time_ns()}"
    event = {"userId": who, "event": "Product Viewed", "properties": {"product_id": "p1"}}
    began = time.perf_counter()
    asyncio.run(_once(port, _request("track", orjson.dumps(event), secret)))
    from shopkeeper.core.schema import EVENTS

    def build(source: Any) -> Any:
        import narwhals as nw

        return source.events().filter(nw.col("user_id") == who).select(EVENTS.key[0])

    rows = shop.query(build, live=[who])
    took = (time.perf_counter() - began) * 1000
    assert rows.num_rows == 1, "an acknowledged event is missing from a live answer"
    return took


def _count_lost(shop: Any, sent: int) -> int:
    """Acknowledged events that are not in the tables once the writer has caught up."""
    deadline = time.monotonic() + 60
    while shop.warehouse.tables["events"].position("intake") < shop.log.last():
        assert time.monotonic() < deadline, "the writer does not catch up"
        time.sleep(0.2)

    def build(source: Any) -> Any:
        import narwhals as nw

        return source.events().filter(nw.col("user_id").str.starts_with("r")).select(nw.len())

    return sent - int(shop.query(build).column(0)[0].as_py())


def _request(call: str, body: bytes, secret: str) -> bytes:
    head = (
        f"POST /v1/{call} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {secret}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _batch(label: str) -> bytes:
    """One batch as an online shop would send it; only the ids differ from one to the next."""
    moment = datetime.now(UTC).isoformat()
    events = [
        {
            "type": "track",
            "messageId": f"{label}-{_MARK.decode()}-{n:03d}",
            "userId": f"{label}-{n * 7919 % 5000:05d}",
            "anonymousId": f"a-{n * 104729 % 9000:05d}",
            "timestamp": moment,
            "event": ("Product Viewed", "Product Added", "Products Searched")[n % 3],
            "properties": {
                "product_id": f"sku-{n * 31 % 400}",
                "name": "Mug, blue 蓝色马克杯",
                "category": "kitchen",
                "price": 12.5,
                "quantity": 1,
                "currency": "USD",
            },
            "context": {"page": {"path": "/mugs", "referrer": "https://example.com/"}},
        }
        for n in range(BATCH)
    ]
    return orjson.dumps({"batch": events, "sentAt": moment})


async def _once(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    answer = await _answer(reader)
    writer.close()
    return answer


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    body = await reader.readexactly(length)
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError((head + body).decode())
    return body


async def _generate(port: int, secret: str, seconds: float, label: str) -> dict[str, Any]:
    request = _request("batch", _batch(label), secret)
    took: list[float] = []
    numbers = iter(range(10**9))
    began = time.perf_counter()

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        while time.perf_counter() - began < seconds:
            number = f"{next(numbers):012d}".encode()
            start = time.perf_counter()
            writer.write(request.replace(_MARK, number))
            body = orjson.loads(await _answer(reader))
            took.append(time.perf_counter() - start)
            if body["accepted"] != BATCH:
                raise RuntimeError(str(body))
        writer.close()

    await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
    elapsed = time.perf_counter() - began
    took.sort()
    return {
        "events": len(took) * BATCH,
        "seconds": elapsed,
        "p50_ms": took[len(took) // 2] * 1000,
        "p99_ms": took[int(len(took) * 0.99)] * 1000,
    }


if __name__ == "__main__":
    if len(sys.argv) > 1:
        _port, _secret, _seconds, _label = sys.argv[1:]
        print(json.dumps(asyncio.run(_generate(int(_port), _secret, float(_seconds), _label))))
    else:
        main()
