"""Every head, found by its file, on a world with a known answer: black squares go with black."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy import sparse
from scipy.linalg import lapack
from threadpoolctl import threadpool_info, threadpool_limits  # type: ignore[import-untyped]

from shopkeeper.core import discovery
from shopkeeper.recommend.cases import only
from shopkeeper.recommend.heads.base import Goods, Head, Queries, past
from shopkeeper.recommend.heads.newcomer import Newcomer
from shopkeeper.recommend.heads.popular import Popular
from shopkeeper.recommend.history import DAY_MS, History
from shopkeeper.recommend.linear import inverse, solve
from shopkeeper.recommend.mixture import Mask, Mixture, given, softmax
from shopkeeper.recommend.spoken import Spoken
from shopkeeper.recommend.together import leading
from shopkeeper.recommend.weighing import fit, weigh

TRAINED = frozenset({"sequence"})
HEADS = [
    pytest.param(name, marks=pytest.mark.slow) if name in TRAINED else name
    for name in discovery.names("shopkeeper.recommend.heads")
]
LIGHT = [name for name in discovery.names("shopkeeper.recommend.heads") if name not in TRAINED]
ADDITIVE = frozenset({"covisit", "ease", "kind", "repeat", "text", "transition"})
"""Heads whose affinity is a sum over the rows of a history: their reasons are its terms."""
ITEMS, CUSTOMERS, LENGTH = 20, 120, 12


def head(name: str) -> Head:
    if name in TRAINED:
        pytest.importorskip("torch", reason="the extra `train` is not installed")
    module = discovery.load("shopkeeper.recommend.heads", name, what="head")
    made: Head = module.HEAD()
    return made


def checkerboard() -> tuple[History, Goods]:
    """Customers of even number walk along even items, the others along odd ones."""
    random = np.random.default_rng(5)
    rows = []
    for customer in range(CUSTOMERS):
        first = int(random.integers(0, ITEMS // 2))
        rows += [
            (customer, 2 * ((first + step) % (ITEMS // 2)) + customer % 2, step)
            for step in range(LENGTH)
        ]
    colour = ("black", "white")
    spoken = Spoken.by(
        np.arange(CUSTOMERS, dtype=np.int64),
        np.full(CUSTOMERS, 20_000 * DAY_MS),
        [f"{colour[n % 2]} square" for n in range(CUSTOMERS)],
        CUSTOMERS,
    )
    table = np.array(rows, dtype=np.int64)
    history = History(
        table[:, 0],
        table[:, 1],
        (20_000 + table[:, 2]) * DAY_MS,
        np.ones(len(table)),
        pa.array([f"c{n}" for n in range(CUSTOMERS)]),
        pa.array([f"i{n}" for n in range(ITEMS)]),
        spoken,
    )
    goods = Goods(
        tuple(f"{colour[n % 2]} square" for n in range(ITEMS)),
        tuple(colour[n % 2] for n in range(ITEMS)),
        tuple(f"board > {colour[n % 2]}" for n in range(ITEMS)),
    )
    return history, goods


@pytest.fixture(scope="module")
def world() -> tuple[History, Goods]:
    return checkerboard()


@pytest.mark.parametrize("name", HEADS)
class TestContract:
    def test_affinities_are_finite_and_never_negative(
        self, name: str, world: tuple[History, Goods]
    ) -> None:
        queries, _ = past(world[0])
        found = _dense(head(name).fit(*world).affinities(queries))
        assert found.shape == (len(queries), ITEMS)
        assert np.isfinite(found).all()
        assert (found >= 0).all()

    def test_a_customer_of_one_colour_is_drawn_to_it(
        self, name: str, world: tuple[History, Goods]
    ) -> None:
        queries, customers = past(world[0])
        found = _dense(head(name).fit(*world).affinities(queries))
        own = found[:, ::2].sum(axis=1), found[:, 1::2].sum(axis=1)
        black = customers % 2 == 0
        if name == "popular":  # the same for everybody is what it is
            assert np.ptp(found, axis=0).max() == 0
        elif name == "newcomer":  # these have a history
            assert not found.any()
        else:
            assert (own[0][black] > own[1][black]).all()
            assert (own[1][~black] > own[0][~black]).all()

    def test_evidence_sums_to_the_affinity_of_a_linear_head(
        self, name: str, world: tuple[History, Goods]
    ) -> None:
        queries, _ = past(world[0])
        one, items = queries.part(4, 5), np.arange(ITEMS)
        fitted = head(name).fit(*world)
        told = fitted.evidence(one, items)
        assert told.shape == (LENGTH, ITEMS)
        assert np.isfinite(told).all()
        assert (told >= 0).all()
        if name in ADDITIVE:
            found = _dense(fitted.affinities(one))[0]
            assert found.any()
            np.testing.assert_allclose(told.sum(axis=0), found, rtol=1e-3, atol=1e-6)

    def test_an_empty_history_is_no_error(self, name: str, world: tuple[History, Goods]) -> None:
        none = np.zeros(0, dtype=np.int64)
        nobody = Queries(np.zeros(2, np.int64), none, none, np.zeros(0), np.zeros(1, np.int64))
        found = _dense(head(name).fit(*world).affinities(nobody))
        assert found.shape == (1, ITEMS)
        assert np.isfinite(found).all()

    def test_a_shop_without_choices_can_be_fitted(self, name: str) -> None:
        none = np.zeros(0, dtype=np.int64)
        empty = History(none, none, none, np.zeros(0), pa.array([], pa.string()), pa.array(["a"]))
        queries = Queries(np.zeros(2, np.int64), none, none, np.zeros(0), np.zeros(1, np.int64))
        found = _dense(head(name).fit(empty, Goods.unknown(1)).affinities(queries))
        assert found.shape == (1, 1)


def test_who_is_new_is_shown_what_others_chose_first_and_no_more_than_is_kept() -> None:
    # Ten begin with the door, nine with door, mat and bell at once; everybody buys much bread later.
    rows = [(n, 0, 1) for n in range(10)]
    rows += [(n, item, 1) for n in range(10, 19) for item in (0, 1, 2)]
    rows += [(n, 3, 2 + day) for n in range(19) for day in range(5)]
    table = np.array(sorted(rows), dtype=np.int64)
    history = History(
        table[:, 0],
        table[:, 1],
        table[:, 2] * DAY_MS,
        np.ones(len(table)),
        pa.array([f"c{n}" for n in range(20)]),  # the last has chosen nothing
        pa.array(["door", "mat", "bell", "bread"]),
    )
    now = np.array([8 * DAY_MS, 8 * DAY_MS])
    two = Queries(np.array([0, 0, 1]), np.array([3]), np.array([DAY_MS]), np.ones(1), now)
    fitted = head("newcomer").fit(history, Goods.unknown(4))
    new, known = _dense(fitted.affinities(two))
    assert not known.any()
    door, mat, bell, bread = new
    assert door == pytest.approx(
        13 / 3 * mat
    )  # ten whole choices and nine thirds, over nine thirds
    assert mat == pytest.approx(bell)
    assert bread == 0
    few = _dense(Newcomer(keep=1).fit(history, Goods.unknown(4)).affinities(two))
    assert np.flatnonzero(few[0]).tolist() == [0]
    tied = _dense(Newcomer(keep=2).fit(history, Goods.unknown(4)).affinities(two))
    assert np.count_nonzero(tied[0]) == 2  # mat and bell are chosen first as often: one of them


@pytest.mark.parametrize("season", [False, True])
def test_what_everybody_buys_now_is_bought_again_first(*, season: bool) -> None:
    customer = np.concatenate([[0, 0], np.repeat(np.arange(1, 61), 2)])
    item = np.concatenate([[0, 1], np.repeat(np.arange(60) % 2, 2)])
    # The others buy an item on two days: of all the year, or the first long ago and the second lately.
    begun = np.where(season, 350 * (np.arange(60) % 2), 6 * (np.arange(60) // 2))
    day = np.concatenate([[1, 1], (begun[:, None] + [0, 5]).ravel()])
    history = History(
        customer,
        item,
        day * DAY_MS,
        np.ones(len(item)),
        pa.array([f"c{n}" for n in range(61)]),
        pa.array(["then", "now"]),
    )
    queries, _ = past(history)
    first, second = _dense(head("repeat").fit(history, Goods.unknown(2)).affinities(queries))[0]
    assert first > 0
    assert second > 3 * first if season else second == pytest.approx(first)


def test_the_mixture_is_a_distribution_over_what_may_be_shown(world: tuple[History, Goods]) -> None:
    mixture, queries = _mixed(world)
    offered = np.ones(ITEMS, dtype=bool)
    offered[3] = False
    own = sparse.csr_array(
        (np.ones(len(queries.item), np.float32), (queries.query, queries.item)),
        shape=(len(queries), ITEMS),
    )
    found = mixture.probabilities(queries, Mask(offered, own))
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-5)
    assert not found[:, 3].any()
    assert not found[queries.query, queries.item].any()


def test_the_mixture_beats_its_first_head(world: tuple[History, Goods]) -> None:
    mixture, queries = _mixed(world)
    chosen = _last(world[0])
    everything = Mask(np.ones(ITEMS, dtype=bool))
    rows = np.arange(len(queries))
    mixed = mixture.probabilities(queries, everything)[rows, chosen]
    alone = softmax(
        mixture.heads["popular"].affinities(queries), 1.0, everything.allowed(len(queries))
    )
    assert np.log(mixed).mean() > np.log(given(alone, chosen)).mean() + 0.5


def test_small_catalogues_are_solved_by_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several wait for each other beside other work: a fit of seconds took minutes."""
    seen: list[int] = []

    def watched(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **told: Any) -> Any:
            seen.extend(
                one["num_threads"] for one in threadpool_info() if one["user_api"] == "blas"
            )
            return real(*given, **told)

        return call

    for module, name in (
        (np.linalg, "qr"),
        (lapack, "spotrf"),
        (lapack, "spotri"),
        (lapack, "spotrs"),
    ):
        monkeypatch.setattr(module, name, watched(getattr(module, name)))
    square = np.asfortranarray(np.eye(8, dtype=np.float32))
    with threadpool_limits(limits=2, user_api="blas"):
        inverse(square.copy(order="F"))
        solve(square.copy(order="F"), square.copy(order="F"))
        leading(sparse.csr_array(square), 2)
    assert len(seen) >= 13
    assert set(seen) == {1}


