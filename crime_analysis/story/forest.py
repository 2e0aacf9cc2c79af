"""A forest plot: estimates with their intervals in rows, told apart by mark as well as colour."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from crime_analysis.drawing import BLUE, GREEN, GREY, ORANGE, canvas

__all__ = ["KINDS", "above", "forest"]

#: kind: colour, line, mark, filled, what the legend calls it
KINDS: dict[str, tuple[str, str, str, bool, str]] = {
    "chosen": (ORANGE, "-", "D", True, "used further on, by rule"),
    "estimate": (BLUE, "-", "o", True, "estimate with 95% interval"),
    "weak": (GREY, "--", "o", False, "the same, instrument too weak"),
    "bare": (BLUE, "", "s", False, "no error was seen"),
    "range": (GREEN, "-", "|", True, "range given by the authors"),
}


def forest(rows: pd.DataFrame, x_label: str) -> bytes:
    """Draw estimates in rows, top to bottom, under the names of their groups.

    Parameters
    ----------
    rows : DataFrame
        ``label``, ``estimate``, ``ci_low``, ``ci_high``, ``kind`` (one of `KINDS`) and
        ``group`` (may be empty). An interval that goes on beyond the axis ends in an
        arrowhead; a missing one is not drawn.
    x_label : str

    Returns
    -------
    bytes
        The drawing.
    """
    left, right = _frame(rows)
    groups = [name for name in dict.fromkeys(rows["group"]) if name]
    with canvas(height=1.3 + 0.4 * len(rows) + 0.3 * len(groups)) as (_, axis, out):
        y = 0.0
        for name, part in rows.groupby("group", sort=False):
            if name:
                above(axis, y, str(name), fontweight="bold", fontsize=10)
                y += 0.75
            for row in part.itertuples():
                above(axis, y, str(row.label))
                _mark(axis, row, y, left, right)
                y += 1
        axis.axvline(0, color="black", lw=0.9, zorder=1.6)
        axis.set_yticks([])
        axis.set_ylim(y - 0.6, -0.8)
        axis.set_xlim(left - 0.02 * (right - left), right + 0.02 * (right - left))
        axis.grid(axis="y", visible=False)
        axis.set_xlabel(x_label)
        axis.xaxis.set_major_formatter(lambda v, _: f"{v:g}".replace("-", "−"))
        for kind in [k for k in KINDS if (rows["kind"] == k).any()]:
            colour, line, mark, filled, label = KINDS[kind]
            axis.plot([], [], line or "none", marker=mark, color=colour, label=label,
                      mfc=colour if filled else "white", lw=2)  # fmt: skip
        axis.figure.legend(loc="outside lower center", ncols=3)
    return out.getvalue()


def above(axis: Any, y: float, words: str, **style: Any) -> None:
    """Write what a row is above its mark: beside it, a phone would show words and no marks."""
    axis.text(
        0.008, y - 0.37, words, transform=axis.get_yaxis_transform(), va="center", zorder=1.7,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6},
        **{"fontsize": 9, **style},
    )  # fmt: skip


def _mark(axis: Any, row: Any, y: float, left: float, right: float) -> None:
    """Draw one row: its interval, arrowheads where that goes on, and its estimate."""
    colour, line, mark, filled, _ = KINDS[row.kind]
    # An upside-down interval is two rays: everything but what lies between its ends.
    ends = [(row.ci_low, row.ci_high)]
    if row.ci_low > row.ci_high:
        ends = [(-np.inf, row.ci_high), (row.ci_low, np.inf)]
    for low, high in ends if line and not np.isnan(row.ci_low) else ():
        axis.hlines(
            y, np.clip(low, left, right), np.clip(high, left, right), color=colour, ls=line,
            lw=2.4 if row.kind == "chosen" else 1.7,
        )  # fmt: skip
        for beyond, at, arrow in ((low < left, left, "<"), (high > right, right, ">")):
            if beyond:
                axis.plot(at, y, arrow, color=colour, ms=6, clip_on=False)
        if row.kind == "range":
            axis.plot([low, high], [y, y], mark, color=colour, ms=9, mew=2)
    if left <= row.estimate <= right and row.kind != "range":
        axis.plot(row.estimate, y, mark, color=colour, mfc=colour if filled else "white", ms=6)


def _frame(rows: pd.DataFrame) -> tuple[float, float]:
    """Return where the axis ends: at the farthest interval, unless that would squeeze the rest.

    Every estimate without an interval is inside, and so is zero.
    """
    ends = rows[["ci_low", "ci_high", "estimate"]].to_numpy(float).ravel()
    ends = ends[np.isfinite(ends)]
    bare = rows.loc[rows["ci_low"].isna(), "estimate"].abs()
    reach = 2 * float(np.quantile(np.abs(ends), 0.75)) if len(ends) else 0.0
    reach = max(reach, float(bare.max()) if len(bare) else 0.0, 0.1)
    unbounded = np.isinf(rows[["ci_low", "ci_high"]].to_numpy(float)).any()
    low, high = (reach * side if unbounded else end for side, end in (
        (-1, min(ends.min(), 0.0)), (1, max(ends.max(), 0.0))))  # fmt: skip
    farthest = max(-low, high)
    if not unbounded and farthest <= 1.5 * reach:  # no arrowhead for the sake of a little room
        reach = farthest
    return max(low, -reach), min(high, reach)
