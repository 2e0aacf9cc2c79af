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
    """One column: what it means, its unit, what it may hold, and how it is made from cells."""

    name: str
    type: Type
    description: str
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    pattern: str | None = None
    allowed: tuple[str, ...] | None = None
    missing: bool = False
    made: str = ""


@dataclass(frozen=True)
class Table:
    """One shipped table: its fields in order, its key, and what a reader should know."""

    name: str
    title: str
    description: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    made_by: str = ""

    @property
    def columns(self) -> list[str]:
        """The names of the fields, in order."""
        return [field.name for field in self.fields]


_FORCE = Field("force", "string", "Police force area", allowed=places.FORCES)
_YEAR = Field(
    "financial_year", "string", "Financial year, April to March", pattern=r"^\d{4}/\d{2}$"
)
_SOURCE = Field("source", "string", "Publication the figure comes from (id in datapackage.json)")


_PLACE = Field("place", "string", "London borough", allowed=places.BOROUGHS)
_MONTH = Field("month", "string", "Month", pattern=r"^\d{4}-\d{2}$")


def _fte(name: str, what: str, *, missing: bool = False, made: str = "") -> Field:
    return Field(
        name, "number", what, "full-time equivalents", minimum=0, maximum=60_000,
        missing=missing, made=made,
    )  # fmt: skip


def _counts(
    names: tuple[str, ...], unit: str, *, made: str = "", least: float | None = 0,
    missing: bool = True, kind: Type = "number",
) -> tuple[Field, ...]:  # fmt: skip
    """Return a field for each count, described by its own name."""
    return tuple(
        Field(
            name,
            kind,
            name.replace("_", " ").capitalize(),
            unit,
            minimum=least,
            missing=missing,
            made=made,
        )
        for name in names
    )


OFFENCE_GROUPS = (
    "homicide", "violence_with_injury", "violence_without_injury", "stalking_and_harassment",
    "death_or_injury_driving", "violence_against_the_person", "robbery", "sexual_offences",
    "possession_of_weapons", "knife_offences", "total_excluding_fraud",
)  # fmt: skip

