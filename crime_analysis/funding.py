"""What the funding series say: money by source, the share from government, the national fall.

The series are kept apart (see the table ``funding``); each function says which it uses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crime_analysis import periods, prices
from crime_analysis.errors import UnknownNameError

if TYPE_CHECKING:
    from crime_analysis.models.fit import Fit

__all__ = [
    "by_source",
    "dependence",
    "government_share",
    "in_terms",
    "losses",
    "national_grant_fall",
    "per_head",
    "real_by_source",
    "real_change",
    "shares",
]

BEFORE_THE_CUTS = "2009/10"
_SERIES = ("hmic_actuals", "hmic_estimates", "outturn")
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
    for series in _SERIES:
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


def shares(table: pd.DataFrame, force: str, quoted: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return what government paid of a force's money, by each numerator and denominator.

    From HMIC's estimates. "70 per cent" and "80 per cent" can both be true: they divide by
    different things.

    Parameters
    ----------
    table : DataFrame
        The shipped table ``funding``.
    force : str
        A police force.
    quoted : DataFrame, optional
        The shipped table ``quoted_figures``: a budget quoted of the force is one more
        denominator. It has one of the Met, for 2017/18.

    Returns
    -------
    DataFrame
        ``financial_year``, ``numerator``, ``numerator_gbp_m``, ``denominator``,
        ``denominator_gbp_m``, ``share`` (between 0 and 1), for the years that have both.
    """
    rows = table[(table["force"] == force) & (table["series"] == "hmic_estimates")]
    if rows.empty:
        raise UnknownNameError("force", force, table["force"].unique(), "the table funding")
    wide = rows.pivot(index="financial_year", columns="component", values="value_gbp_m")
    budget = pd.Series(np.nan, wide.index)
    if quoted is not None:
        said = quoted[(quoted["place"] == force) & (quoted["measure"] == "Met budget (£m)")]
        budget = said.set_index("period")["value"].reindex(wide.index)
    grants = wide["government_grants"]
    above = {
        "all government grants": grants,
        "all grants but for council tax": grants - wide["legacy_council_tax_grants"].fillna(0.0),
        "core grant": wide["formula_funding"],
    }
    below = {
        "grants and council tax": wide["grants_and_council_tax"],
        "net revenue expenditure": wide["net_revenue_expenditure"],
        "gross revenue expenditure": wide["gross_revenue_expenditure"],
        "budget, as quoted": budget,
    }
    frames = [
        pd.DataFrame(
            {
                "financial_year": wide.index,
                "numerator": top,
                "numerator_gbp_m": over.to_numpy(),
                "denominator": bottom,
                "denominator_gbp_m": under.to_numpy(),
                "share": (over / under).to_numpy(),
            }
        )
        for top, over in above.items()
        for bottom, under in (below | _own_sum(top, over, wide["council_tax"])).items()
    ]
    return pd.concat(frames).dropna(subset=["share"]).reset_index(drop=True)


def _own_sum(top: str, over: pd.Series, council_tax: pd.Series) -> dict[str, pd.Series]:
    """Return the core grant's own sum with council tax: other grants are in neither."""
    return {"core grant and council tax": over + council_tax} if top == "core grant" else {}


def latest_shares(frame: pd.DataFrame, end: str) -> pd.DataFrame:
    """Return each fraction of `shares` in its last year up to one: not all years have all.

    Examples
    --------
    >>> from crime_analysis import catalog
    >>> found = latest_shares(shares(catalog.load("funding"), "Kent"), "2017/18")
    >>> bool(found.duplicated(["numerator", "denominator"]).any())
    False
    """
    rows = frame[frame["financial_year"] <= end].sort_values("financial_year")
    return rows.groupby(["numerator", "denominator"], sort=False).tail(1)


def in_terms(
    table: pd.DataFrame, price_table: pd.DataFrame, force: str, base: str = "2017/18"
) -> pd.DataFrame:
    """Return a force's money by source and year, in cash and by each price index.

    Returns
    -------
    DataFrame
        ``series``, ``financial_year``, ``source_of_funding`` ("government grants", "council
        tax" or "both together"), ``terms`` ("cash" or an index), ``value_gbp_m``.
    """
    names = {
        "grants": "government grants",
        "council_tax": "council tax",
        "funding": "both together",
    }
    frames = []
    for index in (None, *prices.INDICES):
        if index is None:
            parts = [by_source(table, name).assign(series=name) for name in _SERIES]
            money = pd.concat(parts, ignore_index=True)
            money = money[money["force"] == force]
        else:
            money = real_by_source(table, price_table, force, base, index)
        end = "_gbp_m" if index is None else "_real_gbp_m"
        for column, name in names.items():
            values = money[["series", "financial_year"]].assign(
                source_of_funding=name, terms=index or "cash", value_gbp_m=money[column + end]
            )
            frames.append(values)
    return pd.concat(frames, ignore_index=True)


