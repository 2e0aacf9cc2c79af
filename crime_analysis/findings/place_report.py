"""What the report of one police force says, in numbers: its own course, and its place among 43."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crime_analysis import catalog, funding, periods, places
from crime_analysis.findings.among_forces import (
    alike,
    homicide_rates,
    per_1000,
    standing,
)
from crime_analysis.findings.counts import whole_years
from crime_analysis.findings.headline_links import headline_links
from crime_analysis.findings.violence_change import ViolenceChange, violence_change
from crime_analysis.implied import chain
from crime_analysis.links import Link
from crime_analysis.panel import TOO_FEW_RESIDENTS, force_panel

__all__ = [
    "MEASURES",
    "TABLES",
    "ForceReport",
    "force_report",
    "headline",
]

#: Measures of violence, from the one that recording can move least to the one it moves most.
MEASURES = {
    "homicide": "homicide",
    "admissions": "hospital admissions, sharp object",
    "robbery": "robbery",
    "knife_offences": "knife offences",
    "violence_with_injury": "violence with injury",
    "violence_without_injury": "violence without injury",
}
#: The shipped tables that a report is worked out from.
TABLES = (
    "officers", "recorded_crime", "funding", "population", "prices", "deprivation_force",
    "hospital_admissions", "breaks", "officers_revisions",
)  # fmt: skip
_SERIES = ("hmic_actuals", "hmic_estimates", "outturn")
_USED = ("funding", "officers", "recorded_crime", "population", "hospital_admissions")


@dataclass(frozen=True)
class ForceReport:
    """All that a force's report shows.

    Attributes
    ----------
    force, start, end, price_base : str
        What it is about.
    rates : bool
        Whether rates per resident mean anything here.
    region : str
        Its region of England; empty for Wales.
    money : DataFrame
        From `funding.real_by_source`.
    funding_sources : frozenset of str
        Publications (ids) behind `money`.
    funding_cash_change : float
        Proportional change in grants and council tax between the years, at their own prices.
    officers : DataFrame
        By ``year`` (of the 31 March): ``officers_fte``; ``officers_per_1000`` residents of the
        30 June after, and the ``median_per_1000`` of the forces.
    offences : DataFrame
        By ``financial_year``: the count of each of `MEASURES`, missing where not published.
    standing : DataFrame
        From `standing`, every force.
    homicides : DataFrame
        From `homicide_rates`, three years up to `end`.
    violence : ViolenceChange
        How violence moved between the two years.
    alike : DataFrame
        The forces whose officers per resident changed most nearly as much: their changes.
    alike_total : DataFrame
        By outcome: what these forces recorded together before and after, and the ``ratio`` of
        the rates with its interval (homicide only, whose counts are small and independent).
    links : dict
        From `headline_links`.
    implied : DataFrame
        From `implied.chain`.
    breaks : DataFrame
        Register entries that touch the force in the tables used.
    revisions : DataFrame
        Its counts of officers that two editions print differently.
    panel : DataFrame
        From `force_panel`, with the audits of its joins.
    """

    force: str
    start: str
    end: str
    price_base: str
    rates: bool
    region: str
    money: pd.DataFrame
    funding_sources: frozenset[str]
    funding_cash_change: float
    officers: pd.DataFrame
    offences: pd.DataFrame
    standing: pd.DataFrame
    homicides: pd.DataFrame
    violence: ViolenceChange
    alike: pd.DataFrame
    alike_total: pd.DataFrame
    links: dict[str, Link]
    implied: pd.DataFrame
    breaks: pd.DataFrame
    revisions: pd.DataFrame
    panel: pd.DataFrame

    @property
    def estimates(self) -> pd.DataFrame:
        """HMIC's estimates of the two years compared, in real terms, by ``financial_year``."""
        rows = self.money[self.money["series"] == "hmic_estimates"]
        return rows.set_index("financial_year").loc[[self.start, self.end]]

    @property
    def counted(self) -> tuple[int, int]:
        """The years whose 31 March ends the two years compared."""
        return periods.start(self.start) + 1, periods.start(self.end) + 1


def _officers(officers: pd.DataFrame, population: pd.DataFrame, force: str) -> pd.DataFrame:
    """Return a force's officers by year, per resident too, beside the forces' median."""
    rates = per_1000(officers, population)
    own = officers[officers["force"] == force]
    counts = own.set_index(own["date"].str[:4].astype("int64"))["officers_fte"].sort_index()
    return pd.DataFrame(
        {
            "officers_fte": counts,
            "officers_per_1000": rates.get(force, np.nan),
            "median_per_1000": rates.median(axis=1),
        }
    ).rename_axis("year")


