"""Guesses a mapping from the names of a file's columns and from their values."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping as Named

import orjson

from shopkeeper.collect import mapping
from shopkeeper.collect.inspecting import UNCLEAR, Looked, kind, look
from shopkeeper.collect.mapping import template_columns
from shopkeeper.collect.types import Guessed, GuessedColumn
from shopkeeper.core.operation import Context

_WORDS: dict[str, tuple[str, ...]] = {
    "user_id": ("userid", "customerid", "user", "customer", "buyerid", "buyer", "memberid", "member",
                "client", "clientid", "uid", "用户id", "用户", "客户id", "客户编号", "客户", "会员号",
                "会员id", "会员", "买家", "买家id", "顾客"),
    "time": ("time", "timestamp", "date", "datetime", "createdat", "orderdate", "ordertime", "invoicedate",
             "purchasedate", "at", "时间", "日期", "下单时间", "订单时间", "创建时间", "付款时间",
             "成交时间"),
    "item_id": ("itemid", "productid", "sku", "stockcode", "productcode", "item", "goodsid", "asin",
                "articleid", "商品id", "商品编号", "商品编码", "产品id", "产品编号", "货号", "商品"),
    "quantity": ("quantity", "qty", "units", "count", "amountofunits", "num", "数量", "件数", "购买数量"),
    "price": ("price", "unitprice", "saleprice", "itemprice", "单价", "价格", "售价", "商品单价"),
    "value": ("value", "total", "amount", "revenue", "linetotal", "sales", "totalprice", "金额", "总价",
              "总金额", "销售额", "实付金额", "成交金额"),
    "order_id": ("orderid", "orderno", "ordernumber", "invoiceno", "invoice", "order", "transactionid",
                 "订单号", "订单编号", "订单id", "订单"),
    "name": ("event", "eventname", "eventtype", "action", "behavior", "behaviour", "behaviortype",
             "行为", "事件", "行为类型", "事件类型", "事件名称"),
    "session_id": ("sessionid", "session", "visitid", "会话", "会话id"),
    "channel": ("channel", "utmsource", "渠道", "来源", "销售渠道"),
    "query": ("query", "searchterm", "keyword", "keywords", "搜索词", "关键词"),
    "title": ("title", "description", "productname", "itemname", "productname", "goodsname", "name",
              "商品名称", "商品名", "产品名称", "标题", "品名", "名称"),
    "category": ("category", "categoryname", "productcategory", "producttype", "分类", "类目", "品类",
                 "类别"),
    "brand": ("brand", "vendor", "manufacturer", "品牌"),
    "stock": ("stock", "inventory", "instock", "库存"),
    "cost": ("cost", "unitcost", "成本", "成本价", "进价"),
    "country": ("country", "countrycode", "国家", "国家地区"),
    "language": ("language", "locale", "语言"),
    "first_seen": ("firstseen", "registeredat", "signupdate", "registrationdate", "注册时间", "注册日期"),
}  # fmt: skip
_EVENTS = ("user_id", "time", "item_id", "quantity", "price", "value", "order_id", "name", "session_id",
           "channel", "query")  # fmt: skip
_ITEMS = ("item_id", "title", "category", "brand", "price", "cost", "stock")
_CUSTOMERS = ("user_id", "first_seen", "country", "language")
_NUMBERS = frozenset({"quantity", "price", "value", "stock", "cost"})
_TIMES = frozenset({"time", "first_seen"})
_ENOUGH = 0.5
_PURCHASE = ("order_id", "quantity", "price", "value")

Found = dict[str, tuple[str, float]]


def guess(ctx: Context, path: str) -> Guessed:
    """The mapping that the file's columns suggest."""
    seen = look(ctx, path)
    target, found = _target(seen)
    needed = {"events": ("time",), "items": ("item_id",), "customers": ("user_id",)}[target]
    missing = tuple(name for name in needed if name not in found)
    used = {theirs for theirs, _ in found.values()}
    unused = tuple(n for n in seen.values if n not in used and kind(seen.values[n]) != "empty")
    text, notes = ("", []) if missing else _written(target, found, seen, unused)
    if text:
        mapping.parse(text, "guessed")  # raises rather than reply with what could not be read
    sure = [confidence for _, confidence in found.values()]
    return Guessed(
        target=target,
        mapping=text,
        confidence=round(min(sure, default=0.0), 2) if not missing else 0.0,
        columns=tuple(
            GuessedColumn(ours=_ours(ours, target), theirs=theirs, confidence=round(c, 2))
            for ours, (theirs, c) in found.items()
        ),
        unused=unused,
        missing=missing,
        notes=(*seen.notes, *notes),
    )


def _target(seen: Looked) -> tuple[str, Found]:
    events, customers = _assigned(_EVENTS, seen.values), _assigned(_CUSTOMERS, seen.values)
    since = customers.get("first_seen", ("", 0.0))[1]
    if events.get("time", ("", 0.0))[1] < since and "user_id" in customers:
        return "customers", customers
    if "time" in events and ("user_id" in events or "item_id" in events or "name" in events):
        return "events", events
    items = _assigned(_ITEMS, seen.values)
    if "item_id" in items:
        return "items", items
    return ("customers", customers) if "user_id" in customers else ("events", events)


