"""How violence moved in one force, in words: the same sentences on whatever page they stand."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import pandas as pd

from crime_analysis import periods
from crime_analysis.findings.violence_change import RECORDED, ViolenceChange
from crime_analysis.links import verdict
from crime_analysis.prose import listed, rose_or_fell, spanning

__all__ = ["alone", "answer", "followed", "homicide", "in_number", "moved", "recorded"]

_DOUBT = {
    "cannot tell": "These data cannot tell whether violence itself rose",
    "one way": "The measures of these two years move the same way",
    "by measure": "It depends on the measure",
}


def moved(change: float, low: float, high: float) -> str:
    """Return a change in words, or that chance alone could have made it.

    Examples
    --------
    >>> moved(-0.12, -0.13, -0.11), moved(-0.041, -0.09, 0.01)
    ('fell 12%', 'cannot be told from no change (anything from 9.0% less to 1.0% more)')
    """
    if not np.isfinite(change):
        return "is not known for both years"
    if np.isfinite([low, high]).all() and verdict(low, high) == "cannot tell":
        return f"cannot be told from no change ({spanning(low, high)})"
    return rose_or_fell(change)


def _row(row: pd.Series) -> str:
    if row["crossed"]:
        return "is not compared, because the force changed how it counts"
    return moved(row["change"], row["ci_low"], row["ci_high"])


def recorded(change: ViolenceChange) -> str:
    """Return how each recorded measure moved, from the largest rise to the largest fall."""
    rows = change.recorded
    known = rows[rows["change"].notna() | rows["crossed"]]
    order = known["change"].sort_values(ascending=False, kind="stable").index
    told = [f"{RECORDED[name]} {_row(known.loc[name])}" for name in order]
    per = "per resident" if change.rates else "in number"
    if not told:
        return f"from {change.start} to {change.end} no recorded measure is known {per}"
    return f"from {change.start} to {change.end}, as recorded and {per}, {listed(told)}"


def homicide(change: ViolenceChange) -> str:
    """Return what homicides say: rose, fell, or cannot tell, with both rates and the interval."""
    if not change.rates:
        first, last = change.alone
        if not np.isfinite([first, last]).all():
            return "homicides are not known for both years"
        return f"homicides, {first:.0f} and {last:.0f}, are too few to compare"
    if not np.isfinite(change.ratio.ci_high):
        return f"homicides are not compared, because {change.lacking}"
    then, now = change.homicides["per_million"]
    rates = f"{then:.1f} to {now:.1f} per million residents a year"
    low, high = change.ratio.ci_low - 1, change.ratio.ci_high - 1
    if verdict(low, high) == "cannot tell":
        return f"homicides, {rates}, cannot be told from no change ({spanning(low, high)})"
    return f"homicides {'rose' if low > 0 else 'fell'}, {rates} ({spanning(low, high)})"


def answer(change: ViolenceChange) -> str:
    """Return whether violence rose between two years: doubt, then measure by measure.

    Homicides are those of `ViolenceChange.window` years to each of the two.
    """
    pooled = f"over the {change.window} years up to each, " if _pooled(change) else ""
    return f"{_DOUBT[change.reading]}: {recorded(change)}; {pooled}{homicide(change)}."


def _pooled(change: ViolenceChange) -> bool:
    return change.rates and change.window > 1


def alone(change: ViolenceChange) -> str:
    """Return what the homicides of the two years by themselves say; nothing if those were said.

    One year has so few that what it says can differ from what several years say.
    """
    first, last = change.alone
    if not _pooled(change) or not np.isfinite([first, last]).all():
        return ""
    years = f"In {change.start} and {change.end} alone homicides were {first:.0f} and {last:.0f}"
    low, high = change.alone_ratio.ci_low - 1, change.alone_ratio.ci_high - 1
    if change.lacking:
        years += f" (not all years are in the rates, because {change.lacking})"
    if not np.isfinite([low, high]).all():
        return f"{years}."
    if verdict(low, high) == "cannot tell":
        return (
            f"{years}, which per resident cannot tell a rise from a fall ({spanning(low, high)})."
        )
    return f"{years}, per resident {spanning(low, high)}."


def followed(change: ViolenceChange, outcome: str) -> str:
    """Return which years' violence is set beside officers, and what the years before them say.

    Officers of 31 March police the year that begins next day, so violence is that of the year
    after each of the two that are compared.

    Parameters
    ----------
    change : ViolenceChange
    outcome : str
        An offence group.
    """
    first, last = (periods.label(periods.start(y) + 1) for y in (change.start, change.end))
    text = (
        f"Violence is that of {first} and {last}, the years that officers of the 31 March before"
        " policed"
    )
    if outcome not in change.recorded.index:
        return f"{text}."
    told = _row(change.recorded.loc[outcome])
    return f"{text}; from {change.start} to {change.end} itself it {told}."


def in_number(change: ViolenceChange) -> str:
    """Return how recorded measures moved in number beside the number of residents."""
    rows = change.recorded
    known: pd.Series = rows.loc[["violence_with_injury", "robbery"], "in_number"].dropna()
    told = [f"recorded {_name(name)} {rose_or_fell(value)}" for name, value in known.items()]
    then, now = change.residents
    if not change.rates or not told or not np.isfinite([then, now]).all():
        return ""
    return f"In number, {' and '.join(told)}; residents {rose_or_fell(now / then - 1)}."


def _name(name: Hashable) -> str:
    return RECORDED[str(name)]
