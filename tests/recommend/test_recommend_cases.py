"""What is held back from the models, and how what they say of it is measured."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse

from shopkeeper.core.types import CannotSay, Estimate
from shopkeeper.recommend.cases import choices_since, last_choices, owned, rebought
from shopkeeper.recommend.heads.base import Queries
from shopkeeper.recommend.heads.popular import FittedPopular
from shopkeeper.recommend.history import DAY_MS, History, encode
from shopkeeper.recommend.mixture import BUCKETS, Mask, Mixture, concentrated, softmax
from shopkeeper.recommend.ranking import best, ranked
from shopkeeper.stats import bootstrap

Row = tuple[str, str, float, float]  # who, item, day, strength


def history(rows: list[Row]) -> History:
    return encode(
        pa.table(
            {
                "who": pa.array([r[0] for r in rows], pa.string()),
                "item_id": pa.array([r[1] for r in rows], pa.string()),
                "time_ms": pa.array([int(r[2] * DAY_MS) for r in rows], pa.int64()),
                "strength": pa.array([r[3] for r in rows], pa.float64()),
            }
        )
    )


ROWS: list[Row] = [
    ("a", "x", 1, 1.0),
    ("a", "y", 2, 0.2),
    ("a", "z", 3, 1.0),
    ("a", "y", 4, 0.2),  # a look after the last purchase
    ("b", "x", 5, 1.0),
    ("b", "z", 5, 1.0),  # the same order
    ("c", "y", 6, 0.2),  # never bought anything
    ("\x1forder 7", "x", 9, 1.0),  # nobody known
]


def test_the_last_purchase_is_left_out_with_everything_after_it() -> None:
    given = history(ROWS)
    cases = last_choices(given)
    names, items = given.customer_ids.to_pylist(), given.item_ids.to_pylist()
    assert [names[c] for c in cases.customer] == ["a", "b"]
    assert items[cases.chosen[0]] == "z"
    first = cases.queries.part(0, 1)
    assert [items[i] for i in first.item] == ["x", "y"]
    assert first.now.tolist() == [3 * DAY_MS]
    seen = {
        (names[c], items[i])
        for c, i in zip(cases.learned.customer, cases.learned.item, strict=True)
    }
    assert seen == {("a", "x"), ("a", "y"), ("c", "y"), ("\x1forder 7", "x")}
    assert int((cases.learned.customer == cases.customer[0]).sum()) == 2


def test_lines_of_one_order_are_no_past_of_each_other() -> None:
    cases = last_choices(history(ROWS))
    assert cases.queries.lengths.tolist() == [2, 0]


def test_a_split_by_time_hides_everything_from_then_on() -> None:
    given = history(ROWS)
    cases = choices_since(given, 3 * DAY_MS)
    assert cases.learned.time.max() < 3 * DAY_MS
    assert len(cases.chosen) == 2
    assert choices_since(given, 3 * DAY_MS, most=1).chosen.shape == (1,)
    assert len(choices_since(given, 100 * DAY_MS).chosen) == 0


def test_part_and_owned_keep_each_query_with_its_own_rows() -> None:
    given = history(ROWS)
    cases = last_choices(given)
    other = cases.part(np.array([1, 0]))
    assert other.customer.tolist() == cases.customer[::-1].tolist()
    assert other.queries.lengths.tolist() == [0, 2]
    bought = owned(cases.queries, np.zeros(3, dtype=bool)).toarray()
    assert bought.sum() == 1  # a's x; the look at y may be followed by buying it
    assert not owned(cases.queries, np.ones(3, dtype=bool)).toarray().any()


def test_what_many_buy_on_two_days_is_bought_again() -> None:
    rows: list[Row] = [(f"c{n}", "tea", day, 1.0) for n in range(6) for day in (1, 20)]
    rows += [(f"c{n}", "chair", 3, 1.0) for n in range(6)] + [("c0", "chair", 9, 1.0)]
    given = history(rows)
    again = dict(zip(given.item_ids.to_pylist(), rebought(given), strict=True))
    assert again == {"tea": True, "chair": False}


def _queries(count: int) -> Queries:
    none = np.zeros(0, dtype=np.int64)
    starts = np.zeros(count + 1, np.int64)
    return Queries(starts, none, none, np.zeros(0), np.zeros(count, np.int64))


def test_ranks_share_ties_at_their_mean_and_leave_out_what_is_masked() -> None:
    head = FittedPopular(np.array([5, 3, 3, 1, 9], dtype=np.float32))
    alone = Mixture({"popular": head}, {"popular": 1.0}, np.ones((len(BUCKETS), 1)))
    offered = np.array([True, True, True, True, False])
    found = ranked(alone, _queries(4), np.array([0, 1, 2, 3]), Mask(offered))
    assert found.rank.tolist() == [0, 1.5, 1.5, 3]
    assert found.probability == pytest.approx(np.array([5, 3, 3, 1]) / 12)
    assert found.items[0].tolist()[:4] == [0, 1, 2, 3]
    assert found.claimed.sum(axis=1) == pytest.approx(np.ones(4))
    assert found.ndcg[0] == 1


def test_best_orders_by_probability_then_by_item() -> None:
    table = np.array([[0.1, 0.4, 0.1, 0.4]], dtype=np.float32)
    assert best(table, 3)[0].tolist() == [[1, 3, 0]] or best(table, 3)[0][0, :2].tolist() == [1, 3]
    assert best(table, 4)[0].tolist() == [[1, 3, 0, 2]]


def test_sparse_and_dense_heads_have_the_same_softmax() -> None:
    random = np.random.default_rng(1)
    dense = (random.random((6, 30)) * (random.random((6, 30)) < 0.3)).astype(np.float32)
    dense[2] = 0
    allowed = random.random((6, 30)) < 0.8
    for sharpness in (0.5, 1.0, 2.5):
        one = softmax(dense, sharpness, allowed)
        other = softmax(sparse.csr_array(dense), sharpness, allowed)
        assert isinstance(other, sparse.csr_array)
        np.testing.assert_allclose(other.toarray(), one, rtol=1e-5, atol=1e-7)
        assert np.isnan(concentrated(one)[2])
        np.testing.assert_allclose(concentrated(other), concentrated(one), rtol=1e-5)


def test_bootstrap_covers_the_mean_and_draws_whole_customers() -> None:
    random = np.random.default_rng(2)
    covered = 0
    for trial in range(100):
        sample = random.exponential(1.0, 120)
        found = bootstrap.mean(sample, draws=300, seed=trial)
        assert isinstance(found, Estimate)
        covered += found.low <= 1.0 <= found.high
    assert covered >= 86
    values = np.repeat(random.normal(size=40), 25)
    single, grouped = (
        bootstrap.mean(values),
        bootstrap.mean(values, of=np.repeat(np.arange(40), 25)),
    )
    assert isinstance(single, Estimate)
    assert isinstance(grouped, Estimate)
    assert grouped.n == 40
    assert grouped.high - grouped.low > 3 * (single.high - single.low)
    assert isinstance(bootstrap.mean(values[:5]), CannotSay)
