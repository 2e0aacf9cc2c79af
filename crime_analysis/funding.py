"""What the funding series say: money by source, the share from government, the national fall.

The series are kept apart (see the table ``funding``); each function says which it uses.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crime_analysis import periods, prices
from crime_analysis.errors import UnknownNameError

__all__ = ["by_source", "government_share", "national_grant_fall", "real_by_source", "real_change"]

BEFORE_THE_CUTS = "2009/10"
_COMPONENTS = {
    "government_grants": "grants_gbp_m",
    "council_tax": "council_tax_gbp_m",
    "grants_and_council_tax": "funding_gbp_m",
}


def by_source(table: pd.DataFrame, series: str) -> pd.DataFrame:
    """Return grants, council tax and their sum by force and year, from one series.

    Parameters
    ----------
    table : DataFrame
        The shipped table ``funding``.
    series : str
        One of its series that holds both grants and council tax.

    Returns
    -------
    DataFrame
        ``force``, ``financial_year``, ``grants_gbp_m``, ``council_tax_gbp_m``,
        ``funding_gbp_m`` (nominal £ million).
    """
    rows = table[(table["series"] == series) & table["component"].isin(_COMPONENTS)]
    complete = rows.groupby("series")["component"].nunique()
    valid = table[table["component"].isin(_COMPONENTS)].groupby("series")["component"].nunique()
    if complete.get(series, 0) < len(_COMPONENTS):
        names = valid.index[valid == len(_COMPONENTS)]
        raise UnknownNameError("funding series with grants and council tax", series, names)
    wide = rows.pivot(index=["force", "financial_year"], columns="component", values="value_gbp_m")
    return (
        wide.rename(columns=_COMPONENTS)[list(_COMPONENTS.values())]
        .reset_index()
        .rename_axis(columns=None)
    )


def government_share(table: pd.DataFrame, year: str = BEFORE_THE_CUTS) -> pd.DataFrame:
    """Return how much of each force's money came from government, before the cuts.

    Grants over grants and council tax, from HMIC's estimates: what a force stood to lose when
    grants fell by about the same percentage everywhere (the gearing of Crawford, Disney and
    Innes 2015, IFS Briefing Note 179, which prints 54% for Surrey and 88% for Northumbria in
    2010-11).

    Returns
    -------
    DataFrame
        ``force``; ``share_all_grants`` (formula funding and special grants) and
        ``share_formula_grant`` (formula funding alone, over formula funding and council tax),
        between 0 and 1.
    """
    rows = table[(table["series"] == "hmic_estimates") & (table["financial_year"] == year)]
    if rows.empty:
        known = table.loc[table["series"] == "hmic_estimates", "financial_year"].unique()
        raise UnknownNameError("financial year", year, known, "the estimates")
    wide = rows.pivot(index="force", columns="component", values="value_gbp_m")
    grants, tax = wide["government_grants"], wide["council_tax"]
    formula = wide["formula_funding"]
    return pd.DataFrame(
        {
            "share_all_grants": grants / (grants + tax),
            "share_formula_grant": formula / (formula + tax),
        }
    ).reset_index()


def national_grant_fall(
    table: pd.DataFrame, price_table: pd.DataFrame, index: str = "gdp_deflator"
) -> pd.DataFrame:
    """Return government grants to all forces in real terms, relative to 2009/10.

    Three series are linked, since none spans the years: HMIC's actuals (2005/06 to 2008/09)
    and estimates (2009/10, 2012/13 to 2017/18); and for 2010/11 and 2011/12 the outturn of the
    English forces, scaled to the estimates in 2012/13, where both exist. Only forces with a
    figure in every year of HMIC's series are added up, so that none comes or goes (three have
    no actuals for 2007/08).

    Returns
    -------
    DataFrame
        ``financial_year``, ``grants_gbp_m`` (nominal, those forces), ``basis`` and
        ``national_grant_fall``: the natural logarithm of real grants over those of 2009/10,
        so 0 in 2009/10 and negative when they had fallen.
    """
    grants = table[table["component"] == "government_grants"]
    hmic = grants[grants["series"].str.startswith("hmic")]
    counts = hmic.groupby("force")["financial_year"].nunique()
    always = counts.index[counts == hmic["financial_year"].nunique()]
    grants = grants[grants["force"].isin(always)]
    total = grants.groupby(["series", "financial_year"])["value_gbp_m"].sum()
    link = total["hmic_estimates"]["2012/13"] / total["outturn"]["2012/13"]
    years: dict[str, tuple[float, str]] = {}
    for year, value in total["outturn"].items():
        years[str(year)] = (value * link, "outturn, scaled")
    for series in ("hmic_actuals", "hmic_estimates"):
        for year, value in total[series].items():
            years[str(year)] = (value, series)
    frame = pd.DataFrame(
        [(year, *years[year]) for year in sorted(years, key=periods.start)],
        columns=["financial_year", "grants_gbp_m", "basis"],
    )
    real = prices.to_real(
        frame["grants_gbp_m"], frame["financial_year"], BEFORE_THE_CUTS, price_table, index
    )
    base = real[frame["financial_year"] == BEFORE_THE_CUTS].iloc[0]
    return frame.assign(national_grant_fall=np.log(real / base))


def real_by_source(
    table: pd.DataFrame,
    price_table: pd.DataFrame,
    force: str,
    base: str,
    index: str = "gdp_deflator",
) -> pd.DataFrame:
    """Return one force's grants and council tax in real terms, every series that has both.

    Returns
    -------
    DataFrame
        ``financial_year``, ``series``, ``grants_real_gbp_m``, ``council_tax_real_gbp_m``,
        ``funding_real_gbp_m`` (£ million at the prices of `base`), by series and year.
    """
    parts = []
    for series in ("hmic_actuals", "hmic_estimates", "outturn"):
        rows = by_source(table, series)
        parts.append(rows[rows["force"] == force].assign(series=series))
    money = pd.concat(parts, ignore_index=True)
    if money.empty:
        raise UnknownNameError("force", force, table["force"].unique(), "the table funding")
    for column in _COMPONENTS.values():
        money[column.replace("_gbp_m", "_real_gbp_m")] = prices.to_real(
            money[column], money["financial_year"], base, price_table, index
        )
    return money.drop(columns=["force", *_COMPONENTS.values()])


def real_change(
    table: pd.DataFrame, price_table: pd.DataFrame, force: str, start: str, end: str
) -> float:
    """Return a force's proportional change in real grants and council tax between two years.

    From HMIC's estimates, by the GDP deflator. NaN if either year has no figure.
    """
    money = real_by_source(table, price_table, force, end)
    values = money[money["series"] == "hmic_estimates"].set_index("financial_year")
    pair = values["funding_real_gbp_m"].reindex([start, end])
    return float(pair[end] / pair[start] - 1)
