"""Contracts of the models on tiny worlds whose right answer is known."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse

from shopkeeper.recommend.covisit import Covisit, top
from shopkeeper.recommend.history import DAY_MS, History, age, encode
from shopkeeper.recommend.offer import offerable
from shopkeeper.recommend.popular import Popularity, popularity
from shopkeeper.recommend.slate import COVISIT, POPULAR, Recommender

Row = tuple[str, str, float, float]  # who, item, day, strength


def _history(rows: Sequence[Row]) -> History:
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


def _lists(
    history: History, k: int, *, closed: frozenset[str] = frozenset()
) -> dict[str, list[tuple[str, int, str | None]]]:
    offered = np.array([i not in closed for i in history.item_ids.to_pylist()], dtype=bool)
    model = Recommender(Covisit().fit(history), popularity(history), offered)
    found = model.slates(history, np.arange(len(history.customer_ids)), k)
    items, customers = history.item_ids.to_pylist(), history.customer_ids.to_pylist()
    lists: dict[str, list[tuple[str, int, str | None]]] = {c: [] for c in customers}
    for customer, item, head, because in zip(
        found.customer, found.item, found.head, found.because, strict=True
    ):
        source = items[history.item[because]] if because >= 0 else None
        lists[customers[customer]].append((items[item], int(head), source))
    return lists


def _checkerboard(size: int = 8) -> list[Row]:
    """Even customers buy even items, odd ones odd items; each leaves one of theirs out."""
    rows: list[Row] = []
    for customer in range(2 * size):
        own = [item for item in range(2 * size) if item % 2 == customer % 2]
        left_out = own[(customer // 2) % len(own)]
        rows += [
            (f"c{customer}", f"i{item}", float((item + customer) % 7), 1.0)
            for item in own
            if item != left_out
        ]
    return rows


def test_on_the_checkerboard_everybody_gets_exactly_the_item_they_lack() -> None:
    lists = _lists(_history(_checkerboard()), 1)
    for customer in range(16):
        own = [item for item in range(16) if item % 2 == customer % 2]
        lacking = own[(customer // 2) % len(own)]
        (item, head, because), *_ = lists[f"c{customer}"]
        assert (item, head) == (f"i{lacking}", COVISIT)
        assert because is not None
        assert int(because[1:]) % 2 == customer % 2


def test_what_follows_ranks_above_what_came_before() -> None:
    rows: list[Row] = []
    for n in range(20):
        rows += [
            (f"c{n}", "before", 0, 1.0),
            (f"c{n}", "asked", 1, 1.0),
            (f"c{n}", "after", 2, 1.0),
        ]
    history = _history(rows)
    scores = Covisit().fit(history).toarray()
    at = {item: n for n, item in enumerate(history.item_ids.to_pylist())}
    assert scores[at["asked"], at["after"]] > scores[at["asked"], at["before"]] > 0


def test_one_order_has_no_before_and_after() -> None:
    history = _history([(f"c{n}", item, 5, 1.0) for n in range(9) for item in "ab"])
    scores = Covisit().fit(history).toarray()
    assert scores[0, 1] == pytest.approx(scores[1, 0])
    assert scores[0, 0] == 0


def test_a_purchase_tells_more_than_a_look() -> None:
    rows: list[Row] = []
    for n in range(10):
        rows += [(f"c{n}", "asked", 0, 1.0), (f"c{n}", "bought", 1, 1.0)]
        rows += [(f"d{n}", "asked", 0, 1.0), (f"d{n}", "seen", 1, 0.2)]
    history = _history(rows)
    scores = Covisit().fit(history).toarray()
    at = {item: n for n, item in enumerate(history.item_ids.to_pylist())}
    assert scores[at["asked"], at["bought"]] > scores[at["asked"], at["seen"]]


def test_a_bestseller_does_not_swamp_what_belongs_together() -> None:
    chance = np.random.default_rng(3)
    rows: list[Row] = [(f"x{n}", "bestseller", float(n % 60), 1.0) for n in range(600)]
    rows += [(f"x{n}", f"any{chance.integers(60)}", float(n % 60) + 1, 1.0) for n in range(600)]
    for n in range(30):  # lens follows camera; most of them also have the bestseller
        rows += [(f"p{n}", "camera", 10, 1.0), (f"p{n}", "lens", 11, 1.0)]
        rows += [(f"p{n}", "bestseller", 12, 1.0)]
    history = _history(rows)
    scores = Covisit().fit(history).toarray()
    at = {item: n for n, item in enumerate(history.item_ids.to_pylist())}
    assert scores[at["camera"]].argmax() == at["lens"]


def test_popularity_counts_buyers_once_and_halves_with_time() -> None:
    rows: list[Row] = [("a", "x", 100, 1.0), ("b", "y", 86, 1.0), ("a", "x", 99, 1.0)]
    rows += [("a", "z", 100, 0.2), ("c", "old", 0, 1.0)]
    history = _history(rows)
    found = popularity(history, half_life_days=14)
    score = dict(zip(history.item_ids.to_pylist(), found.score, strict=True))
    recent = dict(zip(history.item_ids.to_pylist(), found.recent, strict=True))
    assert score["x"] == pytest.approx(1.0)
    assert score["y"] == pytest.approx(0.5)
    assert score["z"] == 0
    assert found.basis == "purchase"
    assert recent == {"x": 1, "y": 1, "z": 0, "old": 0}


def test_where_nobody_buys_popularity_counts_who_looked() -> None:
    found = popularity(_history([("a", "x", 1, 0.2), ("b", "x", 1, 0.2), ("a", "y", 1, 0.2)]))
    assert found.basis == "view_item"
    assert found.score.tolist() == [2.0, 1.0]


ROWS = st.lists(
    st.tuples(
        st.sampled_from("abcdef"),
        st.sampled_from("stuvwxyz"),
        st.integers(0, 40).map(float),
        st.sampled_from([0.2, 0.5, 1.0]),
    ),
    min_size=1,
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(1, 8), st.sets(st.sampled_from("stuvwxyz"), max_size=4))
def test_no_list_holds_what_is_owned_closed_or_twice(
    rows: list[Row], k: int, closed: set[str]
) -> None:
    history = _history(rows)
    lists = _lists(history, k, closed=frozenset(closed))
    sellable = {r[1] for r in rows if r[3] == 1.0} or {r[1] for r in rows}
    for customer, places in lists.items():
        owned = {r[1] for r in rows if r[0] == customer and r[3] == 1.0}
        items = [item for item, _, _ in places]
        assert len(set(items)) == len(items) <= k
        assert not set(items) & (owned | closed)
        assert len(items) >= min(k, len(sellable - owned - closed))
        heads = [head for _, head, _ in places]
        assert heads == sorted(heads)
        for _, head, because in places:
            assert (because is None) == (head == POPULAR)
            assert because is None or any(r[0] == customer and r[1] == because for r in rows)


@settings(max_examples=25, deadline=None)
@given(ROWS, st.randoms())
def test_the_order_of_rows_changes_no_list(rows: list[Row], chance: object) -> None:
    unique = list({(r[0], r[1], r[2]): r for r in rows}.values())
    shuffled = unique[::-1]
    first, second = _scores(unique), _scores(shuffled)
    assert first.keys() == second.keys()
    for pair, score in first.items():
        assert second[pair] == pytest.approx(score)


def _scores(rows: Sequence[Row]) -> dict[tuple[str, str], float]:
    history = _history(rows)
    matrix = Covisit(keep=1000).fit(history).tocoo()
    items = history.item_ids.to_pylist()
    return {
        (items[i], items[j]): float(v)
        for i, j, v in zip(matrix.row, matrix.col, matrix.data, strict=True)
    }


def _oracle(rows: Sequence[Row], window: int) -> dict[tuple[str, str], float]:
    """The formula of `covisit` once more, with loops."""
    model = Covisit(window=window)
    counts: dict[tuple[str, str], float] = {}
    end = max(r[2] for r in rows)
    for who in {r[0] for r in rows}:
        own = sorted((r for r in rows if r[0] == who), key=lambda r: r[2])
        for a in range(len(own)):
            for b in range(a + 1, min(len(own), a + window + 1)):
                if own[a][1] == own[b][1]:
                    continue
                for i, j, side in ((a, b, 1.0), (b, a, model.backward)):
                    weight = own[j][3] * 0.5 ** ((end - own[j][2]) / model.half_life_days)
                    pair = (own[i][1], own[j][1])
                    counts[pair] = counts.get(pair, 0.0) + weight * side / (b - a)
    incoming: dict[str, float] = {}
    for (_, target), value in counts.items():
        incoming[target] = incoming.get(target, 0.0) + value
    return {
        pair: value / (incoming[pair[1]] + model.shrink) ** model.damping
        for pair, value in counts.items()
    }


def test_the_scores_are_those_of_the_formula_written_with_loops() -> None:
    chance = np.random.default_rng(11)
    rows: list[Row] = [
        (f"c{c}", f"i{chance.integers(12)}", float(t), float(chance.choice([0.2, 1.0])))
        for c in range(30)
        for t in range(int(chance.integers(1, 15)))
    ]
    history = _history(rows)
    items = history.item_ids.to_pylist()
    matrix = Covisit(window=4, keep=1000).fit(history).tocoo()
    found = {
        (items[i], items[j]): v for i, j, v in zip(matrix.row, matrix.col, matrix.data, strict=True)
    }
    expected = _oracle(rows, 4)
    assert found.keys() == expected.keys()
    assert all(found[pair] == pytest.approx(expected[pair]) for pair in expected)


def test_held_out_purchases_of_planted_tastes_are_found_more_often_than_by_popularity() -> None:
    chance = np.random.default_rng(7)
    rows: list[Row] = []
    held_out: dict[str, str] = {}
    appeal = 1 / np.arange(1, 21)  # within each taste some items sell far more than others
    for customer in range(600):
        taste = customer % 5
        own = chance.choice(20, size=7, replace=False, p=appeal / appeal.sum())
        *past, last = [f"t{taste}-{item}" for item in own]
        held_out[f"c{customer}"] = last
        rows += [(f"c{customer}", item, float(n), 1.0) for n, item in enumerate(past)]
    history = _history(rows)
    lists = _lists(history, 10)
    found = np.mean([held_out[c] in {i for i, _, _ in places} for c, places in lists.items()])
    order = popularity(history).order
    items = history.item_ids.to_pylist()
    owned = {c: {r[1] for r in rows if r[0] == c} for c in held_out}
    by_popularity = np.mean(
        [
            held_out[c] in [items[i] for i in order if items[i] not in owned[c]][:10]
            for c in held_out
        ]
    )
    assert found > 0.7
    assert found > by_popularity + 0.3


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9))
def test_top_keeps_the_largest_of_each_row_and_equal_ones_by_column(seed: int, keep: int) -> None:
    chance = np.random.default_rng(seed)
    dense = chance.integers(0, 6, (13, 17)) * (chance.random((13, 17)) < chance.random())
    cut = top(sparse.csr_array(dense.astype(float)), keep)
    for row in range(13):
        expected = sorted((j for j in range(17) if dense[row, j] > 0), key=lambda j: -dense[row, j])
        found = cut.indices[cut.indptr[row] : cut.indptr[row + 1]].tolist()
        assert found == expected[:keep]


def test_age_counts_rows_since() -> None:
    assert age(np.array([0, 0, 0, 2, 5, 5])).tolist() == [2, 1, 0, 0, 1, 0]


def test_only_goods_in_stock_and_in_their_time_are_offered() -> None:
    now = datetime(2024, 5, 1, tzinfo=UTC)
    base = {"kind": "product", "stock": 3.0, "available_from": None, "expires_at": None}
    items = {
        "ok": base,
        "untold": base | {"stock": None},
        "gone": base | {"stock": 0.0},
        "post": base | {"kind": "service"},
        "soon": base | {"available_from": now + timedelta(days=1)},
        "over": base | {"expires_at": now},
    }
    ids = pa.array([*items, "unknown"])
    assert offerable(ids, items, now).tolist() == [True, True] + [False] * 5
    assert offerable(ids, {}, now).all()


def test_an_empty_shop_gives_empty_lists() -> None:
    history = _history([])
    assert _lists(history, 5) == {}
    model = Recommender(Covisit().fit(history), popularity(history), np.zeros(0, dtype=bool))
    assert len(model.slates(history, np.zeros(1, dtype=np.int64), 3).item) == 0
    assert isinstance(model.popular, Popularity)
