"""Long streams in pieces that fit one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batches(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of up to ``size`` rows, in order, none empty."""
    rest = iter(rows)
    while batch := list(islice(rest, size)):
        yield batch
