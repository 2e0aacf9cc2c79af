"""Reports of single places: their numbers, and sentences that say no more than these."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import crime_analysis as ca
from crime_analysis import places
from crime_analysis.drawing import Figure
from crime_analysis.errors import ParameterError, UnknownNameError
from crime_analysis.findings import among_forces, borough_report, place_report
from crime_analysis.findings.borough_report import seasons
from crime_analysis.findings.counts import (
    Ratio,
    poisson_interval,
    rate_ratio,
    told_apart,
    whole_years,
)
from crime_analysis.prose import Text
from crime_analysis.story import borough as borough_charts
from crime_analysis.story import borough_words, place, place_tables, place_words, violence_words
from crime_analysis.story.axes import nice_ticks

YEARS = ("2009/10", "2017/18", "2017/18")
CHARTS = ("money", "officers", "violence", "standing", "homicide", "elsewhere")
ODD = ("Metropolitan Police", "City of London", "Dyfed-Powys", "South Yorkshire", "Surrey")
NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


@pytest.fixture(scope="module")
def tables():
    """Each shipped table, verified once."""
    names = set(place_report.TABLES) | set(borough_report.TABLES)
    return {name: ca.load(name) for name in names}


@pytest.fixture(scope="module")
def reports(tables):
    return {force: place_report.force_report(force, *YEARS, tables=tables) for force in ODD}


@pytest.fixture(scope="module")
def camden(tables):
    return borough_report.borough_report("Camden", "2010/11", "2017/18", tables)


def words(report):
    parts = (
        place_words.summary(report), place_words.money(report), place_words.officers(report),
        place_words.elsewhere(report), place_words.learnt(report),
    )  # fmt: skip
    return "\n".join(str(part) for part in parts)


def spoken(figure):
    return f"{figure.title} {figure.alt} {figure.source}"


# Numbers


def test_the_met_has_the_officers_of_record(reports):
    """DESIGN.md: 33,366.55 and 30,390.23 on 31 March 2010 and 2018 (Home Office open data)."""
    counts = reports["Metropolitan Police"].officers["officers_fte"]
    assert counts[2010] == pytest.approx(33_366.55)
    assert counts[2018] == pytest.approx(30_390.23)
    # 4.1 per 1,000 Londoners in 2010: the start of "lowest for twenty years" (DESIGN.md).
    assert reports["Metropolitan Police"].officers.at[2010, "officers_per_1000"].round(1) == 4.1


def test_losses_of_money_agree_with_the_national_audit_office(reports):
    """NAO, September 2018 (LITERATURE.md A3): to 2018-19, West Midlands -24%, Surrey -11%."""
    moved = reports["Surrey"].standing["funding"]
    assert moved["West Midlands"] == pytest.approx(-0.24, abs=0.04)
    assert moved["Surrey"] == pytest.approx(-0.11, abs=0.015)
    assert moved["Northumbria"] == moved.min()  # 89% from government before the cuts


def test_headline_links_are_those_of_the_full_fit(reports):
    report = reports["Surrey"]
    full = ca.fit_links(report.panel, ca.load("breaks"))
    assert list(full) == list(report.links)
    for name, link in full.items():
        mine = report.links[name]
        assert mine.headline == link.headline
        pd.testing.assert_frame_equal(mine.table, link.table.loc[[link.headline]])
    implied = ca.chain(report.panel, full, "Surrey", "2009/10", "2017/18", rng=2018)
    pd.testing.assert_frame_equal(report.implied, implied)


def test_a_year_that_one_event_dominates_is_left_out_of_homicide_rates(reports):
    """South Yorkshire counts 113 homicides in 2016/17, 8 to 23 in the years beside it."""
    rows = reports["Surrey"].homicides.set_index("force")
    assert rows.loc["South Yorkshire", ["homicides", "years"]].tolist() == [14 + 8, 2]
    assert rows.loc["Surrey", "years"] == 3
    assert "City of London" not in rows.index


def test_a_year_left_without_a_count_is_not_compared(tables):
    report = place_report.force_report("South Yorkshire", "2015/16", "2016/17", "2017/18", tables)
    assert np.isnan(report.violence.ratio.estimate)
    assert "one event dominates" in violence_words.homicide(report.violence)
    assert "113" not in str(place_words.summary(report))


def test_the_years_compared_for_homicide_never_overlap(tables):
    report = place_report.force_report("Kent", "2015/16", "2017/18", "2017/18", tables)
    assert report.violence.window == 2
    assert report.violence.homicides["years"].tolist() == [2, 2]
    assert report.homicides["years"].max() == 3


def test_forces_alike_are_the_nearest_by_officers_per_resident(reports):
    report = reports["Metropolitan Police"]
    gaps = report.standing["officers_per_resident"].drop("Metropolitan Police").dropna()
    gaps = (gaps - report.standing.at["Metropolitan Police", "officers_per_resident"]).abs()
    near = gaps.nsmallest(among_forces.ALIKE)
    assert set(report.alike.index[1:]) == set(near.index)


def test_every_english_force_is_in_one_region_and_no_welsh_force_in_any():
    listed = [force for forces in places.REGIONS.values() for force in forces]
    assert sorted(listed) == sorted(set(places.FORCES) - set(places.WELSH_FORCES))
    assert set(places.REGIONS) < set(ca.load("hospital_admissions")["region"])
    assert places.region_of("Gwent") == ""


def test_only_years_of_twelve_known_months_are_added_up():
    months = pd.DataFrame(
        {"month": [f"{2012 + (m // 12)}-{m % 12 + 1:02d}" for m in range(3, 29)], "n": 1.0}
    )
    months.loc[14, "n"] = np.nan
    sums = whole_years(months, "n")
    assert sums.loc[2012] == 12
    assert sums.drop(2012).isna().all()  # one month unknown, and a year of two months


@pytest.mark.parametrize("count", [0, 1, 7, 158])
def test_poisson_intervals_are_garwoods(count):
    low, high = poisson_interval(count)
    assert low == pytest.approx(stats.chi2.ppf(0.025, 2 * count) / 2 if count else 0)
    assert high == pytest.approx(stats.chi2.ppf(0.975, 2 * count + 2) / 2)
    assert np.isnan(poisson_interval(np.nan)).all()


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.2, 5))
def test_rate_ratios_are_the_exact_binomial_ones(count, base, exposure):
    ratio = rate_ratio(count, exposure, base, 1.0)
    if count + base:
        share = stats.binomtest(count, count + base).proportion_ci()
        for mine, bound in ((ratio.ci_low, share.low), (ratio.ci_high, share.high)):
            odds = bound / (1 - bound) / exposure if bound < 1 else np.inf
            assert mine == pytest.approx(odds)
    assert not ratio.estimate < ratio.ci_low
    assert not ratio.estimate > ratio.ci_high


def test_places_of_one_rate_are_told_apart_no_oftener_than_promised():
    rng = np.random.default_rng(7)
    people = pd.Series(1.0, index=range(200))
    apart = told_apart(pd.Series(rng.poisson(20, 200)), people, 0)
    mine = pd.Series(rng.poisson(20, 200)).replace(0, 20)
    mine[0] = 20
    share = (told_apart(mine, people, 0) != "neither").mean()
    assert share <= 0.05
    assert set(apart) <= {"lower", "higher", "neither"}


@settings(deadline=None, derandomize=True, max_examples=80)
@given(st.floats(-1e4, 1e4), st.floats(1e-2, 1e4), st.integers(2, 6))
def test_ticks_span_the_range_at_equal_steps(low, span, count):
    ticks = np.array(nice_ticks(low, low + span, count))
    assert ticks[0] <= low + 1e-6 * span
    assert ticks[-1] >= low + span - 1e-6 * span
    assert np.allclose(np.diff(ticks), ticks[1] - ticks[0])
    assert 2 <= len(ticks) <= count + 3


# Sentences


def test_no_report_prints_a_missing_number(reports):
    for report in reports.values():
        figures = [getattr(place, name)(report) for name in CHARTS]
        text = words(report) + " ".join(
            spoken(f) if isinstance(f, Figure) else str(f) for f in figures
        )
        assert not re.search(r"\b(nan|inf|None)\b", text), text
        assert all(b"nan" not in f.svg.lower() for f in figures if isinstance(f, Figure))


def test_the_city_of_london_gets_no_rate_and_is_told_why(reports):
    report = reports["City of London"]
    assert not report.rates
    assert report.implied.empty
    assert report.alike.empty
    assert isinstance(place.homicide(report), Text)
    assert isinstance(place.elsewhere(report), Text)
    assert "Too few people live here" in str(place_words.summary(report))
    assert "per 1,000 residents" not in str(place_tables.glance(report))
    numbers = place_report.headline(report)
    assert np.isnan(numbers["violence_with_injury_change"])
    assert np.isnan(numbers["homicides_per_million"])
    assert np.isfinite(numbers["funding_change"])


def test_missing_outturn_is_explained_by_its_reason(reports):
    assert "Wales has none" in str(place_words.money(reports["Dyfed-Powys"]))
    assert "Greater London" in str(place_words.money(reports["Metropolitan Police"]))
    assert "no line of their own" in str(place_words.money(reports["City of London"]))
    assert "a series of its own" in str(place_words.money(reports["Surrey"]))
    assert "English regions only" in place.violence(reports["Dyfed-Powys"]).svg.decode()


def test_editions_that_disagree_are_both_printed(reports):
    """INDEX.md: the Met's March 2015 is 32,251.61, and was 31,877.24 when first published."""
    text = str(place_words.officers(reports["Metropolitan Police"]))
    assert "31,877" in text
    assert "32,252" in text
    assert "earlier edition" not in str(place_words.officers(reports["Surrey"]))


