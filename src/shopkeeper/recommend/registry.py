"""Which version serves, which were before it, and what was found out about each.

One small file beside the versions, replaced as a whole. A version that it does not name is a candidate
(a death came between writing the version and writing this). Without the file nothing serves.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from shopkeeper.core.errors import Corrupt, NotFound
from shopkeeper.recommend.published import Published, load, versions

FILE: Final = "registry.json"
_TICK_NS: Final = 200_000_000
Stamp = tuple[int, int, int] | None
_CANDIDATES: Final = 1
"""Candidates kept; of versions that served, the one that does and the one before it."""


@dataclass(frozen=True)
class Shadowing:
    """A version that answers a share of live requests unseen."""

    version: str
    share: float


@dataclass(frozen=True)
class Staged:
    """A version that makes the lists of those who have this variant in an experiment."""

    version: str
    experiment_id: str
    variant_id: str


@dataclass(frozen=True)
class Registry:
    """``served`` are the versions that have served, the one that serves now first; ``notes`` by version."""

    served: tuple[str, ...] = ()
    notes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    shadowing: Shadowing | None = None
    staged: Staged | None = None

    def promoted(self, version: str) -> Registry:
        """With this version in service, and no longer on trial."""
        rest = tuple(one for one in self.served if one != version)
        return replace(self.without(version), served=(version, *rest))

    def without(self, version: str) -> Registry:
        """With this version neither in the shadow nor in an experiment."""
        shadowing, staged = self.shadowing, self.staged
        return replace(
            self,
            shadowing=None if shadowing and shadowing.version == version else shadowing,
            staged=None if staged and staged.version == version else staged,
        )

    @property
    def kept(self) -> frozenset[str]:
        """The versions whose files are needed: in service, before it, and on trial."""
        trials = (one.version for one in (self.shadowing, self.staged) if one is not None)
        return frozenset((*self.served[:2], *trials))

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


def stamped(folder: Path) -> Stamp:
    """What changes whenever the file does, and is quicker asked than the file; None: not known.

    A file that was written a moment ago is not trusted: a second change might bear the same time.
    """
    try:
        found = (folder / FILE).stat()
    except OSError:
        return None
    if abs(time.time_ns() - found.st_mtime_ns) < _TICK_NS:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


def read(folder: Path) -> Registry:
    """What is known; versions that are gone are left out."""
    there = set(versions(folder))
    try:
        told = json.loads((folder / FILE).read_text("utf-8"))
        served = tuple(one for one in told["served"] if one in there)
        notes = {one: note for one, note in told["notes"].items() if one in there}
        shadowing = Shadowing(**told["shadowing"]) if told.get("shadowing") else None
        staged = Staged(**told["staged"]) if told.get("staged") else None
    except FileNotFoundError:
        return Registry()
    except (ValueError, KeyError, TypeError, AttributeError):
        # What served can be told from the versions themselves: the oldest is the safest guess to serve.
        return Registry(tuple(sorted(there)))
    found = Registry(served, notes, shadowing, staged)
    for gone in found.kept - there:
        found = found.without(gone)
    return found


def write(folder: Path, registry: Registry) -> None:
    """Replace the file, then remove the versions that nobody needs any more."""
    partial = folder / f"{FILE}.part"
    told: dict[str, Any] = {"served": registry.served, "notes": registry.notes}
    trials = {"shadowing": registry.shadowing, "staged": registry.staged}
    told |= {name: None if one is None else asdict(one) for name, one in trials.items()}
    partial.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", "utf-8")
    partial.replace(folder / FILE)
    known = registry.kept
    candidates = [one for one in versions(folder) if one not in {*registry.served, *known}]
    served = [one for one in registry.served if one not in known]
    for old in (*candidates[_CANDIDATES:], *served):
        shutil.rmtree(folder / old, ignore_errors=True)


def newest_good(folder: Path) -> Published | None:
    """The version that serves: the latest promoted one that is whole; None: there is none."""
    for name in read(folder).served:
        try:
            return load(folder / name)
        except (Corrupt, NotFound):
            continue  # the last good one serves
    return None
