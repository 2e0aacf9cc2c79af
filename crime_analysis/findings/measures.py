"""Violence by measures that recording can move and by measures that it moves less.

Measures are told apart by the register of breaks: the ones that the inspection of recording in
2014 touched, and the others. Part-years are never years, and definitions of knife crime are never
joined.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from crime_analysis import breaks, catalog, periods, places
from crime_analysis.findings.claims_readings import Load
from crime_analysis.findings.counts import (
    Ratio,
    poisson_interval,
    rate_ratio,
    told_apart,
    whole_years,
)
from crime_analysis.findings.met_classes import disputed, murders
from crime_analysis.findings.one_force import admissions, residents
from crime_analysis.links import LONDON, without_events

__all__ = [
    "BASE",
    "BOROUGH_MEASURES",
    "FEWEST_FOR_INDEX",
    "MEASURES",
    "PARTED",
    "boroughs",
    "homicide_ratio",
    "homicides",
    "index",
    "knife_crime",
    "parting",
    "recording_breaks",
    "recording_changed",
    "touched",
    "yearly",
]

#: By column of `yearly`: its name in words. The first two hardly depend on how police record.
MEASURES = {
    "homicide": "homicide",
    "admissions": "hospital admissions (region)",
    "robbery": "robbery",
    "knife_offences": "knife offences",
    "severity": "violence, Crime Severity Score",
    "violence_with_injury": "violence with injury",
    "violence_without_injury": "violence without injury",
    "violence_against_the_person": "violence against the person",
}
#: The last whole year before the inspection of recording, to which series are indexed.
BASE = "2013/14"
#: Whole years on either side of the inspection's own.
PARTED = ("2013/14", "2015/16")
#: An index of fewer events in its base year shows chance.
FEWEST_FOR_INDEX = 50
#: By borough, from the one that recording moves least.
BOROUGH_MEASURES = {
    "homicide": "homicide",
    "robbery": "robbery",
    "violence_with_injury": "violence with injury",
}
# Whole years on the Met's new classes that have residents too.
_BOROUGH_YEARS = (2010, 2019)
_INSPECTION = "recording-inspection"
_SCORED = "violence_against_the_person"


def touched(register: pd.DataFrame) -> pd.Series:
    """Return by measure whether the inspection of recording of 2014 touched it.

    Examples
    --------
    >>> touched(catalog.load("breaks"))["robbery"]
    np.False_
    """
    entry = register[register["id"] == _INSPECTION]
    series = set(";".join(entry["series"]).split(";"))
    moved = {name: name in series for name in MEASURES}
    moved["severity"] = _SCORED in series  # the score weights what was recorded
    return pd.Series(moved)


def recording_breaks(register: pd.DataFrame, force: str | None, name: str) -> pd.DataFrame:
    """Return the changes in how a force records a measure, in order of date.

    Parameters
    ----------
    register : DataFrame
        The shipped table ``breaks``.
    force : str or None
        The place; None for those that touch every place.
    name : str
        One of `MEASURES`.
    """
    if name == "admissions":
        return register.iloc[:0]
    counted = _SCORED if name == "severity" else name
    rows = breaks.affecting(register, "recorded_crime", counted, force)
    rows = rows[rows["places"] == "all"] if force is None else rows
    return rows[rows["kind"].isin(["recording", "definition", "system"])]


def recording_changed(rows: pd.DataFrame, start: str, end: str) -> bool:
    """Return whether one of some breaks falls after the first day of one year, by another's end."""
    first, last = f"{periods.start(start)}-04-02", f"{periods.start(end) + 1}-03-31"
    return bool(rows["date"].between(first, last).any())


def yearly(force: str, load: Load = catalog.load) -> pd.DataFrame:
    """Return a force's measures by financial year, whole years only.

    Parameters
    ----------
    force : str
        One of the 43 forces.
    load : callable
        Gives a shipped table by name.

    Returns
    -------
    DataFrame
        By ``financial_year``: each of `MEASURES`, missing where not published. Counts of
        offences; admissions of the force's whole region of England; severity in weighted
        offences per resident.

    Raises
    ------
    UnknownNameError
        If the force is not known.
    """
    force = places.force(force)
    rows = load("recorded_crime").query("force == @force")
    wide = rows.pivot(index="financial_year", columns="offence_group", values="offences")
    score = load("crime_severity").query("force == @force and offence_group == @_SCORED")
    wide["severity"] = score.set_index("financial_year")["score"].reindex(wide.index)
    stays = whole_years(admissions(force, load), "admissions")
    wide["admissions"] = stays.rename(index=periods.label).reindex(wide.index)
    return wide.reindex(columns=list(MEASURES)).rename_axis(columns=None).astype(float)


