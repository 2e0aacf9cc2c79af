"""MOPAC and GLA, the Met's recorded crime figures and associated data, April 2008 to November 2015.

The last edition of a workbook that was published monthly. Police strength by borough is here
and nowhere else. In March 2012, with a restructure, seven boroughs gain 6 to 10% in a month and
all together 4.6%. Officers include sergeants and recruits; specials are headcounts, all others
full-time equivalents. The Met's officers are 0.1 to 1.0% below the Home Office's each 31 March.

Violence against the person is counted in the Met's old classes, 19 to 26% above the Home
Office's; violence with injury, homicide and knife crime agree with the Home Office's within 1%,
three offences and 0.2% a year. Serious youth violence counts victims. Knife crime with injury
swings between 98 and 412 a month from April to August 2008 and settles after.
"""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import dataclass

import pandas as pd

from crime_analysis import places
from crime_analysis.errors import SourceError, UnknownNameError
from crime_analysis.sources.origin import at
from crime_analysis.sources.rawfile import Publication, RawFile
from crime_analysis.sources.sheet import Sheet, plain

__all__ = [
    "PUBLICATION",
    "parse_monthly",
    "parse_strength",
    "read_borough_officers",
    "read_met_monthly",
    "recognise",
]

PUBLICATION = Publication(
    id="mps-figures-2015-12",
    publisher="Mayor's Office for Policing and Crime and Greater London Authority (London"
    " Datastore)",
    title="Metropolitan Police Service Recorded Crime Figures and Associated Data",
    edition="23 December 2015",
    licence="Open Government Licence v2.0",
    note="Police strength by borough follows the structure of the time; restructure March 2012.",
)
_LAST = "2015-11"


@dataclass(frozen=True)
class _Strength:
    """A sheet of people by borough: its unit, first month, and the bounds of the Met's total."""

    sheet: str
    unit: str
    first: str
    low: float
    high: float


_STRENGTHS = {
    "officers": _Strength("Officer Strength-Borough", "fte", "2008-04", 20_000, 50_000),
    "pcsos": _Strength("PCSO Strength-Borough", "fte", "2008-04", 1_000, 8_000),
    "sergeants": _Strength("Sergeant Strength-Borough", "fte", "2013-04", 2_000, 8_000),
    "specials": _Strength("Special Strength-Borough", "headcount", "2008-04", 1_500, 10_000),
    "staff": _Strength("Staff Strength-Borough", "fte", "2008-04", 5_000, 25_000),
}
_UNITS = {
    "tp non boroughs", "specialist operations", "specialist crime & operations", "sc&o", "other",
}  # fmt: skip
# Printed sums of boroughs miss their parts by up to 0.05; printed totals of the Met by up to
# 0.02, except in four months, when the other units do not make up the total.
_TOLERANCE = 0.06
_TOTALS_OFF = {
    ("pcsos", "2014-07"), ("pcsos", "2014-11"), ("pcsos", "2015-04"), ("staff", "2013-08"),
}  # fmt: skip

# Each sheet's headings in print order; (measure, unit, low, high), or None for what is not read.
_Column = tuple[str, str, float, float] | None
_SHARE: _Column = ("", "share", 0, 1)
_MONTHLY: dict[str, dict[str, _Column]] = {
    "Violence": {
        "vap offences": ("violence_against_the_person", "offences", 2_000, 60_000),
        "violence with injury (vwi)": ("violence_with_injury", "offences", 1_000, 20_000),
        "violence with injury (vwi) sdr": _SHARE,
        "serious youth violence": ("serious_youth_violence", "victims", 10, 5_000),
        "female victims of robbery & vwi": None,
        "rape offences": ("rape", "offences", 10, 5_000),
        "knife crime": ("knife_crime", "offences", 100, 5_000),
        "knife sdr": _SHARE,
        "knife crime with injury off": ("knife_crime_with_injury", "offences", 10, 2_000),
        "gun crime": ("gun_crime", "offences", 10, 2_000),
        "gun crime sdr": _SHARE,
        "gc with firearm discharged offence": None,
        "gang violence indicator": None,
        "dog attacks": None,
        "dog attacks sdr": _SHARE,
        "homicide offences": ("homicide", "offences", 0, 100),
        "sexual offences": ("sexual_offences", "offences", 100, 10_000),
    },
    "Police-strength": {
        "police officer": ("officers", "fte", 20_000, 50_000),
        "police sergeants*": ("sergeants", "fte", 2_000, 8_000),
        "mps specials": ("specials", "headcount", 1_500, 10_000),
        "pcso": ("pcsos", "fte", 1_000, 8_000),
        "police staff": ("staff", "fte", 5_000, 25_000),
    },
    "Stop&Search": {
        "searches total": ("searches", "searches", 2_000, 100_000),
        "stop and search arrest rate": _SHARE,
    },
}
# The only figures that are not printed in every month; a blank elsewhere is a lost figure.
_MAY_LACK = {"sergeants"}


