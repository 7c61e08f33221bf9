"""Absolute terms of the Advertising Law, with the exceptions of the guideline of 2023."""

from __future__ import annotations

from shopkeeper.content.checks.scene import Scene, names
from shopkeeper.trust.advertising import absolute_terms


def look(scene: Scene) -> None:
    """Add each absolute term with its verdict and why."""
    named = names(scene.items)
    for words in scene.words:
        for term in absolute_terms(words.bare, named):
            at = (words, term.start, term.end)
            scene.add(term.verdict, "absolute_term", at, term.because)
