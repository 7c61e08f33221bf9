"""The language of templates: names and filters, nothing that runs, values that break out of nothing."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkeeper.content.language import Missing, fill, names, parse
from shopkeeper.core.errors import BadInput


def test_a_variable_is_filled_or_falls_back() -> None:
    pieces = parse('Dear {{ customer.name | default: "you" | truncate: 5 }}!', "text")
    assert [one.name for one in names(pieces)] == ["customer.name"]
    assert fill(pieces, {"customer.name": "Ann"}, "text") == "Dear Ann!"
    assert fill(pieces, {"customer.name": ""}, "text") == "Dear you!"
    assert fill(pieces, {"customer.name": "Annabella"}, "text") == "Dear Anna…!"
    with pytest.raises(Missing) as missing:
        fill(parse("{{ item.价格 }}", "text"), {}, "text")
    assert missing.value.name == "item.价格"


@pytest.mark.parametrize(
    "hostile",
    [
        "{{ ''.__class__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ customer.name.__class__.__init__ }}",
        "{{ config }} {% for x in y %}",
        "{{ 7*7 }}",
        "{{ lipsum() }}",
        "{{ item['price'] }}",
        "{{ customer.name | attr: '__class__' }}",
        "{{ customer.name | default }}",
        "{{ customer.name | truncate: 99999999 }}",
        "{{ a.b.c.d }}",
        "{{ }}",
        "{{ customer.name",
        "customer.name }}",
        "{{{{ customer.name }}}}",
        "{{ _private }}",
        '{{ customer.name | default: "{{ x }}" }}',
    ],
)
def test_nothing_but_names_and_filters_is_read(hostile: str) -> None:
    with pytest.raises(BadInput) as error:
        parse(hostile, "parts.en.text")
    assert error.value.field == "parts.en.text"


def test_dunder_names_reach_nothing() -> None:
    pieces = parse("{{ customer.__class__ }}", "text")
    with pytest.raises(Missing):
        fill(pieces, {"customer.name": "Ann"}, "text")


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_and_a_value_never_adds_a_line_a_tag_or_a_variable(
    value: str,
) -> None:
    with contextlib.suppress(BadInput):
        parse(value, "text")
    pieces = parse('<p>{{ customer.name | default: "x" }}</p>', "html")
    page = fill(pieces, {"customer.name": value}, "html")
    inner = page[3:-4]
    assert not set(inner) & set("<>\"'\r\n")
    assert "{{" not in inner
    line = fill(pieces, {"customer.name": value}, "line")
    assert not any(ord(c) < 32 or c in "\u2028\u2029" for c in line)


def test_reading_takes_time_in_proportion_to_length() -> None:
    for text in (
        "{{ " * 30_000,
        '{{ a | default: "' + "x" * 90_000,
        "{{ a " + "| " * 40_000 + "}}",
    ):
        began = time.process_time()
        with pytest.raises(BadInput):
            parse(text, "text")
        assert time.process_time() - began < 1.0
    with pytest.raises(BadInput, match="More than 200"):
        parse("{{ a }}" * 201, "text")
