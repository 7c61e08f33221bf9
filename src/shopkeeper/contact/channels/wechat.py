"""WeChat template messages, by a provider's adapter that speaks Standard Webhooks.

Set up by ``SHOPKEEPER_WECHAT_URL`` and ``SHOPKEEPER_WECHAT_SECRET``.
"""

from __future__ import annotations

from typing import Final

from shopkeeper.contact import approved
from shopkeeper.contact.channels.base import Surroundings
from shopkeeper.contact.hook import Hook
from shopkeeper.contact.letter import Content

KIND: Final = "openid"
REPEATABLE: Final = True
_LONGEST: Final = 200


def check(content: Content) -> None:
    """Refuse what is no approved template with its variables."""
    approved.check(content, _LONGEST)


def open_channel(around: Surroundings) -> approved.ApprovedChannel:
    """The channel to the adapter that is set up."""
    return approved.ApprovedChannel(Hook.of(around, "SHOPKEEPER_WECHAT"), "wechat.send")
