"""A campaign in the browser: built, tried, confirmed, sent, paused and measured, in both languages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import narwhals as nw
import pytest
from playwright.sync_api import expect
from tests.campaigns.conftest import Stage
from tests.console.conftest import Console, SignIn, console, furnished
from tests.contact.conftest import Clock

from shopkeeper.campaigns.launching import launch
from shopkeeper.core.period import Days
from shopkeeper.shop import Shop

SHOTS = os.environ.get("SHOPKEEPER_SHOTS", "")


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop of its own: what is sent today would end the shared one's year today."""
    return furnished(tmp_path_factory.mktemp("campaigns") / "shop")


@pytest.fixture(scope="module")
def served(simulated: Path) -> Iterator[Console]:
    """Its console."""
    with console(simulated) as running:
        yield running


@pytest.fixture(scope="module")
def prepared(simulated: Path) -> Path:
    """A segment of forty who may be reached and two who may not, and an approved template."""
    with Shop.open(simulated) as shop:
        stage = Stage(shop, Clock())
        people = [stage.customer(f"K{n:02}", "file", name="<b>Ann</b>") for n in range(40)]
        silent = [stage.customer(f"N{n}", granted="") for n in range(2)]
        stage.segment(*people, *silent, name="Tea <b>lovers</b>")
        stage.template({"text": "Hello {{ customer.name }}"}, channel="file")
    return simulated


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_campaign_is_built_tried_confirmed_and_sent(
    sign_in: SignIn, prepared: Path, lang: str
) -> None:
    zh = lang == "zh"
    visitor = sign_in(lang=lang, to="/campaigns/new")
    page = visitor.page
    page.get_by_label("名称" if zh else "Name", exact=True).fill(f"<b>Spring</b> {lang}")
    page.get_by_label("分群" if zh else "Segment", exact=True).fill("Tea")
    page.get_by_role("option", name="Tea <b>lovers</b>").click()
    page.get_by_label("对照组 %" if zh else "Held out, %").fill("25")
    page.get_by_role("button", name="保存并试算" if zh else "Save and try").click()
    reasons = page.get_by_role("region", name="按原因的客户数" if zh else "Customers by reason")
    expect(reasons).to_contain_text("没有同意" if zh else "no consent")
    _shot(visitor.page, f"try-{lang}")
    expect(reasons.locator("tbody tr")).to_have_count(3)
    expect(page.locator(".evidence").first).to_contain_text("Hello <b>Ann</b>")
    _shot(visitor.page, f"builder-{lang}")
    page.get_by_role("button", name="去确认" if zh else "On to confirming").click()
    expect(page.locator("h1")).to_have_text(f"<b>Spring</b> {lang}")
    page.get_by_role("button", name="显示计划" if zh else "Show the plan").click()
    plan = page.get_by_role("region", name="将要执行的操作" if zh else "What would happen")
    expect(plan).to_contain_text("消息，约" if zh else "messages, about")
    _shot(visitor.page, f"plan-{lang}")
    page.get_by_role("button", name="确认并发送" if zh else "Confirm and send").click()
    asked = page.get_by_role("alertdialog")
    expect(asked).to_contain_text("30")
    asked.get_by_role("button", name="确认并发送" if zh else "Confirm and send").click()
    badge = page.locator(".period .badge").first
    expect(badge).to_have_text("已确认" if zh else "Confirmed")
    with Shop.open(prepared) as shop:
        launch(shop)
    expect(badge).to_have_text("发送中" if zh else "Sending")
    expect(page.locator(".panel").first).to_contain_text("42")
    page.get_by_role("button", name="暂停" if zh else "Pause", exact=True).click()
    expect(badge).to_have_text("已暂停" if zh else "Paused")
    page.get_by_role("button", name="继续" if zh else "Go on", exact=True).click()
    expect(badge).to_have_text("发送中" if zh else "Sending")
    cannot = "还不能下结论" if zh else "Cannot tell yet"
    expect(page.locator(".verdict .badge")).to_have_text(cannot)
    visitor.settle()
    _shot(visitor.page, f"sending-{lang}")
    visitor.check()
    page.set_viewport_size({"width": 390, "height": 900})
    visitor.fits()
    page.get_by_role("button", name="停止" if zh else "Stop", exact=True).click()
    asked = page.get_by_role("alertdialog")
    asked.get_by_role("button", name="停止" if zh else "Stop", exact=True).click()
    expect(badge).to_have_text("已停止" if zh else "Stopped")
    visitor.go("/campaigns")
    page.get_by_role("button", name=f"<b>Spring</b> {lang}").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(f"<b>Spring</b> {lang}")
    visitor.check()


@pytest.fixture(scope="module")
def measured(prepared: Path) -> str:
    """A campaign that was sent half a month before the last event, so that all windows are over."""
    clock = Clock()
    with Shop.open(prepared, now=clock) as shop:
        span = shop.span()
        assert span is not None
        clock.now = datetime(span.end.year, span.end.month, span.end.day, 4, tzinfo=UTC)
        clock.forward(days=-15)
        stage = Stage(shop, clock)
        stage.rules()  # some live where it is night
        week = Days(clock.now.date() + timedelta(days=1), clock.now.date() + timedelta(days=5))
        inside = nw.col("day").is_between(week.start, week.end)
        active = shop.query(
            lambda source: (
                source.events(span)
                .filter(~nw.col("customer_id").is_null())
                .group_by("customer_id")
                .agg(bought=(inside & (nw.col("name") == "purchase")).max())
            )
        ).to_pylist()
        active.sort(key=lambda row: (not row["bought"], row["customer_id"]))
        known = [row["customer_id"] for row in active][:300]
        segment = stage.segment(*(stage.customer(one, "file") for one in known), name="Measured")
        told = stage.template({"text": "Tea."}, channel="file")
        campaign = stage.launched(segment, told, hold_out=0.5, cost_per_message=0.1)
        stage.send("file")
        launch(shop)
        with shop.writer("test") as writer:
            writer.drain()
    return campaign


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_results_are_shown_with_their_interval(sign_in: SignIn, measured: str, lang: str) -> None:
    visitor = sign_in(lang=lang, to=f"/campaigns/{measured}")
    page = visitor.page
    expect(page.locator(".period .badge").first).to_have_text("已完成" if lang == "zh" else "Done")
    figures = page.get_by_role(
        "region", name="方案 A 的数字" if lang == "zh" else "Figures of variant A"
    )
    expect(figures.locator("tbody tr")).to_have_count(4)
    expect(figures.locator("tbody tr").first).to_contain_text("…")
    expect(page.locator(".verdict .chart")).to_have_count(1)
    visitor.settle()
    _shot(page, f"results-{lang}")
    visitor.check()
    page.set_viewport_size({"width": 390, "height": 900})
    visitor.fits()
    _shot(page, f"results-390-{lang}")


def test_a_viewer_changes_nothing_and_an_empty_shop_says_what_to_do(
    sign_in: SignIn, empty: Console
) -> None:
    page = sign_in("viewer", to="/campaigns").page
    expect(page.locator("h1")).to_have_text("Campaigns")
    expect(page.get_by_role("button", name="Campaign", exact=True)).to_have_count(0)
    owner = sign_in(at=empty, to="/campaigns")
    expect(owner.page.locator(".empty")).to_contain_text("No campaign yet")
    owner.go("/campaigns/new")
    expect(owner.page.locator(".empty")).to_be_visible()
    owner.check()


def _shot(page: object, name: str) -> None:
    """A picture of the page, where somebody asked for one."""
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)  # type: ignore[attr-defined]
