"""How many officers a force has, by every count published.

Counts on different bases stand side by side and are never joined. What a span of years can show
is limited by how far back a count goes, so every answer carries its reach.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crime_analysis import catalog, places
from crime_analysis.claims_register import claimed
from crime_analysis.findings.borough_report import OFFICERS_SPAN
from crime_analysis.findings.claims_readings import LAST_MONTH, Load
from crime_analysis.findings.one_force import residents
from crime_analysis.links import LONDON

__all__ = [
    "EARLIER",
    "FIRST_PRINTED",
    "HMIC",
    "LATER",
    "MONTHLY",
    "OFFICE",
    "OLDER_BASIS",
    "SAME_COUNT",
    "borough_posts",
    "claimed_line",
    "counts",
    "first_below",
    "in_office_terms",
    "lowest_for",
    "roles",
    "since_below",
    "years_agree",
]

OFFICE = "Home Office, 31 March"
HMIC = "HMIC, 31 March"
FIRST_PRINTED = "Home Office, first edition"
LATER = "Home Office, quoted from pages"
MONTHLY = "MOPAC, monthly"
EARLIER = "MOPAC, monthly, edition of 2015"
OLDER_BASIS = "older basis, quoted from pages"
#: Two counts of the Met's officers on one day differ by up to this part (table
#: ``met_strength_monthly``): a smaller difference between two counts says nothing.
SAME_COUNT = 0.015
#: The month before the Met restructured.
_BEFORE_RESTRUCTURE = "2012-02"
_ROLES = {
    "officers_fte": "Officers",
    "pcsos_fte": "Community support officers",
    "staff_fte": "Staff",
}


def claimed_line(load: Load = catalog.load) -> tuple[float, float, float]:
    """Return what was claimed: the line, the years since it was crossed, the years of the fewest.

    Examples
    --------
    >>> claimed_line()
    (30000.0, 15.0, 20.0)
    """
    register = load("claims")
    below, fewest = (claimed(register, name) for name in ("under-30000", "fewest-in-20-years"))
    return float(below["officers"]), float(below["years"]), float(fewest["years"])


def counts(force: str, load: Load = catalog.load) -> pd.DataFrame:
    """Return every count of a force's officers on hand, each under its own name.

    Parameters
    ----------
    force : str
        One of the 43 forces.
    load : callable
        Gives a shipped table by name.

    Returns
    -------
    DataFrame
        ``count``, ``date`` (a day, or a month whose last day is meant), ``when`` (that day),
        ``officers_fte``, ``per_1000`` (residents of the same year's 30 June; missing where
        they are not known or too few).

    Raises
    ------
    UnknownNameError
        If the force is not known.

    Examples
    --------
    >>> held = counts("Surrey")
    >>> held["count"].unique().tolist()
    ['Home Office, 31 March', 'HMIC, 31 March']
    """
    force = places.force(force)
    posts = load("officers").query("force == @force")
    from_hmic = posts["source"].str.startswith("hmic")
    overlap = load("officers_overlap").query("force == @force and measure == 'officers'")
    revised = load("officers_revisions").query("force == @force and measure == 'officers'")
    parts = [
        posts[~from_hmic].assign(count=OFFICE),
        posts[from_hmic].assign(count=HMIC),
        overlap.assign(count=HMIC, officers_fte=overlap["hmic_fte"]),
        revised.assign(count=FIRST_PRINTED, officers_fte=revised["first_fte"]),
    ]
    if force == LONDON:
        parts += _met_only(load)
    held = pd.concat([part[["count", "date", "officers_fte"]] for part in parts])
    held = held.drop_duplicates(["count", "date"])  # Essex: HMIC's figure stands in both tables
    year = held["date"].str[:4].astype("int64")
    held["per_1000"] = 1000 * held["officers_fte"] / year.map(residents(force, load))
    # A month's count is that of its last day, as the Home Office's of 31 March is.
    held["when"] = pd.to_datetime(held["date"], format="ISO8601") + pd.offsets.MonthEnd(0)
    order = [OFFICE, HMIC, FIRST_PRINTED, LATER, MONTHLY, EARLIER, OLDER_BASIS]
    held["count"] = pd.Categorical(held["count"], order)
    held = held.sort_values(["count", "date"], ignore_index=True)
    return held.assign(count=held["count"].astype(str))


def _met_only(load: Load) -> list[pd.DataFrame]:
    """Return the Met's monthly counts, edition by edition, and those quoted from pages."""
    names = {"month": "date", "period": "date", "value": "officers_fte"}
    monthly, earlier, quoted = (
        load(table).rename(columns=names)
        for table in ("met_strength_monthly", "met_strength_earlier", "quoted_figures")
    )
    quoted = quoted[quoted["measure"] == "police_officers_fte"]
    office = load("officers").query("force == @LONDON")["date"]
    return [
        monthly.assign(count=MONTHLY),
        # Of a month that both editions print, the newer is kept.
        earlier[~earlier["date"].isin(monthly["date"])].assign(count=EARLIER),
        quoted[quoted["date"] < office.min()].assign(count=OLDER_BASIS),
        quoted[quoted["date"] > office.max()].assign(count=LATER),
    ]


