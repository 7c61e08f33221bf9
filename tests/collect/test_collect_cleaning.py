from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.collect.conftest import NOW, SALES, Clean

from shopkeeper.collect.plan import Terms
from shopkeeper.core.errors import BadInput

HEAD = "user,at,item,n,price\n"
AT = "2026-01-05 10:00:00"


def row(user: str = "u1", at: str = AT, item: str = "i1", n: str = "2", price: str = "9.5") -> str:
    return (
        ",".join(f'"{cell}"' if "," in cell else cell for cell in (user, at, item, n, price)) + "\n"
    )


def at(cleaned: Clean, text: str, options: str = "", zone: str = "Asia/Shanghai") -> str | None:
    mapping = SALES + f"\n[file]\n{options}\n"
    result = cleaned(HEAD + row(at=text), mapping, terms=Terms(zone, "CNY", NOW))
    assert len(result.rows) + len(result.refused) == 1
    return result.rows[0]["time"].isoformat() if result.rows else None


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-01-05 10:00:00", "2026-01-05T02:00:00+00:00"),
        ("2026-01-05T10:00", "2026-01-05T02:00:00+00:00"),
        ("2026-01-05", "2026-01-04T16:00:00+00:00"),
        ("2026-1-5 9:05", "2026-01-05T01:05:00+00:00"),
        ("2026-01-05T10:00:00Z", "2026-01-05T10:00:00+00:00"),
        ("2026-01-05T10:00:00.250+0100", "2026-01-05T09:00:00.250000+00:00"),
        ("2026-01-05 10:00:00-05:30", "2026-01-05T15:30:00+00:00"),
        ("1767607200", "2026-01-05T10:00:00+00:00"),
        ("1767607200123", "2026-01-05T10:00:00.123000+00:00"),
        ("2026/1/5 10:00", "2026-01-05T02:00:00+00:00"),
        ("2026年1月5日 10:00:00", "2026-01-05T02:00:00+00:00"),
        ("5 Jan 2026", "2026-01-04T16:00:00+00:00"),
        ("20260105", "2026-01-04T16:00:00+00:00"),
        ("20260105100000", "2026-01-05T02:00:00+00:00"),
    ],
)
def test_common_ways_to_write_a_time_are_read(cleaned: Clean, text: str, utc: str) -> None:
    assert at(cleaned, text) == utc


@pytest.mark.parametrize(
    "text",
    ["05/01/2026 10:00", "2026-02-30", "2026-13-01", "25:00", "yesterday", "infinity", "epoch",
     "2026-01-05 10:00:00 Europe/London", "1989-12-31", "2026-03-03", "99999999999999999999",
     "0001-01-01", "-1", "1e9", "2026-01-05T10:00:00+99:00", ""],
)  # fmt: skip
def test_a_time_that_is_impossible_far_off_or_ambiguous_is_refused(
    cleaned: Clean, text: str
) -> None:
    result = cleaned(HEAD + row() + row(at=text))
    assert len(result.rows) == 1
    assert [(r.row, r.field) for r in result.refused] == [(3, "time")]
    assert result.refused[0].hint


@pytest.mark.parametrize(
    ("text", "formats", "utc"),
    [
        ("05/01/2026 10:00", '["%d/%m/%Y %H:%M"]', "2026-01-05T02:00:00+00:00"),
        ("01/05/26", '["%m/%d/%y", "%d/%m/%Y"]', "2026-01-04T16:00:00+00:00"),
        ("1767607200", '["epoch_s"]', "2026-01-05T10:00:00+00:00"),
        ("1767607200123", '["epoch_ms"]', "2026-01-05T10:00:00.123000+00:00"),
        ("05.01.2026 10:00 +0100", '["%d.%m.%Y %H:%M %z"]', "2026-01-05T09:00:00+00:00"),
        ("2026-01-05", '["%d/%m/%Y"]', None),
        ("99999999999999999999", '["epoch_s"]', None),
    ],
)
def test_a_given_format_is_the_only_one(
    cleaned: Clean, text: str, formats: str, utc: str | None
) -> None:
    assert at(cleaned, text, f"time_formats = {formats}") == utc


