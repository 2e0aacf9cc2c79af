"""Exercises of 03-officers: numbers, rates, lines that are crossed."""

from __future__ import annotations

from crime_analysis.exercises.exercise import Choices, Exercise, close, wrong
from crime_analysis.exercises.shipped import MET, Shipped

__all__ = ["EXERCISES"]

_LINE = 30_000
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def _change(
    shipped: Shipped, start: str = "2010", end: str = "2018", column: str = "officers_fte"
) -> float:
    after, before = (shipped.officers(f"{y}-03-31", MET, column) for y in (end, start))
    return 100 * (after / before - 1)


def _months(shipped: Shipped) -> Choices:
    found = {}
    for month in shipped.table("met_strength_monthly")["month"]:
        name = _MONTHS[int(month[5:]) - 1]
        found[month] = (month, f"{name} {month[:4]}", f"{name[:3]} {month[:4]}")
    return found


def _first_below(shipped: Shipped, line: float) -> str:
    rows = shipped.table("met_strength_monthly").sort_values("month")
    return str(rows.loc[rows["officers_fte"] < line, "month"].iloc[0])


def _lowest_of_2018(shipped: Shipped) -> str:
    rows = shipped.table("met_strength_monthly").set_index("month")["officers_fte"]
    return str(rows[rows.index.str.startswith("2018")].idxmin())


def _per_million(
    shipped: Shipped, year: str, component: str = "grants_and_council_tax", counted: str = ""
) -> float:
    """Return officers by £ million of a year at the prices of 2017/18, counted at its end."""
    money = shipped.money(component, year) * shipped.prices(year, "2017/18")
    return shipped.officers(counted or f"{int(year[:4]) + 1}-03-31") / money


def _fewer(shipped: Shipped, start: str, end: str, column: str = "officers_fte") -> float:
    wide = shipped.table("officers").pivot(index="force", columns="date", values=column)
    return float((wide[f"{end}-03-31"] < wide[f"{start}-03-31"]).sum())


EXERCISES = (
    Exercise(
        id="03-officers/1",
        title="How far officers fell",
        outcome="Work out a change in per cent with the right base, years and people",
        level="compute",
        minutes=5,
        answer=_change,
        unit="per cent",
        tolerance=0.06,
        start="ca.load('officers'): the Met on 31 March 2018 over 31 March 2010, less one.",
        mistakes=(
            wrong("The base is the wrong one: divide by the earlier count.",
                  lambda f: 100 * (1 - f.officers("2010-03-31") / f.officers("2018-03-31"))),
            close("That starts in 2011.", lambda f: _change(f, "2011")),
            close("That starts in 2009.", lambda f: _change(f, "2009")),
            close("That ends in 2017.", lambda f: _change(f, "2010", "2017")),
            wrong("That joins two counts on different bases: the Home Office's at the start,"
                  " MOPAC's at the end.",
                  lambda f: 100 * (f.mopac("2018-03") / f.officers("2010-03-31") - 1)),
            wrong("Those are staff, not officers.", lambda f: _change(f, column="staff_fte")),
            wrong("Those are community support officers.",
                  lambda f: _change(f, column="pcsos_fte")),
            wrong("That is a number of officers; a percentage is asked for.",
                  lambda f: f.officers("2018-03-31") - f.officers("2010-03-31")),
        ),
    ),
    Exercise(
        id="03-officers/2",
        title="Officers for each thousand residents",
        outcome="Build a rate from two publications whose days differ",
        level="compute",
        minutes=10,
        answer=lambda f: 1000 * f.officers("2018-03-31") / f.people(2017),
        unit="officers per 1,000 residents",
        tolerance=0.006,
        start="Officers of 31 March 2018 over the residents of 30 June 2017, the last estimate"
        " before that day, times a thousand.",
        mistakes=(
            close("That divides by the residents of mid-2018, after the count; mid-2017 is asked"
                  " for.", lambda f: 1000 * f.officers("2018-03-31") / f.people(2018)),
            close("That is a year too early.",
                  lambda f: 1000 * f.officers("2017-03-31") / f.people(2016)),
            close("That is MOPAC's count of officers.",
                  lambda f: 1000 * f.mopac("2018-03") / f.people(2017)),
            wrong("Upside down: those are residents for each officer.",
                  lambda f: f.people(2017) / f.officers("2018-03-31")),
            wrong("That is the whole workforce, staff and community support officers included.",
                  lambda f: 1000 * sum(f.officers("2018-03-31", MET, c)
                                       for c in ("officers_fte", "pcsos_fte", "staff_fte"))
                  / f.people(2017)),
        ),
    ),
    Exercise(
        id="03-officers/3",
        title="When was the line crossed?",
        outcome="Read the first month below a line from a monthly series, and name the series",
        level="read",
        minutes=5,
        answer=lambda f: _first_below(f, _LINE),
        choices=_months,
        start="Sort ca.load('met_strength_monthly') by month; take the first below the line.",
        mistakes=(
            wrong("That is the lowest month of the year, not the first below the line.",
                  _lowest_of_2018),
            wrong("That is the month of the article; the line had been crossed before.",
                  lambda f: "2018-09"),
        ),
    ),
    Exercise(
        id="03-officers/4",
        title="What a million bought",
        outcome="Set officers against money at constant prices",
        level="compute",
        minutes=10,
        answer=lambda f: _per_million(f, "2009/10"),
        unit="officers per £ million at the prices of 2017/18",
        tolerance=0.04,
        start="Officers of 31 March 2010 over grants and council tax of 2009/10, at the prices of"
        " 2017/18.",
        mistakes=(
            close("That is in cash.",
                  lambda f: f.officers("2010-03-31")
                  / f.money("grants_and_council_tax", "2009/10")),
            close("That is 2017/18.", lambda f: _per_million(f, "2017/18")),
            close("Those are the officers at the start of the year; money of a year pays for"
                  " those in post at its end.",
                  lambda f: _per_million(f, "2009/10", counted="2009-03-31")),
            wrong("That is grants alone, and council tax pays for officers too.",
                  lambda f: _per_million(f, "2009/10", "government_grants")),
            wrong("Upside down: that is £ million for each officer.",
                  lambda f: 1 / _per_million(f, "2009/10")),
        ),
    ),
    Exercise(
        id="03-officers/5",
        title="Was London special?",
        outcome="Set one force's change beside every other's before explaining it",
        level="judge",
        minutes=10,
        answer=lambda f: _fewer(f, "2010", "2018"),
        unit="forces",
        tolerance=0.4,
        start="Pivot ca.load('officers') to a row a force and a column a day; count the forces"
        " with fewer officers in March 2018 than in March 2010.",
        mistakes=(
            close("That compares with 2017.", lambda f: _fewer(f, "2017", "2018")),
            wrong("Those are the forces that did not lose officers.",
                  lambda f: f.table("officers")["force"].nunique() - _fewer(f, "2010", "2018")),
            wrong("Those are the forces that lost staff.",
                  lambda f: _fewer(f, "2010", "2018", "staff_fte")),
        ),
    ),
)  # fmt: skip
