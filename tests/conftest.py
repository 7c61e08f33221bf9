"""Fixtures that every area shares: real shops in temporary folders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shopkeeper.core.settings import Settings
from shopkeeper.shop import Shop

pytest_plugins = ["tests.postgres"]

SHANGHAI = Settings(name="Test shop", time_zone="Asia/Shanghai", currency="CNY")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A fresh, empty shop in Shanghai that counts in yuan."""
    with Shop.create(tmp_path / "shop", SHANGHAI) as opened:
        yield opened
