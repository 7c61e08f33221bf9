"""Single requests and batches give what going through the whole catalogue gives; histories need no scan."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import sparse
from tests.recommend.test_recommend_release import _catalogue, _rows
from tests.stall import accept, event, sales, stock

from shopkeeper.core.subject import Needles
from shopkeeper.recommend import erase
from shopkeeper.recommend.blocked import Blocked, first
from shopkeeper.recommend.cases import owned
from shopkeeper.recommend.clusters import Clusters, grouped
from shopkeeper.recommend.confidence import Confidence
from shopkeeper.recommend.heads.base import FittedHead, FittedLinear, Matrix, Queries
from shopkeeper.recommend.heads.ease import Ease
from shopkeeper.recommend.heads.latent import FittedLatent, Latent
from shopkeeper.recommend.heads.popular import FittedPopular
from shopkeeper.recommend.histories import aligned, histories
from shopkeeper.recommend.history import DAY_MS, History, encode
from shopkeeper.recommend.mixture import BUCKETS, Mask, Mixture
from shopkeeper.recommend.model import own, own_history
from shopkeeper.recommend.operations import batch, fit, items
from shopkeeper.recommend.ranking import best
from shopkeeper.recommend.shortlist import Shortlister
from shopkeeper.shop import Shop

SIZE, ASKED = 3000, 40
random = np.random.default_rng(3)


def _linear(seed: int) -> FittedLinear:
    weights = sparse.random_array(
        (SIZE, SIZE), density=0.01, format="csr", dtype=np.float32, rng=np.random.default_rng(seed)
    )
    return FittedLinear(sparse.csr_array(weights), Ease())


def _mixture() -> Mixture:
    drawn = np.random.default_rng(9)
    table = drawn.normal(size=(SIZE, 9)).astype(np.float32) * 0.4
    heads: dict[str, FittedHead] = {
        "popular": FittedPopular((drawn.pareto(1.2, SIZE) + 0.1).astype(np.float32)),
        "ease": _linear(1),
        "transition": _linear(2),
        "latent": FittedLatent(table, Latent()),
    }
    weights = np.tile([0.1, 0.3, 0.2, 0.4], (len(BUCKETS), 1))
    sharpness = {"popular": 1.0, "ease": 2.0, "transition": 0.7, "latent": 1.3}
    sure = Confidence(drawn.normal(size=(4, 4)), drawn.normal(size=4), np.ones(4))
    return Mixture(heads, sharpness, weights, confidence=sure)


def _queries() -> Queries:
    drawn = np.random.default_rng(4)
    lengths = drawn.integers(0, 30, ASKED)
    lengths[0] = 0
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    count = int(starts[-1])
    return Queries(
        starts,
        drawn.integers(0, SIZE, count),
        np.sort(drawn.integers(0, 90, count)) * DAY_MS,
        drawn.choice([0.2, 1.0], count),
        np.full(ASKED, 100 * DAY_MS),
    )


def test_a_shortlist_is_the_head_of_the_whole_catalogue() -> None:
    mixture, queries = _mixture(), _queries()
    offered = np.random.default_rng(1).random(SIZE) < 0.8
    shortlister = Shortlister(mixture)
    for place in range(ASKED):
        query = queries.part(place, place + 1)
        mask = Mask(offered, owned(query, np.zeros(SIZE, dtype=bool)))
        expected = mixture.probabilities(query, mask)
        item, chance = best(expected, 20)
        found = shortlister(query, mask, 20)
        np.testing.assert_array_equal(found.item, item[0])
        np.testing.assert_allclose(found.probability, chance[0], rtol=1e-4)
        np.testing.assert_allclose(found.shares.sum(axis=0), 1.0, rtol=1e-6)


def test_a_narrow_mask_still_finds_everything_in_it() -> None:
    offered = np.zeros(SIZE, dtype=bool)
    offered[[5, 77, 2999]] = True
    query = _queries().part(3, 4)
    found = Shortlister(_mixture())(query, Mask(offered), 10)
    assert set(found.item.tolist()) == {5, 77, 2999}
    assert found.probability.sum() == pytest.approx(1.0, rel=1e-4)
    nothing = Shortlister(_mixture())(query, Mask(np.zeros(SIZE, dtype=bool)), 10)
    assert len(nothing.item) == 0


def test_blocks_give_what_single_requests_give() -> None:
    mixture, queries = _mixture(), _queries()
    offered = np.random.default_rng(1).random(SIZE) < 0.8
    again = np.zeros(SIZE, dtype=bool)
    blocked = Blocked(mixture, offered, again)
    expected = mixture.probabilities(queries, Mask(offered, owned(queries, again)))
    item, chance = best(expected, 10)
    for span, found in blocked.lists(queries, 10):
        np.testing.assert_array_equal(found.item, item[span])
        np.testing.assert_allclose(found.probability, chance[span], rtol=1e-4)


@pytest.mark.parametrize("size", [7, 128, 1300, 2048])
def test_the_first_of_each_row_are_those_of_a_full_sort(size: int) -> None:
    rows = np.random.default_rng(size).random((5, size), dtype=np.float32)
    found = first(rows, 10)
    expected = np.argsort(-rows, axis=1, kind="stable")[:, :10]
    np.testing.assert_array_equal(found.item, expected)


class TestClusters:
    """A hundred clumps of vectors: the search must find the clump, and know the whole's sum."""

    @pytest.fixture(scope="class")
    @staticmethod
    def world() -> tuple[Matrix, Clusters]:
        drawn = np.random.default_rng(6)
        middles = drawn.normal(size=(100, 16)) * 0.8
        table = np.repeat(middles, 300, axis=0) + drawn.normal(size=(30_000, 16)) * 0.3
        single = table.astype(np.float32)
        return single, grouped(single)

    def test_every_item_is_in_one_group(self, world: tuple[Matrix, Clusters]) -> None:
        table, clusters = world
        np.testing.assert_array_equal(np.sort(clusters.items), np.arange(len(table)))
        np.testing.assert_array_equal(clusters.table, table[clusters.items])
        offered = np.arange(len(table)) % 3 == 0
        assert clusters.counted(offered).sum() == offered.sum()

    def test_what_it_finds_first_is_first_and_its_probability_is_near(
        self, world: tuple[Matrix, Clusters]
    ) -> None:
        table, clusters = world
        allowed = np.ones(len(table), dtype=bool)
        counts = clusters.counted(allowed)
        kept, wrong = 0.0, []
        for row in range(0, 30_000, 1500):
            asked = (table[row] * 2).astype(np.float32)
            exact = np.exp((table @ asked).astype(np.float64))
            exact /= exact.sum()
            found = clusters.search(asked, allowed, counts)
            top = np.argsort(-exact)[:100]
            kept += len(np.intersect1d(top, found.first(400)[0])) / 100
            wrong.append(abs(found.at(top[:10]).sum() / exact[top[:10]].sum() - 1))
        assert kept / 20 > 0.97
        assert np.median(wrong) < 0.02
        assert max(wrong) < 0.1


