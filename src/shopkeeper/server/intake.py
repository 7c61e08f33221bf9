"""Segment's calls: answered once the rows are durable in the intake log."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

import orjson
from fastapi import FastAPI
from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from shopkeeper.collect.accept import Prepared, prepare, rules
from shopkeeper.collect.segment import KINDS, Rules
from shopkeeper.core.errors import BadInput, NotAllowed
from shopkeeper.core.operation import WRITE, Actor
from shopkeeper.core.types import Value
from shopkeeper.server import body, faults, routes
from shopkeeper.server.commit import Committer
from shopkeeper.server.limits import Rate
from shopkeeper.server.observe import meters
from shopkeeper.server.options import ServeOptions
from shopkeeper.server.signin import SignIn, address
from shopkeeper.shop.shop import Shop

CALLS: Final = (*KINDS, "batch")
PATHS: Final = frozenset(f"/v1/{call}" for call in CALLS)
_ACCEPTED, _DUPLICATE, _REFUSED = (
    meters.INTAKE.labels(outcome) for outcome in ("accepted", "duplicate", "refused")
)


class Message(Value):
    """One of Segment's messages; what is not named here is kept in the event's properties."""

    model_config = ConfigDict(frozen=True, extra="allow")

    type: str = Field(default="", description="in a batch: track, identify, page …")
    messageId: str = Field(default="", description="a second one is counted as duplicate")  # noqa: N815
    userId: str = ""  # noqa: N815
    anonymousId: str = ""  # noqa: N815
    timestamp: str = Field(default="", description="ISO 8601, when it happened")
    event: str = Field(default="", description="of a track: Product Viewed, Order Completed …")
    properties: dict[str, Any] = Field(default={})
    traits: dict[str, Any] = Field(default={})
    context: dict[str, Any] = Field(default={})


class Batch(Value):
    """Several messages at once."""

    model_config = ConfigDict(frozen=True, extra="allow")

    batch: tuple[Message, ...]
    sentAt: str = Field(default="", description="ISO 8601, the sender's clock at sending")  # noqa: N815


class Refusal(Value):
    """One message that was not taken."""

    field: str = Field(description="such as batch[3].timestamp")
    message: str
    hint: str


class Taken(Value):
    """What became of the messages, whose rows are durable now."""

    success: bool
    accepted: int = Field(description="messages that were taken, new or known")
    duplicate: int = Field(description="rows of theirs that were known already")
    refused: tuple[Refusal, ...]
    repaired: dict[str, int] = Field(description="what was put right, and in how many messages")


class Intake:
    """Checks messages one by one and has the good ones written, many requests in one transaction."""

    def __init__(self, shop: Shop, signin: SignIn, options: ServeOptions) -> None:
        self._shop = shop
        self._signin = signin
        self._options = options
        self._rate = Rate("intake calls of one key", options.intake_calls_per_minute)
        self._visitors = Rate("calls of one visitor", options.visitor_calls_per_minute)
        self._known_rules: dict[str, Rules] = {}
        self._committer = Committer(self._append, most_waiting=options.waiting_events)

    @property
    def full(self) -> bool:
        return self._committer.full

    def close(self) -> None:
        """Write what waits and stop."""
        self._committer.close()

    def install(self, app: FastAPI) -> None:
        """Add the routes."""
        for call in CALLS:
            routes.add(
                app,
                f"/v1/{call}",
                partial(self._handle, call),
                _batch if call == "batch" else _single(call),
                response_model=Taken,
                summary=f"Segment's {call}: answered once the rows are durable.",
                operation_id=f"intake.{call}",
                tags=["intake"],
            )

    async def _handle(self, call: str, request: Request) -> Response:
        actor = await self.admit(request)
        limit = self._options.batch_bytes if call == "batch" else self._options.event_bytes
        sent = await body.read(request, limit=limit, seconds=self._options.body_seconds)
        calls = body.parse(sent)
        if call == "batch" and not isinstance(calls.get("batch"), list):
            raise BadInput(
                "batch is not a list.",
                hint='Send {"batch": [{"type": "track", …}]}.',
                field="batch",
            )
        oversized = self._without_oversized(calls) if len(sent) > self._options.event_bytes else {}
        prepared, new = await self.take(actor, calls, call)
        return _answer(prepared, new, oversized)

    async def admit(self, request: Request) -> Actor:
        """Who sends events; refused without the right to, and too often."""
        actor = await self._signin.actor(request)
        if actor.kind == "browser":  # its key is public: nobody may use up what others need
            self._visitors.count(f"{actor.name} {address(request)}")
        self._rate.count(actor.name)
        if not actor.may("intake", WRITE):
            raise NotAllowed(
                f"{actor.name} may not send events.",
                hint="Ask the owner for the scope 'intake:write'.",
            )
        return actor

    async def take(self, actor: Actor, calls: dict[str, Any], kind: str) -> tuple[Prepared, int]:
        """Write what is good of a call's messages; what was made of them, and how many rows were new."""
        prepared = prepare(calls, self._rules(actor), self._shop.now(), kind=kind)
        new = 0
        if prepared.calls:
            new = await self._committer.submit(prepared, max(1, len(prepared.entries)))
        _ACCEPTED.inc(prepared.calls)
        if duplicate := len(prepared.entries) - new:
            _DUPLICATE.inc(duplicate)
        if prepared.refused:
            _REFUSED.inc(len(prepared.refused))
        return prepared, new

    def _rules(self, actor: Actor) -> Rules:
        known = self._known_rules.get(actor.name)
        if known is None:
            known = rules(self._shop, actor, browser=actor.kind == "browser")
            self._known_rules[actor.name] = known
        return known

    def _without_oversized(self, calls: dict[str, Any]) -> dict[str, int]:
        """Take events that are too large out of a batch; where each stood, and its size."""
        batch = calls.get("batch")
        if not isinstance(batch, list):
            return {}
        found = {}
        for number, call in enumerate(batch):
            size = len(orjson.dumps(call))
            if size > self._options.event_bytes:
                found[f"batch[{number}]"] = size
                batch[number] = None
        return found

    def _append(self, groups: Sequence[Prepared]) -> list[int]:
        return self._shop.log.append(
            [group.entries for group in groups],
            identities=[one for group in groups for one in group.identities],
            customers=[one for group in groups for one in group.customers],
        )


def _answer(prepared: Prepared, new: int, oversized: dict[str, int]) -> Response:
    refused = [
        {"field": r.field, "message": r.reason, "hint": r.hint}
        if r.field not in oversized
        else {
            "field": r.field,
            "message": f"has {oversized[r.field]:,} bytes, more than one event may have",
            "hint": "Send less with it.",
        }
        for r in prepared.refused
    ]
    if refused and not prepared.calls:
        first = refused[0]
        message = f"{first['field']}: {first['message']}."
        error = BadInput(message, hint=first["hint"], field=first["field"])
        return faults.answer(error, {"refused": refused})
    taken = {
        "success": True,
        "accepted": prepared.calls,
        "duplicate": len(prepared.entries) - new,
        "refused": refused,
        "repaired": prepared.repaired,
    }
    return Response(orjson.dumps(taken), media_type="application/json")


async def _batch(arguments: Batch) -> None:
    """Never called: the route answers."""


def _single(call: str) -> Any:
    async def single(arguments: Message) -> None:
        """Never called: the route answers."""

    single.__name__ = call
    return single
