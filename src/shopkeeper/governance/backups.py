"""Backups in the shop's own folder: they are never changed, so what they hold is told, and until when."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from shopkeeper.governance.types import Backup
from shopkeeper.shop.shop import Shop

FOLDER = "backups"
_NAME = re.compile(r"(\d{8}T\d{6}Z)-[0-9a-f]{4}")


def listed(shop: Shop) -> tuple[Backup, ...]:
    """Every backup there, the oldest first, with the time from which the sweep removes it."""
    names = sorted(path.name for path in (shop.folder / FOLDER).glob("*") if is_backup(path))
    days = shop.settings.keep_backups_days
    made = [datetime.strptime(name[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) for name in names]
    return tuple(
        Backup(name=name, made_at=at, until=at + timedelta(days=days) if days else None)
        for name, at in zip(names, made, strict=True)
    )


def is_backup(path: Path) -> bool:
    """Whether that folder is named as a backup."""
    return path.is_dir() and _NAME.fullmatch(path.name) is not None


def past_term(shop: Shop, moment: datetime) -> list[Path]:
    """The folders of those past their term; the newest backup stays however old it is."""
    past = [one for one in listed(shop)[:-1] if one.until is not None and one.until <= moment]
    return [shop.folder / FOLDER / one.name for one in past]
