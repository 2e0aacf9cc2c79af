"""The wild cluster bootstrap: honest p-values and intervals when clusters are few.

Every draw multiplies each cluster's restricted residuals by a random weight and estimates again;
`cluster_sums` does so for all draws and all nulls at once.
"""

from __future__ import annotations

import numbers
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crime_analysis.errors import ParameterError, UnknownNameError
from crime_analysis.inference.cluster_sums import cluster_sums, patterns
from crime_analysis.inference.inversion import Draws

if TYPE_CHECKING:
    from crime_analysis.drawing import Figure
    from crime_analysis.models.fit import Fit

__all__ = ["WildBootstrap", "check_draws", "check_test", "wild_bootstrap"]

_WEIGHTS = ("rademacher", "webb")
_TAILS = {"symmetric": "both tails together", "equal": "twice the smaller tail"}


@dataclass(frozen=True)
class WildBootstrap:
    """What the wild cluster bootstrap says of one term.

    Attributes
    ----------
    term, formula : str
        What was tested, in which model.
    estimate, std_error, statistic : float
        As in the fit; the statistic is that of `null`.
    null, p_value : float
        The value tested and its p-value.
    ci_low, ci_high, level : float
        The values that are not rejected at ``1 - level``; infinite where none is rejected, and
        missing where no interval was asked for.
    tail : str
        ``symmetric`` or ``equal``.
    patterns : str
        Which draws were used, in words.
    n_clusters : int
    draws : Draws
        Every draw's statistic as a function of the null.
    """

    term: str
    formula: str
    estimate: float
    std_error: float
    statistic: float
    null: float
    p_value: float
    ci_low: float
    ci_high: float
    level: float
    tail: str
    patterns: str
    n_clusters: int
    draws: Draws = field(repr=False, compare=False)

    def tidy(self) -> pd.DataFrame:
        """Return estimate, error, statistic, bootstrap p-value and interval, indexed by term."""
        names = ["estimate", "std_error", "statistic", "p_value", "ci_low", "ci_high"]
        return pd.DataFrame(
            {name: [getattr(self, name)] for name in names},
            index=pd.Index([self.term], name="term"),
        )

    def statistics(self) -> np.ndarray:
        """Return the draws' t statistics under the null, shape (draws,)."""
        # The small-sample factor is the same in every sample: it is the one of the fit.
        ours = self.draws.observed(1.0) * self.std_error
        return self.draws.statistics(self.null - self.estimate) / -ours

    def p_value_at(self, null: float) -> float:
        """Return the p-value of another null, from the same draws."""
        return self.draws.p_value(null - self.estimate)

    def summary(self) -> str:
        """Return the interval, what can be said, and what it rests on, as text."""
        lines = [f"{self.term} in {self.formula}"]
        if not np.isnan(self.ci_low):
            ends = f"{self.ci_low:.4g} to {self.ci_high:.4g}"
            lines.append(f"{self.level:.0%} interval {ends}: {self._verdict()}")
        lines.append(
            f"estimate {self.estimate:.4g}, p = {self.p_value:.4f} that it is {self.null:g}"
            f" (wild cluster bootstrap, null imposed, {_TAILS[self.tail]})"
        )
        lines.append(f"{self.n_clusters} clusters; {self.patterns}")
        if np.isinf([self.ci_low, self.ci_high]).any():
            lines.append(
                "an end is infinite: with so few clusters (or so few that differ in the term) no"
                f" value, however far, has a p-value of {1 - self.level:.3g} or less"
            )
        return "\n".join(lines)

    def plot(self) -> Figure:
        """Draw the p-value of every null: where it is above the line, the null is not rejected."""
        from crime_analysis.drawing import BLUE, ORANGE, Figure, canvas

        ends = np.array([self.ci_low, self.ci_high])
        reach = np.where(np.isfinite(ends), np.abs(ends - self.estimate), 4 * self.std_error)
        span = np.linspace(self.estimate - 1.6 * reach[0], self.estimate + 1.6 * reach[1], 241)
        data = pd.DataFrame({"null": span, "p_value": [self.p_value_at(null) for null in span]})
        if np.isnan(self.ci_low):
            said = f"p = {self.p_value:.3f} that {self.term} is {self.null:g}"
        else:
            said = (
                f"{self.term}: {self.ci_low:.3g} to {self.ci_high:.3g} ({self.level:.0%} interval)"
            )
            said += f", {self._verdict()}"
        with canvas(height=3.4) as (_, axis, out):
            axis.plot(data["null"], data["p_value"], color=BLUE, lw=1.6)
            axis.axhline(1 - self.level, color=ORANGE, ls="--", lw=1.1)
            axis.axvline(0, color="#444444", lw=0.8)
            axis.fill_between(
                data["null"], 0, data["p_value"], where=data["p_value"] > 1 - self.level,
                color=BLUE, alpha=0.15, lw=0,
            )  # fmt: skip
            axis.set_xlim(min(span[0], 0), max(span[-1], 0))
            axis.set_ylim(0, 1.02)
            axis.set_xlabel(f"value of {self.term} supposed true")
            axis.set_ylabel("p-value")
        return Figure(
            title=said,
            alt=f"Curve of the p-value against the value of {self.term} supposed true: 1 at the"
            f" estimate {self.estimate:.3g}, {self.p_value:.3f} at {self.null:g}. {said}.",
            source=f"Wild cluster bootstrap of {self.formula}: {self.n_clusters} clusters,"
            f" {self.patterns}. Dashed: {1 - self.level:.3g}.",
            svg=out.getvalue(),
            data=data,
        )

    def _verdict(self) -> str:
        if self.ci_low <= 0 <= self.ci_high:
            return "cannot tell from zero"
        return "clear of zero"


