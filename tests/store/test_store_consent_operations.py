"""Recording consent as an operation: once, for whom an id stands, only for what the shop asks, audited."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shopkeeper.core.errors import BadInput, NotAllowed, UnknownName
from shopkeeper.core.operation import Actor, Context
from shopkeeper.core.settings import Settings
from shopkeeper.language.types import Message, Request
from shopkeeper.models.backend import consenting
from shopkeeper.recommend.lists import refuses
from shopkeeper.shop.shop import Shop
from shopkeeper.store.consent.operations import history, record
from shopkeeper.store.consent.purposes import MODELS, PERSONALISATION, PURPOSES
from shopkeeper.store.consent.types import Recorded, Standing

DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORDS = "我同意接收优惠信息"


@pytest.fixture
def asking(empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A shop on either kind of database."""
    monkeypatch.setenv("SHOPKEEPER_DATABASE", empty_url)
    with Shop.create(tmp_path / "asking", Settings(name="asking")) as shop:
        yield shop


def standing(shop: Shop, customer: str, about: tuple[str, str]) -> Standing:
    found = history(shop, customer).standing
    return next(one for one in found if (one.purpose, one.channel) == about)


def say(shop: Shop, customer: str, about: tuple[str, str], **given: Any) -> Recorded:
    asked = {"customer_id": customer, "purpose": about[0], "channel": about[1], **given}
    return record.run(Context(shop), asked)


def test_a_statement_is_kept_once_with_its_proof(asking: Shop) -> None:
    about = ("marketing", "sms")
    given = {"status": "GRANT", "source": " checkout ", "text": WORDS, "time": DAY}
    made = say(asking, "ann", about, **given)
    assert made.new
    assert [(s.status, s.time, s.proof) for s in made.statements] == [
        ("GRANT", DAY, {"source": "checkout", "text": WORDS})
    ]
    assert not say(asking, "ann", about, **given).new
    assert say(asking, "ann", about, **(given | {"source": "till"})).new  # another proof
    assert say(asking, "ann", about, status="REVOKED", source="STOP by SMS").new
    again = say(asking, "ann", about, status="REVOKED", source="STOP by SMS")  # sent twice
    assert (again.new, len(again.statements)) == (False, 3)
    assert standing(asking, "ann", about).allowed is False
    assert not asking.consent.may("ann", *about)
    assert asking.consent.may("ann", *about, at=DAY)


def test_where_nothing_is_said_the_answer_is_the_one_that_those_who_ask_give(asking: Shop) -> None:
    answers = {(s.purpose, s.channel): s.allowed for s in history(asking, "nobody").standing}
    assert list(answers) == [(purpose, c) for purpose, cs in PURPOSES.items() for c in cs]
    assert answers[PERSONALISATION] is not refuses(asking, "nobody")
    asked = Request((Message("user", "hi"),), "test", max_tokens=1, about=("nobody",))
    assert answers[MODELS] is consenting(asking)(asked)
    for channel in PURPOSES["marketing"]:
        assert answers["marketing", channel] is asking.consent.may("nobody", "marketing", channel)


@pytest.mark.parametrize("about", [PERSONALISATION, MODELS], ids=["personalisation", "models"])
def test_who_reads_consent_heeds_what_was_recorded(asking: Shop, about: tuple[str, str]) -> None:
    def allowed() -> bool:
        asked = Request((Message("user", "hi"),), "test", max_tokens=1, about=("ann",))
        return consenting(asking)(asked) if about == MODELS else not refuses(asking, "ann")

    for status, expected in (("GRANT", True), ("DENY", False), ("GRANT", True), ("REVOKED", False)):
        say(asking, "ann", about, status=status, source="privacy page")
        assert standing(asking, "ann", about).allowed is expected
        assert allowed() is expected


def test_what_a_visitor_refused_holds_for_the_customer_they_turn_out_to_be(asking: Shop) -> None:
    record(asking, "cookie-7", *PERSONALISATION, status="DENY", source="banner", time=DAY)
    record(asking, "old", "marketing", "email", status="GRANT", source="form", time=DAY)
    asking.people.identify("cookie-7", "ann", "test", DAY)
    asking.people.identify("old", "ann", "test", DAY)
    assert refuses(asking, "ann")
    assert asking.consent.allowed(["ann", "bob"], "marketing", "email") == {"ann"}
    later = {"status": "REVOKED", "source": "link", "time": DAY + timedelta(hours=1)}
    made = say(asking, "old", ("marketing", "email"), **later)
    assert made.customer_id == "ann"
    assert asking.consent.allowed(["ann"], "marketing", "email") == set()
    assert len(history(asking, "cookie-7").statements) == 3


def test_what_nobody_would_heed_is_refused(asking: Shop) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'personalisation'"):
        record(asking, "ann", "personalization", "recommend", "DENY", "page")
    with pytest.raises(UnknownName, match="channel of marketing"):
        record(asking, "ann", "marketing", "fax", "DENY", "page")
    for wrong, field in (
        ({"source": " "}, "source"),
        ({"time": datetime(2026, 1, 1)}, "time"),
        ({"time": datetime.now(UTC) + timedelta(hours=1)}, "time"),
        ({"text": "x" * 5_000}, "text"),
        ({"status": "YES"}, "status"),
    ):
        given = {"status": "DENY", "source": "page"} | wrong
        with pytest.raises(BadInput) as refused:
            record.run(
                Context(asking),
                {"customer_id": "ann", "purpose": "marketing", "channel": "sms", **given},
            )
        assert refused.value.field == field
    assert history(asking, "ann").statements == ()


def test_it_is_audited_without_words_and_a_key_can_be_given_this_alone(asking: Shop) -> None:
    till = Context(asking, Actor("server", "till", frozenset({"consent:write"})))
    record(till, "annabel", "marketing", "sms", "GRANT", "till 4", text=WORDS)
    entry = asking.audit.entries(1).entries[0]
    assert (entry.operation, entry.details["status"], entry.details["purpose"]) == (
        "consent.record",
        "GRANT",
        "marketing",
    )
    assert "annabel" not in str(entry)
    assert WORDS not in str(entry)
    with pytest.raises(NotAllowed):
        record(Context(asking, Actor("key", "web", frozenset({"consent:read"}))), "ann",
               "marketing", "sms", "GRANT", "web")  # fmt: skip
