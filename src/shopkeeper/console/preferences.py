"""What a person chose about the look: language and theme, remembered by their browser for a year."""

from __future__ import annotations

from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from shopkeeper.core.settings import Language, Settings

LANGUAGE, THEME = "shopkeeper_language", "shopkeeper_theme"
_YEAR = 31_536_000

Theme = Literal["auto", "light", "dark"]


def language(request: Request, settings: Settings) -> Language:
    """What was asked for just now, was chosen before, the browser prefers, or the shop speaks."""
    chosen = request.query_params.get("lang") or request.cookies.get(LANGUAGE, "")
    if chosen in ("zh", "en"):
        return "zh" if chosen == "zh" else "en"
    preferred = request.headers.get("accept-language", "").casefold()
    for part in preferred.split(","):
        if part.strip().startswith("zh"):
            return "zh"
        if part.strip().startswith("en"):
            return "en"
    return settings.languages[0]


def theme(request: Request) -> Theme:
    """The chosen theme; as the system has it where none was chosen."""
    chosen = request.cookies.get(THEME, "")
    known: dict[str, Theme] = {"light": "light", "dark": "dark"}
    return known.get(chosen, "auto")


def keep_language(answer: Response, lang: Language, *, secure: bool) -> None:
    """Have the browser remember it."""
    answer.set_cookie(LANGUAGE, lang, max_age=_YEAR, path="/", samesite="lax", secure=secure)


def script(name: str, value: str) -> str:
    """JavaScript that remembers a choice; both are words of this module."""
    return f"document.cookie = '{name}={value}; path=/; max-age={_YEAR}; samesite=lax'"
