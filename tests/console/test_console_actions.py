"""A real browser brings a file in and takes it back, and erases a customer, with the worker's part played."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import expect
from tests.console.conftest import SCRIPT, SignIn, work

from shopkeeper.customers.operations import members
from shopkeeper.shop import Shop
from shopkeeper.store.jobs import JobStatus

_HEAD = "订单号,客户编号,下单时间,商品编号,数量,单价,<b>note</b>\n"
_ROWS = "".join(
    f"S{n},C{n % 4},2025-06-0{1 + n % 9} 10:00:00,G{n},1,9.90,{SCRIPT}\n" for n in range(20)
)
_REFUSED = "S99,C1,2025-06-03 10:00:00,G1,<i>many</i>,9.90,x\n"


def test_a_file_is_brought_in_step_by_step_and_taken_back_once(
    sign_in: SignIn, simulated: Path
) -> None:
    visitor = sign_in("editor", to="/data/new")
    page = visitor.page
    content = (_HEAD + _ROWS + _REFUSED).encode()
    given = {"name": "../orders <b>.csv", "mimeType": "text/csv", "buffer": content}
    page.locator("input[type=file]").set_input_files(given)  # type: ignore[arg-type]
    expect(page.get_by_text("is in the inbox")).to_be_visible()
    assert (simulated / "inbox" / "orders _b_.csv").read_bytes() == content
    page.get_by_role("button", name="Look at it").click()
    price = page.locator(".column-row", has_text="单价")
    expect(price).to_contain_text("sure")
    expect(page.locator(".column-row").last).to_contain_text(SCRIPT)
    number = page.locator(".column-row", has_text="数量").get_by_role("combobox")
    number.click()
    page.get_by_role("option", name="leave out").click()
    page.get_by_text("The mapping as text").click()
    text = page.get_by_role("textbox", name="The mapping as text")
    expect(text).not_to_have_value(re.compile("quantity"))
    number.click()
    page.get_by_role("option", name="Quantity", exact=True).click()
    expect(text).to_have_value(re.compile('quantity = "数量"'))

    page.get_by_role("button", name="Preview").click()
    expect(page.locator(".job")).to_contain_text("waiting")
    work(simulated)
    expect(page.locator(".sum-value").nth(1)).to_have_text("20")
    expect(page.locator(".findings")).to_contain_text("quantity")
    expect(page.get_by_text("A rehearsal: nothing was written.")).to_be_visible()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.locator(".job").nth(1)).to_contain_text("waiting")
    work(simulated)
    undo = page.get_by_role("button", name="Undo this import")
    expect(undo).to_be_visible()
    with Shop.open(simulated) as shop:
        import_id = shop.imports.list()[0].import_id
        asked = [job.arguments for job in shop.jobs.list(limit=2)]
        assert [one["dry_run"] for one in asked] == [False, True]
        assert len({one["mapping"] for one in asked}) == 1  # what was looked at is what was done

    # Somebody else has the receipt open, and both undo it.
    other = sign_in("owner", to=f"/data/imports/{import_id}")
    for one in (visitor, other):
        one.page.get_by_role("button", name="Undo this import").click()
        one.page.get_by_role("alertdialog").get_by_role("button", name="Undo").click()
        expect(one.page.locator("h1")).to_contain_text("Undo an import")
    work(simulated)
    expect(page.get_by_text("20 rows removed")).to_be_visible()
    expect(other.page.locator(".failure")).to_contain_text("has been undone already")
    other.go(f"/data/imports/{import_id}")
    expect(other.page.get_by_text("This import has been undone")).to_be_visible()
    expect(other.page.get_by_role("button", name="Undo this import")).to_have_count(0)
    for one in (visitor, other):
        assert one.page.evaluate("window.hacked") is None
        assert not one.complaints


def test_a_customer_is_restricted_exported_and_erased_by_who_confirms_the_plan(
    sign_in: SignIn, simulated: Path
) -> None:
    with Shop.open(simulated) as shop:
        segments = ("hibernating", "new", "lost", "at_risk")
        found = (row for s in segments for row in members(shop, s, limit=1).rows)
        customer = next(found).customer_id
    visitor = sign_in("owner", to=f"/privacy?id={customer}")
    page = visitor.page
    page.get_by_role("button", name="Restrict", exact=True).click()
    row = page.locator(".list-row", has_text=customer)
    expect(row).to_contain_text("asked for")
    row.get_by_role("button", name="Use again").click()
    expect(row).to_have_count(0)

    page.get_by_role("button", name="Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert Path(download.value.path()).read_bytes()[:2] == b"PK"

    page.get_by_role("button", name="Erase …").click()
    expect(page.locator(".rows").first).to_contain_text("tables/events")
    page.get_by_role("button", name="Erase for good").click()
    dialog = page.get_by_role("alertdialog")
    yes = dialog.get_by_role("button", name="Erase for good")
    dialog.get_by_label(f"Write {customer} to confirm").fill("C-other")
    expect(yes).to_be_disabled()
    dialog.get_by_label(f"Write {customer} to confirm").fill(customer)
    yes.click()
    expect(page.locator("h1")).to_contain_text("Erase for good")
    with Shop.open(simulated) as shop:
        [job] = shop.jobs.list(status=JobStatus.QUEUED)
        assert (job.operation, job.actor) == ("governance.erase", "owner@example.com")
        assert len(str(job.arguments["confirm"])) == 16
    work(simulated)
    expect(page.get_by_text("Erased, and found nowhere any more")).to_be_visible()
    assert customer not in page.locator("body").inner_text()
    visitor.go("/privacy")
    page.locator(".rows button.link").last.click()
    expect(page.locator(".sheet")).to_contain_text("Certificate")
    visitor.check()


def test_who_may_not_erase_is_not_offered_it(sign_in: SignIn) -> None:
    visitor = sign_in("editor", to="/privacy")
    expect(visitor.page.get_by_text("are for owners")).to_be_visible()
    expect(visitor.page.get_by_role("button", name="Erase …")).to_have_count(0)
    answer = visitor.page.context.request.get(visitor.url + "/exports/file/customer-x.zip")
    assert answer.status == 404
    visitor.check()


def test_a_step_of_the_funnel_and_a_group_of_customers_open_to_their_rows(sign_in: SignIn) -> None:
    visitor = sign_in()
    page = visitor.page
    page.locator(".step-open").nth(1).press("Enter")
    sheet = page.locator(".sheet")
    expect(sheet).to_contain_text("events behind this step")
    expect(sheet.locator("td").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    visitor.settle()  # a part that is drawn anew under the key would not hear it
    page.get_by_role("region", name="Who comes back").locator("button.link").first.press("Enter")
    expect(sheet).to_contain_text("Customers whose first purchase lies in")
    expect(sheet.locator("td").first).to_be_visible()
    visitor.check()
