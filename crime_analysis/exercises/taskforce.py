"""Exercises of 08-the-taskforce: what could have been seen, and what falls by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crime_analysis.exercises.exercise import Exercise, close, wrong
from crime_analysis.exercises.shipped import Shipped

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EXERCISES"]

_SUMMER, _AUTUMN = (6, 7, 8), (9, 10, 11)
#: The middle of "approximately -0.3 to -0.4": Draca, Machin and Witt (2011), abstract, all crime.
PUBLISHED = -0.35


def _london(shipped: Shipped) -> pd.DataFrame:
    """Return London's violence with injury, a row a year and a column a month."""
    rows = shipped.table("borough_crime_monthly").query("classification == 'new'")
    months = rows.groupby("month")["violence_with_injury"].sum(min_count=32).reset_index()
    months["year"] = months["month"].str[:4].astype("int64")
    months["number"] = months["month"].str[5:].astype("int64")
    return months.pivot(index="year", columns="number", values="violence_with_injury")


def _season(shipped: Shipped, months: tuple[int, ...], last: int = 2017) -> pd.Series:
    wide = _london(shipped)
    return wide.loc[:last, list(months)].sum(axis=1, min_count=3)


def _fell(shipped: Shipped, last: int = 2017) -> float:
    return float((_season(shipped, _AUTUMN, last) < _season(shipped, _SUMMER, last)).sum())


def _noise(shipped: Shipped, last: int = 2017) -> pd.Series:
    """Return the yearly changes in logarithms of autumn on the autumn before."""
    import numpy as np

    return np.log(_season(shipped, _AUTUMN, last)).diff().dropna()


def _detectable(shipped: Shipped, known: bool = False) -> float:
    """Return in per cent the smallest effect that a comparison with last autumn would detect."""
    from crime_analysis.power import minimum_detectable_effect

    noise = _noise(shipped)
    freedom = None if known else len(noise) - 1
    found = minimum_detectable_effect(float(noise.std()), degrees_of_freedom=freedom)
    return 100 * found.effect


def _expected(shipped: Shipped) -> float:
    """Return the effect to expect, as a proportion, if one published elasticity holds here."""
    moved = shipped.claimed("officers-moved", "officers_high")
    return PUBLISHED * moved / shipped.mopac("2018-08")


def _design(shipped: Shipped, column: str) -> float:
    """Return one property of that comparison, were the effect the one to expect."""
    from crime_analysis.power import design_analysis

    noise = _noise(shipped)
    freedom = len(noise) - 1
    found = design_analysis(_expected(shipped), float(noise.std()), degrees_of_freedom=freedom)
    return float(found.tidy()[column].iloc[0])


def _done(shipped: Shipped, above: str, below: str) -> float:
    return 100 * (
        shipped.claimed("taskforce-results", above) / shipped.claimed("taskforce-results", below)
    )


EXERCISES = (
    Exercise(
        id="08-the-taskforce/1",
        title="How large a change was it?",
        outcome="Set a number of officers beside the whole that it is taken from",
        level="read",
        minutes=5,
        answer=lambda f: 100 * f.claimed("officers-moved", "officers_high") / f.mopac("2018-08"),
        unit="per cent of the Met's officers",
        tolerance=0.003,
        start="The larger number of officers moved, over MOPAC's count of August 2018, the last"
        " before the move.",
        mistakes=(
            close("That takes the smaller number reported.",
                  lambda f: 100 * f.claimed("officers-moved", "officers_low")
                  / f.mopac("2018-08")),
            close("That is the share of staff.",
                  lambda f: 100 * f.claimed("officers-moved", "officers_high")
                  / f.mopac("2018-08", "staff_fte")),
            close("That divides by the Home Office's count of March.",
                  lambda f: 100 * f.claimed("officers-moved", "officers_high")
                  / f.officers("2018-03-31")),
            wrong("Upside down.",
                  lambda f: f.mopac("2018-08") / f.claimed("officers-moved", "officers_high")),
        ),
    ),
    Exercise(
        id="08-the-taskforce/2",
        title="It fell afterwards",
        outcome="See a season, and a return to the usual, where others see an effect",
        level="judge",
        minutes=15,
        answer=_fell,
        unit="years",
        tolerance=0.4,
        start="Add up the boroughs' violence with injury (classification new) by month; count"
        " the years 2010 to 2017 in which September to November were below June to August.",
        mistakes=(
            close("That counts 2018, the year of the taskforce.", lambda f: _fell(f, 2018)),
            close("That counts years after 2018 too.", lambda f: _fell(f, 2025)),
            wrong("Those are the years in which it did not fall.",
                  lambda f: len(_season(f, _SUMMER)) - _fell(f)),
        ),
    ),
    Exercise(
        id="08-the-taskforce/3",
        title="What could have been seen?",
        outcome="Work out the smallest detectable effect before looking at results",
        level="compute",
        minutes=20,
        answer=_detectable,
        unit="per cent",
        tolerance=0.6,
        start="The standard deviation of the changes in logarithms from autumn to autumn, up to"
        " 2017, is the standard error of a comparison with last autumn; give it to"
        " ca.minimum_detectable_effect with its degrees of freedom.",
        mistakes=(
            close("That is the standard error; an effect must be several times as large to be"
                  " seen.", lambda f: 100 * float(_noise(f).std())),
            close("That takes the error as known; it is estimated from few years, and a t has"
                  " wider tails.", lambda f: _detectable(f, known=True)),
        ),
    ),
    Exercise(
        id="08-the-taskforce/4",
        title="Significant, therefore too large",
        outcome="Work out by how much a significant result would exaggerate",
        level="judge",
        minutes=20,
        answer=lambda f: _design(f, "exaggeration"),
        unit="times the true effect",
        tolerance=2,
        start="ca.design_analysis of the effect to expect (the elasticity times the share of"
        " officers moved) with the standard error and degrees of freedom of the exercise"
        " before; the column exaggeration.",
        mistakes=(
            wrong("That is the chance of a wrong sign, not the exaggeration.",
                  lambda f: _design(f, "type_s")),
            wrong("That is the power.", lambda f: _design(f, "power")),
        ),
    ),
    Exercise(
        id="08-the-taskforce/5",
        title="Knives for each hundred sweeps",
        outcome="Turn reported counts into a yield, and ask what it is the yield of",
        level="compute",
        minutes=5,
        answer=lambda f: _done(f, "knives", "sweeps"),
        unit="knives per hundred sweeps",
        tolerance=0.1,
        start="Knives over sweeps, times a hundred; the counts are in ca.load('claims').",
        mistakes=(
            wrong("Upside down: that is sweeps for each knife, times a hundred.",
                  lambda f: _done(f, "sweeps", "knives")),
            close("Those are weapons, of which there is a count of their own.",
                  lambda f: _done(f, "weapons", "sweeps")),
            wrong("Those are arrests.", lambda f: _done(f, "arrests", "sweeps")),
            wrong("Those are knives for each hundred arrests.",
                  lambda f: _done(f, "knives", "arrests")),
        ),
    ),
)  # fmt: skip
