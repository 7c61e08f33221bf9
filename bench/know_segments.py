"""Segments of a million customers from fifty million events, and one event into one profile.

``segments.1m.seconds`` is a fresh process that opens the shop, computes RFM, every trait and twenty
segments by rules for everybody from the raw events, and writes who is in which and why. The copy of the
events by sender, which serves single customers, is made apart and said in the note.
``profile.event_ms`` is one event accepted into the log until that customer's traits and the twenty
segments are known anew.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from datetime import timedelta
from statistics import median

from bench._segment_data import FIRST, build
from bench.harness import Row, child, write
from bench.simulate import SHOPS

CUSTOMERS, EVENTS = 1_000_000, 50_000_000
SEEDS = (1, 2, 3)
_PEOPLE = 40
SEGMENTS = (
    "orders >= 2 and not did purchase at least 1 times within 30 days",
    "days_since_seen >= 30",
    "did purchase at least 3 times within 90 days",
    "did view_item at least 10 times within 30 days and not did purchase at least 1 times within 30 days",
    'did purchase [category = "Goods 3"] at least 1 times within 90 days',
    'did view_item [brand = "Brand 7"] at least 2 times within 60 days',
    "did purchase [value >= 200] at least 2 times within 180 days",
    "did add_to_cart then purchase within 3 days during 30 days",
    "did add_to_cart at least 1 times within 14 days and not did purchase at least 1 times within 14 days",
    'favourite_category = "Goods 5" and orders >= 1',
    'rfm_segment in ("champions", "loyal")',
    'rfm_segment in ("at_risk", "cannot_lose")',
    "r_score >= 4 and f_score <= 2",
    "revenue >= 1000 and average_order >= 150",
    "refund_share > 0.2",
    'active_hours in ("18-21", "21-24") and weekend_share >= 0.3',
    'favourite_channel = "email" and visits_90 >= 5',
    "overdue >= 2 and orders >= 3",
    "in bucket 0 to 10 of control",
    "did search at least 5 times within 30 days or did begin_checkout exactly 1 times within 7 days",
)


def refresh(folder: str) -> None:
    """Everybody's traits and memberships once; prints what it took as JSON."""
    from shopkeeper.core.operation import Context
    from shopkeeper.customers.segmenting.refreshing import refresh as run
    from shopkeeper.shop import Shop

    began = time.perf_counter()
    with Shop.open(folder) as shop:
        if not shop.segments.all():
            _save(folder)
        done = run(Context(shop), every_trait=True, copy=False)
    seconds = time.perf_counter() - began
    print(
        json.dumps({"seconds": seconds, "cpu": time.process_time(), **done.model_dump(mode="json")})
    )


def follow(folder: str) -> None:
    """Accept one event of each of some customers, and ask for their traits and segments each time."""
    import orjson

    from shopkeeper.customers.profile.making import held
    from shopkeeper.shop import Shop
    from shopkeeper.store.log import Entry

    with Shop.open(folder) as shop:
        began = time.perf_counter()
        shop.timelines.build()
        built = time.perf_counter() - began
        span = shop.span()
        assert span is not None
        moment = shop.now().replace(
            year=span.end.year, month=span.end.month, day=span.end.day, hour=12
        ) + timedelta(0)
        times = []
        for number in range(_PEOPLE + 2):
            customer = f"c{number * 7919:07}"
            stamp = int(moment.timestamp() * 1_000_000)
            row = {
                "event_id": f"live-{number}-{time.time_ns()}",
                "user_id": customer,
                "name": "add_to_cart",
                "item_id": "i7",
                "time": stamp,
                "received_at": stamp,
                "day": str(span.end),
                "source": "bench",
            }
            payload = orjson.dumps(row)
            entry = Entry(str(row["event_id"]), customer, "", moment, "events", payload)
            shop.log.append([[entry]])
            started = time.perf_counter()
            held(shop, customer)
            times.append((time.perf_counter() - started) * 1000)
    kept = times[2:]  # the first two open files and read the catalogue
    print(json.dumps({"built": built, "ms": kept, "p50": median(kept)}))


def _save(folder: str) -> None:
    from shopkeeper.customers.operations import save_segment
    from shopkeeper.shop import Shop

    with Shop.open(folder) as shop:
        for number, text in enumerate(SEGMENTS, 1):
            save_segment(shop, name=f"Segment {number}", definition=text)


def main(customers: int = CUSTOMERS, events: int = EVENTS) -> None:
    """Three runs over one shop; each starts without memberships of before."""
    folder = SHOPS / f"segments-{customers}-{events}"
    if not folder.exists():
        build(folder, customers, events, SEEDS[0])
        _save(str(folder))
    runs = []
    for _ in SEEDS:
        shutil.rmtree(folder / "tables" / "memberships", ignore_errors=True)
        ran = child(["-m", "bench.know_segments", "refresh", str(folder)])
        told = json.loads(ran.output.strip().splitlines()[-1])
        runs.append((ran.seconds, ran.peak_mb, told))
    followed = child(["-m", "bench.know_segments", "follow", str(folder)])
    live = json.loads(followed.output.strip().splitlines()[-1])
    first = runs[0][2]
    note = f"{first['population']:,} customers, {len(SEGMENTS)} segments; CPU {first['cpu']:.0f} s"
    write(
        "know_segments",
        [
            Row.of("segments.1m.seconds", [run[0] for run in runs], "s", note),
            Row.of("segments.1m.peak_mb", [run[1] for run in runs], "MB"),
            Row.of(
                "profile.event_ms",
                live["ms"],
                "ms",
                f"copy of the events by sender made in {live['built']:.0f} s beforehand",
            ),
        ],
        data=f"{customers:,} customers, {events:,} generated events over {FIRST.year}-{FIRST.year + 1}",
        seeds=SEEDS,
    )


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] in ("refresh", "follow"):
        {"refresh": refresh, "follow": follow}[sys.argv[1]](sys.argv[2])
    elif len(sys.argv) == 4 and sys.argv[1] == "small":
        main(int(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
