"""Officers by every count and violence by every measure: the numbers, and what is said of them."""

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import crime_analysis as ca
from crime_analysis.checks import Verdict
from crime_analysis.errors import UnknownNameError
from crime_analysis.findings import (
    claims,
    exchanged,
    link_evidence,
    measures,
    officers_bought,
    season,
    strength,
)
from crime_analysis.findings.headline_links import headline_links
from crime_analysis.findings.violence_change import violence_change
from crime_analysis.links import Link
from crime_analysis.prose import Text
from crime_analysis.story import (
    borough_changes,
    bought,
    knife,
    officers,
    summer,
    thirty_thousand,
    timeline,
    violence,
)

MET = "Metropolitan Police"
YEARS = ("2009/10", "2017/18")
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
shipped = cache(ca.load)


def load_with(**altered):
    """The shipped tables, some of them altered."""
    return lambda name: altered[name] if name in altered else shipped(name)


@pytest.fixture(scope="module")
def held():
    return strength.counts(MET, shipped)


@pytest.fixture(scope="module")
def link():
    panel = ca.force_panel("2007/08", "2018/19", price_base="2017/18")
    return headline_links(panel, shipped("breaks"))["officers"]


@pytest.fixture(scope="module")
def years():
    return measures.yearly(MET, shipped)


@pytest.fixture(scope="module")
def months():
    return season.series(MET, shipped)


def figure(held, count, date):
    row = held[(held["count"] == count) & (held["date"] == date)]
    assert len(row) == 1
    return row["officers_fte"].iloc[0]


# Officers, by every count


def test_the_counts_are_those_of_record(held):
    """DESIGN.md, figures of record; INDEX.md: March 2015 as first published."""
    assert figure(held, strength.OFFICE, "2010-03-31") == pytest.approx(33_366.55)
    assert figure(held, strength.OFFICE, "2018-03-31") == pytest.approx(30_390.23)
    assert figure(held, strength.MONTHLY, "2018-03") == 29_924
    assert figure(held, strength.FIRST_PRINTED, "2015-03-31") == pytest.approx(31_877.24)
    assert figure(held, strength.OLDER_BASIS, "2003-03-31") == 28_231


def test_no_count_holds_a_day_twice_and_a_month_ends_with_its_last_day(held):
    assert not held.duplicated(["count", "date"]).any()
    month = held[held["date"] == "2018-03"]
    assert month["when"].tolist() == [pd.Timestamp("2018-03-31")]


def test_city_halls_rates_come_from_the_counts(held):
    """Statement of 27 June 2018: 4.1 officers per 1,000 Londoners in 2010, 3.3 in 2018."""
    rate = held.set_index(["count", "date"])["per_1000"]
    assert round(rate[strength.OFFICE, "2010-03-31"], 1) == 4.1
    assert round(rate[strength.MONTHLY, "2018-06"], 1) == 3.3
    ends = officers.moved(held, *YEARS, "per_1000")
    assert ends.loc[strength.OFFICE, "after"] == rate[strength.OFFICE, "2018-03-31"]


def test_the_line_is_first_crossed_in_march_2018_by_one_count_and_never_by_the_other(held):
    """DESIGN.md: MOPAC's series first falls below 30,000 in March 2018."""
    line, fifteen, twenty = strength.claimed_line(shipped)
    assert (line, fifteen, twenty) == (30_000, 15, 20)
    rows = strength.first_below(held, line).set_index("count")
    assert rows.loc[strength.MONTHLY, "first_below"] == "2018-03"
    assert rows.loc[strength.OFFICE, "below"] == 0
    assert rows.loc[strength.OLDER_BASIS, "below"] == 3
    since = strength.since_below(held, line).set_index("count")
    row = since.loc[strength.MONTHLY]
    assert (row["last_below"], row["not_below_from"]) == ("2003-03-31", "2005-03-31")
    assert row["least_years"] == pytest.approx(13, abs=0.01)
    assert row["most_years"] == pytest.approx(15, abs=0.01)
    assert pd.isna(since.loc[strength.OFFICE, "crossed"])


