"""Panel regression: the same numbers as independent programs, and refusals that name the cause.

statsmodels and linearmodels estimate with a dummy for every fixed effect and without small-sample
factors; the package's factor, G/(G-1) x (N-1)/(N-K), is then put on. K is counted here by the rank
of the dummies: the slopes, a constant, and what the effects outside clusters add to those inside.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from linearmodels.iv import IV2SLS
from linearmodels.panel import PanelOLS
from scipy import stats

from crime_analysis.errors import ModelError, UnknownNameError
from crime_analysis.models.panel_regression import fit_panel
from crime_analysis.panel import force_panel

OFFICERS = "log_officers_end ~ log_population + log_funding_real | force + financial_year"
INSTRUMENTED = (
    "log_officers_end ~ log_population | force + financial_year"
    " | log_funding_real ~ exposure_all_grants"
)
HOMICIDE = "homicide ~ log_officers_per_1000 + log_funding_real | force + financial_year"


@functools.cache
def shipped() -> pd.DataFrame:
    return force_panel()


def made_up(seed: int, units: int, years: int, *, loss: float = 0.0) -> pd.DataFrame:
    """A panel of known numbers: some rows gone, some values missing, some units seen once."""
    rng = np.random.default_rng(seed)
    panel = pd.DataFrame(
        [(f"unit {u}", 2000 + t) for u in range(units) for t in range(years)],
        columns=["unit", "year"],
    )
    n = len(panel)
    level = rng.normal(size=units).repeat(years)
    panel["z"] = rng.normal(size=n) + level
    panel["x2"] = rng.normal(size=n) * 1e-4
    hidden = rng.normal(size=n)
    panel["x"] = 0.8 * panel["z"] + level + hidden
    panel["y"] = panel["x"] + 3e3 * panel["x2"] + level + panel["year"] / 10 + hidden
    panel["y"] += rng.normal(size=n) * (1 + panel["z"].abs())
    panel["people"] = rng.uniform(0.5, 20, size=n)
    panel["log_people"] = np.log(panel["people"])
    panel["count"] = rng.poisson(panel["people"] * np.exp(0.2 * panel["z"] + 0.3 * level)) * 1.0
    panel = panel[rng.uniform(size=n) >= loss / 2].reset_index(drop=True)
    for column in ("y", "x", "people", "count"):
        panel.loc[rng.uniform(size=len(panel)) < loss / 5, column] = np.nan
    return panel


panels = st.builds(
    made_up,
    st.integers(0, 10_000),
    st.integers(6, 14),
    st.integers(3, 7),
    loss=st.sampled_from([0.0, 0.3, 0.8]),
)
few = settings(max_examples=10, deadline=None, derandomize=True)


def usable(data: pd.DataFrame, columns: list[str], effects: list[str]) -> pd.DataFrame:
    """Complete rows whose every unit and year holds another one."""
    rows = data.dropna(subset=[*columns, *effects])
    while True:
        kept = rows
        for effect in effects:
            kept = kept[kept.groupby(effect)[effect].transform("size") > 1]
        if len(kept) == len(rows):
            return rows.reset_index(drop=True)
        rows = kept


def with_dummies(rows: pd.DataFrame, slopes: list[str], effects: list[str]) -> pd.DataFrame:
    """The slopes, then a dummy for every level: all of the first effect, the others less one."""
    parts = [rows[slopes]]
    for place, effect in enumerate(effects):
        parts.append(pd.get_dummies(rows[effect], prefix=effect, drop_first=place > 0, dtype=float))
    return pd.concat(parts, axis=1)


def codes(rows: pd.DataFrame, column: str) -> np.ndarray:
    return pd.factorize(rows[column])[0]


def factor(rows: pd.DataFrame, slopes: list[str], effects: list[str], cluster: str) -> float:
    nobs, groups = len(rows), rows[cluster].nunique()
    inside = [e for e in effects if (rows.groupby(e)[cluster].nunique() == 1).all()]

    def rank(some: list[str]) -> int:
        return np.linalg.matrix_rank(with_dummies(rows, [], some)) if some else 0

    counted = len(slopes) + 1 + rank(effects) - max(rank(inside), 1)
    return groups / (groups - 1) * (nobs - 1) / (nobs - counted)


def least_squares(
    rows: pd.DataFrame,
    outcome: str,
    slopes: list[str],
    effects: list[str],
    cluster: str,
    weights: str,
) -> tuple[np.ndarray, np.ndarray]:
    model = sm.WLS(rows[outcome], with_dummies(rows, slopes, effects), weights=rows[weights])
    groups = codes(rows, cluster)
    fit = model.fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False})
    scale = factor(rows, slopes, effects, cluster)
    return fit.params[slopes].to_numpy(), fit.bse[slopes].to_numpy() * np.sqrt(scale)


class TestLeastSquares:
    @few
    @given(data=panels)
    def test_random_panels_agree_with_statsmodels(self, data: pd.DataFrame) -> None:
        slopes, effects = ["x", "x2"], ["unit", "year"]
        rows = usable(data, ["y", "people", *slopes], effects)
        assume(rows["unit"].nunique() > 2 and len(rows) > rows["unit"].nunique() + 10)
        fit = fit_panel(
            "y ~ x + x2 | unit + year", data, cluster="unit", weights="people", keys=effects
        )
        estimate, error = least_squares(rows, "y", slopes, effects, "unit", "people")
        table = fit.tidy()
        np.testing.assert_allclose(table["estimate"], estimate, rtol=1e-8)
        np.testing.assert_allclose(table["std_error"], error, rtol=1e-8)
        assert (fit.nobs, fit.n_clusters) == (len(rows), rows["unit"].nunique())
        assert fit.data_used["kept"].sum() == len(rows)

    def test_shipped_panel_agrees_with_statsmodels(self) -> None:
        fit = fit_panel(OFFICERS, shipped(), cluster="force", weights="population")
        slopes = ["log_population", "log_funding_real"]
        rows = shipped().dropna(subset=["log_funding_real"])
        estimate, error = least_squares(
            rows, "log_officers_end", slopes, ["force", "financial_year"], "force", "population"
        )
        np.testing.assert_allclose(fit.tidy()["estimate"], estimate, rtol=1e-10)
        np.testing.assert_allclose(fit.tidy()["std_error"], error, rtol=1e-10)

    def test_shipped_panel_agrees_with_linearmodels(self) -> None:
        fit = fit_panel(OFFICERS, shipped(), cluster="force", weights="population")
        slopes = ["log_population", "log_funding_real"]
        rows = shipped().dropna(subset=["log_funding_real"]).set_index(["force", "fy_start"])
        other = PanelOLS(
            rows["log_officers_end"],
            rows[slopes],
            weights=rows["population"],
            entity_effects=True,
            time_effects=True,
        ).fit(
            cov_type="clustered",
            cluster_entity=True,
            debiased=False,
            auto_df=False,
            count_effects=False,
        )
        scale = np.sqrt(factor(rows.reset_index(), slopes, ["force", "fy_start"], "force"))
        np.testing.assert_allclose(fit.coefficients, other.params, rtol=1e-8)
        np.testing.assert_allclose(fit.tidy()["std_error"], other.std_errors * scale, rtol=1e-8)

    def test_counting_every_dummy_gives_statsmodels_own_errors(self) -> None:
        data = made_up(1, 12, 6)
        fit = fit_panel("y ~ x | unit + year", data, cluster="unit", small_sample="all")
        design = with_dummies(data, ["x"], ["unit", "year"])
        other = sm.OLS(data["y"], design).fit(
            cov_type="cluster", cov_kwds={"groups": codes(data, "unit")}
        )
        assert fit.term("x")["std_error"] == pytest.approx(other.bse["x"], rel=1e-9)

    @pytest.mark.parametrize("effects", [[], ["unit"], ["unit", "year"]])
    def test_robust_errors_are_hc1_counting_the_absorbed_effects(self, effects: list[str]) -> None:
        data = made_up(2, 12, 6)
        formula = " | ".join(["y ~ x + x2", *([" + ".join(effects)] if effects else [])])
        table = fit_panel(formula, data, weights="people").tidy()
        slopes = ["x", "x2"]
        design = with_dummies(data, slopes, effects)
        design = design if effects else sm.add_constant(design)
        other = sm.WLS(data["y"], design, weights=data["people"]).fit(cov_type="HC1")
        np.testing.assert_allclose(table.loc[slopes, "estimate"], other.params[slopes], rtol=1e-9)
        np.testing.assert_allclose(table.loc[slopes, "std_error"], other.bse[slopes], rtol=1e-9)
        if not effects:
            assert table.loc["Intercept", "estimate"] == pytest.approx(other.params["const"])

    @pytest.mark.parametrize("size", [1e-9, 1e9])
    def test_units_of_measurement_scale_the_estimates_and_nothing_else(self, size: float) -> None:
        data = made_up(3, 10, 5)
        formula = "y ~ x + x2 | unit + year"
        plain = fit_panel(formula, data, cluster="unit").tidy()
        scaled = fit_panel(formula, data.assign(x=data["x"] * size), cluster="unit").tidy()
        large = fit_panel(formula, data.assign(y=data["y"] * size), cluster="unit").tidy()
        np.testing.assert_allclose(scaled["statistic"], plain["statistic"], rtol=1e-9)
        np.testing.assert_allclose(large["statistic"], plain["statistic"], rtol=1e-9)
        assert scaled.loc["x", "estimate"] * size == pytest.approx(plain.loc["x", "estimate"])
        assert large.loc["x", "estimate"] / size == pytest.approx(plain.loc["x", "estimate"])

    @pytest.mark.parametrize("kind", ["category", "string", "Int64", "float64", "object"])
    def test_the_type_of_the_keys_does_not_matter(self, kind: str) -> None:
        data = made_up(4, 9, 5, loss=0.3)
        number = data["unit"].str.removeprefix("unit ").astype(int)
        other = data.assign(unit=(number if "64" in kind else data["unit"]).astype(kind))
        formula = "y ~ x | unit + year"
        pd.testing.assert_frame_equal(
            fit_panel(formula, other, cluster="unit").tidy(),
            fit_panel(formula, data, cluster="unit").tidy(),
            rtol=1e-10,
        )

    def test_nullable_numbers_and_repeated_labels_do_not_matter(self) -> None:
        data = made_up(5, 9, 5, loss=0.3)
        other = data.convert_dtypes().set_index(np.zeros(len(data)))
        fits = [fit_panel("y ~ x | unit + year", d, cluster="unit") for d in (data, other)]
        pd.testing.assert_frame_equal(fits[0].tidy(), fits[1].tidy(), rtol=1e-10)
        np.testing.assert_array_equal(fits[0].data_used["kept"], fits[1].data_used["kept"])

    @few
    @given(seed=st.integers(0, 1000))
    def test_the_order_of_rows_does_not_matter(self, seed: int) -> None:
        data = made_up(seed, 8, 5, loss=0.3)
        mixed = data.sample(frac=1, random_state=seed)
        for formula in ("y ~ x + x2 | unit + year", "y ~ x2 | unit + year | x ~ z"):
            fits = [fit_panel(formula, d, cluster="unit", keys=["unit"]) for d in (data, mixed)]
            pd.testing.assert_frame_equal(fits[0].tidy(), fits[1].tidy(), rtol=1e-9)

    def test_the_data_are_left_as_they_were(self) -> None:
        data = made_up(6, 8, 5, loss=0.3)
        before = data.copy(deep=True)
        fit_panel("count ~ z | unit", data, family="poisson", offset="log_people", weights="people")
        pd.testing.assert_frame_equal(data, before)

    def test_a_column_may_be_cluster_weight_and_slope_at_once(self) -> None:
        data = made_up(7, 8, 5)
        fit = fit_panel("y ~ people + year | unit", data, weights="people", cluster="year")
        estimate, error = least_squares(data, "y", ["people", "year"], ["unit"], "year", "people")
        np.testing.assert_allclose(fit.coefficients, estimate, rtol=1e-8)
        np.testing.assert_allclose(fit.tidy()["std_error"], error, rtol=1e-8)


class TestInstruments:
    @staticmethod
    def two_stages(
        rows: pd.DataFrame, outcome: str, slopes: list[str], effects: list[str],
        endogenous: str, instruments: list[str], weights: str,
    ) -> tuple[pd.Series, pd.Series]:  # fmt: skip
        result = IV2SLS(
            rows[outcome],
            with_dummies(rows, slopes, effects),
            rows[[endogenous]],
            rows[instruments],
            weights=rows[weights],
        ).fit(cov_type="clustered", clusters=codes(rows, effects[0]), debiased=False)
        terms = [*slopes, endogenous]
        scale = factor(rows, terms, effects, effects[0])
        return result.params[terms], result.std_errors[terms] * np.sqrt(scale)

    @few
    @given(data=panels)
    def test_random_panels_agree_with_linearmodels(self, data: pd.DataFrame) -> None:
        effects = ["unit", "year"]
        rows = usable(data, ["y", "x", "x2", "z", "people"], effects)
        assume(rows["unit"].nunique() > 2 and len(rows) > rows["unit"].nunique() + 10)
        fit = fit_panel("y ~ x2 | unit + year | x ~ z", data, cluster="unit", weights="people")
        estimate, error = self.two_stages(rows, "y", ["x2"], effects, "x", ["z"], "people")
        table = fit.tidy().loc[["x2", "x"]]
        np.testing.assert_allclose(table["estimate"], estimate, rtol=1e-7)
        np.testing.assert_allclose(table["std_error"], error, rtol=1e-6)
        assert fit.family == "iv"

    def test_shipped_panel_agrees_with_linearmodels(self) -> None:
        fit = fit_panel(INSTRUMENTED, shipped(), cluster="force", weights="population")
        rows = shipped().dropna(subset=["log_funding_real"])
        estimate, error = self.two_stages(
            rows, "log_officers_end", ["log_population"], ["force", "financial_year"],
            "log_funding_real", ["exposure_all_grants"], "population",
        )  # fmt: skip
        table = fit.tidy().loc[estimate.index]
        np.testing.assert_allclose(table["estimate"], estimate, rtol=1e-8)
        np.testing.assert_allclose(table["std_error"], error, rtol=1e-8)

    def test_more_instruments_than_endogenous_terms(self) -> None:
        data = made_up(8, 12, 6).assign(z2=lambda d: d["z"] ** 2)
        fit = fit_panel("y ~ 1 | unit + year | x ~ z + z2", data, cluster="unit", weights="people")
        estimate, error = self.two_stages(
            data, "y", [], ["unit", "year"], "x", ["z", "z2"], "people"
        )
        np.testing.assert_allclose(fit.coefficients, estimate, rtol=1e-8)
        np.testing.assert_allclose(fit.tidy()["std_error"], error, rtol=1e-7)

    def test_without_fixed_effects(self) -> None:
        data = made_up(9, 12, 6)
        fit = fit_panel("y ~ x2 | x ~ z", data, cluster="unit")
        other = IV2SLS(
            data["y"], sm.add_constant(data[["x2"]]), data[["x"]], data[["z"]]
        ).fit()  # fmt: skip
        assert fit.coefficients["x"] == pytest.approx(other.params["x"], rel=1e-9)
        assert fit.coefficients["Intercept"] == pytest.approx(other.params["const"], rel=1e-9)


class TestCounts:
    @staticmethod
    def poisson(
        rows: pd.DataFrame, outcome: str, slopes: list[str], effects: list[str], offset: str
    ) -> tuple[np.ndarray, np.ndarray]:
        model = sm.GLM(
            rows[outcome],
            with_dummies(rows, slopes, effects),
            family=sm.families.Poisson(),
            offset=rows[offset],
        )
        groups = codes(rows, effects[0])
        fit = model.fit(
            tol=1e-13, maxiter=200,
            cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False},
        )  # fmt: skip
        scale = factor(rows, slopes, effects, effects[0])
        return fit.params[slopes].to_numpy(), fit.bse[slopes].to_numpy() * np.sqrt(scale)

    @few
    @given(data=panels)
    def test_random_panels_agree_with_statsmodels(self, data: pd.DataFrame) -> None:
        slopes, effects = ["z", "x2"], ["unit", "year"]
        rows = usable(data, ["count", "log_people", *slopes], effects)
        assume(rows["unit"].nunique() > 2 and len(rows) > rows["unit"].nunique() + 10)
        assume((rows.groupby("unit")["count"].sum() > 0).all())
        assume((rows.groupby("year")["count"].sum() > 0).all())
        fit = fit_panel(
            "count ~ z + x2 | unit + year",
            data, cluster="unit", family="poisson", offset="log_people",
        )  # fmt: skip
        estimate, error = self.poisson(rows, "count", slopes, effects, "log_people")
        np.testing.assert_allclose(fit.tidy()["estimate"], estimate, rtol=1e-6)
        np.testing.assert_allclose(fit.tidy()["std_error"], error, rtol=1e-6)

    def test_shipped_panel_agrees_with_statsmodels(self) -> None:
        fit = fit_panel(
            HOMICIDE, shipped(), cluster="force", family="poisson", offset="log_population"
        )
        rows = shipped().dropna(subset=["log_funding_real"])
        estimate, error = self.poisson(
            rows, "homicide", ["log_officers_per_1000", "log_funding_real"],
            ["force", "financial_year"], "log_population",
        )  # fmt: skip
        np.testing.assert_allclose(fit.coefficients, estimate, rtol=1e-8)
        np.testing.assert_allclose(fit.tidy()["std_error"], error, rtol=1e-7)

    def test_an_offset_may_be_a_slope_too(self) -> None:
        data = made_up(10, 10, 6)
        formula = "count ~ z + log_people | unit + year"
        plain = fit_panel(formula, data, cluster="unit", family="poisson")
        moved = fit_panel(formula, data, cluster="unit", family="poisson", offset="log_people")
        difference = plain.coefficients - moved.coefficients
        np.testing.assert_allclose(difference, [0, 1], atol=1e-8)

    def test_weights_stand_for_repeated_rows(self) -> None:
        data = made_up(11, 10, 6).assign(times=lambda d: 1 + d.index % 3)
        repeated = data.loc[data.index.repeat(data["times"])]
        formula = "count ~ z | unit + year"
        weighted = fit_panel(formula, data, cluster="unit", family="poisson", weights="times")
        longer = fit_panel(formula, repeated, cluster="unit", family="poisson")
        assert weighted.coefficients["z"] == pytest.approx(longer.coefficients["z"], rel=1e-9)

    def test_units_that_count_nothing_are_set_aside_and_named(self) -> None:
        data = made_up(12, 10, 6)
        data.loc[data["unit"] == "unit 3", "count"] = 0.0
        formula = "count ~ z | unit + year"
        fit = fit_panel(formula, data, cluster="unit", family="poisson", offset="log_people")
        rows = data[data["unit"] != "unit 3"]
        estimate, error = self.poisson(rows, "count", ["z"], ["unit", "year"], "log_people")
        np.testing.assert_allclose(fit.coefficients, estimate, rtol=1e-8)
        np.testing.assert_allclose(fit.tidy()["std_error"], error, rtol=1e-8)
        lost = fit.data_used[~fit.data_used["kept"]]
        assert set(lost["unit"]) == {"unit 3"}
        assert set(lost["reason"]) == {"no count at all in its unit"}
        assert (fit.nobs, fit.n_clusters) == (54, 9)


_SEEDED = """
import json, sys
import pandas as pd
from crime_analysis.models.panel_regression import fit_panel
data = pd.read_csv(sys.argv[1])
found = []
for formula, options in (
    ("y ~ x + x2 | unit + year", {"weights": "people"}),
    ("y ~ x2 | unit + year | x ~ z", {"weights": "people"}),
    ("count ~ z | unit + year", {"family": "poisson", "offset": "log_people"}),
    ("count ~ z | unit", {"family": "negative_binomial"}),
    ("y ~ i(year, ref=2002):z | unit + year", {"small_sample": "all"}),
    ("y ~ x + x2 | unit + year", {"cluster": None}),
):
    fit = fit_panel(formula, data, **{"cluster": "unit", **options})
    found.append(fit.tidy().to_numpy().ravel().tolist())
