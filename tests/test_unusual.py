"""Homicides out of line with the years beside them, and funding that is kept as printed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from crime_analysis import breaks, catalog
from crime_analysis.errors import ParameterError
from crime_analysis.findings import unusual


@pytest.fixture(scope="module")
def crime() -> pd.DataFrame:
    return catalog.load("recorded_crime")


def with_homicides(crime, change):
    """Loads the shipped tables, but for homicides that were changed."""
    changed = crime.copy()
    at = changed["offence_group"] == "homicide"
    changed.loc[at, "offences"] = change(changed[at])
    return lambda name: changed if name == "recorded_crime" else catalog.load(name)


def test_what_the_register_explains_is_found_with_its_entry_and_what_it_does_not_without():
    found = unusual.unusual().set_index(["force", "financial_year"])["explained_by"]
    # Notes to the Home Office's and ONS's tables; the others have none in the files held.
    assert found[found != ""].to_dict() == {
        ("Greater Manchester", "2002/03"): "homicide-greater-manchester-2002",
        ("South Yorkshire", "2016/17"): "homicide-south-yorkshire",
        ("Greater Manchester", "2017/18"): "homicide-manchester-arena",
    }
    assert {("Essex", "2019/20"), ("Cumbria", "2010/11")} <= set(found[found == ""].index)


def test_the_chance_is_that_of_the_exact_test_over_five_years_on_either_side(crime):
    rows = crime[(crime["offence_group"] == "homicide") & (crime["force"] == "Essex")]
    counts = rows.set_index("financial_year")["offences"]
    at = counts.index.get_loc("2019/20")
    near = counts.iloc[at - 5 : at + 6]  # 2022/23 is the last: three years follow
    assert len(near) == 9
    exact = binomtest(60, int(near.sum()), 1 / 9, alternative="greater").pvalue
    found = unusual.unusual().set_index(["force", "financial_year"]).loc[("Essex", "2019/20")]
    assert found["p_value"] == pytest.approx(exact)
    assert found["beside"] == pytest.approx(near.drop("2019/20").mean())


def test_counts_that_only_chance_moves_are_seldom_unusual(crime):
    """Poisson counts of each force's own mean: 903 force-years, one in 100,000 unusual."""
    rng = np.random.default_rng(2018)

    def of_chance(rows):
        return rng.poisson(rows.groupby("force")["offences"].transform("median"))

    tables = [unusual.unusual(load=with_homicides(crime, of_chance)) for _ in range(20)]
    assert sum(map(len, tables)) <= 2


def test_a_force_that_is_not_in_line_is_found_whatever_its_name(crime):
    def tripled(rows):
        odd = (rows["force"] == "Kent") & (rows["financial_year"] == "2012/13")
        return rows["offences"] + 50 * odd

    found = unusual.unusual(load=with_homicides(crime, tripled))
    assert ("Kent", "2012/13") in set(zip(found["force"], found["financial_year"], strict=True))


def test_an_entry_of_another_year_or_of_every_force_explains_nothing():
    register = catalog.load("breaks").assign(date="2019-04-01")
    load = {"breaks": register, "recorded_crime": catalog.load("recorded_crime")}.__getitem__
    found = unusual.unusual(load=load).set_index(["force", "financial_year"])["explained_by"]
    assert breaks.affecting(register, "recorded_crime", "homicide", "Essex").size
    assert found[("Essex", "2019/20")] == ""
    assert found[("South Yorkshire", "2016/17")] == ""


@pytest.mark.parametrize("given", [{"beside": 0}, {"chance": 0}, {"group": "murders"}])
def test_what_cannot_be_looked_for_is_refused(given):
    with pytest.raises(ParameterError):
        unusual.unusual(**given)


# What the register of assumptions says of figures that are kept as printed.


