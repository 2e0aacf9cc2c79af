"""The season of violence shown, and how far a summer lies outside what earlier ones foretell."""

from __future__ import annotations

from textwrap import fill

import numpy as np
import pandas as pd

from crime_analysis import periods
from crime_analysis.drawing import BLUE, GREY, ORANGE, Figure, canvas
from crime_analysis.findings.measures import MEASURES
from crime_analysis.findings.season import (
    FEWEST_EARLIER,
    FEWEST_EVENTS,
    SEASONAL,
    SUMMER,
    Series,
    multiplicative,
)
from crime_analysis.prose import Text, named
from crime_analysis.story.axes import percent_axis
from crime_analysis.story.place_words import signed
from crime_analysis.tables import Table

__all__ = ["answer", "extreme", "extreme_table", "season", "season_table"]

_MONTHS = ("Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Jan", "Feb", "Mar")
_QUARTERS = ("Apr–Jun", "Jul–Sep", "Oct–Dec", "Jan–Mar")
_SURE = 0.05
_SOURCE = (
    "Source: {recorded}; NHS Digital (admissions for assault by sharp object, to the nearest 5, of"
    " the whole region)"
)


def _source(found: Series) -> str:
    recorded = (
        "Met Police, Recorded Crime: Geographic Breakdown; MOPAC (knife crime)"
        if found.per_year == 12
        else "Home Office police recorded crime, by quarter"
    )
    return _SOURCE.format(recorded=recorded)


def _parts(found: Series) -> tuple[str, ...]:
    return _MONTHS if found.per_year == 12 else _QUARTERS


def _tables(found: Series) -> dict[str, pd.DataFrame]:
    """Return the season of each measure that has one to show."""
    tables = {name: multiplicative(found, name) for name in SEASONAL}
    return {name: table for name, table in tables.items() if len(table)}


