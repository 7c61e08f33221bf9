"""Whether each variable is known, may be said, and has a fall-back where a customer may lack it."""

from __future__ import annotations

from typing import Final

from shopkeeper.content.checks.scene import Scene, Words
from shopkeeper.content.facts import meant
from shopkeeper.content.language import UNSUBSCRIBE, Variable
from shopkeeper.core.subject import PERSONAL
from shopkeeper.core.text import did_you_mean

_NAMES: Final = frozenset(
    {"name", "first_name", "firstname", "full_name", "fullname", "nickname", "nick_name", "nick",
     "given_name", "姓名", "昵称"}
)  # fmt: skip
_SENSITIVE: Final = frozenset(
    {"id_number", "resident_id", "passport", "bank_card", "card", "password", "birthday", "birth_date",
     "health", "disease", "diagnosis", "religion", "ethnicity", "race", "politics", "pregnant", "income",
     "salary", "身份证", "银行卡", "生日", "病史", "疾病", "宗教", "民族", "收入"}
)  # fmt: skip


def look(scene: Scene) -> None:
    """Add what is wrong with variables, and note the facts that they say."""
    known = scene.values()
    for words in scene.words:
        for one in words.variables:
            _look(scene, words, one, known)


def _look(scene: Scene, words: Words, one: Variable, known: dict[str, str]) -> None:
    at = (words, one.start, one.end)
    group, _, name = one.name.partition(".")
    if one.name == UNSUBSCRIBE:
        if words.name not in ("text", "html"):
            scene.add("block", "variable_not_here", at, "variable_not_here", one.name)
    elif group == "customer" and name:
        plain = name.casefold()
        if plain in _SENSITIVE or (plain in PERSONAL and plain not in _NAMES):
            scene.add("block", "personal_variable", at, "personal", one.name)
        elif one.default is None:
            scene.add("block", "no_fall_back", at, "no_fall_back", one.name)
    elif group.startswith("item") and name:
        _of_item(scene, at, one)
    elif one.name not in known:
        near = did_you_mean(one.name, [*known, "customer.name", UNSUBSCRIBE]) or ""
        scene.add("block", "unknown_variable", at, "unknown_variable", near or one.name)


def _of_item(scene: Scene, at: tuple[Words, int, int], one: Variable) -> None:
    fact = meant(one.name, scene.items, scene.body.item_ids)
    if fact is not None:
        scene.rests_on(fact.item_id, fact.name)
    elif not scene.body.item_ids:
        scene.add("block", "no_item", at, "no_item", one.name)
    elif one.default is None:
        near = did_you_mean(one.name, scene.values()) or ""
        scene.add("block", "no_such_fact", at, "no_such_fact", near or one.name)
