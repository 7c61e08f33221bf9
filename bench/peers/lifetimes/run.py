"""BG/NBD of `lifetimes`; runs in an environment of its own (see bench/know.py).

Arguments: the input (.npz: repeats, last, age, horizon), the output (.npz: expected, parameters).
"""

from __future__ import annotations

import sys
import warnings

import numpy as np
from lifetimes import BetaGeoFitter


def main() -> None:
    """Fit without a penalty and predict."""
    source, target = sys.argv[1:]
    given = np.load(source)
    repeats, last, age = given["repeats"], given["last"], given["age"]
    warnings.simplefilter("ignore")
    model = BetaGeoFitter(penalizer_coef=0.0)
    model.fit(repeats, last, age)
    expected = model.conditional_expected_number_of_purchases_up_to_time(
        float(given["horizon"]), repeats, last, age
    )
    parameters = np.array([model.params_[name] for name in ("r", "alpha", "a", "b")])
    np.savez(target, expected=np.asarray(expected), parameters=parameters)


main()