def test_two_counts_of_one_day_differ_by_up_to_a_sixtieth(held):
    """INDEX.md: 0.7 to 1.5% below the Home Office in the later edition, 0.1 to 0.9% before."""
    ratio = strength.in_office_terms(held)["ratio"]
    below = 1 - 1 / ratio
    assert below.loc[2014:].between(0.007, 0.0155).all()
    assert below.loc[:2013].between(0.001, 0.009).all()


def answers(held, years):
    rows = strength.lowest_for(held, years)
    return {
        (row.count_, row.unit): row.answer
        for row in rows.rename(columns={"count": "count_"}).itertuples()
    }


def test_twenty_years_are_contradicted_by_number_and_left_open_per_head(held):
    """Older counts of 2001 to 2003 are far below; 1998 to 2000 are not on hand."""
    told = answers(held, 20)
    assert told[strength.OFFICE, "officers_fte"] == told[strength.MONTHLY, "officers_fte"] == "no"
    assert told[strength.OFFICE, "per_1000"] == told[strength.MONTHLY, "per_1000"] == "cannot tell"
    assert set(answers(held, 15).values()) == {"cannot tell"}
    assert answers(held, 10)[strength.MONTHLY, "officers_fte"] == "yes"


def test_a_lower_year_in_the_same_count_is_enough_to_contradict(held):
    lower = held.copy()
    lower.loc[
        (lower["count"] == strength.OFFICE) & (lower["date"] == "2013-03-31"), "officers_fte"
    ] = 30_390
    assert answers(lower, 10)[strength.OFFICE, "officers_fte"] == "no"
    # By another count a difference as small as two counts of a day have says nothing.
    assert answers(lower, 10)[strength.MONTHLY, "officers_fte"] == "yes"


def test_a_gap_in_a_count_is_filled_only_by_another_that_is_clearly_higher(held):
    gap = held[held["date"] != "2012-03-31"]
    row = (
        strength.lowest_for(gap, 10)
        .set_index(["count", "unit"])
        .loc[strength.OFFICE, "officers_fte"]
    )
    assert (row["reach_years"], row["answer"]) == (5, "yes")
    months = gap["date"].str.startswith("2012-")
    near = gap.assign(officers_fte=gap["officers_fte"].where(~months, 30_500))
    assert answers(near, 10)[strength.OFFICE, "officers_fte"] == "cannot tell"
    assert answers(gap[~months], 10)[strength.OFFICE, "officers_fte"] == "cannot tell"


def test_the_line_is_crossed_where_the_last_spell_below_it_begins(held):
    dip = held.copy()
    dip.loc[(dip["count"] == strength.MONTHLY) & (dip["date"] == "2014-01"), "officers_fte"] = (
        29_000
    )
    row = strength.since_below(dip, 30_000).set_index("count").loc[strength.MONTHLY]
    assert (row["crossed"], row["last_below"]) == ("2018-03", "2014-01")
    assert row["last_below_count"] == strength.MONTHLY
    # What came after the article does not bear on it.
    later = dip[dip["date"] > "2018-08"].assign(officers_fte=20_000)
    both = pd.concat([dip[dip["date"] <= "2018-08"], later])
    pd.testing.assert_series_equal(
        strength.since_below(both, 30_000).set_index("count").loc[strength.MONTHLY], row
    )


@pytest.mark.parametrize("factor", [1.0, 0.8])
def test_the_claims_are_told_as_the_officers_are(held, factor):
    """One rule: notebook 09 reads what notebook 03 reads, whatever the figures."""
    quoted = shipped("quoted_figures").copy()
    old = quoted["measure"] == "police_officers_fte"
    quoted.loc[old, "value"] /= factor
    load = load_with(quoted_figures=quoted)
    told = answers(strength.counts(MET, load), 20)
    words = {True: "yes", False: "no", None: "cannot tell"}
    found = claims.check_claims(load, only="fewest-in-20-years").readings
    units = found["unit"].replace({"officers": "officers_fte"})
    counts = [
        strength.OFFICE if "Home Office" in d else strength.MONTHLY for d in found["definition"]
    ]
    assert [words[a] for a in found["agrees"]] == [
        told[key] for key in zip(counts, units, strict=True)
    ]


