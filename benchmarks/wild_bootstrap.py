"""Time the wild cluster bootstrap against pyfixest's and wildboottest's, on one made-up panel.

43 clusters by 20 years, two-way fixed effects, 9,999 draws. The three take turns in one process
after a round that is not counted (it compiles); seconds are medians; estimating the regression
is not timed for anyone. The run stops if the p-values differ by more than chance allows.

wildboottest is not a dependency of the package: run this in an environment of its own that has it
(``pip install wildboottest`` beside the package).
"""

from __future__ import annotations

import argparse
import importlib
import importlib.metadata
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CLUSTERS, YEARS, DRAWS = 43, 20, 9999


def panel(seed: int) -> Any:
    """Return a panel whose errors drift within clusters and share shocks of the years."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {"unit": np.repeat(range(CLUSTERS), YEARS), "year": np.tile(range(YEARS), CLUSTERS)}
    )
    size = len(rows)
    drift = rng.normal(size=(CLUSTERS, 1)) * np.linspace(-1, 1, YEARS)
    rows["x"] = rng.normal(size=size) + drift.ravel()
    rows["y"] = 0.1 * rows["x"] + rng.normal(size=CLUSTERS)[rows["unit"]]
    rows["y"] += rng.normal(size=YEARS)[rows["year"]] + rng.normal(size=size)
    return rows


def ways(rows: Any) -> dict[str, Callable[[int], tuple[float, str]]]:
    """Return each way to a p-value, as a function of a seed: the p-value and a remark."""
    import pyfixest as pf
    import statsmodels.formula.api as smf
    from wildboottest.wildboottest import wildboottest

    sys.path.insert(0, str(ROOT))
    import crime_analysis as ca
    from crime_analysis.inference.bootstrap import wild_bootstrap

    ours = ca.fit_panel("y ~ x | unit + year", rows, cluster="unit")
    native = pf.feols("y ~ x | unit + year", rows, vcov={"CRV1": "unit"})
    dummies = smf.ols("y ~ x + C(unit) + C(year)", rows)

    def p_value(seed: int) -> tuple[float, str]:
        return wild_bootstrap(ours, "x", B=DRAWS, rng=seed, level=None).p_value, ""

    def interval(seed: int) -> tuple[float, str]:
        test = wild_bootstrap(ours, "x", B=DRAWS, rng=seed)
        return test.p_value, f"{test.ci_low:.4f} to {test.ci_high:.4f}"

    def pyfixest(seed: int) -> tuple[float, str]:
        return float(native.wildboottest(param="x", reps=DRAWS, seed=seed)["Pr(>|t|)"]), ""

    def alone(seed: int) -> tuple[float, str]:
        table = wildboottest(
            dummies, param="x", cluster=rows["unit"], B=DRAWS, seed=seed, show=False
        )
        return float(table["p-value"].iloc[0]), ""

    return {
        "ours, p-value": p_value,
        "ours, p-value and interval": interval,
        "pyfixest, p-value": pyfixest,
        "wildboottest, p-value": alone,
    }


def main() -> int:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--threads", type=int, default=1, help="for BLAS and numba, everyone's")
    options = parser.parse_args()
    if options.rounds < 1 or options.threads < 1:
        parser.error("rounds and threads are 1 or more")
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[name] = str(options.threads)
    try:
        importlib.import_module("wildboottest")
    except ImportError:
        print("wildboottest is not installed here; pip install it, beside the package, in an"
              " environment of its own", file=sys.stderr)  # fmt: skip
        return 2
    every = ways(panel(seed=1))
    seconds: dict[str, list[float]] = {name: [] for name in every}
    found: dict[str, list[tuple[float, str]]] = {name: [] for name in every}
    for turn in range(options.rounds + 1):
        for name, way in every.items():
            start = time.perf_counter()
            answer = way(turn)
            if turn:
                seconds[name].append(time.perf_counter() - start)
                found[name].append(answer)
    packages = ("pyfixest", "wildboottest", "numba", "numpy", "scipy", "pandas")
    print(", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages))
    print(f"{CLUSTERS} clusters x {YEARS} years, B = {DRAWS}, {options.rounds} rounds,"
          f" {options.threads} thread(s)")  # fmt: skip
    middle = {name: statistics.median(taken) for name, taken in seconds.items()}
    share = {name: statistics.mean(p for p, _ in pairs) for name, pairs in found.items()}
    print("| way | ms | times ours, p-value | times ours, with interval | p | interval |")
    print("|---|---|---|---|---|---|")
    for name, taken in middle.items():
        ratios = [taken / middle[one] for one in list(middle)[:2]]
        print(f"| {name} | {1000 * taken:.1f} | {ratios[0]:.1f} | {ratios[1]:.1f} |"
              f" {share[name]:.4f} | {found[name][0][1]} |")  # fmt: skip
    p = share["ours, p-value"]
    allowed = 4 * (2 * p * (1 - p) / (DRAWS * options.rounds)) ** 0.5 + 1 / DRAWS
    apart = max(abs(other - p) for other in share.values())
    print(f"mean p-values differ by {apart:.4f} at most; chance allows {allowed:.4f}")
    return int(apart > allowed)


if __name__ == "__main__":
    sys.exit(main())
