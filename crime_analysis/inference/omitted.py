"""The algebra of omitted variables: what is left over, and what one left out could explain.

All of it works on what the fixed effects leave over. The projection is exact, so that degrees
of freedom and R2 are those of the regression with a dummy for every level.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError, ParameterError
from crime_analysis.models.fit import Design, Fit
from crime_analysis.models.projection import projection

__all__ = ["bound", "least_squares_rows", "left_over", "partial_r2", "robustness"]


def left_over(
    design: Design,
    columns: Sequence[pd.Series],
    terms: Sequence[str],
    effects: Sequence[str] | None = None,
) -> np.ndarray:
    """Return what terms and fixed effects leave over of columns, times the roots of weights.

    Parameters
    ----------
    design : Design
    columns : sequence of Series
        On the rows of `design`.
    terms : sequence of str
        Columns of ``design.slopes`` to take out.
    effects : sequence of str, optional
        Columns of ``design.effects`` to take out, all of them if not given; without any, a
        constant is taken out.

    Returns
    -------
    ndarray, shape (columns, rows)
    """
    rows = len(design.outcome)
    root = np.ones(rows) if design.weights is None else np.sqrt(design.weights.to_numpy(float))
    absorbed = design.effects if effects is None else design.effects[list(effects)]
    held = design.slopes[list(terms)].to_numpy(float)
    if not absorbed.shape[1] and "Intercept" not in terms:
        held = np.column_stack([np.ones(rows), held])
    values = root[:, None] * np.column_stack([np.asarray(c, dtype=float) for c in columns])
    return projection(absorbed, root[:, None] * held, root).residual(values).T


def least_squares_rows(fit: Fit, term: str, purpose: str) -> Design:
    """Return the rows of a least-squares fit, or refuse with the next step.

    Parameters
    ----------
    fit : Fit
    term : str
        The term of interest.
    purpose : str
        What needs the rows, for the refusal.
    """
    fit.term(term)  # an unknown term is refused with those there are
    if fit.family != "ols" or (fit.design is not None and fit.design.endogenous.shape[1]):
        advice = (
            "ask it of the reduced form, the instrument in place of what it moves"
            if fit.family == "iv"
            else "fit the logarithm of the rate with family='ols' where no count is zero"
        )
        raise ModelError(
            f"{purpose} is for least squares, and {fit.formula!r} is {fit.family!r}; {advice}"
        )
    if fit.design is None or term not in fit.design.slopes:
        raise ModelError(
            f"{purpose} needs the rows behind {fit.formula!r}, and the fit carries none for"
            f" {term!r}; estimate it with fit_panel"
        )
    if term == "Intercept":
        raise ParameterError(f"{purpose} is about a slope; name one of {fit.formula!r}")
    others = [name for name in fit.design.slopes if name != term]
    x, y = left_over(fit.design, [fit.design.slopes[term], fit.design.outcome], others)
    again, error = float(x @ y / (x @ x)), float(np.sqrt(fit.covariance.loc[term, term]))
    if not np.isclose(again, fit.coefficients[term], rtol=1e-6, atol=1e-6 * error):
        raise ModelError(
            f"least squares on the rows of {fit.formula!r} gives {again:.6g} for {term!r}, and"
            f" the fit says {fit.coefficients[term]:.6g}; estimate it with fit_panel"
        )
    return fit.design


def partial_r2(
    design: Design, term: str, terms: list[str], effects: list[str], unexplained: float
) -> tuple[float, float]:
    """Return a benchmark's partial R2 with the term, and with the outcome given the term."""
    others = [name for name in design.slopes if name != term]
    rest = [name for name in others if name not in terms]
    absorbed = [name for name in design.effects if name not in effects]
    (with_it,) = left_over(design, [design.slopes[term]], others)
    x, y = left_over(design, [design.slopes[term], design.outcome], rest, absorbed)
    without = float(np.sum((y - (x @ y) / (x @ x) * x) ** 2))
    # Rounding may leave a benchmark that explains nothing a little below zero.
    shares = 1 - float(with_it @ with_it) / float(x @ x), 1 - unexplained / without
    return max(shares[0], 0.0), max(shares[1], 0.0)


def bound(d: float, y: float, kd: float, ky: float) -> tuple[float, float, str]:
    """Return the most that a confounder `kd`, `ky` times a benchmark can explain."""
    term = kd * d / (1 - d)
    shared = kd * d**2 / ((1 - kd * d) * (1 - d)) if kd * d < 1 else np.inf
    if term >= 1 or shared >= 1:
        return np.nan, np.nan, f"impossible: the benchmark alone explains {d:.0%} of the term"
    outcome = ((np.sqrt(ky) + np.sqrt(shared)) / np.sqrt(1 - shared)) ** 2 * y / (1 - y)
    if outcome >= 1:
        return term, 1.0, "would explain all of the outcome and more; taken as all of it"
    return term, outcome, ""


def robustness(f: float, edge: float) -> float:
    """Return the strength, alike for term and outcome, that brings partial f down to `edge`."""
    if f <= edge:
        return 0.0
    if edge > 0 and f > 1 / edge:  # explaining the outcome shrinks the error faster than f
        return float((f**2 - edge**2) / (1 + f**2))
    gap = f - edge
    return float(0.5 * (np.sqrt(gap**4 + 4 * gap**2) - gap**2))
