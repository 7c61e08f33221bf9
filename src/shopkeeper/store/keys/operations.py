"""Keys for programs and web pages that talk to the shop."""

from __future__ import annotations

from shopkeeper.core.errors import NotAllowed
from shopkeeper.core.operation import READ, WRITE, Context, operation
from shopkeeper.store.keys.types import Key, KeyKind, KeyList, NewKey


@operation(effect=WRITE, example={"name": "web", "kind": "browser"})
def create(
    ctx: Context, name: str, kind: KeyKind = "server", scopes: tuple[str, ...] = ()
) -> NewKey:
    """A new API key and its secret, which is shown this once.

    A ``browser`` key may only send events. A ``server`` key may send events and revenue, or what its
    scopes say: ``metrics:read``, ``*:read``, ``collect:write`` …; never more than who makes it may.
    """
    for scope in scopes or ("intake:write",):
        if not ctx.actor.holds(scope):
            raise NotAllowed(
                f"{ctx.actor.name} may not give the scope {scope!r}, which it does not hold.",
                hint="Ask the owner to make this key.",
                field="scopes",
            )
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
