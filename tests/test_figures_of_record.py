"""What a careful reader checks first, from the shipped tables alone.

Each number here was printed by someone else, or is worked out by hand from numbers that were;
the comment beside it says where. If one of these fails, a table is wrong or a definition moved.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from crime_analysis import catalog, funding, periods, places, prices


@pytest.fixture(scope="module")
def officers() -> pd.DataFrame:
    """Officers, full-time equivalents: forces down, days across."""
    table = catalog.load("officers")
    return table.pivot(index="force", columns="date", values="officers_fte")


@pytest.fixture(scope="module")
def crime() -> pd.DataFrame:
    return catalog.load("recorded_crime")


@pytest.fixture(scope="module")
def money() -> pd.DataFrame:
    return catalog.load("funding")


@pytest.fixture(scope="module")
def price_table() -> pd.DataFrame:
    return catalog.load("prices")


@pytest.fixture(scope="module")
def amount(money) -> Callable[..., float]:
    """Return one amount in £ million."""

    def find(force: str, year: str, component: str, series: str = "hmic_estimates") -> float:
        rows = money[
            (money["force"] == force)
            & (money["financial_year"] == year)
            & (money["component"] == component)
            & (money["series"] == series)
        ]
        assert len(rows) == 1
        return float(rows["value_gbp_m"].iloc[0])

    return find


MET = "Metropolitan Police"


# Officers


@pytest.mark.parametrize(
    ("day", "printed"),
    [
        # HMIC, Value for Money profiles 2010, underlying data, officers in post.
        ("2005-03-31", 31_073.37),
        ("2006-03-31", 30_947.62),
        # Home Office, Police workforce open data, July 2022.
        ("2010-03-31", 33_366.55),
        ("2015-03-31", 32_251.61),
        ("2018-03-31", 30_390.23),
    ],
)
def test_the_mets_officers_are_those_of_the_home_office(officers, day, printed):
    assert round(officers.loc[MET, day], 2) == printed


def test_there_are_43_forces_on_18_days_and_none_is_missing(officers):
    assert officers.shape == (43, 18)
    assert list(officers.columns) == [f"{year}-03-31" for year in range(2005, 2023)]
    assert officers.notna().all(axis=None)
    assert (officers > 500).all(axis=None)


@pytest.mark.parametrize(
    ("day", "printed"),
    [
        # Home Office, as the Guardian and others print them: 143,734 and 123,142.
        ("2010-03-31", 143_734),
        ("2017-03-31", 123_142),
    ],
)
def test_the_forces_officers_add_up_to_the_country(officers, day, printed):
    assert officers[day].sum() == pytest.approx(printed, abs=1)


def test_officers_fell_by_about_15_per_cent_to_2017(officers):
    change = officers["2017-03-31"] / officers["2010-03-31"] - 1
    # National Audit Office, September 2018: 15 per cent. By hand: -15.2 the mean of the forces,
    # -14.3 the country's (Draca and Langella 2020 print -14.3 for 2010 to 2019).
    assert round(100 * change.mean()) == -15
    assert round(100 * change.mean(), 1) == -15.2
    total = officers.sum()
    assert round(100 * (total["2017-03-31"] / total["2010-03-31"] - 1), 1) == -14.3


def test_the_met_lost_fewer_officers_than_the_other_forces(officers):
    total = officers.drop(index=MET).sum()
    others = total["2017-03-31"] / total["2010-03-31"] - 1
    met = officers.loc[MET, "2017-03-31"] / officers.loc[MET, "2010-03-31"] - 1
    # By hand from the sums above: -5.5 against -17.0 per cent.
    assert round(100 * met, 1) == -5.5
    assert round(100 * others, 1) == -17.0


def test_the_met_first_falls_below_30000_in_march_2018():
    monthly = catalog.load("met_strength_monthly").set_index("month")["officers_fte"]
    below = monthly[monthly < 30_000]
    # MOPAC, Police Force Strength.
    assert below.index[0] == "2018-03"
    assert below.iloc[0] == 29_924
    # The same month is 30,390 in the Home Office's count: two series, never one.
    assert monthly["2018-03"] < 30_390.23


def test_officers_per_thousand_londoners_fell_by_a_sixth(officers):
    people = catalog.load("population")
    met = people[(people["place"] == MET) & (people["kind"] == "force")].set_index("year")
    # Mayor of London 2018: "lowest for twenty years", 4.1 to 3.3 per 1,000 by MOPAC's count,
    # which is lower; by the Home Office's 4.1 to 3.4.
    before = 1000 * officers.loc[MET, "2010-03-31"] / met.at[2010, "population"]
    after = 1000 * officers.loc[MET, "2018-03-31"] / met.at[2017, "population"]
    assert before == pytest.approx(4.1, abs=0.06)
    assert after == pytest.approx(3.4, abs=0.06)


def test_essex_in_2008_is_hmics_count_and_no_other_figure_is():
    overlap = catalog.load("officers_overlap")
    chosen = overlap[overlap["used"] == "hmic"]
    assert chosen[["force", "date", "measure"]].to_numpy().tolist() == [
        ["Essex", "2008-03-31", "officers"]
    ]
    # Exactly 700 apart: 2,684.77 in the open data, 3,384.77 at HMIC.
    assert chosen["hmic_fte"].iloc[0] == 3_384.77
    assert chosen["open_data_fte"].iloc[0] == 2_684.77
    shipped = catalog.load("officers").set_index(["force", "date"])
    assert shipped.loc[("Essex", "2008-03-31"), "officers_fte"] == 3_384.77
    assert ";" in shipped.loc[("Essex", "2008-03-31"), "source"]
    assert len(overlap) == 43 * 3 * 3


# Recorded crime


@pytest.mark.parametrize(
    ("group", "year", "printed"),
    [
        # Home Office, recorded crime open data: the rise as recording was reformed.
        ("violence_against_the_person", "2013/14", 128_556),
        ("violence_against_the_person", "2014/15", 161_058),
        ("violence_against_the_person", "2015/16", 185_562),
        # Homicide over the same years hardly moves.
        ("homicide", "2013/14", 110),
        ("homicide", "2015/16", 114),
        # ONS, Police Force Area data tables, year ending March 2019, Table P5.
        ("knife_offences", "2010/11", 13_341),
        ("knife_offences", "2018/19", 14_842),
    ],
)
def test_the_mets_offences_are_those_published(crime, group, year, printed):
    rows = crime[
        (crime["force"] == MET)
        & (crime["offence_group"] == group)
        & (crime["financial_year"] == year)
    ]
    assert rows["offences"].tolist() == [printed]


def test_recorded_crime_has_whole_years_only_and_all_forces_in_each(crime):
    counts = crime.groupby(["offence_group", "financial_year"])["force"].nunique().unstack()
    assert list(counts.columns) == periods.span("2002/03", "2022/23")
    knife = counts.loc["knife_offences"].dropna()
    # ONS Table P5 covers 2010/11 to 2018/19; every other group covers every year.
    assert list(knife.index) == periods.span("2010/11", "2018/19")
    assert (counts.drop(index="knife_offences") == 43).all(axis=None)
    assert (knife == 43).all()
    assert not (crime["offences"] < 0).any()


def test_the_last_year_is_no_part_of_a_year(crime):
    totals = crime[crime["offence_group"] == "total_excluding_fraud"]
    by_year = totals.groupby("financial_year")["offences"].sum()
    # 2023/24 has one quarter in the edition of October 2023; a quarter would be a fall of 75%.
    assert by_year.index[-1] == "2022/23"
    assert by_year.pct_change().min() > -0.2  # the pandemic year is the worst
    assert by_year.pct_change().idxmin() == "2020/21"


def test_knife_offences_of_the_country_are_the_printed_total_without_the_railways(crime):
    knife = crime[crime["offence_group"] == "knife_offences"]
    total = knife.groupby("financial_year")["offences"].sum()
    # P5: England and Wales 47,136 in 2018/19 and 25,588 in 2013/14, British Transport Police in.
    assert 46_700 < total["2018/19"] < 47_136
    assert 25_200 < total["2013/14"] < 25_588


# Money


def test_governments_share_before_the_cuts(money):
    share = funding.government_share(money).set_index("force")["share_all_grants"]
    # Index of the official files, from HMIC's 2010 workbook; IFS BN179 prints 54% and 88%.
    printed = {"Surrey": 54.8, MET: 79.1, "Northumbria": 88.7}
    assert {force: round(100 * share[force], 1) for force in printed} == printed
    assert share.idxmin() == "Surrey"
    assert len(share) == 43


@pytest.mark.parametrize(
    ("component", "printed"),
    [
        # HMIC, Value for Money profiles 2010: the Met's financing in 2009/10, £ million.
        ("formula_funding", 1_978.3),
        ("crime_fighting_fund", 73.0),
        ("rule_2_grant", 54.7),
        ("pcso_grant", 96.6),
    ],
)
def test_the_mets_grants_before_the_cuts(amount, component, printed):
    assert round(amount(MET, "2009/10", component), 1) == printed


def test_the_police_authoritys_own_papers_print_the_same_formula_funding(amount):
    # Metropolitan Police Authority, 18 December 2008: £1,978.281m for 2009/10.
    assert amount(MET, "2009/10", "formula_funding", "mpa_settlement") == pytest.approx(
        amount(MET, "2009/10", "formula_funding"), abs=0.002
    )


def test_700_million_can_be_made_of_the_core_grant_and_what_was_folded_into_it(amount, price_table):
    folded = ("formula_funding", "crime_fighting_fund", "rule_2_grant", "pcso_grant")
    before = sum(amount(MET, "2009/10", component) for component in folded)
    after = amount(MET, "2017/18", "formula_funding")
    # Design, figures of record: £2,202.6m, in 2017/18 prices about £2,510m, against £1,791.9m.
    assert round(before, 1) == 2_202.6
    assert round(after, 1) == 1_791.9
    real = prices.to_real(pd.Series([before]), pd.Series(["2009/10"]), "2017/18", price_table).iloc[
        0
    ]
    # The deflator is revised by up to half a per cent from one release to the next: £12m.
    assert real == pytest.approx(2_510, abs=12)
    assert after - real == pytest.approx(-718, abs=12)
    # "Nearly 40 per cent" is of the later figure; of the earlier one it is 29.
    assert round(100 * (after / real - 1)) == -29
    assert round(100 * (after - real) / after) == -40


@pytest.mark.parametrize(
    ("force", "change"),
    [("Northumbria", -23.7), ("West Midlands", -22.4), ("Durham", -21.5), ("Surrey", -11.9)],
)
def test_grants_and_council_tax_in_real_terms_from_outturn(money, price_table, force, change):
    # DCLG and MHCLG, Revenue Outturn Summary 2010-11 and 2017-18, by the deflator of June 2025;
    # the NAO (2018) prints -24 for West Midlands and -11 for Surrey to 2018-19.
    series = funding.real_by_source(money, price_table, force, "2017/18")
    outturn = series[series["series"] == "outturn"].set_index("financial_year")
    real = outturn["funding_real_gbp_m"]
    assert 100 * (real["2017/18"] / real["2010/11"] - 1) == pytest.approx(change, abs=0.06)


def test_the_deflator_has_risen_by_14_per_cent_from_2009_10_to_2017_18(price_table):
    level = price_table.set_index("financial_year")
    # ONS YBGB, 30 June 2025: 76.35 and 87.0, means of four printed quarters.
    assert level.at["2009/10", "gdp_deflator"] == pytest.approx(76.35)
    assert level.at["2017/18", "gdp_deflator"] == pytest.approx(87.0)
    # CPIH rose faster (88.4 to 104.2): by it the cut would be larger.
    assert level.at["2017/18", "cpih"] / level.at["2009/10", "cpih"] > 87.0 / 76.35


def test_estimates_cover_all_forces_and_outturn_the_english_ones(money):
    grants = money[money["component"] == "government_grants"]
    covered = grants.groupby("series")["force"].agg(set)
    assert covered["hmic_estimates"] == set(places.FORCES)
    assert covered["outturn"] == set(places.FORCES) - {
        MET, "City of London", *places.WELSH_FORCES
    }  # fmt: skip
    years = grants.groupby("series")["financial_year"].agg(lambda s: sorted(set(s)))
    assert years["hmic_estimates"] == ["2009/10", *periods.span("2012/13", "2017/18")]
    assert years["outturn"] == [*periods.span("2010/11", "2014/15"), "2017/18"]


# City Hall's net spending per head, £423 to £337


@pytest.fixture(scope="module")
def residents() -> Callable[..., float]:
    """Return the Met's residents in millions: mid-year estimates, or on another basis."""
    estimates = catalog.load("population")
    others = catalog.load("population_other_bases")

    def find(year: int, basis: str | None = None) -> float:
        table = estimates if basis is None else others[others["basis"] == basis]
        rows = table[(table["place"] == MET) & (table["kind"] == "force") & (table["year"] == year)]
        assert len(rows) == 1
        return float(rows["population"].iloc[0]) / 1e6

    return find


