"""Many people at the console at once, over the protocol that its pages speak: a process of its own.

Each signs in, opens the overview as a browser does (the page, then Socket.IO), acknowledges what it is
sent, and every few seconds asks for another period or opens a figure. An interaction ends when the
answer with real figures has arrived.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import json
import random
import re
import sys
import time
import uuid
from typing import Any

import httpx2
import socketio  # type: ignore[import-untyped]  # it ships no types

PASSWORD = "correct horse battery staple"
PERIODS = (0, 1, 2, 3, 4)  # 7d, 30d, 90d, 180d, 1y, as the page lists them
THINK_S = (4.0, 12.0)
PATIENCE_S = 30.0
_ELEMENTS = re.compile(r"parseElements\(String\.raw`(.*?)`\)", re.S)
_QUERY = re.compile(r"query: (\{.*?\}),")


class User:
    """One person with one open overview."""

    def __init__(self, url: str, name: str, seed: int) -> None:
        self.url, self.name = url, name
        self.random = random.Random(seed)
        self.elements: dict[str, dict[str, Any]] = {}
        self.wanted = ""
        self.period = 1  # what a page begins with
        self.arrived = asyncio.Event()
        self.took: list[float] = []
        self.updates = 0
        self.lost = False
        self.client = ""
        self.socket = socketio.AsyncClient(reconnection=False)
        self.socket.on("*", self._message)

    async def enter(self) -> None:
        """Sign in, load the page, connect, and wait until its figures are there."""
        async with httpx2.AsyncClient(base_url=self.url, timeout=60) as http:
            form = {"name": self.name, "password": PASSWORD}
            answer = await http.post("/sign-in", data=form, headers={"Origin": self.url})
            assert answer.status_code == 303, answer.text
            cookie = answer.headers["set-cookie"].partition(";")[0]
            self.wanted = "card-value"
            page = await http.get("/", headers={"Accept": "text/html", "Cookie": cookie})
        text = _ELEMENTS.search(page.text)
        query = _QUERY.search(page.text)
        assert text is not None, page.text[:2000]
        assert query is not None
        self.elements = json.loads(_plain(text[1]))
        given = ast.literal_eval(re.sub(r"\b(true|false)\b", lambda b: b[1].title(), query[1]))
        self.client = given["client_id"]
        given |= {"document_id": str(uuid.uuid4()), "tab_id": str(uuid.uuid4()), "old_tab_id": ""}
        parameters = "&".join(
            f"{k}={str(v).lower() if isinstance(v, bool) else v}" for k, v in given.items()
        )
        await self.socket.connect(
            f"{self.url}?{parameters}",
            socketio_path="/_nicegui_ws/socket.io",
            transports=["websocket"],
            headers={"Cookie": cookie, "Origin": self.url},
        )
        if not self._find("card-value"):
            await asyncio.wait_for(self.arrived.wait(), PATIENCE_S)

    async def work(self, until: float) -> None:
        """Interact now and then until that time."""
        await asyncio.sleep(self.random.uniform(0, THINK_S[1]))
        while time.monotonic() < until:
            if not self.socket.connected:  # a browser would load the page again
                self.lost = True
                self.took.append(PATIENCE_S * 1000)
                return
            await (self._period() if self.random.random() < 0.6 else self._figure())
            await asyncio.sleep(self.random.uniform(*THINK_S))

    async def _period(self) -> None:
        """Another period: answered when its first figure is there."""
        select = self._find("period-select")[0]
        self.period = self.random.choice([p for p in PERIODS if p != self.period])
        chosen = {"value": self.period, "label": ""}
        await self._timed(select, "update:modelValue", chosen, "card-value")

    async def _figure(self) -> None:
        """A figure opened: answered when it and its meaning are there; then it is closed again."""
        cards = self._find("card")
        if not cards:
            return
        await self._timed(self.random.choice(cards), "click", {}, "sheet-value")
        for element, what in list(self.elements.items()):
            if what.get("tag") == "nicegui-dialog":
                for listener in what.get("events", ()):
                    if listener["type"] == "hide":
                        await self._send(element, listener["listener_id"], {})

    async def _timed(self, element: str, event: str, args: dict[str, Any], wanted: str) -> None:
        listeners = self.elements.get(element, {}).get("events", ())
        found = [one["listener_id"] for one in listeners if one["type"] == event]
        if not found:
            return  # it was drawn anew just now
        self.wanted = wanted
        self.arrived.clear()
        began = time.perf_counter()
        await self._send(element, found[0], args)
        with contextlib.suppress(TimeoutError):  # what never came took as long as one would wait
            await asyncio.wait_for(self.arrived.wait(), PATIENCE_S)
        self.took.append((time.perf_counter() - began) * 1000)

    async def _send(self, element: str, listener: str, args: dict[str, Any]) -> None:
        message = {
            "id": int(element),
            "client_id": self.client,
            "listener_id": listener,
            "args": [json.dumps(args)],
        }
        with contextlib.suppress(
            socketio.exceptions.BadNamespaceError
        ):  # `work` sees that it is gone
            await self.socket.emit("event", message)

    def _find(self, name: str) -> list[str]:
        return [one for one, what in self.elements.items() if name in what.get("class", ())]

    async def _message(self, event: str, data: dict[str, Any]) -> None:
        number = data.pop("_id", None)
        if event == "update":
            self.updates += 1
            for element, what in data.items():
                if what is None:
                    self.elements.pop(element, None)
                    continue
                self.elements[element] = what
                if self.wanted and self.wanted in what.get("class", ()):
                    self.wanted = ""
                    self.arrived.set()
        if number is not None and number % 20 == 0:  # as browsers do, so that the server forgets it
            ack = {"client_id": self.client, "next_message_id": number + 1}
            await self.socket.emit("ack", ack)


def _plain(text: str) -> str:
    """What the page's script makes of the elements written in it."""
    signs = (("&#36;", "$"), ("&#96;", "`"), ("&gt;", ">"), ("&lt;", "<"), ("&amp;", "&"))
    for entity, sign in signs:
        text = text.replace(entity, sign)
    return text


async def main(url: str, people: list[str], users: int, seconds: float) -> None:
    """Let them work; print every interaction's milliseconds as JSON."""
    open_pages = [User(url, people[n % len(people)], n) for n in range(users)]
    for user in open_pages:  # as people come in, one after the other
        await user.enter()
    until = time.monotonic() + seconds
    await asyncio.gather(*(user.work(until) for user in open_pages))
    told = {
        "took_ms": [round(t, 1) for user in open_pages for t in user.took],
        "updates": sum(user.updates for user in open_pages),
        "lost": sum(user.lost for user in open_pages),
    }
    for user in open_pages:
        await user.socket.disconnect()
    print(json.dumps(told))


if __name__ == "__main__":
    where, names, many, how_long = sys.argv[1:]
    asyncio.run(main(where, names.split(","), int(many), float(how_long)))
