"""Units added up to sufficient statistics, one row per group and bucket, for many metrics at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from shopkeeper.core.operation import Context
from shopkeeper.metrics.definitions import Metric, Unit
from shopkeeper.metrics.units import BEFORE, NOW, Question, units
from shopkeeper.stats.summary import Mean, Products, Proportion, Ratio
from shopkeeper.warehouse.source import Frame, Source

Row = Mapping[str, Any]

_QUOTIENTS = ("share", "mean", "ratio")
_PAIRS = (("y", "y"), ("y", "x"), ("x", "y"), ("x", "x"))


def totals(ctx: Context, asked: Question) -> list[dict[str, Any]]:
    """The answer's rows in one query; read them with the functions below."""
    rows: list[dict[str, Any]] = ctx.shop.query(lambda source: build(source, asked)).to_pylist()
    return rows


def build(source: Source, asked: Question) -> Frame:
    """The query of :func:`totals`."""
    frame = units(source, asked)
    terms = [
        term.alias(f"{metric.name}_{part}{suffix}")
        for metric in asked.metrics
        for suffix in asked.periods
        for part, term in _terms(metric, suffix).items()
    ]
    frame = frame.select(*asked.keys, *terms)
    sums = [e for metric in asked.metrics for e in _sums(metric, tuple(asked.periods))]
    return frame.group_by(*asked.keys).agg(*sums) if asked.keys else frame.select(*sums)


def total(row: Row | None, metric: Metric, suffix: str = NOW) -> float:
    """The sum of the metric's values; 0 where there is no row."""
    return _get(row, f"{metric.name}_y{suffix}")


def divisor(row: Row | None, metric: Metric, suffix: str = NOW) -> float:
    """The sum of what the metric divides by."""
    return _get(row, f"{metric.name}_x{suffix}")


def basis(row: Row | None, metric: Metric, suffix: str = NOW) -> tuple[float, float]:
    """The part and the whole of what the metric rests on."""
    return _get(row, f"{metric.name}_part{suffix}"), _get(row, f"{metric.name}_whole{suffix}")


def proportion(row: Row | None, metric: Metric, suffix: str = NOW) -> Proportion:
    """The units of a share."""
    return Proportion(round(divisor(row, metric, suffix)), round(total(row, metric, suffix)))


def mean(row: Row | None, metric: Metric, suffix: str = NOW) -> Mean:
    """The values of a mean."""
    return Mean(
        round(divisor(row, metric, suffix)),
        total(row, metric, suffix),
        _get(row, f"{metric.name}_yy{suffix}"),
    )


def ratio(row: Row | None, metric: Metric, suffix: str = NOW) -> Ratio:
    """The units of any metric with an interval, as a ratio of two sums."""
    name = metric.name
    n = round(_get(row, f"{name}_n{suffix}"))
    values = (_get(row, f"{name}_{part}{suffix}") for part in ("y", "x", "yy", "xy", "xx"))
    return Ratio(n, *values)


def products(row: Row | None, metric: Metric) -> Products:
    """What correlates the metric's figures of the two periods."""
    return Products(*(_get(row, f"{metric.name}_{a}{b}_both") for a, b in _PAIRS))


def swap_variance(row: Row | None, metric: Metric) -> float:
    """The variance of the change if each unit's two periods had been swapped by the toss of a coin."""
    return _get(row, f"{metric.name}_dd_both")


def _get(row: Row | None, column: str) -> float:
    return float((row.get(column) if row else None) or 0.0)


def _terms(metric: Metric, suffix: str) -> dict[str, nw.Expr]:
    unit = Unit(suffix)
    value = metric.value(unit)
    if metric.kind == "count":
        value = _flag(value)
    terms = {"y": value}
    if metric.over is not None:
        over = metric.over(unit)
        if metric.kind in ("share", "mean"):
            terms["x"] = _flag(over)
            held = _flag(value) if metric.kind == "share" else value
            terms["y"] = nw.when(over).then(held).otherwise(0.0)
        else:
            terms["x"] = over
    if metric.basis is not None:
        terms["part"], terms["whole"] = metric.basis.part(unit), metric.basis.whole(unit)
    return terms


def _flag(condition: nw.Expr) -> nw.Expr:
    return nw.when(condition).then(1.0).otherwise(0.0)


def _sums(metric: Metric, suffixes: tuple[str, ...]) -> list[nw.Expr]:
    made: list[nw.Expr] = []
    for suffix in suffixes:
        made += _period_sums(metric, suffix)
    if BEFORE not in suffixes:
        return made
    name = metric.name
    if metric.kind in _QUOTIENTS:
        made += [
            (nw.col(f"{name}_{a}{NOW}") * nw.col(f"{name}_{b}{BEFORE}"))
            .sum()
            .alias(f"{name}_{a}{b}_both")
            for a, b in _PAIRS
        ]
    elif metric.kind != "quotient":
        gap = nw.col(f"{name}_y{NOW}") - nw.col(f"{name}_y{BEFORE}")
        made.append((gap * gap).sum().alias(f"{name}_dd_both"))
    return made


def _period_sums(metric: Metric, suffix: str) -> list[nw.Expr]:
    def column(part: str) -> nw.Expr:
        return nw.col(f"{metric.name}_{part}{suffix}")

    parts = ["y", *(["x"] if metric.over else []), *(["part", "whole"] if metric.basis else [])]
    made = {part: column(part).sum() for part in parts}
    if metric.kind in _QUOTIENTS:
        y, x = column("y"), column("x")
        made |= {"yy": (y * y).sum(), "xy": (x * y).sum(), "xx": (x * x).sum()}
        made["n"] = _flag((y != 0.0) | (x != 0.0)).sum()
    return [expression.alias(f"{metric.name}_{part}{suffix}") for part, expression in made.items()]
