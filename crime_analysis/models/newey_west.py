"""Errors of a regression on a series whose residuals remember the past.

Newey and West (1987), and a correction for short series. The plain estimate is too small when
regressors trend and residuals are autocorrelated, and far too small for the few years of months
that an interrupted series has: its 95% intervals hold the truth 58 to 93% of the time (see
`interrupted_series`). The correction asks what the estimate would be on average,
and how much it would vary, if the errors were an autoregression of order one, and makes up for
both. Bell and McCaffrey (2002) do this for clusters; the autocorrelation is itself first freed
of the bias that fitted trends give it (compare Andrews and Chen 1994; here
its mean is matched).

A weighted regression, such as the last step of a GLM, is put in as least squares: rows times the
root of their weights, Pearson residuals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Memory", "automatic_lags", "corrected", "memory", "newey_west"]

_CEILING = 0.98  # beyond it a trend and the errors cannot be told apart


@dataclass(frozen=True)
class Memory:
    """What the errors are taken to be like: autoregressions of order one that move together.

    Attributes
    ----------
    rho : float
        Autocorrelation from one period to the next, shared by all series, between 0 and 0.98.
    scale : ndarray, series by series
        Covariance between the series' errors in the same period.
    """

    rho: float
    scale: np.ndarray

    def covariance(self, when: np.ndarray, series: np.ndarray) -> np.ndarray:
        """Return the errors' covariance, rows by rows."""
        return self.scale[np.ix_(series, series)] * self.rho ** _apart(when)


def automatic_lags(periods: int) -> int:
    """Return the usual number of lags, ``floor(4 (T/100)^(2/9))``.

    Examples
    --------
    >>> automatic_lags(60), automatic_lags(200)
    (3, 4)
    """
    return int(4 * (periods / 100) ** (2 / 9))


def newey_west(
    influence: np.ndarray, residuals: np.ndarray, when: np.ndarray, lags: int
) -> np.ndarray:
    """Return the Newey-West covariance, without a small-sample factor.

    Parameters
    ----------
    influence : ndarray, rows by terms
        How much each row's error moves each estimate: ``X (X'X)^-1``.
    residuals : ndarray, rows
        Of the regression.
    when : ndarray of int, rows
        The period of each row. Rows of the same period (several series) may be correlated, and
        a period that is missing counts as one (Datta and Du 2012).
    lags : int
        Periods apart up to which errors may be correlated.
    """
    moved = influence * residuals[:, None]
    return np.asarray(moved.T @ _bartlett(when, lags) @ moved)


def memory(
    residuals: np.ndarray, annihilator: np.ndarray, when: np.ndarray, series: np.ndarray
) -> Memory:
    """Return the autocorrelation and scale of the errors that left these residuals.

    Parameters
    ----------
    residuals : ndarray, rows
        Of the regression.
    annihilator : ndarray, rows by rows
        ``I - X (X'X)^-1 X'``.
    when, series : ndarray of int, rows
        Period and series of each row.
    """
    apart, same = _apart(when), series[:, None] == series
    codes = np.unique(series)
    size = np.array([np.sqrt(np.mean(residuals[series == code] ** 2)) for code in codes])
    size = np.maximum(size, 1e-150)  # a perfect fit leaves nothing
    even = residuals / size[series]
    neighbours = np.where(same & (apart == 1), 0.5, 0.0)
    observed = even @ neighbours @ even / max(even @ even, 1e-12)
    # What the residuals of errors with autocorrelation rho would show on average, for many rho.
    grid = np.linspace(0, _CEILING, 50)
    powers = grid[:, None] ** np.arange(apart.max() + 1)
    near = np.bincount(apart[same], (annihilator @ neighbours @ annihilator)[same])
    expected = (powers @ near) / (powers @ np.bincount(apart[same], annihilator[same]))
    rho = float(np.interp(observed, np.maximum.accumulate(expected), grid))
    # Residuals are smaller than errors, the more so the longer the errors' memory.
    kept = np.einsum(
        "ij,jk,ki->i", annihilator, np.where(same, rho**apart, 0.0), annihilator, optimize=True
    )
    shrunk = np.array([np.mean(kept[series == code]) for code in codes])
    by_period = np.zeros((len(codes), int(when.max() - when.min()) + 1))
    by_period[series, when - when.min()] = even
    together = np.corrcoef(by_period) if len(codes) > 1 else np.ones((1, 1))
    spread = size / np.sqrt(shrunk)
    return Memory(rho, together * np.outer(spread, spread))


def corrected(
    influence: np.ndarray,
    residuals: np.ndarray,
    annihilator: np.ndarray,
    errors: np.ndarray,
    when: np.ndarray,
    lags: int,
    focus: int,
) -> tuple[np.ndarray, float]:
    """Return the Newey-West covariance corrected for a short series, and degrees of freedom.

    Parameters
    ----------
    influence, residuals, when, lags
        As in `newey_west`.
    annihilator : ndarray, rows by rows
        As in `memory`.
    errors : ndarray, rows by rows
        The errors' covariance, from `Memory.covariance`.
    focus : int
        The first so many terms are those of interest: the degrees of freedom (Satterthwaite's)
        are the fewest of theirs.
    """
    kernel = _bartlett(when, lags)
    left = annihilator @ errors @ annihilator
    truth = influence.T @ errors @ influence
    mean = influence.T @ (kernel * left) @ influence
    # A triangle that turns the average estimate into the truth; for the first term it is the
    # plain ratio of the two, and units do not matter.
    turn = np.linalg.cholesky(truth) @ np.linalg.inv(np.linalg.cholesky(mean))
    freedom = []
    for weight in influence.T[:focus]:
        form = kernel * np.outer(weight, weight) @ left
        freedom.append(np.trace(form) ** 2 / np.sum(form * form.T))
    plain = newey_west(influence, residuals, when, lags)
    return turn @ plain @ turn.T, float(min(freedom))


def _apart(when: np.ndarray) -> np.ndarray:
    return np.abs(when[:, None] - when)


def _bartlett(when: np.ndarray, lags: int) -> np.ndarray:
    return np.clip(1 - _apart(when) / (lags + 1), 0, None)
