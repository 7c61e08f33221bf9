"""What a channel takes: ``content/specs/<channel>.toml``, found by the channel's name."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Final, Literal

from pydantic import Field

from shopkeeper.core.errors import UnknownName
from shopkeeper.core.settings import Language
from shopkeeper.core.types import Value

_FOLDER: Final = Path(__file__).parent / "specs"
LABELS: Final[dict[Language, str]] = {
    "zh": "（以上内容由人工智能生成）",
    "en": "(This message was written with AI.)",
}


class Spec(Value):
    """What the words of a channel may be."""

    channel: str
    parts: tuple[str, ...] = Field(description="subject, text, html: what may be written")
    needed: tuple[str, ...]
    longest: dict[str, dict[Language, int]] = Field(
        description="characters of each part, and of a variable's value"
    )
    provider: bool = Field(
        default=False, description="only a provider's approved template and its variables are sent"
    )
    signature: bool = Field(default=False, description="the wording begins with 【signature】")
    unsubscribe: bool = Field(
        default=False, description="marketing needs {{ unsubscribe_url }} in its words"
    )
    opt_out: dict[Language, tuple[str, ...]] = Field(
        default={}, description="marketing holds one of these words"
    )
    page: bool = Field(
        default=False, description="where no HTML is written, a page is laid out from the text"
    )
    label: Literal["machine", "always", "never"] = Field(
        default="machine", description="when the words say that a machine wrote them"
    )

    def labels(self, written_by: str) -> dict[Language, str]:
        """What stands behind the words by the channel's policy; the grammar of the house is no model."""
        by_model = written_by not in ("person", "house")
        told = self.label == "always" or (self.label == "machine" and by_model)
        return dict(LABELS) if told and not self.provider else {}


@cache
def specs() -> dict[str, Spec]:
    """The spec of every channel."""
    found = {}
    for path in sorted(_FOLDER.glob("*.toml")):
        told = tomllib.loads(path.read_text("utf-8"))
        found[path.stem] = Spec.model_validate({"channel": path.stem, **told})
    return found


def spec_of(channel: str) -> Spec:
    """The spec of a channel, or :class:`UnknownName`."""
    known = specs()
    if channel not in known:
        raise UnknownName("channel with a spec", channel, known, field="channel")
    return known[channel]
