"""Made event_study.json: intervals under relative magnitudes by honestdid 0.1.1 (Python).

Run where honestdid and numpy below 2.3 are installed: ``python event_study.py event_study.json``.
Coefficients and covariances are made up and stored with the results. The covariance is that of
differences from a noisy reference period.
"""

from __future__ import annotations

import json
import sys

import numpy as np

MBAR = [0.5, 1.0, 2.0]


def case(seed: int, before: int, after: int) -> dict[str, object]:
    from honestdid import createSensitivityResults_relativeMagnitudes

    rng = np.random.default_rng(seed)
    size = before + after
    mix = rng.normal(size=(size, 2 * size)) * 0.05
    covariance = mix @ mix.T / (2 * size) + 0.002
    effects = np.r_[np.zeros(before), np.linspace(0.3, 0.8, after)]
    estimates = (effects + rng.multivariate_normal(np.zeros(size), covariance)).round(6)
    covariance = covariance.round(9)
    table = createSensitivityResults_relativeMagnitudes(
        estimates, covariance, before, after, Mbarvec=MBAR, gridPoints=300,
        l_vec=np.full((after, 1), 1 / after),
    )  # fmt: skip
    return {
        "before": before, "estimates": estimates.tolist(), "covariance": covariance.tolist(),
        "mbar": MBAR, "low": np.ravel(table["lb"]).astype(float).tolist(),
        "high": np.ravel(table["ub"]).astype(float).tolist(),
    }  # fmt: skip


def main(path: str) -> None:
    cases = [case(1, 2, 2), case(2, 3, 2), case(3, 2, 3)]
    with open(path, "w") as file:
        json.dump({"made_by": "honestdid 0.1.1, method C-LF", "cases": cases}, file)


if __name__ == "__main__":
    main(sys.argv[1])
