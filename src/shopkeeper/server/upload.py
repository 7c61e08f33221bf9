"""``POST /v1/collect/upload``: a file to import, streamed into the shop's inbox."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any, BinaryIO

import anyio
from fastapi import FastAPI
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from shopkeeper.core.errors import BadInput, Cancelled, NotAllowed, TooLarge, Unavailable
from shopkeeper.core.operation import WRITE
from shopkeeper.core.types import Value
from shopkeeper.server import routes
from shopkeeper.server.body import TooSlow
from shopkeeper.server.inbox import Inbox, safe
from shopkeeper.server.limits import Rate
from shopkeeper.server.observe import state
from shopkeeper.server.options import ServeOptions
from shopkeeper.server.signin import SignIn
from shopkeeper.shop.shop import Shop

PATH = "/v1/collect/upload"
_PIECE = 1 << 20


class Uploaded(Value):
    """A file in the inbox: give ``path`` to ``collect.import_file``."""

    path: str
    bytes: int
    sha256: str


class Upload:
    """Takes one file a request; what is refused or broken off leaves nothing behind."""

    def __init__(self, shop: Shop, signin: SignIn, options: ServeOptions) -> None:
        self._shop = shop
        self._signin = signin
        self._options = options
        self._inbox = Inbox(shop.folder)
        self._rate = Rate("uploads of one key", options.calls_per_minute)

    def install(self, app: FastAPI) -> None:
        """Add the route."""
        routes.add(
            app,
            PATH,
            self._handle,
            _endpoint,
            response_model=Uploaded,
            status_code=201,
            summary="A file to import, sent as the body and kept in the shop's inbox.",
            operation_id="collect.upload",
            tags=["collect"],
            openapi_extra=_DESCRIBED,
        )

    async def _handle(self, request: Request) -> Response:
        actor = await self._signin.actor(request)
        self._rate.count(actor.name)
        if actor.kind == "browser" or not actor.may("collect", WRITE):
            raise NotAllowed(
                f"{actor.name} may not upload files.",
                hint="Ask the owner for the scope 'collect:write'.",
            )
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise BadInput(
                "An upload may not be compressed for the way.",
                hint="Send the file as it is; .gz files are fine.",
                field="Content-Encoding",
            )
        name = safe(request.query_params.get("name", ""))
        self._check_room(request)
        with self._inbox.arriving() as (file, path):
            size, digest = await self._receive(request, file)
            if not size:
                raise BadInput("The file is empty.", hint="Send it as the body.", field="body")
            kept = await anyio.to_thread.run_sync(self._inbox.keep, file, path, name)
        reply = Uploaded(path=kept, bytes=size, sha256=digest)
        return Response(reply.model_dump_json(), 201, media_type="application/json")

    async def _receive(self, request: Request, file: BinaryIO) -> tuple[int, str]:
        """Write the body piece by piece; its size and SHA-256."""
        digest = hashlib.sha256()
        size = 0
        waiting = bytearray()
        stream = request.stream().__aiter__()

        def write(piece: bytes) -> None:
            digest.update(piece)
            file.write(piece)

        try:
            while True:
                try:
                    # A slow line may take its time, one that is silent may not.
                    async with asyncio.timeout(self._options.body_seconds):
                        chunk = await anext(stream)
                except StopAsyncIteration:
                    break
                size += len(chunk)
                if size > self._options.upload_bytes:
                    raise self._too_large()
                waiting += chunk
                if len(waiting) >= _PIECE:
                    await anyio.to_thread.run_sync(write, bytes(waiting))
                    waiting.clear()
        except TimeoutError:
            raise TooSlow("The file stopped arriving.", hint="Send it again.") from None
        except ClientDisconnect:
            raise Cancelled("The client went away before its file was complete.") from None
        await anyio.to_thread.run_sync(write, bytes(waiting))
        return size, digest.hexdigest()

    def _check_room(self, request: Request) -> None:
        declared = request.headers.get("content-length", "")
        length = int(declared) if declared.isdigit() else 0
        if length > self._options.upload_bytes:
            raise self._too_large()
        if state.free(self._shop) - length < state.LEAST_FREE:
            raise Unavailable(
                "There is no room for this file.", hint="Make room on the shop's disk."
            )

    def _too_large(self) -> TooLarge:
        return TooLarge(
            f"The file is larger than {self._options.upload_bytes:,} bytes.",
            hint="Split it, or put it into the inbox on the server.",
        )


async def _endpoint() -> None:
    """Never called: the route answers."""


_DESCRIBED: dict[str, Any] = {
    "parameters": [
        {
            "name": "name",
            "in": "query",
            "required": True,
            "schema": {"type": "string"},
            "description": "what to call it, such as orders.csv; the answer says what it is called",
        }
    ],
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    },
}
