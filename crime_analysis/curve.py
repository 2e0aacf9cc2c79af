"""The specification curve: every defensible way to estimate one effect, and all of them at once.

A study reports one regression; its authors could have defended hundreds. Simonsohn, Simmons and
Nelson (2020) ask for the whole set to be declared before it is run, shown whole, and tested
jointly: would so many estimates lie so far from zero if the measure did nothing?

Two ways to answer are offered, and both redraw every specification together, so that the
dependence between them is kept.

``null="bootstrap"`` (default)
    Simonsohn and others force the null on observational data: take the estimated effect out of
    the outcome of each specification, then resample. Rows of a panel are not independent, and
    drawing whole forces anew would break the link of fixed effects, weights and London's one
    large cluster. So the resampling here is the wild cluster bootstrap: the residuals of each
    specification without its measure are kept or turned over, a force at a time, with the same
    turns in every specification (Cameron, Gelbach and Miller 2008; Roodman and others 2019). It
    leaves measures, controls, weights and missing values as they are, and lets forces differ in
    variance. It tests that the coefficient is zero in every specification.
``null="permutation"``
    Which unit has which unit's whole path of the measure is shuffled, time order kept, and
    everything is estimated again. It tests the sharp null of no effect on any unit in any
    period, and is exact if paths are exchangeable between units whatever their controls and
    weights are. Officers follow population and money, so for police forces they are not: read
    it as a second opinion.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError, ParameterError, UnknownNameError
from crime_analysis.models.absorb import CONVENTIONS
from crime_analysis.models.specifications import Estimates, Specifications
from crime_analysis.models.universe import CHOICES, Universe, read_columns
from crime_analysis.randomness import generator

if TYPE_CHECKING:
    from crime_analysis.drawing import Figure

__all__ = ["SpecificationCurve", "Universe", "specification_curve"]

_ALPHA = 0.05


@dataclass(frozen=True)
class SpecificationCurve:
    """Every estimate of a universe, and the joint test of them all.

    Attributes
    ----------
    table : DataFrame
        A row a specification, in declared order: each choice (``outcome``, ``measure``,
        ``lag``, ``sample``, ``controls``, ``fixed_effects``, ``weights``), ``estimate``,
        ``std_error``, ``statistic``, ``p_value``, ``ci_low``, ``ci_high``, ``nobs``,
        ``n_clusters`` and ``reason``: why there is no estimate, empty where there is one.
    joint : DataFrame
        By statistic (``median effect``, ``share significant`` in the dominant direction,
        ``Stouffer's Z``): ``observed``, ``null_low`` and ``null_high`` (what 95% of the draws
        under the null lie between) and ``p_value`` (two-sided; missing without draws).
    null_curve : DataFrame
        By rank of the sorted estimates: ``low``, ``median``, ``high`` over draws; no rows
        without draws.
    universe : Universe
    null : str
        ``bootstrap`` or ``permutation``.
    draws : int
    level : float
        Of the intervals.
    """

    table: pd.DataFrame
    joint: pd.DataFrame
    null_curve: pd.DataFrame = field(repr=False)
    universe: Universe = field(repr=False)
    null: str = "bootstrap"
    draws: int = 0
    level: float = 0.95

    def tidy(self) -> pd.DataFrame:
        """Return the estimates from lowest to highest, indexed by ``term``: the choices in words.

        Choices that are the same throughout are left out of the words, and specifications
        without an estimate out of the rows (`refused` has them).
        """
        done = self.table[self.table["reason"] == ""]
        varied = [name for name in CHOICES if self.table[name].nunique() > 1] or ["measure"]
        words = [", ".join(f"{n} {v}" for n, v in zip(varied, row, strict=True))
                 for row in done[varied].itertuples(index=False)]  # fmt: skip
        named = done.drop(columns="reason").set_axis(pd.Index(words, name="term"))
        return named.sort_values("estimate", kind="stable")

    @property
    def refused(self) -> pd.DataFrame:
        """The specifications without an estimate, with the reason."""
        return self.table.loc[self.table["reason"] != "", [*CHOICES, "reason"]]

    @property
    def verdict(self) -> str:
        """``association`` if all three joint tests reject at 5%, else ``cannot tell``."""
        return "association" if (self.joint["p_value"] < _ALPHA).all() else "cannot tell"

    def by_choice(self) -> pd.DataFrame:
        """Return, for each choice that varies, what the estimates made with it are.

        Returns
        -------
        DataFrame
            By ``choice`` and ``option``: ``specifications`` (estimated), ``median`` estimate,
            ``positive`` and ``negative`` (how many intervals lie wholly on that side).
        """
        done = self.table[self.table["reason"] == ""]
        rows = []
        for name in CHOICES:
            options = list(dict.fromkeys(self.table[name]))
            for option in options if len(options) > 1 else []:
                part = done[done[name] == option]
                rows.append(
                    {
                        "choice": name,
                        "option": str(option),
                        "specifications": len(part),
                        "median": part["estimate"].median(),
                        "positive": int((part["ci_low"] > 0).sum()),
                        "negative": int((part["ci_high"] < 0).sum()),
                    }
                )
        columns = ["choice", "option", "specifications", "median", "positive", "negative"]
        return pd.DataFrame(rows, columns=columns).set_index(["choice", "option"])

    def summary(self) -> str:
        """Return what the curve shows, uncertainty first, as text."""
        done = self.tidy()
        above, below = int((done["ci_low"] > 0).sum()), int((done["ci_high"] < 0).sum())
        median = self.joint.loc["median effect"]
        parts = [
            f"{above + below} of {len(done)} specifications exclude zero: {above} positive,"
            f" {below} negative ({self.level:.0%} intervals, clustered by {self.universe.cluster})."
        ]
        if self.draws:
            p = [_probability(value) for value in self.joint["p_value"]]
            name = "wild cluster bootstraps" if self.null == "bootstrap" else "permutations"
            parts.append(
                f"Joint p {p[0]} (median effect), {p[1]} (share significant in the dominant"
                f" direction), {p[2]} (Stouffer's Z), from {self.draws} {name}: {self.verdict}."
            )
            parts.append(
                f"The median estimate is {median['observed']:.3g}; without any effect it would lie"
                f" between {median['null_low']:.3g} and {median['null_high']:.3g} in 95% of draws."
            )
        else:
            parts.append("No joint test was asked for (draws=0): cannot tell.")
            parts.append(f"The median estimate is {median['observed']:.3g}.")
        parts += [
            f"{count} without an estimate: {reason}."
            for reason, count in self.refused["reason"].value_counts().items()
        ]
        return "\n".join(parts).replace("-", "−")

    def plot(self) -> Figure:
        """Draw the sorted estimates with intervals, above the choices that made them."""
        from crime_analysis.curve_figure import draw

        return draw(self)


def _probability(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def specification_curve(
    universe: Universe,
    data: pd.DataFrame,
    *,
    draws: int = 500,
    null: str = "bootstrap",
    rng: int | np.random.Generator | None = None,
    level: float = 0.95,
    small_sample: str = "nested",
) -> SpecificationCurve:
    """Estimate every specification of a universe by least squares, and test them jointly.

    Each estimate is that of `fit_panel` on the same rows (fixed effects absorbed, errors
    clustered, the same small-sample factor), found for all at once. The curve shows how much an
    answer depends on choices that could have gone otherwise. It removes no bias that all
    specifications share: if what moves officers also moves violence, every one is wrong
    together, and the joint test then rejects "no association", not "no effect".

    Do not use it to hunt for a specification, or to average specifications of unequal merit: a
    universe should hold only choices that its author would defend. Counts with zeros (homicide)
    belong to `fit_panel` with ``family="poisson"``; their logarithms are refused here by name.

    Parameters
    ----------
    universe : Universe
        What to estimate.
    data : DataFrame
        One row a unit and period.
    draws : int
        Draws under the null for the joint test; 0 for none.
    null : {"bootstrap", "permutation"}
        How to draw (see the module): residuals turned over by cluster, the default, or the
        measure's paths shuffled between units.
    rng : int or Generator, optional
        Seed of the draws, 0 if not given.
    level : float
        Of the intervals.
    small_sample : str
        Which absorbed effects count (see `fit_panel`).

    Returns
    -------
    SpecificationCurve

    Raises
    ------
    UnknownNameError
        If a name is no column of the data, with the nearest ones.
    ModelError
        If a column is not numeric, rows repeat a unit and period, or no specification at all
        can be estimated. A single one that cannot is kept in the table with its reason.
    ParameterError
        If an argument is out of range, or a sample cannot be read.

    Notes
    -----
    A joint p-value is ``(1 + draws at least as extreme) / (1 + draws)``, two-sided. The share of
    significant results is that at 5% in whichever direction has more, in each draw anew. Below
    12 clusters the bootstrap takes Webb's six multipliers in place of plus and minus one.

    Sources: Simonsohn, Simmons and Nelson (2020), Nature Human Behaviour 4; Cameron, Gelbach and
    Miller (2008); Roodman, MacKinnon, Nielsen and Webb (2019); Webb (2023); Phipson and Smyth
    (2010) for the p-value.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> panel = pd.DataFrame({"unit": np.repeat(range(20), 6), "year": np.tile(range(6), 20)})
    >>> panel["x"], panel["z"] = rng.normal(size=(2, 120))
    >>> panel["y"] = panel["x"] + panel["unit"] + rng.normal(size=120)
    >>> universe = Universe(
    ...     outcomes=["y"], measures=["x"], unit="unit", time="year",
    ...     samples={"all": None, "from year 2": "year >= 2"},
    ...     controls={"none": [], "z": ["z"]},
    ... )
    >>> curve = specification_curve(universe, panel, draws=199, rng=1)
    >>> print(curve.summary().splitlines()[0])
    4 of 4 specifications exclude zero: 4 positive, 0 negative (95% intervals, clustered by unit).
    """
    if null not in ("bootstrap", "permutation"):
        raise UnknownNameError("null", null, ["bootstrap", "permutation"])
    if small_sample not in CONVENTIONS:
        raise UnknownNameError("small_sample", small_sample, CONVENTIONS)
    if isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < 0:
        raise ParameterError(f"draws={draws!r} must be a whole number, 0 or more")
    if not 0 < level < 1:
        raise ParameterError(f"level={level!r} must lie between 0 and 1")
    table = universe.specifications()
    columns = read_columns(universe, data)
    keys = data[[universe.unit, universe.time]].itertuples(index=False, name=None)
    labels = np.array([" ".join(map(str, key)) for key in keys], dtype=object)
    every = Specifications(universe, columns, table, labels, small_sample)
    fitted = every.estimate()
    if not (fitted.reason == "").any():
        first = fitted.reason[0]
        raise ModelError(f"none of the {len(table)} specifications can be estimated: {first}")
    draw = generator(rng)
    drawn = None
    if draws and null == "bootstrap":
        drawn = every.bootstrap(fitted, int(draws), draw)
    elif draws:
        drawn = every.permute(int(draws), draw)
    table = _with_tests(table, fitted, level)
    done = (table["reason"] == "").to_numpy()
    joint, curve = _joint(table[done], None if drawn is None else [part[done] for part in drawn])
    return SpecificationCurve(table, joint, curve, universe, null, int(draws), level)


def _with_tests(table: pd.DataFrame, fitted: Estimates, level: float) -> pd.DataFrame:
    """Add estimates, t tests and intervals to the list of specifications."""
    from scipy import stats

    estimate, error = fitted.estimate, fitted.std_error
    law = stats.t(np.maximum(fitted.n_clusters - 1.0, 1.0))
    statistic = estimate / error
    reach = law.ppf(0.5 + level / 2) * error
    return table.assign(
        estimate=estimate,
        std_error=error,
        statistic=statistic,
        p_value=2 * law.sf(np.abs(statistic)),
        ci_low=estimate - reach,
        ci_high=estimate + reach,
        nobs=fitted.nobs,
        n_clusters=fitted.n_clusters,
        reason=fitted.reason,
    )


def _joint(done: pd.DataFrame, drawn: list[np.ndarray] | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the three statistics with their tests, and the curve under the null."""
    df = done["n_clusters"].to_numpy()[:, None] - 1.0
    found = done[["estimate"]].to_numpy(), done[["statistic"]].to_numpy()
    observed = _statistics(found[0], found[1], df).iloc[0]
    joint = pd.DataFrame({"observed": observed, "null_low": np.nan, "null_high": np.nan})
    joint["p_value"] = np.nan
    curve = pd.DataFrame(columns=["low", "median", "high"], dtype=float)
    curve.index.name = "rank"
    if drawn is not None:
        known = np.isfinite(drawn[0]).any(axis=0)
        estimate, statistic = (part[:, known] for part in drawn)
        null = _statistics(estimate, statistic, df)
        # A hair less: a draw that repeats the data differs from it by rounding alone.
        extreme = null.abs() >= observed.abs() * (1 - 1e-9)
        joint["null_low"], joint["null_high"] = null.quantile([0.025, 0.975]).to_numpy()
        joint["p_value"] = (1 + extreme.sum()) / (1 + len(null))
        order = np.sort(estimate, axis=0)
        curve = pd.DataFrame(
            np.nanquantile(order, [0.025, 0.5, 0.975], axis=1).T,
            columns=curve.columns,
            index=pd.RangeIndex(1, len(order) + 1, name="rank"),
        )
    joint.index.name = "statistic"
    return joint, curve


def _statistics(estimate: np.ndarray, statistic: np.ndarray, df: np.ndarray) -> pd.DataFrame:
    """Return the statistics of Simonsohn and others for each column of draws."""
    from scipy import special

    known = np.isfinite(estimate)
    count = known.sum(axis=0)
    statistic = np.where(known, statistic, 0.0)
    threshold = special.stdtrit(df, 1 - _ALPHA / 2)
    above, below = (statistic > threshold).sum(axis=0), (statistic < -threshold).sum(axis=0)
    tail = np.maximum(special.stdtr(df, -np.abs(statistic)), 1e-300)
    z = -special.ndtri(tail) * np.sign(statistic)
    return pd.DataFrame(
        {
            "median effect": np.nanmedian(estimate, axis=0),
            "share significant": np.maximum(above, below) / count,
            "Stouffer's Z": z.sum(axis=0) / np.sqrt(count),
        }
    )
