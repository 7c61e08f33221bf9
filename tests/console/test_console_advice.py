"""Suggestions and decision records in a real browser, in both languages."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.console.conftest import SCRIPT, SignIn

from shopkeeper.advice.operations import list_, refresh
from shopkeeper.shop import Shop
from shopkeeper.store.messages import Draft
from shopkeeper.store.outbox import Outbox

_SHOTS = os.environ.get("SHOPKEEPER_SHOTS", "")


@pytest.fixture(scope="module")
def advised(simulated: Path) -> Path:
    """The simulated shop, looked at by the rules."""
    with Shop.open(simulated) as shop:
        refresh(shop)
    return simulated


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_suggestion_shows_its_grounds_and_fits(sign_in: SignIn, advised: Path, lang: str) -> None:
    with Shop.open(advised) as shop:
        found = list_(shop, lang=lang)  # type: ignore[arg-type]
    assert found.suggestions
    visitor = sign_in(lang=lang)
    page = visitor.page
    visitor.go("/advice")
    expect(page.locator("h2").filter(has_text=found.suggestions[0].title)).to_be_visible()
    page.locator(".evidence").first.click()
    expect(page.locator(".evidence table").first).to_be_visible()
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        visitor.fits()
        if _SHOTS:
            page.screenshot(path=f"{_SHOTS}/advice-{lang}-{width}.png", full_page=True)
    visitor.check()


def test_one_click_puts_a_suggestion_away_and_brings_it_back(
    sign_in: SignIn, advised: Path
) -> None:
    visitor = sign_in(lang="en")
    page = visitor.page
    visitor.go("/advice")
    with Shop.open(advised) as shop:
        first = list_(shop).suggestions[-1]
    heading = page.locator("h2").filter(has_text=first.title)
    card = page.locator(".panel").filter(has=heading)
    card.get_by_role("button", name="Put away").click()
    page.get_by_label("Reason").fill(SCRIPT)
    page.get_by_role("alertdialog").get_by_role("button", name="Put away").click()
    expect(page.locator(".toasts")).to_contain_text("Put away for 30 days")
    with Shop.open(advised) as shop:
        [gone] = list_(shop, state="dismissed").suggestions
        assert (gone.suggestion_id, gone.reason) == (first.suggestion_id, SCRIPT)
    page.locator(".toasts").get_by_role("button", name="Undo").click()
    expect(page.locator("h2").filter(has_text=first.title)).to_be_visible()
    visitor.check()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_record_of_a_message_is_found_from_the_customer(
    sign_in: SignIn, advised: Path, lang: str
) -> None:
    with Shop.open(advised) as shop:
        customer = next(iter(shop.people.all()))["customer_id"]
        now = shop.now()
        draft = Draft(
            step="greeting", customer_id=customer, channel="file", purpose="marketing",
            content={"subject": SCRIPT, "text": SCRIPT}, due_at=now + timedelta(days=90),
        )  # fmt: skip
        Outbox(shop.database).put([draft], now=now)
    visitor = sign_in(lang=lang)
    page = visitor.page
    visitor.go(f"/customer?id={customer}")
    page.get_by_role("button", name="greeting").click()
    told = {"en": "greeting waits to be sent", "zh": "“greeting”正在等待发送"}[lang]
    expect(page.get_by_text(told).first).to_be_visible()
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        visitor.fits()
        if _SHOTS:
            page.screenshot(path=f"{_SHOTS}/record-{lang}-{width}.png", full_page=True)
    visitor.check()
