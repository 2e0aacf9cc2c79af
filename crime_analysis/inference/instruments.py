"""Inference that stays honest when instruments are weak."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError
from crime_analysis.models import absorb
from crime_analysis.models.fit import Design, Fit

__all__ = ["FirstStage", "examine"]


@dataclass(frozen=True)
class FirstStage:
    """The instruments of one endogenous variable: how strong, and what they allow one to say.

    Attributes
    ----------
    formula : str
        The formula with its instruments.
    endogenous : str
        What is instrumented.
    table : DataFrame
        By instrument: ``estimate``, ``std_error``, ``statistic``, ``p_value``, ``ci_low``,
        ``ci_high`` of its coefficient on the endogenous variable, controls and effects held.
    reduced_form : Series
        The instruments' coefficients on the outcome.
    covariance : DataFrame
        Of the reduced form's coefficients, then the first stage's.
    f_statistic : float
        F of the instruments together, robust as the fit's errors are.
    effective_f : float
        The effective F of Montiel Olea and Pflueger (2013); equal to `f_statistic` for one
        instrument.
    estimate : float
        The two-stage estimate.
    region : tuple of (float, float)
        The Anderson-Rubin confidence set as intervals in order; empty if every value is
        rejected, which speaks against the instruments (or that their effects are one).
    level : float
        Of the set.
    nobs, n_clusters : int
        Rows and clusters used.
    """

    formula: str
    endogenous: str
    table: pd.DataFrame
    reduced_form: pd.Series
    covariance: pd.DataFrame
    f_statistic: float
    effective_f: float
    estimate: float
    region: tuple[tuple[float, float], ...]
    level: float
    nobs: int
    n_clusters: int
    cross: np.ndarray = field(repr=False, compare=False)

    @property
    def first_stage(self) -> pd.Series:
        """The instruments' coefficients on the endogenous variable."""
        return self.table["estimate"]

    @property
    def bounded(self) -> bool:
        """Whether the Anderson-Rubin set is one ordinary interval."""
        return len(self.region) == 1 and bool(np.isfinite(self.region[0]).all())

    @property
    def ci_low(self) -> float:
        """Where the set begins: -inf if all is allowed; above `ci_high` for two rays.

        Two rays are everything outside (``ci_high``, ``ci_low``).
        """
        if len(self.region) > 1 and np.isinf(self.region[0][0]):
            return self.region[-1][0]
        return self.region[0][0] if self.region else float("nan")

    @property
    def ci_high(self) -> float:
        """Where the set ends (see `ci_low`)."""
        if len(self.region) > 1 and np.isinf(self.region[0][0]):
            return self.region[0][1]
        return self.region[-1][1] if self.region else float("nan")

    def draws(self, size: int, rng: np.random.Generator) -> np.ndarray:
        """Return simulated effects: two-stage estimates of joint normal draws of both stages.

        Where the instruments are weak the ratio has no mean and heavy tails, as it should.
        """
        k = len(self.reduced_form)
        centre = np.r_[self.reduced_form.to_numpy(), self.first_stage.to_numpy()]
        both = rng.multivariate_normal(centre, self.covariance.to_numpy(), size=size)
        reduced, first = both[:, :k], both[:, k:]
        weighted = first @ self.cross
        return (weighted * reduced).sum(axis=1) / (weighted * first).sum(axis=1)

    def in_words(self, digits: str = ".3g", empty: str = "no value at all") -> str:
        """Return the Anderson-Rubin set in words, its ends written as `digits` says."""
        parts = [
            "everything"
            if np.isinf(low) and np.isinf(high)
            else f"{high:{digits}} and below"
            if np.isinf(low)
            else f"{low:{digits}} and above"
            if np.isinf(high)
            else f"{low:{digits}} to {high:{digits}}"
            for low, high in self.region
        ]
        return " or ".join(parts) or empty

    def summary(self) -> str:
        """Return strength and confidence set in words."""
        told = self.in_words()
        weak = "weak (under 10)" if self.effective_f < 10 else "10 or more"
        return (
            f"{self.endogenous} by {', '.join(self.table.index)}: F {self.f_statistic:.1f},"
            f" effective F {self.effective_f:.1f}, {weak}; Anderson-Rubin"
            f" {self.level:.0%} set: {told}; two-stage estimate {self.estimate:.3g}"
        )