def _same(one: History, other: History) -> None:
    ids = [np.array(h.item_ids.take(h.item).to_pylist()) for h in (one, other)]
    np.testing.assert_array_equal(ids[0], ids[1])
    np.testing.assert_array_equal(one.time, other.time)
    np.testing.assert_allclose(one.strength, other.strength)


def _remembered(shop: Shop, who: str, *, live: bool) -> History | None:
    seen = shop.state.glance()
    return histories(shop, seen).of(shop, who, seen, live=live)


def _check(shop: Shop, who: tuple[str, ...]) -> None:
    for one in who:
        for live in (True, False):
            found = _remembered(shop, one, live=live)
            expected = encode(own_history(shop, one, live))
            if found is not None:
                _same(found, expected)
            _same(own(shop, one, live=live), expected)


WHO = ("a", "b", "device", "nobody")


def test_histories_in_memory_are_those_of_the_tables(shop: Shop) -> None:
    lines = [(float(n % 7), ("a", "b", "device")[n % 3], f"i{n % 5}", 5.0) for n in range(60)]
    stock(shop, sales(lines))
    _check(shop, WHO)
    accept(shop, event(900, 9, "view_item", "a", "i1"))
    accept(shop, event(901, 9, "add_to_cart", "a", "i1"))
    accept(shop, event(902, 9.5, "view_item", "nobody", "an item never seen"))
    accept(shop, event(903, 9.5, "page_view", "nobody", None))
    _check(shop, WHO)
    assert _remembered(shop, "a", live=True) is not None
    with shop.writer("test") as writer:
        writer.drain()
    _check(shop, WHO)
    assert _remembered(shop, "a", live=False) is not None  # the log accounts for the rows


