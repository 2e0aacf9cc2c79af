"""Interrupted series: published and independent numbers, honest intervals, named refusals."""

from __future__ import annotations

import functools
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.diagnostic import acorr_ljungbox
from statsmodels.stats.stattools import durbin_watson

from crime_analysis.catalog import load
from crime_analysis.errors import CrimeAnalysisError, ModelError, ParameterError, UnknownNameError
from crime_analysis.models.interrupted_series import interrupted_series
from crime_analysis.models.interruption import InterruptedSeries
from crime_analysis.models.newey_west import automatic_lags, memory, newey_west
from crime_analysis.models.seasons import Calendar, fourier
from crime_analysis.models.unknown_break import unknown_break

CHANGE = ["level_change", "slope_change"]


def made_up(seed: int = 0, months: int = 84, *, mean: float = 60.0, rho: float = 0.4) -> Any:
    """Counts with trend, season, autocorrelation and a step of -20% at the 50th month."""
    rng = np.random.default_rng(seed)
    t = np.arange(months)
    shock = rng.normal(scale=0.08, size=(months, 2))
    for row in range(1, months):
        shock[row] += rho * shock[row - 1]
    course = 0.004 * t + 0.15 * np.sin(2 * np.pi * t / 12)
    step = np.log(0.8) * (t >= 50)
    both = rng.normal(scale=0.05, size=months)
    return pd.DataFrame(
        {
            "month": pd.period_range("2012-03", periods=months, freq="M").astype(str),
            "robbery": rng.poisson(mean * np.exp(course + step + shock[:, 0] + both)),
            "elsewhere": rng.poisson(2 * mean * np.exp(course / 2 + shock[:, 1] + both)),
            "log_people": np.log(8000 + 10 * t),
            "warmth": rng.normal(size=months),
        }
    )


AT = "2016-05"  # the 50th month after March 2012
few = settings(max_examples=8, deadline=None, derandomize=True)


def by_hand(data: pd.DataFrame, at: int = 50, pairs: int = 2) -> pd.DataFrame:
    """The regressors, from the definition: calendar months 1 to 12, slope from the first after."""
    t = np.arange(len(data))
    x = pd.DataFrame({"level_change": t >= at, "slope_change": np.maximum(t - at, 0), "trend": t})
    month = data["month"].str[-2:].astype(int)
    for pair in range(1, pairs + 1):
        x[f"season_sin_{pair}"] = np.sin(2 * np.pi * pair * month / 12)
        x[f"season_cos_{pair}"] = np.cos(2 * np.pi * pair * month / 12)
    return x.assign(Intercept=1.0).astype(float)


@pytest.fixture
def data() -> pd.DataFrame:
    return made_up()


