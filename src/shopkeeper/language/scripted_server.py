"""An endpoint of OpenAI's chat protocol on this machine that answers by a script and misbehaves on order.

What goes wrong next is a queue, filled by ``POST /orders`` with a list such as
``[{"do": "busy", "after": 1}, {"do": "stall", "seconds": 5}, {"do": "good"}]``: each question takes one
order, and when there is none the rules of the script answer (:mod:`.backends.scripted`), or the
shortest value of the form that is asked for. ``GET /asked`` gives the bodies of the questions so far.
"""

from __future__ import annotations

import asyncio
import json
import random
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import uvicorn
from pydantic import Field, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from shopkeeper.core.types import Value
from shopkeeper.language import tokens
from shopkeeper.language.backends import scripted
from shopkeeper.language.backends.scripted import Script
from shopkeeper.language.smallest import smallest

Do = Literal[
    "good", "text", "busy", "error", "stall", "drip", "broken", "cut", "wrong", "short", "huge",
    "packed", "empty", "filter", "redirect", "key", "quota", "unknown", "long", "uncounted",
]  # fmt: skip
_HUGE = 6_000_000
_DIMENSIONS = 64


class Order(Value):
    """What to do with one question.

    ``good`` answers by the script; ``text`` answers ``text``; ``busy`` is 429 with ``Retry-After: after``;
    ``error`` is 500; ``stall`` answers after ``seconds``, ``drip`` a byte at a time; ``broken`` is no JSON;
    ``cut`` ends in the middle; ``wrong`` is another form; ``short`` was cut by the limit of tokens;
    ``huge`` is 6 MB, ``packed`` is gzip; ``empty`` has no choice; ``filter`` was kept back; ``redirect``
    points elsewhere; ``key`` is 401, ``quota`` 429 for good, ``unknown`` 404, ``long`` a prompt that is too
    long; ``uncounted`` tells no usage.
    """

    do: Do = "good"
    after: float | None = None
    seconds: float = 1.0
    text: str = ""


Form = Literal["native", "tool"]
_ORDERS = TypeAdapter(list[Order])
_Port = Annotated[int, Field(ge=0, le=65535)]


class Endpoint:
    """The endpoint's state: its script, what it was ordered and what it was asked."""

    def __init__(
        self, script: Script | None = None, forms: frozenset[Form] = frozenset({"native", "tool"})
    ) -> None:
        """``forms`` are the ways of holding an answer to a form that it does not refuse."""
        self.script = script
        self.forms = forms
        self.orders: deque[Order] = deque()
        self.asked: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def app(self) -> Starlette:
        """The application."""
        return Starlette(
            routes=[
                Route("/v1/chat/completions", self._complete, methods=["POST"]),
                Route("/v1/embeddings", self._embed, methods=["POST"]),
                Route("/v1/models", self._models),
                Route("/orders", self._order, methods=["POST"]),
                Route("/asked", self._told),
            ]
        )

    async def _complete(self, request: Request) -> Response:
        body: dict[str, Any] = json.loads(await request.body())
        with self._lock:
            self.asked.append(body)
            order = self.orders.popleft() if self.orders else Order()
        if order.do in _REFUSALS:
            return _refusal(order)
        refused = self._unheld(body)
        if refused is not None:
            return refused
        return await _answer(order, body, self._content(order, body))

    async def _embed(self, request: Request) -> Response:
        """Each word is a direction of its own, drawn by its hash: the same texts, the same vectors."""
        body: dict[str, Any] = json.loads(await request.body())
        with self._lock:
            self.asked.append(body)
            order = self.orders.popleft() if self.orders else Order()
        if order.do in _REFUSALS:
            return _refusal(order)
        given = body["input"]
        texts = [given] if isinstance(given, str) else given
        data = [
            {"object": "embedding", "index": place, "embedding": _directions(text)}
            for place, text in enumerate(texts)
        ]
        if order.do == "short":
            data = data[:-1]
        used = sum(tokens.likely(text) for text in texts)
        usage = {"prompt_tokens": used, "total_tokens": used}
        return JSONResponse({"object": "list", "data": data, "model": "scripted", "usage": usage})

    async def _models(self, _request: Request) -> Response:
        known = [{"id": name, "object": "model"} for name in ("scripted", "scripted-large")]
        return JSONResponse({"object": "list", "data": known})

    async def _order(self, request: Request) -> Response:
        try:
            orders = _ORDERS.validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"error": error.errors(include_url=False)}, 422)
        with self._lock:
            self.orders.extend(orders)
        return JSONResponse({"waiting": len(self.orders)})

    async def _told(self, _request: Request) -> Response:
        return JSONResponse(self.asked)

    def _unheld(self, body: dict[str, Any]) -> Response | None:
        held = body.get("response_format", {}).get("type") == "json_schema"
        if held and "native" not in self.forms:
            return _error(400, "This model does not support response_format json_schema.")
        if body.get("tools") and "tool" not in self.forms:
            return _error(400, "This model does not support tools.")
        return None

    def _content(self, order: Order, body: dict[str, Any]) -> str:
        if order.do == "wrong":
            return json.dumps({"nothing": "of the form"})
        if order.do == "text":
            return order.text
        last = str(body["messages"][-1].get("content", ""))
        rules = self.script.rule if self.script else ()
        for rule in rules:
            if rule.fits(rule.purpose, last) and rule.reply is not None:
                told = rule.reply
                return told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)
        schema = _asked_form(body)
        return "Yes." if schema is None else json.dumps(smallest(schema))


