"""Event studies: published and independent numbers, what came before, and refusals."""

from __future__ import annotations

import functools
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from crime_analysis.errors import ModelError, ParameterError, UnknownNameError
from crime_analysis.models.event_study import EventStudy, event_study
from crime_analysis.models.panel_regression import fit_panel
from crime_analysis.panel import force_panel

REFERENCE = Path(__file__).parent / "reference" / "event_study.json"


def made_up(seed: int, units: int = 20, periods: int = 8) -> pd.DataFrame:
    """A balanced panel from 2006 on; some units start in 2010 or 2011; none moves before."""
    rng = np.random.default_rng(seed)
    panel = pd.DataFrame(
        [(f"unit {u:02}", 2006 + t) for u in range(units) for t in range(periods)],
        columns=["unit", "year"],
    )
    n = len(panel)
    panel["dose"] = rng.uniform(0.5, 0.9, units).repeat(periods)
    panel["began"] = rng.choice([2010.0, 2011.0, np.nan], units).repeat(periods)
    panel["x"] = rng.normal(size=n)
    panel["people"] = rng.integers(1, 9, units).repeat(periods) + 0.0
    after = np.maximum(panel["year"] - 2009, 0)
    panel["y"] = 0.2 * panel["x"] - 0.5 * panel["dose"] * after + rng.normal(scale=0.1, size=n)
    panel["y"] += rng.normal(size=units).repeat(periods)
    panel["count"] = rng.poisson(np.exp(2 - 0.3 * panel["dose"] * after)) + 0.0
    return panel


@functools.cache
def shipped() -> pd.DataFrame:
    return force_panel("2007/08", "2018/19")


def study(data: pd.DataFrame, **options: Any) -> EventStudy:
    return event_study(data, "y", "unit", "year", "dose", 2009, **options)


class TestPublished:
    def test_castle_doctrine_estimates_and_errors_are_reghdfes(self, replication: Path) -> None:
        data = pd.read_stata(replication / "cheng_hoekstra_2013" / "castle_mixtape.dta")
        table = pd.read_csv(replication / "published.csv")
        table = table[table["quantity"].str.startswith("TWFE event study")]
        table.index = table["quantity"].str.removeprefix("TWFE event study ")
        ours = event_study(data, "l_homicide", "sid", "year", start="effyear").tidy()
        assert ours.index.tolist() == table.index.tolist()
        shown = pd.DataFrame(
            {
                "published": table["published"], "ours": ours["estimate"],
                "published_se": table["published_se"], "our_se": ours["std_error"],
            }
        )  # fmt: skip
        shown["difference"] = shown["ours"] - shown["published"]
        print(shown.to_string())
        assert (shown["difference"].abs() <= 5.001e-6).all()
        assert ((shown["our_se"] - shown["published_se"]).abs() <= 5.001e-6).all()

    def test_relative_magnitudes_hold_those_of_rambachan_and_roths_program(self) -> None:
        # honestdid 0.1.1 (tests/reference/event_study.py) uses more of what is assumed.
        for case in json.loads(REFERENCE.read_text())["cases"]:
            before, size = case["before"], len(case["estimates"])
            periods = np.r_[np.arange(-before, 0), np.arange(1, size - before + 1)] + 2009.0
            terms = [f"term {p:g}" for p in periods]
            ours = replace(
                study(made_up(0)),
                coefficients=pd.Series(case["estimates"], terms),
                covariance=pd.DataFrame(case["covariance"], terms, terms),
                periods=pd.Series(periods, terms),
                degrees_of_freedom=np.inf,
            ).sensitivity(case["mbar"])
            average = ours.loc["average after"]
            grid = 0.01  # theirs are points of a grid
            assert (average["ci_low"] <= np.array(case["low"]) + grid).all()
            assert (average["ci_high"] >= np.array(case["high"]) - grid).all()
            assert (average["ci_high"] - average["ci_low"])[0.5] < 2 * (
                case["high"][0] - case["low"][0]
            )


