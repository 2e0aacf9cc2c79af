"""The £700m: one reconstruction, every rival reading, and how forces' money moved."""

import re

import numpy as np
import pandas as pd
import pytest

import crime_analysis as ca
from crime_analysis import funding
from crime_analysis.errors import DataError, ParameterError, UnknownNameError
from crime_analysis.findings import grant_cut
from crime_analysis.findings.grant_levels import levels
from crime_analysis.findings.grant_windows import windows
from crime_analysis.story import grants, money, money_readings

MET = "Metropolitan Police"


@pytest.fixture(scope="module")
def cash():
    return ca.load("funding")


@pytest.fixture(scope="module")
def prices():
    return ca.load("prices")


@pytest.fixture(scope="module")
def statements():
    return ca.load("statements")


@pytest.fixture(scope="module")
def readings(cash, prices, statements):
    return grant_cut.readings(cash, prices, statements)


@pytest.fixture(scope="module")
def lost(cash, prices):
    return funding.losses(cash, prices, "2009/10", "2017/18")


def altered(cash, component, year, factor):
    """The Met's estimates with one amount multiplied."""
    rows = cash.copy()
    hit = (
        (rows["force"] == MET)
        & (rows["component"] == component)
        & (rows["financial_year"] == year)
        & (rows["series"] == "hmic_estimates")
    )
    assert hit.sum() == 1
    rows.loc[hit, "value_gbp_m"] *= factor
    return rows


def test_the_reconstruction_is_the_one_of_record(cash, prices):
    """DESIGN.md: 1,978.3 + 73.0 + 54.7 + 96.6 = 2,202.6; about 2,510; 1,791.9; 718; 29% and 40%."""
    fall = grant_cut.reconstruction(cash, prices)
    assert fall.parts["value_gbp_m"].round(1).tolist() == [1978.3, 73.0, 54.7, 96.6, 1791.9]
    assert fall.parts["value_gbp_m"].iloc[:4].sum() == pytest.approx(2202.6, abs=0.05)
    assert fall.earlier_gbp_m == pytest.approx(2510, abs=1)
    assert fall.fall_gbp_m == pytest.approx(718, abs=0.5)
    assert round(fall.share_of_earlier, 2) == 0.29
    assert round(fall.share_of_later, 2) == 0.40


def test_a_price_base_moves_the_amount_and_never_the_share(cash, prices):
    here = grant_cut.reconstruction(cash, prices)
    there = grant_cut.reconstruction(cash, prices, price_base="2009/10")
    ratio = prices.set_index("financial_year")["gdp_deflator"]
    assert there.fall_gbp_m == pytest.approx(here.fall_gbp_m * ratio["2009/10"] / ratio["2017/18"])
    assert there.share_of_later == pytest.approx(here.share_of_later)


def test_consumer_prices_make_the_fall_larger(cash, prices):
    level = prices.set_index("financial_year")["cpih"]
    by_hand = 2202.586 * level["2017/18"] / level["2009/10"] - 1791.943
    fall = grant_cut.reconstruction(cash, prices, index="cpih")
    assert fall.fall_gbp_m == pytest.approx(by_hand, abs=0.001)
    assert fall.fall_gbp_m > grant_cut.reconstruction(cash, prices).fall_gbp_m


def test_the_reconstruction_refuses_what_it_cannot_compare(cash, prices):
    with pytest.raises(ParameterError, match="2015/16 or later"):
        grant_cut.reconstruction(cash, prices, end="2013/14")
    with pytest.raises(UnknownNameError, match="2018/19 formula_funding"):
        grant_cut.reconstruction(cash, prices, end="2018/19")
    with pytest.raises(UnknownNameError, match="2009/10 pcso_grant"):
        grant_cut.reconstruction(cash[cash["component"] != "pcso_grant"], prices)


def test_the_claimed_numbers_and_the_savings_are_as_said(statements):
    said = statements.set_index("number").loc[1, "wording"]
    assert f"£{grant_cut.CLAIMED_GBP_M:.0f} million" in said
    assert f"nearly {100 * grant_cut.CLAIMED_SHARE:.0f} per cent" in said


