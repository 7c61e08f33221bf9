"""How threads of linear algebra and of trees wait for each other; said before the libraries are loaded.

OpenMP and OpenBLAS take a thread for each core, and each spins while it waits for the others. Beside
other busy processes one of them always waits for its core. On two cores, one of them busy, twenty boosted
trees of 20,000 rows took 3.9 s by two threads that spin, 0.26 s by two that sleep and 0.18 s by one; a
hundred trees 236 s and 0.5 s.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PATIENT: Final[Mapping[str, str]] = {"OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_THREAD_TIMEOUT": "4"}
"""Who waits sleeps. The shortest time that OpenBLAS spins before that is 2^4 ticks."""

_COUNTS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def counted(threads: int) -> dict[str, str]:
    """The environment of a process that computes with so many threads."""
    return {**PATIENT, **dict.fromkeys(_COUNTS, str(threads))}