def test_a_format_that_is_none_is_bad_input(cleaned: Clean) -> None:
    with pytest.raises(BadInput, match="%Q"):
        at(cleaned, AT, 'time_formats = ["%Q"]')


def test_the_day_is_the_shops_and_the_zone_the_files(cleaned: Clean) -> None:
    mapping = SALES + '[file]\ntime_zone = "Europe/London"\n'
    result = cleaned(HEAD + row(at="2026-01-05 17:30:00"), mapping)
    assert str(result.rows[0]["day"]) == "2026-01-06"
    assert result.rows[0]["time"] == datetime(2026, 1, 5, 17, 30, tzinfo=UTC)


def test_local_times_that_a_clock_change_skips_or_repeats_are_stated(cleaned: Clean) -> None:
    text = HEAD + row(at="2025-03-30 01:30:00") + row(at="2025-10-26 01:30:00") + row()
    mapping = SALES + '[file]\ntime_zone = "Europe/London"\n'
    result = cleaned(text, mapping, terms=Terms("Europe/London", "CNY", NOW))
    assert len(result.rows) == 3
    assert result.repairs == {
        "time: local time skipped by the clock change: moved forward": 1,
        "time: local time that occurred twice: the later one taken": 1,
    }
    times = [r["time"].strftime("%m-%d %H:%M") for r in result.rows]
    assert times == ["03-30 01:30", "10-26 01:30", "01-05 10:00"]


@pytest.mark.parametrize(
    ("text", "value"),
    [("9.5", 9.5), ("1,234.50", 1234.5), ("12,345,678", 12345678.0), (" 7 ", 7.0), ("1e3", 1000.0),
     ("+2", 2.0), (".5", 0.5), ("0", 0.0)],
)  # fmt: skip
def test_numbers_are_read(cleaned: Clean, text: str, value: float) -> None:
    result = cleaned(HEAD + row(price=text))
    assert result.rows[0]["price"] == value
    grouped = "," in text
    assert ("price: thousands separators removed" in result.repairs) == grouped


@pytest.mark.parametrize(
    "text",
    [
        "free",
        "nan",
        "inf",
        "-inf",
        "1e999",
        "1e15",
        "1,23",
        "12.3.4",
        "0x10",
        "=1+1",
        "1_000",
        "１２",
    ],
)
def test_what_is_no_number_is_refused(cleaned: Clean, text: str) -> None:
    result = cleaned(HEAD + row(price=text))
    assert [(r.row, r.field) for r in result.refused] == [(2, "price")]


def test_a_decimal_comma_is_read_where_the_mapping_says_so(cleaned: Clean) -> None:
    mapping = SALES + '[file]\ndecimal = ","\n'
    rows = cleaned(HEAD + row(price="1.234,5") + row(price="2,55") + row(price="1.5"), mapping)
    assert [r["price"] for r in rows.rows] == [1234.5, 2.55]
    assert rows.reasons == [(4, "price", "it is not a number")]


def test_a_negative_price_is_refused(cleaned: Clean) -> None:
    result = cleaned(HEAD + row(price="-0.01"))
    assert result.reasons == [(2, "price", "it is negative")]
    assert "absolute" in result.refused[0].hint


def test_a_negative_quantity_is_refused_unless_the_mapping_says_what_it_means(
    cleaned: Clean,
) -> None:
    assert cleaned(HEAD + row(n="-2")).reasons == [(2, "quantity", "it is negative")]
    mapping = SALES + (
        'absolute = ["quantity"]\n[[event.rules]]\nname = "refund"\nwhen = { n = { below = 0 } }\n'
    )
    result = cleaned(HEAD + row(n="-2") + row(), mapping)
    assert [(r["name"], r["quantity"], r["value"]) for r in result.rows] == [
        ("refund", 2.0, 19.0),
        ("purchase", 2.0, 19.0),
    ]


