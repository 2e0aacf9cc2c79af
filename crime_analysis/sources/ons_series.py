"""ONS time series as downloaded: the GDP deflator (YBGB) and CPIH (L522), by financial year."""

from __future__ import annotations

import re

import pandas as pd

from crime_analysis import periods
from crime_analysis.errors import SourceError
from crime_analysis.sources.rawfile import Publication, RawFile, read_number

__all__ = ["CPIH", "GDP_DEFLATOR", "read", "recognise"]

GDP_DEFLATOR = Publication(
    id="ons-ybgb-gdp-deflator-2025-06",
    publisher="Office for National Statistics",
    title="Gross domestic product at market prices: implied deflator, seasonally adjusted (YBGB)",
    edition="30 June 2025",
    note="Revised with every release: 2010/11 differs by 0.5% between vintages.",
)
CPIH = Publication(
    id="ons-l522-cpih-2025-07",
    publisher="Office for National Statistics",
    title="CPIH index, all items, 2015=100 (L522)",
    edition="16 July 2025",
)
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]


def recognise(raw: RawFile) -> Publication | None:
    """Return which of the two series `raw` is, by its CDID line."""
    if '"CDID","YBGB"' in raw.head:
        return GDP_DEFLATOR
    return CPIH if '"CDID","L522"' in raw.head else None


def read(raw: RawFile) -> pd.DataFrame:
    """Return a series averaged over the financial years that it covers in full.

    The deflator is averaged over quarters (April-June to January-March), CPIH over months.

    Returns
    -------
    DataFrame
        ``financial_year`` and ``index`` (as published, not rebased).

    Raises
    ------
    SourceError
        If a period is repeated, an index is not a positive number, or no year is complete.
    """
    monthly = recognise(raw) is CPIH
    pattern = re.compile(r"^(\d{4}) ([A-Z]{3})$" if monthly else r"^(\d{4}) Q([1-4])$")
    values: dict[int, dict[str, float]] = {}
    for line, row in enumerate(raw.lines(), start=1):
        match = pattern.match(row[0]) if len(row) == 2 else None
        if not match:
            continue
        part = match[2]
        month = _MONTHS.index(part) + 1 if monthly else int(part) * 3
        fy = int(match[1]) - (1 if month <= 3 else 0)
        try:
            value = read_number(row[1])
        except ValueError as problem:
            raise SourceError(f"expected an index, found {problem}", raw.name, None, line) from None
        if not value > 0:
            raise SourceError("expected a positive index", raw.name, None, line)
        if part in values.setdefault(fy, {}):
            raise SourceError(f"repeats {row[0]}", raw.name, None, line)
        values[fy][part] = value
    parts = 12 if monthly else 4
    whole = {fy: sum(v.values()) / parts for fy, v in values.items() if len(v) == parts}
    if not whole:
        raise SourceError("no financial year is complete", raw.name)
    return pd.DataFrame(
        {
            "financial_year": [periods.label(fy) for fy in sorted(whole)],
            "index": [round(whole[fy], 6) for fy in sorted(whole)],
        }
    )
