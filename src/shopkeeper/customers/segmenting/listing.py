"""Segments as people see them: their sizes, members with reasons, who came and went, what they share."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow.compute as pc

from shopkeeper.core.errors import ShopkeeperError
from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay, Estimate, Reason
from shopkeeper.customers.segmenting.definition import leaves
from shopkeeper.customers.segmenting.library import Library, last_day, library
from shopkeeper.customers.segmenting.meaning import shown
from shopkeeper.customers.segmenting.parsing import from_json, parse
from shopkeeper.customers.segmenting.printing import written
from shopkeeper.customers.segmenting.saying import reason, sentence
from shopkeeper.customers.types import (
    Changes,
    Moved,
    Overlap,
    SegmentDetail,
    SegmentList,
    SegmentMember,
    SegmentMembers,
    SegmentRow,
    SizePoint,
    VersionRow,
)
from shopkeeper.shop.shop import Shop
from shopkeeper.stats.intervals import proportion
from shopkeeper.stats.summary import Proportion
from shopkeeper.store.segments import EVERYONE, Segment, Size, Version, number_of

_POINTS = 120
_MONTH = timedelta(days=30)
_OPEN = nw.col("valid_to").is_null()


def segments(shop: Shop, lang: Language, archived: bool) -> SegmentList:
    """Every segment with its size at the last refresh."""
    there, sizes = library(shop), shop.segments.newest_sizes()
    everyone = sizes.get(EVERYONE)
    rows = (_row(shop, one, there, sizes, lang) for one in shop.segments.all(archived=archived))
    return SegmentList(
        segments=tuple(rows),
        population=everyone.members if everyone else None,
        left_out=dict(everyone.figures.get("left_out", {})) if everyone else {},
        as_of=last_day(shop),
    )


def detail(shop: Shop, segment: str, lang: Language) -> SegmentDetail:
    """One segment with its versions and its size over time."""
    one = shop.segments.get(segment)
    versions = shop.segments.versions(segment)
    trend = shop.segments.sizes(one.number, _POINTS)
    current = next(v for v in versions if v.version == one.version)
    return SegmentDetail(
        row=_row(shop, one, library(shop), shop.segments.newest_sizes(), lang),
        meaning=shown(from_json(dict(current.definition))),
        versions=tuple(
            VersionRow(
                version=v.version,
                name=v.name,
                text=_text(v),
                sentence=sentence(from_json(dict(v.definition)), lang),
                note=v.note,
                made_at=v.made_at,
            )
            for v in versions
        ),
        trend=tuple(
            SizePoint(
                time=s.time, version=s.version, members=s.members, entered=s.entered, left=s.gone
            )
            for s in trend
        ),
        drift=_drift(shop, segment, trend),
    )


def members(shop: Shop, segment: str, page: tuple[int, int], lang: Language) -> SegmentMembers:
    """The members from ``page[0]`` on, at most ``page[1]``, the latest to come first, with reasons."""
    one = shop.segments.get(segment)
    offset, limit = page
    found = shop.query(
        lambda source: source.memberships().filter(_OPEN, nw.col("segment") == segment)
    )
    order = [("valid_from", "descending"), ("customer_id", "ascending")]
    rows = found.take(pc.sort_indices(found, sort_keys=order)).slice(offset, limit).to_pylist()
    return SegmentMembers(
        segment=segment,
        name=one.name,
        total=found.num_rows,
        offset=offset,
        rows=tuple(
            SegmentMember(
                customer_id=row["customer_id"],
                since=row["valid_from"],
                version=row["version"],
                reasons=reasons(row["reasons"], lang),
            )
            for row in rows
        ),
    )


def reasons(told: str | None, lang: Language) -> tuple[Reason, ...]:
    """The reasons kept with a membership, in words."""
    found: dict[str, Any] = json.loads(told) if told else {}
    return tuple(_reason(text, value, lang) for text, value in found.items())


def _reason(text: str, value: Any, lang: Language) -> Reason:
    try:
        found = parse(text)
    except ShopkeeperError:
        return Reason(code="segment.unknown", text=text, evidence={text: value})
    [leaf] = leaves(found)
    words = reason(leaf, value, value is not None, lang)
    return Reason(code=f"segment.{leaf.kind}", text=words, evidence={text: value})


def changes(shop: Shop, segment: str | None, limit: int) -> Changes:
    """Who entered and who left, latest first, of one segment or of all."""

    def rows(column: str) -> list[dict[str, Any]]:
        found = shop.query(
            lambda source: (
                source.memberships()
                .filter(
                    *([nw.col("segment") == segment] if segment else []), ~nw.col(column).is_null()
                )
                .select("customer_id", "segment", time=nw.col(column))
                .sort("time", "segment", "customer_id", descending=[True, False, False])
                .head(limit)
            )
        )
        told: list[dict[str, Any]] = found.to_pylist()
        return told

    if segment:
        shop.segments.get(segment)
    every = [(row, "entered") for row in rows("valid_from")]
    every += [(row, "left") for row in rows("valid_to")]
    every.sort(key=lambda one: (one[0]["time"], one[0]["customer_id"]), reverse=True)
    return Changes(rows=tuple(Moved(change=change, **row) for row, change in every[:limit]))


def overlap(shop: Shop, wanted: Sequence[str]) -> Overlap:
    """How many customers each two segments share, by the last refresh."""
    known = {one.id: one.name for one in shop.segments.all()}
    chosen = [shop.segments.get(one).id for one in wanted] if wanted else list(known)
    open_rows = shop.query(
        lambda source: (
            source.memberships()
            .filter(_OPEN, nw.col("segment").is_in(chosen))
            .select("customer_id", "segment")
        )
    )
    coded = open_rows["customer_id"].combine_chunks().dictionary_encode()
    places = np.asarray(coded.indices)
    held = np.zeros((len(chosen), len(coded.dictionary)), dtype=np.float32)
    for number, segment in enumerate(chosen):
        mine = pc.equal(open_rows["segment"], segment).to_numpy(zero_copy_only=False)
        held[number, places[np.asarray(mine, dtype=bool)]] = 1
    shared = (held @ held.T).round().astype(int)
    size = shared.diagonal()
    either = size[:, None] + size[None, :] - shared
    return Overlap(
        segments=tuple(chosen),
        names=tuple(known.get(one, one) for one in chosen),
        shared=tuple(tuple(int(n) for n in row) for row in shared),
        jaccard=tuple(
            tuple(float(s / e) if e else None for s, e in zip(a, b, strict=True))
            for a, b in zip(shared, either, strict=True)
        ),
    )


def _drift(shop: Shop, segment: str, trend: Sequence[Size]) -> Estimate | None:
    """Of those who are in now, the share that was in a month before the last refresh."""
    if not trend or trend[0].time > trend[-1].time - _MONTH:
        return None
    then = trend[-1].time - _MONTH
    rows = shop.query(lambda source: source.memberships().filter(nw.col("segment") == segment))
    now = rows.filter(pc.is_null(rows["valid_to"]))
    if not now.num_rows:
        return None
    there = int(pc.sum(pc.less_equal(now["valid_from"], then)).as_py() or 0)
    share = proportion(Proportion(now.num_rows, there))
    return None if isinstance(share, CannotSay) else share


def _row(
    shop: Shop, one: Segment, there: Library, sizes: Mapping[int, Size], lang: Language
) -> SegmentRow:
    size, everyone = sizes.get(number_of(one.id)), sizes.get(EVERYONE)
    version = there.versions.get(one.id) or shop.segments.versions(one.id)[0]
    definition = there.known.get(one.id)
    share = size.members / everyone.members if size and everyone and everyone.members else None
    return SegmentRow(
        id=one.id,
        name=one.name,
        version=one.version,
        status=one.status,
        text=_text(version),
        sentence=sentence(definition, lang) if definition is not None else _text(version),
        members=size.members if size else None,
        share=share,
        entered=size.entered if size else None,
        left=size.gone if size else None,
        refreshed_at=size.time if size else None,
        problem=there.problems.get(one.id),
    )


def _text(version: Version) -> str:
    """The canonical text; of what a newer Shopkeeper wrote, its JSON."""
    try:
        return written(from_json(dict(version.definition)))
    except ShopkeeperError:
        return json.dumps(version.definition, ensure_ascii=False)