def test_a_force_is_not_compared_across_its_own_break(reports):
    """Surrey's knife offences go from 65 to 436 by definition (ONS Table P5, notes 7 and 8)."""
    assert "Knife" not in str(place_tables.glance(reports["Surrey"]))
    assert "Knife" in str(place_tables.glance(reports["Metropolitan Police"]))
    assert "knife offences added (Surrey, Sussex)" in place.violence(reports["Surrey"]).source


def test_directions_follow_the_figures_when_these_are_turned_round(tables):
    def turned(officers):
        officers = officers.copy()
        pair = officers["date"].isin(["2010-03-31", "2018-03-31"])
        swapped = (
            officers.loc[pair]
            .groupby("force")["officers_fte"]
            .transform(lambda pair: pair.to_numpy()[::-1])
        )
        officers.loc[pair, "officers_fte"] = swapped
        return officers

    report = place_report.force_report(
        "Kent", *YEARS, tables=tables | {"officers": turned(tables["officers"])}
    )
    first = str(place_words.summary(report)).split("Officers:")[1]
    assert first.startswith(" full-time equivalents in post rose")
    assert "rose" in place.officers(report).title


def test_shuffled_officers_leave_nothing_to_say_of_violence(tables):
    def shuffled(officers):
        officers = officers.copy()
        rng = np.random.default_rng(1)
        noise = rng.permutation(officers["officers_fte"].to_numpy())
        return officers.assign(officers_fte=noise)

    report = place_report.force_report(
        "Kent", *YEARS, tables=tables | {"officers": shuffled(tables["officers"])}
    )
    assert "cannot tell whether, across forces, fewer officers" in str(place_words.summary(report))
    assert "Not learnt: whether, across forces, fewer officers" in str(place_words.learnt(report))


