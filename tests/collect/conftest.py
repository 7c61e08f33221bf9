"""Fixtures of collect: cleaning without a shop, and importing into one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shopkeeper.collect import mapping as mappings
from shopkeeper.collect.importers.table import open_sheet
from shopkeeper.collect.mapping import Mapping
from shopkeeper.collect.plan import Terms
from shopkeeper.collect.source import File, Limits
from shopkeeper.collect.stage import Stage
from shopkeeper.collect.tally import Refusal, Tally

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SHANGHAI = Terms("Asia/Shanghai", "CNY", NOW)

SALES = """
[columns]
user_id = "user"
time = "at"
item_id = "item"
quantity = "n"
price = "price"

[event]
name = "purchase"
"""


@dataclass
class Cleaned:
    rows: list[dict[str, Any]]
    tally: Tally
    refused: list[Refusal]

    @property
    def reasons(self) -> list[tuple[int, str, str]]:
        return [(r.row, r.field, r.reason) for r in self.refused]

    @property
    def repairs(self) -> dict[str, int]:
        return {f"{r.what}: {r.how}": r.rows for r in self.tally.repaired()}


def clean(
    file: File, mapping: Mapping, terms: Terms = SHANGHAI, limits: Limits | None = None
) -> Cleaned:
    """What the pipeline makes of a file, before anything is stored."""
    if limits:
        file = File(file.path, limits)
    sheet = open_sheet(file, mapping)
    with Stage(mapping, sheet, terms, file.limits, None) as stage:
        for batch in sheet.batches():
            stage.add(batch)
        stage.settle()
        stage.money()
        rows = [
            row
            for batch in stage.rows(mapping.table, {})
            for row in batch.to_pylist(maps_as_pydicts="strict")
        ]
        return Cleaned(rows, stage.tally, list(stage.refused()))


Clean = Callable[..., Cleaned]


@pytest.fixture
def cleaned(tmp_path: Path) -> Clean:
    """Cleans text (or bytes) as a file of that name, by a mapping's text."""

    def run(
        content: str | bytes,
        mapping: str = SALES,
        *,
        name: str = "sales.csv",
        terms: Terms = SHANGHAI,
        limits: Limits | None = None,
    ) -> Cleaned:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return clean(File(path), mappings.parse(mapping, "test"), terms, limits)

    return run