class TestDose:
    def test_coefficients_are_those_of_least_squares_with_dummies(self) -> None:
        data = made_up(1).drop(index=[3, 17, 40])
        design = pd.get_dummies(data[["unit", "year"]].astype(str), drop_first=True, dtype=float)
        for year in (2006, 2007, 2008, 2010, 2011, 2012, 2013):
            design[f"dose:year={year}"] = data["dose"] * (data["year"] == year)
        design["x"] = data["x"]
        dummies = sm.WLS(data["y"], sm.add_constant(design), weights=data["people"]).fit()
        ours = study(data, weights="people", controls=["x"])
        terms = ours.coefficients.index
        assert terms[-1] == "x"
        np.testing.assert_allclose(ours.coefficients, dummies.params[terms], rtol=1e-8)

    def test_the_formula_it_prints_gives_the_same_fit(self) -> None:
        data = made_up(2)
        ours = study(data, weights="people")
        assert ours.formula == "y ~ dose:i(year, ref=2009) | unit + year"
        again = fit_panel(ours.formula, data, cluster="unit", weights="people")
        pd.testing.assert_frame_equal(ours.tidy(), again.tidy(), rtol=1e-9)

    def test_it_is_a_fit_whose_design_carries_the_terms(self) -> None:
        ours = study(made_up(3))
        assert ours.design is not None
        assert ours.design.slopes.columns.tolist() == ours.coefficients.index.tolist()
        assert (ours.n_clusters, ours.degrees_of_freedom) == (20, 19.0)
        assert ours.small_sample == "nested"

    def test_counts_are_poisson(self) -> None:
        data = made_up(4)
        ours = event_study(
            data, "count", "unit", "year", "dose", 2009, family="poisson", weights="people"
        )
        again = fit_panel(ours.formula, data, cluster="unit", family="poisson", weights="people")
        assert ours.family == "poisson"
        np.testing.assert_allclose(ours.coefficients, again.coefficients, rtol=1e-7)

    def test_a_true_dose_response_is_found(self) -> None:
        ours = study(made_up(5, units=400)).profile().set_index("period")
        truth = -0.5 * np.maximum(ours.index.to_numpy() - 2009, 0)
        off = (ours["estimate"] - truth).drop(2009)
        assert (off.abs() < 4 * ours["std_error"].drop(2009)).all()
        assert ours["std_error"].max() < 0.15

    @settings(deadline=None, derandomize=True, max_examples=8)
    @given(seed=st.integers(0, 999), shift=st.floats(-5, 5), scale=st.floats(0.1, 10))
    def test_units_of_the_dose_do_not_matter(self, seed: int, shift: float, scale: float) -> None:
        data = made_up(seed, units=8)
        one, two = study(data), study(data.assign(dose=shift + scale * data["dose"]))
        np.testing.assert_allclose(
            one.tidy()["estimate"], scale * two.tidy()["estimate"], rtol=1e-6, atol=1e-8
        )
        np.testing.assert_allclose(
            one.pre_trends()["p_value"], two.pre_trends()["p_value"], rtol=1e-5, atol=1e-9
        )

    def test_rows_may_come_in_any_order_and_with_any_index(self) -> None:
        data = made_up(6)
        mixed = data.sample(frac=1, random_state=0).set_axis(["a"] * len(data))
        mixed["unit"] = mixed["unit"].astype("category").cat.add_categories("nowhere")
        one, two = study(data), study(mixed)
        pd.testing.assert_frame_equal(one.tidy(), two.tidy(), rtol=1e-9)
        pd.testing.assert_frame_equal(one.pre_trends(), two.pre_trends(), rtol=1e-7)

    def test_ends_can_be_pooled(self) -> None:
        data = made_up(7)
        ours = study(data, binned=(2007, 2012))
        assert ours.periods.to_dict() == {
            "dose:year<=2007": 2006.5, "dose:year=2008": 2008.0, "dose:year=2010": 2010.0,
            "dose:year=2011": 2011.0, "dose:year>=2012": 2012.5,
        }  # fmt: skip
        by_hand = data.assign(
            early=data["dose"] * (data["year"] <= 2007), late=data["dose"] * (data["year"] >= 2012)
        )
        for year in (2008, 2010, 2011):
            by_hand[f"in_{year}"] = data["dose"] * (data["year"] == year)
        again = fit_panel("y ~ early + in_2008 + in_2010 + in_2011 + late | unit + year", by_hand)
        np.testing.assert_allclose(ours.coefficients, again.coefficients, rtol=1e-9)


