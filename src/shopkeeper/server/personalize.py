"""Amazon Personalize's calls: its request and reply shapes for recommendations, ranking and events.

Give an SDK ``https://<shop>/personalize`` as the endpoint of personalize-runtime and personalize-events, and
a key of the shop as bearer token in place of a signature. The last part of a campaign's or recommender's
ARN is the page that rules may name. Fields that the shop has no counterpart of are refused, not ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import anyio
import orjson
from fastapi import FastAPI
from pydantic import ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from shopkeeper.core.errors import BadInput, NotAllowed
from shopkeeper.core.events import ADD_TO_CART, PURCHASE, SELECT_ITEM, VIEW_ITEM
from shopkeeper.core.operation import Context, find
from shopkeeper.core.types import Value
from shopkeeper.server import body, routes
from shopkeeper.server.intake import Intake
from shopkeeper.server.limits import Rate
from shopkeeper.server.options import ServeOptions
from shopkeeper.server.signin import SignIn
from shopkeeper.shop.shop import Shop

PREFIX: Final = "/personalize"
_AT_ONCE: Final = 4
_EVENTS: Final = {
    "view": VIEW_ITEM,
    "watch": VIEW_ITEM,
    "click": SELECT_ITEM,
    "addtocart": ADD_TO_CART,
    "add-to-cart": ADD_TO_CART,
    "purchase": PURCHASE,
}
_CAMEL: Final = ConfigDict(frozen=True, extra="forbid")


class GetRecommendations(Value):
    """For a user (``userId``) or an item (``itemId``: related items)."""

    model_config = _CAMEL

    campaignArn: str = ""  # noqa: N815 - their names
    recommenderArn: str = ""  # noqa: N815
    userId: str = ""  # noqa: N815
    itemId: str = ""  # noqa: N815
    numResults: int = Field(default=25, ge=1, le=100)  # noqa: N815
    context: dict[str, str] = Field(default={})


class GetPersonalizedRanking(Value):
    """The given items in the order in which they suit the user."""

    model_config = _CAMEL

    campaignArn: str  # noqa: N815
    inputList: tuple[str, ...] = Field(min_length=1, max_length=500)  # noqa: N815
    userId: str  # noqa: N815
    context: dict[str, str] = Field(default={})


class Happened(Value):
    """One event; ``properties`` is JSON as text."""

    model_config = _CAMEL

    eventType: str  # noqa: N815
    sentAt: float  # noqa: N815
    eventId: str = ""  # noqa: N815
    eventValue: float | None = None  # noqa: N815
    itemId: str = ""  # noqa: N815
    properties: str = ""
    recommendationId: str = ""  # noqa: N815
    impression: tuple[str, ...] = ()


class PutEvents(Value):
    """At most ten events of one session."""

    model_config = _CAMEL

    trackingId: str  # noqa: N815
    sessionId: str  # noqa: N815
    eventList: tuple[Happened, ...] = Field(min_length=1, max_length=10)  # noqa: N815
    userId: str = ""  # noqa: N815


class Scored(Value):
    """One item; ``reason`` are codes of the shop's reasons."""

    itemId: str  # noqa: N815
    score: float
    reason: tuple[str, ...] = ()


class Recommendations(Value):
    """The reply of GetRecommendations."""

    itemList: tuple[Scored, ...]  # noqa: N815
    recommendationId: str  # noqa: N815


class Ranking(Value):
    """The reply of GetPersonalizedRanking."""

    personalizedRanking: tuple[Scored, ...]  # noqa: N815
    recommendationId: str  # noqa: N815


