"""The record's sentences in both languages; the same keys in each."""

from __future__ import annotations

from typing import Final

from shopkeeper.core.settings import Language

_EN: Final = {
    "accepted": "{name} was sent to them on {channel} at {time}.",
    "delivered": "{name} was sent to them on {channel} at {time} and arrived.",
    "bounced": "{name} was sent to them on {channel} at {time} and came back.",
    "complained": "{name} was sent to them on {channel} at {time}; they complained about it.",
    "failed": "{name} was to be sent to them; every try failed: {reason}.",
    "cancelled": "{name} was queued for them and then held back: {reason}.",
    "unknown": "{name} may have reached them: the sender was cut off in between.",
    "waiting": "{name} waits to be sent to them.",
    "because": "They were in the segment “{segment}” (version {version}).",
    "erased": "This customer was erased: counts remain, and nothing that tells who they were.",
    "nobody": "No customer of this id is known: there never was one, or they were erased.",
    "draft": "Nothing: the campaign has not started ({status}).",
    "not_in_segment": "Nothing: they were not in the segment “{segment}” when the campaign looked.",
    "held_out": "Nothing: the standing hold-out keeps them out of every campaign.",
    "control": "Nothing: they were drawn into this campaign's hold-out ({share} of those meant).",
    "restricted": "Nothing: their data must not be used.",
    "suppressed": "Nothing: they stand on the suppression list ({reason}).",
    "no_consent": "Nothing: they never said that they may be reached for this on {channel}.",
    "consent_refused": "Nothing: they refused to be reached for this on {channel}.",
    "consent_withdrawn": "Nothing: they had withdrawn their consent for this on {channel}.",
    "no_address": "Nothing: no address for {channel} is known of them.",
    "invalid_address": "Nothing: their address for {channel} cannot be one.",
    "capped": "Nothing: {messages} messages had reached them of late; the caps allow no more.",
    "letter": "Nothing: their letter could not be made ({reason}).",
    "withdrawn": "Nothing: the approval of the words was taken back before their turn.",
    "budget": "Nothing: the budget was used up before their turn.",
    "too_late": "Nothing: the campaign ended before their turn.",
    "not_reached": "Nothing, and why is not kept: they were meant, and nothing known stood against it.",
    "recommended": "{places} items were chosen for them by {policy} at {time}.",
    "popular": "{places} items were chosen by {policy} at {time}; nothing about them counted.",
    "no_membership": "Why they were in the segment is not kept.",
    "words_gone": "The words are no longer those that were approved: {why}",
    "no_proof": "Messages of this purpose need no consent.",
    "unmoved": "Events of the last seconds may not be counted yet.",
    "then": "Worked out now from statements, lists and messages that are kept with their times.",
    "no_window": "The message has not left, so nothing came of it.",
    "no_campaign": "It belongs to no campaign: no segment and no approved words are kept with it.",
}

_ZH: Final = {
    "accepted": "“{name}”已于 {time} 通过 {channel} 发送给该客户。",
    "delivered": "“{name}”已于 {time} 通过 {channel} 发送给该客户并送达。",
    "bounced": "“{name}”于 {time} 通过 {channel} 发送，被退回。",
    "complained": "“{name}”于 {time} 通过 {channel} 发送；该客户提出了投诉。",
    "failed": "“{name}”本应发送给该客户，但每次尝试都失败：{reason}。",
    "cancelled": "“{name}”已排队，之后被拦下：{reason}。",
    "unknown": "“{name}”可能已送达：发送程序中途中断。",
    "waiting": "“{name}”正在等待发送给该客户。",
    "because": "该客户属于分群“{segment}”（第 {version} 版）。",
    "erased": "该客户已被删除：保留计数，不保留任何可识别身份的信息。",
    "nobody": "没有这个编号的客户：从未有过，或已被删除。",
    "draft": "未发送：活动尚未开始（{status}）。",
    "not_in_segment": "未发送：活动选人时该客户不在分群“{segment}”中。",
    "held_out": "未发送：长期对照组不参加任何活动。",
    "control": "未发送：被抽入本次活动的对照组（占目标分群 {share}）。",
    "restricted": "未发送：其数据被限制使用。",
    "suppressed": "未发送：在禁发名单上（{reason}）。",
    "no_consent": "未发送：从未同意通过 {channel} 接收此类消息。",
    "consent_refused": "未发送：拒绝通过 {channel} 接收此类消息。",
    "consent_withdrawn": "未发送：已撤回通过 {channel} 接收此类消息的同意。",
    "no_address": "未发送：没有 {channel} 的地址。",
    "invalid_address": "未发送：{channel} 的地址无效。",
    "capped": "未发送：近期已收到 {messages} 条消息，达到频控上限。",
    "letter": "未发送：无法生成其消息（{reason}）。",
    "withdrawn": "未发送：轮到之前文字的批准已被撤回。",
    "budget": "未发送：轮到之前预算已用完。",
    "too_late": "未发送：轮到之前活动已结束。",
    "not_reached": "未发送，且原因没有保存：该客户在目标分群中，未发现任何阻碍。",
    "recommended": "{time} 由 {policy} 为该客户选出 {places} 件商品。",
    "popular": "{time} 由 {policy} 选出 {places} 件商品；没有使用该客户的任何信息。",
    "no_membership": "没有保存其进入分群的原因。",
    "words_gone": "现有文字已不是当时批准的文字：{why}",
    "no_proof": "此类消息无需同意。",
    "unmoved": "最近几秒的事件可能尚未计入。",
    "then": "根据带有时间的声明、名单和消息记录于现在推算。",
    "no_window": "消息尚未发出，因此没有结果。",
    "no_campaign": "不属于任何活动：没有保存分群和已批准的文字。",
}

_BACK: Final[dict[Language, dict[str, str]]] = {
    "en": {
        "withdrawn": "the approval of its words was taken back",
        "fact_changed": "a fact that its words rest on had changed",
        "out_of_stock": "an item that it is about could not be had any more",
        "stopped": "the campaign was stopped",
        "too_late": "its time was over",
    },
    "zh": {
        "withdrawn": "文字的批准已被撤回",
        "fact_changed": "文字所依据的事实已改变",
        "out_of_stock": "所涉商品已无货",
        "stopped": "活动已停止",
        "too_late": "已过发送时间",
    },
}
"""Why a message that waited did not leave."""

WORDS: Final[dict[Language, dict[str, str]]] = {"en": _EN, "zh": _ZH}


def say(lang: Language, key: str, **values: object) -> str:
    """The sentence of that key."""
    return WORDS[lang][key].format(**values)


def say_reason(lang: Language, code: str) -> str:
    """Why a message did not leave; a provider's own code as it is."""
    return _BACK[lang].get(code, code)
