"""What customers say, for the report: new texts are read and themes updated first, then asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from shopkeeper.core.errors import LeaseHeld
from shopkeeper.core.operation import Context, silent
from shopkeeper.core.period import Period
from shopkeeper.core.settings import Language
from shopkeeper.insight import operations as insight
from shopkeeper.insight.reading.run import read
from shopkeeper.insight.themes.updating import update
from shopkeeper.insight.types import HotTopics, Moods, Themes, Voices

_THEMES = 8
_VOICES = 5


@dataclass(frozen=True)
class Said:
    """The replies that the section is made from."""

    moods: Moods
    themes: Themes
    hot: HotTopics
    voices: Voices


def said(ctx: Context, since: Period, lang: Language, tell: Callable[[str], None]) -> Said:
    """Read what is new and ask; where somebody else reads just now, what is read already must do.

    Raises:
        NotAllowed: whoever asks may not see what insight says.
    """
    quiet = replace(ctx, progress=silent)
    for work in (lambda: read(_told(ctx, tell), 0), lambda: update(_told(ctx, tell), afresh=False)):
        try:
            work()
        except LeaseHeld:
            tell("texts")
    return Said(
        moods=insight.sentiment(quiet, since=since, lang=lang),
        themes=insight.themes(quiet, since=since, k=_THEMES, lang=lang),
        hot=insight.hot(quiet, k=_VOICES, lang=lang),
        voices=insight.voices(quiet, since=since, k=_VOICES, lang=lang),
    )


def _told(ctx: Context, tell: Callable[[str], None]) -> Context:
    """The same with progress that says what it is about; a cancelled job stops within."""
    return replace(ctx, progress=lambda _done, _total, message: tell(f"texts: {message}"))