print(json.dumps(found))
"""


def test_results_do_not_depend_on_the_hash_seed(tmp_path: Path) -> None:
    made_up(13, 12, 6, loss=0.3).to_csv(tmp_path / "panel.csv", index=False)
    root = Path(__file__).resolve().parents[1]
    path = os.pathsep.join([str(root), os.environ.get("PYTHONPATH", "")])
    running = [
        subprocess.Popen(
            [sys.executable, "-c", _SEEDED, str(tmp_path / "panel.csv")],
            cwd=root,
            env={**os.environ, "PYTHONHASHSEED": str(seed), "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in range(5)
    ]
    first, *others = [json.loads(process.communicate(timeout=120)[0]) for process in running]
    assert all(other == first for other in others)  # to the last bit


class TestWhatWasUsed:
    def test_missing_values_are_named(self) -> None:
        data = made_up(14, 8, 5)
        data.loc[3, "x"] = np.nan
        data.loc[4, ["x", "people"]] = np.nan
        fit = fit_panel("y ~ x | unit + year", data, cluster="unit", weights="people")
        assert fit.data_used.columns.tolist() == ["unit", "year", "kept", "reason"]
        assert fit.data_used.loc[[2, 3, 4], "reason"].tolist() == ["", "no x", "no x, people"]
        assert fit.nobs == fit.data_used["kept"].sum() == len(data) - 2

    def test_singletons_are_set_aside_even_where_one_leaves_another(self) -> None:
        data = made_up(15, 8, 5)
        # Unit 0 stays in 2000 and 2090; 2090 has no other unit, and without it 2000 is alone.
        data.loc[(data["unit"] == "unit 0") & (data["year"] == 2001), "year"] = 2090
        data = data[(data["unit"] != "unit 0") | data["year"].isin([2000, 2090])]
        fit = fit_panel("y ~ x | unit + year", data, cluster="unit")
        lost = fit.data_used[~fit.data_used["kept"]]
        assert dict(zip(lost["year"], lost["reason"], strict=True)) == {
            2000: "the only row of its unit",
            2090: "the only row of its year",
        }
        assert fit.n_clusters == 7
        assert fit.degrees_of_freedom == 6
        rest = fit_panel("y ~ x | unit + year", data[data["unit"] != "unit 0"], cluster="unit")
        pd.testing.assert_frame_equal(fit.tidy(), rest.tidy(), rtol=1e-10)

    def test_rows_may_be_named_by_other_keys(self) -> None:
        data = made_up(16, 8, 5).assign(place="here")
        fit = fit_panel("y ~ x | unit", data, keys=["place", "year"])
        assert fit.data_used.columns.tolist() == ["place", "year", "kept", "reason"]

    def test_shipped_panel_says_which_years_have_no_funding(self) -> None:
        used = fit_panel(OFFICERS, shipped(), cluster="force").data_used
        lost = used[~used["kept"]]
        # HMIC's estimates are of 2009/10 and 2012/13 to 2017/18.
        assert sorted(lost["financial_year"].unique()) == [
            "2007/08", "2008/09", "2010/11", "2011/12", "2018/19",
        ]  # fmt: skip
        assert set(lost["reason"]) == {"no log_funding_real"}


class TestTidy:
    def test_intervals_are_students_with_clusters_less_one(self) -> None:
        data = made_up(17, 9, 6)
        fit = fit_panel("y ~ x + x2 | unit + year", data, cluster="unit")
        table = fit.tidy(level=0.9)
        assert table.index.name == "term"
        assert table.index.tolist() == ["x", "x2"]
        assert table.columns.tolist() == [
            "estimate", "std_error", "statistic", "p_value", "ci_low", "ci_high",
        ]  # fmt: skip
        law = stats.t(8)
        errors = np.sqrt(np.diag(fit.covariance))
        np.testing.assert_allclose(table["statistic"], fit.coefficients / errors)
        np.testing.assert_allclose(table["p_value"], 2 * law.sf(table["statistic"].abs()))
        np.testing.assert_allclose(table["ci_low"], fit.coefficients - law.ppf(0.95) * errors)
        np.testing.assert_allclose(table["ci_high"], fit.coefficients + law.ppf(0.95) * errors)

    def test_robust_intervals_use_what_the_rows_leave(self) -> None:
        fit = fit_panel("y ~ x | unit", made_up(18, 9, 6))
        row = fit.term("x")
        reach = stats.t(9 * 6 - 9 - 1).ppf(0.975) * row["std_error"]
        assert row["ci_high"] - row["estimate"] == pytest.approx(reach)
        assert (fit.n_clusters, fit.vcov) == (0, "robust (HC1)")

    def test_an_interval_holds_the_estimate_and_p_agrees_with_it(self) -> None:
        for seed in range(5):
            row = fit_panel("y ~ x2 | unit", made_up(seed, 9, 6), cluster="unit").term("x2")
            assert row["ci_low"] < row["estimate"] < row["ci_high"]
            assert (row["p_value"] < 0.05) == (not row["ci_low"] <= 0 <= row["ci_high"])

    def test_an_unknown_term_is_refused_with_the_nearest(self) -> None:
        fit = fit_panel(OFFICERS, shipped(), cluster="force")
        with pytest.raises(UnknownNameError, match="nearest: log_funding_real"):
            fit.term("log_funding")

    def test_the_summary_says_what_it_rests_on(self) -> None:
        text = fit_panel(OFFICERS, shipped(), cluster="force").summary()
        assert "294 rows, 42 clusters; 210 rows dropped" in text
        assert OFFICERS in text

    def test_a_perfect_fit_is_reported_without_a_warning(self) -> None:
        data = made_up(19, 8, 5).assign(y=lambda d: 2 * d["x"])
        assert fit_panel("y ~ x | unit", data).term("x")["estimate"] == pytest.approx(2)


class TestRefusals:
    @pytest.fixture
    def data(self) -> pd.DataFrame:
        return made_up(20, 8, 5).assign(
            one=1.0,
            double=lambda d: 2 * d["x"],
            of_unit=lambda d: codes(d, "unit") * 1e6,
            of_both=lambda d: codes(d, "unit") ** 2 + d["year"] / 7,
            empty=np.nan,
            words="word",
            yes=True,
            none=0.0,
            less=-1.0,
        )

    def test_an_unknown_column_is_named_with_the_nearest(self, data: pd.DataFrame) -> None:
        with pytest.raises(UnknownNameError, match=r"column 'doubel' in y ~ .*nearest: double"):
            fit_panel("y ~ doubel | unit", data)
        for wrong in ({"cluster": "unti"}, {"weights": "peeple"}, {"keys": ["unti"]}):
            with pytest.raises(UnknownNameError, match=r"nearest: (unit|people)"):
                fit_panel("y ~ x", data, **wrong)
        with pytest.raises(UnknownNameError, match="nearest: log_people"):
            fit_panel("count ~ z", data, family="poisson", offset="log_peple")

    def test_an_unknown_family_is_refused(self, data: pd.DataFrame) -> None:
        with pytest.raises(UnknownNameError, match="nearest: poisson"):
            fit_panel("y ~ x", data, family="poison")

    @pytest.mark.parametrize(
        ("formula", "culprit"),
        [
            ("y ~ x + double | unit", "double"),
            ("y ~ x + double", "double"),
            ("y ~ x + one", "one"),
            ("y ~ one | unit", "one"),
            ("y ~ x + of_unit | unit + year", "of_unit"),
            ("y ~ of_both | unit + year", "of_both"),
            ("y ~ x2 | unit + year | x ~ of_unit", "of_unit"),
            ("y ~ 1 | unit + year | x ~ of_both", "of_both"),
            ("y ~ x2 | unit + year | of_unit ~ z", "of_unit"),
            ("y ~ double | unit | x ~ z", "(double|x)"),
            ("y ~ x2 | unit | x ~ one", "one"),
        ],
    )
    @pytest.mark.parametrize("weights", [None, "people"])
    def test_terms_that_cannot_be_told_apart(
        self, data: pd.DataFrame, formula: str, culprit: str, weights: str | None
    ) -> None:
        with pytest.raises(ModelError, match=f"{culprit}.* cannot be told apart"):
            fit_panel(formula, data, cluster="unit", weights=weights)

    def test_counts_with_a_collinear_term(self, data: pd.DataFrame) -> None:
        with pytest.raises(ModelError, match=r"of_unit.* cannot be told apart"):
            fit_panel("count ~ z + of_unit | unit", data, family="poisson")

    def test_a_small_rate_is_not_called_collinear(self, data: pd.DataFrame) -> None:
        tiny = fit_panel("y ~ tiny | unit", data.assign(tiny=data["x"] * 1e-12)).tidy()
        assert tiny.loc["tiny", "estimate"] != 0

    def test_columns_without_values(self, data: pd.DataFrame) -> None:
        with pytest.raises(ModelError, match=r"'empty' .*only missing values"):
            fit_panel("y ~ empty | unit", data)
        apart = data.assign(a=data["x"].where(data.index < 9), b=data["x"].where(data.index > 9))
        with pytest.raises(ModelError, match="no row has all of"):
            fit_panel("y ~ a + b | unit", apart)
        with pytest.raises(ModelError, match="no row has all of"):
            fit_panel("y ~ x", data, cluster="empty")

    def test_one_cluster(self, data: pd.DataFrame) -> None:
        with pytest.raises(ModelError, match="'one' has 1 group"):
            fit_panel("y ~ x | unit", data, cluster="one")
        alone = data[
            data["unit"].eq("unit 1") | data.index.isin(data.groupby("unit").head(1).index)
        ]
        with pytest.raises(ModelError, match="'unit' has 1 group"):
            fit_panel("y ~ x | unit", alone, cluster="unit")

    def test_too_few_rows(self, data: pd.DataFrame) -> None:
        with pytest.raises(ModelError, match="2 usable rows are too few"):
            fit_panel("y ~ x", data.head(2))
        with pytest.raises(ModelError, match=r"0 usable rows.*first because: the only row of its"):
            fit_panel("y ~ x | unit", data.drop_duplicates("unit"))
        with pytest.raises(ModelError, match="there are no rows"):
            fit_panel("y ~ x | unit", data.head(0))
        with pytest.raises(ModelError, match=r"0 usable rows.* no none at all in its unit"):
            fit_panel("none ~ x | unit", data, family="poisson")

    def test_the_logarithm_of_zero_names_the_rows_and_suggests_poisson(self) -> None:
        panel = shipped()
        with np.errstate(divide="ignore"):
            panel = panel.assign(log_homicide=np.log(panel["homicide"]))
        # Home Office: Cumbria recorded no homicide in 2009/10, Durham none in 2015/16.
        where = r"2 rows \(Cumbria 2009/10, Durham 2015/16\).*family='poisson'"
        with pytest.raises(ModelError, match=where):
            fit_panel("log_homicide ~ log_officers_per_1000 | force + financial_year", panel)

    @pytest.mark.parametrize("weights", ["none", "less"])
    def test_weights_that_are_not_positive(self, data: pd.DataFrame, weights: str) -> None:
        with pytest.raises(ModelError, match=f"'{weights}' must be positive"):
            fit_panel("y ~ x | unit", data, weights=weights)

    @pytest.mark.parametrize("column", ["words", "yes"])
    def test_columns_that_are_not_numbers(self, data: pd.DataFrame, column: str) -> None:
        for formula in (f"{column} ~ x", f"y ~ {column} | unit", f"y ~ 1 | unit | x ~ {column}"):
            with pytest.raises(ModelError, match=f"'{column}' .*not numeric"):
                fit_panel(formula, data)

    def test_negative_and_constant_outcomes(self, data: pd.DataFrame) -> None:
        with pytest.raises(ModelError, match="negative counts"):
            fit_panel("y ~ x | unit", data.assign(y=-data["count"]), family="poisson")
        for family in ("ols", "poisson"):
            with pytest.raises(ModelError, match="'one' does not vary"):
                fit_panel("one ~ x | unit", data, family=family)

    @pytest.mark.parametrize(
        "formula",
        [
            "",
            "y",
            "y x",
            "~ x",
            "y ~ ",
            "y ~ | unit",
            "y ~ x |",
            "y ~ x | | z ~ x2",
            "y ~ x | unit | year",
            "y ~ x2 | x ~ z | unit",
            "y ~ x2 | unit | ~ z",
            "y ~ x2 | unit | x ~ z | year",
            "y + x2 ~ x",
        ],
    )
    def test_a_bad_formula_is_answered_with_a_good_one(
        self, data: pd.DataFrame, formula: str
    ) -> None:
        with pytest.raises(ModelError, match=r"write 'y ~ x \| fixed effects"):
            fit_panel(formula, data)

    @pytest.mark.parametrize(
        "formula",
        ["y ~ x^2", "y ~ x / z", "y ~ x | unit*year", "y ~ 2x", "y ~ class", "y ~ Intercept"],
    )
    def test_terms_must_be_columns(self, data: pd.DataFrame, formula: str) -> None:
        with pytest.raises(ModelError, match="is not a column"):
            fit_panel(formula, data)

    def test_an_unknown_function_is_answered_with_those_there_are(self, data: pd.DataFrame) -> None:
        with pytest.raises(UnknownNameError, match=r"function 'sw'.*diff, i, lag, log"):
            fit_panel("y ~ sw(x, z)", data)

    @pytest.mark.parametrize(
        "formula", ["y ~ y", "y ~ x + x", "y ~ x | unit | x ~ z", "y ~ z | unit | x ~ z",
                    "y ~ year | unit + year"],
    )  # fmt: skip
    def test_a_column_plays_one_part(self, data: pd.DataFrame, formula: str) -> None:
        with pytest.raises(ModelError, match="stand twice"):
            fit_panel(formula, data)

    def test_fewer_instruments_than_endogenous_terms(self, data: pd.DataFrame) -> None:
        for formula in ("y ~ 1 | unit | x + x2 ~ z", "y ~ 1 | unit | x ~ "):
            with pytest.raises(ModelError, match="fewer instruments"):
                fit_panel(formula, data)

    def test_options_that_do_not_go_together(self, data: pd.DataFrame) -> None:
        with pytest.raises(ModelError, match="instruments need family='ols'"):
            fit_panel("count ~ 1 | unit | x ~ z", data, family="poisson")
        with pytest.raises(ModelError, match="offset needs family='poisson'"):
            fit_panel("y ~ x", data, offset="log_people")
