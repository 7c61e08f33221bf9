"""Routes of reaching customers: providers' reports, one-click unsubscription, tracked links."""

from __future__ import annotations

import base64
import hashlib
import html
from contextlib import suppress
from functools import partial
from typing import Final

import anyio
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from shopkeeper.contact import receiving
from shopkeeper.contact.channels.base import Surroundings
from shopkeeper.contact.links import PATH
from shopkeeper.core.errors import BadInput, ShopkeeperError
from shopkeeper.server import body, faults
from shopkeeper.server.limits import Rate
from shopkeeper.server.options import ServeOptions
from shopkeeper.server.signin import address
from shopkeeper.shop.shop import Shop

_PICTURE: Final = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_ONE_CLICK: Final = b"List-Unsubscribe=One-Click"
_FORM: Final = b"sure=yes"
_BODY: Final = 2_000
_STYLE: Final = (
    "body{font:18px/1.6 system-ui,sans-serif;max-width:32em;margin:12vh auto;padding:0 1em}"
    "button{font:inherit;padding:.5em 1.2em;cursor:pointer}"
)

_POLICY: Final = (
    "default-src 'none'; frame-ancestors 'none'; form-action 'self'; style-src 'sha256-"
    f"{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
)

_WORDS: Final = {
    "zh": {
        "title": "退订",
        "ask": "您不想再收到{shop}通过{channel}发送的“{purpose}”类消息吗?",
        "button": "确认退订",
        "done": "已退订。您不会再收到{shop}通过{channel}发送的“{purpose}”类消息。",
        "wrong": "这个链接无效或不完整。请使用消息中的完整链接。",
    },
    "en": {
        "title": "Unsubscribe",
        "ask": "Do you want no more messages of the kind “{purpose}” from {shop} by {channel}?",
        "button": "Unsubscribe",
        "done": "Done. {shop} sends you no more messages of the kind “{purpose}” by {channel}.",
        "wrong": "This link is not valid or was cut off. Use the whole link from the message.",
    },
}
_NAMES: Final = {
    "zh": {"email": "电子邮件", "sms": "短信", "wechat": "微信", "marketing": "营销"},
    "en": {"email": "e-mail", "sms": "SMS", "wechat": "WeChat"},
}


class Contact:
    """The routes; what they do stands in :mod:`shopkeeper.contact.receiving`."""

    def __init__(self, shop: Shop, options: ServeOptions) -> None:
        self._shop = shop
        self._options = options
        self._around = Surroundings(shop.folder)
        # A large mail provider unsubscribes for all its users from a few addresses.
        self._rate = Rate("calls of one address", options.intake_calls_per_minute)

    def install(self, app: FastAPI) -> None:
        """Add the routes."""
        for path, methods, handler in (
            ("events/{channel}", ["POST"], self._report),
            ("unsubscribe/{token}", ["GET", "POST"], self._unsubscribe),
            ("click/{token}", ["GET"], self._click),
            ("open/{token}", ["GET"], self._open),
        ):
            app.router.routes.append(Route(f"{PATH}/{path}", handler, methods=methods))

    async def _report(self, request: Request) -> Response:
        self._rate.count(address(request))
        sent = await body.read(
            request, limit=self._options.event_bytes, seconds=self._options.body_seconds
        )
        headers = {name.lower(): value for name, value in request.headers.items()}
        channel = request.path_params["channel"]
        take = partial(receiving.provider_report, self._shop, self._around, channel, headers, sent)
        taken = await anyio.to_thread.run_sync(take)
        return Response(
            b'{"new": %s, "counted": %s}'
            % (str(taken.new).lower().encode(), str(taken.counted).lower().encode()),
            media_type="application/json",
        )

    async def _unsubscribe(self, request: Request) -> Response:
        """A POST takes the consent back; a GET only asks: scanners of mail fetch every link."""
        self._rate.count(address(request))
        token = request.path_params["token"]
        language = _language(request)
        try:
            if request.method != "POST":
                read = partial(receiving.read_unsubscribe, self._shop, token)
                channel, purpose = await anyio.to_thread.run_sync(read)
                return self._page(language, "ask", channel, purpose)
            told = await body.read(request, limit=_BODY, seconds=self._options.body_seconds)
            form = {one.strip() for one in told.split(b"&")}
            if not form & {_ONE_CLICK, _FORM} and _ONE_CLICK not in _multipart(told):
                raise BadInput(
                    "The body is not List-Unsubscribe=One-Click.", hint="RFC 8058.", field="body"
                )
            take = partial(receiving.unsubscribe, self._shop, token)
            channel, purpose = await anyio.to_thread.run_sync(take)
            return self._page(language, "done", channel, purpose)
        except BadInput as error:
            if error.field == "body":
                return faults.answer(error)
            return _html(language, _WORDS[language]["wrong"], "", error.status)

    def _page(self, language: str, what: str, channel: str, purpose: str) -> Response:
        words, names = _WORDS[language], _NAMES[language]
        said = words[what].format(
            shop=self._shop.settings.name,
            channel=names.get(channel, channel),
            purpose=names.get(purpose, purpose),
        )
        form = ""
        if what == "ask":
            form = (
                '<form method="post"><input type="hidden" name="sure" value="yes">'
                f"<button>{html.escape(words['button'])}</button></form>"
            )
        return _html(language, said, form)

    async def _click(self, request: Request) -> Response:
        self._rate.count(address(request))
        agent = request.headers.get("user-agent", "")
        note = partial(
            receiving.click, self._shop, request.path_params["token"], request.method, agent
        )
        return RedirectResponse(await anyio.to_thread.run_sync(note), 302)

    async def _open(self, request: Request) -> Response:
        self._rate.count(address(request))
        agent = request.headers.get("user-agent", "")
        note = partial(
            receiving.opened, self._shop, request.path_params["token"], request.method, agent
        )
        with suppress(ShopkeeperError):  # a picture is shown all the same
            await anyio.to_thread.run_sync(note)
        return Response(_PICTURE, media_type="image/gif")


def _multipart(told: bytes) -> bytes:
    """The one-click body as a form of several parts, as some receivers send it."""
    marker = b'name="List-Unsubscribe"'
    value = told.partition(marker)[2].strip(b"\r\n ").partition(b"\r\n")[0]
    return b"List-Unsubscribe=" + value if marker in told else b""


def _language(request: Request) -> str:
    wanted = request.headers.get("accept-language", "").lower()
    zh, en = wanted.find("zh"), wanted.find("en")
    return "zh" if zh >= 0 and (en < 0 or zh < en) else "en"


def _html(language: str, said: str, form: str, status: int = 200) -> Response:
    title = html.escape(_WORDS[language]["title"])
    page = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="robots" content="noindex"><title>{title}</title>'
        f"<style>{_STYLE}</style></head>"
        f"<body><main><h1>{title}</h1><p>{html.escape(said)}</p>{form}</main></body></html>"
    )
    headers = {"content-security-policy": _POLICY}
    return Response(page, status, headers, media_type="text/html; charset=utf-8")
