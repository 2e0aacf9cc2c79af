"""Power: what formulas publish, what brute force gives, and refusals that name the cause."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from crime_analysis.errors import ModelError, ParameterError, UnknownNameError
from crime_analysis.inference import operating
from crime_analysis.models.fit import Fit
from crime_analysis.models.panel_regression import fit_panel
from crime_analysis.power import design_analysis, minimum_detectable_effect

few = settings(max_examples=8, deadline=None, derandomize=True)


def made_up(seed: int = 0, units: int = 12, years: int = 6) -> pd.DataFrame:
    """An unbalanced panel with years that cut across units and weights that differ."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame(
        {"unit": np.repeat(range(units), years), "year": list(range(years)) * units}
    )
    rows["z"] = rng.normal(size=len(rows))
    rows["x"] = 0.5 * rows["z"] + rng.normal(size=units)[rows["unit"]] * rows["year"] / years
    rows["x"] += rng.normal(size=len(rows))
    rows["people"] = rng.uniform(0.5, 5, size=units)[rows["unit"]]
    rows["y"] = rows["z"] + rows["unit"] + rng.normal(size=units)[rows["unit"]] * rows["year"] / 3
    rows["y"] += rng.normal(size=len(rows))
    return rows[rng.uniform(size=len(rows)) > 0.1]


@functools.cache
def fitted() -> Fit:
    return fit_panel("y ~ x + z | unit + year", made_up(), cluster="unit", weights="people")


class TestFormula:
    def test_the_classical_multiple_for_80_per_cent_power_is_2_8(self) -> None:
        # Bloom (1995): 2.80 standard errors for power 0.80, two-sided 0.05, many units.
        assert minimum_detectable_effect(1.0).effect == pytest.approx(2.80, abs=0.005)

    @pytest.mark.parametrize("dof", [2, 7, 41, 300])
    @pytest.mark.parametrize("power", [0.3, 0.8, 0.95])
    def test_the_noncentral_t_has_just_the_power_wished(self, dof: int, power: float) -> None:
        effect = minimum_detectable_effect(2.0, power=power, degrees_of_freedom=dof).effect / 2
        edge = stats.t(dof).ppf(0.975)
        reached = stats.nct.sf(edge, dof, effect) + stats.nct.cdf(-edge, dof, effect)
        assert reached == pytest.approx(power, abs=1e-9)

    def test_blooms_approximation_is_close_with_many_clusters_and_not_with_few(self) -> None:
        many = minimum_detectable_effect(1.0, degrees_of_freedom=41)
        few_ = minimum_detectable_effect(1.0, degrees_of_freedom=2)
        assert many.bloom == pytest.approx(many.effect, rel=1e-3)
        assert few_.bloom < 0.96 * few_.effect

    @pytest.mark.parametrize(
        ("true", "error", "power", "type_s", "exaggeration"),
        [
            # Gelman and Carlin (2014), beauty and sex ratio: 0.1 point, standard error 3.28.
            (0.1, 3.28, 0.05, 0.46, 77),
            # The same paper, menstrual cycle and political attitudes: power and type S.
            (2, 8.1, 0.06, 0.24, None),
        ],
    )
    def test_published_design_analyses_come_out_as_printed(
        self, true: float, error: float, power: float, type_s: float, exaggeration: float | None
    ) -> None:
        row = design_analysis(true, error).tidy().loc[true]
        assert round(row["power"], 2) == power
        assert round(row["type_s"], 2) == type_s
        assert exaggeration is None or round(row["exaggeration"]) == exaggeration

    @pytest.mark.parametrize(("true", "dof"), [(0.3, np.inf), (1.5, np.inf), (0.5, 3), (2.0, 20)])
    def test_a_plain_monte_carlo_agrees(self, true: float, dof: float) -> None:
        rng = np.random.default_rng(20)
        found = true + rng.standard_normal(1_000_000)
        spread = 1.0 if np.isinf(dof) else np.sqrt(rng.chisquare(dof, 1_000_000) / dof)
        law = stats.norm() if np.isinf(dof) else stats.t(dof)
        hit = np.abs(found) > law.ppf(0.975) * spread
        row = design_analysis(true, 1.0, degrees_of_freedom=dof).tidy().loc[true]
        assert row["power"] == pytest.approx(hit.mean(), abs=4 * np.sqrt(0.25 / 1e6))
        assert row["type_s"] == pytest.approx((found[hit] < 0).mean(), abs=0.006)
        assert row["exaggeration"] == pytest.approx(np.abs(found[hit]).mean() / true, rel=0.01)

    @few
    @given(st.floats(0.05, 5), st.sampled_from([1.0, 4.0, 41.0, np.inf]), st.floats(0.01, 100))
    def test_only_effect_over_error_matters_and_the_sign_does_not(
        self, ratio: float, dof: float, error: float
    ) -> None:
        one = design_analysis(ratio, 1.0, degrees_of_freedom=dof).tidy()
        other = design_analysis(-ratio * error, error, degrees_of_freedom=dof).tidy()
        np.testing.assert_allclose(one, other, rtol=1e-9)
        assert one["exaggeration"].iloc[0] > 1
        assert 0 <= one["type_s"].iloc[0] < 0.5

    def test_the_detectable_effect_has_its_power_in_the_design_analysis(self) -> None:
        smallest = minimum_detectable_effect(fitted(), "x")
        row = design_analysis(smallest.effect, fitted(), "x").tidy().iloc[0]
        assert row["power"] == pytest.approx(0.8, abs=1e-9)
        assert smallest.degrees_of_freedom == 11


