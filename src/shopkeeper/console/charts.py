"""Charts as ECharts options: quiet, in the report's colours, readable in the dark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from nicegui import ui

from shopkeeper.console import figures
from shopkeeper.console.visit import Visit
from shopkeeper.core.types import CannotSay, Estimate
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


def amounts(visit: Visit, names: list[str], values: Sequence[int], label: str) -> ui.echart:
    """A bar for each name, the first on top."""
    options = _frame(visit, names[::-1], "", description=label)
    options["xAxis"], options["yAxis"] = options["yAxis"], options["xAxis"]
    options["yAxis"]["axisLabel"] |= {"width": 190, "overflow": "truncate", "interval": 0}
    options["grid"] |= {"left": 8, "right": 44, "top": 8}
    bar = _bar(label, [float(one) for one in values[::-1]], _INKS[0])
    options["series"] = [bar | {"label": {"show": True, "position": "right", "color": _SOFT}}]
    return _drawn(options).style(f"height:{48 + 30 * len(names)}px")


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


def spans(visit: Visit, names: list[str], known: Sequence[Estimate], label: str) -> ui.echart:
    """One point with its interval for each name."""
    options = _frame(visit, names, "", description=label)
    options["yAxis"]["axisLabel"].pop(":formatter")
    options["xAxis"]["axisLabel"] |= {"interval": 0, "rotate": 30}
    low = [round(one.low, 6) for one in known]
    width = [round(one.high - one.low, 6) for one in known]
    clear = {"color": "transparent"}
    options["series"] = [
        {"type": "bar", "stack": "s", "data": low, "itemStyle": clear, "tooltip": {"show": False}},
        {
            "type": "bar",
            "stack": "s",
            "data": width,
            "barMaxWidth": 10,
            "itemStyle": {"color": _INKS[0] + "55", "borderRadius": 4},
            "tooltip": {"show": False},
        },
        {
            "name": label,
            "type": "scatter",
            "data": [round(one.value, 6) for one in known],
            "symbolSize": 9,
            "itemStyle": {"color": _INKS[0]},
        },
    ]
    return _drawn(options)


def effects(visit: Visit, names: list[str], known: Sequence[Estimate], label: str) -> ui.echart:
    """A relative effect with its interval for each name, the first on top, beside a line at 0."""
    options = _frame(visit, names[::-1], "share", description=label)
    options["xAxis"], options["yAxis"] = options["yAxis"], options["xAxis"]
    options["yAxis"]["axisLabel"] |= {"width": 132, "overflow": "truncate", "interval": 0}
    options["grid"] |= {"left": 8, "right": 28, "top": 12}
    options["tooltip"] = {"show": False}
    zero = {"xAxis": 0, "lineStyle": {"color": _SOFT, "type": "dashed", "width": 1.2}}
    rows = list(known)[::-1]
    # A thick line from end to end of each interval; with lines of their own, ends may lie beyond 0.
    options["series"] = [
        {
            "type": "line",
            "data": [[round(one.low, 6), place], [round(one.high, 6), place]],
            "showSymbol": False,
            "silent": True,
            "lineStyle": {"color": _INKS[0], "width": 12, "opacity": 0.3, "cap": "round"},
        }
        for place, one in enumerate(rows)
    ]
    options["series"].append(
        {
            "name": label,
            "type": "scatter",
            "data": [[round(one.value, 6), place] for place, one in enumerate(rows)],
            "symbolSize": 14,
            "itemStyle": {"color": _INKS[0]},
            "markLine": {
                "silent": True,
                "symbol": "none",
                "label": {"show": False},
                "data": [zero],
            },
        }
    )
    return _drawn(options).style(f"height:{76 + 44 * len(names)}px")


def reliability(visit: Visit, pairs: Sequence[tuple[float, float]], label: str) -> ui.echart:
    """What was claimed beside what happened; on the line both are equal."""
    options = _frame(visit, [], "share", description=label)
    axis = options["yAxis"]
    most = max((max(pair) for pair in pairs), default=1.0) * 1.05
    options["xAxis"] = {**axis, "max": round(most, 6), "name": visit.w("model.claimed")}
    options["yAxis"] = {**axis, "max": round(most, 6), "name": visit.w("model.happened")}
    options["tooltip"]["trigger"] = "item"
    options["series"] = [
        {
            "type": "line",
            "data": [[0, 0], [most, most]],
            "showSymbol": False,
            "lineStyle": {"type": "dashed", "width": 1.2, "color": "#9aa0a8"},
        },
        {
            "name": label,
            "type": "scatter",
            "data": [[round(claimed, 6), round(happened, 6)] for claimed, happened in pairs],
            "symbolSize": 9,
            "itemStyle": {"color": _INKS[0]},
        },
    ]
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


def interval(
    visit: Visit,
    names: list[str],
    lows: list[float | None],
    values: list[float],
    highs: list[float | None],
    words: tuple[str, str, str],
) -> ui.echart:
    """A relative or absolute difference over time with its interval as a band, and a line at 0.

    ``words`` are the unit, what is shown, and what the band is called.
    """
    unit, label, band = words
    options = _frame(visit, names, unit, description=label)
    options["tooltip"] = {"show": False}
    # A band is two stacked areas: an unseen one up to its foot, and its height above that.
    heights = [
        None if low is None or high is None else round(high - low, 6)
        for low, high in zip(lows, highs, strict=True)
    ]
    base = {"type": "line", "stack": "band", "stackStrategy": "all", "showSymbol": False}
    line = {"lineStyle": {"opacity": 0}}
    foot = [None if low is None else round(low, 6) for low in lows]
    options["series"] = [
        {"name": "", "data": foot, "silent": True, **base, **line},
        {
            "name": band, "data": heights, "itemStyle": {"color": _INKS[0]},
            "areaStyle": {"opacity": 0.16, "color": _INKS[0]}, "silent": True, **base, **line,
        },
        {
            "name": label, "type": "line", "data": [round(value, 6) for value in values],
            "showSymbol": len(values) < 3, "lineStyle": {"width": 2.2},
            "itemStyle": {"color": _INKS[0]},
            "markLine": {
                "silent": True, "symbol": "none", "label": {"show": False},
                "lineStyle": {"color": _SOFT, "type": "solid", "width": 1},
                "data": [{"yAxis": 0}],
            },
        },
    ]  # fmt: skip
    options["legend"] = _legend() | {"data": [label, band]}
    return _drawn(options)


def dots(groups: dict[str, list[tuple[float, float, str]]], label: str) -> ui.echart:
    """Points of several groups, a colour each; near ones are alike. The third of a point is its name."""
    options = _plane(label)
    for axis in ("xAxis", "yAxis"):
        options[axis] |= {"axisLabel": {"show": False}, "axisTick": {"show": False}}
    options["tooltip"] |= {":formatter": "p => p.data.name + ' · ' + p.seriesName"}
    options["series"] = [
        {
            "name": name,
            "type": "scatter",
            "symbolSize": 6,
            "itemStyle": {"opacity": 0.65},
            "data": [{"value": [x, y], "name": who} for x, y, who in points],
        }
        for name, points in groups.items()
    ]
    options["legend"] = _legend() | {"type": "scroll", "right": None, "left": 4}
    return _drawn(options).style("height:420px")


def sankey(links: Sequence[tuple[str, str, int]], label: str) -> ui.echart:
    """Where visits flow from and to. A node's name begins with its place, by which its column is told."""
    names = sorted({name for source, target, _ in links for name in (source, target)})
    first = min(int(name.partition(" ")[0]) for name in names)
    options = {
        "animationDuration": 250,
        "textStyle": {"fontFamily": _FONT, "color": _SOFT},
        "color": list(_INKS),
        "aria": {"enabled": True, "label": {"description": label}},
        "tooltip": {"trigger": "item", "renderMode": "richText", "confine": True},
        "series": [
            {
                "type": "sankey",
                "left": 8,
                "right": 120,
                "nodeGap": 12,
                "draggable": False,
                "layoutIterations": 32,
                "label": {
                    "color": _SOFT,
                    ":formatter": "p => p.name.slice(p.name.indexOf(' ') + 1)",
                },
                "lineStyle": {"color": "gradient", "opacity": 0.35},
                "data": [
                    {"name": name, "depth": int(name.partition(" ")[0]) - first} for name in names
                ],
                "links": [{"source": s, "target": t, "value": n} for s, t, n in links],
            }
        ],
    }
    return _drawn(options)


