"""Randomisation tests: whether a treatment given to others by chance would have looked alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError, ParameterError, UnknownNameError
from crime_analysis.inference.arrangements import Arrangements, arrange
from crime_analysis.inference.bootstrap import check_draws, check_test
from crime_analysis.inference.inversion import TIE, Draws
from crime_analysis.models.panel_regression import fit_panel
from crime_analysis.models.projection import projection

if TYPE_CHECKING:
    from crime_analysis.drawing import Figure
    from crime_analysis.models.fit import Fit

__all__ = ["RandomisationTest", "randomisation_test"]


@dataclass(frozen=True)
class RandomisationTest:
    """Where the observed statistic stands among those of all arrangements.

    Attributes
    ----------
    term, formula : str
        The treatment, and the regression or the statistic's name.
    estimate, std_error : float
        The coefficient and its error from the fit; a statistic of one's own has no error.
    statistic : float
        What was compared, for `null`.
    compared : str
        What it is, in words.
    null, p_value : float
        The effect supposed the same for every row, and the p-value of the sharp null.
    ci_low, ci_high, level : float
        The effects not rejected, if the effect is the same for all; missing for a statistic of
        one's own, infinite where no effect however large is rejected.
    arrangements : str
        Which arrangements were gone through, in words.
    n_units : int
    undefined : int
        Arrangements for which there is no statistic; they count as extreme.
    reference : ndarray, shape (arrangements,)
        Their statistics under the null.
    data_used : DataFrame
        Rows kept and dropped, and why.
    """

    term: str
    formula: str
    estimate: float
    std_error: float
    statistic: float
    compared: str
    null: float
    p_value: float
    ci_low: float
    ci_high: float
    level: float
    arrangements: str
    n_units: int
    undefined: int
    reference: np.ndarray = field(repr=False, compare=False)
    data_used: pd.DataFrame = field(repr=False, compare=False)

    def tidy(self) -> pd.DataFrame:
        """Return estimate, error, statistic, exact p-value and interval, indexed by term."""
        names = ["estimate", "std_error", "statistic", "p_value", "ci_low", "ci_high"]
        return pd.DataFrame(
            {name: [getattr(self, name)] for name in names},
            index=pd.Index([self.term], name="term"),
        )

    def summary(self) -> str:
        """Return what can be said and what it rests on, as text."""
        dropped = int((~self.data_used["kept"]).sum())
        lines = [f"{self.term} in {self.formula}", self._finding()]
        lines.append(f"estimate {self.estimate:.4g}; compared by {self.compared}")
        lines.append(f"{self.n_units} units, {self.arrangements}; {dropped} rows dropped")
        if self.undefined:
            lines.append(f"{self.undefined} arrangements have no statistic and count as extreme")
        if np.isinf([self.ci_low, self.ci_high]).any():
            lines.append("an end is infinite: arrangements are too few to reject any effect there")
        return "\n".join(lines)

    def plot(self) -> Figure:
        """Draw the statistics of all arrangements and where the observed one stands."""
        from crime_analysis.drawing import BLUE, ORANGE, Figure, canvas

        drawn = self.reference[np.isfinite(self.reference)]
        with canvas(height=3.4) as (_, axis, out):
            axis.hist(drawn, bins=min(40, max(8, len(drawn) // 10)), color=BLUE, alpha=0.7)
            axis.axvline(self.statistic, color=ORANGE, lw=2, label="observed")
            axis.axvline(
                -self.statistic, color=ORANGE, lw=1.2, ls="--", label="as far on the other side"
            )
            axis.set_xlabel(f"{self.compared}, effect of {self.null:g} supposed")
            axis.set_ylabel("arrangements")
            axis.legend(loc="upper center", bbox_to_anchor=(0.5, 1.16), ncols=2)
        low, middle, high = np.quantile(drawn, [0.025, 0.5, 0.975])
        return Figure(
            title=self._finding(),
            alt=f"Histogram of the {self.compared} in {len(self.reference)} arrangements of"
            f" {self.term}: middle {middle:.3g}, 95% of them between {low:.3g} and {high:.3g}; the"
            f" observed one is {self.statistic:.3g}, p = {self.p_value:.3f}.",
            source=f"{self.formula}: {self.n_units} units, {self.arrangements}.",
            svg=out.getvalue(),
            data=pd.DataFrame({"statistic": self.reference}),
        )

    def _finding(self) -> str:
        rare = self.p_value <= 1 - self.level
        said = "rare if chance had given it" if rare else "cannot tell from chance"
        interval = ""
        if not np.isnan(self.ci_low):
            interval = f" ({self.level:.0%} interval {self.ci_low:.3g} to {self.ci_high:.3g})"
        return f"{self.term}: p = {self.p_value:.3f}{interval}, {said}"


def randomisation_test(
    data: pd.DataFrame,
    statistic: str | Callable[[pd.DataFrame], float],
    treatment: str,
    *,
    unit: str,
    time: str | None = None,
    strata: str | None = None,
    scheme: str = "permute units",
    B: int = 9999,
    rng: int | np.random.Generator | None = None,
    cluster: str | None = None,
    weights: str | None = None,
    studentise: bool | None = None,
    null: float = 0.0,
    level: float = 0.95,
) -> RandomisationTest:
    """Test a sharp null by giving the treatment to others.

    The p-value is the share of arrangements whose statistic is as far from zero as the observed
    one. It is exact, however few units there are, if the arrangements were equally likely: if
    nothing but chance decided which unit had which course of the treatment (within strata), or
    at which point of a stationary series it began. Nobody drew lots over police grants: there it
    asks whether the pattern is one that exchangeable forces would often show, no more. Do not use
    it where units plainly differ in what makes them treated and in the outcome's trend, nor
    ``shift time`` where treatment or outcome drift.

    Parameters
    ----------
    data : DataFrame
        One row a unit and period.
    statistic : str or callable
        A formula of `fit_panel` (least squares, no instruments), whose coefficient of `treatment`
        is taken; or a function of the data, called once for every arrangement.
    treatment : str
        Its column.
    unit : str
        Column of who is treated; whole courses over time are exchanged between units.
    time : str, optional
        Column that orders a treatment that varies within units; units must then be complete.
    strata : str, optional
        Column of groups of units within which treatments are exchanged.
    scheme : {"permute units", "permute within strata", "shift time"}
        What chance could have done; ``shift time`` moves all courses together, end to beginning.
    B : int
        Arrangements drawn, unless all different ones are no more.
    rng : int or Generator, optional
        Seed, 0 if not given; not used where all are gone through.
    cluster, weights : str, optional
        As in `fit_panel`; with a formula.
    studentise : bool, optional
        Compare the t statistic with clustered errors and not the coefficient; by default where
        `cluster` is given. It keeps the level when effects are zero on average only (Wu and Ding
        2021) and loses less power (Young 2019).
    null : float
        The effect supposed, the same for every row; with a formula.
    level : float
        Of the interval.

    Returns
    -------
    RandomisationTest

    Raises
    ------
    UnknownNameError
        If a column, the scheme or the treatment's term is unknown.
    ParameterError
        If options do not go together or are out of range.
    ModelError
        If the treatment cannot be exchanged, or the regression cannot be estimated.

    Notes
    -----
    By Frisch, Waugh and Lovell the coefficient needs the rearranged treatment with controls and
    effects taken out *again*, which is done for all arrangements together; reusing the observed
    residuals of the treatment would be wrong. The interval (Rosenbaum 2002) holds the constant
    effects that are not rejected. Random draws count the observed arrangement:
    ``(1 + count) / (1 + B)``. Sources: Fisher (1935), Young (2019), "Channeling Fisher".

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> rng = np.random.default_rng(0)
    >>> panel = pd.DataFrame({"unit": np.repeat(range(12), 4), "year": np.tile(range(4), 12)})
    >>> panel["treated"] = ((panel["unit"] < 3) & (panel["year"] > 1)).astype(float)
    >>> panel["y"] = 3 * panel["treated"] + panel["unit"] + rng.normal(size=48)
    >>> test = randomisation_test(
    ...     panel, "y ~ treated | unit + year", "treated", unit="unit", time="year"
    ... )
    >>> test.arrangements
    'all 220 arrangements (permute units)'
    >>> round(test.p_value * 220)
    1
    """
    check_draws(B, "rademacher")
    check_test(null, level)
    for column in [c for c in (treatment, unit, time, strata, cluster, weights) if c]:
        if column not in data.columns:
            raise UnknownNameError("column", column, map(str, data.columns), "the data")
    if callable(statistic):
        if cluster or weights or studentise or null:
            raise ParameterError(
                "cluster, weights, studentise and null go with a formula; put them into the"
                " statistic itself"
            )
        return _own(data, statistic, treatment, unit, time, strata, scheme, B, rng, level)
    keys = list(dict.fromkeys(c for c in (unit, time) if c))
    fit = fit_panel(statistic, data, cluster=cluster, weights=weights, keys=keys)
    if fit.family != "ols" or fit.design is None or treatment not in fit.design.slopes:
        raise ModelError(
            f"{treatment!r} is not a slope of {statistic!r}; name it there as it is, without"
            " instruments, or give a function as statistic"
        )
    if studentise and not cluster:
        raise ParameterError("studentise=True needs cluster=")
    student = cluster is not None if studentise is None else bool(studentise)
    rows = data.iloc[fit.design.outcome.index]
    values = fit.design.slopes[treatment].to_numpy()
    possible = arrange(values, rows, treatment, unit, time, strata, scheme)
    complete = possible.size <= B or scheme == "shift time"
    draws = _draws(fit, treatment, possible, B, rng, student, complete)
    row = fit.term(treatment)
    estimate, error = float(row["estimate"]), float(row["std_error"])
    low, high = draws.interval(level, error)
    distance = null - estimate
    # As the fit's own t: the small-sample factor is the same for all arrangements.
    size = -distance / error / draws.observed(distance) if student and distance else 1.0
    return RandomisationTest(
        term=treatment,
        formula=fit.formula,
        estimate=estimate,
        std_error=error,
        statistic=size * draws.observed(distance),
        compared="t statistic" if student else "coefficient less the effect supposed",
        null=float(null),
        p_value=draws.p_value(distance),
        ci_low=estimate + low,
        ci_high=estimate + high,
        level=level,
        arrangements=_said(possible, complete, B, scheme),
        n_units=len(possible.given),
        undefined=int(np.count_nonzero(draws.q0 == 0)),
        reference=size * draws.statistics(distance),
        data_used=fit.data_used,
    )


def _draws(
    fit: Fit,
    treatment: str,
    possible: Arrangements,
    B: int,
    rng: int | np.random.Generator | None,
    student: bool,
    complete: bool,
) -> Draws:
    """Return every arrangement's statistic as a function of the effect supposed."""
    from scipy import sparse

    design = fit.design
    assert design is not None
    size = len(design.outcome)
    root = np.ones(size) if design.weights is None else np.sqrt(design.weights.to_numpy())
    others = design.slopes.drop(columns=treatment).to_numpy() * root[:, None]
    held = projection(design.effects, others, root)
    pair = np.column_stack([design.outcome, design.slopes[treatment]]) * root[:, None]
    y, x = held.residual(pair).T
    whole = float(x @ x)
    u = y - x * float(x @ y) / whole
    least = 1e-12 * float(pair[:, 1] @ pair[:, 1])
    clusters = np.zeros(size, dtype=int) if design.cluster is None else design.cluster.to_numpy()
    sums = sparse.csr_array((np.ones(size), (clusters, np.arange(size))))
    square = float(np.sum((sums @ (x * u)) ** 2)) if student else 1.0
    if float(u @ u) <= 1e-24 * float(pair[:, 0] @ pair[:, 0]) or (
        student and square <= 1e-24 * whole * float(u @ u)
    ):
        raise ModelError(f"{fit.formula!r} fits perfectly; there is no chance left to compare with")
    parts = []
    for block in possible.blocks(B, rng):
        given = held.residual(block.T * root[:, None])
        length = np.einsum("nb,nb->b", given, given)
        gone = length <= least  # controls and effects explain this arrangement whole
        length[gone] = 1.0
        n0, n1 = (u @ given) / length, -(x @ given) / length
        if student:
            zero = sums @ (given * (u[:, None] - n0 * given))
            one = -(sums @ (given * (x[:, None] + n1 * given)))
            q0, q1, q2 = (zero**2).sum(0), 2 * (zero * one).sum(0), (one**2).sum(0)
            still = q2 <= 1e-24 * length**2  # the observed arrangement, or its opposite
            q1[still], q2[still] = 0.0, 0.0
            n0, n1 = n0 * length, n1 * length
        else:
            q0, q1, q2 = np.ones_like(n0), np.zeros_like(n0), np.zeros_like(n0)
        part = np.vstack([n0, n1, q0, q1, q2])
        part[:, gone] = 0.0
        parts.append(part)
    n0, n1, q0, q1, q2 = np.concatenate(parts, axis=1)
    slope = whole if student else 1.0
    return Draws(n0, n1, q0, q1, q2, slope, square, complete)


