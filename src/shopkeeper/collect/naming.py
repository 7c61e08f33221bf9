"""What columns are called elsewhere, and how well a name and its values suit a column of ours."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping as Named
from functools import cache

from shopkeeper.collect.inspecting import kind
from shopkeeper.collect.mapping import template_columns
from shopkeeper.core import events
from shopkeeper.tasks.alphabet import traditional

_WORDS: dict[str, tuple[str, ...]] = {
    "user_id": ("userid", "customerid", "user", "customer", "buyerid", "buyer", "memberid", "member",
                "client", "clientid", "uid", "visitorid", "visitor", "reviewerid", "authorid", "accountid",
                "cid", "custid", "用户id", "用户", "客户id", "客户编号", "客户", "会员号", "会员编号",
                "会员id", "会员", "买家", "买家id", "顾客", "顾客id", "顾客编号", "用户编号"),
    "time": ("time", "timestamp", "date", "datetime", "createdat", "orderdate", "ordertime", "invoicedate",
             "purchasedate", "at", "eventtime", "reviewtime", "unixreviewtime", "createtime", "unixtime",
             "时间", "日期", "下单时间", "订单时间", "订单日期", "创建时间", "付款时间", "支付时间",
             "成交时间", "交易时间", "评论时间", "评价时间", "发布时间", "行为时间"),
    "item_id": ("itemid", "productid", "sku", "stockcode", "productcode", "item", "goodsid", "asin",
                "articleid", "movieid", "bookid", "isbn", "businessid", "clothingid", "product",
                "商品id", "商品编号", "商品编码", "产品id", "产品编号", "货号", "商品", "产品"),
    "quantity": ("quantity", "qty", "units", "count", "amountofunits", "num", "numberofunits",
                 "数量", "件数", "购买数量"),
    "price": ("price", "unitprice", "saleprice", "itemprice", "单价", "价格", "售价", "商品单价"),
    "value": ("value", "total", "amount", "revenue", "linetotal", "sales", "totalprice", "dollarvalue",
              "spend", "金额", "总价", "总金额", "销售额", "实付金额", "成交金额", "订单金额"),
    "order_id": ("orderid", "orderno", "ordernumber", "invoiceno", "invoice", "order", "transactionid",
                 "订单号", "订单编号", "订单id", "订单", "交易号"),
    "name": ("event", "eventname", "eventtype", "action", "behavior", "behaviour", "behaviortype",
             "行为", "事件", "行为类型", "事件类型", "事件名称"),
    "session_id": ("sessionid", "session", "visitid", "usersession", "会话", "会话id"),
    "channel": ("channel", "utmsource", "渠道", "来源", "销售渠道"),
    "query": ("query", "searchterm", "keyword", "keywords", "搜索词", "关键词"),
    "title": ("title", "description", "productname", "itemname", "goodsname", "name", "summary", "headline",
              "商品名称", "商品名", "产品名称", "标题", "品名", "名称"),
    "category": ("category", "categoryname", "productcategory", "producttype", "categories", "categorycode",
                 "genres", "分类", "类目", "品类", "类别"),
    "brand": ("brand", "vendor", "manufacturer", "品牌"),
    "stock": ("stock", "inventory", "instock", "库存"),
    "cost": ("cost", "unitcost", "成本", "成本价", "进价"),
    "country": ("country", "countrycode", "国家", "国家地区"),
    "language": ("language", "locale", "lang", "语言"),
    "first_seen": ("firstseen", "registeredat", "signupdate", "registrationdate", "注册时间", "注册日期"),
    "body": ("body", "text", "review", "reviewtext", "content", "comment", "reviewbody", "reviewcontent",
             "comments", "commenttext", "sentence", "feedback", "message", "tweet", "评论", "评论内容",
             "评价", "评价内容", "内容", "正文", "文本", "留言", "反馈"),
    "rating": ("rating", "stars", "star", "score", "overall", "starrating", "reviewscore",
               "评分", "星级", "打分"),
    "text_id": ("reviewid", "textid", "commentid", "ticketid", "postid", "评论id", "评论编号", "评价id"),
    "event_id": ("eventid", "messageid", "logid", "uuid", "eventuuid", "事件id", "流水号"),
}  # fmt: skip
EVENTS = ("user_id", "time", "item_id", "quantity", "price", "value", "order_id", "name", "session_id",
          "channel", "query", "event_id")  # fmt: skip
ITEMS = ("item_id", "title", "category", "brand", "price", "cost", "stock")
CUSTOMERS = ("user_id", "first_seen", "country", "language")
TEXTS = ("text_id", "user_id", "item_id", "time", "body", "rating", "title", "language")
OF_ITEMS = ("title", "category", "brand")
"""What an events file may tell of the items besides."""

MONEY = ("quantity", "price", "value", "order_id")
"""Columns that only what was bought has."""

_AMOUNTS = frozenset({"price", "value", "cost"})
_NUMBERS = _AMOUNTS | {"quantity", "stock", "rating"}
_TIMES = frozenset({"time", "first_seen"})
_ENOUGH = 0.5
_MOSTLY = 0.9
_KNOWN = frozenset(events.ALIASES.values()) | set(events.FUNNEL)
_MADE = re.compile(r"order|purchas|creat|event|下单|创建|成交|付款|支付")
_LATER = re.compile(
    r"deliver|approv|ship|updat|modif|estimat|birth|expir|limit|发货|收货|更新|修改|生日|到期"
)
_ROOM = re.compile(r"^[^\d]*|[^\d]*$")
_COUNTED = re.compile(  # 19970101, 20260131120000, seconds from 1973 on, milliseconds, microseconds
    r"(19|20)\d\d(0[1-9]|1[0-2])\d\d(\d{6})?|\d{9}|[12]\d{9}|\d{12}|[12]\d{12}|\d{15}|[12]\d{15}"
)
_LATIN = re.compile(r"[^\W\d_]{2,}")
_HAN = re.compile(r"[\u3400-\u9fff]")

Found = dict[str, tuple[str, float]]


def assigned(ours_of: tuple[str, ...], values: Named[str, list[str]]) -> Found:
    """Each of our columns with the one of theirs that suits it best, and how well; each is used once."""
    scored = sorted(
        (-_score(ours, theirs, cells), place, at, ours, theirs)
        for place, ours in enumerate(ours_of)
        for at, (theirs, cells) in enumerate(values.items())
        if not template_columns(theirs)
    )
    found: Found = {}
    used: set[str] = set()
    for score, _, _, ours, theirs in scored:
        if -score >= _ENOUGH and ours not in found and theirs not in used:
            found[ours] = (theirs, -score)
            used.add(theirs)
    return {ours: found[ours] for ours in ours_of if ours in found}


def by_place(values: Named[str, list[str]]) -> Found:
    """A guess for columns without names: times and event names by their values, ids by their place."""
    found: Found = {}
    left = [name for name, cells in values.items() if cells]
    for ours in ("time", "name", "body"):
        chosen = next((n for n in left if _told(ours, values[n])), None)
        if chosen is not None:
            found[ours] = (chosen, _ENOUGH)
            left.remove(chosen)
    if "body" not in found:
        short = [n for n in left if kind(values[n]) in ("whole", "text")]
        found |= {o: (n, _ENOUGH) for o, n in zip(("user_id", "item_id"), short, strict=False)}
    return found


def _told(ours: str, values: list[str]) -> bool:
    if ours == "name":
        return named(values)
    if ours == "body":
        return prose(values)
    return kind(values) == "time" or _counted(values)


def named(values: list[str]) -> bool:
    """Whether nearly all of these are names of events that are known."""
    known = sum(events.canonical(value) in _KNOWN for value in values)
    return bool(values) and kind(values) == "text" and known >= _MOSTLY * len(values)


def prose(values: list[str]) -> bool:
    """Whether these are people's sentences and no codes, names or labels."""
    if not values or kind(values) != "text":
        return False
    said = sum(len(_HAN.findall(v)) >= 4 or len(_LATIN.findall(v)) >= 3 for v in values)
    return said >= len(values) / 2 and len(set(values)) > 1


