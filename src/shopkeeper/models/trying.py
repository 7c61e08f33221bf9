"""Asking a model once."""

from __future__ import annotations

from contextlib import closing

from shopkeeper.core.errors import NotAllowed
from shopkeeper.core.operation import Context
from shopkeeper.language.types import Message, Request
from shopkeeper.models.backend import open_model
from shopkeeper.models.types import Tried

_PURPOSE = "try"


def tried(ctx: Context, text: str, model: str, max_tokens: int) -> Tried:
    """The model's answer.

    Raises:
        NotAllowed: somebody elsewhere names a file or folder of this machine.
    """
    own = model in ("", ctx.shop.settings.model)
    if not own and ctx.actor.kind != "local" and not model.startswith("openai:"):
        raise NotAllowed(
            "Only who works on this machine may name a model in a file or folder of it.",
            hint="Name openai:<model>, or none.",
            field="model",
        )
    request = Request((Message("user", text),), _PURPOSE, max_tokens=max_tokens)
    with closing(open_model(ctx.shop, model)) as opened:
        reply = opened.complete(request)
    return Tried(
        answer=reply.text,
        model=reply.model,
        tokens_in=reply.tokens_in,
        tokens_out=reply.tokens_out,
        cost=reply.cost,
        currency=ctx.shop.settings.currency,
        seconds=reply.seconds,
        cached=reply.cached,
        whole=reply.whole,
    )
