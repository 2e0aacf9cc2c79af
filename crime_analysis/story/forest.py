"""A forest plot: estimates with their intervals in rows, told apart by mark as well as colour."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from crime_analysis.drawing import BLUE, GREEN, GREY, ORANGE, canvas

__all__ = ["KINDS", "forest"]

#: kind: colour, line, mark, filled, what the legend calls it
KINDS: dict[str, tuple[str, str, str, bool, str]] = {
    "chosen": (ORANGE, "-", "D", True, "used further on, by rule"),
    "estimate": (BLUE, "-", "o", True, "estimate with 95% interval"),
    "weak": (GREY, "--", "o", False, "the same, instrument too weak"),
    "bare": (BLUE, "", "s", False, "no error was seen"),
    "range": (GREEN, "-", "|", True, "range given by the authors"),
}


def forest(rows: pd.DataFrame, x_label: str, edge: float | None = None) -> bytes:
    """Draw estimates in rows, top to bottom, under the names of their groups.

    Parameters
    ----------
    rows : DataFrame
        ``label``, ``estimate``, ``ci_low``, ``ci_high``, ``kind`` (one of `KINDS`) and
        ``group`` (may be empty). An interval without bound runs to the edges; a missing one is
        not drawn.
    x_label : str
    edge : float, optional
        Where the axis ends either way; far enough for four ends in five if not given.

    Returns
    -------
    bytes
        The drawing.
    """
    edge = _edge(rows) if edge is None else edge
    groups = [name for name in dict.fromkeys(rows["group"]) if name]
    lines = int(rows["label"].str.count("\n").sum())
    with canvas(height=1.5 + 0.32 * (len(rows) + len(groups)) + 0.14 * lines) as (_, axis, out):
        y, ticks, names = 0.0, [], []
        for name, part in rows.groupby("group", sort=False):
            if name:
                axis.text(
                    -edge, y, str(name), fontweight="bold", fontsize=9.5, va="center",
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
                )  # fmt: skip
                y += 1
            for row in part.itertuples():
                _mark(axis, row, y, edge)
                ticks.append(y)
                names.append(row.label)
                y += 1 + 0.35 * str(row.label).count("\n")
        axis.axvline(0, color="black", lw=0.9)
        axis.set_yticks(ticks, names)
        axis.set_ylim(y - 0.4, -0.7)
        axis.set_xlim(-edge * 1.03, edge * 1.03)
        axis.grid(axis="y", visible=False)
        axis.set_xlabel(x_label)
        axis.xaxis.set_major_formatter(lambda v, _: f"{v:g}".replace("-", "−"))
        for kind in [k for k in KINDS if (rows["kind"] == k).any()]:
            colour, line, mark, filled, label = KINDS[kind]
            axis.plot([], [], line or "none", marker=mark, color=colour, label=label,
                      mfc=colour if filled else "white", lw=2)  # fmt: skip
        axis.figure.legend(loc="outside lower center", ncols=3)
    return out.getvalue()


def _mark(axis: Any, row: Any, y: float, edge: float) -> None:
    """Draw one row: its interval, arrowheads where that goes on, and its estimate."""
    colour, line, mark, filled, _ = KINDS[row.kind]
    # An upside-down interval is two rays: everything but what lies between its ends.
    ends = [(row.ci_low, row.ci_high)]
    if row.ci_low > row.ci_high:
        ends = [(-np.inf, row.ci_high), (row.ci_low, np.inf)]
    for low, high in ends if line and not np.isnan(row.ci_low) else ():
        if low > edge or high < -edge:
            axis.plot(np.sign(low) * edge, y, ">" if low > edge else "<", color=colour, ms=6)
            continue
        axis.hlines(y, max(low, -edge), min(high, edge), color=colour, ls=line,
                    lw=2.4 if row.kind == "chosen" else 1.7)  # fmt: skip
        for beyond, at, arrow in ((low < -edge, -edge, "<"), (high > edge, edge, ">")):
            if beyond:
                axis.plot(at, y, arrow, color=colour, ms=6, clip_on=False)
        if row.kind == "range":
            axis.plot([low, high], [y, y], mark, color=colour, ms=9, mew=2)
    if abs(row.estimate) <= edge and row.kind != "range":
        axis.plot(row.estimate, y, mark, color=colour, mfc=colour if filled else "white", ms=6)


def _edge(rows: pd.DataFrame) -> float:
    """Return how far an axis should reach: past four in five of the finite ends."""
    reach = rows[["ci_low", "ci_high"]].abs().to_numpy(float).ravel()
    reach = reach[np.isfinite(reach)]
    far = float(np.quantile(reach, 0.8)) if len(reach) else 0.0
    known = rows["estimate"].abs().replace(np.inf, np.nan)
    return 1.1 * max(far, float(known.median()) if known.notna().any() else 0.0, 0.1)
