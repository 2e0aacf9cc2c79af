"""ONS, Police Force Area data tables: the seven other editions of 2018 and 2019.

Each prints knife offences again (Table P5), revised, with two more years that end in its own
month; and the population that its rates are per (Table P3). Revisions are large: Surrey's 58
offences of the year to March 2018 became 436 when offences were added that it had not flagged.
From the year ending September 2019 no edition prints Greater Manchester from 2017/18 on.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import pandas as pd

from crime_analysis import periods, places
from crime_analysis.errors import SourceError
from crime_analysis.sources.force_area_tables import parse_knife
from crime_analysis.sources.origin import at
from crime_analysis.sources.rawfile import Publication, RawFile
from crime_analysis.sources.sheet import Sheet, plain

__all__ = [
    "EDITIONS",
    "KNIFE_DEFINITION",
    "LATEST",
    "PUBLICATIONS",
    "Edition",
    "parse_population",
    "read",
    "read_population",
    "recognise",
]

#: Of the knife offences of the latest edition, the last before the collection changed.
KNIFE_DEFINITION = "selected offences, as revised to December 2019"

# Population is printed to the hundred; the smallest force has 7,000 residents.
_RESIDENTS = (5_000, 12_000_000)
# The one force that editions from September 2019 leave out.
_MAY_LACK = "Greater Manchester"
# 43 figures rounded to the hundred, against a total rounded to the hundred.
_ROUNDING = 43 * 50 + 50
_POPULATION = re.compile(r"^population figures \(mid-(20\d\d)\)")


@dataclass(frozen=True)
class Edition:
    """One edition: what is cited, the month it ends with, and the periods that P5 prints."""

    publication: Publication
    ends: str
    periods: tuple[str, ...]


def _edition(ends: str, years: tuple[str, str], extra: tuple[str, ...], note: str = "") -> Edition:
    month, year = ends.split()
    publication = Publication(
        id=f"ons-force-area-tables-{month.casefold()}-{year}",
        publisher="Office for National Statistics",
        title="Crime in England and Wales: Police Force Area data tables, Tables P3 and P5",
        edition=f"Year ending {ends}" + (f", {note}" if note else ""),
        note="Knife offences are a special collection; forces revise them by large amounts.",
    )
    own = tuple(f"year ending {month_of}" for month_of in extra)
    return Edition(publication, ends, (*periods.span(*years), *own))


EDITIONS: tuple[Edition, ...] = (
    _edition("March 2018", ("2010/11", "2017/18"), (), "second version"),
    _edition("June 2018", ("2010/11", "2017/18"), ("2017-06", "2018-06"), "corrected"),
    _edition("September 2018", ("2010/11", "2017/18"), ("2017-09", "2018-09"), "corrected"),
    _edition("December 2018", ("2010/11", "2017/18"), ("2017-12", "2018-12")),
    _edition("June 2019", ("2010/11", "2018/19"), ("2018-06", "2019-06")),
    _edition("September 2019", ("2010/11", "2018/19"), ("2018-09", "2019-09")),
    _edition("December 2019", ("2010/11", "2018/19"), ("2018-12", "2019-12")),
)
PUBLICATIONS: tuple[Publication, ...] = tuple(e.publication for e in EDITIONS)
LATEST: Publication = PUBLICATIONS[-1]


def _of(raw: RawFile) -> Edition | None:
    names = {plain(name) for name in raw.sheet_names}
    if not {"notes", "table p3", "table p5"} <= names:
        return None
    title = plain(raw.sheet("Notes").cell(0, 0))
    return next(
        (e for e in EDITIONS if f"year ending {e.ends.casefold()} - pfa tables" in title), None
    )


def recognise(raw: RawFile) -> Publication | None:
    """Return the edition that `raw` is, by its sheets and the title of its notes; else None."""
    edition = _of(raw) if raw.is_workbook else None
    return edition.publication if edition else None


def read(raw: RawFile) -> pd.DataFrame:
    """Return knife offences by force and period, as the edition prints them.

    Returns
    -------
    DataFrame
        ``force``, ``period`` (financial year, or ``year ending 2018-12``), ``offences``,
        ``origin``, ``edition`` (the month it ends with, ``2018-12``).

    Raises
    ------
    SourceError
        As `force_area_tables.parse_knife`, or if the file is none of the editions.
    """
    edition = _require(raw)
    return parse_knife(raw.sheet("Table P5"), edition.periods).assign(edition=_month(edition))


def read_population(raw: RawFile) -> pd.DataFrame:
    """Return the residents that the edition's rates are per.

    Returns
    -------
    DataFrame
        ``place`` (43 forces), ``year`` (of the 30 June), ``population`` (to the hundred),
        ``origin``.

    Raises
    ------
    SourceError
        As `parse_population`, or if the file is none of the editions.
    """
    _require(raw)
    return parse_population(raw.sheet("Table P3"))


def _require(raw: RawFile) -> Edition:
    edition = _of(raw)
    if edition is None:
        known = ", ".join(e.ends for e in EDITIONS)
        raise SourceError(f"expected the Police Force Area tables of {known}", raw.name)
    return edition


def _month(edition: Edition) -> str:
    return f"{pd.Timestamp(edition.ends):%Y-%m}"


def parse_population(sheet: Sheet) -> pd.DataFrame:
    """Return residents by force from a P3 sheet, as `read_population` does.

    Raises
    ------
    SourceError
        If the heading names no mid-year, a force is missing, repeated or unknown, a figure is
        no number of residents, or the forces do not add up to England and Wales.
    """
    heading = sheet.find_row(["area code", "area name", "population figures"], within=10)
    column = sheet.find_column(heading, "population figures")
    match = _POPULATION.match(plain(sheet.cell(heading, column)))
    if match is None:
        raise sheet.error("expected a mid-year in 'Population figures (mid-2017)'", heading, column)
    names = sheet.find_column(heading, "area name")
    codes = sheet.find_column(heading, "area code")
    records: list[tuple[str, float, int]] = []
    printed: tuple[float, int] | None = None
    lacking = ""
    for row in range(heading + 1, len(sheet.rows)):
        code = sheet.text(row, codes)
        if code.startswith("K04"):
            printed = sheet.number(row, column, required=True), row
        if re.match(r"E23|W15", code):
            force = sheet.named(row, names, places.force)
            people = sheet.number(row, column, required=force != _MAY_LACK)
            if math.isnan(people):
                lacking = force
                continue
            low, high = _RESIDENTS
            if not low <= people <= high or people % 100:
                raise sheet.error(f"expected residents to the hundred, found {people}", row, column)
            if force in {f for f, _, _ in records}:
                raise sheet.error(f"{force} is printed twice", row, names)
            records.append((force, people, row))
    missing = sorted(set(places.FORCES) - {force for force, _, _ in records} - {lacking})
    if missing or printed is None:
        raise sheet.error(f"no figures for {missing[:5] or 'England and Wales'}", column=names)
    # Where one force is left out, the country's total is without it too.
    sheet.require_sum((p for _, p, _ in records), printed[0], _ROUNDING, printed[1], column)
    frame = pd.DataFrame(
        [(f, int(match[1]), int(p), at(sheet.name, r, column)) for f, p, r in records],
        columns=["place", "year", "population", "origin"],
    )
    return frame.sort_values("place", ignore_index=True)
