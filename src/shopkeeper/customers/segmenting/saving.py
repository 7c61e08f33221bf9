"""Keeping a segment: a version for every change, undo and restore, drafts, lists, sensitive topics."""

from __future__ import annotations

from collections.abc import Sequence

from shopkeeper.core.errors import BadInput, Conflict, NotFound, UnknownName
from shopkeeper.customers.segmenting.definition import Definition
from shopkeeper.customers.segmenting.library import ready
from shopkeeper.customers.segmenting.sensitive import topics
from shopkeeper.customers.types import ManualList, ManualLists, SensitiveTopic, SensitiveTopics
from shopkeeper.shop.shop import Shop
from shopkeeper.store.segments import ARCHIVED, DRAFT, LIVE, Permission, Segment, Version

LONGEST = 120
LIST_IDS = 100_000


def save(shop: Shop, name: str, definition: Definition, draft: bool, note: str) -> Segment:
    """A new segment.

    Raises:
        BadInput: it has no name, or one too long; the definition does not run.
    """
    ready(shop, definition)
    status = DRAFT if draft else LIVE
    return shop.segments.create(_version(shop, name, definition, note), status)


def change(
    shop: Shop, segment: str, name: str, definition: Definition, *, draft: bool, note: str
) -> Segment:
    """A further version of a segment, in force at once."""
    known = shop.segments.get(segment)
    ready(shop, definition, segment)
    status = DRAFT if draft else LIVE
    made = _version(shop, name or known.name, definition, note)
    return shop.segments.change(segment, made, status, known=known.version)


def undo(shop: Shop, segment: str) -> Segment:
    """Back to the definition of before, as a version of its own.

    Raises:
        Conflict: there is only one.
    """
    known = shop.segments.get(segment)
    before = [v for v in shop.segments.versions(segment) if v.version < known.version]
    if not before:
        raise Conflict(f"{segment} has no version before this one.", field="segment")
    return restore(shop, segment, before[0].version)


def restore(shop: Shop, segment: str, version: int) -> Segment:
    """A version of the past in force again, as a version of its own; an archived segment comes back.

    Raises:
        NotFound: there is no such version.
    """
    known = shop.segments.get(segment)
    past = {v.version: v for v in shop.segments.versions(segment)}
    if version not in past:
        raise NotFound(
            f"{segment} has no version {version}.",
            hint=f"It has versions 1 to {max(past)}.",
            field="version",
        )
    old = past[version]
    made = Version(0, 0, old.name, old.definition, f"version {version} again", shop.now())
    status = LIVE if known.status == ARCHIVED else known.status
    return shop.segments.change(segment, made, status, known=known.version)


def archive(shop: Shop, segment: str, archived: bool) -> Segment:
    """Put a segment away, or bring it back; its members leave at the next refresh."""
    return shop.segments.set_status(segment, ARCHIVED if archived else LIVE, shop.now())


def lists(shop: Shop) -> ManualLists:
    """Every list and how many customers are on it."""
    told = shop.segments.lists().items()
    return ManualLists(lists=tuple(ManualList(name=n, customers=len(ids)) for n, ids in told))


def put_on_list(shop: Shop, name: str, customers: Sequence[str], note: str) -> ManualList:
    """Put customers on a list, under the ids by which they go now."""
    told = name.strip()
    if not told or len(told) > LONGEST or len(customers) > LIST_IDS:
        raise BadInput(
            f"A list has a name of at most {LONGEST} characters, and takes {LIST_IDS:,} ids at once.",
            field="name",
        )
    ids = sorted({shop.people.customer_of(one) or one for one in customers if one})
    added = shop.segments.put_on_list(told, ids, shop.now(), note)
    return ManualList(name=told, customers=len(shop.segments.lists()[told]), changed=added)


def take_off_list(shop: Shop, name: str, customers: Sequence[str]) -> ManualList:
    """Take customers off a list."""
    ids = {shop.people.customer_of(one) or one for one in customers} | set(customers)
    gone = shop.segments.take_off_list(name, sorted(ids))
    return ManualList(name=name, customers=len(shop.segments.lists()[name]), changed=gone)


def permit(shop: Shop, topic: str, allowed: bool, reason: str) -> SensitiveTopics:
    """Turn a sensitive topic on, with a reason, or off.

    Raises:
        UnknownName: no such topic.
        BadInput: it is to be turned on without a reason.
    """
    if topic not in topics():
        raise UnknownName("sensitive topic", topic, topics(), field="topic")
    if allowed and not reason.strip():
        raise BadInput(
            f"Conditions on {topic} need a reason.",
            hint="Say why the shop may draw such conclusions, and by whose consent.",
            field="reason",
        )
    shop.segments.permit(Permission(topic, allowed, reason.strip(), shop.now()))
    return permitted(shop)


def permitted(shop: Shop) -> SensitiveTopics:
    """Every sensitive topic, and what was decided on it."""
    said = {one.name: one for one in shop.segments.permissions()}
    rows = (
        SensitiveTopic(
            topic=name,
            allowed=name in said and said[name].allowed,
            reason=said[name].reason if name in said else "",
        )
        for name in topics()
    )
    return SensitiveTopics(topics=tuple(rows))


def _version(shop: Shop, name: str, definition: Definition, note: str) -> Version:
    told = name.strip()
    if not told or len(told) > LONGEST:
        raise BadInput(f"A segment needs a name of at most {LONGEST} characters.", field="name")
    data = definition.model_dump(mode="json")
    return Version(0, 0, told, data, note.strip(), shop.now())
