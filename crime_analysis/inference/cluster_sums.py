"""A regression as sums over clusters: all that the wild bootstrap needs of it.

Every draw multiplies each cluster's restricted residuals by a random weight and estimates again.
Fixed effects that cut across clusters (years, when forces are the clusters) make the re-estimated
residuals of one cluster depend on the weights of all; a version that only flips demeaned
residuals ignores this, and its t statistics are wrong. Here the dependence is kept whole in G by G
matrices of cluster sums, so that all draws are two matrix products, and the answer equals that of
estimating every sample again with a dummy for every effect.

With x the term after controls and effects are taken out, u the residuals, D = x'x, and d the null
less the estimate, the restricted residuals are u - d x and the draw with weights v has

    numerator           sum_h v_h a_h                       a_h = x_h'(u - d x)_h
    score of cluster g  v_g a_g - sum_h K_gh v_h - x_g'x_g sum_h v_h a_h / D

where K_gh = x_g' P_gh (u - d x)_h and P projects on controls and effects. Both are linear in d,
hence the squared denominator, the sum of squared scores, is quadratic, and no null needs a new
draw (Roodman, MacKinnon, Nielsen and Webb 2019; MacKinnon 2023).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crime_analysis.errors import ModelError, UnknownNameError
from crime_analysis.inference.inversion import Draws
from crime_analysis.models.projection import projection
from crime_analysis.randomness import generator

if TYPE_CHECKING:
    from crime_analysis.models.fit import Fit

__all__ = ["ClusterSums", "cluster_sums", "patterns"]

_WEBB = np.sqrt([0.5, 1.0, 1.5])
_BLOCK = 4096  # draws held at once


@dataclass(frozen=True)
class ClusterSums:
    """All that the bootstrap needs to know of a regression: sums over clusters.

    Attributes
    ----------
    a0, a1 : ndarray, shape (G,)
        ``x_h'u_h`` and ``x_h'x_h``.
    s0, s1 : ndarray, shape (G, G)
        Scores are ``(s0 - d s1) v`` for weights v and a null at distance d.
    square : float
        The observed sum of squared scores.
    """

    a0: np.ndarray
    a1: np.ndarray
    s0: np.ndarray
    s1: np.ndarray
    square: float

    @property
    def groups(self) -> int:
        """Number of clusters."""
        return len(self.a0)

    def draws(self, blocks: Iterator[np.ndarray], complete: bool, equal_tailed: bool) -> Draws:
        """Return the statistics of blocks of weights, each of shape (G, draws)."""
        both = np.vstack([self.s0, self.s1])
        sums = np.vstack([self.a0, -self.a1])
        parts = []
        for block in blocks:
            scores = both @ block
            zero, one = scores[: self.groups], scores[self.groups :]
            parts.append(
                np.vstack(
                    [
                        sums @ block,
                        np.einsum("gb,gb->b", zero, zero),
                        -2 * np.einsum("gb,gb->b", zero, one),
                        np.einsum("gb,gb->b", one, one),
                    ]
                )
            )
        n0, n1, q0, q1, q2 = np.concatenate(parts, axis=1)
        # Weights that are the same in all clusters leave no score in x itself; what rounding
        # leaves would look like a statistic without bound for nulls far away.
        still = q2 <= 1e-24 * self.a1.sum() ** 2
        q1[still], q2[still] = 0.0, 0.0
        return Draws(n0, n1, q0, q1, q2, float(self.a1.sum()), self.square, complete, equal_tailed)


def cluster_sums(fit: Fit, term: str) -> ClusterSums:
    """Return the cluster sums of a term, refusing fits that the bootstrap does not hold for."""
    if term not in fit.coefficients.index:
        raise UnknownNameError("term", term, map(str, fit.coefficients.index), fit.formula)
    if fit.family == "iv":
        raise ModelError(
            f"{fit.formula!r} has an instrument, for which these draws are not valid; take the"
            " Anderson-Rubin interval of fit.first_stage(), or bootstrap the reduced form"
            " (the instrument in place of what it moves)"
        )
    if fit.family != "ols":
        raise ModelError(
            f"{fit.formula!r} is {fit.family!r}; the wild bootstrap needs least squares: model the"
            " logarithm of the rate, or use randomisation_test"
        )
    design = fit.design
    if design is None:
        raise ModelError(f"the fit of {fit.formula!r} does not carry its rows; use fit_panel")
    if design.cluster is None:
        raise ModelError(f"{fit.formula!r} has no clusters; estimate it with cluster=")
    root = np.ones(len(design.outcome))
    if design.weights is not None:
        root = np.sqrt(design.weights.to_numpy(dtype=float))
    cluster = np.unique(design.cluster.to_numpy(), return_inverse=True)[1]
    others = design.slopes.drop(columns=term).to_numpy(dtype=float) * root[:, None]
    held = projection(design.effects, others, root)
    pair = np.column_stack([design.outcome, design.slopes[term]]).astype(float) * root[:, None]
    y, x = held.residual(pair).T
    total = float(x @ x)
    slope = float(x @ y) / total
    u = y - slope * x
    error = float(np.sqrt(fit.covariance.loc[term, term]))
    if abs(slope - fit.coefficients[term]) > 1e-6 * (abs(slope) + error):
        raise ModelError(
            f"the rows of {fit.formula!r} give {term} = {slope:g}, the fit"
            f" {fit.coefficients[term]:g}: its design is not what it was estimated from"
        )
    a0, a1 = np.bincount(cluster, x * u), np.bincount(cluster, x * x)
    square = float(a0 @ a0)
    if u @ u <= 1e-24 * float(pair[:, 0] @ pair[:, 0]) or square <= 1e-24 * total * float(u @ u):
        raise ModelError(
            f"{fit.formula!r} leaves {term} no residuals to resample: it fits perfectly, or one"
            " cluster alone holds the term; use a randomisation test or a synthetic control"
        )
    through_x, through_u = held.shared([x, u], cluster)
    s0 = np.diag(a0) - through_u - np.outer(a1, a0) / total
    s1 = np.diag(a1) - through_x - np.outer(a1, a1) / total
    return ClusterSums(a0, a1, s0, s1, square)


def patterns(
    groups: int, B: int, weights: str, rng: int | np.random.Generator | None
) -> Iterator[np.ndarray]:
    """Yield blocks of cluster weights, shape (groups, draws): all patterns of signs if few."""
    if weights == "rademacher" and 2**groups <= B:
        for start in range(0, 2**groups, _BLOCK):
            number = np.arange(start, min(start + _BLOCK, 2**groups))
            yield 1.0 - 2.0 * ((number >> np.arange(groups)[:, None]) & 1)
        return
    chance = generator(rng)
    for start in range(0, B, _BLOCK):
        shape = (groups, min(_BLOCK, B - start))
        if weights == "rademacher":
            bits = np.frombuffer(chance.bytes(-(-shape[0] * shape[1] // 8)), np.uint8)
            yield 1.0 - 2.0 * np.unpackbits(bits, count=shape[0] * shape[1]).reshape(shape)
        else:
            number = chance.integers(0, 6, size=shape)
            yield np.concatenate([-_WEBB, _WEBB])[number]
