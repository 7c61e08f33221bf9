"""The page as one HTML file that needs nothing else: no request leaves it, no script is needed."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from shopkeeper.core.settings import Settings
from shopkeeper.report.desk import Desk
from shopkeeper.report.parts import Page, Section
from shopkeeper.report.sections import (
    advice,
    campaigns,
    figures,
    goods,
    health,
    people,
    summary,
    trend,
    voices,
    walked,
    wanted,
)

_FOLDER = "shopkeeper.report"


def composed(desk: Desk, settings: Settings, now: datetime) -> Page:
    """The facts arranged as a page."""
    days, w, n = desk.facts.days, desk.w, desk.n
    facts = [(w("page.made"), n.time(now)), (w("page.zone"), settings.time_zone)]
    if days is not None:
        period = w(
            "page.span", start=n.date(days.start), end=n.date(days.end), days=n.count(len(days))
        )
        facts.insert(0, (w("page.period"), period))
        facts.append((w("page.currency"), settings.currency))
    return Page(
        lang={"zh": "zh-CN", "en": "en"}[desk.w.lang],
        title=w("page.title", shop=settings.name),
        shop=settings.name,
        subtitle=w("page.subtitle"),
        facts=tuple(facts),
        changed=summary.changed(desk) if days else (),
        next=summary.following(desk) if days else (),
        sections=_sections(desk),
        words=dict(w.texts),
    )


def _sections(desk: Desk) -> tuple[Section, ...]:
    if desk.facts.days is None:
        return (Section("start", desk.w("empty.title"), "", empty=desk.w("empty.text")),)
    return (
        figures.headline(desk),
        advice.advice(desk),
        trend.trend(desk),
        people.segments(desk),
        people.retention(desk),
        goods.funnel(desk),
        walked.walked(desk),
        goods.breakdowns(desk),
        wanted.wanted(desk),
        campaigns.campaigns(desk),
        voices.voices(desk),
        figures.others(desk),
        health.health(desk),
    )


def rendered(page: Page) -> str:
    """The HTML text; all words of data are escaped by the template."""
    style, script = _asset("style.css"), _asset("script.js")
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    )
    template = _environment().get_template("page.html")
    # Our own two files: marked safe, because escaping would change what the policy's hashes cover.
    return template.render(
        page=page,
        w=page.words,
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        policy=policy,
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader(_FOLDER, "template"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _asset(name: str) -> str:
    return files(_FOLDER).joinpath(f"template/{name}").read_text("utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
