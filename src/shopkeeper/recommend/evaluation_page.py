"""The evaluation as one HTML file that opens offline: plots, with the table behind each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Final

from markupsafe import Markup

from shopkeeper.core.settings import Language
from shopkeeper.core.types import CannotSay, Estimate, EstimateOrCannotSay
from shopkeeper.recommend.plots import Claim, Dot, Line, intervals, reliability
from shopkeeper.recommend.types import Evaluation, Group, Protocol, Score
from shopkeeper.shop.shop import Shop

FOLDER: Final = "evaluations"
_KEPT: Final = 10
_MIXTURE: Final = "mixture"

_WORDS: Final = {
    "en": {
        "title": "How good the recommendations would have been",
        "about": "{customers:,} customers, {items:,} items, up to {day}. Every choice was held back, every "
        "item of the catalogue ranked; intervals are 95 %, by drawing customers again.",
        "leave_one_out": "Everybody's last choice left out",
        "leave_one_out.note": "Models see what others chose later: expect less in service.",
        "by_week": "Week by week: by models of the time before",
        "by_week.note": "This is what service is like; trust it where the two differ.",
        "cases": "{cases:,} choices of {customers:,} customers; {left:,} left out, of items owned already.",
        "quality": "NDCG@10 by model",
        "history": "NDCG@10 by length of history, beside what is popular in seven days",
        "items": "NDCG@10 by how often the chosen item had been chosen before",
        "reliability": "Are the probabilities true?",
        "claimed": "claimed probability",
        "happened": "share that was chosen",
        "spread": "Coverage, novelty, Gini",
        "weights": "Weights of the heads by length of history",
        "behaviours": "What behaviours weigh in a history, learned on choices held back (a purchase is 1)",
        "behaving": ("head", "look", "wish", "cart", "purchase"),
        "gain": "Over seven days' popularity NDCG@10 rises by {gain}; log-loss is {ratio:.3f} of that "
        "of the better of two popularities.",
        "cannot": "cannot be said: {why}",
        "columns": ("model", "HR@10", "NDCG@10", "log-loss", "coverage", "novelty (bits)", "Gini"),
        "groups": ("group", "choices", "NDCG@10", "popular in 7 days"),
        "bins": ("slots", "claimed", "happened"),
        "head": "head",
        "mixture": "mixture",
        "popular_7_days": "popular in 7 days",
        "legend": "filled: the mixture · hollow: popular in seven days",
    },
    "zh": {
        "title": "推荐效果评估",
        "about": "截至 {day}，共 {customers:,} 位客户、{items:,} 件商品。留出每一次选择，对全部商品排序；"
        "区间为 95 %，由重抽客户得到。",
        "leave_one_out": "留出每位客户的最后一次选择",
        "leave_one_out.note": "模型看得到别人之后的选择，实际效果会低一些。",
        "by_week": "按周：用此前的数据预测",
        "by_week.note": "与实际服务一致；两者不同时，以此为准。",
        "cases": "{customers:,} 位客户的 {cases:,} 次选择；另有 {left:,} 次因已拥有而不计。",
        "quality": "各模型的 NDCG@10",
        "history": "按历史长度的 NDCG@10（与近七日热门对比）",
        "items": "按商品此前被选次数的 NDCG@10",
        "reliability": "概率可信吗？",
        "claimed": "给出的概率",
        "happened": "实际被选的比例",
        "spread": "覆盖率、新颖度、基尼系数",
        "weights": "各模型权重（按历史长度）",
        "behaviours": "各行为在历史中的权重（由留出的选择学得，购买为 1）",
        "behaving": ("模型", "浏览", "收藏", "加购", "购买"),
        "gain": "相比近七日热门，NDCG@10 提高 {gain}；对数损失为两种热门中较好者的 {ratio:.3f} 倍。",
        "cannot": "无法判断：{why}",
        "columns": ("模型", "HR@10", "NDCG@10", "对数损失", "覆盖率", "新颖度（比特）", "基尼系数"),
        "groups": ("分组", "次数", "NDCG@10", "近七日热门"),
        "bins": ("位置数", "给出的概率", "实际比例"),
        "head": "模型",
        "mixture": "混合模型",
        "popular_7_days": "近七日热门",
        "legend": "实心：混合模型 · 空心：近七日热门",
    },
}  # fmt: skip
_LENGTHS: Final = ("0", "1", "2-3", "4-7", "8-15", "16-63", "64+")

_STYLE: Final = (Path(__file__).parent / "evaluation.css").read_text("utf-8")


def write(shop: Shop, found: Evaluation, lang: Language) -> str:
    """Write the page into the shop's folder; its path there. The ten newest are kept."""
    folder = Path(shop.folder) / FOLDER
    folder.mkdir(exist_ok=True, mode=0o700)
    name = f"recommend-{shop.now():%Y%m%dT%H%M%S}.html"
    (folder / name).write_text(page(found, lang), "utf-8")
    for old in sorted(folder.glob("recommend-*.html"), reverse=True)[_KEPT:]:
        old.unlink()
    return f"{FOLDER}/{name}"


