"""Count how often 95% intervals hold the effect that made-up data were given.

    python benchmarks/interval_coverage.py --seed 2018 --replications 4000 --jobs 2

Panels have 8, 20 or 43 clusters and 16 years, effects of units and of years, errors that follow
an autoregression (0.6) within clusters and are larger in some clusters than in others (standard
deviations log-normal, 0.5), and an effect of 0.5 of one of two regressors:

- ``continuous``: it drifts within units (autoregression of 0.6) and shares shocks of the years;
- ``dose x post``: a dose from 0 to 1, the unit's own, in the second half of the years.

`fit_panel` (clustered by unit, t with G - 1 degrees of freedom) and `wild_bootstrap` (999 draws;
all 256 patterns of signs where there are 8 clusters) see the same panels.

`interrupted_series` has months in place of clusters: 60, 120 or 200, the interruption after 60%
of them. Counts of about 200 a month have a trend, a season, a fall of 20% and a slope that
changes by 0.2% a month; on top of Poisson's, errors of 15% follow an autoregression of 0, 0.3 or
0.6. Its own default errors (``hac``) and season (two pairs) are used.

Every replication has a seed of its own, made from the seed, its design, size and number, so that
the table is the same, byte by byte, whatever the number of jobs.
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib.metadata import version
from pathlib import Path

# One thread a process: the matrices are small, and the jobs share the processors.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("RAYON_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from crime_analysis.inference.bootstrap import wild_bootstrap
from crime_analysis.models.interrupted_series import interrupted_series
from crime_analysis.models.panel_regression import fit_panel

STORED = Path(__file__).resolve().parents[1] / "tests" / "reference" / "coverage.csv"
CLUSTERS, YEARS, MONTHS = (8, 20, 43), 16, (60, 120, 200)
PANELS = ("continuous", "dose x post")
MEMORIES = {"counts, memory 0": 0.0, "counts, memory 0.3": 0.3, "counts, memory 0.6": 0.6}
DESIGNS = (*PANELS, *MEMORIES)
EFFECT, LEVEL, SLOPE = 0.5, float(np.log(0.8)), 0.002
DRAWS = 999
#: Replications whose count is stored beside the whole, for a quick run to be held against.
FIRST = 40
BLOCK = 50

Held = dict[tuple[str, str], tuple[bool, float]]


def remembering(rng: np.random.Generator, series: int, length: int, memory: float) -> np.ndarray:
    """Return stationary first-order autoregressions of variance 1, shape (series, length)."""
    values = rng.normal(size=(series, length))
    for t in range(1, length):
        values[:, t] = memory * values[:, t - 1] + np.sqrt(1 - memory**2) * values[:, t]
    return values


def panel(design: str, clusters: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return units by years with an outcome ``y`` on which ``x`` has the known effect."""
    years = np.arange(2003, 2003 + YEARS)
    if design == "continuous":
        x = remembering(rng, clusters, YEARS, 0.6) + 0.5 * rng.normal(size=YEARS)
        x += rng.normal(size=(clusters, 1))
    else:
        x = rng.uniform(size=(clusters, 1)) * (years >= years[YEARS // 2])
    spread = np.exp(0.5 * rng.normal(size=(clusters, 1)))
    y = EFFECT * x + spread * remembering(rng, clusters, YEARS, 0.6)
    y += rng.normal(size=(clusters, 1)) + rng.normal(size=YEARS)
    return pd.DataFrame(
        {
            "unit": np.repeat(np.arange(clusters), YEARS),
            "year": np.tile(years, clusters),
            "x": x.ravel(),
            "y": y.ravel(),
        }
    )


def series(design: str, months: int, rng: np.random.Generator) -> tuple[pd.DataFrame, str]:
    """Return monthly counts ``y`` with known changes, and the month of the interruption."""
    t = np.arange(months)
    at = int(0.6 * months)
    after = t >= at
    errors = 0.15 * remembering(rng, 1, months, MEMORIES[design])[0]
    course = np.log(200) + 0.001 * t + 0.1 * np.sin(2 * np.pi * t / 12)
    course += after * (LEVEL + SLOPE * (t - at))
    # Less half the variance, so that the mean of what is multiplied on is 1.
    counts = rng.poisson(np.exp(course + errors - 0.15**2 / 2))
    names = pd.period_range("2005-01", periods=months, freq="M").astype(str)
    return pd.DataFrame({"month": names, "y": counts}), names[at]


def replicate(design: str, size: int, seed: int, number: int) -> Held:
    """Return, for each method and term, whether the interval held the truth, and its width."""
    rng = np.random.default_rng([seed, DESIGNS.index(design), size, number])
    if design in PANELS:
        fit = fit_panel("y ~ x | unit + year", panel(design, size, rng), cluster="unit")
        drawn = wild_bootstrap(fit, "x", B=DRAWS, rng=rng).tidy().loc["x"]
        found = [("fit_panel", fit.term("x"), EFFECT), ("wild_bootstrap", drawn, EFFECT)]
    else:
        counts, at = series(design, size, rng)
        changes = interrupted_series(counts, "y", at)
        truths = {"level_change": LEVEL, "slope_change": SLOPE}
        found = [("interrupted_series", changes.term(t), truth) for t, truth in truths.items()]
    return {
        (method, str(row.name)): (
            bool(row["ci_low"] <= truth <= row["ci_high"]),
            float(row["ci_high"] - row["ci_low"]),
        )
        for method, row, truth in found
    }


def block(task: tuple[str, int, int, range]) -> list[Held]:
    """Run some replications of one design and size."""
    design, size, seed, numbers = task
    return [replicate(design, size, seed, number) for number in numbers]


def cells() -> Iterator[tuple[str, int]]:
    """Return each design with each size."""
    yield from itertools.product(PANELS, CLUSTERS)
    yield from itertools.product(MEMORIES, MONTHS)


def summarise(design: str, size: int, seed: int, held: list[Held]) -> list[dict[str, object]]:
    """Return a row a method and term."""
    rows: list[dict[str, object]] = []
    for method, term in held[0]:
        hits = np.array([one[method, term][0] for one in held])
        widths = [one[method, term][1] for one in held]
        share = hits.mean()
        rows.append(
            {
                "method": method,
                "design": design,
                "term": term,
                "size": size,
                "size_counts": "clusters" if design in PANELS else "months",
                "replications": len(held),
                "covered": int(hits.sum()),
                "coverage": round(share, 4),
                "mc_error": round(np.sqrt(share * (1 - share) / len(held)), 4),
                "median_width": round(float(np.median(widths)), 4),
                f"covered_in_first_{FIRST}": int(hits[:FIRST].sum()),
                "seed": seed,
            }
        )
    return rows


def table(seed: int, replications: int, jobs: int) -> pd.DataFrame:
    """Return the coverage of every method, design and size."""
    tasks = [
        (design, size, seed, range(start, min(start + BLOCK, replications)))
        for design, size in cells()
        for start in range(0, replications, BLOCK)
    ]
    held: dict[tuple[str, int], list[Held]] = {cell: [] for cell in cells()}
    with ProcessPoolExecutor(jobs) as pool:
        for task, done in zip(tasks, pool.map(block, tasks), strict=True):
            held[task[:2]] += done
    rows = [row for (d, size), done in held.items() for row in summarise(d, size, seed, done)]
    return pd.DataFrame(rows).sort_values("method", kind="stable", ignore_index=True)


def main() -> int:
    """Make the table, store it with the versions that made it, and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=2018)
    parser.add_argument("--replications", type=int, default=4000, metavar="N")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=STORED)
    asked = parser.parse_args()
    if asked.replications < FIRST or asked.jobs < 1 or asked.seed < 0:
        parser.error(f"--replications is {FIRST} or more, --jobs 1 or more, --seed not negative")
    start = time.perf_counter()
    made = table(asked.seed, asked.replications, asked.jobs)
    made.to_csv(asked.out, index=False, lineterminator="\n")
    packages = ("numpy", "pandas", "scipy", "statsmodels", "pyfixest")
    versions = [f"python {platform.python_version()}", *(f"{p} {version(p)}" for p in packages)]
    asked.out.with_suffix(".versions.txt").write_text("\n".join(versions) + "\n", encoding="utf-8")
    print(made.drop(columns="seed").to_string(index=False))
    print(f"seed {asked.seed}, {time.perf_counter() - start:.0f} s; stored in {asked.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