def test_histories_follow_links_between_ids(shop: Shop) -> None:
    lines = [(float(n), ("a", "device")[n % 2], f"i{n % 4}", 5.0) for n in range(12)]
    stock(shop, sales(lines))
    _check(shop, WHO)
    shop.people.identify("device", "a", "test", shop.now())
    with shop.writer("test") as writer:
        writer.snapshot()
    _check(shop, WHO)
    assert len(own(shop, "a", live=True).item) == 12
    shop.people.identify("device", "b", "test", shop.now() + timedelta(days=1))
    with shop.writer("test") as writer:
        writer.snapshot()
    _check(shop, WHO)


def test_an_import_beside_the_log_is_noticed(shop: Shop) -> None:
    stock(shop, sales([(1.0, "a", "i1", 5.0)]))
    _check(shop, WHO)
    later = [row | {"event_id": f"late{n}"} for n, row in enumerate(sales([(2.0, "a", "i2", 5.0)]))]
    stock(shop, later)
    assert _remembered(shop, "a", live=True) is None
    assert len(own(shop, "a", live=True).item) == 2


def test_a_restricted_customer_has_no_history(shop: Shop) -> None:
    stock(shop, sales([(1.0, "a", "i1", 5.0), (1.0, "b", "i1", 5.0)]))
    assert len(own(shop, "a", live=True).item) == 1
    shop.restrictions.add(["a"], "asked")
    _check(shop, WHO)
    assert len(own(shop, "a", live=True).item) == 0


def test_positions_of_another_model_leave_out_what_it_has_not_met(shop: Shop) -> None:
    stock(shop, sales([(1.0, "a", "x", 5.0), (2.0, "a", "y", 5.0)]))
    mine = own(shop, "a", live=True)
    theirs = mine.item_ids.filter(np.array([one != "x" for one in mine.item_ids.to_pylist()]))
    moved = aligned(mine, theirs)
    assert moved.item_ids.take(moved.item).to_pylist() == ["y"]
    assert aligned(replace(mine), mine.item_ids).item_ids is mine.item_ids


def test_a_batch_holds_the_lists_of_all_customers_and_erasing_removes_it(shop: Shop) -> None:
    stock(shop, _rows(), _catalogue())
    assert batch(shop).missing is not None
    fit(shop)
    shop.consent.record(
        "c3", "personalisation", "recommend", "DENY", shop.now() - timedelta(days=1), {"form": "x"}
    )
    told = batch(shop, k=5)
    assert told.file is not None
    table = pq.read_table(shop.folder / told.file)
    assert (len(table), len(set(table["customer_id"].to_pylist()))) == (told.rows, told.customers)
    rows = [row for row in table.to_pylist() if row["customer_id"] == "c1"]
    alone = items(shop, "c1", k=5, live=False)
    assert [row["item_id"] for row in rows] == [slot.item_id for slot in alone.slots]
    chances = [slot.probability for slot in alone.slots]
    assert [row["probability"] for row in rows] == pytest.approx(chances, rel=1e-3)
    refused = [row for row in table.to_pylist() if row["customer_id"] == "c3"]
    assert len(refused) == 5
    assert not any(row["personalised"] for row in refused)
    needles = Needles(frozenset({"c1"}), ("c1",))
    assert erase.found(shop, needles) == {"lists": 5}
    erase.erase(shop, needles)
    assert erase.found(shop, needles) == {}
