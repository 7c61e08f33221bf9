"""What tea-tasting and gbstats say of given samples, run by an environment of their own.

Called with a JSON file {"cases": [{"shape", "adjusted", "control": {"y", "x", "a", "b"}, "treatment": …}]}
of lists of numbers; answers with JSON on its output, one dictionary of figures a case and engine.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

ALPHA = 0.05
EXPECTED = 20_000.0


def gbstats(case: dict[str, Any]) -> dict[str, float]:
    """The fixed and the sequential test of gbstats, absolute and relative."""
    from gbstats.frequentist.tests import (
        FrequentistConfig,
        SequentialConfig,
        SequentialTwoSidedTTest,
        TwoSidedTTest,
    )
    from gbstats.models.statistics import compute_theta

    arms = [_statistic(case, case[side]) for side in ("control", "treatment")]
    if case["adjusted"]:
        theta = compute_theta(*arms)
        for arm in arms:
            arm.theta = theta
    found: dict[str, float] = {}
    for kind in ("absolute", "relative"):
        config = FrequentistConfig(difference_type=kind, alpha=ALPHA)
        test = TwoSidedTTest(*arms, config)
        reply = test.compute_result()
        found[f"{kind}.value"] = reply.expected
        found[f"{kind}.error"] = float(np.sqrt(test.variance))
        if kind == "absolute":
            found["p_value"] = reply.p_value
            found["absolute.low"], found["absolute.high"] = map(float, reply.ci)
            wide = SequentialConfig(
                difference_type=kind, alpha=ALPHA, sequential_tuning_parameter=EXPECTED
            )
            sequential = SequentialTwoSidedTTest(*arms, wide).compute_result()
            found["anytime.low"], found["anytime.high"] = map(float, sequential.ci)
    return found


def _statistic(case: dict[str, Any], arm: dict[str, Any]) -> Any:
    from gbstats.models import statistics as s

    y = np.asarray(arm["y"])
    n = len(y)

    def mean(values: Any) -> Any:
        return s.SampleMeanStatistic(
            n=n, sum=float(values.sum()), sum_squares=float((values**2).sum())
        )

    if case["shape"] == "ratio":
        x = np.asarray(arm["x"])
        return s.RatioStatistic(
            n=n, m_statistic=mean(y), d_statistic=mean(x), m_d_sum_of_products=float((x * y).sum())
        )
    post = (
        s.ProportionStatistic(n=n, sum=int(y.sum())) if case["shape"] == "proportion" else mean(y)
    )
    if not case["adjusted"]:
        return post
    a = np.asarray(arm["a"])
    return s.RegressionAdjustedStatistic(
        n=n,
        post_statistic=post,
        pre_statistic=mean(a),
        post_pre_sum_of_products=float((a * y).sum()),
        theta=0.0,
    )


def tea_tasting(case: dict[str, Any]) -> dict[str, float]:
    """The same by tea-tasting: means and ratios, with and without CUPED."""
    import pyarrow as pa
    import tea_tasting as tt

    arms = (case["control"], case["treatment"])
    columns = {
        name: np.concatenate([np.asarray(arm[name], float) for arm in arms]) for name in arms[0]
    }
    columns["variant"] = np.repeat([0, 1], [len(arm["y"]) for arm in arms])
    adjusted = case["adjusted"]
    metric: Any
    if case["shape"] == "ratio":
        before = ("a", "b") if adjusted else (None, None)
        metric = tt.RatioOfMeans("y", "x", *before)
    else:
        metric = tt.Mean("y", "a" if adjusted else None)
    reply = tt.Experiment(m=metric).analyze(pa.table(columns))["m"]
    return {
        "absolute.value": float(reply.effect_size),
        "absolute.low": float(reply.effect_size_ci_lower),
        "absolute.high": float(reply.effect_size_ci_upper),
        "absolute.error": float(reply.effect_size / reply.statistic),
        "p_value": float(reply.pvalue),
    }


def main() -> None:
    """Answer every case."""
    cases = json.loads(Path(sys.argv[1]).read_text("utf-8"))["cases"]
    replies = []
    for case in cases:
        reply = {}
        if not (case["shape"] == "ratio" and case["adjusted"]):  # the wheel has no CUPED for ratios
            reply["gbstats"] = gbstats(case)
        if case["shape"] != "proportion":  # tea-tasting takes the sample's variance of a share
            reply["tea_tasting"] = tea_tasting(case)
        replies.append(reply)
    print(json.dumps(replies))


if __name__ == "__main__":
    main()
