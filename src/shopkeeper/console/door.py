"""Signing in and out, and the first owner: plain pages that need no script."""

from __future__ import annotations

import asyncio
import contextlib
from importlib.resources import files
from typing import Any, Literal
from urllib.parse import urlsplit

from fastapi import FastAPI
from jinja2 import Environment, select_autoescape
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response

from shopkeeper.console import guard, preferences
from shopkeeper.console.calls import Calls
from shopkeeper.console.sessions import COOKIE, SessionEnded
from shopkeeper.console.tries import Tries
from shopkeeper.console.words import words
from shopkeeper.core.errors import BadInput, NotFound, NotSignedIn, ShopkeeperError
from shopkeeper.core.operation import Actor

_AT_ONCE = 2  # a password's check costs 64 MiB and a tenth of a second, on purpose
_REASONS = ("expired", "forged", "out")

Page = Literal["sign-in", "set-up", "away"]


_HEADINGS: dict[Page, str] = {
    "sign-in": "door.sign_in",
    "set-up": "door.set_up",
    "away": "door.away",
}


class Door:
    """The routes around the console."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._shop = calls.shop
        self._sessions = calls.sessions
        self._tries = Tries(calls.options.tries_per_minute)
        self._room = asyncio.Semaphore(_AT_ONCE)
        environment = Environment(autoescape=select_autoescape(default=True))
        look = files("shopkeeper.console").joinpath("look")
        self._page = environment.from_string(look.joinpath("door.html").read_text("utf-8"))
        self._style = look.joinpath("door.css").read_text("utf-8")

    def install(self, app: FastAPI) -> None:
        """Add the routes."""
        hidden: dict[str, Any] = {"include_in_schema": False}
        app.add_api_route("/sign-in", self.sign_in_page, methods=["GET"], **hidden)
        app.add_api_route("/sign-in", self.sign_in, methods=["POST"], **hidden)
        app.add_api_route("/sign-out", self.sign_out, methods=["POST"], **hidden)
        app.add_api_route("/set-up", self.set_up_page, methods=["GET"], **hidden)
        app.add_api_route("/set-up", self.set_up, methods=["POST"], **hidden)
        app.add_api_route("/health", health, methods=["GET"], **hidden)
        app.add_api_route("/ready", self.ready, methods=["GET"], **hidden)
        app.add_api_route(guard.REPORTS + "{name}", self.report, methods=["GET"], **hidden)
        app.add_api_route(guard.EXPORTS + "{name}", self.exported, methods=["GET"], **hidden)

    async def sign_in_page(self, request: Request) -> Response:
        """The form; says why somebody was sent here."""
        why = request.query_params.get("why", "")
        note = f"door.{why}" if why in _REASONS else ""
        return self._shown(request, "sign-in", note=note, name="")

    async def sign_in(self, request: Request) -> Response:
        """A session for the right name and password; the same words for all that is wrong."""
        form = await request.form()
        name, password = _field(form, "name").strip(), _field(form, "password")
        try:
            attempt = self._tries.count(_address(request), name)
            async with self._room:
                actor = await run_in_threadpool(self._shop.persons.check, name, password)
            if actor is None:
                await run_in_threadpool(self._note, Actor("person", name), "NotSignedIn")
                raise NotSignedIn("wrong")
            await run_in_threadpool(self._note, actor, "done")
        except NotSignedIn:
            return self._shown(request, "sign-in", error="door.wrong", name=name, status=401)
        except ShopkeeperError as error:
            return self._refused(request, "sign-in", error, name=name)
        attempt.forgive()
        return self._entered(actor.name, _inside(_field(form, "to")))

    async def sign_out(self, request: Request) -> Response:
        """The session ends here and now."""
        with contextlib.suppress(SessionEnded):
            self._sessions.close(self._sessions.find(request.cookies.get(COOKIE)))
        answer = RedirectResponse("/sign-in?why=out", 303)
        answer.delete_cookie(COOKIE, path="/")
        return answer

    async def set_up_page(self, request: Request) -> Response:
        """The form for who was given a code."""
        return self._shown(request, "set-up", code=request.query_params.get("code", ""), name="")

    async def set_up(self, request: Request) -> Response:
        """A person with a password of their own, in exchange for a code."""
        form = await request.form()
        code, name = _field(form, "code").strip(), _field(form, "name").strip()
        password = _field(form, "password")
        try:
            attempt = self._tries.count(_address(request), "set-up")
            if password != _field(form, "again"):
                raise BadInput("The two passwords differ.", hint="Type the same one twice.")
            async with self._room:
                person = await run_in_threadpool(self._let_in, code, name, password)
        except ShopkeeperError as error:
            return self._refused(request, "set-up", error, code=code, name=name)
        attempt.forgive()
        return self._entered(person, "/")

    async def ready(self) -> Response:
        """The store can be read."""
        await run_in_threadpool(self._shop.log.last)
        return JSONResponse({"status": "ready"})

    async def report(self, request: Request, name: str) -> Response:
        """One of the shop's reports, whole."""
        session = self._sessions.find(request.cookies.get(COOKIE))
        actor = await run_in_threadpool(self._calls.actor, session)
        folder = (self._shop.folder / "reports").resolve()
        path = (folder / name).resolve()
        known = path.parent == folder and path.suffix == ".html" and path.is_file()
        if not known or not actor.holds("report:read"):
            return JSONResponse(NotFound(f"No report {name!r}.").to_json(), 404)
        return FileResponse(path, media_type="text/html; charset=utf-8")

    def away(self, request: Request, error: ShopkeeperError) -> Response:
        """What stands in place of a page while the store does not answer; it tries again by itself."""
        return self._refused(request, "away", error)

    async def exported(self, request: Request, name: str) -> Response:
        """A customer's export, for who may make one."""
        session = self._sessions.find(request.cookies.get(COOKIE))
        actor = await run_in_threadpool(self._calls.actor, session)
        folder = (self._shop.folder / "exports").resolve()
        path = (folder / name).resolve()
        known = path.parent == folder and path.suffix == ".zip" and path.is_file()
        if not known or not actor.holds("governance:write"):
            return JSONResponse(NotFound(f"No export {name!r}.").to_json(), 404)
        return FileResponse(path, media_type="application/zip", filename=path.name)

    def _let_in(self, code: str, name: str, password: str) -> str:
        """Add the person, or change their password; the code is used up only when that worked."""
        shop = self._shop
        invited = shop.invitations.look(code)
        if not invited.name and shop.persons.list():
            raise NotSignedIn(
                "The first owner is there already.", hint="Ask them for an invitation."
            )
        person = invited.name or name
        actor = Actor("person", person)
        arguments = {"person": person, "role": invited.role}
        with shop.audited(actor, "console.set_up", arguments):
            if shop.persons.find(person) is None:
                shop.persons.add(person, password, invited.role)
            else:
                shop.persons.set_password(person, password)
            shop.invitations.use(code)
        self._sessions.close_all(person)
        return person

    def _note(self, actor: Actor, outcome: str) -> None:
        self._shop.audit.append(actor, "console.sign_in", {"outcome": outcome})

    def _entered(self, name: str, to: str) -> Response:
        answer = RedirectResponse(to, 303)
        answer.set_cookie(
            COOKIE,
            self._sessions.open(name),
            path="/",
            httponly=True,
            samesite="lax",
            secure=self._calls.options.secure,
        )
        return answer

    def _refused(
        self, request: Request, page: Page, error: ShopkeeperError, **kept: str
    ) -> Response:
        head = f"error.{type(error).__name__}"
        lines = (error.message, error.hint)
        return self._shown(request, page, error=head, lines=lines, status=error.status, **kept)

    def _shown(
        self,
        request: Request,
        page: Page,
        *,
        note: str = "",
        error: str = "",
        lines: tuple[str, ...] = (),
        status: int = 200,
        **kept: str,
    ) -> Response:
        lang = preferences.language(request, self._shop.settings)
        w = words(lang)
        html = self._page.render(
            page=page,
            heading=_HEADINGS[page],
            w=w.texts,
            lang="zh-CN" if lang == "zh" else "en",
            other="en" if lang == "zh" else "zh",
            theme=preferences.theme(request),
            style=self._style,
            shop=self._shop.settings.name,
            note=w(note) if note else "",
            error=w.get(error, w("error.other")) if error else "",
            lines=[line for line in lines if line],
            to=request.query_params.get("to", ""),
            kept=kept,
        )
        answer = HTMLResponse(html, status)
        if "lang" in request.query_params:
            preferences.keep_language(answer, lang, secure=self._calls.options.secure)
        return answer


async def health() -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


def _field(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def _address(request: Request) -> str:
    return request.client.host if request.client else "unknown"


def _inside(to: str) -> str:
    """Where to go after signing in: a path of the console and nothing else."""
    parts = urlsplit(to)
    safe = to.startswith("/") and not to.startswith(("//", "/\\")) and not parts.netloc
    return to if safe and parts.path not in guard.OPEN and "\\" not in to else "/"
