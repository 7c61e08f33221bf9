"""What the Chinese readers must know: sentences written apart from their training data."""

from __future__ import annotations

import pytest

from shopkeeper.tasks.house.readers import load
from shopkeeper.tasks.types import Span

PRAISED = [
    "用了小半年，没出过一次毛病，值这个价。",
    "闺女拆开就抱着不撒手，说是最喜欢的礼物。",
    "店家发得快，东西也地道，回头还找他家。",
    "虽说等了几天，东西一到手就觉得没白等。",
    "一点都不磨脚，走了一万步也不累。",
    "文笔流畅，读着读着天就亮了。",
    "前台热情，房间干净，早餐也丰盛。",
    "水龙头一开就是热水，冬天幸福多了。",
]
BLAMED = [
    "用了不到一礼拜就罢工了，真不值。",
    "闺女看了一眼就扔一边，塑料味呛人。",
    "店家磨磨蹭蹭，东西还是坏的，不会再来。",
    "包装倒是好看，里面的东西惨不忍睹。",
    "磨脚，走两步就起泡。",
    "读了十几页就想睡觉，空洞无物。",
    "前台爱答不理，房间一股霉味，被子还潮。",
    "水一会儿冷一会儿热，打售后没人接。",
]
WANTED = {
    "我前天买的东西走到哪儿了": "order_status",
    "帮我把收件地址换成公司的": "change_address",
    "想开一张公司抬头的发票": "invoice",
    "我一米七二，一百四十斤，穿哪个号": "size_advice",
    "别让机器人回了，给我接人工": "human_agent",
    "刚付完款就便宜了，差价退我": "price_protection",
    "里面少了一根数据线": "missing_item",
    "不想要了，怎么把货退回去": "return",
}
LIKED = {
    "双人防雨帐篷": "camping",
    "路亚竿 入门套装": "fishing",
    "六个月宝宝 辅食机": "baby_care",
    "猫砂 除臭 豆腐": "cats",
    "手冲咖啡壶 滤纸": "coffee",
    "戚风蛋糕模具 六寸": "baking",
    "氨基酸洗面奶 敏感肌": "skin_care",
    "全画幅微单 镜头": "photography",
}


@pytest.mark.parametrize("text", PRAISED)
def test_praise(text: str) -> None:
    assert load("sentiment").answer([text])[0].value == "positive"


@pytest.mark.parametrize("text", BLAMED)
def test_blame(text: str) -> None:
    assert load("sentiment").answer([text])[0].value == "negative"


def test_intents() -> None:
    answers = load("intents").answer(list(WANTED))
    right = [
        answer.value == wanted for answer, wanted in zip(answers, WANTED.values(), strict=True)
    ]
    assert sum(right) >= len(right) - 1, [answer.value for answer in answers]


@pytest.mark.parametrize("text", LIKED)
def test_interests(text: str) -> None:
    value = load("interests").answer([text])[0].value
    assert isinstance(value, tuple)
    assert LIKED[text] in {span.category for span in value}


def test_a_search_that_says_nothing_has_no_interest() -> None:
    assert load("interests").answer(["今日特价 包邮"])[0].value == ()


def test_aspects_of_a_mixed_review() -> None:
    text = "屏幕很清晰，就是电池不耐用，客服态度倒是不错。"
    spans = load("aspects").answer([text])[0].value
    assert isinstance(spans, tuple)
    said = {(span.category, span.polarity) for span in spans if isinstance(span, Span)}
    assert {("screen", 1), ("battery", -1), ("service", 1)} <= said
