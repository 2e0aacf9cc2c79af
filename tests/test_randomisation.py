"""Randomisation tests: exact shares of arrangements, each the same as estimating it again."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crime_analysis.errors import ModelError, ParameterError, UnknownNameError
from crime_analysis.inference.randomisation import RandomisationTest, randomisation_test
from crime_analysis.models.panel_regression import fit_panel
from crime_analysis.panel import force_panel

EFFECTS = "y ~ dose + z | unit + year"


def made_up(seed: int, units: int = 6, years: int = 5, effect: float = 0.3) -> pd.DataFrame:
    """Units with a dose that begins to bite half-way; rows in disorder, index not the default."""
    rng = np.random.default_rng(seed)
    panel = pd.DataFrame(
        [(f"unit {u:02}", 2000 + t) for u in range(units) for t in range(years)],
        columns=["unit", "year"],
    )
    n = len(panel)
    panel["share"] = rng.uniform(0.4, 0.9, size=units).repeat(years)
    panel["side"] = np.where(panel["unit"].str[-2:].astype(int) % 2, "odd", "even")
    panel["dose"] = panel["share"] * np.maximum(panel["year"] - 2001, 0)
    panel["treated"] = panel["unit"].isin(["unit 01", "unit 02"]) * (panel["year"] > 2002) * 1.0
    panel["z"] = rng.normal(size=n) + panel["dose"]
    panel["people"] = rng.uniform(1, 9, size=n)
    panel["y"] = effect * panel["dose"] + rng.normal(size=n) + rng.normal(size=units).repeat(years)
    panel = panel.sample(frac=1, random_state=seed)
    return panel.set_index(pd.Index([f"row {i}" for i in range(n)]))


def handed_out(panel: pd.DataFrame, order: tuple[int, ...], column: str = "dose") -> pd.DataFrame:
    """Give each unit the course of another one."""
    wide = panel.pivot(index="unit", columns="year", values=column)
    given = pd.DataFrame(wide.to_numpy()[list(order)], index=wide.index, columns=wide.columns)
    values = [given.loc[u, t] for u, t in zip(panel["unit"], panel["year"], strict=True)]
    return panel.assign(**{column: values})


def again(panel: pd.DataFrame, order: tuple[int, ...], null: float, **options: str) -> pd.Series:
    """Estimate one arrangement with the package's public way in."""
    free = handed_out(panel, order).assign(y=panel["y"] - null * panel["dose"])
    return fit_panel(EFFECTS, free, **options).term("dose")


class TestEqualsEstimatingAgain:
    @pytest.mark.parametrize("weights", [None, "people"])
    @pytest.mark.parametrize("null", [0.0, 0.4])
    def test_every_coefficient(self, weights: str | None, null: float) -> None:
        panel = made_up(1, units=4)
        test = randomisation_test(
            panel, EFFECTS, "dose", unit="unit", time="year", weights=weights, null=null
        )
        orders = itertools.permutations(range(4))
        theirs = [again(panel, order, null, weights=weights)["estimate"] for order in orders]
        np.testing.assert_allclose(np.sort(test.reference), np.sort(theirs), rtol=1e-9)
        ours = fit_panel(EFFECTS, panel, weights=weights).term("dose")["estimate"] - null
        assert test.statistic == pytest.approx(ours)
        assert test.p_value == np.mean(np.abs(theirs) >= abs(ours) * (1 - 1e-9))

    @pytest.mark.parametrize("null", [0.0, -0.5])
    def test_every_clustered_t(self, null: float) -> None:
        panel = made_up(2, units=4, years=6)
        options = {"cluster": "unit", "weights": "people"}
        test = randomisation_test(
            panel, EFFECTS, "dose", unit="unit", time="year", null=null, **options
        )
        orders = itertools.permutations(range(4))
        theirs = [again(panel, order, null, **options)["statistic"] for order in orders]
        np.testing.assert_allclose(np.sort(test.reference), np.sort(theirs), rtol=1e-7)
        assert test.compared == "t statistic"

    def test_residuals_of_the_observed_dose_would_be_wrong(self) -> None:
        panel = made_up(1, units=4)
        orders = list(itertools.permutations(range(4)))
        theirs = [again(panel, order, 0.0)["estimate"] for order in orders]
        y, dose = (
            fit_panel(f"{column} ~ z | unit + year", panel).native._u_hat
            for column in ("y", "dose")
        )
        naive = []
        for order in orders:
            given = handed_out(panel.assign(dose=np.ravel(dose)), order)["dose"].to_numpy()
            naive.append(given @ np.ravel(y) / (given @ given))
        assert np.max(np.abs(np.sort(naive) - np.sort(theirs))) > 0.05

    def test_interval_ends_where_arrangements_begin_to_reject(self) -> None:
        panel = made_up(3, units=5)
        test = randomisation_test(panel, EFFECTS, "dose", unit="unit", time="year", level=0.9)
        for end, sign in ((test.ci_low, -1), (test.ci_high, 1)):
            step = 1e-6 * test.std_error
            for null, inside in ((end - sign * step, True), (end + sign * step, False)):
                there = randomisation_test(
                    panel, EFFECTS, "dose", unit="unit", time="year", null=null
                )
                assert (there.p_value > 0.1) is inside

    def test_real_dose_over_forces_equals_estimating_again(self) -> None:
        panel = force_panel("2007/08", "2018/19")
        formula = "log_officers_per_1000 ~ exposure_all_grants | force + financial_year"
        test = randomisation_test(
            panel, formula, "exposure_all_grants", unit="force", time="financial_year",
            cluster="force", B=20, rng=1,
        )  # fmt: skip
        fit = fit_panel(formula, panel, cluster="force")
        assert test.statistic == pytest.approx(fit.term("exposure_all_grants")["statistic"])
        assert test.n_units == 42
        assert test.p_value >= 1 / 21


