"""Officers beside their force's money: how many for each £1m, and what £1m lost implies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crime_analysis import catalog, funding, periods, places, prices
from crime_analysis.findings.claims_readings import Load
from crime_analysis.links import Link, verdict
from crime_analysis.panel import TOO_FEW_RESIDENTS

__all__ = ["Bought", "bought"]

_SERIES = ("hmic_actuals", "hmic_estimates", "outturn")


@dataclass(frozen=True)
class Bought:
    """Officers beside money: the ratio year by year, and what the link implies for a loss.

    Attributes
    ----------
    force, start, end, price_base : str
        What it is about.
    table : DataFrame
        ``series``, ``financial_year``, ``funding_real_gbp_m``, ``officers_fte`` (31 March that
        ends the year), ``officers_per_gbp_m`` and ``median_per_gbp_m`` (of all forces in that
        series and year; the City of London left out).
    specification : str
        Of the elasticity.
    elasticity : Series
        ``estimate``, ``ci_low``, ``ci_high``: % more officers for 1% more real funding.
    lost_gbp_m : float
        Real funding at `start` less that at `end`; negative if it rose.
    officers_lost : float
        Officers at the end of `start` less those at the end of `end`.
    implied_lost : Series
        ``estimate``, ``ci_low``, ``ci_high``: officers that the elasticity takes from `start`
        for the loss of money; missing where the interval has no bound.
    per_gbp_m : Series
        The same for each £1m lost from the level of `end`: elasticity × officers / funding.
    """

    force: str
    start: str
    end: str
    price_base: str
    table: pd.DataFrame
    specification: str
    elasticity: pd.Series
    lost_gbp_m: float
    officers_lost: float
    implied_lost: pd.Series
    per_gbp_m: pd.Series

    @property
    def clear(self) -> bool:
        """Whether the elasticity's interval is bounded and holds no zero."""
        row = self.elasticity
        return verdict(float(row["ci_low"]), float(row["ci_high"])) == "association"

    def at(self, year: str) -> pd.Series:
        """Return HMIC's estimates of one year beside the officers that ended it."""
        rows = self.table[self.table["series"] == "hmic_estimates"]
        return rows.set_index("financial_year").loc[year]


def bought(
    force: str, link: Link, start: str, end: str, price_base: str, load: Load = catalog.load
) -> Bought:
    """Return officers per £1m of real funding, and what the first link implies for £1m lost.

    The ratio is a division, not a price: officers are paid from the same money as staff, cars and
    buildings. The elasticity is an association across forces, and an effect only if the link is.

    Parameters
    ----------
    force : str
        One of the 43 forces.
    link : Link
        ``"officers"`` of `headline_links`.
    start, end : str
        Financial years with HMIC's estimates.
    price_base : str
        The year whose prices money is at.
    """
    force = places.force(force)
    cash, index, posts = load("funding"), load("prices"), load("officers")
    parts = [funding.by_source(cash, name).assign(series=name) for name in _SERIES]
    money = pd.concat(parts, ignore_index=True)
    money["funding_real_gbp_m"] = prices.to_real(
        money["funding_gbp_m"], money["financial_year"], price_base, index
    )
    money["date"] = [f"{periods.start(year) + 1}-03-31" for year in money["financial_year"]]
    table = money.merge(posts[["force", "date", "officers_fte"]], on=["force", "date"], how="left")
    table["officers_per_gbp_m"] = table["officers_fte"] / table["funding_real_gbp_m"]
    others = table[~table["force"].isin(TOO_FEW_RESIDENTS)]
    median = others.groupby(["series", "financial_year"])["officers_per_gbp_m"].median()
    mine = table[table["force"] == force].join(
        median.rename("median_per_gbp_m"), on=["series", "financial_year"]
    )
    columns = [
        "series", "financial_year", "funding_real_gbp_m", "officers_fte", "officers_per_gbp_m",
        "median_per_gbp_m",
    ]  # fmt: skip
    mine = mine[columns].sort_values(["series", "financial_year"], ignore_index=True)
    ends = mine[mine["series"] == "hmic_estimates"].set_index("financial_year")
    first, last = ends.loc[start], ends.loc[end]
    row = link.table.loc[link.headline, ["estimate", "ci_low", "ci_high"]].astype(float)
    # A set that is no interval (two rays) has no ends to turn into officers.
    usable = np.isfinite(row).all() and row["ci_low"] <= row["ci_high"]
    told = row if usable else row * np.nan
    moved = np.log(last["funding_real_gbp_m"] / first["funding_real_gbp_m"])
    implied = -first["officers_fte"] * np.expm1(told * moved)
    implied[["ci_low", "ci_high"]] = np.sort(implied[["ci_low", "ci_high"]])
    return Bought(
        force, start, end, price_base, mine, link.headline, row,
        float(first["funding_real_gbp_m"] - last["funding_real_gbp_m"]),
        float(first["officers_fte"] - last["officers_fte"]), implied,
        told * last["officers_per_gbp_m"],
    )  # fmt: skip
