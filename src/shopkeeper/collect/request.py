"""What an importer is asked to do, and the receipt that it fills in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from shopkeeper.collect.mapping import Mapping
from shopkeeper.collect.source import File
from shopkeeper.collect.tally import Tally
from shopkeeper.collect.types import Receipt
from shopkeeper.core.operation import Progress

if TYPE_CHECKING:
    from shopkeeper.shop.shop import Shop


@dataclass(frozen=True)
class Again:
    """A refused row to try again: its number in the store and what it holds, as JSON."""

    number: int
    raw: str


@dataclass(frozen=True)
class Request:
    """One import: of a file, or ``again`` of rows that an earlier import refused."""

    shop: Shop
    import_id: str
    importer: str
    name: str
    sha256: str
    started_at: datetime
    progress: Progress
    file: File | None = None
    again: Sequence[Again] = ()
    mapping: Mapping | None = None
    dry_run: bool = False

    def source(self) -> str:
        """What stands in the rows' ``source``: the importer, the mapping, and by ``#`` the import."""
        told = f"{self.importer}:{self.mapping.name}" if self.mapping else self.importer
        return f"{told}#{self.import_id}"

    def receipt(self, tally: Tally, new: int, duplicate: int, loaded: dict[str, int]) -> Receipt:
        """The receipt of what was counted; rows read = new + duplicate + refused."""
        tally.duplicate += duplicate
        tally.check(new)
        return Receipt(
            import_id=self.import_id,
            file=self.name,
            sha256=self.sha256,
            importer=self.importer,
            mapping=self.mapping.name if self.mapping else "",
            dry_run=self.dry_run,
            started_at=self.started_at,
            finished_at=self.shop.now(),
            rows_read=tally.rows_read,
            new=new,
            duplicate=tally.duplicate,
            refused=tally.refused,
            repaired=tally.repaired_rows,
            loaded=loaded,
            repairs=tally.repaired(),
            refusals=tally.refusals(),
            money=tuple(tally.money.values()),
            first_day=tally.first_day,
            last_day=tally.last_day,
            notes=tuple(tally.notes),
            traceable=True,
        )


@dataclass(frozen=True)
class Result:
    """An importer's work: the receipt, and which of the rows tried again were refused again."""

    receipt: Receipt
    refused_again: frozenset[int] = frozenset()
