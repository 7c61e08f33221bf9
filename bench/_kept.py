"""What a long benchmark has finished: an interrupted run goes on with the next part."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from bench.harness import HERE, Row

_STATE = HERE.parent / "build" / "kept"


class Kept:
    """Rows by part, for as long as none of the files changes that they follow from."""

    def __init__(self, name: str, sources: Sequence[Path]) -> None:
        digest = hashlib.sha256()
        for path in sorted(sources):
            digest.update(path.read_bytes())
        self._folder = _STATE / name / digest.hexdigest()[:12]

    def rows(self, part: str, make: Callable[[], Iterable[Row]]) -> list[Row]:
        """The rows of this part, made when they are not there yet; says which, and what it took."""
        path = self._folder / f"{part}.json"
        if path.exists():
            print(f"{part}: kept from an earlier run", flush=True)
            return [Row(**row) for row in json.loads(path.read_text("utf-8"))]
        print(f"{part}: …", flush=True)
        wall, cpu = time.perf_counter(), time.process_time()
        found = list(make())
        self._folder.mkdir(parents=True, exist_ok=True)
        written = path.with_suffix(".part")
        written.write_text(json.dumps([asdict(row) for row in found], indent=1), "utf-8")
        written.replace(path)
        for row in found:
            print(f"  {row.id} {row.value} ({row.low} to {row.high}) {row.unit}", flush=True)
        took = time.perf_counter() - wall, time.process_time() - cpu
        print(f"{part}: {took[0]:.0f} s, {took[1]:.0f} s of it CPU of this process", flush=True)
        return found
