"""Predictions: exact contributions, simulated truth, the table of scores, and what is refused."""

import shutil
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from math import factorial
from pathlib import Path

import narwhals as nw
import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from tests.conftest import SHANGHAI
from tests.customers.crowd import FIRST, crowd
from threadpoolctl import threadpool_info, threadpool_limits  # type: ignore[import-untyped]

from shopkeeper.core.errors import Conflict, UnknownName
from shopkeeper.customers.operations import predict, prediction_health, predictions, scores
from shopkeeper.customers.predict.blend import Blend
from shopkeeper.customers.predict.health import around, auc, bins, expected_calibration_error
from shopkeeper.customers.predict.trees import Forest, Tree, threads
from shopkeeper.customers.scoring import Said, keep, table
from shopkeeper.governance.operations import erase
from shopkeeper.shop import Shop


def _known_value(tree: Tree, x: np.ndarray, known: set[int], node: int = 0) -> float:
    """The tree's mean where only some features are known: the definition, followed node by node."""
    feature = int(tree.feature[node])
    if feature < 0:
        return float(tree.value[node])
    left, right = int(tree.left[node]), int(tree.right[node])
    if feature in known:
        goes_left = bool(tree.goes_left(x[None], node)[0])
        return _known_value(tree, x, known, left if goes_left else right)
    parts = ((tree.cover[n], _known_value(tree, x, known, n)) for n in (left, right))
    return float(sum(cover * value for cover, value in parts) / tree.cover[node])


def test_contributions_are_the_shapley_values_by_definition_and_add_up() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(300, 4))
    x[rng.random(x.shape) < 0.1] = np.nan
    y = np.nan_to_num(x[:, 0]) * np.nan_to_num(x[:, 1]) + np.nan_to_num(x[:, 2]) > 0
    model = HistGradientBoostingClassifier(max_iter=6, max_leaf_nodes=8, max_depth=4).fit(x, y)
    forest = Forest.of(model)
    added = forest.contributions(x)
    assert added.sum(axis=1) + forest.base == pytest.approx(model.decision_function(x), abs=1e-12)
    for row in range(0, 300, 50):
        for one in range(4):
            rest = [f for f in range(4) if f != one]
            value = 0.0
            for size in range(4):
                weight = factorial(size) * factorial(3 - size) / factorial(4)
                for known in combinations(rest, size):
                    for tree in forest.trees:
                        gain = _known_value(tree, x[row], {*known, one})
                        value += weight * (gain - _known_value(tree, x[row], set(known)))
            assert added[row, one] == pytest.approx(value, abs=1e-10)


def test_the_blend_adds_up_and_an_extreme_customer_does_not_explode() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(2000, 3))
    y = (x[:, 0] + rng.normal(size=2000) > 0).astype(float)
    model = Blend.fit(x, y)
    whole = model.contributions(x).sum(axis=1) + model.base
    assert whole == pytest.approx(model.margin(x), abs=1e-9)
    assert abs(model.margin(np.array([[1e30, 1e30, np.nan]]))[0]) < 20


def test_auc_calibration_and_their_intervals_say_what_they_are_defined_as() -> None:
    rng = np.random.default_rng(2)
    chance = rng.random(4000)
    away = (rng.random(4000) < chance).astype(float)
    assert auc(np.array([0.0, 0, 1, 1]), np.array([0.1, 0.5, 0.5, 0.9])) == pytest.approx(0.875)
    assert auc(away, np.zeros(4000)) == pytest.approx(0.5)
    assert expected_calibration_error(away, chance) < 0.03
    assert expected_calibration_error(away, chance * 0.5) > 0.2
    found = bins(away, chance)
    assert sum(one.low <= one.said <= one.high for one in found) >= 8
    low, high = around(chance, found)
    assert np.all(low <= chance)
    assert np.all(chance <= high)


@pytest.fixture(scope="module")
def predicted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("predicted") / "shop"
    with Shop.create(folder, SHANGHAI) as shop:
        crowd(shop, 900, 270)
        said = datetime(2024, 2, 1, tzinfo=UTC)
        shop.consent.record("c00007", "personalisation", "recommend", "DENY", said, {"form": "1"})
        predict(shop)
    return folder


def test_a_run_predicts_every_buyer_who_does_not_refuse(predicted: Path) -> None:
    with Shop.open(predicted) as shop:
        run = prediction_health(shop)
        assert run.missing is None
        assert run.customers == 899
        assert run.refused == 1
        assert run.as_of is not None
        assert run.as_of > FIRST + timedelta(days=260)
        by_horizon = {one.horizon: one for one in run.health}
        assert set(by_horizon) == {30, 60, 90}
        month = by_horizon[30]
        assert month.auc is not None
        assert month.auc > 0.65
        assert month.ece is not None
        assert month.ece < 0.08
        assert sum(one.customers for one in month.bins) == month.customers
        assert predictions(shop, "c00007").missing is not None
        for name in run.predictions:
            # Of who has left, nothing is said of when the next order comes.
            total = scores(shop, name, limit=1).total
            assert total == 899 or (name == "next_order_days" and 300 < total < 899)


