"""What a shop asks its customers' permission for: every purpose with its channels.

Only these can be recorded through an operation: a misspelt refusal would be kept and never be heeded.
"""

from __future__ import annotations

from typing import Final

from shopkeeper.core.errors import UnknownName

PERSONALISATION: Final = ("personalisation", "recommend")
"""Lists made from what the customer did. Where nothing is recorded: allowed, until they refuse."""

MODELS: Final = ("models", "remote")
"""The customer's texts, masked, to a language model elsewhere. The setting `model_texts` says what holds
where nothing is recorded."""

PURPOSES: Final[dict[str, tuple[str, ...]]] = {
    PERSONALISATION[0]: (PERSONALISATION[1],),
    MODELS[0]: (MODELS[1],),
    "marketing": ("email", "sms", "push", "wechat", "phone", "post", "webhook", "file"),
}
"""Marketing needs a yes: where nothing is recorded the answer is no."""


def check(purpose: str, channel: str) -> None:
    """Raise :class:`UnknownName` where the shop asks no permission for that."""
    if purpose not in PURPOSES:
        raise UnknownName("purpose", purpose, PURPOSES, field="purpose")
    if channel not in PURPOSES[purpose]:
        raise UnknownName(f"channel of {purpose}", channel, PURPOSES[purpose], field="channel")


def without_a_word(purpose: str, model_texts: str) -> bool:
    """Whether it is allowed where the customer has said nothing."""
    if purpose == MODELS[0]:
        return model_texts != "granted"
    return purpose == PERSONALISATION[0]
