"""Keys for programs and web pages that talk to the shop."""

from __future__ import annotations

from shopkeeper.core.operation import READ, WRITE, Context, operation
from shopkeeper.store.keys.types import Key, KeyKind, KeyList, NewKey


@operation(effect=WRITE, example={"name": "web", "kind": "browser"})
def create(
    ctx: Context, name: str, kind: KeyKind = "server", scopes: tuple[str, ...] = ()
) -> NewKey:
    """A new API key and its secret, which is shown this once.

    A ``browser`` key may only send events. A ``server`` key may send events and revenue, or what its
    scopes say: ``metrics:read``, ``*:read``, ``imports:write`` …
    """
    key, secret = ctx.shop.keys.create(name, scopes, kind)
    return NewKey(key=key, secret=secret)


@operation(effect=READ, example={})
def show(ctx: Context) -> KeyList:
    """Every key that was ever made, the newest first, without its secret."""
    return KeyList(keys=tuple(ctx.shop.keys.list()))


@operation(effect=WRITE, example={"key": "web"})
def revoke(ctx: Context, key: str) -> Key:
    """The key, named by its id or name, which opens nothing from now on."""
    return ctx.shop.keys.revoke(key)
