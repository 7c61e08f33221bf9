"""The fitted recommender in memory and on disk, the files of lists, and rules that name customers."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shopkeeper.core.subject import Needles
from shopkeeper.recommend import refusals
from shopkeeper.recommend.batch import FOLDER as LISTS
from shopkeeper.recommend.model import drop
from shopkeeper.recommend.published import FOLDER, remove
from shopkeeper.recommend.serving import folder, forget
from shopkeeper.shop.shop import Shop
from shopkeeper.store.rule_sets import RuleSets

_RULES = "store: rules for one customer"


def found(shop: Shop, needles: Needles) -> dict[str, int]:
    """Rows of the files of lists, and rules for them alone; the model's files hold nobody's id."""
    named = pa.array(sorted(needles.whole), pa.string())
    rows = 0
    for path in lists(shop):
        ids = pq.read_table(path, columns=["customer_id"])["customer_id"]
        rows += int(pc.sum(pc.is_in(ids, named)).as_py() or 0)
    counts = {LISTS: rows, _RULES: RuleSets(shop.database).scrub(needles.scrubbed, keep=True)}
    return {where: count for where, count in counts.items() if count}


def erase(shop: Shop, needles: Needles) -> dict[str, int]:
    """Forget what was learned from them; other processes notice the restriction and fit again."""
    drop(shop)
    forget(shop)
    refusals.forget(shop)
    removed = {FOLDER: remove(folder(shop)), LISTS: 0}
    for path in lists(shop):
        path.unlink()  # they can be written again, without the customer
        removed[LISTS] += 1
    removed[_RULES] = RuleSets(shop.database).scrub(needles.scrubbed)
    return {where: count for where, count in removed.items() if count}


def lists(shop: Shop) -> list[Path]:
    """The files that `recommend batch` has written."""
    return sorted((Path(shop.folder) / LISTS).glob("recommend-*"))