class TestSimulation:
    @pytest.mark.parametrize("kind", ["estimated", "null"])
    @pytest.mark.parametrize("convention", ["nested", "slopes"])
    def test_every_draw_equals_estimating_the_made_up_data_again(
        self, convention: str, kind: str
    ) -> None:
        rows = made_up().reset_index(drop=True)
        formula, options = "y ~ x + z | unit + year", {"cluster": "unit", "weights": "people"}
        fit = fit_panel(formula, rows, small_sample=convention, **options)
        noise, errors = operating.resampled(fit, "x", 300, "rademacher", 3, kind)
        # Residuals by dummies, with or without the effect; signs from the same stream.
        root = np.sqrt(rows["people"].to_numpy())[:, None]
        dummies = [pd.get_dummies(rows[name], dtype=float) for name in ("unit", "year")]
        held = [rows["z"], *dummies] if kind == "null" else [rows[["x", "z"]], *dummies]
        others = root * np.column_stack(held)
        y = root[:, 0] * rows["y"].to_numpy()
        residuals = (y - others @ np.linalg.lstsq(others, y, rcond=None)[0]) / root[:, 0]
        signs = next(operating.patterns(12, 300, "rademacher", 3))
        own = np.sqrt(_factor(fit, rows))
        for draw in (0, 1, 2):
            rows["again"] = own * signs[rows["unit"], draw] * residuals + 0.7 * rows["x"]
            again = fit_panel(
                formula.replace("y ~", "again ~"), rows, small_sample=convention, **options
            ).term("x")
            assert again["estimate"] == pytest.approx(0.7 + noise[draw], abs=1e-9)
            assert again["std_error"] == pytest.approx(errors[draw], rel=1e-6)

    def test_formula_and_simulation_agree_where_the_formula_holds(self) -> None:
        rng = np.random.default_rng(5)
        rows = pd.DataFrame({"unit": np.repeat(range(60), 8), "year": list(range(8)) * 60})
        rows["x"], rows["y"] = rng.normal(size=(2, 480))
        fit = fit_panel("y ~ x | unit + year", rows, cluster="unit")
        formula = minimum_detectable_effect(fit)
        simulated = minimum_detectable_effect(fit, method="simulation", rng=1)
        assert simulated.effect == pytest.approx(formula.effect, rel=0.06)
        assert simulated.size == pytest.approx(0.05, abs=0.02)
        assert simulated.effect_low < simulated.effect < simulated.effect_high

    def test_power_foretold_is_power_met_in_new_data(self) -> None:
        # Errors alike within 40 clusters and growing over time. The effect foretold from six
        # data sets is put into 3,000 others; the share found has a Monte Carlo error of 0.007.
        rng = np.random.default_rng(11)
        unit, year = np.repeat(range(40), 5), np.tile(range(5), 40)
        x = rng.normal(size=200) + rng.normal(size=40)[unit] * year / 2

        def errors(count: int) -> np.ndarray:
            own = rng.normal(size=(count, 40))[:, unit] * year / 2
            return own + rng.normal(size=(count, 200))

        foretold = []
        for seed, y in enumerate(errors(6)):
            data = pd.DataFrame({"unit": unit, "year": year, "x": x, "y": y})
            fit = fit_panel("y ~ x | unit + year", data, cluster="unit")
            smallest = minimum_detectable_effect(
                fit, method="simulation", size_corrected=False, draws=999, rng=seed
            )
            foretold.append(smallest.effect)
        effect = float(np.mean(foretold))

        def within(columns: np.ndarray) -> np.ndarray:
            table = columns.reshape(-1, 40, 5)
            table = table - table.mean(axis=1, keepdims=True)
            return (table - table.mean(axis=2, keepdims=True)).reshape(-1, 200)

        left, outcomes = within(x)[0], within(effect * x + errors(3000))
        estimates = outcomes @ left / (left @ left)
        products = (outcomes - estimates[:, None] * left) * left
        scores = products.reshape(-1, 40, 5).sum(axis=2)
        # One slope, a constant and the years less one are counted, the nested units are not.
        factor = 40 / 39 * 199 / (200 - 6)
        spread = np.sqrt(factor * np.sum(scores**2, axis=1)) / (left @ left)
        found = np.mean(np.abs(estimates) > stats.t(39).ppf(0.975) * spread)
        assert found == pytest.approx(0.8, abs=0.06)

    def test_an_effect_that_is_there_is_not_taken_for_noise(self) -> None:
        rows = made_up()
        fits = [
            fit_panel(
                "y ~ x + z | unit + year", rows.assign(y=rows["y"] + more * rows["x"]),
                cluster="unit", weights="people",
            )
            for more in (0, 5)
        ]  # fmt: skip
        without, with_ = (
            minimum_detectable_effect(fit, "x", method="simulation", rng=1).effect for fit in fits
        )
        assert with_ == pytest.approx(without, rel=1e-9)
        imposed = minimum_detectable_effect(
            fits[1], "x", method="simulation", residuals="null", rng=1
        )
        assert imposed.effect > 1.5 * with_

    def test_the_draws_spread_as_the_fit_says(self) -> None:
        noise, _ = operating.resampled(fitted(), "x", 4096, "rademacher", None)  # all patterns
        assert np.sqrt(np.mean(noise**2)) == pytest.approx(fitted().term("x")["std_error"])

    def test_a_test_that_cries_wolf_gets_no_credit_for_it(self) -> None:
        # Two of 15 units move, and err, six times as much: the clustered t test is too eager.
        rng = np.random.default_rng(2)
        rows = pd.DataFrame({"unit": np.repeat(range(15), 6), "year": list(range(6)) * 15})
        drift = rng.normal(size=15)[rows["unit"]] * rows["year"]
        large = np.where(rows["unit"] < 2, 6, 1)
        rows["x"] = rows["year"] * large * np.where(rows["unit"] % 2, 1, -1) + rng.normal(size=90)
        rows["y"] = drift * large + rng.normal(size=90)
        fit = fit_panel("y ~ x | unit + year", rows, cluster="unit")
        honest = minimum_detectable_effect(fit, method="simulation", rng=1)
        eager = minimum_detectable_effect(fit, method="simulation", size_corrected=False, rng=1)
        assert honest.size == eager.size > 0.1
        assert honest.effect > eager.effect
        at_zero = honest.curve["power"].iloc[0], eager.curve["power"].iloc[0]
        assert at_zero == (pytest.approx(0.05, abs=0.005), pytest.approx(eager.size))

    def test_the_detectable_effect_has_its_power_in_the_design_analysis(self) -> None:
        options = {"method": "simulation", "rng": 4}
        smallest = minimum_detectable_effect(fitted(), "x", **options)
        row = design_analysis([smallest.effect], fitted(), "x", **options).tidy().iloc[0]
        assert row["power"] == pytest.approx(0.8, abs=0.001)
        assert 0 < row["power_error"] < 0.01
        assert row["exaggeration"] > 1

    def test_same_seed_same_numbers_and_order_and_labels_of_rows_do_not_matter(self) -> None:
        mixed = made_up().sample(frac=1, random_state=1)
        mixed.index = [f"row {i}" for i in range(len(mixed))]
        other = fit_panel("y ~ x + z | unit + year", mixed, cluster="unit", weights="people")
        one, two = (
            minimum_detectable_effect(fit, "x", method="simulation", rng=9).tidy()
            for fit in (fitted(), other)
        )
        pd.testing.assert_frame_equal(one, two, rtol=1e-9)

    def test_few_clusters_use_every_pattern_of_signs_and_so_no_seed(self) -> None:
        fit = fit_panel("y ~ x | unit", made_up(units=7), cluster="unit")
        one, two = (
            design_analysis(1.0, fit, method="simulation", rng=seed).tidy() for seed in (1, 2)
        )
        pd.testing.assert_frame_equal(one, two)