def test_a_clear_interval_is_an_association_and_no_more(reports):
    report = reports["Metropolitan Police"]
    clear = report.implied.assign(ci_low=0.02, ci_high=0.09)
    text = str(place_words.summary(replace(report, implied=clear)))
    assert "are associated, which is not yet a cause" in text
    assert "between 2.0% and 9.0% more" in text
    assert "cannot tell whether losing" not in text
    assert "not yet a cause" in str(place_words.learnt(replace(report, implied=clear)))
    assert "not nought for every outcome" in place.elsewhere(replace(report, implied=clear)).title


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (Ratio(1.5, 0.8, 2.6), "cannot be told from no change (anything from 20% less"),
        (Ratio(1.5, 1.2, 1.9), "homicides rose"),
        (Ratio(0.5, 0.3, 0.8), "homicides fell"),
    ],
)
def test_homicide_moves_only_where_its_interval_says_so(reports, ratio, said):
    report = reports["Surrey"]
    report = replace(report, violence=replace(report.violence, ratio=ratio))
    assert said in violence_words.homicide(report.violence)
    opening = str(place_words.summary(report)).split("Violence: ")[1]
    assert opening.startswith("these data cannot tell") == ("cannot be told" in said)


def test_officers_that_hardly_moved_are_not_called_a_loss(reports):
    text = str(place_words.summary(reports["Surrey"]))
    assert "a change in officers as small as this force's" in text
    assert "lost as many" not in words(reports["Surrey"])


