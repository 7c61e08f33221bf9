from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopkeeper.core.errors import BadInput
from shopkeeper.core.period import Days, Period

FIRST, LAST = date(2024, 1, 1), date(2024, 12, 31)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("all", FIRST, LAST),
        ("30d", date(2024, 12, 2), LAST),
        ("1d", LAST, LAST),
        ("2w", date(2024, 12, 18), LAST),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2024-12", date(2024, 12, 1), LAST),
        ("2024-02..2024-03", date(2024, 2, 1), date(2024, 3, 31)),
        (" 2024-02-03..2024-02-05 ", date(2024, 2, 3), date(2024, 2, 5)),
        ("2024-02-03", date(2024, 2, 3), date(2024, 2, 3)),
    ],
)
def test_a_period_resolves_to_the_days_it_names(text: str, start: date, end: date) -> None:
    assert Period(text).resolve(FIRST, LAST) == Days(start, end)


@pytest.mark.parametrize(
    "text", ["", "0d", "d", "2024-13", "2024-02-30", "2024-03..2024-02", "30x", "..", "1' or 1"]
)
def test_what_is_no_period_is_refused_with_examples(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        Period(text)
    assert "30d" in caught.value.hint


@given(st.dates(date(2000, 1, 1), date(2050, 1, 1)), st.integers(1, 900))
def test_the_period_before_touches_and_has_the_same_length(end: date, length: int) -> None:
    days = Period(f"{length}d").resolve(date(1990, 1, 1), end)
    before = days.before()
    assert len(days) == len(before) == length
    assert (days.start - before.end).days == 1
    assert days.end in days
    assert before.end not in days
