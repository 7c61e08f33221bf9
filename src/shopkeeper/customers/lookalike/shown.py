"""The customers who are most like a list, with reasons, and how far to trust it."""

from __future__ import annotations

from typing import Final

import narwhals as nw

from shopkeeper.core.errors import NotFound
from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay
from shopkeeper.customers.predict.reasons import told
from shopkeeper.customers.types import LiftFigure, LookAlikes, Score
from shopkeeper.shop.shop import Shop
from shopkeeper.store.models import Models

MODEL: Final = "customers.lookalike"


def shown(shop: Shop, name: str, page: tuple[int, int], lang: Language) -> LookAlikes:
    """Who is most like the list of that name.

    Raises:
        NotFound: no list of that name was compared.
    """
    model = Models(shop.database).current(f"{MODEL}.{name}")
    if model is None:
        raise NotFound(
            f"No look-alikes of {name!r} were looked for.",
            hint="Run it: shopkeeper customers look-alike",
            field="name",
        )
    offset, limit = page
    rows = shop.query(
        lambda source: (
            source.scores()
            .filter(nw.col("prediction") == f"lookalike:{name}", nw.col("valid_to").is_null())
            .with_columns(total=nw.len())
            .sort("value", "customer_id", descending=[True, False])
            .head(offset + limit)
        )
    ).to_pylist()
    card = model.card
    return LookAlikes(
        name=name,
        given=card["given"],
        seeds=card["seeds"],
        lift=LiftFigure(**card["lift"]) if "lift" in card else None,
        missing=CannotSay.model_validate(card["missing"]) if card["missing"] else None,
        total=rows[0]["total"] if rows else 0,
        offset=offset,
        rows=tuple(
            Score(
                customer_id=row["customer_id"],
                value=row["value"],
                low=None,
                high=None,
                reasons=told(row["reasons"], lang, "likeness"),
            )
            for row in rows[offset:]
        ),
    )
