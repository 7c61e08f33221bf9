"""What every benchmark shares: rows with intervals, measured child processes, and the record."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

HERE = Path(__file__).parent
RESULTS = HERE / "results"
DATA = Path(os.environ.get("SHOPKEEPER_DATA", HERE.parents[1] / "shared" / "data"))
_LIBRARIES = (
    "duckdb",
    "deltalake",
    "narwhals",
    "pyarrow",
    "numpy",
    "sqlalchemy",
    "fastapi",
    "pydantic",
)


@dataclass(frozen=True)
class Row:
    """One figure: the median of its runs, the least and the greatest of them."""

    id: str
    value: float
    low: float
    high: float
    unit: str
    note: str = ""

    @classmethod
    def of(cls, name: str, runs: Sequence[float], unit: str, note: str = "") -> Row:
        """The row of several runs of one measurement."""
        note = f"{len(runs)} runs" + (f"; {note}" if note else "")
        return cls(
            name,
            round(statistics.median(runs), 4),
            round(min(runs), 4),
            round(max(runs), 4),
            unit,
            note,
        )


@dataclass(frozen=True)
class Child:
    """A finished child process: its wall time, its greatest resident memory and what it printed."""

    seconds: float
    peak_mb: float
    output: str


def child(arguments: Sequence[str], *, cwd: Path | None = None) -> Child:
    """Run ``python -m …`` in a fresh process and measure it; its whole tree counts for memory."""
    started = time.perf_counter()
    # Files, not pipes: a pipe that nobody reads while we watch would hold a talkative child up.
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, *arguments], stdout=output, stderr=errors, text=True, cwd=cwd
        )
        watched = psutil.Process(process.pid)
        peak = 0
        while process.poll() is None:
            peak = max(peak, _resident(watched))
            time.sleep(0.02)
        seconds = time.perf_counter() - started
        output.seek(0)
        errors.seek(0)
        if process.returncode:
            tail = errors.read()[-2000:]
            raise RuntimeError(f"{arguments} ended with {process.returncode}: {tail}")
        return Child(seconds, peak / 1e6, output.read())


def write(name: str, rows: Sequence[Row], *, data: str, seeds: Sequence[int] = ()) -> Path:
    """Write ``results/<name>.json`` with what is needed to repeat the run."""
    RESULTS.mkdir(exist_ok=True)
    record = {
        "name": name,
        "commit": _git("rev-parse", "--short", "HEAD")
        + ("+" if _git("status", "--porcelain", "src") else ""),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "seeds": list(seeds),
        "machine": f"{os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, "
        f"{platform.machine()}, Python {platform.python_version()}",
        "versions": {library: version(library) for library in _LIBRARIES},
        "data": data,
        "rows": [asdict(row) for row in rows],
    }
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", "utf-8")
    return path


def _resident(process: psutil.Process) -> int:
    total = 0
    try:
        for one in [process, *process.children(recursive=True)]:
            total += one.memory_info().rss
    except psutil.NoSuchProcess:
        pass  # it ended between two looks
    return total


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], capture_output=True, text=True, cwd=HERE, check=False
    )
    return done.stdout.strip()
