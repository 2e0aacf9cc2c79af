"""Formulas: each term is the column that one would have made by hand, and errors name the term."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from crime_analysis.errors import ModelError, UnknownNameError
from crime_analysis.models.formula import read
from crime_analysis.models.panel_regression import fit_panel


@pytest.fixture
def panel() -> pd.DataFrame:
    """Three units and five years, 2012 of unit b not there, in no order."""
    rng = np.random.default_rng(0)
    data = pd.DataFrame(
        [(u, y) for u in "abc" for y in range(2010, 2015) if (u, y) != ("b", 2012)],
        columns=["unit", "year"],
    )
    data["x"] = rng.uniform(1, 9, size=len(data))
    data["y"] = rng.normal(size=len(data))
    return data.sample(frac=1, random_state=1)


def value(frame: pd.DataFrame, panel: pd.DataFrame, unit: str, year: int, column: str) -> float:
    place = np.flatnonzero((panel["unit"] == unit) & (panel["year"] == year))[0]
    return float(frame[column].iloc[place])


class TestTerms:
    def test_a_lag_goes_by_the_calendar_and_not_by_the_row(self, panel: pd.DataFrame) -> None:
        design = read("y ~ lag(x, 1) + lag(x, 2) + diff(x) | unit + year", panel)
        held = panel.set_index(["unit", "year"])["x"]
        lag, two = "lag(x, 1)", "lag(x, 2)"
        assert value(design.slopes, panel, "a", 2011, lag) == held["a", 2010]
        assert value(design.slopes, panel, "b", 2014, lag) == held["b", 2013]
        assert np.isnan(value(design.slopes, panel, "b", 2013, lag))  # 2012 is not there
        assert value(design.slopes, panel, "b", 2013, two) == held["b", 2011]
        assert np.isnan(value(design.slopes, panel, "c", 2010, lag))
        moved = value(design.slopes, panel, "c", 2012, "diff(x)")
        assert moved == pytest.approx(held["c", 2012] - held["c", 2011])

    def test_a_negative_lag_is_a_lead(self, panel: pd.DataFrame) -> None:
        design = read("y ~ lag(x, -1) | unit + year", panel)
        held = panel.set_index(["unit", "year"])["x"]
        assert value(design.slopes, panel, "a", 2010, "lag(x, -1)") == held["a", 2011]

    def test_financial_years_follow_one_another(self, panel: pd.DataFrame) -> None:
        years = panel["year"].map(lambda y: f"{y}/{(y + 1) % 100:02d}")
        one = read("y ~ lag(x, 1) | unit + year", panel).slopes
        other = read("y ~ lag(x, 1) | unit + year", panel.assign(year=years)).slopes
        pd.testing.assert_frame_equal(one, other)

    def test_functions_nest(self, panel: pd.DataFrame) -> None:
        design = read("y ~ diff(log(x), 1) | unit + year", panel)
        by_hand = read("y ~ diff(z, 1) | unit + year", panel.assign(z=np.log(panel["x"])))
        np.testing.assert_array_equal(design.slopes, by_hand.slopes)

    def test_dummies_leave_out_the_reference(self, panel: pd.DataFrame) -> None:
        first = read("y ~ i(year)", panel).slopes
        assert list(first) == ["Intercept", *[f"year={y}" for y in range(2011, 2015)]]
        named = read("y ~ i(year, ref=2012)", panel).slopes
        assert "year=2012" not in named
        assert "year=2010" in named
        assert "year=2010" in read("y ~ 0 + i(year, ref=None)", panel).slopes
        np.testing.assert_array_equal(named["year=2013"], (panel["year"] == 2013) * 1.0)

    def test_the_reference_is_a_level_that_usable_rows_have(self, panel: pd.DataFrame) -> None:
        fit = fit_panel("y ~ x + lag(x, 1) + i(year) | unit", panel, unit="unit", time="year")
        assert [t for t in fit.coefficients.index if "year=" in t] == [
            "year=2012", "year=2013", "year=2014",
        ]  # fmt: skip

    def test_products_and_stars(self, panel: pd.DataFrame) -> None:
        data = panel.assign(d=np.arange(len(panel)) * 1.0)
        assert list(read("y ~ x*d", data).slopes) == ["Intercept", "x", "d", "x:d"]
        slopes = read("y ~ x:d + i(year):d", data).slopes
        np.testing.assert_array_equal(slopes["x:d"], data["x"] * data["d"])
        assert [c for c in slopes if "year=" in c] == [f"year={y}:d" for y in range(2011, 2015)]

    def test_an_effect_of_pairs(self, panel: pd.DataFrame) -> None:
        data = panel.assign(half=(panel["year"] > 2011) * 1)
        codes = read("y ~ x | unit^half", data).effects["unit^half"]
        assert codes.nunique() == 6
        together = pd.DataFrame({"code": codes.to_numpy(), "unit": data["unit"].to_numpy()})
        assert (together.groupby("code")["unit"].nunique() == 1).all()

    @pytest.mark.parametrize("formula", ["y ~ 0 + x", "y ~ x - 1", "y ~ x + 0", "y ~ -1 + x"])
    def test_a_constant_can_be_left_out(self, panel: pd.DataFrame, formula: str) -> None:
        assert list(read(formula, panel).slopes) == ["x"]


class TestRefusals:
    def test_a_lag_without_a_panel(self, panel: pd.DataFrame) -> None:
        with pytest.raises(ModelError, match="give unit= and time="):
            fit_panel("y ~ lag(x, 1)", panel)

    def test_a_lag_of_a_period_that_is_there_twice(self, panel: pd.DataFrame) -> None:
        twice = pd.concat([panel, panel.query("unit == 'a' and year == 2011")])
        with pytest.raises(ModelError, match="unit a has year 2011 twice"):
            fit_panel("y ~ lag(x, 1) | unit + year", twice)

    def test_periods_that_cannot_be_counted(self, panel: pd.DataFrame) -> None:
        names = panel.assign(year=panel["year"].map("year {}".format))
        with pytest.raises(ModelError, match="'year' does not count periods"):
            fit_panel("y ~ lag(x, 1) | unit + year", names)

    def test_the_logarithm_of_a_negative_value(self, panel: pd.DataFrame) -> None:
        data = panel.assign(x=panel["x"] - 5)
        below = int((data["x"] < 0).sum())
        with pytest.raises(ModelError, match=f"log.* negative value in {below} rows"):
            fit_panel("y ~ log(x) | unit + year", data)

    def test_the_logarithm_of_zero_names_the_rows(self, panel: pd.DataFrame) -> None:
        data = panel.assign(x=panel["x"].where(panel["year"] != 2010, 0))
        with pytest.raises(ModelError, match=r"log\(x\).*infinite in 3 rows.*poisson"):
            fit_panel("y ~ log(x) | unit + year", data)

    @pytest.mark.parametrize(
        ("formula", "said"),
        [
            ("y ~ lag(x, 0) | unit + year", "k whole and not zero"),
            ("y ~ lag(x, 1.5) | unit + year", "k whole and not zero"),
            ("y ~ lag(x, 1, 2) | unit + year", "k whole and not zero"),
            ("y ~ log(x, 2)", "takes one column"),
            ("y ~ i(x, y)", r"write i\(column, ref=level\)"),
            ("y ~ log(x + 1)", "is not a term; make it a column"),
            ("y ~ log(unit)", "'unit' .*not numeric"),
            ("y ~ log(x", "cannot be read"),
            ("i(year) ~ x", "more than one column"),
        ],
    )
    def test_what_cannot_be_read(self, panel: pd.DataFrame, formula: str, said: str) -> None:
        with pytest.raises(ModelError, match=said):
            fit_panel(formula, panel)

    def test_an_unknown_reference_level(self, panel: pd.DataFrame) -> None:
        with pytest.raises(UnknownNameError, match=r"level '2009' in i\(year, ref=2009\)"):
            fit_panel("y ~ i(year, ref=2009)", panel)