def calibration(
    visit: Visit, bins: list[tuple[float, float, float, float]], label: str
) -> ui.echart:
    """What was said (across) and what came (up) with its interval, beside the line where both are equal."""
    options = _plane(label)
    for axis, name, gap in (("xAxis", "said", 30), ("yAxis", "came", 46)):
        options[axis] |= {
            "min": 0,
            "max": 1,
            "name": visit.w(f"predictions.{name}"),
            "nameLocation": "middle",
            "nameGap": gap,
            "axisLabel": {"color": _SOFT, ":formatter": _formatter(visit, True, False)},
        }
    options["grid"] |= {"bottom": 26, "left": 34}
    line = {"type": "line", "showSymbol": False, "silent": True}
    options["series"] = [
        line | {"data": [[0, 0], [1, 1]], "lineStyle": {"type": "dashed", "color": "#9aa0a8"}},
        *(
            line
            | {"data": [[said, low], [said, high]], "lineStyle": {"color": _INKS[0], "width": 1.5}}
            for said, _, low, high in bins
        ),
        {"type": "scatter", "symbolSize": 9, "data": [[said, came] for said, came, _, _ in bins]},
    ]
    return _drawn(options).style("height:320px")


def _plane(label: str) -> dict[str, Any]:
    """Two axes of numbers."""
    axis = {
        "type": "value",
        "scale": True,
        "splitLine": {"lineStyle": {"color": _GRID}},
        "axisLine": {"lineStyle": {"color": _GRID}},
    }
    return {
        "animationDuration": 250,
        "textStyle": {"fontFamily": _FONT, "color": _SOFT},
        "color": list(_INKS),
        "aria": {"enabled": True, "label": {"description": label}},
        "grid": {"left": 8, "right": 16, "top": 40, "bottom": 6, "containLabel": True},
        # Drawn on the canvas: a name from the data cannot become markup there.
        "tooltip": {"trigger": "item", "renderMode": "richText", "confine": True},
        "xAxis": dict(axis),
        "yAxis": dict(axis),
    }
