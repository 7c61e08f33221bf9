from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from tests.collect.conftest import SALES

from shopkeeper.collect import operations as collect
from shopkeeper.collect.accept import accept
from shopkeeper.collect.gaps import gaps
from shopkeeper.core.operation import Actor
from shopkeeper.shop import Shop

DAY = date(2026, 1, 5)  # a Monday


def test_an_empty_shop_says_what_to_do_first(shop: Shop) -> None:
    health = collect.health(shop)
    assert [f.code for f in health.findings] == ["no_events"]
    assert (health.days, health.last_import) == (0, None)


def test_findings_name_what_the_data_lack(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(SALES)
    rows = [f"u{i % 9},2026-01-{5 + i % 20:02d} 10:00:00,i{i % 5},1,2\n" for i in range(200)]
    rows += [f",2026-01-06 10:00:0{i % 9},,1,\n" for i in range(40)] + ["u,soon,i,1,1\n"]
    (tmp_path / "s.csv").write_text("user,at,item,n,price\n" + "".join(rows))
    collect.import_file(shop, str(tmp_path / "s.csv"), mapping=str(tmp_path / "m.toml"))
    health = collect.health(shop)
    found = {f.code: f for f in health.findings}
    assert health.unknown_items == 5
    assert found["unknown_items"].rows == 5
    assert health.without_customer == 40 / 240
    assert found["without_customer"].severity == "warning"
    assert health.without_item == 40 / 240
    assert found["unvalued_purchases"].rows == 40
    assert found["refused_rows"].rows == 1
    assert all(f.to_do for f in health.findings)
    ranks = [("problem", "warning", "note").index(f.severity) for f in health.findings]
    assert ranks == sorted(ranks)


def test_the_delay_of_live_events_is_measured(shop: Shop) -> None:
    now = datetime.now(UTC)
    call = {"type": "track", "event": "x", "userId": "u",
            "timestamp": (now - timedelta(hours=2)).isoformat()}  # fmt: skip
    accept(shop, call, actor=Actor("key", "k"), received_at=now)
    assert collect.health(shop).waiting_in_log == 1
    with shop.writer("test") as writer:
        writer.drain()
    health = collect.health(shop)
    assert (health.waiting_in_log, health.median_delay_s) == (0, 7200.0)
    assert "late" in {f.code for f in health.findings}


def test_days_without_events_leave_out_days_on_which_the_shop_is_closed() -> None:
    days = {DAY + timedelta(days=i): 100 for i in range(70)}
    days = {
        day: n for day, n in days.items() if day.weekday() != 6 and day != DAY + timedelta(days=30)
    }
    found = gaps(days)
    assert found.closed == ("Sunday",)
    assert found.missing == (DAY + timedelta(days=30),)
    assert not found.jumps


def test_jumps_are_days_far_from_the_weeks_before() -> None:
    days = {DAY + timedelta(days=i): 100 + i % 7 for i in range(60)}
    days[DAY + timedelta(days=40)] = 900
    days[DAY + timedelta(days=50)] = 9
    assert [jump.day for jump in gaps(days).jumps] == [
        DAY + timedelta(days=40), DAY + timedelta(days=50),
    ]  # fmt: skip


def test_no_days_have_no_gaps() -> None:
    assert gaps({}).first is None
