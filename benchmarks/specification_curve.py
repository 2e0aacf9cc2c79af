"""Time `specification_curve` against a loop over statsmodels least squares with dummies.

The panel is made up: 43 units, 16 years, five outcomes, five measures, five controls. The
universe has 5,000 specifications, all clustered by unit. The loop is what a careful user would
write: rows and dummies cut by arrays, one `OLS` or `WLS` with clustered errors a specification.
Both give the same numbers, or the run stops.

    python benchmarks/specification_curve.py           # the loop on 200 specifications, scaled
    python benchmarks/specification_curve.py --all     # the loop on all of them
    python benchmarks/specification_curve.py --size    # how often the joint test rejects no effect
"""

from __future__ import annotations

import argparse
import itertools
import os
import platform
import statistics
import time
from importlib.metadata import version

# One thread for both sides: these matrices are too small for more to help.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pandas as pd

from crime_analysis.curve import Universe, specification_curve

UNITS, YEARS, SEED = 43, 16, 2018
OUTCOMES = [f"y{i}" for i in range(5)]
MEASURES = [f"x{i}" for i in range(5)]
CONTROLS = [f"c{i}" for i in range(5)]


def panel(rng: np.random.Generator, units: int = UNITS, years: int = YEARS) -> pd.DataFrame:
    """Return units by years of columns that wander, differ in level, and share their years."""
    data = pd.DataFrame(
        list(itertools.product(range(units), range(2003, 2003 + years))), columns=["unit", "year"]
    )
    common = rng.normal(size=years)
    cause = rng.normal(size=(units, years)).cumsum(axis=1)
    size = np.exp(rng.normal(size=units))
    for name in [*OUTCOMES, *MEASURES, *CONTROLS]:
        own = rng.normal(size=(units, years)).cumsum(axis=1) + rng.normal(size=(units, years))
        values = own + 3 * rng.normal(size=(units, 1)) + common
        if name in MEASURES or name in CONTROLS:  # alike, as versions of a measure are
            values = values + 2 * cause
        data[name] = values.ravel()
    data["people"] = np.repeat(size, years)
    return data


def universe() -> Universe:
    """Return 5 outcomes x 5 measures x 5 samples x 10 sets of controls x 2 weights x 2 lags."""
    pairs = [(), *itertools.combinations(CONTROLS, 1), *itertools.combinations(CONTROLS, 2)][:10]
    return Universe(
        outcomes=OUTCOMES,
        measures=MEASURES,
        unit="unit",
        time="year",
        samples={
            "all": None,
            "without the first": "unit != 0",
            "from 2006": "year >= 2006",
            "to 2015": "year <= 2015",
            "half of the units": "unit < 22",
        },
        controls={" + ".join(part) or "none": part for part in pairs},
        weights=[None, "people"],
        lags=[0, 1],
    )


def loop(declared: Universe, data: pd.DataFrame, listed: pd.DataFrame) -> np.ndarray:
    """Return estimates and errors (S, 2), one regression at a time."""
    import statsmodels.api as sm

    data = data.copy()
    for measure in MEASURES:
        data[f"{measure} 1"] = data.groupby("unit")[measure].shift(1)
    dummies = np.hstack(
        [
            pd.get_dummies(data["unit"], dtype=float).to_numpy(),
            pd.get_dummies(data["year"], drop_first=True, dtype=float).to_numpy(),
        ]
    )
    samples = {
        name: np.ones(len(data), bool) if rule is None else data.eval(rule).to_numpy()
        for name, rule in declared.samples.items()
    }
    unit = data["unit"].to_numpy()
    found = []
    for row in listed.itertuples():
        slopes = [row.measure if row.lag == 0 else f"{row.measure} 1"]
        slopes += declared.controls[row.controls]
        columns = data[[row.outcome, *slopes]].to_numpy()
        kept = samples[row.sample] & ~np.isnan(columns).any(axis=1)
        used = dummies[kept]
        used = used[:, used.any(axis=0)]
        # The constant is in both sets: where the first year is gone, one dummy must go too.
        if not (data["year"].to_numpy()[kept] == 2003).any():
            used = used[:, :-1]
        design = np.hstack([columns[kept, 1:], used])
        outcome = columns[kept, 0]
        if row.weights == "none":
            model = sm.OLS(outcome, design)
        else:
            model = sm.WLS(outcome, design, weights=data[row.weights].to_numpy()[kept])
        fit = model.fit(
            cov_type="cluster", cov_kwds={"groups": unit[kept], "use_correction": False}
        )
        nobs, groups = len(outcome), len(np.unique(unit[kept]))
        years = len(np.unique(data["year"].to_numpy()[kept]))
        factor = groups / (groups - 1) * (nobs - 1) / (nobs - len(slopes) - years)
        found.append((fit.params[0], fit.bse[0] * np.sqrt(factor)))
    return np.array(found)


