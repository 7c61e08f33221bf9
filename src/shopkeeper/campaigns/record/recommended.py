"""The record of a list of recommendations, from the log of decisions."""

from __future__ import annotations

import json

import narwhals as nw

from shopkeeper.campaigns.record.outcome import outcome
from shopkeeper.campaigns.record.types import Listed, Record, Shown
from shopkeeper.campaigns.record.wording import say
from shopkeeper.core.errors import NotFound
from shopkeeper.core.settings import Language
from shopkeeper.shop.shop import Shop

_DAYS = 7


def recommended(shop: Shop, decision_id: str, lang: Language, *, personal: bool) -> Record:
    """Why this list, and what the customer did with its items within a week.

    Raises:
        NotFound: the log of decisions has none of that id (yet: the worker moves it about once a second).
    """
    mine = nw.col("decision_id") == decision_id
    rows = shop.query(lambda s: s.decisions().filter(mine)).sort_by("position").to_pylist()
    if not rows:
        raise NotFound(
            f"There is no decision {decision_id!r}.",
            hint="It may still wait in the log; and an erasure takes decisions away.",
            field="decision_id",
        )
    first = rows[0]
    customer = first["customer_id"]
    items = shop.catalogue.some([row["chosen"] for row in rows])
    places = tuple(
        Shown(
            position=row["position"],
            chosen=row["chosen"],
            title=(items.get(row["chosen"]) or {}).get("title") or row["chosen"],
            propensity=row["propensity"] or 0.0,
            candidates={name: float(chance) for name, chance in dict(row["candidates"]).items()},
        )
        for row in rows
    )
    told = {
        "places": len(rows),
        "policy": first["policy"],
        "time": first["time"].astimezone(shop.settings.zone).strftime("%Y-%m-%d %H:%M"),
    }
    seen = customer and personal
    return Record(
        about="recommendation",
        code=first["kind"],
        answer=say(lang, "recommended" if first["personalised"] else "popular", **told),
        certain=True,
        customer_id=customer,
        erased=False,
        message_id=None,
        approval=None,
        membership=None,
        words=None,
        draw=None,
        consent=None,
        rules=None,
        sending=None,
        listed=Listed(
            decision_id=decision_id,
            kind=first["kind"],
            time=first["time"],
            policy=first["policy"],
            rules=tuple(json.loads(first["rules"] or "[]")),
            context=dict(first["context"] or {}),
            personalised=bool(first["personalised"]),
            places=places,
        ),
        outcome=outcome(shop, customer, first["time"], _DAYS, [p.chosen for p in places])
        if seen
        else None,
        withheld=() if personal else ("outcome",),
        unknown=(),
    )
