"""What a verdict says, in both languages; the same keys in each."""

from __future__ import annotations

from typing import Final

from shopkeeper.core.settings import Language

_EN: Final = {
    "better": "{variant} is better than {control}: {metric} {change}.",
    "worse": "{variant} is worse than {control}: {metric} {change}.",
    "harm": "{variant} moves {metric} {change}, but it harms {guards}. Do not ship it as it is.",
    "no_difference": "No difference in {metric} was shown by the planned end.",
    "interval": "The interval of the rule ({level} %): {low} to {high}.",
    "rule.fixed": "Fixed horizon: looked at once, at {units} customers.",
    "rule.obrien_fleming": "Group-sequential (O'Brien-Fleming): {looks} looks up to {units} customers.",
    "rule.pocock": "Group-sequential (Pocock): {looks} looks up to {units} customers.",
    "rule.anytime": "Anytime-valid: holds at every look; {looks} so far.",
    "ratio": "Customers came to the variants as planned (p = {p}).",
    "guard_ok": "No harm was shown in: {guards}.",
    "guard_bad": "{metric} got worse for {variant}: {change}.",
    "bound": "An effect on {metric} outside {low} to {high} is unlikely.",
    "early": "Cannot tell yet: {counted} of {planned} customers are counted.",
    "early_open": "Cannot tell yet: {counted} customers are counted.",
    "early_needed": "about {days} more days at the present pace",
    "early_anytime": "more customers; about {planned} were expected",
    "draft": "It has not been started.",
    "draft_needed": "experiments start",
    "nobody": "Nobody was exposed to it, or no exposed customer's window is over.",
    "nobody_needed": "events experiment_viewed with experiment_id and variant_id",
    "stopped": "It was stopped at {counted} of {planned} customers, before its rule could say anything.",
    "stopped_needed": "a new experiment that runs to its end",
    "broken": "Customers did not come to the variants in the planned shares (p = {p}): {counts}. "
    "Nothing else can be believed.",
    "broken_needed": "the cause (a redirect that loses some, a bot filter, exposures not sent), then a new "
    "experiment",
    "few": "One variant has {units} customers.",
    "few_needed": "{units} in each",
    "flat": "All customers have the same value, or there is nothing to divide by.",
    "flat_needed": "customers who differ",
    "waiting": "No customer's window is over yet.",
    "waiting_needed": "{days} days after the first exposure",
    "zero": "The control's value is 0.",
    "zero_needed": "a control with some",
    "once": "A fixed horizon is read once, at its end.",
    "once_needed": "{units} customers",
    "fifth": "The rule says nothing about so few.",
    "fifth_needed": "a fifth of {units} customers",
    "lately": "{units} customers were active in the four weeks before their window.",
    "lately_needed": "{units} customers, and some of what the measure counts",
    "question": "Do you know the end date?",
    "price.fixed": "Looked at once, at the end. Fewest customers, and no early end.",
    "price.obrien_fleming": "May end at any planned look. Hardly dearer than one look, and ends early "
    "when the effect is large.",
    "price.pocock": "May end at any planned look, soonest of all when the effect is large; dearer when it is "
    "small.",
    "price.anytime": "Holds at every look, without an end. You pay for it with more customers.",
    "why.yes": "You know the end: planned looks cost {dearer} more customers than a single one, and are "
    "expected to end after {share} of them if the effect is as hoped.",
    "why.no": "You do not know the end: only this rule stays valid however long it runs.",
    "why.ask": "Say whether you know the end date, and one of them is recommended.",
}
_ZH: Final = {
    "better": "{variant} 优于 {control}：{metric} {change}。",
    "worse": "{variant} 不如 {control}：{metric} {change}。",
    "harm": "{variant} 使{metric} {change}，但损害了{guards}。请勿直接上线。",
    "no_difference": "到计划结束时，{metric}未显示出差异。",
    "interval": "按所选规则的区间（{level}%）：{low} 至 {high}。",
    "rule.fixed": "固定样本：只在达到 {units} 名客户时看一次。",
    "rule.obrien_fleming": "成组序贯（O'Brien-Fleming）：至 {units} 名客户共看 {looks} 次。",
    "rule.pocock": "成组序贯（Pocock）：至 {units} 名客户共看 {looks} 次。",
    "rule.anytime": "随时有效：任何时候看都成立，至今看了 {looks} 次。",
    "ratio": "各方案的客户比例与计划一致（p = {p}）。",
    "guard_ok": "以下护栏指标未见损害：{guards}。",
    "guard_bad": "{variant} 的{metric}变差：{change}。",
    "bound": "{metric}的效应不大可能超出 {low} 至 {high}。",
    "early": "还不能下结论：已计入 {counted} 名客户，计划 {planned} 名。",
    "early_open": "还不能下结论：已计入 {counted} 名客户。",
    "early_needed": "按目前速度约还需 {days} 天",
    "early_anytime": "更多客户；预计约需 {planned} 名",
    "draft": "实验尚未开始。",
    "draft_needed": "开始实验",
    "nobody": "还没有人看到该实验，或其观察期都未结束。",
    "nobody_needed": "带 experiment_id 和 variant_id 的 experiment_viewed 事件",
    "stopped": "实验在 {counted}/{planned} 名客户时停止，规则还不能下结论。",
    "stopped_needed": "重新做一次并运行到结束",
    "broken": "各方案的客户比例与计划不符（p = {p}）：{counts}。其他结果均不可信。",
    "broken_needed": "先查明原因（跳转丢失、爬虫过滤、曝光漏报），再重新实验",
    "few": "有方案只有 {units} 名客户。",
    "few_needed": "每个方案 {units} 名",
    "flat": "所有客户的数值相同，或没有可作分母的数据。",
    "flat_needed": "数值不同的客户",
    "waiting": "还没有客户的观察期结束。",
    "waiting_needed": "首次曝光后 {days} 天",
    "zero": "对照组的数值为 0。",
    "zero_needed": "对照组有数值",
    "once": "固定样本只在结束时看一次。",
    "once_needed": "{units} 名客户",
    "fifth": "客户太少，规则还不能说什么。",
    "fifth_needed": "{units} 名客户的五分之一",
    "lately": "观察期之前的四周内只有 {units} 名活跃客户。",
    "lately_needed": "{units} 名客户，且该指标有数据",
    "question": "您知道结束日期吗？",
    "price.fixed": "只在结束时看一次。所需客户最少，但不能提前结束。",
    "price.obrien_fleming": "每次计划内查看都可结束。只比看一次略贵，效应大时提前结束。",
    "price.pocock": "每次计划内查看都可结束，效应大时结束最早；效应小时更贵。",
    "price.anytime": "任何时候看都有效，无需结束日期。代价是需要更多客户。",
    "why.yes": "您知道结束日期：计划内多次查看只比看一次多 {dearer} 的客户；"
    "若效应如预期，平均用到 {share} 即可结束。",
    "why.no": "您不知道结束日期：只有这种规则无论运行多久都有效。",
    "why.ask": "说明是否知道结束日期，即可得到建议。",
}
WORDS: Final[dict[Language, dict[str, str]]] = {"en": _EN, "zh": _ZH}


def say(lang: Language, key: str, /, **values: object) -> str:
    """The words of that key."""
    return WORDS[lang][key].format(**values)
