"""London boroughs by financial year: officers, residents and offences, every join audited.

Years are financial years and officers those of 31 March, as in `panel.force_panel`. Boroughs have
no money of their own, and their officers are published from April 2008 to November 2015 only.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from crime_analysis import catalog, periods, places
from crime_analysis.panel import audited_merge

__all__ = ["OFFENCES", "RESTRUCTURED", "TABLES", "YEARS", "borough_panel"]

OFFENCES = ("homicide", "robbery", "violence_with_injury", "violence_without_injury")
#: Whole years on the Met's new classes that have residents and precede its change of system.
YEARS = tuple(periods.span("2010/11", "2019/20"))
#: The first financial year that begins after the Met's restructure of March 2012.
RESTRUCTURED = 2012
#: The shipped tables that the panel is made from.
TABLES = (
    "borough_officers_monthly", "borough_crime_monthly", "population", "deprivation", "places",
)  # fmt: skip


def borough_panel(
    first: str = YEARS[0], last: str = YEARS[-1],
    load: Callable[[str], pd.DataFrame] = catalog.load,
) -> pd.DataFrame:  # fmt: skip
    """Join the boroughs' officers, residents and offences into one panel.

    Parameters
    ----------
    first, last : str
        Financial years, 2010/11 to 2019/20.
    load : callable
        Gives a shipped table by name.

    Returns
    -------
    DataFrame
        One row a borough and year: ``borough``, ``financial_year``, ``fy_start``,
        ``population``, `OFFENCES` (missing unless all twelve months are known) and each
        ``_per_1000``; ``officers_start_fte`` (31 March before) and ``officers_end_fte`` (31
        March that ends the year), missing where not published; ``log_officers_per_1000`` (of
        those at the start), ``log_population``; ``deprivation_2010``; and ``borough_era``, the
        borough before the restructure and after it. ``attrs["audits"]`` holds every join.

    Examples
    --------
    >>> rows = borough_panel("2013/14", "2015/16")
    >>> len(rows), int(rows["officers_end_fte"].isna().sum())  # nothing after November 2015
    (96, 32)
    """
    years = range(periods.start(first), periods.start(last) + 1)
    people = load("population").query("kind == 'borough'")
    people = people.rename(columns={"place": "borough", "year": "fy_start"})
    rows = people[people["fy_start"].isin(years) & people["borough"].isin(places.BOROUGHS)]
    rows = rows[["borough", "fy_start", "population"]].reset_index(drop=True)
    joins = [
        ("offences", _offences(load("borough_crime_monthly")), ["borough", "fy_start"]),
        ("officers, 31 March before", _officers(load, "start"), ["borough", "fy_start"]),
        ("officers, 31 March after", _officers(load, "end"), ["borough", "fy_start"]),
        ("deprivation", _deprivation(load), ["borough"]),
    ]
    done = []
    for name, table, keys in joins:
        if "fy_start" in keys:
            table = table[table["fy_start"].isin(years)]
        late = "officers by borough are published to November 2015"
        rows, audit = audited_merge(
            rows, table, keys, names=("residents", name), one_to_one=len(keys) > 1,
            left_only=late if name.startswith("officers") else "",
        )  # fmt: skip
        done.append(audit)
    for name in OFFENCES:
        rows[f"{name}_per_1000"] = 1000 * rows[name] / rows["population"]
    rows["log_officers_per_1000"] = np.log(1000 * rows["officers_start_fte"] / rows["population"])
    rows["log_population"] = np.log(rows["population"])
    era = np.where(rows["fy_start"] < RESTRUCTURED, "before", "after")
    rows["borough_era"] = rows["borough"] + ", " + era
    rows.insert(1, "financial_year", rows["fy_start"].map(periods.label))
    rows = rows.sort_values(["borough", "fy_start"], ignore_index=True)
    rows.attrs["audits"] = done
    return rows


def _offences(crime: pd.DataFrame) -> pd.DataFrame:
    """Return offences by borough and year on the Met's new classes; a part-year is missing."""
    new = crime[crime["classification"] == "new"]
    start = new["month"].str[:4].astype(int) - (new["month"].str[5:7].astype(int) < 4)
    sums = new.groupby([new["place"], start])[list(OFFENCES)].sum(min_count=12)
    return sums.rename_axis(["borough", "fy_start"]).reset_index()


def _officers(load: Callable[[str], pd.DataFrame], end: str) -> pd.DataFrame:
    """Return officers on the 31 March before a year or on the one that ends it."""
    table = load("borough_officers_monthly")
    march = table[table["month"].str.endswith("-03")]
    year = march["month"].str[:4].astype(int) - (end == "end")
    return pd.DataFrame(
        {
            "borough": march["place"], "fy_start": year,
            f"officers_{end}_fte": march["officers_fte"],
        }
    )  # fmt: skip


def _deprivation(load: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    """Return the boroughs' scores of 2010."""
    codes = load("places").query("kind == 'borough'").set_index("code")["place"]
    scores = load("deprivation").query("year == 2010")
    scores = scores[scores["code"].isin(codes.index)]
    return pd.DataFrame({"borough": scores["code"].map(codes), "deprivation_2010": scores["score"]})
