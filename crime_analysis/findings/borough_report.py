"""What the report of one London borough says, in numbers, for every borough at once.

Part-years are never years, months are compared with the same month, and the two breaks in the
boroughs' own series (officers in March 2012, crime in February 2024) are not compared across.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crime_analysis import catalog, periods, places
from crime_analysis.errors import ParameterError
from crime_analysis.findings.counts import Ratio, poisson_interval, rate_ratio
from crime_analysis.findings.met_classes import disputed, murders
from crime_analysis.findings.violence_change import recorded_changes

__all__ = [
    "BOROUGH_MEASURES",
    "OFFICERS_SPAN",
    "TABLES",
    "BoroughReport",
    "borough_report",
    "headline",
    "seasons",
]

#: Monthly measures, from the one that recording can move least to the one it moves most.
BOROUGH_MEASURES = {
    "homicide": "homicide",
    "admissions": "admissions for assault by sharp object, London",
    "robbery": "robbery",
    "knife": "knife crime",
    "violence_with_injury": "violence with injury",
    "violence_without_injury": "violence without injury",
}
#: Months between which officers are compared: March with March, after the restructure.
OFFICERS_SPAN = ("2012-03", "2015-03")
_RECORDED = ("homicide", "robbery", "violence_with_injury", "violence_without_injury")
_COMPARED = ("robbery", "violence_with_injury", "violence_without_injury")
_KNIFE = "Met dashboard, knife crime"
#: The shipped tables that a report is worked out from.
TABLES = (
    "borough_officers_monthly", "borough_crime_monthly", "knife_offences", "population",
    "hospital_admissions", "unemployment", "deprivation", "places", "breaks",
)  # fmt: skip
_USED = ("borough_officers_monthly", "borough_crime_monthly", "population", "knife_offences")
_EVERYWHERE = ("recording-inspection", "national-statistics-status")
# Of figures not shown: the old classes of wounding, and the forces' own knife offences.
_ABSENT = ("met-grievous-harm-recoded", "met-wounding-recoded", "knife-revisions")
_SEASONAL = ("violence_with_injury", "robbery")
_LAST_SEASON = 2022  # 2023/24 straddles the Met's change of system


@dataclass(frozen=True)
class BoroughReport:
    """All that a borough's report shows.

    Attributes
    ----------
    borough, start, end : str
        What it is about: the place and the financial years compared.
    officers : DataFrame
        By ``month``: ``officers_fte`` and ``all_boroughs_fte``, April 2008 to November 2015.
    months : DataFrame
        By ``month``: each of `BOROUGH_MEASURES`, missing where not published.
    years : DataFrame
        By ``financial_year``, whole years only: recorded offences, and ``homicide_low`` and
        ``homicide_high`` (exact Poisson interval).
    season : DataFrame
        From `seasons`, the borough and all boroughs.
    standing : DataFrame
        By borough: ``officers`` (proportional change over `OFFICERS_SPAN`), ``robbery``,
        ``violence_with_injury`` and ``violence_without_injury`` (changes per resident from
        `start` to `end`), and as levels ``officers_per_1000`` (March 2015), ``robbery_per_1000``
        and ``violence_with_injury_per_1000`` (`start` and `end`: ``_start``, ``_end``),
        ``unemployment`` (calendar year of `end`) and ``deprivation`` (score, 2019).
    homicides : DataFrame
        By rate: ``place``, ``count``, ``exposure`` (person-years), ``per_million``, ``ci_low``,
        ``ci_high`` over the last years to `end`.
    homicide_ratio : Ratio
        Of the rate of the last years to that of the first.
    homicide_span : tuple of int
        Homicides of the first and of the last years.
    homicide_years : int
        How many years each of the two holds.
    murders : float
        Murders of the last years by the Met's old classes; missing where these had ended.
    recorded : DataFrame
        From `recorded_changes`: robbery and violence with and without injury, `start` to `end`.
    unemployment : DataFrame
        By ``year``: ``rate``, ``half_width``, ``median`` of the boroughs.
    deprivation : DataFrame
        By ``year`` of edition: ``score`` and ``rank`` among the boroughs, 1 the most deprived.
    breaks : DataFrame
        Register entries that touch the borough in the tables used.
    """

    borough: str
    start: str
    end: str
    officers: pd.DataFrame
    months: pd.DataFrame
    years: pd.DataFrame
    season: pd.DataFrame
    standing: pd.DataFrame
    homicides: pd.DataFrame
    homicide_ratio: Ratio
    homicide_span: tuple[int, int]
    homicide_years: int
    murders: float
    recorded: pd.DataFrame
    unemployment: pd.DataFrame
    deprivation: pd.DataFrame
    breaks: pd.DataFrame

    @property
    def disputed(self) -> bool:
        """Whether the Met's two sets of classes disagree too far to judge the homicides."""
        return disputed(self.homicide_span[1], self.murders)


