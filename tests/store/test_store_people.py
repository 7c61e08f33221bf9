from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from shopkeeper.core.errors import BadInput, Conflict, NotFound, UnknownName
from shopkeeper.core.operation import READ, WRITE
from shopkeeper.store import tables
from shopkeeper.store.database import Database
from shopkeeper.store.people import persons as people
from shopkeeper.store.people.persons import Persons

WORDS = "correct horse battery"


@pytest.fixture(autouse=True)
def light_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The same algorithm with less memory: the default's cost is asserted below."""
    monkeypatch.setattr(people, "_hasher", PasswordHasher(time_cost=1, memory_cost=1024))
    people._decoy.cache_clear()
    yield
    people._decoy.cache_clear()


def test_the_shipped_hash_is_argon2id_of_at_least_64_mib() -> None:
    shipped = PasswordHasher()
    assert (shipped.type.name, shipped.memory_cost >= 65_536, shipped.time_cost >= 3) == (
        "ID",
        True,
        True,
    )


def test_a_password_opens_its_own_account_alone(database: Database) -> None:
    persons = Persons(database)
    persons.add("ann@example.com", WORDS, "owner")
    persons.add("bob@example.com", "four other words here", "viewer")
    actor = persons.check("ann@example.com", WORDS)
    assert actor is not None
    assert (actor.kind, actor.name) == ("person", "ann@example.com")
    for name, password in (
        ("ann@example.com", "four other words here"),
        ("ann@example.com", ""),
        ("ann@example.com", WORDS + " "),
        ("bob@example.com", WORDS),
        ("eve@example.com", WORDS),
        ("", ""),
    ):
        assert persons.check(name, password) is None


def test_there_is_nobody_at_first(database: Database) -> None:
    assert list(Persons(database).list()) == []
    for name in ("admin", "owner", "root"):
        assert Persons(database).check(name, name) is None


def test_passwords_are_never_stored_in_clear(database: Database) -> None:
    persons = Persons(database)
    persons.add("ann", WORDS, "owner")
    persons.add("bob", WORDS, "owner")
    with database.connect() as connection:
        hashes = list(connection.scalars(select(tables.people.c.password_hash)))
    assert all(one.startswith("$argon2id$") and "horse" not in one for one in hashes)
    assert hashes[0] != hashes[1]  # salted


def test_an_unknown_name_costs_a_verification_too(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    class Counted(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002
            calls.append(str(hash))
            return super().verify(hash, password)

    monkeypatch.setattr(people, "_hasher", Counted(time_cost=1, memory_cost=1024))
    persons = Persons(database)
    persons.add("ann", WORDS, "owner")
    persons.check("ann", "something wrong")
    persons.check("nobody", "something wrong")
    assert len(calls) == 2
    assert calls[0].split("$")[1:4] == calls[1].split("$")[1:4]  # the same parameters


def test_a_hash_of_old_parameters_is_renewed_at_sign_in(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    persons = Persons(database)
    persons.add("ann", WORDS, "owner")
    monkeypatch.setattr(people, "_hasher", PasswordHasher(time_cost=2, memory_cost=1024))
    assert persons.check("ann", WORDS)
    with database.connect() as connection:
        stored = connection.execute(select(tables.people.c.password_hash)).scalar_one()
    assert "t=2" in stored
    assert persons.check("ann", WORDS)


def test_the_same_keys_typed_on_another_system_open_it(database: Database) -> None:
    persons = Persons(database)
    persons.add("ann", "caf\u00e9 au lait frais", "owner")
    assert persons.check("ann", "cafe\u0301 au lait frais")


@pytest.mark.parametrize(
    ("password", "message"),
    [
        ("short", "5 characters; 12 to"),
        ("x" * 1_001, "1001 characters"),
        ("aaaaaaaaaaaa", "too easy"),
        ("ann-wang123", "11 characters"),
        ("ann-wang1234", "too easy"),
    ],
)
def test_weak_passwords_are_refused(database: Database, password: str, message: str) -> None:
    persons = Persons(database)
    with pytest.raises(BadInput, match=message) as raised:
        persons.add("ann-wang", password, "owner")
    assert password not in str(raised.value)
    assert list(persons.list()) == []


def test_names_are_unique_and_roles_known(database: Database) -> None:
    persons = Persons(database)
    persons.add("ann", WORDS, "owner")
    with pytest.raises(Conflict, match="already a person named 'ann'"):
        persons.add("ann", "another good password", "viewer")
    with pytest.raises(UnknownName, match="Did you mean 'owner'"):
        persons.add("bob", WORDS, "owners")  # type: ignore[arg-type]
    with pytest.raises(BadInput):
        persons.add("with blank", WORDS, "owner")
    assert persons.check("ann", WORDS)


def test_a_disabled_person_is_not_let_in(database: Database) -> None:
    persons = Persons(database)
    persons.add("ann", WORDS, "owner")
    persons.disable("ann")
    assert persons.check("ann", WORDS) is None
    assert persons.list()[0].disabled_at is not None
    with pytest.raises(NotFound):
        persons.disable("ann")


def test_a_changed_password_replaces_the_old_one(database: Database) -> None:
    persons = Persons(database)
    persons.add("ann", WORDS, "owner")
    persons.set_password("ann", "another good password")
    assert persons.check("ann", WORDS) is None
    assert persons.check("ann", "another good password")
    with pytest.raises(NotFound):
        persons.set_password("eve", "another good password")


def test_roles_may_do_what_they_say(database: Database) -> None:
    persons = Persons(database)
    actors = {}
    for role in ("viewer", "editor", "approver", "owner"):
        persons.add(role, WORDS, role)
        actors[role] = persons.check(role, WORDS)
    may = {
        role: (
            actor.may("metrics", READ),
            actor.may("audit", READ),
            actor.may("jobs", WRITE),
            actor.may("keys", WRITE),
        )
        for role, actor in actors.items()
        if actor is not None
    }
    assert may["viewer"] == (True, True, False, False)
    assert may["editor"][0:2] == may["approver"][0:2] == (True, True)
    assert may["editor"][3] is may["approver"][3] is False
    assert may["owner"] == (True, True, True, True)
