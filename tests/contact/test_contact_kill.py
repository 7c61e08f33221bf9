"""SIGKILL of the sender and of the mail server while messages leave: nothing is lost, nothing doubled."""

from __future__ import annotations

from pathlib import Path

import pytest
from bench.send import kill


def test_nothing_is_lost_or_doubled_over_a_few_kills(tmp_path: Path) -> None:
    found = kill(tmp_path, kills=5, customers=150, seed=7)
    assert (found.lost, found.double) == (0, 0), found
    assert found.sent + found.unknown >= 150
    assert found.unknown <= 5 * 4  # at most one for each sender's lane and kill


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_nothing_is_lost_or_doubled_over_fifty_kills(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "" if kind == "sqlite" else request.getfixturevalue("postgres_store")
    monkeypatch.setenv("SEND_DATABASE", address)
    found = kill(tmp_path, kills=50, customers=5_000, seed=11, database=address)
    assert (found.lost, found.double) == (0, 0), found
    assert found.sent + found.unknown >= 5_000
