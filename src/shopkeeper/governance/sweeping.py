"""Removes what is past its term."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from shopkeeper.core.plan import Step
from shopkeeper.governance import backups
from shopkeeper.governance.search import EXPORTS, places
from shopkeeper.governance.types import Swept
from shopkeeper.shop.personal import every
from shopkeeper.shop.shop import Shop
from shopkeeper.store import expire as store
from shopkeeper.warehouse import expire as warehouse

_PSEUDONYMS = "tables/events: pseudonyms of orders"
_REFUSED = "store: refused rows"


def plan(shop: Shop) -> Sequence[Step]:
    """What is past its term now: terms end when a local day does, so that a plan holds for a day."""
    settings = shop.settings
    steps = [
        Step(
            where=_PSEUDONYMS,
            what="rows left without a customer",
            count=warehouse.old_orders(shop.warehouse, _start(shop, settings.keep_orders_days)),
        )
    ]
    for table, day in _expired(shop).items():
        count = warehouse.old_rows(shop.warehouse, table, day)
        what = f"rows before {day} removed"
        steps.append(Step(where=f"tables/{table}", what=what, count=count))
    if days := settings.keep_refused_days:
        count = store.old_refused(shop.database, _start(shop, days))
        steps.append(Step(where=_REFUSED, what="rows emptied", count=count))
    steps += (Step(where=n, what="the file removed", count=1) for n in _old_exports(shop))
    steps += (
        Step(where=f"{backups.FOLDER}/{folder.name}", what="the backup removed", count=1)
        for folder in backups.past_term(shop, shop.now())
    )
    return [step for step in steps if step.count]


def sweep(shop: Shop) -> Swept:
    """Remove what :func:`plan` tells."""
    settings = shop.settings
    counts: dict[str, int] = {}
    with shop.writer("sweeping what is past its term") as writer:
        writer.drain()
        before = _start(shop, settings.keep_orders_days)
        counts[_PSEUDONYMS] = warehouse.forget_orders(shop.warehouse, before)
        for table, day in _expired(shop).items():
            counts[f"tables/{table}"] = warehouse.expire(shop.warehouse, table, day)
        if any(counts.values()):
            warehouse.clear(shop.warehouse)
    if days := settings.keep_refused_days:
        counts[_REFUSED] = store.refused(shop.database, _start(shop, days))
    for name in _old_exports(shop):
        (shop.folder / name).unlink()
        counts[name] = 1
    for folder in backups.past_term(shop, shop.now()):
        shutil.rmtree(folder)
        counts[f"{backups.FOLDER}/{folder.name}"] = 1
    return Swept(removed=places({where: count for where, count in counts.items() if count}))


def _day(shop: Shop, days: int) -> date:
    """The first local day that is kept by a term of so many days."""
    return (shop.now() - timedelta(days=days)).astimezone(shop.settings.zone).date()


def _start(shop: Shop, days: int) -> datetime:
    return datetime.combine(_day(shop, days), time(), shop.settings.zone)


def _expired(shop: Shop) -> dict[str, date]:
    """By table whose rows have a term, the first day that is kept."""
    terms = {"events": shop.settings.keep_events_days, "texts": shop.settings.keep_texts_days}
    return {table: _day(shop, days) for table, days in terms.items() if days}


def _old_exports(shop: Shop) -> list[str]:
    days = shop.settings.keep_exports_days
    if not days:
        return []
    old = _start(shop, days).timestamp()
    files = every(shop.folder, below=(EXPORTS,))
    return [str(path.relative_to(shop.folder)) for path in files if path.stat().st_mtime < old]
