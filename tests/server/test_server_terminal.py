"""A job in the foreground of a terminal: Ctrl-C stops it between two steps, without a traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shopkeeper.shop.shop import Shop

PLUGS = Path(__file__).parent / "plugs"
CODE = "import with_slow_jobs as w; w.install(); from shopkeeper.cli.main import main; main()"


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    Shop.create(tmp_path / "shop").close()
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(PLUGS), *filter(None, sys.path)]),
        "SHOPKEEPER_SHOP": str(tmp_path / "shop"),
    }

    def start(*typed: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", CODE, *typed],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )

    return start


def test_ctrl_c_stops_a_job_at_its_next_step(
    command: Any, tmp_path: Path, until: Callable[..., Any]
) -> None:
    diary = tmp_path / "diary"
    running = command("slowjobs", "count", "--to", "100000", "--diary", str(diary))
    until(diary.exists)
    running.send_signal(signal.SIGINT)
    out, error = running.communicate(timeout=20)
    assert running.returncode == 130
    assert "Stopped by Ctrl-C" in error
    assert "Traceback" not in error
    assert out == ""
    assert "end" not in diary.read_text()


def test_a_job_prints_its_reply_and_shows_no_bar_where_nobody_watches(command: Any) -> None:
    done = command("slowjobs", "count", "--to", "3", "--json")
    out, error = done.communicate(timeout=20)
    assert done.returncode == 0
    assert json.loads(out)["count"] == 3
    assert error == ""


def test_a_failure_inside_is_a_message_and_a_trace_only_when_asked_for(
    command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = command("slowjobs", "fail", "--kind", "inside")
    _, error = failed.communicate(timeout=20)
    assert failed.returncode == 1
    assert "RuntimeError" in error
    assert "SHOPKEEPER_TRACE=1" in error
    assert "Traceback" not in error
