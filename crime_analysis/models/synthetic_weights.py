"""The arithmetic of a synthetic control: arrays in, weights and gaps out.

Donors are rows and periods columns; the first `before` columns come before the event.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Comparison", "closest_mixture", "compare", "frank_wolfe", "noise_level"]

# Weights that fit equally well are told apart by the smallest sum of squares. The ridge that
# does it is this share of a donor's typical distance from the treated unit: it moves a unique
# answer by about its square (1e-10), and without it the order of the rows would decide.
_TIE_BREAK = 1e-5
_STEPS_BEFORE_SPARSE, _STEPS = 100, 10_000  # of the authors' program for synthetic DiD


@dataclass(frozen=True)
class Comparison:
    """One unit, or the mean of several, against a weighted average of donors.

    Attributes
    ----------
    unit_weights : ndarray, shape (donors,)
        Not negative, sum to one.
    time_weights : ndarray, shape (before,)
        The periods that the level is compared in; zeros where levels are not differenced.
    gap : ndarray, shape (periods,)
        Treated less synthetic, less the weighted average of this in the periods before.
    before : int
        Periods before the event.
    """

    unit_weights: np.ndarray
    time_weights: np.ndarray
    gap: np.ndarray
    before: int

    @property
    def effect(self) -> float:
        """The average gap from the event on."""
        return float(self.gap[self.before :].mean())

    @property
    def rmspe_before(self) -> float:
        """Root mean squared gap before the event."""
        return float(np.sqrt(np.mean(self.gap[: self.before] ** 2)))

    @property
    def rmspe_after(self) -> float:
        """Root mean squared gap from the event on."""
        return float(np.sqrt(np.mean(self.gap[self.before :] ** 2)))


def noise_level(donors: np.ndarray, before: int) -> float:
    """Return the standard deviation of the donors' period-to-period changes before the event."""
    return float(np.diff(donors[:, :before], axis=1).std(ddof=1))


def compare(
    donors: np.ndarray,
    treated: np.ndarray,
    before: int,
    method: str,
    *,
    n_treated: int = 1,
    noise: float = 0.0,
    solver: str = "exact",
) -> Comparison:
    """Weigh donors, and for ``sdid`` periods, and return the gaps.

    Parameters
    ----------
    donors : ndarray, shape (donors, periods)
        Their outcomes.
    treated : ndarray, shape (periods,)
        The treated unit's, or the mean of the `n_treated` units.
    before : int
        Periods before the event.
    method : {"sc", "sdid", "did"}
        Which weights.
    n_treated : int
        Enters the regularisation of ``sdid``.
    noise : float
        From `noise_level`; the unit of the regularisation of ``sdid``.
    solver : {"exact", "frank_wolfe"}
        The optimum, or the published steps towards it.
    """
    count, periods = donors.shape
    if method == "did":
        units, times = np.full(count, 1 / count), np.full(before, 1 / before)
    elif method == "sc":
        units = _weigh(donors[:, :before].T, treated[:before], 1e-6 * noise, noise, solver)
        times = np.zeros(before)
    else:  # Arkhangelsky et al. (2021), equations 4 to 6
        strength = (n_treated * (periods - before)) ** 0.25 * noise
        path = donors[:, :before].T
        units = _weigh(
            path - path.mean(axis=0),
            treated[:before] - treated[:before].mean(),
            strength, noise, solver,
        )  # fmt: skip
        after = donors[:, before:].mean(axis=1)
        cross = donors[:, :before]
        times = _weigh(
            cross - cross.mean(axis=0), after - after.mean(), 1e-6 * noise, noise, solver
        )
    gap = treated - units @ donors
    return Comparison(units, times, gap - times @ gap[:before], before)


def _weigh(
    columns: np.ndarray, target: np.ndarray, strength: float, noise: float, solver: str
) -> np.ndarray:
    ridge = strength * np.sqrt(len(target))
    if solver == "frank_wolfe":
        return frank_wolfe(columns, target, ridge, tolerance=1e-5 * noise)
    return closest_mixture(columns, target, ridge)


def closest_mixture(columns: np.ndarray, target: np.ndarray, ridge: float = 0.0) -> np.ndarray:
    """Return the weights that minimise ``|columns @ w - target|^2 + ridge^2 |w|^2``.

    The weights are not negative and sum to one. Since they sum to one the objective is
    ``|D w|^2``, with ``D`` the distances of columns from target above a ridge, and the answer
    is the point of a convex hull nearest the origin. Non-negative least squares of
    ``(D; 1...1) u`` on ``(0; 1)`` finds it without a penalty or a step size: with ``u = s w``
    the residual is ``s^2 |D w|^2 + (s - 1)^2``, which for the best s grows with ``|D w|``
    alone (Lawson and Hanson, 1974, chapter 23; Wolfe, 1976). The active set ends after finitely
    many steps at the optimum, to rounding error.

    Parameters
    ----------
    columns : ndarray, shape (rows, mixed)
        What is mixed.
    target : ndarray, shape (rows,)
        What is to be met.
    ridge : float
        In the unit of the columns.
    """
    from scipy.optimize import nnls

    distances = columns - target[:, None]
    scale = float(np.median(np.linalg.norm(distances, axis=0))) or 1.0
    count = columns.shape[1]
    system = np.vstack(
        [distances / scale, max(ridge / scale, _TIE_BREAK) * np.eye(count), np.ones(count)]
    )
    goal = np.zeros(len(system))
    goal[-1] = 1
    weights, _ = nnls(system, goal, maxiter=100 * count)
    return weights / weights.sum()


def frank_wolfe(
    columns: np.ndarray, target: np.ndarray, ridge: float, tolerance: float
) -> np.ndarray:
    """Return the weights where the published program for synthetic DiD stops.

    A hundred Frank-Wolfe steps from equal weights; weights up to a quarter of the largest set
    to zero; then up to 10,000 steps more. It stops near the optimum, not at it, and printed
    results depend on where (Proposition 99: -15.60383; the optimum gives -15.60540).

    Parameters
    ----------
    columns, target, ridge
        As in `closest_mixture`.
    tolerance : float
        Stop when a step lowers the objective per row by less than its square.
    """
    gram = columns.T @ columns + ridge**2 * np.eye(columns.shape[1])
    cross = columns.T @ target
    start = np.full(len(cross), 1 / len(cross))
    rough = _walk(gram, cross, start, _STEPS_BEFORE_SPARSE, tolerance**2 * len(target))
    rough = np.where(rough <= rough.max() / 4, 0.0, rough)
    return _walk(gram, cross, rough / rough.sum(), _STEPS, tolerance**2 * len(target))


def _walk(
    gram: np.ndarray, cross: np.ndarray, weights: np.ndarray, steps: int, enough: float
) -> np.ndarray:
    """Step towards the best vertex, by exact line search, until a step gains too little."""
    image = gram @ weights
    for step in range(steps):
        slope = image - cross
        vertex = int(slope.argmin())
        direction = -weights
        direction[vertex] += 1
        bend = gram[:, vertex] - image
        descent, curvature = -(slope @ direction), direction @ bend
        length = min(1.0, max(0.0, descent / curvature)) if curvature > 0 else 0.0
        weights = weights + length * direction
        image = image + length * bend
        gain = 2 * length * descent - length**2 * curvature
        if step > 0 and gain <= enough:
            break
    return weights
