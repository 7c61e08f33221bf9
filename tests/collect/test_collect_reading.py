from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.collect.conftest import SALES, Clean

from shopkeeper.collect.source import File, Limits
from shopkeeper.core.errors import BadInput, ShopkeeperError, TooLarge

HEAD = "user,at,item,n,price\n"
ROW = "u1,2026-01-05 10:00:00,i1,2,9.5\n"
SMALL = Limits(cell_bytes=1000, line_chars=50_000, batch_rows=64)


def refuse(
    cleaned: Clean, content: str | bytes, mapping: str = SALES, **how: Any
) -> ShopkeeperError:
    with pytest.raises(ShopkeeperError) as caught:
        cleaned(content, mapping, **how)
    return caught.value


def test_a_wrong_column_is_named_with_what_the_file_has_and_the_near_one(cleaned: Clean) -> None:
    error = refuse(cleaned, HEAD.replace("price", "prize") + ROW)
    assert "no column 'price'" in error.message
    assert "user, at, item, n, prize" in error.message
    assert "Did you mean 'prize'?" in error.hint


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_common_encodings_are_found_out(cleaned: Clean, encoding: str) -> None:
    text = HEAD + ROW.replace("u1", "王小明，来自杭州市的顾客") + ROW
    result = cleaned(text.encode(encoding))
    assert [row["user_id"] for row in result.rows] == ["王小明，来自杭州市的顾客", "u1"]


def test_utf16_without_a_mark_is_found_out(cleaned: Clean) -> None:
    assert len(cleaned((HEAD + ROW).encode("utf-16-le")).rows) == 1


def test_an_encoding_that_cannot_be_told_must_be_named(cleaned: Clean) -> None:
    content = (HEAD + ROW.replace("u1", "Zoé Müller ÆØÅ é é é é")).encode("latin-1")
    assert "latin-1" in refuse(cleaned, content).hint
    named = SALES + '\n[file]\nencoding = "latin-1"\n'
    assert cleaned(content, named).rows[0]["user_id"] == "Zoé Müller ÆØÅ é é é é"


def test_an_unknown_encoding_is_named(cleaned: Clean) -> None:
    assert "utf-9" in refuse(cleaned, HEAD + ROW, SALES + '[file]\nencoding = "utf-9"').message


def test_bytes_that_are_not_of_the_encoding_refuse_their_row_alone(cleaned: Clean) -> None:
    content = (HEAD + ROW * 2).encode() + ROW.encode().replace(b"i1", b"i\xff1") + ROW.encode()
    result = cleaned(content)
    assert len(result.rows) == 3
    assert result.reasons == [(4, "item", "it holds bytes that are not of the file's encoding")]
    assert r"i\\xff1" in result.refused[0].raw


def test_a_ten_megabyte_cell_refuses_its_row_alone(cleaned: Clean) -> None:
    huge = ROW.replace("i1", '"' + "x" * 10_000_000 + '"')
    result = cleaned(HEAD + ROW + huge + ROW)
    assert len(result.rows) == 2
    assert result.tally.rows_read == 3
    assert [(r.row, r.field) for r in result.refused] == [(3, "(row)")]
    assert "65,536 bytes" in result.refused[0].reason
    assert len(result.refused[0].raw) < 10_000


def test_a_cell_over_the_limit_is_refused_in_any_format(cleaned: Clean, tmp_path: Path) -> None:
    rows = {"user": ["u", "u"], "at": ["2026-01-05"] * 2, "item": ["i", "x" * 70_000], "n": [1, 1],
            "price": [1.0, 1.0]}  # fmt: skip
    pq.write_table(pa.table(rows), tmp_path / "big.parquet")
    result = cleaned((tmp_path / "big.parquet").read_bytes(), name="sales.parquet")
    assert len(result.rows) == 1
    assert result.reasons == [(2, "item", "a cell is longer than 65,536 bytes")]
    assert len(result.refused[0].raw) < 10_000


def test_an_unclosed_quote_costs_its_own_row(cleaned: Clean) -> None:
    broken = 'u2,2026-01-05 10:00:00,"i2,1,1\n'
    result = cleaned(HEAD + ROW * 3 + broken + ROW * 40, limits=SMALL)
    assert len(result.rows) == 43
    assert result.reasons == [(5, "(row)", "its quotes do not close")]


def test_an_unclosed_quote_beside_quoted_rows_costs_its_own_row(cleaned: Clean) -> None:
    broken = 'u2,2026-01-05 10:00:00,"i2,1,1\n'
    quoted = 'u3,2026-01-05 10:00:00,"i3",1,1\n'
    result = cleaned(HEAD + (ROW + broken + quoted) * 100, limits=SMALL)
    assert len(result.rows) == 200
    assert [row for row, _, _ in result.reasons] == [3 + 3 * i for i in range(100)]


def test_rows_with_more_or_fewer_cells_are_refused_with_their_line(cleaned: Clean) -> None:
    result = cleaned(HEAD + ROW + "u1,2026-01-05\n" + ROW.replace("i1", "a,b") + ROW)
    assert [(r.row, r.reason) for r in result.refused] == [
        (3, "it has fewer cells than the header"),
        (4, "it has more cells than the header"),
    ]
    assert len(result.rows) == 2


