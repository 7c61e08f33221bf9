"""Holding messages up, letting them go, stopping them, and the rules that hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from shopkeeper.contact.channels.base import plug
from shopkeeper.contact.policy import Policy, current
from shopkeeper.contact.types import Changed, Rules
from shopkeeper.core.errors import BadInput, NotFound
from shopkeeper.shop.shop import Shop
from shopkeeper.store.contact_controls import ALL, Controls
from shopkeeper.store.contact_policies import ContactPolicies
from shopkeeper.store.messages import WAITING, State
from shopkeeper.store.outbox import Outbox

_COLUMNS: Final = {"channel": "channel", "step": "step", "campaign": "campaign_id"}
_PROVIDER: Final = "provider"


def pause(shop: Shop, name: str, reason: str) -> Changed:
    """Hold up what goes by that name."""
    _parts(name)
    Controls(shop.database).set(name, "paused", reason)
    return Changed(changed=1)


def resume(shop: Shop, name: str) -> Changed:
    """Let it go on, or :class:`NotFound` where nothing held it up."""
    if name.partition(":")[0] != _PROVIDER:
        _parts(name)
    if not Controls(shop.database).free(name):
        raise NotFound(
            f"{name!r} is not held up.", hint="See: shopkeeper contact status", field="name"
        )
    return Changed(changed=1)


def stop(shop: Shop, name: str) -> Changed:
    """Cancel what has not left; how many messages."""
    kind, value = _parts(name)
    where = {} if kind == ALL else {_COLUMNS[kind]: value}
    return Changed(changed=Outbox(shop.database).cancel(where, "stopped", shop.now()))


def hold_restored(shop: Shop) -> bool:
    """In a shop that was restored from a backup, send nothing by itself; whether there was something.

    What waits in the backup may have left after it was made.
    """
    states = {state for (state, _) in Outbox(shop.database).counts("state")}
    if not states & {*WAITING, State.SENDING.value}:
        return False
    reason = "restored from a backup: what waits may have left since; stop it, or resume"
    Controls(shop.database).set(ALL, "paused", reason)
    return True


def _parts(name: str) -> tuple[str, str]:
    kind, _, value = name.partition(":")
    if name != ALL and (kind not in _COLUMNS or not value):
        raise BadInput(
            f"{name!r} names nothing that can be held up.",
            hint="Write all, channel:<name>, step:<name> or campaign:<name>.",
            field="name",
        )
    if kind == "channel":
        plug(value)
    return kind, value


def rules(shop: Shop) -> Rules:
    """The rules that hold."""
    version, policy = current(shop.database)
    return Rules(version=version, policy=policy.model_dump(mode="json"))


def set_rules(shop: Shop, told: Mapping[str, Any]) -> Rules:
    """Let these rules hold, or :class:`BadInput` that names the wrong one."""
    try:
        policy = Policy.model_validate(dict(told))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(("policy", *map(str, first["loc"])))
        raise BadInput(f"{where}: {first['msg']}.", field=where) from error
    for pace in policy.paces:
        plug(pace.channel)
    for cap in policy.caps:
        if cap.channel:
            plug(cap.channel)
    ContactPolicies(shop.database).put(policy.model_dump(mode="json"))
    return rules(shop)
