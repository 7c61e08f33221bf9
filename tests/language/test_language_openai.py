"""Through pydantic-ai to a real HTTP endpoint on loopback that misbehaves on order."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field
from tests.language.doubles import Served, ask

from shopkeeper.core.errors import (
    BadReply,
    ModelBusy,
    ModelFailed,
    ShopkeeperError,
    TooLarge,
    UnknownName,
)
from shopkeeper.language.guard import Rules, guard
from shopkeeper.language.many import complete_each
from shopkeeper.language.opening import open_backend
from shopkeeper.language.scripted_server import Order
from shopkeeper.language.types import Backend, Message, Price, Request

PRICES = {"scripted": Price(1.0, 2.0)}


class Form(BaseModel):
    """What a review says."""

    label: Literal["good", "bad"]
    sure: float = Field(ge=0, le=1)
    words: list[str]


@pytest.fixture
def backend(served: Served) -> Iterator[Backend]:
    opened = open_backend("openai:scripted", PRICES)
    yield opened
    opened.close()


def test_a_question_is_answered_with_its_tokens(backend: Backend, served: Served) -> None:
    reply = backend.complete(ask("How are you?", max_tokens=77, temperature=0.3))
    assert reply.text == "Yes."
    assert reply.tokens_in > 0
    assert reply.tokens_out > 0
    assert reply.model == "openai:scripted"
    (body,) = served.asked
    assert body["max_tokens"] == 77
    assert body["temperature"] == 0.3
    assert body["messages"] == [{"role": "user", "content": "How are you?"}]


def test_system_and_earlier_turns_are_sent_as_such(backend: Backend, served: Served) -> None:
    turns = (
        Message("system", "s"),
        Message("user", "u"),
        Message("assistant", "a"),
        Message("user", "v"),
    )
    backend.complete(Request(turns, "p"))
    assert [m["role"] for m in served.asked[0]["messages"]] == [
        "system",
        "user",
        "assistant",
        "user",
    ]


def test_a_form_is_asked_for_by_its_schema(backend: Backend, served: Served) -> None:
    reply = backend.complete(ask(schema=Form))
    assert isinstance(reply.value, Form)
    form = served.asked[0]["response_format"]["json_schema"]
    assert set(form["schema"]["properties"]) == {"label", "sure", "words"}


@pytest.mark.parametrize(
    ("forms", "tries", "last"),
    [({"tool"}, 2, "tools"), (set(), 3, "messages")],
    ids=["tool", "prompted"],
)
def test_what_the_endpoint_refuses_is_asked_for_in_another_way_and_remembered(
    backend: Backend, served: Served, forms: set[Any], tries: int, last: str
) -> None:
    served.endpoint.forms = frozenset(forms)
    if not forms:
        served.order(*["good"] * 2, Order(do="text", text='{"label":"bad","sure":0.5,"words":[]}'))
    value = backend.complete(ask(schema=Form)).value
    assert isinstance(value, Form)
    assert len(served.asked) == tries
    assert last in served.asked[-1]
    if not forms:
        assert '"sure"' in served.asked[-1]["messages"][0]["content"]
        served.order(Order(do="text", text='{"label":"bad","sure":0.5,"words":[]}'))
    backend.complete(ask("and this?", schema=Form))
    assert len(served.asked) == tries + 1


def test_an_endpoint_that_ignores_the_schema_is_told_it_in_words(
    backend: Backend, served: Served
) -> None:
    good = Order(do="text", text='Here: {"label":"bad","sure":0.5,"words":["x"]}')
    served.order(Order(do="text", text="It is rather bad."), good, good)
    assert backend.complete(ask(schema=Form)).value == Form(label="bad", sure=0.5, words=["x"])
    repair = served.asked[1]["messages"]
    assert "Invalid JSON" in repair[-1]["content"]
    assert '"sure"' in repair[-1]["content"]
    backend.complete(ask("next", schema=Form))
    assert len(served.asked) == 3
    assert '"sure"' in served.asked[2]["messages"][0]["content"]


def test_a_wrong_form_is_repaired_once_and_then_an_error(backend: Backend, served: Served) -> None:
    served.order("wrong", "good")
    with pytest.raises(BadReply):  # the repair asks in words, to which the script says "Yes."
        backend.complete(ask(schema=Form))
    served.order("wrong", Order(do="text", text='{"label":"good","sure":1,"words":[]}'))
    assert backend.complete(ask(schema=Form)).value == Form(label="good", sure=1, words=[])
    served.order("wrong", "wrong")
    with pytest.raises(BadReply, match="label") as raised:
        backend.complete(ask(schema=Form))
    assert raised.value.tokens_in
    assert raised.value.tokens_out


def test_an_answer_cut_by_the_limit_of_tokens_says_so(backend: Backend, served: Served) -> None:
    served.order("short")
    assert not backend.complete(ask()).whole
    served.order("short", "short")
    with pytest.raises(BadReply, match="cut at 512 tokens"):
        backend.complete(ask(schema=Form))


@pytest.mark.parametrize(
    ("order", "error", "said", "charged"),
    [
        (Order(do="busy", after=3), ModelBusy, "Rate limit", False),
        (Order(do="error"), ModelBusy, "server had an error", False),
        (Order(do="stall", seconds=30), ModelBusy, "within 0.5 s", True),
        (Order(do="drip"), ModelBusy, "within 0.5 s", True),
        (Order(do="broken"), ModelBusy, "not an answer", True),
        (Order(do="cut"), ModelBusy, "broke before", True),
        (Order(do="huge"), ModelFailed, "longer than", True),
        (Order(do="packed"), ModelFailed, "packed", True),
        (Order(do="empty"), ModelBusy, "not an answer", True),
        (Order(do="filter"), ModelFailed, "filter", False),
        (Order(do="redirect"), ModelFailed, "not followed", False),
        (Order(do="key"), ModelFailed, "key", False),
        (Order(do="quota"), ModelFailed, "nothing left", False),
        (Order(do="long"), TooLarge, "longer than", False),
    ],
    ids=lambda value: value.do if isinstance(value, Order) else "",
)
def test_each_misbehaviour_is_an_error_of_its_kind(
    backend: Backend,
    served: Served,
    order: Order,
    error: type[ShopkeeperError],
    said: str,
    charged: bool,
) -> None:
    served.order(order)
    began = time.monotonic()
    with pytest.raises(error, match=said) as raised:
        backend.complete(ask(timeout=0.5 if order.do in ("stall", "drip") else 20.0))
    assert time.monotonic() - began < 10
    assert len(served.asked) == 1
    assert type(raised.value) is error
    if isinstance(raised.value, ModelFailed):
        assert (raised.value.tokens_in is None) is charged
    if isinstance(raised.value, ModelBusy) and order.do == "busy":
        assert raised.value.after == 3


def test_a_wrong_key_names_the_variable(backend: Backend, served: Served) -> None:
    served.order("key")
    with pytest.raises(ModelFailed) as raised:
        backend.complete(ask())
    assert raised.value.field == "SHOPKEEPER_OPENAI_KEY"


def test_an_unknown_model_says_which_is_near(served: Served) -> None:
    served.order("unknown")
    backend = open_backend("openai:scriptd", PRICES)
    with pytest.raises(UnknownName) as raised:
        backend.complete(ask())
    assert "'scripted'" in raised.value.hint
    backend.close()


def test_an_endpoint_that_does_not_count_is_booked_at_the_most(
    backend: Backend, served: Served
) -> None:
    served.order("uncounted")
    reply = backend.complete(ask("12345678"))
    assert reply.tokens_in >= 8
    assert reply.tokens_out >= len(reply.text)


def test_an_endpoint_that_is_not_there_is_busy_and_cost_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOPKEEPER_OPENAI_URL", "http://127.0.0.1:9/v1")
    backend = open_backend("openai:m", {})
    with pytest.raises(ModelBusy, match="cannot be reached") as raised:
        backend.complete(ask())
    assert (raised.value.tokens_in, raised.value.tokens_out) == (0, 0)
    backend.close()


def test_the_whole_stack_gets_through_every_passing_trouble(
    backend: Backend, served: Served, rules: Rules
) -> None:
    guarded = guard(backend, rules)
    served.order(Order(do="busy", after=0.01), "error", "broken", "good")
    reply = guarded.complete(ask("我的电话 13800138000", schema=Form))
    assert isinstance(reply.value, Form)
    assert len(served.asked) == 4
    assert "13800138000" not in str(served.asked)
    assert reply.cost > 0
    assert guarded.complete(ask("我的电话 13800138000", schema=Form)).cached
    assert len(served.asked) == 4
    (line,) = rules.ledger.of("2026-11")
    assert line.calls == 2  # the broken one may have been charged for
    assert rules.ledger.unsettled("2026-11").tries == 0


def test_threads_share_one_backend(backend: Backend, rules: Rules) -> None:
    guarded = guard(backend, rules)
    requests = [ask(f"question {n % 15}") for n in range(30)]
    found = dict(complete_each(guarded, requests, at_once=6))
    assert sorted(found) == list(range(30))
    assert all(getattr(reply, "text", "") == "Yes." for reply in found.values())
    assert rules.ledger.of("2026-11")[0].calls == 15