class TestExactness:
    def test_the_lady_tasting_tea(self) -> None:
        # Fisher (1935): all eight cups told apart have chance 1 in 70; two-sided, 2 in 70.
        milk = [1, 0, 0, 1, 1, 0, 1, 0]
        cups = pd.DataFrame({"cup": range(8), "milk_first": milk, "said": np.float64(milk)})
        test = randomisation_test(
            cups, lambda d: d["said"].corr(d["milk_first"]), "milk_first", unit="cup"
        )
        assert test.arrangements == "all 70 arrangements (permute units)"
        assert test.p_value == pytest.approx(2 / 70)

    def test_a_difference_of_means_agrees_with_scipy(self) -> None:
        rng = np.random.default_rng(4)
        people = pd.DataFrame({"person": range(12), "given": np.tile([0.0, 1.0], 6)})
        people["y"] = rng.normal(size=12) + 1.2 * people["given"]
        test = randomisation_test(people, "y ~ given", "given", unit="person")
        sides = [people.loc[people["given"] == side, "y"] for side in (1, 0)]
        theirs = stats.permutation_test(
            sides, lambda a, b, axis: a.mean(axis) - b.mean(axis), vectorized=True,
            n_resamples=np.inf,
        )  # fmt: skip
        assert test.p_value == pytest.approx(theirs.pvalue)
        assert test.estimate == pytest.approx(theirs.statistic)

    @pytest.mark.parametrize("cluster", [None, "unit"])
    def test_over_all_arrangements_no_more_than_a_share_has_so_small_a_p_value(
        self, cluster: str | None
    ) -> None:
        panel = made_up(5, units=4, years=5)
        p_values = []
        for order in itertools.permutations(range(4)):
            test = randomisation_test(
                handed_out(panel, order), "y ~ dose | unit + year", "dose", unit="unit",
                time="year", cluster=cluster,
            )  # fmt: skip
            p_values.append(test.p_value)
        for p in set(p_values):
            assert np.mean(np.array(p_values) <= p) == pytest.approx(p)

    def test_random_arrangements_are_near_the_exact_share(self) -> None:
        panel = made_up(6)
        exact = randomisation_test(panel, EFFECTS, "dose", unit="unit", time="year")
        drawn = randomisation_test(panel, EFFECTS, "dose", unit="unit", time="year", B=600, rng=1)
        assert exact.arrangements == "all 720 arrangements (permute units)"
        assert drawn.arrangements == "600 random arrangements (permute units)"
        doubt = math.sqrt(exact.p_value * (1 - exact.p_value) / 600)
        assert drawn.p_value == pytest.approx(exact.p_value, abs=4 * doubt)
        turned = randomisation_test(
            panel.iloc[::-1], EFFECTS, "dose", unit="unit", time="year", B=600, rng=1
        )
        assert turned.p_value == drawn.p_value
        assert turned.ci_high == pytest.approx(drawn.ci_high, rel=1e-9)

    def test_a_statistic_of_ones_own_gives_the_same_answer(self) -> None:
        panel = made_up(7, units=4)
        formula = "y ~ dose | unit + year"
        own = randomisation_test(
            panel, lambda d: fit_panel(formula, d).term("dose")["estimate"], "dose", unit="unit",
            time="year",
        )  # fmt: skip
        theirs = randomisation_test(panel, formula, "dose", unit="unit", time="year")
        assert own.p_value == theirs.p_value
        assert np.isnan(own.ci_low)
        np.testing.assert_allclose(own.reference, theirs.reference, rtol=1e-8)


