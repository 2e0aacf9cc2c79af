"""Exercises of 04-violence: rates, seasons, part-years, chance."""

from __future__ import annotations

from collections.abc import Sequence

from crime_analysis.exercises.exercise import Exercise, close, wrong
from crime_analysis.exercises.shipped import Shipped

__all__ = ["EXERCISES"]

#: The Met's monthly series ends with November 2015.
_PART = ("04", "05", "06", "07", "08", "09", "10", "11")
_ALL = (*_PART, "12", "01", "02", "03")


def _months(
    shipped: Shipped, year: int, months: Sequence[str], column: str = "violence_with_injury"
) -> float:
    """Add up months of the financial year that begins in `year`."""
    counts = shipped.table("met_violence_monthly").set_index("month")[column]
    return float(sum(counts[f"{year + (m < '04')}-{m}"] for m in months))


def _admissions(
    shipped: Shipped, region: str, column: str = "admissions", start: int = 2012, end: int = 2017,
    first: str = "04",
) -> float:  # fmt: skip
    """Return the change in per cent between two years of twelve months."""
    rows = shipped.table("hospital_admissions").query("region == @region")
    counts = rows.set_index("month")[column]
    totals = [
        counts[(counts.index >= f"{y}-{first}") & (counts.index < f"{y + 1}-{first}")].sum()
        for y in (start, end)
    ]
    return float(100 * (totals[1] / totals[0] - 1))


def _rate(shipped: Shipped, year: str, people: int) -> float:
    return 1e6 * shipped.offences("homicide", year) / shipped.people(people)


def _by_chance(shipped: Shipped) -> str:
    """Return whether two years of homicide differ by more than chance alone would let them."""
    from crime_analysis.findings.counts import rate_ratio

    ratio = rate_ratio(
        shipped.offences("homicide", "2016/17"), shipped.people(2016),
        shipped.offences("homicide", "2014/15"), shipped.people(2014),
    )  # fmt: skip
    return "cannot tell" if ratio.ci_low <= 1 <= ratio.ci_high else "rose or fell"


_CHANCE = {
    "rose or fell": ("rose", "fell", "rose or fell", "higher", "lower", "changed"),
    "cannot tell": (
        "cannot tell", "can not tell", "can t tell", "not tell", "chance", "unclear", "no change",
    ),
}  # fmt: skip


EXERCISES = (
    Exercise(
        id="04-violence/1",
        title="Homicides for each million Londoners",
        outcome="Turn a count into a rate, with the right year of residents",
        level="compute",
        minutes=5,
        answer=lambda f: _rate(f, "2017/18", 2017),
        unit="homicides per million residents",
        tolerance=0.1,
        start="Homicides of 2017/18 (recorded_crime) over residents of 30 June 2017.",
        mistakes=(
            close("That is for each 100,000 residents; for each million is asked for.",
                  lambda f: _rate(f, "2017/18", 2017) / 10),
            close("That is 2016/17.", lambda f: _rate(f, "2016/17", 2016)),
            close("That is 2018/19.", lambda f: _rate(f, "2018/19", 2018)),
            close("That divides by the residents of mid-2018.",
                  lambda f: _rate(f, "2017/18", 2018)),
            wrong("That is a count; divide by residents.",
                  lambda f: f.offences("homicide", "2017/18")),
        ),
    ),
    Exercise(
        id="04-violence/2",
        title="A year that is not over",
        outcome="Compare like months with like where a series ends within a year",
        level="compute",
        minutes=15,
        answer=lambda f: 100 * (_months(f, 2015, _PART) / _months(f, 2014, _PART) - 1),
        unit="per cent",
        tolerance=0.15,
        start="met_violence_monthly ends with November 2015: take April to November of both"
        " years.",
        mistakes=(
            wrong("That sets a part of 2015/16 against the whole of 2014/15: the fall is in the"
                  " months that are missing.",
                  lambda f: 100 * (_months(f, 2015, _PART) / _months(f, 2014, _ALL) - 1)),
            wrong("That compares monthly means of a part-year and a whole one: violence has a"
                  " season, and the winter is missing from one.",
                  lambda f: 100 * (_months(f, 2015, _PART) / len(_PART)
                                   / (_months(f, 2014, _ALL) / len(_ALL)) - 1)),
            close("That is a year too early.",
                  lambda f: 100 * (_months(f, 2014, _PART) / _months(f, 2013, _PART) - 1)),
            wrong("That is violence against the person, which recording moved most.",
                  lambda f: 100 * (_months(f, 2015, _PART, "violence_against_the_person")
                                   / _months(f, 2014, _PART, "violence_against_the_person")
                                   - 1)),
        ),
    ),
    Exercise(
        id="04-violence/3",
        title="What hospitals saw",
        outcome="Check recorded crime against a measure that the police do not make",
        level="compute",
        minutes=10,
        answer=lambda f: _admissions(f, "London"),
        unit="per cent",
        tolerance=0.3,
        start="hospital_admissions, London: add up April 2012 to March 2013, and April 2017 to"
        " March 2018.",
        mistakes=(
            close("That is England.", lambda f: _admissions(f, "England")),
            close("Those are episodes; one admission can hold several.",
                  lambda f: _admissions(f, "London", "episodes")),
            close("That ends a year too early.", lambda f: _admissions(f, "London", end=2016)),
            close("That ends a year too late.", lambda f: _admissions(f, "London", end=2018)),
            close("That starts a year too late.", lambda f: _admissions(f, "London", start=2013)),
            wrong("That is what the police recorded, of violence with injury.",
                  lambda f: 100 * (f.offences("violence_with_injury", "2017/18")
                                   / f.offences("violence_with_injury", "2012/13") - 1)),
        ),
    ),
    Exercise(
        id="04-violence/4",
        title="More homicides, or chance?",
        outcome="Ask what chance alone does to a small count before telling a story",
        level="judge",
        minutes=15,
        answer=_by_chance,
        choices=lambda f: _CHANCE,
        start="counts.rate_ratio gives the ratio of two rates with its interval: does it hold"
        " one?",
        mistakes=(
            wrong("The counts differ. Two counts of about a hundred nearly always do, with"
                  " nothing behind it: look at the interval of their ratio.",
                  lambda f: "rose or fell"),
        ),
    ),
)  # fmt: skip
