"""What every estimator returns: one frame of numbers, and what it was estimated on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crime_analysis.errors import UnknownNameError

if TYPE_CHECKING:
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
        The library's own result, for what is not exposed here; its regressors are divided by
        powers of two.
    design : Design, optional
        The rows that were estimated from, as numbers.
    small_sample : str
        The convention of the small-sample factor (see `fit_panel`).
    fixed_effects : tuple of str
        The absorbed effects.
    outcome : str
        The left-hand side.
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
