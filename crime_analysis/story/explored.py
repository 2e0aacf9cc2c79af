"""What the explorer shows of a choice: the place's course, the estimate in words, its checks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crime_analysis import breaks, checks
from crime_analysis.drawing import BLUE, GREEN, GREY, ORANGE, Figure, canvas, year_axis
from crime_analysis.findings.borough_panel import RESTRUCTURED
from crime_analysis.findings.chosen import (
    MEASURES,
    SPECIFICATIONS,
    Choice,
    boroughs,
    interval,
    panel,
)
from crime_analysis.findings.counts import rate_ratio
from crime_analysis.links import verdict
from crime_analysis.models.fit import Fit
from crime_analysis.panel import TOO_FEW_RESIDENTS
from crime_analysis.prose import Text, named, rose_or_fell
from crime_analysis.story.link_words import spelt
from crime_analysis.story.timeline import by_financial_year, mark_breaks, named_breaks
from crime_analysis.tables import Table, minus

__all__ = ["chart", "checks_table", "estimate", "limits", "sentence"]


_WAYS_OF_BOROUGHS = {
    "fixed_effects": "boroughs and years held constant, each borough before and after March 2012"
    " by itself",
    "changes": "changes from one year to the next, none across March 2012",
    "across": "boroughs' means compared",
}


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
    ways = _WAYS_OF_BOROUGHS if choice.borough else SPECIFICATIONS
    text = (
        f"{opening}: the elasticity is {estimate:.2f}, with a 95% interval of {ends}"
        f" ({ways[choice.specification]}, {fit.nobs:,} rows)."
    ).replace("-", "−")
    after = (
        f"The checks need {'boroughs' if choice.borough else 'forces'} and years held constant,"
        " so none was run on this one; it could be no more than an association."
    )
    if said is not None:
        reasons = "; ".join(spelt(reason) for reason in said.reasons)
        after = f"After the checks: {said.word} ({reasons})."
    after += (
        " This is one specification of many; a choice that was made after seeing others needs"
        " their company."
    )
    return Text((text, after))


def limits(choice: Choice) -> Text | None:
    """Return what cannot be asked of the place, and why; of most forces there is nothing to say."""
    if choice.place in TOO_FEW_RESIDENTS:
        told = "has too few residents for rates, so it is in the chart and in no estimate."
        return Text((f"{choice.place} {told}",))
    if not choice.borough:
        return None
    paragraphs = (
        "Of a borough there is no money to ask: the Met's is one fund, so neither the price base"
        " nor the instrument has a meaning here. Offences are on one definition from April 2010"
        " and officers by borough end in November 2015: an estimate is of the years between, and"
        " later ones are in the chart alone.",
        "In March 2012 the Met restructured, and several boroughs' officers jumped in a month,"
        " which is not officers gained; nothing is compared across it. Officers are posted to"
        " where violence is, and residents are not all who are about in a borough: an association"
        " between the two can have either sign whatever officers do.",
    )
    return Text(paragraphs)


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


@dataclass(frozen=True)
class _Series:
    """One small chart: what it draws, and the series of the tables whose breaks touch it."""

    column: str
    title: str
    unit: str
    mark: str
    colour: str
    touched: tuple[tuple[str, str], ...]


def _drawn(choice: Choice) -> tuple[pd.DataFrame, list[_Series]]:
    """Return the place's rows and what is drawn of them."""
    violence = "violence_with_injury" if choice.measure == "officers" else choice.measure
    rates = choice.place not in TOO_FEW_RESIDENTS and violence != "homicide"
    crime = ("borough_crime_monthly", violence), ("recorded_crime", violence)
    officers = "borough_officers_monthly" if choice.borough else "officers"
    series = [
        _Series("officers_end_fte", "Officers", "31 March after, full-time", "o", GREEN,
                ((officers, "officers_fte"),)),
        _Series(f"{violence}_per_1000" if rates else violence, MEASURES[violence].capitalize(),
                "per 1,000 residents" if rates else "offences", "s", ORANGE,
                crime if choice.borough else crime[1:]),
    ]  # fmt: skip
    if choice.borough:
        held = boroughs(choice.years[0], choice.years[-1])
        return held[held["borough"] == choice.place].reset_index(drop=True), series
    money = _Series("funding_real_gbp_m", "Grants and council tax",
                    f"£ million, {choice.price_base} prices", "D", BLUE,
                    (("funding", "council_tax"),))  # fmt: skip
    held = panel(choice.start, choice.end, choice.price_base, everyone=True)
    return held[held["force"] == choice.place].reset_index(drop=True), [money, *series]


