"""A real browser at one text, and marking aspects in one."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pytest
from playwright.sync_api import expect
from tests.console.conftest import SCRIPT, SignIn

from shopkeeper.core.schema import TEXTS
from shopkeeper.shop import Shop
from shopkeeper.store.labelling import Labelling, Waiting
from shopkeeper.store.labels import Labels
from shopkeeper.warehouse.arrow import arrow_schema

TEXT_ID = "odd/<b>id</b>?&"
BODY = f"物流很快，做工粗糙 {SCRIPT}"


@pytest.fixture(scope="module")
def hostile(simulated: Path) -> str:
    """A review with a script in its words, which is the next one whose aspects are to be marked."""
    with Shop.open(simulated) as shop:
        days = shop.span()
        assert days is not None
        row = {
            "text_id": TEXT_ID,
            "kind": "review",
            "author_role": "customer",
            "customer_id": SCRIPT,
            "item_id": "i/<i>1</i>",
            "time": datetime.combine(days.end, datetime.min.time(), UTC),
            "day": days.end,
            "title": SCRIPT,
            "body": BODY,
            "rating": 2.0,
            "source": "test",
            "url": "javascript:alert(1)",
        }
        with shop.writer("test") as writer:
            writer.load(TEXTS.name, pa.Table.from_pylist([row], schema=arrow_schema(TEXTS)))
        Labelling(shop.database).add([Waiting("aspects", TEXT_ID, priority=9.0, why="random")])
    return TEXT_ID


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_text_is_shown_as_text_with_its_author_and_item(
    sign_in: SignIn, hostile: str, lang: str
) -> None:
    visitor = sign_in("viewer", lang=lang, to=f"/text?id={quote(hostile, safe='')}")
    page = visitor.page
    expect(page.locator("blockquote")).to_have_text(BODY)
    expect(page.locator(".said-title")).to_have_text(SCRIPT)
    expect(page.get_by_text("javascript:alert(1)")).to_be_visible()
    assert page.locator("a[href^='javascript']").count() == 0
    unread = {"en": "has not been read yet", "zh": "尚未读取"}[lang]
    expect(page.get_by_text(unread)).to_be_visible()
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        visitor.fits()
    author = {"en": "By ", "zh": "作者 "}[lang]
    page.get_by_role("link", name=author + SCRIPT).click()
    expect(page.locator("h1")).to_have_text(SCRIPT)
    assert page.evaluate("window.hacked") is None
    assert not visitor.complaints


def test_a_text_that_is_gone_is_said(sign_in: SignIn) -> None:
    visitor = sign_in("viewer", to="/text?id=nowhere")
    expect(visitor.page.locator(".failure")).to_contain_text("nowhere")
    assert not visitor.complaints


def test_aspects_are_marked_by_hand(sign_in: SignIn, simulated: Path, hostile: str) -> None:
    visitor = sign_in("editor", to="/labels")
    page = visitor.page
    page.get_by_label("Task").click()
    page.get_by_role("option", name="Aspects of reviews").click()
    expect(page.locator("blockquote")).to_have_text(BODY)
    page.locator("blockquote").evaluate(
        "one => getSelection().setBaseAndExtent(one.firstChild, 0, one.firstChild, 2)"
    )
    page.get_by_role("button", name="Take over what is selected").first.click()
    aspect = page.get_by_label("What is judged, as it stands there")
    expect(aspect).to_have_value("物流")
    page.get_by_label("The words that judge").fill("很快")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".list-row")).to_contain_text("物流 · 很快")
    expect(page.locator(".list-row")).to_contain_text("praised")
    aspect.fill("做工")
    page.get_by_label("The words that judge").fill("粗糙的")  # not as it stands there
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator(".list-row")).to_have_count(2)
    page.get_by_role("button", name="Done").click()
    expect(page.locator(".toast.wrong")).to_contain_text("does not stand in the text")
    page.get_by_role("button", name="Take away").last.click()
    expect(page.locator(".list-row")).to_have_count(1)
    page.get_by_role("button", name="Done").click()
    expect(page.locator("blockquote")).to_have_count(0)
    with Shop.open(simulated) as shop:
        [given] = Labels(shop.database).of("aspects", kind="person")
    assert (given.text_id, given.labeller) == (hostile, "person:editor@example.com")
    assert [(one["aspect"], one["opinion"], one["polarity"]) for one in given.value] == [
        ("物流", "很快", 1)
    ]
    visitor.check()
