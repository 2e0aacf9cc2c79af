"""What every estimator returns: one frame of numbers, and what it was estimated on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError, UnknownNameError

if TYPE_CHECKING:
    from crime_analysis.drawing import Figure
    from crime_analysis.inference.instruments import FirstStage

__all__ = ["Design", "Fit"]


@dataclass(frozen=True)
class Design:
    """The rows of an estimate as numbers: what resampling and sensitivity methods work on.

    All parts share one index: the positions of the rows in the data given to the estimator.

    Attributes
    ----------
    outcome : Series
        The left-hand side.
    slopes : DataFrame
        Exogenous regressors; with a column ``Intercept`` where there are no fixed effects.
    endogenous, instruments : DataFrame
        Without columns where the formula has none.
    effects : DataFrame
        Absorbed fixed effects as integer codes, a column each.
    weights, cluster, offset : Series, optional
        Analytic weights; cluster codes; the logarithm of the exposure.
    """

    outcome: pd.Series
    slopes: pd.DataFrame
    endogenous: pd.DataFrame
    instruments: pd.DataFrame
    effects: pd.DataFrame
    weights: pd.Series | None = None
    cluster: pd.Series | None = None
    offset: pd.Series | None = None


@dataclass(frozen=True)
class Fit:
    """An estimated model. `tidy` is the only source of its numbers.

    Attributes
    ----------
    formula, family : str
        ``y ~ x | fixed effects | endogenous ~ instrument``; ``ols``, ``iv`` or ``poisson``.
    coefficients : Series
        Estimates by term.
    covariance : DataFrame
        Their covariance, terms by terms.
    vcov : str
        How the covariance was estimated, in words.
    degrees_of_freedom : float
        Of the t distribution used for tests and intervals (clusters minus one); infinite for
        the normal distribution.
    nobs, n_clusters : int
        Rows and clusters used; zero clusters if errors are not clustered.
    data_used : DataFrame
        One row per row of the data: its keys, whether it was kept, and why not.
    native : object
        The library's own result, for what is not exposed here: its regressors are divided by
        powers of two, fixed effects may be taken out of them, and its own errors are neither
        clustered nor carry the small-sample factor.
    design : Design, optional
        The rows that were estimated from, as numbers.
    small_sample : str
        The convention of the small-sample factor (see `fit_panel`).
    fixed_effects : tuple of str
        The absorbed effects.
    outcome : str
        The left-hand side.
    data : DataFrame, optional
        What was given to the estimator: kept, not copied, so that `refit` can go back to it.
    options : mapping
        The estimator's other arguments.
    """

    formula: str
    family: str
    coefficients: pd.Series
    covariance: pd.DataFrame
    vcov: str
    degrees_of_freedom: float
    nobs: int
    n_clusters: int
    data_used: pd.DataFrame
    native: Any = field(repr=False, compare=False)
    design: Design | None = field(default=None, repr=False, compare=False)
    small_sample: str = ""
    fixed_effects: tuple[str, ...] = ()
    outcome: str = ""
    data: pd.DataFrame | None = field(default=None, repr=False, compare=False)
    options: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    def tidy(self, level: float = 0.95) -> pd.DataFrame:
        """Return the estimates.

        Returns
        -------
        DataFrame
            Indexed by ``term``: ``estimate``, ``std_error``, ``statistic`` (t), ``p_value``
            (two-sided), ``ci_low``, ``ci_high`` (at `level`).
        """
        from scipy import stats

        errors = np.sqrt(np.diag(self.covariance))
        with np.errstate(divide="ignore", invalid="ignore"):  # a perfect fit has no error
            statistic = self.coefficients.to_numpy() / errors
        law = (
            stats.norm() if np.isinf(self.degrees_of_freedom) else stats.t(self.degrees_of_freedom)
        )
        reach = law.ppf(0.5 + level / 2) * errors
        return pd.DataFrame(
            {
                "estimate": self.coefficients.to_numpy(),
                "std_error": errors,
                "statistic": statistic,
                "p_value": 2 * law.sf(np.abs(statistic)),
                "ci_low": self.coefficients.to_numpy() - reach,
                "ci_high": self.coefficients.to_numpy() + reach,
            },
            index=pd.Index(self.coefficients.index, name="term"),
        )

    def term(self, name: str) -> pd.Series:
        """Return one row of `tidy`.

        Raises
        ------
        UnknownNameError
            If the model has no such term; it offers those it has.
        """
        table = self.tidy()
        if name not in table.index:
            raise UnknownNameError("term", name, table.index, self.formula)
        return table.loc[name]

    def refit(
        self, formula: str | None = None, data: pd.DataFrame | None = None, **options: Any
    ) -> Fit:
        """Estimate again with something changed: the formula, the data, or an argument.

        Raises
        ------
        ModelError
            If the fit did not come from `fit_panel`.
        """
        from crime_analysis.models.panel_regression import fit_panel

        if self.data is None:
            raise ModelError(f"{self.formula!r} did not come from fit_panel; call its function")
        return fit_panel(
            formula or self.formula,
            self.data if data is None else data,
            **{**self.options, **options},
        )

    def first_stage(self, level: float = 0.95) -> FirstStage:
        """Return the strength of the instruments and the Anderson-Rubin set of the effect.

        Raises
        ------
        ModelError
            If the model has not exactly one endogenous variable.
        """
        from crime_analysis.inference.instruments import examine

        return examine(self, level)

    def summary(self) -> str:
        """Return the estimates and what they rest on, as text."""
        clusters = f", {self.n_clusters} clusters" if self.n_clusters else ""
        dropped = int((~self.data_used["kept"]).sum())
        return "\n".join(
            [
                f"{self.formula}  [{self.family}]",
                f"{self.nobs} rows{clusters}; {dropped} rows dropped; {self.vcov}",
                self.tidy().round(4).to_string(),
            ]
        )

    def plot(self, terms: list[str] | None = None) -> Figure:
        """Draw the estimates with their intervals (see `comparison.coefficients`)."""
        from crime_analysis.comparison import coefficients

        return coefficients(self, terms)

    def explain(self, term: str | None = None) -> str:
        """Return three sentences for a student: estimate, uncertainty, assumption.

        Parameters
        ----------
        term : str, optional
            Which; the last if not given.

        Raises
        ------
        UnknownNameError
            If the model has no such term.
        """
        name = str(self.coefficients.index[-1]) if term is None else term
        row = self.term(name)
        low, high = float(row["ci_low"]), float(row["ci_high"])
        outcome = _logged(self.outcome)
        regressor = _logged(name)
        size = f"{abs(row['estimate']):.3g}"
        counts = self.family in ("poisson", "negative_binomial")
        relative = counts or outcome is not None
        what = outcome or self.outcome
        unit = f"one per cent more {regressor}" if regressor else f"one unit more {name}"
        if relative and regressor:
            told = f"{size} per cent"
        elif relative:
            told = f"about {_percent(abs(float(np.expm1(row['estimate']))))}"
        else:
            told = f"{abs(row['estimate']) / 100:.3g}" if regressor else size
        way = "more" if row["estimate"] > 0 else "less"
        scale = 0.01 if regressor and not relative else 1.0
        ends = f"{low * scale:.3g} to {high * scale:.3g}"
        if relative and not regressor:
            ends = f"{_percent(float(np.expm1(low)))} to {_percent(float(np.expm1(high)))}"
        clear = low > 0 or high < 0
        doubt = (
            "zero is not among them, so a difference this large would be rare if there were none"
            if clear
            else "zero is among them, so these data cannot tell whether there is a difference"
        )
        held = (
            f", comparing rows within {' and '.join(self.fixed_effects)}"
            if self.fixed_effects
            else ""
        )
        if self.family == "iv" and self.design is not None and name in self.design.endogenous:
            instruments = ", ".join(map(str, self.design.instruments))
            assumption = (
                f"It is an effect only if {instruments} moves {what} through {name} alone and is"
                " otherwise as good as random; if it hardly does, this interval misleads, that of"
                " first_stage() does not."
            )
        else:
            assumption = (
                f"It is an effect, and not just an association, only if nothing else that moves"
                f" {what} moves with {name}{' once those are held' if held else ''}, and"
                f" {what} does not move {name} back."
            )
        return (
            f"With {unit} goes {told} {way} {what}{held}. The 95% interval, {ends}, holds the"
            f" values that sit well with the data: {doubt}. {assumption}"
        )


def _percent(value: float) -> str:
    """Return a share as a percentage of three figures, however small or large."""
    return f"{value:.1%}" if 0.01 <= abs(value) < 1 else f"{float(f'{value * 100:.3g}'):,.12g}%"


def _logged(name: str) -> str | None:
    """Return what a logarithm is of, in words; None if the name is of no logarithm.

    A product with a logarithm is none: what it multiplies has a unit of its own.
    """
    if ":" in name:
        return None
    earlier = re.fullmatch(r"lag\((.+?)(?:, (?:k=)?(-?)(\d+))?\)", name)
    if earlier:
        inside = _logged(earlier[1])
        return inside and f"{inside} ({earlier[3] or 1} {'after' if earlier[2] else 'before'})"
    if name.startswith("log(") and name.endswith(")"):
        return name[4:-1]
    return name[4:].replace("_", " ") if name.startswith("log_") else None
