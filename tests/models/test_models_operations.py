from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from shopkeeper.core.errors import (
    BadInput,
    CannotAnswer,
    NotAllowed,
    NotSent,
    OverBudget,
    UnknownName,
)
from shopkeeper.core.operation import OWNER, Actor, Context, of
from shopkeeper.core.settings import Settings
from shopkeeper.core.types import CannotSay
from shopkeeper.language.types import Message, Request
from shopkeeper.models.backend import CHANNEL, PURPOSE, consenting, open_model
from shopkeeper.models.operations import cost, list_, try_
from shopkeeper.models.types import Expected
from shopkeeper.shop import Shop

NOON = datetime(2026, 10, 31, 18, tzinfo=UTC)  # already November in Shanghai
SCRIPT = 'price = [10.0, 20.0]\n[[rule]]\nreply = "hello"\n'


@pytest.fixture
def script(tmp_path: Path) -> str:
    path = tmp_path / "script.toml"
    path.write_text(SCRIPT, "utf-8")
    return f"scripted:{path}"


@pytest.fixture
def rich(tmp_path: Path, script: str) -> Iterator[Shop]:
    settings = Settings(
        name="Test shop",
        time_zone="Asia/Shanghai",
        currency="CNY",
        model=script,
        model_budget=0.05,
        order_numbers=(r"SO\d{10}",),
    )
    Shop.create(tmp_path / "rich", settings).close()
    with Shop.open(tmp_path / "rich", now=lambda: NOON) as shop:
        yield shop


def test_the_names_are_those_that_people_type() -> None:
    assert list(of("models")) == ["list", "try", "cost"]


def test_a_new_shop_has_the_house_and_every_kind_is_listed(shop: Shop) -> None:
    found = list_(shop)
    default = found.models[0]
    assert (default.name, default.default, default.ready, default.sent) == (
        "house",
        True,
        True,
        0.0,
    )
    assert {"openai", "scripted", "transformers"} <= {one.name for one in found.models}
    assert found.currency == "CNY"


def test_the_list_shows_prices_and_who_answered(rich: Shop, script: str) -> None:
    try_(rich, "hi")
    mine = list_(rich).models[0]
    assert (mine.name, mine.sent, mine.written, mine.calls) == (script, 10.0, 20.0, 1)
    assert mine.last_at is not None


def test_a_kind_that_is_not_there_is_told_in_its_row(tmp_path: Path) -> None:
    with Shop.create(tmp_path / "shop", Settings(model="opnai:x")) as shop:
        row = list_(shop).models[0]
        assert not row.ready
        assert "'openai'" in row.says
        with pytest.raises(UnknownName, match="'openai'"):
            try_(shop, "hi")


def test_trying_costs_once_and_counts_in_the_shops_month(rich: Shop) -> None:
    first, second = try_(rich, "Say hello"), try_(rich, "Say hello")
    assert first.answer == second.answer == "hello"
    assert first.cost > 0
    assert (second.cached, second.cost) == (True, 0.0)
    told = cost(rich)
    assert told.month == "2026-11"
    assert told.spent == pytest.approx(first.cost)
    assert told.left == pytest.approx(0.05 - first.cost)
    assert [(line.purpose, line.calls) for line in told.used] == [("try", 1)]
    assert told.kept_answers == 1
    assert told.expected is None


def test_trying_is_audited_without_what_was_asked(rich: Shop) -> None:
    try_(rich, "My phone is 13800138000")
    entry = rich.audit.entries(1, None).entries[0]
    assert entry.operation == "models.try"
    assert "13800138000" not in str(entry)


def test_the_house_cannot_be_tried(shop: Shop) -> None:
    with pytest.raises(CannotAnswer):
        try_(shop, "hi")


def test_a_budget_that_is_too_small_refuses_before_asking(rich: Shop) -> None:
    with pytest.raises(OverBudget) as raised:
        try_(rich, "x" * 6000)
    assert raised.value.field == "model_budget"
    assert cost(rich).spent == 0


