"""The first stage and the Anderson-Rubin interval: right by brute force, right under simulation."""

from __future__ import annotations

import functools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crime_analysis.errors import ModelError, UnknownNameError
from crime_analysis.inference.instruments import FirstStage
from crime_analysis.models.panel_regression import fit_panel
from crime_analysis.panel import force_panel

EFFECTS = "unit + year"


def first_stage(
    formula: str, data: pd.DataFrame, *, level: float = 0.95, **options: str | None
) -> FirstStage:
    return fit_panel(formula, data, **options).first_stage(level)


def instrumented(
    rng: np.random.Generator,
    strength: float,
    *,
    effect: float = 0.7,
    units: int = 43,
    years: int = 4,
) -> pd.DataFrame:
    """Units and years with a known effect of x on y, confounded, and an instrument of x."""
    n = units * years
    panel = pd.DataFrame(
        {"unit": np.repeat(np.arange(units), years), "year": np.tile(np.arange(years), units)}
    )
    exposure = rng.uniform(size=units).repeat(years)
    panel["z"] = exposure * panel["year"] + 0.3 * rng.normal(size=n)
    panel["w"] = rng.normal(size=n)
    panel["people"] = rng.uniform(1, 3, size=n)
    drift = rng.normal(size=units).repeat(years) * (panel["year"] - years / 2)  # serially alike
    hidden = rng.normal(size=n) + 0.5 * drift
    panel["x"] = strength * panel["z"] + hidden + 0.3 * panel["w"]
    panel["y"] = effect * panel["x"] + 0.5 * panel["w"] - hidden + rng.normal(size=n)
    return panel


@functools.cache
def weak(seed: int) -> tuple[pd.DataFrame, FirstStage]:
    data = instrumented(np.random.default_rng(seed), 0.02, units=20)
    return data, first_stage(f"y ~ w | {EFFECTS} | x ~ z", data, cluster="unit", weights="people")


def of_kind(kind: str) -> tuple[pd.DataFrame, FirstStage]:
    """A seeded panel whose interval is bounded, two rays, or the whole line."""
    if kind == "bounded":
        data = instrumented(np.random.default_rng(1), 1.0)
        return data, first_stage(
            f"y ~ w | {EFFECTS} | x ~ z", data, cluster="unit", weights="people"
        )
    for seed in range(60):
        data, stage = weak(seed)
        whole = np.isinf(stage.ci_low) and np.isinf(stage.ci_high)
        if not stage.bounded and whole == (kind == "whole line"):
            return data, stage
    raise AssertionError(f"no seed gives {kind}")


def rejected(data: pd.DataFrame, effect: float) -> float:
    """The p-value of the instrument where the outcome is y less `effect` times x."""
    rest = data.assign(rest=data["y"] - effect * data["x"])
    fit = fit_panel(f"rest ~ w + z | {EFFECTS}", rest, cluster="unit", weights="people")
    return float(fit.term("z")["p_value"])


def inside(stage: FirstStage, effect: float) -> bool:
    if stage.ci_low <= stage.ci_high:
        return stage.ci_low <= effect <= stage.ci_high
    return not stage.ci_high < effect < stage.ci_low


class TestFirstStage:
    @pytest.mark.parametrize("weights", [None, "people"])
    def test_f_is_the_square_of_t_and_the_estimate_is_two_stage(self, weights: str | None) -> None:
        data = instrumented(np.random.default_rng(0), 0.5)
        data.loc[[3, 50], "x"] = np.nan
        data = pd.concat([data, data.tail(1).assign(unit=99)], ignore_index=True)  # a singleton
        formula = f"y ~ w | {EFFECTS} | x ~ z"
        stage = first_stage(formula, data, cluster="unit", weights=weights)
        rows = data.dropna(subset="x")
        kwargs = {"cluster": "unit", "weights": weights}
        direct = fit_panel(f"x ~ w + z | {EFFECTS}", rows, **kwargs).term("z")
        reduced = fit_panel(f"y ~ w + z | {EFFECTS}", rows, **kwargs).term("z")
        both = fit_panel(formula, data, **kwargs)
        assert stage.first_stage["z"] == pytest.approx(direct["estimate"], rel=1e-9)
        assert stage.reduced_form["z"] == pytest.approx(reduced["estimate"], rel=1e-9)
        assert stage.f_statistic == pytest.approx(direct["statistic"] ** 2, rel=1e-9)
        assert stage.covariance.iloc[0, 0] == pytest.approx(reduced["std_error"] ** 2, rel=1e-9)
        assert stage.estimate == pytest.approx(both.term("x")["estimate"], rel=1e-9)
        assert (stage.nobs, stage.n_clusters) == (both.nobs, both.n_clusters) == (170, 43)

    def test_on_the_shipped_panel_too(self) -> None:
        panel = force_panel()
        effects, options = "force + financial_year", {"cluster": "force", "weights": "population"}
        stage = first_stage(
            f"log_officers_end ~ log_population | {effects}"
            " | log_funding_real ~ exposure_all_grants",
            panel,
            **options,
        )
        rows = panel.dropna(subset=["log_officers_end"])
        direct = fit_panel(
            f"log_funding_real ~ log_population + exposure_all_grants | {effects}", rows, **options
        )
        t = direct.term("exposure_all_grants")["statistic"]
        assert stage.f_statistic == pytest.approx(t**2, rel=1e-9)

    def test_without_controls(self) -> None:
        data = instrumented(np.random.default_rng(3), 0.5)
        stage = first_stage(f"y ~ 1 | {EFFECTS} | x ~ z", data, cluster="unit")
        direct = fit_panel(f"x ~ z | {EFFECTS}", data, cluster="unit").term("z")
        assert stage.f_statistic == pytest.approx(direct["statistic"] ** 2, rel=1e-9)

    @pytest.mark.parametrize("formula", ["y ~ w | unit", "y ~ 1 | unit | x + w ~ z + people"])
    def test_it_needs_one_endogenous_variable(self, formula: str) -> None:
        data = instrumented(np.random.default_rng(0), 0.5)
        with pytest.raises(ModelError, match=r"a first stage needs one: write 'y ~ controls"):
            first_stage(formula, data, cluster="unit")

    def test_an_unknown_column_is_named_with_the_nearest(self) -> None:
        data = instrumented(np.random.default_rng(0), 0.5)
        with pytest.raises(UnknownNameError, match="nearest: people"):
            first_stage("y ~ 1 | unit | x ~ z", data, cluster="unit", weights="poeple")


