"""GLA, population of the London boroughs at each census, 1801 to 2021: the years from 1991.

Usual residents from 1991 on; earlier censuses counted whoever was present, and are not read. A
census is of March or April, a mid-year estimate of 30 June. That of 2021 was taken during the
pandemic, and finds a quarter fewer people in Camden and Westminster than the estimates of 2020.
"""

from __future__ import annotations

import pandas as pd

from crime_analysis import places
from crime_analysis.sources.origin import at, combine
from crime_analysis.sources.rawfile import Publication, RawFile
from crime_analysis.sources.sheet import Sheet, plain

__all__ = ["PUBLICATION", "parse", "read", "recognise"]

PUBLICATION = Publication(
    id="gla-census-population-1801-2021",
    publisher="Greater London Authority (London Datastore)",
    title="Historic census population, London boroughs",
    edition="1801 to 2021",
    licence="Open Government Licence v2.0",
    note="Usual residents from 1991; boundaries of today's boroughs throughout.",
)

_YEARS = (1991, 2001, 2011, 2021)
_CITY, _LONDON = "city of london", "greater london"
_PARTS = ("central london", "rest of inner london", "outer london")
_MOST = 1_000_000


def recognise(raw: RawFile) -> Publication | None:
    """Return the publication if `raw` is this one, by its sheets and heading row."""
    if not raw.is_workbook or [plain(n) for n in raw.sheet_names] != ["data", "metadata"]:
        return None
    first = [plain(cell).removesuffix(".0") for cell in raw.sheet("data").rows[:1][0][:3]]
    return PUBLICATION if first == ["area", "1801", "1811"] else None


def read(raw: RawFile) -> pd.DataFrame:
    """Return residents of boroughs, of the City and of the Met's district by census.

    Returns
    -------
    DataFrame
        ``place``, ``kind`` (borough; force: the City, and the boroughs added up for the
        Metropolitan Police), ``year``, ``population``, ``origin``.

    Raises
    ------
    SourceError
        If a year or borough is missing, repeated or unknown, a figure is no number of
        residents, or boroughs or parts of London do not add up to the printed total.
    """
    return parse(raw.sheet("data"))


def parse(sheet: Sheet) -> pd.DataFrame:
    """Return the census populations on a sheet, as `read` does."""
    heading = sheet.find_row(["area", str(_YEARS[0])], within=5)
    area = sheet.find_column(heading, "area")
    columns: dict[int, int] = {}
    for column in range(len(sheet.rows[heading])):
        text = plain(sheet.cell(heading, column)).removesuffix(".0")
        if text in map(str, _YEARS):
            if int(text) in columns:
                raise sheet.error(f"a second column {text}", heading, column)
            columns[int(text)] = column
    if set(columns) != set(_YEARS):
        raise sheet.error(f"expected the censuses {_YEARS}, found {sorted(columns)}", heading)
    rows: dict[str, int] = {}
    for row in range(heading + 1, len(sheet.rows)):
        text = plain(sheet.cell(row, area))
        if not any(sheet.text(row, c) for c in (area, *columns.values())):
            continue
        known = text in (_CITY, _LONDON, *_PARTS)
        name = text if known else sheet.named(row, area, places.borough)
        if name in rows:
            raise sheet.error(f"{name} is printed twice", row, area)
        rows[name] = row
    missing = sorted({_CITY, _LONDON, *_PARTS, *places.BOROUGHS} - set(rows))
    if missing:
        raise sheet.error(f"no row of {missing[:5]}", column=area)
    records = []
    for year, column in columns.items():
        value = {n: round(sheet.number(r, column, required=True), 6) for n, r in rows.items()}
        for name in (_CITY, *places.BOROUGHS):
            if value[name] % 1 or not 1_000 <= value[name] <= _MOST:
                raise sheet.error(f"{value[name]} is no number of residents", rows[name], column)
        boroughs = [value[name] for name in places.BOROUGHS]
        for parts in ([value[_CITY], *boroughs], [value[p] for p in _PARTS]):
            sheet.require_sum(parts, value[_LONDON], 0.5, rows[_LONDON], column)
        origin = {name: at(sheet.name, rows[name], column) for name in rows}
        records += [
            (n, "borough", year, int(value[n]), origin[n]) for n in places.BOROUGHS
        ]  # fmt: skip
        met = combine(origin[n] for n in places.BOROUGHS)
        records.append(("Metropolitan Police", "force", year, int(sum(boroughs)), met))
        records.append(("City of London", "force", year, int(value[_CITY]), origin[_CITY]))
    frame = pd.DataFrame(records, columns=["place", "kind", "year", "population", "origin"])
    return frame.sort_values(["kind", "place", "year"], ignore_index=True)
