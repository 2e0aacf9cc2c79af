"""NHS Digital for the Home Office: hospital admissions for assault by sharp object, by region.

Finished admission and consultant episodes with external cause X99, by the patient's region of
residence. Regional counts are rounded to the nearest 5, counts from 1 to 7 are printed ``*``;
England's are exact. Only the sheet ``GOR-Data-Totals`` is NHS Digital's own: the sheets called
``UK_Stabbings`` are someone's working. 2021-22 is provisional, and its total is labelled 2020-21.
"""

from __future__ import annotations

import math
import re

import pandas as pd

from crime_analysis import periods
from crime_analysis.errors import ParameterError
from crime_analysis.sources.origin import Origin, at
from crime_analysis.sources.rawfile import Publication, RawFile
from crime_analysis.sources.sheet import Sheet, plain

__all__ = ["PUBLICATION", "parse", "read", "read_years", "recognise"]

PUBLICATION = Publication(
    id="nhs-digital-sharp-object-admissions-2022",
    publisher="NHS Digital",
    title="Admissions for assault by sharp object by region of residence (Hospital Episode"
    " Statistics, tabulation for the Home Office)",
    edition="2012-13 to 2021-22 (provisional)",
    note="Regional counts rounded to 5, 1 to 7 suppressed; 2021-22 provisional.",
    series="nhs-digital-sharp-object-admissions",
)

_SHEET = "GOR-Data-Totals"
_REGIONS = {
    name.casefold(): name
    for name in (
        "East Midlands", "East of England", "London", "North East", "North West", "South East",
        "South West", "West Midlands", "Yorkshire and the Humber", "England",
    )
}  # fmt: skip
_OUTSIDE_REGIONS = ("england - not otherwise specified", "foreign", "other uk country", "unknown")
_MEASURES = {"faes": "admissions", "fces": "episodes"}
_MONTHS = [
    "april", "may", "june", "july", "august", "september", "october", "november", "december",
    "january", "february", "march",
]  # fmt: skip
_YEARS = periods.span("2012/13", "2021/22")
_NATION = "England"
_SUPPRESSED = "*"
_MISLABELLED = ("2021/22", "2020/21")
_YEAR = re.compile(r"20\d\d-\d\d")
# England's count in any month is below 600.
_MOST_A_MONTH = 2000


def recognise(raw: RawFile) -> Publication | None:
    """Return the publication if `raw` has its sheet of regions, by name and title."""
    if not raw.is_workbook or plain(_SHEET) not in {plain(name) for name in raw.sheet_names}:
        return None
    sheet = raw.sheet(_SHEET)
    if not _is_titled(sheet):
        return None
    labels = (plain(cell) for row in sheet.rows for cell in row[:3])
    years = {f"{label[:4]}/{label[5:7]}" for label in labels if _YEAR.fullmatch(label)}
    last = max(years, default="")
    return PUBLICATION.later(_YEARS[-1], last)


def read(raw: RawFile) -> pd.DataFrame:
    """Return admissions and episodes by region and month.

    Returns
    -------
    DataFrame
        ``region`` (nine and England), ``month`` (text, ``2012-04``), ``measure``
        (``admissions``, ``episodes``), ``count`` (NaN where the publisher suppressed 1 to 7)
        and ``origin``.

    Raises
    ------
    SourceError
        If a year is missing, it is an older edition, or as `parse` does.
    """
    return _read(raw, "month")


def read_years(raw: RawFile) -> pd.DataFrame:
    """Return the printed totals of financial years, rounded once where months are each rounded.

    Returns
    -------
    DataFrame
        As `read`, with ``financial_year`` instead of the month.
    """
    return _read(raw, "financial_year")


def _read(raw: RawFile, period: str) -> pd.DataFrame:
    frame = parse(raw.sheet(_SHEET))
    is_year = frame["period"].str.contains("/")
    years = sorted(frame["period"][is_year].unique())
    raw.require_edition(PUBLICATION, _YEARS[-1], years, periods.start)
    if years[: len(_YEARS)] != _YEARS:
        raise raw.sheet(_SHEET).error(f"expected the years {_YEARS}, found {years}")
    chosen = frame[is_year == (period == "financial_year")].rename(columns={"period": period})
    return chosen.reset_index(drop=True)