class TestRelative:
    def test_dummies_count_from_the_start_and_never_treated_have_none(self) -> None:
        data = made_up(8)
        since = data["year"] - data["began"]
        names = {}
        for k in range(-5, 4):
            if k != -1:
                names[f"at_{k}".replace("-", "m")] = f"rel {k}"
                data[f"at_{k}".replace("-", "m")] = (since == k).astype(float)
        ours = event_study(data, "y", "unit", "year", start="began")
        again = fit_panel(f"y ~ {' + '.join(names)} | unit + year", data, cluster="unit")
        assert ours.coefficients.index.tolist() == list(names.values())
        np.testing.assert_allclose(ours.tidy(), again.tidy(), rtol=1e-8)

    def test_units_always_treated_are_set_aside_and_named(self) -> None:
        data = made_up(9)
        data.loc[data["unit"] == "unit 03", "began"] = 2006.0
        ours = event_study(data, "y", "unit", "year", start="began")
        lost = ours.data_used[~ours.data_used["kept"]]
        assert set(lost["unit"]) == {"unit 03"}
        assert set(lost["reason"]) == {"unit treated from its first period on"}
        rest = event_study(data[data["unit"] != "unit 03"], "y", "unit", "year", start="began")
        pd.testing.assert_frame_equal(ours.tidy(), rest.tidy(), rtol=1e-9)

    def test_without_a_unit_never_treated_it_points_elsewhere(self) -> None:
        endless = made_up(10).assign(began=lambda d: d["began"].fillna(np.inf))
        assert len(event_study(endless, "y", "unit", "year", start="began").periods) == 8
        data = made_up(10).assign(began=lambda d: d["began"].fillna(2011.0))
        with pytest.raises(ModelError, match=r"every unit is treated.*comparison='not_yet'"):
            event_study(data, "y", "unit", "year", start="began")
        pooled = event_study(data, "y", "unit", "year", start="began", binned=(-4, 2))
        assert pooled.periods.index[0] == "rel <= -4"

    def test_nobody_treated(self) -> None:
        with pytest.raises(ModelError, match="no unit is ever treated"):
            event_study(made_up(10).assign(began=np.nan), "y", "unit", "year", start="began")


