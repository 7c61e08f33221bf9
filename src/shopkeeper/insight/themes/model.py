"""A fitted reader of themes for one language: it assigns texts, and is saved as arrays and JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from shopkeeper.core.errors import Corrupt
from shopkeeper.insight.themes.cluster import Labels
from shopkeeper.insight.themes.mixture import Mixture, presence
from shopkeeper.insight.themes.space import Vectors, counted
from shopkeeper.insight.themes.words import Tongue

WORDS = "words.json"


@dataclass(frozen=True)
class Model:
    """The words it knows and what each says; ``theme_ids`` are those of the mixture's rows."""

    tongue: Tongue
    words: tuple[str, ...]
    mixture: Mixture
    theme_ids: tuple[str, ...]

    @cached_property
    def _places(self) -> dict[str, int]:
        return {word: place for place, word in enumerate(self.words) if word}

    def present(self, texts: Sequence[Sequence[str]]) -> Any:
        """Which known words each text (a list of words) has: CSR, all ones."""
        places = self._places
        found = [[places[word] for word in text if word in places] for text in texts]
        return presence(counted(found, len(self.words)))

    def assign(self, texts: Sequence[Sequence[str]]) -> tuple[Labels, Vectors]:
        """The row of each text's theme, or -1, and its evidence in nats. Equal texts, equal answers."""
        return self.mixture.assign(self.present(texts))

    def save(self, folder: Path) -> None:
        """Write it to a new folder."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "evidence.npy", self.mixture.evidence)
        np.save(folder / "thresholds.npy", self.mixture.thresholds)
        told = {"tongue": self.tongue, "theme_ids": self.theme_ids, "words": self.words}
        (folder / WORDS).write_text(json.dumps(told, ensure_ascii=False), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Model:
        """Read it back.

        Raises:
            Corrupt: a file is missing or its parts do not fit together.
        """
        try:
            told = json.loads((folder / WORDS).read_text("utf-8"))
            evidence = np.load(folder / "evidence.npy", allow_pickle=False)
            thresholds = np.load(folder / "thresholds.npy", allow_pickle=False)
        except (OSError, ValueError) as error:
            raise Corrupt(
                "The fitted themes cannot be read.", hint="Fit them: insight update-themes --refit"
            ) from error
        if evidence.shape != (len(told["theme_ids"]), len(told["words"])):
            raise Corrupt("The fitted themes do not fit together.", hint="Fit them anew.")
        mixture = Mixture(evidence, thresholds)
        return cls(told["tongue"], tuple(told["words"]), mixture, tuple(told["theme_ids"]))
