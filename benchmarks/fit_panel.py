"""Time `fit_panel` against calling pyfixest directly, and the import of the package.

A million rows, 50,000 units and 20 years, two slopes, two absorbed effects, errors clustered by
unit. The two take turns in one process after a round that is not counted; seconds are medians;
the run stops if coefficients or errors differ. The import is timed in new processes, and so is
Python's own start, which it includes.

    python benchmarks/fit_panel.py
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
import time
from importlib.metadata import version

import numpy as np
import pandas as pd
import pyfixest as pf

import crime_analysis as ca

UNITS, YEARS, SEED = 50_000, 20, 2018


def panel(rows: int) -> pd.DataFrame:
    """Return rows of units and years drawn at random, shuffled as registers are."""
    rng = np.random.default_rng(SEED)
    data = pd.DataFrame({"a": rng.integers(UNITS, size=rows), "b": rng.integers(YEARS, size=rows)})
    of_unit, of_year = rng.normal(size=UNITS)[data["a"]], rng.normal(size=YEARS)[data["b"]]
    data["x"] = of_unit + rng.normal(size=rows)
    data["x2"] = of_year + rng.normal(size=rows)
    data["y"] = data["x"] + 0.5 * data["x2"] + of_unit + of_year + rng.normal(size=rows)
    return data


def started(code: str, rounds: int) -> float:
    """Return the median seconds of new processes that run a line."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main() -> None:
    """Run the rounds and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=11)
    asked = parser.parse_args()
    if asked.rows < 1000 or asked.rounds < 1:
        parser.error("--rows is 1000 or more, --rounds 1 or more")
    data = panel(asked.rows)
    ways = {
        "fit_panel": lambda: ca.fit_panel("y ~ x + x2 | a + b", data, cluster="a"),
        "pyfixest": lambda: pf.feols("y ~ x + x2 | a + b", data, vcov={"CRV1": "a"}),
    }
    for way in ways.values():
        way()
    # Without small-sample factors: pyfixest's changes with PYTHONHASHSEED (0.60).
    ours = ca.fit_panel("y ~ x + x2 | a + b", data, cluster="a", small_sample="none").tidy()
    bare = pf.ssc(k_adj=False, k_fixef="none", G_adj=False)
    theirs = pf.feols("y ~ x + x2 | a + b", data, vcov={"CRV1": "a"}, ssc=bare)
    apart = [
        float(np.abs(ours["estimate"] / theirs.coef() - 1).max()),
        float(np.abs(ours["std_error"] / theirs.se() - 1).max()),
    ]
    if max(apart) > 1e-8:
        raise SystemExit(f"the numbers differ: {apart}")
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(asked.rounds):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - start)
    middle = {name: statistics.median(taken) for name, taken in seconds.items()}
    packages = ("pyfixest", "numpy", "pandas", "scipy")
    print(f"python {platform.python_version()},", end=" ")
    print(", ".join(f"{name} {version(name)}" for name in packages))
    print(f"{asked.rows:,} rows, {UNITS:,} units, {YEARS} years, medians of {asked.rounds} rounds")
    for name, taken in middle.items():
        print(f"{name}: {taken:.2f} s (from {min(seconds[name]):.2f} to {max(seconds[name]):.2f})")
    print(f"fit_panel takes {middle['fit_panel'] / middle['pyfixest']:.2f} times pyfixest's time")
    print(f"largest relative difference: estimates {apart[0]:.1e}, errors {apart[1]:.1e}")
    alone, whole = started("", asked.rounds), started("import crime_analysis", asked.rounds)
    print(
        f"import crime_analysis: {whole:.3f} s in a new process, {alone:.3f} s of it Python's own"
    )


if __name__ == "__main__":
    main()
