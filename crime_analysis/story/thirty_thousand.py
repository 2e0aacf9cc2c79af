"""The line that the Met fell below: when, by which count, and for the first time in how long."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crime_analysis.drawing import BLUE, ORANGE, Figure, canvas
from crime_analysis.findings.strength import (
    EARLIER,
    MONTHLY,
    OFFICE,
    SAME_COUNT,
    first_below,
    in_office_terms,
    lowest_for,
    since_below,
    years_agree,
)
from crime_analysis.links import LONDON
from crime_analysis.prose import Text, named, percent
from crime_analysis.story.dates import dated
from crime_analysis.story.timeline import by_day
from crime_analysis.tables import Table

__all__ = ["answer", "crossing", "crossing_table", "spans_table", "two_counts"]

_SHOWN_FROM, _SHOWN_TO = "2012-01", "2020-12"
_UNITS = {"officers_fte": "officers", "per_1000": "officers per 1,000 residents"}


def _only_the_met(force: str) -> Text:
    return Text(
        (
            f"The round number was said of the Metropolitan Police alone, and this page is about"
            f" {named(force)}: choose the Met to see it.",
        )
    )


def crossing(held: pd.DataFrame, force: str, line: float) -> Figure | Text:
    """Draw the two counts of today about the line, and MOPAC's in the Home Office's terms.

    Parameters
    ----------
    held : DataFrame
        From `strength.counts`.
    force : str
        The line is the Met's; for another force a sentence says so.
    line : float
        Officers.
    """
    if force != LONDON:
        return _only_the_met(force)
    month = held["date"].str[:7]
    shown = held[(month >= _SHOWN_FROM) & (month <= _SHOWN_TO)]
    office = shown[shown["count"] == OFFICE]
    months = shown[shown["count"].isin([MONTHLY, EARLIER])].sort_values("when")
    ratio = in_office_terms(held)["ratio"]
    x = months["date"].map(by_day)
    with canvas(height=3.9) as (_, axis, out):
        axis.fill_between(
            x, months["officers_fte"] * ratio.min(), months["officers_fte"] * ratio.max(),
            color=ORANGE, alpha=0.18, lw=0,
            label="MOPAC's, were it raised by what the two differ each March",
        )  # fmt: skip
        axis.plot(x, months["officers_fte"], color=ORANGE, lw=1.6, label=MONTHLY)
        axis.plot(office["date"].map(by_day), office["officers_fte"], "o-", color=BLUE, ms=5,
                  label=OFFICE)  # fmt: skip
        axis.axhline(line, color="black", lw=1.1, ls=":")
        axis.annotate(f"{line:,.0f}", (x.min(), line), xytext=(0, -12), fontsize=9,
                      textcoords="offset points")  # fmt: skip
        axis.set_ylabel("officers, full-time equivalents")
        axis.yaxis.set_major_formatter("{x:,.0f}")
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(axis="x", visible=False)
        axis.figure.legend(loc="outside lower center", ncols=2)
    return Figure(
        title=_crossed(held, line),
        alt=f"Two lines from {dated(shown['date'].min())} to {dated(shown['date'].max())}."
        f" Home Office, lowest"
        f" {office['officers_fte'].min():,.0f}; MOPAC, lowest {months['officers_fte'].min():,.0f}."
        f" The dotted line is {line:,.0f}. {_in_terms(held, line)}",
        source="Source: Home Office workforce open data; MOPAC (London Datastore). The scale does"
        " not begin at nought. Band: MOPAC's count times the least and the most that the Home"
        " Office's was above it on a 31 March.",
        svg=out.getvalue(),
        data=pd.concat([office, months])[["count", "date", "officers_fte"]],
    )


def _crossed(held: pd.DataFrame, line: float) -> str:
    """Return by count whether officers fell below the line before the article, and when."""
    said = []
    for name, crossed in since_below(held, line).set_index("count")["crossed"].items():
        met = "By MOPAC's monthly count" if name == MONTHLY else "by the Home Office's"
        if isinstance(crossed, str):
            said.append(f"{met} officers fell below {line:,.0f} in {_month(crossed)}")
        elif name == MONTHLY:
            said.append(f"{met} officers were in no month before the article below {line:,.0f}")
        else:
            said.append(f"{met}, on a 31 March, in no year before the article")
    return "; ".join(said)


def _month(date: str) -> str:
    return f"{pd.Timestamp(date):%B %Y}"


def _in_terms(held: pd.DataFrame, line: float) -> str:
    """Return what MOPAC's lowest month may have been by the Home Office's count."""
    ratio = in_office_terms(held)["ratio"]
    months = held.loc[held["count"] == MONTHLY, "officers_fte"]
    if ratio.empty or months.empty:
        return "The two counts have no day in common."
    low, high = months.min() * ratio.min(), months.min() * ratio.max()
    below = "below" if high < line else "not below" if low >= line else "on either side of"
    return (
        f"In the Home Office's terms MOPAC's lowest month would be {low:,.0f} to {high:,.0f}:"
        f" {below} the line."
    )


def two_counts(held: pd.DataFrame, force: str) -> Table | Text:
    """Return the Home Office's count of each 31 March over MOPAC's of the same day."""
    if force != LONDON:
        return Text((f"One count a year is on hand for {named(force)}: the Home Office's.",))
    return Table(
        in_office_terms(held).reset_index(),
        "The Met on each 31 March: the Home Office's count, MOPAC's, and one over the other",
        {"year": "{:.0f}", "ratio": "{:.4f}"},
    )


def crossing_table(held: pd.DataFrame, force: str, line: float) -> Table | None:
    """Return by count when officers were below the line, the lowest figure and the reach.

    Nothing for another force than the Met: `crossing` says why.
    """
    if force != LONDON:
        return None
    rows = first_below(held, line).rename(columns={"first": "count_from", "last": "count_to"})
    return Table(rows, f"Officers of the Met below {line:,.0f}, by count")


def spans_table(held: pd.DataFrame, force: str, fifteen: float, twenty: float) -> Table:
    """Return whether the figures were the lowest for so many years, by count and per head.

    Parameters
    ----------
    held : DataFrame
        From `strength.counts`.
    force : str
        For the caption.
    fifteen, twenty : float
        The years that were claimed.
    """
    parts = [
        lowest_for(held, years).assign(lowest_for=f"{years:.0f} years")
        for years in (fifteen, twenty)
    ]
    rows = pd.concat(parts, ignore_index=True)
    rows["unit"] = rows["unit"].map(_UNITS)
    rows["figure"] = [_written(v, u) for v, u in zip(rows["value"], rows["unit"], strict=True)]
    rows["lowest_other"] = [
        f"{_written(v, u)} ({on}; {name})" if isinstance(on, str) else "none on hand"
        for v, u, on, name in zip(
            rows["lowest_before"], rows["unit"], rows["lowest_on"], rows["lowest_count"],
            strict=True,
        )
    ]  # fmt: skip
    columns = [
        "lowest_for", "unit", "count", "on", "figure", "lowest_other", "reach_years", "answer",
    ]  # fmt: skip
    return Table(
        rows[columns],
        f"Was it the lowest, {force}? No: lower before by the same count, or by another by more"
        f" than {percent(SAME_COUNT)}, as two counts of one day differ. Yes: neither, and each of"
        " those years has a figure of the same count, or one of another that is higher by more than"
        " that. Reach: years back without a gap in the count",
    )


def _written(value: float, unit: str) -> str:
    if not np.isfinite(value):
        return "none"
    return f"{value:,.0f}" if unit == "officers" else f"{value:.2f}"


def answer(held: pd.DataFrame, force: str, line: float, fifteen: float, twenty: float) -> Text:
    """Return what can be said of the line, which is the Met's, and of each span, doubt first."""
    spans = []
    for years in (fifteen, twenty):
        rows = lowest_for(held, years)
        told = [
            f"by {_UNITS[unit]}, {_spoken(list(group['answer']))}"
            for unit, group in rows.groupby("unit", sort=False)
        ]
        spans.append(f"Fewest for {years:.0f} years before the article: {'; '.join(told)}.")
    if force != LONDON:
        return Text((" ".join(spans),))
    row = since_below(held, line).set_index("count").loc[MONTHLY]
    parts = []
    if isinstance(row["crossed"], str):
        if isinstance(row["last_below"], str):
            fits = years_agree(row["least_years"], row["most_years"], fifteen)
            said = {True: "bear out", False: "contradict", None: "cannot settle"}[fits]
            parts.append(
                f"Whether that was the first time in {fifteen:.0f} years these figures {said}:"
                f" the last figure below it, of {dated(row['last_below'])}, is on an older basis,"
                f" and none is on hand until {dated(row['not_below_from'])}. Between"
                f" {row['least_years']:.1f} and {row['most_years']:.1f} years had passed."
            )
        else:
            parts.append("No earlier figure on hand is below it.")
    return Text((f"{_crossed(held, line)}. {_in_terms(held, line)}", " ".join([*parts, *spans])))


def _spoken(answers: list[str]) -> str:
    if len(set(answers)) == 1:
        return {"yes": "yes, by each count"}.get(answers[0], answers[0])
    return "the counts disagree"
