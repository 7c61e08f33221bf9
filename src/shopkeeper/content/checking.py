"""Every check on the words of a template: what blocks, what needs a proof, what is allowed and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shopkeeper.contact.policy import current
from shopkeeper.content.checks import claims, law, page, privacy, shape, variables
from shopkeeper.content.checks.scene import Scene, words_of
from shopkeeper.content.facts import known
from shopkeeper.content.spec import spec_of
from shopkeeper.content.types import Body, Check, Evidence, Fact
from shopkeeper.core.errors import NotFound, UnknownName
from shopkeeper.shop.shop import Shop
from shopkeeper.store.consent.purposes import PURPOSES

_ORDER: Final = {"block": 0, "needs_evidence": 1, "allowed": 2}


def checked(
    shop: Shop, body: Body, channel: str, purpose: str
) -> tuple[tuple[Check, ...], tuple[Fact, ...]]:
    """The findings, the worst first, and the facts that the words rest on.

    Raises:
        BadInput: a template that cannot be read; names the part.
        NotFound: an item that the catalogue does not know.
        UnknownName: nobody is asked for consent to that purpose, and it is no service either.
    """
    _refuse_unknown(shop, channel, purpose)
    items = known(shop, body.item_ids)
    for item_id in body.item_ids:
        if item_id not in items:
            raise NotFound(
                f"No item {item_id!r}.", hint="Give ids of the catalogue.", field="item_ids"
            )
    scene = Scene(body, purpose, spec_of(channel), items, tuple(words_of(body)), shop.settings.name)
    for concern in (shape, variables, claims, law, privacy, page):
        concern.look(scene)
    found = [_proven(one, body) for one in scene.found]
    found.sort(key=lambda one: (_ORDER[one.verdict], not one.stops, one.where, one.start))
    return tuple(found), tuple(scene.facts[key] for key in sorted(scene.facts))


def _refuse_unknown(shop: Shop, channel: str, purpose: str) -> None:
    """A misspelt purpose would have no consent, and escape the checks of the one that was meant."""
    spec_of(channel)
    _, policy = current(shop.database)
    asked = (name for name, channels in PURPOSES.items() if channel in channels)
    known = (*asked, *policy.service_purposes)
    if purpose not in known:
        raise UnknownName("purpose", purpose, known, field="purpose")


def stopping(checks: Sequence[Check]) -> list[Check]:
    """Those that keep the words from being submitted."""
    return [one for one in checks if one.stops]


def _proven(check: Check, body: Body) -> Check:
    """The finding with the author's proof, if one covers its place."""
    if check.verdict != "needs_evidence":
        return check
    language, _, name = check.where.partition(".")
    part = next(part for told, part in body.parts.items() if told == language)
    kind, _, variable = name.partition(".")
    source = part.variables[variable] if variable else str(getattr(part, kind))
    for one in body.evidence:
        if _covers(one, source, check):
            return check.model_copy(update={"document": one.document})
    return check


def _covers(evidence: Evidence, source: str, check: Check) -> bool:
    at = source.find(evidence.quote)
    while at >= 0:
        if at <= check.start and check.end <= at + len(evidence.quote):
            return True
        at = source.find(evidence.quote, at + 1)
    return False
