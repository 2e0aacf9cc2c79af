"""Exercises of 00-start-here: whose words, which count, whose prices."""

from __future__ import annotations

from crime_analysis.exercises.exercise import Exercise, close, wrong
from crime_analysis.exercises.shipped import MET, Shipped

__all__ = ["EXERCISES"]

_SUMS = {
    "general grant": ("grant", "grants"),
    "total budget": ("budget", "budgets", "total"),
    "savings": ("savings", "saving"),
}


def _sum_said(shipped: Shipped) -> str:
    """Return which sum the Mayor's sentence of January 2018 is about: the one that it names."""
    said = shipped.table("statements").set_index("number").at[1, "wording"].casefold()
    # What comes after the semicolon is said beside it.
    (named,) = [choice for choice in _SUMS if choice in said.partition(";")[0]]
    return named


EXERCISES = (
    Exercise(
        id="00-start-here/1",
        title="A sum of what?",
        outcome="Tell a cut of a grant from a cut of a budget and from savings",
        level="read",
        minutes=5,
        answer=_sum_said,
        choices=lambda f: _SUMS,
        start="Print the wording of the first row of ca.load('statements').",
        mistakes=(
            wrong("Savings are what the force found; the sentence is about what it was given.",
                  lambda f: "savings"),
            wrong("A budget holds council tax and reserves too; read the sentence's own noun.",
                  lambda f: "total budget"),
        ),
    ),
    Exercise(
        id="00-start-here/2",
        title="How many officers?",
        outcome="Look a figure up by force, day and role, and name its publisher",
        level="read",
        minutes=5,
        answer=lambda f: f.officers("2018-03-31"),
        unit="officers (full-time equivalents)",
        tolerance=1,
        start="ca.load('officers') has a row a force and 31 March; the column is officers_fte.",
        mistakes=(
            close("That is MOPAC's count, on another basis: the Home Office's is asked for.",
                  lambda f: f.mopac("2018-03")),
            close("That is a year too early.", lambda f: f.officers("2017-03-31")),
            close("That is a year too late.", lambda f: f.officers("2019-03-31")),
            wrong("That adds community support officers, who are not police officers.",
                  lambda f: f.officers("2018-03-31")
                  + f.officers("2018-03-31", column="pcsos_fte")),
            wrong("That is everybody: officers, community support officers and staff.",
                  lambda f: sum(f.officers("2018-03-31", MET, c)
                                for c in ("officers_fte", "pcsos_fte", "staff_fte"))),
        ),
    ),
    Exercise(
        id="00-start-here/3",
        title="A pound then and now",
        outcome="Turn cash into real terms, and know which way to divide",
        level="compute",
        minutes=10,
        answer=lambda f: 100 * f.prices("2009/10", "2017/18"),
        unit="£ million",
        tolerance=0.1,
        start="Multiply by the index of 2017/18 over that of 2009/10; see ca.to_real.",
        mistakes=(
            close("Upside down: prices rose, so the later sum must be the larger.",
                  lambda f: 100 / f.prices("2009/10", "2017/18")),
            close("That is by CPIH, the consumers' index; the GDP deflator is asked for.",
                  lambda f: 100 * f.prices("2009/10", "2017/18", "cpih")),
            close("That starts a year too late.", lambda f: 100 * f.prices("2010/11", "2017/18")),
            close("That ends a year too late.", lambda f: 100 * f.prices("2009/10", "2018/19")),
            wrong("That is cash: nothing was done to it.", lambda f: 100.0),
        ),
    ),
)  # fmt: skip