def examine(fit: Fit, level: float = 0.95) -> FirstStage:
    """Examine the instruments of a fit: first stage, F, and the Anderson-Rubin set.

    The set holds every effect under which the instruments no longer explain what is left of
    the outcome; its coverage does not depend on their strength (Anderson and Rubin 1949;
    Andrews, Stock and Sun 2019). It is found exactly, as the roots of a polynomial; with one
    instrument a quadratic (Fieller 1954).

    Parameters
    ----------
    fit : Fit
        From a formula ``y ~ controls | fixed effects | endogenous ~ instruments`` with one
        endogenous variable.
    level : float
        Of the set.

    Raises
    ------
    ModelError
        If the fit has no instruments, or more than one endogenous variable.
    """
    from scipy import stats

    rows = fit.design
    if rows is None or rows.endogenous.shape[1] != 1:
        count = 0 if rows is None else rows.endogenous.shape[1]
        raise ModelError(
            f"{fit.formula!r} has {count} endogenous variables; a first stage needs one: write"
            " 'y ~ controls | fixed effects | endogenous ~ instruments'"
        )
    y, x, z, weights = _partialled(rows)
    cross = (z * weights[:, None]).T @ z
    inverse = np.linalg.inv(cross)
    both = inverse @ (z * weights[:, None]).T @ np.column_stack([y, x])
    reduced, first = both.T
    k = len(first)
    scores = np.hstack(
        [z * (weights * (v - z @ c))[:, None] for v, c in ((y, reduced), (x, first))]
    )
    if rows.cluster is not None:
        codes = rows.cluster.to_numpy()
        scores = np.column_stack([np.bincount(codes, column) for column in scores.T])
    bread = np.kron(np.eye(2), inverse)
    counted = absorb.parameters(
        rows.slopes.shape[1] + k, rows.effects, rows.cluster, fit.small_sample
    )
    size = absorb.factor(fit.nobs, fit.n_clusters, counted, fit.small_sample)
    covariance = size * bread @ scores.T @ scores @ bread
    freedom = fit.n_clusters - 1 if fit.n_clusters else fit.nobs - counted
    wald = float(first @ np.linalg.solve(covariance[k:, k:], first)) / k
    effective = float(first @ cross @ first / np.trace(covariance[k:, k:] @ cross))
    names = [str(c) for c in rows.instruments]
    error = np.sqrt(np.diag(covariance)[k:])
    reach = stats.t(freedom).ppf(0.5 + level / 2)
    critical = k * float(stats.f(k, freedom).ppf(level))
    return FirstStage(
        formula=fit.formula,
        endogenous=str(rows.endogenous.columns[0]),
        table=pd.DataFrame(
            {
                "estimate": first,
                "std_error": error,
                "statistic": first / error,
                "p_value": 2 * stats.t(freedom).sf(np.abs(first / error)),
                "ci_low": first - reach * error,
                "ci_high": first + reach * error,
            },
            index=pd.Index(names, name="term"),
        ),
        reduced_form=pd.Series(reduced, index=names),
        covariance=pd.DataFrame(covariance, [*names] * 2, [*names] * 2),
        f_statistic=wald,
        effective_f=effective,
        estimate=float(first @ cross @ reduced / (first @ cross @ first)),
        region=_region(reduced, first, covariance, critical),
        level=level,
        nobs=fit.nobs,
        n_clusters=fit.n_clusters,
        cross=cross,
    )


def _partialled(rows: Design) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return outcome, endogenous variable and instruments less effects and controls; weights."""
    weights = np.ones(len(rows.outcome)) if rows.weights is None else rows.weights.to_numpy()
    parts = [rows.outcome.to_frame(), rows.endogenous, rows.instruments, rows.slopes]
    left = absorb.residualise(
        np.column_stack([part.to_numpy() for part in parts]), rows.effects, weights
    )
    focus = left.shape[1] - rows.slopes.shape[1]
    root = np.sqrt(weights)[:, None]
    controls = left[:, focus:]
    if controls.shape[1]:
        slopes = np.linalg.lstsq(root * controls, root * left[:, :focus], rcond=None)[0]
        left = left[:, :focus] - controls @ slopes
    return left[:, 0], left[:, 1], left[:, 2:focus], weights


def _region(
    reduced: np.ndarray, first: np.ndarray, covariance: np.ndarray, critical: float
) -> tuple[tuple[float, float], ...]:
    """Solve ``g(b)' V(b)^-1 g(b) <= c`` with ``g(b) = reduced - b first``, for b.

    With ``b = tan(t)`` both sides are polynomials in ``exp(2it)``, infinite b included; the
    roots on the unit circle are the ends of the set.
    """
    k = len(first)
    # In units of the coefficients' own errors, so that angles are well spread.
    scale = float(np.sqrt(np.trace(covariance[:k, :k]) / np.trace(covariance[k:, k:])))
    a, v = reduced / scale, covariance / np.r_[[scale] * k, [1.0] * k]
    v = v / np.r_[[scale] * k, [1.0] * k][:, None]

    def at(angle: float) -> tuple[float, float]:
        """Return the statistic less its critical value, and the determinant of V."""
        side = np.vstack([np.cos(angle) * np.eye(k), -np.sin(angle) * np.eye(k)])
        g, spread = side.T @ np.r_[a, first], side.T @ v @ side
        return float(g @ np.linalg.solve(spread, g)) - critical, float(np.linalg.det(spread))

    angles = np.pi * np.arange(2 * k + 1) / (2 * k + 1)
    modes = np.fft.fft([np.prod(at(angle)) for angle in angles])
    roots = np.roots(np.roll(modes, k)[::-1])
    circle = roots[np.abs(np.abs(roots) - 1) < 1e-6]
    ends = sorted({float(np.angle(w)) / 2 for w in circle})  # within a quarter turn of zero
    edges = [-np.pi / 2, *ends, np.pi / 2]
    joined: list[list[float]] = []
    for low, high in itertools.pairwise(edges):
        if at((low + high) / 2)[0] > 0:
            continue
        if joined and joined[-1][1] == low:
            joined[-1][1] = high
        else:
            joined.append([low, high])

    def value(angle: float) -> float:
        quarter = abs(angle) == np.pi / 2
        return float(np.copysign(np.inf, angle)) if quarter else scale * float(np.tan(angle))

    return tuple((value(low), value(high)) for low, high in joined)
