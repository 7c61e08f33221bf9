"""What stands around every page: the bar, the menu, messages, shortcuts; and the pages by their path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from nicegui import PageArguments, ui
from nicegui.elements.sub_pages import SubPages
from nicegui.events import KeyEventArguments

from shopkeeper.console import parts, preferences
from shopkeeper.console.pages import (
    advice,
    aspects,
    audit,
    bring,
    campaign_builder,
    campaigns,
    clusters,
    customer,
    customers,
    data,
    experiment_new,
    experiments,
    fairness,
    groups,
    imports,
    jobs,
    journeys,
    labels,
    list_model,
    overview,
    personas,
    predictions,
    privacy,
    recommend,
    record,
    reports,
    rules,
    settings,
    templates,
    texts,
    themes,
)
from shopkeeper.console.parts import box, text
from shopkeeper.console.preferences import Theme
from shopkeeper.console.pulse import Beat
from shopkeeper.console.visit import Visit

Page = Callable[[Visit, PageArguments], Awaitable[None]]


@dataclass(frozen=True)
class Place:
    """An entry of the menu: its words' key, its path, its picture, and the key after ``g``."""

    name: str
    path: str
    icon: str
    key: str


PLACES: Final = (
    Place("overview", "/", "insights", "o"),
    Place("advice", "/advice", "lightbulb", "u"),
    Place("data", "/data", "fact_check", "d"),
    Place("customers", "/customers", "groups", "c"),
    Place("journeys", "/journeys", "route", "y"),
    Place("groups", "/segments", "filter_alt", "g"),
    Place("predictions", "/predictions", "trending_up", "f"),
    Place("themes", "/themes", "forum", "t"),
    Place("aspects", "/aspects", "grid_on", "e"),
    Place("voices", "/voices", "record_voice_over", "w"),
    Place("personas", "/personas", "diversity_3", "n"),
    Place("labels", "/labels", "label", "l"),
    Place("recommend", "/recommend", "recommend", "r"),
    Place("templates", "/templates", "edit_note", "k"),
    Place("campaigns", "/campaigns", "campaign", "m"),
    Place("record", "/record", "manage_search", "z"),
    Place("experiments", "/experiments", "science", "x"),
    Place("reports", "/reports", "description", "p"),
    Place("jobs", "/jobs", "schedule", "j"),
    Place("privacy", "/privacy", "policy", "v"),
    Place("audit", "/audit", "verified_user", "a"),
    Place("settings", "/settings", "settings", "s"),
)

PAGES: Final[dict[str, Page]] = {
    "/": overview.page,
    "/advice": advice.page,
    "/record": record.page,
    "/data": data.page,
    "/data/new": bring.page,
    "/data/imports/{import_id}": imports.page,
    "/customers": customers.page,
    "/customers/{segment}": customers.members,
    "/customer": customer.page,
    "/journeys": journeys.page,
    "/segments": groups.page,
    "/segments/{segment}": groups.one,
    "/predictions": predictions.page,
    "/clusters": clusters.page,
    "/fairness": fairness.page,
    "/themes": themes.page,
    "/themes/{theme_id}": themes.one,
    "/aspects": aspects.page,
    "/voices": aspects.voices,
    "/personas": personas.page,
    "/text": texts.page,
    "/labels": labels.page,
    "/recommend": recommend.page,
    "/recommend/rules": rules.page,
    "/recommend/model": list_model.page,
    "/templates": templates.page,
    "/templates/new": templates.new,
    "/templates/{template_id}": templates.one,
    "/campaigns": campaigns.page,
    "/campaigns/new": campaign_builder.page,
    "/campaigns/{campaign_id}": campaigns.one,
    "/experiments": experiments.page,
    "/experiments/new": experiment_new.page,
    "/experiments/{experiment_id}": experiments.one,
    "/reports": reports.page,
    "/jobs": jobs.page,
    "/jobs/{job_id}": jobs.one,
    "/privacy": privacy.page,
    "/audit": audit.page,
    "/settings": settings.page,
}

_NARROW: Final = 1000  # pixels; the style sheet has the same

