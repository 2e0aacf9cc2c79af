"""What people see: charts that carry their title, alt text, source and data with them.

A figure's title says the finding and is made from the data, as is its alt text. Breaks in
recording are drawn. Nothing here estimates.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from crime_analysis import breaks, periods
from crime_analysis.links import Link
from crime_analysis.prose import Text, percent, rose_or_fell, series_name
from crime_analysis.tables import Table

__all__ = ["Figure", "funding", "implied", "links", "officers", "scatter", "violence"]

# Okabe and Ito's palette: told apart under every common colour blindness, and in grey.
_BLUE, _ORANGE, _GREY, _GREEN = "#0072B2", "#D55E00", "#6b6b6b", "#009E73"
_STYLE = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 10,
    "axes.edgecolor": "#444444",
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.7,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "font.family": "DejaVu Sans",
    "legend.frameon": False,
    "legend.fontsize": 9,
    "svg.hashsalt": "crime_analysis",
    "svg.fonttype": "path",
    "figure.constrained_layout.use": True,
}


@dataclass(frozen=True)
class Figure:
    """A chart with all that should travel with it.

    Attributes
    ----------
    title : str
        The finding.
    alt : str
        What a reader who cannot see it needs to know, made from the data.
    source : str
        Publications and caveats.
    svg : bytes
        The drawing.
    data : DataFrame
        The numbers drawn.
    """

    title: str
    alt: str
    source: str
    svg: bytes = field(repr=False)
    data: pd.DataFrame = field(repr=False)

    def _repr_html_(self) -> str:
        picture = base64.b64encode(self.svg).decode()
        return (
            f'<figure class="chart"><figcaption>{html.escape(self.title)}</figcaption>'
            f'<img alt="{html.escape(self.alt, quote=True)}" src="data:image/svg+xml;base64,'
            f'{picture}"><p class="source">{html.escape(self.source)}</p>'
            "<details><summary>Figures behind this chart</summary>"
            f"{Table(self.data)._repr_html_()}</details></figure>"
        )


@contextmanager
def _canvas(
    rows: int = 1, columns: int = 1, height: float = 3.6, **options: Any
) -> Iterator[tuple[Any, Any, io.BytesIO]]:
    """Draw with the house style on a canvas of its own; saves the SVG on leaving."""
    import matplotlib as mpl
    import seaborn as sns
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Drawing

    out = io.BytesIO()
    with sns.axes_style("ticks"), mpl.rc_context(_STYLE):
        drawing = Drawing(figsize=(8, height))
        FigureCanvasSVG(drawing)
        axes = drawing.subplots(rows, columns, **options)
        yield drawing, axes, out
        drawing.savefig(out, format="svg", metadata={"Date": None, "Creator": None})


def _year_axis(axis: Any, years: Sequence[int], every: int = 2) -> None:
    shown = [y for y in range(min(years), max(years) + 1) if (y - min(years)) % every == 0]
    axis.set_xticks(shown, [periods.label(y) for y in shown], rotation=45, ha="right")
    axis.grid(axis="x", visible=False)


def funding(money: pd.DataFrame, force: str, start: str, end: str, base: str) -> Figure:
    """Draw a force's funding by source in real terms.

    Parameters
    ----------
    money : DataFrame
        From `funding.real_by_source`: ``financial_year``, ``series``, ``grants_real_gbp_m``,
        ``council_tax_real_gbp_m``, ``funding_real_gbp_m``.
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
            f"Grants and council tax of {force} together {rose_or_fell(moved)}"
            f" {percent(abs(moved))} in real terms, {start} to {end}"
        )
    else:
        title = f"Funding of {force} by source, in real terms"
    with _canvas(height=3.8) as (_, axis, out):
        axis.bar(bars["x"], bars["grants_real_gbp_m"], color=_BLUE, label="Government grants")
        axis.bar(
            bars["x"], bars["council_tax_real_gbp_m"], bottom=bars["grants_real_gbp_m"],
            color="#E69F00", hatch="//", edgecolor="white", label="Council tax",
        )  # fmt: skip
        if len(line):
            axis.plot(
                line["financial_year"].map(periods.start), line["funding_real_gbp_m"], "D",
                color="black", ms=5, label="Both together, outturn (another series)",
            )  # fmt: skip
        years = [*bars["x"], *line["financial_year"].map(periods.start)]
        axis.axvline(2012.5, color=_GREY, ls="--", lw=1)
        axis.text(
            2012.55, axis.get_ylim()[1] * 1.01, "council tax support\nbecomes a grant",
            fontsize=8, color=_GREY, va="bottom", ha="center",
        )  # fmt: skip
        axis.set_ylabel(f"£ million, {base} prices")
        _year_axis(axis, years, every=1)
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.28), ncols=3)
    spoken = ", ".join(
        f"{row.financial_year} £{row.funding_real_gbp_m:,.0f}m" for row in bars.itertuples()
    )
    columns = ["financial_year", "series", *[c for c in money.columns if c.endswith("real_gbp_m")]]
    return Figure(
        title=title,
        alt=f"Stacked bars of grants and council tax of {force} by year, together: {spoken}."
        " Years without a bar are not published for all forces.",
        source="Source: HMIC and HMICFRS Value for Money profiles (actuals to 2008/09, estimates"
        " after); DCLG/MHCLG revenue outturn; ONS GDP deflator. Gaps: no figures in the series."
        " The dashed line marks a break: council tax support moved from council tax to grant.",
        svg=out.getvalue(),
        data=money[columns].assign(series=money["series"].map(series_name)),
    )


