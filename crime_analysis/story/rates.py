"""A chart of homicide rates with their intervals: which places can be told apart at all."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crime_analysis.drawing import BLUE, GREY, ORANGE, Figure, canvas
from crime_analysis.findings.counts import told_apart
from crime_analysis.story.axes import lay_out, upright

__all__ = ["homicide_rates"]


def homicide_rates(rows: pd.DataFrame, place: str, kind: str, span: str, publishers: str) -> Figure:
    """Draw every place's homicide rate with its interval, in order, and mark one.

    Parameters
    ----------
    rows : DataFrame
        By rate: ``place``, ``count``, ``exposure`` (person-years), ``per_million``, ``ci_low``,
        ``ci_high``.
    place, kind : str
        The place to mark, and what the places are (``forces``).
    span, publishers : str
        For the source line: which years, and whose figures.
    """
    by_place = rows.set_index("place")
    mine = by_place.loc[place]
    apart = told_apart(by_place["count"], by_place["exposure"], place)
    clear = rows["place"].map(apart).isin(["lower", "higher"]).to_numpy()
    other = (rows["place"] != place).to_numpy()
    x, rates = np.arange(len(rows)), rows["per_million"].to_numpy()
    mean = 1e6 * rows["count"].sum() / rows["exposure"].sum()
    with canvas(height=2.5) as (drawing, axis, out):
        lay_out(drawing, left=0.08, right=0.99, top=0.96, bottom=0.11)
        axis.axhline(mean, color="black", lw=0.9, ls=":", label=f"all {kind}")
        axis.vlines(x[other], rows["ci_low"][other], rows["ci_high"][other], color=GREY, lw=1.1)
        axis.plot(
            x[other & clear], rates[other & clear], "o", color=BLUE, ms=5,
            label="clearly lower or higher",
        )  # fmt: skip
        axis.plot(
            x[other & ~clear], rates[other & ~clear], "o", mfc="white", mec=BLUE, ms=5,
            label=f"cannot be told from {place}",
        )  # fmt: skip
        axis.vlines(x[~other], mine["ci_low"], mine["ci_high"], color=ORANGE, lw=2.6)
        axis.plot(x[~other], rates[~other], "D", color=ORANGE, ms=8, label=place)
        axis.set_xticks([])
        axis.set_xlim(-1, len(rows))
        axis.set_xlabel(f"{len(rows)} {kind}, in order of their rate")
        axis.set_ylabel("homicides per million a year")
        upright(axis, rows["ci_high"].max())
        axis.legend(loc="upper left")
    sums = apart.value_counts()
    spare, lower, higher = (int(sums.get(key, 0)) for key in ("neither", "lower", "higher"))
    return Figure(
        title=f"{place}: {mine['per_million']:.1f} homicides per million residents a year"
        f" ({mine['ci_low']:.1f} to {mine['ci_high']:.1f}); of {len(apart)} other {kind} {spare}"
        f" cannot be told from it, {lower} {'is' if lower == 1 else 'are'} clearly lower and"
        f" {higher} clearly higher",
        alt=f"Homicide rates of {len(rows)} {kind} with 95% intervals, in order. {place} has"
        f" {mine['count']:.0f} homicides, {mine['per_million']:.1f} per million residents a year;"
        f" all {kind} together {mean:.1f}.",
        source=f"{span} Exact 95% Poisson intervals; each pair compared by itself. Source:"
        f" {publishers}.",
        svg=out.getvalue(),
        data=rows,
    )
