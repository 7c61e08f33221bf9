"""What careless and hostile authors try: names, purposes and numbers that nobody can mean."""

from __future__ import annotations

from typing import Any

import pytest
from tests.content.conftest import PARTS, person

from shopkeeper.content.operations import check, draft, submit, withdraw
from shopkeeper.core.errors import BadInput, Conflict, ShopkeeperError, UnknownName
from shopkeeper.shop import Shop
from shopkeeper.store.contact_policies import ContactPolicies


def made(shop: Shop, name: str, **more: Any) -> str:
    about = {"item_ids": ("tea",)} | more
    return draft(person(shop, "ann"), name, PARTS, **about).name  # type: ignore[arg-type]


@pytest.mark.parametrize("purpose", ["Marketing", " newsletter", "personalisation", "", "p" * 500])
def test_a_purpose_that_nobody_is_asked_about_does_not_escape_the_checks(
    tea: Shop, purpose: str
) -> None:
    parts: Any = {"en": {"subject": "Hi", "text": "No way out."}}
    for verb in (
        lambda: draft(person(tea, "ann"), "Tea", parts, purpose=purpose),
        lambda: check(tea, parts, purpose=purpose),
    ):
        with pytest.raises(UnknownName) as refused:
            verb()
        assert refused.value.field == "purpose"


def test_the_shops_own_service_purposes_are_known(tea: Shop) -> None:
    parts: Any = {"en": {"subject": "Hi", "text": "Your parcel is on its way."}}
    with pytest.raises(UnknownName):
        check(tea, parts, purpose="parcel")
    ContactPolicies(tea.database).put({"service_purposes": ["service", "parcel"]})
    assert check(tea, parts, purpose="parcel").ready


def test_names_are_one_line_and_not_long(tea: Shop) -> None:
    assert made(tea, "Tea\r\nBcc: all@example.com\x00\u202e") == "Tea Bcc: all@example.com"
    for name in ("", " \n\t", "x" * 121, "x" * 10_000):
        with pytest.raises(BadInput) as refused:
            made(tea, name)
        assert refused.value.field == "name"


def test_a_subject_with_a_line_break_is_never_submitted(tea: Shop) -> None:
    parts: Any = {
        "en": {"subject": "Hi\r\nBcc: all@example.com", "text": "Tea. {{ unsubscribe_url }}"}
    }
    shown = draft(person(tea, "ann"), "Tea", parts)
    with pytest.raises(Conflict, match="control_character"):
        submit(person(tea, "ann"), shown.template_id)


@pytest.mark.parametrize("version", [0, -1, 10**30])
def test_numbers_beyond_all_versions_are_refused(tea: Shop, version: int) -> None:
    with pytest.raises(ShopkeeperError) as refused:
        withdraw(person(tea, "bo"), "W1", version, "why")
    assert refused.value.field == "version"
