"""ONS, Crime in England and Wales: Police Force Area data tables. Table P5: knife offences.

P5 of the year ending March 2019 prints offences involving a knife or sharp instrument by force
from 2010/11 to 2018/19, under the definition in use then (seven selected offences). Its notes
say where counts are not comparable; the register of breaks repeats them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import pandas as pd

from crime_analysis import periods, places
from crime_analysis.sources.origin import at
from crime_analysis.sources.rawfile import Publication, RawFile
from crime_analysis.sources.sheet import Sheet, plain

__all__ = [
    "ENDS",
    "KNIFE_DEFINITION",
    "PUBLICATION",
    "parse_knife",
    "parse_p5",
    "read",
    "recognise",
]

PUBLICATION = Publication(
    id="ons-force-area-tables-march-2019",
    publisher="Office for National Statistics",
    title="Crime in England and Wales: Police Force Area data tables, Table P5",
    edition="Year ending March 2019",
    note="Knife offences are a special collection; Greater Manchester undercounted before 2018.",
)

#: The definition of every knife figure in the table: one definition a series, named.
KNIFE_DEFINITION = "selected offences, definition to March 2019"

#: The month that the edition ends with.
ENDS = "2019-03"
_YEARS = periods.span("2010/11", "2018/19")
# The most in any force and year is 14,842; the population of England and Wales is 59 million.
_MOST_OFFENCES = 100_000
_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = re.compile(rf"^({'|'.join(_NAMES)}) '(\d\d) to ({'|'.join(_NAMES)}) '(\d\d)$")
_TOTALS = {
    "british transport police": "transport",
    "england and wales (excluding greater manchester police)": "without",
}
# From the year ending September 2019 no figures of this force are printed from 2017/18.
_MAY_LACK = "Greater Manchester"


def recognise(raw: RawFile) -> Publication | None:
    """Return the publication if `raw` is the edition whose Table P5 ends in March 2019."""
    if not raw.is_workbook or not any(plain(n) == "table p5" for n in raw.sheet_names):
        return None
    sheet = raw.sheet("Table P5")
    cells = {plain(cell) for row in sheet.rows[:8] for cell in row}
    # Editions that end in June, September or December add years that are not financial years,
    # and revise the last ones; this table is built from one edition.
    latest = "% change april 2018 to march 2019 compared with:"
    return PUBLICATION if {"apr '10 to mar '11", latest} <= cells else None


def read(raw: RawFile) -> pd.DataFrame:
    """Return knife offences by force and financial year, all 43 forces.

    Returns
    -------
    DataFrame
        ``force``, ``financial_year``, ``offence_group`` (``knife_offences``), ``offences``.

    Raises
    ------
    SourceError
        If the sheet is not as expected, a force or year is missing, or the forces and the
        British Transport Police do not add up to the printed England and Wales total.
    """
    return parse_p5(raw.sheet("Table P5"))


def parse_p5(sheet: Sheet) -> pd.DataFrame:
    """Return knife offences by force and year from a P5 sheet, as `read` does."""
    frame = parse_knife(sheet, _YEARS).rename(columns={"period": "financial_year"})
    frame.insert(2, "offence_group", "knife_offences")
    return frame


def parse_knife(sheet: Sheet, periods_printed: Sequence[str]) -> pd.DataFrame:
    """Return knife offences by force and period from the P5 sheet of any edition.

    Parameters
    ----------
    sheet : Sheet
        Table P5.
    periods_printed : sequence of str
        The periods that the edition prints, in order: financial years (``2010/11``), then
        years that end in other months (``year ending 2018-12``).

    Returns
    -------
    DataFrame
        ``force``, ``period``, ``offences``, ``origin``. No row for Greater Manchester where an
        edition prints none for it.

    Raises
    ------
    SourceError
        If a period or force is missing, repeated or unknown, a figure is no whole number, or the
        forces and the British Transport Police do not add up to the printed total.
    """
    heading = next(
        (i for i, row in enumerate(sheet.rows[:10]) if any(_MONTHS.match(plain(c)) for c in row)),
        None,
    )
    if heading is None:
        raise sheet.error("no heading like \"Apr '10 to Mar '11\"")
    years: dict[int, str] = {}
    for column, cell in enumerate(sheet.rows[heading]):
        match = _MONTHS.match(plain(cell))
        if match:
            period = _period(*match.groups())
            if period is None:
                raise sheet.error("the heading's months are not a year", heading, column)
            if not plain(sheet.cell(heading + 1, column)).startswith("number of selected"):
                raise sheet.error("expected the column of numbers", heading + 1, column)
            years[column] = period
    if list(years.values()) != list(periods_printed):
        raise sheet.error(
            f"expected the years {list(periods_printed)}, found {list(years.values())}", heading
        )
    names = sheet.find_column(heading + 1, "area name")
    codes = sheet.find_column(heading + 1, "area code")

    records = []
    printed: dict[str, dict[str, float]] = {}
    for row in range(heading + 2, len(sheet.rows)):
        name, code = plain(sheet.cell(row, names)), sheet.text(row, codes)
        total = "country" if code.startswith("K04") else _TOTALS.get(name.rstrip("0123456789,"))
        if total:
            printed[total] = {y: sheet.number(row, c) for c, y in years.items()}
        if re.match(r"E23|W15", code):
            force = sheet.named(row, names, places.force)
            for column, period in years.items():
                figure = sheet.number(row, column, required=force != _MAY_LACK)
                records.append((force, period, figure, row, column))
    frame = pd.DataFrame(records, columns=["force", "period", "offences", "row", "column"])
    there = frame["offences"].notna()
    bad = frame[
        there & ((frame["offences"] % 1 != 0) | ~frame["offences"].between(0, _MOST_OFFENCES))
    ]
    if len(bad):
        raise sheet.error("expected a whole number of offences", int(bad["row"].iloc[0]))
    repeated = frame.duplicated(["force", "period"])
    if repeated.any():
        raise sheet.error("a force is printed twice", int(frame["row"][repeated].iloc[0]))
    missing = sorted(set(places.FORCES) - set(frame["force"]))
    if missing:
        raise sheet.error(f"no figures for {missing[:5]}", column=names)
    if not {"country", "transport"} <= set(printed):
        raise sheet.error("no row of England and Wales or of the transport police", column=names)
    _require_totals(sheet, frame, years, printed)
    frame = frame[there].astype({"offences": "int64"})
    frame["origin"] = [
        at(sheet.name, r, c) for r, c in zip(frame["row"], frame["column"], strict=True)
    ]
    return frame.drop(columns=["row", "column"]).sort_values(["force", "period"], ignore_index=True)


def _period(first: str, first_year: str, last: str, last_year: str) -> str | None:
    """Return the name of twelve months given by their first and last, None if they are not."""
    months = [(2000 + int(year)) * 12 + _NAMES.index(name)
              for name, year in ((first, first_year), (last, last_year))]  # fmt: skip
    if months[1] - months[0] != 11:
        return None
    if first == "apr":
        return periods.label(months[0] // 12)
    return f"year ending {months[1] // 12}-{months[1] % 12 + 1:02d}"


def _require_totals(
    sheet: Sheet,
    frame: pd.DataFrame,
    years: Mapping[int, str],
    printed: Mapping[str, Mapping[str, float]],
) -> None:
    """Check each period's forces against the country, or the country without one force."""
    wide = frame.pivot(index="force", columns="period", values="offences")
    for column, period in years.items():
        total, forces = printed["country"][period], wide[period]
        if math.isnan(total):
            total = printed.get("without", {}).get(period, math.nan)
            forces = forces.drop(_MAY_LACK)
        elif math.isnan(forces[_MAY_LACK]):
            raise sheet.error(f"no figure of {_MAY_LACK} in {period}", column=column)
        found = forces.sum() + printed["transport"][period]
        if not abs(found - total) <= 0.5:
            raise sheet.error(
                f"forces and transport police add up to {found:.0f} in {period}, the printed"
                f" total is {total:.0f}",
                column=column,
            )