def _offences(crime: pd.DataFrame, admissions: pd.DataFrame, force: str) -> pd.DataFrame:
    """Return a force's counts by financial year, and its region's admissions."""
    rows = crime[crime["force"] == force]
    wide = rows.pivot(index="financial_year", columns="offence_group", values="offences")
    wide = wide.reindex(columns=list(MEASURES)).rename_axis(columns=None)
    region = places.region_of(force)
    if region and force not in TOO_FEW_RESIDENTS:
        sums = whole_years(admissions[admissions["region"] == region], "admissions")
        sums.index = sums.index.map(periods.label)
        wide["admissions"] = sums.reindex(wide.index)
    return wide.astype(float)


def _register(register: pd.DataFrame, force: str) -> pd.DataFrame:
    """Return the breaks that touch a force in the tables that its report uses."""
    here = register["places"].map(lambda text: text == "all" or force in text.split(";"))
    rows = register[register["table"].isin(_USED) & here]
    return rows.sort_values("date", ignore_index=True)


def force_report(
    force: str,
    start: str,
    end: str,
    price_base: str,
    tables: Mapping[str, pd.DataFrame] | None = None,
) -> ForceReport:
    """Work out one force's report from the shipped tables.

    Parameters
    ----------
    force : str
        One of the 43 forces.
    start, end : str
        Financial years of the change, of those with estimates of funding.
    price_base : str
        The year whose prices money is shown at.
    tables : mapping, optional
        Tables by name; those not given are loaded from the catalog.

    Raises
    ------
    UnknownNameError
        If the force or a year is not known.

    Examples
    --------
    >>> report = force_report("Surrey", "2009/10", "2017/18", "2017/18")
    >>> report.region, report.rates
    ('South East', True)
    """
    force = places.force(force)
    given = tables or {}
    tables = {name: given[name] if name in given else catalog.load(name) for name in TABLES}
    crime, people, register = tables["recorded_crime"], tables["population"], tables["breaks"]
    panel = force_panel("2007/08", "2018/19", price_base=price_base, tables=tables)
    links = headline_links(panel, register)
    rates = force not in TOO_FEW_RESIDENTS
    estimates = funding.by_source(tables["funding"], "hmic_estimates")
    cash = estimates[estimates["force"] == force].set_index("financial_year")["funding_gbp_m"]
    paid = tables["funding"]
    paid = paid[(paid["force"] == force) & paid["series"].isin(_SERIES)]
    like, total = alike(panel, register, force, start, end)
    revisions = tables["officers_revisions"]
    return ForceReport(
        force, start, end, price_base, rates, places.region_of(force),
        funding.real_by_source(tables["funding"], tables["prices"], force, price_base),
        frozenset(paid["source"]), float(cash[end] / cash[start] - 1),
        _officers(tables["officers"], people, force),
        _offences(crime, tables["hospital_admissions"], force),
        standing(panel, estimates, tables["officers"], tables["prices"], start, end),
        homicide_rates(crime, people, register, end),
        violence_change(force, start, end, tables.__getitem__), like, total, links,
        chain(panel, links, force, start, end, rng=2018),
        _register(register, force), revisions[revisions["force"] == force], panel,
    )  # fmt: skip


def headline(report: ForceReport) -> dict[str, object]:
    """Return the numbers that an index of reports compares, by name.

    Proportional changes between the two years; rates of the years up to the last; officers by
    year for a small chart. NaN where a rate would mean nothing.
    """
    moved = report.standing.loc[report.force]
    rates = report.homicides.set_index("force")
    mine = rates.loc[report.force] if report.rates else pd.Series(np.nan, rates.columns)
    implied = report.implied.set_index(["outcome", "route"])
    span = ("violence with injury", "officers lost")
    return {
        "funding_change": moved["funding"],
        "funding_cash_change": report.funding_cash_change,
        "officers_change": moved["officers"],
        "officers_per_resident_change": moved["officers_per_resident"],
        "robbery_change": moved["robbery"],
        "violence_with_injury_change": moved["violence_with_injury"],
        "homicides_per_million": mine["per_million"],
        "homicides_per_million_low": mine["ci_low"],
        "homicides_per_million_high": mine["ci_high"],
        "homicide_change": report.violence.ratio.estimate - 1,
        "implied_low": implied.at[span, "ci_low"] if len(implied) else np.nan,
        "implied_high": implied.at[span, "ci_high"] if len(implied) else np.nan,
        "officers_by_year": {
            str(year): float(count) for year, count in report.officers["officers_fte"].items()
        },
    }
