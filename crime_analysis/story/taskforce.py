"""The charts of the notebook on the taskforce."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from crime_analysis.drawing import BLUE, GREEN, GREY, ORANGE, Figure, canvas
from crime_analysis.findings.taskforce import LONDON, MEASURES, Evaluation
from crime_analysis.findings.taskforce_announced import Announced
from crime_analysis.models.interrupted_series import InterruptedSeries
from crime_analysis.prose import Text, percent
from crime_analysis.story.axes import lay_out, nice_ticks
from crime_analysis.story.claims_charts import upper
from crime_analysis.story.dates import dated
from crime_analysis.story.taskforce_words import (
    boroughs_moved,
    named,
    sized,
    sized_small,
    told,
)

__all__ = ["announced", "boroughs", "courses", "detectable", "log_ticks", "publisher"]

_CRIME = (
    "Source: Met Police, Recorded Crime: Geographic Breakdown (offences in a borough; new classes)"
)
_STAYS = "Source: NHS Digital, admissions for assault by sharp object, London, to the nearest 5"
_SPLIT = (
    "September 2018 is split by the move on the 17th and left out; the three months end on 16"
    " December, and December is counted whole"
)


def publisher(measure: str) -> str:
    """Return whose figures a measure is, for a source line."""
    return f"{_STAYS if measure == 'admissions' else _CRIME}."


def _time(months: pd.Index) -> np.ndarray:
    """Return months as years and fractions, for an axis."""
    return np.array([int(m[:4]) + (int(m[5:7]) - 0.5) / 12 for m in months])


def log_ticks(axis: Any, low: float, high: float, side: str) -> None:
    """Label an axis of logarithms with the changes they stand for, and set its range."""
    wanted = (-0.99, -0.9, -0.75, -0.5, -0.25, -0.1, 0, 0.1, 0.33, 1, 3, 9, 99)
    shown = [change for change in wanted if low <= np.log1p(change) <= high]
    gap = (high - low) / 14
    kept = [c for c in shown if c == 0 or abs(np.log1p(c)) > gap]
    labels = [sized(change) if change else "0" for change in kept]
    getattr(axis, f"set_{side}ticks")(np.log1p(kept), labels)
    getattr(axis, f"set_{side}lim")(low, high)


def announced(found: Announced, until: str = "2019-12") -> Figure:
    """Draw the Met's strength, and how it moved from month to month, beside the officers moved."""
    rows = found.history.loc[:until]
    x = _time(rows.index)
    mark = _time(pd.Index([found.month]))[0]
    with canvas(1, 2, height=3.0) as (drawing, (left, right), out):
        lay_out(drawing, left=0.09, right=0.99, top=0.88, bottom=0.1, wspace=0.2)
        left.plot(x, rows["officers_fte"], color=BLUE, lw=1.8)
        left.errorbar([mark], [found.strength], yerr=[[found.officers], [0]], color=ORANGE, lw=3)
        foot = found.strength - found.officers
        left.annotate(
            f"{found.officers:.0f} officers", (mark, foot), xytext=(0, -24),
            textcoords="offset points", fontsize=9.5, ha="center", color=ORANGE,
            arrowprops={"arrowstyle": "-", "color": ORANGE},
        )  # fmt: skip
        left.set_title("Officers, full-time equivalents", fontsize=10)
        ticks = nice_ticks(
            rows["officers_fte"].min() - 4 * found.officers, rows["officers_fte"].max()
        )
        left.set_yticks(ticks, [f"{tick:,.0f}" for tick in ticks])
        right.bar(x, rows["moved"], width=0.07, color=GREY)
        for edge in (-found.officers, found.officers):
            right.axhline(edge, color=ORANGE, ls="--", lw=1.3)
        right.axhline(0, color="black", lw=0.8)
        right.set_title(f"Change in a month; dashed ±{found.officers:.0f}", fontsize=10)
        edge = nice_ticks(0, rows["moved"].abs().max(), 2)[-1]
        right.set_yticks([-edge, 0, edge], [f"−{edge:,.0f}", "0", f"+{edge:,.0f}"])
        for axis in (left, right):
            years = range(int(x.min()) + 1, int(x.max()) + 1, 2)
            axis.set_xticks(years, [str(year) for year in years])
            axis.grid(axis="x", visible=False)
    return Figure(
        title=f"{found.officers:.0f} officers are {found.share:.2%} of the Met's"
        f" {found.strength:,.0f}; its strength moved by more than that in {found.larger} of the"
        f" {found.compared} months before",
        alt=f"The Met's officers by month, {dated(rows.index[0])} to {dated(rows.index[-1])}:"
        f" {rows['officers_fte'].iloc[0]:,.0f} at first, {found.strength:,.0f} in"
        f" {dated(found.month)}, {rows['officers_fte'].iloc[-1]:,.0f} at last. Beside it the change"
        " in each month, up to"
        f" {rows['moved'].abs().max():,.0f}, with lines at plus and minus {found.officers:.0f}.",
        source="Source: MOPAC, Police Force Strength; officers moved as claimed. They were moved"
        " inside the Met: its strength does not show it.",
        svg=out.getvalue(),
        data=rows.reset_index(),
    )


