"""Reading new texts by the themes there are, and finding the themes anew when they no longer fit."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from shopkeeper.core.errors import Cancelled, ShopkeeperError
from shopkeeper.core.operation import Context
from shopkeeper.core.period import Days
from shopkeeper.core.schema import READINGS
from shopkeeper.core.seeds import derive
from shopkeeper.core.text import digest
from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.insight.themes import sample
from shopkeeper.insight.themes.fitting import Known, fit
from shopkeeper.insight.themes.mixture import NONE
from shopkeeper.insight.themes.model import Model
from shopkeeper.insight.themes.registering import Found, Registered, Stamp, registered
from shopkeeper.insight.themes.titling import name_themes
from shopkeeper.insight.themes.words import TONGUES, Tongue
from shopkeeper.insight.types import Named, ThemeFit, Updated
from shopkeeper.shop.shop import Shop
from shopkeeper.stats.intervals import proportion
from shopkeeper.stats.summary import Proportion
from shopkeeper.store.lease import Leases
from shopkeeper.store.themes import Fit, Themes
from shopkeeper.warehouse.arrow import arrow_schema
from shopkeeper.warehouse.rewriting import rewritten
from shopkeeper.warehouse.source import Frame, Source

FOLDER = "models/themes"
ANSWERED_BY = "themes"

_GROWN = 0.3  # texts since the fit, as a share of those that it knew: time to look again
_WORSE = (
    0.05  # share of new texts without a theme, or of their words unknown, above that of the fit
)
_JUDGED = 100  # new texts, before they say anything about the themes
_SEED = 20_240_701


@dataclass
class _Seen:
    """What became of the new texts of one language."""

    read: int = 0
    without: int = 0
    words: int = 0
    unknown: int = 0
    totals: dict[str, int] = field(default_factory=dict)


def update(ctx: Context, *, afresh: bool) -> Updated:
    """See the operation ``update_themes``."""
    started = time.monotonic()
    shop, store = ctx.shop, Themes(ctx.shop.database)
    with Leases(shop.database).acquire("themes", "updating the themes").kept():
        fits = {one: store.current(one) for one in TONGUES}
        _forget_stale(shop, [f.version for f in fits.values() if f])
        models = {one: load(shop, f.version) for one, f in fits.items() if f}
        seen = _read(ctx, models, sample.unread_days(shop, _versions(models, fits)), fits)
        due = [one for one in TONGUES if afresh or _is_due(fits[one], seen[one])]
        replies, changes = _refit(ctx, store, fits, models, due, afresh=afresh)
    for one in TONGUES:
        if one not in due:
            replies[one] = _reply(one, "kept", fits[one], seen[one].read, store)
    listed = tuple(replies[one] for one in TONGUES if one in replies)
    names = _names(ctx) if changes and shop.settings.model != "house" else None
    took = round(time.monotonic() - started, 2)
    return Updated(fits=listed, changes=changes, names=names, seconds=took)


def _names(ctx: Context) -> Named:
    """Let the shop's model name what was found; the themes stand, whatever becomes of that."""
    try:
        return name_themes(ctx, "", again=False)
    except Cancelled:
        raise
    except ShopkeeperError as error:
        return Named(named=0, left=0, model=ctx.shop.settings.model, why=str(error))


def load(shop: Shop, version: str) -> Model:
    """The fitted model of that version."""
    return Model.load(_folder(shop, version))


def _folder(shop: Shop, version: str) -> Path:
    return Path(shop.folder) / FOLDER / version


def _versions(models: dict[Tongue, Model], fits: dict[Tongue, Fit | None]) -> list[str]:
    return [f.version for one, f in fits.items() if f and one in models]


