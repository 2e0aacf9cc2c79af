"""What every shipped table holds: fields, types, units, keys. One description, used three ways.

The build writes it into ``data/datapackage.json``; the catalog checks each read against it
(as a pandera schema); documentation prints it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Literal

from crime_analysis import places
from crime_analysis.errors import UnknownNameError

__all__ = ["TABLES", "Field", "Table", "schema", "table"]

Type = Literal["string", "integer", "number"]


@dataclass(frozen=True)
class Field:
    """One column: what it means, its unit and what it may hold."""

    name: str
    type: Type
    description: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    allowed: tuple[str, ...] | None = None
    missing: bool = False


@dataclass(frozen=True)
class Table:
    """One shipped table: its fields in order, its key, and what a reader should know."""

    name: str
    title: str
    description: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]

    @property
    def columns(self) -> list[str]:
        """The names of the fields, in order."""
        return [field.name for field in self.fields]


_FORCE = Field("force", "string", "Police force area", allowed=places.FORCES)
_YEAR = Field(
    "financial_year", "string", "Financial year, April to March", pattern=r"^\d{4}/\d{2}$"
)
_SOURCE = Field("source", "string", "Publication the figure comes from (id in datapackage.json)")


def _fte(name: str, what: str, *, missing: bool = False) -> Field:
    return Field(
        name, "number", what, "full-time equivalents", minimum=0, maximum=60_000, missing=missing
    )


OFFENCE_GROUPS = (
    "homicide", "violence_with_injury", "violence_without_injury", "stalking_and_harassment",
    "death_or_injury_driving", "violence_against_the_person", "robbery", "sexual_offences",
    "possession_of_weapons", "knife_offences", "total_excluding_fraud",
)  # fmt: skip

FUNDING_SERIES = (
    "hmic_actuals", "hmic_estimates", "outturn", "outturn_gla", "mpa_settlement",
)  # fmt: skip

TABLES: tuple[Table, ...] = (
    Table(
        "officers",
        "Police officers, community support officers and staff on 31 March",
        "43 forces, 2005 to 2022. 2005 and 2006 from HMIC's 2010 workbook, later years from the"
        " Home Office's open data; where the two overlap and differ by more than a tenth, the one"
        " nearer to the force's adjacent years is used (see officers_overlap).",
        (
            _FORCE,
            Field("date", "string", "Day of the count", pattern=r"^20\d{2}-03-31$"),
            _fte("officers_fte", "Police officers in post"),
            _fte("pcsos_fte", "Police community support officers in post"),
            _fte("staff_fte", "Police staff in post, designated officers included"),
            _SOURCE,
        ),
        ("force", "date"),
    ),
    Table(
        "officers_overlap",
        "Two official counts of the same people, 31 March 2007 to 2009",
        "The Home Office's open data (2022 edition) beside HMIC's 2010 workbook.",
        (
            _FORCE,
            Field("date", "string", "Day of the count", pattern=r"^20\d{2}-03-31$"),
            Field("measure", "string", "Kind of worker", allowed=("officers", "pcsos", "staff")),
            _fte("open_data_fte", "Home Office open data"),
            _fte("hmic_fte", "HMIC 2010 workbook"),
            Field(
                "used", "string", "Which one the table officers uses",
                allowed=("open_data", "hmic"),
            ),
        ),
        ("force", "date", "measure"),
    ),
    Table(
        "recorded_crime",
        "Offences recorded by the police, by financial year",
        "43 forces, 2002/03 to 2022/23. To 2012/13 from the rolling-year file, in which stalking"
        " and harassment has a group of its own throughout; from 2013/14 the sum of the four"
        " quarters of the open data. Knife offences: ONS Table P5, 2010/11 to 2018/19, one"
        " definition. Recorded crime is not crime: see the table breaks.",
        (
            _FORCE,
            _YEAR,
            Field("offence_group", "string", "Offence group", allowed=OFFENCE_GROUPS),
            Field("offences", "integer", "Offences recorded", "offences", minimum=0),
            _SOURCE,
        ),
        ("force", "offence_group", "financial_year"),
    ),
    Table(
        "funding",
        "Funding of police forces by source, nominal",
        "Separate series, never to be joined into one without saying so: hmic_estimates (budgets,"
        " 43 forces, 2009/10 and 2012/13 to 2017/18), hmic_actuals (43 forces, 2005/06 to"
        " 2008/09), outturn (37 English forces, 2010/11 to 2014/15 and 2017/18), outturn_gla (the"
        " Met's lines in the Greater London Authority's outturn), mpa_settlement (the Met's"
        " formula funding as announced).",
        (
            _FORCE,
            _YEAR,
            Field("series", "string", "Which series", allowed=FUNDING_SERIES),
            Field("component", "string", "Source of funding, or a total", pattern=r"^[a-z0-9_]+$"),
            Field("value_gbp_m", "number", "Amount at the prices of the year", "£ million"),
            _SOURCE,
        ),
        ("series", "force", "financial_year", "component"),
    ),
    Table(
        "population",
        "Residents on 30 June",
        "Forces and London boroughs, 2001 to 2020; 2012 to 2020 are the estimates made before the"
        " revision that followed the 2021 Census.",
        (
            Field("place", "string", "Force or borough", allowed=places.FORCES + places.BOROUGHS),
            Field("kind", "string", "Kind of place", allowed=("force", "borough")),
            Field("year", "integer", "Calendar year of the 30 June", minimum=1997, maximum=2030),
            Field("population", "integer", "Residents", "people", minimum=1000),
            _SOURCE,
        ),
        ("kind", "place", "year"),
    ),
    Table(
        "prices",
        "Price indices by financial year",
        "GDP deflator: mean of four quarters. CPIH: mean of twelve months. Both as published, not"
        " rebased.",
        (
            _YEAR,
            Field("gdp_deflator", "number", "GDP deflator, ONS YBGB", "index", minimum=0.1),
            Field("cpih", "number", "CPIH, ONS L522", "index, 2015=100", minimum=0.1),
        ),
        ("financial_year",),
    ),
    Table(
        "met_strength_monthly",
        "The Met's strength by month",
        "MOPAC's series; 0.7 to 1.5% below the Home Office's count each 31 March, so not to be"
        " spliced with officers.",
        (
            Field("month", "string", "Month", pattern=r"^\d{4}-\d{2}$"),
            _fte("officers_fte", "Police officers"),
            _fte("staff_fte", "Police staff"),
            _fte("pcsos_fte", "Police community support officers"),
            _SOURCE,
        ),
        ("month",),
    ),
    Table(
        "places",
        "Forces and boroughs with their codes",
        "The 43 territorial forces of England and Wales and the 32 London boroughs.",
        (
            Field("place", "string", "Official name", allowed=places.FORCES + places.BOROUGHS),
            Field("kind", "string", "Kind of place", allowed=("force", "borough")),
            Field("code", "string", "ONS code", pattern=r"^[EW]\d{8}$"),
            Field("country", "string", "Country", allowed=("England", "Wales")),
            Field("part_of", "string", "The larger place it belongs to"),
            _SOURCE,
        ),
        ("kind", "place"),
    ),
    Table(
        "breaks",
        "Dated changes in recording, definitions, boundaries and events that distort a series",
        "What an analyst must draw or allow for before reading a change as a change in the world.",
        (
            Field("id", "string", "Short name", pattern=r"^[a-z0-9-]+$"),
            Field("date", "string", "First day affected", pattern=r"^\d{4}-\d{2}-\d{2}$"),
            Field(
                "kind", "string", "What changed",
                allowed=(
                    "recording", "definition", "system", "boundary", "funding", "event", "error",
                    "status",
                ),
            ),
            Field("table", "string", "Shipped table that it touches"),
            Field("series", "string", "Columns or groups, separated by ';' (all = every one)"),
            Field("places", "string", "Places, separated by ';' (all = every one)"),
            Field("what", "string", "What happened"),
            Field("advice", "string", "What an analyst should do"),
            Field("source", "string", "Where it is documented"),
        ),
        ("id",),
    ),
    Table(
        "claims",
        "What was said about the Met's funding and officers, and where",
        "Statements as read in page excerpts, each with its address; evidence, not fact.",
        (
            Field("number", "integer", "Row number", minimum=1),
            Field("claim", "string", "Claim that it bears on"),
            Field("date", "string", "Date, as printed"),
            Field("said_by", "string", "Speaker or publisher"),
            Field("wording", "string", "Wording or figure"),
            Field("definition", "string", "What was counted", missing=True),
            Field("address", "string", "Where it was read"),
            Field("kind", "string", "Kind of source"),
        ),
        ("number",),
    ),
)  # fmt: skip


def table(name: str) -> Table:
    """Return a table's description.

    Raises
    ------
    UnknownNameError
        With the nearest names, if there is no such table.

    Examples
    --------
    >>> table("prices").columns
    ['financial_year', 'gdp_deflator', 'cpih']
    """
    for candidate in TABLES:
        if candidate.name == name:
            return candidate
    raise UnknownNameError("table", name, [t.name for t in TABLES])


@functools.cache
def schema(name: str) -> Any:
    """Return the pandera schema of a table: columns in order, types, ranges, key.

    Text fields are strings, never missing unless the field says so; a row's key is unique.
    """
    import pandera.pandas as pa

    spec = table(name)
    dtypes = {"string": "str", "integer": "int64", "number": "float64"}
    columns = {}
    for field in spec.fields:
        checks = []
        if field.minimum is not None:
            checks.append(pa.Check.ge(field.minimum))
        if field.maximum is not None:
            checks.append(pa.Check.le(field.maximum))
        if field.pattern is not None:
            checks.append(pa.Check.str_matches(field.pattern))
        if field.allowed is not None:
            checks.append(pa.Check.isin(field.allowed))
        columns[field.name] = pa.Column(dtypes[field.type], checks, nullable=field.missing)
    return pa.DataFrameSchema(columns, unique=list(spec.key), strict=True, ordered=True)
