"""Places with their titles, and the reasons in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import takewhile
from zoneinfo import ZoneInfo

import numpy as np

from shopkeeper.core.events import PURCHASE
from shopkeeper.core.settings import Language
from shopkeeper.core.types import Reason
from shopkeeper.recommend.history import STRENGTH, History
from shopkeeper.recommend.model import Fitted
from shopkeeper.recommend.picking import Picked
from shopkeeper.recommend.popular import RECENT_DAYS
from shopkeeper.recommend.serving import Serving
from shopkeeper.recommend.slate import COVISIT, Slates
from shopkeeper.recommend.types import Slot

_WORDS = {
    "en": {
        "bought": "Because of {title}, bought on {day}.",
        "looked": "Because of {title}, looked at on {day}.",
        "popular.purchase": "Popular now: {count} customers bought it in the last {days} days.",
        "popular.view_item": "Popular now: {count} customers looked at it in the last {days} days.",
        "popular.before": "Popular in this shop, though not in the last {days} days.",
        "newcomer.first": "Often what customers choose first.",
        "related": "Chosen by the same customers as {title}.",
        "interests.bought": "For the same interest as {title}, bought on {day}.",
        "interests.looked": "For the same interest as {title}, looked at on {day}.",
        "interests.searched": "Suits your search for “{text}” on {day}.",
        "interests.said": "Suits what you wrote on {day}.",
        "text.bought": "Reads like {title}, bought on {day}.",
        "text.looked": "Reads like {title}, looked at on {day}.",
        "kind.brand": "Of {label}, like {title} of {day}.",
        "kind.category": "From {label}, like {title} of {day}.",
        "repeat.bought": "Bought on {day}; others buy it again and again.",
        "repeat.looked": "Looked at on {day}; others come back to it.",
    },
    "zh": {
        "bought": "因为在 {day} 买过「{title}」。",
        "looked": "因为在 {day} 看过「{title}」。",
        "popular.purchase": "近期热销：最近 {days} 天有 {count} 位顾客买过。",
        "popular.view_item": "近期热门：最近 {days} 天有 {count} 位顾客看过。",
        "popular.before": "本店一直受欢迎（最近 {days} 天没有成交）。",
        "newcomer.first": "常是顾客最先选择的商品。",
        "related": "选过「{title}」的顾客也选了它。",
        "interests.bought": "与 {day} 买过的「{title}」属于同一兴趣。",
        "interests.looked": "与 {day} 看过的「{title}」属于同一兴趣。",
        "interests.searched": "与您 {day} 搜索的「{text}」相符。",
        "interests.said": "与您 {day} 写下的内容相符。",
        "text.bought": "描述与 {day} 买过的「{title}」相近。",
        "text.looked": "描述与 {day} 看过的「{title}」相近。",
        "kind.brand": "与 {day} 的「{title}」同属品牌「{label}」。",
        "kind.category": "与 {day} 的「{title}」同属分类「{label}」。",
        "repeat.bought": "{day} 买过，不少顾客会回购。",
        "repeat.looked": "{day} 看过，不少顾客会再来看。",
    },
}


def related_reason(title: str, item_id: str, lang: Language) -> Reason:
    """That the same customers chose it."""
    text = _WORDS[lang]["related"].format(title=title)
    return Reason(code="covisit.related", text=text, evidence={"item_id": item_id})


@dataclass(frozen=True)
class Writer:
    """Turns positions into places with words."""

    model: Fitted
    lang: Language
    zone: ZoneInfo

    def title(self, item_id: str) -> str:
        return (self.model.items.get(item_id) or {}).get("title") or item_id

    def slot(self, rank: int, item: int, score: float, reason: Reason, head: int) -> Slot:
        item_id = self.model.history.item_ids[item].as_py()
        name = "covisit" if head == COVISIT else "popular"
        return self.named(item_id, rank=rank, head=name, score=score, reasons=(reason,))

    def named(
        self,
        item_id: str,
        *,
        rank: int,
        head: str,
        score: float,
        reasons: tuple[Reason, ...],
        probability: float | None = None,
    ) -> Slot:
        """The place with what the catalogue says of its item."""
        known = self.model.items.get(item_id) or {}
        return Slot(
            rank=rank,
            item_id=item_id,
            title=known.get("title"),
            price=known.get("price"),
            head=head,
            score=score,
            probability=probability,
            reasons=reasons,
        )

    def popular(self, item: int, weight: float = 1.0) -> Reason:
        """How many wanted the item lately; ``item`` -1: nobody has yet."""
        found = self.model.recommender.popular
        count = int(found.recent[item]) if item >= 0 else 0
        code = f"popular.{found.basis}" if count else "popular.before"
        text = _WORDS[self.lang][code].format(count=count, days=RECENT_DAYS)
        evidence: dict[str, str | float | int | None] = {"customers": count, "days": RECENT_DAYS}
        return Reason(code=code, text=text, evidence=evidence, weight=weight)

    def first(self, weight: float = 1.0) -> Reason:
        """That many begin with it."""
        code = "newcomer.first"
        return Reason(code=code, text=_WORDS[self.lang][code], evidence={}, weight=weight)

    def because(
        self,
        history: History,
        row: int,
        head: str = "covisit",
        item_id: str = "",
        weight: float = 1.0,
    ) -> Reason:
        """The reason that rests on one row of the customer's history; ``item_id`` is what is offered."""
        source = history.item_ids[history.item[row]].as_py()
        kind = "bought" if history.strength[row] >= STRENGTH[PURCHASE] else "looked"
        label = ""
        if head == "kind":
            kind, label = self.in_common(source, item_id)
        day = self.day(int(history.time[row]))
        words = _WORDS[self.lang]
        said = words.get(f"{head}.{kind}") or words[kind]
        text = said.format(title=self.title(source), day=day, label=label)
        evidence: dict[str, str | float | int | None] = {"item_id": source, "day": str(day)}
        if label:
            evidence["label"] = label
        return Reason(code=f"{head}.{kind}", text=text, evidence=evidence, weight=weight)

    def said(self, history: History, row: int, weight: float = 1.0) -> Reason:
        """The reason that rests on a search of the customer, or on their own words."""
        assert history.spoken is not None  # noqa: S101 - it has this row
        text, day = history.spoken.texts[row], self.day(int(history.spoken.time[row]))
        code = "interests.searched" if text else "interests.said"
        said = _WORDS[self.lang][code].format(text=text, day=day)
        evidence: dict[str, str | float | int | None] = {"query": text or None, "day": str(day)}
        return Reason(code=code, text=said, evidence=evidence, weight=weight)

    def in_common(self, first: str, second: str) -> tuple[str, str]:
        """The brand of both, or else the part of the category's path that they share."""
        one, two = (self.model.items.get(item) or {} for item in (first, second))
        if one.get("brand") and one.get("brand") == two.get("brand"):
            return "brand", str(one["brand"])
        paths = ((row.get("category") or "").split(" > ") for row in (one, two))
        same = [a for a, b in takewhile(lambda pair: pair[0] == pair[1], zip(*paths, strict=False))]
        return "category", " > ".join(same)

    def by_mixture(self, serving: Serving, history: History, found: Picked) -> Iterator[Slot]:
        """The places of one customer with the head that says most for each, and what it rests on."""
        names, ids = list(serving.published.mixture.heads), serving.published.item_ids
        leading = found.shares.argmax(axis=0)
        shares = found.shares[leading, np.arange(len(leading))].tolist()
        rows = zip(
            found.item.tolist(),
            leading.tolist(),
            found.because.tolist(),
            found.saying.tolist(),
            found.probability.tolist(),
            strict=True,
        )
        for place, (item, head, row, saying, chance) in enumerate(rows):
            item_id, share = ids[item].as_py(), round(shares[place], 4)
            if saying >= 0:
                reason = self.said(history, saying, share)
            elif row >= 0:
                reason = self.because(history, row, names[head], item_id, share)
            elif names[head] == "newcomer":
                reason = self.first(share)
            else:
                reason = self.popular(int(serving.place[item]), share)
            yield self.named(
                item_id,
                rank=place + 1,
                head=names[head],
                score=chance,
                probability=chance,
                reasons=(reason,),
            )

    def day(self, time_ms: int) -> date:
        return datetime.fromtimestamp(time_ms / 1000, UTC).astimezone(self.zone).date()

    def slots(self, history: History, found: Slates) -> Iterator[Slot]:
        """The places of one customer."""
        for place in range(len(found.item)):
            item, because = int(found.item[place]), int(found.because[place])
            reason = self.because(history, because) if because >= 0 else self.popular(item)
            yield self.slot(
                int(found.rank[place]),
                item,
                float(found.score[place]),
                reason,
                int(found.head[place]),
            )