def test_from_elsewhere_no_file_of_this_machine_can_be_named(rich: Shop, script: str) -> None:
    key = Context(rich, Actor("key", "server", frozenset({"*:*"})))
    for model in ("scripted:/etc/passwd", "transformers:/root"):
        with pytest.raises(NotAllowed):
            try_(key, "hi", model=model)
    assert try_(key, "hi", model=script).answer == "hello"  # the shop's own
    with pytest.raises(BadInput):
        try_(Context(rich, OWNER), "hi", model="scripted:/etc/passwd")


def test_what_a_task_took_before_is_the_estimate(rich: Shop, script: str) -> None:
    guess = cost(rich, texts=1000, task="label", characters=50).expected
    assert isinstance(guess, Expected)
    assert "assumed" in guess.basis
    assert guess.most > guess.cost > 0
    opened = open_model(rich)
    for number in range(4):
        opened.complete(Request((Message("user", f"text {number}"),), "label", max_tokens=16))
    opened.close()
    known = cost(rich, texts=1000, task="label").expected
    assert isinstance(known, Expected)
    assert "4 earlier calls" in known.basis
    spent = cost(rich).spent
    assert known.cost == pytest.approx(spent / 4 * 1000, rel=0.01)
    assert known.fits is (known.cost <= 0.05 - spent)


def test_what_is_not_known_is_not_estimated(rich: Shop, shop: Shop) -> None:
    assert isinstance(cost(rich, texts=9, model="openai:new").expected, CannotSay)
    assert isinstance(cost(shop, texts=9).expected, CannotSay)


def test_an_unpriced_endpoint_is_refused_with_the_line_to_write(
    rich: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPKEEPER_OPENAI_URL", "http://127.0.0.1:9/v1")
    with pytest.raises(BadInput, match="not known") as raised:
        try_(rich, "hi", model="openai:new")
    assert '"new" = [SENT, WRITTEN]' in raised.value.hint


@pytest.mark.parametrize("policy", ["granted", "not_refused"])
def test_consent_and_restriction_decide_whose_texts_may_leave(tmp_path: Path, policy: str) -> None:
    made = Settings.model_validate({"model_texts": policy})
    with Shop.create(tmp_path / "shop", made) as shop:
        proof = {"form": "privacy page"}
        said = {
            "yes": ["GRANT"],
            "no": ["DENY"],
            "back": ["GRANT", "REVOKED"],
            "again": ["DENY", "GRANT"],
        }
        for customer, words in said.items():
            for day, word in enumerate(words, 1):
                when = datetime(2026, 1, day, tzinfo=UTC)
                shop.consent.record(customer, PURPOSE, CHANNEL, word, when, proof)
        shop.consent.record(
            "other", "marketing", "email", "DENY", datetime(2026, 1, 1, tzinfo=UTC), proof
        )
        shop.consent.record(
            "hidden", PURPOSE, CHANNEL, "GRANT", datetime(2026, 1, 1, tzinfo=UTC), proof
        )
        shop.restrictions.add(["hidden"], "asked for")
        may_send = consenting(shop)
        silent = policy == "not_refused"
        expected = {"yes": True, "again": True, "no": False, "back": False, "hidden": False}
        for customer, allowed in {**expected, "other": silent, "unknown": silent}.items():
            assert may_send(_about(customer)) is allowed, customer
        assert may_send(_about())
        assert not may_send(_about("yes", "no"))


def _about(*customers: str) -> Request:
    return Request((Message("user", "x"),), "p", about=customers)


def test_the_opened_model_is_held_to_the_shops_settings(
    rich: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOPKEEPER_OPENAI_URL", "http://127.0.0.1:9/v1")
    monkeypatch.setenv("SHOPKEEPER_MODEL_PRICES", "far=0/0")
    with Shop.open(rich.folder) as again:
        opened = open_model(again, "openai:far")
        with pytest.raises(NotSent):
            opened.complete(_about("somebody"))
        opened.close()


def test_order_numbers_of_the_shop_are_masked(tmp_path: Path) -> None:
    script = tmp_path / "s.toml"
    script.write_text('[[rule]]\nmatch = "SO\\\\d"\nreply = "seen"\n[[rule]]\nreply = "masked"\n')
    settings = Settings(model=f"scripted:{script}", order_numbers=(r"SO\d{10}",))
    with Shop.create(tmp_path / "shop", settings) as shop:
        assert try_(shop, "Where is SO2026110001?").answer == "masked"