def parse(sheet: Sheet) -> pd.DataFrame:
    """Return the figures of whatever years are there: ``period`` is a month or a year.

    Raises
    ------
    SourceError
        If the sheet is not as expected, a month is missing or out of order, a figure is no
        count (rounded to 5 in a region), or regions and months do not fit the printed totals
        within what rounding and suppression allow.
    """
    if not _is_titled(sheet):
        raise sheet.error(
            "no title of episodes with 'Assault with sharp object' by 'government office region'"
            f" of residence; found {sheet.text(0, 0)[:60]!r}"
        )
    heading = sheet.find_row(["Year", "Month"])
    years, months = sheet.find_column(heading, "Year"), sheet.find_column(heading, "Month")
    columns = _columns(sheet, heading)
    records: list[tuple[str, str, str, float, tuple[Origin, ...]]] = []
    year = ""
    block: list[int] = []
    done: set[str] = set()
    for row in range(heading + 1, len(sheet.rows)):
        label, month = plain(sheet.text(row, years)), plain(sheet.text(row, months))
        if label.startswith("source"):
            break
        if not label and not month:
            continue
        if label and month:
            year = _year(sheet, row, years, label)
            if block or year in done:
                raise sheet.error(f"{year} begins a second time or too early", row, years)
        period = year
        if month:
            if not year or len(block) >= 12 or month != _MONTHS[len(block)]:
                raise sheet.error(f"{sheet.text(row, months)!r} is out of order", row, months)
            number = (len(block) + 3) % 12 + 1
            period = f"{int(year[:4]) + (number < 4)}-{number:02d}"
            block.append(row)
        figures: dict[tuple[str, str], float] = {}
        for (region, measure), column in columns.items():
            if region in _REGIONS.values():
                value = _count(sheet, row, column, 12 if not month else 1, region == _NATION)
                records.append((region, period, measure, value, at(sheet.name, row, column)))
                figures[region, measure] = value
        _require_episodes(sheet, row, columns, figures)
        for measure in _MEASURES.values():
            parts = [(row, c) for (r, m), c in columns.items() if m == measure and r != _NATION]
            _require_sum(sheet, parts, row, columns[_NATION, measure], exact=True)
        if not month:
            found = _year(sheet, row, years, label.removesuffix("total").strip())
            if len(block) != 12 or (found != year and (year, found) != _MISLABELLED):
                raise sheet.error(f"expected the total of {year} after its 12 months", row, years)
            for (region, _), column in columns.items():
                if region == _NATION:
                    within = [sheet.number(number, column) for number in block]
                    sheet.require_sum(within, sheet.number(row, column), 0, row, column)
                else:
                    cells = [(number, column) for number in block]
                    _require_sum(sheet, cells, row, column, exact=False)
            done.add(year)
            year, block = "", []
    if block or not done:
        raise sheet.error("no last year's total: the sheet was cut short", column=years)
    frame = pd.DataFrame(records, columns=["region", "period", "measure", "count", "origin"])
    return frame.sort_values(["region", "period", "measure"], ignore_index=True)


def _is_titled(sheet: Sheet) -> bool:
    title = " ".join(plain(cell) for row in sheet.rows[:4] for cell in row)
    return "assault with sharp object" in title and "government office region" in title


def _columns(sheet: Sheet, heading: int) -> dict[tuple[str, str], int]:
    """Return the column of every region's two measures; the merged name is above the first."""
    found: dict[tuple[str, str], int] = {}
    name = ""
    for column in range(len(sheet.rows[heading])):
        measure = _MEASURES.get(plain(sheet.cell(heading, column)))
        above = plain(sheet.cell(heading - 1, column))
        if bool(above) != (measure == "admissions"):
            raise sheet.error("expected a region above each pair FAEs, FCEs", heading, column)
        if measure is None:
            continue
        name = _REGIONS.get(above, above) or name
        if name not in _REGIONS.values() and not name.startswith(_OUTSIDE_REGIONS):
            raise sheet.error(f"unknown region {name!r}", heading - 1, column)
        if (name, measure) in found:
            raise sheet.error(f"{name} is there a second time", heading - 1, column)
        found[name, measure] = column
    missing = [r for r in _REGIONS.values() for m in _MEASURES.values() if (r, m) not in found]
    if missing or len(found) != 2 * (len(_REGIONS) + len(_OUTSIDE_REGIONS)):
        raise sheet.error(f"no columns of {missing[:5] or list(_OUTSIDE_REGIONS)}", heading)
    return found


def _year(sheet: Sheet, row: int, column: int, label: str) -> str:
    try:
        return periods.label(periods.start(label))
    except ParameterError as problem:
        raise sheet.error(str(problem), row, column) from None


def _count(sheet: Sheet, row: int, column: int, months: int, exact: bool) -> float:
    """Return a printed count; NaN where it is suppressed."""
    if sheet.text(row, column) == _SUPPRESSED and not exact:
        return math.nan
    value = float(sheet.number(row, column, required=True))
    # Counts under 8 are suppressed, so the least that is printed rounded is 10.
    rounded = value % 5 == 0 and not 0 < value < 10
    if not 0 <= value <= months * _MOST_A_MONTH or value % 1 or not (exact or rounded):
        kind = "whole number" if exact else "count rounded to 5"
        raise sheet.error(f"expected a plausible {kind}, found {value}", row, column)
    return value


def _require_episodes(
    sheet: Sheet,
    row: int,
    columns: dict[tuple[str, str], int],
    figures: dict[tuple[str, str], float],
) -> None:
    """Check that no region has fewer episodes than admissions, each of which begins with one."""
    for region in dict.fromkeys(region for region, _ in figures):
        admissions, episodes = figures[region, "admissions"], figures[region, "episodes"]
        # A suppressed count is from 1 to 7, and so below any that is printed but nought.
        if admissions > (0 if math.isnan(episodes) else episodes):
            raise sheet.error(
                f"{region} has fewer episodes than admissions", row, columns[region, "episodes"]
            )


def _bounds(sheet: Sheet, row: int, column: int) -> tuple[float, float]:
    """Return between what counts a rounded or suppressed cell can be.

    A whole number rounded to 5 is at most 2 away; nought is printed as it is. From 2018-19 an
    area outside the regions that has no figure is left blank: none, or too few to print.
    """
    text = sheet.text(row, column)
    if text in (_SUPPRESSED, ""):
        return (1 if text else 0), 7
    value = float(sheet.number(row, column, required=True))
    return (value - 2, value + 2) if value else (0, 0)


def _require_sum(
    sheet: Sheet, parts: list[tuple[int, int]], row: int, column: int, *, exact: bool
) -> None:
    """Check that rounded or suppressed cells can add up to a printed total."""
    bounds = [_bounds(sheet, *part) for part in parts]
    low, high = sum(b[0] for b in bounds), sum(b[1] for b in bounds)
    least, most = _bounds(sheet, row, column)
    if exact:
        least = most = float(sheet.number(row, column, required=True))
    if most < low or least > high:
        raise sheet.error(
            f"the parts add up to {low:.0f} to {high:.0f}, not {sheet.text(row, column)}",
            row,
            column,
        )
