"""Channels whose words a provider has approved: a template's id and its variables, no free text."""

from __future__ import annotations

import re
from typing import Final

from shopkeeper.contact.channels import base
from shopkeeper.contact.hook import Hook
from shopkeeper.contact.letter import Content, Letter, Result
from shopkeeper.core.errors import BadInput

_MOST: Final = 30
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,39}")


def check(content: Content, longest: int) -> None:
    """Refuse words, and variables that no template takes; ``longest`` is of one variable's value."""
    base.need(content, "template_id")
    why = "only an approved template is sent"
    base.refuse(content, "subject", "text", "html", why=why)
    if len(content.variables) > _MOST:
        raise BadInput(f"More than {_MOST} variables.", field="content.variables")
    for name, value in content.variables.items():
        where = f"content.variables.{name}"
        if not _NAME.fullmatch(name):
            raise BadInput(f"{name!r} is no name of a variable.", field="content.variables")
        if len(value) > longest:
            raise BadInput(
                f"{name} has {len(value)} characters; {longest} are taken.",
                hint="Shorten it.",
                field=where,
            )
        if any(ord(c) < 32 for c in value):
            raise BadInput(f"{name} holds a control character.", hint="Remove it.", field=where)


class ApprovedChannel:
    """Posts a template's id and variables to the provider's adapter."""

    def __init__(self, hook: Hook, kind: str) -> None:
        self._hook = hook
        self._kind = kind

    def send(self, letter: Letter) -> Result:
        """Post one letter."""
        data = {
            "message_id": letter.message_id,
            "to": letter.address,
            "template_id": letter.content.template_id,
            "variables": dict(letter.content.variables),
        }
        return self._hook.post(letter, self._kind, data)

    def arrived(self, message_id: str) -> bool | None:  # noqa: ARG002 - as every channel
        """Need not be asked: a repetition is known by its id."""
        return None

    def close(self) -> None:
        """End the connection."""
        self._hook.close()
