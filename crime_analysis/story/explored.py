"""What the explorer shows of a choice: the place's course, the estimate in words, its checks."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crime_analysis import breaks, checks
from crime_analysis.drawing import BLUE, GREEN, ORANGE, Figure, canvas, year_axis
from crime_analysis.findings.chosen import MEASURES, SPECIFICATIONS, Choice, interval, panel
from crime_analysis.findings.counts import rate_ratio
from crime_analysis.links import verdict
from crime_analysis.models.fit import Fit
from crime_analysis.panel import TOO_FEW_RESIDENTS
from crime_analysis.prose import Text, named, rose_or_fell
from crime_analysis.story.link_words import spelt
from crime_analysis.story.timeline import by_financial_year, mark_breaks, named_breaks
from crime_analysis.tables import Table, minus

__all__ = ["chart", "checks_table", "estimate", "sentence"]


def sentence(choice: Choice, fit: Fit, said: checks.Verdict | None) -> Text:
    """Return the estimate in words, doubt first, and what the checks leave of it.

    Parameters
    ----------
    choice : Choice
    fit : Fit
        From `chosen.fitted`.
    said : Verdict or None
        From `chosen.checked`.
    """
    estimate, low, high = interval(fit)
    cause = "real funding" if choice.measure == "officers" else "officers per resident"
    outcome = MEASURES[choice.measure]
    per = "" if choice.measure == "officers" else " per resident"
    ends = f"{low:.2f} to {high:.2f}" if np.isfinite([low, high]).all() else "without bound"
    if verdict(low, high) == "cannot tell":
        opening = f"These data cannot tell whether {outcome} moved with {cause} in this way of" \
            " looking"  # fmt: skip
    else:
        opening = (
            f"With one per cent more {cause} goes {abs(estimate):.2f} per cent"
            f" {'more' if estimate > 0 else 'less'} {outcome}{per}, an association"
        )
    text = (
        f"{opening}: the elasticity is {estimate:.2f}, with a 95% interval of {ends}"
        f" ({SPECIFICATIONS[choice.specification]}, {fit.nobs:,} rows)."
    ).replace("-", "−")
    after = (
        "The checks need forces and years held constant, so none was run on this one; it could be"
        " no more than an association."
    )
    if said is not None:
        reasons = "; ".join(spelt(reason) for reason in said.reasons)
        after = f"After the checks: {said.word} ({reasons})."
    return Text(
        (
            text,
            f"{after} This is one specification of many; a choice that was made after seeing"
            " others needs their company.",
        )
    )


def estimate(fit: Fit) -> Table:
    """Return the slopes; of an instrument its first stage and Anderson-Rubin interval too."""
    rows = fit.tidy().reset_index()
    caption = "The estimate: slopes of logarithms"
    if fit.family == "iv":
        stage = fit.first_stage()
        caption += f"; first stage F {stage.f_statistic:.1f}"
        if stage.bounded:
            caption += f", Anderson-Rubin interval {stage.ci_low:.2f} to {stage.ci_high:.2f}"
        else:
            caption += ", no bounded Anderson-Rubin interval"
    return Table(rows.assign(term=rows["term"].map(spelt)), caption.replace("-0", "−0"))


def checks_table(results: list[checks.CheckResult]) -> Table:
    """Return the checks with what each found."""
    marks = {True: "passed", False: "failed", None: "for information"}
    rows = [
        {
            "check": r.name,
            "outcome": marks[r.passed] if r.ran else "not run",
            "found": minus(spelt(r.text)),
        }
        for r in results
    ]
    return Table(pd.DataFrame(rows), "What the estimate was put through")


def chart(choice: Choice, register: pd.DataFrame) -> Figure:
    """Draw the place's money, officers and the measure, a panel each, over the period."""
    held = panel(choice.start, choice.end, choice.price_base, everyone=True)
    rows = held[held["force"] == choice.place]
    x = rows["fy_start"].to_numpy()
    rates = choice.place not in TOO_FEW_RESIDENTS
    violence = "violence_with_injury" if choice.measure == "officers" else choice.measure
    third = f"{violence}_per_1000" if rates and violence != "homicide" else violence
    unit = "per 1,000 residents" if third.endswith("_per_1000") else "offences"
    parts = (
        ("funding_real_gbp_m", "Grants, council tax", f"£ million, {choice.price_base} prices",
         "D", BLUE, ("funding", "council_tax")),
        ("officers_end_fte", "Officers", "31 March after, full-time", "o", GREEN,
         ("officers", "officers_fte")),
        (third, MEASURES[violence].capitalize(), unit, "s", ORANGE, ("recorded_crime", violence)),
    )  # fmt: skip
    marks: list[str] = []
    with canvas(1, 3, height=3.3) as (_, axes, out):
        for axis, (column, title, label, mark, colour, touched) in zip(axes, parts, strict=True):
            values = rows[column].to_numpy(dtype=float)
            axis.plot(x, values, color=colour, marker=mark, ms=4.5)
            axis.set_ylim(0, 1.15 * max(np.nanmax(values, initial=0.0), 1e-9))
            axis.set_title(title, fontsize=10)
            axis.set_ylabel(label, fontsize=9)
            axis.yaxis.set_major_formatter("{x:,g}")
            found = breaks.affecting(register, *touched, choice.place)
            marks += mark_breaks(axis, found, by_financial_year, x[0] - 0.5, x[-1])
            year_axis(axis, list(x), every=4)
            axis.set_xlim(x[0] - 0.5, x[-1] + 0.5)
    shown = rows[["financial_year", *[part[0] for part in parts]]]
    said = [
        f"{title[0].lower()}{title[1:]}{' per resident' * column.endswith('_per_1000')}"
        f" {_moved(shown['financial_year'], shown[column], column)}"
        for column, title, *_ in parts
    ]
    return Figure(
        title=f"{named(choice.place)[0].upper()}{named(choice.place)[1:]}, {choice.start} to"
        f" {choice.end}: {', '.join(said)}",
        alt="Three small charts by financial year. "
        + "; ".join(
            f"{title}: {_course(shown['financial_year'], shown[column])}"
            for column, title, *_ in parts
        )
        + ".",
        source="Source: HMIC estimates (years without a mark are not published), ONS GDP deflator"
        f" and population, Home Office workforce and recorded crime. {named_breaks(marks)}",
        svg=out.getvalue(),
        data=shown,
    )


def _moved(years: pd.Series, values: pd.Series, column: str) -> str:
    """Return how a series moved from its first known year to its last, in words."""
    known = values.notna()
    if known.sum() < 2 or not values[known].iloc[0] > 0:
        return "cannot be compared"
    first, last = values[known].iloc[0], values[known].iloc[-1]
    if column == "homicide":
        ratio = rate_ratio(last, 1.0, first, 1.0)
        if verdict(ratio.ci_low - 1, ratio.ci_high - 1) == "cannot tell":
            return f"({first:.0f} and {last:.0f}) cannot be told from no change"
    ends = (years[known].iloc[0], years[known].iloc[-1])
    whole = ends == (years.iloc[0], years.iloc[-1])
    return rose_or_fell(last / first - 1) + ("" if whole else f" ({ends[0]} to {ends[1]})")


def _course(years: pd.Series, values: pd.Series) -> str:
    known = values.notna()
    if not known.any():
        return "no figure"
    first, last = years[known].iloc[0], years[known].iloc[-1]
    return f"{values[known].iloc[0]:,.1f} in {first}, {values[known].iloc[-1]:,.1f} in {last}"