@pytest.fixture(scope="module")
def estimates() -> pd.DataFrame:
    """HMIC's estimates in £ million: forces and components down, years across."""
    rows = catalog.load("funding").query("series == 'hmic_estimates'")
    return rows.pivot_table(
        index=["force", "component"], columns="financial_year", values="value_gbp_m"
    )


def told(name: str) -> str:
    register = catalog.load("assumptions").set_index("id")
    return " ".join(register.loc[name, ["what", "why", "effect", "alternative"]])


def test_the_mets_council_tax_grants_come_out_of_its_specific_grants(estimates):
    met = estimates.loc["Metropolitan Police"]
    legacy, specific = met.loc["legacy_council_tax_grants"], met.loc["specific_grants"]
    assert [f"{legacy[y]:.1f}" for y in ("2013/14", "2014/15", "2015/16")] == [
        "9.4", "0.0", "119.7",
    ]  # fmt: skip
    fall = specific["2014/15"] - specific["2015/16"]
    assert f"£{fall:.1f}m" in told("council-tax-grants-elsewhere")
    core = met.loc["formula_funding"]
    everyone = estimates.xs("formula_funding", level="component").sum()
    # Its core grant falls as everyone's does: they were not in it.
    ratios = [s["2015/16"] / s["2014/15"] - 1 for s in (core, everyone)]
    assert ratios[0] == pytest.approx(ratios[1], abs=0.002)


def test_other_forces_print_theirs_inside_the_core_grant(estimates):
    core = estimates.xs("formula_funding", level="component")
    legacy = estimates.xs("legacy_council_tax_grants", level="component")
    rise = core["2014/15"] / core["2013/14"] - 1
    for force, said in (("Durham", "3.0"), ("Norfolk", "6.4"), ("West Mercia", "5.9")):
        assert legacy.loc[force, "2014/15"] == 0
        assert f"{rise[force]:.1%}" == f"{said}%"
        assert said in told("council-tax-grants-elsewhere")
    everyone = core["2014/15"].sum() / core["2013/14"].sum() - 1
    assert f"{-everyone:.1%}" in told("council-tax-grants-elsewhere")


def test_council_tax_that_jumps_and_comes_back_is_told_as_printed(estimates):
    text = told("council-tax-as-printed")
    welsh = estimates.loc[("Dyfed-Powys", "council_tax")]
    for year in ("2014/15", "2015/16", "2016/17", "2017/18"):
        assert f"{welsh[year]:.1f}" in text
    assert estimates.loc[("Dyfed-Powys", "specific_grants"), "2016/17"] == 0
    assert f"{estimates.loc[('Essex', 'council_tax'), '2013/14']:.1f}" in text
    outturn = catalog.load("funding").query(
        "series == 'outturn' and force == 'Essex' and component == 'council_tax'"
        " and financial_year == '2013/14'"
    )
    assert f"{outturn['value_gbp_m'].iloc[0]:.1f}" in text


def test_unusual_homicides_inside_the_panel_move_no_verdict():
    import crime_analysis as ca
    from crime_analysis import links

    register = catalog.load("breaks")
    odd = unusual.unusual().query("explained_by == '' and financial_year >= '2007/08'")
    odd = odd[odd["financial_year"] <= "2018/19"]
    assert set(odd["force"]) == {"Cumbria", "Sussex"}
    event = register[register["id"] == "homicide-south-yorkshire"]
    more = [
        event.assign(id=f"x{n}", places=row.force, date=f"{row.financial_year[:4]}-04-01")
        for n, row in enumerate(odd.itertuples())
    ]
    panel = ca.force_panel("2007/08", "2018/19")
    text = told("unusual-homicides-kept")
    for breaks_used in (register, pd.concat([register, *more], ignore_index=True)):
        link = links.officers_to_violence(panel, "homicide", breaks_used)
        row = link.table.loc[link.headline]
        assert row["ci_low"] < 0 < row["ci_high"]
        assert f"{row['estimate']:.2f}".replace("-", "−") in text
