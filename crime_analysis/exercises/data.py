"""Exercises of 01-data: joins, bases, breaks."""

from __future__ import annotations

from crime_analysis import places
from crime_analysis.exercises.exercise import Exercise, close, wrong
from crime_analysis.exercises.shipped import MET, Shipped

__all__ = ["EXERCISES"]

_MEASURES = {
    "violence with injury": ("violence with injury", "injury"),
    "homicide": ("homicide", "homicides", "murder"),
    "sexual offences": ("sexual offences", "sexual"),
}


def _years(shipped: Shipped) -> dict[str, tuple[str, ...]]:
    years = shipped.table("recorded_crime")["financial_year"].unique()
    return {str(year): (str(year), f"{year[:4]}-{year[-2:]}") for year in years}


def _steepest(shipped: Shipped, group: str) -> str:
    """Return the year in which the Met's count rose most on the year before, in per cent."""
    rows = shipped.table("recorded_crime").set_index("financial_year")
    counts = rows[(rows["force"] == MET) & (rows["offence_group"] == group)]["offences"]
    return str(counts.sort_index().pct_change().idxmax())


def _year_before(year: str) -> str:
    return f"{int(year[:4]) - 1}/{year[2:4]}"


def _unmoved(shipped: Shipped) -> str:
    """Return the measure that the register's entry on the 2014 inspection does not name."""
    entry = shipped.table("breaks").set_index("id").at["recording-inspection", "series"]
    named = {name.replace("_", " ") for name in entry.split(";")}
    (left,) = [measure for measure in _MEASURES if measure not in named]
    return left


EXERCISES = (
    Exercise(
        id="01-data/1",
        title="The year of the jump",
        outcome="Find a break in a chart, and date it",
        level="read",
        minutes=5,
        answer=lambda f: _steepest(f, "violence_against_the_person"),
        choices=_years,
        start="Look at the Met's violence against the person: which year stands furthest above"
        " the one before, in per cent?",
        mistakes=(
            close("That is the year the rise starts from, not the year that rose.",
                  lambda f: _year_before(_steepest(f, "violence_against_the_person"))),
            wrong("That is where homicide rose most; the question is of violence against the"
                  " person.", lambda f: _steepest(f, "homicide")),
            wrong("That is where violence with injury rose most; the question is of violence"
                  " against the person.",
                  lambda f: _steepest(f, "violence_with_injury")),
        ),
    ),
    Exercise(
        id="01-data/2",
        title="What a join leaves empty",
        outcome="Read an audit of a join, and say what is missing before modelling",
        level="compute",
        minutes=10,
        answer=lambda f: float(f.panel["funding_gbp_m"].isna().sum()),
        unit="rows",
        tolerance=0.4,
        start="panel['funding_gbp_m'].isna() marks them; ca.audits(panel) says why.",
        mistakes=(
            wrong("Those are the rows that have funding.",
                  lambda f: float(f.panel["funding_gbp_m"].notna().sum())),
            wrong("Those are all rows of the panel.", lambda f: float(len(f.panel))),
            close("Those are years, not rows: each is missing for every force.",
                  lambda f: float(f.panel.groupby("fy_start")["funding_gbp_m"]
                                  .agg(lambda v: v.isna().all()).sum())),
            close("That counts the City of London, which the panel leaves out on purpose.",
                  lambda f: f.panel["funding_gbp_m"].isna().sum()
                  / f.panel["force"].nunique() * len(places.FORCES)),
        ),
    ),
    Exercise(
        id="01-data/3",
        title="Two counts of the same people",
        outcome="Measure how far two publishers' bases lie apart, and refuse to splice them",
        level="compute",
        minutes=10,
        answer=lambda f: 100 * (f.mopac("2018-03") / f.officers("2018-03-31") - 1),
        unit="per cent",
        tolerance=0.03,
        start="MOPAC's count of March 2018 (met_strength_monthly) over the Home Office's of"
        " 31 March 2018 (officers), less one.",
        mistakes=(
            wrong("That is a number of officers; a percentage of the Home Office's count is"
                  " asked for.", lambda f: f.mopac("2018-03") - f.officers("2018-03-31")),
            wrong("The base is the wrong one: divide by the Home Office's count.",
                  lambda f: 100 * (f.officers("2018-03-31") / f.mopac("2018-03") - 1)),
            close("That takes MOPAC's count of the month after.",
                  lambda f: 100 * (f.mopac("2018-04") / f.officers("2018-03-31") - 1)),
            close("That is a year too early.",
                  lambda f: 100 * (f.mopac("2017-03") / f.officers("2017-03-31") - 1)),
            wrong("That takes the Home Office's count of the year before: half of it is change.",
                  lambda f: 100 * (f.mopac("2018-03") / f.officers("2017-03-31") - 1)),
        ),
    ),
    Exercise(
        id="01-data/4",
        title="Which measure can recording not move?",
        outcome="Choose an outcome that a change in recording leaves alone",
        level="judge",
        minutes=10,
        answer=_unmoved,
        choices=lambda f: _MEASURES,
        start="ca.load('breaks') lists what each change touched; look for recording-inspection.",
        mistakes=(
            wrong("The inspection found a third of reported violence unrecorded; injuries are"
                  " among it.", lambda f: "violence with injury"),
            wrong("The inspection found a quarter of them unrecorded.",
                  lambda f: "sexual offences"),
        ),
    ),
)  # fmt: skip
