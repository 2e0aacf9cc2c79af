"""The register of breaks: dated changes that make a series jump without the world changing.

Charts draw it and reports print it. Each entry names what it touches and where it is
documented; an entry without a source does not go in.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from crime_analysis import periods

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NAMES", "REGISTER", "affecting", "financial_year", "name"]

_P5 = "ONS, Police Force Area data tables, year ending March 2019, notes to Table P5"
_VIOLENCE = "violence_with_injury;violence_without_injury;violence_against_the_person"

#: By id: what a chart's source line calls the break.
NAMES = {
    "admissions-provisional": "admissions provisional",
    "borough-restructure": "the Met restructured",
    "council-tax-support": "council tax support became a grant",
    "grants-folded-in": "specific grants folded into the core grant",
    "homicide-greater-manchester-2002": "homicides of earlier years recorded together",
    "homicide-manchester-arena": "the Manchester Arena bombing",
    "homicide-south-yorkshire": "deaths of one past event recorded together",
    "knife-beds-cambs": "a new system (Bedfordshire, Cambridgeshire)",
    "knife-definitions": "several definitions of knife crime",
    "knife-greater-manchester": "knife offences reviewed (Greater Manchester)",
    "knife-northumbria": "knife offences revised (Northumbria)",
    "knife-revisions": "knife offences revised between editions",
    "knife-surrey-sussex": "knife offences added (Surrey, Sussex)",
    "knife-thames-valley": "knife offences under a new system (Thames Valley)",
    "met-grievous-harm-recoded": "grievous bodily harm recoded",
    "met-new-system": "the Met's new recording system",
    "met-wounding-recoded": "wounding recoded",
    "national-crime-recording-standard": "National Crime Recording Standard",
    "national-statistics-status": "no longer a National Statistic",
    "national-strength-basis": "another counting basis of officers",
    "new-system-greater-manchester": "a new system (Greater Manchester)",
    "officers-essex-2008": "a slip in the open data (Essex)",
    "population-census-2001": "the census of 2001",
    "population-census-2021": "estimates from before the Census of 2021",
    "population-pandemic-census": "the census of 2021, in the pandemic",
    "recording-inspection": "HMIC's inspection of recording",
    "searches-missing": "files of searches missing",
    "stalking-subgroup": "stalking became a subgroup of its own",
}


def name(entry: str) -> str:
    """Return what a break is called, by its id; the id's own words if it has no name.

    Examples
    --------
    >>> name("recording-inspection"), name("a-new-one")
    ("HMIC's inspection of recording", 'a new one')
    """
    return NAMES.get(entry, entry.replace("-", " "))


#: id, date, kind, table, series, places, what, advice, source
REGISTER: tuple[tuple[str, ...], ...] = (
    (
        "national-crime-recording-standard", "2002-04-01", "recording", "recorded_crime", "all",
        "all",
        "The National Crime Recording Standard was introduced; forces adopted it at different"
        " speeds, and recorded violence went on rising for that reason for years.",
        "Do not read recorded violence of 2002/03 to 2005/06 as a trend.",
        "Home Office, note to the recorded crime tables",
    ),
    (
        "stalking-subgroup", "2013-04-01", "definition", "recorded_crime",
        "violence_without_injury;stalking_and_harassment", "all",
        "Stalking and harassment became a subgroup of its own; in the quarterly file's 2012/13"
        " it is inside violence without injury.",
        "The shipped table takes years to 2012/13 from the file that separates it throughout.",
        "Home Office, Police recorded crime open data tables, October 2023",
    ),
    (
        "recording-inspection", "2014-11-18", "recording", "recorded_crime",
        _VIOLENCE + ";stalking_and_harassment;sexual_offences;total_excluding_fraud", "all",
        "HMIC found that a third of violence reported in the year before had not been recorded;"
        " forces changed their practice and recorded violence rose everywhere.",
        "Put homicide, knife crime and hospital admissions beside it; never read recorded"
        " violence across 2014 as violence.",
        "HMIC, Crime-recording: making the victim count, November 2014",
    ),
    (
        "national-statistics-status", "2014-01-15", "status", "recorded_crime", "all", "all",
        "The UK Statistics Authority withdrew the designation as National Statistics from"
        " police recorded crime.",
        "Say so wherever recorded crime is shown.",
        "Public Administration Select Committee, HC 760, 2014",
    ),
    (
        "knife-greater-manchester", "2017-12-01", "recording", "recorded_crime",
        "knife_offences", "Greater Manchester",
        "A review found that knife offences had been undercounted; counts rise sharply from"
        " January 2018 and earlier ones were not revised.",
        "Leave the force out of knife comparisons across 2017/18.", _P5 + " (note 5)",
    ),
    (
        "knife-surrey-sussex", "2016-04-01", "recording", "recorded_crime",
        "knife_offences", "Surrey;Sussex",
        "Offences not flagged as knife offences before were added; Surrey also counts bottles"
        " and glass.",
        "Do not compare these forces over time or with others.", _P5 + " (notes 7 and 8)",
    ),
    (
        "knife-northumbria", "2017-04-01", "recording", "recorded_crime",
        "knife_offences", "Northumbria",
        "The last two years were revised upwards, earlier ones were not.",
        "Do not read the step as a rise.", _P5 + " (note 4)",
    ),
    (
        "knife-beds-cambs", "2018-05-01", "system", "recorded_crime",
        "knife_offences", "Bedfordshire;Cambridgeshire",
        "A new crime recording system may have led to undercounting.",
        "Treat 2018/19 as provisional.", _P5 + " (note 6)",
    ),
    (
        "knife-thames-valley", "2014-04-01", "system", "recorded_crime",
        "knife_offences", "Thames Valley",
        "An audit found that knife offences had been recorded wrongly since a new system began.",
        "Do not compare across April 2014.", _P5 + " (note 9)",
    ),
    (
        "homicide-manchester-arena", "2017-05-22", "event", "recorded_crime", "homicide",
        "Greater Manchester",
        "The year counts the victims of the Manchester Arena bombing.",
        "Show the year, but do not let one event carry an estimate.",
        "ONS, Police Force Area data tables, year ending March 2018, note to Table P1",
    ),
    (
        "homicide-south-yorkshire", "2016-04-01", "event", "recorded_crime", "homicide",
        "South Yorkshire",
        "The year's count is many times that of any other year of the force: deaths of one past"
        " event recorded together. The files held do not say which.",
        "Leave the force and year out of models of homicide.",
        "Seen in both Home Office files of recorded crime",
    ),
    (
        "homicide-greater-manchester-2002", "2002-04-01", "event", "recorded_crime", "homicide",
        "Greater Manchester",
        "The year's count is several times that of any other year: deaths of earlier years"
        " recorded together. The files held do not say which.",
        "Leave the force and year out of models of homicide.",
        "Seen in the Home Office's rolling-year file",
    ),
    (
        "new-system-greater-manchester", "2019-07-01", "system", "recorded_crime", "all",
        "Greater Manchester",
        "A new computer system: the force could supply no figures for July to December 2019 at"
        " first.",
        "Do not compare the force across July 2019.",
        "ONS, Police Force Area data tables, year ending December 2019, note 8 to Table P1",
    ),
    (
        "council-tax-support", "2013-04-01", "funding", "funding",
        "council_tax;legacy_council_tax_grants", "all",
        "Council tax support was moved out of council tax into a grant, so council tax falls and"
        " grants rise on paper.",
        "Use grants and council tax together, or the share of 2009/10.",
        "Council tax requirement and police grant, DCLG Revenue Outturn Summary, 2012-13 and"
        " 2013-14",
    ),
    (
        "grants-folded-in", "2011-04-01", "funding", "funding",
        "formula_funding;police_grant;specific_grants", "all",
        "Specific grants of 2009/10 (Crime Fighting Fund, Rule 2, community support officers)"
        " were folded into the core grant in the years that followed.",
        "Compare all grants, or add the folded grants to the earlier core grant.",
        "HMIC, Value for Money profiles 2010 and 2012 to 2017, funding sheets",
    ),
    (
        "officers-essex-2008", "2008-03-31", "error", "officers", "officers_fte", "Essex",
        "The open data's count is exactly 700 below HMIC's and out of line with the years beside"
        " it: a slip in the open data.",
        "The shipped table uses HMIC's figure (see officers_overlap).",
        "Home Office open data 2022 against HMIC, Value for Money profiles 2010",
    ),
    (
        "population-census-2021", "2012-06-30", "definition", "population", "population", "all",
        "The estimates for 2012 to 2020 were made before the revision to the 2021 Census.",
        "Rates per head of 2012 to 2020 are on the older basis; do not join them to later ones.",
        "ONS, mid-year population estimates, edition 1997 to 2020",
    ),
    (
        "borough-restructure", "2012-03-01", "boundary", "borough_officers_monthly", "all",
        "all",
        "The Met restructured; several boroughs' officers jump by 6 to 10% in one month.",
        "Do not read a borough's change across March 2012 as officers gained.",
        "MOPAC, MPS Recorded Crime Figures and Associated Data, December 2015",
    ),
    (
        "met-new-system", "2024-02-01", "system", "borough_crime_monthly",
        "violence_with_injury;violence_without_injury;violence_against_the_person", "all",
        "The Met records on a new system: violence with injury falls by a fifth in a year while"
        " violence without injury does not.",
        "A break, not a fall: do not compare across February 2024.",
        "Met Police, Recorded Crime: Geographic Breakdown, April 2024 to March 2026",
    ),
    (
        "met-grievous-harm-recoded", "2008-04-01", "definition", "borough_crime_monthly",
        "wounding_gbh;assault_with_injury", "all",
        "Old classes: grievous bodily harm was recoded from April 2008 to July 2010.",
        "Use wounding_and_assault_with_injury, which can be followed throughout.",
        "Met Police, Recorded Crime, old classes, January 2008 to December 2016",
    ),
    (
        "met-wounding-recoded", "2013-04-01", "definition", "borough_crime_monthly",
        "wounding_gbh;assault_with_injury", "all",
        "Old classes: wounding nearly doubles in a month while assault with injury falls.",
        "Use wounding_and_assault_with_injury, which can be followed throughout.",
        "Met Police, Recorded Crime, old classes, January 2008 to December 2016",
    ),
    (
        "knife-definitions", "2010-04-01", "definition", "knife_offences", "offences", "all",
        "Several definitions of knife crime are published. For the Met the Home Office's current"
        " one is 6 to 8% below the older basis (2019/20: 14,680 and 15,928), and the Met's own"
        " count is about 3% above the Home Office's.",
        "Compare within one definition only; never join two.",
        "ONS Table P5, Home Office figures quoted in quoted_figures, and the Met's dashboard",
    ),
    (
        "knife-revisions", "2016-04-01", "recording", "knife_offences", "offences", "all",
        "Forces revise knife offences between editions of Table P5 by large amounts: Surrey's"
        " 2017/18 from 58 to 436, Sussex and Northumbria to nearly three times as many; Norfolk,"
        " Suffolk and Dyfed-Powys in 2018/19.",
        "Take one edition for a series, and look the force up in knife_revisions.",
        "ONS, Police Force Area data tables, years ending March 2018 to December 2019, Table P5",
    ),
    (
        "population-census-2001", "2001-04-29", "definition", "population_other_bases",
        "population", "Westminster;Wandsworth;Southwark",
        "The census of 2001 is 4 to 12% below the estimate of the same summer.",
        "Use the mid-year estimates for rates.",
        "GLA, historic census population, against ONS mid-year estimates",
    ),
    (
        "population-pandemic-census", "2021-03-21", "definition", "population_other_bases",
        "population", "Camden;Westminster;Islington",
        "The census of 2021 was taken in the pandemic: a quarter fewer people in Camden and"
        " Westminster than the estimates of 2020, which preceded it.",
        "Do not join the census to the estimates.",
        "GLA, historic census population, against ONS mid-year estimates",
    ),
    (
        "searches-missing", "2019-03-01", "recording", "stop_and_search_monthly", "all", "all",
        "No files from March 2019 to May 2021 and for January 2022; December 2022 looks partial.",
        "Leave the gap open; do not fill it.", "data.police.uk, counted by month",
    ),
    (
        "admissions-provisional", "2021-04-01", "definition", "hospital_admissions", "all", "all",
        "2021-22 is provisional.", "Treat the last year as such.",
        "NHS Digital, tabulation for the Home Office, notes",
    ),
    (
        "national-strength-basis", "2003-03-31", "definition", "officers_national",
        "officers_fte", "all",
        "Earlier years are on another counting basis.", "Do not join them to later ones.",
        "Home Office, police strength, England and Wales, 1977 to 2022",
    ),
)  # fmt: skip


def financial_year(date: str) -> str:
    """Return the financial year in which a register date (ISO text) falls.

    Examples
    --------
    >>> financial_year("2014-11-18")
    '2014/15'
    """
    year, month, _ = (int(part) for part in date.split("-"))
    return periods.label(year if month >= 4 else year - 1)


def affecting(
    register: pd.DataFrame, table: str, series: str, place: str | None = None
) -> pd.DataFrame:
    """Return the breaks that touch one series of a table, in order of date.

    Parameters
    ----------
    register : DataFrame
        The shipped table ``breaks``.
    table, series : str
        A shipped table and one of its columns or groups, e.g. ``recorded_crime`` and
        ``violence_with_injury``.
    place : str, optional
        Only breaks of every place or of this one; all of them if not given.
    """

    def lists(column: str, name: str) -> pd.Series:
        return register[column].map(lambda text: text == "all" or name in text.split(";"))

    keep = (register["table"] == table) & lists("series", series)
    if place is not None:
        keep &= lists("places", place)
    return register[keep].sort_values("date", ignore_index=True)
