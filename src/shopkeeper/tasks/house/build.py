"""Makes the shipped readers anew (``make house``): ``python -m shopkeeper.tasks.house.build [task]``."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from shopkeeper.core.discovery import names
from shopkeeper.tasks.house import cards, written
from shopkeeper.tasks.house.readers import MODELS, RECIPES


def build(task: str, language: str) -> None:
    """Train and write the task's model of a language, and its card."""
    recipe = importlib.import_module(f"{RECIPES}.{task}")
    recipe.train(language).save(MODELS / task / language)
    cards.write(task, language, recipe.USES)


def main(arguments: Sequence[str]) -> int:
    """Build the named readers, or all."""
    for argument in arguments or names(RECIPES):
        task, _, one = argument.partition("/")
        for language in [one] if one else written.languages(task):
            build(task, language)
            sys.stdout.write(f"{cards.line(task, language)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