class TestSchemes:
    def test_equal_courses_are_not_told_apart(self) -> None:
        test = randomisation_test(
            made_up(8), "y ~ treated | unit + year", "treated", unit="unit", time="year"
        )
        assert test.arrangements == "all 15 arrangements (permute units)"  # 2 of 6 units

    def test_within_strata_courses_stay_on_their_side(self) -> None:
        panel = made_up(9)
        test = randomisation_test(
            panel, EFFECTS, "dose", unit="unit", time="year", strata="side",
            scheme="permute within strata",
        )  # fmt: skip
        assert len(test.reference) == 36  # 3! x 3!
        orders = [
            [a[0], b[0], a[1], b[1], a[2], b[2]]
            for a in itertools.permutations((0, 2, 4))
            for b in itertools.permutations((1, 3, 5))
        ]
        theirs = [again(panel, tuple(order), 0.0)["estimate"] for order in orders]
        np.testing.assert_allclose(np.sort(test.reference), np.sort(theirs), rtol=1e-9)

    def test_time_is_shifted_for_all_units_together(self) -> None:
        panel = made_up(10)
        test = randomisation_test(
            panel, EFFECTS, "dose", unit="unit", time="year", scheme="shift time"
        )
        wide = panel.pivot(index="unit", columns="year", values="dose")
        theirs = []
        for shift in range(5):
            rolled = pd.DataFrame(np.roll(wide, shift, axis=1), wide.index, wide.columns)
            given = [rolled.loc[u, t] for u, t in zip(panel["unit"], panel["year"], strict=True)]
            theirs.append(fit_panel(EFFECTS, panel.assign(dose=given)).term("dose")["estimate"])
        np.testing.assert_allclose(test.reference, theirs, rtol=1e-9)
        assert test.p_value * 5 == pytest.approx(round(test.p_value * 5))

    def test_too_few_arrangements_leave_the_interval_open(self) -> None:
        test = randomisation_test(
            made_up(11), "y ~ treated | unit + year", "treated", unit="unit", time="year"
        )
        assert (test.ci_low, test.ci_high) == (-np.inf, np.inf)  # 1 in 15 is above 5%
        assert "an end is infinite" in test.summary()

    def test_a_treatment_constant_in_units_needs_no_time_and_no_balance(self) -> None:
        panel = made_up(12).iloc[3:]
        test = randomisation_test(panel, "y ~ share | year", "share", unit="unit", B=50, rng=1)
        assert test.n_units == 6

    def test_an_arrangement_that_effects_explain_counts_as_extreme(self) -> None:
        panel = made_up(13, units=4)
        panel["pair"] = panel["unit"].isin(["unit 00", "unit 01"]) * 1
        panel["given"] = panel["unit"].isin(["unit 00", "unit 02"]) * 1.0
        test = randomisation_test(panel, "y ~ given | pair + year", "given", unit="unit")
        assert test.undefined == 2  # the pair itself, and the other one
        assert test.p_value >= 4 / 6  # those, the observed one and its opposite
        assert "2 arrangements have no statistic" in test.summary()


class TestPresentation:
    @pytest.fixture
    def tested(self) -> RandomisationTest:
        return randomisation_test(made_up(14), EFFECTS, "dose", unit="unit", time="year")

    def test_tidy_holds_the_numbers(self, tested: RandomisationTest) -> None:
        row = tested.tidy().loc["dose"]
        assert row["p_value"] == tested.p_value
        assert row["ci_low"] <= row["estimate"] <= row["ci_high"]

    def test_chart_and_text_say_the_same(self, tested: RandomisationTest) -> None:
        chart = tested.plot()
        assert f"p = {tested.p_value:.3f}" in chart.title
        assert chart.title in tested.summary()
        assert len(chart.data) == 720
        assert "6 units" in chart.source

    def test_rows_dropped_are_told(self) -> None:
        panel = made_up(15)
        panel.loc[panel["year"] == 2000, "z"] = np.nan
        test = randomisation_test(panel, EFFECTS, "dose", unit="unit", time="year", B=20, rng=1)
        assert "6 rows dropped" in test.summary()
        assert test.data_used["reason"].eq("no z").sum() == 6


