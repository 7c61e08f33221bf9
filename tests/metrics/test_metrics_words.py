"""Calendar numbers, definitions and their page."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkeeper.core.period import Days
from shopkeeper.core.schema import DAILY
from shopkeeper.metrics import calendar
from shopkeeper.metrics.cells import COLUMNS
from shopkeeper.metrics.definitions import METRICS
from shopkeeper.metrics.dimensions import NAMES, dimension
from shopkeeper.metrics.types import Cycle

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
dates = st.dates(date(1900, 1, 1), date(2199, 12, 31))
cycles = st.sampled_from(["day", "week", "month"])


@given(dates, cycles)
def test_every_day_lies_in_its_bucket_and_buckets_meet(day: date, cycle: Cycle) -> None:
    number = calendar.number(day, cycle)
    days = calendar.days(number, cycle)
    assert day in days
    assert calendar.days(number + 1, cycle).start == days.end + timedelta(days=1)
    assert list(calendar.between(days, cycle)) == [number]
    if cycle == "week":
        assert (days.start.weekday(), len(days)) == (0, 7)
        assert days.start.isocalendar()[:2] == day.isocalendar()[:2]


def test_the_engine_numbers_days_as_python_does(world: Any) -> None:
    first = date(1999, 12, 20)
    days = [first + timedelta(days=n * 17) for n in range(2000)]
    table = pa.table({"day": days})
    for cycle in ("day", "week", "month"):
        found = world.shop.query(
            lambda source, cycle=cycle: source.arrow(table).select(
                "day", n=calendar.bucket(nw.col("day"), cycle)
            )
        ).to_pylist()
        assert len(found) == len(days)
        assert all(row["n"] == calendar.number(row["day"], cycle) for row in found)


def test_a_month_that_ends_a_year_is_followed_by_january() -> None:
    december = calendar.number(date(2023, 12, 5), "month")
    assert calendar.days(december, "month") == Days(date(2023, 12, 1), date(2023, 12, 31))
    assert calendar.days(december + 1, "month").start == date(2024, 1, 1)


def test_cells_are_columns_of_the_rollup() -> None:
    assert set(DAILY.names) >= COLUMNS


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_a_metric_is_said_in_both_languages_and_stands_on_the_page(metric: Any) -> None:
    words = metric.definition()
    assert any("\u4e00" <= c <= "\u9fff" for c in words.label_zh)
    assert words.label_en.isascii()
    assert any("\u4e00" <= c <= "\u9fff" for c in words.formula_zh)
    assert (words.behind == "customers") != bool(metric.lines)
    additive = "yes" if words.additive else "no"
    interval = "yes" if words.estimate else "no"
    row = (
        f"| `{words.name}` | {words.label_en} | {words.label_zh} | {words.unit} | {words.formula_en} "
        f"| {words.behind} | {additive} | {interval} |"
    )
    assert row in PAGE.read_text("utf-8")


def test_every_dimension_on_the_page_can_be_asked_for() -> None:
    page = PAGE.read_text("utf-8")
    for name in NAMES:
        assert f"`{name}`" in page
        assert dimension(name).name == name


def test_declaring_the_operations_imports_no_engine() -> None:
    code = (
        "import sys, shopkeeper.metrics.operations\n"
        "heavy = {'duckdb', 'narwhals', 'pyarrow', 'scipy', 'numpy', 'sqlalchemy'} & set(sys.modules)\n"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
