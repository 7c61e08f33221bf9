"""Which conditions draw conclusions on health, minors, belief and the like: off unless an owner allows."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

from shopkeeper.customers.segmenting.definition import Did, Leaf, Said, Sequence, Told, Trait
from shopkeeper.customers.segmenting.printing import written

MINORS = "minors"
_ADULT = 18


def topic(leaf: Leaf) -> str | None:
    """The sensitive topic that a condition is about; None where it is about none."""
    if isinstance(leaf, Trait) and leaf.name == "age":
        return MINORS if _young(leaf) else None
    if not isinstance(leaf, Told | Said | Did | Sequence):
        return None
    told = written(leaf).lower()
    for name, words in topics().items():
        if any(word in told for word in words):
            return name
    return None


@cache
def topics() -> dict[str, list[str]]:
    """The topics and the words that tell them."""
    text = files(__package__).joinpath("sensitive.toml").read_text("utf-8")
    return {name: [w.lower() for w in words] for name, words in tomllib.loads(text).items()}


def _young(leaf: Trait) -> bool:
    """Whether the ages asked for reach below eighteen on purpose: < 30 does, >= 30 does not."""
    if leaf.op == "known":
        return False
    values = [v for v in leaf.values if isinstance(v, float)]
    if leaf.op in ("=", "in"):
        return any(v < _ADULT for v in values)
    return leaf.op in ("<", "<=", "!=") or any(v < _ADULT for v in values)
