"""The dry run of a campaign for a million customers: counts by reason, letters, cost and power.

Some withdrew their consent, some addresses bounced, some had a message this week, some have no address;
two templates, a hold-out of 10 %, and a standing one of 5 %.
"""

from __future__ import annotations

import os
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from bench.harness import Row, write
from bench.send import hindered, made, row_id
from shopkeeper.campaigns.operations import draft, dry_run
from shopkeeper.campaigns.types import Choice, Design
from shopkeeper.content.operations import approve, submit
from shopkeeper.content.operations import draft as compose
from shopkeeper.content.types import Part
from shopkeeper.core.operation import Actor, Context
from shopkeeper.core.schema import MEMBERSHIPS
from shopkeeper.experiments.operations import hold_out
from shopkeeper.shop.shop import Shop
from shopkeeper.simulate.operations import build
from shopkeeper.store.segments import LIVE, Version
from shopkeeper.warehouse.arrow import arrow_schema

CUSTOMERS = int(os.environ.get("DRYRUN_CUSTOMERS", "1000000"))
RUNS = 3
_EVENTS = 200_000
_MEANT = {
    "no_consent": 0,
    "capped": 1,
    "consent_withdrawn": 1,
    "suppressed_bounce": 1,
    "no_address": 1,
}


def main() -> None:
    """Measure and record."""
    with tempfile.TemporaryDirectory(prefix="bench-dryrun-") as name:
        shop = made(Path(name), CUSTOMERS)
        write("dryrun", _measured(shop), data="customers made for this benchmark; simulated events")
        shop.close()


def _measured(shop: Shop) -> list[Row]:
    build(shop, scenario="quiet", seed=1, events=_EVENTS)
    hindered(shop, CUSTOMERS)
    hold_out(shop, 0.05, "the whole programme")
    templates = tuple(Choice(template_id=_template(shop, words)) for words in ("tea", "coffee"))
    design = Design(
        name="Spring",
        segment_id=_segment(shop),
        templates=templates,
        cost_per_message=0.01,
        budget=10_000,
    )
    campaign = draft(shop, design)
    wall, cpu = [], []
    for _ in range(RUNS):
        began, used = time.perf_counter(), time.process_time()
        found = dry_run(shop, campaign.campaign_id)
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - used)
    counts = {one.reason: one.customers for one in found.counts}
    assert sum(counts.values()) == found.audience == CUSTOMERS
    assert all(counts.get(reason, 0) >= least for reason, least in _MEANT.items()), counts
    note = f"{CUSTOMERS} customers, {len(counts)} reasons, {len(found.samples)} letters"
    return [
        Row.of("dryrun.1m.seconds", wall, "s", note),
        Row.of("dryrun.1m.cpu_seconds", cpu, "s", "processor time of the same runs"),
    ]


def _segment(shop: Shop) -> str:
    now = datetime.now(UTC) - timedelta(minutes=1)
    version = Version(0, 0, "Everybody", {"text": "orders >= 0"}, "", now)
    segment = shop.segments.create(version, LIVE).id
    ids = pa.array([row_id(n) for n in range(CUSTOMERS)])
    schema = arrow_schema(MEMBERSHIPS)
    told = {"segment": segment, "version": 1, "reasons": "{}", "valid_from": now, "valid_to": None}
    columns = [
        ids if field.name == "customer_id" else pa.array([told[field.name]] * len(ids), field.type)
        for field in schema
    ]
    with shop.writer("bench") as writer:
        writer.load(
            MEMBERSHIPS.name, pa.Table.from_arrays(columns, schema=schema), check_duplicates=False
        )
    return segment


def _template(shop: Shop, words: str) -> str:
    ann, bob = (Context(shop, Actor("person", one, frozenset({"*:*"}))) for one in ("ann", "bob"))
    text = f'Hello {{{{ customer.name | default: "friend" }}}}, new {words} is here. {{{{unsubscribe_url}}}}'
    told = compose(ann, words, {"en": Part(subject=f"New {words}", text=text)})
    template_id = told.template_id
    version = submit(ann, template_id).version
    plan = approve(bob, template_id, version).plan
    assert plan is not None
    approve(bob, template_id, version, confirm=plan.hash)
    return template_id


if __name__ == "__main__":
    main()