def test_423_a_head_is_net_expenditure_over_a_population_from_before_the_census(amount, residents):
    net = amount(MET, "2012/13", "net_revenue_expenditure")
    # HMIC, Value for Money profiles 2012: net expenditure £2,624.2m and grants £677.7m.
    assert net == pytest.approx(2_624.232 + 677.6585)
    before = residents(2010, "hmic_2012")
    # The same workbook, sheet Populations: 7,813.5 thousand. ONS now has 8,054 for mid-2010.
    assert before == 7.8135
    assert before / residents(2010) == pytest.approx(0.970, abs=0.001)
    assert round(net / before) == 423
    # No mid-year estimate of ONS gives it: £410, £403, £398.
    assert [round(net / residents(y)) for y in (2010, 2011, 2012)] == [410, 403, 398]


def test_337_a_head_leaves_national_policing_gross_and_takes_off_other_income(amount, residents):
    gross = amount(MET, "2016/17", "gross_revenue_expenditure")
    income = amount(MET, "2016/17", "income_outside_national_policing")
    # HMIC, Value for Money profiles 2016, sheets 8_GRE and 2_Total_income.
    assert (gross, income) == (3_225.01, 303.444)
    assert round((gross - income) / residents(2015)) == 337
    # As printed, net of all grants for national policing, it would be £295.
    printed = amount(MET, "2016/17", "net_revenue_expenditure") - amount(
        MET, "2016/17", "specific_grants"
    )
    assert printed == pytest.approx(2_551.086)
    assert round(printed / residents(2015)) == 295


