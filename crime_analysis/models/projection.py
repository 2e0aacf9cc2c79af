"""Taking controls and fixed effects out of columns, and knowing how they tie clusters together.

Fixed effects are never turned into a dense dummy each, so that a panel of a million rows costs
little more than its rows; the work is exact, without iterations to stop too early.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError

__all__ = ["Projection", "projection"]

_MOST_LEVELS = 10_000


@dataclass(frozen=True)
class Projection:
    """An orthonormal basis Q of controls and fixed effects, kept in three thin parts.

    Attributes
    ----------
    first : sparse array, shape (rows, levels)
        The effect with the most levels; its columns are orthogonal as they are.
    rest : sparse array, shape (rows, levels)
        The other effects, not yet made orthogonal.
    link : ndarray, shape (levels of first, levels of rest)
        ``first' rest``.
    basis : ndarray, shape (levels of rest, rank)
        Makes ``rest - first link`` orthonormal.
    slopes : ndarray, shape (rows, slopes)
        The controls' orthonormal remainder.
    """

    first: Any
    rest: Any
    link: np.ndarray
    basis: np.ndarray
    slopes: np.ndarray

    def residual(self, columns: np.ndarray) -> np.ndarray:
        """Return what the controls and effects do not explain of columns, shape (rows, k)."""
        # Twice, because once leaves a trace of what it takes away (as in Gram-Schmidt).
        return self._once(self._once(columns))

    def _once(self, columns: np.ndarray) -> np.ndarray:
        by_first = self.first.T @ columns
        by_rest = self.basis @ (self.basis.T @ (self.rest.T @ columns - self.link.T @ by_first))
        explained = self.first @ (by_first - self.link @ by_rest) + self.rest @ by_rest
        return columns - explained - self.slopes @ (self.slopes.T @ columns)

    def shared(self, columns: list[np.ndarray], cluster: np.ndarray) -> list[np.ndarray]:
        """Return, for clusters g and h, ``first_g' (Q Q')_gh column_h`` for each column.

        It is what the first column in one cluster and a column in another have to do with each
        other through controls and effects that both clusters share; without such effects it is
        zero off the diagonal.

        Parameters
        ----------
        columns : list of ndarray, shape (rows,)
        cluster : ndarray of int, shape (rows,)
            Codes 0 to G - 1.

        Returns
        -------
        list of ndarray, shape (G, G)
        """
        parts = [self._by_cluster(column, cluster) for column in columns]
        sparse, dense = parts[0]
        return [(sparse @ s.T).toarray() + dense @ d.T for s, d in parts]

    def _by_cluster(self, column: np.ndarray, cluster: np.ndarray) -> tuple[Any, np.ndarray]:
        """Return Q'column summed by cluster: first effect (sparse), and the others."""
        from scipy import sparse

        rows, groups = len(column), int(cluster.max()) + 1
        sums = sparse.csr_array((column, (cluster, np.arange(rows))), shape=(groups, rows))
        by_first = sums @ self.first
        by_rest = ((sums @ self.rest).toarray() - by_first @ self.link) @ self.basis
        return by_first, np.hstack([by_rest, sums @ self.slopes])


def projection(effects: pd.DataFrame, slopes: np.ndarray, root: np.ndarray) -> Projection:
    """Return the projection on fixed effects and controls.

    Parameters
    ----------
    effects : DataFrame of int
        Codes, a column an effect; without columns if there are none.
    slopes : ndarray, shape (rows, k)
        Controls (with a constant if there are no effects), already times `root`.
    root : ndarray, shape (rows,)
        Square roots of the weights.

    Raises
    ------
    ModelError
        If the effects other than the largest have more than 10,000 levels together.
    """
    from scipy import sparse

    rows = len(root)
    dummies = [_dummies(effects[name].to_numpy(), root) for name in effects]
    dummies.sort(key=lambda one: -one.shape[1])
    nothing = sparse.csr_array((rows, 0), dtype=float)
    first = dummies[0] if dummies else nothing
    rest = sparse.hstack(dummies[1:], format="csr") if len(dummies) > 1 else nothing
    levels = rest.shape[1]
    if levels > _MOST_LEVELS:
        raise ModelError(
            f"the fixed effects other than the largest have {levels} levels, more than"
            f" {_MOST_LEVELS}; absorb fewer, or resample a smaller sample"
        )
    link = (first.T @ rest).toarray() if levels else np.zeros((first.shape[1], 0))
    basis = np.zeros((0, 0))
    if levels:
        size, turn = np.linalg.eigh((rest.T @ rest).toarray() - link.T @ link)
        real = size > 1e-11  # columns have length one; what is left is that of redundant levels
        basis = turn[:, real] / np.sqrt(size[real])
    bare = Projection(first, rest, link, basis, np.zeros((rows, 0)))
    if slopes.shape[1] == 0:
        return bare
    left = bare.residual(slopes / np.linalg.norm(slopes, axis=0))
    return Projection(first, rest, link, basis, np.linalg.qr(left)[0])


def _dummies(codes: np.ndarray, root: np.ndarray) -> Any:
    """Return a sparse column of length one for every level of an effect, times the weights."""
    from scipy import sparse

    codes = np.unique(codes, return_inverse=True)[1]
    length = np.sqrt(np.bincount(codes, root**2))
    return sparse.csr_array((root / length[codes], (np.arange(len(root)), codes)))