def _own(
    data: pd.DataFrame,
    statistic: Callable[[pd.DataFrame], float],
    treatment: str,
    unit: str,
    time: str | None,
    strata: str | None,
    scheme: str,
    B: int,
    rng: int | np.random.Generator | None,
    level: float,
) -> RandomisationTest:
    """Run the test with a statistic of one's own."""
    if data[treatment].isna().any():
        raise ModelError(f"column {treatment!r} has missing values; drop those rows first")
    if not pd.api.types.is_numeric_dtype(data[treatment]):
        raise ModelError(f"column {treatment!r} is not numeric; code the treatment as numbers")
    values = data[treatment].to_numpy(dtype=float)
    possible = arrange(values, data, treatment, unit, time, strata, scheme)
    complete = possible.size <= B or scheme == "shift time"
    ours = float(statistic(data.assign(**{treatment: values})))
    name = getattr(statistic, "__name__", "statistic")
    if not np.isfinite(ours):
        raise ModelError(f"{name} of the data is {ours}; it must be a finite number")
    drawn = np.array(
        [
            float(statistic(data.assign(**{treatment: given})))
            for block in possible.blocks(B, rng)
            for given in block
        ]
    )
    undefined = np.isnan(drawn)
    count = int(np.count_nonzero(undefined | (np.abs(drawn) >= abs(ours) * (1 - TIE))))
    return RandomisationTest(
        term=treatment,
        formula=name,
        estimate=ours,
        std_error=np.nan,
        statistic=ours,
        compared=name,
        null=0.0,
        p_value=count / len(drawn) if complete else (1 + count) / (1 + len(drawn)),
        ci_low=np.nan,
        ci_high=np.nan,
        level=level,
        arrangements=_said(possible, complete, B, scheme),
        n_units=len(possible.given),
        undefined=int(undefined.sum()),
        reference=drawn,
        data_used=pd.DataFrame(index=data.index).assign(kept=True, reason=""),
    )


def _said(possible: Arrangements, complete: bool, B: int, scheme: str) -> str:
    if complete:
        return f"all {possible.size} arrangements ({scheme})"
    return f"{B} random arrangements ({scheme})"