def _per_head(amount, residents, first: int, second: int, basis: str | None = None) -> float:
    """Return the fall per head with the residents of two mid-years, in per cent."""
    # Only the first year's population is ever on another basis.
    before = amount(MET, "2012/13", "net_revenue_expenditure") / residents(first, basis)
    gross = amount(MET, "2016/17", "gross_revenue_expenditure")
    income = amount(MET, "2016/17", "income_outside_national_policing")
    return 100 * ((gross - income) / residents(second) / before - 1)


def test_the_fall_of_20_per_cent_is_16_with_one_population_for_both_years(amount, residents):
    # City Hall, June 2018: -20%. Of the 4 points two and a half are an estimate from before the
    # Census of 2011, the rest that it is of 2010.
    assert round(_per_head(amount, residents, 2010, 2015, "hmic_2012")) == -20
    assert round(_per_head(amount, residents, 2010, 2015)) == -18
    # ONS for both, a year before the budget's or in it: -16%.
    assert round(_per_head(amount, residents, 2011, 2015)) == -16
    assert round(_per_head(amount, residents, 2012, 2016)) == -16
    # City Hall's own two figures with its first one on ONS's mid-2011: -16% too.
    net = amount(MET, "2012/13", "net_revenue_expenditure")
    assert round(100 * (337 / (net / residents(2011)) - 1)) == -16


