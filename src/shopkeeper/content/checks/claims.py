"""Whether prices, stock, numbers and attributes in the words are the catalogue's, and what needs a proof."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from shopkeeper.content.checks.scene import Scene, Words
from shopkeeper.content.facts import PRICE, STOCK, Known

_NUMBER: Final = r"\d[\d,]*(?:\.\d+)?"
_PRICE: Final = re.compile(
    rf"(?:(?:[¥￥$£€]|HK\$|RMB|CNY|USD|GBP|EUR)\s?(?P<a>{_NUMBER})|"
    rf"(?P<b>{_NUMBER})\s?(?:元|块钱|圆|CNY|RMB|yuan|dollars|pounds|euros)(?![a-z]))",
    re.IGNORECASE,
)
_OFFER: Final = re.compile(
    r"(?:满|减|立减|省|优惠|返|券|红包|抵|折|save|over|spend|voucher|coupon|discount)"
    r"[^。.!！\n]{0,6}$",
    re.IGNORECASE,
)
_OFF: Final = re.compile(r"^\s?(?:off|券|优惠|红包|以上|discount|voucher|coupon|减)", re.IGNORECASE)
_BEFORE: Final = re.compile(
    r"原价|原售价|市场价|吊牌价|划线价|建议零售价|专柜价|\bwas\s(?=[¥￥$£€\d])|\bRRP\b|\blist price\b"
    r"|\b(?:usual|regular|original) price\b",
    re.IGNORECASE,
)
_PROMOTION: Final = re.compile(
    r"\d+(?:\.\d+)?\s?折|[一二三四五六七八九](?:点[一二三四五六七八九])?折|半价|买[一二三\d]送[一二三\d]|"
    r"\d+(?:\.\d+)?\s?%\s?off|half price|buy one get one|限时特价|清仓价|跳楼价|秒杀价|降价|"
    r"price (?:cut|drop|reduced)|reduced from|price is down|价格下调",
    re.IGNORECASE,
)
_LEFT: Final = re.compile(
    r"(?:仅剩|只剩|还剩|剩余|库存(?:仅|还有)?)\s?(?P<a>\d+)|(?:only|just)\s(?P<b>\d+)\s(?:\w+\s)?left"
    r"|(?P<c>\d+)\s(?:left|in stock)\b",
    re.IGNORECASE,
)
_THERE: Final = re.compile(
    r"现货|有货|补货|到货|重新上架|\bin stock\b|\bavailable (?:again|now)\b|\bback on (?:the )?shel",
    re.IGNORECASE,
)
_FIGURE: Final = re.compile(
    rf"(?<![\w.,#-])(?P<n>{_NUMBER})\s?(?P<u>%|％|℃|°C|[a-zA-Z]+(?![\w])|[\u4e00-\u9fff]{{1,2}})?"
)
_MEASURE: Final = re.compile(
    r"%|％|℃|°C|g|kg|mg|ml|l|cm|mm|m|km|kw|w|v|mah|hz|gb|tb|oz|lbs?|inch(?:es)?|times|x|克|千克|公斤|斤|两|"
    r"毫升|升|厘米|毫米|米|千米|公里|瓦|伏|毫安|寸|英寸|倍|万.?|亿.?|千人|种|成",
    re.IGNORECASE,
)
_PEOPLE: Final = re.compile(
    r"customers|people|buyers|users|families|reviews|人.?|位.?|名.?|顾客|用户|客户|家庭|好评|条评",
    re.IGNORECASE,
)
_MANY: Final = 100
_SKIPPED: Final = frozenset({"title", "category", PRICE, STOCK})


def look(scene: Scene) -> None:
    """Add what differs from the catalogue or cannot be seen from it, and note the facts that are said."""
    for words in scene.words:
        if words.name in ("subject", "text", "html"):
            taken = [*_prices(scene, words), *_stock(scene, words), *_offers(scene, words)]
            _attributes(scene, words)
            _figures(scene, words, taken)


def _prices(scene: Scene, words: Words) -> Iterator[tuple[int, int]]:
    for one in _PRICE.finditer(words.bare):
        at = (words, one.start(), one.end())
        amount = float((one["a"] or one["b"]).replace(",", ""))
        clause = re.split(r"[，,。；;\n]", words.bare[max(0, one.start() - 30) : one.start()])[-1]
        behind = words.bare[one.end() : one.end() + 10]
        item_id = next(
            (i for i, known in scene.items.items() if _is(known.get(PRICE), amount)), None
        )
        if _BEFORE.search(clause):
            scene.add("needs_evidence", "price_claim", at, "former_price")
        elif _OFFER.search(clause) or _OFF.search(behind):
            scene.add("needs_evidence", "price_claim", at, "promotion")
        elif item_id is not None:
            scene.rests_on(item_id, PRICE)
            scene.add("allowed", "price", at, "catalogue", item_id)
        elif any(PRICE in known for known in scene.items.values()):
            told = ", ".join(k[PRICE].said for k in scene.items.values() if PRICE in k)
            scene.add("block", "price_differs", at, "catalogue", told)
        else:
            scene.add("needs_evidence", "price_claim", at, "no_item")
        yield one.span()


def _is(known: Known | None, amount: float) -> bool:
    return known is not None and known.number is not None and abs(known.number - amount) < 0.005


def _stock(scene: Scene, words: Words) -> Iterator[tuple[int, int]]:
    for one in _LEFT.finditer(words.bare):
        amount = float(one["a"] or one["b"] or one["c"])
        at = (words, one.start(), one.end())
        item_id = next((i for i, k in scene.items.items() if _is(k.get(STOCK), amount)), None)
        if item_id is not None:
            scene.rests_on(item_id, STOCK)
            scene.add("allowed", "stock", at, "catalogue", item_id)
        else:
            told = ", ".join(k[STOCK].said for k in scene.items.values() if STOCK in k)
            scene.add("block" if told else "needs_evidence", "stock_differs", at, "catalogue", told)
        yield one.span()
    for one in _THERE.finditer(words.bare):
        for item_id, known in scene.items.items():
            stock = known.get(STOCK)
            if stock is not None and (stock.number or 0) <= 0:
                at = (words, one.start(), one.end())
                scene.add("block", "out_of_stock", at, "catalogue", item_id)


def _offers(scene: Scene, words: Words) -> Iterator[tuple[int, int]]:
    for one in _PROMOTION.finditer(words.bare):
        scene.add(
            "needs_evidence", "price_claim", (words, one.start(), one.end()), "promotion"
        )  # fmt: skip
        yield one.span()


def _attributes(scene: Scene, words: Words) -> None:
    """``material: wool`` where the catalogue says cotton."""
    for item_id, known in scene.items.items():
        for name, fact in known.items():
            if name in _SKIPPED or len(name) < 2:
                continue
            told = re.compile(
                rf"(?<!\w){re.escape(name)}\s*(?:[:：]|\bis\b|为|是)\s*([^，,。.;；\n]{{1,60}})",
                re.IGNORECASE,
            )
            for one in told.finditer(words.bare):
                value, there = one[1].strip().casefold(), fact.said.casefold()
                if not value:  # a variable stands there
                    continue
                if there in value or value in there:
                    scene.rests_on(item_id, name)
                    scene.add("allowed", "fact", (words, *one.span(1)), "catalogue", name)
                else:
                    scene.add(
                        "block", "fact_differs", (words, *one.span(1)), "catalogue", fact.said
                    )


def _figures(scene: Scene, words: Words, taken: list[tuple[int, int]]) -> None:
    """Other numbers: a fact's, one that contradicts a fact's unit, or in need of a proof."""
    for one in _FIGURE.finditer(words.bare):
        if any(a < one.end() and one.start() < b for a, b in taken):
            continue
        at, unit = (words, one.start(), one.end()), (one["u"] or "")
        found = _fact(scene, one["n"], unit)
        if found is not None:
            scene.rests_on(*found)
            scene.add("allowed", "fact", at, "catalogue", found[1])
        elif differs := _other(scene, unit):
            scene.add("block", "fact_differs", at, "catalogue", differs)
        elif _weighty(one["n"], unit):
            scene.add("needs_evidence", "number", at, "no_fact")


def _weighty(number: str, unit: str) -> bool:
    """Whether it is a claim about goods or buyers: dates, hours and how many to order are not."""
    if _MEASURE.fullmatch(unit):
        return True
    return bool(_PEOPLE.fullmatch(unit)) and float(number.replace(",", "")) >= _MANY


def _fact(scene: Scene, number: str, unit: str) -> tuple[str, str] | None:
    amount = float(number.replace(",", ""))
    for item_id, known in scene.items.items():
        for name, fact in known.items():
            if name in (PRICE, STOCK):
                continue
            same = fact.number is not None and abs(fact.number - amount) < 1e-9
            if same and (not fact.unit or unit.casefold().startswith(fact.unit.casefold())):
                return item_id, name
            said = re.search(rf"(?<![\d.]){re.escape(number)}(?![\d.])\s?(\S*)", fact.said)
            if said and (not unit or said[1].casefold().startswith(unit.casefold()[:2])):
                return item_id, name
    return None


def _other(scene: Scene, unit: str) -> str:
    """What a fact says in the same unit, where the number is another."""
    if not unit:
        return ""
    return next(
        (
            f"{name}: {fact.said}"
            for known in scene.items.values()
            for name, fact in known.items()
            if fact.unit and fact.number is not None and unit.casefold() == fact.unit.casefold()
        ),
        "",
    )
