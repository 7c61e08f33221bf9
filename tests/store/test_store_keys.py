from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from sqlalchemy import select

from shopkeeper.core.errors import BadInput, Conflict, NotFound, UnknownName
from shopkeeper.core.operation import READ, WRITE
from shopkeeper.store import tables
from shopkeeper.store.database import Database
from shopkeeper.store.keys.ring import Keys


def test_a_secret_opens_until_it_is_revoked(database: Database) -> None:
    keys = Keys(database)
    key, secret = keys.create("web", ["metrics:read"], "server")
    actor = keys.find(secret)
    assert actor is not None
    assert (actor.kind, actor.name) == ("server", "web")
    assert actor.may("metrics", READ)
    assert not actor.may("metrics", WRITE)
    assert keys.revoke(key.key_id).revoked_at is not None
    assert keys.find(secret) is None
    first = keys.list()[0].revoked_at
    assert keys.revoke("web").revoked_at == first  # again, by name: no error, no change


@pytest.mark.parametrize("change", ["", "x", " ", "\x00", "\ud83d", "键"])
def test_anything_but_the_secret_opens_nothing(database: Database, change: str) -> None:
    keys = Keys(database)
    key, secret = keys.create("web", [], "server")
    for wrong in (secret + change if change else secret[:-1], change, key.key_id, secret.upper()):
        assert keys.find(wrong) is None


def test_secrets_have_256_random_bits(database: Database) -> None:
    keys = Keys(database)
    secrets = {keys.create(f"key{number}", [], "server")[1] for number in range(20)}
    assert len(secrets) == 20
    assert all(one.startswith("sk_") and len(one) == 3 + 43 for one in secrets)
    assert keys.create("page", [], "browser")[1].startswith("bk_")


def test_a_secret_is_never_stored(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    database = Database(f"sqlite:///{path}")
    database.migrate()
    key, secret = Keys(database).create("web", [], "server")
    with database.connect() as connection:
        digest = connection.execute(select(tables.keys.c.digest)).scalar_one()
    database.close()
    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert digest == hashlib.sha256(secret.encode()).digest()
    assert key.key_id.encode() in stored
    assert secret[3:].encode() not in stored
    assert secret[3:] not in repr(key)


def test_a_browser_key_may_send_events_and_nothing_else(database: Database) -> None:
    keys = Keys(database)
    key, secret = keys.create("page", [], "browser")
    actor = keys.find(secret)
    assert actor is not None
    assert actor.kind == "browser"
    assert key.scopes == ("intake:write",)
    assert actor.may("intake", WRITE)
    for capability in ("metrics", "keys", "imports", "collect", "audit"):
        assert not actor.may(capability, READ)
    with pytest.raises(BadInput, match="public") as raised:
        keys.create("page2", ["metrics:read"], "browser")
    assert raised.value.field == "scopes"


def test_names_are_used_once_even_after_revoking(database: Database) -> None:
    keys = Keys(database)
    keys.create("web", [], "server")
    keys.revoke("web")
    with pytest.raises(Conflict, match="named 'web'"):
        keys.create("web", [], "server")


def test_what_cannot_be_a_key_is_refused(database: Database) -> None:
    keys = Keys(database)
    for name in ("", "Web Shop", "x" * 41, "<b>", "=cmd"):
        with pytest.raises(BadInput, match="cannot name a key"):
            keys.create(name, [], "server")
    with pytest.raises(BadInput, match="not a scope"):
        keys.create("web", ["metrics"], "server")
    with pytest.raises(UnknownName, match="Did you mean 'browser'"):
        keys.create("web", [], "browsers")  # type: ignore[arg-type]
    with pytest.raises(NotFound, match="No key 'web'"):
        keys.revoke("web")
    assert list(keys.list()) == []


def test_finding_a_key_writes_nothing(database: Database) -> None:
    keys = Keys(database)
    _, secret = keys.create("web", [], "server")
    with database.begin():  # the write lock is taken: a find that wrote would wait for it
        assert keys.find(secret)
