"""Proposals for an item and a segment: what is so, written by the house and by a model, and checked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from shopkeeper.content.checking import checked, stopping
from shopkeeper.content.facts import known
from shopkeeper.content.house import grammar
from shopkeeper.content.house.grammar import HOUSE, LANGUAGES, VARIANTS, Subject
from shopkeeper.content.modelling import write
from shopkeeper.content.occasions import OCCASIONS, Ground, ground, missing, price_proof
from shopkeeper.content.spec import Spec, spec_of
from shopkeeper.content.types import Body, Check, Dropped, Occasion, Proposal, Proposals
from shopkeeper.core.errors import (
    BadInput,
    CannotAnswer,
    ModelFailed,
    NotSent,
    OverBudget,
)
from shopkeeper.shop.shop import Shop

_DRAFTS: Final = 2
"""By the grammar for each occasion."""
_ONLY_A_PERSON: Final = frozenset({"template_id_missing", "label_missing"})


@dataclass(frozen=True)
class Wanted:
    """What is asked for; without occasions every one that holds, without a model the shop's own."""

    item_id: str
    segment_id: str
    channel: str
    purpose: str
    occasions: tuple[Occasion, ...]
    model: str


def propose(shop: Shop, wanted: Wanted) -> Proposals:
    """See the operation of this name.

    Raises:
        NotFound: no such item or segment.
        BadInput: the item has no title.
    """
    spec = spec_of(wanted.channel)
    there = ground(shop, wanted.item_id, wanted.segment_id)
    if not there.row.get("title"):
        raise BadInput(
            f"Item {wanted.item_id!r} has no title.", hint="Give it one.", field="item_id"
        )
    drafts: list[Proposal] = []
    dropped: list[Dropped] = []
    for occasion in wanted.occasions or OCCASIONS:
        for one in _of(shop, wanted, spec, there, occasion):
            if isinstance(one, Proposal):
                drafts.append(one)
            else:
                dropped.append(one)
    return Proposals(
        item_id=wanted.item_id,
        segment=there.segment,
        members=there.members,
        drafts=tuple(drafts),
        dropped=tuple(dropped),
    )


def _of(
    shop: Shop, wanted: Wanted, spec: Spec, there: Ground, occasion: Occasion
) -> Iterator[Proposal | Dropped]:
    why = missing(occasion, there, shop.now())
    if why:
        yield Dropped(occasion=occasion, written_by=HOUSE, why=why)
        return
    proof = price_proof(there) if occasion == "price_cut" else ""
    about = Subject(
        known(shop, [wanted.item_id])[wanted.item_id], _signature(shop.settings.name), proof
    )
    first = grammar.seed(wanted.item_id, occasion)
    for number in range(1 if spec.provider else min(_DRAFTS, VARIANTS)):
        parts = {
            lang: grammar.part(lang, occasion, about, first + number, provider=spec.provider)
            for lang in LANGUAGES
        }
        body = Body(
            parts=parts,
            item_ids=(wanted.item_id,),
            evidence=tuple(grammar.proofs(occasion, about, parts)),
            written_by=HOUSE,
            occasion=occasion,
        )
        yield _checked(shop, wanted, occasion, body, str(there.row["title"]))
    if not spec.provider and (wanted.model or shop.settings.model) != HOUSE:
        yield _by_model(shop, wanted, occasion, about, str(there.row["title"]))


def _by_model(
    shop: Shop, wanted: Wanted, occasion: Occasion, about: Subject, title: str
) -> Proposal | Dropped:
    first, name = grammar.seed(wanted.item_id, occasion), wanted.model or shop.settings.model
    try:
        parts = {}
        for lang in LANGUAGES:
            parts[lang], name = write(
                shop, wanted.model, lang, occasion, dict(about.facts), first
            )  # fmt: skip
    except (CannotAnswer, ModelFailed, NotSent, OverBudget) as error:
        return Dropped(occasion=occasion, written_by=name, why=str(error))
    evidence = tuple(grammar.proofs(occasion, about, parts))
    body = Body(
        parts=parts,
        item_ids=(wanted.item_id,),
        evidence=evidence,
        written_by=name,
        occasion=occasion,
    )
    return _checked(shop, wanted, occasion, body, title)


def _checked(
    shop: Shop, wanted: Wanted, occasion: Occasion, body: Body, title: str
) -> Proposal | Dropped:
    try:
        checks, _ = checked(shop, body, wanted.channel, wanted.purpose)
    except BadInput as error:
        return Dropped(occasion=occasion, written_by=body.written_by, why=str(error))
    stopped = [one for one in stopping(checks) if one.code not in _ONLY_A_PERSON]
    if stopped:
        return Dropped(
            occasion=occasion, written_by=body.written_by, why="; ".join(map(_told, stopped[:3]))
        )
    return Proposal(
        occasion=occasion,
        written_by=body.written_by,
        name=f"{title[:60]} · {occasion.replace('_', ' ')}",
        channel=wanted.channel,
        purpose=wanted.purpose,
        body=body,
        checks=checks,
        needed=tuple(sorted({one.code for one in checks if one.code in _ONLY_A_PERSON})),
    )


def _told(check: Check) -> str:
    return f"{check.where}: {check.code} ({check.because}) {check.quote!r} {check.detail}".strip()


def _signature(name: str) -> str:
    plain = re.sub(r"[\s【】\[\]]", "", name)[:12]
    return plain if len(plain) >= 2 else "掌柜"
