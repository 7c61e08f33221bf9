"""From a draft to what may be sent: another person decides, about exactly what they saw."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import update
from tests.content.conftest import PARTS, TEXT, Approve, person

from shopkeeper.content.operations import (
    approve,
    draft,
    edit,
    list_,
    reject,
    show,
    submit,
    versions,
)
from shopkeeper.content.rendering import approved
from shopkeeper.core.errors import Conflict, NotAllowed, NotFound, ShopkeeperError
from shopkeeper.core.operation import Context
from shopkeeper.core.subject import Held, Subject, pseudonym
from shopkeeper.shop import Shop
from shopkeeper.store.content_tables import template_versions
from shopkeeper.store.erase import erase
from shopkeeper.store.people.persons import scopes

OTHER: dict[str, dict[str, Any]] = {"en": {"subject": "New", "text": TEXT}}


def _submitted(shop: Shop, who: str = "ann", **more: Any) -> str:
    about: dict[str, Any] = {"item_ids": ("tea",)} | more
    shown = draft(person(shop, who), "Spring", PARTS, **about)  # type: ignore[arg-type]
    submit(person(shop, who), shown.template_id)
    return shown.template_id


def _hash(ctx: Context, template_id: str, version: int = 1) -> str:
    plan = approve(ctx, template_id, version).plan
    assert plan is not None
    return plan.hash


def test_a_version_is_approved_by_another_person_and_keeps_who_and_why(
    tea: Shop, make: Approve
) -> None:
    version = make()
    assert (version.author, version.approver, version.content_id) == ("ann", "bo", "W1@1")
    assert {f.name: f.value for f in version.facts} == {"title": "Spring tea", "price": "99.00 CNY"}
    assert approved(tea, "W1") == version
    listed = list_(tea).templates[0]
    assert (listed.state, listed.approved_version) == ("approved", 1)
    audited = [one.operation for one in tea.audit.entries().entries]
    assert audited[:3] == ["content.approve", "content.submit", "content.draft"]


def test_nobody_approves_their_own_words_and_no_key_approves_any(tea: Shop) -> None:
    template_id = _submitted(tea)
    with pytest.raises(NotAllowed, match="another person"):
        approve(person(tea, "ann"), template_id, 1)
    edit(person(tea, "cy"), template_id, OTHER, item_ids=("tea",))  # type: ignore[arg-type]
    submit(person(tea, "dee"), template_id)
    for writer in ("ann", "cy", "dee"):
        with pytest.raises(NotAllowed, match="another person"):
            approve(person(tea, writer), template_id, 1)
    bo = person(tea, "bo")
    for kind in ("server", "agent", "key"):
        keyed = person(tea, "robot", kind=kind)
        with pytest.raises(NotAllowed, match="only a person"):
            approve(keyed, template_id, 1, confirm=_hash(bo, template_id))
    editor = person(tea, "eve", scopes("editor"))
    with pytest.raises(NotAllowed, match="may not approve"):
        approve(editor, template_id, 1)
    judge = person(tea, "flo", scopes("approver"))
    assert approve(judge, template_id, 1, confirm=_hash(judge, template_id)).version is not None
    with pytest.raises(NotAllowed):
        draft(person(tea, "vi", scopes("viewer")), "x", PARTS)  # type: ignore[arg-type]


def test_an_edit_after_submission_or_a_price_change_voids_what_was_looked_at(tea: Shop) -> None:
    template_id, bo = _submitted(tea), person(tea, "bo")
    seen = _hash(bo, template_id)
    edit(person(tea, "ann"), template_id, OTHER, item_ids=("tea",))  # type: ignore[arg-type]
    assert show(tea, template_id).state == "draft"
    with pytest.raises(Conflict, match="does not wait"):
        approve(bo, template_id, 1, confirm=seen)
    submit(person(tea, "ann"), template_id)
    with pytest.raises(Conflict, match="no longer what was confirmed"):
        approve(bo, template_id, 1, confirm=seen)
    seen = _hash(bo, template_id)
    tea.catalogue.upsert_items([{"item_id": "tea", "price": 109.0}])
    with pytest.raises(Conflict, match="no longer what was confirmed"):
        approve(bo, template_id, 1, confirm=seen)


def test_two_who_approve_at_once_make_one_approval(tea: Shop) -> None:
    template_id = _submitted(tea)
    people = [person(tea, name) for name in ("bo", "cy", "dee")]
    hashes = [_hash(one, template_id) for one in people]
    barrier, outcomes = threading.Barrier(3), []

    def decide(n: int) -> None:
        barrier.wait()
        try:
            approve(people[n], template_id, 1, confirm=hashes[n])
            outcomes.append("approved")
        except ShopkeeperError as error:
            outcomes.append(type(error).__name__)

    threads = [threading.Thread(target=decide, args=(n,)) for n in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(outcomes) == ["Conflict", "Conflict", "approved"]


def test_two_who_edit_at_once_do_not_overwrite_each_other(tea: Shop) -> None:
    first = draft(person(tea, "ann"), "Spring", PARTS, item_ids=("tea",))  # type: ignore[arg-type]
    edit(person(tea, "cy"), "W1", OTHER, item_ids=("tea",), base=first.digest)  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="meanwhile"):
        edit(person(tea, "ann"), "W1", PARTS, base=first.digest)  # type: ignore[arg-type]


def test_what_is_sent_back_says_why_and_the_next_version_follows(tea: Shop) -> None:
    template_id = _submitted(tea)
    with pytest.raises(ShopkeeperError, match="Say why"):
        reject(person(tea, "bo"), template_id, 1, " ")
    back = reject(person(tea, "bo"), template_id, 1, "Too short.")
    assert (back.state, back.reason) == ("rejected", "Too short.")
    edit(person(tea, "ann"), template_id, OTHER, item_ids=("tea",))  # type: ignore[arg-type]
    submit(person(tea, "ann"), template_id)
    bo = person(tea, "bo")
    approve(bo, template_id, 2, confirm=_hash(bo, template_id, 2))
    told = versions(tea, template_id).versions
    assert [(v.version, v.state) for v in told] == [(2, "approved"), (1, "rejected")]


def test_what_is_approved_never_changes_and_an_edit_begins_the_next(
    tea: Shop, make: Approve
) -> None:
    first = make()
    changed = edit(person(tea, "ann"), "W1", OTHER, item_ids=("tea",))  # type: ignore[arg-type]
    assert (changed.version, changed.state, changed.approved_version) == (2, "draft", 1)
    assert changed.before is not None
    assert approved(tea, "W1") == first
    with pytest.raises(Conflict, match="draft, not approved"):
        approved(tea, "W1", 2)
    with pytest.raises(NotFound):
        approved(tea, "W1", 3)
    with pytest.raises(NotFound):
        approved(tea, "S1")
    with tea.database.begin() as connection:
        connection.execute(update(template_versions).values(body={"parts": {"en": {"text": "x"}}}))
    with pytest.raises(Conflict, match="not those that were approved"):
        approved(tea, "W1", 1)


def test_words_with_a_finding_are_kept_as_a_draft_and_never_submitted(tea: Shop) -> None:
    bad = {"en": {"subject": "Hi", "text": "The best tea. {{ unsubscribe_url }}"}}
    shown = draft(person(tea, "ann"), "Bad", bad)  # type: ignore[arg-type]
    assert not shown.ready
    with pytest.raises(Conflict, match="absolute_term"):
        submit(person(tea, "ann"), shown.template_id)


def test_what_a_model_wrote_is_labelled_and_stays_so(tea: Shop, make: Approve) -> None:
    version = make(written_by="openai:any")
    assert "AI" in version.label["en"]
    draft(person(tea, "agent-7", kind="agent"), "By an agent", PARTS, item_ids=("tea",))  # type: ignore[arg-type]
    assert "AI" in show(tea, "W2").label["en"]
    edit(person(tea, "ann"), "W2", OTHER, item_ids=("tea",), written_by="person")  # type: ignore[arg-type]
    assert "AI" in show(tea, "W2").label["en"]


def test_an_erased_customers_address_leaves_the_words_and_the_version_is_not_sent(
    tea: Shop, make: Approve
) -> None:
    tea.people.upsert([{"customer_id": "C9", "traits": {"email": "care.lee@example.com"}}])
    words = {
        "en": {"subject": "Hi", "text": "Write to care.lee@example.com. {{ unsubscribe_url }}"}
    }
    proof = ({"quote": "care.lee@example.com", "document": "our own address, imprint"},)
    make(words, evidence=proof)
    erase(
        tea.database,
        [Subject("C9", pseudonym(), (Held("C9"),), words=("care.lee@example.com",))],
        0,
    )
    assert "care.lee" not in show(tea, "W1", 1).body.model_dump_json()
    with pytest.raises(Conflict, match="not those that were approved"):
        approved(tea, "W1")
