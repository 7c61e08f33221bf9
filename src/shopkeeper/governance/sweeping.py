"""Removes what is past its term."""

from __future__ import annotations

from datetime import timedelta

from shopkeeper.governance.search import EXPORTS, places
from shopkeeper.governance.types import Swept
from shopkeeper.shop.personal import every
from shopkeeper.shop.shop import Shop
from shopkeeper.store import expire as store
from shopkeeper.warehouse import expire as warehouse


def sweep(shop: Shop) -> Swept:
    """Remove events, texts, refused rows and exports past their term, and pseudonyms of old orders."""
    settings, now = shop.settings, shop.now()
    counts: dict[str, int] = {}
    with shop.writer("sweeping what is past its term") as writer:
        writer.drain()
        before = now - timedelta(days=settings.keep_orders_days)
        counts["tables/events: pseudonyms of orders"] = warehouse.forget_orders(
            shop.warehouse, before
        )
        for table, days in (
            ("events", settings.keep_events_days),
            ("texts", settings.keep_texts_days),
        ):
            if days:
                day = (now - timedelta(days=days)).astimezone(settings.zone).date()
                counts[f"tables/{table}"] = warehouse.expire(shop.warehouse, table, day)
        if any(counts.values()):
            warehouse.clear(shop.warehouse)
    if settings.keep_refused_days:
        old = now - timedelta(days=settings.keep_refused_days)
        counts["store: refused rows"] = store.refused(shop.database, old)
    if settings.keep_exports_days:
        old = now - timedelta(days=settings.keep_exports_days)
        for path in every(shop.folder, below=(EXPORTS,)):
            if path.stat().st_mtime < old.timestamp():
                path.unlink()
                counts[str(path.relative_to(shop.folder))] = 1
    return Swept(removed=places({where: count for where, count in counts.items() if count}))