def first_below(held: pd.DataFrame, line: float) -> pd.DataFrame:
    """Return by count when officers were under a line, and how far each count reaches.

    Parameters
    ----------
    held : DataFrame
        From `counts`.
    line : float
        Officers.

    Returns
    -------
    DataFrame
        ``count``, ``first``, ``last`` (dates on hand), ``counts`` (how many), ``first_below``,
        ``last_below`` (missing if none), ``below`` (how many), ``lowest``, ``lowest_on``.
    """
    rows = []
    for name, group in held.groupby("count", sort=False):
        under = group.loc[group["officers_fte"] < line, "date"]
        least = group.loc[group["officers_fte"].idxmin()]
        rows.append(
            {
                "count": name, "first": group["date"].min(), "last": group["date"].max(),
                "counts": len(group), "first_below": under.min() if len(under) else None,
                "last_below": under.max() if len(under) else None, "below": len(under),
                "lowest": float(least["officers_fte"]), "lowest_on": least["date"],
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def years_agree(least: float, most: float, years: float) -> bool | None:
    """Return whether a range of years agrees with a round number of them; None if it is open.

    A number of years is met by what would be rounded to it. All of a range must agree, or none.

    Examples
    --------
    >>> years_agree(14.6, 15.2, 15), years_agree(16.0, 17.0, 15), years_agree(13.0, 15.0, 15)
    (True, False, None)
    """
    low, high = years - 0.5, years + 0.5
    if low <= least and most < high:
        return True
    return False if most < low or least >= high else None


def since_below(held: pd.DataFrame, line: float, until: str = LAST_MONTH) -> pd.DataFrame:
    """Return how long officers had not been under a line when a count last fell below it.

    Parameters
    ----------
    held : DataFrame
        From `counts`.
    line : float
        Officers.
    until : str
        The month in which the statement is made or the last before it.

    Returns
    -------
    DataFrame
        A row for each count of today: ``count``, ``crossed`` (the first date of the last spell
        under the line; missing if none), ``last_below`` (the last figure under it before, of any
        count, which is ``last_below_count``), ``not_below_from`` (the first figure after that),
        ``least_years`` and ``most_years`` between them and the crossing: between the two dates no
        count is on hand.
    """
    held = held[held["date"].str[:7] <= until]
    rows = []
    for name in (MONTHLY, OFFICE):
        own = held[held["count"].isin([name, *_continued(name)])].sort_values("when")
        low = own["officers_fte"] < line
        row: dict[str, object] = dict.fromkeys(
            ("crossed", "last_below", "last_below_count", "not_below_from")
        )
        row |= {"least_years": np.nan, "most_years": np.nan}
        if low.any():
            crossed = own[low & ~low.shift(fill_value=False)].iloc[-1]
            row["crossed"] = crossed["date"]
            past = held[held["when"] < crossed["when"]]
            under = past[past["officers_fte"] < line]
            since = past[past["when"] > under["when"].max()] if len(under) else past
            if len(since):
                above = since.loc[since["when"].idxmin()]
                row["not_below_from"] = above["date"]
                row["least_years"] = (crossed["when"] - above["when"]).days / 365.25
            if len(under):
                last = under.loc[under["when"].idxmax()]
                row["last_below"], row["last_below_count"] = last["date"], last["count"]
                row["most_years"] = (crossed["when"] - last["when"]).days / 365.25
        rows.append({"count": name} | row)
    return pd.DataFrame(rows)


def in_office_terms(held: pd.DataFrame) -> pd.DataFrame:
    """Return MOPAC's count of each March beside the Home Office's of the same day.

    Returns
    -------
    DataFrame
        By ``year``: ``home_office``, ``mopac``, ``ratio`` (the first over the second).
    """
    day = held["date"].str[:7]
    months = held[held["count"].isin([MONTHLY, EARLIER])].assign(day=day)
    office = held[held["count"] == OFFICE].assign(day=day)
    pairs = office.merge(months, on="day", suffixes=("_office", "_month"))
    found = pd.DataFrame(
        {
            "year": pairs["day"].str[:4].astype("int64"),
            "home_office": pairs["officers_fte_office"],
            "mopac": pairs["officers_fte_month"],
        }
    ).set_index("year")
    return found.assign(ratio=found["home_office"] / found["mopac"])


def lowest_for(held: pd.DataFrame, years: float, until: str = LAST_MONTH) -> pd.DataFrame:
    """Return by count, in all and per head, whether the last figure is the lowest for some years.

    ``no``: the same count was lower in those years, or another was by more than two counts of
    one day differ. ``yes``: neither, and each of those years has a figure of the same count, or
    one of another that is higher by more than that. ``cannot tell``: else.

    Parameters
    ----------
    held : DataFrame
        From `counts`.
    years : float
        How many.
    until : str
        The month in which the statement is made or the last before it.

    Returns
    -------
    DataFrame
        ``count``, ``unit`` (``officers_fte`` or ``per_1000``), ``on``, ``value``, ``reach_years``
        (how far the same count goes back without a year missing), ``lowest_before`` with its
        ``lowest_on`` and ``lowest_count`` (of any count in those years), ``answer``.
    """
    past = held[held["date"].str[:7] <= until]
    current = [name for name in (OFFICE, MONTHLY) if name in set(past["count"])]
    rows = []
    for unit in ("officers_fte", "per_1000"):
        known = past.dropna(subset=[unit])
        for name in current:
            own = known[known["count"].isin([name, *_continued(name)])]
            if own.empty:
                continue
            now = own.loc[own["when"].idxmax()]
            # The day so many years before is outside: "fewest for" means since that day.
            since = now["when"] - pd.DateOffset(years=int(years))
            # A month's neighbours differ by a few; another year is meant.
            until_then = now["when"] - pd.DateOffset(months=11)
            before = known[(known["when"] > since) & (known["when"] <= until_then)]
            lowest, answer = None, "cannot tell"
            if len(before):
                lowest = before.loc[before[unit].idxmin()]
                # One day's counts on two bases differ by up to SAME_COUNT: that is no fall.
                margin = np.where(before["count"].isin(own["count"]), 0.0, SAME_COUNT)
                higher = before.loc[before[unit] >= now[unit] * (1 + margin), "when"]
                asked = range(now["when"].year - int(years) + 1, now["when"].year)
                if (before[unit] < now[unit] * (1 - margin)).any():
                    answer = "no"
                elif set(asked) <= set(higher.dt.year):
                    answer = "yes"
            rows.append(
                {
                    "count": name, "unit": unit, "on": now["date"], "value": float(now[unit]),
                    "reach_years": _unbroken(own),
                    "lowest_before": np.nan if lowest is None else float(lowest[unit]),
                    "lowest_on": None if lowest is None else lowest["date"],
                    "lowest_count": None if lowest is None else lowest["count"], "answer": answer,
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def _continued(name: str) -> tuple[str, ...]:
    """Return counts that a count takes up: the same figures where both exist."""
    return {OFFICE: (HMIC,), MONTHLY: (EARLIER,)}.get(name, ())


def _unbroken(own: pd.DataFrame) -> int:
    """Return over how many years up to its last a count has a figure for each."""
    have, last = set(own["when"].dt.year), int(own["when"].dt.year.max())
    reach = 0
    while last - reach - 1 in have:
        reach += 1
    return reach


def roles(force: str, load: Load = catalog.load) -> pd.DataFrame:
    """Return a force's officers, community support officers and staff, and the Met's specials.

    Returns
    -------
    DataFrame
        ``role``, ``date``, ``value``, ``unit`` (full-time equivalents or heads), by role. Special
        constables are on hand for the Met alone, by month to November 2015.
    """
    force = places.force(force)
    posts = load("officers").query("force == @force").rename(columns=_ROLES)
    long = posts.melt("date", list(_ROLES.values()), "role").assign(unit="full-time equivalents")
    if force == LONDON:
        specials = load("met_strength_earlier")[["month", "specials"]].dropna()
        specials = specials.rename(columns={"month": "date", "specials": "value"})
        long = pd.concat([long, specials.assign(role="Special constables", unit="heads")])
    return long[["role", "date", "value", "unit"]].reset_index(drop=True)


def borough_posts(load: Load = catalog.load) -> pd.DataFrame:
    """Return how London boroughs' officers changed before, in and after the restructure of 2012.

    Returns
    -------
    DataFrame
        By ``borough``: ``first``, ``restructured`` and ``last`` (full-time equivalents in April
        2008, March 2012 and March 2015), ``before`` (proportional change to February 2012),
        ``jump`` (February to March 2012), ``after`` (March 2012 to March 2015), ``per_1000``
        (March 2015, residents of that June); by the last change.
    """
    posts = load("borough_officers_monthly")
    wide = posts.pivot(index="place", columns="month", values="officers_fte")
    base, last = OFFICERS_SPAN
    people = load("population")
    people = people[(people["kind"] == "borough") & (people["year"] == int(last[:4]))]
    people = people.set_index("place")["population"]
    start = wide.columns.min()
    found = pd.DataFrame(
        {
            "first": wide[start], "restructured": wide[base], "last": wide[last],
            "before": wide[_BEFORE_RESTRUCTURE] / wide[start] - 1,
            "jump": wide[base] / wide[_BEFORE_RESTRUCTURE] - 1,
            "after": wide[last] / wide[base] - 1,
            "per_1000": 1000 * wide[last] / people.reindex(wide.index),
        }
    )  # fmt: skip
    return found.rename_axis("borough").sort_values("after", kind="stable")
