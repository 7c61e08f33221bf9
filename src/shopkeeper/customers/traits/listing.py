"""The traits as an operation lists them."""

from __future__ import annotations

from shopkeeper.core.settings import Language
from shopkeeper.customers.traits.catalogue import catalogue, evidence
from shopkeeper.customers.traits.frame import family_of
from shopkeeper.customers.types import TraitInfo, TraitList


def listed(lang: Language) -> TraitList:
    """Every trait with its kind, its name in words, and what it rests on."""
    return TraitList(
        traits=tuple(
            TraitInfo(
                name=name,
                kind=one.kind,
                called=one.called(lang),
                family=(family := family_of(name)),
                evidence=evidence(family, lang),
            )
            for name, one in catalogue().items()
        )
    )