class TestRefusals:
    @pytest.fixture
    def panel(self) -> pd.DataFrame:
        return made_up(16).assign(words="word", word_side=lambda d: d["side"])

    @pytest.mark.parametrize(
        ("wrong", "error", "words"),
        [
            ({"treatment": "dosis"}, UnknownNameError, "nearest: dose"),
            ({"treatment": "share"}, ModelError, "not a slope"),
            ({"unit": "unti"}, UnknownNameError, "nearest: unit"),
            ({"scheme": "permute"}, UnknownNameError, "unknown scheme"),
            ({"time": None}, ParameterError, "say with time="),
            ({"strata": "side"}, ParameterError, "strata= goes with"),
            ({"scheme": "permute within strata"}, ParameterError, "strata= goes with"),
            (
                {"scheme": "permute within strata", "strata": "year"},
                ModelError,
                "one value for each unit",
            ),
            ({"studentise": True}, ParameterError, "needs cluster="),
            ({"B": 0}, ParameterError, "B = 0"),
            ({"level": 1.0}, ParameterError, "level = 1.0"),
            ({"null": np.inf}, ParameterError, "null = inf"),
            ({"unit": "words"}, ModelError, "one unit"),
            ({"time": "words"}, ModelError, "several values in unit unit 01, word"),
            ({"statistic": "y ~ 1 | unit + year | dose ~ z"}, ModelError, "without instruments"),
        ],
    )
    def test_what_does_not_go(
        self, panel: pd.DataFrame, wrong: dict[str, object], error: type[Exception], words: str
    ) -> None:
        given = {"statistic": EFFECTS, "treatment": "dose", "unit": "unit", "time": "year"}
        with pytest.raises(error, match=words):
            randomisation_test(panel, **{**given, **wrong})

    def test_gaps_are_named(self, panel: pd.DataFrame) -> None:
        short = panel[(panel["unit"] != "unit 03") | (panel["year"] != 2004)]
        with pytest.raises(ModelError, match="unit 03 has no usable row at year 2004"):
            randomisation_test(short, EFFECTS, "dose", unit="unit", time="year")

    @pytest.mark.parametrize("column", ["unit", "side"])
    def test_rows_of_nobody(self, panel: pd.DataFrame, column: str) -> None:
        lost = panel.assign(**{column: panel[column].where(panel["z"] > panel["z"].min())})
        with pytest.raises(ModelError, match=f"'{column}' has missing values"):
            randomisation_test(
                lost, "y ~ dose | year", "dose", unit="unit", time="year", strata="side",
                scheme="permute within strata",
            )  # fmt: skip

    def test_a_treatment_that_nobody_could_exchange(self, panel: pd.DataFrame) -> None:
        same = panel.assign(dose=panel["year"] % 3 * 1.0)
        with pytest.raises(ModelError, match="one arrangement only"):
            randomisation_test(same, "y ~ dose | unit", "dose", unit="unit", time="year")

    def test_statistics_of_ones_own(self, panel: pd.DataFrame) -> None:
        def mean(rows: pd.DataFrame) -> float:
            return float(rows["dose"].mean())

        with pytest.raises(ParameterError, match="go with a formula"):
            randomisation_test(panel, mean, "dose", unit="unit", time="year", cluster="unit")
        with pytest.raises(ModelError, match="not numeric"):
            randomisation_test(panel, mean, "words", unit="unit", time="year")
        gone = panel.assign(dose=panel["dose"].where(panel["year"] > 2000))
        with pytest.raises(ModelError, match="'dose' has missing values"):
            randomisation_test(gone, mean, "dose", unit="unit", time="year")
        with pytest.raises(ModelError, match="must be a finite number"):
            randomisation_test(panel, lambda d: np.nan, "dose", unit="unit", time="year")

    def test_a_perfect_fit(self, panel: pd.DataFrame) -> None:
        with pytest.raises(ModelError, match="fits perfectly"):
            randomisation_test(
                panel.assign(y=panel["dose"]), EFFECTS, "dose", unit="unit", time="year"
            )
