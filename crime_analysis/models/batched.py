"""Thousands of least squares fits at once: those that share rows, fixed effects and weights.

A loop over regressions does most of its work again and again: the same dummies, the same
demeaning, the same sums over rows. Here the fixed effects are taken out of every column once
(exactly: a projection, not an iteration), and each cluster then gives one small matrix of
products of columns with columns. Coefficients, clustered errors and wild cluster bootstraps of
any choice of columns follow from those matrices alone, without another look at the rows.

Notation: `V` holds the columns after the fixed effects are taken out, `V_g` its rows in cluster
`g`. The error of the first slope is built from ``q_g = a'V_g'V_g r``, where ``V a`` is the slope's
own variation, freed of the other slopes and scaled to weigh the outcome, and ``V r`` are the
residuals.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["Absorbed", "Fits", "Moments", "absorb", "moments", "resample", "solve"]

#: A column of which less than this share of its spread is left (or that the other columns leave
#: this little of) says nothing of its own: what is left is rounding.
_LEFT = 1e-7
_PIVOT = 1e-9
_CHUNK = 64


@dataclass(frozen=True)
class Absorbed:
    """Rows with their weights, and fixed effects ready to be taken out of any column.

    Attributes
    ----------
    rows : array (n,)
        Positions in the data, sorted by cluster.
    root : array (n, 1)
        Square roots of the weights.
    bounds : array (G + 1,)
        Where each cluster's rows begin, and the end.
    clusters : array (G,)
        Each cluster's code in the data.
    counted : int
        Parameters beside the slopes that the small-sample factor counts.
    inside : sparse (n, r)
        Orthonormal columns that span the effects nested in clusters.
    crossing : array (n, m)
        Orthonormal columns that span what the other effects (years, or the constant) add.
    """

    rows: np.ndarray
    root: np.ndarray
    bounds: np.ndarray
    clusters: np.ndarray
    counted: int
    inside: Any = field(repr=False)
    crossing: np.ndarray = field(repr=False)

    @property
    def rank(self) -> int:
        """How many numbers the fixed effects are."""
        return self.crossing.shape[1] + (0 if self.inside is None else self.inside.shape[1])

    def take_out(self, columns: np.ndarray) -> np.ndarray:
        """Return columns (n, c), already times `root`, without the fixed effects."""
        for _ in range(2):  # once more: what the first pass leaves of large levels is rounding
            if self.inside is not None:
                columns = columns - self.inside @ (self.inside.T @ columns)
            columns = columns - self.crossing @ (self.crossing.T @ columns)
        return columns


def absorb(
    rows: np.ndarray,
    cluster: np.ndarray,
    effects: Sequence[np.ndarray],
    weights: np.ndarray | None = None,
    trends: Sequence[tuple[np.ndarray, np.ndarray]] = (),
    small_sample: str = "nested",
) -> Absorbed:
    """Prepare fixed effects to be taken out of the columns of some rows.

    Parameters
    ----------
    rows : array of int
        Positions of the rows in the data.
    cluster : array of int
        Cluster codes of all rows of the data.
    effects : sequence of arrays of int
        Codes of each fixed effect, all rows of the data. None: the constant is taken out.
    weights : array, optional
        Positive weights of all rows of the data.
    trends : sequence of (codes, time)
        For each, a slope in time for every level, beside the levels of an effect in `effects`;
        counted as slopes, which they would be in `fit_panel`.
    small_sample : str
        The convention by which effects are counted (see `fit_panel`).
    """
    from crime_analysis.models.absorb import parameters

    rows = rows[np.argsort(cluster[rows], kind="stable")]
    groups, first, owner = np.unique(cluster[rows], return_index=True, return_inverse=True)
    root = np.ones(len(rows)) if weights is None else np.sqrt(weights[rows] / weights[rows].mean())
    codes = [np.unique(effect[rows], return_inverse=True)[1] for effect in effects]
    nested = [place for place, levels in enumerate(codes) if _is_nested(levels, owner)]
    main = max(nested, key=lambda place: int(codes[place].max()), default=None)
    inside = None if main is None else _scaled_dummies(codes[main], root)
    dense = [root[:, None]] if main is None else []
    dense += [_dummies(levels, root) for place, levels in enumerate(codes) if place != main]
    crossing = _orthonormal(np.hstack(dense) if dense else np.empty((len(rows), 0)), inside)
    counted = 1
    if effects:
        frame = pd.DataFrame(dict(enumerate(codes)))
        counted = parameters(0, frame, pd.Series(owner), small_sample)
    for effect, time in trends:
        levels = np.unique(effect[rows], return_inverse=True)[1]
        # Around its middle, or the squares of a year like 2010 swamp the differences.
        moved = _dummies(levels, root * (time[rows] - time[rows].mean()))
        added = _orthonormal(moved, inside, crossing)
        counted += added.shape[1]
        crossing = np.hstack([crossing, added])
    return Absorbed(
        rows=rows,
        root=root[:, None],
        bounds=np.append(first, len(rows)),
        clusters=groups,
        counted=counted,
        inside=inside,
        crossing=crossing,
    )


def _is_nested(levels: np.ndarray, owner: np.ndarray) -> bool:
    """Return whether every level lies in one cluster."""
    pairs = np.unique(levels.astype(np.int64) * (int(owner.max()) + 1) + owner)
    return len(pairs) == int(levels.max()) + 1


def _dummies(levels: np.ndarray, values: np.ndarray) -> np.ndarray:
    return values[:, None] * (levels[:, None] == np.arange(levels.max() + 1))


def _scaled_dummies(levels: np.ndarray, root: np.ndarray) -> Any:
    from scipy import sparse

    length = np.sqrt(np.bincount(levels, root**2))
    where = (np.arange(len(levels)), levels)
    return sparse.csr_array((root / length[levels], where), shape=(len(levels), len(length)))


def _orthonormal(dense: np.ndarray, inside: Any, crossing: np.ndarray | None = None) -> np.ndarray:
    """Return orthonormal columns that span what `dense` adds to the others."""
    size = np.linalg.norm(dense, axis=0)
    dense = dense[:, size > 0] / size[size > 0]
    for _ in range(2):
        for other in (inside, crossing):
            if other is not None:
                dense = dense - other @ (other.T @ dense)
    left, values, _ = np.linalg.svd(dense, full_matrices=False)
    return np.ascontiguousarray(left[:, values > 1e-9])


@dataclass(frozen=True)
class Moments:
    """Products of columns with columns, cluster by cluster, after the fixed effects.

    Columns are scaled to length one, so that the sum of `blocks` is a correlation matrix.

    Attributes
    ----------
    blocks : array (G, c, c)
        ``V_g'V_g``.
    crossing : array (G, c, m)
        ``V_g'C_g``, with `Absorbed.crossing` as ``C``.
    length : array (c,)
        By what each column was divided.
    gone : array (c,) of bool
        Columns that do not vary beyond the fixed effects.
    """

    blocks: np.ndarray
    crossing: np.ndarray
    length: np.ndarray
    gone: np.ndarray

    @property
    def gram(self) -> np.ndarray:
        """The products over all clusters (c, c)."""
        return self.blocks.sum(axis=0)


def moments(absorbed: Absorbed, values: np.ndarray) -> Moments:
    """Return the products of columns (n, c), the rows in the order of ``absorbed.rows``."""
    whole = absorbed.root * values
    share = absorbed.root / np.linalg.norm(absorbed.root)
    spread = np.linalg.norm(whole - share * (share.T @ whole), axis=0)
    left = absorbed.take_out(whole)
    length = np.linalg.norm(left, axis=0)
    gone = (length <= _LEFT * spread) | (length <= 1e-13 * np.linalg.norm(whole, axis=0))
    length = np.where(gone, 1.0, length)
    left = np.where(gone, 0.0, left / length)
    slices = [slice(*pair) for pair in zip(absorbed.bounds[:-1], absorbed.bounds[1:], strict=True)]
    return Moments(
        blocks=np.stack([left[s].T @ left[s] for s in slices]),
        crossing=np.stack([left[s].T @ absorbed.crossing[s] for s in slices]),
        length=length,
        gone=gone,
    )


@dataclass(frozen=True)
class Fits:
    """Least squares fits of the first of each row of slopes.

    Attributes
    ----------
    estimate, spread : array (S,)
        Coefficient of the first slope, and its clustered error before any small-sample factor;
        NaN where `failed`.
    failed : array (S,) of object
        Empty, ``collinear`` or ``exact`` (no residual is left to judge an error by).
    """

    estimate: np.ndarray
    spread: np.ndarray
    failed: np.ndarray


def solve(products: Moments, slopes: np.ndarray, outcome: np.ndarray) -> Fits:
    """Fit many regressions.

    Parameters
    ----------
    products : Moments
    slopes : array (S, k) of int
        Columns of the slopes of each regression, the one of interest first.
    outcome : array (S,) of int
        Column of each outcome.
    """
    gram = products.gram
    failed = np.full(len(outcome), "", dtype=object)
    square = gram[slopes[:, :, None], slopes[:, None, :]]
    failed[np.linalg.eigvalsh(square)[:, 0] <= _PIVOT] = "collinear"
    estimate, spread = np.full((2, len(outcome)), np.nan)
    good = np.flatnonzero(failed == "")
    own, residual, _ = _directions(gram, slopes[good], outcome[good])
    unexplained = np.einsum("sc,cd,sd->s", residual, gram, residual)
    failed[good[unexplained <= 1e-13]] = "exact"
    scores = np.einsum("gsc,sc->sg", own @ products.blocks, residual)
    unit = products.length[outcome[good]] / products.length[slopes[good, 0]]
    at = slopes[good, 0]
    estimate[good] = -residual[np.arange(len(good)), at] * unit
    spread[good] = np.sqrt((scores**2).sum(axis=1)) * unit
    bad = failed != ""
    estimate[bad], spread[bad] = np.nan, np.nan
    return Fits(estimate, spread, failed)


def _directions(
    gram: np.ndarray, slopes: np.ndarray, outcome: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return, as weights on columns (S, c), each slope's own variation and the residuals.

    The third part is the inverse of the products of the slopes (S, k, k).
    """
    which = np.arange(len(outcome))
    inverse = np.linalg.inv(gram[slopes[:, :, None], slopes[:, None, :]])
    own, residual = np.zeros((2, len(outcome), len(gram)))
    own[which[:, None], slopes] = inverse[:, 0, :]
    residual[which[:, None], slopes] = -np.einsum(
        "sij,sj->si", inverse, gram[slopes, outcome[:, None]]
    )
    residual[which, outcome] = 1.0
    return own, residual, inverse


