"""What is true of an item, and which of it this customer cares about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shopkeeper.recommend.history import History
from shopkeeper.recommend.rules.grounds import PATH

_LONGEST: Final = 80
BRAND, CATEGORY = "brand", "category"


@dataclass(frozen=True)
class Fact:
    """One thing that is true of the item; ``fact_id`` is empty for a column of the catalogue."""

    name: str
    value: str
    fact_id: str = ""

    @property
    def key(self) -> tuple[str, str]:
        return self.name.casefold(), self.value.casefold()


def facts(row: Mapping[str, Any], told: Sequence[Mapping[str, Any]]) -> list[Fact]:
    """The item's brand, category, attributes and facts; long values are texts, not facts."""
    found = [Fact(BRAND, str(row["brand"]))] if row.get("brand") else []
    if row.get("category"):
        found.append(Fact(CATEGORY, str(row["category"]).split(PATH)[-1]))
    attributes = dict(row.get("attributes") or {})
    found += [Fact(str(name), str(value)) for name, value in sorted(attributes.items())]
    for one in told:
        value = f"{one['value']} {one['unit']}" if one.get("unit") else str(one["value"])
        found.append(Fact(str(one["name"]), value, str(one["fact_id"])))
    kept: dict[tuple[str, str], Fact] = {}
    for fact in found:
        if 0 < len(fact.value.strip()) <= _LONGEST:
            kept[fact.key] = (
                fact  # a fact of the table, which comes later, stands before an attribute
            )
    return list(kept.values())


def interests(
    history: History | None, items: Mapping[str, Mapping[str, Any]]
) -> Counter[tuple[str, str]]:
    """How strongly the customer's past speaks for each value of a brand, category or attribute."""
    found: Counter[tuple[str, str]] = Counter()
    if history is None:
        return found
    for row in range(len(history.item)):
        item_id = history.item_ids[int(history.item[row])].as_py()
        for fact in facts(items.get(item_id, {}), ()):
            found[fact.key] += float(history.strength[row])  # type: ignore[assignment]  # weights
    return found


def chosen(known: Sequence[Fact], wanted: Mapping[tuple[str, str], float], most: int) -> list[Fact]:
    """The facts to tell: what the customer cares for first, then in the catalogue's order."""
    order = sorted(range(len(known)), key=lambda n: (-wanted.get(known[n].key, 0.0), n))
    return [known[n] for n in order[:most]]
