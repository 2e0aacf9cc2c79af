"""ONS, Crime in England and Wales: Police Force Area data tables. Table P5: knife offences.

P5 of the year ending March 2019 prints offences involving a knife or sharp instrument by force
from 2010/11 to 2018/19, under the definition in use then (seven selected offences). Its notes
say where counts are not comparable; the register of breaks repeats them.
"""

from __future__ import annotations

import re

import pandas as pd

from crime_analysis import periods, places
from crime_analysis.sources.origin import at
from crime_analysis.sources.rawfile import Publication, RawFile, Sheet, plain

__all__ = ["KNIFE_DEFINITION", "PUBLICATION", "parse_p5", "read", "recognise"]

PUBLICATION = Publication(
    id="ons-force-area-tables-march-2019",
    publisher="Office for National Statistics",
    title="Crime in England and Wales: Police Force Area data tables, Table P5",
    edition="Year ending March 2019",
    note="Knife offences are a special collection; Greater Manchester undercounted before 2018.",
)

#: The definition of every knife figure in the table: one definition a series, named.
KNIFE_DEFINITION = "selected offences, definition to March 2019"

_YEARS = periods.span("2010/11", "2018/19")
# The most in any force and year is 14,842; the population of England and Wales is 59 million.
_MOST_OFFENCES = 100_000
_MONTHS = re.compile(r"^apr '(\d\d) to mar '(\d\d)$")
_SURPLUS = {"british transport police"}


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
            first, last = 2000 + int(match[1]), 2000 + int(match[2])
            if last != first + 1:
                raise sheet.error("the heading's months are not a year", heading, column)
            if not plain(sheet.cell(heading + 1, column)).startswith("number of selected"):
                raise sheet.error("expected the column of numbers", heading + 1, column)
            years[column] = periods.label(first)
    if list(years.values()) != _YEARS:
        raise sheet.error(f"expected the years {_YEARS}, found {list(years.values())}", heading)
    names = sheet.find_column(heading + 1, "area name")
    codes = sheet.find_column(heading + 1, "area code")

    records = []
    printed: dict[str, float] = {}
    transport: dict[str, float] = {}
    for row in range(heading + 2, len(sheet.rows)):
        name, code = sheet.text(row, names), sheet.text(row, codes)
        is_force = bool(re.match(r"E23|W15", code))
        if code.startswith("K04"):
            printed = {y: sheet.number(row, c, required=True) for c, y in years.items()}
        if plain(name) in _SURPLUS:
            transport = {y: sheet.number(row, c, required=True) for c, y in years.items()}
        if is_force:
            force = sheet.named(row, names, places.force)
            records += [
                (
                    force,
                    year,
                    "knife_offences",
                    sheet.number(row, column, required=True),
                    row,
                    column,
                )
                for column, year in years.items()
            ]
    names_of = ["force", "financial_year", "offence_group", "offences", "row", "column"]
    frame = pd.DataFrame(records, columns=names_of)
    bad = frame[(frame["offences"] % 1 != 0) | ~frame["offences"].between(0, _MOST_OFFENCES)]
    if len(bad):
        raise sheet.error("expected a whole number of offences", int(bad["row"].iloc[0]))
    repeated = frame.duplicated(["force", "financial_year"])
    if repeated.any():
        raise sheet.error("a force is printed twice", int(frame["row"][repeated].iloc[0]))
    missing = sorted(set(places.FORCES) - set(frame["force"]))
    if missing:
        raise sheet.error(f"no figures for {missing[:5]}", column=names)
    if not (printed and transport):
        raise sheet.error("no row of England and Wales or of the transport police", column=names)
    sums = frame.groupby("financial_year")["offences"].sum()
    for column, year in years.items():
        if abs(sums[year] + transport[year] - printed[year]) > 0.5:
            raise sheet.error(
                f"forces and transport police add up to {sums[year] + transport[year]:.0f} in"
                f" {year}, the printed total is {printed[year]:.0f}",
                column=column,
            )
    frame["offences"] = frame["offences"].astype("int64")
    frame["origin"] = [
        at(sheet.name, r, c) for r, c in zip(frame["row"], frame["column"], strict=True)
    ]
    return frame.drop(columns=["row", "column"]).sort_values(
        ["force", "financial_year"], ignore_index=True
    )
