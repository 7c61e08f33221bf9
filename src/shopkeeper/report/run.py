"""Gather, compose, write: the report from first to last."""

from __future__ import annotations

import secrets
from pathlib import Path

from shopkeeper.core.errors import BadInput
from shopkeeper.core.operation import Context
from shopkeeper.core.period import Period
from shopkeeper.core.settings import Language
from shopkeeper.report.desk import Desk
from shopkeeper.report.facts import period_of
from shopkeeper.report.gather import gather
from shopkeeper.report.numbers import Numbers
from shopkeeper.report.page import composed, rendered
from shopkeeper.report.parts import Note
from shopkeeper.report.types import Line, Report
from shopkeeper.report.words import words


def run(ctx: Context, period: Period | None, lang: Language | None, out: str | None) -> Report:
    """See the operation of this name.

    Raises:
        BadInput: ``out`` is a folder or, for somebody outside this machine, not in ``reports``.
    """
    settings, shop = ctx.shop.settings, ctx.shop
    language = lang or settings.languages[0]
    target = _target(ctx, out)  # before the work: a wrong path fails at once
    facts = gather(ctx, period_of(shop.span(), period), language)
    desk = Desk(facts, words(language), Numbers(language, settings.currency, settings.zone))
    page = composed(desk, settings, shop.now())
    last = facts.days.end if facts.days else shop.now().astimezone(settings.zone).date()
    path = target or shop.folder / "reports" / f"report-{language}-{last}.html"
    size = _write(path, rendered(page))
    ctx.progress(1, 1, "written")
    return Report(
        path=str(path),
        language=language,
        first_day=facts.days.start if facts.days else None,
        last_day=facts.days.end if facts.days else None,
        changed=tuple(map(_line, page.changed)),
        next=tuple(map(_line, page.next)),
        bytes=size,
    )


def _target(ctx: Context, out: str | None) -> Path | None:
    if out is None:
        return None
    reports = (ctx.shop.folder / "reports").resolve()
    local = ctx.actor.kind == "local"
    path = Path(out).expanduser().resolve() if local else (reports / out).resolve()
    if not local and (not path.is_relative_to(reports) or path.suffix != ".html"):
        raise BadInput(
            f"{out!r} is not an .html file in the shop's reports.",
            hint="Give a plain name such as march.html, or leave `out` away.",
            field="out",
        )
    if path.is_dir():
        raise BadInput(f"{out!r} is a folder.", hint="Name a file in it.", field="out")
    return path


def _write(path: Path, text: str) -> int:
    """Write whole or not at all: whoever reads meanwhile sees the old report or the new one."""
    data = text.encode()
    part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise BadInput(
            f"{str(path)!r} cannot be written: {error.strerror}.",
            hint="Choose another path.",
            field="out",
        ) from error
    return len(data)


def _line(note: Note) -> Line:
    return Line(text=note.text, section=note.target)
