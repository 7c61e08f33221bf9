"""Writing a world into an open shop."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from shopkeeper.core.errors import Conflict, NotAllowed
from shopkeeper.core.operation import Context
from shopkeeper.core.settings import Settings
from shopkeeper.simulate import scenario as scenarios
from shopkeeper.simulate.lands import RATES
from shopkeeper.simulate.scenario import Scenario
from shopkeeper.simulate.types import Built
from shopkeeper.simulate.world import World


def build(ctx: Context, name: str, seed: int, events: int | None) -> Built:
    """Simulate, and write tables, state and truth of the shop of ``ctx``.

    Raises:
        Conflict: the shop has events already, or another time zone or currency than the scenario.
        NotAllowed: somebody who is not at this machine names a file outside the shop.
    """
    started = time.monotonic()
    shop = ctx.shop
    ctx.progress(0, None, "reading the scenario")
    source = scenarios.text(_where(ctx, name))
    scenario = _fitting(scenarios.parse(source, size=events), shop.settings)
    if shop.span() is not None:
        raise Conflict("The shop has events already.", hint="Build into a new, empty shop.")
    world = World(scenario, seed)
    with shop.writer("simulate") as writer:
        shop.catalogue.upsert_items(world.items())
        facts = shop.catalogue.upsert_facts(world.facts())
        loaded = writer.load("events", _told(ctx, world), check_duplicates=False)
        texts = writer.load("texts", _texts(ctx, world), check_duplicates=False)
        ctx.progress(scenario.days, scenario.days, "writing customers")
        customers = shop.people.upsert(world.customers())
        shop.consent.record_all(world.consents())
        identities = shop.people.link(world.identities())
        ctx.progress(scenario.days, scenario.days, "bringing the rollup up to date")
        writer.snapshot()
        writer.maintain()
    # The truth comes last: where it stands, the shop is complete.
    folder = Path(shop.folder) / "truth"
    world.write_truth(folder)
    (folder / "scenario.toml").write_text(f"# seed = {seed}\n{source}", "utf-8")
    totals = world.truth().metrics["totals"]
    return Built(
        scenario=scenario.name,
        seed=seed,
        first_day=scenario.first_day.isoformat(),
        last_day=scenario.last_day.isoformat(),
        events=loaded.new,
        orders=int(totals["orders"]),
        revenue=totals["revenue"],
        texts=texts.new,
        items=len(world.setting.catalogue.products),
        facts=facts,
        customers=customers,
        identities=identities,
        happenings=tuple(h.name for h in scenario.happenings),
        truth=str(folder),
        seconds=round(time.monotonic() - started, 2),
    )


def _where(ctx: Context, name: str) -> str | Path:
    """The scenario's name or file; only who is at this machine may name any file."""
    if not name.endswith(".toml"):
        return name
    path = Path(name)
    if ctx.actor.kind == "local":
        return path
    folder = (Path(ctx.shop.folder) / "scenarios").resolve()
    inside = (folder / path).resolve()
    if not inside.is_relative_to(folder):
        raise NotAllowed(
            f"{name!r} lies outside the shop's scenarios.",
            hint="Put the file into the shop's folder 'scenarios' and give its name.",
        )
    return inside


def _fitting(scenario: Scenario, settings: Settings) -> Scenario:
    """The scenario in the shop's time zone and currency."""
    for field in ("time_zone", "currency"):
        wanted, has = getattr(scenario, field), getattr(settings, field)
        if wanted and wanted != has:
            raise Conflict(
                f"The scenario's {field} is {wanted}, the shop's is {has}.",
                hint=f"Take the line {field!r} out of the scenario, or make a shop with {wanted}.",
                field=field,
            )
    if settings.currency not in RATES:
        raise Conflict(
            f"The simulation knows no prices in {settings.currency}.",
            hint=f"Make a shop in one of: {', '.join(RATES)}.",
            field="currency",
        )
    return replace(scenario, time_zone=settings.time_zone, currency=settings.currency)


def _told(ctx: Context, world: World) -> Iterator[pa.RecordBatch]:
    days, first = world.scenario.days, world.setting.clock.epoch_day(0)
    for batch in world.events():
        done = batch.column("day").cast(pa.int32())[-1].as_py() - first + 1
        ctx.progress(done, days, "simulating")
        yield batch


def _texts(ctx: Context, world: World) -> Iterator[pa.RecordBatch]:
    for number, batch in enumerate(world.texts(), 1):
        ctx.progress(number, None, "writing texts")
        yield batch
