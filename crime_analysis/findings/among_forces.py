"""Where one police force stands among the others: homicide rates, changes, those that moved alike.

Every force is worked out at once, so that two forces' reports can be laid side by side.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crime_analysis import periods, places, prices
from crime_analysis.findings.counts import poisson_interval, rate_ratio
from crime_analysis.links import OUTCOMES, without_events
from crime_analysis.panel import TOO_FEW_RESIDENTS

__all__ = ["ALIKE", "HOMICIDE_YEARS", "alike", "homicide_rates", "per_1000", "standing"]

#: How many forces whose officers moved as much are looked at.
ALIKE = 10
#: Homicides are added up over so many years before they are compared.
HOMICIDE_YEARS = 3


def per_1000(officers: pd.DataFrame, population: pd.DataFrame) -> pd.DataFrame:
    """Return officers per 1,000 residents of the 30 June after, a row a year, a column a force.

    Forces with too few residents for rates are left out.

    Parameters
    ----------
    officers, population : DataFrame
        The shipped tables.
    """
    year = officers["date"].str[:4].astype("int64")
    posts = officers.assign(year=year).pivot(index="year", columns="force", values="officers_fte")
    people = population[population["kind"] == "force"]
    people = people.pivot(index="year", columns="place", values="population")
    rates = 1000 * posts / people.reindex(index=posts.index, columns=posts.columns)
    return rates.drop(columns=[name for name in TOO_FEW_RESIDENTS if name in rates])


def homicide_rates(
    crime: pd.DataFrame,
    population: pd.DataFrame,
    register: pd.DataFrame,
    end: str,
    years: int = HOMICIDE_YEARS,
) -> pd.DataFrame:
    """Return every force's homicides per million residents a year, over some years up to one.

    Years that the register says one event dominates are left out of the count and of the
    person-years. Forces with too few residents for rates are left out.

    Returns
    -------
    DataFrame
        ``force``, ``homicides``, ``person_years``, ``years`` (how many were used: those with
        residents too),
        ``per_million``, ``ci_low``, ``ci_high`` (exact Poisson interval), by rate.
    """
    span = [periods.label(periods.start(end) - back) for back in range(years)]
    rows = crime[(crime["offence_group"] == "homicide") & crime["financial_year"].isin(span)]
    rows = rows.rename(columns={"offences": "homicide"})[["force", "financial_year", "homicide"]]
    rows = without_events(rows, register, "homicide").dropna()
    rows = rows[~rows["force"].isin(TOO_FEW_RESIDENTS)]
    people = population.loc[population["kind"] == "force", ["place", "year", "population"]]
    people = people.rename(columns={"place": "force", "population": "person_years"})
    rows = rows.assign(year=rows["financial_year"].map(periods.start))
    lived = rows.merge(people, on=["force", "year"]).groupby("force")
    sums = lived[["homicide", "person_years"]].sum().rename(columns={"homicide": "homicides"})
    sums["years"] = lived["year"].count()
    low, high = poisson_interval(sums["homicides"])
    scale = 1e6 / sums["person_years"]
    sums = sums.assign(
        per_million=sums["homicides"] * scale, ci_low=low * scale, ci_high=high * scale
    )
    return sums.reset_index().sort_values(["per_million", "force"], ignore_index=True)


def standing(
    panel: pd.DataFrame,
    money: pd.DataFrame,
    officers: pd.DataFrame,
    price_table: pd.DataFrame,
    start: str,
    end: str,
) -> pd.DataFrame:
    """Return every force's changes between two years, to see where one stands.

    Parameters
    ----------
    panel : DataFrame
        From `force_panel`.
    money : DataFrame
        From `funding.by_source`: HMIC's estimates.
    officers, price_table : DataFrame
        The shipped tables ``officers`` and ``prices``: for the forces that the panel leaves out
        too.
    start, end : str
        Financial years; officers are those in post on the 31 March that ends each. The panel
        must reach one year beyond `end`.

    Returns
    -------
    DataFrame
        By ``force``, proportional changes: ``funding`` (real grants and council tax, HMIC's
        estimates), ``officers``; and per resident, missing where there are too few,
        ``officers_per_resident``, ``robbery``, ``violence_with_injury``,
        ``violence_without_injury``.
    """
    estimates = money.copy()
    estimates["real"] = prices.to_real(
        estimates["funding_gbp_m"], estimates["financial_year"], end, price_table
    )
    paid = estimates.pivot(index="force", columns="financial_year", values="real")
    posts = officers.pivot(index="force", columns="date", values="officers_fte")
    days = [f"{periods.start(year) + 1}-03-31" for year in (start, end)]
    first, last = (
        panel[panel["financial_year"] == year].set_index("force") for year in (start, end)
    )
    # Both counts are over the residents of the summer that follows the 31 March.
    then, now = (
        panel[panel["fy_start"] == periods.start(year) + 1].set_index("force")["officers_per_1000"]
        for year in (start, end)
    )
    changes = {
        "funding": paid[end] / paid[start] - 1,
        "officers": posts[days[1]] / posts[days[0]] - 1,
        "officers_per_resident": now / then - 1,
    }
    for group in ("robbery", "violence_with_injury", "violence_without_injury"):
        changes[group] = last[f"{group}_per_1000"] / first[f"{group}_per_1000"] - 1
    return pd.DataFrame(changes).reindex(list(places.FORCES)).rename_axis("force")


def alike(
    panel: pd.DataFrame, register: pd.DataFrame, force: str, start: str, end: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the forces whose officers per resident moved most nearly as much, and their sums.

    Offences are those of the year after each count of officers: the timing of the links.

    Parameters
    ----------
    panel : DataFrame
        From `force_panel`; it must reach one year beyond `end`.
    register : DataFrame
        The shipped table ``breaks``.
    force, start, end : str
        Whose like is looked for, and the financial years of the change.

    Returns
    -------
    moved : DataFrame
        By ``force``, the force itself first, then `ALIKE` others, nearest first: proportional
        changes per resident of officers, violence with injury and robbery. No rows where the
        force has too few residents for rates.
    totals : DataFrame
        By ``outcome``: what the others recorded together ``before`` and ``after``, the ``ratio``
        of the rates, and for homicide its interval, ``ci_low`` and ``ci_high``.
    """
    after = [periods.label(periods.start(year) + 1) for year in (start, end)]
    rows = without_events(panel[panel["financial_year"].isin(after)], register, "homicide")
    first, last = (rows[rows["financial_year"] == year].set_index("force") for year in after)
    moved = pd.DataFrame(
        {"officers_per_resident": last["officers_per_1000"] / first["officers_per_1000"] - 1}
    )
    for group in ("violence_with_injury", "robbery"):
        moved[group] = last[f"{group}_per_1000"] / first[f"{group}_per_1000"] - 1
    if force not in moved.index:
        return moved.iloc[:0], pd.DataFrame()
    others = moved.drop(index=force)
    gap = (others["officers_per_resident"] - moved.loc[force, "officers_per_resident"]).abs()
    near = gap.sort_values(kind="stable").index[:ALIKE]
    totals = []
    for group in OUTCOMES:
        kept = [f for f in near if not np.isnan([first.at[f, group], last.at[f, group]]).any()]
        count, people = last.loc[kept, group].sum(), last.loc[kept, "population"].sum()
        base, base_people = first.loc[kept, group].sum(), first.loc[kept, "population"].sum()
        ratio = rate_ratio(count, people, base, base_people)
        small = group == "homicide"
        totals.append(
            {
                "outcome": OUTCOMES[group][0], "before": base, "after": count,
                "ratio": ratio.estimate, "ci_low": ratio.ci_low if small else np.nan,
                "ci_high": ratio.ci_high if small else np.nan, "forces": len(kept),
            }
        )  # fmt: skip
    return moved.loc[[force, *near]], pd.DataFrame(totals).set_index("outcome")
