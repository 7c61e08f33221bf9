"""Any system of the shop's own, by Standard Webhooks: it gets each letter with the customer's id.

Set up by ``SHOPKEEPER_WEBHOOK_URL`` and ``SHOPKEEPER_WEBHOOK_SECRET`` (``whsec_…``). The header
``webhook-id`` is the same at every try of a letter: whoever takes each id once reaches each customer once.
"""

from __future__ import annotations

from typing import Final

from shopkeeper.contact.channels.base import Surroundings
from shopkeeper.contact.hook import Hook
from shopkeeper.contact.letter import Content, Letter, Result
from shopkeeper.core.errors import BadInput

KIND: Final = "customer"
REPEATABLE: Final = True
_PREFIX: Final = "SHOPKEEPER_WEBHOOK"


def check(content: Content) -> None:
    """Refuse a content with nothing in it."""
    if not (content.text or content.html or content.template_id):
        raise BadInput("The content is empty.", hint="Give it a text.", field="content.text")


def open_channel(around: Surroundings) -> WebhookChannel:
    """The channel to the endpoint that is set up."""
    return WebhookChannel(Hook.of(around, _PREFIX))


class WebhookChannel:
    """Posts each letter."""

    def __init__(self, hook: Hook) -> None:
        self._hook = hook

    def send(self, letter: Letter) -> Result:
        """Post one letter."""
        data = {
            "message_id": letter.message_id,
            "customer_id": letter.address,
            "step": letter.step,
            "purpose": letter.purpose,
            "campaign_id": letter.campaign_id,
            "content": letter.content.model_dump(exclude_defaults=True),
            "unsubscribe_url": letter.unsubscribe_url,
        }
        return self._hook.post(letter, "message.send", data)

    def arrived(self, message_id: str) -> bool | None:  # noqa: ARG002 - as every channel
        """Need not be asked: a repetition is known by its id."""
        return None

    def close(self) -> None:
        """End the connection."""
        self._hook.close()