def test_what_is_said_of_the_line_turns_with_the_figures(held):
    claim = strength.claimed_line(shipped)
    assert "fell below 30,000 in March 2018" in str(thirty_thousand.answer(held, MET, *claim))
    more = held.assign(officers_fte=held["officers_fte"] + 10_000)
    told = str(thirty_thousand.answer(more, MET, *claim))
    assert "in no month before the article below 30,000" in told
    assert "first time in" not in told
    kent = strength.counts("Kent", shipped)
    assert "Metropolitan Police alone" in str(thirty_thousand.crossing(kent, "Kent", 30_000))
    assert thirty_thousand.crossing_table(kent, "Kent", 30_000) is None
    told = str(thirty_thousand.answer(kent, "Kent", *claim))
    assert told.startswith("Fewest for 15 years")
    assert "30,000" not in told


def test_boroughs_jump_in_march_2012_and_total_what_the_table_says():
    """INDEX.md: several boroughs jump 6 to 10% in March 2012, a restructure."""
    posts = strength.borough_posts(shipped)
    assert len(posts) == 32
    assert ((posts["jump"] > 0.06) & (posts["jump"] < 0.10)).sum() >= 4
    table = shipped("borough_officers_monthly")
    total = table.loc[table["month"] == "2015-03", "officers_fte"].sum()
    assert posts["last"].sum() == pytest.approx(total)
    drawn = officers.boroughs(posts, shipped("breaks"), MET)
    assert f"{(posts['after'] < 0).sum()} lost officers" in drawn.title
    assert "the Met restructured" in drawn.source


def test_roles_are_compared_only_where_both_years_are_known():
    people = strength.roles(MET, shipped)
    drawn = officers.by_role(people, MET, *YEARS)
    assert "special constables" not in drawn.title
    assert "No figure for both years: special constables" in drawn.source
    assert "special constables rose" in officers.by_role(people, MET, "2008/09", "2012/13").title
    assert (
        "the Met alone" in officers.by_role(strength.roles("Gwent"), "Gwent", *YEARS).svg.decode()
    )


# Officers and money


def test_officers_for_each_million_are_officers_over_money(link):
    """DESIGN.md: 30,390.23 officers; the estimates of 2017/18 need no deflating at its prices."""
    found = officers_bought.bought(MET, link, *YEARS, "2017/18", shipped)
    money = (
        shipped("funding")
        .query("force == @MET and financial_year == '2017/18' and series == 'hmic_estimates'")
        .set_index("component")["value_gbp_m"]
    )
    paid = money["government_grants"] + money["council_tax"]
    assert found.at("2017/18")["officers_per_gbp_m"] == pytest.approx(30_390.23 / paid)
    elasticity = link.table.loc[link.headline, "estimate"]
    assert found.per_gbp_m["estimate"] == pytest.approx(elasticity * 30_390.23 / paid)
    assert (
        found.implied_lost["ci_low"]
        < found.implied_lost["estimate"]
        < found.implied_lost["ci_high"]
    )


def shifted(link, low, high):
    table = link.table.copy()
    table.loc[link.headline, ["ci_low", "ci_high"]] = [low, high]
    return Link(link.cause, link.outcome, table, link.first_stages, link.headline, link.fits)


@cache
def first_link():
    evidence = link_evidence.funding_evidence(ca.force_panel("2007/08", "2018/19"), *YEARS)
    return evidence, exchanged.alarms(evidence, 99)


def judged(word):
    evidence, alarms = first_link()
    return replace(evidence, verdict=Verdict(word, ())), alarms


def test_officers_for_money_begin_with_what_the_checks_of_the_link_leave(link):
    found = officers_bought.bought(MET, link, *YEARS, "2017/18", shipped)
    evidence, alarms = first_link()
    assert evidence.verdict.word == "cannot tell"
    told = str(bought.answer(found, evidence, alarms))
    assert told.startswith("These data cannot tell how many officers go with £1m")
    assert "fails its checks of pre-trends and drift. Before any check: With 95%" in told


@pytest.mark.parametrize(("low", "high"), [(-0.2, 1.9), (1.9, 0.4), (-np.inf, np.inf)])
def test_an_interval_that_tells_nothing_gives_no_officers_for_money(link, low, high):
    found = officers_bought.bought(MET, shifted(link, low, high), *YEARS, "2017/18", shipped)
    told = str(bought.answer(found, *judged("association")))
    assert told.startswith("These data cannot tell")
    assert "associated" not in told
    assert "nan" not in told


