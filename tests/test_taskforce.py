"""The taskforce: power before results, chance after a violent summer, and sentences that follow."""

from __future__ import annotations

import base64
import functools
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from crime_analysis import catalog, places
from crime_analysis.drawing import Figure
from crime_analysis.errors import DataError, ModelError, ParameterError, UnknownNameError
from crime_analysis.findings import taskforce, taskforce_announced, taskforce_chance
from crime_analysis.findings.taskforce import DESIGNS, FIRST, LONDON
from crime_analysis.power import minimum_detectable_effect
from crime_analysis.prose import Text
from crime_analysis.story import taskforce as charts
from crime_analysis.story import taskforce_chance as chance_charts
from crime_analysis.story import taskforce_tables as tables
from crime_analysis.story import taskforce_words as words

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "08-the-taskforce.ipynb"
VIOLENCE = "violence_with_injury"
load = functools.cache(catalog.load)


@pytest.fixture(scope="module")
def counts() -> pd.DataFrame:
    return taskforce.counts(load("borough_crime_monthly"), load("hospital_admissions"))


@pytest.fixture(scope="module")
def told() -> taskforce_announced.Announced:
    return taskforce_announced.announced(load("claims"), load("met_strength_monthly"))


@pytest.fixture(scope="module")
def implied(told: taskforce_announced.Announced) -> pd.DataFrame:
    return taskforce_announced.implied(told, load("borough_officers_monthly"), LONDON)


@pytest.fixture(scope="module")
def london(counts: pd.DataFrame) -> dict[str, taskforce.Evaluation]:
    return {name: taskforce.evaluate(counts, VIOLENCE, LONDON, name) for name in DESIGNS}


@pytest.fixture(scope="module")
def found(counts: pd.DataFrame) -> taskforce_chance.Afterwards:
    return taskforce_chance.afterwards(counts, VIOLENCE, LONDON, 3000, rng=2018)


def moved(counts: pd.DataFrame, months: list[str], factor: float) -> pd.DataFrame:
    """The counts with some months multiplied, in every place."""
    changed = counts.copy()
    changed.loc[months] = (changed.loc[months] * factor).round()
    return changed


