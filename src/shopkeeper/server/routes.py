"""One route for each operation: ``POST /v1/<capability>/<operation>``, the body its arguments."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Annotated, Any

import anyio
from fastapi import Body, FastAPI, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.requests import Request
from starlette.responses import Response

from shopkeeper.core import discovery
from shopkeeper.core.errors import NotAllowed, Unavailable
from shopkeeper.core.operation import Actor, Context, Operation, of
from shopkeeper.server import body
from shopkeeper.server.faults import REPLIES
from shopkeeper.server.jobs.types import Job
from shopkeeper.server.limits import Rate
from shopkeeper.server.options import MOST_QUEUED, ServeOptions
from shopkeeper.server.signin import SignIn
from shopkeeper.shop.shop import Shop
from shopkeeper.store.jobs import JobStatus

Handler = Callable[[Request], Awaitable[Response]]
KEY = HTTPBearer(auto_error=False, description="An API key: `shopkeeper keys create`.")
_AT_ONCE = 4  # operations that compute at the same time; the others wait
_AWAITED = (
    4  # of those that a page waits for, beside the others: what waits for the disk shares one write
)
_WAITING = 200  # and no more than these


class Direct(APIRoute):
    """A route whose endpoint is its documentation and whose handler is plain code."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler that the endpoint carries."""
        handler: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint.handler  # type: ignore[attr-defined]  # set by `add`
        return handler


def add(app: FastAPI, path: str, handler: Handler, endpoint: Any, **described: Any) -> None:
    """Add one POST route; ``endpoint``'s signature is what OpenAPI shows."""
    endpoint.handler = handler
    route = Direct(
        path,
        endpoint,
        methods=["POST"],
        responses=REPLIES,
        dependencies=[Security(KEY)],
        **described,
    )
    app.router.routes.append(route)


class Calls:
    """Runs operations for HTTP: who asks, how often, what with, and in which thread."""

    def __init__(self, shop: Shop, signin: SignIn, options: ServeOptions) -> None:
        self._shop = shop
        self._signin = signin
        self._options = options
        self._rate = Rate("calls of one key", options.calls_per_minute)
        self._rooms: dict[bool, anyio.CapacityLimiter] = {}

    def install(self, app: FastAPI) -> None:
        """Add a route for every operation of every capability."""
        for capability in discovery.capabilities():
            for operation in of(capability).values():
                add(
                    app,
                    f"/v1/{capability}/{operation.name}",
                    partial(self._handle, operation),
                    _endpoint(operation),
                    response_model=Job if operation.job else operation.reply,
                    status_code=202 if operation.job else 200,
                    summary=operation.summary,
                    description=inspect.getdoc(operation.function) or "",
                    operation_id=operation.full_name,
                    tags=[capability],
                )

    async def _handle(self, operation: Operation[Any, Any], request: Request) -> Response:
        actor = await self._signin.actor(request)
        self._rate.count(actor.name)
        _refuse_browser(actor)
        operation.permit(actor)
        sent = await body.read(
            request, limit=self._options.call_bytes, seconds=self._options.body_seconds
        )
        arguments = body.parse(sent)
        operation.check(arguments)
        operation.admit(actor, arguments)
        queued = operation.job and not operation.asks(arguments)
        work = partial(self._start if queued else self._run, operation, arguments, actor)
        return await anyio.to_thread.run_sync(work, limiter=self._room(awaited=operation.awaited))

    def _room(self, *, awaited: bool) -> anyio.CapacityLimiter:
        room = self._rooms.get(awaited)
        if room is None:
            room = self._rooms[awaited] = anyio.CapacityLimiter(_AWAITED if awaited else _AT_ONCE)
        if room.statistics().tasks_waiting >= _WAITING:
            raise Unavailable("Too many calls wait already.", hint="Try again shortly.")
        return room

    def _run(
        self, operation: Operation[Any, Any], arguments: dict[str, Any], actor: Actor
    ) -> Response:
        reply = operation.run(Context(self._shop, actor), arguments)
        return Response(reply.model_dump_json(), media_type="application/json")

    def _start(
        self, operation: Operation[Any, Any], arguments: dict[str, Any], actor: Actor
    ) -> Response:
        """Queue the job: the worker does it, and :mod:`shopkeeper.server.jobs` shows how far it is."""
        jobs = self._shop.jobs
        if len(jobs.list(status=JobStatus.QUEUED, limit=MOST_QUEUED)) >= MOST_QUEUED:
            raise Unavailable("Too many jobs wait already.", hint="Try again when some have run.")
        job = Job.of(jobs.create(operation.full_name, arguments, actor.name, actor.scopes))
        return Response(
            job.model_dump_json(),
            202,
            {"Location": "/v1/jobs/show"},
            media_type="application/json",
        )


def _refuse_browser(actor: Actor) -> None:
    if actor.kind == "browser":
        raise NotAllowed(
            "A browser key may only send events.", hint="Use a server key, and keep it on a server."
        )


def _endpoint(operation: Operation[Any, Any]) -> Any:
    """A function whose signature says what the body is, for OpenAPI."""
    model = operation.arguments
    examples = {"example": {"value": operation.example}}
    optional = not any(field.is_required() for field in model.model_fields.values())
    default = model() if optional else inspect.Parameter.empty
    described = inspect.Parameter(
        "arguments",
        inspect.Parameter.POSITIONAL_OR_KEYWORD,
        annotation=Annotated[model, Body(openapi_examples=examples)],  # type: ignore[arg-type]
        default=default,
    )

    def endpoint(arguments: Any) -> None:
        """Never called: :class:`Direct` answers."""

    endpoint.__name__ = operation.name
    endpoint.__signature__ = inspect.Signature([described])  # type: ignore[attr-defined]
    return endpoint
