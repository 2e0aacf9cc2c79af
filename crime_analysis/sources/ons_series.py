"""ONS time series as downloaded: the GDP deflator (YBGB) and CPIH (L522), by financial year."""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import replace

import pandas as pd

from crime_analysis import periods
from crime_analysis.errors import SourceError
from crime_analysis.sources.origin import Origin, Traced, origin_of
from crime_analysis.sources.rawfile import Publication, RawFile
from crime_analysis.sources.sheet import read_number

__all__ = ["CPIH", "GDP_DEFLATOR", "PUBLICATIONS", "read", "recognise"]

GDP_DEFLATOR = Publication(
    id="ons-ybgb-gdp-deflator-2025-06",
    publisher="Office for National Statistics",
    title="Gross domestic product at market prices: implied deflator, seasonally adjusted (YBGB)",
    edition="30 June 2025",
    note="Revised with every release: 2010/11 differs by 0.5% between vintages.",
    series="ons-ybgb-gdp-deflator",
)
CPIH = Publication(
    id="ons-l522-cpih-2025-07",
    publisher="Office for National Statistics",
    title="CPIH index, all items, 2015=100 (L522)",
    edition="16 July 2025",
    series="ons-l522-cpih",
)
PUBLICATIONS = (GDP_DEFLATOR, CPIH)
_RELEASE = re.compile(r'^"?Release date"?,"?(\d{2})-(\d{2})-(\d{4})"?\s*$', re.MULTILINE)
# A release holds the last quarter, or month, that ended this many days before it: quarters come
# after 40 to 92 days, months after 13 to 25. One that ends earlier was cut short.
_MOST_DAYS = {GDP_DEFLATOR.series: 120, CPIH.series: 35}
_BASE_OF_CPIH = "2015=100"
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_QUARTERS = ["Q1", "Q2", "Q3", "Q4"]
# A year's index is the mean of its parts' within their rounding; 2020's deflator is 0.18 away.
_ANNUAL_TOLERANCE = 0.2


def recognise(raw: RawFile) -> Publication | None:
    """Return which of the two series `raw` is, by its CDID line, and its release by its date."""
    found = re.search(r'^"?CDID"?,"?(\w+)"?\s*$', raw.head, re.MULTILINE)
    series = {"YBGB": GDP_DEFLATOR, "L522": CPIH}.get(found[1]) if found else None
    released = _released(raw)
    if series is None or released is None:
        return series
    edition = f"{released.day} {released:%B %Y}"
    return replace(series, id=f"{series.series}-{released:%Y-%m}", edition=edition)


def _released(raw: RawFile) -> dt.date | None:
    """Return the day of release that the file prints."""
    found = _RELEASE.search(raw.head)
    try:
        return dt.date(int(found[3]), int(found[2]), int(found[1])) if found else None
    except ValueError:
        return None


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
        If a period is repeated or missing, an index is not a positive number, a calendar year
        is not the mean of its parts, none is 100, no day of release is printed, or the last
        period is not the one that was out by that day.
    """
    publication = recognise(raw)
    if publication is None:
        raise SourceError("no line 'CDID' that names a known series (YBGB or L522)", raw.name)
    monthly = publication.series == CPIH.series
    if monthly and _BASE_OF_CPIH not in raw.head:
        raise SourceError(f"no title with the base {_BASE_OF_CPIH}: CPIH was rebased", raw.name)
    parts = _MONTHS if monthly else _QUARTERS
    pattern = re.compile(rf"^(\d{{4}})(?: ({'|'.join(parts)}))?$")
    found: dict[tuple[int, int], float] = {}  # (year, part from 0; -1 for the whole year)
    for line, row in raw.lines():
        match = pattern.match(row[0])
        if not match:
            continue
        try:
            value = read_number(row[1]) if len(row) == 2 else math.nan
        except ValueError as problem:
            raise SourceError(f"expected an index, found {problem}", raw.name, None, line) from None
        if not value > 0:
            raise SourceError("expected a positive index", raw.name, None, line)
        key = int(match[1]), parts.index(match[2]) if match[2] else -1
        if key in found:
            raise SourceError(f"repeats {row[0]}", raw.name, None, line)
        found[key] = Traced(value, (Origin("", str(line), "B"),))
    periodic = {year * len(parts) + part: v for (year, part), v in found.items() if part >= 0}
    if not periodic:
        raise SourceError(f"no line of a '2009 {parts[0]}'", raw.name)
    first, last = min(periodic), max(periodic)
    gaps = sorted(set(range(first, last + 1)) - set(periodic))
    if gaps:
        year, part = divmod(gaps[0], len(parts))
        raise SourceError(f"no index for {year} {parts[part]}", raw.name)
    _require_release(
        publication,
        pd.Period(year=last // 12, month=last % 12 + 1, freq="M")
        if monthly
        else pd.Period(year=last // 4, quarter=last % 4 + 1, freq="Q"),
        raw,
    )
    _require_annual(found, len(parts), raw)

    # A financial year ends with the first quarter, or the first three months, of the next year.
    ahead = len(parts) // 4
    sums: dict[int, list[float]] = {}
    for position, value in periodic.items():
        sums.setdefault((position - ahead) // len(parts), []).append(value)
    whole = {fy: sum(v) / len(v) for fy, v in sorted(sums.items()) if len(v) == len(parts)}
    return pd.DataFrame(
        {
            "financial_year": [periods.label(fy) for fy in whole],
            "index": [float(round(value, 6)) for value in whole.values()],
            "origin": [origin_of(value) for value in whole.values()],
        }
    )


def _require_release(publication: Publication, last: pd.Period, raw: RawFile) -> None:
    """Check that the last period is the one that was out by the printed day of release."""
    released = _released(raw)
    if released is None:
        raise SourceError("no line 'Release date' with a day like 30-06-2025", raw.name)
    days = (released - last.end_time.date()).days
    if not 0 <= days <= _MOST_DAYS[publication.series]:
        raise SourceError(
            f"ends with {last}, which is not the last that was out by the edition cited for it"
            f" ({publication.edition}): get the whole file",
            raw.name,
        )


def _require_annual(found: dict[tuple[int, int], float], parts: int, raw: RawFile) -> None:
    """Check the calendar years that the file prints against their quarters or months."""
    annual = {year: value for (year, part), value in found.items() if part < 0}
    if 100 not in annual.values():
        raise SourceError("no year's index is 100; is the unit right?", raw.name)
    for year, value in annual.items():
        within = [found[year, part] for part in range(parts) if (year, part) in found]
        if len(within) == parts and abs(sum(within) / parts - value) > _ANNUAL_TOLERANCE:
            raise SourceError(
                f"the index of {year} is {value}, the mean of its parts {sum(within) / parts:.2f}",
                raw.name,
            )
