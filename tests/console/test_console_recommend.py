"""A real browser writes rules for lists, sees what they would change, publishes them and goes back."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.console.conftest import SCRIPT, SignIn

from shopkeeper.decisions.log import Choice, Decision, record
from shopkeeper.recommend import shadowing
from shopkeeper.recommend.registry import Registry, Shadowing, Staged, write
from shopkeeper.recommend.serving import folder
from shopkeeper.shop import Shop
from shopkeeper.store.rule_sets import DRAFT, PUBLISHED, RuleSets


@pytest.fixture
def ruled(simulated: Path) -> Iterator[Path]:
    """A shop whose rules are gone again afterwards: other tests share it."""
    yield simulated
    with Shop.open(simulated) as shop:
        sets = RuleSets(shop.database)
        published = sets.of(PUBLISHED)
        if published is not None and published.rules:
            sets.publish(sets.draft([], "as it was").version)
        elif sets.of(DRAFT) is not None:
            sets.discard()


def _add(page: Page, kind: str, name: str, **fields: str) -> None:
    page.get_by_label("Kind").click()
    page.get_by_role("option", name=kind, exact=True).click()
    page.get_by_label("Name", exact=True).fill(name)
    for label, value in fields.items():
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Add to the draft").click()
    expect(page.locator(".rule-name").filter(has_text=name).first).to_be_visible()


def test_a_rule_is_drafted_compared_published_and_undone(sign_in: SignIn, ruled: Path) -> None:
    visitor = sign_in("editor", to="/recommend/rules")
    page = visitor.page
    expect(page.locator("h1")).to_have_text("Rules for lists")
    _add(
        page,
        "Limit",
        SCRIPT[:60],
        **{"By: brand, category, title or attribute": "brand", "At most": "1"},
    )
    _add(page, "Pin", "Nothing there", **{"Item id": "no such item", "Place": "1"})
    conflict = page.locator(".conflict").filter(has_text="Nothing there")
    expect(conflict).to_contain_text("No item of the catalogue is meant")
    page.get_by_role("button", name="Remove Nothing there").click()
    expect(conflict).to_have_count(0)
    page.get_by_role("button", name="What would change?").click()
    expect(page.locator(".fact").filter(has_text="Customers compared")).to_contain_text(
        re.compile(r"\d")
    )
    with Shop.open(ruled) as shop:
        assert RuleSets(shop.database).of(PUBLISHED) is None
    page.get_by_role("button", name="Publish", exact=True).click()
    published_now = page.locator(".toast").filter(has_text="it holds from the next list on")
    expect(published_now).to_be_visible()
    with Shop.open(ruled) as shop:
        published = RuleSets(shop.database).of(PUBLISHED)
        assert published is not None
        assert published.rules[0]["kind"] == "limit"
    page.get_by_role("button", name="Back to the rules before").click()
    expect(page.locator(".panel").filter(has_text="In force").first).to_contain_text("No rules")
    assert page.evaluate("window.hacked") is None
    visitor.check()


def test_what_is_wrong_with_a_rule_is_said_and_nothing_is_lost(
    sign_in: SignIn, ruled: Path
) -> None:
    visitor = sign_in("editor", to="/recommend/rules")
    page = visitor.page
    page.get_by_label("Name", exact=True).fill("says nothing")
    page.get_by_role("button", name="Add to the draft").click()
    expect(page.locator(".toast.wrong")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_have_value("says nothing")


def test_who_may_only_read_sees_rules_and_cannot_change_them(sign_in: SignIn, ruled: Path) -> None:
    visitor = sign_in("viewer", to="/recommend/rules")
    page = visitor.page
    expect(page.locator("h1")).to_have_text("Rules for lists")
    expect(page.get_by_text("No rules", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Add to the draft")).to_have_count(0)
    visitor.check()


def test_the_model_page_says_what_is_missing_in_a_fresh_shop(sign_in: SignIn) -> None:
    visitor = sign_in("viewer", to="/recommend/model")
    page = visitor.page
    expect(page.get_by_text("No model is fitted")).to_be_visible()
    expect(page.get_by_text("Not evaluated yet")).to_be_visible()
    expect(page.get_by_text("No list was recorded in these days")).to_be_visible()
    visitor.check()


SERVING, TRIED = "20260101T030000000000", "20260102T030000000000"


@pytest.fixture
def tried(simulated: Path) -> Iterator[Path]:
    """A shop with a version on trial in both ways; its files are gone again afterwards."""
    with Shop.open(simulated) as shop:
        for version in (SERVING, TRIED):
            (folder(shop) / version).mkdir(parents=True)
        trials = (Shadowing(TRIED, 0.05), Staged(TRIED, "model-2", "treatment"))
        write(folder(shop), Registry((SERVING,), {}, *trials))
        sums = {
            "requests": 40,
            "errors": 2,
            "dropped": 1,
            "overlap": 19.0,
            "ranked": 38,
            "tau": 30.4,
        }
        told = {name: str(value) for name, value in sums.items()} | {"ms": "95", "serving_ms": "90"}
        choice = Choice(TRIED, 1.0)
        one = Decision("shadow-1", shop.now(), None, shadowing.KIND, [choice], TRIED, (), told)
        record(shop, [one])
        with shop.writer("test") as writer:
            writer.drain()
    yield simulated
    with Shop.open(simulated) as shop:
        shutil.rmtree(folder(shop))


@pytest.mark.parametrize(
    ("lang", "shadow", "experiment", "live"),
    [
        (
            "en",
            "answers 5.0% of requests unseen",
            "the lists of treatment in model-2",
            "Same items",
        ),
        ("zh", "同时回答 5.0% 的请求", "为实验 model-2 的 treatment 组生成列表", "相同商品"),
    ],
)
def test_the_model_page_tells_what_is_on_trial_and_how_it_does(
    sign_in: SignIn, tried: Path, lang: str, shadow: str, experiment: str, live: str
) -> None:
    visitor = sign_in("owner", to="/recommend/model", lang=lang)
    page = visitor.page
    expect(page.get_by_text(shadow)).to_be_visible()
    expect(page.get_by_text(experiment)).to_be_visible()
    row = page.locator("tr").filter(has_text=TRIED).filter(has_text="0.80")
    expect(row).to_contain_text("50.0%")
    expect(page.get_by_text(live, exact=True)).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 900})
    visitor.fits()
    visitor.check()
