"""The season of violence, and how far one summer lies outside what earlier summers foretell.

Two questions of one series of months (London) or quarters (any force). Neither says why: no
summer is compared with what it would have been without something.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crime_analysis import breaks, catalog, periods, places
from crime_analysis.findings.claims_readings import Load
from crime_analysis.findings.measures import touched
from crime_analysis.findings.one_force import admissions
from crime_analysis.links import LONDON, without_events

__all__ = [
    "FEWEST_EARLIER",
    "FEWEST_EVENTS",
    "SEASONAL",
    "SUMMER",
    "Series",
    "boroughs_added",
    "extremes",
    "multiplicative",
    "near_a_break",
    "placed",
    "series",
    "summer_over_year",
    "year_over_year",
]

SUMMER = 2018
#: With fewer earlier summers (or years) no range is foretold.
FEWEST_EARLIER = 5
#: Nor where earlier ones count fewer events on average: chance of few events is no normal law.
#: With fewer a month or quarter, over all years, no season is shown.
FEWEST_EVENTS = 10
#: By column: name in words, in the order of `measures.MEASURES`.
SEASONAL = {
    "homicide": "homicide",
    "admissions": "hospital admissions (region)",
    "knife_crime": "knife crime, MOPAC to 2015",
    "robbery": "robbery",
    "violence_with_injury": "violence with injury",
}
# From 2019/20 on years hold months of the pandemic.
_LAST_SEASON = 2018
# Recorded violence of 2002/03 to 2005/06 rose as forces adopted the recording standard.
_STANDARD_SETTLED = 2006


@dataclass(frozen=True)
class Series:
    """Counts of a place by month or quarter.

    Attributes
    ----------
    place : str
        A force; its admissions are those of its region.
    per_year : int
        12 or 4.
    counts : DataFrame
        By ``fy_start`` and ``part`` (0 is April, or the quarter from April): each of `SEASONAL`.
    """

    place: str
    per_year: int
    counts: pd.DataFrame

    @property
    def part(self) -> str:
        """What one part of a year is called."""
        return "month" if self.per_year == 12 else "quarter"

    @property
    def summer(self) -> str:
        """Which months the summer is made of."""
        return "June to August" if self.per_year == 12 else "July to September"


def series(force: str, load: Load = catalog.load) -> Series:
    """Return London's measures by month, or another force's by quarter.

    The Met's months are the sums of its boroughs under its new classes, from April 2010; knife
    crime is MOPAC's, to November 2015. Other forces publish by quarter, from April 2012; homicides
    of a year that one event dominates are missing.

    Parameters
    ----------
    force : str
        One of the 43 forces.
    load : callable
        Gives a shipped table by name.
    """
    force = places.force(force)
    stays = placed(admissions(force, load).set_index("month")["admissions"])
    if force == LONDON:
        sums = boroughs_added(["homicide", "robbery", "violence_with_injury"], load)
        knives = load("met_violence_monthly").set_index("month")["knife_crime"]
        parts = [placed(sums[name]) for name in sums] + [stays, placed(knives)]
        wide = pd.concat(parts, axis=1)
        return Series(force, 12, wide.reindex(columns=list(SEASONAL)).sort_index())
    rows = load("recorded_crime_quarterly").query("force == @force")
    rows = without_events(rows, load("breaks"), "homicide")
    keys = [rows["financial_year"].map(periods.start).rename("fy_start"),
            (rows["quarter"] - 1).rename("part")]  # fmt: skip
    wide = rows.set_index(keys)[["homicide", "robbery", "violence_with_injury"]]
    quarter = [stays.index.get_level_values(0), stays.index.get_level_values(1) // 3]
    stays = stays.groupby(quarter).sum(min_count=3).rename_axis(["fy_start", "part"])
    wide = wide.join(stays)
    return Series(force, 4, wide.reindex(columns=list(SEASONAL)).sort_index())


def boroughs_added(names: list[str], load: Load = catalog.load) -> pd.DataFrame:
    """Return offence groups of all London boroughs by month, under the Met's new classes.

    Missing where one borough is.
    """
    crime = load("borough_crime_monthly").query("classification == 'new'")
    return crime.groupby("month")[names].sum(min_count=crime["place"].nunique())


def placed(months: pd.Series) -> pd.Series:
    """Return a monthly count by ``fy_start`` and ``part``, the month of the year, 0 for April."""
    year = months.index.str[:4].astype("int64")
    part = (months.index.str[5:7].astype("int64") - 4) % 12
    at = pd.MultiIndex.from_arrays([year - (part > 8), part], names=["fy_start", "part"])
    return pd.Series(months.to_numpy(dtype=float), at, name=months.name)


def _days(fy_start: int, part: int, per_year: int) -> int:
    """Return how many days a month or quarter has."""
    months = range(part * 12 // per_year, (part + 1) * 12 // per_year)
    places_ = [(fy_start + (m > 8), (m + 3) % 12 + 1) for m in months]
    return sum(calendar.monthrange(year, month)[1] for year, month in places_)


def multiplicative(found: Series, column: str) -> pd.DataFrame:
    """Return how many times its year's daily mean each month or quarter has, with intervals.

    A Poisson model with an effect of each year and of each part, exposed for so many days, by
    maximum likelihood; the season is scaled to a mean of 1 over the days. Errors are scaled by
    Pearson's dispersion (quasi-Poisson; McCullagh and Nelder 1989), never below one, and treat
    months as independent.

    Parameters
    ----------
    found : Series
    column : str
        One of `SEASONAL`. Whole years to 2018/19: later ones hold months of the pandemic.

    Returns
    -------
    DataFrame
        By ``part``: ``estimate`` (1 is the daily mean), ``ci_low``, ``ci_high`` (95%), ``events``.
        Without rows if there are not two whole years, or fewer than `FEWEST_EVENTS` events in a
        part on average, or none in some. ``attrs``:
        ``years`` (first, last and how many), ``dispersion``, and ``p_value`` of no season at
        all (F test of Pearson's statistic over the dispersion).
    """
    from scipy import stats

    wide = found.counts[column].unstack("part").reindex(columns=range(found.per_year))
    wide = wide[(wide.index <= _LAST_SEASON) & wide.notna().all(axis=1)]
    empty = pd.DataFrame(columns=["estimate", "ci_low", "ci_high", "events"]).rename_axis("part")
    events = wide.sum()
    if len(wide) < 2 or events.mean() < FEWEST_EVENTS or (events == 0).any():
        return empty
    days = pd.DataFrame(
        [[_days(year, part, found.per_year) for part in wide.columns] for year in wide.index],
        wide.index, wide.columns,
    ).astype(float)  # fmt: skip
    total, by_year = events.sum(), wide.sum(axis=1)
    level = by_year / days.sum(axis=1)
    # The likelihood's own equations, one effect after the other; only leap years couple them.
    for _ in range(30):
        season = events / (days.T @ level)
        level = by_year / (days @ season)
    expected = np.outer(level, season) * days.to_numpy()
    estimate = season * days.to_numpy().sum() / (season * days.sum()).sum()
    freedom = (wide.shape[0] - 1) * (wide.shape[1] - 1)
    with np.errstate(invalid="ignore"):
        terms = (wide.to_numpy() - expected) ** 2 / expected
    dispersion = max(float(np.nansum(terms)) / freedom, 1.0)
    error = np.sqrt(dispersion * (1 / events - 1 / total))
    reach = np.exp(stats.t.ppf(0.975, freedom) * error)
    table = pd.DataFrame(
        {"estimate": estimate, "ci_low": estimate / reach, "ci_high": estimate * reach,
         "events": events}
    )  # fmt: skip
    even = (days.T / days.sum(axis=1)) @ by_year
    parts = len(events) - 1
    statistic = float(((events - even) ** 2 / even).sum()) / parts / dispersion
    table.attrs.update(
        years=(int(wide.index[0]), int(wide.index[-1]), len(wide)), dispersion=dispersion,
        p_value=float(stats.f.sf(statistic, parts, freedom)),
    )  # fmt: skip
    return table


def summer_over_year(counts: pd.Series, per_year: int) -> pd.DataFrame:
    """Return each summer's count, and over a quarter of the twelve months before it.

    Both hold the same months each year, so the season cancels, and a steady trend moves every
    ratio alike.

    Parameters
    ----------
    counts : Series
        By ``fy_start`` and ``part``, a column of `Series.counts` or from `placed`.
    per_year : int
        12 (the summer is June to August) or 4 (July to September).

    Returns
    -------
    DataFrame
        By ``year``: ``count``, ``ratio``; missing if a month is.
    """
    parts = [2, 3, 4] if per_year == 12 else [1]
    fy, part = (counts.index.get_level_values(level) for level in (0, 1))
    at = pd.Series(counts.to_numpy(dtype=float), fy * per_year + part)
    rows = {}
    for year in sorted(set(fy)):
        first = year * per_year + parts[0]
        summer = at.reindex(range(first, first + len(parts))).sum(min_count=len(parts))
        before = at.reindex(range(first - per_year, first)).sum(min_count=per_year)
        rows[year] = {"count": summer, "ratio": summer / (before / 4) if before > 0 else np.nan}
    found = pd.DataFrame.from_dict(rows, orient="index", columns=["count", "ratio"])
    return found.rename_axis("year")


def year_over_year(years: pd.Series) -> pd.DataFrame:
    """Return each financial year's count and over the year before's, by first calendar year."""
    counts = years.rename(index=periods.start).sort_index()
    before = counts.shift(1).where(counts.index.to_series().diff() == 1)
    return pd.DataFrame({"count": counts, "ratio": counts / before.where(before > 0)})


def extremes(
    found: Series, years: pd.DataFrame, register: pd.DataFrame, year: int = SUMMER
) -> pd.DataFrame:
    """Return how far a summer, and the financial year that holds it, lie outside earlier ones.

    Each is taken over the twelve months before it, so that season and steady trend drop out. The
    earlier ratios foretell a range for the next one if they are independent draws of one normal
    law: mean ± t · s · √(1 + 1/n) (a prediction interval; Whitmore 1986), not below nought.
    Ratios of which a break in recording falls between the twelve months before and the twelve
    after are left out, and years dominated by one event.

    Parameters
    ----------
    found : Series
        From `series`.
    years : DataFrame
        From `measures.yearly`.
    register : DataFrame
        The shipped table ``breaks``.
    year : int
        The calendar year of the summer.

    Returns
    -------
    DataFrame
        ``measure``, ``span`` (``summer`` or ``financial year``), ``count``, ``ratio``,
        ``expected``, ``pi_low``, ``pi_high`` (95%; missing with fewer than `FEWEST_EARLIER`
        earlier ratios or `FEWEST_EVENTS` events in them on average),
        ``rank`` by ratio among ``of`` comparable ones up to `year` (1 the highest),
        ``rank_count`` by count among ``of_count``, ``left_out`` (years), ``verdict`` (``above``,
        ``below``, ``within`` or ``cannot tell``) and ``earlier`` (the ratios, by year).
    """
    rows = []
    for name in ("homicide", "admissions", "robbery", "violence_with_injury"):
        table = summer_over_year(found.counts[name], found.per_year)
        rows.append(_row(name, "summer", table, register, found.place, year))
    for name in ("homicide", "admissions", "knife_offences", "robbery", "violence_with_injury"):
        table = year_over_year(years[name])
        rows.append(_row(name, "financial year", table, register, found.place, year))
    return pd.DataFrame(rows)


def _row(
    name: str, span: str, table: pd.DataFrame, register: pd.DataFrame, force: str, year: int
) -> dict[str, object]:
    from scipy import stats

    table = table[table.index <= year].dropna(subset=["count"])
    ratios = table["ratio"].dropna()
    crossed = [
        y for y in ratios.index if y != year and near_a_break(name, span, register, force, y)
    ]
    if touched(register)[name]:  # the register's advice on the recording standard of 2002
        crossed = sorted({*crossed, *(y for y in ratios.index if y < _STANDARD_SETTLED)})
    earlier = ratios.drop(crossed).drop(year, errors="ignore")
    now = float(ratios.get(year, np.nan))
    row: dict[str, object] = {
        "measure": name, "span": span, "count": float(table["count"].get(year, np.nan)),
        "ratio": now, "expected": np.nan, "pi_low": np.nan, "pi_high": np.nan,
        "rank": np.nan, "of": len(earlier) + 1, "rank_count": np.nan, "of_count": len(table),
        "left_out": ", ".join(str(y) for y in crossed), "verdict": "cannot tell",
        "earlier": earlier,
    }  # fmt: skip
    if year in table.index:
        row["rank_count"] = int((table["count"] > table.at[year, "count"]).sum()) + 1
    # Recording changed between the year before and this one: its own ratio cannot be read.
    own = np.isfinite(now) and not near_a_break(name, span, register, force, year)
    if own:
        row["rank"] = int((earlier > now).sum()) + 1
    enough = len(earlier) >= FEWEST_EARLIER
    if own and enough and table.loc[earlier.index, "count"].mean() >= FEWEST_EVENTS:
        mean, spread, n = earlier.mean(), earlier.std(ddof=1), len(earlier)
        reach = stats.t.ppf(0.975, n - 1) * spread * np.sqrt(1 + 1 / n)
        low, high = max(mean - reach, 0.0), mean + reach
        row |= {"expected": mean, "pi_low": low, "pi_high": high}
        row["verdict"] = "above" if now > high else "below" if now < low else "within"
    return row


def near_a_break(name: str, span: str, register: pd.DataFrame, force: str, year: int) -> bool:
    """Return whether a change in recording or an event falls in a ratio's months or beside them.

    Forces changed their practice while they were inspected, before the register's date, and went
    on after it: the months after count too.
    """
    if name == "admissions":
        return False
    opens, ends = ("06-01", "08-31") if span == "summer" else ("04-01", "03-31")
    last = year + 1 if span == "summer" else year + 2
    entries = breaks.affecting(register, "recorded_crime", name, force)
    entries = entries[entries["kind"].isin(["recording", "definition", "system", "event"])]
    return bool(entries["date"].between(f"{year - 1}-{opens}", f"{last}-{ends}").any())
