"""Segments in a real browser: from words to a saved segment, its page, and a customer's profile."""

from __future__ import annotations

import re
import time
from pathlib import Path

from playwright.sync_api import expect
from tests.console.conftest import SignIn, work

from shopkeeper.customers.operations import members, segments
from shopkeeper.shop import Shop


def test_a_request_in_words_becomes_a_segment_that_a_person_saved(
    sign_in: SignIn, simulated: Path
) -> None:
    visitor = sign_in(lang="en")
    page = visitor.page
    visitor.go("/segments")
    page.get_by_label("In your own words").fill(
        "customers who bought at least 2 times in the last 90 days"
    )
    page.get_by_role("button", name="Propose").click()
    definition = page.get_by_label("Definition")
    expect(definition).to_have_value("did purchase at least 2 times within 90 days")
    expect(page.get_by_text("did “buy” at least 2 times in the last 90 days").first).to_be_visible()
    expect(page.locator(".fact-value").filter(has_text="customers")).to_be_visible()
    definition.fill("orderz >= 1")
    expect(page.get_by_text("No trait is named 'orderz'.")).to_be_visible()
    definition.fill("orders >= 2")
    page.get_by_label("Name", exact=True).fill("Regulars")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("alertdialog").get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("Regulars")
    with Shop.open(simulated) as shop:
        [saved] = [one for one in segments(shop).segments if one.name == "Regulars"]
        assert (saved.text, saved.members) == ("orders >= 2", None)
    visitor.go("/segments")
    page.get_by_role("button", name="Refresh now").click()
    expect(page.locator(".toasts")).to_contain_text("Started")  # only then is the job in the queue
    work(simulated)
    reason = page.get_by_text("orders in all:").first
    for _ in range(20):  # a page shows what was known up to ten seconds ago
        visitor.go(f"/segments/{saved.id}")
        if reason.is_visible():
            break
        time.sleep(1)
    expect(reason).to_be_visible()
    visitor.check()
    visitor.fits()


def test_the_profile_says_everything_with_its_evidence(sign_in: SignIn, simulated: Path) -> None:
    with Shop.open(simulated) as shop:
        customer = members(shop, "champions", limit=1).rows[0].customer_id
    for lang, heading in (("en", "What is known"), ("zh", "已知特征")):
        visitor = sign_in(lang=lang)
        visitor.go(f"/customer?id={customer}")
        expect(visitor.page.get_by_text(heading)).to_be_visible()
        visitor.check()
        for width in (390, 1280):
            visitor.page.set_viewport_size({"width": width, "height": 900})
            visitor.fits()


def test_a_number_opens_to_a_segment(sign_in: SignIn) -> None:
    visitor = sign_in(lang="en")
    page = visitor.page
    visitor.go("/")
    page.get_by_role("button", name=re.compile("^Orders")).click()
    link = page.get_by_role("link", name="Change the rule first")
    expect(link).to_be_visible()
    link.click()
    expect(page.get_by_label("Definition")).not_to_have_value("")