class TestBefore:
    def test_the_line_is_the_regression_with_a_trend_by_dose(self) -> None:
        data = made_up(11)
        data["trend"] = data["dose"] * (data["year"] - 2009)
        for year in (2010, 2011, 2012, 2013):
            data[f"in_{year}"] = data["dose"] * (data["year"] == year)
        fit = fit_panel(
            "y ~ trend + in_2010 + in_2011 + in_2012 + in_2013 | unit + year", data, cluster="unit",
            small_sample="none",
        )  # fmt: skip
        ours = study(data)
        factor = (
            ours.covariance.iloc[0, 0]
            / fit_panel(ours.formula, data, cluster="unit", small_sample="none").covariance.iloc[
                0, 0
            ]
        )
        linear = ours.pre_trends().loc["linear"]
        net = ours.net_of_trend().drop("average after")
        found = np.r_[linear["estimate"], net["estimate"]]
        np.testing.assert_allclose(found, fit.coefficients, rtol=1e-8)
        errors = np.r_[linear["std_error"], net["std_error"]]
        np.testing.assert_allclose(errors, np.sqrt(factor) * fit.tidy()["std_error"], rtol=1e-8)
        np.testing.assert_allclose(
            net["estimate"] + net["trend"], ours.coefficients[ours.after], rtol=1e-9
        )

    def test_the_wald_test_is_that_of_the_covariance(self) -> None:
        ours = study(made_up(12))
        row = ours.pre_trends().loc["joint (Wald)"]
        terms = ["dose:year=2006", "dose:year=2007", "dose:year=2008"]
        b, v = ours.coefficients[terms], ours.covariance.loc[terms, terms]
        f = float(b @ np.linalg.inv(v) @ b) / 3
        assert row["statistic"] == pytest.approx(f)
        assert row["p_value"] == pytest.approx(stats.f(3, 19).sf(f))

    @pytest.mark.parametrize("family", ["ols", "poisson"])
    @pytest.mark.parametrize("weights", [None, "people"])
    def test_the_joint_test_is_the_score_test_by_brute_force(
        self, family: str, weights: str | None
    ) -> None:
        data = made_up(13, units=12)
        outcome = "y" if family == "ols" else "count"
        ours = event_study(
            data, outcome, "unit", "year", "dose", 2009, family=family, weights=weights,
            controls=["x"],
        )  # fmt: skip
        dummies = pd.get_dummies(data[["unit", "year"]].astype(str), drop_first=True, dtype=float)
        rest = sm.add_constant(dummies).assign(x=data["x"])
        for year in (2010, 2011, 2012, 2013):
            rest[f"in {year}"] = data["dose"] * (data["year"] == year)
        w = np.ones(len(data)) if weights is None else data["people"].to_numpy()
        law = sm.families.Gaussian() if family == "ols" else sm.families.Poisson()
        null = sm.GLM(data[outcome], rest, family=law, var_weights=w).fit(tol=1e-12, maxiter=200)
        curve = w * (null.mu if family == "poisson" else 1.0)
        z = np.column_stack([data["dose"] * (data["year"] == y) for y in (2006, 2007, 2008)])
        held = rest.to_numpy() * np.sqrt(curve)[:, None]
        root = np.sqrt(curve)[:, None]
        z = z - rest.to_numpy() @ np.linalg.lstsq(held, root * z, rcond=None)[0]
        scores = z * (w * (data[outcome] - null.mu).to_numpy())[:, None]
        sums = pd.DataFrame(scores).groupby(data["unit"].to_numpy()).sum().to_numpy()
        lm = float(sums.sum(0) @ np.linalg.inv(sums.T @ sums) @ sums.sum(0))
        f = (12 - 3) / 3 * lm / (12 - lm)
        row = ours.pre_trends().loc["joint"]
        assert row["statistic"] == pytest.approx(f, rel=1e-5)
        assert row["p_value"] == pytest.approx(stats.f(3, 9).sf(f), rel=1e-5)
        assert (row["df_num"], row["df_den"]) == (3, 9)

    def test_the_joint_test_keeps_its_size_where_the_wald_test_does_not(self) -> None:
        # A walk within units, 12 clusters, 3 coefficients, no effect of the dose at all.
        rng = np.random.default_rng(14)
        data, found = made_up(14, units=12), []
        for _ in range(60):
            walk = rng.normal(size=(12, 8)).cumsum(axis=1).ravel()
            dose = rng.exponential(size=12).repeat(8)
            found.append(study(data.assign(y=walk, dose=dose)).pre_trends()["p_value"])
        rejected = (pd.DataFrame(found) < 0.05).mean()
        assert rejected["joint"] <= 0.11  # 0.05 and two Monte-Carlo errors
        assert rejected["joint (Wald)"] > 0.15

    def test_a_trend_by_dose_is_seen(self) -> None:
        data = made_up(15, units=40)
        data["y"] += 1.5 * data["dose"] * (data["year"] - 2009)
        tests = study(data).pre_trends()
        assert (tests["p_value"] < 0.01).all()
        assert tests.loc["linear", "ci_low"] < 1.5 < tests.loc["linear", "ci_high"]

    def test_as_many_coefficients_as_clusters_cannot_be_tested(self) -> None:
        data = made_up(16, units=6, periods=10)
        ours = event_study(data, "y", "unit", "year", "dose", 2013)
        tests = ours.pre_trends()
        assert "too many to be tested jointly" in ours.explain()
        assert "cannot be tested jointly" in ours.plot().title
        assert tests["p_value"].isna().to_dict() == {
            "joint": True, "joint (Wald)": True, "linear": False,
        }  # fmt: skip

    def test_nothing_before_is_said(self) -> None:
        ours = event_study(made_up(17), "y", "unit", "year", "dose", 2006)
        assert ours.pre_trends().empty
        assert "nothing speaks for parallel trends" in ours.explain()
        assert "nothing seen before" in ours.plot().title
        for method in (ours.net_of_trend, ours.sensitivity, ours.breakdown):
            with pytest.raises(ModelError, match="choose a later reference"):
                method()


