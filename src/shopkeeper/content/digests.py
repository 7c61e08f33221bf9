"""By which words are known to be the same: hashes of everything that is approved."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from shopkeeper.core.text import digest


def of_body(body: Mapping[str, Any]) -> str:
    """The hash of a draft's words."""
    return digest(_text(body))


def of_version(
    about: tuple[str, int, str, str],
    body: Mapping[str, Any],
    facts: Sequence[Mapping[str, Any]],
    label: Mapping[str, str],
    checks: Sequence[Mapping[str, Any]],
) -> str:
    """The hash of an approved version: id, number, channel, purpose, words, facts, label and checks."""
    told, version, channel, purpose = about
    parts = [told, str(version), channel, purpose]
    return digest(*parts, *(_text(one) for one in (body, list(facts), label, list(checks))))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
