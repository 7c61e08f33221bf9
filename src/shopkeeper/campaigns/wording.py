"""What campaigns say of their results, in both languages; the same keys in each."""

from __future__ import annotations

from typing import Final

from shopkeeper.core.settings import Language

_EN: Final = {
    "no_cost": "What a message costs was not given.",
    "no_cost_needed": "cost_per_message",
    "no_hold_out": "Nobody is held out: there is nothing to compare with.",
    "no_hold_out_needed": "a hold-out, 5 % or more",
    "nobody": "Nobody would be reached.",
    "nobody_needed": "customers with consent and an address",
    "not_begun": "It has not begun.",
    "not_begun_needed": "a campaign that was confirmed and sent",
    "no_margin": "Only {share} of what customers bought since has a known cost.",
    "no_margin_needed": "the cost of 99 % of it",
    "no_difference": "No effect on {metric} was shown; every customer's window is over.",
    "money": "{what} in total: {value}, between {low} and {high}.",
    "sent": "{sent} of the {meant} customers who were meant to get a message got one.",
    "net": "Margin less the cost of messages: {value}.",
    "few": "The window of {counted} of {meant} customers is over.",
    "few_needed": "until {until}",
    "method": "Everybody who could be reached when the campaign came to them is compared as they were drawn "
    "(intention to treat): also those whose message did not leave or did not arrive. Windows begin for all "
    "at the moment of the draw.",
    "baseline": " Nobody was held out: variants are compared with variant A.",
    "no_window": "No customer's window is over yet.",
    "no_window_needed": "{days} days after the draw",
    "revenue": "Revenue",
    "margin": "Margin",
}
_ZH: Final = {
    "no_cost": "没有给出每条消息的费用。",
    "no_cost_needed": "每条消息的费用",
    "no_hold_out": "没有留出对照组，无从比较。",
    "no_hold_out_needed": "留出 5% 或更多",
    "nobody": "没有人能收到。",
    "nobody_needed": "已同意接收且有地址的客户",
    "not_begun": "活动还没有开始。",
    "not_begun_needed": "已确认并发送的活动",
    "no_margin": "此后客户购买的商品中只有 {share} 知道成本。",
    "no_margin_needed": "其中 99% 的成本",
    "no_difference": "未显示出对{metric}的影响；所有客户的观察期都已结束。",
    "money": "{what}合计：{value}，在 {low} 与 {high} 之间。",
    "sent": "计划发送的 {meant} 名客户中有 {sent} 名收到了消息。",
    "net": "毛利减去消息费用：{value}。",
    "few": "{meant} 名客户中有 {counted} 名的观察期已结束。",
    "few_needed": "等到 {until}",
    "method": "活动轮到时所有能联系到的客户都按抽签结果比较（意向处理分析）：消息没有发出或没有送达的也计入。"
    "所有人的观察期都从抽签时刻开始。",
    "baseline": "没有留出对照组：各方案与方案 A 比较。",
    "no_window": "还没有客户的观察期结束。",
    "no_window_needed": "抽签后 {days} 天",
    "revenue": "销售额",
    "margin": "毛利",
}
WORDS: Final[dict[Language, dict[str, str]]] = {"en": _EN, "zh": _ZH}


def say(lang: Language, key: str, /, **values: object) -> str:
    """The words of that key."""
    return WORDS[lang][key].format(**values)
