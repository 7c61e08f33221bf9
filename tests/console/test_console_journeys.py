"""Journeys in a real browser: the heat map by keyboard, and a number that becomes a segment by one click."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import expect
from tests.console.conftest import SignIn

from shopkeeper.customers.operations import segments
from shopkeeper.metrics import operations as metrics
from shopkeeper.shop import Shop


def test_a_cell_of_the_heat_map_is_reached_by_keys_and_becomes_a_segment(
    sign_in: SignIn, simulated: Path
) -> None:
    visitor = sign_in("editor", lang="en")
    page = visitor.page
    visitor.go("/journeys")
    cell = page.locator(".heat-cell").first
    expect(cell).to_be_visible()
    cell.focus()
    page.keyboard.press("ArrowRight")
    reached = page.locator(".heat-cell:focus")
    expect(reached).to_have_attribute("data-column", "1")
    assert page.locator(".heat-cell[tabindex='0']").count() == 1
    page.keyboard.press("Enter")
    sheet = page.locator(".sheet")
    expect(sheet.locator("table")).to_be_visible()
    with Shop.open(simulated) as shop:
        first = metrics.cohorts(shop, cycle="month", k=12).cohorts[0]
    expect(sheet.locator(".sheet-value")).to_have_text(str(first.cells[1].customers))
    sheet.get_by_role("button", name="Segment: these customers").click()
    expect(page.locator(".toasts")).to_contain_text("is made")
    with Shop.open(simulated) as shop:
        [made] = [one for one in segments(shop).segments if one.name.startswith("Cohorts · ")]
        assert len(shop.segments.lists()[made.name]) == first.cells[1].customers
    page.locator(".toasts").get_by_role("button", name="Undo").click()
    expect(page.locator(".toasts")).not_to_contain_text("is made")
    visitor.check()
    with Shop.open(simulated) as shop:
        assert made.id not in {one.id for one in segments(shop).segments}


def test_a_way_opens_to_its_customers_and_a_viewer_makes_no_segment(sign_in: SignIn) -> None:
    visitor = sign_in("viewer", lang="zh")
    page = visitor.page
    visitor.go("/journeys")
    way = page.locator(".rows .link").first
    expect(way).to_be_visible()
    way.click()
    sheet = page.locator(".sheet")
    expect(sheet.locator("table")).to_be_visible()
    expect(sheet.get_by_role("button", name="建分群：这些客户")).to_have_count(0)
    page.keyboard.press("Escape")
    page.get_by_text("7 天中 1 天").click()
    expect(page.locator(".sheet table")).to_be_visible()
    visitor.check()
    visitor.fits()
