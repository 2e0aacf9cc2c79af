"""The funding instrument is reported in every way, each number that of its own regression."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import crime_analysis as ca
from crime_analysis import instrument
from crime_analysis.curve import specification_curve
from crime_analysis.errors import ModelError, UnknownNameError
from crime_analysis.instrument import funding_instrument
from crime_analysis.instrument_report import parted
from crime_analysis.links import LONDON
from crime_analysis.staggered import recording_starts
from crime_analysis.universes import officers_universe, with_measures

WAYS = ["share", "weights", "London"]
VIOLENCE = "log_violence_with_injury_per_1000"


@pytest.fixture(scope="module")
def panel():
    return ca.force_panel("2007/08", "2018/19")


@pytest.fixture(scope="module")
def report(panel):
    return funding_instrument(panel, B=99, rng=1)


@pytest.fixture
def violence_alone(monkeypatch):
    """Report one outcome, for tests that need no more."""
    for part in ("OUTCOMES", "BEFORE"):
        monkeypatch.setattr(instrument, part, {VIOLENCE: getattr(instrument, part)[VIOLENCE]})


def planted(panel, elasticity, before=0.0):
    """Return the panel with officers that follow the instrument, and violence that follows them."""
    rng = np.random.default_rng(3)
    noise = rng.normal(scale=0.01, size=(3, len(panel)))
    officers = 2 * panel["exposure_formula_grant_lagged"].fillna(0) + noise[0]
    drift = before * panel["share_formula_grant"] * (panel["fy_start"] - 2010)
    violence = elasticity * officers + drift + noise[1]
    return panel.assign(
        log_officers_per_1000=officers,
        log_violence_with_injury_per_1000=violence,
        log_robbery_per_1000=noise[2],
    )


def test_every_way_is_there_once(report):
    assert len(report.strength) == 2 * 8
    assert len(report.effects) == 3 * 8
    for table in (report.strength, report.effects, report.pre_trends):
        assert table.index.is_unique
        assert list(table.index.names[1:]) == WAYS
    assert set(report.pre_trends.loc["homicide"].index.get_level_values("weights")) == {"none"}


def test_the_forces_are_named_with_those_left_out_and_why(report, panel):
    used = report.forces.query("used")
    assert sorted(used.index) == sorted(panel["force"].unique())
    out = report.forces.query("not used")
    assert out["reason"].to_dict() == {"City of London": "too few residents for rates"}
    inside, without = (report.strength.xs(w, level="London")["forces"] for w in ("in", "out"))
    assert set(inside) == {42}
    assert set(without) == {41}


def test_shares_are_those_of_the_record(report):
    # Figures of record: Surrey 54.8%, London 79.1%, Northumbria 88.7% (HMIC, 2009/10).
    share = report.forces["share_all_grants"]
    assert share.loc[["Surrey", LONDON, "Northumbria"]].round(3).tolist() == [0.548, 0.791, 0.887]


def test_the_first_stage_is_the_regression_of_the_cause_on_the_exposure(report, panel):
    rows = panel[panel["force"] != LONDON]
    fit = ca.fit_panel(
        "log_officers_per_1000 ~ exposure_formula_grant_lagged | force + financial_year", rows,
        cluster="force", weights="population",
    )  # fmt: skip
    ours = report.strength.loc[("officers per resident", "formula grant alone", "residents", "out")]
    term = fit.term("exposure_formula_grant_lagged")
    assert ours["coefficient"] == pytest.approx(term["estimate"], rel=1e-8)
    assert ours["f_statistic"] == pytest.approx(term["statistic"] ** 2, rel=1e-6)
    assert ours["effective_f"] == pytest.approx(ours["f_statistic"])


def test_two_stages_are_reduced_form_over_first_stage(report):
    cause = {"officers": "real funding"}
    for (outcome, *way), row in report.effects.iterrows():
        first = report.strength.loc[(cause.get(outcome, "officers per resident"), *way)]
        ratio = row["reduced_form"] / first["coefficient"]
        assert row["estimate"] == pytest.approx(ratio, rel=1e-8)


def test_at_the_ends_of_the_set_the_instrument_is_on_the_edge_of_explaining_the_rest(report, panel):
    row = report.effects.loc[("robbery", "all grants", "none", "out")]
    rows = panel[panel["force"] != LONDON]
    for end in (row["ci_low"], row["ci_high"]):
        rest = rows.assign(rest=rows["log_robbery_per_1000"] - end * rows["log_officers_per_1000"])
        fit = ca.fit_panel(
            "rest ~ exposure_all_grants_lagged | force + financial_year", rest, cluster="force"
        )
        statistic = abs(fit.tidy()["statistic"].iloc[0])
        assert statistic == pytest.approx(stats.t(40).ppf(0.975), rel=1e-6)


def test_london_weighted_makes_the_instrument_weak_for_officers_but_not_for_funding(report):
    way = ("all grants", "residents")
    inside, out = (
        report.strength.loc[("officers per resident", *way, where), "effective_f"]
        for where in ("in", "out")
    )
    assert inside < 10 < out
    assert (report.strength.loc["real funding"]["effective_f"] > 10).all()


def test_years_before_are_those_of_the_event_study(report, panel):
    study = ca.event_study(
        panel, "log_officers_per_1000", "force", "fy_start", "share_all_grants", 2010,
        weights="population",
    )  # fmt: skip
    row = report.pre_trends.loc[("officers", "all grants", "residents", "in")]
    tests = study.pre_trends()
    assert row["joint_p"] == pytest.approx(tests.loc["joint", "p_value"])
    assert row["slope"] == pytest.approx(tests.loc["linear", "estimate"] * study.dose_sd)
    net = study.net_of_trend().loc["average after"]
    assert row["net_high"] == pytest.approx(net["ci_high"] * study.dose_sd)


def test_violence_parts_by_dose_before_the_cuts_and_is_never_read_as_clear(report):
    assert parted(report.pre_trends.loc["violence with injury"]).all()
    assert set(report.effects.loc["violence with injury"]["reading"]) == {"parted before"}
    said = next(p for p in report.paragraphs() if p.startswith("Violence with injury"))
    assert said.startswith("Violence with injury: cannot tell. Of the ways, 8 of 8 have outcomes")


def test_a_planted_effect_is_found_in_every_way_and_an_absent_one_is_not(panel):
    told = funding_instrument(planted(panel, -0.5), B=49)
    rows = told.effects.loc["violence with injury"]
    assert (rows["ci_low"] < -0.5).mean() > 0.8
    assert (rows["ci_high"] > -0.5).mean() > 0.8
    assert (rows["ci_high"] < 0).all()
    assert told.text.count("Violence with injury: clear of zero in every way") == 1
    assert "Robbery: cannot tell" in told.text


def test_a_planted_effect_whose_outcome_drifted_before_is_not_called_clear(panel, violence_alone):
    told = funding_instrument(planted(panel, -0.5, before=-0.3), B=49)
    assert set(told.effects.loc["violence with injury"]["reading"]) == {"parted before"}


def test_a_useless_instrument_is_called_weak_and_its_set_has_no_bound(panel, violence_alone):
    rng = np.random.default_rng(5)
    still = planted(panel, 0.0).assign(
        log_officers_per_1000=rng.normal(size=len(panel)),
        log_violence_with_injury_per_1000=rng.normal(size=len(panel)),
    )
    rows = funding_instrument(still, B=49).effects.loc["violence with injury"]
    assert set(rows["reading"]) <= {"weak", "parted before"}
    unbounded = rows[np.isinf(rows["ci_low"])]
    assert len(unbounded) > 0
    assert unbounded["set"].str.contains("everything|and below|and above").all()


def test_rows_in_any_order_give_the_same_report(panel, report, violence_alone):
    shuffled = panel.sample(frac=1, random_state=2).set_index(pd.RangeIndex(900, 900 + len(panel)))
    shuffled.attrs = panel.attrs
    again = funding_instrument(shuffled, B=99, rng=1)
    columns = ["estimate", "ci_low", "ci_high", "effective_f"]
    pd.testing.assert_frame_equal(
        again.effects[columns], report.effects.loc[list(again.effects.index), columns], rtol=1e-7
    )
    pd.testing.assert_frame_equal(again.forces, report.forces)


def test_the_seed_and_nothing_else_decides_what_is_drawn(panel, violence_alone):
    one, same, other = (funding_instrument(panel, B=99, rng=seed).effects for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same, check_exact=True)
    assert (one["p_value"] != other["p_value"]).any()
    assert (one["ci_low"] == other["ci_low"]).all()


def test_the_picture_counts_what_the_table_holds(report):
    figure = report.plot()
    assert figure.title.endswith("officers 8, violence with injury 0, robbery 0")
    assert len(figure.data) == len(report.effects)
    assert "F 4.1" in figure.alt
    assert "nan" not in figure.alt


def test_tables_for_reading_hold_the_same_numbers_with_the_way_in_words(report):
    for table in ("strength", "effects", "pre_trends"):
        shown, kept = report.shown(table), getattr(report, table)
        assert (shown.drop(columns=["way", kept.index.names[0]]).to_numpy() == kept).all(axis=None)
        assert not shown.duplicated([kept.index.names[0], "way"]).any()
    assert report.shown("effects")["way"].iloc[0] == "all grants, by residents, with London"
    with pytest.raises(UnknownNameError, match="nearest: effects"):
        report.shown("effect")


@pytest.mark.parametrize("column", ["share_formula_grant", "homicide", "exposure_all_grants"])
def test_a_missing_column_is_named(panel, column):
    with pytest.raises(UnknownNameError, match=column):
        funding_instrument(panel.drop(columns=column))


def test_a_panel_without_years_before_is_refused(panel):
    with pytest.raises(ModelError, match="no year before 2010; begin force_panel earlier"):
        funding_instrument(panel[panel["fy_start"] >= 2010])


# --- the universe, and what it needs ----------------------------------------------------------


def test_earlier_officers_go_by_the_calendar_and_not_by_the_row(panel):
    gap = panel[panel["fy_start"] != 2012].sample(frac=1, random_state=1)
    rows = with_measures(gap).set_index(["force", "fy_start"])
    before = panel.set_index(["force", "fy_start"])["log_officers_per_1000"]
    found = rows["log_officers_before_per_1000"]
    assert found.xs(2013, level="fy_start").isna().all()
    assert found.xs(2007, level="fy_start").isna().all()
    assert found[("Kent", 2015)] == before[("Kent", 2014)]


def test_deprivation_counts_from_the_reform_and_stays_missing_in_wales(panel):
    rows = with_measures(panel, era=2013)
    assert (rows.query("fy_start < 2013")["deprivation_later"].dropna() == 0).all()
    assert (rows.query("fy_start >= 2013")["deprivation_later"].dropna() > 0).all()
    assert set(rows.loc[rows["deprivation_later"].isna(), "force"]) == {
        "Dyfed-Powys", "Gwent", "North Wales", "South Wales",
    }  # fmt: skip


def test_the_whole_universe_can_be_estimated(panel):
    curve = specification_curve(officers_universe(), with_measures(panel), draws=0)
    assert len(curve.table) == 360
    assert curve.refused.empty


def test_a_panel_without_what_the_universe_needs_is_refused(panel):
    with pytest.raises(UnknownNameError, match="deprivation_2010"):
        with_measures(panel.drop(columns="deprivation_2010"))


# --- staggered changes of recording -----------------------------------------------------------


def test_a_force_starts_in_the_financial_year_that_the_register_dates(panel):
    rows = recording_starts(panel, ca.load("breaks"), "knife_offences")
    began = rows.dropna(subset=["recording_changed"]).groupby("force")["recording_changed"].first()
    # ONS, Police Force Area data tables, year ending March 2019, notes to Table P5.
    assert began[["Surrey", "Sussex", "Greater Manchester"]].tolist() == [2016, 2016, 2017]
    assert began["Bedfordshire"] == 2018
    assert LONDON not in began
    assert len(rows) == len(panel)
    missing = rows["log_knife_offences_per_1000"].isna()
    assert (missing == ~(rows["knife_offences"] > 0)).all()


def test_a_series_without_dated_changes_is_refused(panel):
    general = ca.load("breaks").query("places == 'all'")
    with pytest.raises(ModelError, match="no change in the recording of 'robbery'"):
        recording_starts(panel, general, "robbery")
    with pytest.raises(UnknownNameError, match="nearest: robbery"):
        recording_starts(panel, ca.load("breaks"), "robbry")