def page(found: Evaluation, lang: Language) -> str:
    """The whole page."""
    words = _WORDS[lang]
    about = str(words["about"]).format(
        customers=found.customers, items=found.items, day=found.as_of or "-"
    )
    parts = [f"<h1>{words['title']}</h1><p>{escape(about)}</p>"]
    for name, protocol in (("by_week", found.by_week), ("leave_one_out", found.leave_one_out)):
        parts.append(f"<h2>{words[name]}</h2><p class='note'>{words[f'{name}.note']}</p>")
        if isinstance(protocol, CannotSay):
            why = f"{protocol.reason} {protocol.needed}"
            parts.append(f"<p>{escape(str(words['cannot']).format(why=why))}</p>")
        else:
            parts += _protocol(protocol, lang)
    code = "zh-CN" if lang == "zh" else "en"
    return (
        f'<!doctype html><html lang="{code}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{words['title']}</title><style>{_STYLE}</style><body>{''.join(parts)}</body></html>\n"
    )


def _protocol(found: Protocol, lang: Language) -> Iterator[str]:
    words = _WORDS[lang]
    told = str(words["cases"]).format(
        cases=found.cases, customers=found.customers, left=found.left_out
    )
    gain = str(words["gain"]).format(
        gain=_figure(found.gain.ndcg10), ratio=found.gain.log_loss_ratio
    )
    yield f"<p>{escape(told)} {escape(gain)}</p>"
    scores = [_line(score, lang) for score in found.scores]
    yield _plot(words, "quality", intervals(str(words["quality"]), _some(scores), _short))
    yield _table(words["columns"], [_row(score, lang) for score in found.scores])
    for name, groups in _grouped(found):
        lines = [_both(group) for group in groups]
        yield _plot(words, name, intervals(str(words[name]), _some(lines), _short))
        yield f"<p class='legend'>{words['legend']}</p>"
        yield _table(words["groups"], [_group(group) for group in groups])
    claims = [
        Claim(b.claimed, b.happened, f"{b.claimed:.5f} → {b.happened:.5f} ({b.slots:,})")
        for b in found.reliability
    ]
    axes = (str(words["claimed"]), str(words["happened"]))
    yield f"<div class='square'>{_plot(words, 'reliability', reliability(axes[0], axes, claims))}</div>"
    rows = [(f"{b.slots:,}", f"{b.claimed:.5f}", f"{b.happened:.5f}") for b in found.reliability]
    yield _table(words["bins"], rows)
    yield f"<h3>{words['weights']}</h3>"
    shares = [(h.name, *(f"{share:.2f}" for share in h.by_history)) for h in found.weights]
    yield _table((str(words["head"]), *_LENGTHS), shares)
    behaviours = [
        (h.name, *(f"{w:g}" for w in h.behaviours.values())) for h in found.weights if h.behaviours
    ]
    if behaviours:
        yield f"<h3>{words['behaviours']}</h3>"
        yield _table(words["behaving"], behaviours)


def _grouped(found: Protocol) -> Iterator[tuple[str, list[Group]]]:
    yield "history", [group for group in found.groups if group.name.startswith("history")]
    yield "items", [group for group in found.groups if not group.name.startswith("history")]


def _plot(words: Mapping[str, object], name: str, drawn: Markup) -> str:
    return f"<h3>{words[name]}</h3>{drawn}"


def _table(columns: object, rows: Sequence[Sequence[str]]) -> str:
    assert isinstance(columns, tuple)  # noqa: S101 - of the words above
    head = "".join(f"<th>{escape(c)}</th>" for c in columns)
    body = "".join("<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in rows)
    return f"<div class='scroll'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _line(score: Score, lang: Language) -> Line:
    name = str(_WORDS[lang].get(score.model, score.model))
    kind = {_MIXTURE: "ours", "popular_7_days": "base"}.get(score.model, "head")
    return Line(name, _dots(score.ndcg10, kind))


def _both(group: Group) -> Line:
    dots = (*_dots(group.ndcg10, "ours"), *_dots(group.ndcg10_popular, "base"))
    return Line(f"{group.name} ({group.cases:,})", dots)


def _dots(value: EstimateOrCannotSay, kind: str) -> tuple[Dot, ...]:
    if isinstance(value, Estimate):
        return (Dot(value.value, value.low, value.high, kind, _figure(value)),)
    return ()


def _some(lines: Sequence[Line]) -> list[Line]:
    return [line for line in lines if line.dots]


def _row(score: Score, lang: Language) -> tuple[str, ...]:
    loss = "-" if score.log_loss is None else f"{score.log_loss:.3f}"
    name = str(_WORDS[lang].get(score.model, score.model))
    rest = (f"{score.coverage:.3f}", f"{score.novelty:.2f}", f"{score.gini:.3f}")
    return (name, _figure(score.hr10), _figure(score.ndcg10), loss, *rest)


def _group(group: Group) -> tuple[str, ...]:
    return (
        group.name,
        f"{group.cases:,}",
        _figure(group.ndcg10),
        _figure(group.ndcg10_popular),
    )


def _figure(value: EstimateOrCannotSay) -> str:
    if isinstance(value, CannotSay):
        return "-"
    return f"{value.value:.4f} ({value.low:.4f} – {value.high:.4f})"


def _short(value: float) -> str:
    return f"{value:.3g}"
