"""The profile of one customer, as of this second."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

from shopkeeper.core.schema import ITEMS
from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay, Reason
from shopkeeper.customers.profile import stages, wording
from shopkeeper.customers.segmenting.compiling import Plan
from shopkeeper.customers.segmenting.definition import leaves
from shopkeeper.customers.segmenting.library import Library, library
from shopkeeper.customers.segmenting.listing import reasons
from shopkeeper.customers.segmenting.live import (
    Case,
    case_of,
    changes_on,
    goods_of,
    table_of,
)
from shopkeeper.customers.segmenting.refreshing import told
from shopkeeper.customers.segmenting.saying import shown
from shopkeeper.customers.traits.catalogue import catalogue, evidence
from shopkeeper.customers.traits.families.opinions import THEME
from shopkeeper.customers.traits.frame import family_of, names
from shopkeeper.customers.types import (
    ConsentState,
    InOne,
    KnownTrait,
    Opinion,
    Prediction,
    Profile,
)
from shopkeeper.shop.shop import Shop
from shopkeeper.store.consent.statements import Status
from shopkeeper.store.themes import Themes

_OPINIONS = 30

_lock = threading.Lock()
_goods: dict[str, tuple[int, pa.Table]] = {}


def profile(shop: Shop, any_id: str, lang: Language) -> Profile:
    """Everything known of the customer that the id stands for.

    Raises:
        NotFound: nothing is.
        Conflict: their data are restricted.
    """
    case = case_of(shop, any_id, goods(shop))
    there = library(shop)
    table = table_of(shop, case, there.plan)
    known = {name: table[name][0].as_py() for name in names()}
    consent = _consent(shop, case.customer_id)
    refused = [one for one in consent if one.status != Status.GRANT.value]
    predictions = _predictions(case, lang)
    at = stages.stage(known)
    return Profile(
        customer_id=case.customer_id,
        as_of=case.as_of,
        ids=tuple(case.tables["identities"]["sent_id"].to_pylist()),
        stage=at,
        stage_words=stages.called(at, lang),
        traits=_traits(known, case.as_of, lang),
        consent=consent,
        opinions=_opinions(shop, case, lang),
        predictions=predictions,
        no_predictions=None if predictions else _none_yet(),
        segments=_segments(shop, case, there, table, lang),
        next_actions=stages.actions(known, refused, lang),
        flags=stages.flags(known, _shared(shop, case), lang),
    )


def _shared(shop: Shop, case: Case) -> list[str]:
    """The customer's ids that stood for somebody else at another time."""
    periods = shop.people.periods(shop.people.sent_ids(case.customer_id))
    return sorted(
        sent_id
        for sent_id, spans in periods.items()
        if any(span.customer_id != case.customer_id for span in spans)
    )


def held(shop: Shop, any_id: str) -> tuple[Case, dict[str, bool]]:
    """The customer's rows, and by segment whether they are in, as of this second."""
    case = case_of(shop, any_id, goods(shop))
    plan = library(shop).plan
    inside = plan.members(table_of(shop, case, plan))
    return case, {segment: bool(mask[0]) for segment, mask in inside.items()}


def goods(shop: Shop) -> pa.Table:
    """:func:`~shopkeeper.customers.segmenting.live.goods_of`, read anew when items have changed."""
    snapshot = shop.warehouse.tables[ITEMS.name].snapshot()
    version = snapshot.version if snapshot else -1
    key = str(shop.folder)
    with _lock:
        known = _goods.get(key)
        if known is None or known[0] != version:
            known = _goods[key] = (version, goods_of(shop))
    return known[1]


def _traits(known: Mapping[str, Any], as_of: date, lang: Language) -> tuple[KnownTrait, ...]:
    found = []
    for name, trait in catalogue().items():
        value = known[name]
        if value is None:
            continue
        plain = value.isoformat() if isinstance(value, date | datetime) else value
        family = family_of(name)
        found.append(
            KnownTrait(
                name=name,
                called=trait.called(lang),
                value=plain,
                shown=wording.value(name, shown(plain, trait.kind), lang),
                family=family,
                evidence=evidence(family, lang),
                as_of=as_of,
            )
        )
    return tuple(found)


