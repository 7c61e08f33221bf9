"""Names of personas, in both languages: by a grammar from what sets them apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from shopkeeper.core.settings import Language
from shopkeeper.insight.reading.aspects import name_of
from shopkeeper.insight.types import Trait

ORDERS: Final = "orders (log)"
SPEND: Final = "spend (log)"
VIEWS: Final = "views (log)"
AWAY: Final = "days since last seen"
CATEGORY: Final = "category"
SPEAKS: Final = "speaks of"

TRAITS: Final = "traits"
"""Who named a persona that no model did."""

LANGUAGES: Final[tuple[Language, ...]] = ("zh", "en")
_PARTS: Final = 2  # of a name, unless it takes more to tell two personas apart
_LEAST: Final = 0.2  # standard deviations from all customers: less is not worth a word
_LONGEST: Final = 24
_WITHIN: Final = " > "  # of a category's path, the last part says enough
_JOIN: Final = {"zh": "、", "en": ", "}

_FEATURES: Final = {
    ORDERS: {"zh": "下单次数", "en": "orders"},
    SPEND: {"zh": "消费金额", "en": "spend"},
    VIEWS: {"zh": "浏览次数", "en": "views"},
    AWAY: {"zh": "距上次到访天数", "en": "days since last seen"},
}
_MORE: Final = {
    ORDERS: {"zh": "常客", "en": "frequent buyers"},
    SPEND: {"zh": "高消费", "en": "big spenders"},
    VIEWS: {"zh": "爱逛", "en": "keen browsers"},
    AWAY: {"zh": "久未到访", "en": "not seen for long"},
    CATEGORY: {"zh": "偏爱{what}", "en": "into {what}"},
    SPEAKS: {"zh": "常谈{what}", "en": "speak of {what}"},
}
_LESS: Final = {
    ORDERS: {"zh": "偶尔购买", "en": "occasional buyers"},
    SPEND: {"zh": "低消费", "en": "small spenders"},
    VIEWS: {"zh": "很少浏览", "en": "seldom browsing"},
    AWAY: {"zh": "近期活跃", "en": "seen lately"},
    CATEGORY: {"zh": "少看{what}", "en": "not into {what}"},
    SPEAKS: {"zh": "少谈{what}", "en": "silent on {what}"},
}


def feature(name: str) -> dict[str, str]:
    """What a feature is called, by language."""
    kind, what = _parted(name)
    if kind == CATEGORY:
        return {"zh": f"在「{what}」的占比", "en": f"share of {what}"}
    if kind == SPEAKS:
        return {
            "zh": f"谈及{name_of(what, 'zh')}的占比",
            "en": f"share that speaks of {name_of(what, 'en')}",
        }
    return _FEATURES[kind]


def by_traits(personas: Sequence[Sequence[Trait]]) -> list[dict[str, str]]:
    """A name for each persona, made of its strongest traits; no two are alike.

    Two traits make a name; those that would share one get more, and at last a number.
    """
    most = max((len(traits) for traits in personas), default=0)
    names = [_name(traits, _PARTS) for traits in personas]
    for length in range(_PARTS + 1, most + 1):
        for place in _alike(names):
            names[place] = _name(personas[place], length)
    for number, place in enumerate(_alike(names), 1):
        names[place] = {lang: f"{name} {number}" for lang, name in names[place].items()}
    return names


def _name(traits: Sequence[Trait], parts: int) -> dict[str, str]:
    strong = [one for one in traits if abs(one.distance) >= _LEAST] or traits[:1]
    chosen = strong[:parts]
    names: dict[str, str] = {}
    for lang in LANGUAGES:
        said = _JOIN[lang].join(_said(one, lang) for one in chosen)
        names[lang] = said[:1].upper() + said[1:]
    return names


def _said(trait: Trait, lang: Language) -> str:
    kind, what = _parted(trait.feature)
    if kind == SPEAKS:
        what = name_of(what, lang)
    what = what.rpartition(_WITHIN)[2]
    if len(what) > _LONGEST:
        what = f"{what[:_LONGEST]}…"
    return (_MORE if trait.distance > 0 else _LESS)[kind][lang].format(what=what)


def _parted(name: str) -> tuple[str, str]:
    for kind in (CATEGORY, SPEAKS):
        if name.startswith(f"{kind} "):
            return kind, name.removeprefix(f"{kind} ")
    return name, ""


def _alike(names: Sequence[dict[str, str]]) -> list[int]:
    return places([name["en"] for name in names])


def places(names: Sequence[str]) -> list[int]:
    """Where the names stand that stand more than once."""
    counts = Counter(names)
    return [place for place, name in enumerate(names) if counts[name] > 1]
