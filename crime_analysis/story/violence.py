"""Violence by several measures shown: indexed, parted by recording, and homicide."""

from __future__ import annotations

from textwrap import fill

import numpy as np
import pandas as pd

from crime_analysis import breaks, periods
from crime_analysis.drawing import BLUE, GREEN, GREY, ORANGE, YELLOW, Figure, canvas, year_axis
from crime_analysis.findings.measures import (
    BASE,
    FEWEST_FOR_INDEX,
    MEASURES,
    PARTED,
    index,
    parting,
    recording_breaks,
    recording_changed,
    touched,
)
from crime_analysis.findings.violence_change import ViolenceChange
from crime_analysis.prose import Text, listed, named, rose_or_fell, spanning
from crime_analysis.story import violence_words
from crime_analysis.story.axes import percent_axis
from crime_analysis.story.place_words import signed
from crime_analysis.story.timeline import by_financial_year, mark_breaks, named_breaks
from crime_analysis.tables import Table

__all__ = [
    "changes", "homicide", "indexed", "learnt", "parted", "parted_table",
]  # fmt: skip

_LOOKS = (("o", BLUE, "-"), ("s", ORANGE, "--"), ("^", GREEN, "-."), ("D", YELLOW, ":"))
_SOURCE = (
    "Source: Home Office police recorded crime; ONS Table P5 (knife offences) and Crime Severity"
    " Score; NHS Digital (admissions for assault by sharp object, of the whole region)"
)
_TOUCHED = "Touched by the inspection of recording"
_OTHERS = "Not touched by it"


def _entries(register: pd.DataFrame, force: str, names: list[str]) -> pd.DataFrame:
    """Return the breaks in recorded crime that touch some measures of a force, each once."""
    found = [register.iloc[:0]] + [
        breaks.affecting(register, "recorded_crime", name, force)
        for name in ["violence_against_the_person" if n == "severity" else n for n in names]
        if name != "admissions"
    ]
    return pd.concat(found).drop_duplicates("id").sort_values("date")


def indexed(years: pd.DataFrame, register: pd.DataFrame, force: str) -> Figure:
    """Draw measures with a common year as 100: those that recording moved, and the others.

    Parameters
    ----------
    years : DataFrame
        From `measures.yearly`.
    register : DataFrame
        The shipped table ``breaks``.
    force : str
        The place.
    """
    scaled = index(years)
    moved = touched(register)
    x = scaled.index.map(periods.start).to_numpy()
    marks: list[str] = []
    with canvas(1, 2, height=4.6, sharey=True) as (_, axes, out):
        for axis, flag, title in zip(axes, (True, False), (_TOUCHED, _OTHERS), strict=True):
            names = [name for name in scaled if moved[name] == flag]
            for name, (mark, colour, line) in zip(names, _LOOKS, strict=False):
                axis.plot(x, scaled[name], line, marker=mark, color=colour, ms=3.5, lw=1.5,
                          label=MEASURES[name])  # fmt: skip
            if not names:
                axis.set_axis_off()
                axis.text(0.5, 0.5, f"{title}:\ntoo few events or not published", ha="center",
                          va="center", fontsize=9, transform=axis.transAxes)  # fmt: skip
                continue
            axis.axhline(100, color="black", lw=0.8)
            marks += mark_breaks(axis, _entries(register, force, names), by_financial_year,
                                 x[0] - 1, x[-1])  # fmt: skip
            axis.set_title(title, fontsize=10)
            year_axis(axis, list(x), every=4)
            axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), fontsize=8.5)
        axes[0].set_ylim(0, None)
        axes[0].set_ylabel(f"{BASE} = 100")
    left_out = [label for name, label in MEASURES.items() if name not in scaled]
    last = scaled.ffill().iloc[-1] / 100 - 1
    said = [f"{MEASURES[name]} {signed(value)}" for name, value in last.items()]
    return Figure(
        title=_parting_words(parting(years, register, force), force),
        alt=f"Lines of measures in {named(force)}'s area, {scaled.index[0]} to {scaled.index[-1]},"
        f" {BASE} as 100. Last figure of each against {BASE}: {', '.join(said)}.",
        source=f"{_SOURCE}."
        + (
            f" Left out, under {FEWEST_FOR_INDEX} events in {BASE} or not published:"
            f" {', '.join(left_out)}."
            if left_out
            else ""
        )
        + f" {named_breaks(marks)}",
        svg=out.getvalue(),
        data=scaled.reset_index().rename(columns=MEASURES),
    )