class TestPublished:
    @pytest.fixture
    def sicily(self, replication: Path) -> pd.DataFrame:
        data = pd.read_csv(replication / "its_lopezbernal_2017" / "sicily.csv")
        data["when"] = data["year"].astype(str) + "-" + data["month"].astype(str).str.zfill(2)
        return data.assign(log_people=np.log(data["stdpop"]))

    def test_the_smoking_ban_of_sicily(
        self, sicily: pd.DataFrame, replication: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        same: dict[str, Any] = {
            "time": "when", "offset": "log_people", "slope": False, "errors": "model",
        }  # fmt: skip
        # The ban came into force on 10 January 2005; the tutorial counts that month as after.
        first = interrupted_series(sicily, "aces", "2005-01", family="poisson", season=0, **same)
        second = interrupted_series(sicily, "aces", "2005-01", season=2, **same)
        ours = [
            fit.rate_ratios().loc["level_change", column]
            for fit in (first, second)
            for column in ("estimate", "ci_low", "ci_high")
        ]
        published = pd.read_csv(replication / "published.csv").query(
            "folder == 'its_lopezbernal_2017'"
        )
        table = published[["quantity", "recomputed"]].assign(ours=ours)
        table["difference"] = table["ours"] - table["recomputed"]
        with capsys.disabled():
            print("\n" + table.to_string(index=False))
        assert len(table) == 6
        assert table["difference"].abs().max() < 5.1e-7

    def test_the_row_may_be_given_instead_of_the_month(self, sicily: pd.DataFrame) -> None:
        by_row = interrupted_series(sicily, "aces", 36, time="when")
        by_month = interrupted_series(sicily, "aces", "2005-01", time="when")
        pd.testing.assert_frame_equal(by_row.tidy(), by_month.tidy())


class TestAgainstStatsmodels:
    @pytest.mark.parametrize("family", ["quasipoisson", "poisson", "ols"])
    @pytest.mark.parametrize("lags", [0, 4, None])
    def test_plain_newey_west(self, data: pd.DataFrame, family: str, lags: int | None) -> None:
        offset = None if family == "ols" else "log_people"
        fit = interrupted_series(
            data, "robbery", AT, family=family, offset=offset, errors="newey_west", lags=lags
        )
        law = sm.families.Gaussian() if family == "ols" else sm.families.Poisson()
        exposure = None if offset is None else data["log_people"]
        # 84 months: floor(4 * 0.84^(2/9)) = 3.
        kwds = {"maxlags": 3 if lags is None else lags, "use_correction": True}
        other = sm.GLM(data["robbery"], by_hand(data), family=law, offset=exposure).fit(
            cov_type="HAC", cov_kwds=kwds, tol=1e-12
        )
        np.testing.assert_allclose(fit.coefficients, other.params[fit.coefficients.index], 1e-8)
        np.testing.assert_allclose(fit.covariance, other.cov_params(), rtol=1e-6, atol=1e-14)
        assert fit.degrees_of_freedom == 84 - 8

    @few
    @given(st.integers(0, 10_000), st.sampled_from([3.0, 60.0, 2000.0]), st.integers(0, 3))
    def test_model_errors(self, seed: int, mean: float, season: int) -> None:
        data = made_up(seed, mean=mean)
        fit = interrupted_series(data, "robbery", AT, season=season, errors="model")
        other = sm.GLM(
            data["robbery"], by_hand(data, pairs=season), family=sm.families.Poisson()
        ).fit(scale="X2", tol=1e-12)
        np.testing.assert_allclose(fit.coefficients, other.params, rtol=1e-7, atol=1e-10)
        np.testing.assert_allclose(fit.tidy()["std_error"], other.bse, rtol=1e-6)
        assert fit.dispersion[0] == pytest.approx(other.scale)

    def test_the_negative_binomial_is_at_its_maximum(self, data: pd.DataFrame) -> None:
        fit = interrupted_series(
            data, "robbery", AT, family="negative_binomial", offset="log_people", errors="model"
        )
        other = sm.NegativeBinomial(data["robbery"], by_hand(data), offset=data["log_people"]).fit(
            start_params=[*fit.coefficients, fit.dispersion[0]], disp=False, maxiter=200
        )
        assert fit.dispersion[0] == pytest.approx(other.params["alpha"], rel=1e-4)
        np.testing.assert_allclose(fit.coefficients, other.params[:-1], rtol=1e-4, atol=1e-6)
        # alpha and the coefficients are orthogonal, so the joint errors differ in sampling only
        np.testing.assert_allclose(fit.tidy()["std_error"], other.bse[:-1], rtol=0.1)

    def test_without_overdispersion_it_is_poisson(self) -> None:
        rng = np.random.default_rng(5)
        data = made_up().assign(robbery=np.round(50 + rng.normal(size=84)))
        poisson = interrupted_series(data, "robbery", AT, family="poisson", errors="model")
        binomial = interrupted_series(
            data, "robbery", AT, family="negative_binomial", errors="model"
        )
        pd.testing.assert_frame_equal(poisson.tidy(), binomial.tidy(), rtol=1e-3, atol=1e-6)

    def test_further_regressors_and_a_step_alone(self, data: pd.DataFrame) -> None:
        fit = interrupted_series(
            data, "robbery", AT, controls=["warmth"], slope=False, errors="model"
        )
        x = by_hand(data).drop(columns="slope_change").assign(warmth=data["warmth"])
        other = sm.GLM(data["robbery"], x, family=sm.families.Poisson()).fit(tol=1e-12)
        np.testing.assert_allclose(fit.coefficients, other.params[fit.coefficients.index], 1e-7)
        assert fit.coefficients.index[:3].tolist() == ["level_change", "trend", "warmth"]
        assert "slope_change" not in fit.coefficients

    def test_the_course_without_the_interruption(self, data: pd.DataFrame) -> None:
        fit = interrupted_series(data, "robbery", AT, offset="log_people", errors="model")
        x = by_hand(data)
        other = sm.GLM(
            data["robbery"], x, family=sm.families.Poisson(), offset=data["log_people"]
        ).fit(scale="X2", tol=1e-12)
        expected = other.get_prediction(
            x.assign(level_change=0.0, slope_change=0.0), offset=data["log_people"]
        ).summary_frame()
        np.testing.assert_allclose(
            fit.counterfactual, expected[["mean", "mean_ci_lower", "mean_ci_upper"]], rtol=1e-6
        )
        np.testing.assert_allclose(fit.fitted, other.mu, rtol=1e-8)

    def test_the_residual_checks(self, data: pd.DataFrame) -> None:
        fit = interrupted_series(data, "robbery", AT)
        table = fit.residual_check(lags=6).loc["robbery"]
        box = acorr_ljungbox(fit.residuals[0] - 0.0, lags=[6]).iloc[0]
        assert table.loc["Durbin-Watson", "statistic"] == pytest.approx(
            durbin_watson(fit.residuals[0])
        )
        # Pearson residuals do not quite sum to zero, which statsmodels makes them do.
        assert table.loc["Ljung-Box, 6 lags", "statistic"] == pytest.approx(
            box["lb_stat"], rel=0.01
        )
        assert table.loc["Ljung-Box, 6 lags", "p_value"] == pytest.approx(box["lb_pvalue"], rel=0.1)


class TestErrors:
    def test_a_missing_month_keeps_its_place(self) -> None:
        rng = np.random.default_rng(3)
        when = np.array([0, 1, 2, 5, 6, 9, 10, 11])
        influence, residuals = rng.normal(size=(8, 2)), rng.normal(size=8)
        slow = np.zeros((2, 2))
        for s in range(8):
            for t in range(8):
                apart = abs(when[s] - when[t])
                if apart <= 3:
                    slow += (
                        (1 - apart / 4) * residuals[s] * residuals[t]
                        * np.outer(influence[s], influence[t])
                    )  # fmt: skip
        np.testing.assert_allclose(newey_west(influence, residuals, when, 3), slow)

    def test_the_correction_is_exact_for_its_own_errors(self, data: pd.DataFrame) -> None:
        """On average over errors of the working model, corrected and true variances agree."""
        fit = interrupted_series(data, "robbery", AT, family="ols")
        x = fit.regressors.to_numpy()
        influence = x @ np.linalg.inv(x.T @ x)
        annihilator = np.eye(84) - influence @ x.T
        truth = fit.memory.rho ** np.abs(np.subtract.outer(range(84), range(84)))
        rng = np.random.default_rng(0)
        root = np.linalg.cholesky(truth)
        moved = [
            newey_west(influence, annihilator @ root @ rng.normal(size=84), fit.position, 3)[0, 0]
            for _ in range(1500)
        ]
        plain = newey_west(influence, fit.residuals[0], fit.position, 3)[0, 0]
        factor = fit.covariance.iloc[0, 0] / plain
        exact = (influence.T @ truth @ influence)[0, 0] / np.mean(moved)
        assert factor == pytest.approx(exact, rel=0.04)
        assert factor > 84 / 76  # more than T/(T-k) makes up for

    def test_units_do_not_matter(self, data: pd.DataFrame) -> None:
        small = interrupted_series(data, "robbery", AT, family="ols", controls="warmth")
        big = data.assign(robbery=data["robbery"] * 1e6, warmth=data["warmth"] * 1e-6)
        large = interrupted_series(big, "robbery", AT, family="ols", controls="warmth")
        np.testing.assert_allclose(small.tidy()["statistic"], large.tidy()["statistic"], rtol=1e-6)

    def test_fitted_trends_hide_autocorrelation_and_it_is_found_again(self) -> None:
        rng = np.random.default_rng(8)
        t = np.arange(72)
        x = by_hand(made_up(months=72)).to_numpy()
        annihilator = np.eye(72) - x @ np.linalg.solve(x.T @ x, x.T)
        errors = rng.normal(size=(72, 200))
        for row in range(1, 72):
            errors[row] += 0.6 * errors[row - 1]
        left = annihilator @ errors
        naive = np.median((left[1:] * left[:-1]).sum(axis=0) / (left**2).sum(axis=0))
        found = [memory(left[:, j], annihilator, t, t * 0).rho for j in range(200)]
        assert naive < 0.5
        assert np.median(found) == pytest.approx(0.6, abs=0.06)

    def test_intervals_of_a_short_series_hold_the_truth(self) -> None:
        """60 months, errors 0.6 autocorrelated, 200 series: Monte-Carlo error 0.02 and 0.03."""
        held = {"hac": 0, "newey_west": 0}
        rng = np.random.default_rng(11)
        months = made_up(months=60)["month"]
        for _ in range(200):
            shock = rng.normal(size=160)
            for row in range(1, 160):
                shock[row] += 0.6 * shock[row - 1]
            series = pd.DataFrame({"month": months, "y": shock[100:]})
            for errors in held:
                row = interrupted_series(series, "y", 36, family="ols", errors=errors).term(
                    "level_change"
                )
                held[errors] += row["ci_low"] <= 0 <= row["ci_high"]
        assert 182 <= held["hac"] <= 198
        assert held["newey_west"] < 170

    def test_the_usual_number_of_lags(self) -> None:
        # floor(4 (T/100)^(2/9)) by hand: 3.57, 4, 4.67.
        assert [automatic_lags(t) for t in (60, 100, 200)] == [3, 4, 4]


class TestControl:
    def test_with_least_squares_it_is_the_regression_of_the_difference(
        self, data: pd.DataFrame
    ) -> None:
        apart = data.assign(difference=data["robbery"] - data["elsewhere"])
        for errors in ("newey_west", "hac"):
            both = interrupted_series(
                data, "robbery", AT, family="ols", control="elsewhere", errors=errors
            ).tidy()
            one = interrupted_series(apart, "difference", AT, family="ols", errors=errors).tidy()
            for ours, theirs in (("level_difference", "level_change"),
                                 ("slope_difference", "slope_change")):  # fmt: skip
                assert both.loc[ours, "estimate"] == pytest.approx(one.loc[theirs, "estimate"])
                if errors == "newey_west":
                    assert both.loc[ours, "std_error"] == pytest.approx(
                        one.loc[theirs, "std_error"]
                    )

    def test_counts_are_both_series_stacked_with_errors_shared_within_months(
        self, data: pd.DataFrame
    ) -> None:
        fit = interrupted_series(
            data, "robbery", AT, control="elsewhere", errors="newey_west", lags=3
        )
        x = by_hand(data)
        stacked = pd.concat([pd.concat([x, x]), pd.concat([x, 0 * x]).add_prefix("more_")], axis=1)
        y = np.concatenate([data["robbery"], data["elsewhere"]])
        # A control's zeros in "more_" leave it the plain terms; the outcome's are plain + more.
        other = sm.GLM(y, stacked.to_numpy(), family=sm.families.Poisson()).fit(
            tol=1e-12, cov_type="hac-groupsum",
            cov_kwds={"time": np.tile(np.arange(84), 2), "maxlags": 3, "use_correction": False},
        )  # fmt: skip
        names = list(stacked.columns)
        for ours, theirs in (
            ("level_difference", "more_level_change"),
            ("slope_difference", "more_slope_change"),
            ("control_level_change", "level_change"),
            ("control_trend", "trend"),
        ):
            place = names.index(theirs)
            assert fit.coefficients[ours] == pytest.approx(other.params[place], rel=1e-6)
            assert fit.term(ours)["std_error"] == pytest.approx(
                other.bse[place] * np.sqrt(84 / 76), rel=1e-6
            )

    def test_the_outcome_is_taken_to_have_moved_as_the_control_did(self) -> None:
        data = made_up()
        fit = interrupted_series(data, "robbery", AT, control="elsewhere")
        alone = interrupted_series(data, "robbery", AT)
        moved = fit.coefficients[["control_level_change", "control_slope_change"]].to_numpy()
        change = fit.regressors[CHANGE].to_numpy()
        np.testing.assert_allclose(
            fit.counterfactual["estimate"],
            alone.counterfactual["estimate"] * np.exp(change @ moved),
            rtol=1e-7,
        )
        np.testing.assert_allclose(fit.fitted, alone.fitted, rtol=1e-9)

    def test_a_shock_to_both_series_is_not_the_interruptions(self) -> None:
        data = made_up(4)
        data[["robbery", "elsewhere"]] = (
            data[["robbery", "elsewhere"]] * np.where(data.index >= 50, 1.6, 1.0)[:, None]
        ).round()
        alone = interrupted_series(data, "robbery", AT).term("level_change")["estimate"]
        beside = interrupted_series(data, "robbery", AT, control="elsewhere").term(
            "level_difference"
        )
        assert alone > 0.1
        assert beside["ci_low"] < np.log(0.8) < beside["ci_high"] < 0.1

    def test_months_without_the_control_are_left_out_and_named(self, data: pd.DataFrame) -> None:
        later = data.assign(elsewhere=data["elsewhere"].where(data.index >= 6))
        fit = interrupted_series(later, "robbery", AT, control="elsewhere")
        used = fit.data_used
        assert used.loc[~used["kept"], "month"].tolist() == data["month"].head(6).tolist()
        assert set(used.loc[~used["kept"], "reason"]) == {"no elsewhere"}
        rest = interrupted_series(data.iloc[6:], "robbery", AT, control="elsewhere")
        np.testing.assert_allclose(fit.tidy(), rest.tidy(), rtol=1e-9)

    def test_exposures_of_its_own(self, data: pd.DataFrame) -> None:
        plain = interrupted_series(data, "robbery", AT, control="elsewhere")
        data["log_others"] = 3.0 + 0.001 * np.arange(84)
        fit = interrupted_series(
            data, "robbery", AT, control="elsewhere", control_offset="log_others"
        )
        moved = plain.coefficients["control_trend"] - fit.coefficients["control_trend"]
        assert moved == pytest.approx(0.001)
        assert fit.coefficients["level_difference"] == pytest.approx(
            plain.coefficients["level_difference"]
        )


class TestEffect:
    @pytest.mark.parametrize("family", ["quasipoisson", "ols"])
    @pytest.mark.parametrize("control", [None, "elsewhere"])
    def test_intervals_are_the_delta_methods(
        self, data: pd.DataFrame, family: str, control: str | None
    ) -> None:
        fit = interrupted_series(data, "robbery", AT, family=family, control=control)
        table = fit.effect()
        x = fit.regressors.to_numpy()[50:]
        own = list(fit.regressors)
        names = fit.coefficients.index

        def total(beta: np.ndarray) -> float:
            named = pd.Series(beta, names)
            full = np.array([named.get(term, 0.0) for term in own])
            gone = full.copy()
            for place, term in enumerate(CHANGE):
                more = named[f"control_{term}"] if control else 0.0
                full[place] = named.iloc[place] + more
                gone[place] = more
            link = (lambda v: v) if family == "ols" else np.exp
            return float(link(x @ full).sum() - link(x @ gone).sum())

        beta = fit.coefficients.to_numpy()
        step = 1e-6 * np.maximum(np.abs(beta), 1e-2)
        slopes = np.array([
            (total(beta + np.eye(len(beta))[j] * step[j])
             - total(beta - np.eye(len(beta))[j] * step[j])) / (2 * step[j])
            for j in range(len(beta))
        ])  # fmt: skip
        error = np.sqrt(slopes @ fit.covariance.to_numpy() @ slopes)
        assert table.loc["all", "difference"] == pytest.approx(total(beta))
        assert table.loc["all", "std_error"] == pytest.approx(error, rel=1e-5)

    def test_what_was_observed_adds_up(self, data: pd.DataFrame) -> None:
        fit = interrupted_series(data, "robbery", AT)
        table = fit.effect()
        assert table.index.tolist() == [*data["month"][50:], "all"]
        assert table.loc["all", "observed"] == data["robbery"][50:].sum()
        # A log link's likelihood equations: fitted and observed agree in sum over the step.
        assert table.loc["all", "fitted"] == pytest.approx(table.loc["all", "observed"])
        each = table.drop(index="all")[["fitted", "counterfactual", "difference"]].sum()
        np.testing.assert_allclose(table.loc["all", each.index].astype(float), each)

    def test_the_first_month_after_is_the_level_change(self, data: pd.DataFrame) -> None:
        fit = interrupted_series(data, "robbery", AT)
        row, level = fit.effect_at(AT), fit.rate_ratios().loc["level_change"]
        assert row["relative"] == pytest.approx(level["estimate"] - 1)
        assert row["relative_low"] == pytest.approx(level["ci_low"] - 1)
        assert row["relative_high"] == pytest.approx(level["ci_high"] - 1)
        with pytest.raises(UnknownNameError, match="those after 2016-05; nearest: "):
            fit.effect_at("2016-04")

    def test_least_squares_has_differences_and_no_ratios(self, data: pd.DataFrame) -> None:
        fit = interrupted_series(data, "robbery", AT, family="ols")
        assert "relative" not in fit.effect()
        with pytest.raises(ModelError, match="not ratios"):
            fit.rate_ratios()

    def test_the_finding_puts_doubt_first(self, data: pd.DataFrame) -> None:
        clear = interrupted_series(data, "robbery", AT)
        assert clear.finding.startswith("Off its earlier course: robbery from 2016-05 to 2019-02")
        vague = interrupted_series(made_up(2, mean=2), "robbery", "2018-10")
        assert vague.finding.startswith("Cannot tell: robbery from 2018-10")
        for fit in (clear, vague):
            assert fit.finding in fit.summary()
            assert (fit.effect().loc["all", "relative_low"] > 0) or (
                fit.effect().loc["all", "relative_high"] < 0
            ) == fit.finding.startswith("Off")

    def test_it_is_explained_in_three_sentences(self, data: pd.DataFrame) -> None:
        fit = interrupted_series(data, "robbery", AT, control="elsewhere")
        relative = fit.effect_at("all")[["relative", "relative_low", "relative_high"]]
        told = fit.explain()
        for value in relative:
            assert f"{value:+.1%}".replace("-", "−") in told
        assert "moved elsewhere just as much" in told
        assert told.count(". ") == 2
        ratio = fit.rate_ratios().loc["level_difference", "estimate"] - 1
        assert f"{ratio:+.1%}".replace("-", "−") in fit.explain("level_difference")
        with pytest.raises(UnknownNameError, match="level_difference"):
            fit.explain("level_change")
        vague = interrupted_series(made_up(2, mean=2), "robbery", "2018-10", family="ols")
        assert "cannot tell" in vague.explain()

    def test_terms_may_be_drawn_instead(self, data: pd.DataFrame) -> None:
        fit = interrupted_series(data, "robbery", AT)
        assert fit.plot(["level_change"]).svg != fit.plot().svg

    @pytest.mark.parametrize("control", [None, "elsewhere"])
    def test_the_chart_carries_its_words_and_numbers(
        self, data: pd.DataFrame, control: str | None
    ) -> None:
        fit = interrupted_series(data, "robbery", AT, control=control)
        figure = fit.plot()
        assert figure.title == fit.finding
        assert f"{data['robbery'][50:].sum():,.0f} were recorded" in figure.alt
        assert figure.svg == fit.plot().svg
        assert ("control_observed" in figure.data) == (control is not None)
        np.testing.assert_allclose(figure.data["fitted"], fit.fitted)


class TestCalendar:
    def test_the_order_of_rows_and_their_labels_do_not_matter(self, data: pd.DataFrame) -> None:
        mixed = data.sample(frac=1, random_state=3).set_index(pd.Index(list(range(900, 984))))
        first, second = (interrupted_series(d, "robbery", AT) for d in (data, mixed))
        pd.testing.assert_frame_equal(first.tidy(), second.tidy())
        pd.testing.assert_frame_equal(first.effect(), second.effect())
        assert second.data_used["month"].tolist() == mixed["month"].tolist()
        assert second.design is not None
        np.testing.assert_array_equal(
            second.design.outcome, mixed["robbery"].iloc[second.design.outcome.index]
        )

    @pytest.mark.parametrize(
        "turn",
        [
            lambda m: pd.to_datetime(m + "-01"),
            lambda m: pd.to_datetime(m + "-01") + pd.offsets.MonthEnd(0),
            lambda m: pd.PeriodIndex(m, freq="M"),
            lambda m: m + "-15",
        ],
    )
    def test_months_may_be_dates_or_periods(self, data: pd.DataFrame, turn: Any) -> None:
        other = data.assign(month=turn(data["month"]))
        pd.testing.assert_frame_equal(
            interrupted_series(other, "robbery", AT).tidy(),
            interrupted_series(data, "robbery", AT).tidy(),
        )

    @pytest.mark.parametrize(
        "at",
        ["2016-05", "2016-05-01", pd.Timestamp("2016-05-01"), pd.Period("2016-05", "M"), 50,
         pd.Timestamp("2016-05-01").date(), np.int64(50), "2016Q2-"],
    )  # fmt: skip
    def test_the_date_may_be_written_in_many_ways(self, data: pd.DataFrame, at: object) -> None:
        if at == "2016Q2-":
            with pytest.raises(ParameterError, match="is no date; write months as '2018-09'"):
                interrupted_series(data, "robbery", at)
            return
        fit = interrupted_series(data, "robbery", at)
        assert (fit.start.first, fit.start.part) == (2016 * 12 + 4, None)

    def test_a_month_cut_in_two_is_left_out(self, data: pd.DataFrame) -> None:
        fit = interrupted_series(data, "robbery", "2016-04-17")
        row = fit.data_used.query("month == '2016-04'").iloc[0]
        assert not row["kept"]
        assert row["reason"] == "partly before and partly after 2016-04-17"
        assert "2016-04, in part after, is left out" in fit.summary()
        assert fit.nobs == 83
        emptied = data.assign(robbery=data["robbery"].where(data["month"] != "2016-04"))
        pd.testing.assert_frame_equal(fit.tidy(), interrupted_series(emptied, "robbery", AT).tidy())

    def test_or_counts_by_its_days(self, data: pd.DataFrame) -> None:
        fit = interrupted_series(data, "robbery", "2016-04-17", part="share")
        cut = fit.periods.get_loc("2016-04")
        # 17 to 30 April: 14 of 30 days.
        assert fit.regressors.loc[cut, CHANGE].tolist() == [14 / 30, 0.0]
        assert fit.regressors.loc[cut + 1, CHANGE].tolist() == [1.0, 0.0]
        assert "2016-04, in part after, is taken as 47% after" in fit.summary()
        assert fit.effect().index[0] == "2016-04"

    def test_quarters_have_seasons_of_four(self) -> None:
        rng = np.random.default_rng(2)
        labels = [f"20{y:02d}/{y + 1:02d} Q{q}" for y in range(8, 18) for q in range(1, 5)]
        data = pd.DataFrame({"quarter": labels, "crimes": rng.poisson(300, size=40)})
        fit = interrupted_series(data, "crimes", "2014/15 Q1", time="quarter", errors="model")
        # The first quarter of the financial year 2014/15 is April to June 2014.
        assert fit.effect().index[0] == "2014Q2"
        x = pd.get_dummies([label[-1] for label in labels], dtype=float)
        t = np.arange(40)
        x = x.assign(level=(t >= 24) * 1.0, slope=np.maximum(t - 24.0, 0), trend=t * 1.0)
        other = sm.GLM(data["crimes"], x, family=sm.families.Poisson()).fit(tol=1e-12)
        # Two pairs in four quarters are a dummy for each.
        np.testing.assert_allclose(fit.fitted, other.mu, rtol=1e-8)
        cut = interrupted_series(data, "crimes", "2014-05-01", time="quarter")
        assert cut.start.label == "2014-05-01"
        assert cut.start.share == pytest.approx(61 / 91)

    def test_six_pairs_are_a_dummy_for_each_month(self, data: pd.DataFrame) -> None:
        fit = interrupted_series(data, "robbery", AT, season=6)
        x = pd.get_dummies(data["month"].str[-2:], dtype=float)
        x = x.join(by_hand(data)[["level_change", "slope_change", "trend"]])
        other = sm.GLM(data["robbery"], x, family=sm.families.Poisson()).fit(tol=1e-12)
        np.testing.assert_allclose(fit.fitted, other.mu, rtol=1e-8)

    @few
    @given(st.integers(1990, 2030), st.integers(1, 12))
    def test_labels_are_read_back(self, year: int, month: int) -> None:
        text = f"{year}-{month:02d}"
        assert Calendar.of(pd.Series([text]), "month").labels == [text]
        quarter = f"{year}Q{(month + 2) // 3}"
        assert Calendar.of(pd.Series([quarter]), "quarter").labels == [quarter]

    def test_waves_repeat_each_year(self) -> None:
        waves = fourier(np.arange(48), 12, 3)
        np.testing.assert_allclose(waves[:12], waves[24:36], atol=1e-12)
        np.testing.assert_allclose(waves[:12].sum(), 0, atol=1e-12)


class TestUnknownBreak:
    def test_each_statistic_is_walds(self, data: pd.DataFrame) -> None:
        fit = interrupted_series(data, "robbery", AT, family="ols")
        table = fit.unknown_break(draws=19).table
        # 84 months: 13 at each end are left out.
        assert (table.index[0], table.index[-1]) == (data["month"][13], data["month"][71])
        for at in (13, 37, 50, 71):
            other = sm.OLS(data["robbery"], by_hand(data, at)).fit()
            both = np.eye(8)[:2]
            expected = 2 * other.f_test(both).fvalue
            assert table.loc[data["month"][at], "statistic"] == pytest.approx(expected)

    def test_for_counts_the_chosen_dates_is_that_of_the_fit(self, data: pd.DataFrame) -> None:
        fit = interrupted_series(data, "robbery", AT, errors="model")
        found = fit.unknown_break(draws=19).statistic_at
        change = fit.coefficients[CHANGE]
        wald = change @ np.linalg.inv(fit.covariance.loc[CHANGE, CHANGE]) @ change
        assert found == pytest.approx(wald)

    def test_a_clear_break_is_found_where_it_is(self) -> None:
        data = made_up(mean=2000.0, rho=0.0)
        data["robbery"] = (data["robbery"] * np.where(data.index >= 50, 0.7, 1)).round()
        right = interrupted_series(data, "robbery", AT).unknown_break(rng=1)
        assert (right.best, right.p_value) == (AT, 0.001)
        assert right.p_value_at > 0.5
        wrong = interrupted_series(data, "robbery", "2014-10").unknown_break(rng=1)
        assert wrong.best == AT
        assert wrong.p_value_at < 0.05
        assert "2014-10 fits clearly worse" in wrong.text

    def test_with_a_control_a_shared_break_is_none(self) -> None:
        data = made_up(6)
        both = data.assign(robbery=(data["elsewhere"] * 0.5).round())
        drop = np.where(data.index >= 50, 0.5, 1.0)
        both[["robbery", "elsewhere"]] = (both[["robbery", "elsewhere"]].mul(drop, axis=0)).round()
        alone = interrupted_series(both, "robbery", AT).unknown_break(draws=199)
        beside = interrupted_series(both, "robbery", AT, control="elsewhere").unknown_break(
            draws=199
        )
        assert alone.p_value == 0.005
        assert beside.p_value > 0.05
        assert beside.text.startswith("Cannot tell that the series breaks")

    def test_no_break_is_seldom_called_one(self) -> None:
        """Autocorrelated series without a break: 5% of 150 should be called broken."""
        rng = np.random.default_rng(21)
        months = made_up(months=72)["month"]
        called = 0
        for seed in range(150):
            shock = rng.normal(size=172)
            for row in range(1, 172):
                shock[row] += 0.5 * shock[row - 1]
            series = pd.DataFrame({"month": months, "y": shock[100:]})
            fit = interrupted_series(series, "y", 36, family="ols", errors="model")
            called += fit.unknown_break(draws=99, rng=seed).p_value <= 0.05
        assert 1 <= called <= 15

    def test_the_same_seed_gives_the_same_answer(self, data: pd.DataFrame) -> None:
        fit = interrupted_series(data, "robbery", AT)
        generator = np.random.default_rng(4)
        assert (
            fit.unknown_break(draws=99, rng=4).text
            == unknown_break(fit, draws=99, rng=generator).text
        )

    def test_bad_options(self, data: pd.DataFrame) -> None:
        fit = interrupted_series(data, "robbery", AT)
        for wrong in ({"trim": 0.5}, {"trim": 0}, {"draws": 5}, {"draws": 99.5}):
            with pytest.raises(ParameterError, match=next(iter(wrong))):
                fit.unknown_break(**wrong)


class TestRefusals:
    def test_months_that_are_absent_or_stand_twice(self, data: pd.DataFrame) -> None:
        with pytest.raises(ModelError, match=r"no row for 2 months \(2013-01, 2013-02\); add them"):
            interrupted_series(data.drop(index=[10, 11]), "robbery", AT)
        with pytest.raises(ModelError, match=r"has 2012-03 in 2 rows .*add its rows up"):
            interrupted_series(pd.concat([data, data.head(1)]), "robbery", AT)

    def test_missing_outcomes_are_left_out_and_named(self, data: pd.DataFrame) -> None:
        gone = data.assign(robbery=data["robbery"].where(~data.index.isin([4, 60])))
        fit = interrupted_series(gone, "robbery", AT, controls=["warmth"])
        assert fit.data_used.query("not kept")["reason"].to_dict() == {
            4: "no robbery",
            60: "no robbery",
        }
        assert fit.nobs == 82
        assert "2 rows dropped" in fit.summary()
        assert "2012-07" not in fit.periods

    @pytest.mark.parametrize(
        ("at", "message"),
        [
            ("2011-01", "outside the series, which runs from 2012-03 to 2019-02"),
            ("2012-03", "outside the series"),
            ("2019-03", "outside the series"),
            ("2019-02-10", "outside the series"),
            ("2019-01", "only 2 months lie after 2019-01"),
            ("2012-05", "only 2 months lie before"),
            ("2018-11-20", r"only 3 months|too few"),
            ("soon", "is no date"),
            ("2018-13", "is no date"),
            ("2018-02-30", "is no date"),
            (84, "is no row; there are 84"),
            (-1, "is no row"),
            (None, "is no date"),
            (True, "is no date"),
        ],
    )
    def test_interruptions_that_cannot_be(
        self, data: pd.DataFrame, at: object, message: str
    ) -> None:
        if at == "2018-11-20":  # three whole months remain, which is enough
            assert interrupted_series(data, "robbery", at).effect().index[0] == "2018-12"
            return
        with pytest.raises((ModelError, ParameterError), match=message):
            interrupted_series(data, "robbery", at)

    @pytest.mark.parametrize(
        ("change", "options", "message"),
        [
            ({"robbery": "many"}, {}, "'robbery' is not numeric"),
            ({"robbery": True}, {}, "'robbery' is not numeric"),
            ({"robbery": np.nan}, {}, "only missing values"),
            ({"robbery": 7}, {}, "'robbery' does not vary"),
            ({"robbery": 7}, {"family": "ols"}, "'robbery' does not vary"),
            ({"robbery": 0}, {}, "zero in every month before"),
            ({"warmth": np.inf}, {"controls": ["warmth"]}, "'warmth' is infinite in row 0"),
            ({"warmth": 3.0}, {"controls": ["warmth"]}, "'warmth' does not vary"),
            ({"log_people": 8000.0}, {"offset": "log_people"}, "not its logarithm"),
            ({"elsewhere": -1.0}, {"control": "elsewhere"}, "'elsewhere' has negative counts"),
            ({"month": 2012}, {}, "2012 in column 'month', row 0, is no date"),
            ({"month": None}, {}, "has no date in row 0"),
            ({"month": "2012/13"}, {}, "is no date; write months"),
            ({}, {"season": 7}, "from 0 to 6 for months"),
            ({}, {"season": -1}, "from 0 to 6"),
            ({}, {"season": 1.5}, "from 0 to 6"),
            ({}, {"season": "two"}, "from 0 to 6"),
            ({}, {"lags": 2.5}, "a whole number from 0"),
            ({}, {"lags": -1}, "a whole number from 0"),
            ({}, {"lags": 90}, "only 84 usable periods"),
            ({}, {"lags": 2, "errors": "model"}, "only with Newey-West"),
            ({}, {"offset": "log_people", "family": "ols"}, "an offset needs counts"),
            ({}, {"control_offset": "log_people"}, "needs a control series"),
            ({}, {"controls": ["robbery"]}, "stand twice"),
            ({}, {"control": "robbery"}, "stand twice"),
            ({"trend": 1.0}, {"controls": ["trend"]}, "may not be called 'trend'"),
        ],
    )
    def test_data_and_options_that_cannot_be(
        self, data: pd.DataFrame, change: dict[str, Any], options: dict[str, Any], message: str
    ) -> None:
        with pytest.raises((ModelError, ParameterError), match=message):
            interrupted_series(data.assign(**change), "robbery", AT, **options)

    def test_regressors_that_follow_from_the_others(self, data: pd.DataFrame) -> None:
        later = data.assign(later=(data["month"] >= AT) * 2.0)
        with pytest.raises(ModelError, match=r"'later' .*cannot be told apart"):
            interrupted_series(later, "robbery", AT, controls="later")

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"outcome": "robery"}, "nearest: robbery"),
            ({"time": "moth"}, "nearest: month"),
            ({"control": "elsewere"}, "nearest: elsewhere"),
            ({"controls": ["wamth"]}, "nearest: warmth"),
            ({"family": "quasi"}, "nearest: quasipoisson"),
            ({"errors": "model-based"}, "nearest: model"),
            ({"part": "leave"}, "nearest: leave out"),
        ],
    )
    def test_unknown_names_are_answered_with_the_nearest(
        self, data: pd.DataFrame, options: dict[str, Any], message: str
    ) -> None:
        arguments = {"outcome": "robbery", "at": AT, **options}
        with pytest.raises(UnknownNameError, match=message):
            interrupted_series(data, **arguments)

    def test_months_and_quarters_together(self, data: pd.DataFrame) -> None:
        with pytest.raises(ModelError, match="mixes months and quarters"):
            interrupted_series(data.replace("2012-03", "2012Q1"), "robbery", AT)

    def test_too_few_rows_and_none(self, data: pd.DataFrame) -> None:
        with pytest.raises(ModelError, match="8 usable rows are too few"):
            interrupted_series(data.head(8), "robbery", 4)
        with pytest.raises(ModelError, match="there are no rows"):
            interrupted_series(data.head(0), "robbery", AT)
        with pytest.raises(ModelError, match=r"only 0 months lie before .*no robbery"):
            interrupted_series(
                data.assign(robbery=data["robbery"].where(data.index >= 50)), "robbery", AT
            )

    def test_nothing_but_zeros_after(self, data: pd.DataFrame) -> None:
        stopped = data.assign(robbery=data["robbery"].where(data.index < 50, 0))
        with pytest.raises(ModelError, match="zero in every month after 2016-05"):
            interrupted_series(stopped, "robbery", AT)
        assert interrupted_series(stopped, "robbery", AT, family="ols").nobs == 84

    @few
    @given(
        st.lists(
            st.one_of(st.integers(0, 3), st.just(None), st.floats(-1e6, 1e6)),
            min_size=20, max_size=60,
        ),
        st.integers(-2, 62),
        st.sampled_from(["quasipoisson", "negative_binomial", "ols"]),
    )  # fmt: skip
    def test_odd_series_are_estimated_or_refused_by_name(
        self, values: list[Any], at: int, family: str
    ) -> None:
        months = pd.period_range("2000-01", periods=len(values), freq="M").astype(str)
        data = pd.DataFrame({"month": months, "y": pd.Series(values, dtype=float)})
        try:
            fit = interrupted_series(data, "y", at, family=family, season=1)
        except CrimeAnalysisError:
            return
        table = fit.tidy()
        assert np.isfinite(table.to_numpy()).all()
        assert np.isfinite(fit.effect().to_numpy(dtype=float)).all()