def _directions(text: str) -> list[float]:
    vector = [0.0] * _DIMENSIONS
    for word in text.lower().split():
        drawn = random.Random(word)  # noqa: S311 - no secret
        vector = [value + drawn.gauss(0.0, 1.0) for value in vector]
    return vector


def run(
    *, script: Path | None, host: str, port: _Port, say: Callable[[str], None]
) -> None:  # pragma: no cover - runs in a process of its own, where the tests reach it by HTTP
    """Serve until told to stop."""
    endpoint = Endpoint(scripted.read(script) if script else None)
    config = uvicorn.Config(endpoint.app(), host=host, port=port, log_level="critical")
    server = _Server(config, say)
    server.run()


class _Server(uvicorn.Server):
    """Says where it serves as soon as it does; port 0 is a free one."""

    def __init__(self, config: uvicorn.Config, say: Callable[[str], None]) -> None:
        super().__init__(config)
        self._say = say

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        for server in self.servers:
            for socket in server.sockets:
                host, port = socket.getsockname()[:2]
                self._say(f"http://{host}:{port}/v1")


_REFUSALS = frozenset({"busy", "error", "redirect", "key", "quota", "unknown", "long"})


def _refusal(order: Order) -> Response:
    if order.do == "busy":
        after = {} if order.after is None else {"Retry-After": f"{order.after:g}"}
        return _error(429, "Rate limit reached.", "rate_limit_exceeded", after)
    if order.do == "redirect":
        return Response(status_code=307, headers={"Location": "http://127.0.0.1:9/elsewhere"})
    status, text, code = {
        "error": (500, "The server had an error.", "server_error"),
        "key": (401, "Incorrect API key provided.", "invalid_api_key"),
        "quota": (429, "You exceeded your current quota.", "insufficient_quota"),
        "unknown": (404, "The model does not exist.", "model_not_found"),
        "long": (
            400,
            "This model's maximum context length is 8 tokens.",
            "context_length_exceeded",
        ),
    }[order.do]
    return _error(status, text, code)


def _error(
    status: int, text: str, code: str = "invalid_request", headers: dict[str, str] | None = None
) -> Response:
    body = {"error": {"message": text, "type": code, "code": code, "param": None}}
    return JSONResponse(body, status, headers)


async def _answer(order: Order, body: dict[str, Any], content: str) -> Response:
    if order.do == "huge":
        content = "x" * _HUGE
    whole = json.dumps(_completion(order, body, content)).encode()
    if order.do == "stall":
        await asyncio.sleep(order.seconds)
    if order.do == "broken":
        return Response(whole[: len(whole) // 2], media_type="application/json")
    if order.do == "packed":
        return Response(whole, headers={"Content-Encoding": "gzip"}, media_type="application/json")
    if order.do in ("cut", "drip"):
        pieces = _cut(whole) if order.do == "cut" else _drip(whole)
        length = {"Content-Length": str(len(whole))} if order.do == "cut" else {}
        return StreamingResponse(pieces, headers=length, media_type="application/json")
    return Response(whole, media_type="application/json")


def _completion(order: Order, body: dict[str, Any], content: str) -> dict[str, Any]:
    finish = {"short": "length", "filter": "content_filter"}.get(order.do, "stop")
    if order.do == "short":
        content = content[: len(content) // 2]
    message: dict[str, Any] = {"role": "assistant", "content": content}
    if body.get("tools"):
        name = body["tools"][0]["function"]["name"]
        call = {
            "id": "call_1",
            "type": "function",
            "function": {"name": name, "arguments": content},
        }
        message = {"role": "assistant", "content": None, "tool_calls": [call]}
    told: dict[str, Any] = {
        "id": "scripted",
        "object": "chat.completion",
        "created": 1,
        "model": body.get("model", "scripted"),
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
    }
    if order.do == "empty":
        told["choices"] = []
    if order.do != "uncounted":
        sent = sum(tokens.likely(str(m.get("content", ""))) + 4 for m in body["messages"])
        written = tokens.likely(content)
        told["usage"] = {
            "prompt_tokens": sent,
            "completion_tokens": written,
            "total_tokens": sent + written,
        }
    return told


def _asked_form(body: dict[str, Any]) -> dict[str, Any] | None:
    form = body.get("response_format", {}).get("json_schema")
    tools = body.get("tools")
    found: dict[str, Any] | None = None
    if form:
        found = form["schema"]
    elif tools:
        found = tools[0]["function"]["parameters"]
    return found


async def _cut(whole: bytes) -> AsyncIterator[bytes]:
    yield whole[: len(whole) // 2]
    raise ConnectionAbortedError  # the server closes the connection


async def _drip(whole: bytes) -> AsyncIterator[bytes]:
    for byte in whole:
        yield bytes([byte])
        await asyncio.sleep(0.2)
