"""The tables of money, people, prices and places, and the registers: what each holds."""

from __future__ import annotations

from crime_analysis import places
from crime_analysis.codebook.fields import (
    FORCE,
    FUNDING_SERIES,
    MONTH,
    PLACE,
    SOURCE,
    YEAR,
    Field,
    Table,
    count_fields,
    fte_field,
)

__all__ = ["CONTEXT"]

CONTEXT: tuple[Table, ...] = (
    Table(
        "funding",
        "Funding of police forces by source, nominal",
        "Separate series, never to be joined into one without saying so: hmic_estimates (budgets,"
        " 43 forces, 2009/10 and 2012/13 to 2017/18), hmic_actuals (43 forces, 2005/06 to"
        " 2008/09), outturn (37 English forces, 2010/11 to 2014/15 and 2017/18), outturn_gla (the"
        " Met's lines in the Greater London Authority's outturn), mpa_settlement (the Met's"
        " formula funding as announced). net_revenue_expenditure is what grants, council tax and"
        " reserves pay for; in the estimates it and gross expenditure are there for 2009/10,"
        " 2012/13 and 2016/17 only.",
        (
            FORCE,
            YEAR,
            Field("series", "string", "Which series", allowed=FUNDING_SERIES),
            Field("component", "string", "Source of funding, or a total", pattern=r"^[a-z0-9_]+$"),
            Field(
                "value_gbp_m", "number", "Amount at the prices of the year", "£ million",
                made="added up and turned into £ million",
            ),
            SOURCE,
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
            SOURCE,
        ),
        ("kind", "place", "year"),
    ),
    Table(
        "population_other_bases",
        "Residents on other bases than the mid-year estimates",
        "Beside the table population, never in it: census (boroughs, the Met and the City, 1991"
        " to 2021), hmic_2012 (forces; what HMIC's workbook of 2012 divides by, the estimate of"
        " mid-2010 made before the Census of 2011), ons_force_area_tables (forces, what ONS's"
        " rates divide by, to the hundred).",
        (
            Field(
                "basis", "string", "Which count",
                allowed=("census", "hmic_2012", "ons_force_area_tables"),
            ),
            Field("place", "string", "Force or borough", allowed=places.FORCES + places.BOROUGHS),
            Field("kind", "string", "Kind of place", allowed=("force", "borough")),
            Field("year", "integer", "Calendar year", minimum=1991, maximum=2030),
            Field(
                "population", "integer", "Residents", "people", minimum=1000,
                made="boroughs summed for the Met; thousands turned into people",
            ),
            SOURCE,
        ),
        ("basis", "kind", "place", "year"),
    ),
    Table(
        "prices",
        "Price indices by financial year",
        "GDP deflator: mean of four quarters. CPIH: mean of twelve months. Both as published, not"
        " rebased.",
        (
            YEAR,
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
            fte_field("officers_fte", "Police officers"),
            fte_field("staff_fte", "Police staff"),
            fte_field("pcsos_fte", "Police community support officers"),
            SOURCE,
        ),
        ("month",),
    ),
    Table(
        "met_strength_earlier",
        "The Met's strength by month, as MOPAC published it to 2015",
        "April 2008 to November 2015, an earlier edition of met_strength_monthly: the same"
        " figures, not rounded, where both exist.",
        (
            MONTH,
            fte_field("officers_fte", "Police officers", made="as printed"),
            fte_field("staff_fte", "Police staff", made="as printed"),
            fte_field("pcsos_fte", "Police community support officers", made="as printed"),
            Field("specials", "number", "Special constables", "heads", minimum=0,
                  made="as printed"),
        ),
        ("month",),
    ),
    Table(
        "met_violence_monthly",
        "Violence in London by month, measures that recording moves more or less",
        "April 2008 to November 2015, whole Met, old classes.",
        (
            MONTH,
            *count_fields(
                (
                    "violence_against_the_person", "violence_with_injury", "knife_crime",
                    "knife_crime_with_injury", "gun_crime", "homicide",
                ),
                "offences", made="as printed",
            ),
            *count_fields(("serious_youth_violence",), "victims", made="as printed"),
            *count_fields(("searches",), "searches", made="as printed"),
        ),
        ("month",),
    ),
    Table(
        "stop_and_search_monthly",
        "Stops and searches by the Met, by month",
        "April 2015 to August 2024. Missing: March 2019 to May 2021 and January 2022; December"
        " 2022 looks partial.",
        (
            MONTH,
            *count_fields(
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
            MONTH,
            *count_fields(("admissions", "episodes"), "count", made="as printed"),
        ),
        ("region", "month"),
    ),
    Table(
        "government_share",
        "The government's share of each force's funding",
        "From HMIC's estimates: 2009/10, before the cuts, and 2012/13 to 2017/18. From 2013/14"
        " council tax support is a grant, so shares step up there.",
        (
            FORCE,
            YEAR,
            Field(
                "share_all_grants", "number", "All grants over grants and council tax",
                "proportion", minimum=0, maximum=1, made="grants over grants and council tax",
            ),
            Field(
                "share_formula_grant", "number", "Formula grant over it and council tax",
                "proportion", minimum=0, maximum=1,
                made="formula funding over it and council tax",
            ),
            SOURCE,
        ),
        ("force", "financial_year"),
    ),
    Table(
        "unemployment",
        "Unemployment by London borough",
        "Model-based estimates for calendar years 2004 to 2024. The 32 boroughs only: the City of"
        " London has no estimate, and London's own rate is read as a check and not kept.",
        (
            PLACE,
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
        "deprivation_force",
        "English Indices of Deprivation by police force area",
        "Mean of the authorities' average scores, weighted by their residents in the edition's year"
        " (ONS mid-year estimates). Editions 2004 to 2015; Wales has an index of its own.",
        (
            Field("force", "string", "Police force", allowed=places.FORCES),
            Field("year", "integer", "Edition", minimum=2004, maximum=2030),
            Field("score", "number", "Mean of average scores", "score", minimum=0),
        ),
        ("force", "year"),
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
            SOURCE,
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
        made_by="crime_analysis/build/assumptions.py",
    ),
    Table(
        "claims",
        "The claims of the September 2018 article, in the project's own words",
        "One row a claim. What figures bear on it, and the verdict, are worked out by"
        " check_claims and are in no table.",
        (
            Field("id", "string", "Short name", pattern=r"^[a-z0-9-]+$"),
            Field("claim", "string", "The claim, paraphrased"),
            Field(
                "topic", "string", "Link of the chain that it is about",
                allowed=("funding", "officers", "violence", "causes", "taskforce"),
            ),
            Field("about", "string", "Place and time that it is about"),
            Field(
                "figures", "string", "Figures that it states, name=number, separated by ';'",
                pattern=r"^[a-z_]+=[0-9.]+(;[a-z_]+=[0-9.]+)*$", missing=True,
            ),
            Field("said", "string", "Where it was said"),
            Field(
                "statements", "string",
                "Rows of the table statements that bear on it, by its column claim, separated by"
                " ';'", missing=True,
            ),
            Field("needed", "string", "What it would take to check it, or to check it better"),
        ),
        ("id",),
        made_by="crime_analysis/claims_register.py",
    ),
    Table(
        "statements",
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
    Table(
        "quoted_figures",
        "Single published figures, each with its address",
        "Read from excerpts of pages, not from publishers' tables: to set beside a table, not to"
        " join to one.",
        (
            Field("place", "string", "Place"),
            Field("measure", "string", "What is counted, as written in the list"),
            Field("period", "string", "Year or years, as written in the list"),
            Field("definition", "string", "Basis, or a note, as written in the list"),
            Field("value", "number", "The figure", "as the measure says", minimum=0),
            Field("address", "string", "Where it was read"),
            SOURCE,
        ),
        ("measure", "place", "period", "definition"),
    ),

)  # fmt: skip
