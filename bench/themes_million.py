"""One million short texts into a shop, then its themes: run by bench/themes.py in a process of its own."""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from bench.themes import MILLION, ag_news, online_shopping
from shopkeeper.core.schema import TEXTS
from shopkeeper.core.settings import Settings
from shopkeeper.insight.operations import update_themes
from shopkeeper.shop import Shop
from shopkeeper.warehouse.arrow import arrow_schema

_AT_ONCE = 50_000
_DAYS = 365


def main() -> None:
    """Print seconds, CPU seconds and peak memory of the themes of a million texts."""
    seed, number = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else MILLION
    settings = Settings(name="Million", time_zone="Asia/Shanghai", currency="CNY")
    with (
        tempfile.TemporaryDirectory() as folder,
        Shop.create(Path(folder) / "shop", settings) as shop,
    ):
        with shop.writer("bench") as writer:
            writer.load("texts", _texts(seed, number), check_duplicates=False)
        started, cpu = time.perf_counter(), time.process_time()
        done = update_themes(shop)
        told = {
            "seconds": time.perf_counter() - started,
            "cpu": time.process_time() - cpu,
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "themes": [fit.themes for fit in done.fits],
            "read": [fit.read for fit in done.fits],
        }
    print(json.dumps(told))


def _texts(seed: int, number: int) -> Iterator[pa.RecordBatch]:
    """Half of a text's words from one real text, half from another of its class; in order of day."""
    chance = np.random.default_rng(seed)
    sets = []
    for texts in (online_shopping(), ag_news()):
        by_class: dict[str, list[list[str]]] = {}
        for words, label in zip(texts.words, texts.labels, strict=True):
            by_class.setdefault(label, []).append(words)
        sets.append((texts.tongue, list(by_class.values())))
    first = datetime(2024, 7, 1, 4, tzinfo=UTC)
    for start in range(0, number, _AT_ONCE):
        rows = []
        for n in range(start, min(start + _AT_ONCE, number)):
            tongue, classes = sets[int(chance.random() < 0.3)]
            said = classes[int(chance.integers(len(classes)))]
            one, other = (said[int(i)] for i in chance.integers(len(said), size=2))
            body = ("" if tongue == "zh" else " ").join([*one[::2], *other[1::2]])
            day = n * _DAYS // number
            rows.append(
                {
                    "text_id": f"t{n}",
                    "kind": "review",
                    "author_role": "customer",
                    "customer_id": f"c{int(chance.integers(number // 5))}",
                    "time": first + timedelta(days=day),
                    "day": date(2024, 7, 1) + timedelta(days=day),
                    "body": body or "-",
                    "source": "bench",
                }
            )
        yield pa.RecordBatch.from_pylist(rows, schema=arrow_schema(TEXTS))


if __name__ == "__main__":
    main()