def test_savings_are_held_to_their_wording(cash, prices, statements):
    changed = statements.assign(wording=statements["wording"].str.replace("£720", "£730"))
    with pytest.raises(DataError, match=r"number 5.*£720m"):
        grant_cut.readings(cash, prices, changed)


def test_savings_have_no_share_and_so_never_match(readings):
    said = readings[readings["terms"] == "as said"]
    assert {400, 600, 700, 720} <= set(said["fall_gbp_m"])
    assert said[["share_of_earlier", "share_of_later"]].isna().all(axis=None)
    assert not said["matches"].any()


def test_every_reading_is_plain_arithmetic_on_two_amounts(readings, cash, prices):
    """Brute force: each row again from `levels` and the price table."""
    amounts = levels(cash).set_index(["quantity", "series", "financial_year", "side"])
    amounts = amounts["value_gbp_m"]
    price = prices.set_index("financial_year")
    rows = readings[readings["terms"] != "as said"].sample(120, random_state=1)
    for row in rows.itertuples():
        first, last = row.series.split(" to ")[0], row.series.split(" to ")[-1]
        found = []
        for series, year, side in ((first, row.start, "start"), (last, row.end, "end")):
            options = [(row.quantity, series, year, s) for s in ("both", side)]
            value = next(amounts[key] for key in options if key in amounts.index)
            if row.terms == "real":
                value *= price.loc[row.price_base, row.index] / price.loc[year, row.index]
            found.append(value)
        earlier, later = found
        assert row.fall_gbp_m == pytest.approx(earlier - later)
        assert row.share_of_earlier == pytest.approx((earlier - later) / earlier)
        assert row.share_of_later == pytest.approx((earlier - later) / later)
        near = abs(earlier - later - 700) <= 50
        share = min(abs((earlier - later) / earlier - 0.4), abs((earlier - later) / later - 0.4))
        assert row.matches == (near and share <= 0.025)


def test_readings_span_what_they_should_and_none_twice(readings):
    key = ["quantity", "terms", "index", "price_base", "start", "end", "series"]
    rows = readings[readings["terms"] != "as said"]
    assert not rows.duplicated(key).any()
    assert set(rows["terms"]) == {"cash", "real"}
    assert set(rows["index"]) == {"", "gdp_deflator", "cpih"}
    assert {"2009/10", "2010/11", "2012/13"} <= set(rows["start"])
    assert (rows["start"] < rows["end"]).all()
    assert rows.groupby("quantity")["like_for_like"].nunique().eq(1).all()


def test_no_reading_makes_forty_per_cent_of_what_the_grant_was(readings):
    """40% of the earlier figure needs an earlier grant of £1,750m; the Met's was larger."""
    found = readings[readings["matches"]]
    assert len(found)
    assert set(found["near_share"]) == {"later"}
    assert (found["terms"] == "real").all()
    base = found[(found["start"] == "2009/10") & (found["end"] == "2017/18")]
    assert ((base["index"] == "gdp_deflator") & base["like_for_like"]).any()
    assert grant_cut.needed()["earlier_gbp_m"].round().tolist() == [1750, 2450]


def test_a_figure_that_stands_in_is_said_to(readings):
    """The Met's specific grants of 2010/11 are not in the table funding."""
    rows = readings[readings["assumed"]]
    assert set(rows["start"]) == {"2010/11"}
    assert rows["note"].str.contains("stand in").all()
    assert "specific grants of 2010/11" in " ".join(grant_cut.absent()["why"])


def test_readings_refuse_senseless_claims(cash, prices, statements):
    with pytest.raises(ParameterError, match="above 0"):
        grant_cut.readings(cash, prices, statements, amount=0)
    with pytest.raises(ParameterError, match="tolerance"):
        grant_cut.readings(cash, prices, statements, share_tolerance=-0.1)
    with pytest.raises(UnknownNameError, match="rpi"):
        grant_cut.readings(cash, prices, statements, indices=["rpi"])
    with pytest.raises(ParameterError, match="between 0 and 1"):
        grant_cut.needed(700, 1.2)