def detectable(rehearsal: Evaluation, implied: pd.DataFrame) -> Figure | Text:
    """Draw the smallest fall that would be seen, by measure and place, and those implied."""
    table = rehearsal.table.dropna(subset=["detectable_fall"])
    if table.empty:
        return Text(("No measure can be evaluated: see the reasons in the table.",))
    inside = rehearsal.boroughs.dropna(subset=["detectable_fall"])
    spread = implied[implied["case"] == implied["case"].iloc[0]]
    labels, low = [], -implied["change"].max() / 2
    with canvas(height=3.3) as (drawing, axis, out):
        lay_out(drawing, left=0.3, right=0.97, top=0.86, bottom=0.15)
        for y, measure in enumerate(MEASURES):
            labels.append(named(measure).replace(" for assault by", "\nfor assault by"))
            mine = table[table["measure"] == measure].set_index("place")["detectable_fall"]
            if LONDON in mine:
                axis.plot([mine[LONDON]], [y], "D", color=BLUE, ms=8)
            if rehearsal.place in mine and rehearsal.place != LONDON:
                axis.plot([mine[rehearsal.place]], [y], "s", color=ORANGE, ms=8)
        if len(inside):
            labels.append(f"{named(rehearsal.measure)},\nevery borough")
            axis.plot(inside["detectable_fall"], np.full(len(inside), len(MEASURES)), "|", ms=15,
                      mew=1.4, color=GREY)  # fmt: skip
        for row, line, side in zip(
            spread.itertuples(), ("-", "--"), ("right", "left"), strict=False
        ):
            size = -row.change
            axis.axvline(size, color=GREEN, ls=line, lw=1.6)
            axis.annotate(
                f"implied at {row.elasticity:g}".replace("-", "−"), (size, 1.0),
                xycoords=("data", "axes fraction"), xytext=(0, 4), textcoords="offset points",
                fontsize=9, ha=side, color=GREEN,
            )  # fmt: skip
        axis.set_xscale("log")
        axis.set_xlim(low, 1.15)
        shown = [tick for tick in (0.0001, 0.001, 0.01, 0.1, 1) if tick >= low]
        axis.set_xticks(shown, [f"{tick:.10g}%" for tick in 100 * np.array(shown)])
        axis.minorticks_off()
        axis.set_yticks(range(len(labels)), labels)
        axis.set_ylim(len(labels) - 0.5, -0.6)
        axis.set_xlabel("fall found in 80% of studies, each line ten times the one before")
        other = "" if rehearsal.place == LONDON else f"   ■ {rehearsal.place}"
        drawing.text(0.02, 0.955, f"◆ London{other}\n| a borough", fontsize=9, va="top",
                     color="#444444")  # fmt: skip
    row, first = rehearsal.row(), implied.iloc[0]
    label = f"{named(rehearsal.measure)} in {rehearsal.place}"
    said = (
        f"{label} cannot be evaluated"
        if row["reason"]
        else f"to be seen, {label} must fall by {percent(row['detectable_fall'])} or more"
    )
    spoken = "; ".join(
        f"{named(r.measure)}, {r.place}: {percent(r.detectable_fall)}"
        for r in table[table["place"].isin([LONDON, rehearsal.place])].itertuples()
    )
    if len(inside):
        ends = inside["detectable_fall"].min(), inside["detectable_fall"].max()
        spoken += f"; boroughs from {percent(ends[0])} to {percent(ends[1])}"
    return Figure(
        title=f"{upper(said)}; the officers moved imply {sized_small(first['change'])}",
        alt=f"The smallest fall found in 80% of studies, on a logarithmic scale: {spoken}. Lines"
        f" mark the falls implied: "
        + ", ".join(f"{sized_small(r.change)} at {r.elasticity:g}" for r in spread.itertuples())
        + ".",
        source="Worked out from April 2015 to March 2018, before the taskforce: the last three"
        " months stand for those after. Two-sided tests at 5%; the errors are themselves"
        f" estimated from few months. Implied: elasticities of {'; '.join(spread['study'])}."
        f" {_CRIME}; NHS Digital (admissions, London alone).",
        svg=out.getvalue(),
        data=table[["measure", "place", "detectable_fall", "detectable_rise"]],
    )


