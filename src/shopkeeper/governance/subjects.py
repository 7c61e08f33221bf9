"""Who a customer is: every id, when it was theirs, and the texts that name them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import narwhals as nw

from shopkeeper.core.errors import NotFound
from shopkeeper.core.subject import (
    ANONYMISED,
    PERSONAL,
    PSEUDONYM,
    Held,
    Subject,
    is_telling,
    names_one,
    pseudonym,
)
from shopkeeper.shop.shop import Shop
from shopkeeper.store.columns import microseconds
from shopkeeper.store.erase import known_of_others, others_holding
from shopkeeper.warehouse.whose import first_row, senders_holding

_TELLING = frozenset(
    {
        "email", "e_mail", "phone", "mobile", "telephone", "username", "full_name", "wechat",
        "openid", "unionid", "id_card", "address", "address.street", "device_id",
    }
)  # fmt: skip
"""Traits whose value stands for one person wherever it is read, where it is long enough.

Not a first name, which is a word as well: who erases Jasmine must not take the jasmine from the tea.
"""

_SHORTEST = 2  # a name of one character stands for nobody


def subjects(shop: Shop, who: Iterable[str], *, keeps: bool = False) -> list[Subject]:
    """The customers that these ids stand for now, each once; with ``keeps`` to be anonymised.

    Raises:
        NotFound: nothing is known of one of them.
    """
    found: dict[str, Subject] = {}
    for given in who:
        customer = shop.people.customer_of(given) or given
        if customer not in found:
            found[customer] = _subject(shop, customer, given, keeps)
    return list(found.values())


def nobody(shop: Shop, given: str, *, keeps: bool = False) -> Subject:
    """An id of which nothing may be known any more, to be looked for."""
    subject = Subject(given, "", (Held(given),), keeps=keeps)
    return replace(subject, within=_within(shop, subject))


def _subject(shop: Shop, customer: str, given: str, keeps: bool) -> Subject:
    ids = {customer, given, *shop.people.sent_ids(customer)}
    periods = shop.people.periods(ids)
    held: list[Held] = []
    shared: set[str] = set()
    for sent_id in sorted(ids):
        spans = periods.get(sent_id)
        if spans is None:
            held.append(Held(sent_id))
            continue
        mine = [span for span in spans if span.customer_id == customer]
        held += [Held(sent_id, _micros(span.start), _micros(span.until)) for span in mine]
        if mine and len(mine) < len(spans):
            shared.add(sent_id)
    own = tuple(h for h in held if h.sent_id == customer or h.sent_id in periods)
    name = pseudonym(ANONYMISED if keeps else PSEUDONYM)
    subject = Subject(customer, name, own, frozenset(shared), keeps=keeps)
    if not _is_known(shop, subject, periods):
        raise NotFound(f"Nothing is known of {given!r}.", hint="Check the id.", field="who")
    return _named(shop, subject)


def _is_known(shop: Shop, subject: Subject, periods: Mapping[str, object]) -> bool:
    if periods:
        return True
    try:
        shop.people.get(subject.customer_id)
    except NotFound:
        return first_row(shop.warehouse, subject) or bool(shop.log.tail(0, sorted(subject.ids)))
    return True


def _named(shop: Shop, subject: Subject) -> Subject:
    """The subject with the texts that name them: those that no other customer is known by."""
    words, names = _words(shop, subject)
    ids = sorted(subject.ids)
    common = {w for w in words | names if known_of_others(shop.database, w, ids)}
    return replace(
        subject,
        words=tuple(sorted(words - common)),
        names=tuple(sorted(names - common)),
        common=len(common),
        within=_within(shop, subject),
    )


def _within(shop: Shop, subject: Subject) -> frozenset[str]:
    """The ids of the subject that other ids hold: to look for them inside texts would hit those others."""
    telling = sorted(filter(is_telling, subject.ids))
    others = others_holding(shop.database, telling, subject.ids)
    others |= senders_holding(shop.warehouse, telling, subject.ids)
    return frozenset(one for one in telling if any(one in other for other in others))


def _words(shop: Shop, subject: Subject) -> tuple[set[str], set[str]]:
    """What their traits call them: words that tell by themselves, and names that only fields tell."""
    told: list[tuple[str, str]] = []
    for one in subject.ids:
        try:
            told += [(k, str(v)) for k, v in shop.people.get(one).traits.items()]
        except NotFound:
            continue
    ids = sorted(subject.ids)
    stored = shop.warehouse.query(
        lambda source: source.traits().filter(nw.col("customer_id").is_in(ids)), now=shop.now()
    )
    told += [(row["name"], row["value"] or "") for row in stored.to_pylist()]
    words = {
        value
        for name, value in told
        if is_telling(value) and (names_one(value) or name.casefold() in _TELLING)
    }
    named = {value.strip() for name, value in told if name.casefold() in PERSONAL}
    return words, {value for value in named if len(value) >= _SHORTEST} - words


def packed(subject: Subject) -> dict[str, Any]:
    """The subject as JSON, to be kept while the erasure runs."""
    return {
        "customer_id": subject.customer_id,
        "pseudonym": subject.pseudonym,
        "held": [[h.sent_id, h.start, h.until] for h in subject.held],
        "shared": sorted(subject.shared),
        "words": list(subject.words),
        "names": list(subject.names),
        "common": subject.common,
        "keeps": subject.keeps,
        "within": sorted(subject.within),
    }


def unpacked(kept: Sequence[Mapping[str, Any]]) -> list[Subject]:
    """The subjects that :func:`packed` made."""
    return [
        Subject(
            one["customer_id"],
            one["pseudonym"],
            tuple(Held(*held) for held in one["held"]),
            frozenset(one["shared"]),
            tuple(one["words"]),
            tuple(one.get("names", ())),
            one.get("common", 0),
            one.get("keeps", False),
            frozenset(one.get("within", ())),
        )
        for one in kept
    ]


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else microseconds(moment)
