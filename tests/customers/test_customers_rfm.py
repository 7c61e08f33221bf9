"""RFM against hand-computed figures, an independent plain oracle, and its own promises."""

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Any

import duckdb
import narwhals as nw
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopkeeper.core.errors import UnknownName
from shopkeeper.customers import rfm
from shopkeeper.customers.segments import definition, definitions
from shopkeeper.customers.types import Advice

AS_OF = date(2024, 3, 31)
SCHEMA = pa.schema(
    [
        ("customer_id", pa.string()),
        ("name", pa.string()),
        ("day", pa.date32()),
        ("order_id", pa.string()),
        ("value", pa.float64()),
    ]
)
Line = tuple[str | None, str, date, str | None, float | None]


def _rows(lines: list[Line], as_of: date = AS_OF) -> dict[str, dict[str, Any]]:
    columns = [[line[n] for line in lines] for n in range(len(SCHEMA))]
    table = pa.table([pa.array(c, t.type) for c, t in zip(columns, SCHEMA, strict=True)], SCHEMA)
    with duckdb.connect() as connection:
        frame = nw.from_native(connection.from_arrow(table))
        rows = rfm.table(frame, as_of).collect("pyarrow").to_arrow().to_pylist()
    return {row["customer_id"]: row for row in rows}


def test_the_figures_and_scores_of_five_customers_are_those_worked_out_by_hand() -> None:
    d = date.fromisoformat
    rows = _rows(
        [
            ("a", "purchase", d("2024-03-31"), "1", 10.0),  # two lines of one order
            ("a", "purchase", d("2024-03-31"), "1", 5.0),
            ("a", "purchase", d("2024-01-01"), "2", 5.0),
            ("b", "purchase", d("2024-03-01"), "3", 100.0),
            ("b", "refund", d("2024-03-05"), "3", 40.0),
            ("c", "purchase", d("2024-02-29"), None, 7.0),  # no order: once a day
            ("c", "purchase", d("2024-02-29"), None, 7.0),
            ("c", "purchase", d("2024-02-28"), None, 7.0),
            ("d", "purchase", d("2023-12-31"), "5", 1.0),
            ("e", "purchase", d("2023-12-31"), "6", 2.0),
            ("f", "refund", d("2024-03-31"), "9", 2.0),  # never bought here
            ("g", "purchase", d("2024-04-01"), "9", 2.0),  # after the day asked for
            (None, "purchase", d("2024-03-31"), "8", 999.0),
            ("h", "view_item", d("2024-03-31"), None, None),
        ]
    )
    assert set(rows) == set("abcde")
    found = {
        c: tuple(rows[c][k] for k in ("recency", "frequency", "monetary", "r", "f", "m"))
        for c in "abcde"
    }
    assert found == {
        "a": (0, 2, 20.0, 5, 4, 3),
        "b": (30, 1, 60.0, 4, 1, 5),
        "c": (31, 2, 21.0, 3, 4, 4),
        "d": (91, 1, 1.0, 2, 1, 1),
        "e": (91, 1, 2.0, 2, 1, 2),
    }
    assert rows["a"]["segment"] == "loyal"
    assert rows["b"]["segment"] == "promising"
    assert rows["d"]["segment"] == "hibernating"
    assert rows["c"]["first_day"] == d("2024-02-28")


def test_every_combination_of_scores_lies_in_exactly_one_segment() -> None:
    cells = [cell for one in definitions().values() for cell in one.cells]
    assert sorted(cells) == sorted(product(range(1, 6), repeat=3))


@pytest.mark.parametrize("code", list(definitions()))
def test_every_segment_has_all_its_words_in_both_languages(code: str) -> None:
    one = definition(code)
    assert set(one.words) == {"en", "zh"}
    for words in one.words.values():
        assert set(words) == {"name", "rule", *Advice.model_fields}
        assert all(text.strip() for text in words.values())
    assert not any("一" <= letter <= "鿿" for letter in "".join(one.words["en"].values()))
    assert one.words["zh"] != one.words["en"]


def test_an_unknown_segment_says_which_is_near() -> None:
    with pytest.raises(UnknownName, match="champions"):
        definition("champion")


def test_without_values_m_is_null_and_f_stands_in() -> None:
    lines: list[Line] = [
        (f"c{i}", "purchase", AS_OF - timedelta(days=n), f"{i}-{n}", None)
        for i in range(10)
        for n in range(i + 1)
    ]
    rows = _rows(lines)
    assert all(row["m"] is None and row["monetary"] is None for row in rows.values())
    assert rows["c9"]["segment"] == "champions"
    assert rows["c0"]["segment"] == "new"


