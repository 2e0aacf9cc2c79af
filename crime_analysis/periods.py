"""Financial years: April to March, written ``2010/11`` and ordered by their first year.

Examples
--------
>>> label(2010)
'2010/11'
>>> start("2010-11")
2010
>>> from datetime import date
>>> label(of_date(date(2010, 3, 31)))
'2009/10'
"""

from __future__ import annotations

import re
from datetime import date

from crime_analysis.errors import ParameterError

__all__ = ["label", "of_date", "span", "start"]

_LABEL = re.compile(r"^\s*(\d{4})\s*[/-]\s*(\d{2}|\d{4})\s*$")


def label(fy_start: int) -> str:
    """Return the label of the financial year that begins in April of `fy_start`.

    Examples
    --------
    >>> label(1999)
    '1999/00'
    """
    return f"{fy_start:04d}/{(fy_start + 1) % 100:02d}"


def start(financial_year: str) -> int:
    """Return the calendar year in which a financial year begins.

    Accepts ``2010/11``, ``2010-11`` and ``2010/2011``.

    Raises
    ------
    ParameterError
        If the text is not a financial year, or its two halves are not consecutive.

    Examples
    --------
    >>> start("2009/10"), start("1999-2000")
    (2009, 1999)
    """
    match = _LABEL.match(str(financial_year))
    if match:
        first = int(match[1])
        second = match[2]
        expected = f"{first + 1:04d}"
        if second in (expected, expected[2:]):
            return first
    raise ParameterError(
        f"{financial_year!r} is not a financial year; write it as two consecutive years, '2010/11'"
    )


def of_date(day: date) -> int:
    """Return the first calendar year of the financial year in which `day` falls.

    31 March belongs to the year that it ends: 31 March 2010 is in 2009/10.

    Examples
    --------
    >>> of_date(date(2010, 4, 1))
    2010
    """
    return day.year if day.month >= 4 else day.year - 1


def span(first: str, last: str) -> list[str]:
    """Return every financial year from `first` to `last`, both included.

    Raises
    ------
    ParameterError
        If `last` comes before `first`.

    Examples
    --------
    >>> span("2009/10", "2011/12")
    ['2009/10', '2010/11', '2011/12']
    """
    low, high = start(first), start(last)
    if high < low:
        raise ParameterError(f"the last year {last!r} comes before the first {first!r}; swap them")
    return [label(year) for year in range(low, high + 1)]
