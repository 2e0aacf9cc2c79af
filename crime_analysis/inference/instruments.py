"""Inference that stays honest when an instrument is weak."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError
from crime_analysis.models.panel_regression import fit_panel

__all__ = ["FirstStage", "first_stage"]


@dataclass(frozen=True)
class FirstStage:
    """One instrument for one endogenous variable: how strong, and what it allows one to say.

    Attributes
    ----------
    formula : str
        The formula with its instrument.
    first_stage, reduced_form : float
        Coefficients of the endogenous variable and of the outcome on the instrument.
    covariance : ndarray, shape (2, 2)
        Of (reduced form, first stage), clustered.
    f_statistic : float
        Clustered F of the instrument: with one instrument also the effective F of Montiel
        Olea and Pflueger (2013).
    ci_low, ci_high : float
        Anderson-Rubin interval of the effect; infinite ends where the data set no bound.
    bounded : bool
        Whether the interval is an ordinary one. If not, `ci_low > ci_high` means everything
        outside (ci_high, ci_low), and both infinite means every value.
    nobs, n_clusters : int
        Rows and clusters used.
    """

    formula: str
    first_stage: float
    reduced_form: float
    covariance: np.ndarray
    f_statistic: float
    ci_low: float
    ci_high: float
    bounded: bool
    nobs: int
    n_clusters: int

    @property
    def estimate(self) -> float:
        """The instrumental-variable estimate: reduced form over first stage."""
        return self.reduced_form / self.first_stage

    def draws(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """Return simulated effects: ratios of joint normal draws of the two coefficients.

        Where the instrument is weak the ratio has no mean and heavy tails, as it should.
        """
        both = rng.multivariate_normal(
            [self.reduced_form, self.first_stage], self.covariance, size=size
        )
        return both[:, 0] / both[:, 1]


def first_stage(
    formula: str,
    data: pd.DataFrame,
    *,
    cluster: str,
    weights: str | None = None,
    level: float = 0.95,
) -> FirstStage:
    """Examine an instrument: first stage, reduced form, F, and the Anderson-Rubin interval.

    The interval holds every effect that the reduced form does not reject; its coverage does
    not depend on the strength of the instrument (Anderson and Rubin 1949; Andrews, Stock and
    Sun 2019). With one instrument it is the solution of a quadratic (Fieller 1954).

    Parameters
    ----------
    formula : str
        ``y ~ controls | fixed effects | endogenous ~ instrument``, one of each of the last.
    data : DataFrame
    cluster, weights : str
        As in `fit_panel`.
    level : float
        Of the interval.

    Raises
    ------
    ModelError
        If the formula has not exactly one endogenous variable and one instrument.
    """
    from scipy import stats

    pieces = [piece.strip() for piece in formula.split("|")]
    endogenous, _, instrument = (part.strip() for part in pieces[-1].partition("~"))
    if len(pieces) != 3 or not instrument or "+" in endogenous + instrument:
        raise ModelError(f"{formula!r} needs 'y ~ controls | effects | endogenous ~ instrument'")
    outcome, _, controls = (part.strip() for part in pieces[0].partition("~"))
    fit = fit_panel(formula, data, cluster=cluster, weights=weights)
    rows = data.loc[fit.data_used["kept"].to_numpy()]
    root = np.sqrt(rows[[weights]].to_numpy(float)) if weights else np.ones((len(rows), 1))
    held = [name.strip() for name in controls.split("+") if name.strip() not in ("", "0", "1")]
    absorbed = [pd.get_dummies(rows[name.strip()]).to_numpy() for name in pieces[1].split("+")]
    design = root * np.column_stack([*absorbed, rows[held].to_numpy(float)])
    values = root * rows[[outcome, endogenous, instrument]].to_numpy(float)
    y, x, z = (values - design @ np.linalg.lstsq(design, values, rcond=None)[0]).T

    strength = float(z @ z)
    reduced, first = float(z @ y) / strength, float(z @ x) / strength
    scores = pd.DataFrame({"y": z * (y - reduced * z), "x": z * (x - first * z)})
    sums = scores.groupby(rows[cluster].to_numpy()).sum().to_numpy()
    groups = len(sums)
    factor = groups / (groups - 1) * (len(rows) - 1) / (len(rows) - 1 - len(held))
    covariance = factor * sums.T @ sums / strength**2

    low, high, bounded = _fieller(
        reduced, first, covariance, float(stats.t(groups - 1).ppf(0.5 + level / 2))
    )
    return FirstStage(
        formula=formula,
        first_stage=first,
        reduced_form=reduced,
        covariance=covariance,
        f_statistic=first**2 / covariance[1, 1],
        ci_low=low,
        ci_high=high,
        bounded=bounded,
        nobs=fit.nobs,
        n_clusters=groups,
    )


def _fieller(
    reduced: float, first: float, covariance: np.ndarray, critical: float
) -> tuple[float, float, bool]:
    """Solve ``(a - b p)^2 <= c^2 (V_aa - 2 b V_ap + b^2 V_pp)`` for b."""
    c2 = critical**2
    square = first**2 - c2 * covariance[1, 1]
    middle = reduced * first - c2 * covariance[0, 1]
    constant = reduced**2 - c2 * covariance[0, 0]
    discriminant = middle**2 - square * constant
    if discriminant < 0:  # only with square < 0: no effect at all is rejected
        return -np.inf, np.inf, False
    root = np.sqrt(discriminant)
    ends = sorted([(middle - root) / square, (middle + root) / square])
    if square > 0:
        return float(ends[0]), float(ends[1]), True
    return float(ends[1]), float(ends[0]), False
