"""Wild cluster bootstrap and several tests at once: every draw equals estimating it again.

Brute force builds a dummy for every fixed effect, multiplies restricted residuals by the same
weights, and estimates each sample again with numpy's least squares.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crime_analysis.errors import ModelError, ParameterError, UnknownNameError
from crime_analysis.inference.bootstrap import WildBootstrap, wild_bootstrap
from crime_analysis.inference.cluster_sums import patterns
from crime_analysis.inference.multiplicity import multiple_testing
from crime_analysis.models.fit import Fit
from crime_analysis.models.panel_regression import fit_panel
from crime_analysis.panel import force_panel

TWO_WAY = ["unit", "year"]


def made_up(seed: int, units: int, years: int, *, loss: float = 0.0) -> pd.DataFrame:
    """A panel with correlated errors, some rows gone, one unit seen once, rows in disorder."""
    rng = np.random.default_rng(seed)
    panel = pd.DataFrame(
        [(f"unit {u:02}", 2000 + t) for u in range(units) for t in range(years)],
        columns=["unit", "year"],
    )
    n = len(panel)
    panel["region"] = panel["unit"].str[-2:].astype(int) // 2
    panel["x"] = rng.normal(size=n) + rng.normal(size=units).repeat(years) + panel["year"] % 3
    panel["z"] = 100 * (rng.normal(size=n) + panel["x"])
    panel["people"] = rng.uniform(0.5, 20, size=units).repeat(years) * rng.uniform(0.9, 1.1, n)
    shock = rng.normal(size=(units, 1)) * np.linspace(-1, 1, years)
    panel["y"] = 0.2 * panel["x"] + shock.ravel() + panel["year"] % 4 + rng.normal(size=n)
    panel["y2"] = 0.5 * panel["y"] + rng.normal(size=n)
    panel["y3"] = rng.standard_t(3, size=n)
    panel = panel[rng.uniform(size=n) >= loss]
    if loss:
        last = panel["unit"].iloc[-1]
        panel = panel[panel["unit"].ne(last) | ~panel.duplicated("unit")]
    return panel.sample(frac=1, random_state=seed).reset_index(drop=True)


def estimate(
    panel: pd.DataFrame,
    outcome: str = "y",
    slopes: tuple[str, ...] = ("x",),
    effects: list[str] = TWO_WAY,
    cluster: str = "unit",
    weights: str | None = None,
) -> Fit:
    right = " + ".join(slopes) + (f" | {' + '.join(effects)}" if effects else "")
    return fit_panel(f"{outcome} ~ {right}", panel, cluster=cluster, weights=weights)


class BruteForce:
    """Estimates every sample again, with a dummy for every fixed effect."""

    def __init__(self, fit: Fit, term: str) -> None:
        design = fit.design
        assert design is not None
        assert design.cluster is not None
        weights = 1.0 if design.weights is None else design.weights.to_numpy()
        self.root = np.sqrt(weights * np.ones(len(design.outcome)))
        dummies = [pd.get_dummies(design.effects[name], dtype=float) for name in design.effects]
        others = pd.concat([design.slopes.drop(columns=term), *dummies], axis=1).to_numpy()
        self.others = others * self.root[:, None]
        self.x = design.slopes[term].to_numpy() * self.root
        self.y = design.outcome.to_numpy() * self.root
        self.cluster = pd.factorize(design.cluster, sort=True)[0]
        self.fit, self.term = fit, term
        # The fit's own small-sample factor, the same in every sample.
        self.factor = 1.0
        self.factor = float(np.sqrt(fit.covariance.loc[term, term])) / self.regress(self.y)[1]

    def without(self, columns: np.ndarray) -> np.ndarray:
        return columns - self.others @ np.linalg.lstsq(self.others, columns, rcond=None)[0]

    def regress(self, y: np.ndarray) -> tuple[float, float]:
        both = np.column_stack([self.x, self.others])
        slope = np.linalg.lstsq(both, y, rcond=None)[0]
        x, left = self.without(self.x), y - both @ slope
        scores = np.bincount(self.cluster, x * left)
        return slope[0], self.factor * float(np.sqrt(scores @ scores)) / float(x @ x)

    def samples(self, v: np.ndarray, null: float) -> list[np.ndarray]:
        left = self.without(self.y - null * self.x)
        return [self.y - left + weights[self.cluster] * left for weights in v.T]

    def statistics(self, v: np.ndarray, null: float) -> np.ndarray:
        pairs = [self.regress(sample) for sample in self.samples(v, null)]
        return np.array([(slope - null) / error for slope, error in pairs])

    def p_value(self, v: np.ndarray, null: float) -> float:
        slope, error = self.regress(self.y)
        ours = abs(slope - null) / error
        extreme = np.abs(self.statistics(v, null)) >= ours * (1 - 1e-9)
        return float(np.mean(extreme))


def every_pattern(groups: int) -> np.ndarray:
    return np.array(list(itertools.product([1.0, -1.0], repeat=groups))).T


CASES = {
    "two-way": {},
    "two-way with a control": {"slopes": ("x", "z")},
    "weights": {"slopes": ("x", "z"), "weights": "people"},
    "clusters of several units": {"cluster": "region", "weights": "people"},
    "year clusters": {"cluster": "year"},
    "clusters across the only effect": {"effects": ["year"]},
    "one effect in clusters": {"effects": ["unit"]},
    "no effects": {"effects": [], "slopes": ("x", "z")},
    "three effects": {"effects": ["unit", "year", "region"], "cluster": "region"},
}


class TestEqualsEstimatingAgain:
    @pytest.mark.parametrize("case", CASES, ids=str)
    @pytest.mark.parametrize("loss", [0.0, 0.3])
    def test_every_draw(self, case: str, loss: float) -> None:
        panel = made_up(3, 9, 6, loss=loss)
        fit = estimate(panel, **CASES[case])
        for null, kind in ((0.0, "rademacher"), (-0.7, "webb")):
            test = wild_bootstrap(fit, "x", B=60, weights=kind, null=null, rng=5)
            v = np.concatenate(list(patterns(fit.n_clusters, 60, kind, 5)), axis=1)
            again = BruteForce(fit, "x").statistics(v, null)
            np.testing.assert_allclose(test.statistics(), again, rtol=1e-10, atol=1e-10)

    @settings(max_examples=15, deadline=None, derandomize=True)
    @given(
        seed=st.integers(0, 10_000),
        units=st.integers(5, 12),
        years=st.integers(4, 8),
        loss=st.sampled_from([0.0, 0.2, 0.4]),
        weights=st.sampled_from([None, "people"]),
        null=st.floats(-2, 2),
    )
    def test_random_panels(
        self, seed: int, units: int, years: int, loss: float, weights: str | None, null: float
    ) -> None:
        try:
            fit = estimate(made_up(seed, units, years, loss=loss), weights=weights)
        except ModelError:
            return  # nothing left to estimate from
        test = wild_bootstrap(fit, "x", B=25, weights="webb", null=null, rng=1)
        v = np.concatenate(list(patterns(fit.n_clusters, 25, "webb", 1)), axis=1)
        again = BruteForce(fit, "x").statistics(v, null)
        np.testing.assert_allclose(test.statistics(), again, rtol=1e-9, atol=1e-10)

    def test_a_sample_given_to_fit_panel_has_the_draw_as_its_t(self) -> None:
        panel = made_up(4, 10, 7, loss=0.2)
        fit = estimate(panel, slopes=("x", "z"), weights="people")
        assert fit.design is not None
        force = BruteForce(fit, "x")
        v = np.concatenate(list(patterns(fit.n_clusters, 5, "webb", 2)), axis=1)
        test = wild_bootstrap(fit, "x", B=5, weights="webb", null=0.1, rng=2)
        for sample, ours in zip(force.samples(v, 0.1), test.statistics(), strict=True):
            rows = panel.loc[fit.design.outcome.index].assign(y=sample / force.root)
            row = estimate(rows, slopes=("x", "z"), weights="people").term("x")
            theirs = (row["estimate"] - 0.1) / row["std_error"]
            assert ours == pytest.approx(theirs, rel=1e-7)

    def test_flipping_demeaned_residuals_would_be_wrong(self) -> None:
        fit = estimate(made_up(6, 9, 6))
        force = BruteForce(fit, "x")
        v = np.concatenate(list(patterns(9, 200, "rademacher", 3)), axis=1)
        x, left = force.without(force.x), force.without(force.y)
        naive = []
        for weights in v.T:
            drawn = weights[force.cluster] * left
            slope = x @ drawn / (x @ x)
            scores = np.bincount(force.cluster, x * (drawn - slope * x))
            naive.append(slope * (x @ x) / np.sqrt(scores @ scores) / force.factor)
        again = force.statistics(v, 0.0)
        assert np.max(np.abs(naive - again)) > 0.1
        ours = wild_bootstrap(fit, "x", B=200, rng=3).statistics()
        np.testing.assert_allclose(ours, again, rtol=0, atol=1e-10)


class TestPValueAndInterval:
    def test_few_clusters_use_every_pattern_of_signs(self) -> None:
        fit = estimate(made_up(7, 7, 6))
        test = wild_bootstrap(fit, "x", B=200)
        assert test.patterns == "all 2^7 = 128 patterns of signs"
        force = BruteForce(fit, "x")
        for null in (0.0, 0.2, 1.0, -3.0):
            assert test.p_value_at(null) == force.p_value(every_pattern(7), null)
        assert test == wild_bootstrap(fit, "x", B=128, rng=99)

    def test_interval_ends_where_brute_force_begins_to_reject(self) -> None:
        fit = estimate(made_up(8, 7, 6), weights="people")
        test = wild_bootstrap(fit, "x", B=200, level=0.9)
        force, v = BruteForce(fit, "x"), every_pattern(7)
        for end, sign in ((test.ci_low, -1), (test.ci_high, 1)):
            step = 1e-6 * test.std_error
            assert force.p_value(v, end - sign * step) > 0.1
            assert force.p_value(v, end + sign * step) <= 0.1

    def test_identity_and_its_opposite_always_count(self) -> None:
        panel = made_up(9, 6, 8).assign(y=lambda d: 50 * d["x"] + d["y"])
        test = wild_bootstrap(estimate(panel), "x")
        assert test.p_value == 2 / 64
        equal = wild_bootstrap(estimate(panel), "x", tail="equal")
        assert equal.p_value == 2 / 64

    def test_five_clusters_cannot_reject_so_the_interval_has_no_ends(self) -> None:
        test = wild_bootstrap(estimate(made_up(9, 5, 8)), "x")
        assert (test.ci_low, test.ci_high) == (-np.inf, np.inf)
        assert "an end is infinite" in test.summary()
        assert "cannot tell from zero" in test.summary()

    def test_random_draws_never_give_a_p_value_of_zero(self) -> None:
        panel = made_up(9, 14, 5).assign(y=lambda d: 50 * d["x"] + d["y"])
        assert wild_bootstrap(estimate(panel), "x", B=999, rng=1).p_value == 1 / 1000

    def test_tails_agree_where_the_patterns_are_complete(self) -> None:
        # Opposite weights give opposite statistics, so the whole set is symmetric.
        fit = estimate(made_up(10, 8, 5))
        symmetric, equal = (wild_bootstrap(fit, "x", tail=tail) for tail in ("symmetric", "equal"))
        assert symmetric.p_value == equal.p_value
        assert symmetric.ci_low == pytest.approx(equal.ci_low, rel=1e-9)

    def test_a_unit_of_measurement_changes_nothing_but_the_unit(self) -> None:
        panel = made_up(11, 12, 6)
        test = wild_bootstrap(estimate(panel), "x", rng=4)
        tiny = wild_bootstrap(estimate(panel.assign(x=panel["x"] * 1e-6)), "x", rng=4)
        assert tiny.p_value == test.p_value
        assert tiny.ci_low == pytest.approx(test.ci_low * 1e6, rel=1e-6)

    def test_blocks_of_draws_are_joined(self) -> None:
        fit = estimate(made_up(12, 15, 4))
        assert len(wild_bootstrap(fit, "x", B=9999, rng=1).statistics()) == 9999
        assert wild_bootstrap(fit, "x", B=9999, rng=1) == wild_bootstrap(fit, "x", rng=1)
        p_values = [wild_bootstrap(fit, "x", B=19_999, rng=seed).p_value for seed in (1, 2)]
        exact = wild_bootstrap(fit, "x", B=2**15).p_value
        assert p_values == pytest.approx([exact] * 2, abs=4 * np.sqrt(exact * (1 - exact) / 19_999))

    def test_no_interval_unless_asked(self) -> None:
        test = wild_bootstrap(estimate(made_up(12, 8, 4)), "x", level=None)
        assert np.isnan(test.ci_low)
        assert "interval" not in test.summary()

    def test_same_numbers_under_every_hash_seed(self) -> None:
        code = (
            "import numpy as np, pandas as pd, crime_analysis.inference.bootstrap as b;"
            "from crime_analysis.models.panel_regression import fit_panel;"
            "d = pd.DataFrame({'u': [f'unit {i % 14}' for i in range(84)]});"
            "d['t'] = np.arange(84) // 14;"
            "d[['x', 'y']] = np.random.default_rng(1).normal(size=(84, 2));"
            "w = b.wild_bootstrap(fit_panel('y ~ x | u + t', d, cluster='u'), 'x', B=999, rng=1);"
            "print(w.p_value, w.ci_low.hex(), w.ci_high.hex())"
        )
        running = [
            subprocess.Popen(
                [sys.executable, "-c", code], text=True, stdout=subprocess.PIPE,
                cwd=Path(__file__).resolve().parents[1],
                env={**os.environ, "PYTHONHASHSEED": seed},
            )
            for seed in ("0", "1", "2")
        ]  # fmt: skip
        said = [process.communicate()[0] for process in running]
        assert said[0] == said[1] == said[2] != ""


class TestPresentation:
    @pytest.fixture
    def tested(self) -> WildBootstrap:
        return wild_bootstrap(estimate(made_up(14, 9, 6)), "x")

    def test_tidy_holds_the_numbers(self, tested: WildBootstrap) -> None:
        row = tested.tidy().loc["x"]
        columns = ["estimate", "std_error", "statistic", "p_value", "ci_low", "ci_high"]
        assert list(row.index) == columns
        assert row["ci_low"] < row["estimate"] < row["ci_high"]
        assert row["p_value"] == tested.p_value

    def test_the_chart_says_the_interval(self, tested: WildBootstrap) -> None:
        chart = tested.plot()
        assert f"{tested.ci_low:.3g} to {tested.ci_high:.3g}" in chart.title
        assert chart.data["p_value"].max() > 0.9
        assert "9 clusters" in chart.source

    def test_the_chart_without_ends(self) -> None:
        chart = wild_bootstrap(estimate(made_up(9, 5, 8)), "x").plot()
        assert np.isfinite(chart.data.to_numpy()).all()


class TestRefusals:
    @pytest.fixture
    def fit(self) -> Fit:
        return estimate(made_up(15, 8, 5))

    @pytest.mark.parametrize(
        ("wrong", "error", "words"),
        [
            ({"term": "xx"}, UnknownNameError, "nearest: x"),
            ({"weights": "mammen"}, UnknownNameError, "unknown weights"),
            ({"tail": "left"}, UnknownNameError, "unknown tail"),
            ({"B": 0}, ParameterError, "B = 0"),
            ({"B": 99.5}, ParameterError, "B = 99.5"),
            ({"B": True}, ParameterError, "B = True"),
            ({"null": np.nan}, ParameterError, "null = nan"),
            ({"null": "0"}, ParameterError, "null = '0'"),
            ({"level": 95}, ParameterError, "level = 95"),
        ],
    )
    def test_parameters(
        self, fit: Fit, wrong: dict[str, object], error: type[Exception], words: str
    ) -> None:
        with pytest.raises(error, match=words):
            wild_bootstrap(fit, **{"term": "x", **wrong})

    def test_other_models_are_told_the_next_step(self, fit: Fit) -> None:
        for family, words in (("iv", "Anderson-Rubin"), ("poisson", "needs least squares")):
            with pytest.raises(ModelError, match=words):
                wild_bootstrap(dataclasses.replace(fit, family=family), "x")
        with pytest.raises(ModelError, match="does not carry its rows"):
            wild_bootstrap(dataclasses.replace(fit, design=None), "x")

    def test_errors_without_clusters(self, fit: Fit) -> None:
        assert fit.design is not None
        bare = dataclasses.replace(fit.design, cluster=None)
        with pytest.raises(ModelError, match="estimate it with cluster="):
            wild_bootstrap(dataclasses.replace(fit, design=bare), "x")

    def test_rows_that_are_not_those_of_the_fit(self, fit: Fit) -> None:
        assert fit.design is not None
        other = dataclasses.replace(fit.design, outcome=fit.design.slopes["x"] * 3)
        with pytest.raises(ModelError, match="not what it was estimated from"):
            wild_bootstrap(dataclasses.replace(fit, design=other), "x")

    def test_a_perfect_fit_has_nothing_to_resample(self) -> None:
        panel = made_up(16, 8, 5).assign(y=lambda d: 2 * d["x"])
        with pytest.raises(ModelError, match="fits perfectly"):
            wild_bootstrap(estimate(panel), "x")

    def test_a_term_that_one_cluster_alone_holds(self) -> None:
        panel = made_up(16, 8, 5).assign(x=lambda d: d["x"].where(d["unit"] == "unit 03", 0.0))
        with pytest.raises(ModelError, match="one cluster alone"):
            wild_bootstrap(estimate(panel, effects=["unit"]), "x")


def step_by_step(ours: np.ndarray, drawn: np.ndarray) -> list[float]:
    """Romano and Wolf's (2016) algorithm 4.1, in loops."""
    left, answer, before = set(range(len(ours))), [0.0] * len(ours), 0.0
    while left:
        best = max(left, key=lambda place: ours[place])
        largest = np.array([max(drawn[place, b] for place in left) for b in range(drawn.shape[1])])
        before = max(before, float(np.mean(largest >= ours[best] * (1 - 1e-9))))
        answer[best] = before
        left.remove(best)
    return answer


