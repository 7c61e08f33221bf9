"""Whatever a file holds, each row ends as new, duplicate or refused, and the sums add up."""

from __future__ import annotations

import csv
import io
import math
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.collect.conftest import SALES, clean

from shopkeeper.collect import mapping as mappings
from shopkeeper.collect.source import File, Limits
from shopkeeper.core.errors import ShopkeeperError

HEAD = ["user", "at", "item", "n", "price"]
RULES = SALES + (
    'absolute = ["quantity"]\n[[event.rules]]\nname = "refund"\nwhen = { n = { below = 0 } }\n'
)
TIMES = st.sampled_from(
    ["2026-01-05 10:00:00", "2026-01-05", "1767607200", "05/01/2026", "9999-01-01"]
)
NUMBERS = st.one_of(
    st.integers(-50, 50).map(str),
    st.floats(-1000, 1000).map(lambda x: f"{x:.2f}"),
    st.sampled_from(["", "nan", "1e400", "-inf", "1,234.5", "x", "1e13"]),
)
WORDS = st.one_of(
    st.sampled_from(["u1", "u2", "", "=1+1", "-5%", "  a ", "a\x00b"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
)
ROWS = st.lists(st.tuples(WORDS, TIMES | WORDS, WORDS, NUMBERS, NUMBERS), min_size=1, max_size=30)
QUICK = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def amount(row: tuple[str, ...]) -> float:
    """What a reader of the file would say the row comes to; 0 where it says nothing."""
    try:
        numbers = [float(cell.replace(",", "")) for cell in row[3:5]]
    except ValueError:
        return 0.0
    return numbers[0] * numbers[1] if all(map(math.isfinite, numbers)) else 0.0


@given(ROWS, st.sampled_from(["content", "{user}/{item}"]))
@QUICK
def test_each_row_has_one_fate_and_the_money_adds_up(rows: list[tuple[str, ...]], ids: str) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([HEAD, *rows])
    mapping = mappings.parse(RULES.replace("[event]\n", f'[event]\nid = "{ids}"\n'), "p")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.csv")
        path.write_text(text.getvalue(), "utf-8", newline="")
        result = clean(File(path), mapping)
    tally = result.tally
    assert tally.rows_read + _blank(rows) == len(rows)
    assert len(result.rows) + tally.duplicate + tally.refused == tally.rows_read
    assert len(result.refused) == tally.refused
    assert len({row["event_id"] for row in result.rows}) == len(result.rows)
    counted = sum(m.rows for m in tally.money.values())
    assert counted + tally.duplicate == tally.rows_read
    if ids == "content":
        told = sum(m.file_value for m in tally.money.values())
        assert math.isclose(told, sum(map(amount, rows)), rel_tol=1e-9, abs_tol=1e-6)


def _blank(rows: list[tuple[str, ...]]) -> int:
    return sum(not any(row) for row in rows)


@given(
    st.binary(max_size=400), st.sampled_from(["a.csv", "a.jsonl", "a.parquet", "a.csv.gz", "a.tsv"])
)
@QUICK
def test_a_file_of_any_bytes_is_read_or_bad_input(content: bytes, name: str) -> None:
    _any_file(content, name)


@given(st.text(st.sampled_from('user,at\n\r"\x00;é=1\ud83d'.replace("\ud83d", "茶")), max_size=200))
@QUICK
def test_a_file_with_our_header_and_any_text_is_read_or_bad_input(text: str) -> None:
    _any_file((",".join(HEAD) + "\n" + text).encode(), "a.csv")


@given(st.binary(max_size=200))
@QUICK
def test_rows_of_any_bytes_cost_only_themselves(content: bytes) -> None:
    good = b"u1,2026-01-05,i,1,1\n"
    content = content.replace(b'"', b"")  # a quote may rightly take the next line into its cell
    body = ",".join(HEAD).encode() + b"\n" + good + content + b"\n" + good
    mapping = SALES + '[file]\nencoding = "utf-8"\n'
    rows = _any_file(body, "a.csv", mapping)
    assert rows is not None
    assert rows >= 2


def _any_file(content: bytes, name: str, mapping: str = SALES) -> int | None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        limits = Limits(line_chars=10_000, ratio_from=100_000)
        try:
            result = clean(File(path), mappings.parse(mapping, "any"), limits=limits)
        except ShopkeeperError:
            return None
    tally = result.tally
    assert len(result.rows) + tally.duplicate + tally.refused == tally.rows_read
    return len(result.rows)
