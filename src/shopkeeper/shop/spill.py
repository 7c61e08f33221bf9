"""Where a process's queries may spill what does not fit in memory."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psutil


def spill(folder: Path) -> Path:
    """A folder of this process's own; those that dead processes left behind are removed.

    Two engines in one folder would overwrite each other's files.
    """
    mine = str(os.getpid())
    (folder / "spill").mkdir(exist_ok=True)  # DuckDB makes the last folder of the path alone
    for left in (folder / "spill").glob("*"):
        if left.name.isdecimal() and left.name != mine and not psutil.pid_exists(int(left.name)):
            shutil.rmtree(left, ignore_errors=True)
    return folder / "spill" / mine
