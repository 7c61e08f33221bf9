"""Which version serves, which were before it, and what was found out about each.

One small file beside the versions, replaced as a whole. A version that it does not name is a candidate
(a death came between writing the version and writing this). Without the file nothing serves.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from shopkeeper.core.errors import Corrupt, NotFound
from shopkeeper.recommend.published import Published, load, versions

FILE: Final = "registry.json"
_CANDIDATES: Final = 1
"""Candidates kept; of versions that served, the one that does and the one before it."""


@dataclass(frozen=True)
class Registry:
    """``served`` are the versions that have served, the one that serves now first; ``notes`` by version."""

    served: tuple[str, ...] = ()
    notes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def promoted(self, version: str) -> Registry:
        """With this version in service."""
        rest = tuple(one for one in self.served if one != version)
        return replace(self, served=(version, *rest))

    def rolled_back(self) -> Registry:
        """With the version before in service; the one that served is a candidate again.

        Raises:
            NotFound: no version served before.
        """
        if len(self.served) < 2:
            raise NotFound(
                "No version served before this one.", hint="Fit one: shopkeeper recommend fit"
            )
        return replace(self, served=self.served[1:])

    def noted(self, version: str, **said: Any) -> Registry:
        """With something found out about a version."""
        known = {**self.notes.get(version, {}), **said}
        return replace(self, notes={**self.notes, version: known})


def read(folder: Path) -> Registry:
    """What is known; versions that are gone are left out."""
    there = set(versions(folder))
    try:
        told = json.loads((folder / FILE).read_text("utf-8"))
        served = tuple(one for one in told["served"] if one in there)
        notes = {one: note for one, note in told["notes"].items() if one in there}
    except FileNotFoundError:
        return Registry()
    except (ValueError, KeyError, TypeError, AttributeError):
        # What served can be told from the versions themselves: the oldest is the safest guess to serve.
        return Registry(tuple(sorted(there)))
    return Registry(served, notes)


def write(folder: Path, registry: Registry) -> None:
    """Replace the file, then remove the versions that nobody needs any more."""
    partial = folder / f"{FILE}.part"
    told = {"served": registry.served, "notes": registry.notes}
    partial.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")
    partial.replace(folder / FILE)
    candidates = [one for one in versions(folder) if one not in registry.served]
    for old in (*candidates[_CANDIDATES:], *registry.served[2:]):
        shutil.rmtree(folder / old, ignore_errors=True)


def newest_good(folder: Path) -> Published | None:
    """The version that serves: the latest promoted one that is whole; None: there is none."""
    for name in read(folder).served:
        try:
            return load(folder / name)
        except (Corrupt, NotFound):
            continue  # the last good one serves
    return None
