"""Turning tests into intervals: a p-value for every null at once, and the nulls not rejected.

Wild bootstrap and randomisation tests share one algebra. With ``d`` the null less the estimate,
each draw's statistic is ``(n0 + n1 d) / sqrt(q0 + q1 d + q2 d^2)`` and the observed one is
``-s d / sqrt(q)``: five numbers a draw give the p-value of every null without estimating again
(MacKinnon 2023, "Fast cluster bootstrap methods for linear regression models").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["TIE", "Draws"]

# Statistics this near to each other, relatively, are called equal: a pattern of signs and its
# opposite always tie, and rounding must not decide whether they count.
TIE = 1e-10
_FAR = 1e8  # standard errors; the p-value of a null at this distance is that at infinity


@dataclass(frozen=True)
class Draws:
    """The statistics of all draws as functions of the null.

    Attributes
    ----------
    n0, n1, q0, q1, q2 : ndarray, shape (draws,)
        Numerators and squared denominators (see above).
    slope, square : float
        ``s`` and ``q`` of the observed statistic.
    complete : bool
        Whether the draws are all that can occur, the observed one among them. If not, the
        observed one counts as one more draw, so that no p-value is zero.
    equal_tailed : bool
        Twice the smaller tail; otherwise both tails of the absolute statistic.
    """

    n0: np.ndarray
    n1: np.ndarray
    q0: np.ndarray
    q1: np.ndarray
    q2: np.ndarray
    slope: float
    square: float
    complete: bool
    equal_tailed: bool = False

    def statistics(self, distance: float) -> np.ndarray:
        """Return the draws' statistics for the null at a distance from the estimate."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self._numerator(distance) / np.sqrt(self._square(distance))

    def observed(self, distance: float) -> float:
        """Return the observed statistic for the null at a distance from the estimate."""
        return -self.slope * distance / float(np.sqrt(self.square))

    def p_value(self, distance: float) -> float:
        """Return the p-value of the null at a distance from the estimate."""
        numerator, square = self._numerator(distance), self._square(distance)
        # Products and not ratios: a draw without residuals counts as extreme, not as missing.
        reach = self.slope * distance
        if self.equal_tailed:
            ours = -reach * np.sqrt(square)
            theirs = numerator * np.sqrt(self.square)
            slack = TIE * np.abs(ours)
            above, below = theirs >= ours - slack, theirs <= ours + slack
            return min(1.0, 2 * min(self._share(above), self._share(below)))
        return self._share(numerator**2 * self.square >= reach**2 * (1 - 2 * TIE) * square)

    def interval(self, level: float, unit: float) -> tuple[float, float]:
        """Return the distances, below and above, of the furthest nulls that are not rejected.

        The p-value as a function of the null is a step function; it is searched outwards at
        distances 19% apart (to 16 units, further apart beyond), then by bisection. An end is
        infinite if no null however far is rejected.

        Parameters
        ----------
        level : float
            Of the interval.
        unit : float
            Size of a first step, the standard error.
        """
        reject = 1 - level + 1e-12
        steps = unit * np.concatenate([2.0 ** np.arange(-4, 4.1, 0.25), 4.0 ** np.arange(3, 14)])
        ends = []
        for sign in (-1, 1):
            if self.p_value(sign * _FAR * unit) > reject:
                ends.append(sign * np.inf)
                continue
            kept = [self.p_value(sign * step) > reject for step in steps]
            last = max((place for place, inside in enumerate(kept) if inside), default=-1)
            low = steps[last] if last >= 0 else 0.0
            high = steps[last + 1] if last + 1 < len(steps) else _FAR * unit
            while high - low > 1e-10 * max(unit, low):
                middle = (low + high) / 2
                if self.p_value(sign * middle) > reject:
                    low = middle
                else:
                    high = middle
            ends.append(sign * low)
        return float(ends[0]), float(ends[1])

    def _numerator(self, distance: float) -> np.ndarray:
        return self.n0 + self.n1 * distance

    def _square(self, distance: float) -> np.ndarray:
        return np.maximum(self.q0 + distance * (self.q1 + distance * self.q2), 0.0)

    def _share(self, extreme: np.ndarray) -> float:
        count, size = int(np.count_nonzero(extreme)), len(extreme)
        return count / size if self.complete else (1 + count) / (1 + size)
