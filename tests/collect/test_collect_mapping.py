from __future__ import annotations

from pathlib import Path

import pytest

from shopkeeper.collect import mapping as mappings
from shopkeeper.core.errors import BadInput, UnknownName

LEAST = '[columns]\ntime = "at"\n[event]\nname = "view_item"\n'
TEXTS = 'target = "texts"\nextra = ["a"]\n[columns]\ntime = "t"\nbody = "b"\n'


def wrong(text: str) -> BadInput:
    with pytest.raises(BadInput) as caught:
        mappings.parse(text, "mine")
    return caught.value


@pytest.mark.parametrize("name", sorted(mappings.shipped()))
def test_every_shipped_mapping_is_valid_and_says_what_it_is_for(name: str) -> None:
    assert mappings.load(name).about


def test_an_unknown_shipped_mapping_names_the_near_one() -> None:
    with pytest.raises(UnknownName, match="online-retial") as caught:
        mappings.load("online-retial")
    assert "online-retail" in caught.value.hint


def test_an_unknown_key_is_named_with_its_line_and_what_was_meant() -> None:
    error = wrong(LEAST + '\n[file]\nencodng = "utf-8"\n')
    assert "file.encodng (line 7)" in error.message
    assert "'encoding'" in error.hint


def test_an_unknown_column_of_ours_names_the_near_one() -> None:
    error = wrong('[columns]\ntime = "at"\nuserid = "u"\n[event]\nname = "x"\n')
    assert "'userid'" in error.message
    assert "'user_id'" in error.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[columns\n", "not valid TOML"),
        ('[columns]\nuser_id = "u"\n[event]\nname = "x"\n', "which column is 'time'"),
        ('[columns]\ntime = "at"\n', "event.name or columns.name"),
        (LEAST + '[constants]\ntime = "2020-01-01"\n', "in columns and in constants"),
        (LEAST + 'id = "line"\n', "event.id"),
        (LEAST + 'absolute = ["user_id"]\n', "event.absolute"),
        (LEAST + '[[event.rules]]\nname = "y"\nwhen = {}\n', "event.rules.0.when"),
        (LEAST + '[[event.rules]]\nname = "y"\nwhen = { a = {} }\n', "at least one test"),
        (LEAST + '[[event.rules]]\nname = "y"\nwhen = { a = { matches = "(" } }\n', "regular"),
        (LEAST + "[file.rates]\nUSD = -1\n", "above 0"),
        (LEAST + '[file]\ncurrency = "yuan"\n', "file.currency"),
        (LEAST + '[file]\ntime_zone = "Asia/Shanghi"\n', "Asia/Shanghai"),
        (TEXTS + '[constants]\nkind = "post"\n', "extra"),
    ],
)  # fmt: skip
def test_a_wrong_mapping_says_which_key_is_wrong(text: str, said: str) -> None:
    assert said in wrong(text).message


def test_a_mapping_that_cannot_be_read_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe\x00")
    for name in ("bad.toml", "missing.toml"):
        with pytest.raises(BadInput, match=name):
            mappings.load(str(tmp_path / name))


def test_values_of_a_mapping_cannot_change_the_query(cleaned) -> None:  # type: ignore[no-untyped-def]
    text = """
[columns]
time = "it's \\"at\\"; --"
user_id = "u'; DROP TABLE staged; --"
[constants]
channel = "'; DROP TABLE staged; --"
[event]
name = "view'item"
[[event.rules]]
name = "o'clock"
when = { "u'; DROP TABLE staged; --" = { starts_with = "'", contains = "' OR 1=1" } }
"""
    header = '"it\'s ""at""; --",u\'; DROP TABLE staged; --\n'
    result = cleaned(header + "2026-01-01 10:00:00,x\n", text)
    assert [row["user_id"] for row in result.rows] == ["x"]
    assert result.rows[0]["channel"] == "'; DROP TABLE staged; --"
