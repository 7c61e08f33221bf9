"""A real browser records what a customer allows, and shows what they said."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import expect
from tests.console.conftest import SCRIPT, SignIn

from shopkeeper.customers.operations import members
from shopkeeper.recommend.lists import refuses
from shopkeeper.shop import Shop
from shopkeeper.store.consent.operations import record

WORDS = {
    "en": ("Marketing · SMS", "What they said", "Record"),
    "zh": ("营销 · 短信", "历次表态", "记录"),
}
SAID = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def customer(simulated: Path) -> str:
    """Somebody who agreed to text messages, on words that somebody wrote a script into."""
    with Shop.open(simulated) as shop:
        found = members(shop, "loyal", limit=1).rows[0].customer_id
        record(shop, found, "marketing", "sms", "GRANT", "till", text=SCRIPT, time=SAID)
    return found


def test_what_a_customer_says_is_recorded_once_and_heeded(
    sign_in: SignIn, simulated: Path, customer: str
) -> None:
    visitor = sign_in("editor", to=f"/customer?id={quote(customer)}")
    page = visitor.page
    personal = page.locator(".list-row", has_text="Personalisation")
    expect(personal).to_contain_text("allowed")
    expect(personal).to_contain_text("nothing was said")
    expect(page.locator(".list-row", has_text="Marketing · SMS")).to_contain_text("agreed, ")
    expect(page.get_by_text(SCRIPT)).to_be_visible()
    act = page.get_by_role("button", name="Record", exact=True)
    act.click()
    expect(page.locator(".toast.wrong")).to_contain_text("source is empty")
    page.get_by_label("Where it was said").fill("telephone call")
    act.click()
    expect(personal).to_contain_text("not allowed")
    expect(personal).to_contain_text("refused, ")
    page.get_by_label("Where it was said").fill("telephone call")
    act.click()  # said twice
    expect(page.get_by_text("That was recorded already.")).to_be_visible()
    expect(page.locator(".rows tbody tr", has_text="telephone call")).to_have_count(1)
    with Shop.open(simulated) as shop:
        assert refuses(shop, customer)
    visitor.check()


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_who_may_not_change_it_sees_it(sign_in: SignIn, customer: str, lang: str) -> None:
    visitor = sign_in("viewer", lang=lang, to=f"/customer?id={quote(customer)}")
    about, history, act = WORDS[lang]
    expect(visitor.page.locator(".list-row", has_text=about)).to_be_visible()
    heading = visitor.page.get_by_role("heading", name=history, exact=True, level=3)
    expect(heading).to_be_visible()
    expect(visitor.page.get_by_role("button", name=act, exact=True)).to_have_count(0)
    visitor.page.set_viewport_size({"width": 390, "height": 900})
    visitor.fits()
    visitor.check()