def _assigned(ours_of: tuple[str, ...], values: Named[str, list[str]]) -> Found:
    """Each of our columns with the one of theirs that suits it best; each is used once."""
    scored = sorted(
        (-_score(ours, theirs, cells), place, ours, theirs)
        for place, ours in enumerate(ours_of)
        for theirs, cells in values.items()
        if not template_columns(theirs)
    )
    found: Found = {}
    used: set[str] = set()
    for score, _, ours, theirs in scored:
        if -score >= _ENOUGH and ours not in found and theirs not in used:
            found[ours] = (theirs, -score)
            used.add(theirs)
    return {ours: found[ours] for ours in ours_of if ours in found}


def _score(ours: str, theirs: str, values: list[str]) -> float:
    name = re.sub(r"[^0-9a-z\u3400-\u9fff]", "", unicodedata.normalize("NFKC", theirs).lower())
    words = _WORDS[ours]
    if name in words:
        score = 0.95 - 0.01 * min(words.index(name), 10)
    elif any(len(word) > 3 and word in name for word in words if word.isascii()) or any(
        len(word) > 1 and word in name for word in words if not word.isascii()
    ):
        score = 0.6
    else:
        return 0.0
    return score * _suits(ours, values)


def _suits(ours: str, values: list[str]) -> float:
    """How well the values suit: 1 as expected, 0 where they cannot be such."""
    shape = kind(values)
    if shape == "empty":
        return 0.6
    if ours in _NUMBERS:
        return 1.0 if shape in ("whole", "number") else 0.0
    if ours in _TIMES:
        counted = shape in ("whole", "number") and all(
            len(v.partition(".")[0]) >= 8 for v in values
        )
        return 1.0 if shape == "time" or counted else 0.9 if shape == "unclear time" else 0.0
    return 0.3 if shape in ("time", "unclear time") else 1.0


def _ours(name: str, target: str) -> str:
    return "customer_id" if name == "user_id" and target == "customers" else name


def _written(
    target: str, found: Found, seen: Looked, unused: tuple[str, ...]
) -> tuple[str, list[str]]:
    notes: list[str] = []
    lines = [f"about = {_quoted('guessed from ' + seen.file.path.name)}", f'target = "{target}"']
    kept = [name for name in unused if not template_columns(name)][:50]
    if kept:
        lines.append(f"extra = [{', '.join(map(_quoted, kept))}]")
    formats = _time_formats(found, seen, notes)
    if formats:
        lines += ["", "[file]", f"time_formats = [{_quoted(formats)}]"]
    lines += ["", "[columns]"]
    for ours, (theirs, confidence) in found.items():
        lines.append(f"{_ours(ours, target)} = {_quoted(theirs)}  # {confidence:.0%}")
    if target == "items":
        lines += ["", "[constants]", 'kind = "product"']
    if target == "events":
        lines += _event(found, seen, notes)
    return "\n".join(lines) + "\n", notes


def _event(found: Found, seen: Looked, notes: list[str]) -> list[str]:
    name = "purchase" if any(column in found for column in _PURCHASE) else "view_item"
    if "name" not in found:
        notes.append(
            f"No column names the events: they are taken as {name}. Correct event.name if not."
        )
    lines = ["", "[event]", *([f'name = "{name}"'] if "name" not in found else [])]
    theirs = found["quantity"][0] if "quantity" in found else None
    if theirs is not None and any(v.startswith("-") for v in seen.values[theirs]):
        notes.append(
            f"{theirs!r} has negative numbers: they are taken as refunds. Correct the rule if not."
        )
        lines += ['absolute = ["quantity"]', "", "[[event.rules]]", 'name = "refund"',
                  f"when = {{ {_quoted(theirs)} = {{ below = 0 }} }}"]  # fmt: skip
    return lines


def _time_formats(found: Found, seen: Looked, notes: list[str]) -> str | None:
    theirs = next((found[name][0] for name in ("time", "first_seen") if name in found), None)
    if theirs is None or kind(seen.values[theirs]) != "unclear time":
        return None
    parts = [m for value in seen.values[theirs] if (m := UNCLEAR.fullmatch(value))]
    day_first = any(int(m[1]) > 12 for m in parts)
    month_first = any(int(m[3]) > 12 for m in parts)
    if day_first == month_first:
        notes.append(f"{theirs!r}: which is the day, which the month? Say it: [file] time_formats.")
        return None
    mark = parts[0][2]
    order = ("%d", "%m") if day_first else ("%m", "%d")
    clock = {True: " %H:%M:%S", False: " %H:%M"}[parts[0][6] is not None] if parts[0][5] else ""
    return f"{order[0]}{mark}{order[1]}{mark}%Y{clock}"


def _quoted(text: str) -> str:
    """A TOML string: JSON's escapes are TOML's."""
    return (
        orjson.dumps(text.encode("utf-8", "replace").decode()).decode().replace("\x7f", "\\u007f")
    )
