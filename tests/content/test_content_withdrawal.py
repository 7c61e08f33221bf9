"""Taking an approval back: who may, what it does to the version, and what stays."""

from __future__ import annotations

from typing import Any

import pytest
from tests.content.conftest import ALL, PARTS, TEXT, Approve, person

from shopkeeper.content.approved import approved, as_sent, withdrawn_at
from shopkeeper.content.operations import (
    approve,
    draft,
    edit,
    list_,
    show,
    submit,
    versions,
    withdraw,
)
from shopkeeper.core.errors import BadInput, Conflict, NotAllowed, NotFound
from shopkeeper.core.operation import Actor, Context
from shopkeeper.governance.operations import erase
from shopkeeper.shop import Shop
from shopkeeper.store.people.persons import scopes

EDITOR, APPROVER = scopes("editor"), scopes("approver")
LATER: dict[str, dict[str, Any]] = {"en": {"subject": "Tea again", "text": TEXT}}


def test_what_was_withdrawn_is_neither_offered_nor_sent_and_can_still_be_told(
    tea: Shop, make: Approve
) -> None:
    version = make()
    shown = withdraw(person(tea, "bo"), "W1", 1, " The price is wrong. ")
    assert (shown.state, shown.approved_version) == ("withdrawn", None)
    assert shown.withdrawn is not None
    assert (shown.withdrawn.by, shown.withdrawn.reason) == ("bo", "The price is wrong.")
    assert shown.decided_by == "bo"
    for number in (None, 1):
        with pytest.raises(Conflict, match=r"No version of W1|withdrawn by bo: The price is wrong"):
            approved(tea, "W1", number)
    kept = as_sent(tea, "W1", 1)
    assert kept.withdrawn == shown.withdrawn
    assert kept.model_copy(update={"withdrawn": None}) == version
    assert withdrawn_at(tea, "W1@1") == shown.withdrawn.at
    assert list_(tea, "approved").templates == ()
    assert [one.template_id for one in list_(tea, "withdrawn").templates] == ["W1"]
    [row] = versions(tea, "W1").versions
    assert (row.state, row.withdrawn) == ("withdrawn", shown.withdrawn)


def test_an_older_approved_version_may_be_sent_again_and_an_edit_begins_the_next(
    tea: Shop, make: Approve
) -> None:
    make()
    edit(person(tea, "ann"), "W1", LATER, ("tea",))  # type: ignore[arg-type]
    submit(person(tea, "ann"), "W1")
    plan = approve(person(tea, "bo"), "W1", 2).plan
    assert plan is not None
    approve(person(tea, "bo"), "W1", 2, confirm=plan.hash)
    withdraw(person(tea, "ann"), "W1", 2, "too early")
    assert approved(tea, "W1").version == 1
    assert show(tea, "W1").approved_version == 1
    third = edit(person(tea, "cy"), "W1", LATER, ("tea",))  # type: ignore[arg-type]
    assert (third.version, third.state, third.author) == (3, "draft", "cy")
    withdraw(person(tea, "bo"), "W1", 1, "while the next is being written")
    assert show(tea, "W1").state == "draft"
    with pytest.raises(Conflict, match="No version of W1 is approved"):
        approved(tea, "W1")


def test_authors_and_approvers_may_and_nobody_else(tea: Shop, make: Approve) -> None:
    make()
    with pytest.raises(NotAllowed, match="neither wrote"):
        withdraw(person(tea, "cy", EDITOR), "W1", 1, "no")
    with pytest.raises(NotAllowed, match="neither wrote"):
        withdraw(person(tea, "ann", EDITOR, kind="agent"), "W1", 1, "no")
    assert withdraw(person(tea, "ann", EDITOR), "W1", 1, "mine").state == "withdrawn"
    make()
    assert withdraw(person(tea, "dan", APPROVER), "W2", 1, "not ours").state == "withdrawn"


def test_only_what_is_approved_can_be_withdrawn_once_and_with_a_reason(
    tea: Shop, make: Approve
) -> None:
    make()
    with pytest.raises(BadInput, match="Say why"):
        withdraw(person(tea, "bo"), "W1", 1, "   ")
    with pytest.raises(NotFound, match="no version 7"):
        withdraw(person(tea, "bo"), "W1", 7, "why")
    with pytest.raises(NotFound):
        withdraw(person(tea, "bo"), "W9", 1, "why")
    withdraw(person(tea, "bo"), "W1", 1, "why")
    with pytest.raises(Conflict, match="withdrawn by bo"):
        withdraw(person(tea, "ann"), "W1", 1, "again")
    draft(person(tea, "ann"), "Second", PARTS, item_ids=("tea",))  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="version 1 is draft"):
        withdraw(person(tea, "bo"), "W2", 1, "never approved")


def test_every_withdrawal_is_in_the_audit(tea: Shop, make: Approve) -> None:
    make()
    withdraw(person(tea, "bo"), "W1", 1, "why")
    newest = tea.audit.entries().entries[0]
    assert newest.operation == "content.withdraw"
    assert newest.actor.startswith("person-")


@pytest.mark.parametrize("told", ["", "W1", "W1@", "W1@x", "W1@9", "spring@1", "W1@" + "9" * 40])
def test_a_programs_own_name_for_its_words_is_no_withdrawn_version(tea: Shop, told: str) -> None:
    assert withdrawn_at(tea, told) is None


def test_an_erasure_takes_a_customer_out_of_the_reason(tea: Shop, make: Approve) -> None:
    make({"en": {"subject": "Hi", "text": "Tea. {{ unsubscribe_url }}"}})
    tea.people.upsert([{"customer_id": "C9", "traits": {"email": "zoe.quill@example.com"}}])
    withdraw(person(tea, "bo"), "W1", 1, "zoe.quill@example.com complained")
    owner = Context(tea, Actor("local", "owner", ALL))
    asked = erase(owner, ["C9"])
    assert asked.plan is not None
    assert erase(owner, ["C9"], confirm=asked.plan.hash) is not None
    gone = show(tea, "W1").withdrawn
    assert gone is not None
    assert "quill" not in gone.reason
    assert gone.by == "bo"
