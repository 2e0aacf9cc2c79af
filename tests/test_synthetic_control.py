"""Synthetic control: published numbers, independent optima, and placebos redone by hand."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crime_analysis.errors import ModelError, ParameterError, UnknownNameError
from crime_analysis.models.placebos import interval
from crime_analysis.models.synthetic_control import SyntheticControl, synthetic_control
from crime_analysis.models.synthetic_weights import closest_mixture, frank_wolfe
from crime_analysis.panel import force_panel

METHODS = ["sc", "sdid", "did"]
few = settings(max_examples=40, deadline=None, derandomize=True)


def made_up(seed: int = 0, units: int = 12, periods: int = 10, effect: float = 0.0) -> pd.DataFrame:
    """Units a, b, ... with trends of their own; the first gains `effect` from period 7 on."""
    rng = np.random.default_rng(seed)
    values = 20 + rng.normal(size=(units, 1)) + rng.normal(size=(units, 1)) * np.arange(periods) / 5
    values = values + rng.normal(scale=0.4, size=values.shape)
    values[0, 7:] += effect
    names = [chr(97 + n) for n in range(units)]
    wide = pd.DataFrame(values, index=pd.Index(names, name="unit"), columns=range(periods))
    data = wide.reset_index().melt("unit", var_name="period", value_name="y")
    return data.astype({"period": int})


def estimate(data: pd.DataFrame, method: str = "sc", **options: Any) -> SyntheticControl:
    chosen = {"treated": "a", "start": 7, **options}
    return synthetic_control(data, "y", "unit", "period", method=method, **chosen)


@functools.cache
def stored() -> dict[str, Any]:
    """Of cvxpy, pysyncon and diff-diff, by tests/reference/synthetic_control.py."""
    path = Path(__file__).parent / "reference" / "synthetic_control.json"
    return json.loads(path.read_text())


def reference(case: str, method: str, **options: Any) -> tuple[SyntheticControl, dict[str, Any]]:
    made = stored()[case]
    wide = pd.DataFrame.from_dict(made["values"], orient="index", columns=made["columns"])
    data = wide.rename_axis("unit").reset_index().melt("unit", var_name="period", value_name="y")
    return estimate(data, method, treated=made["treated"], start=made["start"], **options), made


@pytest.fixture(scope="module")
def smoking(replication: Path) -> pd.DataFrame:
    return pd.read_csv(replication / "synthdid_prop99" / "california_prop99.csv", sep=";")


class TestPublished:
    @pytest.mark.parametrize(
        ("method", "quantity"), [("did", "DiD"), ("sdid", "SDID (diff-diff 3.13.0)")]
    )
    def test_proposition_99_has_the_published_effect(
        self, smoking: pd.DataFrame, replication: Path, method: str, quantity: str
    ) -> None:
        table = pd.read_csv(replication / "published.csv").set_index(["folder", "quantity"])
        published = table.loc[("synthdid_prop99", quantity), "published"]
        fit = synthetic_control(
            smoking, "PacksPerCapita", "State", "Year", "California", 1989, method
        )
        assert round(fit.tidy().loc["effect", "estimate"], 5) == published

    def test_the_authors_steps_stop_short_of_the_optimum(self, smoking: pd.DataFrame) -> None:
        """-19.6: Arkhangelsky et al. (2021), Table 1. Optima: cvxpy 1.9.3 with Clarabel."""
        effects = {
            (method, solver): synthetic_control(
                smoking, "PacksPerCapita", "State", "Year", "California", 1989, method,
                solver=solver,
            ).effect
            for method in ("sc", "sdid")
            for solver in ("exact", "frank_wolfe")
        }  # fmt: skip
        assert round(effects["sc", "frank_wolfe"], 1) == -19.6
        assert effects["sc", "exact"] == pytest.approx(-19.513629768420437, abs=1e-7)
        assert effects["sdid", "exact"] == pytest.approx(-15.605397916281014, abs=1e-7)


class TestAgainstIndependentPrograms:
    @pytest.mark.parametrize(
        ("case", "method"),
        [("one_treated", "sc"), ("one_treated", "sdid"), ("three_treated", "sdid")],
    )
    def test_weights_are_the_optimum_of_the_quadratic_program(self, case: str, method: str) -> None:
        fit, made = reference(case, method, solver="exact", draws=20)
        expected = made[f"{method}_optimum"]
        assert np.abs(fit.unit_weights - expected["unit_weights"]).max() < 1e-7
        assert np.abs(fit.time_weights - expected["time_weights"]).max() < 1e-7
        assert fit.effect == pytest.approx(expected["effect"], abs=1e-7)

    @pytest.mark.parametrize("case", ["one_treated", "three_treated"])
    def test_published_steps_stop_where_diff_diff_stops(self, case: str) -> None:
        fit, made = reference(case, "sdid", draws=20)
        assert fit.effect == pytest.approx(made["sdid_published_steps"]["effect"], abs=1e-9)

    def test_weights_agree_with_another_synthetic_control(self) -> None:
        fit, made = reference("one_treated", "sc")
        assert np.abs(fit.unit_weights - made["sc_pysyncon_weights"]).max() < 2e-4

    @pytest.mark.parametrize("case", ["one_treated", "three_treated"])
    def test_placebo_error_is_what_many_random_draws_tend_to(self, case: str) -> None:
        """5,000 draws leave about 1% of Monte Carlo error; 4 of its standard deviations here."""
        fit, made = reference(case, "sdid")
        drawn = made["sdid_published_steps"]["std_error_5000_draws"]
        assert fit.tidy().loc["effect", "std_error"] == pytest.approx(drawn, rel=0.05)


class TestWeights:
    @few
    @given(
        seed=st.integers(0, 10_000),
        rows=st.integers(1, 12),
        count=st.integers(1, 15),
        scale=st.sampled_from([1e-6, 1.0, 1e6]),
        level=st.sampled_from([0.0, 1e3]),
        ridge=st.sampled_from([1e-2, 1.0]),
    )
    def test_no_weight_can_be_moved_to_gain(
        self, seed: int, rows: int, count: int, scale: float, level: float, ridge: float
    ) -> None:
        """At an optimum every weight in use has the smallest slope (Karush, Kuhn, Tucker)."""
        rng = np.random.default_rng(seed)
        columns = scale * (level + rng.normal(size=(rows, count)))
        target = scale * (level + 2 * rng.normal(size=rows))
        weights = closest_mixture(columns, target, ridge * scale)
        assert (weights >= 0).all()
        assert weights.sum() == pytest.approx(1, abs=1e-12)
        slope = columns.T @ (columns @ weights - target) + (ridge * scale) ** 2 * weights
        assert slope[weights > 0].max() - slope.min() < 1e-7 * (1 + level) * scale**2

    @few
    @given(seed=st.integers(0, 10_000))
    def test_ties_do_not_depend_on_the_order_of_donors(self, seed: int) -> None:
        """Twenty donors, three periods: many mixtures fit exactly, the most even one is taken."""
        rng = np.random.default_rng(seed)
        columns = rng.normal(size=(3, 20))
        target = columns @ rng.dirichlet(np.ones(20))
        order = rng.permutation(20)
        plain, moved = closest_mixture(columns, target), closest_mixture(columns[:, order], target)
        assert np.abs(plain[order] - moved).max() < 1e-8
        assert np.abs(columns @ plain - target).max() < 1e-7

    def test_published_steps_near_the_optimum_when_let_go_on(self) -> None:
        rng = np.random.default_rng(4)
        columns, target = rng.normal(size=(9, 6)), rng.normal(size=9)
        steps = frank_wolfe(columns, target, 1.0, tolerance=0.0)
        assert np.abs(steps - closest_mixture(columns, target, 1.0)).max() < 1e-3


class TestEstimate:
    @pytest.mark.parametrize("method", METHODS)
    def test_rows_in_any_order_give_the_same_bytes(self, method: str) -> None:
        data = made_up(1)
        plain = estimate(data, method)
        moved = estimate(data.sample(frac=1, random_state=5), method)
        for part in ("paths", "placebos_in_space", "placebos_in_time", "leave_one_out"):
            pd.testing.assert_frame_equal(getattr(plain, part), getattr(moved, part), rtol=0)
        assert plain.summary() == moved.summary()

    @pytest.mark.parametrize("method", METHODS)
    def test_the_unit_of_the_outcome_does_not_matter(self, method: str) -> None:
        data = made_up(2, effect=2)
        small = data.assign(y=data["y"] * 1e-6)
        plain, scaled = estimate(data, method).tidy(), estimate(small, method).tidy()
        same = ["statistic", "p_value"]
        pd.testing.assert_frame_equal(scaled[same], plain[same], rtol=1e-5)
        assert scaled.loc["effect", "ci_low"] * 1e6 == pytest.approx(plain.loc["effect", "ci_low"])

    @pytest.mark.parametrize("method", ["sdid", "did"])
    def test_shocks_common_to_a_period_and_levels_of_units_drop_out(self, method: str) -> None:
        data = made_up(3)
        moved = data.assign(y=data["y"] + np.sin(data["period"]) * 9 + (data["unit"] == "a") * 50)
        options = {"solver": "exact"} if method == "sdid" else {}
        # Only the regularisation, whose unit is the spread of the changes, sees a common shock.
        tolerance = 1e-9 if method == "did" else 0.3
        assert estimate(moved, method, **options).effect == pytest.approx(
            estimate(data, method, **options).effect, abs=tolerance
        )

    def test_did_is_the_difference_of_differences(self) -> None:
        data = made_up(4, effect=3)
        mean = data.assign(own=data["unit"] == "a", after=data["period"] >= 7)
        mean = mean.groupby(["own", "after"])["y"].mean().unstack()
        by_hand = (mean.loc[True, True] - mean.loc[True, False]) - (
            mean.loc[False, True] - mean.loc[False, False]
        )
        assert estimate(data, "did").effect == pytest.approx(by_hand, abs=1e-12)

    def test_a_mixture_of_donors_is_found_and_its_ratio_is_not_trusted(self) -> None:
        data = made_up(5).pivot(index="unit", columns="period", values="y")
        data.loc["a"] = 0.5 * data.loc["c"] + 0.3 * data.loc["e"] + 0.2 * data.loc["f"]
        data.loc["a", [7, 8, 9]] += 2.0
        fit = estimate(data.reset_index().melt("unit", var_name="period", value_name="y"))
        assert fit.effect == pytest.approx(2, abs=1e-6)
        found = fit.weights().set_index("name")["weight"]
        assert found[["c", "e", "f"]].tolist() == pytest.approx([0.5, 0.3, 0.2], abs=1e-4)
        assert fit.tidy().loc["effect", ["p_value", "ci_low"]].isna().all()
        assert "cannot tell" in fit.finding()

    def test_effect_and_gap_tell_one_story(self) -> None:
        for method in METHODS:
            fit = estimate(made_up(6, effect=1), method)
            assert fit.gap.loc[7:].mean() == pytest.approx(fit.effect, abs=1e-12)
            assert fit.unit_weights.sum() == pytest.approx(1)
            if method != "sc":
                assert fit.time_weights @ fit.gap.loc[:6] == pytest.approx(0, abs=1e-12)
        assert estimate(made_up(6)).time_weights.eq(0).all()

    def test_donors_left_out_are_named(self) -> None:
        fit = estimate(made_up(7), donors=["b", "c", "d"])
        assert fit.data_used["kept"].sum() == 40
        assert set(fit.data_used.loc[~fit.data_used["kept"], "unit"]) == set("efghijkl")
        assert fit.data_used["reason"].nunique() == 2
        assert "80 rows not used" in fit.summary()

    def test_periods_keep_the_order_of_their_category(self) -> None:
        data = made_up(8)
        months = ["sep", "oct", "nov", "dec", "jan", "feb", "mar", "apr", "may", "jun"]
        named = data.assign(
            period=pd.Categorical([months[t] for t in data["period"]], months, ordered=True)
        )
        assert estimate(named, start="apr").effect == estimate(data).effect

    def test_periods_can_be_dates(self) -> None:
        data = made_up(8)
        dated = data.assign(period=pd.to_datetime([f"{2010 + t}-04-01" for t in data["period"]]))
        fit = estimate(dated, start=pd.Timestamp("2017-04-01"))
        assert fit.effect == estimate(data).effect
        assert "y from 2017-04-01:" in fit.finding()

    def test_the_data_are_left_as_they_were(self) -> None:
        data = made_up(9)
        before = data.copy(deep=True)
        estimate(data).plot()
        pd.testing.assert_frame_equal(data, before)


class TestPlacebos:
    @pytest.mark.parametrize("method", METHODS)
    def test_a_placebo_is_the_same_estimate_without_the_treated_unit(self, method: str) -> None:
        data = made_up(10)
        fit = estimate(data, method)
        rest = data[data["unit"] != "a"]
        alone = estimate(rest, method, treated="f")
        row = fit.placebos_in_space.loc["f"]
        # The regularisation of sdid keeps the noise level of all donors, as its authors' does.
        tolerance = 0.05 if method == "sdid" else 1e-9
        assert row["effect"] == pytest.approx(alone.effect, abs=tolerance)
        assert len(fit.placebos_in_space) == 11

    def test_p_value_is_the_rank_among_all_units(self) -> None:
        fit = estimate(made_up(11, effect=1.5))
        ratios = [fit.ratio, *fit.placebos_in_space["ratio"]]
        rank = 1 + sum(r > fit.ratio for r in ratios)
        assert fit.tidy().loc["effect", "p_value"] == pytest.approx(rank / 12)
        fit = estimate(made_up(11, effect=1.5), "did")
        effects = np.abs([fit.effect, *fit.placebos_in_space["effect"]])
        rank = 1 + (effects > abs(fit.effect)).sum()
        assert fit.tidy().loc["effect", "p_value"] == pytest.approx(rank / 12)

    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("seed", [12, 13])
    def test_the_interval_holds_the_effects_that_a_new_test_keeps(
        self, method: str, seed: int
    ) -> None:
        """Take a constant off the outcome, estimate again, and look at the p-value."""
        data = made_up(seed, effect=4)
        after = (data["unit"] == "a") & (data["period"] >= 7)
        level = 0.8
        row = estimate(data, method).tidy(level).loc["effect"]
        assert np.isfinite(row["ci_low"])
        width = row["ci_high"] - row["ci_low"]
        for share in (-0.2, -0.01, 0.01, 0.5, 0.99, 1.01, 1.2):
            constant = row["ci_low"] + share * width
            moved = data.assign(y=data["y"] - constant * after)
            p = estimate(moved, method).tidy().loc["effect", "p_value"]
            assert (p > 1 - level) == (0 <= share <= 1)

    def test_too_few_donors_bound_nothing(self) -> None:
        fit = estimate(made_up(14, units=8, effect=50))
        row = fit.tidy().loc["effect"]
        assert (row["ci_low"], row["ci_high"]) == (-np.inf, np.inf)
        assert row["p_value"] == pytest.approx(1 / 8)
        assert "cannot tell" in fit.finding()
        assert "no p-value is below 0.12" in fit.summary()
        assert np.isfinite(fit.tidy(0.8).loc["effect", "ci_low"])

    def test_nineteen_donors_are_the_fewest_that_bound_an_effect_at_95(self) -> None:
        """One of twenty units is a share of 0.05; with two of forty the second largest counts."""
        gap = np.array([5.0, 5.0])
        assert interval(gap, np.arange(18.0), 0.95) == (-np.inf, np.inf)
        assert interval(gap, np.arange(19.0), 0.95) == (5 - 18, 5 + 18)
        assert interval(gap, np.arange(39.0), 0.95) == (5 - 37, 5 + 37)

    def test_the_error_is_the_root_mean_squared_deviation_of_placebo_effects(self) -> None:
        fit = estimate(made_up(25), "sdid")
        effects = fit.placebos_in_space["effect"]
        by_hand = np.sqrt(((effects - effects.mean()) ** 2).mean())
        assert fit.tidy().loc["effect", "std_error"] == pytest.approx(by_hand, rel=1e-12)

    def test_an_effect_that_is_not_constant_can_leave_no_constant(self) -> None:
        low, high = interval(np.array([-9.0, 9.0]), np.full(39, 2.0), 0.95, rmspe_before=1.0)
        assert np.isnan([low, high]).all()

    def test_earlier_starts_see_nothing_of_the_event(self) -> None:
        data = made_up(15)
        plain = estimate(data)
        broken = estimate(data.assign(y=data["y"] + 1e3 * (data["period"] >= 7)))
        pd.testing.assert_frame_equal(plain.placebos_in_time, broken.placebos_in_time)
        assert plain.placebos_in_time.index.tolist() == [2, 3, 4, 5, 6]
        alone = estimate(data[data["period"] < 7], start=4)
        assert plain.placebos_in_time.loc[4, "effect"] == pytest.approx(alone.effect, abs=1e-9)

    def test_leaving_a_donor_out_is_estimating_without_its_rows(self) -> None:
        data = made_up(16)
        fit = estimate(data)
        donor = fit.leave_one_out.index[0]
        assert fit.leave_one_out.loc[donor, "weight"] == fit.unit_weights.max()
        alone = estimate(data[data["unit"] != donor])
        assert fit.leave_one_out.loc[donor, "effect"] == pytest.approx(alone.effect, abs=1e-9)
        assert set(fit.leave_one_out.index) == set(fit.unit_weights[fit.unit_weights > 0].index)

    def test_sets_of_donors_are_listed_or_drawn_by_seed(self) -> None:
        data = made_up(17)
        every = estimate(data, "did", treated=["a", "b"])
        assert len(every.placebos_in_space) == 45  # 10 donors, two at a time
        drawn = [estimate(data, "did", treated=["a", "b"], draws=20, rng=r) for r in (1, 1, 2)]
        names = [list(fit.placebos_in_space.index) for fit in drawn]
        assert names[0] == names[1] != names[2]
        assert len(set(names[0])) == 20
        assert set(names[0]) <= set(every.placebos_in_space.index)

    def test_without_an_event_a_twentieth_is_found(self) -> None:
        """Binomial(120, 1/20) is above 13 with probability 0.004 and below 1 with 0.002."""
        found = 0
        for seed in range(120):
            fit = estimate(made_up(1000 + seed, units=20, periods=8), start=6)
            found += fit.tidy().loc["effect", "p_value"] <= 0.05
        assert 1 <= found <= 13

    def test_same_bytes_under_any_hash_seed(self) -> None:
        program = (
            "import numpy as np, pandas as pd\n"
            "from crime_analysis.models.synthetic_control import synthetic_control\n"
            "values = np.random.default_rng(3).normal(size=(9, 8)).cumsum(axis=1)\n"
            "wide = pd.DataFrame(values, index=pd.Index(list('abcdefghi'), name='unit'))\n"
            "data = wide.reset_index().melt('unit', var_name='period', value_name='y')\n"
            "fit = synthetic_control(data, 'y', 'unit', 'period', ['a', 'b'], 5, 'sdid', draws=5)\n"
            "print(fit.tidy().to_json(double_precision=15), fit.summary(), fit.weights())"
        )
        said = {
            subprocess.run(
                [sys.executable, "-c", program],
                env={**os.environ, "PYTHONHASHSEED": seed},
                cwd=Path(__file__).parents[1],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for seed in ("1", "2")
        }
        assert len(said) == 1


class TestWords:
    def test_an_effect_clear_of_zero_is_said_with_its_interval(self) -> None:
        fit = estimate(made_up(18, units=26, effect=-9), "sdid")
        row = fit.tidy().loc["effect"]
        assert row["ci_high"] < 0
        said = fit.finding()
        assert "below its weighted donors" in said
        assert f"−{abs(row['ci_high']):.3g}" in said
        assert "cannot tell" not in said

    def test_the_picture_carries_its_finding_and_numbers(self) -> None:
        fit = estimate(made_up(19, effect=1))
        figure = fit.plot()
        assert figure.title == fit.finding()
        assert figure.svg.startswith(b"<?xml")
        assert figure.data["gap"].tolist() == fit.gap.tolist()
        assert "Gaps: 0 " in figure.alt
        assert sum(column.startswith("placebo gap") for column in figure.data) == 11

    def test_a_unit_beyond_every_donor_has_no_synthetic_twin(self) -> None:
        data = made_up(20)
        fit = estimate(data.assign(y=data["y"] + 100 * (data["unit"] == "a")))
        assert fit.outside_hull == tuple(range(7))
        assert "cannot tell; above or below every donor in 7 of 7 periods before" in fit.finding()


class TestForces:
    def test_no_average_of_forces_stands_for_london_in_robbery(self) -> None:
        """Shipped figures, 2002/03 on: London is above every other force in every year."""
        panel = force_panel("2002/03", "2018/19")
        fit = synthetic_control(
            panel, "log_robbery_per_1000", "force", "financial_year", "Metropolitan Police",
            "2010/11",
        )  # fmt: skip
        assert len(fit.outside_hull) == fit.n_before == 8
        assert fit.weights()["name"].tolist() == ["West Midlands"]
        assert "cannot tell" in fit.finding()

    def test_synthetic_did_cannot_tell_either(self) -> None:
        panel = force_panel("2002/03", "2018/19")
        for outcome in ("log_robbery_per_1000", "homicide_per_1000"):
            fit = synthetic_control(
                panel, outcome, "force", "financial_year", "Metropolitan Police", "2010/11",
                "sdid",
            )  # fmt: skip
            assert fit.tidy().loc["effect", "p_value"] > 0.05
            assert "cannot tell" in fit.finding()


def _gone(data: pd.DataFrame, unit: str, period: int) -> pd.DataFrame:
    return data[~((data["unit"] == unit) & (data["period"] == period))]


class TestRefusals:
    @pytest.mark.parametrize(
        ("change", "error", "said"),
        [
            (lambda d: _gone(_gone(d, "c", 4), "c", 5), ModelError, "c lacks 4, 5"),
            (lambda d: pd.concat([d, d.iloc[[3]]]), ModelError, "more than one row for d in 0"),
            (lambda d: d.assign(y=d["y"].where(d["unit"] != "b")), ModelError, "b in 0, b in 1"),
            (lambda d: d.assign(y=d["y"].astype(str)), ModelError, "pd.to_numeric"),
            (lambda d: d.assign(y=d["y"] > 20), ModelError, "bool"),
            (
                lambda d: d.assign(y=d["y"].where(d["period"] != 3, -np.inf)),
                ModelError,
                "infinite for a in 3",
            ),
            (lambda d: d.assign(y=5.0), ModelError, "has one value"),
            (lambda d: d.iloc[:0], ModelError, "no rows"),
            (lambda d: d.assign(unit=d["unit"].where(d.index != 4)), ModelError, "row 4"),
            (lambda d: d.rename(columns={"y": "Y"}), UnknownNameError, "unknown column 'y'"),
            (lambda d: d[d["unit"].isin(["a", "b"])], ModelError, "donors: 1, treated: 1"),
            (
                lambda d: d.assign(unit=d["unit"].astype(object).where(d["unit"] != "b", 1)),
                ModelError,
                "mixes int and str",
            ),
            (lambda d: d.assign(unit=[(u, 1) for u in d["unit"]]), ModelError, "by one text"),
            (lambda d: d.assign(y=d["y"] * 1e150), ModelError, "change its unit"),
            (lambda d: d.to_dict(), ParameterError, "give a pandas DataFrame"),
        ],
    )
    def test_data_that_cannot_be_compared(self, change: Any, error: type, said: str) -> None:
        with pytest.raises(error, match=said):
            estimate(change(made_up(21)))

    @pytest.mark.parametrize(
        ("options", "error", "said"),
        [
            ({"treated": "z"}, UnknownNameError, "unknown treated unit 'z'"),
            ({"treated": []}, ParameterError, "treated is empty"),
            ({"treated": ["a", "a"], "method": "did"}, ParameterError, "twice"),
            ({"treated": ["a", "b"]}, ParameterError, "method 'sc' takes one"),
            ({"treated": list("abcdef"), "method": "did"}, ModelError, "donors: 6, treated: 6"),
            ({"start": 99}, UnknownNameError, "unknown start '99'"),
            ({"start": "7"}, UnknownNameError, "nearest: 7"),
            ({"start": 1}, ParameterError, "a start no earlier than 2"),
            ({"start": 0}, ParameterError, "0 periods come before"),
            ({"method": "synth"}, UnknownNameError, "unknown method"),
            ({"solver": "fw"}, UnknownNameError, "unknown solver"),
            ({"solver": "frank_wolfe", "method": "did"}, ParameterError, "leave solver out"),
            ({"donors": ["a", "b", "c"]}, ParameterError, "a is treated and among the donors"),
            ({"donors": ["b", "q"]}, UnknownNameError, "unknown donors unit 'q'"),
            ({"draws": 0}, ParameterError, "draws is 0"),
            ({"rng": "one"}, ParameterError, "rng is 'one'"),
        ],
    )
    def test_requests_that_cannot_be_met(
        self, options: dict[str, Any], error: type, said: str
    ) -> None:
        with pytest.raises(error, match=said):
            estimate(made_up(22), **options)

    def test_columns_have_to_differ(self) -> None:
        with pytest.raises(ParameterError, match="three columns"):
            synthetic_control(made_up(), "y", "unit", "unit", "a", 7)
        with pytest.raises(ParameterError, match="not the name of a column"):
            synthetic_control(made_up(), ["y"], "unit", "period", "a", 7)  # type: ignore[arg-type]

    def test_donors_in_step_cannot_set_the_regularisation(self) -> None:
        data = made_up(23)
        level = data["unit"].map(ord).astype(float)
        data = data.assign(y=level + data["period"])
        with pytest.raises(ModelError, match="all donors move by the same steps"):
            estimate(data, "sdid")
        assert estimate(data, "did").effect == pytest.approx(0, abs=1e-12)

    def test_a_level_outside_zero_and_one(self) -> None:
        with pytest.raises(ParameterError, match="level is 95"):
            estimate(made_up(24)).tidy(95)
