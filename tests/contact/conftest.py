"""A shop on SQLite and on PostgreSQL, mail servers and web servers on loopback, customers and a clock."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from tests.contact.mailbox import Mailbox
from tests.contact.provider import Provider

from shopkeeper.contact.channels.base import Surroundings, plug
from shopkeeper.contact.links import Links
from shopkeeper.contact.sender import Sender, Way
from shopkeeper.core.settings import Settings
from shopkeeper.server import api
from shopkeeper.server.options import ServeOptions
from shopkeeper.shop import Shop
from shopkeeper.store.contact_policies import ContactPolicies
from shopkeeper.store.messages import Draft, Message
from shopkeeper.store.outbox import Outbox

NOON = datetime(2026, 3, 4, 4, tzinfo=UTC)
"""Noon in Shanghai."""

OPEN: dict[str, Any] = {"caps": [], "quiet": None, "retry_seconds": [60, 60, 60]}
"""Rules under which time and number hold nothing up."""

SECRET = "whsec_" + base64.b64encode(b"events-secret-0123456789").decode()
PERSON = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


class Clock:
    """The time of the test's shop."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def desk_shop(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, clock: Clock
) -> Iterator[Shop]:
    """A shop in Shanghai, its state on either kind of database, its clock the test's."""
    address = "" if kind == "sqlite" else request.getfixturevalue("postgres_store")
    folder = tmp_path / "shop"
    folder.mkdir()
    settings = Settings(time_zone="Asia/Shanghai", currency="CNY", database=address)
    with Shop(folder, settings, now=clock) as opened:
        yield opened


class World:
    """A shop with what a test does to it."""

    def __init__(self, shop: Shop, clock: Clock) -> None:
        self.shop = shop
        self.clock = clock
        self.outbox = Outbox(shop.database)
        self.environment: dict[str, str] = {"SHOPKEEPER_PUBLIC_URL": "https://shop.example"}

    def rules(self, **told: Any) -> int:
        return ContactPolicies(self.shop.database).put({**OPEN, **told})

    def customer(self, customer_id: str, granted: str = "email", **traits: str) -> str:
        given = {"email": f"{customer_id}@example.com", **traits}
        self.shop.people.upsert([{"customer_id": customer_id, "traits": given}])
        if granted:
            self.say(customer_id, "GRANT", granted)
        return customer_id

    def say(self, customer_id: str, status: str, channel: str, **ago: float) -> None:
        when = self.clock.now - timedelta(**(ago or {"days": 30}))
        self.shop.consent.record(
            customer_id, "marketing", channel, status, when, {"form": "checkout"}
        )

    def queue(self, *customers: str, step: str = "spring-1", **told: Any) -> int:
        more = {"channel": "email", "purpose": "marketing", "due_at": self.clock.now}
        content = {"subject": "Tea 新茶", "text": "New tea is here.", "html": "<p>New tea.</p>"}
        base = {"step": step, "content": content, **more, **told}
        drafts = [Draft(customer_id=one, **base) for one in customers]
        return self.outbox.put(drafts, now=self.clock.now)

    def way(self, channel: str = "email") -> Way:
        links = Links.of(self.shop.database, self.environment)
        return Way(self.shop, plug(channel), links)

    @property
    def around(self) -> Surroundings:
        return Surroundings(self.shop.folder, self.environment)

    def one(self, customer_id: str) -> Message:
        found = self.outbox.page({"customer_id": customer_id}, 10)
        assert len(found) == 1
        return found[0]

    def states(self) -> dict[str, int]:
        return dict(self.outbox.counts("state"))


@pytest.fixture
def world(desk_shop: Shop, clock: Clock) -> World:
    return World(desk_shop, clock)


@pytest.fixture
def mailbox(world: World) -> Iterator[Mailbox]:
    """A real SMTP server on loopback, to which the world's e-mails go."""
    with Mailbox() as box:
        world.environment |= {
            "SHOPKEEPER_EMAIL_URL": f"smtp://127.0.0.1:{box.port}",
            "SHOPKEEPER_EMAIL_FROM": "掌柜 Tea Shop <news@shop.example>",
            "SHOPKEEPER_EMAIL_SECONDS": "1",
        }
        yield box


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A web server on loopback that answers as it is told."""
    with Provider() as one:
        yield one


@pytest.fixture
def sent(world: World) -> Callable[..., int]:
    """Work off what is due by one sender; how many messages it took."""

    def work(channel: str = "email") -> int:
        way = world.way(channel)
        sender = Sender(way, way.plug.open(world.around))
        try:
            return sender.work()
        finally:
            sender.close()

    return work


@pytest.fixture
def web(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx2.Client]:
    """A client of the shop's own server."""
    monkeypatch.setenv("SHOPKEEPER_EMAIL_EVENTS_SECRET", SECRET)
    monkeypatch.setenv("SHOPKEEPER_PUBLIC_URL", "https://shop.example")
    app = api.create(world.shop, ServeOptions())
    config = uvicorn.Config(app, port=0, log_config=None, ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        yield client
    server.should_exit = True
    thread.join()
