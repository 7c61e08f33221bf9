"""What the shop's own state says about how well it is served, asked when somebody asks."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from shopkeeper.core.types import Value
from shopkeeper.server.observe import meters
from shopkeeper.server.observe.names import SERVES
from shopkeeper.shop.shop import Shop
from shopkeeper.shop.writing import LEASE
from shopkeeper.store.jobs import JobStatus
from shopkeeper.store.lease import Leases
from shopkeeper.store.outbox import Outbox

_MESSAGES = ("channel", "state")
LEAST_FREE = 200_000_000
"""Bytes on the shop's disk under which nothing more is accepted."""


class Checks(Value):
    """What was looked at; each is "ok" or what is wrong, in the plainest words."""

    store: str
    tables: str
    disk: str
    worker: str


class State(Collector):
    """The figures that are read from the shop at the moment of a scrape."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """One family for each figure."""
        shop = self._shop
        tables = {name: delta.snapshot() for name, delta in shop.warehouse.tables.items()}
        events = tables["events"]
        rows, since = shop.log.waiting(events.cursor if events else 0)
        delay = max(0.0, (shop.now() - since).total_seconds()) if since else 0.0
        yield _gauge("log_backlog_rows", "Accepted rows that are not in the tables yet.", rows)
        yield _gauge("log_delay_seconds", "Age of the oldest of them.", delay)
        counts = shop.jobs.counts()
        jobs = GaugeMetricFamily("shopkeeper_jobs", "Jobs by state.", labels=["state"])
        for status in JobStatus:
            jobs.add_metric([status.value], counts.get(status, 0))
        yield jobs
        messages = GaugeMetricFamily(
            "shopkeeper_messages", "Messages to customers, by channel and state.", labels=_MESSAGES
        )
        for channel, state, count in Outbox(shop.database).counts(*_MESSAGES):
            messages.add_metric([channel, state], count)
        yield messages
        oldest = Outbox(shop.database).oldest(shop.now())
        wait = (shop.now() - oldest).total_seconds() if oldest else 0.0
        yield _gauge(
            "outbox_delay_seconds", "Since when the message that waits longest is due.", wait
        )
        files = GaugeMetricFamily("shopkeeper_delta_files", "Current files.", labels=["table"])
        for name, snapshot in tables.items():
            files.add_metric([name], len(snapshot.files) if snapshot else 0)
        yield files
        yield _gauge("worker_alive", "1 while a worker holds the tables.", int(has_worker(shop)))
        yield _gauge("disk_free_bytes", "Free on the shop's disk.", free(shop))


def exposition(shop: Shop) -> bytes:
    """Everything for Prometheus."""
    registry = CollectorRegistry()
    registry.register(State(shop))
    return meters.text() + generate_latest(registry)


def check(shop: Shop) -> Checks:
    """Look at the store (an error of its own if it does not answer), tables, disk and worker."""
    shop.log.last()
    shop.span()
    return Checks(
        store="ok",
        tables="ok",
        disk="ok" if free(shop) > LEAST_FREE else "nearly full",
        worker="ok" if has_worker(shop) else "not running",
    )


def has_worker(shop: Shop) -> bool:
    """Whether a worker holds the tables and has said so within the last 30 s."""
    held = Leases(shop.database).held(LEASE)
    return held is not None and held.purpose == SERVES


def free(shop: Shop) -> int:
    """Bytes free on the disk of the shop's folder."""
    return shutil.disk_usage(shop.folder).free


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"shopkeeper_{name}", text, value=value)
