"""Knife crime shown: each definition by itself, and how far definitions differ."""

from __future__ import annotations

import pandas as pd

from crime_analysis import breaks, periods
from crime_analysis.drawing import BLUE, GREEN, ORANGE, Figure, canvas, year_axis
from crime_analysis.findings.measures import FEWEST_FOR_INDEX, recording_breaks
from crime_analysis.prose import Text, named, percent, rose_or_fell
from crime_analysis.story.timeline import by_financial_year, mark_breaks, named_breaks
from crime_analysis.tables import Table

__all__ = ["by_definition", "definitions_table"]


def by_definition(
    rows: pd.DataFrame, register: pd.DataFrame, force: str, start: str, end: str
) -> Figure | Text:
    """Draw knife crime by year, each definition with a mark of its own and joined to no other.

    Parameters
    ----------
    rows : DataFrame
        From `measures.knife_crime`.
    register : DataFrame
        The shipped table ``breaks``.
    force, start, end : str
        The place, and the years within which the title compares.
    """
    if rows.empty:
        return Text((f"No count of knife crime is on hand for {named(force)}.",))
    panels = [(flag, part) for flag, part in rows.groupby("with_injury")]
    first = rows["financial_year"].map(periods.start)
    marks = []
    with canvas(1, len(panels), height=4.8, squeeze=False) as (_, grid, out):
        for axis, (flag, part) in zip(grid.flat, panels, strict=True):
            looks = [(m, c) for c in (BLUE, ORANGE, GREEN) for m in "osD^"]
            for (name, group), (mark, colour) in zip(
                part.groupby("definition"), looks, strict=False
            ):
                x = group["financial_year"].map(periods.start)
                quoted = "quoted" in str(name)
                axis.plot(x, group["offences"], ls="none" if quoted else "-", marker=mark,
                          color=colour, ms=5, mfc="white" if quoted else colour, lw=1.3,
                          label=str(name))  # fmt: skip
            axis.set_ylim(0, 1.15 * part["offences"].max())
            axis.set_title("With injury" if flag else "All knife crime", fontsize=10)
            axis.yaxis.set_major_formatter("{x:,.0f}")
            entries = breaks.affecting(register, "recorded_crime", "knife_offences", force)
            years = [first.min(), first.max()]
            marks += mark_breaks(axis, entries, by_financial_year, *years)
            year_axis(axis, years, every=3)
            axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), fontsize=7.5)
        grid[0, 0].set_ylabel("offences a year")
    changes = recording_breaks(register, force, "knife_offences")["date"]
    finding, spread = _knife_words(rows, changes, start, end)
    return Figure(
        title=f"{finding}; {spread}",
        alt=f"Knife crime in {named(force)}'s area by year and definition. {finding}; {spread}.",
        source="Source: ONS Table P5 (selected offences); Home Office figures quoted from pages"
        " (hollow); MOPAC and Met Police dashboard (London). No two definitions are joined; forces"
        f" revise between editions. {named_breaks(marks)}",
        svg=out.getvalue(),
        data=rows,
    )


def _unbroken(years: pd.Series, changes: pd.Series) -> pd.Series:
    """Return the longest run of years with no change in recording inside it.

    Of two the earlier: after a change a new practice takes years to settle.
    """
    runs: dict[int, list[str]] = {}
    for year in years.index:
        first, last = f"{periods.start(year)}-04-01", f"{periods.start(year) + 1}-03-31"
        before = int((changes <= first).sum())
        if before == int((changes <= last).sum()):  # else it belongs to neither side
            runs.setdefault(before, []).append(year)
    longest = max(runs.values(), key=len, default=[])
    return years[longest]


def _knife_words(rows: pd.DataFrame, changes: pd.Series, start: str, end: str) -> tuple[str, str]:
    """Return the change by one definition, and how far definitions differ in one year."""
    name = "selected offences, definition to March 2019"
    mine = rows[(rows["definition"] == name) & rows["financial_year"].between(start, end)]
    every_year = mine.set_index("financial_year")["offences"].dropna()
    mine = _unbroken(every_year, changes)
    finding = "By the ONS definition to March 2019 no two years can be compared"
    if len(mine) > 1 and mine.iloc[0] > 0:
        first, last = mine.iloc[0], mine.iloc[-1]
        # Per cent of a handful would make much of little.
        few = first < FEWEST_FOR_INDEX
        moved = f"went from {first:.0f} to {last:.0f}" if few else rose_or_fell(last / first - 1)
        finding = (
            f"Knife offences {moved} from {mine.index[0]} to {mine.index[-1]} by the ONS definition"
            " to March 2019"
        )
    if len(mine) < len(every_year):
        finding += "; years across a change in recording are not compared"
    every = rows[~rows["with_injury"]].groupby("financial_year")["offences"]
    apart = (every.max() / every.min().where(every.min() > 0) - 1).dropna()
    if apart.empty or apart.max() < 0.0005:
        return finding, "definitions on hand print the same"
    return finding, (
        f"definitions and editions differ by up to {percent(float(apart.max()))} in one year"
        f" ({apart.idxmax()})"
    )


def definitions_table(rows: pd.DataFrame) -> Table:
    """Return each definition's reach and its first and last figure; the chart holds them all."""
    groups = rows.dropna(subset=["offences"]).groupby("definition")
    ends = groups.agg(
        first=("financial_year", "first"), offences_then=("offences", "first"),
        last=("financial_year", "last"), offences_at_last=("offences", "last"),
        years=("offences", "count"),
    )  # fmt: skip
    return Table(ends.reset_index(), "Knife crime by definition: compare within a row only")