class TestShippedSeries:
    """The Met's monthly counts: what the code says of real figures, and that it is repeatable."""

    @functools.cached_property
    def london(self) -> pd.DataFrame:
        table = load("borough_crime_monthly").query("classification == 'new'")
        groups = ["robbery", "violence_with_injury", "sexual_offences"]
        months = table.groupby("month")[groups].sum(min_count=32).reset_index()
        return months[months["month"].between("2014-04", "2020-02")]

    def test_the_violent_crime_taskforce(self) -> None:
        fit = interrupted_series(self.london, "robbery", "2018-09-17")
        assert fit.nobs == 70  # April 2014 to February 2020 less September 2018
        assert fit.finding.startswith("Cannot tell")
        assert fit.residual_check().iloc[0]["statistic"] < 1  # far from independent months

    def test_the_same_under_every_hash_seed(self) -> None:
        program = (
            "from crime_analysis import load\n"
            "from crime_analysis.models.interrupted_series import interrupted_series\n"
            "table = load('met_violence_monthly')\n"
            "fit = interrupted_series(table, 'knife_crime', '2012-04', control='gun_crime')\n"
            "said = fit.tidy().to_csv() + fit.unknown_break(draws=99).text\n"
        )
        here: dict[str, Any] = {}
        exec(program, here)
        there = subprocess.run(
            [sys.executable, "-c", program + "print(said)"],
            env={"PYTHONHASHSEED": "7", "PATH": ""}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert there.stdout == here["said"] + "\n"


def test_it_is_a_fit(data: pd.DataFrame) -> None:
    fit = interrupted_series(data, "robbery", AT)
    assert isinstance(fit, InterruptedSeries)
    assert fit.tidy().columns.tolist()[:2] == ["estimate", "std_error"]
    assert fit.term("level_change")["estimate"] == pytest.approx(np.log(0.8), abs=0.1)
    with pytest.raises(UnknownNameError, match="level_change"):
        fit.term("level")