def test_an_unknown_force_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="Surrey"):
        place_report.force_report("Surey", *YEARS)


def test_the_same_report_is_the_same_bytes():
    pages = [
        place.homicide(place_report.force_report("Kent", *YEARS))._repr_html_() for _ in range(2)
    ]
    assert pages[0] == pages[1]


# Boroughs


def test_boroughs_add_up_to_the_met_of_the_home_office():
    """Recorded by the Met in its boroughs, against the Home Office's open data for the force."""
    crime = ca.load("borough_crime_monthly").query("classification == 'new'")
    force = ca.load("recorded_crime").query("force == 'Metropolitan Police'")
    force = force.pivot(index="financial_year", columns="offence_group", values="offences")
    for year, column in ((2017, "robbery"), (2017, "homicide"), (2012, "violence_with_injury")):
        months = crime[crime["month"].between(f"{year}-04", f"{year + 1}-03")]
        assert months[column].sum() == pytest.approx(
            force.at[f"{year}/{str(year + 1)[2:]}", column], rel=0.035
        )


def test_officers_of_a_borough_are_not_compared_across_the_restructure(camden):
    """Barking and Dagenham's officers jump by 8% in the month of the restructure (breaks)."""
    before, after = borough_report.OFFICERS_SPAN
    assert before >= "2012-03"
    assert before[5:] == after[5:] == "03"  # the same month of the year
    text = str(borough_words.summary(camden))
    assert "from March 2010 to February 2012" in text
    assert "from March 2012 to March 2015" in text


def test_a_season_is_what_repeats_and_a_trend_is_not():
    months = [f"{year}-{month:02d}" for year in range(2010, 2016) for month in range(1, 13)]
    days = pd.PeriodIndex(months, freq="M").days_in_month.to_numpy()
    june = np.array([m.endswith("-06") for m in months])
    level = 10.0 + np.array([int(m[:4]) - (int(m[5:]) < 4) for m in months]) - 2009
    frame = pd.DataFrame({"month": months, "robbery": days * level * np.where(june, 1.5, 1.0)})
    found = seasons(frame, ("robbery",)).set_index("calendar_month")
    assert found["median"].idxmax() == 6
    assert found.at[6, "median"] == pytest.approx(0.5 / 1.04, abs=0.05)
    assert len(found) == 12


def test_a_part_year_of_months_is_no_year(camden):
    assert camden.years.index[0] == "2010/11"
    assert camden.years.index[-1] == "2025/26"  # to March 2026
    cut = ca.load("borough_crime_monthly").query("month != '2017-09'")
    months = cut[(cut["classification"] == "new") & (cut["place"] == "Camden")]
    assert np.isnan(whole_years(months, "robbery").loc[2017])


def test_violence_has_no_mean_across_the_change_of_system(camden):
    figure = borough_charts.violence(camden)
    assert "the Met's new system (2024)" in figure.source
    assert "recording-inspection" in set(camden.breaks["id"])


def test_every_borough_has_its_words(tables):
    for name in places.BOROUGHS:
        report = borough_report.borough_report(name, "2010/11", "2017/18", tables)
        text = f"{borough_words.summary(report)} {borough_words.learnt(report)}"
        assert name in text
        assert not re.search(r"\b(nan|inf|None)\b", text), text


def test_homicides_that_the_old_classes_do_not_bear_out_are_flagged(camden):
    """Barking and Dagenham: 26 homicides on the new classes, 12 murders on the old, to 2017/18."""
    report = borough_report.borough_report("Barking and Dagenham", "2010/11", "2017/18")
    titles = (borough_charts.violence(report).title, borough_charts.homicide(report).title)
    for told in (borough_words.summary(report), borough_words.learnt(report), *titles):
        assert "are not judged: the Met's old classes count 12 murders" in str(told)
    assert "its homicide rate cannot be told" not in str(borough_words.learnt(report))
    told = borough_report.headline(report)
    assert np.isnan([told["homicide_change"], told["homicides_per_million"]]).all()
    assert "old classes" not in str(borough_words.summary(camden))
    assert np.isfinite(borough_report.headline(camden)["homicide_change"])