@pytest.mark.parametrize(
    ("when", "names"),
    [
        ('{ item = { starts_with = "C" } }', "XP"),
        ('{ item = { ends_with = "9" } }', "XP"),
        ('{ item = { contains = "1" } }', "XP"),
        ('{ item = { equals = "C19" } }', "XP"),
        ('{ item = { one_of = ["C19", "q"] } }', "XP"),
        ('{ item = { matches = "^C[0-9]+$" } }', "XP"),
        ('{ n = { below = 0 } }', "XP"),
        ('{ n = { at_most = -1 }, item = { equals = "C19" } }', "XP"),
        ('{ n = { above = 0 } }', "PX"),
        ('{ n = { at_least = 1 }, item = { equals = "C19" } }', "PP"),
        ('{ n = { equals = -1 } }', "XP"),
        ('{ user = { empty = true } }', "XP"),
        ('{ user = { empty = false } }', "PX"),
    ],
)  # fmt: skip
def test_rules_name_events(cleaned: Clean, when: str, names: str) -> None:
    mapping = SALES + f'absolute = ["quantity"]\n[[event.rules]]\nname = "X"\nwhen = {when}\n'
    result = cleaned(HEAD + row(user="", item="C19", n="-1") + row(item="D20", n="1"), mapping)
    assert (
        "".join(r["name"][0].upper() for r in sorted(result.rows, key=lambda r: r["item_id"]))
        == names
    )


def test_event_names_are_made_ours(cleaned: Clean) -> None:
    mapping = (
        SALES.replace('[event]\nname = "purchase"', 'name = "item"\n[event]').replace(
            'item_id = "item"\n', ""
        )
        + '\nnames = { "看" = "view_item" }\n'
    )
    text = HEAD + "".join(
        row(item=name) for name in ("Order Completed", "addtocart", "看", "Foo Bar")
    )
    names = [r["name"] for r in cleaned(text + row(item=""), mapping).rows]
    assert names == ["purchase", "add_to_cart", "view_item", "foo_bar"]
    assert cleaned(text + row(item=""), mapping).reasons == [(6, "name", "it is empty or no name")]


MONEY = SALES + "[file]\n{options}\n"


def test_a_currency_that_is_not_the_shops_needs_a_rate(cleaned: Clean) -> None:
    with pytest.raises(BadInput, match="GBP, the shop counts in CNY") as caught:
        cleaned(HEAD + row(), SALES + '[file]\ncurrency = "GBP"\n')
    assert "rate" in caught.value.hint
    mapping = SALES + '[file]\ncurrency = "GBP"\n[file.rates]\nGBP = 9.0\n'
    result = cleaned(HEAD + row(), mapping)
    assert (result.rows[0]["price"], result.rows[0]["value"]) == (9.5 * 9, 19.0 * 9)
    assert result.rows[0]["currency"] == "CNY"
    assert result.tally.money["purchase"].file_value == 19.0


def test_currencies_of_rows_are_checked_one_by_one(cleaned: Clean) -> None:
    mapping = SALES.replace('item_id = "item"', 'currency = "item"') + "[file.rates]\nUSD = 7.0\n"
    text = HEAD + "".join(row(item=code) for code in ("cny", "USD", "GBP", "XYZ", ""))
    result = cleaned(text, mapping)
    assert [r["value"] for r in result.rows] == [19.0, 133.0, 19.0]
    assert result.reasons == [
        (4, "currency", "it is not the shop's currency CNY"),
        (5, "currency", "it is no currency code"),
    ]
    assert result.repairs == {"currency: converted at the mapping's fixed rate": 1}


def test_an_unknown_currency_in_the_mapping_is_bad_input(cleaned: Clean) -> None:
    with pytest.raises(BadInput, match="CNX"):
        cleaned(HEAD + row(), SALES + '[file]\ncurrency = "CNX"\n')


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "=HYPERLINK(\"\"http://evil\"\")", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0",
     "\t=1+1", "＝1+1", "-A1!B2", "+SUM(A1:A2)"],
)  # fmt: skip
def test_formulas_are_made_harmless_and_reported(cleaned: Clean, cell: str) -> None:
    result = cleaned(HEAD + f'u1,{AT},"{cell}",1,1\n')
    assert result.rows[0]["item_id"] == "'" + cell.strip().replace('""', '"')
    assert result.repairs["item_id: formula made harmless with a leading apostrophe"] == 1


