"""The pairs of figures that two publications give of the same thing, from the shipped tables.

Each function takes `load` (`catalog.load`, or a stand-in) and returns a frame of ``place``,
``period``, ``first``, ``second``: one row for each place and period that both cover. Nothing
here judges; see `crosscheck`.
"""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from crime_analysis import periods

__all__ = ["Load"]

Load = Callable[[str], pd.DataFrame]
MET = "Metropolitan Police"
ALL_FORCES = "England and Wales"
MONTHS_OF_A_YEAR = 12


def pair(first: pd.Series, second: pd.Series, place: str | None = None) -> pd.DataFrame:
    """Set two series side by side by (place, period), or by period of one place."""
    both = pd.concat([first.rename("first"), second.rename("second")], axis=1, join="inner")
    both = both.dropna()
    if place is not None:
        both.index.name = "period"
        both = both.reset_index().assign(place=place)
    else:
        both.index.names = ["place", "period"]
        both = both.reset_index()
    return both.sort_values(["place", "period"], ignore_index=True).astype(
        {"first": float, "second": float, "period": str}
    )[["place", "period", "first", "second"]]


def year_of(months: pd.Series) -> pd.Series:
    """Return the financial year of each month (``2018-03``)."""
    return months.map(lambda m: periods.label(int(m[:4]) if int(m[5:7]) >= 4 else int(m[:4]) - 1))


def whole_years(table: pd.DataFrame, column: str, keys: tuple[str, ...] = ()) -> pd.Series:
    """Return sums over financial years that have all their months, by `keys` and year."""
    known = table.dropna(subset=[column])
    grouped = known.assign(year=year_of(known["month"])).groupby([*keys, "year"])
    whole = grouped["month"].nunique() == MONTHS_OF_A_YEAR
    return grouped[column].sum()[whole]


# Officers


def _met_officers(load: Load) -> pd.Series:
    table = load("officers")
    return table[table["force"] == MET].set_index("date")["officers_fte"]


def met_officers(load: Load, table: str) -> pd.DataFrame:
    """Home Office and MOPAC: the Met's officers on each 31 March."""
    monthly = load(table)
    march = monthly[monthly["month"].str.endswith("-03")]
    march = march.assign(date=march["month"] + "-31").set_index("date")["officers_fte"]
    return pair(_met_officers(load), march, MET)


def met_officers_editions(load: Load) -> pd.DataFrame:
    """MOPAC's workbook to 2015 and its later file: the Met's officers by month."""
    first, second = (
        load(name).set_index("month")["officers_fte"]
        for name in ("met_strength_earlier", "met_strength_monthly")
    )
    return pair(first, second, MET)


def bulletins(load: Load) -> pd.DataFrame:
    """Bulletins and open data: only where they differ by more than rounding."""
    table = load("officers_revisions").set_index(["force", "date"])
    return pair(table["first_fte"], table["later_fte"])


def hmic_people(load: Load, measure: str) -> pd.DataFrame:
    """Home Office open data and HMIC 2010: people in post, 2007 to 2009."""
    table = load("officers_overlap")
    table = table[table["measure"] == measure].set_index(["force", "date"])
    return pair(table["open_data_fte"], table["hmic_fte"])


def national_officers(load: Load) -> pd.DataFrame:
    """Home Office national series and the sum of its forces, as the package uses them."""
    printed = load("officers_national").set_index("date")["officers_fte"]
    return pair(printed, load("officers").groupby("date")["officers_fte"].sum(), ALL_FORCES)


# Recorded crime


def _recorded(load: Load, group: str) -> pd.Series:
    table = load("recorded_crime")
    table = table[table["offence_group"] == group]
    return table.set_index(["force", "financial_year"])["offences"]


def rolling_and_quarterly(load: Load, group: str) -> pd.DataFrame:
    """Rolling-year file and four quarters of the open data, 2012/13."""
    quarters = load("recorded_crime_quarterly")
    quarters = quarters[quarters["financial_year"] == "2012/13"]
    sums = quarters.groupby(["force", "financial_year"])[group].sum(min_count=4)
    return pair(_recorded(load, group), sums)


def met_boroughs(load: Load, group: str) -> pd.DataFrame:
    """Home Office, and the Met's boroughs added up in the new classes."""
    table = load("borough_crime_monthly")
    table = table[table["classification"] == "new"]
    by_month = table.groupby("month", as_index=False)[group].sum(min_count=32)
    return pair(_recorded(load, group)[MET], whole_years(by_month, group), MET)


def met_workbook(load: Load, column: str, group: str) -> pd.DataFrame:
    """Home Office or ONS, and MOPAC's workbook to 2015, summed over months."""
    sums = whole_years(load("met_violence_monthly"), column)
    return pair(_recorded(load, group)[MET], sums, MET)


def partnerships(load: Load, group: str) -> pd.DataFrame:
    """ONS Table C2 and the Met's borough file, the same twelve months."""
    table = load("borough_crime_latest")
    table = table[(table["kind"] == "borough") & (table["offence_group"] == group)]
    first = table.set_index(["place", "year_ending"])["offences"]
    parts = []
    months = load("borough_crime_monthly")
    months = months[months["classification"] == "new"]
    for last in sorted(set(table["year_ending"])):
        span = pd.period_range(end=last, periods=MONTHS_OF_A_YEAR, freq="M").astype(str)
        year = months[months["month"].isin(span)].assign(year_ending=last)
        parts.append(year.groupby(["place", "year_ending"])[group].sum(min_count=MONTHS_OF_A_YEAR))
    return pair(first, pd.concat(parts))


