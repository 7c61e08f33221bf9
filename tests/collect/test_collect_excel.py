from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import pytest
from tests.collect.conftest import SALES, Clean, Cleaned

from shopkeeper.collect import operations as collect
from shopkeeper.core.errors import BadInput, ShopkeeperError, TooLarge, UnknownName
from shopkeeper.shop import Shop

HEAD = ("user", "at", "item", "n", "price")
ROW = ("u1", datetime(2026, 1, 5, 10, 0), "tea", 2, 9.5)
Change = Callable[[Any], None]


def book(folder: Path, *rows: Any, change: Change | None = None, name: str = "sales.xlsx") -> bytes:
    made = openpyxl.Workbook()
    for row in rows:
        made.active.append(row)
    if change is not None:
        change(made)
    made.save(folder / name)
    return (folder / name).read_bytes()


def run(cleaned: Clean, folder: Path, *rows: Any, mapping: str = SALES, **how: Any) -> Cleaned:
    return cleaned(book(folder, *rows, **how), mapping, name="sales.xlsx")


def repacked(content: bytes, folder: Path, more: dict[str, bytes], *, without: str = "") -> bytes:
    (folder / "in.zip").write_bytes(content)
    with (
        zipfile.ZipFile(folder / "in.zip") as old,
        zipfile.ZipFile(folder / "out.zip", "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.namelist():
            if entry not in more and entry != without:
                new.writestr(entry, old.read(entry))
        for entry, body in more.items():
            new.writestr(entry, body)
    return (folder / "out.zip").read_bytes()


def test_numbers_dates_and_texts_come_as_they_are_shown(cleaned: Clean, tmp_path: Path) -> None:
    found = run(
        cleaned, tmp_path, HEAD, ROW, ("u2", date(2026, 1, 6), 1001, 3.0, 0.1),
        ("u3", "2026-01-07 08:30:00", "茶", "1", "1,200.50"), (None,) * 5,
    )  # fmt: skip
    assert not found.refused
    assert [(r["user_id"], r["item_id"], r["quantity"], r["price"]) for r in found.rows] == [
        ("u1", "tea", 2, 9.5), ("u2", "1001", 3, 0.1), ("u3", "茶", 1, 1200.5),
    ]  # fmt: skip
    assert [str(r["time"])[:19] for r in found.rows] == [
        "2026-01-05 02:00:00", "2026-01-05 16:00:00", "2026-01-07 00:30:00",
    ]  # fmt: skip


def test_dates_as_text_that_could_be_either_are_refused_until_told(
    cleaned: Clean, tmp_path: Path
) -> None:
    rows = (HEAD, ("u1", "05/01/2026", "tea", 1, 2))
    assert [r[:2] for r in run(cleaned, tmp_path, *rows).reasons] == [(2, "time")]
    told = SALES + '[file]\ntime_formats = ["%d/%m/%Y"]\n'
    assert str(run(cleaned, tmp_path, *rows, mapping=told).rows[0]["time"])[:10] == "2026-01-04"


def test_a_named_sheet_is_read(cleaned: Clean, tmp_path: Path) -> None:
    def second(made: Any) -> None:
        other = made.create_sheet("一月")
        other.append(HEAD)
        other.append(("u9", *ROW[1:]))

    told = SALES + '[file]\nsheet = "一月"\n'
    rows = run(cleaned, tmp_path, ("notes",), change=second, mapping=told).rows
    assert [r["user_id"] for r in rows] == ["u9"]
    with pytest.raises(UnknownName, match="sheet"):
        run(cleaned, tmp_path, HEAD, mapping=SALES + '[file]\nsheet = "二月"\n')


def test_rows_with_merged_cells_are_refused_and_can_be_retried(shop: Shop, tmp_path: Path) -> None:
    def merge(made: Any) -> None:
        made.active.merge_cells("A3:A4")

    book(tmp_path, HEAD, ROW, ("u2", *ROW[1:]), (None, *ROW[1:]), change=merge)
    (tmp_path / "m.toml").write_text(SALES, "utf-8")
    receipt = collect.import_file(shop, str(tmp_path / "sales.xlsx"), str(tmp_path / "m.toml"))
    assert (receipt.rows_read, receipt.new, receipt.refused) == (3, 1, 2)
    found = collect.refused(shop, receipt.import_id).rows
    assert {(r.row, r.field) for r in found} == {(3, "user"), (4, "user")}
    assert "merged over the rows 3 to 4" in found[0].reason
    again = collect.retry(shop, receipt.import_id, values={r.number: {"user": "u2"} for r in found})
    assert again.new == 2


def test_a_title_above_the_table_is_passed_over(cleaned: Clean, tmp_path: Path) -> None:
    def merge(made: Any) -> None:
        made.active.merge_cells("A1:E1")

    assert len(run(cleaned, tmp_path, ("Sales of January",), HEAD, ROW, change=merge).rows) == 1
    assert len(run(cleaned, tmp_path, ("Sales of January",), (None,), HEAD, ROW).rows) == 1


def test_a_merged_header_stops_the_import(cleaned: Clean, tmp_path: Path) -> None:
    def merge(made: Any) -> None:
        made.active.merge_cells("A1:B1")

    with pytest.raises(BadInput, match="merged cells: it names no columns"):
        run(cleaned, tmp_path, ("user", None, *HEAD[2:]), ROW, change=merge)


def test_formulas_count_by_their_saved_value_and_are_refused_without(
    cleaned: Clean, tmp_path: Path
) -> None:
    content = book(tmp_path, HEAD, ROW, (*ROW[:3], "=1+1", 9.5), (*ROW[:3], "=1/0", 9.5))
    path = "xl/worksheets/sheet1.xml"
    with zipfile.ZipFile(tmp_path / "sales.xlsx") as archive:
        xml = archive.read(path)
    bare = cleaned(content, name="sales.xlsx")
    assert [(r, f) for r, f, _ in bare.reasons] == [(3, "n"), (4, "n")]
    assert "no saved value" in bare.reasons[0][2]
    for formula, value in ((b"1+1", b"2"), (b"1/0", b"#DIV/0!")):
        kind = b' t="e"' if value.startswith(b"#") else b""
        start = xml.index(b"<f>" + formula)
        cell = xml.rindex(b"<c ", 0, start)
        end = xml.index(b"</c>", start)
        inner = b"<c" + kind + b" r=" + xml[cell:].split(b"r=", 1)[1].split(b" ")[0].split(b">")[0]
        xml = xml[:cell] + inner + b"><f>" + formula + b"</f><v>" + value + b"</v>" + xml[end:]
    counted = cleaned(repacked(content, tmp_path, {path: xml}), name="sales.xlsx")
    assert [r["quantity"] for r in counted.rows] == [2, 2]
    assert [(r, f, why) for r, f, why in counted.reasons] == [(4, "n", "the cell says #DIV/0!")]


def test_macros_are_refused_by_what_is_inside(cleaned: Clean, tmp_path: Path) -> None:
    content = book(tmp_path, HEAD, ROW)
    for name in ("sales.xlsx", "sales.xlsm"):
        with pytest.raises(BadInput, match="macros"):
            cleaned(repacked(content, tmp_path, {"xl/vbaProject.bin": b"x"}), name=name)


@pytest.mark.parametrize(
    "content", [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 old", b"PK\x03\x04 torn", b"user,at\n"]
)
def test_what_is_no_workbook_is_refused(cleaned: Clean, content: bytes) -> None:
    with pytest.raises(BadInput, match=r"not an Excel workbook|old format"):
        cleaned(content, name="sales.xlsx")


def test_a_workbook_cut_short_or_with_a_damaged_part_is_refused(
    cleaned: Clean, tmp_path: Path
) -> None:
    content = book(tmp_path, HEAD, *[ROW] * 50)
    with pytest.raises(ShopkeeperError):
        cleaned(content[: len(content) // 2], name="sales.xlsx")
    path = "xl/worksheets/sheet1.xml"
    for part, without in (
        ({path: b"<worksheet><sheetData><row"}, ""),
        ({}, path),
        ({}, "xl/workbook.xml"),
    ):
        with pytest.raises(BadInput, match=r"Excel workbook|no sheet of cells"):
            cleaned(repacked(content, tmp_path, part, without=without), name="sales.xlsx")


def test_a_bomb_is_refused_before_it_is_unpacked(cleaned: Clean, tmp_path: Path) -> None:
    content = book(tmp_path, HEAD, ROW)
    texts = repacked(content, tmp_path, {"xl/sharedStrings.xml": b" " * (130 << 20)})
    with pytest.raises(TooLarge):
        cleaned(texts, name="sales.xlsx")
    entries = {f"xl/media/{n}": b"" for n in range(5_001)}
    with pytest.raises(TooLarge):
        cleaned(repacked(content, tmp_path, entries), name="sales.xlsx")


def test_cells_beyond_the_header_and_doubled_names_are_refused(
    cleaned: Clean, tmp_path: Path
) -> None:
    assert [r[:2] for r in run(cleaned, tmp_path, HEAD, (*ROW, "more")).reasons] == [(2, "(row)")]
    with pytest.raises(BadInput, match="Two columns"):
        run(cleaned, tmp_path, (*HEAD, "n"), ROW)
    with pytest.raises(BadInput, match="empty sheet"):
        run(cleaned, tmp_path)


def test_a_text_that_is_a_formula_is_made_harmless(cleaned: Clean, tmp_path: Path) -> None:
    def write(made: Any) -> None:
        cell = made.active["C2"]
        cell.value, cell.data_type = "=cmd|' /C calc'!A0", "s"

    rows = run(cleaned, tmp_path, HEAD, ROW, change=write).rows
    assert rows[0]["item_id"].startswith("'=")


@pytest.mark.parametrize(
    "entities",
    ['<!ENTITY e SYSTEM "file:///etc/hostname">',
     '<!ENTITY l0 "lol">' + "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
     + '<!ENTITY e "&l9;">'],
    ids=["of a file", "that multiply"],
)  # fmt: skip
def test_entities_are_refused(cleaned: Clean, tmp_path: Path, entities: str) -> None:
    xml = (
        f'<?xml version="1.0"?><!DOCTYPE x [{entities}]>'
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1" t="inlineStr"><is><t>&e;</t></is></c></row></sheetData></worksheet>'
    )
    content = book(tmp_path, HEAD, ROW)
    with pytest.raises(BadInput, match="not a whole Excel workbook"):
        cleaned(
            repacked(content, tmp_path, {"xl/worksheets/sheet1.xml": xml.encode()}),
            name="sales.xlsx",
        )