class TestSensitivity:
    def test_no_failure_of_trends_gives_the_ordinary_interval(self) -> None:
        ours = study(made_up(18))
        none = ours.sensitivity([0.0]).droplevel("mbar")
        table = ours.tidy().loc[ours.after]
        pd.testing.assert_frame_equal(none.loc[ours.after], table[none.columns])
        average = ours.coefficients[ours.after].mean()
        assert none.loc["average after", "estimate"] == pytest.approx(average)

    def test_ends_come_from_the_widest_step_before(self) -> None:
        ours = study(made_up(19))
        b, v = ours.coefficients, ours.covariance
        terms, k, mbar = b.index, 2, 1.5
        steps = [(0, 1), (1, 2), (2, None)]  # 2006-07, 2007-08, 2008-09 (the reference is zero)
        ends = []
        for one, two in steps:
            for sign in (-1, 1):
                w = pd.Series(0.0, terms)
                w["dose:year=2011"] = 1.0
                w.iloc[one] -= sign * mbar * k
                if two is not None:
                    w.iloc[two] += sign * mbar * k
                reach = stats.t(19).ppf(0.975) * np.sqrt(w @ v @ w)
                ends += [w @ b - reach, w @ b + reach]
        row = ours.sensitivity([mbar]).loc[("dose:year=2011", mbar)]
        assert row["ci_low"] == pytest.approx(min(ends))
        assert row["ci_high"] == pytest.approx(max(ends))

    def test_the_interval_reaches_zero_at_the_breakdown(self) -> None:
        ours = study(made_up(20, units=60))
        for term, most in ours.breakdown().items():
            low, high = ours.sensitivity([most]).loc[(term, most), ["ci_low", "ci_high"]]
            if most > 0:
                assert min(abs(low), abs(high)) == pytest.approx(0, abs=1e-6)
            else:
                assert low <= 0 <= high
        assert ours.breakdown()["dose:year=2013"] > 0

    def test_without_effect_the_breakdown_is_zero_and_said(self) -> None:
        data = made_up(21).assign(y=lambda d: d["x"])
        ours = study(data)
        assert ours.breakdown()["average after"] == 0
        assert "the sign cannot be told" in ours.explain()
        assert "not clear of zero even under parallel trends" in ours.explain()


class TestWords:
    def test_summary_plot_and_profile_show_the_same_numbers(self) -> None:
        ours = study(made_up(22, units=60))
        profile = ours.profile()
        assert profile["period"].tolist() == list(range(2006, 2014))
        assert profile["phase"].tolist() == ["before"] * 3 + ["reference"] + ["after"] * 4
        assert profile.loc["reference", "estimate"] == 0
        mean = ours.average()
        assert mean["estimate"] == pytest.approx(ours.coefficients[ours.after].mean())
        figure = ours.plot()
        assert f"{mean['ci_low']:+.3g} to {mean['ci_high']:+.3g}, clear of zero" in figure.title
        assert f"2013: {profile['estimate'].iloc[-1]:.3g}" in figure.alt
        assert figure.data["estimate"].tolist() == profile["estimate"].tolist()
        assert figure.svg == ours.plot().svg
        assert "joint (Wald)" in ours.summary()
        assert ours.explain() in ours.summary()

    def test_one_coefficient_is_explained_and_drawn_as_in_any_fit(self) -> None:
        ours = study(made_up(23))
        assert "dose:year=2013" in ours.explain("dose:year=2013")
        assert len(ours.plot(["dose:year=2013"]).data) == 1

    def test_units_are_standard_deviations_of_the_dose_over_units(self) -> None:
        data = made_up(24)
        ours = study(data)
        sd = data.groupby("unit")["dose"].first().std()
        assert ours.dose_sd == pytest.approx(sd)
        assert f"estimate {ours.average()['estimate'] * sd:+.3g}" in ours.explain()


class TestRealPanel:
    def test_officers_fell_by_dose_and_violence_had_been_parting_before(self) -> None:
        options = {"data": shipped(), "unit": "force", "time": "fy_start", "reference": 2010}
        officers = event_study(outcome="log_officers_end", dose="share_all_grants", **options)
        assert officers.average()["ci_high"] < 0
        assert officers.pre_trends().loc["joint", "p_value"] > 0.2
        assert officers.breakdown()["average after"] < 0.5
        injury = event_study(
            outcome="log_violence_with_injury_per_1000", dose="share_all_grants", **options
        )
        assert injury.pre_trends().loc["joint", "p_value"] < 0.02
        assert injury.average()["ci_low"] < 0 < injury.average()["ci_high"]


