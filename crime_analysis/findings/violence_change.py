"""How violence moved in one force between two years: one basis a measure, on whatever page.

Recorded offences are compared per resident, from the one year to the other. Homicides are too few
for that: they are added up over three years to each of the two. What the two years alone say of
them stands beside, and so do plain numbers, so that no page has a reading of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crime_analysis import catalog, periods, places
from crime_analysis.findings.among_forces import HOMICIDE_YEARS, homicide_rates
from crime_analysis.findings.claims_readings import Load
from crime_analysis.findings.counts import Ratio, rate_ratio
from crime_analysis.findings.measures import homicide_ratio, recording_breaks, recording_changed
from crime_analysis.links import verdict
from crime_analysis.panel import TOO_FEW_RESIDENTS

__all__ = ["RECORDED", "ViolenceChange", "recorded_changes", "violence_change"]

#: Recorded offences that are compared per resident, from the one that recording moves most.
RECORDED = {
    "violence_without_injury": "violence without injury",
    "violence_with_injury": "violence with injury",
    "robbery": "robbery",
}


@dataclass(frozen=True)
class ViolenceChange:
    """How violence moved in a force between two years.

    Attributes
    ----------
    force, start, end : str
        The place and the financial years compared.
    rates : bool
        Whether rates per resident mean anything here; if not, changes are in number.
    recorded : DataFrame
        By measure of `RECORDED`: ``before``, ``after`` (offences), ``in_number`` (proportional
        change of these), ``change`` (per resident), ``ci_low``, ``ci_high`` (exact, for chance
        alone: a minimum, as offences come in clusters) and ``crossed`` (the force's own way of
        counting changed between the years). Changes are missing where a count is, and where
        ``crossed``.
    homicides : DataFrame
        ``first`` and ``last``: ``homicides``, ``person_years``, ``years`` and ``per_million`` a
        year over `window` years up to each; missing where no year is left.
    window : int
        Over how many years homicides are added up: as many as keep the two apart, three at most.
    ratio : Ratio
        Of the last homicide rate to the first.
    lacking : str
        Why a year that would count is not in the rates, or there is no ratio; empty if neither.
    alone : tuple of float
        Homicides of the two years by themselves.
    alone_ratio : Ratio
        Of these, per resident; missing where one event dominates a year.
    residents : tuple of float
        Of the two years; missing where they are too few for rates.
    """

    force: str
    start: str
    end: str
    rates: bool
    recorded: pd.DataFrame
    homicides: pd.DataFrame
    window: int
    ratio: Ratio
    lacking: str
    alone: tuple[float, float]
    alone_ratio: Ratio
    residents: tuple[float, float]

    @property
    def moved(self) -> pd.Series:
        """Proportional change by measure, homicide last, those that are known."""
        found = self.recorded["change"].copy()
        if self.rates:
            found["homicide"] = self.ratio.estimate - 1
        return found.dropna()

    @property
    def reading(self) -> str:
        """``cannot tell`` unless homicide is clear; else ``one way`` or ``by measure``.

        Recorded offences count towards the second and third where chance alone does not explain
        their change.
        """
        if (
            not self.rates
            or verdict(self.ratio.ci_low - 1, self.ratio.ci_high - 1) == "cannot tell"
        ):
            return "cannot tell"
        clear = self.recorded[(self.recorded["ci_low"] > 0) | (self.recorded["ci_high"] < 0)]
        signs = {*np.sign(clear["change"]), np.sign(self.ratio.estimate - 1)}
        return "one way" if len(signs) == 1 else "by measure"


def recorded_changes(
    before: pd.Series, after: pd.Series, residents: tuple[float, float]
) -> pd.DataFrame:
    """Return how counts of offences moved, in number and per resident, with chance's reach.

    Parameters
    ----------
    before, after : Series
        Counts by measure.
    residents : tuple of float
        Of the two years; ones where no rate is meant.

    Returns
    -------
    DataFrame
        By measure: ``before``, ``after``, ``in_number``, ``change``, ``ci_low``, ``ci_high``.

    Examples
    --------
    >>> found = recorded_changes(pd.Series({"robbery": 200.0}), pd.Series({"robbery": 220.0}),
    ...                          (1.0e6, 1.1e6))
    >>> [round(float(found.at["robbery", c]), 3) for c in ("in_number", "change")]
    [0.1, 0.0]
    """
    then, now = residents
    rows = []
    for name in before.index:
        first, last = float(before[name]), float(after[name])
        ratio = rate_ratio(last, now, first, then)
        known = np.isfinite(ratio.estimate)
        rows.append(
            {
                "before": first,
                "after": last,
                "in_number": last / first - 1 if first > 0 else np.nan,
                "change": ratio.estimate - 1 if known else np.nan,
                "ci_low": ratio.ci_low - 1 if known else np.nan,
                "ci_high": ratio.ci_high - 1 if known else np.nan,
            }
        )
    return pd.DataFrame(rows, index=before.index)


def violence_change(force: str, start: str, end: str, load: Load = catalog.load) -> ViolenceChange:
    """Return how violence moved in a force between two financial years.

    Parameters
    ----------
    force : str
        One of the 43 forces.
    start, end : str
        Financial years, in order.
    load : callable
        Gives a shipped table by name.

    Raises
    ------
    UnknownNameError
        If the force is not known.

    Examples
    --------
    >>> found = violence_change("Metropolitan Police", "2009/10", "2017/18")
    >>> found.alone, found.window, found.reading
    ((117.0, 158.0), 3, 'by measure')
    """
    force = places.force(force)
    crime, people, register = (load(name) for name in ("recorded_crime", "population", "breaks"))
    rates = force not in TOO_FEW_RESIDENTS
    counts = crime[crime["force"] == force].pivot(
        index="offence_group", columns="financial_year", values="offences"
    )
    pair = counts.reindex(columns=[start, end]).astype(float)
    lived = people[(people["kind"] == "force") & (people["place"] == force)]
    lived = lived.set_index("year")["population"].astype(float)
    then, now = (
        float(lived.get(periods.start(year), np.nan)) if rates else np.nan for year in (start, end)
    )
    recorded = recorded_changes(
        pair[start].reindex(list(RECORDED)),
        pair[end].reindex(list(RECORDED)),
        (then, now) if rates else (1.0, 1.0),
    )
    crossed = []
    for name in RECORDED:
        own = recording_breaks(register, force, name)
        crossed.append(recording_changed(own[own["places"] != "all"], start, end))
    recorded = recorded.assign(crossed=crossed)
    recorded.loc[recorded["crossed"], ["in_number", "change", "ci_low", "ci_high"]] = np.nan
    window = min(HOMICIDE_YEARS, periods.start(end) - periods.start(start))
    homicides = pd.DataFrame(
        {
            name: homicide_rates(crime, people, register, year, window)
            .set_index("force")
            .reindex([force])
            .iloc[0]
            for name, year in (("first", start), ("last", end))
        }
    ).T
    counted = homicides[["homicides", "person_years"]]
    ratio = rate_ratio(*counted.loc["last"], *counted.loc["first"])
    years = [periods.start(year) - back for year in (start, end) for back in range(window)]
    why = ""
    if not rates:
        why = "too few people live there for a rate"
    elif lived.reindex(years).isna().any():
        why = "residents of a year that would count are not on hand"
    elif (homicides["years"] != window).any():
        why = "one event dominates a year that would count"
    elif not np.isfinite(ratio.estimate):
        why = "there was none in the first years"
    return ViolenceChange(
        force, start, end, rates, recorded, homicides, window, ratio, why,
        (float(pair.at["homicide", start]), float(pair.at["homicide", end])),
        homicide_ratio(force, register, start, end, load),
        (then, now),
    )  # fmt: skip
