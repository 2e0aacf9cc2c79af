"""Take fixed effects out of columns exactly, and count what they cost."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crime_analysis.errors import UnknownNameError
from crime_analysis.models.projection import projection

__all__ = ["CONVENTIONS", "factor", "is_small", "parameters", "residualise"]

#: Which absorbed effects the small-sample factor counts (see `parameters`).
CONVENTIONS = ("nested", "all", "slopes", "none")


def residualise(
    values: np.ndarray, effects: pd.DataFrame, weights: np.ndarray | None = None
) -> np.ndarray:
    """Return the residuals of columns on fixed effects, by weighted least squares.

    Exact for any number of effects, not iterated (Frisch and Waugh 1933; Lovell 1963).

    Parameters
    ----------
    values : ndarray, shape (n, k)
    effects : DataFrame, n rows
        Integer codes, a column an effect; no column takes nothing out.
    weights : ndarray, shape (n,), optional
        Positive.

    Examples
    --------
    >>> residualise(np.array([[1.0], [3.0], [10.0]]), pd.DataFrame({"unit": [0, 0, 1]})).ravel()
    array([-1.,  1.,  0.])
    """
    values = np.asarray(values, dtype=float)
    if not effects.shape[1]:
        return values.copy()
    root = np.ones(len(values)) if weights is None else np.sqrt(np.asarray(weights, dtype=float))
    held = projection(effects, np.empty((len(values), 0)), root)
    return held.residual(root[:, None] * values) / root[:, None]


def is_small(effects: pd.DataFrame) -> bool:
    """Whether `residualise` is quick beside iterating: a panel of places, not of people."""
    levels = sorted(int(effects[name].max()) + 1 for name in effects)
    return len(effects) <= 100_000 and sum(levels[:-1]) <= 2000


def parameters(
    slopes: int, effects: pd.DataFrame, cluster: pd.Series | None, convention: str
) -> int:
    """Return how many parameters the small-sample factor counts.

    Parameters
    ----------
    slopes : int
        Coefficients that are shown, the intercept included.
    effects : DataFrame
        Absorbed effects as codes from 0, none left out.
    cluster : Series, optional
        Cluster codes, likewise.
    convention : {"nested", "all", "slopes", "none"}
        ``nested``: the slopes, a constant, and the levels of effects that do not lie within
        clusters, as Stata's reghdfe and R's fixest count; ``all``: every dummy, as least
        squares with dummies counts; ``slopes``: the slopes alone; ``none``: no factor at all.
        Without clusters every convention but the last two counts all.

    Raises
    ------
    UnknownNameError
        If the convention is not known.
    """
    if convention not in CONVENTIONS:
        raise UnknownNameError("small_sample", convention, CONVENTIONS)
    if convention in ("slopes", "none") or not effects.shape[1]:
        return slopes
    codes = [effects[name].to_numpy() for name in effects]
    if cluster is None or convention == "all":
        return slopes + _rank(codes)
    inside = cluster.to_numpy()
    nested = [c for c in codes if _lies_within(c, inside)]
    return slopes + 1 + _rank(codes) - max(_rank(nested), 1)


def _lies_within(codes: np.ndarray, clusters: np.ndarray) -> bool:
    """Whether every level has all its rows in one cluster."""
    of_level = np.empty(int(codes.max()) + 1, dtype=clusters.dtype)
    of_level[codes] = clusters
    return bool((of_level[codes] == clusters).all())


def _rank(codes: list[np.ndarray]) -> int:
    """Return the rank of the dummies: exact for two effects, by pairs with the first beyond."""
    from scipy import sparse
    from scipy.sparse import csgraph

    if not codes:
        return 0
    first = codes[0]
    rank = size = int(first.max()) + 1
    for other in codes[1:]:
        levels = int(other.max()) + 1
        links = sparse.coo_matrix(
            (np.ones(len(first)), (first, size + other)), (size + levels,) * 2
        )
        rank += levels - csgraph.connected_components(links, directed=False)[0]
    return rank


def factor(nobs: int, groups: int, counted: int, convention: str) -> float:
    """Return what a sandwich covariance is multiplied by.

    ``G/(G-1) x (N-1)/(N-K)`` with clusters, ``N/(N-K)`` without (`groups` of 0); 1 for the
    convention ``none``.
    """
    if convention == "none":
        return 1.0
    if groups:
        return groups / (groups - 1) * (nobs - 1) / (nobs - counted)
    return nobs / (nobs - counted)