def _consent(shop: Shop, customer: str) -> tuple[ConsentState, ...]:
    last = {(one.purpose, one.channel): one for one in shop.consent.history(customer)}
    return tuple(
        ConsentState(purpose=p, channel=c, status=str(one.status.value), time=one.time)
        for (p, c), one in sorted(last.items())
    )


def _opinions(shop: Shop, case: Case, lang: Language) -> tuple[Opinion, ...]:
    readings = case.tables["readings"]
    if not readings.num_rows:
        return ()
    kept = readings.filter(pc.is_valid(readings["label"]))
    newest = kept.group_by(["text_id", "task"]).aggregate([("time", "max")])
    kept = kept.join(newest, ["text_id", "task"])
    kept = kept.filter(pc.equal(kept["time"], kept["time_max"]))
    order = [
        ("day", "descending"),
        ("text_id", "ascending"),
        ("task", "ascending"),
        ("position", "ascending"),
    ]
    rows = kept.take(pc.sort_indices(kept, sort_keys=order)).slice(0, _OPINIONS)
    columns = [name for name in Opinion.model_fields if name != "called"]
    told = rows.select(columns).to_pylist()
    themes = _themes(shop, lang) if any(row["task"] == THEME for row in told) else {}

    def called(task: str, label: str) -> str:
        theme = themes.get(label) if task == THEME else None
        return theme or wording.label(task, label, lang)

    return tuple(Opinion(**row, called=called(row["task"], row["label"])) for row in told)


def _themes(shop: Shop, lang: Language) -> dict[str, str]:
    """By id what a theme is called: in this language, or else in that of its texts."""
    return {
        one.theme_id: str(one.names.get(lang) or one.names.get(one.tongue) or one.theme_id)
        for one in Themes(shop.database).all(retired=True)
    }


def _predictions(case: Case, lang: Language) -> tuple[Prediction, ...]:
    scores = case.tables["scores"]
    open_rows = scores.filter(pc.is_null(scores["valid_to"])).to_pylist()
    return tuple(
        Prediction(
            name=row["prediction"],
            called=wording.prediction(row["prediction"], lang),
            value=row["value"],
            low=row["low"],
            high=row["high"],
            shown=wording.score(row["prediction"], row["value"], row["low"], row["high"]),
            reasons=wording.why(row["prediction"], row["reasons"], lang),
            model_version=row["model_version"],
            since=row["valid_from"],
        )
        for row in sorted(open_rows, key=lambda row: str(row["prediction"]))
        if row["value"] is not None
    )


def _none_yet() -> CannotSay:
    return CannotSay(
        reason="No prediction has been made of this customer yet.",
        needed="orders, and: shopkeeper customers predict",
        code="nothing_of_them",
    )


def _segments(
    shop: Shop, case: Case, there: Library, table: pa.Table, lang: Language
) -> tuple[InOne, ...]:
    plan = there.plan
    inside = plan.members(table)
    mine = [segment for segment, mask in inside.items() if mask[0]]
    since = _since(shop, case.customer_id) if mine else {}
    return tuple(
        InOne(
            id=segment,
            name=there.segments[segment].name,
            since=since.get(segment),
            reasons=_why(plan, there, segment, table, lang),
            changes_on=changes_on(shop, case, there, segment),
        )
        for segment in mine
    )


def _why(
    plan: Plan, there: Library, segment: str, table: pa.Table, lang: Language
) -> tuple[Reason, ...]:
    asked = leaves(there.runnable[segment])
    return reasons(told(plan, asked, table)[0].as_py(), lang)


def _since(shop: Shop, customer: str) -> dict[str, datetime]:
    rows = shop.query(
        lambda source: source.memberships().filter(
            nw.col("customer_id") == customer, nw.col("valid_to").is_null()
        )
    )
    return dict(zip(rows["segment"].to_pylist(), rows["valid_from"].to_pylist(), strict=True))
