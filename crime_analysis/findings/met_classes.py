"""Homicides of London's boroughs on the Met's two sets of classes, and where they disagree."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from crime_analysis.findings.counts import whole_years

__all__ = ["disputed", "murders"]


def murders(crime: pd.DataFrame, years: Iterable[int]) -> pd.Series:
    """Return each borough's murders over some financial years, on the Met's old classes.

    Parameters
    ----------
    crime : DataFrame
        The shipped table ``borough_crime_monthly``.
    years : iterable of int
        Years in which the financial years begin.

    Returns
    -------
    Series
        By place; missing where one of the years is not whole.

    Examples
    --------
    >>> from crime_analysis import catalog
    >>> found = murders(catalog.load("borough_crime_monthly"), range(2015, 2018))
    >>> float(found["Barking and Dagenham"])
    12.0
    """
    wanted = list(years)
    old = crime[crime["classification"] == "old"]
    sums = {
        place: whole_years(months, "murder").reindex(wanted).sum(min_count=len(wanted))
        for place, months in old.groupby("place")
    }
    return pd.Series(sums, dtype=float).rename_axis("place")


def disputed(homicides: float, murders: float) -> bool:
    """Return whether two counts of much the same thing differ too far to judge either.

    The new classes' homicides hold manslaughters beside murders, few in number: a difference of
    five or more and of two in five is more than that.

    Examples
    --------
    >>> disputed(26, 12), disputed(17, 23), disputed(26, float("nan"))
    (True, False, False)
    """
    return bool(np.isfinite(murders) and abs(homicides - murders) >= max(5.0, 0.4 * homicides))
