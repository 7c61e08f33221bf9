"""An experiment in the browser: its price, its draft, its start, its page."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from tests.console.conftest import SignIn


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_an_experiment_is_priced_drafted_and_started(sign_in: SignIn, lang: str) -> None:
    zh = lang == "zh"
    visitor = sign_in(lang=lang, to="/experiments/new")
    page = visitor.page
    page.get_by_role("radio", name="知道" if zh else "Yes", exact=True).click()
    page.get_by_role("button", name="计算" if zh else "Work it out").click()
    prices = page.get_by_role("region", name="代价" if zh else "Price of each way of ending")
    expect(prices.locator("tbody tr")).to_have_count(4)
    recommended = "计划内多次查看（O'Brien-Fleming）" if zh else "Planned looks (O'Brien-Fleming)"
    expect(page.locator(".badge.good")).to_have_text(recommended)
    prices.get_by_role("button", name="随时查看" if zh else "Any time", exact=True).click()
    expect(page.locator(".panel").last).to_contain_text("随时查看" if zh else "Any time")
    page.get_by_label("名称" if zh else "Name", exact=True).fill("<b>A bold idea</b>")
    page.get_by_label("编号" if zh else "Id (letters").fill(f"bold-{lang}")
    page.get_by_role("button", name="保存草稿" if zh else "Create draft").click()
    expect(page.locator("h1")).to_have_text("<b>A bold idea</b>")
    expect(page.locator(".verdict")).to_contain_text("尚未开始" if zh else "not been started")
    page.get_by_role("button", name="开始" if zh else "Start", exact=True).click()
    expect(page.locator(".verdict")).to_contain_text("还没有人" if zh else "Nobody was exposed")
    page.get_by_role("button", name="停止" if zh else "Stop", exact=True).click()
    asked = page.get_by_role("alertdialog")
    asked.get_by_role("button", name="停止" if zh else "Stop", exact=True).click()
    expect(page.locator(".badge").first).to_have_text("已停止" if zh else "Stopped")
    visitor.check()
    page.set_viewport_size({"width": 390, "height": 900})
    visitor.fits()


def test_a_wrong_id_says_why_and_a_viewer_changes_nothing(sign_in: SignIn) -> None:
    page = sign_in("viewer", to="/experiments").page
    expect(page.locator("h1")).to_have_text("Experiments")
    expect(page.get_by_role("button", name="New experiment")).to_have_count(0)
    expect(page.get_by_role("button", name="Change")).to_have_count(0)
    owner = sign_in(to="/experiments/nothing")
    expect(owner.page.locator(".failure")).to_contain_text("no experiment 'nothing'")
