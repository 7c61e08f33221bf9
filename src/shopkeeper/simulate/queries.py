"""What people type into the search box: general words, kinds of product, brands, titles, slips."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shopkeeper.simulate.population import LANGUAGES
from shopkeeper.simulate.products import Catalogue

_KINDS = 6
_EDGES = np.cumsum([0.32, 0.28, 0.16, 0.14, 0.07, 0.03])


class Queries:
    """All phrases, and for each item and language those that somebody who wants it may type."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.phrases: list[str] = []
        self._numbers: dict[str, int] = {}
        general = 8
        self._general = np.zeros((len(LANGUAGES), len(catalogue.categories), general), np.int32)
        self._own = np.zeros((len(LANGUAGES), len(catalogue.products), _KINDS), np.int32)
        for n, language in enumerate(LANGUAGES):
            for c, about in enumerate(catalogue.about.values()):
                phrases = about["queries"][language]
                for g in range(general):
                    self._general[n, c, g] = self._number(phrases[g % len(phrases)])
            for item in range(len(catalogue.products)):
                own = _phrases(catalogue, item, language)
                self._own[n, item] = [self._number(phrase) for phrase in own]

    def choose(
        self,
        random: np.random.Generator,
        language: NDArray[np.integer],
        category: NDArray[np.integer],
        item: NDArray[np.integer],
    ) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
        """A phrase number per search, and whether it names the kind of product."""
        kind = np.searchsorted(_EDGES, random.random(len(item)) * _EDGES[-1], side="right")
        kind = np.minimum(kind, _KINDS - 1)
        which = random.integers(0, self._general.shape[2], len(item))
        words = self._general[language, category, which]
        return np.where(kind == 0, words, self._own[language, item, kind]), kind > 0

    def _number(self, phrase: str) -> int:
        if phrase not in self._numbers:
            self._numbers[phrase] = len(self.phrases)
            self.phrases.append(phrase)
        return self._numbers[phrase]


def _phrases(catalogue: Catalogue, item: int, language: str) -> list[str]:
    product = catalogue.products[item]
    noun = catalogue.noun(item, language)
    title = product.titles[language]
    place = 0 if language == "zh" else 1
    gap = "" if language == "zh" else " "
    brand = product.brand_names[place]
    trait = next((value[place] for value in product.attributes.values()), noun)
    short = title.split(" ")[0] if language == "zh" else " ".join(title.split(",")[0].split()[:4])
    if language == "en":
        brand, short, trait = brand.lower(), short.lower(), trait.lower()
    return ["", noun, f"{brand}{gap}{noun}", short, f"{trait}{' '}{noun}", _slip(short)]


def _slip(phrase: str) -> str:
    """The phrase with two neighbours exchanged, as fast fingers do."""
    middle = len(phrase) // 2
    if middle < 1 or middle + 1 > len(phrase):
        return phrase
    return phrase[: middle - 1] + phrase[middle] + phrase[middle - 1] + phrase[middle + 1 :]