def resample(
    products: Moments, slopes: np.ndarray, outcome: np.ndarray, flips: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Draw every fit again by the wild cluster bootstrap with the null imposed.

    Residuals of the regression without the slope of interest are multiplied, cluster by cluster,
    and the regression is fitted to them. As fixed effects such as years cut across clusters, a
    cluster's new residuals depend on the draws of all clusters: ``q*_g`` is row `g` of a matrix
    (G, G) times the draws. The matrix is exact, so the result is that of fitting again.

    Parameters
    ----------
    products, slopes, outcome
        As in `solve`; all must be estimable.
    flips : array (G, D)
        The multipliers: rows in the order of ``Absorbed.clusters``, a column each draw.

    Returns
    -------
    estimate, spread : arrays (S, D)
        As in `Fits`, for data in which the slope's true value is zero.

    Notes
    -----
    Cameron, Gelbach and Miller (2008); the algebra is that of Roodman, MacKinnon, Nielsen and
    Webb (2019), with the effects that cut across clusters kept.
    """
    estimate, spread = np.empty((2, len(outcome), flips.shape[1]))
    unit = products.length[outcome] / products.length[slopes[:, 0]]
    gram, blocks = products.gram, products.blocks
    diagonal = np.arange(len(blocks))
    for start in range(0, len(outcome), _CHUNK):
        part = slice(start, start + _CHUNK)
        chosen, target = slopes[part], outcome[part]
        which = np.arange(len(target))
        own, _, inverse = _directions(gram, chosen, target)
        if chosen.shape[1] > 1:
            _, null, _ = _directions(gram, chosen[:, 1:], target)
        else:
            null = np.zeros_like(own)
            null[which, target] = 1.0
        own_by, null_by = own @ blocks, null @ blocks  # (G, s, c)
        scores = np.einsum("gsc,sc->sg", own_by, null)
        pick = (slice(None), which[:, None], chosen)
        shift = own_by[pick].transpose(1, 0, 2) @ (inverse @ null_by[pick].transpose(1, 2, 0))
        years = (own @ products.crossing).transpose(1, 0, 2)
        shift += years @ (null @ products.crossing).transpose(1, 2, 0)
        matrix = -shift
        matrix[:, diagonal, diagonal] += scores
        drawn = matrix @ flips
        estimate[part] = (scores @ flips) * unit[part, None]
        spread[part] = np.sqrt(np.einsum("sgd,sgd->sd", drawn, drawn)) * unit[part, None]
    return estimate, spread
