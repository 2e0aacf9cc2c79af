"""How a test operates: how often it finds an effect of a given size, and what it then says.

A law is a function from true effects (zero or above) to a frame: ``power``; ``type_s``, the
share of significant estimates with the wrong sign; ``exaggeration``, the mean size of
significant estimates over the true one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError
from crime_analysis.inference.bootstrap import cluster_sums, patterns
from crime_analysis.models.fit import Fit

__all__ = ["Operating", "by_draws", "by_formula", "central", "needed", "resampled"]

Operating = Callable[[np.ndarray], pd.DataFrame]


def central(dof: float) -> Any:
    """Return the t distribution, or the normal one for infinite degrees of freedom."""
    from scipy import stats

    return stats.norm() if np.isinf(dof) else stats.t(dof)


def by_formula(error: float, dof: float, critical: float) -> Operating:
    """Return the law of normal estimates whose standard error is itself estimated.

    Parameters
    ----------
    error : float
        The true standard error.
    dof : float
        Degrees of freedom of the estimated one; infinite if it is known.
    critical : float
        An estimate of more than this times its estimated error is significant.
    """
    from scipy import stats

    # Given the ratio of estimated to true error the estimate is normal: Lu, Qiu and Deng's
    # closed form holds, and is then averaged over the ratio (Gauss-Legendre nodes).
    ratio, share = np.ones(1), np.ones(1)
    if np.isfinite(dof):
        spread = stats.chi(dof, scale=1 / np.sqrt(dof))
        low, high = spread.ppf(1e-14), spread.isf(1e-14)
        nodes, width = np.polynomial.legendre.leggauss(400)
        ratio = low + (high - low) * (nodes + 1) / 2
        share = spread.pdf(ratio) * width * (high - low) / 2
        share /= share.sum()
    edge = critical * ratio

    def law(effects: np.ndarray) -> pd.DataFrame:
        far = np.asarray(effects, dtype=float)[:, None] / error
        right, wrong = stats.norm.sf(edge - far) @ share, stats.norm.cdf(-edge - far) @ share
        size = stats.norm.pdf(edge - far) + stats.norm.pdf(edge + far)
        size += far * (stats.norm.sf(edge - far) - stats.norm.cdf(-edge - far))
        return _tabulated(effects, right, wrong, error * (size @ share))

    return law


def by_draws(noise: np.ndarray, reach: np.ndarray) -> Operating:
    """Return the law of simulated estimates.

    Parameters
    ----------
    noise : ndarray, shape (draws,)
        Estimates less the true effect.
    reach : ndarray, shape (draws,)
        How large each must be to be significant.
    """
    # An error is as likely as its mirror image, so both are used: effects up and down are alike.
    noise, reach = np.concatenate([noise, -noise]), np.concatenate([reach, reach])

    def law(effects: np.ndarray) -> pd.DataFrame:
        parts = []
        for effect in np.asarray(effects, dtype=float):
            found = effect + noise
            right, wrong = found > reach, found < -reach
            size = np.mean(np.abs(found) * (right | wrong))
            parts.append((right.mean(), wrong.mean(), size))
        return _tabulated(effects, *np.array(parts).T)

    return law


def _tabulated(
    effects: np.ndarray, right: np.ndarray, wrong: np.ndarray, size: np.ndarray
) -> pd.DataFrame:
    """Tabulate from the chances of either sign and the mean size of significant estimates."""
    chance = right + wrong
    with np.errstate(divide="ignore", invalid="ignore"):  # no effect, or never significant
        columns = {
            "power": chance,
            "type_s": wrong / chance,
            "exaggeration": size / chance / effects,
        }
    return pd.DataFrame(columns, index=pd.Index(effects, name="true_effect"))


def needed(law: Operating, power: float, error: float) -> float:
    """Return the effect with a given power, by halving."""

    def enough(effect: float) -> bool:
        return bool(law(np.array([effect]))["power"].iloc[0] >= power)

    low, high = 0.0, error
    if enough(low):
        return 0.0
    while not enough(high):
        low, high = high, 2 * high
        if high > 1e6 * error:  # power is 1 in no finite sample
            return float("inf")
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def resampled(
    fit: Fit,
    term: str,
    draws: int,
    weights: str,
    rng: int | np.random.Generator | None,
    residuals: str = "estimated",
) -> tuple[np.ndarray, np.ndarray]:
    """Return errors of the estimate and its clustered standard errors in resampled data.

    An effect that is added shifts the estimate and leaves its residuals as they are, so one set
    of draws, made without an effect, serves all effects.

    Parameters
    ----------
    fit, term, draws, weights, rng
        As in `wild_bootstrap`.
    residuals : {"estimated", "null"}
        Which are resampled: the fit's, or those with no effect imposed.
    """
    sums = cluster_sums(fit, term)
    distinct = (2 if weights == "rademacher" else 6) ** sums.groups // 2
    if distinct < 32:  # fewer cannot tell one draw in twenty from the rest
        raise ModelError(
            f"{sums.groups} clusters give only {distinct} different {weights} draws, too few for"
            " a simulation; use method='formula', or finer clusters if they are independent"
        )
    total, away = float(sums.a1.sum()), 0.0
    if residuals == "null":  # the effect goes into the residuals
        away = float(fit.coefficients[term])
    products, scores = sums.a0 + away * sums.a1, sums.s0 + away * sums.s1
    noise, square = [], []
    for block in patterns(sums.groups, draws, weights, rng):
        noise.append(products @ block / total)
        square.append(np.sum((scores @ block) ** 2, axis=0) / total**2)
    # The factor that the fit's variance carries, whichever convention it follows, mends both
    # the residuals, which are smaller than errors, and the variance taken from them.
    factor = float(fit.covariance.loc[term, term]) / (sums.square / total**2)
    return np.sqrt(factor) * np.concatenate(noise), factor * np.sqrt(np.concatenate(square))
