"""Whether the words name a person: only variables may, each customer's own."""

from __future__ import annotations

from typing import Final

from shopkeeper.content.checks.scene import Scene
from shopkeeper.trust.personal import find

_CONTACTS: Final = frozenset({"email", "phone", "landline", "phone_abroad", "wechat", "qq"})
"""A shop may give its own; whether it is its own, the author says."""
_SURE: Final = 0.6


def look(scene: Scene) -> None:
    """Add what looks like somebody's data."""
    for words in scene.words:
        for one in find(words.bare):
            if one.confidence < _SURE:
                continue
            own = one.kind in _CONTACTS or one.kind.startswith(("name", "address"))
            at = (words, one.start, one.end)
            if own:
                scene.add("needs_evidence", "personal_data", at, "whose", one.kind)
            else:
                scene.add("block", "personal_data", at, "personal", one.kind)