def test_a_price_base_named_twice_counts_once(cash, prices, statements):
    one = grant_cut.readings(cash, prices, statements, price_bases=["2017/18"])
    two = grant_cut.readings(cash, prices, statements, price_bases=["2017/18", "2017/18"])
    pd.testing.assert_frame_equal(one, two)


def test_seventy_and_eighty_per_cent_are_both_true_of_the_met(cash):
    shares = funding.shares(cash, MET, ca.load("quoted_figures"))
    grants_over = shares[shares["numerator"] == "all government grants"].set_index(
        ["denominator", "financial_year"]
    )["share"]
    assert grants_over["grants and council tax", "2009/10"] == pytest.approx(0.791, abs=0.0005)
    assert grants_over["grants and council tax", "2017/18"] == pytest.approx(0.80, abs=0.005)
    assert grants_over["budget, as quoted", "2017/18"] == pytest.approx(0.716, abs=0.001)
    assert grants_over["gross revenue expenditure", "2016/17"] == pytest.approx(0.728, abs=0.001)
    rows = shares.eval("numerator_gbp_m / denominator_gbp_m")
    np.testing.assert_allclose(rows, shares["share"])


def test_a_quoted_budget_belongs_to_its_force_alone(cash):
    shares = funding.shares(cash, "Surrey", ca.load("quoted_figures"))
    assert "budget, as quoted" not in set(shares["denominator"])
    with pytest.raises(UnknownNameError, match="Surrey"):
        funding.shares(cash, "Surry")


def test_shares_of_2009_agree_with_the_shipped_table(cash, lost):
    """IFS BN179 prints 54% for Surrey and 88% for Northumbria (2010-11); DESIGN.md 54.8, 88.7."""
    share = lost.set_index("force")["share_all_grants"]
    assert share["Surrey"] == pytest.approx(0.548, abs=0.0005)
    assert share["Northumbria"] == pytest.approx(0.887, abs=0.0005)
    assert len(lost) == 43


def test_a_change_is_the_weighted_mean_of_its_parts(lost):
    rows = lost[lost["force"] != "City of London"]
    mean = (
        rows["share_at_start"] * rows["grants_change"]
        + (1 - rows["share_at_start"]) * rows["council_tax_change"]
    )
    np.testing.assert_allclose(mean, rows["funding_change"])
    city = lost.set_index("force").loc["City of London"]
    assert np.isnan(city["council_tax_change"])  # it had no precept to divide by


def test_dependence_agrees_with_statsmodels(lost):
    import statsmodels.formula.api as smf

    fit = funding.dependence(lost)
    rows = lost[lost["force"] != "City of London"]
    theirs = smf.ols("funding_change ~ share_all_grants", rows).fit(cov_type="HC1", use_t=True)
    mine = fit.tidy().loc["share_all_grants"]
    assert mine["estimate"] == pytest.approx(theirs.params["share_all_grants"])
    assert mine["std_error"] == pytest.approx(theirs.bse["share_all_grants"])
    assert fit.nobs == 42


def test_money_per_resident_agrees_with_the_panel(cash, prices):
    heads = funding.per_head(cash, prices, ca.load("population"))
    panel = ca.force_panel("2009/10", "2017/18")
    both = heads[heads["series"] == "hmic_estimates"].merge(
        panel, on=["force", "financial_year"], suffixes=("", "_panel")
    )
    assert len(both) == 42 * 7
    np.testing.assert_allclose(
        both["funding_real_gbp"], 1e6 * both["funding_real_gbp_m"] / both["population_panel"]
    )
    assert "City of London" not in set(heads["force"])


def test_cash_and_real_terms_agree_in_the_base_year(cash, prices):
    terms = funding.in_terms(cash, prices, "Kent", "2012/13")
    wide = terms.pivot(
        index=["series", "financial_year", "source_of_funding"], columns="terms",
        values="value_gbp_m",
    )  # fmt: skip
    same = wide.xs("2012/13", level="financial_year")
    np.testing.assert_allclose(same["cash"], same["gdp_deflator"])
    np.testing.assert_allclose(same["cash"], same["cpih"])
    assert (wide.xs("2009/10", level="financial_year").eval("gdp_deflator > cash")).all()


