"""Group-time effects: published and independent numbers, honest errors, and refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from crime_analysis.errors import ModelError, ParameterError, UnknownNameError
from crime_analysis.models.group_time import GroupTime, group_time_effects

REFERENCE = Path(__file__).parent / "reference" / "group_time.json"
STORED = json.loads(REFERENCE.read_text())


def made_up(seed: int, units: int = 40, effect: float = 1.0) -> pd.DataFrame:
    """A balanced panel of 2001 to 2007; units start in 2003, 2005 or never."""
    rng = np.random.default_rng(seed)
    panel = pd.DataFrame(
        [(f"unit {u:02}", 2001 + t) for u in range(units) for t in range(7)],
        columns=["unit", "year"],
    )
    panel["began"] = np.resize([2003.0, 2005.0, np.nan, np.nan], units).repeat(7)
    panel["people"] = rng.integers(1, 9, units).repeat(7) + 0.0
    panel["y"] = rng.normal(size=len(panel)) + 0.2 * panel["year"]
    panel["y"] += rng.normal(size=units).repeat(7)
    panel["y"] += effect * (panel["year"] >= panel["began"])
    return panel


def effects(data: pd.DataFrame, **options: Any) -> GroupTime:
    return group_time_effects(data, "y", "unit", "year", "began", **options)


class TestPublished:
    def test_castle_doctrine_effects_are_csdids(self, replication: Path) -> None:
        data = pd.read_stata(replication / "cheng_hoekstra_2013" / "castle_mixtape.dta")
        table = pd.read_csv(replication / "published.csv")
        table = table[table["quantity"].str.startswith("Callaway-Sant'Anna")]
        table.index = table["quantity"].str.extract(r"T\+(\d)", expand=False).radd("rel ")
        ours = group_time_effects(data, "l_homicide", "sid", "year", "effyear").tidy()
        shown = table[["published"]].assign(ours=ours["estimate"])
        shown["difference"] = shown["ours"] - shown["published"]
        print(shown.to_string())
        assert len(shown) == 6
        assert (shown["difference"].abs() <= 5.001e-6).all()
        # csdid 0.4.3 on the same file: standard error of ATT(2005, 2010), the only cell of T+5.
        assert ours.loc["rel 5", "std_error"] == pytest.approx(0.05085404, abs=1e-8)

    @pytest.mark.parametrize(
        "case",
        STORED["cases"],
        ids=lambda c: f"{c['comparison']}-{c['weights']}-{c['anticipation']}-{c['never']}",
    )
    def test_estimates_and_errors_of_every_aggregate_are_csdids(self, case: dict[str, Any]) -> None:
        # csdid 0.4.3 by tests/reference/group_time.py; there zero means never.
        data = pd.DataFrame(STORED["panels"][str(case["never"])])
        data["start"] = data["start"].where(data["start"] > 0)
        ours = group_time_effects(
            data, "y", "unit", "year", "start", comparison=case["comparison"],
            weights=case["weights"], anticipation=case["anticipation"],
        )  # fmt: skip
        labels = {
            "dynamic": ("event", "rel {}"), "group": ("group", "group {}"),
            "calendar": ("calendar", "period {}"), "simple": ("simple", "{}"),
            "group_time": ("group_time", "{}"),
        }  # fmt: skip
        for theirs, (kind, label) in labels.items():
            found = {
                ("simple" if kind == "simple" else "average after")
                if name == "overall"
                else label.format(name): numbers
                for name, numbers in case["found"][theirs].items()
            }
            table = ours.tidy(kind)
            # At the base period theirs is a zero without error, ours is no estimate.
            at_base = [n for n, (e, s) in found.items() if e == 0 and np.isnan(s)]
            assert sorted(table.index) == sorted(set(found) - set(at_base))
            numbers = pd.DataFrame(found, index=["estimate", "std_error"]).T.loc[table.index]
            np.testing.assert_allclose(table[numbers.columns], numbers, rtol=1e-10, atol=1e-12)


class TestCells:
    def test_a_cell_is_a_difference_of_differences(self) -> None:
        data = made_up(1)
        ours = effects(data, weights="people")
        wide = data.pivot(index="unit", columns="year", values="y")
        of_unit = data.drop_duplicates("unit").set_index("unit")
        moved = wide[2006] - wide[2004]

        def mean(some: pd.Series) -> float:
            return float(np.average(moved[some], weights=of_unit.loc[some, "people"]))

        by_hand = mean(of_unit["began"] == 2005) - mean(of_unit["began"].isna())
        assert ours.term("2005, 2006", "group_time")["estimate"] == pytest.approx(by_hand)
        assert set(ours.cells["base"]) == {2002, 2004}

    def test_not_yet_treated_are_used_until_they_start(self) -> None:
        data = made_up(2)
        ours = effects(data, comparison="not_yet").cells.set_index(["group", "period"])
        assert ours.loc[(2003, 2004), "compared"] == 30  # 20 never, 10 from 2005 on
        assert ours.loc[(2003, 2005), "compared"] == 20
        assert ours.loc[(2005, 2001), "compared"] == 20

    def test_anticipation_moves_the_base(self) -> None:
        ours = effects(made_up(3), anticipation=1)
        assert set(ours.cells["base"]) == {2001, 2003}
        assert ours.profile().loc["reference", "period"] == -2
        assert ours.tidy().loc["average after", "estimate"] == pytest.approx(
            ours.tidy().loc["rel 0":"rel 4", "estimate"].mean()
        )

    @settings(deadline=None, derandomize=True, max_examples=20)
    @given(seed=st.integers(0, 999), shift=st.floats(-9, 9))
    def test_levels_and_common_movements_do_not_matter(self, seed: int, shift: float) -> None:
        data = made_up(seed, units=12)
        rng = np.random.default_rng(seed)
        level = data["unit"].map(dict(zip(data["unit"].unique(), rng.normal(size=12), strict=True)))
        common = data["year"].map({year: shift * (year - 2003) ** 2 for year in range(2001, 2008)})
        moved = data.assign(y=data["y"] + level + common).sample(frac=1, random_state=seed)
        np.testing.assert_allclose(
            effects(data).tidy()["estimate"], effects(moved).tidy()["estimate"], atol=1e-9
        )

    def test_rows_may_come_in_any_order_with_any_index_and_keys(self) -> None:
        data = made_up(4)
        mixed = data.sample(frac=1, random_state=0).set_axis(["a"] * len(data))
        mixed["unit"] = mixed["unit"].astype("category").cat.add_categories("nowhere")
        pd.testing.assert_frame_equal(effects(data).tidy(), effects(mixed).tidy())


class TestErrors:
    def test_influences_are_the_jackknife_of_the_estimate(self) -> None:
        # Brute force: leave one unit out; for smooth averages both errors agree to order 1/n.
        data = made_up(5, units=120)
        units = data["unit"].unique()
        left = [
            effects(data[data["unit"] != u]).tidy("simple")["estimate"].iloc[0] for u in units[:120]
        ]
        n = len(units)
        jackknife = np.sqrt((n - 1) / n * np.sum((np.array(left) - np.mean(left)) ** 2))
        ours = effects(data).tidy("simple").loc["simple", "std_error"]
        assert ours == pytest.approx(jackknife, rel=0.05)

    def test_intervals_cover_the_truth(self) -> None:
        hit = []
        for seed in range(200):
            row = effects(made_up(seed, units=60)).tidy("simple").loc["simple"]
            hit.append(row["ci_low"] <= 1.0 <= row["ci_high"])
        assert 0.90 <= np.mean(hit) <= 0.99  # 0.95 and three Monte-Carlo errors of 0.015

    def test_bands_are_wider_than_intervals_and_repeat_with_the_seed(self) -> None:
        data = made_up(6)
        one, two = effects(data, B=499, rng=1).tidy(), effects(data, B=499, rng=1).tidy()
        pd.testing.assert_frame_equal(one, two)
        inside = one.drop("average after")
        ratio = (inside["band_high"] - inside["band_low"]) / (inside["ci_high"] - inside["ci_low"])
        assert ratio.min() > 1.1
        assert ratio.max() == pytest.approx(ratio.min())
        # Never wider than Bonferroni's by more than the error of 499 draws.
        assert ratio.max() < 1.1 * stats.norm.ppf(1 - 0.025 / len(inside)) / stats.norm.ppf(0.975)
        assert one.loc["average after", ["band_low", "band_high"]].isna().all()
        assert "band_low" not in effects(data).tidy()

    def test_small_groups_are_named_and_kept_out_of_the_test_before(self) -> None:
        data = made_up(7)
        assert effects(data).few() == []
        data.loc[data["unit"] == "unit 02", "began"] = 2007.0
        ours = effects(data)
        assert ours.few() == [2007.0]
        assert "Groups 2007 have fewer than 5 units" in ours.explain()
        # Only the group of one looks back further than four periods from its start.
        assert "rel -6" in ours.tidy().index
        assert ours.pre_trends()["df_num"] == 3

    def test_what_came_before_is_tested_jointly(self) -> None:
        data = made_up(8)
        row = effects(data).pre_trends()
        assert (row["df_num"], row["df_den"]) == (3, 37)
        assert row["p_value"] > 0.01
        data["y"] += data["began"].notna() * (data["year"] - 2004)
        assert effects(data).pre_trends()["p_value"] < 0.001

    def test_size_of_the_test_before_is_near_five_per_cent(self) -> None:
        found = [effects(made_up(s)).pre_trends()["p_value"] for s in range(200)]
        assert np.mean(np.array(found) < 0.05) < 0.10


class TestWords:
    def test_summary_and_plot_show_the_same_numbers(self) -> None:
        ours = effects(made_up(9, effect=3.0), B=199, rng=0)
        row = ours.term("average after")
        figure = ours.plot()
        assert f"{row['ci_low']:+.3g} to {row['ci_high']:+.3g}, clear of zero" in figure.title
        assert figure.data["period"].tolist() == list(range(-4, 5))
        assert "Thin grey: simultaneous band" in figure.source
        assert figure.svg == ours.plot().svg
        text = ours.summary()
        assert "40 units, 20 never treated; groups (units): 2003 (10), 2005 (10)" in text
        assert ours.explain() in text
        assert "on average over 5 times since the start: the interval excludes zero" in text

    def test_an_effect_that_is_not_clear_is_not_given_a_sign(self) -> None:
        ours = effects(made_up(11, effect=0.0))
        assert "the sign cannot be told" in ours.explain()
        assert "cannot tell the sign" in ours.plot().title

    def test_unknown_terms_and_kinds(self) -> None:
        ours = effects(made_up(11))
        with pytest.raises(UnknownNameError, match="nearest: rel 1"):
            ours.term("rel +1")
        with pytest.raises(UnknownNameError, match="nearest: event"):
            ours.tidy("events")


class TestSetAside:
    def test_units_with_gaps_and_the_always_treated_are_named(self) -> None:
        data = made_up(12)
        data.loc[data["unit"] == "unit 00", "began"] = 2001.0
        data.loc[8, "y"] = np.nan  # unit 01 in 2002
        data = data.drop(index=[15])  # unit 02 in 2002
        data.loc[data["unit"] == "unit 03", "people"] = np.nan
        ours = effects(data, weights="people")
        lost = ours.data_used[~ours.data_used["kept"]].drop_duplicates("unit")
        assert dict(zip(lost["unit"], lost["reason"], strict=True)) == {
            "unit 00": "unit treated from the first period on",
            "unit 01": "unit without y in some year",
            "unit 02": "unit without y in some year",
            "unit 03": "no people",
        }
        assert len(ours.groups) == 36
        rest = data[~data["unit"].isin(lost["unit"])]
        pd.testing.assert_frame_equal(ours.tidy(), effects(rest, weights="people").tidy())

    def test_a_period_without_outcomes_is_named(self) -> None:
        data = made_up(13)
        data.loc[data["year"] == 2007, "y"] = np.nan
        used = effects(data).data_used
        assert set(used.loc[~used["kept"], "reason"]) == {"no y in this year"}
        assert used["kept"].sum() == 6 * 40

    def test_a_start_after_the_last_period_is_never(self) -> None:
        data = made_up(14)
        late = data.assign(began=data["began"].fillna(2050.0))
        pd.testing.assert_frame_equal(effects(data).tidy(), effects(late).tidy())


class TestRefusals:
    def test_without_never_treated_it_says_what_to_do(self) -> None:
        data = made_up(20)
        data = data[data["began"].notna()]
        with pytest.raises(ModelError, match=r"no unit is never treated.*comparison='not_yet'"):
            effects(data)
        ours = effects(data, comparison="not_yet")
        assert ours.cells["group"].unique().tolist() == [2003.0]
        assert "nobody to compare with for groups 2005" in ours.summary()
        assert ours.cells["period"].max() == 2004

    def test_nobody_treated_or_all_at_once(self) -> None:
        data = made_up(21)
        with pytest.raises(ModelError, match="no unit starts treatment"):
            effects(data.assign(began=np.nan))
        with pytest.raises(ModelError, match="all units start treatment at once"):
            effects(data.assign(began=2003.0), comparison="not_yet")
        with pytest.raises(ModelError, match=r"no unit starts.*40 set aside: unit treated from"):
            effects(data.assign(began=1990.0))

    def test_nobody_left_to_compare_with_in_any_treated_period(self) -> None:
        data = made_up(21).assign(began=lambda d: d["began"].fillna(2004.0).clip(upper=2004.0))
        with pytest.raises(ModelError, match="no treated period has anybody to compare with"):
            effects(data, comparison="not_yet", anticipation=1)

    def test_start_and_weights_are_constant_in_a_unit(self) -> None:
        for column in ("began", "people"):
            data = made_up(22)
            data.loc[9, column] = 99.0
            with pytest.raises(ModelError, match=rf"'{column}' varies .*\(unit 01\)"):
                effects(data, weights="people")
        with pytest.raises(ModelError, match="weights 'people' must be positive"):
            effects(made_up(22).assign(people=0.0), weights="people")

    def test_panels_that_are_none(self) -> None:
        data = made_up(23)
        with pytest.raises(ModelError, match=r"repeat .*\(unit 00 2001\)"):
            effects(pd.concat([data, data.head(1)]))
        with pytest.raises(ModelError, match="one period"):
            effects(data[data["year"] == 2001])
        with pytest.raises(ModelError, match="no rows"):
            effects(data.head(0))
        with pytest.raises(ModelError, match="use one such as fy_start"):
            effects(data.assign(year=data["year"].astype(str)))
        with pytest.raises(ModelError, match="seen in 1 period"):
            effects(data.assign(y=data["y"].where(data["year"] == 2001)))

    def test_outcomes_that_are_no_numbers(self) -> None:
        data = made_up(24)
        with pytest.raises(ModelError, match="'y' is not numeric"):
            effects(data.assign(y="text"))
        with pytest.raises(ModelError, match="'y' is infinite"):
            effects(data.assign(y=data["y"].where(data.index > 0, -np.inf)))

    def test_arguments_out_of_range(self) -> None:
        data = made_up(25)
        with pytest.raises(UnknownNameError, match="nearest: never"):
            effects(data, comparison="nevr")
        with pytest.raises(UnknownNameError, match="nearest: people"):
            effects(data, weights="peeple")
        for wrong in ({"anticipation": -1}, {"B": 1.5}, {"B": True}):
            with pytest.raises(ParameterError, match="whole number"):
                effects(data, **wrong)

    def test_a_call_without_a_seed_gives_the_same_numbers_again(self) -> None:
        data = made_up(26)
        one, two = (effects(data, B=99).tidy("event") for _ in range(2))
        pd.testing.assert_frame_equal(one, two)
