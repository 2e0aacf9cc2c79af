"""The calendar of a series: months and quarters in order, seasons, and where a break falls.

Examples
--------
>>> import pandas as pd
>>> Calendar.of(pd.Series(["2018-12", "2019-01"]), "month").position.tolist()
[24227, 24228]
>>> Calendar.of(pd.Series(["2018/19 Q4", "2019Q2"]), "quarter").labels
['2019Q1', '2019Q2']
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from crime_analysis import periods
from crime_analysis.errors import ModelError, ParameterError

__all__ = ["Calendar", "Start", "fourier"]

_MONTH = re.compile(r"(\d{4})-(\d{1,2})(?:-(\d{1,2}))?(?:[ T]00:00(?::00)?)?")
_QUARTER = re.compile(r"(\d{4})[- ]?Q([1-4])", re.IGNORECASE)
_FINANCIAL = re.compile(r"(\d{4}[/-]\d{2,4}) ?Q([1-4])", re.IGNORECASE)
_WRITE = "write months as '2018-09' and quarters as '2018Q3' or '2018/19 Q2'"
_NAME = {12: "month", 4: "quarter"}


@dataclass(frozen=True)
class Start:
    """Where an interruption falls on a calendar.

    Attributes
    ----------
    first : int
        Position of the first period that lies wholly after it.
    part : int or None
        Position of the period that it cuts in two, if it does.
    share : float
        What share of that period's days comes after.
    label : str
        As the user would write it.
    """

    first: int
    part: int | None
    share: float
    label: str


@dataclass(frozen=True)
class Calendar:
    """Whole periods, counted without gaps.

    Attributes
    ----------
    position : ndarray of int
        Year times `period` plus the month or quarter (from 0), one a row.
    period : int
        Periods in a year: 12 or 4.
    """

    position: np.ndarray
    period: int

    @classmethod
    def of(cls, values: pd.Series, name: str) -> Calendar:
        """Read a column of months or quarters (text, dates or pandas periods).

        Raises
        ------
        ModelError
            If a value is missing, is no month or quarter, or the two are mixed; it names the row.
        """
        if values.isna().any():
            row = values.index[values.isna().to_numpy()][0]
            raise ModelError(f"column {name!r} has no date in row {row}; drop the row or date it")
        read = [_read(value) for value in values]
        for row, value, found in zip(values.index, values, read, strict=True):
            if found is None:
                raise ModelError(f"{value!r} in column {name!r}, row {row}, is no date; {_WRITE}")
        kinds = sorted({period for _, period in filter(None, read)})
        if len(kinds) != 1:
            raise ModelError(f"column {name!r} mixes months and quarters; keep one of them")
        return cls(np.array([place for place, _ in filter(None, read)]), kinds[0])

    @property
    def name(self) -> str:
        """What one period is called."""
        return _NAME[self.period]

    @property
    def labels(self) -> list[str]:
        """Each row's period as text."""
        return [self.label(place) for place in self.position]

    def label(self, place: int) -> str:
        """Return one position as text: ``2018-09`` or ``2018Q3``."""
        year, within = divmod(int(place), self.period)
        return f"{year:04d}-{within + 1:02d}" if self.period == 12 else f"{year:04d}Q{within + 1}"

    def check_whole(self, name: str) -> None:
        """Refuse periods that stand twice or not at all between the first and the last.

        Raises
        ------
        ModelError
            With the periods concerned.
        """
        found, times = np.unique(self.position, return_counts=True)
        twice = [self.label(place) for place in found[times > 1]]
        if twice:
            raise ModelError(
                f"column {name!r} has {twice[0]} in {times[times > 1][0]} rows ({len(twice)}"
                f" {self.name}s stand more than once); choose one series, or add its rows up"
            )
        absent = sorted(set(range(found[0], found[-1] + 1)) - set(found.tolist()))
        if absent:
            named = ", ".join(self.label(place) for place in absent[:5])
            raise ModelError(
                f"column {name!r} has no row for {len(absent)} {self.name}s ({named}"
                f"{', ...' if len(absent) > 5 else ''}); add them: with 0 if nothing happened,"
                " with a missing outcome if it is not known"
            )

    def start(self, at: object) -> Start:
        """Read where an interruption falls: a period, or a date inside one.

        Raises
        ------
        ParameterError
            If `at` is neither.
        """
        text = str(at).strip()
        match = _MONTH.fullmatch(text)
        found = _read(at)
        if found is None:
            raise ParameterError(f"at={at!r} is no date; {_WRITE}, days as '2018-09-17'")
        if found[1] == self.period == 4:
            return Start(found[0], None, 1.0, self.label(found[0]))
        if found[1] == 4:
            day = date(found[0] // 4, found[0] % 4 * 3 + 1, 1)
        else:
            day = date(found[0] // 12, found[0] % 12 + 1, int((match and match[3]) or 1))
        months = 12 // self.period
        place = day.year * self.period + (day.month - 1) // months
        opens = date(day.year, (day.month - 1) // months * months + 1, 1)
        if day == opens:
            return Start(place, None, 1.0, self.label(place))
        last = opens.month + months - 1
        closes = date(day.year, last, calendar.monthrange(day.year, last)[1])
        share = ((closes - day).days + 1) / ((closes - opens).days + 1)
        return Start(place + 1, place, share, day.isoformat())


def _read(value: object) -> tuple[int, int] | None:
    """Return position and periods a year of a month, quarter or date; None if it is neither."""
    text = str(value).strip()
    if match := _FINANCIAL.fullmatch(text):
        try:
            return periods.start(match[1]) * 4 + int(match[2]), 4  # Q1 is April to June
        except ParameterError:
            return None
    if match := _QUARTER.fullmatch(text):
        return int(match[1]) * 4 + int(match[2]) - 1, 4
    if match := _MONTH.fullmatch(text):
        year, month = int(match[1]), int(match[2])
        try:
            date(year, month, int(match[3] or 1))
        except ValueError:
            return None
        return year * 12 + month - 1, 12
    return None


def fourier(position: np.ndarray, period: int, pairs: int) -> pd.DataFrame:
    """Return sine and cosine waves that repeat each year, `pairs` of them.

    Parameters
    ----------
    position : ndarray of int
        From `Calendar`.
    period : int
        Periods a year.
    pairs : int
        Waves that fit once, twice, ... into a year; half of `period` of them fit any season.

    Raises
    ------
    ParameterError
        If more pairs are asked for than a year can hold.

    Examples
    --------
    >>> fourier(np.arange(4), 4, 2).columns.tolist()
    ['season_sin_1', 'season_cos_1', 'season_cos_2']
    """
    counted = isinstance(pairs, (int, np.integer)) and not isinstance(pairs, bool)
    if not counted or not 0 <= pairs <= period // 2:
        raise ParameterError(
            f"season={pairs!r}: Fourier pairs are a whole number from 0 to {period // 2} for"
            f" {_NAME[period]}s"
        )
    within = position % period + 1
    waves: dict[str, np.ndarray] = {}
    for pair in range(1, int(pairs) + 1):
        if 2 * pair != period:  # the fastest wave's sine is zero in every period
            waves[f"season_sin_{pair}"] = np.sin(2 * np.pi * pair * within / period)
        waves[f"season_cos_{pair}"] = np.cos(2 * np.pi * pair * within / period)
    return pd.DataFrame(waves, index=range(len(within)))
