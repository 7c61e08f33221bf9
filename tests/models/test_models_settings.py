from __future__ import annotations

import re
from pathlib import Path

import pytest

from shopkeeper.core.errors import BadInput
from shopkeeper.core.settings import Settings, dump, load, parse
from shopkeeper.shop import Shop


def test_settings_of_models_are_written_and_read_again(tmp_path: Path) -> None:
    settings = Settings(
        model="openai:deepseek-chat",
        model_prices={"deepseek-chat": (2.0, 8.0), "qwen/3": (0.0, 0.0)},
        model_budget=20.5,
        model_tokens=5_000_000,
        model_window=8000,
        model_texts="not_refused",
        order_numbers=(r"SO\d{10}", "[A-Z]{2}\\d{8}"),
    )
    (tmp_path / "shopkeeper.toml").write_text(dump(settings), "utf-8")
    assert load(tmp_path, {}) == settings


def test_the_environment_gives_prices_and_numbers_in_words(tmp_path: Path) -> None:
    environment = {
        "SHOPKEEPER_MODEL_PRICES": "gpt-x=0.5/1.5, local=0/0",
        "SHOPKEEPER_MODEL_BUDGET": "3",
        "SHOPKEEPER_ORDER_NUMBERS": r"SO\d{10}",
    }
    found = load(tmp_path, environment)
    assert found.model_prices == {"gpt-x": (0.5, 1.5), "local": (0.0, 0.0)}
    assert found.model_budget == 3
    assert found.order_numbers == (r"SO\d{10}",)


@pytest.mark.parametrize(
    "values",
    [
        {"model_prices": {"x": [1, -1]}},
        {"model_prices": {"x": [1]}},
        {"model_prices": "x=1"},
        {"model_prices": "x=a/b"},
        {"model_prices": {"x": ["nan", 0]}},
        {"model_budget": -1},
        {"model_tokens": -1},
        {"model_texts": "everybody"},
    ],
    ids=lambda values: re.sub(r"\W+", "-", str(values)),
)
def test_wrong_settings_name_the_field(values: dict[str, object]) -> None:
    with pytest.raises(BadInput) as raised:
        parse(values)
    assert raised.value.field is not None
    assert raised.value.field.startswith("model_")


def test_a_shop_keeps_them(tmp_path: Path) -> None:
    made = Settings(model_prices={"m": (1.0, 2.0)}, model_budget=4)
    with Shop.create(tmp_path / "shop", made) as shop:
        assert shop.settings.model_prices == {"m": (1.0, 2.0)}
        assert shop.settings.model_budget == 4
