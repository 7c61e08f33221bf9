from pathlib import Path

import pytest

from shopkeeper.core.errors import BadInput, UnknownName
from shopkeeper.core.settings import FILE, Settings, dump, load, parse


def test_a_dumped_file_loads_to_the_same_settings(tmp_path: Path) -> None:
    settings = Settings(
        name='Ann\'s "tea"\n茶', time_zone="Asia/Shanghai", currency="CNY", languages=("zh",)
    )
    (tmp_path / FILE).write_text(dump(settings), "utf-8")
    assert load(tmp_path, {}) == settings


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('currency = "EUR"\n', "utf-8")
    environment = {
        "SHOPKEEPER_CURRENCY": "CNY",
        "SHOPKEEPER_LANGUAGES": "zh,en",
        "SHOPKEEPER_MEMORY_MB": "512",
    }
    loaded = load(tmp_path, environment)
    assert (loaded.currency, loaded.languages, loaded.memory_mb) == ("CNY", ("zh", "en"), 512)


def test_an_unknown_key_says_what_was_meant() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'time_zone'"):
        parse({"timezone": "UTC"})


def test_a_wrong_zone_says_what_was_meant() -> None:
    with pytest.raises(BadInput, match="Asia/Shanghai") as caught:
        parse({"time_zone": "Asia/Shangai"})
    assert caught.value.field == "time_zone"


def test_a_password_in_the_file_is_refused_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('database = "postgresql://u:hunter2@h/db"\n', "utf-8")
    with pytest.raises(BadInput) as caught:
        load(tmp_path, {})
    assert "hunter2" not in str(caught.value)
    assert "SHOPKEEPER_DATABASE" in caught.value.hint
    assert "hunter2" not in repr(Settings(database="postgresql://u:hunter2@h/db"))


def test_broken_toml_names_the_file(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("name = \n", "utf-8")
    with pytest.raises(BadInput, match=FILE):
        load(tmp_path, {})
