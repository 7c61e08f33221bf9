"""Replies on a terminal: any record, nothing that a terminal would obey."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from shopkeeper.cli import show
from shopkeeper.cli.terminal import visible
from shopkeeper.core.types import CannotSay, Estimate, EstimateOrCannotSay, Value


class Line(Value):
    day: date
    name: str
    revenue: float
    rate: EstimateOrCannotSay
    empty: str | None = None


class Reply(Value):
    title: str
    at: datetime
    figure: EstimateOrCannotSay
    open_question: EstimateOrCannotSay
    lines: tuple[Line, ...]
    inner: Line
    tags: tuple[str, ...] = ("a", "b")


def _reply(name: str) -> Reply:
    estimate = Estimate(value=12.5, low=11.0, high=14.0, n=90)
    cannot = CannotSay(reason="too few customers", needed="30 more")
    line = Line(day=date(2011, 1, 2), name=name, revenue=1234.5, rate=estimate)
    return Reply(
        title=name,
        at=datetime(2011, 1, 2, 3, 4, tzinfo=UTC),
        figure=estimate,
        open_question=cannot,
        lines=(line, line),
        inner=line,
    )


def _printed(reply: Value) -> str:
    out = io.StringIO()
    Console(file=out, width=200, markup=False, highlight=False).print(show.render(reply))
    return out.getvalue()


def test_estimates_show_their_interval_and_open_questions_say_why() -> None:
    text = _printed(_reply("mugs"))
    assert "12.50 (11.00 to 14.00, 95%, n=90)" in text
    assert "cannot say: too few customers Needed: 30 more" in text


def test_lists_of_records_become_tables_without_empty_columns() -> None:
    text = _printed(_reply("mugs"))
    assert "1,234.50" in text
    assert "2011-01-02" in text
    assert text.count("empty") == 1  # in the panel of one record, not as a column


def test_markup_in_data_is_printed_and_not_obeyed() -> None:
    assert "[bold red]x[/]" in _printed(_reply("[bold red]x[/]"))


@given(st.text(max_size=60))
def test_no_control_character_of_data_reaches_the_terminal(name: str) -> None:
    text = _printed(_reply(name))
    for character in text:
        assert character == "\n" or not (ord(character) < 32 or 127 <= ord(character) < 160)
        assert character not in "\u202e\u2066\u200f"
    text.encode()  # no lone surrogate is left


def test_escape_sequences_are_written_out() -> None:
    assert visible("a\x1b[2Jb") == "a\\x1b[2Jb"
    assert visible("a\u202eb") == "a\\u202eb"


def test_json_is_ascii_and_parses(capsys: pytest.CaptureFixture[str]) -> None:
    show.reply(_reply("\x1b[2J\u202e中文"), as_json=True)
    printed = capsys.readouterr().out
    assert printed.isascii()
    assert "\x1b" not in printed
    assert json.loads(printed)["title"] == "\x1b[2J\u202e中文"


def test_long_tables_say_how_many_rows_are_left_out() -> None:
    class Many(Value):
        lines: tuple[Line, ...]

    line = _reply("x").inner
    assert "… and 10 more: --json prints all" in _printed(Many(lines=(line,) * 60))


class Why(Value):
    code: str
    text: str


class Card(Value):
    name: str
    why: tuple[Why, ...]


class Cards(Value):
    cards: tuple[Card, ...]


def test_a_record_in_a_cell_is_its_sentence_on_a_line_of_its_own() -> None:
    said = (Why(code="a", text="They return."), Why(code="b", text="They buy\nagain."))
    lines = [
        one.strip(" │") for one in _printed(Cards(cards=(Card(name="C1", why=said),))).split("\n")
    ]
    assert any(one.endswith("They return.") for one in lines)
    assert "They buy⏎again." in lines


class Closed(Value):
    cannot_say: CannotSay | None
    left: dict[str, int]
    orders: float
    notes: tuple[str, ...]


def test_whole_floats_empty_mappings_and_what_the_title_says_already() -> None:
    none = CannotSay(reason="too few customers")
    text = _printed(Closed(cannot_say=none, left={}, orders=2913.0, notes=("It is so.", "Two.")))
    assert [line.split() for line in text.strip().splitlines()] == [
        ["cannot", "say", "too", "few", "customers"], ["left", "–"], ["orders", "2,913"],
        ["notes", "It", "is", "so."], ["Two."],
    ]  # fmt: skip
