"""Fits and judges the recommender of a shop."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from shopkeeper.core.errors import ShopkeeperError
from shopkeeper.core.operation import Progress
from shopkeeper.core.types import CannotSay
from shopkeeper.models.embedding import embedded
from shopkeeper.recommend.cases import rebought
from shopkeeper.recommend.clusters import clustered
from shopkeeper.recommend.evaluation import by_week, head_shares, leave_one_out
from shopkeeper.recommend.fitting import LEAST, Step, Weighing, fit_mixture, heads
from shopkeeper.recommend.gate import Verdict, beside, judged, verdict
from shopkeeper.recommend.goods import goods
from shopkeeper.recommend.heads.base import Goods
from shopkeeper.recommend.heads.sequence import Sequence, suited
from shopkeeper.recommend.history import History
from shopkeeper.recommend.model import catalogue, learned, with_catalogue
from shopkeeper.recommend.published import Published, publish
from shopkeeper.recommend.registry import newest_good, read, write
from shopkeeper.recommend.replay import replay
from shopkeeper.recommend.serving import folder
from shopkeeper.recommend.types import Evaluation, Fit
from shopkeeper.shop.shop import Shop

WORDS = "words"
"""Texts are compared by the words that they share."""

_TOO_FEW = CannotSay(
    reason=f"Fewer than {LEAST} choices in the last eight weeks: weights fitted on them would be chance.",
    needed=f"{LEAST} purchases (or looks, where nothing is sold) by known customers",
    code="few_choices",
    values={"least": LEAST},
)


def release(shop: Shop, progress: Progress, *, sequence: bool = False, hold: bool = False) -> Fit:
    """Fit the shop's mixture; it serves if the gate lets it, and nobody said ``hold``.

    With too few choices nothing changes.

    Raises:
        MissingExtra: ``sequence`` is asked for, and PyTorch is not installed.
    """
    restricted = shop.state.revision(
        "restrictions"
    )  # first: one that comes meanwhile is seen later
    items = catalogue(shop)
    history = with_catalogue(learned(shop)[0], items)
    known, text_by, text_why = _with_vectors(shop, goods(history.item_ids, items))
    tell = _steps(progress, 2 * len(heads()) + 4)
    recipes = heads(sequence=_trained(shop, history, tell) if sequence else None)
    found = fit_mixture(history, known, tell, recipes)
    if found is None:
        return Fit(
            version=None,
            items=len(history.item_ids),
            validated=0,
            window_days=0,
            heads=(),
            missing=_TOO_FEW,
        )
    published = Published(
        "",
        found.mixture,
        history.item_ids,
        rebought(history),
        found.validated,
        restricted,
        clustered(found.mixture),
    )
    at = folder(shop)
    before, registry = newest_good(at), read(at)
    version = publish(at, published, shop.now())
    told = judged(found, history)
    note = registry.notes.get(before.version, {}) if before else {}
    decided = verdict(told, before, note, history)
    if before is not None:
        decided = beside(decided, replay(shop, found.judged, history, told.since))
    registry = registry.noted(
        version, gate=decided.note, heads=list(found.mixture.heads), **told.note
    )
    serves = decided.passed and not (hold and before)
    write(at, registry.promoted(version) if serves else registry)
    shutil.rmtree(_checkpoints(shop), ignore_errors=True)
    told_fit = _told(version, len(history.item_ids), found, decided, serves=serves)
    return told_fit.model_copy(update={"text_by": text_by, "text_why": text_why})


def _with_vectors(shop: Shop, known: Goods) -> tuple[Goods, str, str | None]:
    """With the vectors of the shop's embedding model; who compares texts, and why it is not that model."""
    spec = shop.settings.embeddings
    if spec == WORDS:
        return known, WORDS, None
    try:
        vectors = embedded(shop, spec, known.words)
    except ShopkeeperError as error:
        return known, WORDS, f"{spec}: {error}"
    return replace(known, vectors=vectors), spec, None


def _checkpoints(shop: Shop) -> Path:
    return folder(shop) / ".training"


def _trained(shop: Shop, history: History, tell: Step) -> Sequence:
    """The transformer's recipe, which goes on where an interrupted fit has stopped."""
    return replace(suited(history), checkpoints=_checkpoints(shop), tell=tell)


def evaluated(
    shop: Shop, weeks: int, most: int, progress: Progress, *, sequence: bool = False
) -> Evaluation:
    """Both protocols on the last year of the shop's choices."""
    items = catalogue(shop)
    chosen, days = learned(shop)
    history = with_catalogue(chosen, items)
    known, _, _ = _with_vectors(shop, goods(history.item_ids, items))
    tell = _steps(progress, (1 + weeks) * (3 * len(heads()) + 3))
    recipes = heads(sequence=_trained(shop, history, tell) if sequence else None)
    return Evaluation(
        as_of=days.end if days else None,
        customers=int(np.count_nonzero(history.known)) if len(history.customer_ids) else 0,
        items=len(history.item_ids),
        leave_one_out=leave_one_out(history, known, most, tell, recipes),
        by_week=by_week(history, known, weeks, most, tell, recipes),
    )


def _steps(progress: Progress, total: int) -> Step:
    """Tells progress, one step at a time."""
    done = iter(range(10 * total))

    def tell(message: str) -> None:
        progress(min(next(done), total), total, message)

    return tell


def _told(version: str, items: int, found: Weighing, decided: Verdict, *, serves: bool) -> Fit:
    return Fit(
        version=version,
        items=items,
        validated=found.validated,
        window_days=found.window_days,
        heads=tuple(head_shares(found.mixture)),
        missing=None,
        serves=serves,
        gain=decided.gain,
        why=decided.why,
    )
