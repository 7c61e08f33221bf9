"""A real browser walks the console."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import expect
from tests.console.conftest import PASSWORD, SCRIPT, Console, SignIn

from shopkeeper.customers.operations import members
from shopkeeper.shop import Shop
from shopkeeper.store.jobs import JobStatus

PLACES = {
    "/": ("Overview", "概览"),
    "/data": ("Data", "数据"),
    "/customers": ("Customers", "客户"),
    "/customers/champions": ("Champions", "重要价值客户"),
    "/journeys": ("Journeys", "旅程"),
    "/segments": ("Segments", "分群"),
    "/predictions": ("Predictions", "预测"),
    "/clusters": ("Groups of customers", "客户群"),
    "/fairness": ("Fairness and privacy", "公平与隐私"),
    "/themes": ("Themes", "话题"),
    "/aspects": ("Aspects", "评价维度"),
    "/voices": ("Voices", "客户心声"),
    "/personas": ("Personas", "人群画像"),
    "/voices?segment=champions": ("Voices", "客户心声"),
    "/labels": ("Labelling", "标注"),
    "/recommend": ("Recommendations", "推荐"),
    "/recommend/rules": ("Rules for lists", "推荐规则"),
    "/recommend/model": ("Model and evaluation", "模型与评估"),
    "/advice": ("Suggestions", "建议"),
    "/record": ("Decision record", "决策记录"),
    "/campaigns": ("Campaigns", "活动"),
    "/campaigns/new": ("Campaign", "活动"),
    "/templates": ("Templates", "模板"),
    "/templates/new": ("New template", "新建模板"),
    "/experiments": ("Experiments", "实验"),
    "/experiments/new": ("New experiment", "新建实验"),
    "/reports": ("Reports", "报告"),
    "/jobs": ("Jobs", "任务"),
    "/data/new": ("Bring in a file", "导入文件"),
    "/privacy": ("Privacy", "隐私"),
    "/audit": ("Audit log", "操作日志"),
    "/settings": ("Settings", "设置"),
}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_page_shows_itself_without_a_complaint(
    sign_in: SignIn, simulated: Path, lang: str
) -> None:
    visitor = sign_in(lang=lang)
    page = visitor.page
    with Shop.open(simulated) as shop:
        receipt = shop.imports.list()[0].import_id
        customer = members(shop, "champions", limit=1).rows[0].customer_id
    one = {f"/data/imports/{receipt}": None, f"/customer?id={quote(customer)}": None}
    for path, names in (PLACES | one).items():
        visitor.go(path)
        if names:
            expect(page.locator("h1")).to_have_text(names[lang == "zh"])
        visitor.check()
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            visitor.fits()
        visitor.check()
    assert page.locator("html").get_attribute("lang") == {"en": "en-US", "zh": "zh-CN"}[lang]


def test_somebody_signs_in_with_the_form_as_often_as_they_like(
    sign_in: SignIn, served: Console
) -> None:
    page = sign_in("viewer").page
    for _ in range(11):  # one more than anybody may fail
        page.goto(served.url + "/sign-in?to=/jobs")
        page.fill("#name", "viewer@example.com")
        page.fill("#password", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_url(served.url + "/jobs", wait_until="commit")
    expect(page.locator("h1")).to_have_text("Jobs")


def test_the_menu_changes_the_page_without_loading_it_anew(sign_in: SignIn) -> None:
    visitor = sign_in()
    page = visitor.page
    visitor.settle()
    page.evaluate("window.same = true")
    page.get_by_role("link", name="Customers", exact=True).click()
    expect(page.locator("h1")).to_have_text("Customers")
    assert page.evaluate("window.same") is True
    expect(page.locator("[aria-current=page]")).to_have_text("groupsCustomers")
    visitor.check()


def test_on_a_narrow_screen_the_menu_comes_and_goes(sign_in: SignIn) -> None:
    visitor = sign_in(width=390)
    page = visitor.page
    visitor.settle()
    entry = page.get_by_role("link", name="Customers", exact=True)
    expect(entry).not_to_be_in_viewport()
    page.get_by_role("button", name="Menu").click()
    expect(entry).to_be_in_viewport()
    entry.click()
    expect(page.locator("h1")).to_have_text("Customers")
    expect(entry).not_to_be_in_viewport()
    visitor.check()


def test_a_number_opens_to_its_meaning_its_rows_and_their_customers(sign_in: SignIn) -> None:
    visitor = sign_in()
    page = visitor.page
    visitor.settle()
    page.get_by_role("button", name=re.compile("^Orders")).click()
    sheet = page.locator(".sheet")
    expect(sheet).to_contain_text("distinct order ids of purchase lines")
    expect(sheet).to_contain_text("Made of")
    first = sheet.locator("button.link").first
    expect(first).to_be_visible()
    customer = first.inner_text()
    sheet.get_by_role("button", name="Next page").click()
    expect(sheet).to_contain_text("2 of")
    sheet.locator("button.link").first.wait_for()
    page.keyboard.press("Escape")
    visitor.go(f"/customer?id={quote(customer)}")
    expect(page.locator("h1")).to_have_text(customer)
    visitor.check()


def test_another_period_is_worked_out_and_compared(sign_in: SignIn) -> None:
    visitor = sign_in()
    page = visitor.page
    visitor.settle()
    page.get_by_label("Period").click()
    page.get_by_role("option", name="Last 7 days").click()
    expect(page.locator(".changed-holder, .panel").first).to_contain_text("compared with")
    before = page.locator(".card-value").first.inner_text()
    page.get_by_label("Period").click()
    page.get_by_role("option", name="Last 90 days").click()
    expect(page.locator(".card-value").first).not_to_have_text(before)
    visitor.check()


def test_text_from_the_data_is_shown_and_never_run(sign_in: SignIn) -> None:
    visitor = sign_in()
    page = visitor.page
    visitor.go("/recommend")
    expect(page.locator(".slot-title").first).to_have_text(SCRIPT)
    visitor.go("/")
    page.get_by_label("By", exact=True).click()
    page.get_by_role("option", name="Item").click()
    visitor.settle()
    page.locator("canvas").last.hover()
    visitor.go("/data")
    page.get_by_role("button", name="lines <b>.csv").click()
    visitor.settle()
    expect(page.locator("h1")).to_have_text("lines <b>.csv")
    expect(page.locator(".rows").last).to_contain_text("<b>BOLD</b>")
    visitor.go("/customer?id=" + quote(SCRIPT))
    expect(page.locator("h1")).to_have_text(SCRIPT)
    expect(page.locator(".failure").first).to_contain_text(SCRIPT)
    assert page.evaluate("window.hacked") is None
    assert not visitor.complaints


def test_language_and_theme_are_switched_and_remembered(sign_in: SignIn) -> None:
    visitor = sign_in()
    page = visitor.page
    visitor.settle()
    page.get_by_role("button", name="切换到中文").click()
    expect(page.locator("h1")).to_have_text("概览")
    page.get_by_role("button", name="浅色或深色").click()
    page.get_by_role("menuitem", name="深色").click()
    expect(page.locator("body")).to_have_class(re.compile("body--dark"))
    visitor.go("/settings")
    expect(page.locator("h1")).to_have_text("设置")
    expect(page.locator("body")).to_have_class(re.compile("body--dark"))
    visitor.check()


def test_the_keyboard_reaches_everything(sign_in: SignIn) -> None:
    visitor = sign_in()
    page = visitor.page
    visitor.settle()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className").find("skip") >= 0
    page.keyboard.press("?")
    expect(page.get_by_text("Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("Keyboard shortcuts")).to_be_hidden()
    page.keyboard.press("g")
    page.keyboard.press("a")
    expect(page.locator("h1")).to_have_text("Audit log")
    visitor.check()


def test_a_job_is_started_watched_and_cancelled(sign_in: SignIn, simulated: Path) -> None:
    visitor = sign_in("editor")
    page = visitor.page
    visitor.go("/reports")
    page.get_by_role("button", name="Make it").click()
    page.locator(".toast").get_by_role("link", name="Open").click()
    expect(page.locator("h1")).to_have_text("Make a report")
    with Shop.open(simulated) as shop:
        job_id = page.url.rpartition("/")[2]
        shop.jobs.start(job_id)  # as the worker would
        shop.jobs.progress(job_id, 3, 10, "halfway <b>there</b>")
        expect(page.get_by_text("halfway <b>there</b>")).to_be_visible()
        page.get_by_role("button", name="Stop").click()
        page.get_by_role("alertdialog").get_by_role("button", name="Stop").click()
        expect(page.get_by_text("stopping …")).to_be_visible()
        shop.jobs.finish(job_id, error={"error": {"code": "Cancelled", "message": "stopped"}})
        expect(page.locator(".badge").first).to_have_text("stopped")
        assert shop.jobs.get(job_id).status is JobStatus.CANCELLED
        assert shop.jobs.get(job_id).actor == "editor@example.com"
    page.goto(visitor.url + "/jobs")
    visitor.settle()
    expect(page.locator(".job").first).to_contain_text("stopped")
    assert not visitor.complaints


def test_a_viewer_is_offered_nothing_that_changes(sign_in: SignIn) -> None:
    visitor = sign_in("viewer")
    page = visitor.page
    for path, absent in (("/data", "Import"), ("/reports", "Make it"), ("/settings", "Invite")):
        visitor.go(path)
        expect(page.get_by_role("button", name=absent, exact=True)).to_have_count(0)
    expect(page.get_by_text("People and keys are managed by owners.")).to_be_visible()
    visitor.check()


def test_an_owner_makes_a_key_that_is_shown_once_and_invites(
    sign_in: SignIn, simulated: Path
) -> None:
    visitor = sign_in()
    page = visitor.page
    visitor.go("/settings")
    page.get_by_label("Name", exact=True).fill("web-shop")
    page.get_by_role("button", name="Create key").click()
    secret = page.locator(".secret").inner_text()
    page.get_by_role("button", name="I have kept it").click()
    expect(page.get_by_text("web-shop")).to_be_visible()
    page.get_by_label("Name or e-mail address").fill("mei@example.com")
    page.get_by_role("button", name="Invite").click()
    address = page.locator(".secret").inner_text()
    page.get_by_role("button", name="I have kept it").click()
    assert address.startswith(visitor.url + "/set-up?code=")
    expect(page.get_by_text("mei@example.com")).to_be_visible()
    with Shop.open(simulated) as shop:
        found = shop.keys.find(secret)
        assert found is not None
        assert found.name == "web-shop"
        assert shop.invitations.look(address.rpartition("=")[2]).name == "mei@example.com"
    assert secret not in page.content()
    row = page.locator(".list-row", has_text="viewer@example.com")
    row.get_by_role("button", name="Shut out").click()
    expect(row).to_contain_text("shut out")
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(row.get_by_role("button", name="Shut out")).to_be_visible()
    visitor.check()


def test_signing_out_ends_the_session(sign_in: SignIn) -> None:
    visitor = sign_in("viewer")
    page = visitor.page
    visitor.settle()
    cookies = page.context.cookies()
    page.get_by_role("button", name="Account").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You are signed out.")).to_be_visible()
    page.context.add_cookies([c for c in cookies if c["name"] == "shopkeeper_session"])  # type: ignore[misc]
    page.goto(visitor.url + "/data")
    expect(page.get_by_text("Your session has ended. Please sign in again.")).to_be_visible()


def test_an_empty_shop_says_what_to_do(chromium: object, sign_in: SignIn, empty: Console) -> None:
    for lang in ("en", "zh"):
        visitor = sign_in(lang=lang, width=390, at=empty)
        for path in PLACES:
            if path != "/customers/champions":
                visitor.go(path)
                visitor.check()
                visitor.fits()
        visitor.go("/")
        expect(visitor.page.locator(".empty")).to_be_visible()
