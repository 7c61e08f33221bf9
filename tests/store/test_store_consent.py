from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shopkeeper.core.errors import BadInput, UnknownName
from shopkeeper.store.consent.statements import Consent
from shopkeeper.store.database import Database

DAY = timedelta(days=1)
PROOF = {"form": "checkout", "text": "我同意接收优惠信息"}


def test_where_nothing_is_recorded_the_answer_is_no(database: Database) -> None:
    assert not Consent(database).may("ann", "marketing", "email")


def test_a_grant_holds_for_its_purpose_and_channel_alone(
    database: Database, noon: datetime
) -> None:
    consent = Consent(database)
    consent.record("ann", "marketing", "email", "GRANT", noon, PROOF)
    now = noon + DAY
    assert consent.may("ann", "marketing", "email", at=now)
    for other in (
        ("bob", "marketing", "email"),
        ("ann", "analysis", "email"),
        ("ann", "marketing", "sms"),
    ):
        assert not consent.may(*other, at=now)


@pytest.mark.parametrize("no", ["DENY", "REVOKED"])
def test_the_latest_statement_wins_whatever_the_order_of_recording(
    database: Database, noon: datetime, no: str
) -> None:
    consent = Consent(database)
    consent.record("ann", "marketing", "email", no, noon + DAY, {})
    consent.record("ann", "marketing", "email", "GRANT", noon, PROOF)  # arrives late
    assert not consent.may("ann", "marketing", "email", at=noon + 2 * DAY)
    assert consent.may("ann", "marketing", "email", at=noon)  # as it was then
    assert not consent.may("ann", "marketing", "email", at=noon - DAY)
    consent.record("ann", "marketing", "email", "GRANT", noon + 2 * DAY, PROOF)
    assert consent.may("ann", "marketing", "email", at=noon + 3 * DAY)


def test_of_two_statements_at_one_time_the_last_recorded_wins(
    database: Database, noon: datetime
) -> None:
    consent = Consent(database)
    consent.record("ann", "marketing", "email", "GRANT", noon, PROOF)
    consent.record("ann", "marketing", "email", "REVOKED", noon, {})
    assert not consent.may("ann", "marketing", "email", at=noon)


def test_a_grant_dated_in_the_future_does_not_hold_yet(database: Database) -> None:
    consent = Consent(database)
    consent.record("ann", "marketing", "email", "GRANT", datetime.now(UTC) + DAY, PROOF)
    assert not consent.may("ann", "marketing", "email")


def test_many_customers_are_asked_at_once(database: Database, noon: datetime) -> None:
    consent = Consent(database)
    for number in range(10):
        status = "GRANT" if number % 2 else "DENY"
        consent.record(f"c{number}", "marketing", "email", status, noon, PROOF)
    asked = (f"c{number}" for number in range(2_000))
    odd = {f"c{number}" for number in range(1, 10, 2)}
    assert consent.allowed(asked, "marketing", "email") == odd


def test_history_keeps_every_statement_with_its_proof(database: Database, noon: datetime) -> None:
    consent = Consent(database)
    consent.record("ann", "marketing", "email", "GRANT", noon, PROOF)
    consent.record("ann", "marketing", "email", "REVOKED", noon + DAY, {"link": "unsubscribe"})
    first, second = consent.history("ann")
    assert (first.status, first.time, first.proof) == ("GRANT", noon, PROOF)
    assert (second.status, second.time) == ("REVOKED", noon + DAY)
    assert first.recorded_at.tzinfo is UTC


def test_what_cannot_be_a_statement_is_refused(database: Database, noon: datetime) -> None:
    consent = Consent(database)
    with pytest.raises(UnknownName, match="Did you mean 'GRANT'"):
        consent.record("ann", "marketing", "email", "GRANTED", noon, PROOF)
    with pytest.raises(BadInput, match="needs a proof"):
        consent.record("ann", "marketing", "email", "GRANT", noon, {})
    with pytest.raises(BadInput, match="customer_id is empty"):
        consent.record("", "marketing", "email", "GRANT", noon, PROOF)
    assert not consent.may("ann", "marketing", "email")
