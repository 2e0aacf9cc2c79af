"""The charts of one London borough's report."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from crime_analysis import periods
from crime_analysis.drawing import BLUE, GREEN, GREY, ORANGE, Figure, canvas
from crime_analysis.findings.borough_report import BOROUGH_MEASURES, OFFICERS_SPAN, BoroughReport
from crime_analysis.prose import rose_or_fell
from crime_analysis.story.axes import lay_out, percent_axis, upright
from crime_analysis.story.borough_words import homicide_finding, moved, place_among
from crime_analysis.story.place_words import signed
from crime_analysis.story.rates import homicide_rates

__all__ = ["context", "homicide", "officers", "season", "standing", "violence"]

_MONTHS = ("Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Jan", "Feb", "Mar")


def _time(months: pd.Index) -> np.ndarray:
    """Return months as years and fractions, for an axis."""
    return np.array([int(m[:4]) + (int(m[5:7]) - 0.5) / 12 for m in months])


def _day(date: str) -> float:
    return float(_time(pd.Index([date[:7]]))[0]) - 0.5 / 12


def officers(report: BoroughReport) -> Figure:
    """Draw the borough's officers by month, and beside all boroughs' on one scale."""
    rows = report.officers
    x = _time(rows.index)
    base, last = OFFICERS_SPAN
    restructure = _day(report.breaks.set_index("id").at["borough-restructure", "date"])
    index = 100 * rows / rows.loc[base]
    row = report.standing.loc[report.borough]
    with canvas(1, 2, height=2.3) as (drawing, (left, right), out):
        lay_out(drawing, left=0.08, right=0.99, top=0.89, bottom=0.11, wspace=0.18)
        left.plot(x, rows["officers_fte"], color=BLUE, lw=1.6)
        left.set_title("Officers, full-time equivalents", fontsize=10)
        upright(left, 1.05 * rows["officers_fte"].max())
        right.plot(x, index["all_boroughs_fte"], "--", color=GREY, lw=1.6, label="all boroughs")
        right.plot(x, index["officers_fte"], color=BLUE, lw=1.8, label=report.borough)
        right.set_title("March 2012 = 100", fontsize=10)
        right.axhline(100, color="black", lw=0.8)
        right.legend(loc="lower left")
        low, high = index.min().min(), index.max().max()
        ticks = range(int(low // 10) * 10, int(high // 10) * 10 + 11, 10)
        right.set_yticks(ticks, [str(tick) for tick in ticks])
        for axis in (left, right):
            axis.axvline(restructure, color=ORANGE, ls="--", lw=1.1)
            axis.set_xticks(range(2009, 2016, 2), [str(y) for y in range(2009, 2016, 2)])
            axis.grid(axis="x", visible=False)
    pair = rows.loc[[base, last], "officers_fte"]
    return Figure(
        title=f"After the restructure {report.borough}'s officers {rose_or_fell(row['officers'])}"
        f" from March 2012 to March 2015, {pair.iloc[0]:,.0f} to {pair.iloc[1]:,.0f}:"
        f" {place_among(report, 'officers')} boroughs, counted from the largest fall",
        alt=f"Two lines by month, April 2008 to November 2015: officers of {report.borough},"
        f" {rows['officers_fte'].iloc[0]:,.0f} at first and {rows['officers_fte'].iloc[-1]:,.0f} at"
        " last; and the same beside all boroughs with March 2012 as 100. A dashed line marks the"
        " restructure of March 2012.",
        source="Source: MOPAC, MPS Recorded Crime Figures and Associated Data, December 2015."
        " Dashed line: the Met restructured, several boroughs' officers jump in one month, and no"
        " change is read across it. No later count by borough is held.",
        svg=out.getvalue(),
        data=rows.reset_index(),
    )


def violence(report: BoroughReport) -> Figure:
    """Draw six measures by month, with the mean of twelve months, and homicide by year."""
    months, years = report.months, report.years
    x = _time(months.index)
    dates = report.breaks.set_index("id")["date"]
    changes = [_day(dates[name]) for name in ("recording-inspection", "met-new-system")]
    with canvas(2, 3, height=3.6) as (drawing, grid, out):
        lay_out(drawing, left=0.07, right=0.97, top=0.93, bottom=0.07, wspace=0.26, hspace=0.2)
        for axis, group in zip(grid.flat, BOROUGH_MEASURES, strict=True):
            title = {"admissions": "Admissions, all London", "homicide": "Homicide, by year"}
            axis.set_title(title.get(group, BOROUGH_MEASURES[group].capitalize()), fontsize=9.5)
            axis.grid(axis="x", visible=False)
            if group == "homicide":
                known = years["homicide"].dropna()
                at = known.index.map(periods.start).to_numpy() + 0.75
                low, high = years["homicide_low"], years["homicide_high"]
                axis.vlines(at, low[known.index], high[known.index], color=BLUE, lw=1.1, alpha=0.7)
                axis.plot(at, known, "o", color=BLUE, ms=3)
                upright(axis, high.max(), count=3)
            else:
                values = months[group]
                axis.plot(x, values, color=GREY, lw=0.7, alpha=0.8)
                mean = values.rolling(12).mean()
                if group.startswith("violence"):  # no mean of months on both systems
                    mean[(x > changes[1]) & (x < changes[1] + 11 / 12)] = np.nan
                axis.plot(x, mean, color=BLUE, lw=1.8)
                upright(axis, values.max(), count=3)
            for at in changes if group.startswith("violence") else ():
                axis.axvline(at, color=ORANGE, ls="--", lw=1)
            axis.set_xlim(2010, 2026.5)
            if axis in grid[1]:
                axis.set_xticks([2011, 2016, 2021, 2026], ["2011", "2016", "2021", "2026"])
            else:
                axis.set_xticks([])
    return Figure(
        title=f"From {report.start} to {report.end} recorded violence with injury per resident"
        f" {moved(report, 'violence_with_injury')} in {report.borough};"
        f" {homicide_finding(report)}",
        alt=f"Six small charts for {report.borough}: homicide by financial year with intervals;"
        " and by month from April 2010 to March 2026, thin, with the mean of the last twelve"
        f" months, thick: {', '.join(list(BOROUGH_MEASURES.values())[1:])}. Robbery in the whole"
        f" year {report.start}: {years.at[report.start, 'robbery']:,.0f}, {report.end}:"
        f" {years.at[report.end, 'robbery']:,.0f}. Dashed lines mark breaks in"
        " recorded violence.",
        source="Thin: months. Thick: mean of the twelve months up to each. Homicide: whole"
        " financial years with exact 95% Poisson intervals. Dashed lines: the inspection of"
        f" recording ({dates['recording-inspection'][:4]}) and the Met's new system"
        f" ({dates['met-new-system'][:4]}); recorded violence is not compared across the second."
        " Source: Met Police, Recorded Crime: Geographic Breakdown, and dashboard (knife crime,"
        " from March 2022); NHS Digital (admissions for assault by sharp object, to the nearest 5;"
        " not published by borough).",
        svg=out.getvalue(),
        data=months.reset_index(),
    )


def season(report: BoroughReport) -> Figure:
    """Draw how far each month lies above or below its year, beside all boroughs."""
    rows = report.season
    finding = []
    with canvas(1, 2, height=2.2) as (drawing, axes, out):
        lay_out(drawing, left=0.08, right=0.99, top=0.88, bottom=0.12, wspace=0.2)
        for axis, (group, part) in zip(axes, rows.groupby("measure", sort=False), strict=True):
            x = np.arange(12)
            axis.vlines(x, part["low"], part["high"], color=BLUE, lw=4, alpha=0.3)
            axis.plot(x, part["median"], "o", color=BLUE, ms=5, label=report.borough)
            axis.plot(x, part["all_boroughs"], "--", color=GREY, lw=1.5, label="all boroughs")
            axis.axhline(0, color="black", lw=0.8)
            axis.set_title(BOROUGH_MEASURES[str(group)].capitalize(), fontsize=10)
            axis.set_xticks(x, [name[0] for name in _MONTHS])
            edge = np.ceil(10 * part[["low", "high"]].abs().max().max()) / 10
            ticks = [-edge, 0, edge]
            axis.set_yticks(ticks, [f"−{edge:.0%}", "0", f"+{edge:.0%}"])
            axis.set_ylim(-1.3 * edge, edge)
            axis.grid(axis="x", visible=False)
            top, bottom = part["all_boroughs"].idxmax(), part["all_boroughs"].idxmin()
            names = [_MONTHS[int(part.index.get_loc(i))] for i in (top, bottom)]
            finding.append(
                f"{BOROUGH_MEASURES[str(group)]} is highest in {names[0]}"
                f" ({signed(part.at[top, 'all_boroughs'])} a day) and lowest in {names[1]}"
                f" ({signed(part.at[bottom, 'all_boroughs'])})"
            )
        axes[0].legend(loc="lower left", ncols=2)
    return Figure(
        title=f"Across all boroughs {'; '.join(finding)}; in one borough chance blurs it",
        alt=f"For each calendar month, offences a day over those of the whole year in"
        f" {report.borough}: median of the years with lowest and highest, and all boroughs."
        f" {'; '.join(finding)}.",
        source="Bars: lowest to highest of the whole financial years 2010/11 to 2022/23; dots:"
        " median. A month is compared with the same month, or twelve months are added up. Source:"
        " Met Police, Recorded Crime: Geographic Breakdown.",
        svg=out.getvalue(),
        data=rows,
    )


_STRIPS = {
    "officers": "officers, 2012–2015",
    "robbery": "robbery per resident",
    "violence_with_injury": "violence with injury per resident",
}


def standing(report: BoroughReport) -> Figure:
    """Draw where the borough's changes stand among the 32, a strip a measure."""
    rows = report.standing[list(_STRIPS)]
    with canvas(height=2.2) as (drawing, axis, out):
        lay_out(drawing, left=0.27, right=0.97, top=0.9, bottom=0.2)
        for y, column in enumerate(_STRIPS):
            axis.plot(rows[column], np.full(len(rows), y), "|", ms=15, mew=1.3, color=GREY,
                      alpha=0.55)  # fmt: skip
            axis.plot([rows[column].median()], [y], "^", color="black", ms=6)
            mine = rows.at[report.borough, column]
            axis.plot([mine], [y], "D", color=ORANGE, ms=8)
            axis.annotate(
                f"{signed(mine)}, {place_among(report, column)}", (mine, y), xytext=(0, 11),
                textcoords="offset points", ha="center", fontsize=9,
                bbox={"color": "white", "pad": 0.5},
            )  # fmt: skip
        axis.axvline(0, color="black", lw=0.9)
        axis.set_yticks(range(len(_STRIPS)), list(_STRIPS.values()))
        axis.set_ylim(len(_STRIPS) - 0.6, -0.75)
        axis.grid(axis="y", visible=False)
        percent_axis(axis, rows.min().min() - 0.08, rows.max().max() + 0.08)
        axis.set_xlabel(f"change; crime {report.start} to {report.end}")
        drawing.text(
            0.27, 0.94, "◆ this borough and its rank (1 fell most)   ▲ median   | other boroughs",
            fontsize=9, color="#444444",
        )  # fmt: skip
    return Figure(
        title=f"Counted from the largest fall, {report.borough} is {place_among(report, 'robbery')}"
        f" by robbery and {place_among(report, 'violence_with_injury')} by recorded violence with"
        " injury",
        alt=f"Strips of 32 boroughs' changes. {report.borough}: "
        + ", ".join(
            f"{label} {signed(rows.at[report.borough, column])} (median"
            f" {signed(rows[column].median())})"
            for column, label in _STRIPS.items()
        )
        + ".",
        source="Officers: March 2012 to March 2015, after the restructure. Residents are not those"
        " who are there by day or night: where many visit, a rate per resident overstates. Source:"
        " MOPAC; Met Police; ONS population (made before the Census of 2021).",
        svg=out.getvalue(),
        data=report.standing.reset_index(),
    )


