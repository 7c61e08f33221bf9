"""Opens and clicks that no person made: mail proxies that prefetch, scanners that follow every link."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from shopkeeper.store.message_events import Seen
from shopkeeper.store.messages import Message

OF_PEOPLE: Final = frozenset({"opened", "clicked"})
"""Kinds of events that say something of a customer only if a person did them."""

_TOO_SOON: Final = timedelta(seconds=2)
_BURST: Final = timedelta(seconds=5)
_LINKS: Final = 3
_AGENTS: Final = re.compile(
    r"bot\b|bot/|crawl|spider|scanner|preview|prefetch|curl/|wget/|python-|go-http-client|java/|okhttp"
    r"|libwww|headless|phantom|barracuda|proofpoint|mimecast|trendmicro|fireeye|forcepoint|symantec"
    r"|ironport|zscaler|googleimageproxy|yahoomailproxy|outlook-safelinks|facebookexternalhit|slack|skype",
    re.IGNORECASE,
)
# Apple's mail privacy fetches every picture itself and names no browser at all.
_NAMELESS: Final = re.compile(r"(Mozilla/5\.0)?\s*")


def by_request(method: str, agent: str) -> str:
    """Why one fetch was a machine's, as far as it shows by itself; empty where a person may have done it."""
    if method.upper() == "HEAD":
        return "head_request"
    if _NAMELESS.fullmatch(agent):
        return "no_browser"
    return "known_agent" if _AGENTS.search(agent) else ""


def bursts(message: Message, events: Sequence[Seen]) -> dict[int, str]:
    """Which of a message's opens and clicks a machine did, seen together; by the event's number.

    Nobody opens a message within two seconds of its sending or follows three different links within
    five seconds.
    """
    mine = [one for one in events if one.kind in OF_PEOPLE]
    found: dict[int, str] = {}
    for one in mine:
        if message.sent_at is not None and one.time - message.sent_at < _TOO_SOON:
            found[one.number] = "too_soon"
    clicks = [one for one in mine if one.kind == "clicked"]
    for start in clicks:
        near = [c for c in clicks if timedelta(0) <= c.time - start.time <= _BURST]
        if len({c.link for c in near}) >= _LINKS:
            found |= {c.number: "many_links_at_once" for c in near}
    return found
