from __future__ import annotations

from contextlib import suppress
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from tests.language.doubles import ask

from shopkeeper.core.errors import BadReply, ModelBusy
from shopkeeper.language import structured
from shopkeeper.language.structured import NotTheForm, Raw
from shopkeeper.language.types import Message


class Form(BaseModel):
    label: Literal["good", "bad"]
    sure: float = Field(ge=0, le=1, default=1.0)


class Amount(BaseModel):
    x: float


@pytest.mark.parametrize(
    "text",
    [
        '{"label": "good"}',
        '```json\n{"label": "good"}\n```',
        'Sure! Here it is:\n{"label": "good"}\nAnything else?',
        '<think>{"label": "bad"}? No.</think>{"label":"good","sure":1}',
        'It is [neither] but {"label": "good"}',
    ],
)
def test_a_value_is_found_with_or_without_words_around_it(text: str) -> None:
    assert structured.read(text, Form) == Form(label="good")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("good", "Invalid JSON"),
        ('{"label": "so-so"}', "label"),
        ("", "no JSON"),
        ('{"sure": 2}', "label"),
    ],
)
def test_what_is_wrong_is_said_without_what_was_given(text: str, said: str) -> None:
    with pytest.raises(NotTheForm, match=said) as raised:
        structured.read(text, Form)
    assert "so-so" not in str(raised.value)


def test_a_number_beyond_all_bounds_is_not_of_the_form() -> None:
    with pytest.raises(NotTheForm):
        structured.read('{"x": 1e999}', Amount)


@given(st.text(max_size=200) | st.just("[" * 5000) | st.just("{" * 5000))
def test_no_text_breaks_the_reader(text: str) -> None:
    with suppress(NotTheForm):
        assert structured.read(text, Form)


def _turns(*answers: str | ModelBusy) -> tuple[structured.Ask, list[tuple[Message, ...]]]:
    asked: list[tuple[Message, ...]] = []
    left = list(answers)

    def turn(messages: tuple[Message, ...], repairing: bool) -> Raw:
        assert repairing is bool(asked)
        asked.append(messages)
        answer = left.pop(0)
        if isinstance(answer, ModelBusy):
            raise answer
        return Raw(answer, 10, 2)

    return turn, asked


def test_a_wrong_form_is_repaired_once_with_the_error_shown() -> None:
    turn, asked = _turns("it was so-so", '{"label": "bad"}')
    reply = structured.answer("m", ask(schema=Form), turn)
    assert reply.value == Form(label="bad")
    assert reply.text == '{"label":"bad","sure":1.0}'
    assert (reply.tokens_in, reply.tokens_out) == (20, 4)
    assert [one.role for one in asked[1]] == ["user", "assistant", "user"]
    assert "Invalid JSON" in asked[1][-1].content


def test_a_second_wrong_form_is_an_error_that_says_what_both_cost() -> None:
    turn, asked = _turns("no", "no again")
    with pytest.raises(BadReply, match="reading") as raised:
        structured.answer("m", ask(schema=Form), turn)
    assert len(asked) == 2
    assert (raised.value.tokens_in, raised.value.tokens_out) == (20, 4)
    assert not raised.value.retryable


def test_a_repair_that_finds_the_model_busy_counts_the_first_answer() -> None:
    turn, _ = _turns("no", ModelBusy("wait"))
    with pytest.raises(ModelBusy) as raised:
        structured.answer("m", ask(schema=Form), turn)
    assert (raised.value.tokens_in, raised.value.tokens_out) == (10, 2)


def test_without_a_form_the_text_is_the_answer() -> None:
    turn, _ = _turns("anything {")
    assert structured.answer("m", ask(), turn).text == "anything {"


def test_an_endless_answer_is_refused() -> None:
    turn, _ = _turns("x" * (structured.LONGEST + 1))
    with pytest.raises(BadReply, match="refused") as raised:
        structured.answer("m", ask(), turn)
    assert raised.value.tokens_out == 2
