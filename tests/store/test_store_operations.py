from __future__ import annotations

import subprocess
import sys

import pytest

from shopkeeper.core import operation
from shopkeeper.core.errors import BadInput, NotAllowed
from shopkeeper.core.operation import Actor, Context
from shopkeeper.shop import Shop
from shopkeeper.store.audit import operations as audit
from shopkeeper.store.keys import operations as keys


def test_keys_and_audit_are_capabilities() -> None:
    assert list(operation.of("keys")) == ["create", "show", "revoke"]
    assert list(operation.of("audit")) == ["verify", "entries"]


def test_making_and_revoking_a_key_is_audited_without_its_secret(shop: Shop) -> None:
    new = keys.create(shop, name="web", kind="browser")
    actor = shop.keys.find(new.secret)
    assert actor is not None
    assert keys.revoke(shop, key="web").revoked_at is not None
    assert [key.name for key in keys.show(shop).keys] == ["web"]
    found = audit.entries(shop)
    assert [entry.operation for entry in found.entries] == ["keys.revoke", "keys.create"]
    assert {entry.actor for entry in found.entries} == {"local:owner"}
    assert new.secret not in found.model_dump_json()
    check = audit.verify(shop)
    assert (check.ok, check.entries, check.head) == (True, 2, found.entries[0].hash)


def test_who_lacks_the_right_makes_no_key(shop: Shop) -> None:
    viewer = Context(shop, Actor("person", "ann", frozenset({"*:read"})))
    with pytest.raises(NotAllowed, match="keys:write"):
        keys.create(viewer, name="web")
    with pytest.raises(BadInput, match="kind"):
        keys.create(shop, name="web", kind="both")  # type: ignore[arg-type]
    assert keys.show(viewer).keys == ()


def test_declaring_the_operations_loads_no_database_library() -> None:
    code = (
        "import sys; import shopkeeper.store.keys.operations, shopkeeper.store.audit.operations; "
        "sys.exit(','.join(m for m in ('sqlalchemy', 'alembic', 'argon2') if m in sys.modules) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_key_cannot_make_a_key_that_may_do_more_than_itself(shop: Shop) -> None:
    key = Context(shop, Actor("server", "ci", frozenset({"keys:write", "metrics:read"})))
    assert keys.create(key, "reader", scopes=("metrics:read",)).key.scopes == ("metrics:read",)
    with pytest.raises(NotAllowed, match="intake:write"):
        keys.create(key, "default")
    for scope in ("*:*", "metrics:write", "audit:read", "*:read"):
        with pytest.raises(NotAllowed, match="does not hold"):
            keys.create(key, f"more-{len(scope)}", scopes=(scope,))