def test_sentences_turn_with_the_figures(cash, prices, statements):
    """A grant that rose is said to rise; with no fit none is claimed."""
    more = altered(cash, "formula_funding", "2017/18", 2)
    fall = grant_cut.reconstruction(more, prices)
    rows = grant_cut.readings(more, prices, statements, ends=["2017/18"])
    rows = rows[rows["quantity"] == "core grant with the grants later folded in"]
    assert fall.fall_gbp_m < 0
    assert "rose £" in money.steps(fall).title
    text = str(money.answer(rows, fall))
    assert "no reading fits" in text
    assert "rose £" in text
    assert money_readings.every_reading(rows).title.startswith("None of")
    assert "No reading" in str(money_readings.matching(rows))


def test_shuffled_forces_cannot_tell(lost):
    """With funding changes dealt out at random, dependence says nothing of them."""
    dealt = lost.copy()
    dealt["funding_change"] = np.random.default_rng(3).permutation(lost["funding_change"])
    fit = funding.dependence(dealt)
    low, high = fit.tidy().loc["share_all_grants", ["ci_low", "ci_high"]]
    assert low < 0 < high
    title = grants.dependence(dealt, fit, MET, "2009/10", "2017/18").title
    assert "cannot tell" in title
    assert "cannot tell" in str(grants.across_forces(dealt, fit, MET, "2009/10", "2017/18"))


def test_the_slope_is_said_with_its_interval_and_without_a_cause(lost):
    fit = funding.dependence(lost)
    row = fit.tidy().loc["share_all_grants"]
    title = grants.dependence(lost, fit, MET, "2009/10", "2017/18").title
    assert f"{-10 * row['ci_high']:.1f} to {-10 * row['ci_low']:.1f} points more" in title
    assert "associated with" in title
    assert "because" not in title


@pytest.mark.parametrize(
    ("force", "options"),
    [
        (MET, {}),
        ("City of London", {"index": "cpih"}),
        ("Dyfed-Powys", {"start": "2012/13", "end": "2016/17", "price_base": "2009/10"}),
    ],
)
def test_the_notebook_shows_any_force(shown_by, force, options):
    shown = shown_by("02-funding", force=force, **options)
    pictures = [value for value in shown if hasattr(value, "svg")]
    assert len(pictures) == (6 if force == "City of London" else 7)
    for picture in pictures:
        assert picture.title
        assert picture.alt
        assert picture.source
        assert not re.search(r"\bnan\b", f"{picture.title} {picture.alt}")
    texts = " ".join(str(value) for value in shown if isinstance(value, ca.prose.Text))
    assert ("too few residents" in texts) == (force == "City of London")
    assert "nan%" not in texts
    assert "£nan" not in texts
    assert f"{MET[:3]}'s core grant" in pictures[0].title


def test_a_wider_window_lets_more_quantities_agree_and_the_words_count_them(readings):
    found = windows(readings)
    distances = [0.05, 0.07, 0.10, 0.15]
    counts = found[distances]
    assert (counts.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    assert (counts.iloc[:, -1] <= found["readings"]).all()
    # By hand, from one quantity's readings.
    name = "core grant with the grants later folded in"
    own = readings.query("quantity == @name and terms == 'real' and start == '2009/10'")
    falls = own.loc[own["end"] == "2017/18", "fall_gbp_m"]
    row = found.set_index("quantity").loc[name]
    assert row["readings"] == len(falls)
    assert [row[d] for d in distances] == [falls.between(700 - 700 * d, 700 + 700 * d).sum()
                                           for d in distances]  # fmt: skip
    said = str(money_readings.windows_words(found))
    for distance in distances:
        assert f"of {(found[distance] > 0).sum()} within {distance:.0%}" in said
    assert f"£{falls.min():,.0f}m to £{falls.max():,.0f}m" in said


def test_no_quantity_agrees_with_a_sum_that_none_comes_near(readings):
    found = windows(readings, amount=5000.0)
    assert (found[[0.05, 0.15]] == 0).all(axis=None)
    with pytest.raises(ParameterError, match="proportions of 0 or more"):
        windows(readings, distances=[-0.1])
    with pytest.raises(ParameterError, match="from start 1999/00"):
        windows(readings, "1999/00")
