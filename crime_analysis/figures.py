"""The charts that people see: each one's title says the finding, made from its data.

Units are on the axes, breaks in recording are drawn, and every figure carries alt text, its
source and the numbers behind it. Nothing here estimates.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from crime_analysis import breaks, periods
from crime_analysis.drawing import BLUE, GREEN, ORANGE, YELLOW, Figure, canvas, year_axis
from crime_analysis.findings.across import slope
from crime_analysis.implied import route_in_words
from crime_analysis.links import WEAK, Link
from crime_analysis.prose import Text, named, rose_or_fell, series_name
from crime_analysis.story.forest import above, forest
from crime_analysis.story.scatters import parting, points, scatters

__all__ = ["funding", "implied", "links", "officers", "scatter", "violence"]


def funding(
    money: pd.DataFrame, register: pd.DataFrame, force: str, start: str, end: str, base: str
) -> Figure:
    """Draw a force's funding by source in real terms.

    Parameters
    ----------
    money : DataFrame
        From `funding.real_by_source`: ``financial_year``, ``series``, ``grants_real_gbp_m``,
        ``council_tax_real_gbp_m``, ``funding_real_gbp_m``.
    register : DataFrame
        The shipped table ``breaks``.
    force, start, end, base : str
        For the title: the place, the years compared, the prices used.
    """
    bars = money[money["series"].str.startswith("hmic")].copy()
    line = money[money["series"] == "outturn"]
    bars["x"] = bars["financial_year"].map(periods.start)
    ends = bars.set_index("financial_year")["funding_real_gbp_m"]
    if start in ends.index and end in ends.index:
        moved = ends[end] / ends[start] - 1
        title = (
            f"Grants and council tax of {named(force)} together {rose_or_fell(moved)} in real"
            f" terms, {start} to {end}"
        )
    else:
        title = f"Funding of {named(force)} by source, in real terms"
    with canvas(height=3.8) as (_, axis, out):
        axis.bar(bars["x"], bars["grants_real_gbp_m"], color=BLUE, label="Government grants")
        axis.bar(
            bars["x"], bars["council_tax_real_gbp_m"], bottom=bars["grants_real_gbp_m"],
            color=YELLOW, hatch="//", edgecolor="white", label="Council tax",
        )  # fmt: skip
        if len(line):
            axis.plot(
                line["financial_year"].map(periods.start), line["funding_real_gbp_m"], "D",
                color="black", ms=5, label="Both together, outturn (another series)",
            )  # fmt: skip
        years = [*bars["x"], *line["financial_year"].map(periods.start)]
        notes = []
        for event in breaks.affecting(register, "funding", "council_tax").itertuples():
            year = breaks.financial_year(str(event.date))
            axis.axvline(periods.start(year) - 0.5, color=ORANGE, ls="--", lw=1.1)
            notes.append(f"Dashed line, {year}: {event.what}")
        axis.set_ylabel(f"£ million, {base} prices")
        year_axis(axis, years, every=1)
        axis.yaxis.set_major_formatter("{x:,.0f}")
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.28), ncols=3)
    spoken = ", ".join(
        f"{row.financial_year} £{row.funding_real_gbp_m:,.0f}m" for row in bars.itertuples()
    )
    columns = ["financial_year", "series", *[c for c in money.columns if c.endswith("real_gbp_m")]]
    return Figure(
        title=title,
        alt=f"Stacked bars of grants and council tax of {named(force)} by year, together: {spoken}."
        " Years without a bar are not published for all forces.",
        source="Source: HMIC and HMICFRS Value for Money profiles (actuals to 2008/09, estimates"
        " after); DCLG/MHCLG revenue outturn; ONS GDP deflator. Gaps: no figures in the series. "
        + " ".join(notes),
        svg=out.getvalue(),
        data=money[columns].assign(series=money["series"].map(series_name)),
    )


def officers(counts: pd.DataFrame, force: str, start: str, end: str) -> Figure:
    """Draw officers, staff and community support officers of a force on each 31 March.

    Parameters
    ----------
    counts : DataFrame
        Rows of the shipped table ``officers`` for one force.
    force, start, end : str
        Its name, and the financial years at whose end the title compares officers.
    """
    counts = counts.sort_values("date")
    years = counts["date"].str[:4].astype(int)
    by_year = counts.set_index(years)["officers_fte"]
    ends = [periods.start(year) + 1 for year in (start, end)]
    moved = by_year[ends[1]] / by_year[ends[0]] - 1
    low = by_year.idxmin()
    with canvas(1, 2, height=3.4, width_ratios=[3, 2]) as (_, (left, right), out):
        left.plot(years, counts["officers_fte"], "o-", color=BLUE, ms=4)
        for year, above in zip(ends, (moved <= 0, moved > 0), strict=True):
            left.annotate(
                f"{by_year[year]:,.0f}", (year, by_year[year]), textcoords="offset points",
                xytext=(0, 8 if above else -16), ha="center", fontsize=9,
            )  # fmt: skip
            left.plot([year], [by_year[year]], "o", color=ORANGE, ms=6)
        left.set_ylim(0, counts["officers_fte"].max() * 1.15)
        left.set_title("Police officers")
        left.set_ylabel("full-time equivalents, 31 March")
        right.plot(years, counts["staff_fte"], "s-", color=ORANGE, ms=4, label="Staff")
        right.plot(
            years, counts["pcsos_fte"], "^-", color=GREEN, ms=4, label="Community support officers"
        )
        right.set_ylim(0, max(counts["staff_fte"].max(), 1) * 1.35)
        right.set_title("Staff and support officers")
        right.legend(loc="upper right")
        for axis in (left, right):
            axis.set_xticks(range(years.min(), years.max() + 1, 3))
            axis.grid(axis="x", visible=False)
            axis.yaxis.set_major_formatter("{x:,.0f}")
    return Figure(
        title=f"Officers of {named(force)} {rose_or_fell(moved)} from 31 March {ends[0]} to 31"
        f" March {ends[1]}",
        alt=f"Line of officers of {named(force)}: {by_year[ends[0]]:,.0f} in {ends[0]},"
        f" {by_year[ends[1]]:,.0f} in {ends[1]}, {by_year.iloc[-1]:,.0f} in {by_year.index[-1]};"
        f" lowest {by_year[low]:,.0f} in {low}. A second panel shows staff and community support"
        " officers.",
        source="Source: Home Office workforce open data (2007 on); HMIC Value for Money profiles"
        " 2010 (2005 and 2006). Full-time equivalents in post on 31 March.",
        svg=out.getvalue(),
        data=counts[["date", "officers_fte", "staff_fte", "pcsos_fte"]],
    )


_MEASURES = {
    "homicide": "Homicide",
    "knife_offences": "Knife offences",
    "robbery": "Robbery",
    "violence_with_injury": "Violence with injury",
}


def violence(crime: pd.DataFrame, register: pd.DataFrame, force: str, title: str) -> Figure:
    """Draw four measures of violence side by side, with breaks in recording.

    Parameters
    ----------
    crime : DataFrame
        Rows of the shipped table ``recorded_crime`` for one force.
    register : DataFrame
        The shipped table ``breaks``.
    force, title : str
        The place, and what the measures say of it.
    """
    wide = crime.pivot(index="financial_year", columns="offence_group", values="offences")
    wide = wide[list(_MEASURES)]
    wide.index = wide.index.map(periods.start)
    marks: dict[str, None] = {}
    with canvas(2, 2, height=5.4, sharex=True) as (_, grid, out):
        for axis, (group, label) in zip(grid.flat, _MEASURES.items(), strict=True):
            values = wide[group].dropna()
            axis.plot(values.index, values, "o-", color=BLUE, ms=3.5)
            axis.set_ylim(0, max(float(values.max()), 1) * 1.2)
            axis.set_title(label)
            for event in breaks.affecting(register, "recorded_crime", group, force).itertuples():
                if event.kind == "status":  # a judgement on the figures that moves none of them
                    continue
                year = breaks.financial_year(str(event.date))
                axis.axvline(periods.start(year), color=ORANGE, ls="--", lw=1.1)
                marks[f"{year} {breaks.name(str(event.id))}"] = None
            year_axis(axis, list(wide.index), every=4)
            axis.yaxis.set_major_formatter("{x:,.0f}")
            axis.yaxis.get_major_locator().set_params(integer=True)
        for axis in grid[:, 0]:
            axis.set_ylabel("offences recorded")
    data = wide.reset_index(names="financial_year")
    data["financial_year"] = data["financial_year"].map(periods.label)
    return Figure(
        title=title,
        alt=f"Four small charts of offences recorded by {named(force)} from 2002/03 to 2022/23:"
        f" {', '.join(_MEASURES.values()).lower()}. {title}. Dashed lines mark breaks in"
        " recording.",
        source="Source: Home Office police recorded crime; ONS Table P5 (knife offences, 2010/11"
        f" to 2018/19 only). Dashed lines, breaks: {'; '.join(marks)}. The register below says"
        " what each did.",
        svg=out.getvalue(),
        data=data.rename(columns=_MEASURES),
    )


def scatter(changes: pd.DataFrame, force: str, start: str, end: str) -> Figure:
    """Draw the first link across forces: government share, money lost, officers lost.

    Parameters
    ----------
    changes : DataFrame
        From `panel.changes`: by ``force``, ``share_all_grants``, ``funding_change``,
        ``officers_change`` (proportions) and ``population``.
    force, start, end : str
        The force to mark, and the years compared.
    """
    rows = changes.dropna(subset=["funding_change", "officers_change"])
    money = slope(rows, "share_all_grants", "funding_change")
    officers = slope(rows, "funding_change", "officers_change")
    claims = {
        "money moved with government's share": (money, points(money)),
        "officers moved with money": (officers, points(officers)),
    }
    ringed = f" {force} is ringed." if (rows["force"] == force).any() else ""
    svg = scatters(
        rows, force,
        (("share_all_grants", "funding_change", "government share of funding, 2009/10",
          f"change in real funding, {start}–{end}", "Did share go with money lost?"),
         ("funding_change", "officers_change", f"change in real funding, {start}–{end}",
          "change in officers, same years", "Did officers go with money?")),
    )  # fmt: skip
    return Figure(
        title=parting(claims),
        alt=f"Two scatter plots of {len(rows)} forces. Government's share against change in real"
        f" funding: {points(money)} (correlation {money.correlation:.2f}). Change in funding"
        f" against change in officers: {points(officers)} (correlation"
        f" {officers.correlation:.2f}).{ringed}",
        source="Source: HMIC Value for Money profiles (estimates); Home Office workforce data; ONS"
        " GDP deflator. Area shows residents; slopes count forces alike, with 95% intervals robust"
        " to unequal scatter. City of London left out: too few residents.",
        svg=svg,
        data=rows,
    )


def links(fitted: Mapping[str, Link], title: str) -> Figure:
    """Draw every estimate of some links with its interval, the headline marked.

    Parameters
    ----------
    fitted : mapping
        Links by name.
    title : str
        The finding, in words.
    """
    data = pd.concat(
        [
            link.table.reset_index().assign(
                group=f"{link.cause} → {link.outcome}",
                kind=np.where(
                    link.table.index == link.headline,
                    "chosen",
                    np.where(link.table["f_statistic"] < WEAK, "weak", "estimate"),
                ),
            )
            for link in fitted.values()
        ],
        ignore_index=True,
    ).rename(columns={"specification": "label"})
    spoken = "; ".join(
        f"{r.group}, {r.label}: {r.estimate:.2f} ({r.ci_low:.2f} to {r.ci_high:.2f})"
        for r in data.itertuples()
    )
    shown = data.rename(columns={"group": "outcome", "label": "specification"})
    return Figure(
        title=title,
        alt=f"Estimates with 95% intervals. {spoken}.",
        source="Diamond: the estimate used further on, chosen by rule. Instruments have"
        " Anderson-Rubin sets; arrowheads: the interval goes on beyond the axis. Weak: F under 10.",
        svg=forest(data, "elasticity: % change for 1% more of the cause, with 95% interval"),
        data=shown[["outcome", "specification", "estimate", "ci_low", "ci_high"]],
    )


def implied(table: pd.DataFrame, force: str, title: str) -> Figure | Text:
    """Draw what a force's changes imply for each outcome beside what was recorded.

    Parameters
    ----------
    table : DataFrame
        From `implied.chain`.
    force, title : str
        The place, and the finding in words.

    Returns
    -------
    Figure or Text
        The title alone where the table has no rows: there is nothing to draw.
    """
    if table.empty:
        return Text((title,))
    routes = list(map(route_in_words, table["route"], table["cause_change"]))
    with canvas(height=1.4 + 0.45 * len(table)) as (_, axis, out):
        for y, row in enumerate(table.itertuples()):
            colour, mark = (BLUE, "o") if row.route == "officers lost" else (GREEN, "s")
            axis.plot([row.ci_low, row.ci_high], [y, y], color=colour, lw=2)
            axis.plot([row.implied_change], [y], mark, color=colour, ms=7)
            axis.plot([row.actual_change], [y], "X", color=ORANGE, ms=9)
            above(axis, y, f"{row.outcome}, by the {routes[y]}")
        axis.plot([], [], "o-", color=BLUE, label="implied by officers, 95% interval")
        axis.plot([], [], "s-", color=GREEN, label="implied by funding")
        axis.plot([], [], "X", color=ORANGE, ls="none", ms=9, label="recorded change")
        axis.axvline(0, color="black", lw=0.9, zorder=1.6)
        axis.set_yticks([])
        axis.set_ylim(len(table) - 0.6, -0.8)
        axis.grid(axis="y", visible=False)
        axis.set_xlabel("change per resident")
        axis.xaxis.get_major_locator().set_params(steps=[1, 2, 5, 10])
        axis.xaxis.set_major_formatter(lambda v, _: f"{v:.0%}".replace("-", "−"))
        axis.figure.legend(loc="outside lower center", ncols=3)
    spoken = "; ".join(
        f"{r.outcome}, by the {route}: implied {r.implied_change:.0%} ({r.ci_low:.0%} to"
        f" {r.ci_high:.0%}), recorded {r.actual_change:.0%}"
        for r, route in zip(table.itertuples(), routes, strict=True)
    )
    return Figure(
        title=title,
        alt=f"Implied and recorded changes in {named(force)}. {spoken}.",
        source="Implied: 20,000 draws of both links. Recorded: offences per resident, the year"
        " after each count of officers.",
        svg=out.getvalue(),
        data=table.assign(route=routes),
    )
