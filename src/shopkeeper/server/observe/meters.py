"""What is counted and measured while the server works, for Prometheus; no label holds a name or an id.

With ``PROMETHEUS_MULTIPROC_DIR`` set (the supervisor sets it) all processes of one server share their
numbers through files in that folder, so that any API process can answer for all.
"""

from __future__ import annotations

import os
from typing import Final

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from shopkeeper.server.observe.names import SHARED

REGISTRY: Final = CollectorRegistry()

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_ROWS = (1, 5, 20, 100, 500, 1_000, 2_000, 5_000)

REQUESTS = Counter(
    "shopkeeper_http_requests",
    "Requests answered, by route and status.",
    ["route", "status"],
    registry=REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "shopkeeper_http_request_seconds",
    "Time from a request's first byte to its answer's last.",
    ["route"],
    buckets=_SECONDS,
    registry=REGISTRY,
)
INTAKE = Counter(
    "shopkeeper_intake_messages",
    "Messages sent to intake: accepted, refused; and rows that were known already.",
    ["outcome"],
    registry=REGISTRY,
)
GROUP_ROWS = Histogram(
    "shopkeeper_intake_group_rows",
    "Rows that one transaction of the intake log wrote.",
    buckets=_ROWS,
    registry=REGISTRY,
)
GROUP_SECONDS = Histogram(
    "shopkeeper_intake_commit_seconds",
    "Time of one transaction of the intake log.",
    buckets=_SECONDS,
    registry=REGISTRY,
)
WAITING = Gauge(
    "shopkeeper_intake_waiting_rows",
    "Rows that wait to be written to the intake log.",
    multiprocess_mode="livesum",
    registry=REGISTRY,
)
CHORES = Histogram(
    "shopkeeper_worker_chore_seconds",
    "Time of one run of a chore of the worker.",
    ["chore"],
    buckets=(*_SECONDS, 30.0, 120.0),
    registry=REGISTRY,
)
CHORE_FAILURES = Counter(
    "shopkeeper_worker_chore_failures", "Chores that failed.", ["chore"], registry=REGISTRY
)
DRAINED = Counter(
    "shopkeeper_drained_rows", "Rows moved from the intake log to the tables.", registry=REGISTRY
)
MEMORY = Gauge(
    "shopkeeper_resident_bytes",
    "Memory of the processes of one part.",
    ["part"],
    multiprocess_mode="livesum",
    registry=REGISTRY,
)

_PROCESS = psutil.Process()


def remember_memory(part: str) -> None:
    """Note what this process holds now."""
    MEMORY.labels(part).set(_PROCESS.memory_info().rss)


def text() -> bytes:
    """All of it in Prometheus's text form."""
    if not os.environ.get(SHARED):
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)
