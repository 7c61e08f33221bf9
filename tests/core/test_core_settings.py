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


def test_the_engine_is_written_and_read_back(tmp_path: Path) -> None:
    settings = Settings(engine="spark", spark_url="sc://127.0.0.1:50051")
    (tmp_path / FILE).write_text(dump(settings), "utf-8")
    assert load(tmp_path, {}) == settings
    assert "engine" not in dump(Settings())


def test_a_token_of_the_engine_is_never_in_the_file_nor_shown(tmp_path: Path) -> None:
    secret = "sc://h:443/;use_ssl=true;token=hunter2"
    settings = Settings(engine="spark", spark_url=secret)
    assert "hunter2" not in repr(settings) + dump(settings)
    (tmp_path / FILE).write_text(f'engine = "spark"\nspark_url = "{secret}"\n', "utf-8")
    with pytest.raises(BadInput) as caught:
        load(tmp_path, {})
    assert "hunter2" not in str(caught.value)
    assert "SHOPKEEPER_SPARK_URL" in caught.value.hint
    (tmp_path / FILE).write_text('engine = "spark"\n', "utf-8")
    assert load(tmp_path, {"SHOPKEEPER_SPARK_URL": secret}).spark_url == secret


def test_an_address_that_is_no_spark_connect_url_is_refused() -> None:
    with pytest.raises(BadInput) as caught:
        parse({"engine": "spark", "spark_url": "http://hunter2@h"})
    assert caught.value.field == "spark_url"
    assert "hunter2" not in str(caught.value)