def main(every: bool, subset: int, rounds: int, draws: int) -> None:
    """Print the ratio, the largest difference, and the time of the joint tests."""
    rng = np.random.default_rng(SEED)
    data, declared = panel(rng), universe()
    listed = declared.specifications()
    chosen = listed if every else listed.sample(subset, random_state=1).sort_index()
    specification_curve(declared, data, draws=0)  # loads what is imported on first use
    loop(declared, data, listed.head(2))
    ours, theirs = [], []
    for _ in range(rounds):
        start = time.perf_counter()
        curve = specification_curve(declared, data, draws=0)
        ours.append(time.perf_counter() - start)
        start = time.perf_counter()
        numbers = loop(declared, data, chosen)
        theirs.append((time.perf_counter() - start) * len(listed) / len(chosen))
    table = curve.table.loc[chosen.index, ["estimate", "std_error"]].to_numpy()
    worst = np.abs(table / numbers - 1).max(axis=0)
    if (worst > 1e-8).any():
        raise SystemExit(f"the numbers differ: {worst}")
    how = "all" if every else f"{len(chosen)} drawn at random, time scaled"
    fast, slow = statistics.median(ours), statistics.median(theirs)
    print(f"{len(listed)} specifications, {UNITS} x {YEARS} panel, medians of {rounds} rounds")
    print(f"statsmodels loop ({how}): {slow:.1f} s")
    print(f"specification_curve: {fast:.3f} s, {slow / fast:.0f} times as fast")
    print(f"largest relative difference: estimates {worst[0]:.1e}, errors {worst[1]:.1e}")
    for null in ("bootstrap", "permutation"):
        start = time.perf_counter()
        specification_curve(declared, data, draws=draws, rng=SEED, null=null)
        print(f"with the joint test, {draws} draws, {null}: {time.perf_counter() - start:.1f} s")
    packages = ("numpy", "pandas", "scipy", "statsmodels")
    print(platform.python_version(), *(f"{name} {version(name)}" for name in packages))


def size(rounds: int, draws: int) -> None:
    """Print how often the joint tests reject at 5% where there is no effect to find."""
    pairs = {"none": [], "c0": ["c0"], "c0 + c1": ["c0", "c1"]}
    declared = Universe(
        outcomes=["y0"], measures=["x0", "x1"], unit="unit", time="year",
        samples={"all": None, "from 2006": "year >= 2006"}, controls=pairs,
        weights=[None, "people"],
    )  # fmt: skip
    print(f"{len(declared.specifications())} specifications, {rounds} panels, {draws} draws")
    for null in ("bootstrap", "permutation"):
        rng = np.random.default_rng(SEED)
        hits = []
        for _ in range(rounds):
            data = panel(rng, years=12)
            curve = specification_curve(declared, data, draws=draws, rng=rng, null=null)
            hits.append(curve.joint["p_value"] <= 0.05)
        share = pd.DataFrame(hits).mean()
        error = np.sqrt(0.05 * 0.95 / rounds)
        said = ", ".join(f"{name} {value:.3f}" for name, value in share.items())
        print(f"{null}: {said} (Monte-Carlo error {error:.3f})")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="time the loop on every specification")
    parser.add_argument("--subset", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--size", type=int, nargs="?", const=1000, metavar="PANELS")
    asked = parser.parse_args()
    if asked.size:
        size(asked.size, 199)
    else:
        main(asked.all, asked.subset, asked.rounds, asked.draws)
