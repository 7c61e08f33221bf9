"""The replies of `customers`, made from the scored table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import narwhals as nw

from shopkeeper.core.errors import NotFound
from shopkeeper.core.period import Days
from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay, Reason
from shopkeeper.customers import rfm
from shopkeeper.customers.segments import Definition, definition, definitions
from shopkeeper.customers.types import Member, Members, Placement, Rfm, Segment
from shopkeeper.shop.shop import Shop

_MEMBER = tuple(Member.model_fields)

_WORDS = {
    "en": {
        "recency": "Last bought on {day}, {count} days before {as_of}: R {score} of 5.",
        "frequency": "{count} orders: F {score} of 5.",
        "monetary": "{amount:,.2f} {currency} after refunds: M {score} of 5.",
        "no_money": "Purchases carry no value here, so F stands in for M.",
        "rule": "{name}: {rule}",
        "never": "Has been seen, but has not bought up to {as_of}.",
    },
    "zh": {
        "recency": "最近一次购买是 {day}，距 {as_of} {count} 天：R {score} 分（满分 5）。",
        "frequency": "共 {count} 单：F {score} 分（满分 5）。",
        "monetary": "扣除退款后共消费 {amount:,.2f} {currency}：M {score} 分（满分 5）。",
        "no_money": "订单没有金额，M 以 F 代替。",
        "rule": "{name}：{rule}",
        "never": "来过，但截至 {as_of} 还没有买过。",
    },
}


def segments(shop: Shop, as_of: date | None, lang: Language) -> Rfm:
    """Every segment with sizes, money and advice; all zero in a shop without purchases."""
    days = _days(shop, as_of)
    rows: list[dict[str, Any]] = []
    if days is not None:
        found = shop.query(lambda source: rfm.by_segment(rfm.table(source.events(days), days.end)))
        rows = found.to_pylist()
    customers = sum(row["customers"] for row in rows)
    priced = any(row["priced"] for row in rows)
    revenue = sum(row["revenue"] or 0.0 for row in rows) if priced else None
    by_code = {row["segment"]: row for row in rows}
    return Rfm(
        as_of=days.end if days else None,
        customers=customers,
        bought_once=sum(row["bought_once"] for row in rows),
        revenue=revenue,
        currency=shop.settings.currency,
        monetary=_missing(customers, priced),
        segments=tuple(
            _segment(one, by_code.get(code), (customers, revenue), lang)
            for code, one in definitions().items()
        ),
        definition=rfm.DEFINITION,
    )


def members(shop: Shop, segment: str, page: tuple[int, int], lang: Language) -> Members:
    """The customers of one segment from ``page[0]`` on, at most ``page[1]``, those worth most first."""
    one = definition(segment)
    offset, limit = page
    days = _days(shop, None)
    rows: list[dict[str, Any]] = []
    if days is not None:
        rows = shop.query(
            lambda source: (
                rfm.table(source.events(days), days.end)
                .filter(nw.col("segment") == segment)
                .with_columns(total=nw.len())
                .sort(
                    "monetary",
                    "frequency",
                    "last_day",
                    "customer_id",
                    descending=[True, True, True, False],
                    nulls_last=True,
                )
                .head(offset + limit)
            )
        ).to_pylist()
    return Members(
        segment=segment,
        name=one.name(lang),
        as_of=days.end if days else None,
        total=rows[0]["total"] if rows else 0,
        offset=offset,
        rows=tuple(_member(row) for row in rows[offset:]),
    )


def placement(shop: Shop, customer_id: str, lang: Language) -> Placement:
    """Where one customer stands and why.

    Raises:
        NotFound: no event up to now belongs to this customer.
    """
    days = _days(shop, None)
    mine = nw.col("customer_id") == customer_id
    if days is not None:
        rows = shop.query(
            lambda source: rfm.table(source.events(days), days.end).filter(mine)
        ).to_pylist()
        if rows:
            return _placed(_member(rows[0]), days.end, shop.settings.currency, lang)
        seen = shop.query(lambda source: source.events(days).filter(mine).select(n=nw.len()))
        if seen["n"][0].as_py():
            return _unplaced(customer_id, days.end, lang)
    raise NotFound(
        f"No event belongs to a customer {customer_id!r}.",
        hint="Check the id; `shopkeeper customers members champions` lists some.",
        field="customer_id",
    )


def _days(shop: Shop, as_of: date | None) -> Days | None:
    span = shop.span()
    if span is None or (as_of is not None and as_of < span.start):
        return None
    return Days(span.start, as_of or span.end)


def _missing(customers: int, priced: bool) -> CannotSay | None:
    if priced:
        return None
    if not customers:
        return CannotSay(
            reason="Nobody has bought yet.",
            needed="purchase events with a customer id",
            code="nobody_bought",
        )
    return CannotSay(
        reason="No purchase carries a value: M cannot be computed, and F stands in for it.",
        needed="the field `value` (or `price` and `quantity`) of purchases",
        code="no_values",
    )


def _segment(
    one: Definition,
    row: Mapping[str, Any] | None,
    total: tuple[int, float | None],
    lang: Language,
) -> Segment:
    customers, revenue = total
    count = row["customers"] if row else 0
    worth = (float(row["revenue"]) if row else 0.0) if revenue is not None else None
    return Segment(
        code=one.code,
        name=one.name(lang),
        rule=one.rule(lang),
        customers=count,
        share_of_customers=count / customers if customers else 0.0,
        revenue=worth,
        share_of_revenue=worth / revenue if worth is not None and revenue else None,
        median_recency=row["median_recency"] if row else None,
        median_orders=row["median_orders"] if row else None,
        median_monetary=row["median_monetary"] if row else None,
        advice=one.advice(lang),
    )


def _member(row: Mapping[str, Any]) -> Member:
    return Member(**{field: row[field] for field in _MEMBER})


def _placed(member: Member, as_of: date, currency: str, lang: Language) -> Placement:
    one, words = definition(member.segment), _WORDS[lang]
    money = (
        words["no_money"]
        if member.m is None
        else words["monetary"].format(amount=member.monetary, currency=currency, score=member.m)
    )
    texts = {
        "rfm.recency": words["recency"].format(
            day=member.last_day, count=member.recency, as_of=as_of, score=member.r
        ),
        "rfm.frequency": words["frequency"].format(count=member.frequency, score=member.f),
        "rfm.monetary": money,
        "rfm.rule": words["rule"].format(name=one.name(lang), rule=one.rule(lang)),
    }
    evidence: dict[str, dict[str, str | float | int | None]] = {
        "rfm.recency": {"last_day": str(member.last_day), "recency": member.recency, "r": member.r},
        "rfm.frequency": {"frequency": member.frequency, "f": member.f},
        "rfm.monetary": {"monetary": member.monetary, "m": member.m},
        "rfm.rule": {"segment": one.code},
    }
    return Placement(
        customer_id=member.customer_id,
        as_of=as_of,
        segment=one.code,
        name=one.name(lang),
        member=member,
        reasons=tuple(Reason(code=c, text=t, evidence=evidence[c]) for c, t in texts.items()),
        advice=one.advice(lang),
    )


def _unplaced(customer_id: str, as_of: date, lang: Language) -> Placement:
    text = _WORDS[lang]["never"].format(as_of=as_of)
    return Placement(
        customer_id=customer_id,
        as_of=as_of,
        segment=None,
        name=None,
        member=None,
        reasons=(Reason(code="rfm.never_bought", text=text),),
        advice=None,
    )
