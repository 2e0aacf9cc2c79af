"""What the report of one London borough says in words and tables."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from crime_analysis import catalog, periods
from crime_analysis.findings.borough_report import BoroughReport
from crime_analysis.findings.counts import told_apart
from crime_analysis.links import verdict
from crime_analysis.prose import Text, rose_or_fell, spanning
from crime_analysis.story import violence_words
from crime_analysis.story.place_tables import publications
from crime_analysis.story.place_words import since_lowest, spans_reform
from crime_analysis.tables import Table

__all__ = [
    "breaks_table",
    "choices_table",
    "glance",
    "homicide_finding",
    "learnt",
    "moved",
    "place_among",
    "sources_table",
    "summary",
]

# The register's choices that move a figure shown here.
_CHOICES = ("population-of-the-year", "population-before-census")
_SOURCED = ("borough_officers_monthly", "borough_crime_monthly", "knife_offences", "population",
            "hospital_admissions", "unemployment", "deprivation")  # fmt: skip


def place_among(report: BoroughReport, column: str) -> str:
    """Return where a borough stands among the 32: 1 fell most, or is lowest."""
    values = report.standing[column]
    rank = int((values < values[report.borough]).sum()) + 1
    return f"{rank}\u00a0of\u00a0{len(values)}"


def homicide_finding(report: BoroughReport) -> str:
    """Return what homicides say: rose, fell, or cannot tell, with both counts and the interval."""
    first, last = report.homicide_span
    ratio, years = report.homicide_ratio, report.homicide_years
    spell = f"{years} years" if years > 1 else "year"
    counts = f"{first} in the first {spell} and {last} in the last"
    low, high = ratio.ci_low - 1, ratio.ci_high - 1
    if report.disputed:
        return (
            f"homicides, {counts}, are not judged: the Met's old classes count"
            f" {report.murders:.0f} murders in the last {spell}"
        )
    if not np.isfinite(high):
        return f"homicides, {counts}, are too few to compare"
    if verdict(low, high) == "cannot tell":
        return f"homicides, {counts}, cannot be told from no change ({spanning(low, high)})"
    return f"homicides {'rose' if low > 0 else 'fell'}, {counts} ({spanning(low, high)})"


def moved(report: BoroughReport, group: str) -> str:
    """Return how a recorded measure moved per resident, or that chance could have made it."""
    row = report.recorded.loc[group]
    return violence_words.moved(row["change"], row["ci_low"], row["ci_high"])


def summary(report: BoroughReport) -> Text:
    """Return the report in three paragraphs: officers, violence, and what ties them."""
    row, posts = report.standing.loc[report.borough], report.officers["officers_fte"]
    before = posts["2012-02"] / posts["2010-03"] - 1
    people = (
        f"Officers: the boroughs' own counts end in November 2015 and break in March 2012, when"
        f" the Met restructured. Before it, from March 2010 to February 2012, {report.borough}'s"
        f" officers {rose_or_fell(before)}; after it, from March 2012 to March 2015, they"
        f" {rose_or_fell(row['officers'])} (median borough:"
        f" {rose_or_fell(report.standing['officers'].median())}). In March 2015 there were"
        f" {row['officers_per_1000']:.2f} for every 1,000 residents."
    )
    crime = (
        f"Violence: {_opening(report)}. From {report.start} to {report.end} recorded robbery per"
        f" resident {moved(report, 'robbery')} and recorded violence with injury per resident"
        f" {moved(report, 'violence_with_injury')}; {homicide_finding(report)}."
    )
    course = report.years["robbery"].loc[report.start : report.end]
    crime = " ".join(filter(None, (crime, since_lowest(course, "the count of robberies"))))
    if spans_reform(report.start, report.end):
        crime += (
            " Between these years forces changed how they record violence; robbery and homicide"
            " depend less on that."
        )
    tie = (
        "Officers and violence: nothing is estimated for a single borough. Its officers are counted"
        " for a few years only, and among its crimes are those of and against people who live"
        " elsewhere."
    )
    return Text((people, crime, tie))


def _opening(report: BoroughReport) -> str:
    """Return whether violence rose, in doubt unless homicides are clear of no change."""
    ratio = report.homicide_ratio
    known = np.isfinite(ratio.ci_high) and verdict(ratio.ci_low - 1, ratio.ci_high - 1)
    if known != "association" or report.disputed:
        return "these data cannot tell whether violence rose or fell"
    rows = report.recorded
    clear = rows[(rows["ci_low"] > 0) | (rows["ci_high"] < 0)]
    if {*np.sign(clear["change"]), np.sign(ratio.estimate - 1)} in ({1.0}, {-1.0}):
        return "the measures move the same way"
    return "whether it rose depends on the measure"


def glance(report: BoroughReport) -> Table:
    """Return the report in one table, the same rows for every borough."""
    row, everywhere = report.standing.loc[report.borough], report.standing.median()
    rows: list[dict[str, object]] = []
    for group, label in (
        ("robbery", "Robbery"),
        ("violence_with_injury", "Violence with injury"),
        ("violence_without_injury", "Violence without injury"),
    ):
        rows.append(
            {
                "measure": f"{label} per 1,000 residents",
                report.start: row[f"{group}_per_1000_start"],
                report.end: row[f"{group}_per_1000_end"],
                "change": row[group],
                "median": everywhere[f"{group}_per_1000_end"],
                "rank": place_among(report, f"{group}_per_1000_end"),
            }
        )
    for label, column in (
        ("Officers per 1,000 residents, March 2015", "officers_per_1000"),
        (f"Unemployed, % ({periods.start(report.end)})", "unemployment"),
        ("Deprivation, mean score (2019)", "deprivation"),
    ):
        rows.append(
            {
                "measure": label, report.start: np.nan, report.end: row[column],
                "change": np.nan, "median": everywhere[column],
                "rank": place_among(report, column),
            }
        )  # fmt: skip
    caption = "At a glance. Rank and the boroughs' median are of the last year: 1 is lowest."
    return Table(pd.DataFrame(rows), caption, {"change": "{:+.1%}"})


def learnt(report: BoroughReport) -> Text:
    """Return what the figures established for this borough and what they did not."""
    row = report.standing.loc[report.borough]
    rows = report.homicides.set_index("place")
    apart = told_apart(rows["count"], rows["exposure"], report.borough).value_counts()
    beside = (
        ""
        if report.disputed
        else f"; its homicide rate cannot be told from that of {apart.get('neither', 0)} of"
        f" {apart.sum()} other boroughs"
    )
    return Text(
        (
            f"Learnt: recorded robbery per resident {moved(report, 'robbery')} in"
            f" {report.borough} from {report.start} to {report.end}, and its officers"
            f" {rose_or_fell(row['officers'])} from March 2012 to March 2015.",
            f"Not learnt: whether the two have to do with each other. As for violence itself,"
            f" {homicide_finding(report)}{beside}.",
        )
    )


def breaks_table(report: BoroughReport) -> Table:
    """Return the register's entries for this borough in the figures shown."""
    rows = report.breaks[["date", "kind", "what", "advice"]]
    return Table(rows, f"Breaks that touch the figures of {report.borough}")


def choices_table() -> Table:
    """Return the choices of the cleaning that bear on the figures of a borough's report."""
    rows = catalog.load("assumptions").set_index("id").loc[list(_CHOICES)]
    return Table(rows[["what", "effect"]], "Choices that the cleaning makes")


def sources_table() -> Table:
    """Return the publications behind the figures, without those of series not shown."""
    return publications(
        source
        for name in _SOURCED
        for source in catalog.sources_of(name)
        if not re.search("Table|single figures|old classes", source["title"] + source["edition"])
    )
