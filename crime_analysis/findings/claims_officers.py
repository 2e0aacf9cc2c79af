"""The figures that bear on the article's claims of officers and of the taskforce."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from crime_analysis.findings import strength
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

#: Counts of the Met under the names of this check. A count that another takes up is one with it.
_NAMES = {
    strength.OFFICE: "Home Office, 31 March",
    strength.HMIC: "Home Office, 31 March",
    strength.MONTHLY: "MOPAC, monthly",
    strength.EARLIER: "MOPAC, monthly",
    strength.OLDER_BASIS: "older basis, quoted",
}


def counts(load: Load) -> pd.DataFrame:
    """Return the counts of the Met's officers that bear on the claims, each under its own name.

    Returns
    -------
    DataFrame
        ``date``, ``officers_fte``, ``count`` (``Home Office, 31 March``; ``MOPAC, monthly``;
        ``older basis, quoted``), ``year`` and ``per_1000`` (residents on 30 June of that
        year), in order of date. They are counts on different bases: not one series.
    """
    held = strength.counts(MET, load)
    held = held[held["count"].isin(_NAMES)]
    held = held.assign(count=held["count"].map(_NAMES), year=held["date"].str[:4].astype(int))
    held = held.drop_duplicates(["count", "date"])  # the Home Office's own stands first
    columns = ["date", "officers_fte", "count", "year", "per_1000"]
    return held.sort_values(["date", "count"], ignore_index=True)[columns]


_OFFICE = keys("officers", force=MET, date=LAST_MARCH)
_MONTHLY = keys("met_strength_monthly", month=LAST_MONTH)
_OLD = keys("quoted_figures", measure="police_officers_fte", place=MET)


_OPEN = (
    "how long ago there were last so few is a range, because no count is on hand between two dates,"
    " and a part of it lies on either side of what was claimed"
)


def below(e: Evidence) -> list[Reading]:
    """Return whether officers were below the line before the article, and for how long not."""
    line, years = e.claimed["officers"], e.claimed["years"]
    held, band = strength.counts(MET, e.load), (-np.inf, line)
    since = strength.since_below(held, line).set_index("count").loc[strength.MONTHLY]
    least, most = float(since["least_years"]), float(since["most_years"])
    fits = strength.years_agree(least, most, years)
    name, crossed = "MOPAC's monthly count", since["crossed"]
    note = "No earlier count on hand is below."
    if isinstance(since["last_below"], str):
        note = (
            f"Last count below: {since['last_below']}, {since['last_below_count']}; no count on"
            f" hand until {since['not_below_from']}."
        )
    return [
        compared(name, "own", LAST_MONTH, _at(held, strength.MONTHLY, LAST_MONTH), "officers", band,
                 origin=_MONTHLY, note=f"First month below: {crossed}."
                 if isinstance(crossed, str) else "No month is below."),
        Reading(
            name, "own", "years since a count below", most, "years", years - 0.5, years + 0.5,
            agrees=fits, value_low=least, value_high=most,
            caution="" if fits is not None else _OPEN if np.isfinite(least) else
            "no earlier count on hand is below",
            note=note if isinstance(crossed, str) else "",
            origin=f"{keys('met_strength_monthly', month=f'..{LAST_MONTH}')}; {_OLD};"
            f" {keys('officers', force=MET)}; {keys('met_strength_earlier')}",
        ),
        compared("the Home Office's count", "rival", LAST_MARCH,
                 _at(held, strength.OFFICE, LAST_MARCH), "officers", band, origin=_OFFICE),
    ]  # fmt: skip


def _at(held: pd.DataFrame, count: str, date: str, unit: str = "officers_fte") -> float:
    rows = held[(held["count"] == count) & (held["date"] == date)]
    return float(rows[unit].iloc[0]) if len(rows) else np.nan


def fewest(e: Evidence) -> list[Reading]:
    """Return whether the latest count is the lowest of the years claimed, in all and per head."""
    held = strength.counts(MET, e.load)
    found = strength.lowest_for(held, e.claimed["years"]).set_index(["count", "unit"])
    answers = {"yes": True, "no": False, "cannot tell": None}

    def reading(definition: str, role: str, count: str, date: str, column: str) -> Reading:
        unit = "officers" if column == "officers_fte" else column
        origin = _OFFICE if count == strength.OFFICE else _MONTHLY
        value = _at(held, count, date, column)
        if not np.isfinite(value) or (lowest := found.loc[(count, column)])["lowest_on"] is None:
            return compared(definition, role, date, np.nan, unit, origin=origin,
                            caution="no earlier count can be compared")  # fmt: skip
        reach = held.dropna(subset=[column])["date"].min()
        return Reading(
            definition, role, date, value, unit, high=float(lowest["lowest_before"]),
            agrees=answers[lowest["answer"]],
            note=f"Lowest before, {lowest['lowest_count']}: {lowest['lowest_on']}. Counts on hand"
            f" go back to {reach} only.",
            origin=f"{origin}; {_OLD}; {keys('officers', force=MET)}"
            + ("" if unit == "officers" else f"; {keys('population', place=MET)}"),
        )  # fmt: skip

    office, monthly = strength.OFFICE, strength.MONTHLY
    heads = "officers per 1,000 residents"
    return [
        reading("officers, Home Office", "own", office, LAST_MARCH, "officers_fte"),
        reading("officers, MOPAC", "rival", monthly, LAST_MONTH, "officers_fte"),
        reading(f"{heads}, Home Office", "rival", office, LAST_MARCH, "per_1000"),
        reading(f"{heads}, MOPAC", "rival", monthly, LAST_MONTH, "per_1000"),
    ]


def moved(e: Evidence) -> list[Reading]:
    """Return what the tables hold of the officers moved: nothing, until someone adds it."""
    low, high, months = (e.claimed[n] for n in ("officers_low", "officers_high", "months"))
    measure = "Violent Crime Taskforce: officers moved to it"
    found = quoted_figure(e.load("quoted_figures"), measure, "2018-09")
    all_of = _at(strength.counts(MET, e.load), strength.MONTHLY, LAST_MONTH)
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
