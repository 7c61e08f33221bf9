"""What rules did to a list, as reasons in words."""

from __future__ import annotations

from typing import Final

from shopkeeper.core.settings import Language
from shopkeeper.core.types import Reason
from shopkeeper.recommend.rules.language import Explore, Pin, Promote, Rule

_WORDS: Final = {
    "en": {
        "pin": "Set at this place by the shop's rule {name!r}.",
        "promote": "Promoted by the shop's rule {name!r}.",
        "explore": "Tried out here, to learn whether it suits.",
    },
    "zh": {
        "pin": "由店铺规则「{name}」固定在此位置。",
        "promote": "由店铺规则「{name}」推广。",
        "explore": "在此尝试展示，以了解是否合适。",
    },
}


def reason(rule: Rule, lang: Language) -> Reason:
    """Why a rule put an item where it stands."""
    assert isinstance(rule, Pin | Promote | Explore)  # noqa: S101 - no other rule puts items in
    text = _WORDS[lang][rule.kind].format(name=rule.name)
    return Reason(code=f"rule.{rule.kind}", text=text, evidence={"rule": rule.name})
