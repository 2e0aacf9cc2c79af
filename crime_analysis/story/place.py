"""The charts of one force's report: its own course, and its place among the others.

Drawn for a batch: few artists, ticks set by hand, and a layout set by hand, since 43 reports of
six charts each are mostly matplotlib's time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from crime_analysis import breaks, periods
from crime_analysis.drawing import BLUE, GREEN, GREY, ORANGE, YELLOW, Figure, canvas
from crime_analysis.findings.counts import poisson_interval
from crime_analysis.findings.place_report import MEASURES, ForceReport
from crime_analysis.implied import route_in_words
from crime_analysis.prose import Text, named, rose_or_fell, series_name
from crime_analysis.story import violence_words
from crime_analysis.story.axes import lay_out, percent_axis, upright
from crime_analysis.story.place_words import place_among, rates, signed
from crime_analysis.story.rates import homicide_rates

__all__ = ["elsewhere", "homicide", "money", "officers", "standing", "violence"]

_OTHERS = {"color": GREY, "alpha": 0.55}


def money(report: ForceReport) -> Figure:
    """Draw grants and council tax in real terms, the estimates as bars, the outturn as marks."""
    rows = report.money.assign(x=report.money["financial_year"].map(periods.start))
    bars = rows[rows["series"].str.startswith("hmic")]
    outturn = rows[rows["series"] == "outturn"]
    moved = report.standing.at[report.force, "funding"]
    tax_year = 2013
    with canvas(height=2.5) as (drawing, axis, out):
        lay_out(drawing, left=0.09, right=0.99, top=0.96, bottom=0.22)
        axis.bar(bars["x"], bars["grants_real_gbp_m"], color=BLUE, label="Government grants")
        axis.bar(
            bars["x"], bars["council_tax_real_gbp_m"], bottom=bars["grants_real_gbp_m"],
            color=YELLOW, hatch="//", edgecolor="white", label="Council tax",
        )  # fmt: skip
        if len(outturn):
            axis.plot(
                outturn["x"], outturn["funding_real_gbp_m"], "D", color="black", ms=5,
                label="Both, outturn (another series)",
            )  # fmt: skip
        axis.axvline(tax_year - 0.5, color=ORANGE, ls="--", lw=1.1)
        years = range(bars["x"].min(), bars["x"].max() + 1)
        axis.set_xticks(years, [periods.label(y)[2:] for y in years])
        axis.grid(axis="x", visible=False)
        upright(axis, rows["funding_real_gbp_m"].max())
        axis.set_ylabel(f"£ million, {report.price_base} prices")
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=3)
    spoken = ", ".join(
        f"{row.financial_year} £{row.funding_real_gbp_m:,.0f}m" for row in bars.itertuples()
    )
    return Figure(
        title=f"Grants and council tax of {named(report.force)} together {rose_or_fell(moved)} in"
        f" real terms, {report.start} to {report.end}",
        alt=f"Stacked bars of grants and council tax of {named(report.force)}, together: {spoken}."
        " A dashed line marks 2013/14.",
        source="Source: HMIC and HMICFRS Value for Money profiles (bars: actuals to 2008/09,"
        " estimates after; no figures for years without a bar); DCLG and MHCLG revenue outturn"
        " (English authorities); ONS GDP deflator. Dashed line: council tax support became a"
        " grant.",
        svg=out.getvalue(),
        data=rows.drop(columns="x").assign(series=rows["series"].map(series_name)),
    )


def officers(report: ForceReport) -> Figure:
    """Draw officers on each 31 March, and for every 1,000 residents beside the median force."""
    posts = report.officers
    first, last = (periods.start(year) + 1 for year in (report.start, report.end))
    moved = report.standing.loc[report.force]
    rate = posts["officers_per_1000"].dropna()
    with canvas(1, 2 if report.rates else 1, height=2.3, squeeze=False) as (drawing, grid, out):
        lay_out(drawing, left=0.09, right=0.99, top=0.89, bottom=0.11, wspace=0.16)
        _course(grid[0, 0], posts["officers_fte"], first, last, "{:,.0f}")
        grid[0, 0].set_title("Officers, full-time equivalents")
        if report.rates:
            median = posts["median_per_1000"].dropna()
            grid[0, 1].plot(median.index, median, "--", color=GREY, lw=1.4)
            grid[0, 1].text(
                0.02, 0.05, "- - median of 42 forces", fontsize=9, color="#444444",
                transform=grid[0, 1].transAxes,
            )  # fmt: skip
            _course(grid[0, 1], rate, first, last, "{:.2f}", max(rate.max(), median.max()))
            grid[0, 1].set_title("Officers per 1,000 residents")
    per = ""
    if report.rates:
        per = (
            f"; for every 1,000 residents from {rates(rate[first], rate[last])}, the median"
            f" force {posts.at[first, 'median_per_1000']:.2f} to"
            f" {posts.at[last, 'median_per_1000']:.2f}"
        )
    counts = posts["officers_fte"]
    low = counts.idxmin()
    return Figure(
        title=f"Officers of {named(report.force)} {rose_or_fell(moved['officers'])} from 31 March"
        f" {first} to 31 March {last}{per}",
        alt=f"Line of officers of {named(report.force)} on 31 March, {counts.index[0]} to"
        f" {counts.index[-1]}: {counts[first]:,.0f} in {first}, {counts[last]:,.0f} in {last},"
        f" lowest {counts[low]:,.0f} in {low}."
        + (" A second panel shows the rate per 1,000 residents." if report.rates else ""),
        source="Source: Home Office workforce open data (2007 on); HMIC Value for Money profiles"
        " 2010 (2005 and 2006); ONS mid-year population, made before the Census of 2021. Residents"
        " are those of the 30 June after.",
        svg=out.getvalue(),
        data=posts.reset_index(names="31 March"),
    )


def _course(
    axis: Any, values: pd.Series, first: int, last: int, form: str, top: float | None = None
) -> None:
    """Draw a series by year with two of its years marked."""
    axis.plot(values.index, values, "o-", color=BLUE, ms=3.5)
    pair = values.reindex([first, last])
    axis.plot(pair.index, pair, "o", color=ORANGE, ms=6.5)
    for year, value in pair.dropna().items():
        axis.annotate(
            form.format(value), (year, value), textcoords="offset points", xytext=(0, 8),
            ha="center", fontsize=9,
        )  # fmt: skip
    years = range(values.index.min(), values.index.max() + 1, 5)
    axis.set_xticks(years, [str(year) for year in years])
    axis.grid(axis="x", visible=False)
    upright(axis, 1.1 * (top or values.max()), form="{:,.0f}" if values.max() > 20 else "{:g}")


def violence(report: ForceReport) -> Figure:
    """Draw six measures, from the one that recording moves least, with breaks in each."""
    counts = report.offences
    x = counts.index.map(periods.start).to_numpy()
    ends = [periods.start(year) for year in (report.start, report.end)]
    marks: dict[str, None] = {}
    with canvas(2, 3, height=3.3) as (drawing, grid, out):
        lay_out(drawing, left=0.07, right=0.97, top=0.93, bottom=0.07, wspace=0.3, hspace=0.2)
        for axis, (group, label) in zip(grid.flat, MEASURES.items(), strict=True):
            title = "Admissions, the region's" if group == "admissions" else label.capitalize()
            axis.set_title(title, fontsize=9.5)
            values = counts[group].to_numpy()
            axis.grid(axis="x", visible=False)
            if np.isnan(values).all():
                axis.set_axis_off()
                axis.text(0.5, 0.5, _no_admissions(report), ha="center", va="center", fontsize=9,
                          transform=axis.transAxes)  # fmt: skip
                continue
            top = np.nanmax(values)
            if group == "homicide":
                low, high = poisson_interval(values)
                axis.vlines(x, low, high, color=BLUE, lw=1.1, alpha=0.7)
                axis.plot(x, values, "o", color=BLUE, ms=3)
                top = min(np.nanmax(high), 2.5 * np.nanmedian(high)) if top else 4
                top = max(top, np.nanmax(values) if np.nanmax(values) < 4 * top else top)
            else:
                axis.plot(x, values, "o-", color=BLUE, ms=3, lw=1.2)
            shown = np.isin(x, ends)
            axis.plot(x[shown], values[shown], "o", color=ORANGE, ms=5.5)
            table = "hospital_admissions" if group == "admissions" else "recorded_crime"
            for event in breaks.affecting(report.breaks, table, group).itertuples():
                if event.kind == "status":  # a judgement on the figures that moves none of them
                    continue
                year = breaks.financial_year(str(event.date))
                if periods.start(year) < x[~np.isnan(values)][0]:
                    continue
                axis.axvline(periods.start(year), color=ORANGE, ls="--", lw=1)
                marks[f"{year} {breaks.name(str(event.id))}"] = None
            axis.set_xlim(x[0] - 0.8, x[-1] + 0.8)
            if axis in grid[1]:
                axis.set_xticks([2002, 2009, 2016, 2022], ["02/03", "09/10", "16/17", "22/23"])
            else:
                axis.set_xticks([])
            upright(axis, max(1.03 * top, 1), count=3)
    return Figure(
        title=_violence_title(report),
        alt=f"Six small charts by financial year, 2002/03 to 2022/23, for {named(report.force)}:"
        f" {', '.join(MEASURES.values())}. From {report.start} to {report.end} recorded violence"
        f" with injury went from {_pair(report, 'violence_with_injury')}, robbery from"
        f" {_pair(report, 'robbery')}, homicide from {_pair(report, 'homicide')}. Dashed lines mark"
        " breaks in recording.",
        source="Counts a year. Source: Home Office police recorded crime; ONS Table P5 (knife"
        " offences); NHS Digital (admissions for assault by sharp object, to the nearest 5, of the"
        f" whole region{': ' + report.region if report.region else ''}). Homicide: bars are"
        " exact 95% Poisson intervals. Orange dots: the years"
        f" compared. Dashed lines, breaks: {'; '.join(marks)}.",
        svg=out.getvalue(),
        data=counts.reset_index(names="financial_year").rename(columns=MEASURES),
    )


def _no_admissions(report: ForceReport) -> str:
    why = "for English regions only" if not report.region else "by region, which says\nlittle here"
    return f"Admissions are published\n{why}"


def _pair(report: ForceReport, group: str) -> str:
    first, last = report.offences[group].reindex([report.start, report.end])
    return f"{first:,.0f} to {last:,.0f}"


def _violence_title(report: ForceReport) -> str:
    change = report.violence
    row = change.recorded.loc["violence_with_injury"]
    per = " per resident" if report.rates else ""
    return (
        f"From {report.start} to {report.end} recorded violence with injury{per}"
        f" {violence_words.moved(row['change'], row['ci_low'], row['ci_high'])} in"
        f" {named(report.force)}'s area; {violence_words.homicide(change)}"
    )


_STRIPS = (
    {
        "funding": "real funding",
        "officers": "officers",
        "officers_per_resident": "officers per resident",
    },
    {
        "robbery": "robbery per resident",
        "violence_with_injury": "violence with injury per resident",
    },
)


def standing(report: ForceReport) -> Figure:
    """Draw where the force's changes stand among all forces', a strip a measure."""
    rows = report.standing
    with canvas(2, 1, height=2.6, height_ratios=[3, 2]) as (drawing, axes, out):
        lay_out(drawing, left=0.27, right=0.84, top=0.92, bottom=0.15, hspace=0.4)
        for axis, strips in zip(axes, _STRIPS, strict=True):
            values = rows[list(strips)]
            for y, column in enumerate(strips):
                known = rows[column].dropna()
                axis.plot(known, np.full(len(known), y), "|", ms=15, mew=1.3, **_OTHERS)
                axis.plot([known.median()], [y], "^", color="black", ms=6)
                if report.force in known.index:
                    mine = known[report.force]
                    axis.plot([mine], [y], "D", color=ORANGE, ms=8)
                    axis.annotate(
                        f"{signed(mine)}, {place_among(report, column)}", (1.01, y),
                        xycoords=("axes fraction", "data"), va="center", fontsize=9,
                    )  # fmt: skip
            axis.axvline(0, color="black", lw=0.9)
            axis.set_yticks(range(len(strips)), list(strips.values()))
            axis.set_ylim(len(strips) - 0.6, -0.75)
            axis.grid(axis="y", visible=False)
            percent_axis(axis, values.min().min() - 0.04, values.max().max() + 0.04)
        axes[1].set_xlabel(f"change, {report.start} to {report.end}")
        drawing.text(
            0.27, 0.96, "◆ this force, its change and rank (1 fell most)   ▲ median   | others",
            fontsize=9, color="#444444",
        )  # fmt: skip
    ranks = [f"{place_among(report, c)} by {_STRIPS[0][c]}" for c in ("funding", "officers")]
    return Figure(
        title=f"Counted from the largest fall, {named(report.force)} is {' and '.join(ranks)}",
        alt=f"Strips of every force's change, {report.start} to {report.end}. {report.force}: "
        + ", ".join(
            f"{label} {signed(rows.at[report.force, column])} (median"
            f" {signed(rows[column].median())})"
            for strips in _STRIPS
            for column, label in strips.items()
        )
        + ".",
        source="Source: HMIC estimates and ONS GDP deflator; Home Office workforce data and police"
        " recorded crime; ONS population. Rates leave the City of London out. Forces took up better"
        " recording at different times, so ranks by recorded crime are also ranks by that.",
        svg=out.getvalue(),
        data=rows.reset_index(),
    )


def homicide(report: ForceReport) -> Figure | Text:
    """Draw every force's homicide rate with its interval; the force's own is marked."""
    if not report.rates:
        return Text(
            (
                f"No homicide rate is drawn: {named(report.force)} has too few residents for one,"
                f" and {violence_words.homicide(report.violence)}.",
            )
        )
    rows = report.homicides.rename(
        columns={"force": "place", "homicides": "count", "person_years": "exposure"}
    )
    return homicide_rates(
        rows, report.force, "forces",
        f"Homicides over up to {rows['years'].max():.0f} years to {report.end}; years that one"
        " event dominates are left out (register of breaks).",
        "Home Office police recorded crime; ONS population",
    )  # fmt: skip


_IMPLIED = {"implied_change": "implied", "ci_low": "95% from", "ci_high": "95% to"}


def elsewhere(report: ForceReport) -> Figure | Text:
    """Draw what forces whose officers moved as much recorded beside what the links imply."""
    if report.alike.empty:
        return Text(
            (
                f"No forces are set beside {named(report.force)}: they would be matched by officers"
                " per resident, and it has too few residents for that.",
            )
        )
    low, high = -0.6, 1.2
    mine, others = report.alike.iloc[0], report.alike.iloc[1:]
    names, records = [], []
    with canvas(height=2.8) as (drawing, axis, out):
        lay_out(drawing, left=0.34, right=0.97, top=0.98, bottom=0.25)
        for place, (group, rows) in enumerate(_by_outcome(report)):
            y = 3.4 * place
            total = report.alike_total.loc[group]
            column = next(key for key, label in MEASURES.items() if label == group)
            if column in others:
                spots = others[column].to_numpy()
                axis.plot(np.clip(spots, low, high), np.full(len(spots), y), "o", mfc="none",
                          mec=GREY, ms=6)  # fmt: skip
            else:
                axis.plot([total["ci_low"] - 1, total["ci_high"] - 1], [y, y], color=GREY, lw=2)
            axis.plot([total["ratio"] - 1], [y], "s", color="black", ms=6)
            axis.plot([np.clip(rows["actual_change"].iloc[0], low, high)], [y], "X", color=ORANGE,
                      ms=10, clip_on=False)  # fmt: skip
            names.append((y, f"{group}, recorded"))
            for shift, row in enumerate(rows.itertuples(), start=1):
                colour = BLUE if row.route == "officers lost" else GREEN
                axis.plot([row.ci_low, row.ci_high], [y + shift] * 2, color=colour, lw=3)
                axis.plot([row.implied_change], [y + shift], "o", color=colour, ms=6)
                what = "officers" if row.route == "officers lost" else "money"
                names.append((y + shift, f"implied by the change in {what}"))
            records.append(
                {"outcome": group, "recorded here": rows["actual_change"].iloc[0],
                 "ten forces together": total["ratio"] - 1}
                | {f"by the {route_in_words(str(r.route), r.cause_change)}, {words}": getattr(r, c)
                   for r in rows.itertuples() for c, words in _IMPLIED.items()}
            )  # fmt: skip
        for marker, label, style in (
            ("X", "recorded here", {"color": ORANGE, "ms": 9}),
            ("o", "each of ten forces", {"mfc": "none", "mec": GREY}),
            ("s", "the ten together", {"color": "black"}),
        ):
            axis.plot([], [], marker, ls="none", label=label, **style)
        axis.axvline(0, color="black", lw=0.9)
        axis.set_yticks([y for y, _ in names], [text for _, text in names])
        axis.set_ylim(names[-1][0] + 0.7, -0.8)
        axis.grid(axis="y", visible=False)
        percent_axis(axis, low, high)
        axis.set_xlabel("change per resident")
        axis.legend(loc="upper center", bbox_to_anchor=(0.4, -0.15), ncols=3)
    beyond = (others[["violence_with_injury", "robbery"]] > high).any(axis=None)
    beyond |= (report.implied["actual_change"] > high).any()
    spans = report.implied.query("route == 'officers lost'")
    unclear = ((spans["ci_low"] < 0) & (spans["ci_high"] > 0)).all()
    after = [periods.label(periods.start(year) + 1) for year in (report.start, report.end)]
    widest = (others.max() - others.min()).drop("officers_per_resident").max()
    spread = "far apart" if widest > 0.2 else "close together"
    return Figure(
        title=f"Forces whose officers moved most nearly as much ended {spread}, and "
        + (
            "what that change implies is compatible with none at all"
            if unclear
            else "what that change implies is not nought for every outcome"
        ),
        alt=f"For three outcomes: the change recorded by {named(report.force)}, by the ten forces"
        f" whose officers per resident changed most nearly as much, and the interval implied by"
        f" the change in officers and in money. Officers per resident here"
        f" {signed(mine['officers_per_resident'])}. "
        + "; ".join(
            f"{r.outcome}, by the {route_in_words(str(r.route), r.cause_change)}:"
            f" {signed(r.ci_low)} to {signed(r.ci_high)}, recorded {signed(r.actual_change)}"
            for r in report.implied.itertuples()
        )
        + ".",
        source=f"Recorded: {after[0]} to {after[1]}, the years after each count of officers."
        " Implied: the estimates across 42 forces with their 95% intervals (20,000 draws), see the"
        " notebooks on the links. Homicides of the ten: exact 95% Poisson interval."
        + (" Marks at the edge lie beyond it." if beyond else ""),
        svg=out.getvalue(),
        data=pd.DataFrame(records),
    )


def _by_outcome(report: ForceReport) -> Any:
    return report.implied.groupby("outcome", sort=False)
