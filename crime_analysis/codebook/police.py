"""The tables of officers, offences and what stands beside them: what each holds."""

from __future__ import annotations

from crime_analysis import places
from crime_analysis.codebook.fields import (
    ADDED,
    BOROUGH_GROUPS,
    FORCE,
    MONTH,
    OFFENCE_GROUPS,
    PLACE,
    SOURCE,
    SUMMED,
    YEAR,
    Field,
    Table,
    count_fields,
    fte_field,
)

__all__ = ["POLICE"]

POLICE: tuple[Table, ...] = (
    Table(
        "officers",
        "Police officers, community support officers and staff on 31 March",
        "43 forces, 2005 to 2022. 2005 and 2006 from HMIC's 2010 workbook, later years from the"
        " Home Office's open data; where the two overlap and differ by more than a tenth, the one"
        " nearer to the force's adjacent years is used (see officers_overlap).",
        (
            FORCE,
            Field("date", "string", "Day of the count", pattern=r"^20\d{2}-03-31$"),
            fte_field("officers_fte", "Police officers in post", made=SUMMED),
            fte_field("pcsos_fte", "Police community support officers in post", made=SUMMED),
            fte_field("staff_fte", "Police staff, designated officers included", made=SUMMED),
            SOURCE,
        ),
        ("force", "date"),
    ),
    Table(
        "officers_revisions",
        "Counts of officers that two editions print differently",
        "The first bulletin that printed a 31 March beside the open data of 2022. The later is"
        " used.",
        (
            FORCE,
            Field("date", "string", "Day of the count", pattern=r"^20\d{2}-03-31$"),
            Field("measure", "string", "Kind of worker", allowed=("officers",)),
            fte_field("first_fte", "As first published"),
            fte_field("later_fte", "In the open data of 2022", made=SUMMED),
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
            FORCE,
            Field("date", "string", "Day of the count", pattern=r"^20\d{2}-03-31$"),
            Field("measure", "string", "Kind of worker", allowed=("officers", "pcsos", "staff")),
            fte_field("open_data_fte", "Home Office open data", made=SUMMED),
            fte_field("hmic_fte", "HMIC 2010 workbook"),
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
            FORCE,
            YEAR,
            Field("offence_group", "string", "Offence group", allowed=OFFENCE_GROUPS),
            Field(
                "offences", "integer", "Offences recorded", "offences", minimum=0, made=ADDED,
            ),
            SOURCE,
        ),
        ("force", "offence_group", "financial_year"),
    ),
    Table(
        "recorded_crime_quarterly",
        "Violence recorded by the police, by quarter",
        "43 forces, 2012/13 to the first quarter of 2023/24. A quarter can be negative: offences"
        " cancelled or moved to another force later.",
        (
            FORCE,
            YEAR,
            Field("quarter", "integer", "1 is April to June", minimum=1, maximum=4),
            *count_fields(
                OFFENCE_GROUPS[:9] + OFFENCE_GROUPS[10:], "offences", made=ADDED, least=None
            ),
        ),
        ("force", "financial_year", "quarter"),
    ),
    Table(
        "knife_offences",
        "Knife crime, each count under the definition that it follows",
        "Never two definitions in one series: compare within a definition only. ONS's selected"
        " offences by force as printed to March and as revised to December 2019, the latter"
        " without Greater Manchester from 2017/18; the Met's own by borough and month; and the"
        " Met's single years under other definitions, quoted from pages.",
        (
            Field("definition", "string", "What is counted, by whom"),
            Field("place", "string", "Force or borough", allowed=places.FORCES + places.BOROUGHS),
            Field("kind", "string", "Kind of place", allowed=("force", "borough")),
            Field("period", "string", "Financial year, month, or 'year ending 2018-12'"),
            Field("offences", "integer", "Offences", "offences", minimum=0),
        ),
        ("definition", "place", "period"),
    ),
    Table(
        "knife_revisions",
        "Knife offences that two editions print differently",
        "ONS Table P5 of eight editions, years ending March 2018 to December 2019: the first and"
        " the last that print a force's year, where they differ.",
        (
            FORCE,
            Field("period", "string", "Financial year, or 'year ending 2018-12'"),
            Field("first_edition", "string", "Month the first ends with", pattern=r"^\d{4}-\d{2}$"),
            Field("first_offences", "integer", "As first printed", "offences", minimum=0),
            Field("last_edition", "string", "Month the last ends with", pattern=r"^\d{4}-\d{2}$"),
            Field("last_offences", "integer", "As last printed", "offences", minimum=0),
        ),
        ("force", "period"),
    ),
    Table(
        "crime_severity",
        "Crime Severity Score",
        "Experimental statistic: offences weighted by the sentences they bring, per resident."
        " 42 forces, 2002/03 to 2021/22; none for the City of London.",
        (
            FORCE,
            YEAR,
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
            PLACE,
            MONTH,
            *count_fields(BOROUGH_GROUPS, "offences", made=ADDED),
        ),
        ("classification", "place", "month"),
    ),
    Table(
        "borough_crime_latest",
        "Offences recorded by Community Safety Partnership, latest year",
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
            PLACE,
            MONTH,
            *count_fields(
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

)  # fmt: skip