def test_one_customer_who_bought_once_is_new() -> None:
    row = _rows([("a", "purchase", AS_OF, "1", 3.0)])["a"]
    assert (row["r"], row["f"], row["m"], row["segment"]) == (5, 1, 1, "new")


def test_where_all_bought_once_the_latest_are_new_and_nobody_is_called_loyal() -> None:
    rows = _rows([(f"c{i}", "purchase", AS_OF - timedelta(days=i), None, None) for i in range(50)])
    assert rows["c0"]["segment"] == "new"
    assert {row["f"] for row in rows.values()} == {1}
    assert {row["segment"] for row in rows.values()} == {
        "new", "promising", "about_to_sleep", "hibernating",
    }  # fmt: skip


def test_recency_counts_days_across_leap_years() -> None:
    row = _rows([("a", "purchase", date(1999, 2, 28), "1", 1.0)])["a"]
    assert row["recency"] == (AS_OF - date(1999, 2, 28)).days


LINES = st.lists(
    st.tuples(
        st.sampled_from([None, "a", "b", "c", "d", "e", "f", "g"]),
        st.sampled_from(["purchase", "purchase", "purchase", "refund", "view_item"]),
        st.dates(date(2023, 12, 1), date(2024, 4, 2)),
        st.sampled_from([None, "1", "2", "3", "4"]),
        st.one_of(st.none(), st.integers(0, 50).map(float)),
    ),
    max_size=40,
)


def _oracle(lines: list[Line]) -> dict[str, tuple[int, int, float | None, int, int, int | None]]:
    """RFM written a second time, with loops and no shared code."""
    bought: dict[str, list[Line]] = defaultdict(list)
    back: dict[str, float] = defaultdict(float)
    for line in lines:
        if line[0] is None or line[2] > AS_OF:
            continue
        if line[1] == "purchase":
            bought[line[0]].append(line)
        if line[1] == "refund":
            back[line[0]] += line[4] or 0.0
    priced = any(line[4] is not None for own in bought.values() for line in own)
    raw: dict[str, tuple[int, int, float | None]] = {}
    for customer, own in bought.items():
        money = sum(line[4] or 0.0 for line in own) - back[customer]
        orders = {line[3] or str(line[2]) for line in own}
        age = min((AS_OF - line[2]).days for line in own)
        raw[customer] = (age, len(orders), money if priced else None)
    n = len(raw)
    result = {}
    for customer, (age, orders_n, money_or_none) in raw.items():
        older = sum(other[0] >= age for other in raw.values())
        fewer = sum(other[1] < orders_n for other in raw.values())
        m = None
        if money_or_none is not None:
            poorer = sum((other[2] or 0.0) < money_or_none for other in raw.values())
            m = 1 + 5 * poorer // n
        result[customer] = (age, orders_n, money_or_none, -(-5 * older // n), 1 + 5 * fewer // n, m)
    return result


@settings(max_examples=60, deadline=None)
@given(LINES)
def test_any_lines_give_what_the_plain_oracle_gives(lines: list[Line]) -> None:
    rows = _rows(lines)
    expected = _oracle(lines)
    found = {
        c: tuple(row[k] for k in ("recency", "frequency", "monetary", "r", "f", "m"))
        for c, row in rows.items()
    }
    assert found == expected
    for row in rows.values():
        assert definition(row["segment"]).holds(row["r"], row["f"], row["m"] or row["f"])


@settings(max_examples=15, deadline=None)
@given(LINES, st.randoms())
def test_the_order_of_rows_changes_nothing(lines: list[Line], chance: Any) -> None:
    shuffled = list(lines)
    chance.shuffle(shuffled)
    assert _rows(lines) == _rows(shuffled)


def test_fifths_hold_a_fifth_each_when_no_values_are_equal() -> None:
    lines: list[Line] = []
    for i in range(25):
        day = datetime(2024, 3, 31, tzinfo=UTC).date() - timedelta(days=i)
        lines += [(f"c{i}", "purchase", day, f"{i}-{k}", 1.0) for k in range(i + 1)]
    rows = _rows(lines)
    for score in "rfm":
        assert sorted(row[score] for row in rows.values()) == sorted([1, 2, 3, 4, 5] * 5)