class TestSeveralHypotheses:
    OUTCOMES = ("y", "y2", "y3")

    def fits(self, panel: pd.DataFrame) -> dict[str, Fit]:
        return {name: estimate(panel, name) for name in self.OUTCOMES}

    def drawn(self, fits: dict[str, Fit], v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        forces = [BruteForce(fit, "x") for fit in fits.values()]
        ours = np.array([abs(np.divide(*force.regress(force.y))) for force in forces])
        return ours, np.abs([force.statistics(v, 0.0) for force in forces])

    def test_romano_wolf_equals_brute_force(self) -> None:
        fits = self.fits(made_up(20, 7, 6))
        table = multiple_testing(fits, "x")
        ours, drawn = self.drawn(fits, every_pattern(7))
        assert table["p_adjusted"].tolist() == step_by_step(ours, drawn)
        assert table["p_value"].tolist() == [
            wild_bootstrap(fit, "x").p_value for fit in fits.values()
        ]
        assert table.attrs["draws"] == "all 2^7 = 128 patterns of signs"

    def test_random_draws_count_the_observed_one(self) -> None:
        fits = self.fits(made_up(21, 9, 5))
        table = multiple_testing(fits, "x", B=99, rng=3)
        v = np.concatenate(list(patterns(9, 99, "rademacher", 3)), axis=1)
        ours, drawn = self.drawn(fits, np.column_stack([np.ones(9), v]))
        np.testing.assert_allclose(table["p_adjusted"], step_by_step(ours, drawn), rtol=1e-12)

    def test_westfall_young_equals_brute_force(self) -> None:
        fits = self.fits(made_up(22, 7, 6))
        table = multiple_testing(fits, "x", method="westfall-young")
        _, drawn = self.drawn(fits, every_pattern(7))
        near = 1 - 1e-9
        own = np.array([[np.mean(one >= value * near) for value in one] for one in drawn])
        again = step_by_step(1 / table["p_value"].to_numpy(), 1 / own)
        np.testing.assert_allclose(table["p_adjusted"], again, rtol=1e-12)

    def test_one_hypothesis_needs_no_adjustment(self) -> None:
        fit = estimate(made_up(22, 8, 6))
        for method in ("romano-wolf", "westfall-young", "holm", "bh"):
            row = multiple_testing([fit], "x", method=method).iloc[0]
            assert row["p_adjusted"] == pytest.approx(row["p_value"])

    def test_the_same_outcome_twice_is_paid_for_once(self) -> None:
        panel = made_up(23, 8, 6).assign(again=lambda d: 3 * d["y"])
        both = {name: estimate(panel, name) for name in ("y", "again")}
        for method in ("romano-wolf", "westfall-young"):
            table = multiple_testing(both, "x", method=method)
            assert table["p_adjusted"].tolist() == table["p_value"].tolist()
        holm = multiple_testing(both, "x", method="holm")
        assert holm["p_adjusted"].iloc[0] == pytest.approx(min(1, 2 * holm["p_value"].iloc[0]))

    def test_a_cluster_has_its_weight_in_every_fit_though_codes_differ(self) -> None:
        panel = made_up(24, 9, 6)
        later = panel[panel["unit"] > "unit 00"].iloc[::-1]
        fits = {"all": estimate(panel), "later": estimate(later)}
        table = multiple_testing(fits, "x", B=99, rng=1)
        v = np.concatenate(list(patterns(9, 99, "rademacher", 1)), axis=1)
        v = np.column_stack([np.ones(9), v])
        parts = [self.drawn({name: fit}, w) for (name, fit), w in
                 zip(fits.items(), (v, v[1:]), strict=True)]  # fmt: skip
        ours, drawn = (np.concatenate(part) for part in zip(*parts, strict=True))
        np.testing.assert_allclose(table["p_adjusted"], step_by_step(ours, drawn), rtol=1e-12)

    def test_terms_may_differ(self) -> None:
        panel = made_up(24, 8, 6)
        fits = {"a": estimate(panel), "b": estimate(panel, slopes=("z", "x"))}
        table = multiple_testing(fits, {"a": "x", "b": "z"})
        assert table["term"].tolist() == ["x", "z"]
        assert (table["p_adjusted"] >= table["p_value"]).all()

    def test_counts_are_adjusted_by_holm_only(self) -> None:
        fits = self.fits(made_up(25, 8, 6))
        fits["y2"] = dataclasses.replace(fits["y2"], family="poisson")
        assert len(multiple_testing(fits, "x", method="bh")) == 3
        with pytest.raises(ModelError, match="needs least squares"):
            multiple_testing(fits, "x")

    def test_refusals(self) -> None:
        panel = made_up(26, 8, 6)
        fit = estimate(panel)
        with pytest.raises(ParameterError, match="fits is empty"):
            multiple_testing([], "x")
        with pytest.raises(ParameterError, match="two fits are called 'y ~ x"):
            multiple_testing([fit, fit], "x")
        with pytest.raises(UnknownNameError, match="unknown method"):
            multiple_testing([fit], "x", method="bonferroni")
        with pytest.raises(UnknownNameError, match="unknown term"):
            multiple_testing({"a": fit}, {"b": "x"})
        with pytest.raises(ModelError, match="clustered by unit and year"):
            multiple_testing({"a": fit, "b": estimate(panel, cluster="year")}, "x")
        with pytest.raises(ModelError, match=r"keys=\[..., 'region'\]"):
            multiple_testing([estimate(panel, cluster="region")], "x")


def test_funding_and_officers_on_the_real_panel_equal_brute_force() -> None:
    fit = fit_panel(
        "log_robbery_per_1000 ~ log_officers_per_1000 | force + financial_year",
        force_panel("2007/08", "2018/19"), cluster="force", weights="population",
    )  # fmt: skip
    term = "log_officers_per_1000"
    test = wild_bootstrap(fit, term, B=40, rng=1)
    v = np.concatenate(list(patterns(fit.n_clusters, 40, "rademacher", 1)), axis=1)
    again = BruteForce(fit, term).statistics(v, 0.0)
    np.testing.assert_allclose(test.statistics(), again, rtol=1e-9, atol=1e-10)