_THEMES: Final[dict[Theme, tuple[bool | None, str]]] = {
    "auto": (None, "brightness_auto"),
    "light": (False, "light_mode"),
    "dark": (True, "dark_mode"),
}


def build(visit: Visit, theme: Theme) -> None:
    """The frame with the page of the current path in it."""
    w = visit.w
    ui.colors(primary="#17645c", negative="#b3321f", positive="#1a7a43")
    help_ = _shortcuts(visit)
    with (
        ui.left_drawer(value=False, bordered=True)
        .props(f"width=216 breakpoint={_NARROW} show-if-above")
        .classes("menu") as drawer
    ):
        _menu(visit, drawer)
    with ui.header(bordered=True).classes("bar"):
        skip = text(w("page.skip"), "skip", "a").props("href=#content")
        skip.on("click.prevent", js_handler="() => document.getElementById('content').focus()")
        toggle = ui.button(icon="menu", on_click=drawer.toggle).classes("bar-menu")
        toggle.props(f'flat round dense aria-label="{w("page.menu")}"')
        text("掌", "seal", "span").props("aria-hidden=true")
        text(visit.settings.name, "bar-name", "span")
        box("grow")
        _fresh(visit)
        _tools(visit, theme, help_)
    _away(visit)
    visit.toasts = box("toasts").props("role=status aria-live=polite")
    with box("content").props("id=content tabindex=-1"):
        _Pages(visit)
    visit.pulse.ticked.subscribe(visit.tick)
    visit.pulse.changed.subscribe(visit.beat)


class _Pages(SubPages):
    """The page of the current path, or a word that there is none."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        pages = {path: _built(visit, page) for path, page in PAGES.items()}
        super().__init__(pages, show_404=False)

    def _set_match(self, match: Any) -> None:
        super()._set_match(match)
        if match is None:
            with self.clear():
                parts.title(self._visit.w("page.none"))
                parts.link(self._visit.w("page.home"), "/")


def _built(visit: Visit, page: Page) -> Callable[[PageArguments], Awaitable[None]]:
    async def built(args: PageArguments) -> None:
        await page(visit, args)

    built.__annotations__["args"] = PageArguments  # NiceGUI looks for the class, not for its name
    return built


def _menu(visit: Visit, drawer: ui.left_drawer) -> None:
    links: dict[str, ui.link] = {}
    with box("menu-list", "nav").props(f'aria-label="{visit.w("page.menu")}"'):
        for place in PLACES:
            with ui.link("", place.path).classes("menu-item") as entry:
                ui.icon(place.icon).props("aria-hidden=true")
                text(visit.w(f"menu.{place.name}"), tag="span")
            links[place.path] = entry
    text(visit.w("page.brand"), "menu-foot")

    def mark(path: str) -> None:
        here = "/" + path.partition("?")[0].strip("/").partition("/")[0]
        here = {"/customer": "/customers", "/text": "/voices"}.get(here, here)
        for target, entry in links.items():
            if target == here:
                entry.classes(add="on").props("aria-current=page")
            else:
                entry.classes(remove="on").props(remove="aria-current")

    def moved(path: str) -> None:
        mark(path)
        # Where the menu lies over the page, it goes when it has served.
        narrow = f"if (window.innerWidth <= {_NARROW}) getElement({drawer.id}).hide()"
        visit.client.run_javascript(narrow)

    router = visit.client.sub_pages_router
    mark(router.current_path)
    router.on_path_changed(moved)


def _fresh(visit: Visit) -> None:
    """How far the data reach and whether something runs: kept up to date by the pulse."""
    holder = ui.link("", "/jobs").classes("fresh")
    with holder:
        busy = ui.spinner(size="14px", thickness=6)
        label = text("", tag="span")

    def show(beat: Beat | None) -> None:
        running = sum(job.status in ("queued", "running") for job in beat.jobs) if beat else 0
        label.set_text(visit.w("page.running", count=running) if running else "")
        busy.set_visibility(bool(running))
        holder.set_visibility(bool(running))

    show(visit.pulse.last)
    visit.pulse.changed.subscribe(show)


def _away(visit: Visit) -> None:
    """A word above every page while the store does not answer; when it does, what was missing is filled."""
    with box("away").props("role=alert") as bar:
        ui.icon("cloud_off").props("aria-hidden=true")
        label = text("", tag="span")

    def show(answers: bool) -> None:
        label.set_text("" if answers else visit.w("page.away"))
        bar.set_visibility(not answers)
        if answers:
            visit.back()

    show(not visit.pulse.away)
    visit.pulse.answers.subscribe(show)


def _tools(visit: Visit, theme: Theme, help_: ui.dialog) -> None:
    w = visit.w
    other = "en" if visit.lang == "zh" else "zh"
    language = ui.button(
        w("page.other_language"), on_click=partial(_remember, preferences.LANGUAGE, other)
    )
    language.props(f'flat dense no-caps aria-label="{w("page.switch_language")}"').classes(
        "tool language"
    )
    dark = ui.dark_mode(_THEMES[theme][0])
    button = ui.button(icon=_THEMES[theme][1]).classes("tool")
    button.props(f'flat round dense aria-label="{w("page.theme")}"')
    with button, ui.menu():
        for name, (value, icon) in _THEMES.items():

            def choose(name: Theme = name, value: bool | None = value, icon: str = icon) -> None:
                # Remembered before it is shown: who sees it may leave the page at once.
                ui.run_javascript(preferences.script(preferences.THEME, name))
                dark.value = value
                button.props(f"icon={icon}")

            ui.menu_item(w(f"theme.{name}"), choose).props("role=menuitem")
    with ui.button(icon="account_circle").classes("tool") as person:
        person.props(f'flat round dense aria-label="{w("page.account")}"')
        with ui.menu(), box("account"):
            text(visit.session.person, "account-name")
            text(w(f"role.{role_of(visit)}"), "lead")
            with box("", "form").props("method=post action=/sign-out"):
                text(w("page.sign_out"), "link", "button").props("type=submit")
    asked = ui.button(icon="keyboard", on_click=help_.open).classes("tool wide")
    asked.props(f'flat round dense aria-label="{w("keys.title")}"')
    for element, words in ((button, w("page.theme")), (asked, w("keys.title"))):
        with element:
            ui.tooltip(words)


def role_of(visit: Visit) -> str:
    """The person's role, by what it may."""
    if visit.actor.holds("people:write"):
        return "owner"
    return "editor" if visit.actor.holds("collect:write") else "viewer"