# Knife offences


def _knife(load: Load, definition: str) -> pd.DataFrame:
    table = load("knife_offences")
    return table[table["definition"] == definition]


def knife_editions(load: Load, first: str, second: str) -> pd.DataFrame:
    """Two definitions or editions of knife offences: the Met, by year."""
    one, other = (
        table[table["place"] == MET].set_index("period")["offences"]
        for table in (_knife(load, first), _knife(load, second))
    )
    return pair(one, other, MET)


def knife_country(load: Load, first: str, second: str) -> pd.DataFrame:
    """Two editions of knife offences: all forces that both print, added up."""
    keys = ["place", "period"]
    one, other = (_knife(load, d).set_index(keys)["offences"] for d in (first, second))
    both = pair(one, other).groupby("period")[["first", "second"]].sum()
    return pair(both["first"], both["second"], "forces that both print")


def knife_dashboard(load: Load, quoted: str) -> pd.DataFrame:
    """Quoted Home Office figures and the Met's dashboard, whole years."""
    table = _knife(load, "Met dashboard, knife crime").rename(columns={"period": "month"})
    by_month = table.groupby("month", as_index=False)["offences"].sum()
    points = _knife(load, quoted).set_index("period")["offences"]
    return pair(points, whole_years(by_month, "offences"), MET)


# Money


def _money(load: Load, series: str, component: str) -> pd.Series:
    table = load("funding")
    table = table[(table["series"] == series) & (table["component"] == component)]
    return table.set_index(["force", "financial_year"])["value_gbp_m"]


def estimates_and_outturn(load: Load, component: str) -> pd.DataFrame:
    """HMIC's estimates and the revenue outturn: one component of 37 English forces."""
    return pair(*(_money(load, s, component) for s in ("hmic_estimates", "outturn")))


def formula_and_legacy(load: Load) -> pd.DataFrame:
    """HMIC's formula funding and legacy council tax grants, which the outturn prints as one."""
    formula = _money(load, "hmic_estimates", "formula_funding")
    legacy = _money(load, "hmic_estimates", "legacy_council_tax_grants")
    printed = _money(load, "outturn", "formula_and_legacy_council_tax_grants")
    return pair(formula.add(legacy), printed)


def met_police_grant(load: Load) -> pd.DataFrame:
    """HMIC's estimates and the Greater London Authority's outturn: the Met's grant."""
    # The outturn books all formula funding as police grant from 2013/14.
    police = _money(load, "hmic_estimates", "police_grant")[MET]
    formula = _money(load, "hmic_estimates", "formula_funding")[MET]
    first = pd.concat([police[["2012/13"]], formula[["2013/14"]]])
    return pair(first, _money(load, "outturn_gla", "police_grant")[MET], MET)


def met_settlement(load: Load) -> pd.DataFrame:
    """HMIC's 2010 workbook and the Police Authority's papers: formula funding, 2009/10."""
    first, second = (
        _money(load, series, "formula_funding")[MET]
        for series in ("hmic_estimates", "mpa_settlement")
    )
    return pair(first, second, MET)


# People and hospitals


def national_population(load: Load) -> pd.DataFrame:
    """Home Office national series and forces added up from local authorities."""
    table = load("officers_national").dropna(subset=["population"])
    printed = table.set_index(table["date"].str[:4].astype(int))["population"]
    people = load("population")
    sums = people[people["kind"] == "force"].groupby("year")["population"].sum()
    return pair(printed, sums, ALL_FORCES)


def force_population(load: Load) -> pd.DataFrame:
    """ONS, residents that rates divide by, and forces added up from local authorities."""
    return _population(load, "ons_force_area_tables", "force")


def census(load: Load, year: int) -> pd.DataFrame:
    """Census and the mid-year estimate three months later, boroughs."""
    both = _population(load, "census", "borough")
    return both[both["period"] == str(year)].reset_index(drop=True)


def _population(load: Load, basis: str, kind: str) -> pd.DataFrame:
    other = load("population_other_bases")
    other = other[(other["basis"] == basis) & (other["kind"] == kind)]
    people = load("population")
    people = people[people["kind"] == kind]
    keys = ["place", "year"]
    return pair(other.set_index(keys)["population"], people.set_index(keys)["population"])


def hospital(load: Load, place: str, measure: str, column: str) -> pd.DataFrame:
    """Quoted NHS figures and the tabulation's months, whole years."""
    points = load("quoted_figures")
    points = points[(points["place"] == place) & (points["measure"] == measure)]
    # "y/e Mar 2018 (peak)" and "2017/18" name the same year.
    named = points["period"].str.extract(r"(?:y/e Mar (?P<ends>\d{4})|^(?P<year>\d{4}/\d{2}))")
    ends = named["ends"].map(lambda y: periods.label(int(y) - 1), na_action="ignore")
    first = points.assign(year=named["year"].fillna(ends)).dropna(subset=["year"])
    table = load("hospital_admissions")
    sums = whole_years(table[table["region"] == place], column)
    return pair(first.set_index("year")["value"], sums, place)
