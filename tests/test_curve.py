"""The specification curve: fast numbers equal slow ones, and no specification goes unnamed.

The slow ones are `fit_panel` and statsmodels with a dummy for every fixed effect, one regression
at a time; the joint test is compared with refitting every draw.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from crime_analysis.curve import SpecificationCurve, Universe, specification_curve
from crime_analysis.errors import ModelError, ParameterError, UnknownNameError
from crime_analysis.models.batched import absorb, moments, resample, solve
from crime_analysis.models.panel_regression import fit_panel
from crime_analysis.models.specifications import Specifications
from crime_analysis.models.universe import read_columns
from crime_analysis.panel import force_panel

LONDON = "force != 'Metropolitan Police'"


@functools.cache
def shipped() -> pd.DataFrame:
    panel = force_panel()
    per_1000 = 1000 / panel["population"]
    return panel.assign(log_officers_end_per_1000=np.log(panel["officers_end_fte"] * per_1000))


def made_up(seed: int, units: int = 20, years: int = 8, loss: float = 0.0) -> pd.DataFrame:
    """A panel of known numbers; some rows gone, some values missing, rows in any order."""
    rng = np.random.default_rng(seed)
    panel = pd.DataFrame(
        list(itertools.product([f"unit {u}" for u in range(units)], range(2000, 2000 + years))),
        columns=["unit", "year"],
    )
    n = len(panel)
    level = rng.normal(size=units).repeat(years)
    for name in ("x", "x2", "a", "b", "y", "y2"):
        panel[name] = rng.normal(size=n) + 3 * level
    panel["y"] += panel["x"] - panel["a"]
    panel["people"] = rng.uniform(0.5, 20, size=n)
    panel["region"] = panel["unit"].str[-1]
    for name in ("x", "a", "y2", "people"):
        panel.loc[rng.uniform(size=n) < loss / 5, name] = np.nan
    return panel[rng.uniform(size=n) >= loss].sample(frac=1, random_state=seed)


def small(**changes: Any) -> Universe:
    given: dict[str, Any] = {
        "outcomes": ["y"],
        "measures": ["x"],
        "unit": "unit",
        "time": "year",
        "controls": {"none": [], "a": ["a"]},
    }
    return Universe(**given | changes)


def one(universe: Universe, data: pd.DataFrame, **options: Any) -> SpecificationCurve:
    return specification_curve(universe, data, **{"draws": 0, **options})


class TestNumbers:
    def test_shipped_panel_gives_the_numbers_of_fit_panel(self) -> None:
        panel = shipped()
        universe = Universe(
            outcomes=["log_violence_with_injury_per_1000", "log_robbery_per_1000"],
            measures=["log_officers_per_1000", "log_officers_end_per_1000"],
            unit="force",
            time="fy_start",
            samples={"all": None, "without London": LONDON, "from 2010": "fy_start >= 2010"},
            controls={"none": [], "funding": ["log_population", "log_funding_real"]},
            fixed_effects={"both": ["force", "fy_start"], "force": ["force"], "none": []},
            weights=[None, "population"],
            lags=[0, 1],
        )
        table = one(universe, panel).table
        assert (table["reason"] == "").all()
        before = panel.assign(fy_start=panel["fy_start"] + 1)
        for measure in universe.measures:
            earlier = before[["force", "fy_start", measure]]
            earlier = earlier.rename(columns={measure: f"{measure}_1"})
            panel = panel.merge(earlier, on=["force", "fy_start"], how="left")
        for row in table.sample(16, random_state=0).itertuples():
            slopes = [row.measure if row.lag == 0 else f"{row.measure}_1"]
            effects = universe.fixed_effects[row.fixed_effects]
            formula = f"{row.outcome} ~ {' + '.join([*slopes, *universe.controls[row.controls]])}"
            formula += f" | {' + '.join(effects)}" if effects else ""
            rule = universe.samples[row.sample]
            fit = fit_panel(
                formula,
                panel if rule is None else panel.query(str(rule)),
                cluster="force",
                weights=None if row.weights == "none" else row.weights,
            )
            numbers = ["estimate", "std_error", "p_value", "ci_low", "ci_high"]
            np.testing.assert_allclose(
                table.loc[row.Index, numbers].astype(float), fit.term(slopes[0])[numbers], rtol=1e-8
            )
            assert (row.nobs, row.n_clusters) == (fit.nobs, fit.n_clusters)

    def test_a_line_for_every_force_is_that_of_fit_panel_with_interactions(self) -> None:
        universe = Universe(
            outcomes=["log_robbery_per_1000"],
            measures=["log_officers_per_1000"],
            unit="force",
            time="fy_start",
            fixed_effects={"trends": ["force", "fy_start", "force[fy_start]"]},
            weights=["population"],
        )
        row = one(universe, shipped()).table.iloc[0]
        panel = shipped().assign(since=shipped()["fy_start"] - 2012)
        fit = fit_panel(
            "log_robbery_per_1000 ~ log_officers_per_1000 + i(force, ref='Kent'):since"
            " | force + fy_start",
            panel,
            cluster="force",
            weights="population",
        )
        theirs = fit.term("log_officers_per_1000")
        assert row["estimate"] == pytest.approx(theirs["estimate"], rel=1e-8)
        assert row["std_error"] == pytest.approx(theirs["std_error"], rel=1e-8)

    @settings(max_examples=6, deadline=None, derandomize=True)
    @given(
        seed=st.integers(0, 10_000),
        loss=st.sampled_from([0.0, 0.2, 0.5]),
        cluster=st.sampled_from(["unit", "region", "year"]),
    )
    def test_random_panels_agree_with_statsmodels(
        self, seed: int, loss: float, cluster: str
    ) -> None:
        data = made_up(seed, loss=loss)
        universe = small(
            outcomes=["y", "y2"],
            weights=[None, "people"],
            cluster=cluster,
            fixed_effects={"both": ["unit", "year"], "year": ["year"], "none": []},
        )
        for row in one(universe, data).table.itertuples():
            assert row.reason == ""
            slopes = ["x", *universe.controls[row.controls]]
            effects = universe.fixed_effects[row.fixed_effects]
            weight = [] if row.weights == "none" else [row.weights]
            rows = data.dropna(subset=[row.outcome, *slopes, *weight])
            for _ in range(20):
                for effect in effects:
                    rows = rows[rows.groupby(effect)[effect].transform("size") > 1]
            dummies = [
                pd.get_dummies(rows[effect], prefix=effect, drop_first=place > 0, dtype=float)
                for place, effect in enumerate(effects)
            ]
            constant = [] if effects else [pd.Series(1.0, rows.index, name="constant")]
            fit = sm.WLS(
                rows[row.outcome],
                pd.concat([rows[slopes], *dummies, *constant], axis=1),
                weights=rows[weight[0]] if weight else 1.0,
            ).fit(
                cov_type="cluster",
                cov_kwds={"groups": pd.factorize(rows[cluster])[0], "use_correction": False},
            )
            groups = rows[cluster].nunique()
            levels = [rows[e].nunique() for e in effects if not _within(rows, e, cluster)]
            counted = len(slopes) + 1 + sum(levels) - len(levels)
            factor = groups / (groups - 1) * (len(rows) - 1) / (len(rows) - counted)
            assert row.nobs == len(rows)
            assert row.estimate == pytest.approx(fit.params["x"], rel=1e-8)
            assert row.std_error == pytest.approx(fit.bse["x"] * np.sqrt(factor), rel=1e-8)

    def test_order_and_labels_of_rows_do_not_matter(self) -> None:
        universe = small(weights=[None, "people"], lags=[0, 1])
        data = made_up(3, loss=0.2)
        first = one(universe, data, draws=9, rng=1, null="permutation")
        moved = data.sample(frac=1, random_state=9).set_axis(np.arange(len(data)) // 2, axis=0)
        second = one(universe, moved, draws=9, rng=1, null="permutation")
        pd.testing.assert_frame_equal(first.table, second.table, rtol=1e-9)
        pd.testing.assert_frame_equal(first.joint, second.joint, rtol=1e-9)

    def test_lags_go_by_the_calendar_and_before_samples_are_cut(self) -> None:
        data = made_up(4).query("not (unit == 'unit 3' and year == 2004)")
        late = {"late": "year >= 2003"}
        curve = one(small(controls={"none": []}, samples=late, lags=[1, -1]), data)
        # 20 units in 2003 to 2007 less the gap itself, and the year after (before) it; a lead
        # has no last year.
        assert curve.table["nobs"].tolist() == [98, 98 - 20]
        labelled = data.assign(year=[f"{y}/{(y + 1) % 100:02}" for y in data["year"]])
        again = one(
            small(controls={"none": []}, samples={"late": "year >= '2003/04'"}, lags=[1, -1]),
            labelled,
        )
        np.testing.assert_array_equal(again.table["estimate"], curve.table["estimate"])

    def test_very_large_and_very_small_units_change_nothing_but_the_unit(self) -> None:
        data = made_up(5)
        plain = one(small(), data).table
        scaled = one(small(), data.assign(x=data["x"] * 1e-9 + 1e-3, a=data["a"] * 1e9)).table
        np.testing.assert_allclose(scaled["estimate"] * 1e-9, plain["estimate"], rtol=1e-8)
        np.testing.assert_allclose(scaled["p_value"], plain["p_value"], rtol=1e-7)


def _within(rows: pd.DataFrame, effect: str, cluster: str) -> bool:
    return bool((rows.groupby(effect)[cluster].nunique() == 1).all())


class TestJointTest:
    @pytest.mark.parametrize("cluster", ["unit", "region", "year"])
    def test_fast_bootstrap_is_that_of_refitting_every_draw(self, cluster: str) -> None:
        data = made_up(6, loss=0.2).dropna().reset_index(drop=True)
        codes = {name: pd.factorize(data[name])[0] for name in ("unit", "year", cluster)}
        rows = np.arange(len(data))
        effects = [codes["unit"], codes["year"]]
        weights = data["people"].to_numpy()
        absorbed = absorb(rows, codes[cluster], effects, weights)
        products = moments(absorbed, data[["y", "x", "a"]].to_numpy()[absorbed.rows])
        flips = np.random.default_rng(0).choice([-1.0, 1.0], size=(len(absorbed.clusters), 6))
        fast = resample(products, np.array([[1, 2]]), np.array([0]), flips)
        design = pd.concat(
            [
                data[["x", "a"]],
                pd.get_dummies(data["unit"], dtype=float),
                pd.get_dummies(data["year"], drop_first=True, dtype=float),
            ],
            axis=1,
        )
        null = sm.WLS(data["y"], design.drop(columns="x"), weights=weights).fit()
        for draw in range(flips.shape[1]):
            outcome = null.fittedvalues + null.resid * flips[codes[cluster], draw]
            slow = sm.WLS(outcome, design, weights=weights).fit(
                cov_type="cluster", cov_kwds={"groups": codes[cluster], "use_correction": False}
            )
            assert fast[0][0, draw] == pytest.approx(slow.params["x"], rel=1e-8)
            assert fast[1][0, draw] == pytest.approx(slow.bse["x"], rel=1e-8)

    def test_draw_that_turns_no_residual_over_repeats_the_data(self) -> None:
        data = made_up(7)
        codes = [pd.factorize(data[name])[0] for name in ("unit", "year")]
        absorbed = absorb(np.arange(len(data)), codes[0], codes)
        products = moments(absorbed, data[["y", "x", "a"]].to_numpy()[absorbed.rows])
        slopes, outcome = np.array([[1, 2]]), np.array([0])
        fits = solve(products, slopes, outcome)
        estimate, spread = resample(products, slopes, outcome, np.ones((20, 1)))
        assert estimate[0, 0] == pytest.approx(fits.estimate[0], rel=1e-10)
        assert spread[0, 0] == pytest.approx(fits.spread[0], rel=1e-10)

    def test_permutation_is_that_of_swapping_paths_in_the_table(self) -> None:
        data = made_up(8, units=6, years=5).sort_values(["unit", "year"])
        curve = one(small(), data, draws=9, rng=5, null="permutation")
        rng = np.random.default_rng(5)
        observed = curve.table["estimate"].median()
        paths = data.pivot(index="unit", columns="year", values="x").to_numpy()
        medians = []
        for _ in range(9):
            swapped = data.assign(x=paths[rng.permutation(6)].ravel())
            fits = [
                fit_panel(f"y ~ {slopes} | unit + year", swapped, cluster="unit")
                for slopes in ("x", "x + a")
            ]
            medians.append(np.median([fit.term("x")["estimate"] for fit in fits]))
        extreme = (np.abs(medians) >= abs(observed)).sum()
        assert curve.joint.loc["median effect", "p_value"] == pytest.approx((1 + extreme) / 10)
        low, high = np.quantile(medians, [0.025, 0.975])
        assert curve.joint.loc["median effect", "null_low"] == pytest.approx(low)
        assert curve.joint.loc["median effect", "null_high"] == pytest.approx(high)

    def test_statistics_are_those_of_simonsohn_and_others(self) -> None:
        curve = one(small(outcomes=["y", "y2"], measures=["x", "x2"]), made_up(9), draws=20, rng=0)
        table = curve.table
        z = stats.norm.isf(table["p_value"] / 2) * np.sign(table["estimate"])
        significant = table["p_value"] < 0.05
        share = max((significant & (table["estimate"] * side > 0)).mean() for side in (1, -1))
        np.testing.assert_allclose(
            curve.joint["observed"],
            [table["estimate"].median(), share, z.sum() / np.sqrt(len(table))],
        )
        assert 0 < share < 1

    @pytest.mark.parametrize("null", ["bootstrap", "permutation"])
    def test_an_effect_is_found_and_none_is_not(self, null: str) -> None:
        data = made_up(10)
        there = one(small(), data, draws=199, rng=1, null=null)
        assert there.joint.loc["Stouffer's Z", "p_value"] <= 0.01
        assert there.verdict == "association"
        absent = one(small(outcomes=["y2"], measures=["x2"]), data, draws=199, rng=1, null=null)
        assert (absent.joint["p_value"] > 0.05).all()
        assert absent.verdict == "cannot tell"
        assert len(absent.null_curve) == 2
        assert (absent.null_curve["low"] < absent.null_curve["high"]).all()

    def test_same_seed_gives_same_numbers_and_another_does_not(self) -> None:
        data = made_up(11)
        first, same, other = (one(small(), data, draws=99, rng=seed) for seed in (1, 1, 2))
        pd.testing.assert_frame_equal(first.joint, same.joint, check_exact=True)
        assert not first.null_curve.equals(other.null_curve)

    @pytest.mark.parametrize("units", [5, 11, 12])
    def test_few_clusters_get_more_than_two_multipliers(self, units: int) -> None:
        # Turned over by plus and minus one alone, five clusters give at most 2**4 sizes.
        data, universe = made_up(12, units=units), small(controls={"none": []})
        labels = np.arange(len(data))
        columns, table = read_columns(universe, data), universe.specifications()
        every = Specifications(universe, columns, table, labels, "nested")
        drawn, _ = every.bootstrap(every.estimate(), 400, np.random.default_rng(0))
        assert len(np.unique(np.abs(drawn[0]).round(12))) > 200

    def test_without_draws_there_is_no_joint_test(self) -> None:
        curve = one(small(), made_up(13))
        assert curve.joint["p_value"].isna().all()
        assert curve.null_curve.empty
        assert curve.verdict == "cannot tell"
        assert "No joint test was asked for" in curve.summary()


class TestRefusals:
    def test_one_that_cannot_be_estimated_is_named_and_the_rest_go_on(self) -> None:
        data = made_up(14)
        data["twin"] = data["x"] * 2
        data["fixed"] = data.groupby("unit")["a"].transform("mean")
        data["sum"] = data["a"] + data["b"]
        data["nought"] = np.where(data["unit"] == "unit 7", -np.inf, data["y"])
        data["never"] = np.nan
        data["negative"] = data["people"] - 10
        universe = small(
            outcomes=["y", "nought"],
            measures=["x", "fixed", "never"],
            controls={
                "none": [], "twin": ["twin"], "three": ["a", "b", "sum"], "x": ["x"],
            },
            samples={
                "all": None,
                "one unit": "unit == 'unit 1'",
                "nobody": "year > 3000",
                "without 7": lambda frame: frame["unit"] != "unit 7",
            },
            weights=[None, "negative"],
        )  # fmt: skip
        table = one(universe, data).table
        assert len(table) == 2 * 3 * 4 * 4 * 2
        by = table.set_index(
            ["outcome", "measure", "sample", "controls", "weights"]
        ).sort_index()["reason"]  # fmt: skip
        good = [("y", "x", s, c, "none") for s in ("all", "without 7") for c in ("none",)]
        good += [("nought", "x", "without 7", "none", "none")]
        assert sorted(by[by == ""].index) == sorted(good)
        reasons = {
            ("y", "x", "all", "twin", "none"): "'x' cannot be told apart from the other terms",
            ("y", "x", "all", "three", "none"): "'sum' cannot be told apart",
            ("y", "x", "all", "x", "none"): "measure 'x' is also one of the controls",
            ("y", "fixed", "all", "none", "none"): "'fixed' does not vary beyond the fixed effects",
            ("y", "never", "all", "none", "none"): "no row of sample 'all' has all of the columns",
            ("y", "x", "one unit", "none", "none"): "every row of sample 'one unit' is the only",
            ("y", "x", "nobody", "none", "none"): "sample 'nobody' has no rows",
            ("nought", "x", "all", "none", "none"): "'nought' is infinite in 8 rows of sample 'all'"
            " (unit 7 200",
            ("y", "x", "all", "none", "negative"): "weights 'negative' are not positive",
        }
        for key, reason in reasons.items():
            assert by[key].startswith(reason), by[key]

    def test_one_cluster_is_named(self) -> None:
        universe = small(samples={"all": None, "1": "region == '1'"}, cluster="region")
        table = one(universe, made_up(15)).table
        refused = table[table["sample"] == "1"]
        assert refused["reason"].str.contains("one group of 'region'").all()
        assert (table.loc[table["sample"] == "all", "reason"] == "").all()

    def test_outcome_explained_exactly_has_no_error(self) -> None:
        data = made_up(16).assign(z=lambda frame: 3 * frame["x"])
        table = one(small(outcomes=["z", "y"], controls={"none": []}), data).table
        assert "explain the outcome exactly" in table["reason"].iloc[0]
        assert table["reason"].iloc[1] == ""

    def test_refused_specifications_are_counted_in_words(self) -> None:
        data = made_up(17).assign(twin=lambda frame: frame["x"] + 1)
        curve = one(small(controls={"none": [], "twin": ["twin"]}), data, draws=19, rng=0)
        assert "1 without an estimate: 'x' cannot be told apart" in curve.summary()
        assert len(curve.refused) == 1
        assert len(curve.tidy()) == 1
        assert "1 specifications could not be estimated" in curve.plot().source

    def test_permuting_paths_with_gaps_works(self) -> None:
        curve = one(small(lags=[0, 1]), made_up(18, loss=0.3), draws=20, rng=0, null="permutation")
        assert curve.joint["p_value"].between(1 / 21, 1).all()
        assert np.isfinite(curve.null_curve.to_numpy()).all()

    @pytest.mark.parametrize(
        ("changes", "error", "words"),
        [
            ({"outcomes": ["yy"]}, UnknownNameError, "unknown column 'yy'.*nearest: y"),
            ({"controls": {"c": ["peple"]}}, UnknownNameError, "nearest: people"),
            ({"cluster": "regions"}, UnknownNameError, "nearest: region"),
            ({"weights": ["persons"]}, UnknownNameError, "unknown column 'persons'"),
            ({"samples": {"s": "yaer > 3"}}, UnknownNameError, "sample 's'; nearest: year"),
            ({"measures": ["region"]}, ModelError, "'region' of the universe is not numeric"),
            ({"samples": {"s": "year >"}}, ParameterError, "sample 's' cannot be read"),
            ({"samples": {"s": "year + 1"}}, ParameterError, "say true or false"),
            ({"samples": {"s": lambda d: d["year"].head(3) > 1}}, ParameterError, "true or false"),
            ({"samples": {"s": "year > 3000"}}, ModelError, "none of the 2 .* has no rows"),
        ],
    )
    def test_bad_universe_is_refused_with_the_next_step(
        self, changes: dict[str, Any], error: type[Exception], words: str
    ) -> None:
        with pytest.raises(error, match=words):
            one(small(**changes), made_up(19))

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"outcomes": "y"}, "outcomes must be a list"),
            ({"outcomes": []}, "outcomes are empty"),
            ({"outcomes": [None]}, "outcomes are names of columns"),
            ({"measures": ["x", "x"]}, "measures hold the same thing twice: 'x'"),
            ({"controls": {"p": ["a", "b"], "q": ["b", "a"]}}, "controls hold the same thing"),
            ({"controls": ["a"]}, "controls must be a mapping"),
            ({"controls": {"a": "a"}}, "controls 'a' must be a list"),
            ({"lags": [0.5]}, "whole numbers of periods"),
            ({"fixed_effects": {"t": ["year", "unit[year]"]}}, "add 'unit'"),
        ],
    )
    def test_universe_that_says_nothing_or_too_much_cannot_be_declared(
        self, changes: dict[str, Any], words: str
    ) -> None:
        with pytest.raises(ParameterError, match=words):
            small(**changes)

    @pytest.mark.parametrize(
        ("options", "error", "words"),
        [
            ({"draws": -1}, ParameterError, "draws=-1"),
            ({"draws": 2.5}, ParameterError, "draws=2.5"),
            ({"level": 1.0}, ParameterError, "level=1.0"),
            ({"null": "bootstap"}, UnknownNameError, "nearest: bootstrap"),
            ({"small_sample": "nestd"}, UnknownNameError, "nearest: nested"),
        ],
    )
    def test_bad_options_are_refused(
        self, options: dict[str, Any], error: type[Exception], words: str
    ) -> None:
        with pytest.raises(error, match=words):
            one(small(), made_up(20), **options)

    def test_rows_must_be_named_once(self) -> None:
        data = made_up(21)
        with pytest.raises(ModelError, match="1 rows repeat a 'unit' and 'year'"):
            one(small(), pd.concat([data, data.head(1)]))
        with pytest.raises(ModelError, match="1 rows have no 'unit' or 'year'"):
            one(small(), data.assign(unit=data["unit"].where(np.arange(len(data)) > 0)))
        with pytest.raises(ModelError, match="there are no rows"):
            one(small(), data.head(0))
        with pytest.raises(ModelError, match="column 'year' does not count periods"):
            one(small(lags=[1]), data.assign(year=data["year"].map("year {}".format)))


class TestWhatIsSaid:
    def test_uncertainty_comes_before_direction(self) -> None:
        curve = one(small(outcomes=["y", "y2"]), made_up(22), draws=99, rng=3)
        first, second, *_ = curve.summary().splitlines()
        assert first.startswith("2 of 4 specifications exclude zero: 2 positive, 0 negative")
        assert second.startswith("Joint p ")
        p = curve.joint["p_value"]
        assert f"= {p.iloc[0]:.3f} (median effect)" in second
        assert second.endswith(f"from 99 wild cluster bootstraps: {curve.verdict}.")

    def test_tidy_is_sorted_and_named_by_what_varies(self) -> None:
        table = one(small(outcomes=["y", "y2"]), made_up(23)).tidy()
        assert table["estimate"].is_monotonic_increasing
        assert table.index.name == "term"
        assert table.index.is_unique
        assert set(table.index) == {
            f"outcome {y}, controls {c}" for y in ("y", "y2") for c in ("none", "a")
        }

    def test_choices_are_summed_up_one_by_one(self) -> None:
        curve = one(small(outcomes=["y", "y2"]), made_up(24))
        by = curve.by_choice()
        y = curve.table[curve.table["outcome"] == "y"]
        assert by.loc[("outcome", "y"), "median"] == y["estimate"].median()
        assert by.loc[("outcome", "y"), "positive"] == (y["ci_low"] > 0).sum()
        assert by.index.get_level_values("choice").unique().tolist() == ["outcome", "controls"]

    def test_wider_level_gives_wider_intervals(self) -> None:
        narrow, wide = (one(small(), made_up(25), level=level).table for level in (0.9, 0.99))
        reach = stats.t(19).ppf(0.995) * wide["std_error"]
        np.testing.assert_allclose(wide["ci_high"] - wide["estimate"], reach)
        assert (wide["ci_low"] < narrow["ci_low"]).all()

    @pytest.mark.parametrize("draws", [0, 39])
    def test_figure_says_the_finding_and_carries_its_numbers(self, draws: int) -> None:
        curve = one(small(outcomes=["y", "y2"]), made_up(26), draws=draws, rng=0)
        figure = curve.plot()
        assert figure.title.startswith("2 of 4 specifications exclude zero (2 above, 0 below)")
        assert ("joint p from" in figure.title) == bool(draws)
        assert "Median by choice: outcome y:" in figure.alt
        assert len(figure.data) == 4
        for name in (b"Outcome", b"y2", b"Controls", b"coefficient of the measure"):
            assert name in figure.svg
        assert curve.plot().svg == figure.svg

    def test_curves_of_one_and_of_hundreds_can_be_drawn(self) -> None:
        data = made_up(27, units=12)
        single = one(small(controls={"none": []}), data).plot()
        assert "The same throughout: outcome y, measure x, lag 0" in single.source
        names = ["x2", "a", "b", "people"]
        sets = [s for k in range(5) for s in itertools.combinations(names, k)]
        universe = small(
            outcomes=["y", "y2"],
            measures=["x"],
            controls={" + ".join(s) or "none": s for s in sets},
            samples={str(first): f"year >= {first}" for first in range(2000, 2005)},
        )
        figure = one(universe, data, draws=9, rng=0).plot()
        assert len(figure.data) == 160
        assert len(figure.svg) < 200_000
        assert dataclasses.replace(universe, outcomes=["y"]).specifications().shape == (80, 8)
