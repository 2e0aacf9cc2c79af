"""The same comparison where nothing happened: other units, earlier dates, one donor less.

Placebos are always worked out at the optimum of the weights, whatever steps the estimate took:
the difference is in the fourth digit, the work a thousandth.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from crime_analysis.models.synthetic_weights import Comparison, compare, noise_level

__all__ = [
    "MIN_BEFORE", "in_space", "in_time", "interval", "leave_one_out", "p_value", "ratio", "spread",
]  # fmt: skip

MIN_BEFORE = 2  # periods before an event: with one, there is no path to match
# A gap below this share of the donors' spread is no gap: it is rounding and the tie-break.
_EXACT = 1e-8


def spread(donors: np.ndarray, before: int) -> float:
    """Return the standard deviation of the donors' outcomes before the event."""
    return float(donors[:, :before].std())


def ratio(comparison: Comparison, size: float) -> float:
    """Return the root mean squared gap after the event over that before (Abadie et al., 2010).

    Infinite if the path before is met exactly.

    Parameters
    ----------
    comparison : Comparison
        The gaps.
    size : float
        The donors' spread before the event (`spread`), to tell a gap from rounding error.
    """
    if comparison.rmspe_before <= _EXACT * size:
        return math.inf
    return comparison.rmspe_after / comparison.rmspe_before


def in_space(
    donors: np.ndarray,
    names: Sequence[Any],
    before: int,
    method: str,
    *,
    n_treated: int,
    noise: float,
    draws: int,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, np.ndarray]:
    """Treat donors as the treated were, with the other donors as theirs.

    One donor at a time or, where several units are treated, sets of as many donors
    (Arkhangelsky et al., 2021, Algorithm 4): every set if there are at most `draws`, else that
    many drawn at random, without the same set twice.

    Returns
    -------
    table : DataFrame
        Indexed by ``placebo``: ``effect``, ``rmspe_before``, ``rmspe_after``, ``ratio``.
    gaps : ndarray, shape (placebos, periods)
        Their paths.
    """
    size = spread(donors, before)
    rows, gaps = {}, []
    for chosen in _sets(len(donors), n_treated, draws, rng):
        others = np.delete(donors, chosen, axis=0)
        found = compare(
            others, donors[chosen].mean(axis=0), before, method, n_treated=n_treated, noise=noise
        )
        label = names[chosen[0]] if n_treated == 1 else " + ".join(str(names[i]) for i in chosen)
        rows[label] = {
            "effect": found.effect,
            "rmspe_before": found.rmspe_before,
            "rmspe_after": found.rmspe_after,
            "ratio": ratio(found, size),
        }
        gaps.append(found.gap)
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("placebo"), np.array(gaps)


def _sets(count: int, size: int, draws: int, rng: np.random.Generator) -> list[list[int]]:
    if math.comb(count, size) <= draws:
        return [list(chosen) for chosen in itertools.combinations(range(count), size)]
    drawn: dict[tuple[int, ...], None] = {}
    while len(drawn) < draws:
        drawn[tuple(sorted(rng.choice(count, size, replace=False).tolist()))] = None
    return [list(chosen) for chosen in drawn]


def in_time(
    donors: np.ndarray,
    treated: np.ndarray,
    periods: Sequence[Any],
    before: int,
    method: str,
    n_treated: int,
) -> pd.DataFrame:
    """Pretend that the event came earlier, on the periods before it alone.

    Returns
    -------
    DataFrame
        Indexed by ``start``: ``periods_before``, ``periods_after``, ``effect``,
        ``rmspe_before``, ``rmspe_after``, ``ratio``. No rows if the periods are too few.
    """
    size = spread(donors, before)
    rows = {}
    for earlier in range(MIN_BEFORE, before):
        found = compare(
            donors[:, :before], treated[:before], earlier, method,
            n_treated=n_treated, noise=noise_level(donors, earlier),
        )  # fmt: skip
        rows[periods[earlier]] = {
            "periods_before": earlier,
            "periods_after": before - earlier,
            "effect": found.effect,
            "rmspe_before": found.rmspe_before,
            "rmspe_after": found.rmspe_after,
            "ratio": ratio(found, size),
        }
    columns = [
        "periods_before", "periods_after", "effect", "rmspe_before", "rmspe_after", "ratio"
    ]  # fmt: skip
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    return table.astype({"periods_before": "int64", "periods_after": "int64"}).rename_axis("start")


def leave_one_out(
    donors: np.ndarray,
    treated: np.ndarray,
    names: Sequence[Any],
    before: int,
    method: str,
    *,
    n_treated: int,
    noise: float,
) -> pd.DataFrame:
    """Estimate without each donor that carries weight, in the order of weight.

    Returns
    -------
    DataFrame
        Indexed by ``left_out``: ``weight`` (that it had), ``effect`` (without it), ``change``,
        ``rmspe_before``.
    """
    whole = compare(donors, treated, before, method, n_treated=n_treated, noise=noise)
    order = np.argsort(-whole.unit_weights, kind="stable")
    rows = {}
    for donor in order[whole.unit_weights[order] > 0]:
        found = compare(
            np.delete(donors, donor, axis=0), treated, before, method,
            n_treated=n_treated, noise=noise,
        )  # fmt: skip
        rows[names[donor]] = {
            "weight": whole.unit_weights[donor],
            "effect": found.effect,
            "change": found.effect - whole.effect,
            "rmspe_before": found.rmspe_before,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("left_out")


def p_value(statistic: float, placebos: np.ndarray) -> float:
    """Return the share of all units, the treated among them, at or above its statistic.

    It is never below ``1 / (1 + placebos)``.
    """
    return float((1 + np.sum(placebos >= statistic)) / (1 + len(placebos)))


def interval(
    gap_after: np.ndarray, placebos: np.ndarray, level: float, rmspe_before: float | None = None
) -> tuple[float, float]:
    """Return the constant effects that the placebo test does not reject (Firpo and Possebom, 2018).

    The treated path less a constant effect is ranked among the placebos again. Weights rest on
    the periods before and the donors alone, so only the treated unit's own gaps move, and the
    constants that are kept form an interval in closed form.

    Parameters
    ----------
    gap_after : ndarray
        The treated unit's gaps from the event on.
    placebos : ndarray
        The statistics of the placebos: absolute effects, or ratios if `rmspe_before` is given.
    level : float
        As 0.95.
    rmspe_before : float, optional
        The treated unit's, where the statistic is the ratio.

    Returns
    -------
    tuple of float
        Infinite where the placebos are too few to reject anything at this level; NaN where
        every constant effect is rejected.
    """
    # A constant is kept while at least this many placebos reach its statistic.
    needed = math.floor((1 - level) * (len(placebos) + 1) + 1e-9)
    if needed == 0:
        return -math.inf, math.inf
    limit = float(np.sort(placebos)[-needed])
    centre = float(gap_after.mean())
    if rmspe_before is None:
        return centre - limit, centre + limit
    room = (limit * rmspe_before) ** 2 - float(gap_after.var())
    if room < 0:
        return math.nan, math.nan
    return centre - math.sqrt(room), centre + math.sqrt(room)
