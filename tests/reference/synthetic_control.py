"""Make synthetic_control.json: what independent programs say of two made-up panels.

Run in an environment of its own with cvxpy 1.9.3 (Clarabel 0.11.1), pysyncon 1.7.0 and
diff-diff 3.13.0:

    python tests/reference/synthetic_control.py

``cvxpy`` solves for the weights as the quadratic programs that the papers print; ``pysyncon``
is a synthetic control with its own solver; ``diff-diff`` is synthetic difference-in-differences
by the steps of its authors' program.
"""

from __future__ import annotations

import json
import warnings
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd

TIGHT = {"tol_gap_abs": 1e-13, "tol_gap_rel": 1e-13, "tol_feas": 1e-13}


def panel(seed: int, units: int, periods: int, before: int, treated: int) -> pd.DataFrame:
    """Two common factors, noise, a loss of 4 after the event for the first units."""
    rng = np.random.default_rng(seed)
    factors = rng.normal(size=(2, periods)).cumsum(axis=1)
    loads = rng.normal(1, 0.6, size=(units, 2))
    loads[:treated] = loads[treated:].mean(axis=0) + 0.2
    values = 50 + 4 * rng.normal(size=(units, 1)) + loads @ factors
    values += rng.normal(scale=0.5, size=values.shape)
    values[:treated] += 50 + loads[:treated] @ factors - values[:treated]
    values[:treated] += rng.normal(scale=0.5, size=(treated, periods))
    values[:treated, before:] -= 4
    return pd.DataFrame(
        np.round(values, 3),
        index=[f"u{i:02d}" for i in range(units)],
        columns=range(2000, 2000 + periods),
    )


def simplex(columns: np.ndarray, target: np.ndarray, ridge: float) -> np.ndarray:
    import cvxpy as cp

    weights = cp.Variable(columns.shape[1])
    loss = cp.sum_squares(columns @ weights - target) + ridge**2 * cp.sum_squares(weights)
    problem = cp.Problem(cp.Minimize(loss), [weights >= 0, cp.sum(weights) == 1])
    problem.solve(solver="CLARABEL", **TIGHT)
    return weights.value


def optimum(wide: pd.DataFrame, treated: int, before: int, method: str) -> dict:
    own = wide.iloc[:treated].to_numpy().mean(axis=0)
    donors = wide.iloc[treated:].to_numpy()
    pre = donors[:, :before]
    if method == "sc":
        units, times = simplex(pre.T, own[:before], 0.0), np.zeros(before)
    else:
        noise = np.diff(pre, axis=1).std(ddof=1)
        zeta = (treated * (wide.shape[1] - before)) ** 0.25 * noise
        units = simplex(
            pre.T - pre.T.mean(axis=0), own[:before] - own[:before].mean(), zeta * before**0.5
        )
        after = donors[:, before:].mean(axis=1)
        times = simplex(
            pre - pre.mean(axis=0), after - after.mean(), 1e-6 * noise * len(donors) ** 0.5
        )
    gap = own - units @ donors
    return {
        "unit_weights": units.tolist(),
        "time_weights": times.tolist(),
        "effect": float(gap[before:].mean() - times @ gap[:before]),
    }


def published_steps(wide: pd.DataFrame, treated: int, before: int) -> dict:
    from diff_diff import SyntheticDiD

    long = wide.rename_axis("unit").reset_index().melt("unit", var_name="year", value_name="y")
    long["year"] = long["year"].astype(int)
    long["treated"] = long["unit"].isin(wide.index[:treated]).astype(int)
    model = SyntheticDiD(variance_method="placebo", n_bootstrap=5000, seed=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = model.fit(
            long, outcome="y", treatment="treated", unit="unit", time="year",
            post_periods=list(wide.columns[before:]),
        )  # fmt: skip
    return {"effect": float(fit.att), "std_error_5000_draws": float(fit.se)}


def with_pysyncon(wide: pd.DataFrame, before: int) -> list[float]:
    """Give every earlier outcome the same importance: undo the scaling by its spread."""
    from pysyncon import Synth

    early = wide.iloc[:, :before].T
    donors, own = early.iloc[:, 1:], early.iloc[:, 0]
    model = Synth()
    model.fit(X0=donors, X1=own, Z0=donors, Z1=own, custom_V=np.asarray(early.var(axis=1)))
    return model.W.tolist()


def main() -> None:
    made = {"made_with": {p: version(p) for p in ("cvxpy", "clarabel", "pysyncon", "diff-diff")}}
    for name, (seed, units, periods, before, treated) in {
        "one_treated": (3, 16, 18, 12, 1),
        "three_treated": (5, 20, 16, 10, 3),
    }.items():
        wide = panel(seed, units, periods, before, treated)
        made[name] = {
            "columns": list(wide.columns),
            "values": {unit: row.tolist() for unit, row in wide.iterrows()},
            "treated": list(wide.index[:treated]),
            "start": wide.columns[before],
            "sdid_optimum": optimum(wide, treated, before, "sdid"),
            "sdid_published_steps": published_steps(wide, treated, before),
        }
        if treated == 1:
            made[name]["sc_optimum"] = optimum(wide, treated, before, "sc")
            made[name]["sc_pysyncon_weights"] = with_pysyncon(wide, before)
    out = Path(__file__).with_suffix(".json")
    out.write_text(json.dumps(made, indent=1, default=float) + "\n")


if __name__ == "__main__":
    main()
