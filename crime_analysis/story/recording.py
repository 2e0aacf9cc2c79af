"""Recorded violence across the inspection of 2014, shown for every force at once."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crime_analysis.drawing import BLUE, ORANGE, Figure, canvas
from crime_analysis.findings.data_log import SPREAD
from crime_analysis.findings.measures import BASE, MEASURES, touched
from crime_analysis.links import verdict
from crime_analysis.prose import Text, named, rose_or_fell, spanning
from crime_analysis.story.axes import percent_axis
from crime_analysis.story.place_words import signed

__all__ = ["across", "across_words", "counts", "knife_with_injury"]


def across(rows: pd.DataFrame, register: pd.DataFrame, before: str, after: str) -> Figure:
    """Draw how each measure moved in every place across the inspection of recording.

    Parameters
    ----------
    rows : DataFrame
        From `data_log.spread`.
    register : DataFrame
        The shipped table ``breaks``.
    before, after : str
        The years compared.
    """
    moved = touched(register)
    edge = 2.0
    with canvas(height=3.4) as (_, axis, out):
        for y, measure in enumerate(SPREAD):
            mine = rows[rows["measure"] == measure]
            known = mine["change"].dropna()
            colour, mark = (ORANGE, "|") if moved[measure] else (BLUE, "|")
            if measure != "homicide":
                axis.plot(known.clip(upper=edge), np.full(len(known), y), mark, color=colour,
                          ms=15, mew=1.2, alpha=0.75)  # fmt: skip
            total = mine.iloc[0]
            axis.hlines(y, total["total_low"], total["total_high"], color="black", lw=2.2)
            axis.plot([total["total"]], [y], "s" if moved[measure] else "o", color="black", ms=7)
            axis.annotate(
                f"all together {signed(total['total'])}", (total["total"], y), xytext=(0, -17),
                textcoords="offset points", ha="center", fontsize=8.5,
                bbox={"color": "white", "pad": 0.5},
            )  # fmt: skip
        axis.axvline(0, color="black", lw=0.9, zorder=1)
        names = [
            f"{MEASURES[m]}{' (touched)' if moved[m] else ''}".replace(", sharp object", "")
            for m in SPREAD
        ]
        axis.set_yticks(range(len(SPREAD)), names)
        axis.set_ylim(len(SPREAD) - 0.4, -0.6)
        axis.grid(axis="y", visible=False)
        reach = rows["change"].clip(upper=edge)
        # Room on the left for the words under the lowest total, which are centred on it.
        low = min(reach.min() - 0.05, rows["total"].min() - 0.28)
        percent_axis(axis, low, max(reach.max(), 0.2) + 0.05)
        axis.set_xlabel(f"change in number, {before} to {after}")
    return Figure(
        title=across_words(rows, register),
        alt=f"Strips of every place's change, {before} to {after}. "
        + "; ".join(
            f"{MEASURES[m]}: rose in {up} of {count}, all together {signed(total)}"
            for m, up, count, total, *_ in counts(rows)
        )
        + ".",
        source="A stroke is a police force; for admissions a region of England. Places with fewer"
        " than 50 events in the first year have no stroke, and homicide none at all. Touched: by"
        " the inspection of recording of November 2014. Black line: exact 95% Poisson interval of"
        " the total, where events are few. Source: Home Office recorded crime; NHS Digital.",
        svg=out.getvalue(),
        data=rows[["measure", "place", "before", "after", "change"]],
    )


def counts(rows: pd.DataFrame) -> list[tuple[str, int, int, float, float, float]]:
    """Return by measure in how many places of how many it rose, and the total, its interval."""
    told = []
    for measure in SPREAD:
        mine = rows[rows["measure"] == measure]
        known = mine["change"].dropna()
        total, low, high = mine[["total", "total_low", "total_high"]].iloc[0]
        told.append((measure, int((known > 0).sum()), len(known), total, low, high))
    return told


def across_words(rows: pd.DataFrame, register: pd.DataFrame) -> str:
    """Return whether the measures that the inspection touched rose everywhere, and others not."""
    moved = touched(register)
    found = {measure: rest for measure, *rest in counts(rows)}
    inside = [m for m in SPREAD if moved[m] and found[m][1]]
    if not inside:
        return "These figures cannot tell what the inspection of recording did"
    said = " and ".join(f"{MEASURES[m]} rose in {found[m][0]} of {found[m][1]}" for m in inside)
    low, high = found["homicide"][-2:]
    chance = f"homicides of all together, {spanning(low, high)}"
    if verdict(low, high) == "cannot tell":
        chance += ", cannot be told from no change"
    return f"Across forces {said}; {chance}"


def knife_with_injury(knife: pd.DataFrame, years: pd.DataFrame, force: str) -> Text:
    """Return how knife crime with injury moved beside recorded violence with injury.

    Parameters
    ----------
    knife : DataFrame
        From `measures.knife_crime`.
    years : DataFrame
        From `measures.yearly`.
    force : str
        The place.
    """
    for name, series in knife[knife["with_injury"]].groupby("definition"):
        counted = series.set_index("financial_year")["offences"]
        last = str(counted.index[-1])
        if BASE not in counted.index or last == BASE:
            continue
        recorded = years["violence_with_injury"]
        return Text(
            (
                f"Knife crime with injury ({str(name).partition(',')[0]})"
                f" {rose_or_fell(counted[last] / counted[BASE] - 1)} from {BASE} to {last}, the"
                " last whole year of the series, while recorded"
                f" violence with injury {rose_or_fell(recorded[last] / recorded[BASE] - 1)}. The"
                " register lists the second among what the inspection touched, and not the first.",
            )
        )
    return Text(
        (
            f"Knife crime with injury is not on hand for {named(force)} for years on both sides of"
            " the inspection: London alone has it.",
        )
    )
