"""A shop on SQLite and on PostgreSQL with customers, a segment, approved words, channels and a clock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
import pyarrow as pa
import pytest
from tests.contact.conftest import (  # noqa: F401 - fixtures of this folder too
    Clock,
    World,
    clock,
    desk_shop,
    kind,
    mailbox,
    provider,
    web,
)

from shopkeeper.campaigns.launching import launch
from shopkeeper.campaigns.leaving import untrue
from shopkeeper.campaigns.operations import confirm, draft
from shopkeeper.campaigns.types import Campaign, Design
from shopkeeper.contact.channels.base import plug
from shopkeeper.contact.links import Links
from shopkeeper.contact.sender import Sender, Way
from shopkeeper.content.digests import of_body, of_version
from shopkeeper.core.schema import MEMBERSHIPS
from shopkeeper.shop import Shop
from shopkeeper.store.campaigns import Campaigns
from shopkeeper.store.segments import LIVE, Version
from shopkeeper.store.templates import APPROVED, Templates, Verdict
from shopkeeper.warehouse.arrow import arrow_schema

WORDS = {
    "subject": "New tea",
    "text": 'Hello {{ customer.name | default: "friend" }}, new tea is here.',
}


class Stage(World):
    """A shop with what a test of campaigns does to it."""

    def way(self, channel: str = "email") -> Way:
        links = Links.of(self.shop.database, self.environment)
        return Way(self.shop, plug(channel), links, untrue)

    def segment(self, *customers: str, name: str = "Everybody") -> str:
        """A segment with these members."""
        definition = {"text": "orders >= 0"}
        version = Version(0, 0, name, definition, "", self.clock.now)
        made = self.shop.segments.create(version, LIVE)
        self.enter(made.id, *customers)
        return made.id

    def enter(self, segment: str, *customers: str, left: datetime | None = None) -> None:
        """Let customers enter the segment now; with ``left``, end the membership that began then."""
        rows = [
            {
                "customer_id": one,
                "segment": segment,
                "version": 1,
                "reasons": "{}",
                "valid_from": left or self.clock.now,
                "valid_to": self.clock.now if left else None,
            }
            for one in customers
        ]
        table = pa.Table.from_pylist(rows, schema=arrow_schema(MEMBERSHIPS))
        with self.shop.writer("test") as writer:
            writer.load(MEMBERSHIPS.name, table, check_duplicates=False)

    def template(
        self,
        words: dict[str, Any] | None = None,
        facts: Sequence[dict[str, str]] = (),
        items: Sequence[str] = (),
        channel: str = "email",
    ) -> str:
        """An approved template; its id."""
        told: Any = words or WORDS
        body: dict[str, Any] = {
            "parts": told if "en" in told or "zh" in told else {"en": told},
            "item_ids": list(items),
            "evidence": [],
            "written_by": "person",
        }
        store, first = Templates(self.shop.database, self.shop.now), of_body(body)
        row = store.create(("Tea", channel, "marketing"), body, first, "ann")
        template_id = f"W{row.template}"
        store.submit(template_id, first, [], "ann")
        about = (template_id, 1, channel, "marketing")
        kept = [{"fact_id": "", **one} for one in facts]
        digest = of_version(about, body, kept, {}, [])
        verdict = Verdict(APPROVED, "bob", digest=digest, facts=kept, label={})
        store.decide(template_id, 1, first, verdict)
        return template_id

    def people(self, count: int, channel: str = "email") -> list[str]:
        """So many customers who may be reached."""
        return [self.customer(f"C{n:03}", channel) for n in range(count)]

    def draft(self, segment: str, *templates: str, **told: Any) -> Campaign:
        chosen = [{"template_id": one} for one in templates or (self.template(),)]
        design = Design.model_validate(
            {"name": "Spring", "segment_id": segment, "templates": chosen, **told}
        )
        return draft(self.shop, design)

    def confirmed(self, segment: str, *templates: str, **told: Any) -> Campaign:
        made = self.draft(segment, *templates, **told)
        asked = confirm(self.shop, made.campaign_id)
        assert asked.plan is not None
        done = confirm(self.shop, made.campaign_id, confirm=asked.plan.hash)
        assert done.campaign is not None
        return done.campaign

    def launched(self, segment: str, *templates: str, **told: Any) -> str:
        made = self.confirmed(segment, *templates, **told)
        launch(self.shop)
        return made.campaign_id

    def send(self, channel: str = "email") -> None:
        """Work off what is due."""
        way = self.way(channel)
        sender = Sender(way, way.plug.open(self.around))
        try:
            while sender.work():
                pass
        finally:
            sender.close()

    def counts(self, campaign_id: str) -> dict[str, int]:
        """The campaign's customers by reason."""
        progress = Campaigns(self.shop.database).get(campaign_id).progress
        found: dict[str, int] = progress["counts"]
        assert sum(found.values()) == progress["audience"]
        return found

    def exposed(self, campaign_id: str) -> dict[str, str]:
        """Who was exposed to which arm, from the shop's log."""
        found: dict[str, str] = {}
        for _, table, payload in self.shop.log.read(0, 100_000):
            row = orjson.loads(payload) if table == "events" else {}
            if row.get("experiment_id") == f"campaign-{campaign_id}" and row["name"] == (
                "experiment_viewed"
            ):
                assert found.setdefault(row["user_id"], row["variant_id"]) == row["variant_id"]
        return found


@pytest.fixture
def stage(desk_shop: Shop, clock: Clock) -> Stage:  # noqa: F811
    made = Stage(desk_shop, clock)
    made.rules()
    return made


@pytest.fixture
def world(stage: Stage) -> Stage:
    """Under the name by which the mail server's fixture asks for it."""
    return stage
