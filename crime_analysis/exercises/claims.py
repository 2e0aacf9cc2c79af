"""Exercises of 09-claims: words, definitions, verdicts."""

from __future__ import annotations

from crime_analysis.exercises.exercise import Choices, Exercise, close, wrong
from crime_analysis.exercises.shipped import MET, Shipped

__all__ = ["EXERCISES"]

_CUT = "cut-since-2010"
#: The verdicts of `claims.SCALE`.
_SCALE: Choices = {
    "holds": ("holds", "true"),
    "holds under one definition only": (
        "holds under one definition only", "one definition only", "one definition",
    ),
    "misleading without context": ("misleading without context", "misleading", "context"),
    "not supported": ("not supported", "unsupported"),
    "cannot be checked with these data": (
        "cannot be checked with these data", "cannot be checked", "can t be checked",
    ),
}  # fmt: skip


def _definitions(shipped: Shipped, agrees: bool | None = None) -> float:
    """Return how many definitions of the cut there are, or how many agree, or do not."""
    from crime_analysis.findings.claims import definitions

    found = definitions(shipped.claim(_CUT).of(_CUT))
    return float(len(found) if agrees is None else (found["agrees"] == agrees).sum())


def _per_head(shipped: Shipped, date: str = "2018-03-31", people: int = 2017) -> float:
    return 1000 * shipped.officers(date) / shipped.people(people)


def _fall_per_head(shipped: Shipped, start: int = 2010, end: int = 2018) -> float:
    """Return the change in per cent of officers per resident between two days in March."""
    after = _per_head(shipped, f"{end}-03-31", end - 1)
    return 100 * (after / _per_head(shipped, f"{start}-03-31", start - 1) - 1)


EXERCISES = (
    Exercise(
        id="09-claims/1",
        title="Who pays for the Met?",
        outcome="Give a verdict on a fixed scale, by a rule and not by taste",
        level="read",
        minutes=5,
        answer=lambda f: f.claim("government-share").verdict("government-share"),
        choices=lambda f: _SCALE,
        start="Count the definitions that agree: all, one, some, or none?",
        mistakes=(
            wrong("Not by every definition: what is the share of grants and council tax alone?",
                  lambda f: "holds"),
            wrong("By some fractions it agrees: which?", lambda f: "not supported"),
            wrong("Count again: is council tax support government's money or not?",
                  lambda f: "holds under one definition only"),
            wrong("The figures are at hand: budgets, grants and council tax are in the tables.",
                  lambda f: "cannot be checked with these data"),
        ),
    ),
    Exercise(
        id="09-claims/2",
        title="Ways to be cut",
        outcome="Count the definitions that a claim survives, and those that it does not",
        level="compute",
        minutes=10,
        answer=lambda f: _definitions(f, False),
        unit="definitions",
        tolerance=0.4,
        start="claims.definitions(found.of('cut-since-2010')): in how many rows is agrees False?",
        mistakes=(
            wrong("Those are the definitions that agree.", lambda f: _definitions(f, True)),
            wrong("Those are all definitions.", _definitions),
            close("Those are figures, not definitions: some definitions rest on several.",
                  lambda f: float(len(f.claim(_CUT).of(_CUT)))),
        ),
    ),
    Exercise(
        id="09-claims/3",
        title="Fewest officers, or fewest for each resident?",
        outcome="Notice that a claim has lost its denominator on the way",
        level="compute",
        minutes=10,
        answer=_fall_per_head,
        unit="per cent",
        tolerance=0.1,
        start="Officers of 31 March over residents of the 30 June before, 2018 against 2010.",
        mistakes=(
            wrong("Those are officers, not officers per resident.",
                  lambda f: 100 * (f.officers("2018-03-31") / f.officers("2010-03-31") - 1)),
            close("That divides by the residents of the June after.",
                  lambda f: 100 * (_per_head(f, "2018-03-31", 2018)
                                   / _per_head(f, "2010-03-31", 2010) - 1)),
            close("That starts in 2011.", lambda f: _fall_per_head(f, 2011)),
            close("That ends in 2017.", lambda f: _fall_per_head(f, end=2017)),
            wrong("That adds the fall of officers and the rise of residents; a rate divides.",
                  lambda f: 100 * ((f.officers("2018-03-31") / f.officers("2010-03-31") - 1)
                                   - (f.people(2017, MET) / f.people(2009, MET) - 1))),
        ),
    ),
    Exercise(
        id="09-claims/4",
        title="Would a stricter rule change the verdict?",
        outcome="Test a verdict against the threshold that it rests on",
        level="judge",
        minutes=10,
        answer=lambda f: f.claim("violence-sky-high", least_years=14).verdict("violence-sky-high"),
        choices=lambda f: _SCALE,
        start="ca.check_claims(only='violence-sky-high', least_years=14), and read the verdict.",
        mistakes=(
            wrong("Some measures are not at their highest: look at homicide.", lambda f: "holds"),
            wrong("One measure is at its highest still; what else is to be known of it?",
                  lambda f: "not supported"),
            wrong("There are as many earlier years as the rule asks for.",
                  lambda f: "cannot be checked with these data"),
        ),
    ),
)  # fmt: skip
