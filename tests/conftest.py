"""Fixtures that every area shares: real shops in temporary folders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from shopkeeper.core.settings import Settings
from shopkeeper.shop import Shop

pytest_plugins = ["tests.postgres"]

# A machine that others use too is slow at times: that is no fault of the code under test.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

SHANGHAI = Settings(name="Test shop", time_zone="Asia/Shanghai", currency="CNY")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A fresh, empty shop in Shanghai that counts in yuan."""
    with Shop.create(tmp_path / "shop", SHANGHAI) as opened:
        yield opened
