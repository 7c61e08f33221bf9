"""Holding a campaign up, letting it go on, ending it."""

from __future__ import annotations

from shopkeeper.campaigns.designing import campaign_of
from shopkeeper.campaigns.leaving import words_withdrawn
from shopkeeper.campaigns.trying import ended
from shopkeeper.campaigns.types import Campaign
from shopkeeper.contact import controlling
from shopkeeper.core.errors import Conflict
from shopkeeper.shop.shop import Shop
from shopkeeper.store.campaigns import Campaigns
from shopkeeper.store.contact_controls import Controls

_OTHER: tuple[str, ...] = ("segment_changed", "segment_gone")


def pause(shop: Shop, actor: str, campaign_id: str, reason: str) -> Campaign:
    """Hold it up: nobody further is drawn, and what waits in the outbox does not leave."""
    store = Campaigns(shop.database)
    known = store.get(campaign_id)
    note = (shop.now(), actor, "paused", {"reason": reason})
    values = {"status": "paused", "held": known.status, "why": reason}
    done = store.change(known, ("confirmed", "sending"), note, values)
    controlling.pause(shop, _name(campaign_id), reason or f"{actor} paused {campaign_id}")
    return campaign_of(done)


def resume(shop: Shop, actor: str, campaign_id: str) -> Campaign:
    """Let it go on where it was.

    Raises:
        Conflict: it is not held up; its segment is no longer what was confirmed; its words were withdrawn.
    """
    store = Campaigns(shop.database)
    known = store.get(campaign_id)
    if known.status == "paused" and known.why in _OTHER:
        raise Conflict(
            f"The segment of {campaign_id} is no longer the one that was confirmed.",
            hint="Stop it, and confirm a new draft: campaigns draft.",
            field="campaign_id",
        )
    if known.status == "paused" and words_withdrawn(shop, known):
        raise Conflict(
            f"The approval of words of {campaign_id} was taken back.",
            hint="Stop it, and confirm a new draft with other words: campaigns draft.",
            field="campaign_id",
        )
    values = {"status": known.held or "confirmed", "held": "", "why": ""}
    done = store.change(known, ("paused",), (shop.now(), actor, "resumed", {}), values)
    Controls(shop.database).free(_name(campaign_id))
    return campaign_of(done)


def stop(shop: Shop, actor: str, campaign_id: str, reason: str) -> Campaign:
    """End it for good: what has not left is cancelled. Its results stay."""
    store = Campaigns(shop.database)
    known = store.get(campaign_id)
    now = shop.now()
    values = {"status": "stopped", "held": "", "why": reason, "finished_at": now}
    among = ("draft", "confirmed", "sending", "paused")
    done = store.change(known, among, (now, actor, "stopped", {"reason": reason}), values)
    if known.status != "draft":
        # Held up first: what a launcher queues at this moment does not leave either.
        Controls(shop.database).set(_name(campaign_id), "stopped", reason or f"stopped by {actor}")
        controlling.stop(shop, _name(campaign_id))
        ended(shop, done, "the campaign was stopped")
    return campaign_of(done)


def _name(campaign_id: str) -> str:
    return f"campaign:{campaign_id}"
