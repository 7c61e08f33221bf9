"""Who changed what, in a log that shows when it was tampered with."""

from __future__ import annotations

from shopkeeper.core.operation import READ, Context, operation
from shopkeeper.store.audit.types import Entries, Verified


@operation(effect=READ, example={})
def verify(ctx: Context, anchor: str = "") -> Verified:
    """Whether the audit log is whole, and where it first is not.

    ``anchor`` is a ``head`` that an earlier check gave and that was kept outside the shop. Without
    one, an attacker who can write to the database could have rewritten the whole log and its head.
    """
    return ctx.shop.audit.verify(anchor)


@operation(effect=READ, example={"limit": 20})
def entries(ctx: Context, limit: int = 50, before: int | None = None) -> Entries:
    """The newest entries, or those before the entry numbered ``before``."""
    return ctx.shop.audit.entries(limit, before)
