"""Breaks on an axis of time: a dashed line for each entry of the register, and its name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from crime_analysis import breaks, periods
from crime_analysis.drawing import ORANGE
from crime_analysis.story.dates import dated

__all__ = ["by_day", "by_financial_year", "mark_breaks", "named_breaks"]


def by_day(date: str) -> float:
    """Return a day or month (ISO text) as a year with its fraction; a month ends on its last day.

    Examples
    --------
    >>> round(by_day("2018-03-31"), 2), round(by_day("2018-03"), 2)
    (2018.24, 2018.24)
    """
    day = pd.Timestamp(date) + (pd.offsets.MonthEnd(0) if len(date) == 7 else pd.Timedelta(0))
    return float(day.year + (day.day_of_year - 1) / 365.25)


def by_financial_year(date: str) -> float:
    """Return where a date lies on an axis of first calendar years: before its financial year.

    Examples
    --------
    >>> by_financial_year("2014-11-18")
    2013.5
    """
    return periods.start(breaks.financial_year(date)) - 0.5


def mark_breaks(
    axis: Any, entries: pd.DataFrame, place: Callable[[str], float], first: float, last: float
) -> list[str]:
    """Draw entries of the register between two points of an axis; return their names.

    Judgements on the figures (kind ``status``) move none of them and are not drawn.

    Parameters
    ----------
    axis : matplotlib Axes
    entries : DataFrame
        Rows of the shipped table ``breaks``.
    place : callable
        Where a date lies: `by_day` or `by_financial_year`.
    first, last : float
        Only breaks strictly between them cut the series in two.
    """
    drawn = entries[entries["kind"] != "status"]
    inside = drawn["date"].map(lambda date: first < place(str(date)) < last)
    drawn = drawn[inside.astype(bool)]
    for date in dict.fromkeys(drawn["date"]):
        axis.axvline(place(str(date)), color=ORANGE, ls="--", lw=1.1, zorder=1)
    return [f"{dated(str(r.date)[:7])} {breaks.name(str(r.id))}" for r in drawn.itertuples()]


def named_breaks(names: list[str]) -> str:
    """Return the dashed lines of a chart in words, for its source line."""
    told = "; ".join(dict.fromkeys(names))
    return f"Dashed lines, breaks: {told}." if told else "No break in the register falls here."
