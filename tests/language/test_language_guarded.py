from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, Field
from tests.language.doubles import Echo, ask, said

from shopkeeper.core.errors import BadReply, NotSent, TooLarge
from shopkeeper.language.guard import Rules, guard
from shopkeeper.language.types import Message, Reply, Request
from shopkeeper.store.database import Database

PHONE, MAIL = "13800138000", "ann.li@example.cn"


class Form(BaseModel):
    who: str
    list: tuple[str, ...] = ()
    by: dict[str, str] = {}


class Short(BaseModel):
    who: str = Field(max_length=8)


def _seen(backend: Echo) -> str:
    return "\n".join(m.content for request in backend.asked for m in request.messages)


def test_a_model_sees_masks_and_the_reader_the_values(rules: Rules) -> None:
    backend = Echo(lambda r: said(f"Call {r.messages[-1].content.split()[-1]} now"))
    reply = guard(backend, rules).complete(ask(f"My phone is {PHONE}"))
    assert PHONE not in _seen(backend)
    assert PHONE in reply.text


def test_masks_are_undone_inside_a_value_wherever_they_stand(rules: Rules) -> None:
    def answer(request: Request) -> Reply:
        mask = request.messages[-1].content.rpartition("：")[2]
        value = Form(who=mask, list=(f"{mask}!",), by={mask: mask})
        return said(value.model_dump_json(), value=value)

    backend = Echo(answer)
    reply = guard(backend, rules).complete(ask(f"我的邮箱：{MAIL}", schema=Form))
    assert MAIL not in _seen(backend)
    assert reply.value == Form(who=MAIL, list=(f"{MAIL}!",), by={MAIL: MAIL})
    assert MAIL in reply.text


def test_the_same_value_in_two_messages_has_one_mask(rules: Rules) -> None:
    backend = Echo(lambda _: said())
    request = Request(
        (Message("system", f"The shop's phone is {PHONE}."), Message("user", f"Is it {PHONE}?")),
        "p",
    )
    guard(backend, rules).complete(request)
    system, user = (m.content for m in backend.asked[0].messages)
    mask = user.removeprefix("Is it ").removesuffix("?")
    assert mask in system
    assert mask.startswith("<")


def test_nothing_that_was_masked_is_in_the_store(
    rules: Rules, database: Database, tmp_path: Path
) -> None:
    backend = Echo(lambda r: said(r.messages[-1].content))
    reply = guard(backend, rules).complete(ask(f"我的手机号是{PHONE}，邮箱 {MAIL}"))
    assert PHONE in reply.text
    database.scour(())
    for path in tmp_path.glob("state.db*"):
        data = path.read_bytes()
        assert PHONE.encode() not in data
        assert MAIL.encode() not in data


def test_a_mask_that_stands_in_the_text_already_is_not_taken_for_a_value(rules: Rules) -> None:
    backend = Echo(lambda r: said(r.messages[-1].content))
    text = f"<手机1> 是假的，真的是 {PHONE}"
    assert guard(backend, rules).complete(ask(text)).text == text
    assert PHONE not in _seen(backend)


def test_a_mask_that_a_model_makes_up_stays_as_it_is(rules: Rules) -> None:
    backend = Echo(lambda _: said("<phone7> and <手机9>"))
    assert guard(backend, rules).complete(ask(f"Phone {PHONE}")).text == "<phone7> and <手机9>"


def test_a_refused_text_never_leaves(rules: Rules) -> None:
    backend = Echo(lambda _: said())
    asked: list[Request] = []

    def may_send(request: Request) -> bool:
        asked.append(request)
        return False

    guarded = guard(backend, Rules(**{**vars(rules), "may_send": may_send}))
    with pytest.raises(NotSent, match="agreed"):
        guarded.complete(ask(about=("ann",)))
    assert backend.asked == []
    assert asked[0].about == ("ann",)
    backend.remote = False
    assert guarded.complete(ask(about=("ann",))).text == "yes"
    assert len(asked) == 1


def test_a_huge_prompt_is_refused_before_it_is_stored_or_sent(rules: Rules) -> None:
    backend = Echo(lambda _: said())
    with pytest.raises(TooLarge, match=r"about 40,0\d\d tokens"):
        guard(backend, rules).complete(ask("茶" * 40_000))
    assert backend.asked == []


def test_a_value_that_no_longer_keeps_to_its_form_is_an_error(rules: Rules) -> None:
    def answer(request: Request) -> Reply:
        value = Short(who=request.messages[-1].content.rpartition(" ")[2])
        return said(value.model_dump_json(), value=value)

    with pytest.raises(BadReply, match="put back"):
        guard(Echo(answer), rules).complete(ask(f"Phone: {PHONE}", schema=Short))


def test_ids_of_customers_are_not_sent_and_the_stack_closes(rules: Rules) -> None:
    backend = Echo(lambda _: said())
    guarded = guard(backend, rules)
    guarded.complete(ask(about=("customer-ann-4711",)))
    assert "4711" not in _seen(backend)
    guarded.close()
    assert backend.closed