def _is_due(fitted: Fit | None, seen: _Seen) -> bool:
    """Whether the themes are to be found anew: there are none, much is new, or the new fits worse."""
    if fitted is None:
        return True
    if seen.read >= max(_JUDGED, _GROWN * fitted.texts):
        return True
    if seen.read < _JUDGED:
        return False
    without = proportion(Proportion(n=seen.read, hits=seen.without))
    unknown = seen.unknown / max(1, seen.words)
    worse = isinstance(without, Estimate) and without.low > fitted.without + _WORSE
    return worse or unknown > fitted.unknown + _WORSE


def _refit(
    ctx: Context,
    store: Themes,
    fits: dict[Tongue, Fit | None],
    models: dict[Tongue, Model],
    due: Sequence[Tongue],
    *,
    afresh: bool,
) -> tuple[dict[Tongue, ThemeFit], int]:
    """Fit these languages anew, read all their texts again, and keep what was found."""
    if not due:
        return {}, 0
    shop, now = ctx.shop, ctx.shop.now()
    made = {one: f.made_at for one, f in fits.items() if f}
    ctx.progress(0, None, "choosing texts")
    samples = sample.sampled(shop, _versions(models, fits), made)
    replies: dict[Tongue, ThemeFit] = {}
    fresh_id = store.fresh_ids()
    fresh: dict[Tongue, Registered] = {}
    for one in due:
        ctx.progress(0, None, f"finding themes ({one})")
        found = _found(one, samples[one], models.get(one), afresh=afresh)
        if isinstance(found, CannotSay):
            replies[one] = ThemeFit(
                language=one,
                kind="fresh",
                version=None,
                read=0,
                themes=0,
                without_theme=None,
                cannot_say=found,
            )
            continue
        version = f"{one}-{digest(one, now.isoformat(), str(found.texts))[:12]}"
        fresh[one] = registered(store.all(), found, Stamp(version, now, fresh_id))
        fresh[one].model.save(_folder(shop, version))
    if fresh:
        chosen = {one: r.model for one, r in fresh.items()}
        versions = {one: r.fit for one, r in fresh.items()}
        seen = _read(ctx, chosen, sample.all_days(shop), versions, now)
        for one, new in fresh.items():
            whole = new.completed(seen[one].read, seen[one].totals)
            store.save(whole.fit, whole.themes, whole.changes)
            replies[one] = _reply(one, whole.fit.kind, whole.fit, seen[one].read, store)
    return replies, sum(len(r.changes) for r in fresh.values())


def _found(
    tongue: Tongue, chosen: sample.Sample, model: Model | None, *, afresh: bool
) -> Found | CannotSay:
    rows, authors, since = chosen.rows()
    before = model.assign(rows)[0] if model is not None and rows else None
    known = None
    if before is not None and not afresh:
        known = Known(before, np.asarray(since, bool))
    fitted = fit(rows, authors, derive(_SEED, tongue), known=known)
    if isinstance(fitted, CannotSay):
        return fitted
    return Found(tongue, fitted, rows, before, model, afresh)


def _read(
    ctx: Context,
    models: dict[Tongue, Model],
    days: Sequence[tuple[Any, int]],
    fits: dict[Tongue, Fit | None] | dict[Tongue, Fit],
    at: datetime | None = None,
) -> dict[Tongue, _Seen]:
    """Assign the texts of these days that these versions have not read, and write the readings.

    Those of a fit carry the fit's own time ``at``: what is read later came later.
    """
    seen = {one: _Seen() for one in TONGUES}
    if not models:
        return seen
    versions = [f.version for one, f in fits.items() if f and one in models]
    total, done = sum(n for _, n in days), 0
    for span, number in sample.pieces(days):
        ctx.progress(done, total, "reading texts")
        rows = ctx.shop.query(partial(_unread, days=span, versions=versions))
        readings = _assigned(rows, models, {o: f.version for o, f in fits.items() if f}, seen)
        if readings["text_id"]:
            table = _table(readings, at or ctx.shop.now())
            with ctx.shop.writer("readings of themes") as writer:
                writer.load(READINGS.name, table, check_duplicates=False)
        done += number
    return seen


