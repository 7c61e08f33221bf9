"""Suggestions as people and programs are shown them, with what became of those that were taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, Literal

from shopkeeper.advice import gaining
from shopkeeper.advice.types import (
    Advice,
    Became,
    Line,
    Overlap,
    Reach,
    Silent,
    Suggestion,
    What,
    Whom,
)
from shopkeeper.advice.wording import Words
from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay
from shopkeeper.shop.shop import Shop
from shopkeeper.store.campaigns import Campaigns, Stored
from shopkeeper.store.suggestions import DISMISSED, GONE, OPEN, TAKEN, Suggestions
from shopkeeper.store.suggestions import Suggestion as Kept

Which = Literal["open", "taken", "dismissed", "gone", "all"]

_STATES: Final = (OPEN, TAKEN, DISMISSED, GONE)
_NO_RESULT: Final = "The campaign has no result yet."


def listed(shop: Shop, which: Which, lang: Language) -> Advice:
    """The suggestions of a state, the open ones by rank, others the newest first."""
    kept = Suggestions(shop.database)
    look = kept.look()
    rows = kept.all(_STATES if which == "all" else (which,))
    if which in (OPEN, "all"):
        rows.sort(key=lambda one: (one.state != OPEN, one.body["rank"] if one.state == OPEN else 0))
    words = Words(lang, shop.settings.currency)
    missing = None
    if look is None:
        missing = CannotSay(reason="Nobody has looked yet.", needed="shopkeeper advice refresh")
    elif not rows:
        missing = CannotSay(
            reason="No suggestion stands in this state.",
            needed="what each silent rule says that it takes",
        )
    return Advice(
        suggestions=_shown(shop, rows, lang),
        silent=tuple(
            Silent(rule=one, called=words(f"{one}.called"), text=words(f"{one}.silent"))
            for one in (look.silent if look else ())
        ),
        as_of=date.fromisoformat(look.as_of) if look else None,
        made_at=look.at if look else None,
        seconds=look.seconds if look else None,
        cannot_say=missing,
    )


def shown(shop: Shop, suggestion_id: str, lang: Language) -> Suggestion:
    """One suggestion."""
    return _shown(shop, [Suggestions(shop.database).get(suggestion_id)], lang)[0]


def _shown(shop: Shop, rows: Sequence[Kept], lang: Language) -> tuple[Suggestion, ...]:
    others = {(o.rule, o.subject): o for o in Suggestions(shop.database).all((OPEN,))}
    campaigns: dict[str, list[Stored]] = {}
    for one in Campaigns(shop.database).all():
        if one.advice:
            campaigns.setdefault(one.advice, []).append(one)
    return tuple(_one(row, others, campaigns.get(row.id, []), lang) for row in rows)


def _one(
    row: Kept,
    others: Mapping[tuple[str, str], Kept],
    campaigns: Sequence[Stored],
    lang: Language,
) -> Suggestion:
    body = row.body
    said = body["said"][lang]
    return Suggestion(
        suggestion_id=row.id,
        rule=row.rule,
        subject=row.subject,
        state=row.state,  # type: ignore[arg-type]  # the store keeps these alone
        reason=row.reason,
        rank=body["rank"],
        ranked_by=said["ranked_by"],
        title=said["title"],
        whom=Whom(
            definition=body["definition"],
            sentence=said["sentence"],
            customers=body["customers"],
            segment_id=body.get("segment_id"),
        ),
        what=What(
            text=said["what"],
            occasion=body["occasion"],
            item_ids=body["item_ids"],
            titles=body["titles"],
            category=body["category"],
            care=body["care"],
        ),
        why=lines(row, lang),
        channel=body["channel"],
        reach=tuple(Reach.model_validate(one) for one in body["reach"]),
        expected=_told(body, said, "expected"),
        expected_from=body["expected_from"],
        at_stake=_told(body, said, "at_stake"),
        cost=_told(body, said, "cost"),
        risks=said["risks"],
        test=_told(body, said, "test"),
        overlaps=_overlaps(body, others, lang) if row.state == OPEN else (),
        as_of=body["as_of"],
        first_at=row.first_at,
        made_at=row.made_at,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        quiet_until=row.quiet_until,
        became=tuple(_became(one) for one in campaigns),
    )


def _told(body: Mapping[str, Any], said: Mapping[str, Any], name: str) -> Any:
    """A figure, or why there is none in words of the language."""
    why = said["cannot"].get(name)
    return CannotSay(**why) if why else body[name]


def lines(row: Kept, lang: Language) -> tuple[Line, ...]:
    """Its evidence, with the words of one language."""
    texts = row.body["said"][lang]["lines"]
    return tuple(
        Line.model_validate({**told, "text": words})
        for told, words in zip(row.body["lines"], texts, strict=True)
    )


def _overlaps(
    body: Mapping[str, Any], others: Mapping[tuple[str, str], Kept], lang: Language
) -> tuple[Overlap, ...]:
    """Those that are still open."""
    found = []
    for told in body["overlaps"]:
        other = others.get((told["rule"], told["subject"]))
        if other is not None:
            found.append(
                Overlap(
                    suggestion_id=other.id,
                    title=other.body["said"][lang]["title"],
                    customers=told["customers"],
                    share=told["customers"] / body["customers"],
                )
            )
    return tuple(found)


def _became(campaign: Stored) -> Became:
    """The arm with most messages stands for the campaign."""
    arms = gaining.arms(campaign)
    main = max(arms.values(), key=lambda arm: arm.get("sent", 0), default=None)
    told = {
        name: gaining.estimate((main or {}).get(name), _NO_RESULT)
        for name in ("lift", "revenue", "margin", "cost")
    }
    at = (campaign.result or {}).get("at")
    return Became(
        campaign_id=campaign.id,
        name=campaign.name,
        status=campaign.status,
        sent=sum(int(arm.get("sent", 0)) for arm in arms.values()),
        at=datetime.fromisoformat(at) if isinstance(at, str) else None,
        **told,
    )
