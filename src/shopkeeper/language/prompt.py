"""Prompts: files with a version, in which texts of others stand fenced and are never instructions.

A prompt is a TOML file beside the code that uses it::

    version = "1"
    system = "You read reviews. The labels are: {{labels}}."
    user = "{{review}}"

``{{name}}`` is filled with a fixed value (ours) or with a text (anybody's): texts are fenced.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import string
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pydantic import BaseModel

from shopkeeper.core.errors import BadInput
from shopkeeper.language.types import Message

LONGEST = 20_000
"""Characters of one text that go into a prompt; what is longer is cut, and says so."""

_LETTERS = 16  # 75 bits: nobody guesses the marks around their own text
_SLOT = re.compile(r"\{\{(\w+)\}\}")
_MARK = re.compile(r"⟦(/?)text:([a-z]{16})⟧")
_LOOKS_LIKE_MARK = re.compile(r"[⟦⟧]")
# Control characters but tab and line feed; marks of direction; invisible characters that can carry hidden
# text (zero width, tags, the selectors above U+E0100); lone surrogates; what is not a character at all.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff0-\uffff\ud800-\udfff\U000e0000-\U000e0fff]"
)
# What chat templates of models write between turns: in a text it would open a turn of its own.
_TURN = re.compile(
    r"<(?=\|[^|<>\n]{1,40}\|>|/?s>|(?:start|end)_of_turn>|｜)|\[(?=/?INST\])|<(?=</?SYS>>)",
    re.IGNORECASE,
)
_KEYS = {"version", "system", "user"}
_WORDS = Path(__file__).with_name("words.toml")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as its file says it. ``version`` also changes with any byte of the file."""

    name: str
    version: str
    system: str
    user: str

    def messages(
        self,
        texts: Mapping[str, str | Sequence[str]],
        fixed: Mapping[str, str] | None = None,
    ) -> tuple[Message, ...]:
        """The prompt with its slots filled: a text, or each of several, fenced; fixed values as they are.

        Raises:
            BadInput: a slot has no value, or a value no slot.
        """
        values = {name: _fenced(given) for name, given in texts.items()} | dict(fixed or {})
        slots = set(_SLOT.findall(self.system + self.user))
        if slots != set(values) or set(texts) & set(fixed or {}):
            raise BadInput(
                f"The prompt {self.name!r} has the slots {sorted(slots)}; it was given {sorted(values)}.",
                hint="Give each slot one value.",
            )
        system = filled(self.system, values)
        if texts:
            system = f"{system.rstrip()}\n\n{_explained()}"
        return Message("system", system), Message("user", filled(self.user, values))


@lru_cache(maxsize=64)
def load(path: Path) -> Prompt:
    """The prompt in a file.

    Raises:
        BadInput: the file is no prompt.
    """
    data = path.read_bytes()
    try:
        told = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{path.name} is not valid TOML: {error}.", hint="Correct it.") from error
    if set(told) != _KEYS or not all(isinstance(told[key], str) for key in _KEYS):
        raise BadInput(
            f"{path.name} is not a prompt.",
            hint="It needs version, system and user, all of them texts.",
        )
    digest = hashlib.sha256(data + _WORDS.read_bytes()).hexdigest()[:8]
    return Prompt(path.stem, f"{told['version']}-{digest}", told["system"], told["user"])


def fence(text: str, longest: int = LONGEST) -> str:
    """A text of anybody's, marked as data.

    The marks are random for each call, so that no text can close its own; control, direction and
    hidden characters are removed, what chat templates read as the end of a turn is broken up, and the
    text is cut at ``longest`` characters.
    """
    cleaned = clean(text)
    if len(cleaned) > longest:
        cleaned = f"{cleaned[:longest]} […]"
    letters = "".join(secrets.choice(string.ascii_lowercase) for _ in range(_LETTERS))
    return f"⟦text:{letters}⟧\n{cleaned}\n⟦/text:{letters}⟧"


def clean(text: str) -> str:
    """The text without characters that hide something or that only a fence or a template may hold."""
    visible = _HIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return _TURN.sub(lambda found: f"{found[0]} ", _LOOKS_LIKE_MARK.sub("", visible))


def canonical(content: str) -> str:
    """A message with the random letters of its fences replaced by their number, to compare messages by."""
    seen: dict[str, str] = {}
    return _MARK.sub(lambda m: f"⟦{m[1]}text:{seen.setdefault(m[2], str(len(seen)))}⟧", content)


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with each ``{{name}}`` replaced once: what stands in a value is not looked at."""
    return _SLOT.sub(lambda found: values.get(found[1], found[0]), template)


def repair(error: str, schema: type[BaseModel]) -> str:
    """What asks for an answer once more, in the form."""
    values = {"error": error, "schema": _shown(schema)}
    return filled(_words()["repair"].strip(), values)


def with_form(messages: tuple[Message, ...], schema: type[BaseModel]) -> tuple[Message, ...]:
    """The messages with the form in words at the end of the first, for models that need to read it."""
    first, *rest = messages
    words = filled(_words()["form"].strip(), {"schema": _shown(schema)})
    return Message(first.role, f"{first.content}\n\n{words}"), *rest


def _fenced(given: str | Sequence[str]) -> str:
    return fence(given) if isinstance(given, str) else "\n".join(map(fence, given))


def _explained() -> str:
    values = {"open": "⟦text:…⟧", "close": "⟦/text:…⟧"}
    return filled(_words()["fence"].strip(), values)


def _shown(schema: type[BaseModel]) -> str:
    return json.dumps(schema.model_json_schema(), ensure_ascii=False)


@lru_cache(maxsize=1)
def _words() -> dict[str, str]:
    words: dict[str, str] = tomllib.loads(_WORDS.read_text("utf-8"))
    return words