def seasons(months: pd.DataFrame, columns: tuple[str, ...] = _SEASONAL) -> pd.DataFrame:
    """Return how far each calendar month lies above or below its own year, per day.

    A month's count a day over its financial year's; the median, lowest and highest of the whole
    years to 2022/23.

    Parameters
    ----------
    months : DataFrame
        ``month`` (text) and `columns`, one row a month.
    columns : tuple of str
        Counts to look at.

    Returns
    -------
    DataFrame
        ``measure``, ``calendar_month`` (4 first, 3 last), ``median``, ``low``, ``high``: 0.1 is a
        tenth above the year.
    """
    year = months["month"].str[:4].astype("int64")
    month = months["month"].str[5:7].astype("int64")
    first = year - (month < 4)
    days = np.array([calendar.monthrange(y, m)[1] for y, m in zip(year, month, strict=True)])
    whole = (first.map(first.value_counts()) == 12) & (first <= _LAST_SEASON)
    parts = []
    for column in columns:
        daily = (months[column] / days)[whole]
        mean = daily.groupby(first[whole]).transform("mean")
        index = (daily / mean - 1).groupby(month[whole])
        table = pd.DataFrame({"median": index.median(), "low": index.min(), "high": index.max()})
        order = [*range(4, 13), *range(1, 4)]
        parts.append(table.loc[order].rename_axis("calendar_month").assign(measure=column))
    return pd.concat(parts).reset_index()


