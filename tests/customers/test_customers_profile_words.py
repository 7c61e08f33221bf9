"""A profile speaks the reader's language: no code of a table stands in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from tests.conftest import SHANGHAI
from tests.customers.test_customers_segments import NOW
from tests.customers.world import world

from shopkeeper.core.schema import READINGS, SCORES
from shopkeeper.core.settings import Language
from shopkeeper.customers import operations as customers
from shopkeeper.customers.profile import wording
from shopkeeper.shop import Shop
from shopkeeper.store.themes import Fit, Theme, Themes
from shopkeeper.warehouse.arrow import arrow_schema

MADE = datetime(2024, 4, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    folder: Path = tmp_path_factory.mktemp("words") / "shop"
    Shop.create(folder, SHANGHAI).close()
    opened = Shop.open(folder, now=lambda: NOW)
    world(opened)
    said = (
        ("churn_60", 0.42, 0.3, 0.5),
        ("cluster_tastes", 2.0, None, None),
        ("lookalike:vip", 0.91, None, None),
        ("value_365", 320.5, 100.0, 600.0),
    )
    rows = [
        {
            "customer_id": "quiet", "prediction": name, "value": value, "low": low, "high": high,
            "reasons": None, "model_version": "v1", "valid_from": MADE, "valid_to": None,
        }
        for name, value, low, high in said
    ]  # fmt: skip
    with opened.writer("test") as writer:
        writer.load("scores", pa.Table.from_pylist(rows, schema=arrow_schema(SCORES)))
    return opened


@pytest.mark.parametrize(
    ("lang", "called"),
    [
        ("zh", ("60 天内不下单的可能性", "口味分组", "与名单“vip”的相似度", "一年内的价值")),
        (
            "en",
            (
                "Chance of no order within 60 days",
                "Group by tastes",
                "Alike to the list “vip”",
                "Worth within a year",
            ),
        ),
    ],
)
def test_predictions_have_names_and_units(
    shop: Shop, lang: Language, called: tuple[str, ...]
) -> None:
    found = customers.profile(shop, customer_id="quiet", lang=lang)
    assert tuple(one.called for one in found.predictions) == called
    shown = [one.shown for one in found.predictions]
    assert shown == ["42% (30% – 50%)", "C2", "91%", "320.50 (100.00 – 600.00)"]


def test_values_that_are_codes_are_said_in_chinese(shop: Shop) -> None:
    for customer in ("quiet", "c00", "refunded", "crawler"):
        found = customers.profile(shop, customer_id=customer, lang="zh")
        told = {one.name: (one.value, one.shown) for one in found.traits}
        for name in ("rfm_segment", "price_band", "doubt"):
            if name in told:
                assert any("\u4e00" <= char <= "\u9fff" for char in told[name][1]), told[name]
        for action in found.next_actions:
            assert not any(name in action.evidence for name in ("_", " = "))
            assert any("\u4e00" <= char <= "\u9fff" for char in action.evidence)


def test_a_complaint_is_called_by_its_aspect() -> None:
    assert wording.label("aspects", "delivery", "zh") == "物流"
    assert wording.value("complains_of", "delivery", "en") == "delivery"
    assert wording.label("theme", "T3", "zh") == "T3"
    assert wording.value("favourite_brand", "Hill", "zh") == "Hill"


def test_a_theme_is_called_by_its_name_in_the_reader_s_language(tmp_path: Path) -> None:
    Shop.create(tmp_path / "shop", SHANGHAI).close()
    with Shop.open(tmp_path / "shop", now=lambda: NOW) as shop:
        world(shop)
        theme = Theme(
            theme_id="T1", tongue="en", level=2, parent_id=None, named_by="words", words=("late",),
            names={"en": "late parcels", "zh": "包裹迟到"}, texts=9, stability=None,
            created_at=MADE, changed_at=MADE,
        )  # fmt: skip
        bare = replace(theme, theme_id="T2", names={"en": "cold tea"})
        fit = Fit("v1", "en", "clusters", MADE, 9, 0.1, 0.1)
        Themes(shop.database).save(fit, [theme, bare], [])
        read = {
            "day": date(2024, 3, 1),
            "task": "theme",
            "answered_by": "themes",
            "model_version": "v1",
            "time": MADE,
        }
        rows = [
            {"text_id": "t1", "position": place, "label": label, **read}
            for place, label in enumerate(("T1", "T2", "T9"))
        ]
        with shop.writer("test") as writer:
            writer.load("readings", pa.Table.from_pylist(rows, schema=arrow_schema(READINGS)))
        said = {
            lang: [
                one.called
                for one in customers.profile(shop, customer_id="c01", lang=lang).opinions
                if one.task == "theme"
            ]
            for lang in ("zh", "en")
        }
    assert said == {"zh": ["包裹迟到", "cold tea", "T9"], "en": ["late parcels", "cold tea", "T9"]}
