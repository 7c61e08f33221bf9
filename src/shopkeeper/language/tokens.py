"""How many tokens a text has, for any model: a likely number to show, and one that is never too low."""

from __future__ import annotations

import json
import re

from shopkeeper.language.types import Message, Request

_WIDE = re.compile(r"[\u1100-\u11ff\u2e80-\ud7ff\uf900-\ufaff\uff00-\uffef\U0001f000-\U0003ffff]")
_PER_MESSAGE = 16  # marks of role and turn
_REPAIR = 3000  # bytes of the words and of the error that ask for a repair


def likely(text: str) -> int:
    """About how many tokens a text has: a wide character is one, four others are one."""
    wide = len(_WIDE.findall(text))
    return wide + -(-(len(text) - wide) // 4)


def most(text: str) -> int:
    """More tokens than a text can have: each stands for a byte of its UTF-8 at the least."""
    return len(text.encode("utf-8", "surrogatepass")) + 1


def likely_prompt(messages: tuple[Message, ...]) -> int:
    """About how many tokens a prompt has."""
    return sum(likely(one.content) + 4 for one in messages)


def most_of(request: Request) -> tuple[int, int]:
    """The most tokens that one try can be charged for, sent and written, with a repair if there is a form."""
    sent = sum(most(one.content) + _PER_MESSAGE for one in request.messages)
    if request.schema is None:
        return sent, request.max_tokens
    form = most(json.dumps(request.schema.model_json_schema()))
    once = sent + form
    return 2 * once + request.max_tokens + _REPAIR + form, 2 * request.max_tokens