def _unread(source: Source, days: Days, versions: Sequence[str]) -> Frame:
    known = sample.read_rows(source, (*versions, sample.UNREADABLE), days).select("text_id")
    rows = sample.spoken(source, days).join(known, on="text_id", how="anti")
    return rows.select("text_id", "day", "title", "body").sort("day", "text_id")


def _assigned(
    rows: pa.Table,
    models: dict[Tongue, Model],
    versions: dict[Tongue, str],
    seen: dict[Tongue, _Seen],
) -> dict[str, list[Any]]:
    """Columns of readings, of those rows whose language has a model or that are no text."""
    texts = sample.cleaned(rows)
    spoken = sample.by_tongue(texts)
    ids, dates = rows["text_id"].to_pylist(), rows["day"].to_pylist()
    read = {place for one in spoken.values() for place in one.places}
    columns: dict[str, list[Any]] = {
        "text_id": [], "day": [], "label": [], "value": [], "model_version": []
    }  # fmt: skip
    for one, model in models.items():
        places = spoken[one].places
        labels, evidence = model.assign(spoken[one].texts)
        named = [model.theme_ids[n] if n != NONE else None for n in labels]
        columns["text_id"] += [ids[p] for p in places]
        columns["day"] += [dates[p] for p in places]
        columns["label"] += named
        # Per root of the words: a long text has much of everything, a clear one much for its length.
        lengths = [max(1, len(set(text))) ** 0.5 for text in spoken[one].texts]
        columns["value"] += [float(e) / n for e, n in zip(evidence, lengths, strict=True)]
        columns["model_version"] += [versions[one]] * len(places)
        _count(seen[one], model, spoken[one].texts, named)
    for place in range(len(texts)):
        if place not in read:
            for name, value in (("text_id", ids[place]), ("day", dates[place]), ("label", None),
                                ("value", None), ("model_version", sample.UNREADABLE)):  # fmt: skip
                columns[name].append(value)
    return columns


def _count(seen: _Seen, model: Model, texts: list[list[str]], named: list[str | None]) -> None:
    words = set(model.words)
    seen.read += len(texts)
    seen.without += sum(one is None for one in named)
    seen.words += sum(map(len, texts))
    seen.unknown += sum(word not in words for text in texts for word in text)
    for one in named:
        if one is not None:
            seen.totals[one] = seen.totals.get(one, 0) + 1


def _table(columns: dict[str, list[Any]], now: datetime) -> pa.Table:
    number = len(columns["text_id"])
    rest = {
        "task": [sample.TASK] * number,
        "position": [0] * number,
        "answered_by": [ANSWERED_BY] * number,
        "time": [now] * number,
    }
    names = {**columns, **rest}
    fields = [f for f in arrow_schema(READINGS) if f.name in names]
    return pa.table([pa.array(names[f.name], f.type) for f in fields], schema=pa.schema(fields))


def _forget_stale(shop: Shop, versions: Sequence[str]) -> None:
    """Drop the readings and models of versions that are no longer asked for, or never were finished.

    They stay until the next update, so that an answer that is under way when a fit ends finds its rows.
    """
    folder = Path(shop.folder) / FOLDER
    stale = [p for p in folder.iterdir() if p.name not in versions] if folder.is_dir() else []
    if not stale:
        return
    kept = ", ".join(f"'{version}'" for version in (*versions, sample.UNREADABLE))
    gone = f"task = '{sample.TASK}' AND model_version NOT IN ({kept})"
    with shop.writer("forgetting old readings of themes") as writer, writer.alone():
        rewritten(shop.warehouse, READINGS.name, gone, {})
    for path in stale:
        shutil.rmtree(path)


def _reply(one: Tongue, kind: str, fitted: Fit | None, read: int, store: Themes) -> ThemeFit:
    themes = [t for t in store.all() if t.tongue == one and t.level == 2]
    return ThemeFit(
        language=one,
        kind=kind,
        version=fitted.version if fitted else None,
        read=read,
        themes=len(themes),
        without_theme=fitted.without if fitted else None,
    )