def test_predictions_of_one_customer_hang_together(predicted: Path) -> None:
    with Shop.open(predicted) as shop:
        likely = scores(shop, "churn_60", limit=1, least_first=True).rows[0]
        gone = scores(shop, "churn_60", limit=1).rows[0]
        assert likely.value < 0.5 < gone.value
        found = {one.prediction: one for one in predictions(shop, likely.customer_id).forecasts}
        chances = [found[f"churn_{days}"].value or 0.0 for days in (30, 60, 90)]
        assert chances == sorted(chances, reverse=True)
        for one in found.values():
            assert one.reasons
            assert one.value is None or one.low is None or one.low <= one.value + 1e-9
        assert found["churn_60"].reasons[0].text.endswith(".")
        chinese = predictions(shop, likely.customer_id, lang="zh").forecasts[0]
        assert chinese.name == "30 天内不下单的可能性"
        worth = {one.customer_id: one.value for one in scores(shop, "value_365", limit=900).rows}
        assert worth[likely.customer_id] > worth[gone.customer_id]


@pytest.mark.slow
def test_orders_expected_are_about_those_that_come(tmp_path: Path) -> None:
    with Shop.create(tmp_path / "shop", SHANGHAI) as shop:
        bought = crowd(shop, 900, 360, seed=3)
        end = 270
        with shop.writer("test") as writer, writer.alone():
            later = [FIRST + timedelta(days=day) for day in range(end, 361)]
            shop.warehouse.tables["events"].drop_days(later)
            writer.maintain()
        predict(shop)
        total = sum(one.value for one in scores(shop, "orders_90", limit=1000).rows)
        real = sum(
            sum(end <= day < end + 90 for day in days)
            for days in bought.values()
            if min(days) < end
        )
        assert total == pytest.approx(real, rel=0.2)


def test_a_second_run_closes_the_first_and_a_third_forgets_it(predicted: Path) -> None:
    with Shop.open(predicted) as shop:
        before = shop.query(lambda source: source.scores().select("prediction", "valid_to"))
        ids, value = ["c1", "c2"], np.array([1.0, np.nan])
        for run in (1, 2, 3):
            at = datetime(2030, 1, run, tzinfo=UTC)
            revision = shop.state.revision("restrictions")
            rows = table(
                [Said("cluster_tastes", ids, value, None, None, ["{}", None])], f"v{run}", at
            )
            keep(shop, rows, ["cluster_tastes"], at, revision)
        mine = nw.col("prediction") == "cluster_tastes"
        rows = shop.query(
            lambda source: source.scores().filter(mine).sort("valid_from", "customer_id")
        )
        assert [row["model_version"] for row in rows.to_pylist()] == ["v2", "v2", "v3", "v3"]
        assert [row["valid_to"] is None for row in rows.to_pylist()] == [False, False, True, True]
        assert rows["value"].to_pylist() == [1.0, None, 1.0, None]
        after = shop.query(lambda source: source.scores().filter(~mine).select("prediction"))
        assert after.num_rows == before.num_rows


def test_who_is_erased_is_in_no_score(predicted: Path, tmp_path: Path) -> None:
    with Shop.open(shutil.copytree(predicted, tmp_path / "shop")) as shop:
        who = scores(shop, "value_365", limit=1).rows[0].customer_id
        before = scores(shop, "value_365", limit=1).total
        plan = erase(shop, [who]).plan
        assert plan is not None
        done = erase(shop, [who], confirm=plan.hash).certificate
        assert done is not None
        assert done.clean
        assert any(one.where == "tables/scores" for one in done.removed)
        assert predictions(shop, who).forecasts == ()
        assert scores(shop, "value_365", limit=1).total == before - 1


def test_nothing_is_written_back_of_somebody_restricted_meanwhile(shop: Shop) -> None:
    revision = shop.state.revision("restrictions")
    shop.restrictions.add(["c1"], "asked")
    at = datetime(2030, 1, 1, tzinfo=UTC)
    with pytest.raises(Conflict, match="restricted while"):
        keep(shop, table((), "v", at), ["churn_30"], at, revision)


def test_a_shop_without_purchases_or_repeats_says_so(shop: Shop) -> None:
    assert prediction_health(shop).missing is not None
    assert predictions(shop, "c1").missing is not None
    run = predict(shop)
    assert run.missing is not None
    with pytest.raises(UnknownName):
        scores(shop, "churn_31")
    crowd(shop, 30, 20)
    few = predict(shop)
    assert all(one.missing is not None for one in few.health)
    assert date(2024, 1, 1) <= (few.as_of or date.min)


def test_few_rows_are_learned_by_one_thread_and_many_by_as_many_as_there_are() -> None:
    """Beside other work threads wait for each other: a second's fit took four minutes."""

    def counts() -> set[int]:
        return {one["num_threads"] for one in threadpool_info()}

    with threadpool_limits(limits=2):
        with threads(20_000):
            assert counts() == {1}
        with threads(1_000_000):
            assert counts() == {2}
