"""A template in the browser: proposed, changed, submitted, and approved by somebody else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.console.conftest import SCRIPT, SignIn, Visitor

from shopkeeper.shop import Shop


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_template_goes_from_a_proposal_to_an_approval(
    sign_in: SignIn, simulated: Path, lang: str
) -> None:
    zh = lang == "zh"
    with Shop.open(simulated) as shop:
        item = next(one for one in shop.catalogue.items() if (one["stock"] or 0) > 0)
    visitor = sign_in("editor", lang=lang, to="/templates/new")
    page = visitor.page
    page.get_by_label("商品编号" if zh else "Item ids").fill(item["item_id"])
    page.get_by_role("button", name="拟出草稿" if zh else "Propose drafts").click()
    page.get_by_role("button", name="使用这份草稿" if zh else "Use this draft").last.click()
    name = page.get_by_label("名称" if zh else "Name", exact=True)
    expect(page.locator(".toast")).to_contain_text("已放入" if zh else "in the editor below")
    name.fill(SCRIPT)
    english = page.locator(".tongue").last
    text = english.get_by_label("正文" if zh else "Text", exact=True)
    before = text.input_value()
    text.fill("The best thing in the world. " + before)
    absolute = "绝对化用语" if zh else "Absolute term"
    expect(page.locator(".finding .badge.bad")).to_have_count(1)
    expect(page.locator(".finding").first).to_contain_text(absolute)
    text.press("Control+s")
    expect(page.locator("h1")).to_have_text(SCRIPT)
    page.get_by_role("button", name="提交审批" if zh else "Submit for approval").click()
    expect(page.locator(".toast.wrong")).to_contain_text("absolute_term")
    text = page.locator(".tongue").last.get_by_label("正文" if zh else "Text", exact=True)
    text.fill(before)
    expect(page.locator(".all-well")).to_be_visible()
    page.get_by_role("button", name="提交审批" if zh else "Submit for approval").click()
    expect(page.locator(".badge.warn").first).to_have_text("待审批" if zh else "Waits for approval")
    own = "作者之一" if zh else "another person decides"
    expect(page.locator(".panel", has_text=own)).to_be_visible()
    visitor.check()

    owner = sign_in("owner", lang=lang, to=re.sub(r"^https?://[^/]+", "", page.url))
    page = owner.page
    page.get_by_role("button", name="批准" if zh else "Approve", exact=True).click()
    asked = page.get_by_role("alertdialog")
    asked.get_by_role("button", name="批准" if zh else "Approve", exact=True).click()
    expect(page.locator(".badge.good").first).to_have_text("已批准" if zh else "Approved")
    owner.check()
    page.set_viewport_size({"width": 390, "height": 900})
    owner.fits()
    _withdrawn(owner, zh=zh)
    owner.go("/templates")
    expect(page.locator("main, body").first).to_contain_text(SCRIPT)
    owner.check()


def _withdrawn(owner: Visitor, *, zh: bool) -> None:
    """The page of the letter is seen, and the approval taken back with a reason and a second thought."""
    page = owner.page
    frame = page.locator("iframe.letter-page").first
    expect(frame).to_be_visible()
    assert frame.get_attribute("sandbox") == ""
    link = frame.content_frame.get_by_role("link", name=re.compile("退订|Unsubscribe"))
    expect(link).to_be_attached()
    act = "撤回批准" if zh else "Withdraw"
    page.get_by_text("撤回第 1 版的批准" if zh else "Take the approval of version 1 back").click()
    button = page.get_by_role("button", name=act, exact=True)
    button.click()
    expect(page.locator(".toast").last).to_contain_text("请写明理由" if zh else "Say why")
    page.get_by_label("原因" if zh else "Reason", exact=True).fill("The price is wrong.")
    button.click()
    asked = page.get_by_role("alertdialog")
    asked.get_by_role("button", name=act, exact=True).click()
    expect(page.locator(".badge.bad").first).to_have_text("已撤回" if zh else "Withdrawn")
    expect(page.locator(".conflict")).to_contain_text("The price is wrong.")
    owner.check()
    owner.fits()


def test_a_viewer_changes_nothing_and_a_missing_template_says_so(sign_in: SignIn) -> None:
    visitor = sign_in("viewer", to="/templates")
    expect(visitor.page.locator("h1")).to_have_text("Templates")
    expect(visitor.page.get_by_role("button", name="New template")).to_have_count(0)
    visitor.go("/templates/W9999")
    expect(visitor.page.locator(".empty")).to_contain_text("no such template")
