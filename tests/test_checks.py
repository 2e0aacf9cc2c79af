"""Checks on panels whose truth is known: each finds what was put in, and nothing where it was not.

Every panel is drawn with a seed, so a result that is likely is here certain.
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import crime_analysis as ca
from crime_analysis import checks
from crime_analysis.checks import CheckResult, Verdict, run, verdict
from crime_analysis.errors import ModelError, UnknownNameError
from crime_analysis.falsification import CHECKS, INFORMATIVE, Setting, recorded_against_admitted
from crime_analysis.models.fit import Fit

YEARS = range(2004, 2018)
PLAIN = "y ~ x | place + year"
INSTRUMENTED = "y ~ 1 | place + year | x ~ z"
SET = {
    "unit": "place",
    "time": "year",
    "event": 2010,
    "dose": "dose",
    "placebo_outcomes": {"calm": "ols"},
    "second_count": "x_again",
    "rivals": ("rival",),
    "era": 2012,
}


def made_up(seed: int = 2, places: int = 40, effect: float = 1.0) -> pd.DataFrame:
    """A clean panel: x moves y by `effect`; z moves x alone; both fall with dose after 2010."""
    rng = np.random.default_rng(seed)
    rows = list(itertools.product(range(places), YEARS))
    data = pd.DataFrame(rows, columns=["number", "year"])
    n, at = len(data), data["number"].to_numpy()
    data["place"] = [f"place {number:02d}" for number in at]
    data["dose"] = rng.uniform(0, 1, places)[at]
    data["rival"] = rng.normal(size=places)[at]
    data["hidden"] = rng.normal(size=n) * 0.2
    data["z"] = -4 * data["dose"] * (data["year"] > 2010) + rng.normal(size=n) * 0.15
    data["x"] = data["z"] + rng.normal(size=places)[at] + data["hidden"]
    data["noise"] = rng.normal(size=n) * 0.2
    data["y"] = effect * data["x"] + rng.normal(size=places)[at] + data["year"] / 9 + data["noise"]
    data["calm"] = rng.normal(size=n)
    data["count"] = rng.poisson(20, size=n) * 1.0
    data["x_again"] = data["x"] + rng.normal(size=n) * 0.1
    return data


def fitted(data: pd.DataFrame, formula: str = PLAIN, **options: object) -> Fit:
    return ca.fit_panel(formula, data, cluster="place", **options)


def one(fit: Fit, name: str, **setting: object) -> CheckResult:
    (result,) = run(fit, [name], **{**SET, **setting})
    return result


@functools.cache
def clean() -> Fit:
    return fitted(made_up())


@functools.cache
def instrumented() -> Fit:
    return fitted(made_up(), INSTRUMENTED)


@functools.cache
def checked(formula: str) -> list[CheckResult]:
    """Every check of a clean panel."""
    return run(clean() if formula == PLAIN else instrumented(), **SET)


@functools.cache
def shipped() -> pd.DataFrame:
    return ca.force_panel()


def given(recorded: tuple[float, float], admitted: tuple[float, float]) -> dict[str, pd.DataFrame]:
    """Tables of two forces of England and one of Wales, with the totals of two years."""
    years = ["2013/14", "2015/16"]
    english = pd.DataFrame(
        {
            "force": np.repeat(["North", "South", "Cymru"], 2),
            "financial_year": years * 3,
            "offence_group": "violence_with_injury",
            # Wales has admissions of its own: what happens there must not count.
            "offences": [*(0.25 * np.array(recorded)), *(0.75 * np.array(recorded)), 10, 9000],
        }
    )
    other = english.assign(offence_group="homicide", offences=12345.0)
    nhs = pd.DataFrame(
        {
            # March is of the year before: a month shifts a financial year's total.
            "month": ["2013-04", "2014-03", "2015-04", "2016-03", "2015-05", "2015-05"],
            "region": ["East", "East", "East", "West", "England", "Wales"],
            "admissions": [*np.repeat(np.array(admitted) / 2, 2), 7777.0, 8888.0],
        }
    )
    places = pd.DataFrame(
        {
            "kind": ["force"] * 3,
            "place": ["North", "South", "Cymru"],
            "country": ["England", "England", "Wales"],
        }
    )
    return {
        "places": places,
        "recorded_crime": pd.concat([english, other]),
        "hospital_admissions": nhs,
    }


# --- each check finds what was put in ---------------------------------------------------------


def test_a_clean_panel_passes_every_check_that_can_be_run_on_it() -> None:
    results = checked(PLAIN)

    assert [result.name for result in results] == list(CHECKS)
    assert all(result.ran for result in results)
    assert {r.name for r in results if r.passed is None} == {
        "drift", "recording", "measurement error",
    }  # fmt: skip
    assert [r.name for r in results if r.passed is False] == []


def test_reverse_causality_fails_leads_and_is_told_with_its_numbers() -> None:
    data = made_up(effect=0.0)
    before = data.groupby("place")["noise"].shift()
    backward = fitted(data.assign(x=data["x"] + 1.5 * before.fillna(0)))

    result = one(backward, "leads")

    assert result.passed is False
    row = result.table.loc["lag(x, -1)"]
    assert row["ci_low"] > 0
    assert f"{row['estimate']:.2f} ({row['ci_low']:.2f} to {row['ci_high']:.2f})" in result.text
    assert "cannot have moved" in result.text
    assert one(clean(), "leads").passed is True


def test_leads_are_periods_of_the_calendar_and_not_rows_of_the_table() -> None:
    data = made_up().sample(frac=1, random_state=3)

    shuffled = one(fitted(data), "leads").table
    table = one(clean(), "leads").table

    pd.testing.assert_frame_equal(shuffled, table, rtol=1e-6)
    by_hand = made_up()
    by_hand["next"] = by_hand.groupby("place")["x"].shift(-1)
    again = fitted(by_hand, "y ~ x + next | place + year").tidy()
    np.testing.assert_allclose(table.to_numpy(), again.to_numpy(), rtol=1e-6)


def test_leads_of_an_instrumented_fit_are_of_its_instruments_and_name_the_one_that_matters() -> (
    None
):
    data = made_up(effect=0.0)
    data["z_too"] = data["z"] + np.random.default_rng(2).normal(size=len(data))
    data["z_too"] += 1.5 * data.groupby("place")["noise"].shift().fillna(0)
    fit = fitted(data, "y ~ 1 | place + year | x ~ z + z_too")

    result = one(fit, "leads")

    assert result.passed is False
    assert list(result.table.index) == ["z", "z_too", "lag(z, -1)", "lag(z_too, -1)"]
    first, second = (result.table.loc[name] for name in ("lag(z, -1)", "lag(z_too, -1)"))
    assert second["ci_low"] > 0
    if not (first["ci_low"] > 0 or first["ci_high"] < 0):
        assert result.text.startswith("Next period's z_too has")


def test_one_place_that_makes_the_result_fails_leave_one_out_and_is_named() -> None:
    data = made_up(effect=0.0)
    odd = data["place"] == "place 07"
    late = data["year"] > 2010
    data.loc[odd, "x"] += 30.0 * late[odd]
    data.loc[odd, "y"] += 30.0 * late[odd]
    # Robust errors do not see that one place makes it all; leaving it out does.
    driven = ca.fit_panel(PLAIN, data)

    result = one(driven, "leave one out")

    assert result.passed is False
    assert result.table.index[result.table["says"] == "cannot tell"].tolist() == ["place 07"]
    assert "without place 07 it would say 'cannot tell' and not 'above zero'" in result.text
    without = ca.fit_panel(PLAIN, data[~odd]).term("x")
    assert result.table.loc["place 07", "estimate"] == pytest.approx(without["estimate"], rel=1e-9)
    assert len(result.table) == 40


def test_leave_one_out_takes_places_named_by_numbers() -> None:
    data = made_up(places=12)
    fit = ca.fit_panel("y ~ x | number + year", data, cluster="number")
    late = 30.0 * ((data["number"] == 3) & (data["year"] > 2010))
    driven = data.assign(x=data["x"] + late, calm=data["calm"] + late)
    hanging = ca.fit_panel("calm ~ x | number + year", driven)
    driven_without = driven[driven["number"] != 3]
    assert ca.fit_panel("calm ~ x | number + year", driven_without).term("x")["p_value"] > 0.05

    assert one(fit, "leave one out", unit="number").ran
    result = one(hanging, "leave one out", unit="number")
    assert result.passed is False
    assert "without 3 it would say" in result.text


def test_few_clusters_of_which_one_is_a_giant_disagree() -> None:
    rng = np.random.default_rng(4)
    sizes = [6, 150, *[6] * 6]  # the first alone is treated, the second is the giant
    number = np.repeat(np.arange(8), sizes)
    x = 1.0 * (number == 0) + 0.05 * rng.normal(size=len(number))
    data = pd.DataFrame(
        {
            "place": number,
            "year": 2000 + np.arange(len(number)),
            "x": x,
            "y": 0.6 * (number == 0)
            + rng.normal(size=8)[number] * 0.5
            + rng.normal(size=len(number)),
        }
    )
    fit = ca.fit_panel("y ~ x", data, cluster="place")

    result = one(fit, "few clusters")

    p = result.table["p_value"]
    assert p["t distribution"] < 0.05 < p["wild bootstrap"]
    assert result.passed is False
    assert f"{p['t distribution']:.3f}" in result.text
    assert f"{p['wild bootstrap']:.3f}" in result.text
    assert p["t distribution"] == pytest.approx(fit.term("x")["p_value"])
    assert one(clean(), "few clusters").passed is True


def test_the_bootstrap_of_an_instrumented_fit_tests_the_reduced_form() -> None:
    result = one(instrumented(), "few clusters")

    reduced = fitted(made_up(), "y ~ z | place + year").term("z")
    assert result.table.loc["t distribution", "p_value"] == pytest.approx(reduced["p_value"])


def test_the_reduced_form_is_tested_on_the_rows_of_the_instrumented_estimate() -> None:
    data = made_up()
    cause = instrumented().design.endogenous.columns[-1]
    data.loc[data["year"] == data["year"].min(), cause] = np.nan
    fit = instrumented().refit(data=data)
    result = one(fit, "few clusters")
    reduced = fitted(data.dropna(subset=[cause]), "y ~ z | place + year").term("z")
    whole = fitted(data, "y ~ z | place + year").term("z")
    told = result.table.loc["t distribution", "p_value"]
    assert told == pytest.approx(reduced["p_value"], abs=0)
    assert told != pytest.approx(whole["p_value"], abs=0)


def parting() -> pd.DataFrame:
    """A panel whose outcomes part by dose from the first year, long before the event."""
    data = made_up()
    return data.assign(y=data["y"] + 0.5 * data["dose"] * (data["year"] - 2004))


@pytest.mark.parametrize("name", ["pre-trends", "placebo dates"])
def test_outcomes_that_part_by_dose_before_the_event_fail(name: str) -> None:
    result = one(fitted(parting()), name)

    assert result.passed is False
    assert "already parted" in result.text
    line = result.table.loc[("test", "linear")]
    assert line["p_value"] < 0.05
    assert f"slope a year {line['estimate']:.3f}" in result.text
    assert one(clean(), name).passed is True


def test_the_slope_before_the_event_is_the_one_put_in() -> None:
    # Put in: 0.5 a year for one more of the dose.
    line = one(fitted(parting()), "pre-trends").table.loc[("test", "linear")]

    assert line["ci_low"] < 0.5 < line["ci_high"]
    assert line["ci_high"] - line["ci_low"] < 0.4


def test_placebo_dates_use_each_places_own_later_change_of_the_regressor() -> None:
    data = parting()
    late = data.pivot(index="place", columns="year", values="x")
    by_hand = data.assign(later=data["place"].map(late[2017] - late[2010]))
    study = ca.event_study(by_hand, "y", "place", "year", "later", 2010, controls=["x"])

    table = one(fitted(data), "placebo dates").table

    np.testing.assert_allclose(
        table.loc["test", "estimate"], study.pre_trends()["estimate"], rtol=1e-8
    )


def test_passing_noise_in_the_regressor_raises_no_false_alarm_before_the_event() -> None:
    """Outcomes are compared with the event's period, whose noise the dose must not share.

    Either of two tests at 5% may fail a clean panel, so up to one in ten does; measured from
    the event's own period the change failed six in ten of these.
    """
    alarms = 0
    for seed in range(40):
        data = made_up(seed, places=30)
        noise = np.random.default_rng(700 + seed).normal(size=len(data)) * 0.5
        data = data.assign(x=data["x"] + noise, y=data["y"] + noise)
        alarms += one(fitted(data), "placebo dates").passed is False

    assert alarms <= 10  # 4 expected at most; more than 10 of 40 would have a chance of 0.001


def test_an_instrument_whose_outcomes_part_by_dose_before_fails_drift_and_a_clean_one_passes() -> (
    None
):
    drifting = fitted(parting(), INSTRUMENTED)

    assert one(drifting, "drift").passed is False
    assert one(instrumented(), "drift").passed is True
    assert one(clean(), "drift").passed is None  # without an instrument it only informs


def test_drift_tells_the_multiple_of_the_largest_step_that_the_event_study_gives() -> None:
    study = ca.event_study(made_up(), "y", "place", "year", "dose", 2010)
    margin = float(study.breakdown().iloc[-1])

    assert margin > 0
    assert f"drifts by {margin:.2f} of the largest" in one(instrumented(), "drift").text


def test_a_placebo_outcome_that_moves_fails() -> None:
    data = made_up()
    moved = fitted(data.assign(calm=data["calm"] + data["x"]))

    result = one(moved, "placebo outcomes")

    assert result.passed is False
    assert result.text.startswith("calm: ")
    assert result.table.loc["calm", "ci_low"] < 1 < result.table.loc["calm", "ci_high"]
    assert one(clean(), "placebo outcomes").passed is True


def test_of_several_placebo_outcomes_the_one_that_moves_is_named() -> None:
    data = made_up()
    data["jumpy"] = data["calm"] + data["x"]
    outcomes = {"calm": "ols", "jumpy": "ols"}

    result = one(fitted(data), "placebo outcomes", placebo_outcomes=outcomes)

    assert list(result.table.index) == ["calm", "jumpy"]
    assert result.passed is False
    assert result.text.startswith("jumpy: ")


def test_a_placebo_count_is_modelled_as_a_count() -> None:
    data = made_up()
    result = one(fitted(data), "placebo outcomes", placebo_outcomes={"count": "poisson"})

    direct = fitted(data, "count ~ x | place + year", family="poisson").term("x")
    assert result.table.loc["count", "estimate"] == pytest.approx(direct["estimate"], rel=1e-6)


def test_a_placebo_count_takes_the_logarithm_of_residents_as_its_offset() -> None:
    data = made_up().assign(log_population=lambda d: 1 + d["x_again"] / 5)
    result = one(fitted(data), "placebo outcomes", placebo_outcomes={"count": "poisson"})

    direct = fitted(
        data, "count ~ x | place + year", family="poisson", offset="log_population"
    ).term("x")
    assert result.table.loc["count", "estimate"] == pytest.approx(direct["estimate"], rel=1e-6)


def test_a_rival_that_explains_the_effect_fails_rival_explanations() -> None:
    data = made_up(effect=0.0)
    after = data["year"] >= 2012
    stolen = fitted(
        data.assign(
            x=data["x"] + 2 * data["rival"] * after, y=data["y"] + 2 * data["rival"] * after
        )
    )

    result = one(stolen, "rival explanations")

    assert stolen.term("x")["ci_low"] > 0
    assert result.passed is False
    assert "('above zero' to 'cannot tell')" in result.text
    assert one(clean(), "rival explanations").passed is True


def test_rivals_compare_the_same_rows_and_count_the_places_without_a_figure() -> None:
    data = made_up()
    data.loc[data["place"].isin(["place 01", "place 02"]), "rival"] = np.nan

    result = one(fitted(data), "rival explanations")

    known = data[data["rival"].notna()]
    assert "; 2 places have no figure." in result.text
    assert result.table["estimate"].iloc[0] == pytest.approx(
        fitted(known).term("x")["estimate"], rel=1e-9
    )


def test_recorded_violence_that_outruns_admissions_fails_recording() -> None:
    fit = replace(clean(), outcome="log_violence_with_injury_per_1000")
    tables = given(recorded=(1000, 1400), admitted=(100, 105))

    result = one(fit, "recording", tables=tables)

    assert result.passed is False
    assert "+40%" in result.text
    assert "+5%" in result.text
    assert "+33% against them; recording moved" in result.text  # 1.4 / 1.05 = 1.333


def test_recorded_violence_that_rises_as_much_as_admissions_passes_recording() -> None:
    fit = replace(clean(), outcome="log_violence_with_injury_per_1000")

    result = one(fit, "recording", tables=given(recorded=(1000, 1400), admitted=(100, 140)))

    assert result.passed is True
    assert "recording moved" not in result.text


def test_recording_counts_england_by_financial_years_and_leaves_totals_out() -> None:
    held = Setting(term="x", tables=given(recorded=(1000, 1400), admitted=(100, 140)))

    table = recorded_against_admitted(held)

    assert table["recorded"].to_dict() == {"2013/14": 1000, "2015/16": 1400}
    assert table["admissions"].to_dict() == {"2013/14": 100, "2015/16": 140}
    np.testing.assert_allclose(table["ratio"], [10, 10])


def test_recording_has_nothing_to_say_of_another_outcome() -> None:
    result = one(clean(), "recording", tables={})

    assert result.ran
    assert result.passed is None
    assert "y is not recorded violence" in result.text


def test_two_counts_with_errors_of_their_own_recover_the_truth_from_each_other() -> None:
    """Truth 1; attenuated to V/(V+E) without instruments, by the textbook formula."""
    plain, freed, other = [], [], []
    for seed in range(20):
        data = made_up(seed, effect=1.0)
        rng = np.random.default_rng(900 + seed)
        truth = data["x"].copy()
        data["x"] = truth + rng.normal(size=len(data))
        data["x_again"] = truth + rng.normal(size=len(data))
        table = one(fitted(data), "measurement error").table["estimate"]
        plain.append(table.iloc[0])
        freed.append(table.iloc[1])
        other.append(table.iloc[2])

    for estimates in (freed, other):
        error = np.std(estimates, ddof=1) / np.sqrt(len(estimates))
        assert abs(np.mean(estimates) - 1) < 3 * error
    assert np.mean(plain) < 0.75
    assert np.mean(plain) < 1 - 10 * np.std(plain, ddof=1) / np.sqrt(len(plain))


def test_measurement_error_only_informs_and_says_what_is_left_of_the_size() -> None:
    result = one(clean(), "measurement error")
    first, second, _ = result.table["estimate"]

    assert result.passed is None
    assert result.ran
    assert f"is {second:.2f} and not {first:.2f}" in result.text
    assert f"{first / second:.0%} of the size" in result.text


# --- what cannot be run is said ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "setting", "reason"),
    [
        ("pre-trends", {"dose": "doze"}, "nearest: dose"),
        ("drift", {"dose": "doze"}, "nearest: dose"),
        ("placebo outcomes", {"placebo_outcomes": {"clam": "ols"}}, "nearest: calm"),
        ("placebo outcomes", {"placebo_outcomes": {}}, "no placebo outcome"),
        ("placebo outcomes", {"placebo_outcomes": {"count": "poison"}}, "nearest: poisson"),
        ("measurement error", {"second_count": "x_agin"}, "nearest: x_again"),
        ("measurement error", {"second_count": "x"}, "stand twice"),
        ("rival explanations", {"rivals": ("rivl",)}, "nearest: rival"),
        ("rival explanations", {"rivals": ()}, "unknown column"),
        ("rival explanations", {"time": "yeer"}, "nearest: year"),
        ("leads", {"time": "yeer"}, "nearest: year"),
        ("placebo dates", {"time": "yeer"}, "nearest: year"),
        ("leave one out", {"unit": "plaice"}, "nearest: place"),
        ("pre-trends", {"event": 1066}, "1066"),
    ],
)
def test_a_check_without_what_it_needs_is_returned_as_not_run_with_its_reason(
    name: str, setting: dict[str, object], reason: str
) -> None:
    result = one(clean(), name, **setting)

    assert not result.ran
    assert result.passed is None
    assert result.text.startswith("Not run: ")
    assert reason in result.text
    assert str(result).startswith(f"{name}: not run. ")


def test_tables_without_the_years_that_recording_compares_are_told() -> None:
    fit = replace(clean(), outcome="violence")
    tables = given(recorded=(1000, 1400), admitted=(100, 140))
    tables["recorded_crime"] = tables["recorded_crime"].query("financial_year == '2013/14'")

    result = one(fit, "recording", tables=tables)

    assert not result.ran
    assert "2015/16" in result.text


def test_counts_have_no_wild_bootstrap_and_no_second_count_and_the_rest_still_runs() -> None:
    fit = fitted(made_up(places=15), "count ~ x | place + year", family="poisson")

    results = run(fit, **SET)

    assert {r.name for r in results if not r.ran} == {"few clusters", "measurement error"}
    assert [r.name for r in results] == list(CHECKS)


def test_one_check_that_cannot_be_run_stops_no_other() -> None:
    results = run(clean(), ["pre-trends", "leads"], **{**SET, "dose": "nowhere"})

    assert [(r.name, r.ran) for r in results] == [("pre-trends", False), ("leads", True)]


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("suite", "setting", "words"),
    [
        ("defualt", {}, "unknown suite 'defualt'; nearest: default"),
        (["leeds"], {}, "unknown check 'leeds'; nearest: leads"),
        ("quick", {"evnt": 2010}, "unknown setting 'evnt'; nearest: event"),
        ("quick", {"term": "w"}, "unknown term 'w'"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(
    suite: str, setting: dict[str, object], words: str
) -> None:
    with pytest.raises(UnknownNameError) as refused:
        run(clean(), suite, **setting)
    assert words in str(refused.value)


def test_a_fit_that_fit_panel_did_not_make_is_refused() -> None:
    with pytest.raises(ModelError, match="did not come from fit_panel"):
        run(replace(clean(), data=None))
    with pytest.raises(ModelError, match="did not come from fit_panel"):
        run(replace(clean(), design=None))
    with pytest.raises(ModelError, match="did not come from fit_panel"):
        replace(clean(), data=None).refit()


def test_a_control_beside_an_instrumented_term_is_refused_and_not_answered_for_the_other() -> None:
    fit = fitted(made_up(), "y ~ calm | place + year | x ~ z")

    with pytest.raises(ModelError, match="'calm' is a control"):
        run(fit, "quick", term="calm", **SET)
    with pytest.raises(ModelError, match="'calm' is a control"):
        verdict(fit, [], "calm")
    assert [r.ran for r in run(fit, ["leads"], **SET)] == [True]


def test_the_last_term_is_meant_if_none_is_named_and_another_can_be() -> None:
    fit = fitted(made_up(), "y ~ calm + x | place + year")

    assert list(one(fit, "leads").table.index) == ["x", "lag(x, -1)"]
    assert list(one(fit, "leads", term="calm").table.index) == ["calm", "lag(calm, -1)"]


# --- how it behaves ---------------------------------------------------------------------------


@pytest.mark.parametrize("formula", [PLAIN, INSTRUMENTED])
def test_no_check_changes_the_data_and_the_same_fit_gives_the_same_results(formula: str) -> None:
    data = made_up(places=10).set_index(np.arange(7, 7 + 10 * len(YEARS))[::-1])
    before = data.copy(deep=True)

    first = run(fitted(data, formula), **SET)
    second = run(fitted(data, formula), **SET)

    pd.testing.assert_frame_equal(data, before, check_exact=True)
    for one_, two in zip(first, second, strict=True):
        assert str(one_) == str(two)
        pd.testing.assert_frame_equal(one_.table, two.table, check_exact=True)


def test_rows_out_of_order_and_rows_without_values_change_no_verdict() -> None:
    data = made_up()
    extra = data.iloc[:20].assign(place="nowhere", x=np.nan, year=range(1900, 1920))
    odd = pd.concat([extra, data]).sample(frac=1, random_state=5)

    usual, other = one(clean(), "leave one out"), one(fitted(odd), "leave one out")

    assert other.passed == usual.passed
    np.testing.assert_allclose(other.table["estimate"], usual.table["estimate"], rtol=1e-6)
    assert "nowhere" not in other.table.index


def test_weights_and_offsets_reach_the_checks() -> None:
    data = made_up().assign(people=lambda d: 1 + d["number"], exposure=lambda d: d["x_again"] / 9)
    weighted = fitted(data, weights="people")
    counts = fitted(data, "count ~ x | place + year", family="poisson", offset="exposure")
    by_weight = ca.event_study(data, "y", "place", "year", "dose", 2010, weights="people")
    by_offset = ca.event_study(
        data, "count", "place", "year", "dose", 2010, family="poisson", offset="exposure"
    )

    for fit, study in ((weighted, by_weight), (counts, by_offset)):
        table = one(fit, "drift").table
        np.testing.assert_allclose(table["estimate"], study.profile()["estimate"], rtol=1e-8)


def test_suites_name_only_checks_there_are_and_every_check_is_in_the_default() -> None:
    assert set(itertools.chain(*checks.SUITES.values())) == set(CHECKS)
    assert set(INFORMATIVE) <= set(CHECKS)


def test_a_result_says_its_mark_before_its_sentence() -> None:
    marks = [CheckResult("leads", p, pd.DataFrame(), "Text.") for p in (True, False, None)]

    assert [str(m) for m in marks] == [
        "leads: passed. Text.", "leads: FAILED. Text.", "leads: for information. Text.",
    ]  # fmt: skip


# --- the rule ---------------------------------------------------------------------------------


def results(*, failed: tuple[str, ...] = (), lacking: tuple[str, ...] = ()) -> list[CheckResult]:
    return [
        CheckResult(
            name,
            None if name in lacking else name not in failed,
            pd.DataFrame(),
            "",
            name not in lacking,
        )
        for name in CHECKS
    ]


@functools.cache
def weak() -> Fit:
    """Instrumented by noise: an effective F under 10."""
    data = made_up()
    noise = np.random.default_rng(8).normal(size=len(data))
    return fitted(data.assign(z=noise + 0.12 * data["hidden"]), INSTRUMENTED)


def test_a_strong_instrument_that_survives_every_check_is_an_effect() -> None:
    assert instrumented().first_stage().effective_f > 10

    told = verdict(instrumented(), results())

    assert told.word == "effect"
    assert verdict(instrumented(), checked(INSTRUMENTED)).word == "effect"
    assert str(told).startswith("effect: effective F of ")


def test_without_an_instrument_nothing_is_more_than_an_association() -> None:
    assert verdict(clean(), results()) == Verdict("association", ("no instrument",))
    assert verdict(clean(), checked(PLAIN)).word == "association"


def test_an_interval_that_holds_zero_cannot_tell() -> None:
    none = fitted(made_up(), "calm ~ x | place + year")

    told = verdict(none, results())

    assert told.word == "cannot tell"
    row = none.term("x")
    assert (
        told.reasons[-1] == f"the interval {row['ci_low']:.3g} to {row['ci_high']:.3g} holds zero"
    )


def test_an_instrumented_interval_is_the_anderson_rubin_set() -> None:
    none = fitted(made_up(), "calm ~ 1 | place + year | x ~ z")
    stage = none.first_stage()

    told = verdict(none, results())

    assert told.word == "cannot tell"
    assert f"the interval {stage.ci_low:.3g} to {stage.ci_high:.3g} holds zero" in told.reasons


def test_an_interval_that_is_not_a_number_cannot_tell() -> None:
    broken = replace(clean(), covariance=clean().covariance * np.nan)

    assert verdict(broken, results()).word == "cannot tell"
    assert "cannot tell" in broken.explain()


def test_a_weak_instrument_cannot_tell() -> None:
    stage = weak().first_stage()
    assert stage.effective_f < 10

    told = verdict(weak(), results())

    assert told.word == "cannot tell"
    assert "too weak an instrument" in told.reasons[0]


def staged(fit: Fit, **changed: object) -> Fit:
    """The fit with another first stage in place of its own."""

    class Staged(Fit):
        def first_stage(self, level: float = 0.95):
            return replace(fit.first_stage(), **changed)

    return Staged(**{name: getattr(fit, name) for name in Fit.__dataclass_fields__})


@pytest.mark.parametrize(
    ("changed", "word", "reason"),
    [
        ({"effective_f": 10.0}, "effect", "effective F of 10.0"),
        ({"effective_f": 9.99}, "cannot tell", "too weak an instrument to lean on"),
        ({"region": ((-np.inf, np.inf),)}, "cannot tell", "the confidence set has no bound"),
        ({"region": ((0.5, np.inf),)}, "cannot tell", "the confidence set has no bound"),
        ({"region": ((-np.inf, 1.0), (2.0, np.inf))}, "cannot tell", "has no bound"),
        ({"region": ((1.0, 2.0), (3.0, 4.0))}, "cannot tell", "has no bound"),
        ({"region": ()}, "cannot tell", "no value fits the instruments"),
        ({"region": ((0.0, 2.0),)}, "cannot tell", "holds zero"),
        ({"region": ((-2.0, -1.0),)}, "effect", "effective F"),
    ],
)
def test_each_shape_of_the_confidence_set_has_its_word(
    changed: dict[str, object], word: str, reason: str
) -> None:
    told = verdict(staged(instrumented(), **changed), results())

    assert told.word == word
    assert any(reason in part for part in told.reasons)


@pytest.mark.parametrize("name", [name for name in CHECKS if name not in INFORMATIVE])
def test_each_failed_check_takes_an_estimate_one_step_down(name: str) -> None:
    other = next(n for n in CHECKS if n not in (name, *INFORMATIVE))

    assert verdict(instrumented(), results(failed=(name,))).word == "association"
    assert verdict(instrumented(), results(failed=(name, other))).word == "cannot tell"
    assert verdict(instrumented(), results(failed=tuple(CHECKS))).word == "cannot tell"
    assert verdict(clean(), results(failed=(name,))).word == "cannot tell"
    assert f"failed: {name}" in verdict(clean(), results(failed=(name,))).reasons


@pytest.mark.parametrize("name", list(CHECKS))
def test_a_check_that_was_not_run_keeps_from_effect_unless_it_only_informs(name: str) -> None:
    told = verdict(instrumented(), results(lacking=(name,)))

    if name in INFORMATIVE:
        assert told.word == "effect"
        assert len(told.reasons) == 1
    else:
        assert told.word == "association"
        assert f"could not be checked: {name}" in told.reasons
    assert verdict(clean(), results(lacking=(name,))).word == "association"


def test_a_check_left_out_keeps_from_effect_as_one_that_could_not_be_run() -> None:
    """Else asking for fewer checks would say more."""
    assert verdict(instrumented(), []).word == "association"
    short = [r for r in results() if r.name != "drift"]
    assert verdict(instrumented(), short).reasons[-1] == "not checked: drift"


def test_a_failure_counts_whatever_kind_of_false_it_is() -> None:
    """Comparing numbers of numpy gives numpy's own False, which is not Python's."""
    found = [replace(r, passed=np.False_) if r.name == "few clusters" else r for r in results()]

    assert verdict(instrumented(), found).word == "association"
    assert all(r.passed is None or type(r.passed) is bool for r in checked(PLAIN))


def test_the_order_of_the_results_does_not_matter() -> None:
    some = results(failed=("leads",), lacking=("few clusters",))

    words = {verdict(instrumented(), list(way)).word for way in itertools.permutations(some[:4])}
    assert words == {"association"}
    assert verdict(instrumented(), some[::-1]).word == verdict(instrumented(), some).word


def test_an_unknown_term_is_refused_by_the_verdict() -> None:
    with pytest.raises(UnknownNameError, match="nearest: x"):
        verdict(clean(), results(), "xx")


# --- the real panel ---------------------------------------------------------------------------


def test_officers_on_recorded_violence_cannot_tell_and_recording_moved() -> None:
    fit = ca.fit_panel(
        "log_violence_with_injury_per_1000 ~ log_officers_per_1000 | force + financial_year",
        shipped(), cluster="force",
    )  # fmt: skip
    found = run(fit)

    told = verdict(fit, found)
    assert told.word == "cannot tell"
    assert {"failed: recording", "failed: pre-trends"} <= set(told.reasons)
    recording = next(r for r in found if r.name == "recording")
    ratio = recording.table["ratio"]
    assert ratio["2015/16"] / ratio["2013/14"] - 1 == pytest.approx(0.24, abs=0.01)
    assert "cannot tell" in fit.explain()


def test_funding_on_officers_is_an_association_at_most_while_drift_fails() -> None:
    fit = ca.fit_panel(
        "log_officers_end ~ log_population | force + financial_year"
        " | log_funding_real ~ exposure_all_grants",
        shipped(), cluster="force",
    )  # fmt: skip
    found = {r.name: r for r in run(fit)}

    assert found["drift"].passed is False
    assert not found["measurement error"].ran
    assert verdict(fit, list(found.values())).word in ("association", "cannot tell")
    # Were drift to pass, only then might it be called an effect.
    mended = [replace(r, passed=True) if r.name == "drift" else r for r in found.values()]
    assert verdict(fit, mended).word == "effect"