def test_empty_cells_after_the_last_column_are_dropped(cleaned: Clean) -> None:
    result = cleaned(HEAD + ROW.replace("\n", ",,\n"))
    assert len(result.rows) == 1
    assert result.repairs == {"(row): empty cells after the last column dropped": 1}


def test_blank_lines_are_not_rows(cleaned: Clean) -> None:
    result = cleaned("\n" + HEAD + "\n" + ROW + "\n\n" + ROW.replace("u1", "u2") + "\n")
    assert result.tally.rows_read == 2
    assert not result.refused


def test_line_numbers_count_line_breaks_in_cells(cleaned: Clean) -> None:
    result = cleaned(HEAD + ROW.replace("i1", '"i\n1\n2"') + ROW.replace("9.5", "free"))
    assert result.reasons == [(5, "price", "it is not a number")]


@pytest.mark.parametrize("sign", [";", "\t", "|"])
def test_other_delimiters_are_found_out(cleaned: Clean, sign: str) -> None:
    assert len(cleaned((HEAD + ROW).replace(",", sign)).rows) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "no text"),
        ("\n\n", "no text"),
        (HEAD, "no rows"),
        ('"user,at\n' + ROW, "header"),
        (HEAD.replace("item", "price") + ROW, "2 columns named 'price'"),
    ],
)
def test_a_file_that_is_no_table_is_bad_input(cleaned: Clean, content: str, said: str) -> None:
    error = refuse(cleaned, content)
    assert isinstance(error, BadInput)
    assert said in error.message


def test_a_column_name_used_twice_does_no_harm_where_it_is_not_needed(cleaned: Clean) -> None:
    result = cleaned(HEAD.replace("\n", ",note,note\n") + ROW.replace("\n", ",a,b\n"))
    assert len(result.rows) == 1


def test_a_packed_file_is_read_by_its_name(cleaned: Clean) -> None:
    result = cleaned(gzip.compress((HEAD + ROW * 500).encode()), name="sales.csv.gz")
    assert len(result.rows) == 500


def test_a_zip_bomb_is_stopped(cleaned: Clean) -> None:
    bomb = gzip.compress((HEAD + ROW * 200_000).encode())
    limits = Limits(ratio=20, ratio_from=100_000)
    with pytest.raises(TooLarge, match="unpacks to far more"):
        cleaned(bomb, name="sales.csv.gz", limits=limits)


@pytest.mark.parametrize(
    "content", [b"not gzip", gzip.compress(HEAD.encode() * 99)[:-9]], ids=["no gzip", "cut short"]
)
def test_a_damaged_gzip_file_is_bad_input(cleaned: Clean, content: bytes) -> None:
    assert "gzip" in refuse(cleaned, content, name="sales.csv.gz").message


def test_a_line_without_end_is_bad_input(cleaned: Clean) -> None:
    assert "longer than" in refuse(cleaned, HEAD + "x" * 60_000, limits=SMALL).message


@pytest.mark.parametrize("content", [b"PAR1 no parquet PAR1", b"x"])
def test_a_damaged_parquet_file_is_bad_input(cleaned: Clean, content: bytes) -> None:
    assert "not a whole Parquet file" in refuse(cleaned, content, name="sales.parquet").message