def test_a_borough_change_within_chance_is_called_no_rise_and_no_fall(camden):
    """scipy's binomial test of one count given both, by the residents of each year."""
    row = camden.recorded.loc["violence_with_injury"]
    assert row["ci_low"] < 0 < row["ci_high"]
    exact = stats.binomtest(int(row["after"]), int(row["after"] + row["before"]))
    people = ca.load("population")
    lived = people.query("kind == 'borough' and place == 'Camden'").set_index("year")["population"]
    ends = exact.proportion_ci(method="exact")
    scale = lived[2010] / lived[2017]
    assert [row["ci_low"], row["ci_high"]] == pytest.approx(
        [scale * p / (1 - p) - 1 for p in (ends.low, ends.high)]
    )
    for told in (borough_words.summary(camden), borough_charts.violence(camden).title):
        assert "violence with injury per resident cannot be told from no change" in str(told)


def test_no_borough_homicide_at_all_is_too_few_to_compare(tables):
    report = borough_report.borough_report("Merton", "2018/19", "2019/20", tables)
    assert report.homicide_span == (0, 0)
    assert "too few to compare" in str(borough_words.summary(report))


def test_borough_directions_follow_the_figures(camden):
    was = camden.recorded
    moved = was.assign(change=-was["change"], ci_low=-was["ci_high"], ci_high=-was["ci_low"])
    text = str(borough_words.summary(replace(camden, recorded=moved)))
    assert "robbery per resident fell" in text
    assert "robbery per resident rose" in str(borough_words.summary(camden))


@pytest.mark.parametrize(
    ("start", "end"), [("2017/18", "2010/11"), ("2009/10", "2017/18"), ("2010/11", "2023/24")]
)
def test_borough_years_out_of_order_or_off_the_series_are_refused(start, end):
    with pytest.raises(ParameterError, match="2010/11 to 2019/20"):
        borough_report.borough_report("Camden", start, end)


def test_the_city_is_no_borough():
    with pytest.raises(UnknownNameError):
        borough_report.borough_report("City of London", "2010/11", "2017/18")


def test_borough_charts_carry_their_words_and_numbers(camden):
    for name in borough_charts.__all__:
        figure = getattr(borough_charts, name)(camden)
        assert "Camden" in spoken(figure)
        assert len(figure.data) > 0
        assert not re.search(r"\b(nan|inf|None)\b", spoken(figure))


# Notebooks


@pytest.mark.parametrize(
    ("name", "parameter", "known"),
    [
        ("force-report.ipynb", "force", places.FORCES),
        ("borough-report.ipynb", "borough", places.BOROUGHS),
    ],
)
def test_notebooks_offer_every_place_and_a_tile_for_each(name, parameter, known):
    notebook = json.loads((NOTEBOOKS / name).read_text(encoding="utf-8"))
    told = notebook["metadata"]["crime_analysis"]
    assert told["parameters"][parameter]["choices"] == list(known)
    assert set(told["index"]["tiles"]["grid"]) == set(known)
    recorded = set(re.findall(r'ca\.record\("(\w+)"', json.dumps(notebook).replace('\\"', '"')))
    assert recorded == set(told["yields"]["records"])
    assert set(told["headline"]) <= recorded
    assert told["index"]["chart"]["record"] in recorded


def test_every_recorded_number_is_a_number_of_the_report(reports, camden):
    for report in reports.values():
        numbers = place_report.headline(report)
        assert numbers["officers_change"] == report.standing.at[report.force, "officers"]
        assert all(isinstance(v, dict) or np.isscalar(v) for v in numbers.values())
    assert (
        borough_report.headline(camden)["robbery_change"] == camden.standing.at["Camden", "robbery"]
    )


def test_warming_up_imports_what_a_report_needs_and_starts_no_thread():
    """A fork takes no threads along: a pool begun before it leaves every kernel waiting."""
    tasks = Path("/proc/self/task")
    if not tasks.is_dir():
        pytest.skip("no /proc to count threads in")
    program = (
        "import os, sys, crime_analysis.warm\n"
        "print(len(os.listdir('/proc/self/task')), 'crime_analysis.story.place' in sys.modules)"
    )
    environment = os.environ | {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["1", "True"]