def test_the_sketch_finds_the_leading_directions() -> None:
    random = np.random.default_rng(4)
    loads = random.standard_normal((60, 5)) * np.array([9.0, 7.0, 5.0, 3.0, 2.0])
    dense = loads @ loads.T + 0.01 * np.eye(60)
    left, values = leading(sparse.csr_array(dense), 5)
    whole, exact, _ = np.linalg.svd(dense)
    np.testing.assert_allclose(values, exact[:5], rtol=1e-3)
    np.testing.assert_allclose(np.abs((left * whole[:, :5]).sum(axis=0)), 1.0, atol=1e-3)


def test_weights_go_to_the_head_that_was_right() -> None:
    table = np.column_stack([np.full(50, 0.1), np.r_[np.full(40, 0.9), np.zeros(10)]])
    weights = weigh(table)
    assert weights.sum() == pytest.approx(1)
    # Where the second was right it gave .9 against .1; the maximum is a root of the derivative.
    slope = (table[:, 1] - table[:, 0]) / (table @ weights)
    assert slope.sum() == pytest.approx(0, abs=1e-3)


def test_a_history_cut_at_its_end_is_asked_when_the_next_row_happened(
    world: tuple[History, Goods],
) -> None:
    queries, customers = past(world[0], drop=1)
    assert (queries.lengths == LENGTH - 1).all()
    assert len(customers) == CUSTOMERS
    np.testing.assert_array_equal(queries.now, (20_000 + LENGTH - 1) * DAY_MS)
    part = queries.part(3, 5)
    np.testing.assert_array_equal(part.item, queries.item[queries.starts[3] : queries.starts[5]])


