"""Exercises of 06-officers-to-violence: signs, intervals, weak instruments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crime_analysis.exercises.exercise import CANNOT_TELL, Choices, Exercise, close, wrong
from crime_analysis.exercises.shipped import Shipped

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EXERCISES"]

_FIXED = "forces and years (fixed effects)"
_LAGGED = "the same, officers a year earlier"
_INJURY = "violence_with_injury"
_SIGNS: Choices = {
    "positive": ("positive", "plus", "above zero"),
    "negative": ("negative", "minus", "below zero"),
    "cannot tell": CANNOT_TELL["cannot tell"],
}
_STRENGTH: Choices = {
    "weak": ("weak", "too weak"),
    "strong": ("strong", "strong enough", "not weak"),
}


def _row(
    shipped: Shipped,
    effects: str = " | force + financial_year",
    left: str = "log_violence_with_injury_per_1000",
    weights: str | None = "population",
) -> pd.Series:
    from crime_analysis.models.panel_regression import fit_panel

    formula = f"{left} ~ log_officers_per_1000{effects}"
    fit = fit_panel(formula, shipped.panel, cluster="force", weights=weights)
    return fit.term("log_officers_per_1000")


def _elasticity(
    shipped: Shipped,
    effects: str = " | force + financial_year",
    outcome: str = _INJURY,
    weights: str | None = "population",
) -> float:
    return float(_row(shipped, effects, f"log_{outcome}_per_1000", weights)["estimate"])


def _sign_across(shipped: Shipped) -> str:
    """Return the sign across forces, years taken out but not forces."""
    row = _row(shipped, " | financial_year")
    if row["ci_low"] <= 0 <= row["ci_high"]:
        return "cannot tell"
    return "positive" if row["estimate"] > 0 else "negative"


def _verdict(shipped: Shipped, outcome: str) -> str:
    from crime_analysis.links import verdict

    row = shipped.link(outcome).table.loc[_FIXED]
    return verdict(row["ci_low"], row["ci_high"])


def _strength(shipped: Shipped) -> str:
    from crime_analysis.links import WEAK

    stages = shipped.link(_INJURY).first_stages.set_index(["share", "London"])
    return "weak" if stages.at[("all grants", "in"), "f_statistic"] < WEAK else "strong"


def _width(shipped: Shipped) -> float:
    """Return how far the interval of the fixed-effects estimate reaches to either side."""
    row = shipped.link(_INJURY).table.loc[_FIXED]
    return float(row["ci_high"] - row["ci_low"]) / 2


EXERCISES = (
    Exercise(
        id="06-officers-to-violence/1",
        title="More officers, more violence?",
        outcome="Tell a comparison across places from one within them",
        level="judge",
        minutes=10,
        answer=_sign_across,
        choices=lambda f: _SIGNS,
        start="ca.fit_panel('log_violence_with_injury_per_1000 ~ log_officers_per_1000 |"
        " financial_year', ...): year effects, but none of forces.",
        mistakes=(
            wrong("That is what one expects of an effect. Across forces, officers are sent to"
                  " where violence is: look at the estimate and its interval.",
                  lambda f: "negative"),
            wrong("That is the verdict within forces. Across forces the interval is another: does"
                  " it hold zero?", lambda f: "cannot tell"),
        ),
    ),
    Exercise(
        id="06-officers-to-violence/2",
        title="Violence on officers, within forces and years",
        outcome="Estimate the second link, and name the people and the days that it counts",
        level="compute",
        minutes=10,
        answer=_elasticity,
        unit="per cent more violence for one per cent more officers per resident",
        tolerance=0.01,
        start="ca.fit_panel('log_violence_with_injury_per_1000 ~ log_officers_per_1000 | force +"
        " financial_year', ca.force_panel(), cluster='force', weights='population').",
        mistakes=(
            close("That is unweighted; weight forces by residents.",
                  lambda f: _elasticity(f, weights=None)),
            close("That takes officers a year earlier.",
                  lambda f: f.link(_INJURY).table.at[_LAGGED, "estimate"]),
            close("That is of violence against the person, which recording moved most.",
                  lambda f: _elasticity(f, outcome="violence_against_the_person")),
            close("That is of robbery.",
                  lambda f: _elasticity(f, outcome="robbery")),
            wrong("That has no year effects: what rose everywhere, recording too, is in it.",
                  lambda f: _elasticity(f, " | force")),
            wrong("That has no force effects: it compares violent places with calm ones.",
                  lambda f: _elasticity(f, " | financial_year")),
            wrong("That has no effects at all.", lambda f: _elasticity(f, "")),
        ),
    ),
    Exercise(
        id="06-officers-to-violence/3",
        title="What may one say of homicide?",
        outcome="Say what an interval allows, and no more",
        level="read",
        minutes=5,
        answer=lambda f: _verdict(f, "homicide"),
        choices=lambda f: CANNOT_TELL,
        start="Does the interval of the fixed-effects estimate for homicide hold zero?",
        mistakes=(
            wrong("An estimate below zero is not yet an association: look at both ends of its"
                  " interval.",
                  lambda f: "association"),
            wrong("The interval is clear of zero.",
                  lambda f: "cannot tell"),
        ),
    ),
    Exercise(
        id="06-officers-to-violence/4",
        title="May the instrument be leaned on?",
        outcome="Refuse an instrument whose first stage is weak, however welcome its estimate",
        level="judge",
        minutes=10,
        answer=_strength,
        choices=lambda f: _STRENGTH,
        start="ca.officers_to_violence(...).first_stages: is the F of the share of all grants,"
        " London in, under ten (Staiger and Stock 1997)?",
        mistakes=(
            wrong("Strong for funding is not strong for officers a year later: read the first"
                  " stage of this link, London in.",
                  lambda f: "strong"),
            wrong("Compare its F with ten.",
                  lambda f: "weak"),
        ),
    ),
    Exercise(
        id="06-officers-to-violence/5",
        title="How wide is not knowing?",
        outcome="Set the width of an interval beside the effect one hopes to find",
        level="compute",
        minutes=10,
        answer=_width,
        unit="of elasticity, to either side",
        tolerance=0.01,
        start="Half of ci_high less ci_low, of the fixed-effects estimate for violence with"
        " injury.",
        mistakes=(
            close("That is the whole width; half of it is asked for.", lambda f: 2 * _width(f)),
            close("That is one standard error.",
                  lambda f: _row(f)["std_error"]),
            close("That is of robbery.",
                  lambda f: (f.link("robbery").table.at[_FIXED, "ci_high"]
                             - f.link("robbery").table.at[_FIXED, "ci_low"]) / 2),
            wrong("That is the estimate.",
                  lambda f: f.link(_INJURY).table.at[_FIXED, "estimate"]),
        ),
    ),
)  # fmt: skip