def homicide(report: BoroughReport) -> Figure:
    """Draw every borough's homicide rate with its interval; the borough's own is marked."""
    last = periods.start(report.end)
    first = periods.label(last - report.homicide_years + 1)
    drawn = homicide_rates(
        report.homicides, report.borough, "boroughs",
        f"Homicides of the financial years {first} to {report.end}."
        if report.homicide_years > 1 else f"Homicides of the financial year {report.end}.",
        "Met Police, Recorded Crime: Geographic Breakdown; ONS population",
    )  # fmt: skip
    if report.disputed:
        return replace(drawn, title=f"{report.borough}: {homicide_finding(report)}")
    return drawn


def context(report: BoroughReport) -> Figure:
    """Draw unemployment with its interval, and the rank by deprivation in each edition."""
    jobless, poor = report.unemployment, report.deprivation
    year = periods.start(report.end)
    row = jobless.loc[year]
    apart = abs(row["rate"] - row["median"]) > row["half_width"]
    with canvas(1, 2, height=2.2, width_ratios=[3, 2]) as (drawing, (left, right), out):
        lay_out(drawing, left=0.07, right=0.98, top=0.88, bottom=0.12, wspace=0.2)
        left.fill_between(
            jobless.index, jobless["rate"] - jobless["half_width"],
            jobless["rate"] + jobless["half_width"], color=BLUE, alpha=0.2, lw=0,
        )  # fmt: skip
        left.plot(jobless.index, jobless["rate"], color=BLUE, lw=1.8, label=report.borough)
        left.plot(jobless.index, jobless["median"], "--", color=GREY, lw=1.6,
                  label="median borough")  # fmt: skip
        left.set_title("Unemployed, % of the workforce", fontsize=10)
        upright(left, (jobless["rate"] + jobless["half_width"]).max())
        left.set_xticks(range(2004, 2025, 5), [str(y) for y in range(2004, 2025, 5)])
        left.legend(loc="lower left", ncols=2)
        right.plot(poor.index, poor["rank"], "s-", color=GREEN, ms=6)
        for edition, rank in poor["rank"].items():
            right.annotate(str(rank), (edition, rank), xytext=(0, 8), textcoords="offset points",
                           ha="center", fontsize=9)  # fmt: skip
        right.set_title("Rank by deprivation", fontsize=10)
        right.set_yticks([1, 16, 32], ["1, most", "16", "32, least"])
        right.set_ylim(34, -3)
        right.set_xticks(poor.index, [str(y) for y in poor.index])
        for axis in (left, right):
            axis.grid(axis="x", visible=False)
    where = "above" if row["rate"] > row["median"] else "below"
    finding = (
        f"clearly {where} the median borough's {row['median']:.1f}%"
        if apart
        else f"which cannot be told from the median borough's {row['median']:.1f}%"
    )
    return Figure(
        title=f"Unemployment in {report.borough} was {row['rate']:.1f}% in {year}, give or take"
        f" {row['half_width']:.1f} points, {finding}; by deprivation it ranked"
        f" {poor['rank'].iloc[-1]} of 32 in {poor.index[-1]}, counted from the most deprived",
        alt=f"Line of unemployment in {report.borough}, {jobless.index[0]} to {jobless.index[-1]},"
        f" with a band for its 95% interval: {jobless['rate'].iloc[0]:.1f}% at first,"
        f" {jobless['rate'].iloc[-1]:.1f}% at last. Rank by deprivation among 32 boroughs: "
        + ", ".join(f"{edition}: {rank}" for edition, rank in poor["rank"].items())
        + ".",
        source="Band: 95% interval. Ranks, because the scores of editions are not on one scale."
        " Source: ONS model-based unemployment (Nomis), calendar years; English Indices of"
        " Deprivation, mean score.",
        svg=out.getvalue(),
        data=jobless.reset_index(),
    )
