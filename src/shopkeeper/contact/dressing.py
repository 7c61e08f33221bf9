"""What is put into a message as it leaves: the link to unsubscribe, and tracked links."""

from __future__ import annotations

import html
import re
from typing import Final

from shopkeeper.contact.letter import Content
from shopkeeper.contact.links import Links

UNSUBSCRIBE: Final = "{{unsubscribe_url}}"
"""Stands in a text or page where the customer's own link goes."""

_LINK = re.compile(r"""(<a\b[^>]*?\bhref\s*=\s*)(["'])(https?://[^"']+)\2""", re.IGNORECASE)
_LONGEST = 1_500
_END = re.compile(r"</body\s*>", re.IGNORECASE)


def dressed(content: Content, unsubscribe_url: str, links: Links, tracked: str) -> Content:
    """The content with its links; ``tracked`` is the message's id, or empty where nothing is tracked."""
    text = content.text.replace(UNSUBSCRIBE, unsubscribe_url)
    page = content.html
    if page and tracked:
        page = _tracked(page, links, tracked)
    page = page.replace(UNSUBSCRIBE, html.escape(unsubscribe_url))
    return content.model_copy(update={"text": text, "html": page})


def _tracked(page: str, links: Links, message_id: str) -> str:
    def by_us(found: re.Match[str]) -> str:
        target = html.unescape(found[3])
        if len(target) > _LONGEST:  # its token would be longer than some mail clients take
            return found[0]
        return f"{found[1]}{found[2]}{html.escape(links.click(message_id, target))}{found[2]}"

    page = _LINK.sub(by_us, page)
    picture = f'<img src="{html.escape(links.opened(message_id))}" width="1" height="1" alt="">'
    place = _END.search(page)
    return (
        page + picture if place is None else page[: place.start()] + picture + page[place.start() :]
    )