def unique(values: list[str]) -> bool:
    """Whether these tell rows apart."""
    return len(set(values)) >= 0.95 * len(values)


def _score(ours: str, theirs: str, values: list[str]) -> float:
    name = _folded(theirs)
    words = _WORDS[ours]
    if name in words:
        score = 0.95 - 0.01 * min(words.index(name), 10)
    else:
        inside = [w for w in words if w in name and len(w) > (3 if w.isascii() else 1)]
        if not inside:
            return 0.5 if ours == "name" and named(values) else 0.0
        score = 0.6 + 0.1 * max(map(len, inside)) / len(name)
    if ours in _TIMES:
        score += 0.04 * bool(_MADE.search(name)) - 0.08 * bool(_LATER.search(name))
    return score * _suits(ours, values)


def _folded(name: str) -> str:
    """Lower case, simplified Han, without signs and RecBole's type (``user_id:token``)."""
    plain = unicodedata.normalize("NFKC", name.partition(":")[0]).lower().translate(_simplified())
    return re.sub(r"[^0-9a-z\u3400-\u9fff]", "", plain)


@cache
def _simplified() -> dict[int, int]:
    return traditional()


def _suits(ours: str, values: list[str]) -> float:
    """How well the values suit: 1 as expected, 0 where they cannot be such."""
    shape = kind(values)
    if shape == "empty":
        return 0.6
    if ours in _NUMBERS:
        return _suits_number(ours, values)
    if ours in _TIMES:
        return (
            1.0 if shape == "time" or _counted(values) else 0.9 if shape == "unclear time" else 0.0
        )
    if ours == "body":
        return 1.0 if prose(values) else 0.0
    if ours == "text_id":
        return 1.0 if unique(values) else 0.0
    return 0.3 if shape in ("time", "unclear time") else 1.0


def _suits_number(ours: str, values: list[str]) -> float:
    cells = [_ROOM.sub("", v) for v in values] if ours in _AMOUNTS else values
    if kind(cells) not in ("whole", "number") or not all(cells):
        return 0.0
    if ours != "rating":
        return 1.0
    scale = sum(1 <= _number(v) <= 5 for v in values)
    return 1.0 if scale >= _MOSTLY * len(values) else 0.0


def _number(text: str) -> float:
    try:
        return float(text.replace(",", ""))
    except ValueError:
        return 0.0


def _counted(values: list[str]) -> bool:
    """Whether these are times as counts from 1970 or as digits without signs."""
    if kind(values) not in ("whole", "number"):
        return False
    whole = [value.partition(".")[0] for value in values]
    return sum(_COUNTED.fullmatch(v) is not None for v in whole) >= _MOSTLY * len(whole)
