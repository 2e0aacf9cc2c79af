"""The charts of what chance does: simulated summers, and the same comparison in other years."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from crime_analysis.drawing import BLUE, GREEN, GREY, ORANGE, Figure, canvas
from crime_analysis.findings.taskforce_chance import YEAR, Afterwards
from crime_analysis.prose import Text
from crime_analysis.story.axes import lay_out, nice_ticks
from crime_analysis.story.taskforce import log_ticks, publisher
from crime_analysis.story.taskforce_words import after_a_summer, earlier_years, named, out_of, sized

__all__ = ["placebos", "summers"]

_SHOWN = 700


def summers(found: Afterwards) -> Figure | Text:
    """Draw what follows a summer in simulated years without any effect, and in recorded ones."""
    if found.reason or not np.isfinite(found.summer):
        return after_a_summer(found, None)
    label = f"{named(found.measure)} in {found.place}"
    drawn, years = found.draws, found.years
    part = drawn.head(_SHOWN)
    cut = pd.qcut(drawn["summer"], 12, duplicates="drop")
    mean = drawn.groupby(cut, observed=True)[["summer", "change"]].mean()
    usual = found.table.at["all", "mean_change"]
    with canvas(height=3.9) as (drawing, axis, out):
        lay_out(drawing, left=0.135, right=0.97, top=0.9, bottom=0.14)
        axis.axhline(0, color="black", lw=0.8)
        axis.axhline(usual, color=GREEN, lw=1.2, ls="--", label="the season alone")
        axis.plot(part["summer"], part["change"], ".", color=GREY, ms=3.5, alpha=0.45,
                  label="simulated years, nothing done")  # fmt: skip
        axis.plot(mean["summer"], mean["change"], color=BLUE, lw=2.4, label="their mean")
        other = years.drop(YEAR).dropna()
        ends = drawn[["summer", "change"]].quantile([0.003, 0.997])
        near = other["summer"].between(*_reach(ends["summer"], found.summer)) & other[
            "change"
        ].between(*_reach(ends["change"], found.change))
        axis.plot(other["summer"][near], other["change"][near], "s", mfc="white", mec="black",
                  ms=5, label="earlier years")  # fmt: skip
        axis.plot([found.summer], [found.change], "D", color=ORANGE, ms=9, label=str(YEAR))
        for side, values, own in (("x", ends["summer"], found.summer),
                                  ("y", ends["change"], found.change)):  # fmt: skip
            low, high = _reach(values, own)
            ticks = [tick for tick in nice_ticks(low, high, 6) if low <= tick <= high]
            getattr(axis, f"set_{side}ticks")(ticks, [_whole(tick) for tick in ticks])
            getattr(axis, f"set_{side}lim")(low, high)
        axis.set_xlabel("June to August, against a quarter of the year before")
        axis.set_ylabel("October to December\nless the summer")
        drawing.legend(*axis.get_legend_handles_labels(), loc="upper center", ncols=5,
                       columnspacing=1.1, handletextpad=0.4)  # fmt: skip
    high = found.table.loc["as_high"]
    usually, tenth = found.table.loc[["all", "highest_tenth"], "fell_beyond_season"]
    any_summer = high["share"] > 0.95
    opening = (
        f"Summer {YEAR} was low in {label}: {out_of(high['share'])} of summers are as high; with"
        f" nothing done it falls by more than the season in {out_of(usually)} of all years"
        if any_summer
        else f"With nothing done, {label} falls by more than the season in"
        f" {out_of(high['fell_beyond_season'])} of years after a summer as high as {YEAR}'s"
        if found.enough
        else f"Cannot tell what follows a summer like that of {YEAR}: too few draws are as high"
    )
    outside = f" Off the chart: {', '.join(map(str, other.index[~near]))}." * bool((~near).any())
    return Figure(
        title=f"{opening}, and in {out_of(tenth)} after the highest tenth of summers",
        alt=f"Scatter of simulated years without any effect: the higher the summer against the year"
        f" before, the further the autumn falls. Mean change {sized(usual)} over all years,"
        f" {sized(found.table.at['highest_tenth', 'mean_change'])} after the highest tenth of"
        f" summers. In {YEAR} the summer lay {sized(found.summer)} and the change was"
        f" {sized(found.change)}.",
        source=f"{len(drawn):,} years drawn from the course of April 2015 to March 2018, carried"
        f" on, with its season, variance ({found.dispersion:.1f} times the mean) and memory"
        f" ({found.memory:.2f} from month to month); {min(len(drawn), _SHOWN):,} are shown."
        f" Changes are in quarters of the year before.{outside} {publisher(found.measure)}",
        svg=out.getvalue(),
        data=pd.concat(
            [
                mean.reset_index(drop=True).assign(what="mean of simulated years"),
                years.reset_index(drop=True).assign(what=years.index.astype(str)),
            ]
        ),
    )


def _reach(ends: pd.Series, own: float) -> tuple[float, float]:
    low, high = min(ends.min(), own), max(ends.max(), own)
    room = 0.06 * (high - low)
    return float(low - room), float(high + room)


def _whole(value: float) -> str:
    text = f"{value:+.0%}".replace("-", "−")
    return "0" if text in ("+0%", "−0%") else text


def placebos(rows: pd.DataFrame, measure: str, place: str) -> Figure | Text:
    """Draw September's comparison in every year: the plain one, and the interrupted series."""
    known, plain = rows.dropna(subset=["change"]), rows.dropna(subset=["naive"])
    if plain.empty:
        return Text((f"No year has a summer and an autumn of {named(measure)} in {place}.",))
    with canvas(1, 2, height=3.2) as (drawing, (left, right), out):
        lay_out(drawing, left=0.09, right=0.985, top=0.88, bottom=0.1, wspace=0.3)
        colours = np.where(plain.index == YEAR, ORANGE, GREY)
        left.bar(plain.index, plain["naive"], color=colours, width=0.65,
                 hatch=["//" if year == YEAR else "" for year in plain.index],
                 edgecolor="white")  # fmt: skip
        left.axhline(0, color="black", lw=0.8)
        left.set_title("Autumn over summer", fontsize=10)
        edges = plain["naive"].min(), plain["naive"].max()
        ticks = nice_ticks(min(edges[0], 0), max(edges[1], 0))
        left.set_yticks(ticks, [_whole(tick) for tick in ticks])
        right.set_title("Autumn against the course before", fontsize=10)
        right.axhline(0, color="black", lw=0.8)
        _years(right, known)
        for axis in (left, right):
            axis.set_xlim(rows.index.min() - 0.7, rows.index.max() + 0.7)
            years = range(int(rows.index.min()), int(rows.index.max()) + 1, 2)
            axis.set_xticks(years, [str(year) for year in years])
            axis.grid(axis="x", visible=False)
    fell, others = (
        (plain["naive"].drop(YEAR, errors="ignore") < 0),
        len(plain.index.drop(YEAR, errors="ignore")),
    )
    crossed = [str(year) for year in known.index[known["crosses"] != ""]]
    note = (
        f" Hollow ({', '.join(crossed)}): the inspection of recording of 2014 falls inside."
        if crossed
        else ""
    )
    return Figure(
        title=earlier_years(rows, measure, place)
        + f"; autumn lay below summer in {fell.sum()} of {others} earlier years",
        alt="Two charts by year. Autumn over summer: "
        + ", ".join(f"{year} {sized(value)}" for year, value in plain["naive"].items())
        + ". Against the course before: "
        + ", ".join(
            f"{r.Index} {sized(r.change)} ({sized(r.change_low)} to {sized(r.change_high)})"
            for r in known.itertuples()
        )
        + ".",
        source="Autumn: October to December; summer: June to August. Right: the interrupted series"
        " of September 2018 moved to each year with as many months before it, 95% intervals; years"
        f" without them are not drawn. Diamond and hatched: {YEAR}.{note} {publisher(measure)}",
        svg=out.getvalue(),
        data=rows.rename(columns={"naive": "autumn_over_summer"})
        .assign(crosses=rows["crosses"] != "")
        .rename(columns={"crosses": "recording_changed"})
        .reset_index(),
    )


def _years(axis: Any, known: pd.DataFrame) -> None:
    """Draw each year's estimate with its interval."""
    if known.empty:
        axis.text(0.5, 0.5, "no year has an estimate", ha="center", transform=axis.transAxes)
        axis.set_yticks([])
        return
    low = np.log1p(known["change_low"].clip(lower=-0.9999))
    high = np.log1p(known["change_high"])
    edge = min(1.1 * max(high.max(), -low.min()), np.log(100))
    for row in known.itertuples():
        own = row.Index == YEAR
        ends = np.clip([low[row.Index], high[row.Index]], -edge, edge)
        axis.vlines(row.Index, *ends, color=ORANGE if own else GREY, lw=2.4 if own else 1.4)
        axis.plot(
            [row.Index], [np.log1p(row.change)], "D" if own else "o", ms=9 if own else 7,
            color=ORANGE if own else BLUE, mfc="white" if row.crosses else None,
        )  # fmt: skip
    log_ticks(axis, -edge, edge, "y")