def test_parquet_cells_keep_their_meaning(cleaned: Clean, tmp_path: Path) -> None:
    table = pa.table(
        {
            "user": pa.array([17850.0, None, 3.0]),
            "at": pa.array([1767607200_000_000] * 3, pa.timestamp("us")),
            "item": pa.array(["a", "b", None]).dictionary_encode(),
            "n": pa.array([1, 2, 3], pa.int32()),
            "price": pa.array([0.1, 2.5e-5, 1e9]),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    rows = cleaned((tmp_path / "t.parquet").read_bytes(), name="sales.parquet").rows
    assert [r["user_id"] for r in rows] == ["17850", None, "3"]
    assert [r["price"] for r in rows] == [0.1, 2.5e-5, 1e9]
    assert [r["item_id"] for r in rows] == ["a", "b", None]
    assert {r["time"].isoformat() for r in rows} == {"2026-01-05T02:00:00+00:00"}


def test_a_nested_parquet_column_is_named(cleaned: Clean, tmp_path: Path) -> None:
    pq.write_table(pa.table({"user": [["a"]], "at": ["2026-01-05"], "item": ["i"], "n": [1],
                             "price": [1]}), tmp_path / "t.parquet")  # fmt: skip
    error = refuse(cleaned, (tmp_path / "t.parquet").read_bytes(), name="sales.parquet")
    assert error.field == "user"


def test_json_lines_are_read_with_dotted_names(cleaned: Clean) -> None:
    content = (
        '{"user": {"id": 7}, "at": "2026-01-05T10:00:00+08:00", "item": "a/b~c", "n": 1.50}\n'
        '{"user": {"id": "u\\u0000"}, "at": 1767607200, "item": null, "price": "3"}\n'
        "\n[1]\nno json\n"
    )
    result = cleaned(content, SALES.replace('"user"', '"user.id"'), name="sales.jsonl")
    assert [(r["user_id"], r["quantity"], r["price"]) for r in result.rows] == [
        ("7", 1.5, None),
        ("u", None, 3.0),
    ]
    assert [(r.row, r.reason) for r in result.refused] == [
        (4, "it is not a JSON object"),
        (5, "it is not a JSON object"),
    ]


def test_sequences_become_events_in_order(cleaned: Clean) -> None:
    text = (
        Path(__file__).parents[2] / "src/shopkeeper/collect/mappings/sequences.toml"
    ).read_text()
    result = cleaned("u1 a b a\nu2  c\nlonely\n", text, name="sequences.txt")
    told = [(r["user_id"], r["item_id"], str(r["day"]), r["order_id"]) for r in result.rows]
    assert told == [
        ("u1", "a", "2010-01-01", "u1-1"),
        ("u2", "c", "2010-01-01", "u2-1"),
        ("u1", "b", "2010-01-02", "u1-2"),
        ("u1", "a", "2010-01-03", "u1-3"),
    ]
    assert {r["name"] for r in result.rows} == {"purchase"}
    assert result.reasons == [(3, "(row)", "it names a user and no item")]
    assert any("no times" in note for note in result.tally.notes)


def test_a_format_that_is_not_known_is_named(cleaned: Clean) -> None:
    packed = b"PK\x03\x04mimetypeapplication/vnd.oasis" + bytes(40)
    assert "file.format" in str(refuse(cleaned, packed, name="sales.ods").field)
    error = refuse(cleaned, HEAD + ROW, SALES + '[file]\nformat = "csvv"')
    assert "'csv'" in error.hint


def test_reading_a_file_twice_gives_the_same_digest(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(HEAD)
    assert File(tmp_path / "a.csv").sha256 == File(tmp_path / "a.csv").sha256


@pytest.mark.parametrize("sign", ["::", "   ", "||"])
def test_wide_delimiters(cleaned: Clean, sign: str) -> None:
    head = "user,at,item,n,price\n".replace(",", sign)
    text = head + 'u1,2026-01-05,"i1,2,9.5\nu2,2026-01-06,i2,2,9.5\n'.replace(",", sign)
    told = SALES + '[file]\ndelimiter = "||"\n' if sign == "||" else SALES
    assert [r["item_id"] for r in cleaned(text, told, name="sales.dat").rows] == ['"i1', "i2"]


def test_a_file_without_a_header_is_read_by_the_names_given(cleaned: Clean) -> None:
    told = SALES + '[file]\nheader = ["user", "at", "item", "n", "price"]\n'
    assert len(cleaned(ROW + ROW.replace("u1", "u2"), told).rows) == 2
    assert len(cleaned(ROW, told).rows) == 1
    short = SALES + '[file]\nheader = ["user", "at"]\n'
    assert "names 2 columns, and the first line has 5" in str(refuse(cleaned, ROW, short))


def test_a_list_of_objects_is_read(cleaned: Clean) -> None:
    one = '{"user": "u1", "at": "2026-01-05", "item": "i1", "n": 2, "price": 9.5}'
    assert len(cleaned(f"[\n{one},\n {one.replace('u1', 'u2')}]", name="sales.json").rows) == 2
    assert "begins as a JSON list" in str(refuse(cleaned, f"[{one},", name="sales.json"))


def test_big5_is_found_out(cleaned: Clean) -> None:
    text = "user,at,item,n,price\n" + "王小明,2026-01-05,紅茶禮盒,2,9.5\n" * 3
    assert cleaned(text.encode("big5")).rows[0]["item_id"] == "紅茶禮盒"


@pytest.mark.parametrize(
    "price", ["¥1,299.50", "￥ 1299.5", "1299.5元", "RMB1299.5", "1,299.50 CNY"]
)
def test_signs_of_the_files_currency_are_removed(cleaned: Clean, price: str) -> None:
    done = cleaned(HEAD + f'u1,2026-01-05,i1,2,"{price}"\n')
    assert [r["price"] for r in done.rows] == [1299.5]


def test_signs_of_another_currency_are_refused(cleaned: Clean) -> None:
    done = cleaned(HEAD + "u1,2026-01-05,i1,2,$9.5\n")
    assert [(r.field, "another currency than CNY" in r.hint) for r in done.refused] == [
        ("price", True)
    ]


def test_lines_of_one_item_each_are_one_sequence(cleaned: Clean) -> None:
    text = (
        Path(__file__).parents[2] / "src/shopkeeper/collect/mappings/sequences.toml"
    ).read_text()
    told = [r["order_id"] for r in cleaned("1 7\n1 8\n2 7\n1 9\n", text, name="s.txt").rows]
    assert sorted(told) == [
        "1-1",
        "1-2",
        "2-1",
    ]  # the last line stands apart: which turn is unknown