def _parting_words(rows: pd.DataFrame, force: str) -> str:
    """Return whether the measures that the inspection touched moved apart from the others."""
    known = rows[~rows["crossed"]].dropna(subset=["change"])
    # Of few events chance alone makes a large change; these are said with their interval.
    known = _enough(known)
    inside, others = (known[known["touched"] == flag] for flag in (True, False))
    span = f"from {PARTED[0]} to {PARTED[1]}"
    if inside.empty or others.empty:
        return f"These figures cannot tell whether measures parted {span} in {named(force)}'s area"
    ranges = (
        f"those touched moved {_range(inside['change'])}, the others {_range(others['change'])},"
        f" {span} in {named(force)}'s area"
    )
    least = inside["change"].min()
    if least <= others["change"].max():
        return (
            "Measures that the inspection of recording touched do not part from the others:"
            f" {ranges}"
        )
    told = f"Every measure that the inspection of recording touched outran every other: {ranges}"
    open_ = others[others["ci_high"] >= least]
    if open_.empty:
        return told
    left = listed(
        [
            f"{MEASURES[str(row.Index)]} ({spanning(row.ci_low, row.ci_high)})"
            for row in open_.itertuples()
        ]
    )
    return f"{told}; chance alone leaves open whether it outran {left}"


def _enough(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the measures of which the first year counts enough for a change in per cent."""
    return rows[(rows["before"] >= FEWEST_FOR_INDEX) | (rows.index == "severity")]


def _range(values: pd.Series) -> str:
    low, high = signed(float(values.min())), signed(float(values.max()))
    return low if low == high else f"{low} to {high}"


def parted(rows: pd.DataFrame, force: str) -> Figure:
    """Draw how far each measure moved across the inspection, homicide and admissions with chance.

    Parameters
    ----------
    rows : DataFrame
        From `measures.parting`.
    force : str
        The place.
    """
    known = rows[~rows["crossed"]].dropna(subset=["change"]).sort_values("change", kind="stable")
    y = np.arange(len(known))
    wide = known[["change", "ci_low", "ci_high"]]
    edge = 1.5  # an interval of a handful of events would flatten all else
    low, high = max(wide.min().min(), -1.0), min(wide.max().max(), edge)
    with canvas(height=1.5 + 0.36 * max(len(known), 3)) as (_, axis, out):
        axis.hlines(y, known["ci_low"].clip(low, high), known["ci_high"].clip(low, high),
                    color=GREY, lw=2)  # fmt: skip
        for flag, mark, colour, label in (
            (True, "s", ORANGE, _TOUCHED), (False, "o", BLUE, _OTHERS),
        ):  # fmt: skip
            mine = (known["touched"] == flag).to_numpy()
            axis.plot(known["change"].clip(low, high)[mine], y[mine], mark, color=colour, ms=8,
                      ls="none", label=label)  # fmt: skip
        for place, row in zip(y, known.itertuples(), strict=True):
            axis.annotate(signed(row.change), (min(row.change, high), place), xytext=(0, 8),
                          textcoords="offset points", ha="center", fontsize=8.5)  # fmt: skip
        axis.axvline(0, color="black", lw=0.9)
        axis.set_yticks(y, [fill(MEASURES[name], 30) for name in known.index])
        axis.set_ylim(-0.6, len(known) - 0.2)
        axis.grid(axis="y", visible=False)
        percent_axis(axis, low - 0.06, high + 0.08)
        axis.set_xlabel(f"change, {PARTED[0]} to {PARTED[1]}")
        axis.figure.legend(loc="outside lower center", ncols=2)
    told = [f"{MEASURES[str(r.Index)]} {signed(r.change)}" for r in known.itertuples()]
    chance = [
        f"{MEASURES[str(r.Index)]} moved by {spanning(r.ci_low, r.ci_high)}"
        for r in known.itertuples() if np.isfinite([r.ci_low, r.ci_high]).all()
    ]  # fmt: skip
    crossed = [MEASURES[name] for name in rows.index[rows["crossed"]]]
    missing = [MEASURES[name] for name in rows.index[rows["change"].isna() & ~rows["crossed"]]]
    return Figure(
        title=f"From {PARTED[0]} to {PARTED[1]} "
        + (f"{'; '.join(chance)} (95% intervals); " if chance else "")
        + _rest(known),
        alt=f"Change of each measure in {named(force)}'s area: {', '.join(told)}.",
        source=f"{_SOURCE}. Grey: exact 95% Poisson interval of the ratio of two counts, for"
        " homicide and admissions."
        + (f" No change can be given for: {', '.join(missing)}." if missing else "")
        + (
            f" Recording changed between the years for another reason, so not compared:"
            f" {', '.join(crossed)}."
            if crossed
            else ""
        ),
        svg=out.getvalue(),
        data=rows.reset_index(),
    )


def _rest(known: pd.DataFrame) -> str:
    rest = _enough(known.drop(index=["homicide", "admissions"], errors="ignore"))
    if rest.empty:
        return "no other measure counts enough in both years"
    least, most = rest.iloc[0], rest.iloc[-1]
    return (
        f"{MEASURES[str(least.name)]} {rose_or_fell(least['change'])} and"
        f" {MEASURES[str(most.name)]} {rose_or_fell(most['change'])}"
    )


def parted_table(rows: pd.DataFrame) -> Table:
    """Return what `parted` draws."""
    shown = rows.reset_index()
    shown["measure"] = shown["measure"].map(MEASURES)
    for answer in ("touched", "crossed"):
        shown[answer] = shown[answer].map({True: "yes", False: "no"})
    signs = dict.fromkeys(("change", "ci_low", "ci_high"), "{:+.1%}")
    return Table(
        shown.rename(
            columns={"before": PARTED[0], "after": PARTED[1], "crossed": "another_change"}
        ),
        "Each measure on either side of the inspection's year; severity per resident, all else"
        " counts. Touched: by the inspection. Another change: recording changed for another reason",
        signs,
    )


def homicide(rows: pd.DataFrame, force: str, end: str) -> Figure:
    """Draw homicides by year with exact intervals, and which years differ from one of them.

    Parameters
    ----------
    rows : DataFrame
        From `measures.homicides`.
    force, end : str
        The place, and the year that the others are compared with.
    """
    x = rows.index.map(periods.start).to_numpy()
    apart = rows["against_end"].isin(["lower", "higher"]).to_numpy()
    same = (rows["against_end"] == "neither").to_numpy()
    mine = (rows.index == end) & rows["homicides"].notna().to_numpy()
    unknown = ~(apart | same | mine)
    counts = rows["homicides"].to_numpy()
    with canvas(height=3.9) as (_, axis, out):
        axis.vlines(x, rows["ci_low"], rows["ci_high"], color=GREY, lw=1.3)
        for keep, mark, colour, fill, label in (
            (apart, "o", BLUE, BLUE, f"clearly lower or higher than {end}, per resident"),
            (same, "o", BLUE, "white", f"cannot be told from {end}"),
            (unknown, "x", GREY, GREY, "not compared: no or too few residents, or one event"),
            (mine, "D", ORANGE, ORANGE, end),
        ):
            if keep.any():
                axis.plot(x[keep], counts[keep], mark, color=colour, mfc=fill, ms=7, ls="none",
                          label=label)  # fmt: skip
        axis.set_ylim(0, max(1.1 * np.nanmax(rows["ci_high"]), 1))
        axis.set_ylabel("homicides recorded in the year")
        axis.yaxis.get_major_locator().set_params(integer=True)
        year_axis(axis, list(x), every=2)
        axis.figure.legend(loc="outside lower center", ncols=2)
    events = list(rows.index[rows["event"]])
    return Figure(
        title=_homicide_words(rows, force, end),
        alt=f"Homicides recorded by {named(force)} by year with 95% intervals: "
        + ", ".join(f"{year} {n:.0f}" for year, n in rows["homicides"].dropna().items())
        + ".",
        source="Source: Home Office police recorded crime; ONS population, to 2020. Bars: exact 95%"
        " Poisson intervals. Each pair of years compared by itself: one in twenty would differ by"
        " chance." + (f" One event or past deaths dominate {', '.join(events)}." if events else ""),
        svg=out.getvalue(),
        data=rows.reset_index(),
    )


def _homicide_words(rows: pd.DataFrame, force: str, end: str) -> str:
    row = rows.loc[end]
    opening = (
        f"{named(force)[:1].upper() + named(force)[1:]} recorded {row['homicides']:.0f}"
        f" {'homicide' if row['homicides'] == 1 else 'homicides'} in {end}; chance alone makes that"
        f" {row['ci_low']:.0f} to {row['ci_high']:.0f}"
    )
    told = rows["against_end"].value_counts()
    if not told.sum():
        return f"{opening}; it is not compared with other years"
    lower, higher = int(told.get("lower", 0)), int(told.get("higher", 0))
    return (
        f"{opening}; of {told.sum()} other years {told.get('neither', 0) or 'none'} cannot be told"
        f" from it, {lower or 'none'} {'is' if lower == 1 else 'are'} clearly lower,"
        f" {higher or 'none'} clearly higher"
    )


def changes(change: ViolenceChange, years: pd.DataFrame, register: pd.DataFrame) -> Text:
    """Return whether violence rose between two years, measure by measure, doubt first.

    Parameters
    ----------
    change : ViolenceChange
        From `violence_change.violence_change`.
    years : DataFrame
        From `measures.yearly`, of the same force.
    register : DataFrame
        The shipped table ``breaks``.
    """
    pair = years.reindex([change.start, change.end])
    told, missing, crossed = [], [], []
    for name in ("admissions", "robbery", "knife_offences", "violence_with_injury",
                 "violence_against_the_person"):  # fmt: skip
        before, after = (float(value) for value in pair[name])
        if np.isfinite([before, after]).all():
            # Per cent of a handful would make much of little.
            few = before < FEWEST_FOR_INDEX
            told.append(
                f"{MEASURES[name]} went from {before:,.0f} to {after:,.0f}" if few
                else f"{MEASURES[name]} {rose_or_fell(after / before - 1)}"
            )  # fmt: skip
            breaks_of = recording_breaks(register, change.force, name)
            if recording_changed(breaks_of, change.start, change.end):
                crossed.append(MEASURES[name])
        else:
            missing.append(MEASURES[name])
    text = f"In number, {listed(told)}" if told else ""
    then, now = change.residents
    if text:
        text += f"; residents {rose_or_fell(now / then - 1)}." if now > 0 and then > 0 else "."
    if crossed:
        text += f" Recording changed in between, for {listed(crossed)}."
    text += f" Not on hand for both years: {listed(missing)}." if missing else ""
    told_alone = violence_words.alone(change)
    return Text(tuple(filter(None, (violence_words.answer(change), told_alone, text.strip()))))


def learnt(rows: pd.DataFrame, homicides: pd.DataFrame, force: str, end: str) -> Text:
    """Return what the measures have shown: how they part, and what homicide can tell."""
    return Text((f"{_parting_words(rows, force)}.", f"{_homicide_words(homicides, force, end)}."))