def test_the_ratio_is_said_without_a_cause(link):
    found = officers_bought.bought(MET, link, *YEARS, "2017/18", shipped)
    answer = bought.answer(found, *judged("association"))
    told = f"{answer} {bought.ratio(found, shipped('breaks')).title}"
    assert told.startswith("With 95% confidence")
    assert "associated" in told
    assert "That 95% is nominal" in told
    assert not re.search(r"\b(because|caused|bought|due to|led to)\b", told)


# Violence, by every measure


def test_violence_and_the_other_measures_part_as_recorded(years):
    """DESIGN.md: violence against the person 128,556, 161,058, 185,562 in 2013/14 to 2015/16."""
    counted = years["violence_against_the_person"].loc["2013/14":"2015/16"]
    assert counted.tolist() == [128_556, 161_058, 185_562]
    rows = measures.parting(years, shipped("breaks"), MET)
    assert rows.loc["violence_against_the_person", "change"] == pytest.approx(185_562 / 128_556 - 1)
    assert rows.loc[rows["touched"], "change"].min() > rows.loc[~rows["touched"], "change"].max()
    assert "outran every other" in violence.indexed(years, shipped("breaks"), MET).title


def test_which_measures_recording_touched_is_read_off_the_register():
    register = shipped("breaks")
    told = measures.touched(register)
    assert told[["severity", "violence_with_injury", "violence_against_the_person"]].all()
    assert not told[["homicide", "admissions", "robbery", "knife_offences"]].any()
    assert not measures.touched(register[register["id"] != "recording-inspection"]).any()


def test_measures_dealt_out_at_random_no_longer_part(years):
    rng = np.random.default_rng(1)
    dealt = years.copy()
    order = rng.permutation([name for name in years if years[name].notna().all()])
    for name, other in zip(sorted(order), order, strict=True):
        dealt[name] = years[other].to_numpy()
    told = violence.indexed(dealt, shipped("breaks"), MET).title
    assert "do not part" in told


def test_a_measure_of_few_events_is_not_indexed_and_the_chart_says_so():
    few = measures.yearly("Dyfed-Powys", shipped)
    assert "homicide" not in measures.index(few)
    assert np.allclose(measures.index(few).loc[measures.BASE], 100)
    drawn = violence.indexed(few, shipped("breaks"), "Dyfed-Powys")
    assert "homicide" in drawn.source
    assert few["admissions"].isna().all()  # Wales is not in the English hospital figures


def test_a_measure_whose_recording_the_force_itself_changed_is_not_compared_across_it():
    """The register: Thames Valley's system flags knives from April 2014, Surrey's from 2016."""
    register, force = shipped("breaks"), "Thames Valley"
    years = measures.yearly(force, shipped)
    rows = measures.parting(years, register, force)
    assert rows.index[rows["crossed"]].tolist() == ["knife_offences"]
    drawn = violence.parted(rows, force)
    assert "knife offences" not in drawn.alt
    assert "so not compared: knife offences" in drawn.source
    for place, last in (("Surrey", "2015/16"), (force, "2013/14")):
        counted = measures.knife_crime(place, shipped)
        told = knife.by_definition(counted, register, place, *YEARS).title
        assert f"from 2010/11 to {last} by" in told
        assert "years across a change in recording are not compared" in told


def test_a_quarter_of_past_deaths_makes_no_season():
    """The register: South Yorkshire counts the deaths of 1989 in April to June 2016."""
    force = "South Yorkshire"
    found = season.series(force, shipped)
    assert found.counts["homicide"].loc[2016].isna().all()
    table = season.multiplicative(found, "homicide")
    assert table.empty or table.attrs["p_value"] > 0.05
    rows = measures.homicides("City of London", shipped("breaks"), "2017/18", shipped)
    assert rows["against_end"].isna().all()


@pytest.mark.parametrize(
    ("force", "why"),
    [
        ("City of London", "homicides, 2 and 2, are too few to compare"),
        ("Greater Manchester", "not all years are in the rates, because one event dominates"),
    ],
)
def test_homicides_that_are_not_compared_say_why_and_few_offences_are_counted(force, why):
    register = shipped("breaks")
    years = measures.yearly(force, shipped)
    told = str(violence.changes(violence_change(force, *YEARS, shipped), years, register))
    assert why in told
    few = years.loc["2009/10", "robbery"] < measures.FEWEST_FOR_INDEX
    assert few == ("robbery went from" in told)


