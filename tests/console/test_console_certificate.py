"""The certificate of an erasure is worded in the reader's language: every code has its words."""

from __future__ import annotations

from typing import get_args

import pytest

from shopkeeper.console.words import own
from shopkeeper.core.settings import Language
from shopkeeper.governance.types import Kept, Remark


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_code_of_a_certificate_has_words(lang: Language) -> None:
    words = own(lang)
    notes = set(get_args(Remark.model_fields["code"].annotation))
    kept = set(get_args(Kept.model_fields["code"].annotation)) - {""}
    wanted = {f"privacy.note_{one}" for one in notes}
    wanted |= {f"privacy.{part}_{one}" for one in kept for part in ("kept", "why", "until")}
    there = {
        key for key in words if key.startswith(("privacy.note_", "privacy.why_", "privacy.until_"))
    }
    there |= {key for key in words if key.startswith("privacy.kept_")}
    assert there == wanted
    counted = {"common", "unchanged_files"}
    assert {one for one in notes if "{count}" in words[f"privacy.note_{one}"]} == counted
    assert "{days}" in words["privacy.until_orders"]