_SUMMED = "summed over sex and rank where the publication prints them apart"
_ADDED = "offences of the group added up"
# New classes, then those that only the old classes have.
_BOROUGH_GROUPS = (
    "homicide", "violence_against_the_person", "violence_with_injury", "violence_without_injury",
    "stalking_and_harassment", "robbery", "sexual_offences", "possession_of_weapons",
    "murder", "wounding_and_assault_with_injury", "wounding_gbh", "assault_with_injury",
    "common_assault", "harassment", "other_violence", "offensive_weapon",
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
            _fte("officers_fte", "Police officers in post", made=_SUMMED),
            _fte("pcsos_fte", "Police community support officers in post", made=_SUMMED),
            _fte("staff_fte", "Police staff in post, designated officers included", made=_SUMMED),
            _SOURCE,
        ),
        ("force", "date"),
    ),
    Table(
        "officers_revisions",
        "Counts of officers that two editions print differently",
        "The first bulletin that printed a 31 March beside the open data of 2022. The later is"
        " used.",
        (
            _FORCE,
            Field("date", "string", "Day of the count", pattern=r"^20\d{2}-03-31$"),
            Field("measure", "string", "Kind of worker", allowed=("officers",)),
            _fte("first_fte", "As first published"),
            _fte("later_fte", "In the open data of 2022", made=_SUMMED),
        ),
        ("force", "date", "measure"),
    ),
    Table(
        "officers_national",
        "Police officers of England and Wales, 1977 to 2022",
        "National strength with ONS population. Another counting basis before 2003; 2008 holds"
        " the open data's slip for Essex.",
        (
            Field("date", "string", "Day of the count", pattern=r"^\d{4}-\d{2}-\d{2}$"),
            Field("officers_fte", "number", "Police officers", "full-time equivalents", minimum=0),
            Field("population", "number", "Residents", "people", minimum=0),
        ),
        ("date",),
    ),
    Table(
        "officers_overlap",
        "Two official counts of the same people, 31 March 2007 to 2009",
        "The Home Office's open data (2022 edition) beside HMIC's 2010 workbook.",
        (
            _FORCE,
            Field("date", "string", "Day of the count", pattern=r"^20\d{2}-03-31$"),
            Field("measure", "string", "Kind of worker", allowed=("officers", "pcsos", "staff")),
            _fte("open_data_fte", "Home Office open data", made=_SUMMED),
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
            Field(
                "offences", "integer", "Offences recorded", "offences", minimum=0, made=_ADDED,
            ),
            _SOURCE,
        ),
        ("force", "offence_group", "financial_year"),
    ),
    Table(
        "recorded_crime_quarterly",
        "Violence recorded by the police, by quarter",
        "43 forces, 2012/13 to the first quarter of 2023/24. A quarter can be negative: offences"
        " cancelled or moved to another force later.",
        (
            _FORCE,
            _YEAR,
            Field("quarter", "integer", "1 is April to June", minimum=1, maximum=4),
            *_counts(
                OFFENCE_GROUPS[:9] + OFFENCE_GROUPS[10:], "offences", made=_ADDED, least=None
            ),
        ),
        ("force", "financial_year", "quarter"),
    ),
    Table(
        "knife_offences",
        "Knife crime, each count under the definition that it follows",
        "Never two definitions in one series: compare within a definition only.",
        (
            Field("definition", "string", "What is counted, by whom"),
            Field("place", "string", "Force or borough", allowed=places.FORCES + places.BOROUGHS),
            Field("kind", "string", "Kind of place", allowed=("force", "borough")),
            Field("period", "string", "Financial year or month"),
            Field("offences", "integer", "Offences", "offences", minimum=0),
        ),
        ("definition", "place", "period"),
    ),
    Table(
        "crime_severity",
        "Crime Severity Score",
        "Experimental statistic: offences weighted by the sentences they bring, per resident."
        " 42 forces, 2002/03 to 2021/22; none for the City of London.",
        (
            _FORCE,
            _YEAR,
            Field("offence_group", "string", "Offence group"),
            Field("score", "number", "Score", "weighted offences per resident", minimum=0),
        ),
        ("force", "offence_group", "financial_year"),
    ),
    Table(
        "borough_crime_monthly",
        "Offences recorded in London boroughs, by month",
        "Old and new Met classes are separate series and are never joined. New: April 2010 to"
        " March 2026; old: January 2008 to December 2018. From February 2024 the Met records on"
        " a new system. Offences in no borough are left out.",
        (
            Field("classification", "string", "Met classes", allowed=("new", "old")),
            _PLACE,
            _MONTH,
            *_counts(_BOROUGH_GROUPS, "offences", made=_ADDED),
        ),
        ("classification", "place", "month"),
    ),
    Table(
        "borough_crime_latest",
        "Offences recorded by Community Safety Partnership, year ending June 2025",
        "32 boroughs and the forces. From February 2024 the Met records on a new system.",
        (
            Field("place", "string", "Place, or part of a force"),
            Field("kind", "string", "Kind of place"),
            Field("offence_group", "string", "Offence group"),
            Field("year_ending", "string", "Last month of the year", pattern=r"^\d{4}-\d{2}$"),
            Field("offences", "number", "Offences", "offences", minimum=0, missing=True),
        ),
        ("kind", "place", "offence_group"),
    ),
    Table(
        "borough_officers_monthly",
        "Officers, staff and specials by London borough and month",
        "April 2008 to November 2015, the only such series. Several boroughs jump 6 to 10% in"
        " March 2012, when the Met restructured.",
        (
            _PLACE,
            _MONTH,
            *_counts(
                ("officers_fte", "sergeants_fte", "pcsos_fte", "staff_fte"),
                "full-time equivalents", made="as printed",
            ),
            Field(
                "specials", "number", "Special constables", "heads", minimum=0, missing=True,
                made="as printed",
            ),
        ),
        ("place", "month"),
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
            Field(
                "value_gbp_m", "number", "Amount at the prices of the year", "£ million",
                made="added up and turned into £ million",
            ),
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
            Field(
                "population", "integer", "Residents", "people", minimum=1000,
                made="summed over ages and local authorities",
            ),
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
            Field("gdp_deflator", "number", "GDP deflator, ONS YBGB", "index", minimum=0.1,
                  made="mean of the four quarters"),
            Field("cpih", "number", "CPIH, ONS L522", "index, 2015=100", minimum=0.1,
                  made="mean of the twelve months"),
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
        "met_violence_monthly",
        "Violence in London by month, measures that recording moves more or less",
        "April 2008 to November 2015, whole Met, old classes.",
        (
            _MONTH,
            *_counts(
                (
                    "violence_against_the_person", "violence_with_injury", "knife_crime",
                    "knife_crime_with_injury", "gun_crime", "homicide",
                ),
                "offences", made="as printed",
            ),
            *_counts(("serious_youth_violence",), "victims", made="as printed"),
            *_counts(("searches",), "searches", made="as printed"),
        ),
        ("month",),
    ),
    Table(
        "stop_and_search_monthly",
        "Stops and searches by the Met, by month",
        "April 2015 to August 2024. Missing: March 2019 to May 2021 and January 2022; December"
        " 2022 looks partial.",
        (
            _MONTH,
            *_counts(
                (
                    "all", "section_60", "section_1_pace", "section_23_drugs",
                    "section_47_firearms", "section_139b_school_weapons", "no_law_given",
                ),
                "stops", made="as printed",
            ),
        ),
        ("month",),
    ),
    Table(
        "hospital_admissions",
        "Hospital admissions for assault by sharp object (ICD-10 X99)",
        "English regions by month, 2012-13 to 2021-22: an outcome that police recording cannot"
        " move. Regional counts are rounded to 5 and small ones suppressed; 2021-22 provisional.",
        (
            Field("region", "string", "Region, or England"),
            _MONTH,
            *_counts(("admissions", "episodes"), "count", made="as printed"),
        ),
        ("region", "month"),
    ),
    Table(
        "government_share",
        "The government's share of each force's funding",
        "From HMIC's estimates: 2009/10, before the cuts, and 2012/13 to 2017/18. From 2013/14"
        " council tax support is a grant, so shares step up there.",
        (
            _FORCE,
            _YEAR,
            Field(
                "share_all_grants", "number", "All grants over grants and council tax",
                "proportion", minimum=0, maximum=1, made="grants over grants and council tax",
            ),
            Field(
                "share_formula_grant", "number", "Formula grant over it and council tax",
                "proportion", minimum=0, maximum=1,
                made="formula funding over it and council tax",
            ),
            _SOURCE,
        ),
        ("force", "financial_year"),
    ),
    Table(
        "unemployment",
        "Unemployment by London borough",
        "Model-based estimates for calendar years 2004 to 2024, London as a whole too.",
        (
            Field("place", "string", "Borough, or London"),
            Field("year", "integer", "Calendar year", minimum=2000, maximum=2030),
            Field("rate", "number", "Unemployed", "per cent of the workforce", minimum=0),
            Field("half_width", "number", "Half of the 95% interval", "percentage points"),
        ),
        ("place", "year"),
    ),
    Table(
        "deprivation",
        "English Indices of Deprivation by local authority",
        "Editions 2004, 2007, 2010 and 2015 on the authorities of 2021, 2019 on those of 2019.",
        (
            Field("code", "string", "ONS code of the authority", pattern=r"^E\d{8}$"),
            Field("year", "integer", "Edition", minimum=2004, maximum=2030),
            Field("score", "number", "Average score", "score", minimum=0),
            Field("proportion", "number", "Areas among England's most deprived tenth",
                  "proportion", minimum=0, maximum=1),
            Field("extent", "number", "People in the most deprived areas, weighted",
                  "proportion", minimum=0, maximum=1),
        ),
        ("code", "year"),
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
        made_by="crime_analysis/breaks.py",
    ),
    Table(
        "assumptions",
        "Every choice that the cleaning makes",
        "What was chosen, why, what it changes, and what else one could do.",
        (
            Field("id", "string", "Short name", pattern=r"^[a-z0-9-]+$"),
            Field("table", "string", "Table that it shapes"),
            Field("what", "string", "The choice"),
            Field("why", "string", "The reason"),
            Field("effect", "string", "What it changes"),
            Field("alternative", "string", "What else one could do"),
        ),
        ("id",),
        made_by="crime_analysis/assumptions.py",
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
