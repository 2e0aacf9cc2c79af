"""First differences, between, several instruments, counts by maximum likelihood, exact effects."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from linearmodels.panel import BetweenOLS, FirstDifferenceOLS
from scipy import stats

from crime_analysis.errors import ModelError, UnknownNameError
from crime_analysis.models import absorb
from crime_analysis.models.panel_regression import fit_panel
from crime_analysis.models.transformed import between, first_differences

few = settings(max_examples=12, deadline=None, derandomize=True)


def panel(seed: int, units: int = 15, years: int = 6) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    n = units * years
    data = pd.DataFrame(
        {"unit": np.repeat(np.arange(units), years), "year": np.tile(np.arange(years), units)}
    )
    level = rng.normal(size=units).repeat(years)
    data["z1"], data["z2"] = rng.normal(size=n), rng.normal(size=n) + level
    hidden = rng.normal(size=n)
    data["w"] = rng.normal(size=n) + level
    data["x1"] = data["z1"] + 0.3 * data["z2"] + hidden + level
    data["x2"] = data["z2"] - 0.5 * data["z1"] + rng.normal(size=n)
    data["y"] = data["x1"] - data["x2"] + 0.5 * data["w"] + level + hidden + rng.normal(size=n)
    data["people"] = rng.uniform(1, 4, size=n)
    data["events"] = rng.negative_binomial(5, 5 / (5 + np.exp(1 + 0.3 * data["w"]))) * 1.0
    return data


class TestFirstDifferences:
    def test_they_agree_with_linearmodels(self) -> None:
        data = panel(0)
        fit = first_differences("y ~ 0 + x1 + w", data, unit="unit", time="year", cluster="unit",
                                small_sample="none")  # fmt: skip
        rows = data.set_index(["unit", "year"])
        other = FirstDifferenceOLS(rows["y"], rows[["x1", "w"]]).fit(
            cov_type="clustered", cluster_entity=True, debiased=False
        )
        np.testing.assert_allclose(fit.coefficients, other.params, rtol=1e-9)
        np.testing.assert_allclose(fit.tidy()["std_error"], other.std_errors, rtol=1e-8)

    def test_a_gap_makes_one_change_missing_and_is_named(self) -> None:
        data = panel(1, units=4).query("not (unit == 2 and year == 3)")
        fit = first_differences("y ~ x1", data, unit="unit", time="year")
        gone = fit.data_used[~fit.data_used["kept"]]
        assert fit.nobs == 4 * 5 - 2
        assert [2, 4] in gone[["unit", "year"]].to_numpy().tolist()
        assert (gone["reason"] == "no y, x1").all()

    def test_with_two_periods_they_are_fixed_effects(self) -> None:
        data = panel(2).query("year < 2")
        one = first_differences("y ~ x1 | year", data, unit="unit", time="year")
        two = fit_panel("y ~ x1 | unit + year", data)
        assert one.coefficients["x1"] == pytest.approx(two.coefficients["x1"], rel=1e-9)

    def test_a_unit_with_a_period_twice_is_refused(self) -> None:
        data = panel(3)
        with pytest.raises(ModelError, match="unit 0 has year 0 twice"):
            first_differences("y ~ x1", pd.concat([data, data.head(1)]), unit="unit", time="year")
        with pytest.raises(UnknownNameError, match=r"unit column 'unti'.*nearest: unit"):
            first_differences("y ~ x1", data, unit="unti", time="year")


class TestBetween:
    def test_it_agrees_with_linearmodels(self) -> None:
        data = panel(4)
        fit = between("y ~ x1 + w", data, unit="unit", errors="classical")
        rows = data.assign(one=1.0).set_index(["unit", "year"])
        other = BetweenOLS(rows["y"], rows[["one", "x1", "w"]]).fit(debiased=True)
        np.testing.assert_allclose(fit.coefficients, other.params, rtol=1e-9)
        np.testing.assert_allclose(fit.tidy()["std_error"], other.std_errors, rtol=1e-9)

    def test_means_are_over_complete_rows(self) -> None:
        data = panel(5)
        data.loc[data["unit"] == 3, "x1"] = np.nan
        data.loc[0, "y"] = np.nan
        fit = between("y ~ x1", data, unit="unit")
        means = data.dropna(subset=["y", "x1"]).groupby("unit")[["y", "x1"]].mean()
        other = sm.OLS(means["y"], sm.add_constant(means["x1"])).fit()
        assert fit.coefficients["x1"] == pytest.approx(other.params["x1"], rel=1e-9)
        assert fit.data_used.loc[~fit.data_used["kept"], "unit"].tolist() == [3]

    def test_fixed_effects_are_refused(self) -> None:
        with pytest.raises(ModelError, match="take no fixed effects"):
            between("y ~ x1 | unit", panel(6), unit="unit")


class TestSeveralInstruments:
    @few
    @given(seed=st.integers(0, 5000), both=st.booleans())
    def test_two_stages_by_hand(self, seed: int, both: bool) -> None:
        data = panel(seed)
        wanted = ["x1", "x2"] if both else ["x1"]
        formula = f"y ~ w | unit + year | {' + '.join(wanted)} ~ z1 + z2"
        fit = fit_panel(formula, data, cluster="unit", weights="people", small_sample="none")
        root = np.sqrt(data["people"].to_numpy())[:, None]
        dummies = pd.concat(
            [pd.get_dummies(data["unit"]), pd.get_dummies(data["year"], drop_first=True)], axis=1
        ).to_numpy(float)
        x = root * np.column_stack([data[["w", *wanted]], dummies])
        z = root * np.column_stack([data[["w", "z1", "z2"]], dummies])
        y = root[:, 0] * data["y"].to_numpy()
        fitted = z @ np.linalg.lstsq(z, x, rcond=None)[0]
        bread = np.linalg.inv(fitted.T @ fitted)
        beta = bread @ fitted.T @ y
        scores = fitted * (y - x @ beta)[:, None]
        meat = pd.DataFrame(scores).groupby(data["unit"].to_numpy()).sum().to_numpy()
        error = np.sqrt(np.diag(bread @ meat.T @ meat @ bread))
        np.testing.assert_allclose(fit.coefficients, beta[: 1 + len(wanted)], rtol=1e-8)
        np.testing.assert_allclose(fit.tidy()["std_error"], error[: 1 + len(wanted)], rtol=1e-6)

    @pytest.mark.parametrize("seed", range(6))
    def test_the_region_holds_what_the_instruments_do_not_reject(self, seed: int) -> None:
        """Membership in the Anderson-Rubin set against a Wald test of both, by regression."""
        data = panel(seed, units=10)
        data["x1"] = data["x1"] + seed * 0.7 * data["w"]  # some weaker, some stronger
        options = {"cluster": "unit", "weights": "people"}
        stage = fit_panel("y ~ w | unit + year | x1 ~ z1 + z2", data, **options).first_stage()

        def rejected(effect: float) -> bool:
            rest = data.assign(rest=data["y"] - effect * data["x1"])
            fit = fit_panel("rest ~ w + z1 + z2 | unit + year", rest, **options)
            both = ["z1", "z2"]
            b, v = fit.coefficients[both].to_numpy(), fit.covariance.loc[both, both].to_numpy()
            return float(b @ np.linalg.solve(v, b)) / 2 > stats.f(2, 9).ppf(0.95)

        def inside(effect: float) -> bool:
            return any(low <= effect <= high for low, high in stage.region)

        for effect in [*np.linspace(-6, 8, 25), -1e3, 1e3]:
            assert inside(effect) == (not rejected(effect)), effect
        for end in [e for pair in stage.region for e in pair if np.isfinite(e)]:
            assert inside(end - 1e-6) != inside(end + 1e-6)

    def test_the_effective_f_is_f_with_one_instrument(self) -> None:
        stage = fit_panel("y ~ w | unit | x1 ~ z1", panel(7), cluster="unit").first_stage()
        assert stage.effective_f == pytest.approx(stage.f_statistic, rel=1e-12)

    def test_the_effective_f_is_near_f_without_clustering_or_uneven_variance(self) -> None:
        """With errors of one variance both are the same (Montiel Olea and Pflueger 2013)."""
        data = panel(8, units=400)
        stage = fit_panel("y ~ w | x1 ~ z1 + z2", data).first_stage()
        assert stage.effective_f == pytest.approx(stage.f_statistic, rel=0.1)

    def test_more_endogenous_variables_than_instruments_are_refused(self) -> None:
        with pytest.raises(ModelError, match="fewer instruments"):
            fit_panel("y ~ w | unit | x1 + x2 ~ z1", panel(9))


class TestNegativeBinomial:
    @pytest.mark.parametrize("effects", [[], ["unit"], ["unit", "year"]])
    def test_it_is_statsmodels_with_dummies(self, effects: list[str]) -> None:
        data = panel(10)
        formula = " | ".join(["events ~ w", *([" + ".join(effects)] if effects else [])])
        fit = fit_panel(formula, data, family="negative_binomial", cluster="unit",
                        small_sample="none")  # fmt: skip
        parts = [data["w"], *(pd.get_dummies(data[e], dtype=float, prefix=e) for e in effects)]
        design = pd.concat(parts, axis=1)
        design = sm.add_constant(design.drop(columns="unit_0", errors="ignore"))
        design = design.drop(columns="year_0", errors="ignore")
        start = sm.Poisson(data["events"], design).fit(disp=0)
        other = sm.NegativeBinomial(data["events"], design).fit(
            start_params=[*start.params, 0.2], maxiter=500, disp=0, cov_type="cluster",
            cov_kwds={"groups": data["unit"].to_numpy(), "use_correction": False},
        )  # fmt: skip
        assert fit.coefficients["w"] == pytest.approx(other.params["w"], rel=1e-5)
        assert fit.term("w")["std_error"] == pytest.approx(other.bse["w"], rel=1e-4)

    def test_a_rate_is_refused(self) -> None:
        data = panel(11)
        with pytest.raises(ModelError, match="'rate' is not a count"):
            fit_panel("rate ~ w", data.assign(rate=data["events"] / 3), family="negative_binomial")
        with pytest.raises(ModelError, match="takes no weights"):
            fit_panel("events ~ w", data, family="negative_binomial", weights="people")


class TestEffects:
    @few
    @given(seed=st.integers(0, 5000), count=st.integers(0, 3), weighted=st.booleans())
    def test_residuals_are_those_of_a_regression_on_dummies(
        self, seed: int, count: int, weighted: bool
    ) -> None:
        rng = np.random.default_rng(seed)
        n = 40
        effects = pd.DataFrame({f"e{i}": rng.integers(0, 3 + 2 * i, n) for i in range(count)})
        effects.index = pd.RangeIndex(n)
        weights = rng.uniform(0.5, 3, n) if weighted else None
        values = rng.normal(size=(n, 2)) * 10.0 ** rng.integers(-3, 4)
        ours = absorb.residualise(values, effects, weights)
        design = np.column_stack(
            [np.zeros((n, 1)), *(pd.get_dummies(effects[e]).to_numpy(float) for e in effects)]
        )
        root = np.sqrt(weights if weighted else np.ones(n))[:, None]
        slopes = np.linalg.lstsq(root * design, root * values, rcond=None)[0]
        np.testing.assert_allclose(ours, values - design @ slopes, atol=1e-9 * abs(values).max())

    @few
    @given(seed=st.integers(0, 5000))
    def test_the_count_of_two_effects_is_the_rank_of_their_dummies(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        sizes = rng.integers(2, 12, 2)
        effects = pd.DataFrame(
            {f"e{i}": pd.factorize(rng.integers(0, k, 15))[0] for i, k in enumerate(sizes)}
        )
        dummies = np.column_stack([pd.get_dummies(effects[e]).to_numpy(float) for e in effects])
        counted = absorb.parameters(3, effects, None, "all")
        assert counted == 3 + np.linalg.matrix_rank(dummies)

    def test_an_unknown_convention_is_refused(self) -> None:
        with pytest.raises(UnknownNameError, match=r"small_sample 'nestd'.*nearest: nested"):
            fit_panel("y ~ x1 | unit", panel(12), small_sample="nestd")

    @pytest.mark.parametrize("weights", [None, "people"])
    def test_classical_errors_are_statsmodels_own(self, weights: str | None) -> None:
        data = panel(13)
        fit = fit_panel("y ~ x1 + w | unit", data, errors="classical", weights=weights)
        design = pd.concat([data[["x1", "w"]], pd.get_dummies(data["unit"], dtype=float)], axis=1)
        other = sm.WLS(data["y"], design, weights=data[weights] if weights else 1.0).fit()
        np.testing.assert_allclose(fit.tidy()["std_error"], other.bse[["x1", "w"]], rtol=1e-9)
        np.testing.assert_allclose(fit.tidy()["p_value"], other.pvalues[["x1", "w"]], rtol=1e-6)
