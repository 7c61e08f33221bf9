"""Campaigns and suggestions in the report: measured ones with intervals, and what stands else."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.stall import event, stock

from shopkeeper.advice.operations import refresh
from shopkeeper.report.forest import Effect, forest
from shopkeeper.report.operations import run
from shopkeeper.shop import Shop
from shopkeeper.store.campaigns import Campaigns

SCRIPT = "<script>alert(1)</script> spring"
NOW = datetime(2026, 3, 4, tzinfo=UTC)


def _campaign(shop: Shop) -> None:
    lift = {"kind": "estimate", "value": 0.12, "low": 0.02, "high": 0.22, "n": 900, "level": 0.95}
    arm = {"sent": 810, "lift": lift, "revenue": lift, "margin": {"kind": "cannot_say",
           "reason": "no costs", "needed": "costs"}, "cost": lift}  # fmt: skip
    told = {"name": SCRIPT, "design": {}, "arms": [], "channel": "email", "purpose": "marketing"}
    store = Campaigns(shop.database)
    made = store.add("ann", NOW, {**told, "advice": ""})
    note: tuple[Any, ...] = (NOW, "ann", "confirmed", {})
    made = store.change(made, ("draft",), note, {"status": "done", "launched_at": NOW})
    store.keep_result(made.id, {"at": NOW.isoformat(), "arms": {"A": arm}})


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_lift_and_suggestions_stand_in_the_report(shop: Shop, lang: Any) -> None:
    rows = [event(n, n % 3, "add_to_cart", f"c{n}", "pot-1") for n in range(30)]
    stock(shop, rows, [{"item_id": "pot-1", "title": "Pot", "price": 200.0}])
    empty = Path(run(shop, lang=lang).path).read_text("utf-8")
    unlooked = {"en": "Nobody has looked for suggestions yet", "zh": "还没有查找过建议"}[lang]
    assert unlooked in empty
    assert {"en": "No campaign has been started", "zh": "还没有开始任何活动"}[lang] in empty
    _campaign(shop)
    refresh(shop)
    reply = run(shop, lang=lang)
    page = Path(reply.path).read_text("utf-8")
    assert "+12.0%" in page
    assert 'class="chart forest"' in page
    assert "<script>alert(1)" not in page
    title = {"en": "Remind 30 customers of their carts", "zh": "提醒 30 位客户查看购物车"}[lang]
    assert title in page
    assert reply.next[0].text == title


def test_effects_are_drawn_where_they_lie() -> None:
    effects = [Effect("A", 0.1, -0.1, 0.3, "A: 10 %"), Effect(SCRIPT, 0.2, 0.15, 0.25, SCRIPT)]
    drawn = str(forest("f", ("title", "text"), effects, write=lambda v: f"{v:.0%}", width=1000))
    assert drawn.count('class="point"') == 2
    assert "-10%" in drawn
    assert "30%" in drawn
    assert "<script>" not in drawn