def index(years: pd.DataFrame, base: str = BASE) -> pd.DataFrame:
    """Return measures with a common year as 100; without those that have too few events there.

    Parameters
    ----------
    years : DataFrame
        From `yearly`.
    base : str
        The financial year that is 100.
    """
    first = years.loc[base]
    enough = (first >= FEWEST_FOR_INDEX) | ((first.index == "severity") & (first > 0))
    kept = first[enough]
    return 100 * years[kept.index] / kept


def parting(
    years: pd.DataFrame,
    register: pd.DataFrame,
    force: str | None = None,
    span: tuple[str, str] = PARTED,
) -> pd.DataFrame:
    """Return how far each measure moved between two years, and whether recording touched it.

    Parameters
    ----------
    years : DataFrame
        From `yearly`.
    register : DataFrame
        The shipped table ``breaks``.
    force : str, optional
        The place; without it only changes in every place's recording are known.
    span : tuple of str
        The years compared.

    Returns
    -------
    DataFrame
        By ``measure``: ``before``, ``after``, ``change`` (proportional; missing if either is, or
        the first is nought), ``ci_low``, ``ci_high`` (homicide and admissions only, whose events
        are small in number and independent: exact Poisson), ``touched`` and ``crossed`` (its
        recording changed between the years for another reason than the inspection).
    """
    pair = years.reindex(list(span))
    rows = []
    for name in MEASURES:
        before, after = (float(value) for value in pair[name])
        row = {"before": before, "after": after, "ci_low": np.nan, "ci_high": np.nan}
        row["change"] = after / before - 1 if before > 0 else np.nan
        if name in ("homicide", "admissions"):
            ratio = rate_ratio(after, 1.0, before, 1.0)
            row |= {"ci_low": ratio.ci_low - 1, "ci_high": ratio.ci_high - 1}
        rows.append(row)
    frame = pd.DataFrame(rows, pd.Index(MEASURES, name="measure"))
    columns = ["before", "after", "change", "ci_low", "ci_high"]
    others = register[register["id"] != _INSPECTION]
    crossed = [recording_changed(recording_breaks(others, force, n), *span) for n in frame.index]
    return frame[columns].assign(touched=touched(register).reindex(frame.index), crossed=crossed)


def homicides(
    force: str, register: pd.DataFrame, end: str, load: Load = catalog.load
) -> pd.DataFrame:
    """Return a force's homicides by year with intervals, and which years differ from one of them.

    Parameters
    ----------
    force : str
        One of the 43 forces.
    register : DataFrame
        The shipped table ``breaks``.
    end : str
        The year that the others are compared with, per resident.

    Returns
    -------
    DataFrame
        By ``financial_year``: ``homicides``, ``ci_low``, ``ci_high`` (exact Poisson), ``event``
        (the register says that one event dominates the year) and ``against_end`` (``lower``,
        ``higher`` or ``neither`` than `end`'s rate; missing for `end` itself, for years without
        residents, or with too few for rates, and for years with an event).
    """
    found = _homicides(force, register, load)
    counts, exposure = found["homicides"], found.pop("residents")
    found["ci_low"], found["ci_high"] = poisson_interval(counts)
    usable = counts.notna() & exposure.notna() & ~found["event"]
    found["against_end"] = None
    if usable.get(end, False):
        found["against_end"] = told_apart(counts[usable], exposure[usable], end)
    return found


def homicide_ratio(
    force: str, register: pd.DataFrame, start: str, end: str, load: Load = catalog.load
) -> Ratio:
    """Return a force's homicides per resident in one year over another's, with its interval.

    Missing where residents are too few for rates or not on hand, if either count is not known,
    and if the register says that one event dominates it.
    """
    rows = _homicides(force, register, load)
    pair = rows[~rows["event"]].reindex([start, end])
    (base, count), (base_people, people) = pair["homicides"], pair["residents"]
    return rate_ratio(float(count), float(people), float(base), float(base_people))


def _homicides(force: str, register: pd.DataFrame, load: Load) -> pd.DataFrame:
    """Return homicides and residents by year, and whether one event dominates the year."""
    force = places.force(force)
    crime = load("recorded_crime").query("force == @force and offence_group == 'homicide'")
    crime = crime.rename(columns={"offences": "homicide"}).set_index("financial_year", drop=False)
    counts = crime["homicide"].astype(float)
    without = without_events(crime, register, "homicide")["homicide"].reindex(counts.index)
    people = residents(force, load)
    exposure = pd.Series(counts.index.map(periods.start).map(people), counts.index, dtype=float)
    return pd.DataFrame(
        {"homicides": counts, "event": counts.notna() & without.isna(), "residents": exposure}
    )