def _last(history: History) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    ends = np.r_[np.flatnonzero(np.diff(history.customer)), len(history.customer) - 1]
    return history.item[ends]


def _mixed(world: tuple[History, Goods]) -> tuple[Mixture, Queries]:
    history, goods = world
    names = ["popular", *(name for name in LIGHT if name != "popular")]
    queries, _ = past(history, drop=1)
    earlier = np.r_[np.diff(history.customer) == 0, False]
    learned = only(history, earlier)
    heads = {name: head(name).fit(learned, goods) for name in names}
    mask = Mask(np.ones(ITEMS, dtype=bool))
    return fit(heads, queries, _last(history), mask), queries


def _dense(found: object) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    if isinstance(found, sparse.csr_array):
        return np.asarray(found.toarray())
    return np.asarray(found)


@pytest.mark.parametrize(("fades", "low", "high"), [(True, 0, 7), (False, 60, 999)])
def test_popularity_forgets_as_fast_as_the_shop_does(*, fades: bool, low: int, high: int) -> None:
    """Assortments that change by the week, and tastes that never change."""
    random = np.random.default_rng(6)
    day = np.sort(random.integers(0, 200, 20_000))
    drawn = random.zipf(1.6, 20_000) % 20
    item = (drawn + (day // 7 * 5 if fades else 0)) % 60
    history = History(
        np.arange(20_000),
        item.astype(np.int64),
        day * DAY_MS,
        np.ones(20_000),
        pa.array([f"c{n}" for n in range(20_000)]),
        pa.array([f"i{n}" for n in range(60)]),
    )
    found = Popular().fit(history, Goods.unknown(60)).weights
    like = [
        float(np.abs(found - Popular(days).fit(history, Goods.unknown(60)).weights).max())
        for days in (3.0, 7.0, 14.0, 30.0, 60.0, 120.0)
    ]
    chosen = (3.0, 7.0, 14.0, 30.0, 60.0, 120.0)[int(np.argmin(like))]
    assert min(like) == 0
    assert low <= chosen <= high