def chart(choice: Choice, register: pd.DataFrame) -> Figure:
    """Draw the place's money, officers and the measure, a panel each, over the period.

    A borough has no money of its own, and its officers are compared on one side of the
    restructure only.
    """
    rows, series = _drawn(choice)
    x = rows["fy_start"].to_numpy()
    covering = "Metropolitan Police" if choice.borough else choice.place
    marks: list[str] = []
    with canvas(1, len(series), height=3.3) as (_, axes, out):
        for axis, one in zip(axes, series, strict=True):
            values = rows[one.column].to_numpy(dtype=float)
            axis.plot(x, values, color=one.colour, marker=one.mark, ms=4.5)
            axis.set_ylim(0, 1.15 * max(np.nanmax(values, initial=0.0), 1e-9))
            axis.set_title(one.title, fontsize=10)
            axis.set_ylabel(one.unit, fontsize=9)
            axis.yaxis.set_major_formatter("{x:,g}")
            found = [breaks.affecting(register, *touched, covering) for touched in one.touched]
            marks += mark_breaks(axis, pd.concat(found), by_financial_year, x[0] - 0.5, x[-1])
            year_axis(axis, list(x), every=4)
            axis.set_xlim(x[0] - 0.5, x[-1] + 0.5)
            known = x[np.isfinite(values)]
            if len(known) and x[-1] - known[-1] > 2:
                axis.annotate("not\npublished", ((known[-1] + x[-1] + 1) / 2, 0.5),
                              xycoords=("data", "axes fraction"), ha="center", va="center",
                              fontsize=9, color=GREY)  # fmt: skip
    shown = rows[["financial_year", *[one.column for one in series]]]
    said = [
        f"{one.title[0].lower()}{one.title[1:]}"
        f"{' per resident' * one.column.endswith('_per_1000')} {_moved(choice, rows, one.column)}"
        for one in series
    ]
    name = choice.place if choice.borough else named(choice.place)
    courses = [f"{s.title}: {_course(shown['financial_year'], shown[s.column])}" for s in series]
    return Figure(
        title=f"{name[0].upper()}{name[1:]}, {choice.years[0]} to {choice.years[-1]}:"
        f" {', '.join(said)}",
        alt=f"{_NUMBERS[len(series)]} small charts by financial year. {'; '.join(courses)}.",
        source=f"{_SOURCES[choice.borough]} {named_breaks(marks)}",
        svg=out.getvalue(),
        data=shown,
    )


_NUMBERS = {2: "Two", 3: "Three"}
_SOURCES = {
    True: "Source: MOPAC and GLA, officers by borough (London Datastore; not published after"
    " November 2015); the Met, recorded crime by borough; ONS, population.",
    False: "Source: HMIC estimates (years without a mark are not published), ONS GDP deflator and"
    " population, Home Office workforce and recorded crime.",
}


def _comparable(choice: Choice, rows: pd.DataFrame, column: str) -> pd.Series:
    """Return a series without what is not to be compared: officers before the restructure."""
    if not choice.borough or column != "officers_end_fte":
        return rows[column]
    # Those of the 31 March that ends a year are the first that were counted after it.
    return rows[column].where(rows["fy_start"] >= RESTRUCTURED - 1)


def _moved(choice: Choice, rows: pd.DataFrame, column: str) -> str:
    """Return how a series moved from its first known year to its last, in words.

    Of offences that is said only where chance alone would hardly have moved them so far.
    """
    years, values = rows["financial_year"], _comparable(choice, rows, column)
    known = values.index[values.notna()]
    if len(known) < 2:
        return "cannot be compared"
    first, last = values[known[0]], values[known[-1]]
    counts = column.removesuffix("_per_1000")
    if counts in MEASURES and counts != "officers":
        whole = counts == column
        before, after = (
            (float(rows[counts][i]), 1.0 if whole else float(rows["population"][i]))
            for i in (known[0], known[-1])
        )
        ratio = rate_ratio(*after, *before)
        if not ratio.ci_low > 1 and not ratio.ci_high < 1:
            form = "{:,.0f}" if whole else "{:.1f}"
            return f"({form.format(first)} and {form.format(last)}) cannot be told from no change"
    if not first > 0:
        return "cannot be compared"
    ends = (years[known[0]], years[known[-1]])
    span = "" if ends == (years.iloc[0], years.iloc[-1]) else f" ({ends[0]} to {ends[1]})"
    return rose_or_fell(last / first - 1) + span


def _course(years: pd.Series, values: pd.Series) -> str:
    known = values.notna()
    if not known.any():
        return "no figure"
    first, last = years[known].iloc[0], years[known].iloc[-1]
    return f"{values[known].iloc[0]:,.1f} in {first}, {values[known].iloc[-1]:,.1f} in {last}"
