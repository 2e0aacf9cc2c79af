"""Home Office, Police workforce, England and Wales: officers by force, as first published.

Each bulletin prints full-time equivalents at its own date, six and twelve months before. Later
editions and the open data revise them (the Met on 31 March 2015 was 31,877.24 in September 2015
and is 32,251.61 now), so each figure keeps the edition that printed it.
"""

from __future__ import annotations

import datetime as dt
import re

import pandas as pd

from crime_analysis import places
from crime_analysis.errors import SourceError
from crime_analysis.sources.origin import Origin
from crime_analysis.sources.rawfile import Publication, RawFile
from crime_analysis.sources.sheet import Sheet, plain

__all__ = ["PUBLICATIONS", "parse", "read", "recognise"]

_TITLE = re.compile(r"police workforce, england and wales,? (?:as at )?(\d{1,2} [a-z]+ \d{4})\b")
_TABLE = re.compile(r"table \w+: police officers by police force area")
_REGIONS = {
    "north east", "north west", "yorkshire and the humber", "east midlands", "west midlands",
    "eastern", "east of england", "london", "south east", "south west", "wales",
}  # fmt: skip
_OUTSIDE_FORCES = {"central service secondments", "british transport police"}
# Changes are printed to the hundredth in the bulletin of September 2016; all else is unrounded.
_TOLERANCE = 0.01


def _publication(date: dt.date) -> Publication:
    return Publication(
        id=f"home-office-workforce-bulletin-{date:%Y-%m}",
        publisher="Home Office",
        title="Police workforce, England and Wales, Table 1",
        edition=f"{date.day} {date:%B %Y}",
        note="Full-time equivalents as published then; later editions revise them.",
    )


#: The bulletins that this reader was tested on. Another date's is cited under its own.
PUBLICATIONS = tuple(_publication(dt.date(year, 9, 30)) for year in range(2015, 2020))


def recognise(raw: RawFile) -> Publication | None:
    """Return the bulletin that `raw` is, by the title and date on its index sheet."""
    date = _edition(raw)
    return None if date is None else _publication(date)


def read(raw: RawFile) -> pd.DataFrame:
    """Return officers by force and date from one bulletin.

    Returns
    -------
    DataFrame
        ``force`` (all 43), ``date`` (ISO text, three dates a bulletin), ``measure``
        (``officers``), ``fte`` (full-time equivalents), ``edition`` (the publication's id) and
        ``origin``.

    Raises
    ------
    SourceError
        If no sheet holds officers by force in full-time equivalents, or as `parse` does.
    """
    date = _edition(raw)
    if date is None:
        raise SourceError(
            "no sheet 'Index' with the title 'Police Workforce, England and Wales' and a date;"
            f" its sheets are {raw.sheet_names[:6]}",
            raw.name,
        )
    found = []
    for name in raw.sheet_names:
        if not plain(name).startswith("table"):
            continue
        sheet = raw.sheet(name)
        cells = [plain(cell) for row in sheet.rows[:8] for cell in row]
        if "full-time equivalents" in cells and any(_TABLE.match(cell) for cell in cells):
            frame = parse(sheet, date)
            return frame.assign(edition=_publication(date).id)[
                ["force", "date", "measure", "fte", "edition", "origin"]
            ]
        found.append(sheet.text(0, 0)[:60])
    raise SourceError(
        "no table of 'Police officers by police force area' in 'Full-time equivalents'; found"
        f" {found[:4]}",
        raw.name,
    )