def officers(counts: pd.DataFrame, force: str) -> Figure:
    """Draw officers, staff and community support officers of a force on each 31 March.

    Parameters
    ----------
    counts : DataFrame
        Rows of the shipped table ``officers`` for one force.
    force : str
        Its name.
    """
    counts = counts.sort_values("date")
    years = counts["date"].str[:4].astype(int)
    by_year = counts.set_index(years)["officers_fte"]
    low = by_year.idxmin()
    moved = by_year[2018] / by_year[2010] - 1
    with _canvas(1, 2, height=3.4, width_ratios=[3, 2]) as (_, (left, right), out):
        left.plot(years, counts["officers_fte"], "o-", color=_BLUE, ms=4)
        for year in (2010, 2018):
            left.annotate(
                f"{by_year[year]:,.0f}", (year, by_year[year]), textcoords="offset points",
                xytext=(0, 9), ha="center", fontsize=9,
            )  # fmt: skip
        left.set_ylim(0, counts["officers_fte"].max() * 1.15)
        left.set_title("Police officers")
        left.set_ylabel("full-time equivalents, 31 March")
        right.plot(years, counts["staff_fte"], "s-", color=_ORANGE, ms=4, label="Staff")
        right.plot(
            years, counts["pcsos_fte"], "^-", color=_GREEN, ms=4, label="Community support officers"
        )
        right.set_ylim(0, max(counts["staff_fte"].max(), 1) * 1.35)
        right.set_title("Staff and support officers")
        right.legend(loc="upper right")
        for axis in (left, right):
            axis.set_xticks(range(2005, 2023, 3))
            axis.grid(axis="x", visible=False)
            axis.yaxis.set_major_formatter("{x:,.0f}")
    return Figure(
        title=f"Officers of {force} {rose_or_fell(moved)} {percent(abs(moved))} from 31 March 2010"
        " to 31 March 2018",
        alt=f"Line of officers of {force}: {by_year[2010]:,.0f} in 2010, {by_year[2018]:,.0f} in"
        f" 2018, {by_year.iloc[-1]:,.0f} in {by_year.index[-1]}; lowest {by_year[low]:,.0f} in"
        f" {low}. A second panel shows staff and community support officers.",
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


def violence(
    crime: pd.DataFrame, register: pd.DataFrame, force: str, start: str, end: str
) -> Figure:
    """Draw four measures of violence side by side, with breaks in recording.

    Parameters
    ----------
    crime : DataFrame
        Rows of the shipped table ``recorded_crime`` for one force.
    register : DataFrame
        The shipped table ``breaks``.
    force, start, end : str
        The place, and the years whose change the panels name.
    """
    wide = crime.pivot(index="financial_year", columns="offence_group", values="offences")
    wide = wide[list(_MEASURES)]
    wide.index = wide.index.map(periods.start)
    first, last = periods.start(start), periods.start(end)
    notes, moves = [], []
    with _canvas(2, 2, height=5.6, sharex=True) as (_, grid, out):
        for axis, (group, label) in zip(grid.flat, _MEASURES.items(), strict=True):
            values = wide[group].dropna()
            axis.plot(values.index, values, "o-", color=_BLUE, ms=3.5)
            axis.set_ylim(0, max(float(values.max()), 1) * 1.2)
            known = values.reindex([first, last])
            moved = (
                known.iloc[1] / known.iloc[0] - 1
                if known.notna().all() and known.iloc[0]
                else np.nan
            )
            if np.isfinite(moved):
                moves.append(f"{label.lower()} {moved:+.0%}".replace("-", "−"))
            axis.set_title(label)
            for event in breaks.affecting(register, "recorded_crime", group, force).itertuples():
                year = periods.start(breaks.financial_year(str(event.date)))
                if event.kind == "recording" or event.places != "all":
                    axis.axvline(year, color=_ORANGE, ls="--", lw=1.1)
                    notes.append(f"{periods.label(year)}, {label.lower()}: {event.what}")
            _year_axis(axis, [2002, 2022], every=4)
            axis.yaxis.set_major_formatter("{x:,.0f}")
        grid[0, 0].set_ylabel("offences recorded")
        grid[1, 0].set_ylabel("offences recorded")
    title = (
        f"From {start} to {end} the measures of violence in {force} part: " + ", ".join(moves)
        if moves
        else f"Four measures of violence in {force}"
    )
    named = "; ".join(dict.fromkeys(notes))
    data = wide.reset_index(names="financial_year")
    data["financial_year"] = data["financial_year"].map(periods.label)
    return Figure(
        title=title,
        alt=f"Four small charts of offences recorded in {force} from 2002/03 to 2022/23:"
        f" {', '.join(_MEASURES.values()).lower()}. Changes from {start} to {end}:"
        f" {', '.join(moves) or 'not all known'}. Dashed lines mark breaks in recording.",
        source="Source: Home Office police recorded crime; ONS Table P5 (knife offences, 2010/11"
        f" to 2018/19 only). Dashed: breaks in recording. {named}",
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
    pairs = (
        ("share_all_grants", "funding_change", "government share of funding, 2009/10",
         f"change in real funding, {start}–{end}"),
        ("funding_change", "officers_change", f"change in real funding, {start}–{end}",
         "change in officers, same years"),
    )  # fmt: skip
    with _canvas(1, 2, height=3.9) as (_, axes, out):
        for axis, (x, y, xlabel, ylabel) in zip(axes, pairs, strict=True):
            size = 12 + 130 * rows["population"] / rows["population"].max()
            axis.scatter(rows[x], rows[y], s=size, color=_BLUE, alpha=0.55, lw=0)
            mine = rows[rows["force"] == force]
            axis.scatter(
                mine[x], mine[y], s=70, facecolor="none", edgecolor=_ORANGE, lw=2, zorder=3
            )
            for row in mine.itertuples():
                right = getattr(row, x) > rows[x].median()
                axis.annotate(
                    force, (getattr(row, x), getattr(row, y)), textcoords="offset points",
                    xytext=(-9 if right else 9, 9), ha="right" if right else "left",
                    fontsize=9, fontweight="bold", color="#a34700",
                )  # fmt: skip
            axis.set_xlabel(xlabel)
            axis.set_ylabel(ylabel)
            for side in (axis.xaxis, axis.yaxis):
                side.set_major_formatter(lambda v, _: f"{v:.0%}".replace("-", "−"))
    links = [rows[x].corr(rows[y]) for x, y, *_ in pairs]
    spoken = [f"{r:.2f}".replace("-", "−") for r in links]
    return Figure(
        title=f"The more a force leaned on government, the {'more' if links[0] < 0 else 'less'}"
        f" money it lost (correlation {spoken[0]}); money lost and officers lost correlate at"
        f" {spoken[1]}",
        alt=f"Two scatter plots of {len(rows)} forces. Government share against change in real"
        f" funding: correlation {links[0]:.2f}. Change in funding against change in officers:"
        f" correlation {links[1]:.2f}. {force} is ringed.",
        source="Source: HMIC Value for Money profiles (estimates); Home Office workforce data; ONS"
        " GDP deflator. Area shows residents. City of London left out: too few residents.",
        svg=out.getvalue(),
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
    rows = [
        {
            "outcome": f"{link.cause} → {link.outcome}",
            "specification": spec,
            "estimate": row["estimate"],
            "ci_low": row["ci_low"],
            "ci_high": row["ci_high"],
            "headline": spec == link.headline,
        }
        for link in fitted.values()
        for spec, row in link.table.iterrows()
    ]
    data = pd.DataFrame(rows)
    edge = 3.5
    clipped = False
    with _canvas(height=1.2 + 0.36 * (len(data) + len(fitted))) as (_, axis, out):
        y, ticks, names = 0.0, [], []
        for outcome, group in data.groupby("outcome", sort=False):
            axis.text(-edge, y, str(outcome), fontweight="bold", fontsize=10, va="center")
            y += 1
            for row in group.itertuples():
                unbounded = row.ci_low > row.ci_high or not np.isfinite(row.ci_low)
                low = -edge if unbounded else max(row.ci_low, -edge)
                high = edge if unbounded else min(row.ci_high, edge)
                clipped |= low == -edge or high == edge
                colour = _ORANGE if row.headline else _BLUE
                axis.plot([low, high], [y, y], color=colour, lw=2.4 if row.headline else 1.4)
                for bound, mark in ((low, "<"), (high, ">")):
                    if abs(bound) == edge:
                        axis.plot([bound], [y], mark, color=colour, ms=6, clip_on=False)
                axis.plot([row.estimate], [y], "D" if row.headline else "o", color=colour, ms=6)
                ticks.append(y)
                names.append(row.specification)
                y += 1
        axis.axvline(0, color="black", lw=0.9)
        axis.set_yticks(ticks, names)
        axis.set_ylim(y - 0.4, -0.8)
        axis.set_xlim(-edge, edge)
        axis.grid(axis="y", visible=False)
        axis.set_xlabel("elasticity: % change for 1% more of the cause, with 95% interval")
        axis.xaxis.set_major_formatter(lambda v, _: f"{v:g}".replace("-", "−"))
    spoken = "; ".join(
        f"{r.outcome}, {r.specification}: {r.estimate:.2f} ({r.ci_low:.2f} to {r.ci_high:.2f})"
        for r in data.itertuples()
    )
    return Figure(
        title=title,
        alt=f"Estimates with 95% intervals. {spoken}.",
        source="Diamond: the estimate used further on, chosen by rule."
        + (" Arrowheads: the interval goes on beyond the axis." if clipped else ""),
        svg=out.getvalue(),
        data=data.drop(columns="headline"),
    )


def implied(table: pd.DataFrame, force: str, title: str) -> Figure | Text:
    """Draw what a force's losses imply for each outcome beside what was recorded.

    Parameters
    ----------
    table : DataFrame
        From `links.chain`.
    force, title : str
        The place, and the finding in words.

    Returns
    -------
    Figure or Text
        The title alone where the table has no rows: there is nothing to draw.
    """
    if table.empty:
        return Text((title,))
    with _canvas(height=1.4 + 0.45 * len(table)) as (_, axis, out):
        names, y = [], 0.0
        for row in table.itertuples():
            colour = _BLUE if row.route == "officers lost" else _GREEN
            axis.plot([row.ci_low, row.ci_high], [y, y], color=colour, lw=2)
            axis.plot([row.implied_change], [y], "o", color=colour, ms=7)
            axis.plot([row.actual_change], [y], "X", color=_ORANGE, ms=9)
            names.append(f"{row.outcome}, from {row.route}")
            y += 1
        axis.plot([], [], "o-", color=_GREY, label="implied, with 95% interval")
        axis.plot([], [], "X", color=_ORANGE, ls="none", ms=9, label="recorded change")
        axis.axvline(0, color="black", lw=0.9)
        axis.set_yticks(range(len(table)), names)
        axis.set_ylim(len(table) - 0.5, -0.6)
        axis.grid(axis="y", visible=False)
        axis.set_xlabel("change per resident")
        axis.xaxis.set_major_formatter(lambda v, _: f"{v:.0%}".replace("-", "−"))
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    spoken = "; ".join(
        f"{r.outcome}, from {r.route}: implied {r.implied_change:.0%} ({r.ci_low:.0%} to"
        f" {r.ci_high:.0%}), recorded {r.actual_change:.0%}"
        for r in table.itertuples()
    )
    return Figure(
        title=title,
        alt=f"Implied and recorded changes in {force}. {spoken}.",
        source="Implied: 20,000 draws of both links. Recorded: offences per resident, the year"
        " after each count of officers.",
        svg=out.getvalue(),
        data=table,
    )
