"""The questions of the console's overview over ten million events: on DuckDB and on a Sail cluster.

Sail runs as ``local-cluster``: driver and workers on this machine, talking over the network stack.
Both engines answer from raw events in a fresh process, and every reply must be the same.
"""

from __future__ import annotations

import json
import math
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench.harness import Row, child, write
from bench.simulate import SEEDS, SHOPS, built

RUNS = 3
_CLOSE = 1e-9  # engines add floats in different orders


def ask(folder: str, url: str, into: str) -> None:
    """Answer once; writes the seconds and the reply by question as JSON."""
    from shopkeeper.core import settings
    from shopkeeper.core.events import FUNNEL
    from shopkeeper.core.operation import Context
    from shopkeeper.core.period import Period
    from shopkeeper.customers.operations import rfm
    from shopkeeper.metrics.breakdown import breakdown
    from shopkeeper.metrics.funnel import funnel
    from shopkeeper.metrics.overview import overview
    from shopkeeper.metrics.retention import retention
    from shopkeeper.metrics.series import series
    from shopkeeper.shop import Shop

    known = settings.load(Path(folder))
    if url:
        known = known.model_copy(update={"engine": "spark", "spark_url": url})
    everything, half = Period("all"), Period("180d")
    with Shop(Path(folder), known) as shop:
        ctx = Context(shop)
        questions: dict[str, Callable[[], Any]] = {
            "overview": lambda: overview(ctx, half, raw=True),
            "revenue by day": lambda: series(
                ctx, ("revenue", "margin"), everything, "day", raw=True
            ),
            "active by week": lambda: series(
                ctx, ("active_customers",), everything, "week", raw=True
            ),
            "revenue by country": lambda: breakdown(
                ctx, "revenue", "country", everything, raw=True
            ),
            "retention": lambda: retention(ctx, everything, "month", "purchase", raw=True),
            "funnel": lambda: funnel(ctx, everything, FUNNEL),
            "rfm": lambda: rfm(ctx),
        }
        answers = {}
        for name, question in questions.items():
            started = time.perf_counter()
            reply = question()
            seconds = round(time.perf_counter() - started, 3)
            answers[name] = {"seconds": seconds, "reply": reply.model_dump(mode="json")}
    Path(into).write_text(json.dumps(answers), "utf-8")


def main() -> None:
    """Measure and record; a reply that differs ends the run."""
    folder = SHOPS / f"10m-{SEEDS[-1]}"
    if not (folder / "truth").exists():
        folder, _, _ = built(SEEDS[-1])
    rows = compared(folder, RUNS)
    write("spark", rows, data="simulated, 10 million events, from raw events", seeds=[SEEDS[-1]])


def compared(folder: Path, runs: int) -> list[Row]:
    """Seconds of all questions on both engines, in turn; both must say the same."""
    totals: dict[str, list[float]] = {"duckdb": [], "spark": []}
    notes: dict[str, str] = {}
    with sail("local-cluster") as url, TemporaryDirectory() as kept:
        into = Path(kept) / "answers.json"
        for _ in range(runs):
            replies = {}
            for engine, address in (("duckdb", ""), ("spark", url)):
                child(["-m", "bench.spark", str(folder), address, str(into)])
                answers = json.loads(into.read_text("utf-8"))
                totals[engine].append(sum(a["seconds"] for a in answers.values()))
                notes[engine] = ", ".join(f"{n} {a['seconds']} s" for n, a in answers.items())
                replies[engine] = {name: a["reply"] for name, a in answers.items()}
            if where := difference(replies["duckdb"], replies["spark"]):
                raise RuntimeError(f"DuckDB and Sail differ at {where}")
    same = "all replies equal DuckDB's; " if runs else ""
    return [
        Row.of("duckdb.10m.seconds", totals["duckdb"], "s", f"last run: {notes['duckdb']}"),
        Row.of(
            "spark.10m.seconds",
            totals["spark"],
            "s",
            f"Sail local-cluster; {same}last run: {notes['spark']}",
        ),
    ]


@contextmanager
def sail(mode: str) -> Iterator[str]:
    """The URL of a Sail server of its own; ``mode`` is ``local`` or ``local-cluster``."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "pysail", "spark", "server", "--port", str(port)]
    server = subprocess.Popen(
        command,
        env={**os.environ, "SAIL_MODE": mode},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until and server.poll() is None:
            with socket.socket() as asked:
                if not asked.connect_ex(("127.0.0.1", port)):
                    break
            time.sleep(0.1)
        yield f"sc://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def difference(first: Any, second: Any, where: str = "") -> str:
    """Where two replies differ; empty if they are the same but for the last digits of floats."""
    if isinstance(first, float) and isinstance(second, float):
        return "" if math.isclose(first, second, rel_tol=_CLOSE, abs_tol=_CLOSE) else where or "."
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        pairs = [(str(i), a, b) for i, (a, b) in enumerate(zip(first, second, strict=True))]
    elif isinstance(first, dict) and isinstance(second, dict) and first.keys() == second.keys():
        pairs = [(key, first[key], second[key]) for key in first]
    else:
        return "" if first == second else f"{where}: {first!r} or {second!r}"
    return next((d for key, a, b in pairs if (d := difference(a, b, f"{where}.{key}"))), "")


if __name__ == "__main__":
    ask(*sys.argv[1:])