def season(found: Series) -> Figure | Text:
    """Draw how many times its year's daily mean each month or quarter has, with intervals.

    Parameters
    ----------
    found : Series
        From `season.series`.
    """
    tables = _tables(found)
    if not tables:
        return Text((f"Counts of {named(found.place)} are too few to show a season.",))
    parts = _parts(found)
    x = np.arange(found.per_year)
    columns = 2
    rows = -(-len(tables) // columns)
    reach = max(float(np.abs(t[["ci_low", "ci_high"]] - 1).max().max()) for t in tables.values())
    edge = min(np.ceil(10 * reach) / 10, 1.0)
    with canvas(rows, columns, height=1.0 + 1.75 * rows, squeeze=False) as (
        _,
        grid,
        out,
    ):
        for axis, (name, table) in zip(grid.flat, tables.items(), strict=False):
            first, last, _n = table.attrs["years"]
            change = table[["estimate", "ci_low", "ci_high"]] - 1
            axis.vlines(x, change["ci_low"], change["ci_high"], color=GREY, lw=2)
            clear = ((change["ci_low"] > 0) | (change["ci_high"] < 0)).to_numpy()
            for keep, fill in ((clear, BLUE), (~clear, "white")):
                axis.plot(x[keep], change["estimate"][keep], "o", color=BLUE, mfc=fill, ms=6)
            axis.axhline(0, color="black", lw=0.9)
            label = f"{SEASONAL[name][:1].upper()}{SEASONAL[name][1:]}"
            years = f"{periods.label(first)}–{periods.label(last)}"
            axis.set_title(f"{label}\n{years}", fontsize=9)
            axis.set_xticks(x, [part[0] if found.per_year == 12 else part for part in parts])
            axis.grid(axis="x", visible=False)
            edge = min(1.1 * float(np.abs(change[["ci_low", "ci_high"]]).max().max()), 1.0)
            axis.set_ylim(-edge, edge)
            axis.yaxis.set_major_formatter(
                lambda v, _: f"{v:+.0%}".replace("-", "−") if abs(v) > 1e-9 else "0%"
            )
        for axis in grid.flat[len(tables) :]:
            axis.set_axis_off()
        for axis in grid[:, 0]:
            axis.set_ylabel("against the year's\ndaily mean")
    words = _season_words(found, tables)
    lost = [label for name, label in SEASONAL.items() if name not in tables]
    return Figure(
        title=words,
        alt=f"Small charts of the season in {named(found.place)}'s area, with 95% intervals."
        f" {words}.",
        source=f"{_source(found)}. Filled: clear of the daily mean. Whole financial years to"
        " 2018/19 (later ones hold months of the pandemic); Poisson with an effect of each year,"
        " intervals scaled by dispersion, which counts drift inside a year as scatter."
        + (f" Not on hand, or too few events: {', '.join(lost)}." if lost else ""),
        svg=out.getvalue(),
        data=_long(tables, parts),
    )


def _long(tables: dict[str, pd.DataFrame], parts: tuple[str, ...]) -> pd.DataFrame:
    rows = [
        table.reset_index().assign(measure=SEASONAL[name], part=list(parts))
        for name, table in tables.items()
    ]
    columns = ["measure", "part", "estimate", "ci_low", "ci_high", "events"]
    return pd.concat(rows, ignore_index=True)[columns]


def _season_words(found: Series, tables: dict[str, pd.DataFrame]) -> str:
    """Return where a season is clear and where none can be told, from the test of none at all."""
    parts, clear, unclear = _parts(found), [], []
    for name, table in tables.items():
        if table.attrs["p_value"] >= _SURE:
            unclear.append(SEASONAL[name])
            continue
        above = [parts[part] for part in table.index[table["ci_low"] > 1]]
        top = table.loc[table["estimate"].idxmax()]
        low, high = (signed(float(top[end]) - 1) for end in ("ci_low", "ci_high"))
        # Neighbours are seldom told apart: all that are clear are named.
        clear.append(
            f"{SEASONAL[name]} is clearly above the year's mean in {', '.join(above)} ({low} to"
            f" {high} a day in the highest)"
            if above
            else f"{SEASONAL[name]} has a season, but no {found.part} by itself is clearly above"
        )
    told = [f"No season can be told in {', '.join(unclear)}"] if unclear else []
    return "; ".join([*told, *clear])


def season_table(found: Series) -> Table:
    """Return the test of no season at all, with the highest and lowest part of each measure."""
    rows, parts = [], _parts(found)
    for name, table in _tables(found).items():
        top, bottom = int(table["estimate"].idxmax()), int(table["estimate"].idxmin())
        first, last, count = table.attrs["years"]
        rows.append(
            {
                "measure": SEASONAL[name],
                "years": f"{periods.label(first)} to {periods.label(last)} ({count})",
                "dispersion": table.attrs["dispersion"], "p_value": table.attrs["p_value"],
                "highest": parts[top], "times_the_mean": table.at[top, "estimate"],
                "lowest": parts[bottom], "times_mean": table.at[bottom, "estimate"],
            }
        )  # fmt: skip
    return Table(pd.DataFrame(rows), "Season by measure; p: were there none, so much or more")


def _label(row: pd.Series) -> str:
    year = periods.label(SUMMER)
    return f"{MEASURES[row['measure']]}, {'summer' if row['span'] == 'summer' else year}"


def extreme(rows: pd.DataFrame, found: Series) -> Figure:
    """Draw a summer and its year over the twelve months before, with what earlier ones foretell.

    Parameters
    ----------
    rows : DataFrame
        From `season.extremes`.
    found : Series
        From `season.series`.
    """
    shown = rows[np.isfinite(rows["ratio"].astype(float))].reset_index(drop=True)
    y = np.arange(len(shown))
    with canvas(height=1.5 + 0.42 * max(len(shown), 3)) as (_, axis, out):
        every = [0.0]
        for place, row in zip(y, shown.itertuples(), strict=True):
            earlier = np.asarray(row.earlier, dtype=float) - 1
            axis.hlines(place, row.pi_low - 1, row.pi_high - 1, color=BLUE, lw=7, alpha=0.25)
            axis.plot(earlier, np.full(len(earlier), place), "|", color=GREY, ms=13, mew=1.4)
            axis.plot(row.ratio - 1, place, "D", color=ORANGE, ms=8)
            every += [*earlier, row.ratio - 1, row.pi_low - 1, row.pi_high - 1]
        axis.axvline(0, color="black", lw=0.9)
        axis.set_yticks(y, [fill(_label(row), 30) for _, row in shown.iterrows()])
        axis.set_ylim(len(shown) - 0.4, -0.6)
        axis.grid(axis="y", visible=False)
        low, high = max(np.nanmin(every), -1.0), min(np.nanmax(every), 2.0)
        percent_axis(axis, low - 0.06, high + 0.06)
        axis.set_xlabel("against the twelve months before, per period")
        axis.plot([], [], "D", color=ORANGE, ls="none", ms=8, label=f"{SUMMER}")
        axis.plot([], [], "|", color=GREY, ls="none", ms=12, mew=1.4, label="earlier ones")
        axis.plot([], [], "-", color=BLUE, lw=7, alpha=0.25, label="95% of what they foretell")
        axis.figure.legend(loc="outside lower center", ncols=3)
    told = [
        f"{_label(row)} {signed(row['ratio'] - 1)} ({row['verdict']})"
        for _, row in shown.iterrows()
    ]
    return Figure(
        title=_extreme_words(rows, found),
        alt=f"Each measure in {named(found.place)}'s area over the twelve months before:"
        f" {'; '.join(told)}.",
        source=f"{_source(found)}; ONS Table P5 (knife offences, by year only). Summer:"
        f" {found.summer} {SUMMER}. Over the twelve months before, so season and steady trend drop"
        " out; ratios near a change in recording are left out. One range in twenty is missed by"
        f" chance. None is given with fewer than {FEWEST_EARLIER} earlier ratios or"
        f" {FEWEST_EVENTS} events in them on average.",
        svg=out.getvalue(),
        data=shown.drop(columns="earlier"),
    )


def _extreme_words(rows: pd.DataFrame, found: Series) -> str:
    """Return by how many measures the summer and its year lay outside the foretold range."""
    told = []
    for span, name in (("summer", f"summer {SUMMER}"), ("financial year", periods.label(SUMMER))):
        words = rows.loc[rows["span"] == span, "verdict"]
        known = int((words != "cannot tell").sum())
        counts = {word: int((words == word).sum()) for word in ("above", "below")}
        foretold = "what earlier ones foretell"
        if not known:
            told.append(f"by no measure can {name} be judged")
        elif not any(counts.values()):
            by = {1: "the one measure", 2: "both measures"}.get(known, f"all {known} measures")
            told.append(f"{name} lay within {foretold} by {by} that can be judged")
        else:
            said = " and ".join(f"{word} by {n}" for word, n in counts.items() if n)
            told.append(f"{name} lay outside {foretold}, {said}, of {known} that can be judged")
    text = "; ".join(told)
    return f"{named(found.place)[:1].upper()}{named(found.place)[1:]}: {text}"


def extreme_table(rows: pd.DataFrame) -> Table:
    """Return ranks and foretold ranges by measure."""
    shown = rows.assign(measure=rows["measure"].map(MEASURES))
    shown["rank"] = [_rank(r, n) for r, n in zip(rows["rank"], rows["of"], strict=True)]
    shown["rank_in_number"] = [
        _rank(r, n) for r, n in zip(rows["rank_count"], rows["of_count"], strict=True)
    ]
    shown["foretold"] = [
        f"{low:.2f} to {high:.2f}" if np.isfinite([low, high]).all() else "–"
        for low, high in zip(rows["pi_low"], rows["pi_high"], strict=True)
    ]
    columns = [
        "measure", "span", "count", "rank_in_number", "ratio", "rank", "foretold", "verdict",
        "left_out",
    ]  # fmt: skip
    return Table(
        shown[columns],
        f"Summer {SUMMER} and its year. Rank 1: the highest up to then; ratio: to the twelve months"
        " before",
    )


def _rank(rank: float, of: float) -> str:
    return f"{rank:.0f} of {of:.0f}" if np.isfinite(rank) else "–"


def answer(rows: pd.DataFrame, found: Series) -> Text:
    """Return how extreme the summer was, doubt first."""
    known = rows[rows["verdict"] != "cannot tell"]
    wide = (known["pi_high"] - known["pi_low"]).median() if len(known) else np.nan
    opening = f"{_extreme_words(rows, found)}."
    if np.isfinite(wide):
        opening += (
            " A handful of earlier years foretell little: in the middle of these measures the"
            f" range spans {100 * wide:.0f} points, so only a very unusual one could stand out."
        )
    summers = rows[(rows["span"] == "summer") & np.isfinite(rows["rank_count"].astype(float))]
    ranks = [
        f"{MEASURES[r.measure]} {_rank(r.rank_count, r.of_count)}"
        + (f" ({_rank(r.rank, r.of)} over the twelve months before)" if np.isfinite(r.rank) else "")
        for r in summers.itertuples()
    ]
    second = (
        f"By number, changes in recording and all, among summers up to {SUMMER}:"
        f" {'; '.join(ranks)}."
        if ranks
        else ""
    )
    knife = rows[(rows["measure"] == "knife_offences") & (rows["span"] == "financial year")].iloc[0]
    if np.isfinite(knife["rank_count"]):
        second += (
            f" Knife crime is on hand by year alone for {SUMMER}: {periods.label(SUMMER)} ranks"
            f" {_rank(knife['rank_count'], knife['of_count'])} by number."
        )
    return Text((opening, second) if second else (opening,))
