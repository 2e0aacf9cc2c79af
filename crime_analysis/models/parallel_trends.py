"""What the periods before an event say: the score test, the line, the steps between periods."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError
from crime_analysis.models.absorb import residualise
from crime_analysis.models.fit import Fit

__all__ = ["score_statistic", "steps_before", "trend_before"]


def trend_before(periods: pd.Series, reference: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights on event terms of the pre-event line: its value at reference, its slope.

    Least squares through the coefficients before and the zero of the reference.

    Parameters
    ----------
    periods : Series
        The period of each event term.
    reference : float

    Raises
    ------
    ModelError
        If no period lies before the reference.
    """
    before = _before(periods, reference)
    x = np.append(periods[before].to_numpy(float) - reference, 0.0)
    both = np.zeros((2, len(periods)))
    both[:, before] = np.linalg.pinv(np.column_stack([np.ones_like(x), x]))[:, :-1]
    return both[0], both[1]


def steps_before(periods: pd.Series, reference: float) -> np.ndarray:
    """Return the weights on event terms of each step, a period, from one to the next before."""
    before = np.flatnonzero(_before(periods, reference))
    before = before[np.argsort(periods.to_numpy(float)[before], kind="stable")]
    levels = np.vstack([np.eye(len(periods))[before], np.zeros(len(periods))])
    at = np.append(periods.to_numpy(float)[before], reference)
    return np.diff(levels, axis=0) / np.diff(at)[:, None]


def _before(periods: pd.Series, reference: float) -> np.ndarray:
    before = (periods < reference).to_numpy()
    if not before.any():
        raise ModelError(
            f"no period lies before the reference {reference:g}, so there is no trend to compare"
            " with; choose a later reference"
        )
    return before


def score_statistic(fit: Fit, terms: Sequence[str]) -> float:
    """Return the clustered score statistic that `terms` are zero, the null imposed."""
    design = fit.design
    assert design is not None
    rest = design.slopes.drop(columns=list(terms)).to_numpy()
    tested = design.slopes[list(terms)].to_numpy()
    y = design.outcome.to_numpy()
    w = np.ones(len(y)) if design.weights is None else design.weights.to_numpy()
    if fit.family == "poisson":
        mean = _restricted_mean(fit, rest)
        error, w_x = y - mean, w * mean
    else:
        error, w_x = y, w
    both = residualise(np.column_stack([error, tested, rest]), design.effects, w_x)
    k = 1 + len(terms)
    root = np.sqrt(w_x)[:, None]
    left = both[:, :k] - both[:, k:] @ np.linalg.lstsq(root * both[:, k:], root * both[:, :k])[0]
    scores = left[:, 1:] * (w * (error if fit.family == "poisson" else left[:, 0]))[:, None]
    sums = pd.DataFrame(scores).groupby(np.asarray(design.cluster)).sum().to_numpy()
    total = sums.sum(axis=0)
    return float(total @ np.linalg.lstsq(sums.T @ sums, total)[0])


def _restricted_mean(fit: Fit, rest: np.ndarray) -> np.ndarray:
    """Return Poisson means fitted without the tested terms, by reweighted least squares."""
    design = fit.design
    assert design is not None
    y = design.outcome.to_numpy()
    w = np.ones(len(y)) if design.weights is None else design.weights.to_numpy()
    shift = np.zeros(len(y)) if design.offset is None else design.offset.to_numpy()
    mean = (y + y.mean()) / 2
    for _ in range(200):
        working = np.log(mean) - shift + y / mean - 1
        both = residualise(np.column_stack([working, rest]), design.effects, w * mean)
        root = np.sqrt(w * mean)
        b = np.linalg.lstsq(root[:, None] * both[:, 1:], root * both[:, 0])[0]
        left = both[:, 0] - both[:, 1:] @ b
        new = np.exp(working - left + shift)
        done = np.max(np.abs(new - mean) / (1 + mean)) < 1e-10
        mean = new
        if done:
            return mean
    raise ModelError("the model without the periods before the event did not converge")
