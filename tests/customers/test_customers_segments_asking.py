"""A request in words, answered by a language model: its definition is checked like any other."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.conftest import SHANGHAI
from tests.customers.world import ITEMS
from tests.stall import event, stock

from shopkeeper.core.errors import CannotAnswer
from shopkeeper.customers import operations as customers
from shopkeeper.shop import Shop

_SCRIPT = """
[[rule]]
match = "does not run"
reply = { definition = "orders >= 2" }
[[rule]]
match = "regulars"
reply = { definition = "order_count >= 2" }
[[rule]]
match = "hopeless"
reply = { definition = "SELECT 1" }
"""
_HOPELESS = _SCRIPT.replace('"orders >= 2"', '"DROP TABLE events"')


def _shop(folder: Path, script: str) -> Shop:
    path = folder / "script.toml"
    path.write_text(script, "utf-8")
    shop = Shop.create(folder / "shop", SHANGHAI.model_copy(update={"model": f"scripted:{path}"}))
    return stock(shop, [event(1, 0, "purchase", "c1", "tea-1", value=40.0)], ITEMS)


def test_a_model_is_told_what_was_wrong_and_may_try_once_more(tmp_path: Path) -> None:
    with _shop(tmp_path, _SCRIPT) as shop:
        found = customers.draft_segment(shop, request="our regulars")
        assert found.meaning.text == "orders >= 2"
        assert found.answered_by.startswith("scripted")
        assert customers.segments(shop).segments == ()  # a proposal is nothing but that


def test_what_never_runs_is_refused(tmp_path: Path) -> None:
    with _shop(tmp_path, _HOPELESS) as shop, pytest.raises(CannotAnswer, match="does not run"):
        customers.draft_segment(shop, request="hopeless")
