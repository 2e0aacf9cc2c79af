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
        "No figure.", "None worth naming.",
    ),
    (
        "no-boundaries", "places",
        "No boundary file is read, and no chart is a map.",
        "No finding here rests on where forces lie, and maps give large areas the most ink.",
        "No figure.", "Join ONS's boundaries of police force areas to places by code.",
    ),
    (
        "deprivation-by-residents", "deprivation_force",
        "A force's deprivation is the mean of its authorities' average scores, weighted by their"
        " residents in the edition's year.",
        "The indices are published for authorities, not for police forces.",
        "None is in a headline; it stands for welfare reform's reach among the checks.",
        "Average neighbourhoods by population, as the indices do for other areas.",
    ),
    (
        "council-tax-grants-elsewhere", "funding",
        "HMIC's grants for council tax stay where a force put them: on a line of their own, among"
        " specific grants, or in the core grant.",
        "The Met prints £9.4m and nought of them in 2013/14 and 2014/15 and £119.7m from 2015/16,"
        " when its specific grants fall by £108.6m and its core grant no more than others' does."
        " In 2014/15 Durham, Norfolk and West Mercia print nought, and their core grants rise by"
        " 3.0, 6.4 and 5.9% while all forces' fall by 2.5%.",
        "Neither core grants nor specific grants can be followed from 2013/14 to 2015/16 in these"
        " forces; the sum of grants can, and so can the change from 2009/10 to 2017/18.",
        "Take government_grants.",
    ),
    (
        "council-tax-as-printed", "funding",
        "Council tax that jumps and comes back is kept as HMIC prints it.",
        "Dyfed-Powys has £44.9m, £43.0m, £37.1m and £47.3m from 2014/15 to 2017/18, and in 2016/17"
        " no specific grants; no second publication held has Welsh forces. Essex has £62.2m in"
        " 2013/14, where the outturn has £81.4m; Gwent's rises by 26% in 2017/18 as its formula"
        " grant falls by 31%.",
        "Government's share in Dyfed-Powys, 56 and 54% in the years beside it, is 60% in 2016/17."
        " Neither the share of 2009/10 nor the change to 2017/18 uses these years, but panels of"
        " every year do.",
        "Leave the force and year out, or take the outturn for English forces.",
    ),
    (
        "unusual-homicides-kept", "recorded_crime",
        "A force and year whose homicides are out of line with the years beside it, and of which"
        " the register of breaks says nothing, is kept.",
        "The files held name no event: Essex 2019/20, Lancashire 2003/04, Sussex 2017/18 and"
        " Cumbria 2010/11, by a rule that chance breaks once in 100,000 force-years.",
        "Without the two that lie in the panel (Cumbria, Sussex) the elasticity of homicide is 0.01"
        " in place of −0.10; its interval holds nought either way.",
        "Add them to the register passed to officers_to_violence.",
    ),
    (
        "negative-quarters-kept", "recorded_crime_quarterly",
        "A quarter with fewer offences than nought is kept.",
        "Offences cancelled or moved to another force are taken off when that is found.",
        "Five counts of homicide are negative; no whole year is.", "Use whole years.",
    ),
    (
        "boroughs-later-edition", "borough_crime_monthly",
        "Of two editions that print a month, the one that goes further is used.",
        "Offences are reclassified as they are investigated.",
        "Months differ between editions; none is averaged.", "Take the first that printed a month.",
    ),
    (
        "no-borough-left-out", "borough_crime_monthly",
        "Offences that the Met places in no borough are left out.",
        "They belong to no residents.",
        "Boroughs' violence with injury adds up to 0.9 to 3.2% less than the Met's until 2024/25.",
        "Use the Met's own count: recorded_crime.",
    ),
    (
        "old-classes-apart", "borough_crime_monthly",
        "The Met's old and new classes are never joined.",
        "Violence in the old ones was 25% above the Home Office's count in 2008/09.",
        "No borough has one series from 2008 on.", "None worth naming.",
    ),
    (
        "specials-in-heads", "borough_officers_monthly",
        "Specials are counted in heads and kept out of officers.",
        "They are volunteers, and no full-time equivalent of theirs is printed.",
        "Strength leaves them out, as the Home Office's does.",
        "Add them as a measure of presence.",
    ),
    (
        "suppressed-stays-missing", "hospital_admissions",
        "Counts that the publisher suppressed stay missing, and rounding to five is not undone.",
        "A count from 1 to 7 could be any of them.",
        "One month of the East of England and two of the South West are missing.",
        "Put 4, and try 1 and 7.",
    ),
    (
        "searches-gaps-stay", "stop_and_search_monthly",
        "Months for which data.police.uk has no records of the Met are absent, not nought.",
        "They were not sent.", "28 of 113 months are absent.",
        "Ask the Met for its own count.",
    ),
    (
        "unemployment-boroughs-only", "unemployment",
        "London's own rate is read as a check of the boroughs', and not kept.",
        "It is an average of them by another weight, and no borough.",
        "A rate of London must be weighted from the boroughs'.", "Read it from the publication.",
    ),
    (
        "deprivation-by-edition", "deprivation",
        "Editions of the indices stand side by side and are never subtracted.",
        "Scores have no unit, and what they are made of changes between editions.",
        "Places can be ranked within an edition only.", "Compare ranks.",
    ),
    (
        "share-without-reserves", "government_share",
        "Government's share is grants over grants and council tax; reserves are in neither.",
        "What is drawn from reserves was raised before.",
        "In 2009/10 shares are 0.8 points higher on average than over net revenue expenditure.",
        "Divide by net_revenue_expenditure.",
    ),
)  # fmt: skip
