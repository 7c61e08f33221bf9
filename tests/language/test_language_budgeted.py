from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from pydantic import BaseModel
from tests.language.doubles import Echo, ask, said

from shopkeeper.core.errors import BadInput, BadReply, ModelBusy, ModelFailed, OverBudget, TooLarge
from shopkeeper.language import tokens
from shopkeeper.language.budgeted import Budgeted
from shopkeeper.language.types import Price, Reply, Request
from shopkeeper.store.database import Database
from shopkeeper.store.spending import Caps, Spending

PRICE = Price(2.0, 8.0)  # of a million tokens


class Form(BaseModel):
    label: str


def _budgeted(database: Database, backend: Echo, money: int) -> tuple[Budgeted, Spending]:
    ledger = Spending(database)
    return Budgeted(backend, ledger, Caps(money), lambda: "2026-11"), ledger


def test_a_reply_costs_what_it_took(database: Database) -> None:
    backend = Echo(lambda _: said(tokens_in=1000, tokens_out=500), price=PRICE)
    budgeted, ledger = _budgeted(database, backend, 10**10)
    assert budgeted.complete(ask()).cost == pytest.approx(0.006)
    (line,) = ledger.of("2026-11")
    assert (line.model, line.purpose, line.billionths) == ("echo:1", "reading", 6_000_000)


def test_a_request_that_could_pass_the_cap_is_not_sent(database: Database) -> None:
    backend = Echo(lambda _: said(), price=PRICE)
    sent, written = tokens.most_of(ask(max_tokens=100))
    most = PRICE.billionths(sent, written)
    budgeted, _ = _budgeted(database, backend, most - 1)
    with pytest.raises(OverBudget):
        budgeted.complete(ask(max_tokens=100))
    assert backend.asked == []
    assert _budgeted(database, backend, most)[0].complete(ask(max_tokens=100)).text == "yes"


@pytest.mark.parametrize(
    ("error", "booked"),
    [
        (ModelBusy("429"), None),
        (TooLarge("context"), None),
        (BadReply("form", tokens_in=30, tokens_out=7), (30, 7)),
        (ModelFailed("filter", tokens_in=30, tokens_out=0), (30, 0)),
    ],
    ids=["busy", "too-large", "bad-reply", "filtered"],
)
def test_a_failure_is_booked_by_what_it_took(
    database: Database, error: ModelFailed, booked: tuple[int, int] | None
) -> None:
    budgeted, ledger = _budgeted(database, Echo(lambda _: error, price=PRICE), 10**12)
    with pytest.raises(type(error)):
        budgeted.complete(ask())
    lines = [(line.tokens_in, line.tokens_out) for line in ledger.of("2026-11")]
    assert lines == ([] if booked is None else [booked])
    assert ledger.unsettled("2026-11").tries == 0


def test_a_failure_that_may_have_been_charged_is_booked_in_full(database: Database) -> None:
    lost = ModelBusy("time-out", tokens_in=None, tokens_out=None)
    budgeted, ledger = _budgeted(database, Echo(lambda _: lost, price=PRICE), 10**12)
    with pytest.raises(ModelBusy):
        budgeted.complete(ask())
    (line,) = ledger.of("2026-11")
    assert line.billionths == PRICE.billionths(*tokens.most_of(ask()))


def test_a_model_whose_price_nobody_said_is_refused_with_what_to_write(database: Database) -> None:
    with pytest.raises(BadInput, match="not known") as raised:
        _budgeted(database, Echo(lambda _: said(), price=None, name="openai:new-one"), 1)
    assert '"new-one" = [SENT, WRITTEN]' in raised.value.hint


@pytest.mark.parametrize("schema", [None, Form], ids=["text", "form"])
@pytest.mark.parametrize(
    "text", ["a", "茶" * 50, "\x00" * 9, "🙂 mixed 茶 text"], ids=["a", "zh", "nul", "mixed"]
)
def test_the_bound_is_above_any_tokenizers_count_of_bytes(text: str, schema: Any) -> None:
    request = ask(text, schema=schema)
    sent, written = tokens.most_of(request)
    assert sent >= len(text.encode()) * (1 if schema is None else 2)
    assert written >= request.max_tokens


def test_prices_are_exact_and_rounded_up() -> None:
    assert Price(0.1, 0.2).billionths(1_000_000, 1_000_000) == 300_000_000
    assert Price(0.0001, 0).billionths(1, 0) == 1
    assert Price(0, 0).billionths(10**9, 10**9) == 0


def test_what_is_no_error_of_a_model_holds_the_money_until_it_runs_out(database: Database) -> None:
    def killed(_request: Request) -> Reply:
        raise KeyboardInterrupt

    budgeted, ledger = _budgeted(database, Echo(killed, price=PRICE), 2 * 10**7)
    with pytest.raises(KeyboardInterrupt):
        budgeted.complete(ask())
    with pytest.raises(OverBudget):
        _until_refused(budgeted)
    assert ledger.of("2026-11") == []


def _until_refused(budgeted: Budgeted) -> None:
    for _ in range(20):
        with suppress(KeyboardInterrupt):
            budgeted.complete(ask())
