from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from shopkeeper.collect import mapping as mappings
from shopkeeper.collect.mapping import Mapping

TEXT = (Path(__file__).parents[2] / "docs" / "import.md").read_text("utf-8")
BLOCKS = re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS)
def test_every_mapping_in_the_docs_is_valid(block: str) -> None:
    assert mappings.parse(block, "docs")


def test_the_docs_show_the_shipped_mappings_as_they_are() -> None:
    shown = [tomllib.loads(block) for block in BLOCKS[1:]]
    for name, block in zip(("online-retail", "sequences"), shown, strict=True):
        shipped = mappings.load(name).model_dump(exclude_unset=True, mode="json")
        for section in ("columns", "event"):
            told = Mapping.model_validate(block).model_dump(exclude_unset=True, mode="json")
            assert told[section] == shipped[section]


def test_the_docs_name_every_key() -> None:
    for model in (Mapping, mappings.FileOptions, mappings.Condition, mappings.EventOptions):
        for key in model.model_fields:
            if key not in ("name", "notes"):
                assert re.search(rf"\b{key}\b", TEXT), key