def test_by_one_meaning_of_net_expenditure_the_fall_is_15_per_cent(amount, residents):
    # The two figures are not made alike: by what grants, tax and reserves pay for in both years
    # it is £403 to £343 a head, -15%, and £337 is not reached with any estimate of 2015 or 2016.
    before, after = (amount(MET, y, "net_revenue_expenditure") for y in ("2012/13", "2016/17"))
    assert round(after, 3) == 2_967.998
    heads = [before / residents(2011), after / residents(2015)]
    assert [round(h) for h in heads] == [403, 343]
    assert round(100 * (heads[1] / heads[0] - 1)) == -15
    assert round(after / residents(2016)) == 339


def test_the_other_forces_fell_by_6_per_cent_on_city_halls_reckoning(money):
    # City Hall, June 2018: "-20% vs -6% nationally". The 42 others, added up.
    def total(component: str, year: str) -> float:
        rows = money[
            (money["component"] == component)
            & (money["financial_year"] == year)
            & (money["series"] == "hmic_estimates")
            & (money["force"] != MET)
        ]
        assert len(rows) == 42
        return float(rows["value_gbp_m"].sum())

    others = catalog.load("population_other_bases").query("basis == 'hmic_2012' and place != @MET")
    forces = catalog.load("population").query("kind == 'force' and place != @MET and year == 2015")
    before = total("net_revenue_expenditure", "2012/13") / others["population"].sum()
    after = total("gross_revenue_expenditure", "2016/17") - total(
        "income_outside_national_policing", "2016/17"
    )
    assert round(100 * (after / forces["population"].sum() / before - 1)) == -6