class TestRefusals:
    def test_a_dose_that_varies_names_the_unit(self) -> None:
        data = made_up(30)
        data.loc[data.index[9], "dose"] = 7.0
        with pytest.raises(ModelError, match=r"'dose' varies within 1 units .*\(unit 01\)"):
            study(data)
        data = made_up(30)
        data.loc[data.index[9], "began"] = 1990.0
        with pytest.raises(ModelError, match=r"'began' varies within 1 units .*\(unit 01\)"):
            event_study(data, "y", "unit", "year", start="began")

    @pytest.mark.parametrize("reference", [1999, 2009.5, "2009", True])
    def test_a_reference_that_is_no_period_is_answered_with_the_periods(
        self, reference: Any
    ) -> None:
        with pytest.raises(ParameterError, match="not among the periods: 2006, 2007"):
            event_study(made_up(31), "y", "unit", "year", "dose", reference)

    def test_the_last_period_cannot_be_the_reference(self) -> None:
        with pytest.raises(ParameterError, match="nothing comes after"):
            event_study(made_up(31), "y", "unit", "year", "dose", 2013)

    @pytest.mark.parametrize("binned", [(2009, None), (None, 2009), 2007, (2006, 2007, 2008)])
    def test_bins_leave_the_reference_alone(self, binned: Any) -> None:
        with pytest.raises(ParameterError, match="binned"):
            study(made_up(31), binned=binned)

    def test_one_period(self) -> None:
        data = made_up(32)
        with pytest.raises(ModelError, match="'year' has one period"):
            study(data[data["year"] == 2009])

    def test_a_unit_twice_in_a_period(self) -> None:
        data = made_up(33)
        with pytest.raises(ModelError, match=r"1 rows repeat .*\(unit 00 2006\)"):
            study(pd.concat([data, data.head(1)]))

    def test_a_dose_that_is_the_same_everywhere(self) -> None:
        with pytest.raises(ModelError, match="'dose' is the same in every unit"):
            study(made_up(34).assign(dose=0.5))

    def test_either_a_dose_or_a_start(self) -> None:
        data = made_up(35)
        both: list[dict[str, Any]] = [{}, {"dose": "dose", "start": "began"}]
        for wrong in both:
            with pytest.raises(ParameterError, match="give either dose="):
                event_study(data, "y", "unit", "year", reference=2009, **wrong)
        with pytest.raises(ParameterError, match="reference= is missing"):
            event_study(data, "y", "unit", "year", "dose")

    def test_a_column_has_one_part_to_play(self) -> None:
        data = made_up(36)
        with pytest.raises(ModelError, match="name one column twice"):
            event_study(data, "dose", "unit", "year", "dose", 2009)
        with pytest.raises(ModelError, match="two columns of the data are called 'y'"):
            study(pd.concat([data, data[["y"]]], axis=1))

    def test_names_that_are_not_there(self) -> None:
        data = made_up(36)
        with pytest.raises(UnknownNameError, match="nearest: dose"):
            event_study(data, "y", "unit", "year", "doze", 2009)
        for wrong in ({"weights": "peeple"}, {"cluster": "unti"}, {"controls": ["xx"]}):
            with pytest.raises(UnknownNameError, match="nearest"):
                study(data, **wrong)
        with pytest.raises(UnknownNameError, match="one of: ols, poisson"):
            study(data, family="negative_binomial")

    def test_columns_of_the_wrong_kind(self) -> None:
        data = made_up(37)
        with pytest.raises(ModelError, match="'dose' is not numeric"):
            study(data.assign(dose="much"))
        for years in (data["year"].astype(str), data["year"] + 0.5):
            with pytest.raises(ModelError, match="use one such as fy_start"):
                study(data.assign(year=years))
        with pytest.raises(ModelError, match="whole periods; missing means never"):
            event_study(data.assign(began=data["began"] + 0.5), "y", "unit", "year", start="began")
        with pytest.raises(ModelError, match=r"'y' .*not numeric"):
            study(data.assign(y="text"))
        with pytest.raises(ModelError, match="no rows"):
            study(data.head(0))
        with pytest.raises(ModelError, match="infinite"):
            study(data.assign(y=data["y"].where(data.index > 0, -np.inf)))

    def test_what_is_missing_is_set_aside_and_named(self) -> None:
        data = made_up(38)
        data.loc[0, "y"] = np.nan
        data.loc[data["unit"] == "unit 02", "dose"] = np.nan
        data.loc[30, "unit"] = None
        data = pd.concat([data, data.tail(1).assign(unit="once", dose=0.7)], ignore_index=True)
        used = study(data).data_used
        assert len(used) == len(data)
        lost = used[~used["kept"]]
        assert lost["reason"].value_counts().to_dict() == {
            "no dose": 8, "no y": 1, "no unit": 1, "the only row of its unit": 1,
        }  # fmt: skip

    def test_a_period_without_outcomes_has_no_coefficient(self) -> None:
        data = made_up(39)
        data.loc[data["year"] == 2011, "y"] = np.nan
        ours = study(data)
        assert "dose:year=2011" not in ours.periods.index
        with pytest.raises(ParameterError, match="not among the periods"):
            event_study(data, "y", "unit", "year", "dose", 2011)
