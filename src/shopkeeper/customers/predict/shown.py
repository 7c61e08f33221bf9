"""What the newest run says: of one customer, of all by one prediction, and how good it is."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

import narwhals as nw

from shopkeeper.core.errors import UnknownName
from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay
from shopkeeper.customers.predict.kinds import MODEL, PREDICTIONS
from shopkeeper.customers.predict.reasons import told
from shopkeeper.customers.types import (
    CustomerPrediction,
    CustomerPredictions,
    PredictionRun,
    Score,
    Scores,
)
from shopkeeper.shop.shop import Shop
from shopkeeper.store.models import Models

_NOTHING = CannotSay(
    reason="Nothing has been predicted yet.",
    needed="a run: shopkeeper customers predict",
    code="no_run",
)
_OF_THEM = CannotSay(
    reason="Nothing is predicted of this customer.",
    needed="a purchase before the last run, and no refusal of personalisation",
    code="nothing_of_them",
)


def forecasts(shop: Shop, customer_id: str, lang: Language) -> CustomerPredictions:
    """Everything that is predicted of one customer, with reasons in words."""
    mine = nw.col("customer_id") == customer_id
    rows = shop.query(
        lambda source: source.scores().filter(
            mine, nw.col("valid_to").is_null(), nw.col("prediction").is_in(PREDICTIONS)
        )
    ).to_pylist()
    by_name = {row["prediction"]: row for row in rows}
    found = tuple(_forecast(by_name[one], lang) for one in PREDICTIONS if one in by_name)
    missing = None if found else _OF_THEM if Models(shop.database).current(MODEL) else _NOTHING
    return CustomerPredictions(customer_id=customer_id, forecasts=found, missing=missing)


def scores(
    shop: Shop, prediction: str, page: tuple[int, int], least_first: bool, lang: Language
) -> Scores:
    """The customers by one prediction from ``page[0]`` on, at most ``page[1]``.

    Raises:
        UnknownName: there is no such prediction.
    """
    if prediction not in PREDICTIONS:
        raise UnknownName("prediction", prediction, PREDICTIONS, field="prediction")
    offset, limit = page
    rows = shop.query(
        lambda source: (
            source.scores()
            .filter(
                nw.col("prediction") == prediction,
                nw.col("valid_to").is_null(),
                ~nw.col("value").is_null(),
            )
            .with_columns(total=nw.len())
            .sort("value", "customer_id", descending=[not least_first, False])
            .head(offset + limit)
        )
    ).to_pylist()
    missing = None if Models(shop.database).current(MODEL) else _NOTHING
    return Scores(
        prediction=prediction,
        name=name(prediction, lang),
        total=rows[0]["total"] if rows else 0,
        offset=offset,
        rows=tuple(
            Score(
                **{k: row[k] for k in ("customer_id", "value", "low", "high")},
                reasons=told(row["reasons"], lang),
            )
            for row in rows[offset:]
        ),
        missing=missing,
    )


def health(shop: Shop) -> PredictionRun:
    """What the newest run predicted, and how good it would have been."""
    model = Models(shop.database).current(MODEL)
    return PredictionRun.model_validate(model.card) if model else PredictionRun(missing=_NOTHING)


def name(prediction: str, lang: Language) -> str:
    """What a prediction is called."""
    found: str = _names()[prediction][lang]
    return found


def _forecast(row: dict[str, Any], lang: Language) -> CustomerPrediction:
    return CustomerPrediction(
        prediction=row["prediction"],
        name=name(row["prediction"], lang),
        value=row["value"],
        low=row["low"],
        high=row["high"],
        reasons=told(row["reasons"], lang),
        since=row["valid_from"],
        model_version=row["model_version"],
    )


@cache
def _names() -> dict[str, Any]:
    text = files("shopkeeper.customers.predict").joinpath("names.toml").read_text("utf-8")
    return tomllib.loads(text)
