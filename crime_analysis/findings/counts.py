"""Counts of events: whole years of them, and how far chance alone moves them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["Ratio", "poisson_interval", "rate_ratio", "told_apart", "whole_years"]


@dataclass(frozen=True)
class Ratio:
    """One rate over another, with an interval; ``estimate`` is NaN if either count is unknown."""

    estimate: float
    ci_low: float
    ci_high: float


def poisson_interval(
    count: npt.ArrayLike, level: float = 0.95
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the exact interval of Poisson means that a count is compatible with.

    Garwood (1936). It allows for chance alone: not for counts of events that come in clusters.

    Examples
    --------
    >>> low, high = poisson_interval([0, 10])
    >>> low.round(2).tolist(), high.round(2).tolist()
    ([0.0, 4.8], [3.69, 18.39])
    """
    from scipy.special import gammaincinv

    counts = np.asarray(count, dtype=float)
    tail = (1 - level) / 2
    low = np.where(counts > 0, gammaincinv(np.maximum(counts, 1), tail), 0.0)
    return np.where(np.isnan(counts), np.nan, low), gammaincinv(counts + 1, 1 - tail)


def rate_ratio(
    count: float, exposure: float, base_count: float, base_exposure: float, level: float = 0.95
) -> Ratio:
    """Return the ratio of two Poisson rates with its exact interval.

    Given the sum of both counts the first is binomial (Przyborowski and Wilenski 1940); the
    interval is Clopper and Pearson's (1934).

    Examples
    --------
    >>> ratio = rate_ratio(30, 1.0, 20, 1.0)
    >>> round(ratio.estimate, 2), round(ratio.ci_low, 2), round(ratio.ci_high, 2)
    (1.5, 0.82, 2.79)
    """
    from scipy.special import betaincinv

    if not np.isfinite([count, exposure, base_count, base_exposure]).all() or not (
        exposure > 0 and base_exposure > 0
    ):
        return Ratio(float("nan"), float("nan"), float("nan"))
    tail = (1 - level) / 2
    low = betaincinv(count, base_count + 1, tail) if count else 0.0
    high = betaincinv(count + 1, base_count, 1 - tail) if base_count else 1.0
    scale = base_exposure / exposure
    odds = [share / (1 - share) if share < 1 else np.inf for share in (low, high)]
    middle = count / base_count if base_count else float("inf") if count else float("nan")
    return Ratio(float(middle * scale), float(odds[0] * scale), float(odds[1] * scale))


def told_apart(counts: pd.Series, exposure: pd.Series, place: str) -> pd.Series:
    """Return whether other places' rates are clearly ``lower`` or ``higher``, or ``neither``.

    Each pair by itself at 95%: were all places alike, one in twenty would look different by
    chance.

    Parameters
    ----------
    counts, exposure : Series
        Events and person-years, by place.
    place : str
        The place that the others are compared with.

    Examples
    --------
    >>> people = pd.Series({"Kent": 1.0, "Surrey": 1.0, "Essex": 1.0})
    >>> told_apart(pd.Series({"Kent": 50, "Surrey": 20, "Essex": 45}), people, "Kent").to_dict()
    {'Surrey': 'lower', 'Essex': 'neither'}
    """
    found = {}
    for other in counts.index.drop(place):
        ratio = rate_ratio(counts[other], exposure[other], counts[place], exposure[place])
        clear = "lower" if ratio.ci_high < 1 else "higher" if ratio.ci_low > 1 else "neither"
        found[other] = clear
    return pd.Series(found, dtype="object")


def whole_years(months: pd.DataFrame, column: str, starts: int = 4) -> pd.Series:
    """Return sums of a monthly count over years of twelve known months; a part-year is not one.

    Parameters
    ----------
    months : DataFrame
        With ``month`` (text, ``2012-04``) and `column`; one row a month.
    column : str
        What to add up.
    starts : int
        The month in which a year begins; April for financial years.

    Returns
    -------
    Series
        By the calendar year in which the year begins.
    """
    year = months["month"].str[:4].astype("int64")
    year = year - (months["month"].str[5:7].astype("int64") < starts)
    return months.groupby(year.to_numpy())[column].sum(min_count=12)
