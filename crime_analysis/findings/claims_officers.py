"""The figures that bear on the article's claims of officers and of the taskforce."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from crime_analysis.findings.claims_readings import (
    LAST_MARCH,
    LAST_MONTH,
    MET,
    Evidence,
    Load,
    Reading,
    compared,
    keys,
    quoted_figure,
)

__all__ = ["READINGS", "counts"]

#: Two counts of the Met's officers on one day differ by up to this part (table
#: ``met_strength_monthly``): a smaller difference between two counts says nothing.
SAME_COUNT = 0.015


def counts(load: Load) -> pd.DataFrame:
    """Return every count of the Met's officers on hand, each under its own name.

    Returns
    -------
    DataFrame
        ``date``, ``officers_fte``, ``count`` (``Home Office, 31 March``; ``MOPAC, monthly``;
        ``older basis, quoted``), ``year`` and ``per_1000`` (residents on 30 June of that
        year), in order of date. They are counts on different bases: not one series.
    """
    office = load("officers").query("force == @MET")[["date", "officers_fte"]]
    months = load("met_strength_monthly")[["month", "officers_fte"]]
    earlier = load("met_strength_earlier")[["month", "officers_fte"]]
    earlier = earlier[~earlier["month"].isin(months["month"])]
    monthly = pd.concat([earlier, months]).rename(columns={"month": "date"})
    quoted = load("quoted_figures")
    old = quoted[
        (quoted["measure"] == "police_officers_fte") & (quoted["period"] < office["date"].min())
    ].rename(columns={"period": "date", "value": "officers_fte"})
    stacked = [
        old[["date", "officers_fte"]].assign(count="older basis, quoted"),
        office.assign(count="Home Office, 31 March"),
        monthly.assign(count="MOPAC, monthly"),
    ]
    held = pd.concat(stacked).sort_values(["date", "count"], ignore_index=True)
    people = load("population").query("place == @MET").set_index("year")["population"]
    year = held["date"].str[:4].astype(int)
    return held.assign(year=year, per_1000=1000 * held["officers_fte"] / year.map(people))


_OFFICE = keys("officers", force=MET, date=LAST_MARCH)
_MONTHLY = keys("met_strength_monthly", month=LAST_MONTH)
_OLD = keys("quoted_figures", measure="police_officers_fte", place=MET)


def _latest(held: pd.DataFrame, count: str, date: str) -> float:
    rows = held[(held["count"] == count) & (held["date"] == date)]
    return float(rows["officers_fte"].iloc[0]) if len(rows) else np.nan


def _years(since: str, until: str) -> float:
    return (pd.Timestamp(until) - pd.Timestamp(since)).days / 365.25


def below(e: Evidence) -> list[Reading]:
    """Return whether officers were below the line before the article, and for how long not."""
    held, line, years = counts(e.load), e.claimed["officers"], e.claimed["years"]
    band = (-np.inf, line)
    monthly = held[(held["count"] == "MOPAC, monthly") & (held["date"] <= LAST_MONTH)]
    crossed = _crossed(monthly, line)
    # Months end: the count of March 2018 is that of its last day, as the Home Office's is.
    when = str(pd.Period(crossed).end_time.date()) if crossed else LAST_MARCH
    past = held[held["date"] < (crossed or LAST_MONTH)]
    under = past.loc[past["officers_fte"] < line, "date"]
    last = under.max() if len(under) else None
    since = past.loc[past["date"] > last, "date"].min() if last else past["date"].min()
    least = _years(since, when)
    most = _years(last, when) if last else np.nan
    # A year of fewer than 15.5 reads as 15.
    fits = None if np.isnan(most) else bool(least - 0.5 <= years < most + 0.5)
    name, latest = "MOPAC's monthly count", _latest(held, "MOPAC, monthly", LAST_MONTH)
    return [
        compared(name, "own", LAST_MONTH, latest,
                 "officers", band, origin=_MONTHLY,
                 note=f"First month below: {crossed}." if crossed else "No month is below."),
        Reading(
            name, "own", "years since a count below", most, "years", years - 0.5, years + 0.5,
            agrees=fits, value_low=least, value_high=most,
            note=f"Last count below: {last}, on an older basis; no count on hand until {since}."
            if last else "No earlier count on hand is below.",
            origin=f"{keys('met_strength_monthly', month=f'..{LAST_MONTH}')}; {_OLD};"
            f" {keys('officers', force=MET)}; {keys('met_strength_earlier')}",
        ),
        compared("the Home Office's count", "rival", LAST_MARCH,
                 _latest(held, "Home Office, 31 March", LAST_MARCH), "officers", band,
                 origin=_OFFICE),
    ]  # fmt: skip


def _crossed(monthly: pd.DataFrame, line: float) -> str:
    """Return the first month of the spell below the line that lasts to the end; else nothing."""
    above = monthly.loc[monthly["officers_fte"] >= line, "date"]
    spell = monthly if above.empty else monthly[monthly["date"] > above.max()]
    return str(spell["date"].iloc[0]) if len(spell) else ""


def fewest(e: Evidence) -> list[Reading]:
    """Return whether the latest count is the lowest of the years claimed, in all and per head."""
    held, years = counts(e.load), e.claimed["years"]
    start = int(LAST_MARCH[:4]) - int(years)
    past = held[(held["date"] < LAST_MARCH) & (held["year"] >= start)]
    past = past[past["count"] != "MOPAC, monthly"]
    reach = f"Counts on hand go back to {past['date'].min()} only."

    def reading(
        definition: str, role: str, count: str, date: str, unit: str, origin: str
    ) -> Reading:
        column = "officers_fte" if unit == "officers" else unit
        rows = held[(held["count"] == count) & (held["date"] == date)]
        value = float(rows[column].iloc[0]) if len(rows) else np.nan
        known = past.dropna(subset=[column])
        if known.empty:
            return compared(
                definition,
                role,
                date,
                np.nan,
                unit,
                origin=origin,
                caution="no earlier count can be compared",
            )
        lowest = known.loc[known[column].idxmin()]
        # Fewer before, by more than two counts of one day differ: false. Else every year is needed.
        fewer = lowest[column] < value * (1 - SAME_COUNT)
        whole = known["year"].min() <= start
        agrees = None
        if np.isfinite(value):
            agrees = False if fewer else True if whole and value < lowest[column] else None
        return Reading(
            definition, role, date, value, unit, high=float(lowest[column]), agrees=agrees,
            note=f"Lowest before, {lowest['count']}: {lowest['date']}. {reach}",
            origin=f"{origin}; {_OLD}; {keys('officers', force=MET)}"
            + ("" if unit == "officers" else f"; {keys('population', place=MET)}"),
        )  # fmt: skip

    office, monthly = "Home Office, 31 March", "MOPAC, monthly"
    return [
        reading("officers, Home Office", "own", office, LAST_MARCH, "officers", _OFFICE),
        reading("officers, MOPAC", "rival", monthly, LAST_MONTH, "officers", _MONTHLY),
        reading("officers per 1,000 residents, Home Office", "rival", office, LAST_MARCH,
                "per_1000", _OFFICE),
        reading("officers per 1,000 residents, MOPAC", "rival", monthly, LAST_MONTH, "per_1000",
                _MONTHLY),
    ]  # fmt: skip


def moved(e: Evidence) -> list[Reading]:
    """Return what the tables hold of the officers moved: nothing, until someone adds it."""
    low, high, months = (e.claimed[n] for n in ("officers_low", "officers_high", "months"))
    measure = "Violent Crime Taskforce: officers moved to it"
    found = quoted_figure(e.load("quoted_figures"), measure, "2018-09")
    all_of = _latest(counts(e.load), "MOPAC, monthly", LAST_MONTH)
    return [
        compared(
            "officers moved, by the Met's own records", "own", measure, found, "officers",
            (low, high + 1), caution="" if np.isfinite(found) else "no table holds postings",
            origin=keys("quoted_figures", measure=measure, period="2018-09"),
        ),
        compared("as a share of all officers", "beside", "at most", 100 * high / all_of, "percent",
                 origin=_MONTHLY),
        compared("in officer-years", "beside", "at most", high * months / 12, "officers",
                 origin=keys("claims", id="officers-moved")),
    ]  # fmt: skip


def results(e: Evidence) -> list[Reading]:
    """Return what the tables hold of the taskforce's results, and what those claimed imply."""
    quoted, period = e.load("quoted_figures"), "2018-04 to 2018-09"
    own = "counts in the taskforce's own log"
    readings = []
    for name, figure in e.claimed.items():
        measure = f"Violent Crime Taskforce: {name}"
        found = quoted_figure(quoted, measure, period)
        readings.append(
            compared(
                own,
                "own",
                name,
                found,
                "count",
                (0.95 * figure, 1.05 * figure),
                caution="" if np.isfinite(found) else "no table holds the taskforce's counts",
                origin=keys("quoted_figures", measure=measure, period=period),
            )
        )
    sweeps = e.claimed["sweeps"]
    months = e.load("stop_and_search_monthly").query("'2018-04' <= month <= '2018-08'")
    stops = float(months["all"].sum(min_count=5))
    register = keys("claims", id="taskforce-results")
    readings += [
        compared("as claimed, for each sweep", "beside", name, e.claimed[name] / sweeps, "ratio",
                 origin=register)
        for name in e.claimed if name != "sweeps"
    ]  # fmt: skip
    readings.append(
        compared("all stops and searches by the Met", "beside", "April to August 2018", stops,
                 "count", origin=keys("stop_and_search_monthly", month="2018-04..2018-08"))
    )  # fmt: skip
    return readings


#: The claims that these figures bear on.
READINGS: Mapping[str, Callable[[Evidence], list[Reading]]] = {
    "officers-moved": moved,
    "under-30000": below,
    "fewest-in-20-years": fewest,
    "taskforce-results": results,
}
