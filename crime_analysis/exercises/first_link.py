"""Exercises of 05-funding-to-officers: fixed effects, the instrument and its critics."""

from __future__ import annotations

from crime_analysis.exercises.exercise import CANNOT_TELL, Exercise, close, wrong
from crime_analysis.exercises.shipped import Shipped

__all__ = ["EXERCISES"]

_FIXED = "forces and years (fixed effects)"
_INSTRUMENT = "instrument: share of all grants"


def _elasticity(
    shipped: Shipped,
    right: str = "log_population + log_funding_real | force + financial_year",
    weights: str | None = "population",
) -> float:
    from crime_analysis.models.panel_regression import fit_panel

    rows = shipped.panel.dropna(subset=["log_funding_real"])
    fit = fit_panel(f"log_officers_end ~ {right}", rows, cluster="force", weights=weights)
    return float(fit.term("log_funding_real")["estimate"])


def _in_cash(shipped: Shipped) -> str:
    """Return what money in cash does to the estimate with year effects: worked out, not known."""
    import numpy as np

    from crime_analysis.models.panel_regression import fit_panel

    rows = shipped.panel.dropna(subset=["funding_gbp_m"])
    rows = rows.assign(log_cash=np.log(rows["funding_gbp_m"]))
    cash = fit_panel(
        "log_officers_end ~ log_population + log_cash | force + financial_year",
        rows, cluster="force", weights="population",
    ).term("log_cash")["estimate"]  # fmt: skip
    difference = float(cash) - _elasticity(shipped)
    return "the same" if abs(difference) < 1e-6 else "smaller" if difference < 0 else "larger"


def _verdict(shipped: Shipped, specification: str) -> str:
    from crime_analysis.links import verdict

    row = shipped.link("officers").table.loc[specification]
    return verdict(row["ci_low"], row["ci_high"])


def _first_stage(shipped: Shipped, share: str = "all grants", london: str = "in") -> float:
    stages = shipped.link("officers").first_stages.set_index(["share", "London"])
    return float(stages.at[(share, london), "f_statistic"])


def _with_deprivation(
    shipped: Shipped, share: str = "share_all_grants", method: str = "pearson"
) -> float:
    """Return the correlation across English forces of the share with deprivation."""
    rows = shipped.panel.query("financial_year == '2009/10'").dropna(subset=["deprivation_2010"])
    return float(rows[share].corr(rows["deprivation_2010"], method=method))


EXERCISES = (
    Exercise(
        id="05-funding-to-officers/1",
        title="Officers on money, within forces and years",
        outcome="Estimate an elasticity with force and year effects, and say what they absorb",
        level="compute",
        minutes=15,
        answer=_elasticity,
        unit="per cent more officers for one per cent more funding",
        tolerance=0.01,
        start="ca.fit_panel('log_officers_end ~ log_population + log_funding_real | force +"
        " financial_year', ca.force_panel(), cluster='force', weights='population').",
        mistakes=(
            close("That is unweighted; weight forces by residents.",
                  lambda f: _elasticity(f, weights=None)),
            wrong("That has no year effects: what moved all forces in a year is in it.",
                  lambda f: _elasticity(f, "log_population + log_funding_real | force")),
            wrong("That has no force effects: it says that large forces have more of both.",
                  lambda f: _elasticity(f, "log_population + log_funding_real | financial_year")),
            wrong("That does not hold residents constant.",
                  lambda f: _elasticity(f, "log_funding_real | force + financial_year")),
            wrong("That is the instrumented estimate.",
                  lambda f: f.link("officers").table.at[_INSTRUMENT, "estimate"]),
            wrong("That is the change from first to last year across forces.",
                  lambda f: f.link("officers").table["estimate"].iloc[0]),
        ),
    ),
    Exercise(
        id="05-funding-to-officers/2",
        title="Cash or real terms?",
        outcome="Know when a deflator matters and when year effects make it vanish",
        level="judge",
        minutes=10,
        answer=_in_cash,
        choices=lambda f: {
            "smaller": ("smaller", "lower", "less"),
            "the same": ("same", "unchanged", "no change", "equal", "identical"),
            "larger": ("larger", "bigger", "higher", "more"),
        },
        start="Try it: the logarithm of funding_gbp_m in place of log_funding_real.",
        mistakes=(
            wrong("Prices rose alike for every force in a year. What is alike for all in a year,"
                  " year effects take out.", lambda f: "smaller"),
            wrong("Prices rose alike for every force in a year. What is alike for all in a year,"
                  " year effects take out.", lambda f: "larger"),
        ),
    ),
    Exercise(
        id="05-funding-to-officers/3",
        title="What may one say of fixed effects?",
        outcome="Read uncertainty before direction",
        level="read",
        minutes=5,
        answer=lambda f: _verdict(f, _FIXED),
        choices=lambda f: CANNOT_TELL,
        start="Does the interval of the fixed-effects estimate hold zero?",
        mistakes=(
            wrong("That is the verdict on the instrumented estimate; the question is of fixed"
                  " effects, whose interval is another.",
                  lambda f: _verdict(f, _INSTRUMENT)),
        ),
    ),
    Exercise(
        id="05-funding-to-officers/4",
        title="How strong is the instrument?",
        outcome="Read a first stage, with and without its most unusual unit",
        level="compute",
        minutes=10,
        answer=lambda f: _first_stage(f, london="out"),
        unit="F",
        tolerance=0.6,
        start="ca.funding_to_officers(panel).first_stages: share of all grants, London out.",
        mistakes=(
            close("That has London in.", _first_stage),
            close("That is the share of formula grant alone; the share of all grants is asked"
                  " for.", lambda f: _first_stage(f, "formula grant alone", "out")),
            wrong("That is the square root: a t, not an F.",
                  lambda f: _first_stage(f, london="out") ** 0.5),
        ),
    ),
    Exercise(
        id="05-funding-to-officers/5",
        title="What else does the instrument point at?",
        outcome="Criticise an instrument: name what else differs with it, and measure that",
        level="judge",
        minutes=20,
        answer=_with_deprivation,
        unit="correlation",
        tolerance=0.003,
        start="A row a force: the share of 2009/10 (share_all_grants) and deprivation_2010 from"
        " ca.force_panel(); Wales has no figure and drops out.",
        mistakes=(
            close("That is the share of formula grant alone.",
                  lambda f: _with_deprivation(f, "share_formula_grant")),
            close("That is the correlation of ranks.",
                  lambda f: _with_deprivation(f, method="spearman")),
            wrong("That is its square, R².", lambda f: _with_deprivation(f) ** 2),
            wrong("That is with residents, not with deprivation.",
                  lambda f: float(f.panel.query("financial_year == '2009/10'")
                                  [["share_all_grants", "population"]].corr().iloc[0, 1])),
        ),
    ),
)  # fmt: skip
