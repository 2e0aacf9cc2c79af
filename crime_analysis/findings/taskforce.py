"""The Met's Violent Crime Taskforce of 2018: what an evaluation could see, and what it sees.

Power comes before results: the smallest change that would be seen is worked out from months that
end before the taskforce began.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from crime_analysis import places
from crime_analysis.errors import CrimeAnalysisError, ModelError, UnknownNameError
from crime_analysis.inference.multiplicity import multiple_testing
from crime_analysis.models.interrupted_series import InterruptedSeries, interrupted_series
from crime_analysis.power import design_analysis, minimum_detectable_effect

__all__ = [
    "DESIGNS", "FIRST", "LONDON", "MEASURES", "Design", "Evaluation", "counts", "evaluate",
    "interrupted", "misled", "place_of",
]  # fmt: skip

LONDON = "London"
#: Counts by month, and how they are named; the Met's knife crime is not held for 2018.
MEASURES = {
    "violence_with_injury": "violence with injury",
    "robbery": "robbery",
    "homicide": "homicide",
    "admissions": "hospital admissions for assault by sharp object",
}
#: The first month used: the first financial year after the inspection of recording of 2014.
FIRST = "2015-04"
_TERM = "level_change"


@dataclass(frozen=True)
class Design:
    """A comparison of some months with the course before them.

    Attributes
    ----------
    at : str
        When it starts: a month, or a day that splits one; the split month is left out.
    end : str
        The last month used.
    label : str
    """

    at: str
    end: str
    label: str


#: The rehearsal uses no month of the taskforce: the last three before April stand for "after".
#: April's spell ends before officers were moved; September's is the three months announced,
#: whole months only (they run to 16 December, and December is counted whole).
DESIGNS = {
    "rehearsal": Design("2018-01", "2018-03", "rehearsal, January to March 2018"),
    "april": Design("2018-04", "2018-08", "April to August 2018"),
    "september": Design("2018-09-17", "2018-12", "October to December 2018"),
}


def counts(crime: pd.DataFrame, stays: pd.DataFrame) -> pd.DataFrame:
    """Return every measure by month, a column each measure and place.

    Parameters
    ----------
    crime : DataFrame
        The shipped table ``borough_crime_monthly``, of which the new classes are used. London is
        the sum of the boroughs; a month that one of them lacks is missing.
    stays : DataFrame
        The shipped table ``hospital_admissions``: London as a whole, to the nearest five.

    Returns
    -------
    DataFrame
        Indexed by ``month`` without gaps, columns ``(measure, place)``.
    """
    recorded = [name for name in MEASURES if name in crime]
    new = crime[crime["classification"] == "new"]
    wide = new.pivot(index="month", columns="place", values=recorded)
    for name in recorded:
        wide[name, LONDON] = wide[name].sum(axis=1, skipna=False)
    of_london = stays[stays["region"] == LONDON].set_index("month")["admissions"]
    months = pd.period_range(wide.index.min(), wide.index.max(), freq="M").astype(str)
    wide = wide.reindex(pd.Index(months, name="month"))
    wide["admissions", LONDON] = of_london.reindex(wide.index)
    return wide.astype(float)


def place_of(measure: str, place: str) -> tuple[str, str]:
    """Return the place that a measure can be read for, and why it is not the one asked for.

    Raises
    ------
    UnknownNameError
        If the measure or the place is not known, with the nearest.

    Examples
    --------
    >>> place_of("robbery", "Camden")
    ('Camden', '')
    >>> place_of("admissions", "Camden")[0]
    'London'
    """
    if measure not in MEASURES:
        raise UnknownNameError("measure", measure, MEASURES)
    if place == LONDON:
        return place, ""
    place = places.borough(place)
    if measure == "admissions":
        return LONDON, (
            f"Hospital admissions are published for London as a whole, not for {place}: what"
            " follows is London's."
        )
    return place, ""


def interrupted(
    table: pd.DataFrame, measure: str, place: str, design: Design, first: str = FIRST
) -> InterruptedSeries:
    """Estimate how far the months of a design lie from the course before them.

    Counts of a month with its days as exposure, a trend, a season of two Fourier pairs and one
    step; quasi-Poisson, with errors robust to autocorrelation. No change of slope: three or five
    months cannot tell one.

    Simulated coverage of the 95% interval without an effect, on series as long, noisy and
    persistent as London's and the boroughs', 200 each: 92.5 to 97%.

    Parameters
    ----------
    table : DataFrame
        From `counts`.
    measure, place : str
        One of its columns.
    design : Design
    first : str
        First month used.

    Raises
    ------
    ModelError
        If that column is not there, or cannot carry the design: it says why.
    """
    if (measure, place) not in table:
        raise ModelError(f"{MEASURES.get(measure, measure)} is not published for {place}")
    used = table.loc[first : design.end, (measure, place)]
    days = pd.PeriodIndex(used.index, freq="M").days_in_month
    data = pd.DataFrame({"month": used.index, measure: used.to_numpy(), "log_days": np.log(days)})
    return interrupted_series(data, measure, design.at, offset="log_days", slope=False)


@dataclass(frozen=True)
class Evaluation:
    """One design for London, a place and every borough.

    Attributes
    ----------
    design : Design
    measure, place : str
        What was asked for; boroughs have this measure alone, London and the place have all.
    table : DataFrame
        A row each measure and place: ``estimate`` (logarithm), ``std_error``,
        ``degrees_of_freedom``, ``p_value``, ``change`` with ``change_low`` and ``change_high``
        (95% interval), ``p_holm`` and ``p_bh`` (among boroughs), ``detectable`` (logarithm),
        ``detectable_fall`` and ``detectable_rise`` (found in 80% of such studies), ``reason`` (why
        there is no estimate).
    fits : dict
        By measure and place.
    """

    design: Design
    measure: str
    place: str
    table: pd.DataFrame = field(repr=False)
    fits: dict[tuple[str, str], InterruptedSeries] = field(repr=False)

    def row(self, measure: str | None = None, place: str | None = None) -> pd.Series:
        """Return one row of the table; by itself that of the measure and place asked for."""
        table = self.table.set_index(["measure", "place"])
        return table.loc[(measure or self.measure, place or self.place)]

    @property
    def boroughs(self) -> pd.DataFrame:
        """The rows of the boroughs for the measure, by estimate; without one last."""
        mine = self.table[(self.table["measure"] == self.measure) & (self.table["place"] != LONDON)]
        return mine.sort_values(["estimate", "place"], ignore_index=True)


def evaluate(table: pd.DataFrame, measure: str, place: str, design: str) -> Evaluation:
    """Run one of `DESIGNS` for London and the place by every measure, and for every borough.

    Parameters
    ----------
    table : DataFrame
        From `counts`.
    measure, place : str
        From `place_of`.
    design : str
        One of `DESIGNS`.

    Raises
    ------
    UnknownNameError
        If the measure, the place or the design is not known, with the nearest.
    """
    if design not in DESIGNS:
        raise UnknownNameError("design", design, DESIGNS)
    place, _ = place_of(measure, place)
    wanted = [(name, where) for name in MEASURES for where in dict.fromkeys((LONDON, place))]
    wanted += [(measure, where) for where in places.BOROUGHS if (measure, where) not in wanted]
    fits, rows = {}, []
    for pair in wanted:
        row: dict[str, object] = {"measure": pair[0], "place": pair[1], "reason": ""}
        try:
            fits[pair] = fit = interrupted(table, *pair, DESIGNS[design])
            row |= _estimated(fit)
        except CrimeAnalysisError as problem:
            row["reason"] = _short(problem)
        rows.append(row)
    columns = ["measure", "place", *_COLUMNS, "reason"]
    frame = pd.DataFrame(rows).reindex(columns=columns)
    inside = {pair[1]: fit for pair, fit in fits.items() if pair[0] == measure}
    inside.pop(LONDON, None)
    mine = (frame["measure"] == measure) & frame["place"].isin(inside)
    for method in ("holm", "bh"):
        frame[f"p_{method}"] = np.nan
        if inside:
            told = multiple_testing(inside, _TERM, method)["p_adjusted"]
            frame.loc[mine, f"p_{method}"] = frame.loc[mine, "place"].map(told)
    return Evaluation(DESIGNS[design], measure, place, frame, fits)


_COLUMNS = (
    "estimate", "std_error", "degrees_of_freedom", "p_value", "change", "change_low",
    "change_high", "detectable", "detectable_fall", "detectable_rise",
)  # fmt: skip


def _estimated(fit: InterruptedSeries) -> dict[str, object]:
    term = fit.term(_TERM)
    power = float(term["std_error"]) * _multiple(round(fit.degrees_of_freedom, 1))
    numbers = [
        term["estimate"], term["std_error"], fit.degrees_of_freedom, term["p_value"],
        *np.expm1([term["estimate"], term["ci_low"], term["ci_high"]]),
        power, -np.expm1(-power), np.expm1(power),
    ]  # fmt: skip
    return {name: float(value) for name, value in zip(_COLUMNS, numbers, strict=True)}


@functools.cache
def _multiple(freedom: float) -> float:
    """Return the detectable effect in standard errors, which many series share."""
    return minimum_detectable_effect(1.0, degrees_of_freedom=freedom).effect


def _short(problem: Exception) -> str:
    return str(problem).split(";")[0]


def misled(told: Evaluation, log_change: float, alpha: float = 0.05) -> pd.DataFrame:
    """Return how the significant estimates of an evaluation would mislead, were the effect small.

    Parameters
    ----------
    told : Evaluation
    log_change : float
        The supposed true effect, from `implied`; never the estimate.
    alpha : float
        An estimate is called significant below it, before any correction for their number.

    Returns
    -------
    DataFrame
        A row each significant estimate, and the place asked for: ``measure``, ``place``,
        ``change``, ``p_value``, ``p_holm``, ``significant``, ``power``, ``type_s`` (chance of the
        wrong sign), ``exaggeration`` (type M), ``times_implied`` (estimate over supposed effect).
    """
    rows = told.table[told.table["estimate"].notna()]
    own = (rows["measure"] == told.measure) & (rows["place"] == told.place)
    rows = rows[(rows["p_value"] < alpha) | own]
    keep = ["measure", "place", "change", "p_value", "p_holm"]
    frame = rows[keep].assign(significant=rows["p_value"] < alpha).reset_index(drop=True)
    laws = [
        design_analysis(log_change, error, degrees_of_freedom=dof, alpha=alpha).tidy().iloc[0]
        for error, dof in zip(rows["std_error"], rows["degrees_of_freedom"], strict=True)
    ]
    for name in ("power", "type_s", "exaggeration"):
        frame[name] = [float(law[name]) for law in laws]
    frame["times_implied"] = (rows["estimate"] / log_change).to_numpy()
    return frame.sort_values(["p_value", "measure", "place"], ignore_index=True)
