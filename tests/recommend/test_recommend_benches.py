"""A long benchmark that cannot read what its figures follow from does not start."""

from __future__ import annotations

from importlib import import_module

import pytest


@pytest.mark.parametrize("name", ["recommend_additions", "recommend_buys", "recommend_weeks"])
def test_what_a_benchmarks_figures_follow_from_is_there(name: str) -> None:
    missing = [path for path in import_module(f"bench.{name}")._SOURCES if not path.is_file()]
    assert not missing