def losses(
    table: pd.DataFrame,
    price_table: pd.DataFrame,
    start: str,
    end: str,
    index: str = "gdp_deflator",
) -> pd.DataFrame:
    """Return what each force lost in real terms, and what its dependence on grant would give.

    From HMIC's estimates. A force's change is, by arithmetic, the mean of the changes of its
    grants and its council tax, weighted by their shares at the start. ``expected_change`` puts
    the changes of all forces together in place of its own: what it would have lost had only its
    share set it apart.

    Returns
    -------
    DataFrame
        ``force``; ``share_all_grants`` (2009/10); ``share_at_start``; ``grants_change``,
        ``council_tax_change``, ``funding_change`` and ``expected_change`` (proportions, real
        terms); ``rank`` (1 = lost most). NaN where a year has no figure, or nothing to divide
        by: the City of London had no precept.
    """
    money = by_source(table, "hmic_estimates")
    names = ["grants_gbp_m", "council_tax_gbp_m", "funding_gbp_m"]
    ends = {}
    for year in (start, end):
        rows = money[money["financial_year"] == year]
        if rows.empty:
            raise UnknownNameError(
                "financial year", year, money["financial_year"].unique(), "the estimates"
            )
        real = {
            name: prices.to_real(rows[name], rows["financial_year"], end, price_table, index)
            for name in names
        }
        ends[year] = pd.DataFrame(real).set_index(rows["force"])
    before, after = ends[start], ends[end]
    change = after / before.where(before > 0) - 1
    total = after.sum() / before.sum() - 1
    share = before["grants_gbp_m"] / before["funding_gbp_m"]
    frame = pd.DataFrame(
        {
            "share_at_start": share,
            "grants_change": change["grants_gbp_m"],
            "council_tax_change": change["council_tax_gbp_m"],
            "funding_change": change["funding_gbp_m"],
            "expected_change": share * total["grants_gbp_m"]
            + (1 - share) * total["council_tax_gbp_m"],
        }
    ).reset_index()
    dose = government_share(table)[["force", "share_all_grants"]]
    frame = frame.merge(dose, on="force", how="left", validate="one_to_one")
    frame["rank"] = frame["funding_change"].rank(method="min")
    return frame[["force", "share_all_grants", *frame.columns[1:6], "rank"]]


def dependence(lost: pd.DataFrame, exclude: tuple[str, ...] = ("City of London",)) -> Fit:
    """Return how change in real funding varies across forces with dependence on grant.

    Least squares of ``funding_change`` on ``share_all_grants``, a force a row, unweighted,
    errors robust to heteroskedasticity. It describes; forces that lean on grant differ in much
    else. Not for a force's own prediction.

    Parameters
    ----------
    lost : DataFrame
        From `losses`.
    exclude : tuple of str
        Forces to leave out; the City of London is too small, and had no precept.

    Raises
    ------
    ModelError
        If too few forces have both.
    """
    from crime_analysis.models.panel_regression import fit_panel

    rows = lost[~lost["force"].isin(exclude)]
    return fit_panel("funding_change ~ share_all_grants", rows, keys=["force"])


def per_head(
    table: pd.DataFrame,
    price_table: pd.DataFrame,
    population: pd.DataFrame,
    base: str = "2017/18",
    index: str = "gdp_deflator",
    exclude: tuple[str, ...] = ("City of London",),
) -> pd.DataFrame:
    """Return grants and council tax per resident in real terms, every force and series.

    Parameters
    ----------
    table, price_table, population : DataFrame
        The shipped tables ``funding``, ``prices`` and ``population``.
    base, index : str
        Prices.
    exclude : tuple of str
        Forces to leave out: too few people live in the City of London for a rate to mean much.

    Returns
    -------
    DataFrame
        ``force``, ``financial_year``, ``series``, ``population`` (30 June of the year),
        ``grants_real_gbp``, ``council_tax_real_gbp``, ``funding_real_gbp`` (£ per resident).
    """
    parts = [by_source(table, name).assign(series=name) for name in _SERIES]
    money = pd.concat(parts, ignore_index=True)
    money = money[~money["force"].isin(exclude)].reset_index(drop=True)
    money["year"] = money["financial_year"].map(periods.start)
    people = population[population["kind"] == "force"].rename(columns={"place": "force"})
    rows = money.merge(
        people[["force", "year", "population"]], on=["force", "year"], how="left",
        validate="many_to_one",
    )  # fmt: skip
    for column in _COMPONENTS.values():
        real = prices.to_real(rows[column], rows["financial_year"], base, price_table, index)
        rows[column.replace("_gbp_m", "_real_gbp")] = 1e6 * real / rows["population"]
    return rows.drop(columns=["year", *_COMPONENTS.values()])
