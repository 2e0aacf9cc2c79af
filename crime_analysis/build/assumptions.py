"""Every choice that the cleaning makes: what, why, what it changes, and what else one could do.

Reports print it. A choice that is not listed here is not made.
"""

from __future__ import annotations

__all__ = ["REGISTER"]

#: id, table, what, why, effect, alternative
REGISTER: tuple[tuple[str, ...], ...] = (
    (
        "staff-with-designated-officers", "officers",
        "Designated officers (detention, escort, investigation) count as police staff.",
        "HMIC's profiles, which give 2005 and 2006, count them so.",
        "Staff is larger than the open data's own category, by more each year.",
        "Take 'police staff' alone and begin in 2007.",
    ),
    (
        "overlap-nearer-neighbours", "officers",
        "Where two counts of the same people differ by over a tenth, the one nearer to the"
        " force's adjacent years is used.",
        "One of the two is a slip; the neighbours say which.",
        "Changes one count of officers, Essex 2008; the rest of the overlap keeps the open data.",
        "Use the open data throughout: the table officers_overlap has both.",
    ),
    (
        "stalking-separate-throughout", "recorded_crime",
        "Years to 2012/13 come from the rolling-year file.",
        "It separates stalking and harassment in every year; the quarterly file does so only"
        " from 2013/14.",
        "Violence without injury has no step in 2013/14; all violence is the same either way.",
        "Add both groups, or begin in 2013/14.",
    ),
    (
        "whole-years-only", "recorded_crime",
        "A financial year is kept only if all four quarters are there for every force.",
        "A part-year is not a year.", "Drops the first quarter of 2023/24.",
        "Use the quarters: the table recorded_crime_quarterly.",
    ),
    (
        "fraud-left-out", "recorded_crime",
        "Totals leave fraud out in every year.",
        "Fraud moved from forces to Action Fraud between 2011 and 2013.",
        "Totals can be compared across 2013; they are lower than printed totals before.",
        "Take the printed totals to 2010/11.",
    ),
    (
        "grants-all-kinds", "funding",
        "Government grants are all of them: core, specific, legacy council tax and area-based.",
        "Grants were folded into each other; only the sum means the same every year.",
        "The Met's falls less than its core grant, which was cut more than its other grants.",
        "Use formula_funding, like for like only with the grants later folded in.",
    ),
    (
        "outturn-grants-outside-aef", "funding",
        "Specific grants outside aggregate external finance count as grants in the outturn.",
        "Only then do four forces' changes match those published.",
        "Moves a force's change over the decade by some tenths of a percentage point.",
        "Leave specific_grants_outside_aef out.",
    ),
    (
        "national-fall-linked", "funding",
        "The national fall in grants links three series, scaling the outturn to the estimates"
        " where both exist.",
        "No one series spans the years.",
        "The years 2010/11 and 2011/12 rest on 37 English forces.",
        "Use years since 2010 in place of the fall.",
    ),
    (
        "population-before-census", "population",
        "Rates use the mid-year estimates made before the 2021 Census.",
        "They are the ones held, and the ones that were known at the time.",
        "Rates of 2012 to 2020 are on that basis.", "Use the revised back series.",
    ),
    (
        "population-of-the-year", "population",
        "A financial year's residents are those of the 30 June inside it.",
        "It is the only estimate inside the year.", "None worth naming.",
        "Average two mid-years.",
    ),
    (
        "city-of-london-out", "panel",
        "The City of London is left out of every rate and regression.",
        "A few thousand live there and far more come each day.",
        "The panel has 42 forces.", "Add it to the Met, or model counts.",
    ),
    (
        "deflator-gdp", "prices",
        "Real terms use the GDP deflator, averaged over the financial year, 2025 vintage.",
        "It is what the Treasury uses for public spending.",
        "CPIH gives a slightly different fall.", "Pass price_index='cpih'.",
    ),
    (
        "events-left-out", "recorded_crime",
        "A force and year whose homicides one event dominates is left out of models of homicide.",
        "One event would carry the estimate.",
        "Moves the estimate for homicide towards zero.",
        "Keep them: pass no register to officers_to_violence.",
    ),
    (
        "knife-one-edition", "recorded_crime",
        "Knife offences are those of one edition, the year ending March 2019, in every year.",
        "It is the last that prints every force; forces revise by large amounts between editions.",
        "Norfolk and Suffolk are 39 and 55% higher in 2018/19 in the edition of December 2019,"
        " Dyfed-Powys 22% lower; the Met is the same to an offence or two.",
        "Take 'as revised to December 2019' from knife_offences, and leave Greater Manchester out.",
    ),
    (
        "net-expenditure-one-meaning", "funding",
        "Net revenue expenditure is what grants, council tax and reserves pay for, in every year.",
        "HMIC prints it after all specific grants in 2012/13 and 2016/17, before them elsewhere.",
        "The Met's is £3,302m and £2,968m, not the £2,624m and £2,551m that are printed.",
        "Take specific_grants off.",
    ),
    (
        "net-spending-per-head", "funding",
        "City Hall's £423 and £337 a head are taken to be the Met's net expenditure of 2012/13 over"
        " HMIC's population, which is older than the Census of 2011, and gross expenditure of"
        " 2016/17 less income outside national policing over the residents of mid-2015.",
        "Of the lines printed for the two years only these give both figures, the fall of 20% and"
        " the 6% printed for the other forces. No workings were found.",
        "By ONS's estimates for both years the fall is 16%. By one meaning of net expenditure it is"
        " £403 to £343, or 15%.",
        "Use net_revenue_expenditure and the table population for both years.",
    ),
    (
        "hmic-population-is-2010s", "population_other_bases",
        "The population that HMIC's workbook of 2012 prints without a year is that of mid-2010.",
        "It was the latest in 2012, and its sum, 55.240m, is below every later estimate of 2010.",
        "Only the £423 a head rests on it.", "Use the table population.",
    ),
    (
        "census-usual-residents", "population_other_bases",
        "Censuses are taken from 1991 on, and the Met's is the sum of its boroughs.",
        "Earlier ones counted whoever was present.", "Drops 1801 to 1981.",
        "Read the workbook of the Greater London Authority.",
    ),
    (
        "quoted-figures-apart", "quoted_figures",
        "Figures read from excerpts of pages stand in tables of their own, or under a definition of"
        " their own among the knife offences.",
        "They cannot be followed to a publisher's table.",
        "None is in an estimate.", "Leave them out.",
    ),
    (
        "assembled-grants-not-read", "funding",
        "The Met's core grant as assembled by others from HMIC and Police Authority is not read.",
        "Its sources are: HMIC's workbooks and the authority's papers give the same figures.",
        "None.", "None worth naming.",
    ),
    (
        "no-boundaries", "places",
        "No boundary file is read, and no chart is a map.",
        "No finding here rests on where forces lie, and maps give large areas the most ink.",
        "None.", "Join ONS's boundaries of police force areas to places by code.",
    ),
    (
        "deprivation-by-residents", "deprivation_force",
        "A force's deprivation is the mean of its authorities' average scores, weighted by their"
        " residents in the edition's year.",
        "The indices are published for authorities, not for police forces.",
        "None is in a headline; it stands for welfare reform's reach among the checks.",
        "Average neighbourhoods by population, as the indices do for other areas.",
    ),
)  # fmt: skip