def shuffled(counts: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The counts with the months in another order."""
    order = np.random.default_rng(seed).permutation(len(counts))
    return pd.DataFrame(counts.to_numpy()[order], index=counts.index, columns=counts.columns)


AUTUMN = ["2018-10", "2018-11", "2018-12"]


# What was announced


def test_the_officers_moved_are_those_claimed_beside_mopacs_strength(told):
    # The article: 120 or 122 officers, three months. INDEX.md: MOPAC's March 2018 is 29,924.
    assert (told.officers_low, told.officers, told.months) == (120, 122, 3)
    assert told.history.at["2018-03", "officers_fte"] == 29_924
    assert told.strength == 29_666
    assert told.share == pytest.approx(122 / 29_666)
    assert told.officer_months == 366
    assert told.share_of_year == pytest.approx(366 / (12 * 29_666))


def test_larger_moves_are_counted_in_the_months_before_alone(told):
    steps = load("met_strength_monthly").set_index("month")["officers_fte"].diff()
    assert told.larger == (steps.loc["2016-09":"2018-08"].abs() > 122).sum()
    assert told.compared == 24


def test_a_month_without_strength_is_refused_with_those_there_are():
    with pytest.raises(DataError, match=r"no officers of 1999-01; it reaches from 2013-05"):
        taskforce_announced.announced(load("claims"), load("met_strength_monthly"), "1999-01")


def test_the_change_implied_is_the_elasticitys_power_of_the_officers(told, implied):
    # LITERATURE.md, A1: Draca, Machin and Witt, "approximately -0.3 to -0.4".
    spread = implied.iloc[0]
    assert spread["elasticity"] == -0.3
    assert 1 + spread["change"] == pytest.approx((1 + told.share) ** -0.3)
    camden = taskforce_announced.implied(told, load("borough_officers_monthly"), "Camden")
    # borough_officers_monthly: Camden has 659.52 officers in November 2015, the last month.
    assert camden["share"].iloc[-1] == pytest.approx(122 / 659.52)
    assert camden["case"].iloc[-1] == "all in Camden, on its officers of 2015-11"


def test_yields_are_those_of_the_reported_figures():
    # The article: 895 arrests, 1,400 sweeps, 212 knives, nearly 200 weapons.
    rows = taskforce_announced.yields(load("claims")).set_index("result")
    assert rows["per_sweep"].to_dict() == {
        "arrests": 895 / 1400, "knives": 212 / 1400, "weapons": 200 / 1400,
    }  # fmt: skip
    assert (rows["per_sweep_low"] < rows["per_sweep"]).all()
    assert (rows["per_sweep"] < rows["per_sweep_high"]).all()


def test_sentences_on_yields_follow_the_claim():
    claims = load("claims").copy()
    claims["figures"] = claims["figures"].str.replace("sweeps=1400", "sweeps=2800")
    said = str(
        words.yields_told(taskforce_announced.yields(claims), load("stop_and_search_monthly"))
    )
    assert "an arrest for every 3.1 sweeps and a knife for every 13.2" in said
    assert "cannot say whether that is many" in said
    gone = load("stop_and_search_monthly").query("month != '2018-06'")
    assert "is not held" in str(words.yields_told(taskforce_announced.yields(claims), gone))


# The counts


def test_london_is_the_sum_of_its_boroughs(counts):
    for measure in (VIOLENCE, "robbery", "homicide"):
        inside = counts[measure].drop(columns=LONDON)
        assert len(inside.columns) == 32
        pd.testing.assert_series_equal(
            inside.sum(axis=1), counts[measure, LONDON], check_names=False
        )
    assert list(counts["admissions"].columns) == [LONDON]
    # NHS Digital, tabulation for the Home Office: London, August 2018, to the nearest five.
    assert counts.at["2018-08", ("admissions", LONDON)] == 95


def test_a_month_that_one_borough_lacks_is_missing_for_london_and_said_to_be():
    crime = load("borough_crime_monthly")
    hole = (crime["place"] == "Camden") & (crime["month"] == "2018-11")
    without = taskforce.counts(crime[~hole], load("hospital_admissions"))
    assert np.isnan(without.at["2018-11", (VIOLENCE, LONDON)])
    assert tables.joined(without).frame.set_index("measure").at[
        "violence with injury", "of these missing"
    ] == 1  # fmt: skip
    with pytest.raises(ModelError, match="only 2 months lie after 2018-09-17"):
        taskforce.interrupted(without, VIOLENCE, LONDON, DESIGNS["september"])


def test_a_month_that_no_borough_has_keeps_its_place():
    crime = load("borough_crime_monthly").query("month != '2016-05'")
    without = taskforce.counts(crime, load("hospital_admissions"))
    assert without.loc["2016-05"].drop(("admissions", LONDON)).isna().all()
    fit = taskforce.interrupted(without, "robbery", LONDON, DESIGNS["april"])
    assert "2016-05" in set(fit.data_used.query("not kept")["month"])


def test_knife_crime_by_month_is_not_held_for_2018():
    """The notebook says so, and takes admissions instead."""
    knives = load("knife_offences").query("kind == 'borough'")
    assert not knives["period"].str.startswith("2018").any()
    assert load("met_violence_monthly")["month"].max() < "2018"


# The comparison


def test_the_step_is_that_of_statsmodels(counts):
    """An independent program with regressors written out by hand."""
    fit = taskforce.interrupted(counts, VIOLENCE, LONDON, DESIGNS["september"])
    used = counts.loc["2015-04":"2018-12", (VIOLENCE, LONDON)].drop("2018-09")
    months = pd.PeriodIndex(used.index, freq="M")
    t = (months.year - 2015) * 12 + months.month
    x = {"step": (used.index >= "2018-10").astype(float), "trend": t, "one": 1.0}
    for pair in (1, 2):
        x |= {f"sin{pair}": np.sin(2 * np.pi * pair * t / 12)}
        x |= {f"cos{pair}": np.cos(2 * np.pi * pair * t / 12)}
    law = sm.families.Poisson()
    other = sm.GLM(
        used.to_numpy(), pd.DataFrame(x).to_numpy(), law, offset=np.log(months.days_in_month)
    ).fit()
    assert fit.coefficients["level_change"] == pytest.approx(other.params[0], abs=1e-8)


def test_the_split_month_is_left_out_and_april_ends_before_it(counts, london):
    left = london["september"].fits[VIOLENCE, LONDON].data_used.query("not kept")
    assert list(left["month"]) == ["2018-09"]
    assert london["april"].fits[VIOLENCE, LONDON].periods[-1] == "2018-08"
    assert london["april"].fits[VIOLENCE, LONDON].periods[0] == FIRST


def test_power_is_worked_out_before_the_taskforce_began(counts, london):
    """Whatever happens from April 2018 on, what could be seen stays the same."""
    later = moved(counts, [m for m in counts.index if m >= "2018-04"], 0.3)
    again = taskforce.evaluate(later, VIOLENCE, LONDON, "rehearsal")
    pd.testing.assert_frame_equal(again.table, london["rehearsal"].table)


def test_the_detectable_change_is_that_of_the_power_module(london):
    for place in (LONDON, "Camden"):
        exact = minimum_detectable_effect(
            london["rehearsal"].fits[VIOLENCE, place], "level_change"
        ).effect
        row = london["rehearsal"].row(place=place)
        assert row["detectable"] == pytest.approx(exact, rel=0.005)
        assert 1 - row["detectable_fall"] == pytest.approx(np.exp(-row["detectable"]))


def test_a_fall_of_the_detectable_size_is_found_in_about_four_of_five_made_up_series(counts):
    """Brute force: series without an effect, given one; Monte Carlo error about 4 points."""
    fit = taskforce.interrupted(counts, VIOLENCE, LONDON, DESIGNS["september"])
    size = float(minimum_detectable_effect(fit, "level_change").effect)
    drawn = taskforce_chance.simulate(fit, 100, rng=1).reindex(
        columns=counts.loc[FIRST:"2018-12"].index
    )
    drawn[AUTUMN] = (drawn[AUTUMN] * np.exp(-size)).round()
    significant = [
        taskforce.interrupted(
            pd.DataFrame({("n", "p"): series}), "n", "p", DESIGNS["september"]
        ).term("level_change")["p_value"] < 0.05
        for _, series in drawn.iterrows()
    ]  # fmt: skip
    assert 0.6 < np.mean(significant) < 0.95


def test_what_the_officers_imply_is_far_below_what_could_be_seen(london, implied, told):
    rehearsal = london["rehearsal"]
    assert rehearsal.row()["detectable_fall"] > 50 * -implied["change"].iloc[0]
    assert (rehearsal.boroughs["detectable_fall"] > rehearsal.row()["detectable_fall"]).all()
    said = str(words.in_short(told, implied, rehearsal))
    assert "these data cannot tell" in said
    assert "122 officers are 0.41% of the Met's 29,666" in said


def test_were_the_officers_many_the_sentence_would_say_so(london, told, implied):
    many = implied.assign(change=-0.3, log_change=np.log(0.7))
    said = str(words.in_short(told, many, london["rehearsal"]))
    assert "would be seen" in said
    assert "cannot tell" not in said


def test_significant_estimates_would_mislead_were_the_effect_the_implied_one(london, implied):
    size = float(implied["log_change"].iloc[0])
    for evaluation in london.values():
        rows = taskforce.misled(evaluation, size)
        assert set(rows[rows["significant"]]["place"]) == set(
            evaluation.table.loc[evaluation.table["p_value"] < 0.05, "place"]
        )
        assert (rows["exaggeration"] > 10).all()
        assert rows["type_s"].between(0.4, 0.5).all()
        # A rise where a fall is supposed has the wrong sign, and the ratio says so.
        assert ((rows["change"] > 0) == (rows["times_implied"] < 0)).all()


def test_boroughs_are_corrected_for_their_number(london):
    from statsmodels.stats.multitest import multipletests

    rows = london["april"].boroughs
    assert len(rows) == 32
    for column, method in (("p_holm", "holm"), ("p_bh", "fdr_bh")):
        assert rows[column].to_numpy() == pytest.approx(
            multipletests(rows["p_value"], method=method)[1]
        )
    assert london["april"].table.loc[0, "place"] == LONDON
    assert np.isnan(london["april"].table.loc[0, "p_holm"])


# Chance


def test_simulated_years_have_the_season_and_noise_of_the_series(counts):
    fit = taskforce.interrupted(counts, "robbery", LONDON, taskforce_chance._COURSE)
    drawn = taskforce_chance.simulate(fit, 6000, rng=3)
    mean = fit.counterfactual["estimate"]
    assert drawn.mean().to_numpy() == pytest.approx(mean.to_numpy(), rel=0.01)
    pearson = (drawn - mean) / np.sqrt(mean)
    assert pearson.var().mean() == pytest.approx(fit.memory.scale[0, 0], rel=0.05)
    neighbours = np.mean([
        np.corrcoef(pearson.iloc[:, k], pearson.iloc[:, k + 1])[0, 1] for k in range(40)
    ])  # fmt: skip
    assert neighbours == pytest.approx(fit.memory.rho, abs=0.03)


def test_the_same_seed_gives_the_same_years_and_another_gives_others(counts, found):
    again = taskforce_chance.afterwards(counts, VIOLENCE, LONDON, 3000, rng=2018)
    pd.testing.assert_frame_equal(again.table, found.table)
    other = taskforce_chance.afterwards(counts, VIOLENCE, LONDON, 3000, rng=2019)
    assert not other.table.equals(found.table)


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.lists(st.integers(1, 500), min_size=19, max_size=19), st.integers(2, 9))
def test_a_change_afterwards_does_not_depend_on_the_size_of_the_place(months, factor):
    plain = taskforce_chance.change_afterwards(np.array(months, dtype=float))
    larger = taskforce_chance.change_afterwards(factor * np.array(months, dtype=float))
    assert larger == pytest.approx(plain)
    quarter = sum(months[:12]) / 4
    assert plain[0] == pytest.approx(sum(months[12:15]) / quarter - 1)
    assert plain[1] == pytest.approx((sum(months[16:]) - sum(months[12:15])) / quarter)


def test_a_year_before_without_a_case_has_no_ratio():
    assert np.isnan(taskforce_chance.change_afterwards(np.zeros(19))).all()


def test_high_summers_are_followed_by_falls_although_nothing_was_done(found):
    rows = found.table
    assert rows.at["all", "fell_beyond_season"] == pytest.approx(0.5, abs=0.03)
    assert rows.at["highest_tenth", "fell_beyond_season"] > 0.8
    assert rows.at["highest_tenth", "beyond_season"] < rows.at["as_high", "beyond_season"] < 0
    assert rows.at["as_high", "draws"] == (found.draws["summer"] >= found.summer).sum()


def test_the_recorded_change_is_that_of_the_counts(counts, found):
    series = counts[VIOLENCE, LONDON]
    quarter = series["2017-06":"2018-05"].sum() / 4
    autumn, summer = series[AUTUMN].sum(), series["2018-06":"2018-08"].sum()
    assert found.change == pytest.approx((autumn - summer) / quarter)
    assert found.summer == pytest.approx(summer / quarter - 1)


def test_what_followed_a_summer_is_read_off_the_draws(counts, implied, found):
    said = str(words.after_a_summer(found, implied))
    assert "did not stand out" in said
    assert "proves nothing" in said
    hot = moved(counts, ["2018-06", "2018-07", "2018-08"], 1.09)
    said = str(words.after_a_summer(
        taskforce_chance.afterwards(hot, VIOLENCE, LONDON, 4000, rng=1), implied
    ))  # fmt: skip
    assert "it stood out" in said
    extreme = moved(counts, ["2018-06", "2018-07", "2018-08"], 2)
    rare = taskforce_chance.afterwards(extreme, VIOLENCE, LONDON, 500, rng=1)
    assert not rare.enough
    assert str(words.after_a_summer(rare, implied)).startswith("Cannot tell")


def test_a_real_collapse_is_not_put_down_to_chance(counts, implied):
    half = taskforce_chance.afterwards(moved(counts, AUTUMN, 0.5), VIOLENCE, LONDON, 1000, rng=1)
    assert "outside what chance and season usually give" in str(words.after_a_summer(half, implied))


@pytest.mark.parametrize("draws", [0, -1, 2.5, True, "many"])
def test_draws_are_a_whole_number(counts, draws):
    with pytest.raises(ParameterError, match=r"draws = .* is not a whole number above 0"):
        taskforce_chance.afterwards(counts, VIOLENCE, LONDON, draws)


def test_the_last_placebo_is_the_evaluation_itself(counts, london):
    rows = taskforce_chance.placebos(counts, VIOLENCE, LONDON, load("breaks"))
    assert rows.at[2018, "change"] == pytest.approx(london["september"].row()["change"])
    assert rows.index[rows["change"].notna()].tolist() == list(range(2013, 2019))
    assert rows.at[2012, "reason"] == "the months from 2009-04 are not held"
    assert rows.at[2016, "crosses"] == "recording-inspection"
    assert rows.at[2018, "crosses"] == ""
    series = counts[VIOLENCE, LONDON]
    assert rows.at[2012, "naive"] == pytest.approx(
        series["2012-10":"2012-12"].sum() / series["2012-06":"2012-08"].sum() - 1
    )


def test_robbery_crosses_no_change_of_recording(counts):
    rows = taskforce_chance.placebos(counts, "robbery", "Camden", load("breaks"))
    assert (rows["crosses"] == "").all()


def test_boroughs_in_earlier_years_are_counted_as_in_2018(counts, london):
    rows = taskforce_chance.borough_placebos(counts[2 * 12 :], VIOLENCE, "april", last=2018)
    inside = london["april"].boroughs
    assert rows.loc[2018].tolist() == [
        32, (inside["p_value"] < 0.05).sum(), (inside["p_holm"] < 0.05).sum(),
    ]  # fmt: skip
    assert taskforce_chance.borough_placebos(counts, "admissions", "april").empty


# Sentences


def test_the_shipped_months_cannot_tell(london):
    for name in ("april", "september"):
        assert words.told(london[name].row()).startswith("cannot tell, −2")


def test_in_shuffled_months_nothing_is_seen(counts):
    """A 95% interval misses no effect once in twenty shuffles: at most one of eight here."""
    blind = 0
    for seed in range(8):
        mixed = shuffled(counts.loc[FIRST:"2018-12"], seed)
        table = pd.DataFrame({(VIOLENCE, LONDON): mixed[VIOLENCE, LONDON]})
        row = taskforce.evaluate(table, VIOLENCE, LONDON, "september").row()
        blind += words.told(row).startswith("cannot tell")
    assert blind >= 7


@pytest.mark.parametrize(("factor", "sign"), [(0.5, "−"), (1.6, "+")])
def test_a_large_change_is_told_with_its_sign(counts, factor, sign, told, implied, london, found):
    changed = moved(counts, AUTUMN, factor)
    september = taskforce.evaluate(changed, VIOLENCE, LONDON, "september")
    said = words.told(september.row())
    assert said.startswith(sign)
    assert "cannot tell" not in said
    years = taskforce_chance.placebos(changed, VIOLENCE, LONDON, load("breaks"))
    text = str(words.learnt(implied, london["rehearsal"], london["april"], september, found, years))
    assert f"October to December 2018: {sign}" in text
    assert "Off its course: violence with injury in London" in text
    kept = int((september.boroughs["p_holm"] < 0.05).sum())
    assert kept > 0
    assert "Where the taskforce worked is not known" in str(
        words.beside_told(london["april"], september, _sets(1))
    )


def _sets(survive: int) -> dict[str, pd.DataFrame]:
    row = pd.DataFrame({"estimated": [32], "seem": [3], "survive": [survive]}, index=[2016])
    return {"October to December": row}


def test_survivors_are_counted_beside_those_of_years_without_a_taskforce(london):
    quiet = words.beside_told(london["september"], london["september"], _sets(0))
    assert str(quiet).startswith("No borough is clear of chance")
    assert "none of 1 such comparisons" in str(quiet)
    assert "no earlier year" in str(words.beside_told(london["april"], london["april"], {}))


def test_shares_and_changes_are_never_rounded_to_certainty():
    assert words.out_of(0.9999) == "over 99%"
    assert words.sized(-0.9999) == "under −99%"
    assert words.sized(11.0) == "12 times"


# Odd places and measures


def test_the_city_of_london_is_refused_and_a_misspelling_helped():
    with pytest.raises(UnknownNameError, match="borough"):
        taskforce.place_of("robbery", "City of London")
    with pytest.raises(UnknownNameError, match="Camden"):
        taskforce.place_of("robbery", "Camdem")
    with pytest.raises(UnknownNameError, match="robbery"):
        taskforce.place_of("roberry", LONDON)
    assert taskforce.place_of("robbery", "hammersmith & fulham")[0] == "Hammersmith and Fulham"


def test_an_unknown_design_is_refused(counts):
    with pytest.raises(UnknownNameError, match="april"):
        taskforce.evaluate(counts, VIOLENCE, LONDON, "aprl")
    with pytest.raises(UnknownNameError, match="april"):
        taskforce_chance.borough_placebos(counts, VIOLENCE, "aprl")


def test_admissions_are_londons_and_no_boroughs(counts):
    place, why = taskforce.place_of("admissions", "Hackney")
    assert place == LONDON
    assert "not for Hackney" in why
    with pytest.raises(ModelError, match="is not published for Hackney"):
        taskforce.interrupted(counts, "admissions", "Hackney", DESIGNS["april"])


def test_a_borough_without_homicides_has_a_reason_in_place_of_an_estimate(counts, implied, told):
    september = taskforce.evaluate(counts, "homicide", "Merton", "september")
    assert "zero in every month" in september.row()["reason"]
    assert words.told(september.row()).startswith("no estimate")
    nothing = taskforce_chance.afterwards(counts, "homicide", "Merton", 500)
    assert nothing.reason
    assert len(nothing.draws) == 0
    years = taskforce_chance.placebos(counts, "homicide", "Merton", load("breaks"))
    assert isinstance(charts.courses(september, september, counts), Text)
    assert isinstance(chance_charts.summers(nothing), Text)
    said = str(words.learnt(implied, september, september, september, nothing, years))
    assert "nan" not in said
    numbers = words.headline(told, implied, september, september, september, nothing)
    assert np.isnan(numbers["september_change"])


# The notebook


def run(**parameters: object) -> tuple[list[Any], set[str]]:
    """Run the notebook's cells here; return what they show and the names they record."""
    shown, space = [], {}
    recorded: set[str] = set()
    for cell in json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        lines = "".join(cell["source"])
        if "parameters" in cell["metadata"].get("tags", []):
            exec(lines, space)
            assert set(parameters) <= set(space)
            space |= parameters
            continue
        recorded |= set(re.findall(r'ca\.record\("(\w+)"', lines))
        *head, last = lines.splitlines()
        exec("\n".join(head), space)
        try:
            shown.append(eval(last, space))
        except SyntaxError:
            exec(last, space)
    return shown, recorded


@pytest.mark.parametrize(
    ("measure", "place", "figures"), [("admissions", "Hackney", 5), ("homicide", "Merton", 4)]
)
def test_the_notebook_runs_where_there_is_least_to_see(measure, place, figures, monkeypatch):
    one_year = functools.partial(taskforce_chance.borough_placebos, last=2013)
    monkeypatch.setattr(taskforce_chance, "borough_placebos", one_year)
    shown, recorded = run(measure=measure, place=place, draws=500)
    told = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["metadata"]["crime_analysis"]
    assert set(told["yields"]["records"]) == recorded
    assert set(told["headline"]) <= recorded
    drawn = [item for item in shown if isinstance(item, Figure)]
    assert len(drawn) == figures >= told["yields"]["figures"]
    assert sum(isinstance(item, tables.Table) for item in shown) >= told["yields"]["tables"]
    for figure in drawn:
        assert figure.alt
        assert figure.source
        assert "nan" not in f"{figure.title} {figure.alt}"
        assert base64.b64encode(figure.svg)
    for item in shown:
        if isinstance(item, Text):
            assert "nan" not in str(item)


def test_the_notebook_offers_every_measure_and_place():
    told = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["metadata"]["crime_analysis"]
    choices = told["parameters"]
    assert choices["measure"]["choices"] == list(taskforce.MEASURES)
    assert choices["place"]["choices"] == [LONDON, *places.BOROUGHS]
