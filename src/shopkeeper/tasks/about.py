"""A text with one thing in it marked, so that a student can be asked how the text judges that thing."""

from __future__ import annotations

_AROUND = 8


def about(text: str, start: int, end: int) -> str:
    """What a student is shown of ``text[start:end]``: the whole, its near surroundings, and its words.

    Near surroundings stand apart from the whole, so that the same words weigh more beside the thing.
    Fit :class:`Student` on such texts with the polarity as label.
    """
    before, thing, after = text[:start], text[start:end], text[end:]
    near = f"{before[-_AROUND:]}⟦⟧{after[:_AROUND]}"
    return f"{before}⟦⟧{after} | {near} | {thing}"