def _yearly(crime: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return every borough's recorded offences by financial year, whole years only."""
    first = crime["month"].str[:4].astype("int64")
    first = first - (crime["month"].str[5:7].astype("int64") < 4)
    sums = crime.groupby(["place", first.rename("fy_start")])[list(_RECORDED)].sum(min_count=12)
    return {name: sums[name].unstack("fy_start") for name in _RECORDED}


def _standing(
    tables: dict[str, pd.DataFrame], yearly: dict[str, pd.DataFrame], people: pd.DataFrame,
    start: int, end: int,
) -> pd.DataFrame:  # fmt: skip
    posts = tables["borough_officers_monthly"].pivot(
        index="place", columns="month", values="officers_fte"
    )
    before, after = OFFICERS_SPAN
    found = {
        "officers": posts[after] / posts[before] - 1,
        "officers_per_1000": 1000 * posts[after] / people[int(after[:4])],
    }
    for group in ("robbery", "violence_with_injury", "violence_without_injury"):
        rates = {year: 1000 * yearly[group][year] / people[year] for year in (start, end)}
        found[group] = rates[end] / rates[start] - 1
        found[f"{group}_per_1000_start"], found[f"{group}_per_1000_end"] = rates[start], rates[end]
    jobless = tables["unemployment"].pivot(index="place", columns="year", values="rate")
    found["unemployment"] = jobless[end]
    scores = _scores(tables)
    found["deprivation"] = scores[scores.columns.max()]
    return pd.DataFrame(found).reindex(list(places.BOROUGHS)).rename_axis("borough")


def _scores(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the average deprivation score of each borough, a column an edition."""
    boroughs = tables["places"].query("kind == 'borough'")[["place", "code"]]
    rows = tables["deprivation"].merge(boroughs, on="code", validate="many_to_one")
    return rows.pivot(index="place", columns="year", values="score")


def _homicides(
    counts: pd.DataFrame, people: pd.DataFrame, start: int, end: int
) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Return every borough's rates over the last years and over the first, and how many years."""
    span = min(3, (end - start + 1) // 2)
    frames = []
    for years in (range(end - span + 1, end + 1), range(start, start + span)):
        frame = pd.DataFrame(
            {"count": counts[list(years)].sum(axis=1), "exposure": people[list(years)].sum(axis=1)}
        )
        low, high = poisson_interval(frame["count"])
        scale = 1e6 / frame["exposure"]
        frame = frame.assign(
            per_million=frame["count"] * scale, ci_low=low * scale, ci_high=high * scale
        )
        frame = frame.rename_axis("place").reset_index()
        frames.append(frame.sort_values(["per_million", "place"], ignore_index=True))
    return frames[0], frames[1], span


def _months(tables: dict[str, pd.DataFrame], borough: str) -> pd.DataFrame:
    """Return a borough's months, with London's admissions and the borough's knife crime."""
    crime = tables["borough_crime_monthly"]
    mine = crime[(crime["classification"] == "new") & (crime["place"] == borough)]
    frame = mine.set_index("month")[list(_RECORDED)]
    knives = tables["knife_offences"]
    knives = knives[(knives["definition"] == _KNIFE) & (knives["place"] == borough)]
    frame["knife"] = knives.set_index("period")["offences"]
    nhs = tables["hospital_admissions"]
    frame["admissions"] = nhs[nhs["region"] == "London"].set_index("month")["admissions"]
    return frame[list(BOROUGH_MEASURES)].astype(float)


def borough_report(
    borough: str, start: str, end: str, tables: Mapping[str, pd.DataFrame] | None = None
) -> BoroughReport:
    """Work out one borough's report from the shipped tables.

    Parameters
    ----------
    borough : str
        One of the 32 London boroughs; the City of London is a force of its own.
    start, end : str
        Financial years of the change, 2010/11 to 2019/20: whole years on the Met's new classes,
        with residents, and before its change of system.
    tables : mapping, optional
        Tables by name; those not given are loaded from the catalog.

    Raises
    ------
    UnknownNameError
        If the borough is not known.
    ParameterError
        If the years are out of order or out of range.

    Examples
    --------
    >>> report = borough_report("Camden", "2010/11", "2017/18")
    >>> report.officers.index[[0, -1]].tolist()
    ['2008-04', '2015-11']
    """
    borough = places.borough(borough)
    first, last = periods.start(start), periods.start(end)
    if not 2010 <= first < last <= 2019:
        raise ParameterError(
            f"boroughs are compared between two years from 2010/11 to 2019/20, not {start} and"
            f" {end}; choose two of these in order"
        )
    given = tables or {}
    tables = {name: given[name] if name in given else catalog.load(name) for name in TABLES}
    crime = tables["borough_crime_monthly"]
    crime = crime[crime["classification"] == "new"]
    people = tables["population"].query("kind == 'borough'")
    people = people.pivot(index="place", columns="year", values="population")
    yearly = _yearly(crime)
    now, then, span = _homicides(yearly["homicide"], people, first, last)
    pair = [frame.set_index("place").loc[borough] for frame in (now, then)]
    posts = tables["borough_officers_monthly"]
    officers = posts[posts["place"] == borough].set_index("month")[["officers_fte"]]
    officers["all_boroughs_fte"] = posts.groupby("month")["officers_fte"].sum()
    years = pd.DataFrame({name: yearly[name].loc[borough] for name in _RECORDED})
    years.index = years.index.map(periods.label).rename("financial_year")
    years["homicide_low"], years["homicide_high"] = poisson_interval(years["homicide"])
    months = _months(tables, borough)
    every = crime.groupby("month")[list(_SEASONAL)].sum().reset_index()
    season = seasons(months.reset_index())
    season["all_boroughs"] = seasons(every)["median"]
    jobless = tables["unemployment"]
    mine = jobless[jobless["place"] == borough].set_index("year")[["rate", "half_width"]]
    mine["median"] = jobless.groupby("year")["rate"].median()
    scores = _scores(tables)
    ranks = scores.rank(ascending=False, method="min").astype("int64")
    register = tables["breaks"]
    here = register["places"].map(lambda text: text == "all" or borough in text.split(";"))
    kept = (register["table"].isin(_USED) & here) | register["id"].isin(_EVERYWHERE)
    kept &= ~register["id"].isin(_ABSENT)
    return BoroughReport(
        borough, start, end, officers, months, years, season,
        _standing(tables, yearly, people, first, last), now,
        rate_ratio(pair[0]["count"], pair[0]["exposure"], pair[1]["count"], pair[1]["exposure"]),
        (int(pair[1]["count"]), int(pair[0]["count"])), span,
        float(murders(tables["borough_crime_monthly"], range(last - span + 1, last + 1))[borough]),
        recorded_changes(
            years.loc[start, list(_COMPARED)], years.loc[end, list(_COMPARED)],
            (float(people.at[borough, first]), float(people.at[borough, last])),
        ), mine,
        pd.DataFrame({"score": scores.loc[borough], "rank": ranks.loc[borough]}),
        register[kept].sort_values("date", ignore_index=True),
    )  # fmt: skip


def headline(report: BoroughReport) -> dict[str, object]:
    """Return the numbers that an index of reports compares, by name.

    Those of homicides are missing where they are `BoroughReport.disputed`.
    """
    moved = report.standing.loc[report.borough]
    rate = report.homicides.set_index("place").loc[report.borough]
    if report.disputed:
        rate = pd.Series(np.nan, rate.index)
    return {
        "officers_change": moved["officers"],
        "officers_per_1000": moved["officers_per_1000"],
        "robbery_change": moved["robbery"],
        "violence_with_injury_change": moved["violence_with_injury"],
        "homicides_per_million": rate["per_million"],
        "homicides_per_million_low": rate["ci_low"],
        "homicides_per_million_high": rate["ci_high"],
        "homicide_change": np.nan if report.disputed else report.homicide_ratio.estimate - 1,
        "unemployment": moved["unemployment"],
        "robbery_by_year": {
            str(year): float(count) for year, count in report.years["robbery"].dropna().items()
        },
    }