class Personalize:
    """The three calls on top of the shop's own operations and its intake."""

    def __init__(self, shop: Shop, signin: SignIn, intake: Intake, options: ServeOptions) -> None:
        self._shop = shop
        self._signin = signin
        self._intake = intake
        self._options = options
        self._rate = Rate("calls of one key", options.calls_per_minute)
        self._threads: anyio.CapacityLimiter | None = None

    def install(self, app: FastAPI) -> None:
        """Add the routes."""
        calls: tuple[tuple[str, Any, Any, Any], ...] = (
            ("recommendations", GetRecommendations, Recommendations, self._recommend),
            ("personalize-ranking", GetPersonalizedRanking, Ranking, self._rank),
        )
        for path, model, reply, do in calls:
            routes.add(
                app,
                f"{PREFIX}/{path}",
                partial(self._handle, model, do),
                _endpoint(model),
                response_model=reply,
                summary=f"Amazon Personalize's {model.__name__}.",
                operation_id=f"personalize.{model.__name__}",
                tags=["personalize"],
            )
        routes.add(
            app,
            f"{PREFIX}/events",
            self._events,
            _endpoint(PutEvents),
            summary="Amazon Personalize's PutEvents: answered once the rows are durable.",
            operation_id="personalize.PutEvents",
            tags=["personalize"],
        )

    async def _handle(
        self, model: type[Value], do: Callable[[Any, Context], Value], request: Request
    ) -> Response:
        actor = await self._signin.actor(request)
        self._rate.count(actor.name)
        if actor.kind == "browser":
            raise NotAllowed(
                "A browser key may only send events.", hint="Use a server key, on a server."
            )
        find("recommend.show").permit(actor)
        asked = await self._read(model, request)
        if self._threads is None:
            self._threads = anyio.CapacityLimiter(_AT_ONCE)
        work = partial(do, asked, Context(self._shop, actor))
        reply = await anyio.to_thread.run_sync(work, limiter=self._threads)
        return Response(reply.model_dump_json(), media_type="application/json")

    async def _read(self, model: type[Value], request: Request) -> Any:
        sent = await body.read(
            request, limit=self._options.call_bytes, seconds=self._options.body_seconds
        )
        try:
            return model.model_validate(body.parse(sent))
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            hint = "See docs/recommend.md for the fields that are taken."
            raise BadInput(f"{where}: {first['msg']}.", hint=hint, field=where) from None

    def _recommend(self, asked: GetRecommendations, ctx: Context) -> Recommendations:
        page = _page(asked.recommenderArn or asked.campaignArn)
        if asked.userId:
            told = {"customer_id": asked.userId, "context": asked.context}
            name = "recommend.show"
        elif asked.itemId:
            told, name = {"item_id": asked.itemId}, "recommend.related"
        else:
            raise BadInput("Neither userId nor itemId is given.", hint="Give one.", field="userId")
        reply = find(name).run(ctx, {**told, "k": asked.numResults, "page": page})
        return Recommendations(
            itemList=tuple(_scored(slot) for slot in reply.slots),
            recommendationId=getattr(reply, "decision_id", None) or "",
        )

    def _rank(self, asked: GetPersonalizedRanking, ctx: Context) -> Ranking:
        arguments = {
            "customer_id": asked.userId,
            "items": list(asked.inputList),
            "page": _page(asked.campaignArn),
        }
        reply = find("recommend.rank").run(ctx, arguments)
        return Ranking(
            personalizedRanking=tuple(_scored(slot) for slot in reply.slots), recommendationId=""
        )

    async def _events(self, request: Request) -> Response:
        actor = await self._intake.admit(request)
        put: PutEvents = await self._read(PutEvents, request)
        batch = [_track(put, one, number) for number, one in enumerate(put.eventList)]
        prepared, _ = await self._intake.take(actor, {"batch": batch}, "batch")
        if prepared.refused:
            bad = prepared.refused[0]
            raise BadInput(f"{bad.field} {bad.reason}.", hint=bad.hint, field=bad.field)
        return Response(status_code=200)


def _page(arn: str) -> str:
    """The last part of an ARN: ``arn:…:campaign/home`` is the page ``home``."""
    return arn.rpartition("/")[2][:80]


def _scored(slot: Any) -> Scored:
    score = slot.probability if slot.probability is not None else slot.score
    return Scored(
        itemId=slot.item_id, score=score, reason=tuple(reason.code for reason in slot.reasons)
    )


def _track(put: PutEvents, one: Happened, number: int) -> dict[str, Any]:
    """The event as a track call of the intake."""
    told = _properties(one, number)
    if one.itemId:
        told.setdefault("product_id", one.itemId)
    if one.eventValue is not None:
        told.setdefault("value", one.eventValue)
    if one.recommendationId:
        told["recommendation_id"] = one.recommendationId
    call: dict[str, Any] = {
        "type": "track",
        "anonymousId": put.sessionId,
        "event": _EVENTS.get(one.eventType.lower(), one.eventType),
        "properties": told,
        "timestamp": datetime.fromtimestamp(one.sentAt, UTC).isoformat(),
    }
    if one.eventId:
        call["messageId"] = one.eventId
    if put.userId:
        call["userId"] = put.userId
    return call


def _properties(one: Happened, number: int) -> dict[str, Any]:
    if not one.properties:
        return {}
    field = f"eventList.{number}.properties"
    try:
        told = orjson.loads(one.properties)
    except orjson.JSONDecodeError as error:
        hint = "Send a JSON object as text."
        raise BadInput(f"{field} is not JSON: {error}.", hint=hint, field=field) from None
    if not isinstance(told, Mapping):
        raise BadInput(f"{field} is not an object.", hint='Send "{}" as text.', field=field)
    return dict(told)


def _endpoint(model: type[Value]) -> Any:
    def endpoint(arguments: Any) -> None:
        """Never called: the route answers."""

    endpoint.__name__ = model.__name__
    endpoint.__annotations__["arguments"] = model
    return endpoint
