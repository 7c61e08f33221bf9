"""Inviting people, and who may."""

from __future__ import annotations

import pytest

from shopkeeper.core.errors import BadInput, Conflict, NotAllowed, NotSignedIn
from shopkeeper.core.operation import Actor, Context
from shopkeeper.shop import Shop
from shopkeeper.store.people.operations import disable, enable, invite, show
from shopkeeper.store.people.persons import scopes

PASSWORD = "correct horse battery staple"


def as_(shop: Shop, role: str) -> Context:
    return Context(shop, Actor("person", role, scopes(role)))


def test_a_code_works_once_and_only_its_hash_is_kept(shop: Shop) -> None:
    made = invite(shop, "mei", "editor")
    kept = b"".join(path.read_bytes() for path in shop.folder.glob("shop.sqlite*"))
    assert made.code.encode() not in kept
    assert shop.invitations.look(made.code).role == "editor"
    shop.invitations.use(made.code)
    for use in (shop.invitations.look, shop.invitations.use):
        with pytest.raises(NotSignedIn):
            use(made.code)


def test_a_code_expires_and_a_new_one_replaces_the_old(shop: Shop) -> None:
    late = shop.invitations.create("li", "viewer", hours=-0.001)
    with pytest.raises(NotSignedIn):
        shop.invitations.look(late.code)
    first, second = invite(shop, "mei"), invite(shop, "mei")
    with pytest.raises(NotSignedIn):
        shop.invitations.look(first.code)
    assert [i.name for i in show(shop).invited] == ["mei"]
    assert shop.invitations.look(second.code).name == "mei"


def test_only_owners_manage_people(shop: Shop) -> None:
    for role in ("viewer", "editor", "approver"):
        with pytest.raises(NotAllowed):
            invite.run(as_(shop, role), {"name": "x"})
    limited = Context(shop, Actor("server", "k", frozenset({"people:write"})))
    with pytest.raises(NotAllowed, match="make somebody owner"):
        invite.run(limited, {"name": "x", "role": "owner"})
    with pytest.raises(BadInput):
        invite.run(as_(shop, "owner"), {"name": "two words"})


def test_a_person_is_shut_out_and_let_in_and_the_last_owner_stays(shop: Shop) -> None:
    shop.persons.add("boss", PASSWORD, "owner")
    shop.persons.add("mei", PASSWORD, "viewer")
    assert disable(shop, "mei").disabled_at is not None
    assert shop.persons.check("mei", PASSWORD) is None
    assert enable(shop, "mei").disabled_at is None
    assert shop.persons.check("mei", PASSWORD) is not None
    with pytest.raises(Conflict, match="last owner"):
        disable(shop, "boss")


def test_a_known_person_is_invited_with_their_own_role_alone(shop: Shop) -> None:
    shop.persons.add("mei", PASSWORD, "viewer")
    with pytest.raises(Conflict, match="known already"):
        invite(shop, "mei", "owner")
    assert invite(shop, "mei", "viewer").role == "viewer"