def _factor(fit: Fit, rows: pd.DataFrame) -> float:
    """The fit's small-sample factor: its variance over the plain sandwich."""
    design = fit.design
    assert design is not None
    root = np.sqrt(rows["people"].to_numpy())[:, None]
    dummies = [pd.get_dummies(rows[name], dtype=float) for name in ("unit", "year")]
    whole = root * np.column_stack([rows[["x", "z"]], *dummies])
    y = root[:, 0] * rows["y"].to_numpy()
    residual = y - whole @ np.linalg.lstsq(whole, y, rcond=None)[0]
    others = whole[:, 1:]
    x = whole[:, 0] - others @ np.linalg.lstsq(others, whole[:, 0], rcond=None)[0]
    scores = np.bincount(rows["unit"], x * residual)
    return float(fit.covariance.loc["x", "x"] / (scores @ scores / (x @ x) ** 2))


class TestShown:
    def test_the_power_curve_says_its_finding_and_marks_other_studies(self) -> None:
        smallest = minimum_detectable_effect(fitted(), "x")
        figure = smallest.plot({"another study": -0.3})
        assert f"{smallest.effect:.3g}" in figure.title
        assert "another study" in figure.alt
        assert b"another study" in figure.svg
        pd.testing.assert_frame_equal(figure.data, smallest.curve)
        assert f"{smallest.effect:.4g}" in smallest.summary()

    def test_the_design_analysis_draws_all_three_numbers(self) -> None:
        analysis = design_analysis([-0.1, -0.3], fitted(), "x")
        figure = analysis.plot()
        assert list(figure.data) == ["true_effect", "power", "type_s", "exaggeration"]
        assert "wrong sign" in figure.alt
        assert list(analysis.tidy().index) == [-0.1, -0.3]
        assert "design analysis of x" in analysis.summary()


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "options", "said"),
        [
            ((0.0,), {}, "above 0"),
            ((-1.0,), {}, "above 0"),
            ((float("nan"),), {}, "above 0"),
            (("0.1",), {}, "neither a fit nor a standard error"),
            ((1.0,), {"power": 0.05}, "power = 0.05"),
            ((1.0,), {"power": 1}, "power = 1"),
            ((1.0,), {"alpha": 0}, "alpha = 0"),
            ((1.0,), {"degrees_of_freedom": 0}, "clusters less one"),
        ],
    )
    def test_numbers_out_of_range(self, arguments: tuple, options: dict, said: str) -> None:
        with pytest.raises(ParameterError, match=said):
            minimum_detectable_effect(*arguments, **options)

    @pytest.mark.parametrize("true", [0, [0.1, 0], [], float("inf"), None, "big"])
    def test_no_effect_has_no_sign_to_get_wrong(self, true: object) -> None:
        with pytest.raises(ParameterError, match="other than zero"):
            design_analysis(true, 1.0)

    def test_an_unknown_term_or_method_gets_the_nearest(self) -> None:
        with pytest.raises(UnknownNameError, match="x"):
            minimum_detectable_effect(fitted(), "xx")
        with pytest.raises(UnknownNameError, match="simulation"):
            minimum_detectable_effect(fitted(), "x", method="simulate")
        with pytest.raises(UnknownNameError, match="estimated"):
            minimum_detectable_effect(fitted(), "x", method="simulation", residuals="estimate")
        with pytest.raises(UnknownNameError, match="webb"):
            minimum_detectable_effect(fitted(), "x", method="simulation", weights="web")

    def test_a_fit_of_several_terms_needs_one_named(self) -> None:
        with pytest.raises(ParameterError, match="say which term"):
            minimum_detectable_effect(fitted())

    def test_a_simulation_needs_residuals_in_clusters_of_least_squares(self) -> None:
        with pytest.raises(ModelError, match="give a fit"):
            minimum_detectable_effect(0.1, method="simulation")
        plain = fit_panel("y ~ x | unit", made_up())
        with pytest.raises(ModelError, match="cluster="):
            minimum_detectable_effect(plain, method="simulation")
        counts = made_up().assign(n=lambda rows: rows["unit"] + rows["year"])
        poisson = fit_panel("n ~ x | unit", counts, family="poisson", cluster="unit")
        with pytest.raises(ModelError, match="least squares"):
            minimum_detectable_effect(poisson, method="simulation")
        assert minimum_detectable_effect(poisson).effect > 0

    def test_too_few_clusters_for_a_simulation_are_refused(self) -> None:
        fit = fit_panel("y ~ x | unit", made_up(units=4), cluster="unit")
        with pytest.raises(ModelError, match="4 clusters give only 8 different"):
            minimum_detectable_effect(fit, method="simulation")
        assert minimum_detectable_effect(fit, method="simulation", weights="webb", rng=1).effect > 0

    def test_too_few_draws_are_refused(self) -> None:
        with pytest.raises(ParameterError, match="draws = 10"):
            minimum_detectable_effect(fitted(), "x", method="simulation", draws=10)