def knife_crime(force: str, load: Load = catalog.load) -> pd.DataFrame:
    """Return knife crime by financial year, each definition a series of its own.

    Returns
    -------
    DataFrame
        ``definition``, ``with_injury`` (knife crime with injury only), ``financial_year``,
        ``offences``. Monthly series of the Met are added up over whole years.
    """
    force = places.force(force)
    table = load("knife_offences")
    rows = table[(table["place"] == force) & table["period"].str.fullmatch(r"\d{4}/\d\d")]
    rows = rows.rename(columns={"period": "financial_year"})
    parts = [rows[["definition", "financial_year", "offences"]].assign(with_injury=False)]
    if force == LONDON:
        dashboard = table[table["kind"] == "borough"].rename(columns={"period": "month"})
        for name, months in dashboard.groupby("definition"):
            sums = months.groupby("month")["offences"].sum(min_count=32).reset_index()
            parts.append(_whole(sums, "offences", str(name), str(name).endswith("injury")))
        older = load("met_violence_monthly")
        for column, name in (
            ("knife_crime", "MOPAC to 2015, knife crime"),
            ("knife_crime_with_injury", "MOPAC to 2015, knife crime with injury"),
        ):
            parts.append(_whole(older, column, name, column.endswith("injury")))
    found = pd.concat(parts, ignore_index=True)
    columns = ["definition", "with_injury", "financial_year", "offences"]
    return found[columns].sort_values(
        ["with_injury", "definition", "financial_year"], ignore_index=True
    )


def _whole(months: pd.DataFrame, column: str, name: str, with_injury: bool) -> pd.DataFrame:
    sums = whole_years(months, column).dropna()
    return pd.DataFrame(
        {
            "definition": name, "with_injury": with_injury,
            "financial_year": sums.index.map(periods.label), "offences": sums.to_numpy(),
        }
    )  # fmt: skip


def boroughs(start: str, end: str, load: Load = catalog.load) -> pd.DataFrame:
    """Return London boroughs' changes per resident between two years, and how far chance reaches.

    Homicides are those of up to three years to each of the two, as many as keep them apart.

    Parameters
    ----------
    start, end : str
        Financial years; moved to the nearest of 2010/11 to 2019/20, the whole years on the Met's
        new classes that have residents and precede its change of system.

    Returns
    -------
    DataFrame
        ``borough``, ``measure``, ``before``, ``after`` (offences), ``change`` (of the rate per
        resident), ``ci_low``, ``ci_high`` (exact, chance alone: a minimum where offences come in
        clusters), ``years`` (how many added up), ``disputed`` (the Met's two sets of classes
        disagree too far to judge the homicides). The years compared are in ``attrs["span"]``.
        Empty if the two years are one after moving.
    """
    low, high = _BOROUGH_YEARS
    first, last = (min(max(periods.start(year), low), high) for year in (start, end))
    columns = [
        "borough", "measure", "before", "after", "change", "ci_low", "ci_high", "years", "disputed",
    ]  # fmt: skip
    span = (periods.label(first), periods.label(last))
    if first >= last:
        empty = pd.DataFrame(columns=columns)
        empty.attrs["span"] = span
        return empty
    table = load("borough_crime_monthly")
    crime = table[table["classification"] == "new"]
    people = load("population").query("kind == 'borough'")
    people = people.pivot(index="place", columns="year", values="population")
    rows = []
    for name, months in crime.groupby("place"):
        for measure in BOROUGH_MEASURES:
            counts = whole_years(months, measure)
            width = min(3, (last - first + 1) // 2) if measure == "homicide" else 1
            then, now = range(first, first + width), range(last - width + 1, last + 1)
            before, after = (
                float(counts.reindex(years).sum(min_count=width)) for years in (then, now)
            )
            exposure = [
                float(people.loc[name].reindex(years).sum(min_count=width)) for years in (now, then)
            ]
            ratio = rate_ratio(after, exposure[0], before, exposure[1])
            rows.append(
                (name, measure, before, after, ratio.estimate - 1, ratio.ci_low - 1,
                 ratio.ci_high - 1, width, False)
            )  # fmt: skip
    found = pd.DataFrame(rows, columns=columns)
    deaths = found["measure"] == "homicide"
    width = int(found.loc[deaths, "years"].iloc[0])
    killed = murders(table, range(last - width + 1, last + 1))
    found.loc[deaths, "disputed"] = [
        disputed(row.after, killed[row.borough]) for row in found[deaths].itertuples()
    ]
    found.attrs["span"] = span
    return found
