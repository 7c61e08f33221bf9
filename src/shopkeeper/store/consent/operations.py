"""Consent: what customers allow and refuse, by purpose and channel.

A capability of its own, so that the key of a check-out or of a preference page can be given
``consent:write`` and nothing else.
"""

from __future__ import annotations

from datetime import datetime

from shopkeeper.core.operation import READ, WRITE, Context, operation
from shopkeeper.store.consent.types import Consents, Recorded, Said

_EXAMPLE = {
    "customer_id": "C1",
    "purpose": "marketing",
    "channel": "email",
    "status": "GRANT",
    "source": "checkout form",
    "text": "Send me offers by e-mail.",
    "time": "2026-03-01T12:00:00Z",
}


@operation(effect=WRITE, example=_EXAMPLE)
def record(  # noqa: PLR0913, PLR0917 - what a statement consists of
    ctx: Context,
    customer_id: str,
    purpose: str,
    channel: str,
    status: Said,
    source: str,
    text: str = "",
    time: datetime | None = None,
) -> Recorded:
    """Keep what a customer said, with its proof: where (``source``) and on which words (``text``).

    The latest statement by its own ``time`` (now, if not given) holds. The same statement sent again is
    kept once; without a time, one that says what holds already on the same proof changes nothing.
    """
    from shopkeeper.store.consent.recording import Told
    from shopkeeper.store.consent.recording import record as keep

    return keep(ctx.shop, customer_id, Told(purpose, channel, status, source, text, time))


@operation(effect=READ, example={"customer_id": "C1"})
def history(ctx: Context, customer_id: str) -> Consents:
    """What a customer allows now and everything they ever said about it, under any id of theirs."""
    from shopkeeper.store.consent.recording import consents

    return consents(ctx.shop, customer_id)
