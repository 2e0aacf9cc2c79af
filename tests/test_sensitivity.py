"""Omitted variables: published robustness values, and confounders put in and taken out again."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from crime_analysis.confounding import Sensitivity, sensitivity
from crime_analysis.errors import ModelError, ParameterError, UnknownNameError
from crime_analysis.models.fit import Fit
from crime_analysis.models.panel_regression import fit_panel
from crime_analysis.selection import oster

few = settings(max_examples=8, deadline=None, derandomize=True)
DARFUR = (
    "peacefactor ~ directlyharmed + age + farmer_dar + herder_dar + pastvoted + hhsize_darfur"
    " + female | village"
)


def made_up(seed: int, *, harm: float = 0.6) -> pd.DataFrame:
    """An unbalanced panel of known numbers with a control z and a confounder u."""
    rng = np.random.default_rng(seed)
    rows = pd.DataFrame({"unit": np.repeat(range(10), 7), "year": list(range(7)) * 10})
    rows["z"], rows["v"], rows["u"] = rng.normal(size=(3, 70))
    rows["x"] = 0.4 * rows["z"] + harm * rows["u"] + rows["unit"] / 5 + rng.normal(size=70)
    rows["y"] = rows["x"] - rows["z"] + 0.3 * rows["v"] + harm * rows["u"] + rows["year"] / 2
    rows["y"] += rng.normal(size=70)
    rows["people"] = rng.uniform(0.5, 5, size=70)
    return rows[rng.uniform(size=70) > 0.1].reset_index(drop=True)


@functools.cache
def fitted(seed: int = 0) -> Fit:
    return fit_panel("y ~ x + z + v | unit + year", made_up(seed), cluster="unit", weights="people")


def classical(rows: pd.DataFrame, outcome: str, slopes: list[str], effects: list[str]) -> object:
    """Weighted least squares with a dummy for every level, by statsmodels."""
    dummies = [
        pd.get_dummies(rows[name], prefix=name, drop_first=place > 0, dtype=float)
        for place, name in enumerate(effects)
    ]
    design = pd.concat([rows[slopes], *dummies], axis=1)
    design = design if effects else sm.add_constant(design)
    return sm.WLS(rows[outcome], design, weights=rows["people"]).fit()


@pytest.fixture(scope="module")
def darfur(replication: Path) -> Fit:
    data = pd.read_csv(replication / "sensemakr_darfur" / "darfur.csv")
    return fit_panel(DARFUR, data, cluster="village")


class TestDarfur:
    """Cinelli and Hazlett (2020) and the output of their programs on the same data."""

    def test_every_published_statistic_is_reproduced(self, darfur: Fit, replication: Path) -> None:
        published = pd.read_csv(replication / "published.csv")
        published = published[published["folder"] == "sensemakr_darfur"]
        ours = sensitivity(darfur, "directlyharmed").statistics.rename(
            {"std_error": "se", "partial_r2": "partial R2", "rv": "RV q=1",
             "rv_alpha": "RV q=1 alpha=.05"}
        )  # fmt: skip
        table = published.set_index("quantity")[["published", "recomputed"]].assign(ours=ours)
        print(table.assign(difference=table["ours"] - table["published"]).to_string())
        assert len(table) == 5
        np.testing.assert_allclose(table["ours"], table["published"], atol=0.5e-5)
        np.testing.assert_allclose(table["ours"], table["recomputed"], atol=0.6e-6)
        assert ours["degrees_of_freedom"] == 783  # residual degrees of R's lm with the dummies

    @pytest.mark.parametrize(
        ("benchmark", "kd", "row"),
        [
            # r2dz.x, r2yz.dx, adjusted estimate, error, t and interval of PySensemakr 0.0.8
            # (pandas 2.1), on the regression with a dummy for every village. To three or more
            # digits the rows of "female" are those of the R package's own documentation.
            ("female", 1, [0.0091642867, 0.1246409230, 0.0752202712, 0.0218733277, 3.4389038602,
                           0.0322829657, 0.1181575767]),
            ("female", 2, [0.0183285734, 0.2493240642, 0.0529151724, 0.0203500621, 2.6002462391,
                           0.0129680348, 0.0928623099]),
            ("female", 3, [0.0274928600, 0.3740504710, 0.0303960235, 0.0186700648, 1.6280620213,
                           -0.0062532823, 0.0670453292]),
            ("age", 2, [0.0022340256, 0.0162145591, 0.0933947163, 0.0231077903, 4.0416982859,
                        0.0480341630, 0.1387552697]),
            (("farmer_dar", "herder_dar"), 3, [0.0242722822, 0.0076717143, 0.0883257480,
                                               0.0234685323, 3.7635820890, 0.0422570585,
                                               0.1343944374]),
        ],
    )  # fmt: skip
    def test_bounds_are_those_of_an_independent_program(
        self, darfur: Fit, benchmark: str, kd: float, row: list[float]
    ) -> None:
        found = sensitivity(darfur, "directlyharmed", benchmarks=[benchmark], kd=[kd]).tidy()
        names = ["r2dz_x", "r2yz_dx", "estimate", "std_error", "statistic", "ci_low", "ci_high"]
        ours = found[names].iloc[1].to_numpy(float)
        np.testing.assert_allclose(ours[:5], row[:5], atol=1e-9)
        # That program's interval does not take off the degree of freedom of the confounder.
        np.testing.assert_allclose(ours[5:], row[5:], atol=1e-6)
        assert (ours[5] < row[5]) & (ours[6] > row[6])

    def test_other_q_alpha_and_ky_are_those_of_an_independent_program(self, darfur: Fit) -> None:
        # PySensemakr 0.0.8 with q=0.5, alpha=0.1, kd=[1, 2], ky=[3, 1].
        found = sensitivity(
            darfur, "directlyharmed", benchmarks=["female"], kd=[1, 2], ky=[3, 1], q=0.5, alpha=0.1
        )
        told = found.statistics
        assert told["rv"] == pytest.approx(0.07202697579560455, abs=1e-9)
        assert told["rv_alpha"] == pytest.approx(0.015754819301886335, abs=1e-9)
        np.testing.assert_allclose(
            found.tidy()[["r2dz_x", "r2yz_dx", "estimate", "statistic"]].iloc[1:],
            [
                [0.0091642867, 0.3710579641, 0.0591920942, 0.5681642084],
                [0.0183285734, 0.1256059322, 0.0658011848, 0.7805499554],
            ],
            atol=1e-9,
        )


class TestAlgebra:
    @few
    @given(st.integers(0, 500), st.sampled_from([[], ["unit"], ["unit", "year"]]))
    def test_the_adjusted_estimate_is_that_of_controlling_for_the_confounder(
        self, seed: int, effects: list[str]
    ) -> None:
        rows = made_up(seed)
        right = " | " + " + ".join(effects) if effects else ""
        found = sensitivity(fit_panel(f"y ~ x + z{right}", rows, weights="people"), "x")
        long = classical(rows, "y", ["x", "z", "u"], effects)
        short = classical(rows, "y", ["x", "z"], effects)
        with_u, without_u = (
            classical(rows, "x", slopes, effects) for slopes in (["z", "u"], ["z"])
        )
        told = found.statistics
        assert told["degrees_of_freedom"] == short.df_resid
        assert told["estimate"] == pytest.approx(short.params["x"], rel=1e-9)
        assert told["std_error"] == pytest.approx(short.bse["x"], rel=1e-9)
        toward_zero = abs(long.params["x"]) < abs(short.params["x"]) and (
            long.params["x"] * short.params["x"] > 0
        )
        left = found.adjusted(
            1 - with_u.ssr / without_u.ssr, 1 - long.ssr / short.ssr, increase=not toward_zero
        ).iloc[0]
        assert left["estimate"] == pytest.approx(long.params["x"], rel=1e-8)
        assert left["std_error"] == pytest.approx(long.bse["x"], rel=1e-8)

    @few
    @given(st.floats(0.02, 8), st.floats(0.3, 2), st.integers(5, 800))
    def test_robustness_values_are_the_least_strength_that_does_it(
        self, t: float, q: float, dof: int
    ) -> None:
        from crime_analysis.inference.omitted import robustness

        f, edge = q * t / np.sqrt(dof), stats.t(dof - 1).ppf(0.975) / np.sqrt(dof - 1)
        assert robustness(f, edge) <= robustness(f, 0.0) < 1
        for line in (0.0, edge):
            strength = robustness(f, line)

            # The least partial f that confounders up to a strength leave: their share of the
            # term is best used to the full, that of the outcome not always.
            def least(strength: float, line: float = line) -> float:
                y = np.linspace(0, strength, 2001)
                return float(
                    np.min(f - np.sqrt(y * strength / (1 - strength))
                           - line * np.sqrt((1 - y) / (1 - strength)))
                )  # fmt: skip

            if strength == 0:
                assert f <= line
            else:
                assert least(strength * 1.0001) <= 1e-6
                assert least(strength * 0.99) > 0

    @pytest.mark.parametrize("group", [("z",), ("z", "v"), ("year",)])
    def test_one_times_a_benchmark_is_what_leaving_it_out_shows(self, group: tuple) -> None:
        rows = made_up(0)
        full = {"slopes": ["z", "v"], "effects": ["unit", "year"]}
        short = {part: [n for n in names if n not in group] for part, names in full.items()}
        term = classical(rows, "x", full["slopes"], full["effects"])
        term_short = classical(rows, "x", short["slopes"], short["effects"])
        outcome = classical(rows, "y", ["x", *full["slopes"]], full["effects"])
        outcome_short = classical(rows, "y", ["x", *short["slopes"]], short["effects"])
        d = 1 - term.ssr / term_short.ssr
        y = 1 - outcome.ssr / outcome_short.ssr
        found = sensitivity(fitted(), "x", benchmarks=[group], kd=[0.5]).bounds.iloc[0]
        assert found["r2dz_x"] == pytest.approx(0.5 * d / (1 - d), rel=1e-8)
        shared = 0.5 * d**2 / ((1 - 0.5 * d) * (1 - d))
        expected = (np.sqrt(0.5) + np.sqrt(shared)) ** 2 / (1 - shared) * y / (1 - y)
        assert found["r2yz_dx"] == pytest.approx(min(expected, 1), rel=1e-8)

    def test_reported_errors_take_the_place_of_classical_ones(self) -> None:
        clustered = sensitivity(fitted(), "x", benchmarks=["v"], kd=[1])
        own = fitted().term("x")
        first = clustered.tidy().iloc[0]
        assert first["std_error_reported"] == pytest.approx(own["std_error"])
        assert first["ci_low_reported"] == pytest.approx(own["ci_low"])
        assert first["ci_high_reported"] == pytest.approx(own["ci_high"])
        # At the robustness value the interval's end is zero, whatever the errors.
        told = clustered.statistics
        for name, error in (("rv_alpha", ""), ("rv_alpha_reported", "_reported")):
            left = clustered.adjusted(told[name], told[name]).iloc[0]
            assert left[f"ci_low{error}"] == pytest.approx(0, abs=1e-9)

    def test_an_estimate_that_its_own_errors_cannot_tell_has_no_robustness(self) -> None:
        rows = made_up(1).assign(y=np.random.default_rng(1).normal(size=len(made_up(1))))
        fit = fit_panel("y ~ x + z | unit", rows, cluster="unit")
        assert fit.term("x")["p_value"] > 0.05
        found = sensitivity(fit, "x")
        assert found.statistics["rv_alpha_reported"] == 0
        assert "cannot be told" in found.explain()
        assert "cannot be told" in found.plot().title

    def test_order_and_labels_of_rows_and_units_do_not_matter(self) -> None:
        mixed = made_up(0).sample(frac=1, random_state=1)
        mixed.index = [f"row {i}" for i in range(len(mixed))]
        mixed[["x", "z", "v"]] *= [1000, 1e-3, 7]
        fit = fit_panel("y ~ x + z + v | unit + year", mixed, cluster="unit", weights="people")
        one, two = (
            sensitivity(f, "x", benchmarks=["z", ["z", "v"]], kd=[0.5]) for f in (fitted(), fit)
        )
        np.testing.assert_allclose(one.statistics["rv":], two.statistics["rv":], rtol=1e-8)
        np.testing.assert_allclose(one.tidy()["estimate"], 1000 * two.tidy()["estimate"], rtol=1e-8)


class TestImpossible:
    def test_a_strength_that_cannot_be_is_said_and_not_computed(self) -> None:
        rows = made_up(0)
        rows["z"] = rows["x"] + 0.5 * rows["z"]
        fit = fit_panel("y ~ x + z + v | unit", rows, cluster="unit")
        found = sensitivity(fit, "x", benchmarks=["z"], kd=[3])
        assert found.bounds["note"].iloc[0].startswith("impossible: the benchmark alone explains")
        assert found.tidy().iloc[1][["estimate", "ci_low"]].isna().all()
        assert "Without a benchmark" in found.explain()
        assert found.plot().svg

    def test_more_than_all_of_the_outcome_is_taken_as_all_and_leaves_no_interval(self) -> None:
        rows = made_up(0)
        rows["y"] = 10 * rows["v"] + 0.1 * rows["x"] + 0.01 * rows["y"]
        rows["x"] += 0.2 * rows["v"]
        fit = fit_panel("y ~ x + z + v | unit", rows, cluster="unit")
        row = sensitivity(fit, "x", benchmarks=["v"], kd=[1]).tidy().iloc[1]
        assert row["r2yz_dx"] == 1
        assert "taken as all" in row["note"]
        assert np.isnan(row["ci_low"])


class TestOster:
    @few
    @given(
        st.integers(0, 500), st.sampled_from([0.5, 1.0, 2.0, -0.7]), st.floats(0.3, 2),
        st.booleans(),
    )  # fmt: skip
    def test_delta_and_effect_of_data_made_with_them_come_back_exactly(
        self, seed: int, delta: float, strength: float, weighted: bool
    ) -> None:
        rows, r_max, beta = self.selected(seed, delta, strength, weighted)
        fit = fit_panel("y ~ x + w | unit", rows, weights="people" if weighted else None)
        found = oster(fit, "x", r_max=r_max, beta=beta)
        assert found.delta == pytest.approx(delta, rel=1e-6)
        if delta == 1:
            assert found.adjusted == pytest.approx(beta, abs=1e-6)

    @staticmethod
    def selected(
        seed: int, delta: float, strength: float, weighted: bool
    ) -> tuple[pd.DataFrame, float, float]:
        """Data in which selection on an unobserved index is delta times that on the observed."""
        rng = np.random.default_rng(seed)
        unit = np.repeat(range(8), 10)
        people = rng.uniform(0.5, 4, size=80) if weighted else np.ones(80)
        root = np.sqrt(people)[:, None]
        dummies = root * (unit[:, None] == np.arange(8))
        raw = np.column_stack([dummies, rng.normal(size=(80, 4))])
        w, hidden, eta, noise = (np.linalg.qr(raw)[0][:, 8:] / root).T * np.sqrt(80)
        index, hidden = strength * w, 0.8 * hidden  # observed and unobserved parts of the outcome
        beta = 0.5
        x = 0.6 * index + delta * 0.6 * hidden + 1.5 * eta
        y = beta * x + index + hidden + noise
        total = float(np.sum(people * y**2))
        r_max = 1 - float(np.sum(people * noise**2)) / total
        rows = pd.DataFrame({"unit": unit, "people": people, "w": w, "x": x, "y": y + unit})
        return rows, r_max, beta

    @few
    @given(st.integers(0, 500))
    def test_more_of_the_same_moves_the_estimate_further_the_same_way(self, seed: int) -> None:
        fit = fit_panel("y ~ x + z + v | unit", made_up(seed))
        found = oster(fit, "x")
        without, with_ = found.table["estimate"]
        assert (found.adjusted - with_) * (with_ - without) >= 0
        again = oster(fit, "x", beta=found.adjusted)
        assert again.delta == pytest.approx(1, rel=1e-6)

    def test_r2_are_within_the_fixed_effects_and_other_slopes(self) -> None:
        found = oster(fitted(), "x", controls=["z"])
        rows = made_up(0)
        left = {
            name: classical(rows, name, ["v"], ["unit", "year"]).resid for name in ("x", "y", "z")
        }
        root = np.sqrt(rows["people"])
        left = pd.DataFrame(left).mul(root, axis=0)
        for row, names in (("without controls", ["x"]), ("with controls", ["x", "z"])):
            plain = sm.OLS(left["y"], left[names]).fit()
            assert found.table.loc[row, "estimate"] == pytest.approx(plain.params["x"], rel=1e-8)
            assert found.table.loc[row, "r_squared"] == pytest.approx(plain.rsquared, rel=1e-8)
        assert found.r_max == pytest.approx(1.3 * found.table.loc["with controls", "r_squared"])
        assert "Oster's delta of x" in found.summary()
        assert "delta 1" in found.explain()

    def test_r_max_out_of_range_and_fits_without_controls_are_refused(self) -> None:
        with pytest.raises(ParameterError, match="above the R2 with controls"):
            oster(fitted(), "x", r_max=0.01)
        with pytest.raises(ParameterError, match="r_max = '1'"):
            oster(fitted(), "x", r_max="1")
        with pytest.raises(ParameterError, match="at most 1"):
            oster(fitted(), "x", r_max=1.2)
        with pytest.raises(UnknownNameError, match="z"):
            oster(fitted(), "x", controls=["zz"])
        with pytest.raises(ModelError, match="add controls"):
            oster(fit_panel("y ~ x | unit", made_up(0)), "x")
        with pytest.raises(ModelError, match="add controls"):
            oster(fitted(), "x", controls=[])


class TestRefusals:
    def test_instruments_and_counts_are_refused_with_what_to_do(self) -> None:
        rows = made_up(0).assign(n=lambda r: (r["y"] + 20).round())
        instrumented = fit_panel("y ~ z | unit | x ~ u", rows, cluster="unit")
        counts = fit_panel("n ~ x + z | unit", rows, family="poisson", cluster="unit")
        for function in (sensitivity, oster):
            with pytest.raises(ModelError, match="reduced form"):
                function(instrumented, "x")
            with pytest.raises(ModelError, match="logarithm of the rate"):
                function(counts, "x")

    def test_unknown_terms_and_benchmarks_get_the_nearest(self) -> None:
        with pytest.raises(UnknownNameError, match="nearest: x"):
            sensitivity(fitted(), "xx")
        with pytest.raises(UnknownNameError, match="nearest: year"):
            sensitivity(fitted(), "x", benchmarks=["years"])

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"benchmarks": ["x"]}, "the term itself"),
            ({"benchmarks": [[]]}, "empty"),
            ({"kd": [0]}, "positive"),
            ({"kd": []}, "positive"),
            ({"kd": [1, 2], "ky": [1]}, "as many"),
            ({"kd": "strong"}, "positive"),
            ({"q": 0}, "q = 0"),
            ({"q": "1"}, "q = '1'"),
            ({"q": float("nan")}, "q = nan"),
            ({"alpha": 1}, "alpha = 1"),
        ],
    )
    def test_arguments_out_of_range(self, options: dict, said: str) -> None:
        with pytest.raises(ParameterError, match=said):
            sensitivity(fitted(), "x", **options)

    def test_strengths_out_of_range(self) -> None:
        with pytest.raises(ParameterError, match=r"\[0, 1\)"):
            sensitivity(fitted(), "x").adjusted(1.0, 0.5)

    def test_the_intercept_is_no_slope(self) -> None:
        with pytest.raises(ParameterError, match="about a slope"):
            sensitivity(fit_panel("y ~ x", made_up(0)), "Intercept")


def test_what_is_shown_comes_from_tidy() -> None:
    found: Sensitivity = sensitivity(fitted(), "x", benchmarks=["z", "v"])
    figure = found.plot()
    pd.testing.assert_frame_equal(figure.data.set_index("term"), found.tidy())
    assert f"{found.statistics['rv']:.1%}" in figure.title
    assert "2x z leaves" in figure.alt
    assert "clustered by unit" in found.summary()
    assert found.explain().count("cannot tell") == 1
