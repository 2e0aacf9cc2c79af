"""What was announced of the taskforce and reported by it: officers, what they imply, results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from crime_analysis.claims_register import claimed
from crime_analysis.errors import DataError
from crime_analysis.findings.counts import poisson_interval
from crime_analysis.findings.taskforce import LONDON

__all__ = ["BEFORE", "ELASTICITIES", "Announced", "announced", "implied", "yields"]

#: The last whole month before officers were moved.
BEFORE = "2018-08"
#: Change in crime for 1% more officers, by study, as read (see LITERATURE.md, A1 and A2).
ELASTICITIES = {
    "Draca, Machin and Witt (2011), all crime, London": -0.3,
    "Evans and Owens (2007), violent crime, United States": -0.99,
}


@dataclass(frozen=True)
class Announced:
    """What was announced, beside the officers there were.

    Attributes
    ----------
    officers_low, officers, months : float
        As claimed: officers moved, and for how long.
    month : str
        Of the strength: the last before the move.
    strength : float
        Police officers of the Met, full-time equivalents.
    share : float
        Of `strength`.
    officer_months : float
    share_of_year : float
        Of all officer-months of twelve months.
    history : DataFrame
        By ``month``: ``officers_fte``, ``moved`` (change on the month before).
    larger, compared : int
        In how many of the last months to `month` the strength moved by more than `officers`.
    """

    officers_low: float
    officers: float
    months: float
    month: str
    strength: float
    share: float
    officer_months: float
    share_of_year: float
    larger: int
    compared: int
    history: pd.DataFrame = field(repr=False)


def announced(
    claims: pd.DataFrame, strength: pd.DataFrame, month: str = BEFORE, last: int = 24
) -> Announced:
    """Set the officers announced beside the Met's strength.

    Parameters
    ----------
    claims, strength : DataFrame
        The shipped tables ``claims`` and ``met_strength_monthly``.
    month : str
        Whose strength.
    last : int
        How many months up to it are looked at for moves as large.

    Raises
    ------
    DataError
        If there is no strength of that month.

    Examples
    --------
    >>> from crime_analysis import catalog
    >>> found = announced(catalog.load("claims"), catalog.load("met_strength_monthly"))
    >>> found.strength, found.officer_months
    (29666.0, 366.0)
    """
    said = claimed(claims, "officers-moved")
    history = strength.set_index("month")[["officers_fte"]].sort_index()
    history["moved"] = history["officers_fte"].diff()
    if month not in history.index or not np.isfinite(history.at[month, "officers_fte"]):
        raise DataError(
            f"met_strength_monthly has no officers of {month}; it reaches from"
            f" {history.index.min()} to {history.index.max()}: give a month inside"
        )
    officers, all_of = said["officers_high"], float(history.at[month, "officers_fte"])
    steps = history.loc[:month, "moved"].dropna().tail(last)
    work = officers * said["months"]
    return Announced(
        said["officers_low"], officers, said["months"], month, all_of, officers / all_of, work,
        work / (12 * all_of), int((steps.abs() > officers).sum()), len(steps), history,
    )  # fmt: skip


def implied(
    told: Announced,
    posts: pd.DataFrame,
    place: str,
    elasticities: Mapping[str, float] = ELASTICITIES,
) -> pd.DataFrame:
    """Return the change in crime that published elasticities imply for the officers announced.

    Two cases: they add the same share everywhere; or all of them work in one borough, which is
    the most that any place can have had. Both take the officers as added; they were moved.

    Parameters
    ----------
    told : Announced
    posts : DataFrame
        The shipped table ``borough_officers_monthly``, of which the last month is used.
    place : str
        The borough that has all of them; that with the median of officers for London.
    elasticities : mapping
        By study.

    Returns
    -------
    DataFrame
        ``case``, ``study``, ``elasticity``, ``share`` (of officers), ``change`` (a proportion),
        ``log_change``.
    """
    newest = posts["month"].max()
    there = posts[posts["month"] == newest].set_index("place")["officers_fte"]
    local = float(there.median() if place == LONDON else there.get(place, np.nan))
    where = "the borough with the median of officers" if place == LONDON else place
    cases = {
        "spread over the whole Met": told.share,
        f"all in {where}, on its officers of {newest}": told.officers / local,
    }
    rows = [
        {"case": case, "study": study, "elasticity": size, "share": share,
         "log_change": size * np.log1p(share)}
        for case, share in cases.items() for study, size in elasticities.items()
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    table.insert(4, "change", np.expm1(table["log_change"]))
    return table


def yields(claims: pd.DataFrame) -> pd.DataFrame:
    """Return the taskforce's reported results for each sweep.

    Parameters
    ----------
    claims : DataFrame
        The shipped table ``claims``.

    Returns
    -------
    DataFrame
        ``result``, ``count``, ``per_sweep`` with ``per_sweep_low`` and ``per_sweep_high`` (exact
        Poisson: chance alone, each a separate event), ``sweeps_for_one``.

    Examples
    --------
    >>> from crime_analysis import catalog
    >>> yields(catalog.load("claims")).set_index("result")["per_sweep"].round(2).to_dict()
    {'arrests': 0.64, 'knives': 0.15, 'weapons': 0.14}
    """
    said = claimed(claims, "taskforce-results")
    sweeps = said.pop("sweeps")
    frame = pd.DataFrame({"result": list(said), "count": list(said.values())})
    low, high = poisson_interval(frame["count"])
    return frame.assign(
        per_sweep=frame["count"] / sweeps, per_sweep_low=low / sweeps,
        per_sweep_high=high / sweeps, sweeps_for_one=sweeps / frame["count"],
    )  # fmt: skip
