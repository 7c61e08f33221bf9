"""A simulated shop whose experiment has a known effect: the result finds it, and its interval holds it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.conftest import SHANGHAI

from shopkeeper.core.operation import OWNER, Context
from shopkeeper.core.types import Estimate
from shopkeeper.decisions.assignment import Arm, choose
from shopkeeper.experiments.operations import create, result, start
from shopkeeper.experiments.types import Design, Verdict
from shopkeeper.shop import Shop
from shopkeeper.simulate.operations import build

EFFECT = 0.15
SCENARIO = f"""
name = "tried"
first_day = 2025-01-01
days = 90
customers = 3000
events = 90000
reviews = 0.0
chats = 0.0
[[happening]]
kind = "experiment"
name = "one-page-checkout"
size = {EFFECT}
start = 2025-02-01
end = 2025-03-25
"""


def test_the_planted_effect_is_found_and_lies_in_the_interval(
    tmp_path: Path, monkeypatch: Any
) -> None:
    file = tmp_path / "tried.toml"
    file.write_text(SCENARIO, "utf-8")
    Shop.create(tmp_path / "shop", SHANGHAI).close()
    with Shop.open(tmp_path / "shop", now=lambda: datetime(2025, 4, 20, tzinfo=UTC)) as shop:
        build.run(Context(shop, OWNER), {"scenario": str(file), "seed": 3})
        began = datetime(2025, 1, 31, 16, tzinfo=UTC)
        monkeypatch.setattr(shop.database, "now", lambda _connection: began)
        design = Design(
            name="One page", primary="checkout_completion", guardrails=("return_rate",), units=1100
        )
        create(shop, "one-page-checkout", design)
        start(shop, "one-page-checkout")
        reply = result(shop, "one-page-checkout")
        seen = shop.query(
            lambda s: s.events().select("user_id", "experiment_id", "variant_id")
        ).to_pylist()
    assert reply.sample_ratio is not None
    assert reply.sample_ratio.ok
    [primary] = [c for c in reply.comparisons if c.role == "primary"]
    assert isinstance(primary.relative, Estimate)
    assert primary.relative.low < EFFECT < primary.relative.high
    assert isinstance(reply.verdict, Verdict)
    assert reply.verdict.outcome == "better"
    halves = (Arm("control", 0.5), Arm("treatment", 0.5))
    shown = {(r["user_id"], r["variant_id"]) for r in seen if r["experiment_id"]}
    assert len(shown) > 1000
    for user, variant in sorted(shown):
        assert choose("one-page-checkout", halves, user).variant_id == variant