def test_homicides_of_one_event_are_shown_and_not_compared():
    """The register: South Yorkshire's 2016/17 counts deaths of a past event."""
    rows = measures.homicides("South Yorkshire", shipped("breaks"), "2017/18", shipped)
    assert rows.loc["2016/17", "event"]
    assert pd.isna(rows.loc["2016/17", "against_end"])
    assert "2016/17" in violence.homicide(rows, "South Yorkshire", "2017/18").source


def test_a_year_of_one_event_is_not_called_a_rise():
    """The register: Greater Manchester's 2017/18 counts the victims of the Arena bombing."""
    force, register = "Greater Manchester", shipped("breaks")
    assert np.isnan(measures.homicide_ratio(force, register, *YEARS, shipped).estimate)
    change = violence_change(force, *YEARS, shipped)
    assert change.homicides["years"].tolist() == [3, 2]
    told = str(violence.changes(change, measures.yearly(force, shipped), register))
    assert "homicides rose" not in told
    counted = change.homicides.loc["last"]
    without = shipped("recorded_crime").query(
        "force == @force and offence_group == 'homicide'"
        " and financial_year in ['2015/16', '2016/17']"
    )
    assert counted["homicides"] == without["offences"].sum()


def test_homicide_rates_are_compared_with_the_exact_interval(years):
    """scipy's binomial test of one count given both, by the residents of each year."""
    ratio = measures.homicide_ratio(MET, shipped("breaks"), *YEARS, shipped)
    people = shipped("population").query("place == @MET").set_index("year")["population"]
    share = people[2017] / (people[2017] + people[2009])
    exact = stats.binomtest(158, 158 + 117).proportion_ci(method="exact")
    low, high = (p / (1 - p) * (1 - share) / share for p in exact)
    assert (ratio.ci_low, ratio.ci_high) == pytest.approx((low, high))
    told = str(violence.changes(violence_change(MET, *YEARS, shipped), years, shipped("breaks")))
    assert "cannot tell a rise from a fall" in told
    # The register has the inspection of 2014 for violence, and nothing for robbery.
    crossed = told.partition("Recording changed in between, for ")[2].partition(".")[0]
    assert crossed == "violence with injury and violence against the person"


def test_definitions_of_knife_crime_are_never_joined():
    """INDEX.md: 15,928 on the old basis and 14,680 on the current one for 2019/20."""
    rows = measures.knife_crime(MET, shipped)
    assert not rows.duplicated(["definition", "financial_year"]).any()
    year = rows[rows["financial_year"] == "2019/20"].set_index("definition")["offences"]
    assert sorted(year) == [14_680, 15_928]
    # The dashboard begins in March 2022 and ends in February 2026: neither makes a year.
    own = rows[rows["definition"] == "Met dashboard, knife crime"]["financial_year"]
    assert own.tolist() == ["2022/23", "2023/24", "2024/25"]


def test_boroughs_add_up_and_tiny_counts_are_not_told_apart():
    rows = measures.boroughs(*YEARS, shipped)
    # Barking and Dagenham: 26 homicides on the new classes to 2017/18, 12 murders on the old.
    left = rows.loc[rows["disputed"].astype(bool), ["borough", "measure"]].to_numpy().tolist()
    assert ["Barking and Dagenham", "homicide"] in left
    drawn = borough_changes.changes(rows, MET)
    assert "is not judged in Barking and Dagenham" in drawn.title
    table = borough_changes.changes_table(rows, MET).table.frame.set_index(["borough", "measure"])
    assert pd.isna(table.at[("Barking and Dagenham", "homicide"), "change"])
    assert table.at[("Barking and Dagenham", "homicide"), "after"] == 26
    assert rows.attrs["span"] == ("2010/11", "2017/18")
    robbery = rows[rows["measure"] == "robbery"]
    table = shipped("borough_crime_monthly").query("classification == 'new'")
    inside = table["month"].between("2017-04", "2018-03")
    assert robbery["after"].sum() == table.loc[inside, "robbery"].sum()
    richmond = rows[(rows["borough"] == "Richmond upon Thames") & (rows["measure"] == "homicide")]
    assert richmond["ci_low"].iloc[0] < 0 < richmond["ci_high"].iloc[0]
    assert isinstance(borough_changes.changes(measures.boroughs("2019/20", "2022/23"), MET), Text)