# Knife crime under its definitions


def test_knife_crime_in_london_has_several_counts_and_each_is_a_series_of_its_own():
    table = catalog.load("knife_offences")
    met = table[table["place"] == MET].set_index(["definition", "period"])["offences"]
    # INDEX of the official files: 15,928 on the old basis, 14,680 on the current one.
    assert met["Home Office, older basis (quoted)", "2019/20"] == 15_928
    assert met["Home Office, current definition (quoted)", "2019/20"] == 14_680
    # ONS, Table P5 of the years ending March and December 2019: 11,377 and 11,376.
    assert met["selected offences, definition to March 2019", "2012/13"] == 11_377
    assert met["selected offences, as revised to December 2019", "2012/13"] == 11_376
    assert met["selected offences, as revised to December 2019", "year ending 2019-12"] == 15_462
    assert not table.duplicated(["definition", "place", "period"]).any()
    assert table.groupby("definition")["kind"].nunique().max() == 1


def test_revisions_of_knife_offences_are_listed_and_large():
    table = catalog.load("knife_revisions").set_index(["force", "period"])
    # ONS, Table P5: Surrey's year to March 2018, first and last printed.
    surrey = table.loc[("Surrey", "2017/18")]
    assert (surrey["first_edition"], surrey["first_offences"]) == ("2018-03", 58)
    assert (surrey["last_edition"], surrey["last_offences"]) == ("2019-12", 436)
    assert (table["first_edition"] < table["last_edition"]).all()
    assert (table["first_offences"] != table["last_offences"]).all()


# People


@pytest.mark.parametrize(
    ("place", "kind", "year", "printed"),
    [
        # ONS mid-year estimates before the 2021 Census: London without the City, mid-2017;
        # London is 8,825,001 and the City 7,654.
        (MET, "force", 2017, 8_825_001 - 7_654),
        # ONS: Barnet and the City, mid-2020.
        ("Barnet", "borough", 2020, 399_007),
        ("City of London", "force", 2020, 10_938),
    ],
)
def test_residents_are_those_of_the_mid_year_estimates(place, kind, year, printed):
    people = catalog.load("population")
    rows = people[(people["place"] == place) & (people["kind"] == kind) & (people["year"] == year)]
    assert rows["population"].tolist() == [printed]


def test_the_boroughs_are_the_mets_whole_district():
    people = catalog.load("population")
    boroughs = people[people["kind"] == "borough"].groupby("year")["population"].sum()
    met = people[(people["place"] == MET)].set_index("year")["population"]
    assert (boroughs == met).all()
    # 43 forces and 32 boroughs from 2001 to 2020.
    assert len(people) == (43 + 32) * 20


def test_the_mets_deprivation_is_its_boroughs_weighted_by_residents() -> None:
    boroughs = catalog.load("places").query("kind == 'borough'").set_index("code")["place"]
    scores = catalog.load("deprivation").query("year == 2010")
    scores = scores.assign(place=scores["code"].map(boroughs)).dropna(subset="place")
    people = catalog.load("population").query("kind == 'borough' and year == 2010")
    both = scores.set_index("place").join(people.set_index("place")["population"])
    assert len(both) == 32
    forces = catalog.load("deprivation_force").query("year == 2010").set_index("force")["score"]
    expected = np.average(both["score"], weights=both["population"])
    assert forces["Metropolitan Police"] == pytest.approx(expected, rel=1e-9)
    assert len(forces) == 39  # the Welsh forces have no score in the English indices
    assert not {"Gwent", "North Wales", "South Wales", "Dyfed-Powys"} & set(forces.index)
