"""Charts as ECharts options: quiet, in the report's colours, readable in the dark."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from shopkeeper.console import figures
from shopkeeper.console.visit import Visit
from shopkeeper.core.types import CannotSay
from shopkeeper.metrics.types import Amount, Breakdown, Line, Series

_INKS = ("#2a8a7f", "#c9872f", "#5b7db1", "#a8577e", "#7a8b3c", "#8a8f98")
_SOFT = "#8a93a0"
_GRID = "#8a93a033"
_FONT = '"PingFang SC","Microsoft YaHei","Noto Sans CJK SC",system-ui,sans-serif'


def lines(visit: Visit, series: Series, before: Series | None, unit: str, label: str) -> ui.echart:
    """One metric over time, with the period before as a dashed line behind it."""
    line = series.lines[0]
    days = [visit.n.brief(p.start, series.cycle) for p in line.points]
    options = _frame(visit, days, unit, description=described(visit, series, label, unit))
    if before and before.lines and len(before.lines[0].points) <= len(days):
        options["series"].append(_before(before.lines[0], visit.w("trend.before")))
    options["series"].append(_now(line, visit.w("trend.now")))
    options["legend"] = _legend()
    return _drawn(options)


def bars(visit: Visit, breakdown: Breakdown, unit: str, label: str) -> ui.echart:
    """Groups from the largest down, with the period before beside each."""
    groups = [g for g in breakdown.groups if not g.rest][::-1]
    names = [g.group or visit.w("overview.unknown_group") for g in groups]
    options = _frame(visit, names, unit, description=label)
    options["xAxis"], options["yAxis"] = options["yAxis"], options["xAxis"]
    options["yAxis"]["axisLabel"] |= {"width": 132, "overflow": "truncate"}
    options["grid"] |= {"left": 8, "right": 20}
    before = [_number(g.figure.before) for g in groups]
    now = [_number(g.figure.value) for g in groups]
    options["series"] = [
        _bar(visit.w("trend.before"), before, "#9aa0a877"),
        _bar(visit.w("trend.now"), now, _INKS[0]),
    ]
    options["legend"] = _legend()
    return _drawn(options).style(f"height:{max(180, 64 + 40 * len(groups))}px")


def course(visit: Visit, names: list[str], values: list[float], unit: str, label: str) -> ui.echart:
    """One line over time, of values that are known already."""
    options = _frame(visit, names, unit, description=label)
    options["series"].append(
        {
            "name": label,
            "type": "line",
            "data": [round(value, 6) for value in values],
            "showSymbol": len(values) < 3,
            "lineStyle": {"width": 2.2},
            "itemStyle": {"color": _INKS[0]},
            "areaStyle": {"opacity": 0.08},
        }
    )
    return _drawn(options)


def _frame(visit: Visit, names: list[str], unit: str, *, description: str) -> dict[str, Any]:
    share = unit == "share"
    return {
        "animationDuration": 250,
        "textStyle": {"fontFamily": _FONT, "color": _SOFT},
        "color": list(_INKS),
        "aria": {"enabled": True, "label": {"description": description}},
        "grid": {"left": 8, "right": 12, "top": 34, "bottom": 6, "containLabel": True},
        # Drawn on the canvas: a name from the data cannot become markup there.
        "tooltip": {"trigger": "axis", "renderMode": "richText", "confine": True},
        "xAxis": {
            "type": "category",
            "data": names,
            "axisLine": {"lineStyle": {"color": _GRID}},
            "axisTick": {"show": False},
            "axisLabel": {"color": _SOFT, "hideOverlap": True},
        },
        "yAxis": {
            "type": "value",
            "splitNumber": 4,
            "splitLine": {"lineStyle": {"color": _GRID}},
            "axisLabel": {
                "color": _SOFT,
                "hideOverlap": True,
                ":formatter": _formatter(visit, share, unit == "money"),
            },
        },
        "series": [],
    }


def _formatter(visit: Visit, share: bool, money: bool) -> str:
    """How the axis writes numbers. The only text in it is the currency's sign, which is one of ours."""
    if share:
        return "v => Math.round(v * 1000) / 10 + '%'"
    sign = visit.n.symbol.replace("\\", "").replace("'", "") if money else ""
    if visit.lang == "zh":
        return (
            f"v => Math.abs(v) >= 1e4 ? '{sign}' + (v / 1e4).toLocaleString() + '万'"
            f" : '{sign}' + v.toLocaleString()"
        )
    return (
        f"v => Math.abs(v) >= 1e6 ? '{sign}' + (v / 1e6).toLocaleString() + 'm' : Math.abs(v) >= 1e4 ?"
        f" '{sign}' + (v / 1e3).toLocaleString() + 'k' : '{sign}' + v.toLocaleString()"
    )


def _now(line: Line, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "line",
        "data": [_number(p.value) for p in line.points],
        "showSymbol": len(line.points) < 3,
        "lineStyle": {"width": 2.2},
        "itemStyle": {"color": _INKS[0]},
        "areaStyle": {"opacity": 0.08},
    }


def _before(line: Line, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "line",
        "data": [_number(p.value) for p in line.points],
        "showSymbol": False,
        "lineStyle": {"width": 1.5, "type": "dashed"},
        "itemStyle": {"color": "#9aa0a8"},
    }


def _bar(name: str, data: list[float | None], colour: str) -> dict[str, Any]:
    return {
        "name": name,
        "type": "bar",
        "data": data,
        "barMaxWidth": 11,
        "barGap": "25%",
        "itemStyle": {"color": colour, "borderRadius": [0, 4, 4, 0]},
    }


def _legend() -> dict[str, Any]:
    return {"top": 0, "right": 4, "itemWidth": 16, "itemHeight": 8, "textStyle": {"color": _SOFT}}


def _drawn(options: dict[str, Any]) -> ui.echart:
    return _Chart(options).classes("chart")


class _Chart(ui.echart, component="look/chart.js"):
    """NiceGUI's chart with a life cycle of our own: see the component's first lines."""


def _number(amount: Amount) -> float | None:
    return None if isinstance(amount, CannotSay) else round(amount.value, 6)


def ready(series: Series) -> bool:
    """Whether there are points enough for a line."""
    return bool(series.lines) and len(series.lines[0].points) > 1


def described(visit: Visit, series: Series, label: str, unit: str) -> str:
    """What the chart shows, for who cannot see it."""
    points = [p for p in series.lines[0].points if not isinstance(p.value, CannotSay)]
    most = max(points, key=lambda p: _number(p.value) or 0, default=None)
    if most is None:
        return label
    said = f"{visit.n.brief(most.start, series.cycle)} {figures.full(visit, most.value, unit)}"
    return visit.w("overview.described", label=label, most=said)
