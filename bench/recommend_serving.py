"""Recommend, speed: a request by size of catalogue, HTTP beside intake, a batch, and memory.

Catalogues are drawn: the work of a request depends on how many items a history names and how many neighbours
these have, not on what they are. Every head is as large as a fitted one (100 neighbours a row, 128 and 64
dimensions). The transformer's weights are drawn too: the arithmetic is the same. With 1,000,000 items
its recall beside an exact search is told, on drawn vectors that lie in clumps.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
from scipy import sparse
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from bench._http_load import Load, post, run
from bench.harness import Row, write
from shopkeeper.core.schema import EVENTS
from shopkeeper.recommend.blocked import Blocked
from shopkeeper.recommend.cases import owned
from shopkeeper.recommend.clusters import clustered
from shopkeeper.recommend.confidence import Confidence
from shopkeeper.recommend.heads.base import Fading, FittedHead, FittedLinear, Queries
from shopkeeper.recommend.heads.covisit import Covisit
from shopkeeper.recommend.heads.ease import Ease
from shopkeeper.recommend.heads.latent import FittedLatent, Latent
from shopkeeper.recommend.heads.popular import FittedPopular
from shopkeeper.recommend.heads.repeat import FittedRepeat, Repeat
from shopkeeper.recommend.heads.sequence import FittedSequence, Sequence
from shopkeeper.recommend.heads.transition import Transition
from shopkeeper.recommend.history import DAY_MS
from shopkeeper.recommend.mixture import BUCKETS, Mask, Mixture
from shopkeeper.recommend.picking import pick
from shopkeeper.recommend.published import Published, publish
from shopkeeper.recommend.registry import Registry
from shopkeeper.recommend.registry import write as register
from shopkeeper.recommend.serving import folder
from shopkeeper.recommend.shortlist import Shortlister
from shopkeeper.shop import Shop
from shopkeeper.warehouse.arrow import arrow_schema

CUT = float(os.environ.get("RECOMMEND_SERVING_CUT", "1"))
"""A share of the whole, to try that it runs from start to end."""
ASKED, BATCH = int(1500 * CUT), int(10_000 * CUT)
K = 10
CUSTOMERS, EVENTS_EACH = 20_000, 12
ROUNDS, SECONDS = 5, 8.0 * CUT
CONNECTIONS = 16
NEIGHBOURS = 100
SMALL, MIDDLE, LARGE = (int(size * CUT) for size in (12_000, 100_000, 1_000_000))
_DATA = "drawn catalogues and histories (mean length 10, at most 50)"


def main() -> None:
    """Measure requests and a batch in this process, then HTTP in its own."""
    with threadpool_limits(limits=1, user_api="blas"):  # as in the server's API processes
        rows = list(_rows())
    for row in rows:
        print(row)
    write("recommend_serving", rows, data=_DATA)


def _rows() -> Iterator[Row]:
    small = mixture(
        SMALL, ("covisit", "ease", "transition", "text", "repeat", "latent", "sequence")
    )
    yield _request("12k", small, SMALL)
    yield _batch(small, SMALL)
    del small
    middle = mixture(MIDDLE, ("covisit", "transition", "text", "repeat", "latent", "sequence"))
    yield _request("100k", middle, MIDDLE)
    yield from _http(middle)
    del middle
    large = mixture(LARGE, ("covisit", "sequence"))
    yield _request("1m", large, LARGE)
    yield _recall(large)


def mixture(size: int, names: tuple[str, ...]) -> Mixture:
    """A mixture with heads as large as fitted ones; popularity first."""
    drawn = np.random.default_rng(size)
    heads: dict[str, FittedHead] = {
        "popular": FittedPopular((drawn.pareto(1.1, size) + 0.1).astype(np.float32))
    }
    for name in names:
        heads[name] = _head(name, size, drawn)
    weights = np.full((len(BUCKETS), len(heads)), 1 / len(heads))
    count = len(heads)
    sure = Confidence(drawn.normal(0, 0.2, (count, count)), np.zeros(count), np.full(count, 3.0))
    sharpness = dict.fromkeys(heads, 1.3) | {"popular": 1.0}
    return Mixture(heads, sharpness, weights, confidence=sure)


def _head(name: str, size: int, drawn: np.random.Generator) -> FittedHead:
    if name == "latent":
        return FittedLatent(_clumps(size, 129, drawn, 0.2), Latent())
    if name == "repeat":
        return FittedRepeat(drawn.random(size) * 0.1, Repeat())
    if name == "sequence":
        return _sequence(size, drawn)
    recipes: dict[str, Fading] = {"covisit": Covisit(), "transition": Transition()}
    recipe = recipes.get(name, Ease())
    # Of the closed forms only the 20,000 items chosen most often have weights.
    rows = min(size, 20_000) if name in {"ease", "transition"} else size
    indices = drawn.integers(0, size, rows * NEIGHBOURS, dtype=np.int32)
    data = (drawn.pareto(1.5, rows * NEIGHBOURS) * 0.01).astype(np.float32)
    starts = np.minimum(np.arange(size + 1), rows) * NEIGHBOURS
    return FittedLinear(sparse.csr_array((data, indices, starts), shape=(size, size)), recipe)


def _sequence(size: int, drawn: np.random.Generator) -> FittedSequence:
    recipe = Sequence()
    width = recipe.width

    def matrix(rows: int, columns: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        scaled = drawn.normal(size=(rows, columns)) * rows**-0.5
        return np.asarray(scaled, dtype=np.float32)

    layer = {
        name: matrix(width, width)
        for name in ("query", "key", "value", "out", "attend_gate", "feed_gate")
    }
    layer |= {"feed_in": matrix(width, 4 * width), "feed_out": matrix(2 * width, width)}
    for name in ("attend", "feed"):
        layer |= {f"{name}.weight": np.ones(width, np.float32)}
        layer |= {f"{name}.bias": np.zeros(width, np.float32)}
    weights = {f"layer0.{name}": value for name, value in layer.items()}
    weights["items"] = np.concatenate(
        [np.zeros((1, width), np.float32), _clumps(size, width, drawn, 0.3)]
    )
    weights["positions"] = matrix(recipe.length, width)
    weights |= {"end.weight": np.ones(width, np.float32), "end.bias": np.zeros(width, np.float32)}
    return FittedSequence(weights, recipe)


def _clumps(
    size: int, width: int, drawn: np.random.Generator, spread: float
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Vectors around middles, as embeddings of kinds of items are."""
    middles = drawn.normal(size=(max(size // 400, 4), width)).astype(np.float32) * 0.25
    noise = drawn.standard_normal((size, width), dtype=np.float32) * np.float32(0.25 * spread)
    return middles[drawn.integers(0, len(middles), size)] + noise


def queries(size: int, count: int, seed: int = 0) -> Queries:
    """Histories of 1 to 50 rows, 10 in the mean."""
    drawn = np.random.default_rng(seed)
    lengths = np.minimum(drawn.geometric(0.1, count), 50)
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    rows = int(starts[-1])
    time_ms = np.sort(drawn.integers(0, 90, rows)) * DAY_MS
    strength = drawn.choice([0.2, 0.5, 1.0], rows)
    item = (drawn.pareto(1.1, rows) * size / 50).astype(np.int64) % size
    return Queries(starts, item, time_ms, strength, np.full(count, 91 * DAY_MS))


def _request(name: str, found: Mixture, size: int) -> Row:
    """One customer after the other, on one core: what is owned masked, the ten likeliest, and why."""
    shortlister = Shortlister(found, clustered(found))
    offered = np.ones(size, dtype=bool)
    keep = np.zeros(size, dtype=bool)
    asked = queries(size, ASKED)
    times, cpu = [], []
    for place in range(ASKED):
        query = asked.part(place, place + 1)
        wall, used = time.perf_counter(), time.thread_time()
        pick(shortlister, query, Mask(offered, owned(query, keep)), K)
        times.append((time.perf_counter() - wall) * 1000)
        cpu.append((time.thread_time() - used) * 1000)
    p99, least, most = (round(float(np.quantile(times, q)), 2) for q in (0.99, 0.0, 1.0))
    heads = ", ".join(found.heads)
    note = (
        f"{ASKED} requests, median {np.median(times):.2f} ms; CPU median {np.median(cpu):.2f}, "
        f"p99 {np.quantile(cpu, 0.99):.2f} ms; {size:,} items, with what reasons rest on; {heads}"
    )
    return Row(f"recommend.request.{name}.p99_ms", p99, least, most, "ms", note)


def _batch(found: Mixture, size: int) -> Row:
    blocked = Blocked(found, np.ones(size, dtype=bool), np.zeros(size, dtype=bool))
    asked = queries(size, BATCH)
    runs, cpu = [], []
    for _ in range(3):
        started, used = time.perf_counter(), time.process_time()
        for _ in blocked.lists(asked, K):
            pass
        runs.append(len(asked) / (time.perf_counter() - started))
        cpu.append(len(asked) / (time.process_time() - used))
    note = f"{os.cpu_count()} cores, {size:,} items, lists of {K}, {np.median(cpu):,.0f} per CPU second; "
    note += ", ".join(found.heads)
    return Row.of("recommend.batch.customers_per_s", runs, "customers/s", note)


def _recall(found: Mixture) -> Row:
    """What the search among groups finds of the transformer's true first hundred."""
    head = found.heads["sequence"]
    assert isinstance(head, FittedSequence)
    groups = clustered(found)["sequence"]
    everything = np.ones(len(head.table), dtype=bool)
    counts = groups.counted(everything)
    state, _ = head.state(queries(LARGE, 50, seed=1))
    shares = []
    for asked in state:
        logits = head.table @ asked
        top = np.argpartition(-logits, 100)[:100]
        shares.append(
            len(np.intersect1d(top, groups.search(asked, everything, counts).first(400)[0]))
        )
    return Row.of("recommend.request.1m.recall100", [s / 100 for s in shares], "", "50 requests")


def _http(found: Mixture) -> Iterator[Row]:
    """A shop with 100,000 items and 20,000 customers behind `shopkeeper serve`, two API processes."""
    with tempfile.TemporaryDirectory() as place:
        shop = Shop.create(Path(place) / "shop")
        _stock(shop, found)
        _, key = shop.keys.create("bench", ("recommend:read",), "server")
        shop.close()
        with _served(Path(place) / "shop") as (port, process):
            yield from _asked(port, key, process)


@contextmanager
def _served(shop: Path) -> Iterator[tuple[int, int]]:
    """``shopkeeper serve`` on a free port, as a user would run it; the port and the process."""
    command = [sys.executable, "-m", "shopkeeper.cli.main", "--shop", str(shop), "serve"]
    command += ["--no-console", "--port", "0", "--api-workers", "2"]
    with subprocess.Popen(
        [*command, "--calls-per-minute", "10000000"], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None
            line = server.stdout.readline()
            yield int(line.split("http://127.0.0.1:")[1].split()[0].rstrip("/.")), server.pid
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)


def _stock(shop: Shop, found: Mixture) -> None:
    """Items, a quarter of a million events and the model, as a shop would have them."""
    ids = [f"i{n:06}" for n in range(MIDDLE)]
    shop.catalogue.upsert_items(
        {"item_id": one, "kind": "product", "title": f"Item {one}", "price": 9.0, "stock": 5.0}
        for one in ids
    )
    drawn = np.random.default_rng(2)
    count = CUSTOMERS * EVENTS_EACH
    now = int(shop.now().timestamp() * 1000)
    ago = drawn.integers(0, 90, count) * DAY_MS + drawn.integers(0, DAY_MS, count)
    moment = pa.array(now - ago, pa.timestamp("ms", "UTC")).cast(pa.timestamp("us", "UTC"))
    item = (drawn.pareto(1.1, count) * MIDDLE / 50).astype(np.int64) % MIDDLE
    columns = {
        "event_id": pa.array([f"e{n}" for n in range(count)]),
        "name": pa.array(np.where(drawn.random(count) < 0.2, "purchase", "view_item")),
        "user_id": pa.array([f"c{n % CUSTOMERS}" for n in range(count)]),
        "item_id": pa.array([ids[n] for n in item]),
        "time": moment,
        "received_at": moment,
        "day": moment.cast(pa.date32()),
        "source": pa.array(["bench"] * count),
    }
    schema = arrow_schema(EVENTS)
    table = pa.table(
        [columns.get(f.name, pa.nulls(count)).cast(f.type) for f in schema], schema=schema
    )
    with shop.writer("bench") as writer:
        writer.load("events", table)
        writer.snapshot()
        writer.maintain()
    published = Published(
        "", found, pa.array(ids), np.zeros(MIDDLE, dtype=bool), 0, 0, clustered(found)
    )
    version = publish(folder(shop), published, shop.now())
    register(folder(shop), Registry().promoted(version))


def _asked(port: int, key: str, server: int) -> Iterator[Row]:
    """As many connections as a web server's pool has, from this process, which costs a tenth of a core."""
    _until_ready(port, key)
    api = [
        child
        for child in psutil.Process(server).children(recursive=True)
        if " api" in " ".join(child.cmdline())
    ]
    drawn = np.random.default_rng(1).integers(0, CUSTOMERS, 10_000)

    def load(name: str, seconds: float) -> Load:
        def request(number: int) -> bytes:
            told = {"customer_id": f"c{drawn[number % len(drawn)]}", "k": K}
            return post(f"/v1/recommend/{name}", key, json.dumps(told).encode())

        found = run(port, request, connections=CONNECTIONS, seconds=seconds, processes=api)
        if found.bad:
            raise RuntimeError(f"{found.bad} answers of {name} were no success")
        return found

    load("items", SECONDS / 2)
    rounds = [(load("items", SECONDS), load("show", SECONDS)) for _ in range(ROUNDS)]
    items, shown = zip(*rounds, strict=True)
    yield _rate("recommend.http.requests_per_s", items)
    yield _latency("recommend.http.p99_ms", items)
    yield _rate("recommend.http.shown_per_s", shown, "recorded durably before each answer; ")
    yield _latency("recommend.http.shown_p99_ms", shown)
    memory = [child.memory_info().rss / 1e6 for child in api]
    note = f"the largest API process, {len(memory)} of them; the model's files are shared by them"
    value = round(max(memory), 0) if memory else float("nan")
    yield Row("recommend.100k.rss_mb", value, min(memory, default=0), value, "MB", note)


def _rate(name: str, rounds: Iterable[Load], more: str = "") -> Row:
    found = list(rounds)
    note = f"{more}{CONNECTIONS} connections, opened anew in each of {len(found)} rounds of {SECONDS:.0f} s, "
    note += f"{MIDDLE:,} items, 2 API processes, {os.cpu_count()} cores with the client; "
    note += f"{statistics.median(one.rate_per_cpu for one in found):.0f} per CPU second of the API"
    return Row.of(name, [round(one.rate, 1) for one in found], "requests/s", note)


def _latency(name: str, rounds: Iterable[Load]) -> Row:
    times = [np.array(one.times) for one in rounds]
    median, longest = np.median(np.concatenate(times)), max(one.max() for one in times)
    note = f"by round; median {median:.1f} ms, longest {longest:.0f} ms"
    return Row.of(name, [round(float(np.quantile(one, 0.99)), 2) for one in times], "ms", note)


def _until_ready(port: int, key: str) -> None:
    """Each process answers some calls, so that both have the model."""
    until = time.monotonic() + 300
    done = 0
    while done < 40:
        try:
            _call(http.client.HTTPConnection("127.0.0.1", port, timeout=120), key, done)
            done += 1
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


def _call(connection: http.client.HTTPConnection, key: str, customer: int) -> None:
    body = json.dumps({"customer_id": f"c{customer}", "k": K})
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connection.request("POST", "/v1/recommend/items", body, headers)
    answer = connection.getresponse()
    told = answer.read()
    if answer.status != 200:
        raise RuntimeError(f"{answer.status}: {told[:300]!r}")
    slate = json.loads(told)
    if len(slate["slots"]) != K or slate["why_defaults"] is not None:
        raise RuntimeError(f"too few places, or not by the mixture: {told[:300]!r}")


if __name__ == "__main__":
    main()