# Season, and one summer


def test_the_season_is_that_of_a_poisson_model_with_years_and_months(months):
    """statsmodels' quasi-Poisson with a dummy for every year and month, and days as exposure."""
    import statsmodels.api as sm

    table = season.multiplicative(months, "violence_with_injury")
    long = months.counts["violence_with_injury"].rename("n").reset_index()
    long = long[long["fy_start"].between(2010, 2018)]
    first = pd.to_datetime(
        {
            "year": long["fy_start"] + (long["part"] > 8),
            "month": (long["part"] + 3) % 12 + 1,
            "day": 1,
        }
    )
    dummies = pd.get_dummies(long[["fy_start", "part"]].astype(str), dtype=float)
    design = sm.add_constant(dummies.drop(columns=["fy_start_2010", "part_0"]))
    days = np.log(first.dt.days_in_month)
    fit = sm.GLM(long["n"], design, family=sm.families.Poisson(), offset=days).fit(scale="X2")
    effects = np.array([0, *fit.params[[f"part_{part}" for part in range(1, 12)]]])
    ours = np.log(table["estimate"].to_numpy())
    np.testing.assert_allclose(ours - ours.mean(), effects - effects.mean(), atol=1e-9)
    assert table.attrs["dispersion"] == pytest.approx(fit.scale)


def test_months_dealt_out_within_years_show_a_season_once_in_twenty(months):
    rng = np.random.default_rng(5)
    days = np.array([season._days(year, part, 12) for year, part in months.counts.index])
    # Counts a day are dealt out: February has fewer days in any year.
    daily = (months.counts["violence_with_injury"] / days).groupby(level="fy_start")
    found = []
    for _ in range(60):
        dealt = daily.transform(lambda x: rng.permutation(x.to_numpy())) * days
        counts = months.counts.assign(violence_with_injury=dealt)
        shuffled = season.Series(MET, 12, counts)
        found.append(
            season.multiplicative(shuffled, "violence_with_injury").attrs["p_value"] < 0.05
        )
    assert sum(found) <= 8  # of 60: more would come about once in a hundred times
    assert "violence with injury is clearly above" in summer.season(months).title
    none = summer.season(shuffled).title.partition("No season can be told in ")[2]
    assert ("violence with injury" in none.partition(";")[0]) != found[-1]


def test_intervals_of_the_season_hold_the_truth_about_as_often_as_said():
    rng = np.random.default_rng(11)
    index = pd.MultiIndex.from_product([range(2008, 2019), range(12)], names=["fy_start", "part"])
    days = np.array([season._days(year, part, 12) for year, part in index])
    true = 1 + 0.1 * np.sin(2 * np.pi * np.arange(12) / 12)
    hits = []
    for _ in range(60):
        mean = 3 * days * np.tile(true, 11) * rng.gamma(50, 1 / 50, len(days))
        counts = pd.DataFrame({"robbery": rng.poisson(mean)}, index).astype(float)
        table = season.multiplicative(season.Series(MET, 12, counts), "robbery")
        hits += [(table["ci_low"] <= true) & (true <= table["ci_high"])]
    assert 0.93 <= np.mean(hits) <= 0.97


def test_a_summer_is_set_against_the_twelve_months_before_it(months):
    """The Met's homicides of June to August 2018: 5, 7 and 14 (borough tables)."""
    rows = season.summer_over_year(months.counts["homicide"], 12)
    table = shipped("borough_crime_monthly").query("classification == 'new'")
    by_month = table.groupby("month")["homicide"].sum()
    assert rows.loc[2018, "count"] == by_month["2018-06":"2018-08"].sum() == 26
    before = by_month["2017-06":"2018-05"].sum()
    assert rows.loc[2018, "ratio"] == pytest.approx(26 / (before / 4))
    assert np.isnan(rows.loc[2010, "ratio"])  # the series begins in April 2010