@pytest.mark.parametrize(
    "cell",
    ["-5%", "+1", "-", "--", "@anna", "=)", "+44 20 1234", "-10% off (sale)", "- tea", "+A1"],
)
def test_texts_that_only_look_a_little_like_formulas_stay(cleaned: Clean, cell: str) -> None:
    result = cleaned(HEAD + row(item=cell))
    assert result.rows[0]["item_id"] == cell
    assert not result.repairs


def test_control_characters_are_removed(cleaned: Clean) -> None:
    result = cleaned(HEAD + row(item="i\x001\x07"))
    assert result.rows[0]["item_id"] == "i1"
    assert result.repairs == {"item_id: control characters removed": 1}


def test_white_space_around_ids_is_removed(cleaned: Clean) -> None:
    result = cleaned(HEAD + row(user="\u3000u1 \u00a0"))
    assert result.rows[0]["user_id"] == "u1"
    assert sum(result.repairs.values()) == 1


def test_an_id_beyond_reason_is_refused(cleaned: Clean) -> None:
    assert cleaned(HEAD + row(user="u" * 300)).reasons[0][1] == "user_id"


def test_equal_rows_without_an_id_are_kept_and_told(cleaned: Clean) -> None:
    result = cleaned(HEAD + row() * 3 + row(user="u2"))
    ids = [r["event_id"] for r in result.rows]
    assert len(set(ids)) == 4
    assert any("2 rows are word for word" in note for note in result.tally.notes)


def test_content_ids_do_not_depend_on_the_order_of_columns_or_on_empty_ones(cleaned: Clean) -> None:
    one = cleaned(HEAD + row()).rows[0]["event_id"]
    other = cleaned("price,n,item,at,user,new\n9.5,2,i1,2026-01-05 10:00:00,u1,\n").rows[0][
        "event_id"
    ]
    assert one == other


def test_an_id_that_comes_twice_is_a_duplicate_or_refused(cleaned: Clean) -> None:
    mapping = SALES + 'id = "sale/{user}"\n'
    result = cleaned(HEAD + row() + row() + row(price="1") + row(user="u2") + row(user=""), mapping)
    assert [r["event_id"] for r in result.rows] == ["sale/u1", "sale/u2"]
    assert result.tally.duplicate == 1
    assert result.reasons == [
        (4, "event_id", "another row has this id and other content"),
        (6, "event_id", "a column that it is made of is empty"),
    ]


def test_extra_columns_become_properties(cleaned: Clean) -> None:
    mapping = 'extra = ["item", "n"]\n' + SALES.replace('item_id = "item"\nquantity = "n"\n', "")
    rows = cleaned(HEAD + row(item="=1+1") + row(item=""), mapping).rows
    assert rows[0]["properties"] == {"item": "'=1+1", "n": "2"}
    assert rows[1]["properties"] == {"n": "2"}


def test_the_money_of_all_outcomes_is_the_files(cleaned: Clean) -> None:
    mapping = SALES + (
        'absolute = ["quantity"]\n[[event.rules]]\nname = "refund"\nwhen = { n = { below = 0 } }\n'
    )
    text = HEAD + row() + row(n="-1") + row(price="-4") + row(price="x") + row(user="") + "torn\n"
    money = cleaned(text, mapping).tally.money
    assert {k: (m.rows, m.file_value) for k, m in money.items()} == {
        "purchase": (2, 38.0),
        "refund": (1, -9.5),
        "refused": (3, -8.0),
    }
    assert money["refused"].unpriced == 2
    assert (money["purchase"].without_customer, money["purchase"].without_customer_value) == (
        1,
        19.0,
    )