def recognise(raw: RawFile) -> Publication | None:
    """Return the publication if `raw` is the workbook, by its sheets."""
    if not raw.is_workbook:
        return None
    wanted = {plain(s) for s in [*_MONTHLY, *(s.sheet for s in _STRENGTHS.values())]}
    return PUBLICATION if wanted <= {plain(name) for name in raw.sheet_names} else None


def read_borough_officers(raw: RawFile) -> pd.DataFrame:
    """Return people in post by borough, month and kind.

    Returns
    -------
    DataFrame
        ``place`` (the 32 boroughs), ``month``, ``measure`` (officers, pcsos, sergeants,
        specials, staff), ``value``, ``unit`` (fte; headcount for specials) and ``origin``.
        Sergeants are among the officers and start in April 2013.

    Raises
    ------
    SourceError
        On an unknown heading, a month or borough repeated or missing, a figure that is none,
        boroughs or units that do not add up to the printed totals, a total that cannot be the
        Met's, or another edition.
    """
    frames = []
    for measure, spec in _STRENGTHS.items():
        frame = parse_strength(raw.sheet(spec.sheet), measure)
        _require_months(frame["month"], spec.first, raw)
        frames.append(frame)
    return pd.concat(frames).sort_values(["place", "month", "measure"], ignore_index=True)


def read_met_monthly(raw: RawFile) -> pd.DataFrame:
    """Return the Met's monthly figures: violence, police strength, searches.

    Returns
    -------
    DataFrame
        ``month``, ``measure``, ``value``, ``unit`` (offences, victims, fte, headcount,
        searches) and ``origin``; no row where no figure is printed.

    Raises
    ------
    SourceError
        On headings other than the edition's, a month repeated or missing, a blank, text or
        impossible figure, or another edition.
    """
    frames = []
    for name in _MONTHLY:
        frame = parse_monthly(raw.sheet(name))
        _require_months(frame["month"], "2008-04", raw)
        frames.append(frame)
    return pd.concat(frames).sort_values(["month", "measure"], ignore_index=True)