def _remember(name: str, value: str) -> None:
    ui.run_javascript(preferences.script(name, value) + "; location.reload()")


def _shortcuts(visit: Visit) -> ui.dialog:
    """The keys, and the dialog that lists them."""
    with ui.dialog() as help_, ui.card().classes("ask") as card:
        pass  # written when somebody asks: most never do

    def opened() -> None:
        if help_.value and not card.default_slot.children:
            with card:
                _listed(visit, help_)

    help_.on_value_change(opened)
    paths = {place.key: place.path for place in PLACES}
    state = {"before": ""}

    def pressed(event: KeyEventArguments) -> Any:
        modifiers = event.modifiers
        if not event.action.keydown or modifiers.ctrl or modifiers.alt or modifiers.meta:
            return
        key, before = event.key.name, state["before"]
        state["before"] = key
        if key == "?":
            help_.open()
        elif before == "g" and key in paths:
            ui.navigate.to(paths[key])

    ui.keyboard(pressed, repeating=False)
    return help_


def _listed(visit: Visit, help_: ui.dialog) -> None:
    w = visit.w
    text(w("keys.title"), tag="h2")
    with box("shortcuts", "dl"):
        for place in PLACES:
            _shortcut(f"g {place.key}", w(f"menu.{place.name}"))
        _shortcut("?", w("keys.help"))
        _shortcut("Esc", w("keys.close"))
    parts.plain_button(w("page.close"), help_.close)


def _shortcut(keys: str, words: str) -> None:
    with box("shortcut"):
        text(keys, "keys", "dt")
        text(words, tag="dd")