def wild_bootstrap(
    fit: Fit,
    term: str,
    B: int = 9999,
    weights: str = "rademacher",
    null: float = 0.0,
    rng: int | np.random.Generator | None = None,
    level: float | None = 0.95,
    tail: str = "symmetric",
) -> WildBootstrap:
    """Test one coefficient, and give its interval, by the restricted wild cluster bootstrap.

    Use it when clusters are few or unequal (43 forces, 32 boroughs), where t tests with clustered
    errors reject too often. It mends the uncertainty of an estimate, not its meaning: the
    estimate is causal only if the regression is. Do not use it where one or two clusters alone
    hold all variation of the term (one treated force): it then rejects far too rarely or too
    often (MacKinnon and Webb 2017); use `randomisation_test` or a synthetic control.

    Parameters
    ----------
    fit : Fit
        Least squares from `fit_panel` with ``cluster=``; weights, controls and any fixed effects.
    term : str
        The coefficient.
    B : int
        Draws. If all patterns of signs are no more than `B`, each is used once and the answer
        is exact, without chance.
    weights : {"rademacher", "webb"}
        Signs, or Webb's six points for fewer than about a dozen clusters (never enumerated).
    null : float
        The value tested, in units of the coefficient.
    rng : int or Generator, optional
        Seed, 0 if not given; not used where patterns are enumerated.
    level : float, optional
        Of the interval; None for the p-value alone, a little sooner.
    tail : {"symmetric", "equal"}
        Share of draws with ``|t*| >= |t|``, or twice the smaller tail. Ties count.

    Returns
    -------
    WildBootstrap

    Raises
    ------
    UnknownNameError
        If the fit has no such term, or `weights` or `tail` is unknown.
    ParameterError
        If `B`, `null` or `level` is out of range.
    ModelError
        If the fit is not clustered, not least squares, or fits perfectly.

    Notes
    -----
    The null is imposed on the residuals that are resampled (Cameron, Gelbach and Miller 2008).
    The interval holds the nulls that are not rejected and need not be symmetric. Drawn p-values
    are ``(1 + count) / (1 + B)``. Weights: Rademacher, and Webb (2023), "Reworking wild
    bootstrap-based inference for clustered errors".

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from crime_analysis.models.panel_regression import fit_panel
    >>> rng = np.random.default_rng(0)
    >>> panel = pd.DataFrame({"unit": np.repeat(range(8), 6), "year": np.tile(range(6), 8)})
    >>> panel["x"] = rng.normal(size=48)
    >>> panel["y"] = panel["x"] + panel["unit"] + rng.normal(size=48)
    >>> fit = fit_panel("y ~ x | unit + year", panel, cluster="unit")
    >>> test = wild_bootstrap(fit, "x")
    >>> test.patterns
    'all 2^8 = 256 patterns of signs'
    >>> bool(test.ci_low < 1 < test.ci_high)
    True
    """
    check_draws(B, weights)
    check_test(null, level)
    if tail not in _TAILS:
        raise UnknownNameError("tail", tail, _TAILS, "wild_bootstrap")
    sums = cluster_sums(fit, term)
    complete = weights == "rademacher" and 2**sums.groups <= B
    blocks = patterns(sums.groups, B, weights, rng)
    draws = sums.draws(blocks, complete, tail == "equal")
    estimate = float(fit.coefficients[term])
    error = float(np.sqrt(fit.covariance.loc[term, term]))
    low, high = draws.interval(level, error) if level is not None else (np.nan, np.nan)
    names = {"rademacher": "patterns of signs", "webb": "draws of Webb's six-point weights"}
    used = f"all 2^{sums.groups} = {2**sums.groups}" if complete else f"{B} random"
    return WildBootstrap(
        term=term,
        formula=fit.formula,
        estimate=estimate,
        std_error=error,
        statistic=(estimate - null) / error,
        null=float(null),
        p_value=draws.p_value(null - estimate),
        ci_low=estimate + low,
        ci_high=estimate + high,
        level=0.95 if level is None else level,
        tail=tail,
        patterns=f"{used} {names[weights]}",
        n_clusters=sums.groups,
        draws=draws,
    )


def check_draws(B: int, weights: str) -> None:
    """Refuse what is not a number of draws, and unknown weights."""
    if weights not in _WEIGHTS:
        raise UnknownNameError("weights", weights, _WEIGHTS, "the wild bootstrap")
    if isinstance(B, bool) or not isinstance(B, numbers.Integral) or B < 1:
        raise ParameterError(f"B = {B!r} is not a number of draws; give a whole one such as 9999")


def check_test(null: float, level: float | None) -> None:
    """Refuse what is not a null to test, and what is not a level."""
    if isinstance(null, bool) or not isinstance(null, numbers.Real) or not np.isfinite(null):
        raise ParameterError(f"null = {null!r} is not a finite number; give one such as 0")
    if level is not None and not (isinstance(level, numbers.Real) and 0 < level < 1):
        raise ParameterError(f"level = {level!r} is not between 0 and 1; give one such as 0.95")
