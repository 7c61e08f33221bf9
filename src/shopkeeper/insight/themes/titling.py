"""Names of themes in both languages, by the shop's language model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from shopkeeper.core.errors import ModelFailed, NotSent, OverBudget, TooLarge
from shopkeeper.core.operation import Context
from shopkeeper.core.period import Period
from shopkeeper.core.text import normalise
from shopkeeper.core.types import CannotSay, Value
from shopkeeper.insight.themes import quotes
from shopkeeper.insight.themes.listing import NOT_YET, asked, current
from shopkeeper.insight.themes.registering import PERSON, WORDS
from shopkeeper.insight.types import Named
from shopkeeper.language import prompt
from shopkeeper.language.types import Backend, Request
from shopkeeper.models.backend import open_model
from shopkeeper.store import themes as store

PURPOSE = "themes"
_PROMPT = Path(__file__).with_name("title.toml")
_SHOWN = 6
_SINCE = Period("1y")


class Titles(Value):
    """What the model is to answer."""

    zh: Annotated[str, Field(min_length=1, max_length=24)]
    en: Annotated[str, Field(min_length=1, max_length=60)]


def name_themes(ctx: Context, model: str, *, again: bool) -> Named:
    """See the operation of this name."""
    versions, window = current(ctx.shop), asked(ctx.shop, _SINCE)
    if isinstance(window, CannotSay) or not versions:
        return Named(named=0, left=0, model=model, cannot_say=NOT_YET)
    themes = store.Themes(ctx.shop.database)
    chosen = [t for t in themes.all() if t.named_by == WORDS or (again and t.named_by != PERSON)]
    lower = {t.theme_id: t.words for t in themes.all() if t.level == 2}
    rows = quotes.rows_of_themes(ctx.shop, lower, versions, window, _SHOWN)
    members = {t.theme_id: t.parent_id for t in themes.all()}
    named, why = 0, ""
    backend = open_model(ctx.shop, model)
    try:
        for done, theme in enumerate(chosen):
            ctx.progress(done, len(chosen), "naming themes")
            mine = [one for one in rows if theme.theme_id in (one, members[one])]
            said = [row for one in mine for row in rows[one][:_SHOWN]][:_SHOWN]
            try:
                titles = _asked(backend, theme.words, said)
            except (ModelFailed, NotSent, TooLarge) as error:
                why = str(error)
                continue
            except OverBudget as error:
                why = str(error)
                break
            _keep(ctx, themes, theme, titles, backend.name)
            named += 1
    finally:
        backend.close()
    return Named(named=named, left=len(chosen) - named, model=backend.name, why=why)


def _asked(backend: Backend, words: Sequence[str], rows: Sequence[quotes.Row]) -> Titles:
    known = prompt.load(_PROMPT)
    messages = known.messages(
        texts={"words": ", ".join(words), "quotes": [row["body"][:300] for row in rows]}, fixed={}
    )
    reply = backend.complete(
        Request(
            messages=messages,
            purpose=PURPOSE,
            schema=Titles,
            version=known.version,
            about=tuple(sorted({row["author"] for row in rows if row["author"]})),
            max_tokens=80,
        )
    )
    titles = reply.value
    if not isinstance(titles, Titles):
        raise ModelFailed("The model gave no names.")
    return titles


def _keep(
    ctx: Context, themes: store.Themes, theme: store.Theme, titles: Titles, model: str
) -> None:
    names = {"zh": normalise(titles.zh), "en": normalise(titles.en)}
    before = theme.names.get(theme.tongue, "")
    what = {"before": before, "now": names[theme.tongue], "by": model}
    change = store.Change("", ctx.shop.now(), theme.theme_id, "renamed", what)
    themes.rename(theme.theme_id, names, model, change)