def test_summers_near_the_inspection_are_left_out_for_what_it_touched(months, years):
    rows = season.extremes(months, years, shipped("breaks")).set_index(["measure", "span"])
    assert rows.loc[("violence_with_injury", "summer"), "left_out"] == "2014, 2015"
    assert rows.loc[("robbery", "summer"), "left_out"] == ""
    earlier = rows.loc[("robbery", "summer"), "earlier"]
    reach = stats.t.ppf(0.975, 6) * earlier.std() * np.sqrt(1 + 1 / 7)
    assert rows.loc[("robbery", "summer"), "pi_high"] == pytest.approx(earlier.mean() + reach)
    assert rows.loc[("knife_offences", "financial year"), "rank_count"] == 1


def test_a_summer_that_doubled_is_told_from_the_rest(months, years):
    hot = months.counts.copy()
    year, part = (hot.index.get_level_values(level) for level in (0, 1))
    hot.loc[(year == 2018) & part.isin([2, 3, 4]), "robbery"] *= 2
    loud = season.Series(MET, 12, hot)
    rows = season.extremes(loud, years, shipped("breaks"))
    told = rows.set_index(["measure", "span"])["verdict"]
    assert told["robbery", "summer"] == "above"
    assert "above by 1" in str(summer.answer(rows, loud))
    usual = season.extremes(months, years, shipped("breaks"))
    assert "lay within" in str(summer.answer(usual, months))


def test_too_few_events_or_years_foretell_nothing():
    found = season.series("Surrey", shipped)
    rows = season.extremes(found, measures.yearly("Surrey", shipped), shipped("breaks"))
    told = rows.set_index(["measure", "span"])
    assert told.loc[("homicide", "summer"), "verdict"] == "cannot tell"
    assert told.loc[("violence_with_injury", "summer"), "verdict"] == "cannot tell"
    assert found.per_year == 4


def test_the_range_foretold_is_missed_once_in_twenty():
    """Ratios drawn from one normal law: the prediction interval covers as stated."""
    rng = np.random.default_rng(2)
    misses = 0
    for _ in range(150):
        table = pd.DataFrame(
            {"count": 100.0, "ratio": rng.normal(1, 0.1, 9)}, index=range(2010, 2019)
        )
        row = season._row("robbery", "summer", table, shipped("breaks"), MET, 2018)
        misses += row["verdict"] in ("above", "below")
    assert 0.02 <= misses / 150 <= 0.09


def test_breaks_are_drawn_only_inside_the_series_and_judgements_never():
    from crime_analysis.drawing import canvas

    register = shipped("breaks")
    with canvas() as (_, axis, _out):
        named = timeline.mark_breaks(axis, register, timeline.by_day, 2014.0, 2015.0)
        none = timeline.mark_breaks(axis, register, timeline.by_day, 2030.0, 2031.0)
    assert "November 2014 HMIC's inspection of recording" in named
    assert not any("status" in name for name in named)
    assert none == []


@pytest.mark.parametrize("made", [strength.counts, strength.roles, measures.yearly, season.series])
def test_an_unknown_force_is_refused(made):
    with pytest.raises(UnknownNameError, match="nearest"):
        made("Metropolis Police")


# The notebooks


@pytest.mark.parametrize(
    ("name", "parameters", "figures"),
    [
        ("03-officers", {}, 6),
        ("03-officers", {"force": "City of London"}, 3),
        ("03-officers", {"force": "Dyfed-Powys", "start": "2012/13", "end": "2016/17"}, 4),
        ("04-violence", {}, 7),
        ("04-violence", {"force": "City of London"}, 6),
        ("04-violence", {"force": "Dyfed-Powys", "start": "2002/03", "end": "2022/23"}, 6),
    ],
)
def test_the_notebooks_show_any_force(shown_by, name, parameters, figures):
    shown = shown_by(name, **parameters)
    pictures = [value for value in shown if hasattr(value, "svg")]
    assert len(pictures) == figures
    for picture in pictures:
        words = f"{picture.title} {picture.alt} {picture.source}"
        assert all((picture.title, picture.alt, picture.source))
        assert not re.search(r"\b(nan|inf)\b|nan%", words), words
    texts = " ".join(str(value) for value in shown if isinstance(value, Text))
    assert not re.search(r"\b(nan|inf)\b|nan%", texts), texts
