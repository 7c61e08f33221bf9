"""Charts draw what they are given, and nothing else."""

import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopkeeper.report import charts
from shopkeeper.report.charts import Cell, Point
from shopkeeper.report.parts import clipped

_SVG = "{http://www.w3.org/2000/svg}"


def _parsed(svg: str) -> ET.Element:
    return ET.fromstring(str(svg).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


def _points(values: list[float | None], partial: int | None = None) -> list[Point]:
    return [Point(f"d{i}", v, f"d{i}: {v}", i == partial) for i, v in enumerate(values)]


def _line(now: list[Point], before: list[Point] | None = None) -> str:
    return charts.line("x", ("T <&>", "D"), now, before or [], write=lambda v: f"{v:g}")


VALUES = st.lists(st.one_of(st.none(), st.floats(-1e12, 1e12)), min_size=0, max_size=40)


@settings(max_examples=80, deadline=None)
@given(VALUES, VALUES)
def test_any_values_give_a_drawing_inside_its_frame(
    now: list[float | None], before: list[float | None]
) -> None:
    svg = _line(_points(now), _points(before))
    if not any(v is not None for v in (*now, *before)):
        assert svg == ""
        return
    assert "nan" not in svg
    assert "inf" not in svg
    root = _parsed(svg)
    known = [v for v in now if v is not None]
    circles = root.findall(f".//{_SVG}circle")
    assert len(circles) == len(known)
    for circle in circles:
        assert -0.2 <= float(circle.get("cx") or -1) <= charts.WIDE.width
        assert -0.2 <= float(circle.get("cy") or -1) <= charts.WIDE.height


def test_higher_values_stand_higher_and_each_mark_says_its_value() -> None:
    root = _parsed(_line(_points([1.0, 3.0, 2.0])))
    heights = [float(c.get("cy") or 0) for c in root.findall(f".//{_SVG}circle")]
    assert heights[1] < heights[2] < heights[0]
    tips = [t.text for t in root.findall(f".//{_SVG}g/{_SVG}title")]
    assert tips == ["d0: 1.0", "d1: 3.0", "d2: 2.0"]


def test_ticks_lie_where_they_say() -> None:
    root = _parsed(_line(_points([0.0, 100.0])))
    ticks = {
        text.text: float(text.get("y") or 0) - 4
        for text in root.findall(f"{_SVG}text")
        if "end" in (text.get("class") or "") and (text.text or "").isdigit()
    }
    first, last = (float(c.get("cy") or 0) for c in root.findall(f".//{_SVG}circle"))
    assert first == pytest.approx(ticks["0"], abs=0.2)
    assert last == pytest.approx(ticks["100"], abs=0.2)


def test_a_partial_bucket_is_a_dot_and_not_part_of_the_line() -> None:
    svg = _line(_points([5.0, 6.0, 1.0], partial=2))
    solid = re.search(r'class="now" d="([^"]*)"', svg)
    assert solid is not None
    assert solid[1].count("L") == 1
    assert svg.count('class="dot part"') == 1


def test_text_is_escaped_in_every_chart() -> None:
    evil = '</title><script>x</script>"'
    line = charts.line("x", (evil, evil), [Point(evil, v, evil) for v in (1.0, 2.0)], write=str)
    heat = charts.heat("h", (evil, evil), [evil], [(evil, [Cell(0.5, evil, evil)])])
    for svg in (line, heat, charts.bar(0.5, evil)):
        assert "<script" not in svg
        _parsed(svg)


@pytest.mark.parametrize(
    ("share", "width"), [(0, "0"), (0.5, "50"), (1, "100"), (7, "100"), (-1, "0")]
)
def test_a_bar_fills_its_share_and_never_more(share: float, width: str) -> None:
    assert f'class="fill" x="0" width="{width}"' in charts.bar(share, "")


def test_a_tiny_share_can_still_be_seen() -> None:
    assert 'width="0.6"' in charts.bar(0.0001, "")


def test_a_heat_map_is_darkest_where_most_came_back() -> None:
    cells = [Cell(1.0, "9", ""), Cell(0.1, "10%", ""), Cell(0.4, "40%", ""), Cell(None, "", "")]
    root = _parsed(charts.heat("h", ("t", "d"), ["a", "b", "c", "d"], [("r", cells)]))
    assert [r.get("class") for r in root.findall(f".//{_SVG}rect")] == ["hown", "h2", "h7"]


def test_a_spark_needs_three_points() -> None:
    assert charts.spark(_points([1.0, 2.0])) == ""
    assert "path" in charts.spark(_points([1.0, 2.0, 3.0]))


@given(st.text(max_size=200))
def test_clipped_text_is_short_plain_and_loses_nothing(text: str) -> None:
    cell = clipped(text, 20)
    assert len(cell.text) <= 20
    assert all(c.isprintable() for c in cell.text + cell.full)
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    assert (cell.full or cell.text) == plain
