"""Planned texts as rows of the TEXTS table, with the truth about each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, Final

import numpy as np
import pyarrow as pa

from shopkeeper.core.schema import TEXTS
from shopkeeper.core.seeds import derive
from shopkeeper.simulate.calendar import EPOCH
from shopkeeper.simulate.chats import Turn, chat
from shopkeeper.simulate.columns import SOURCE, order_ids, user_ids
from shopkeeper.simulate.grammar import grammar
from shopkeeper.simulate.plans import INTENTS, REVIEW, Plans
from shopkeeper.simulate.population import LANGUAGES
from shopkeeper.simulate.reviews import Facts, review
from shopkeeper.simulate.setting import Setting
from shopkeeper.warehouse.arrow import from_rows

_BATCH = 5_000

TRUTH: Final = pa.schema(
    [
        ("text_id", pa.string()),
        ("kind", pa.string()),
        ("intent", pa.string()),
        ("order_id", pa.string()),
        ("item_id", pa.string()),
        ("customer_id", pa.string()),
        ("language", pa.string()),
        ("aspects", pa.list_(pa.string())),
        ("polarities", pa.list_(pa.int8())),
        ("rating", pa.int8()),
        ("delivery_days", pa.int16()),
        ("days_late", pa.int16()),
        ("returned", pa.bool_()),
        ("happening", pa.string()),
    ]
)


def write(setting: Setting, plans: Plans) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """Batches of texts and of the truth about them, in order of time of their first message."""
    customers = user_ids(plans["customer"]).to_pylist()
    orders = order_ids(setting.seed, plans["order"]).to_pylist()
    for start in range(0, len(plans), _BATCH):
        rows: list[dict[str, Any]] = []
        truth: list[dict[str, Any]] = []
        for n in range(start, min(start + _BATCH, len(plans))):
            _text(setting, plans[n], customers[n], orders[n], (rows, truth))
        table = from_rows(rows, TEXTS).combine_chunks()
        yield (
            table.to_batches()[0],
            pa.RecordBatch.from_pylist(truth, schema=TRUTH),
        )


def _text(
    setting: Setting,
    plan: Any,
    customer: str,
    order: str,
    into: tuple[list[dict[str, Any]], list[dict[str, Any]]],
) -> None:
    item = int(plan["item"])
    is_review = plan["kind"] == REVIEW
    stem = f"{'r' if is_review else 'h'}{order[1:]}{item:03x}"
    chance = Random(derive(setting.seed, "text", stem))  # noqa: S311 - repeatable, not secret
    language = LANGUAGES[int(plan["language"])]
    about = _about(setting, plan, item)
    intent = None if is_review else INTENTS[int(plan["intent"])]
    title, turns = _turns(setting, language, about, intent, chance)
    rows, truth = into
    for place, turn in enumerate(turns):
        time = int(plan["time"]) + turn.after * 1_000_000
        text_id = stem if is_review else f"{stem}-{place + 1}"
        rows.append(
            {
                "text_id": text_id,
                "kind": "review" if is_review else "chat",
                "author_role": turn.role,
                "thread_id": None if is_review else stem,
                "customer_id": customer if turn.role == "customer" else None,
                "item_id": about.product.item_id,
                "time": time,
                "day": _local_day(setting, time),
                "language": language,
                "title": title,
                "body": turn.body,
                "rating": float(about.rating) if is_review else None,
                "source": SOURCE,
            }
        )
        truth.append(_truth(setting, plan, rows[-1], order, customer, intent, turn))


def _truth(
    setting: Setting,
    plan: Any,
    row: dict[str, Any],
    order: str,
    customer: str,
    intent: str | None,
    turn: Turn,
) -> dict[str, Any]:
    cause = int(plan["cause"])
    return {
        "text_id": row["text_id"],
        "kind": row["kind"],
        "intent": intent,
        "order_id": order,
        "item_id": row["item_id"],
        "customer_id": customer,
        "language": row["language"],
        "aspects": [aspect for aspect, _ in turn.mentions],
        "polarities": [polarity for _, polarity in turn.mentions],
        "rating": int(plan["rating"]) if row["kind"] == "review" else None,
        "delivery_days": int(plan["days"]),
        "days_late": int(plan["late"]),
        "returned": bool(plan["returned"]),
        "happening": setting.scenario.happenings[cause].name if cause >= 0 else None,
    }


def _about(setting: Setting, plan: Any, item: int) -> Facts:
    aspects = setting.catalogue.aspects
    if plan["kind"] == REVIEW:
        spoken = zip(plan["aspects"].tolist(), plan["polarity"].tolist(), strict=True)
        mentions = tuple((aspects[a], p) for a, p in spoken if a >= 0)
    else:
        fault = int(plan["fault"])
        mentions = ((aspects[fault], -1),) if fault >= 0 else ()
    return Facts(
        item=item,
        product=setting.catalogue.products[item],
        mentions=mentions,
        rating=int(plan["rating"]),
        days=int(plan["days"]),
        late=int(plan["late"]),
        nth=int(plan["nth"]),
    )


def _turns(
    setting: Setting, language: str, about: Facts, intent: str | None, chance: Random
) -> tuple[str | None, list[Turn]]:
    words = grammar(language)
    if intent is None:
        title, body = review(words, setting.catalogue, about, chance)
        return title, [Turn("customer", 0, body, about.mentions)]
    return None, chat(words, setting.catalogue, about, intent, chance)


def _local_day(setting: Setting, time: int) -> date:
    number = int(setting.clock.number_at(np.array([time]))[0])
    return EPOCH + timedelta(days=setting.clock.epoch_day(number))


def moment(microseconds: int) -> datetime:
    """The UTC time of microseconds since 1970."""
    return datetime.fromtimestamp(microseconds / 1_000_000, UTC)