def courses(april: Evaluation, september: Evaluation, table: pd.DataFrame) -> Figure | Text:
    """Draw the place's series with its course before April, and before 17 September."""
    key = april.measure, april.place
    drawn = [e for e in (april, september) if key in e.fits]
    if not drawn:
        return Text((f"There is no course to draw: {april.row()['reason']}.",))
    label = f"{named(key[0])} in {key[1]}"
    with canvas(len(drawn), 1, height=2.2 * len(drawn) + 0.5, sharex=True, squeeze=False) as (
        drawing, grid, out,
    ):  # fmt: skip
        lay_out(drawing, left=0.1, right=0.98, top=0.94, bottom=0.12, hspace=0.22)
        frames = [
            _course(axis, evaluation.fits[key], table[key])
            for axis, evaluation in zip(grid.flat, drawn, strict=True)
        ]
        for axis, evaluation in zip(grid.flat, drawn, strict=True):
            axis.set_title(evaluation.design.label, fontsize=10)
        last = grid.flat[-1]
        last.set_xticks(range(2016, 2020), ["2016", "2017", "2018", "2019"])
        handles, names = last.get_legend_handles_labels()
        last.legend(handles, names, loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=4)
    results = [(e.design.label, told(e.row())) for e in drawn]
    return Figure(
        title=f"{upper(label)}: " + "; ".join(f"{months}: {said}" for months, said in results),
        alt=f"{upper(label)} by month from April 2015 in {len(drawn)} panels, each with the fitted"
        " course of trend and season before a date, and after it the course carried on with its"
        f" 95% band. {'; '.join(f'{months}: {said}' for months, said in results)}.",
        source=f"Interrupted series, quasi-Poisson, Fourier season, days of the month allowed for;"
        f" {drawn[0].fits[key].vcov.split(',')[0]} errors. Band: of the line. {_SPLIT}. The course"
        " begins after the inspection of recording of 2014; the Met's change of system (2024) lies"
        f" beyond. {publisher(key[0])}",
        svg=out.getvalue(),
        data=pd.concat(frames, keys=[e.design.label for e in drawn], names=["months"])
        .reset_index(level=0),
    )  # fmt: skip


def _course(axis: Any, fit: InterruptedSeries, counts: pd.Series) -> pd.DataFrame:
    """Draw one series and its courses; return what was drawn."""
    other = fit.counterfactual
    frame = pd.DataFrame({"observed": fit.observed[0], "fitted": fit.means[0]}, fit.periods)
    frame = frame.join(other.rename(columns=lambda name: f"course_{name}"))
    x = _time(frame.index)
    after = fit.regressors["level_change"].to_numpy() > 0
    split = np.flatnonzero(after)[0]
    axis.plot(x, frame["observed"], "o", color=GREY, ms=3.5, label="recorded")
    missing = counts.loc[frame.index[0] : frame.index[-1]].drop(frame.index)
    axis.plot(_time(missing.index), missing, "o", mfc="white", mec=GREY, ms=4)
    axis.plot(x[~after], frame["fitted"][~after], color=BLUE, lw=1.6, label="course before")
    shown = np.arange(len(x)) >= split
    axis.fill_between(x[shown], frame["course_ci_low"][shown], frame["course_ci_high"][shown],
                      color=ORANGE, alpha=0.25, lw=0)  # fmt: skip
    axis.plot(x[shown], frame["course_estimate"][shown], "--", color=ORANGE, lw=1.8,
              label="carried on")  # fmt: skip
    axis.plot(x[after], frame["fitted"][after], color=BLUE, lw=2.6, label="level after")
    axis.axvline((x[split - 1] + x[split]) / 2, color="black", lw=0.9, ls=":")
    top = float(max(frame["observed"].max(), min(frame["course_ci_high"][shown].max(),
                                                  2 * frame["observed"].max())))  # fmt: skip
    bottom = frame["observed"].min()
    ticks = nice_ticks(0.9 * bottom if bottom > top / 2 else 0.0, max(top, 3), 4)
    axis.set_yticks(ticks, [f"{tick:,.0f}" for tick in ticks])
    axis.set_ylim(ticks[0], ticks[-1])
    axis.set_ylabel("a month")
    axis.grid(axis="x", visible=False)
    return frame.reset_index()