class TestAndersonRubin:
    @pytest.mark.parametrize("kind", ["bounded", "two rays", "whole line"])
    def test_the_interval_holds_what_regressions_do_not_reject(self, kind: str) -> None:
        data, stage = of_kind(kind)
        assert stage.bounded == (kind == "bounded")
        assert (stage.ci_low > stage.ci_high) == (kind == "two rays")
        ends = [end for end in (stage.ci_low, stage.ci_high) if np.isfinite(end)]
        for end in ends:
            assert rejected(data, end) == pytest.approx(0.05, abs=1e-7)
        middle, reach = stage.estimate, 3 * max((abs(e - stage.estimate) for e in ends), default=5)
        grid = [*np.linspace(middle - reach, middle + reach, 15), 1e4, -1e4]
        for effect in grid:
            assert (rejected(data, effect) > 0.05) == inside(stage, effect), effect
        assert inside(stage, stage.estimate)

    def test_a_level_of_its_own(self) -> None:
        data = instrumented(np.random.default_rng(1), 1.0)
        stage = first_stage(
            f"y ~ w | {EFFECTS} | x ~ z", data, cluster="unit", weights="people", level=0.8
        )
        assert rejected(data, stage.ci_low) == pytest.approx(0.2, abs=1e-7)
        assert rejected(data, stage.ci_high) == pytest.approx(0.2, abs=1e-7)

    def test_it_is_bounded_where_the_first_stage_is_clear_of_zero(self) -> None:
        for seed in range(20):
            _, stage = weak(seed)
            assert stage.bounded == (stage.f_statistic > stats.t(19).ppf(0.975) ** 2)

    def test_with_a_strong_instrument_it_is_nearly_the_ordinary_interval(self) -> None:
        data = instrumented(np.random.default_rng(4), 20.0)
        formula = f"y ~ w | {EFFECTS} | x ~ z"
        stage = first_stage(formula, data, cluster="unit")
        row = fit_panel(formula, data, cluster="unit").term("x")
        assert stage.f_statistic > 500
        assert stage.ci_low == pytest.approx(row["ci_low"], abs=0.1 * row["std_error"])
        assert stage.ci_high == pytest.approx(row["ci_high"], abs=0.1 * row["std_error"])

    @pytest.mark.parametrize(("strength", "size"), [(0.05, 150), (1.0, 30)])
    def test_it_covers_the_truth_nineteen_times_in_twenty(self, strength: float, size: int) -> None:
        """Panels of 43 units: bounds are four Monte-Carlo standard errors about 0.95.

        A run of 2,000 (seed 1) covered 94.7 per cent.
        """
        rng = np.random.default_rng(1)
        covered, weak_ones = 0, 0
        for _ in range(size):
            data = instrumented(rng, strength, effect=0.7)
            stage = first_stage(f"y ~ 1 | {EFFECTS} | x ~ z", data, cluster="unit")
            covered += inside(stage, 0.7)
            weak_ones += stage.f_statistic < 10
        error = np.sqrt(0.95 * 0.05 / size)
        assert abs(covered / size - 0.95) < 4 * error
        assert (weak_ones > 0.8 * size) == (strength < 0.5)


class TestDraws:
    def test_the_same_seed_gives_the_same_draws(self) -> None:
        _, stage = of_kind("bounded")
        one = stage.draws(100, np.random.default_rng(0))
        np.testing.assert_array_equal(one, stage.draws(100, np.random.default_rng(0)))
        assert not np.array_equal(one, stage.draws(100, np.random.default_rng(1)))

    def test_they_centre_on_the_estimate_and_spread_like_the_interval(self) -> None:
        _, stage = of_kind("bounded")
        low, middle, high = np.percentile(
            stage.draws(40_000, np.random.default_rng(0)), [2.5, 50, 97.5]
        )
        width = stage.ci_high - stage.ci_low
        assert middle == pytest.approx(stage.estimate, abs=0.02 * width)
        # Draws are normal, the interval is Student's with 42 degrees of freedom: 1.96 and 2.02.
        assert low == pytest.approx(stage.ci_low, abs=0.06 * width)
        assert high == pytest.approx(stage.ci_high, abs=0.06 * width)