def parse(sheet: Sheet, edition: dt.date) -> pd.DataFrame:
    """Return officers by force and date from a bulletin's table of officers.

    Raises
    ------
    SourceError
        If the dates are not the edition's and those six and twelve months before, a force is
        unknown, missing or there twice, a figure is no number or no force's strength, or does
        not fit the printed changes, regional totals or totals.
    """
    heading, columns = _dates(sheet, edition)
    names = min(columns) - 1
    changes = [
        column
        for column in range(max(columns) + 1, len(sheet.rows[heading]))
        if plain(sheet.cell(heading, column)).startswith("number")
    ]
    if len(changes) != 2:
        raise sheet.error("expected two columns 'number' of changes after the dates", heading)

    records: list[tuple[str, str, str, float, tuple[Origin, ...]]] = []
    region, region_row, parts = "", heading, [0.0] * len(columns)
    forces, everyone = [0.0] * len(columns), [0.0] * len(columns)
    for row in range(heading + 1, len(sheet.rows)):
        name = re.sub(r"[\d,]+$", "", plain(sheet.text(row, names))).strip()
        if not name:
            continue
        figures = [sheet.number(row, column, required=True) for column in columns]
        values = [float(figure) for figure in figures]
        _require_changes(sheet, row, values, changes)
        # The region of the West Midlands comes first, the force of that name is in it.
        is_region = name in _REGIONS and not name == region == "west midlands"
        if is_region or name.startswith("total"):
            if region:
                _require(sheet, region_row, columns, parts, f"forces of {region}")
            region, region_row, parts = "", row, [0.0] * len(columns)
        if is_region:
            region = name
        elif name.startswith("total") and "forces" in name:
            _require(sheet, row, columns, forces, "43 forces")
            everyone = [a + b for a, b in zip(everyone, forces, strict=True)]
        elif name == "total":
            _require(sheet, row, columns, everyone, "forces and others")
            break
        elif name in _OUTSIDE_FORCES:
            everyone = [a + b for a, b in zip(everyone, values, strict=True)]
        else:
            force = sheet.named(row, names, places.force)
            if any(force == earlier[0] for earlier in records):
                raise sheet.error(f"{force} is there a second time", row, names)
            if not region:
                raise sheet.error("a force under no region", row, names)
            for column, value in zip(columns, figures, strict=True):
                if not 100 <= value <= 100_000:
                    raise sheet.error(f"{value} cannot be full-time equivalents", row, column)
                records.append((force, columns[column], "officers", float(value), value.origin))
            parts = [a + b for a, b in zip(parts, values, strict=True)]
            forces = [a + b for a, b in zip(forces, values, strict=True)]
    else:
        raise sheet.error("no last row 'Total': the table was cut short", column=names)
    frame = pd.DataFrame(records, columns=["force", "date", "measure", "fte", "origin"])
    missing = sorted(set(places.FORCES) - set(frame["force"]))
    if missing:
        raise sheet.error(f"no figures for {missing[:5]}", column=names)
    return frame.sort_values(["force", "date"], ignore_index=True)


def _edition(raw: RawFile) -> dt.date | None:
    """Return the date of the bulletin's title, or None if it is none."""
    if not raw.is_workbook:
        return None
    for name in raw.sheet_names:
        if plain(name) == "index":
            for row in raw.sheet(name).rows[:3]:
                match = _TITLE.match(plain(row[0]) if row else "")
                date = _date(match[1]) if match else None
                if date is not None and (date.day, date.month) in {(30, 9), (31, 3)}:
                    return date
    return None


def _date(cell: object) -> dt.date | None:
    if isinstance(cell, dt.datetime):
        return cell.date()
    if isinstance(cell, dt.date):
        return cell
    for form in ("%d %B %Y", "%d %b %Y", "%Y-%m-%d"):
        try:
            return dt.datetime.strptime(plain(cell).removeprefix("as at "), form).date()
        except ValueError:
            continue
    return None


def _dates(sheet: Sheet, edition: dt.date) -> tuple[int, dict[int, str]]:
    """Return the row of the dates and the ISO date of each column."""
    middle = (
        dt.date(edition.year, 3, 31) if edition.month == 9 else dt.date(edition.year - 1, 9, 30)
    )
    wanted = [edition.replace(year=edition.year - 1), middle, edition]
    for number, row in enumerate(sheet.rows[:12]):
        found = {c: date for c, cell in enumerate(row) if (date := _date(cell)) is not None}
        if len(found) < 2:
            continue
        if list(found.values()) != wanted or min(found) == 0:
            raise sheet.error(
                f"expected names and the dates {[str(d) for d in wanted]}, found"
                f" {[str(d) for d in found.values()]}",
                number,
            )
        return number, {column: date.isoformat() for column, date in found.items()}
    raise sheet.error(f"no heading row with the dates {[str(d) for d in wanted]}")


def _require_changes(sheet: Sheet, row: int, values: list[float], changes: list[int]) -> None:
    """Check a row's figures against its printed changes in twelve and in six months."""
    for earlier, column in zip(values, changes, strict=False):
        printed = sheet.number(row, column, required=True)
        if not abs(values[-1] - earlier - printed) <= _TOLERANCE:
            raise sheet.error(
                f"the figures change by {values[-1] - earlier:,.2f}, not {printed:,.2f}",
                row,
                column,
            )


def _require(
    sheet: Sheet, row: int, columns: dict[int, str], parts: list[float], what: str
) -> None:
    """Check a printed row of totals."""
    for column, part in zip(columns, parts, strict=True):
        printed = sheet.number(row, column, required=True)
        if not abs(part - printed) <= _TOLERANCE:
            raise sheet.error(f"the {what} add up to {part:,.2f}, not {printed:,.2f}", row, column)