def boroughs(april: Evaluation, september: Evaluation) -> Figure | Text:
    """Draw every borough's change with its interval, in order, by design."""
    drawn = [(e, e.boroughs.dropna(subset=["estimate"])) for e in (april, september)]
    drawn = [(e, rows) for e, rows in drawn if len(rows)]
    if not drawn:
        return Text((f"No borough has an estimate: {named(april.measure)} by month and borough"
                     " is not published, or too few.",))  # fmt: skip
    with canvas(len(drawn), 1, height=2.5 * len(drawn) + 0.3, squeeze=False) as (
        drawing, grid, out,
    ):  # fmt: skip
        lay_out(drawing, left=0.1, right=0.985, top=0.94, bottom=0.07, hspace=0.3)
        for axis, (evaluation, rows) in zip(grid.flat, drawn, strict=True):
            _caterpillar(axis, rows, evaluation)
        grid.flat[-1].set_xlabel("boroughs, in order of their change")
    finding = boroughs_moved(*(e for e, _ in drawn))
    missing = [e.boroughs[e.boroughs["reason"] != ""] for e, _ in drawn]
    absent = max(len(rows) for rows in missing)
    rest = f" No estimate for up to {absent} boroughs, which had no case in the months after." * (
        absent > 0
    )
    return Figure(
        title=finding,
        alt=f"Change against the course before, with 95% intervals, for each borough in order."
        f" {finding}. "
        + "; ".join(
            f"{e.design.label}: from {rows['place'].iloc[0]} {sized(rows['change'].iloc[0])} to"
            f" {rows['place'].iloc[-1]} {sized(rows['change'].iloc[-1])}"
            for e, rows in drawn
        )
        + ".",
        source="Filled: p under 5% by itself; star: after Holm's correction for the boroughs too;"
        " open: neither. Intervals are each borough's own and cut off where they leave the chart."
        f" A logarithmic scale: ups and downs alike.{rest} {publisher(april.measure)}",
        svg=out.getvalue(),
        data=pd.concat(rows.assign(months=e.design.label) for e, rows in drawn)[
            ["months", "place", "change", "change_low", "change_high", "p_value", "p_holm"]
        ],
    )


def _caterpillar(axis: Any, rows: pd.DataFrame, evaluation: Evaluation) -> None:
    x = np.arange(len(rows))
    low, high = np.log1p(rows["change_low"].clip(lower=-0.9999)), np.log1p(rows["change_high"])
    edge = min(1.15 * float(np.nanmax([high.quantile(0.9), -low.quantile(0.1)])), np.log(100))
    seem = (rows["p_value"] < 0.05).to_numpy()
    stay = (rows["p_holm"] < 0.05).to_numpy()
    own = (rows["place"] == evaluation.place).to_numpy()
    colours = np.where(own, ORANGE, BLUE)
    axis.axhline(0, color="black", lw=0.8)
    axis.vlines(x, low.clip(-edge, edge), high.clip(-edge, edge),
                color=np.where(own, ORANGE, GREY), lw=np.where(own, 2.6, 1.1))  # fmt: skip
    for keep, mark, full in ((stay, "*", True), (seem & ~stay, "o", True), (~seem, "o", False)):
        axis.scatter(
            x[keep], rows["estimate"][keep], marker=mark, s=130 if mark == "*" else 28, zorder=3,
            facecolors=colours[keep] if full else "white", edgecolors=colours[keep],
        )  # fmt: skip
    for place in x[stay | own]:
        row = rows.iloc[place]
        end = np.clip(np.log1p(row["change_high"]), -edge, edge)
        axis.annotate(
            row["place"], (place, end), xytext=(0, 3), textcoords="offset points", fontsize=9,
            ha="left" if place < len(rows) / 2 else "right", zorder=4,
            bbox={"color": "white", "pad": 0.4, "alpha": 0.8},
        )  # fmt: skip
    axis.set_title(evaluation.design.label, fontsize=10)
    axis.set_xticks([])
    axis.set_xlim(-1, len(rows))
    log_ticks(axis, -edge, 1.1 * edge, "y")