def parse_strength(sheet: Sheet, measure: str) -> pd.DataFrame:
    """Return one sheet of people by borough, as `read_borough_officers` does; any months."""
    spec = _STRENGTHS[measure]
    heading = sheet.find_row(["barking & dagenham"], within=10)
    boroughs: dict[int, str] = {}
    units: list[int] = []
    sums: dict[str, int] = {}
    for row in (heading - 1, heading):
        for column in range(len(sheet.rows[row])):
            text = plain(sheet.cell(row, column))
            if text in ("borough total", "mps total"):
                if text in sums:
                    raise sheet.error(f"a second column {text!r}", row, column)
                sums[text] = column
            elif row == heading and text in _UNITS:
                units.append(column)
            elif row == heading and text not in ("", "month-year"):
                try:
                    boroughs[column] = places.borough(text)
                except UnknownNameError as problem:
                    raise sheet.error(str(problem), row, column) from None
    missing = sorted(set(places.BOROUGHS) - set(boroughs.values()))
    if missing or len(boroughs) != len(places.BOROUGHS) or len(sums) != 2:
        raise sheet.error(
            f"expected each borough, 'Borough Total' and 'MPS Total' once; without: {missing[:5]}",
            heading,
        )
    records = []
    for row, month in _months(sheet, heading + 1, max(sums.values()) + 1):
        values = {c: float(sheet.number(row, c, required=True)) for c in boroughs}
        if min(values.values()) < 0:
            raise sheet.error("a negative number of people", row)
        total, all_met = sums["borough total"], sums["mps total"]
        printed = float(sheet.number(row, total, required=True))
        met = float(sheet.number(row, all_met, required=True))
        sheet.require_sum(values.values(), printed, _TOLERANCE, row, total)
        others = [float(sheet.number(row, c)) for c in units]
        if (measure, month) not in _TOTALS_OFF:
            parts = [printed, *(0.0 if math.isnan(o) else o for o in others)]
            sheet.require_sum(parts, met, _TOLERANCE, row, all_met)
        if not spec.low <= met <= spec.high:
            raise sheet.error(f"{met:,.0f} cannot be all {measure} of the Met", row, all_met)
        records += [
            (name, month, measure, values[c], spec.unit, at(sheet.name, row, c))
            for c, name in boroughs.items()
        ]
    return pd.DataFrame(
        records, columns=["place", "month", "measure", "value", "unit", "origin"]
    ).sort_values(["place", "month"], ignore_index=True)


def parse_monthly(sheet: Sheet) -> pd.DataFrame:
    """Return one sheet of the Met's figures, as `read_met_monthly` does; any months."""
    columns = next((c for n, c in _MONTHLY.items() if plain(n) == plain(sheet.name)), None)
    if columns is None:
        raise sheet.error(f"not one of the sheets {list(_MONTHLY)}")
    heading = sheet.find_row(["month-year"], within=10)
    expected = ["month-year", *columns]
    found = [plain(sheet.cell(heading, c)) for c in range(len(expected) + 1)]
    for column, (wanted, there) in enumerate(zip([*expected, ""], found, strict=True)):
        if wanted != there:
            raise sheet.error(f"expected the heading {wanted!r}, found {there!r}", heading, column)
    records = []
    for row, month in _months(sheet, heading + 1, len(expected)):
        for column, spec in enumerate(columns.values(), start=1):
            measure, unit, low, high = spec or ("", "offences", 0, 20_000)
            value = float(sheet.number(row, column, required=measure not in _MAY_LACK))
            if math.isnan(value):
                continue
            whole = unit in ("share", "fte") or value % 1 == 0
            if not (low <= value <= high and whole):
                raise sheet.error(
                    f"{value} cannot be a month's {measure or unit} of the Met", row, column
                )
            if measure:
                records.append((month, measure, value, unit, at(sheet.name, row, column)))
    return pd.DataFrame(
        records, columns=["month", "measure", "value", "unit", "origin"]
    ).sort_values(["month", "measure"], ignore_index=True)


def _months(sheet: Sheet, first_row: int, width: int) -> list[tuple[int, str]]:
    """Return the rows that begin with a month; no month may be missing or repeated between."""
    found: list[tuple[int, str]] = []
    for row in range(first_row, len(sheet.rows)):
        cell = sheet.cell(row, 0)
        if isinstance(cell, dt.date):
            month = f"{cell:%Y-%m}"
            after = str(pd.Period(found[-1][1]) + 1) if found else month
            if cell.day != 1 or month != after:
                raise sheet.error(f"expected the first of {after}, found {cell:%Y-%m-%d}", row, 0)
            found.append((row, month))
        elif any(sheet.text(row, column) for column in range(width)):
            raise sheet.error(f"expected a month, found {sheet.text(row, 0)!r}", row, 0)
    if not found:
        raise sheet.error("no months", first_row, 0)
    return found


def _require_months(months: pd.Series, first: str, raw: RawFile) -> None:
    """Check that the edition's first and last months are there."""
    # It was the last of its kind: what goes further is another workbook.
    raw.require_edition(PUBLICATION, _LAST, months)
    if months.min() != first:
        raise SourceError(f"begins with {months.min()}, not {first}", raw.name)
