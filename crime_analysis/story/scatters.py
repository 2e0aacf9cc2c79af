"""Forces as points, and what may be said of how one thing goes with another across them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from crime_analysis.drawing import BLUE, ORANGE, canvas
from crime_analysis.findings.across import Slope

__all__ = ["parting", "points", "scatters"]


def scatters(
    rows: pd.DataFrame, force: str, panels: Sequence[tuple[str, str, str, str, str]]
) -> bytes:
    """Draw forces as points whose area shows residents, one force ringed and named.

    Parameters
    ----------
    rows : DataFrame
        One row a force, with ``force`` and ``population``.
    force : str
        The force to mark; none is marked where the rows lack it.
    panels : sequence of (x, y, x label, y label, title)
        Columns and words of each panel, side by side; shares of one read as percentages.
    """
    size = 12 + 130 * rows["population"] / rows["population"].max()
    mine = rows[rows["force"] == force]
    with canvas(1, len(panels), height=4.0) as (_, axes, out):
        for axis, (x, y, x_label, y_label, title) in zip(axes, panels, strict=True):
            axis.scatter(rows[x], rows[y], s=size, color=BLUE, alpha=0.55, lw=0)
            axis.scatter(mine[x], mine[y], s=70, facecolor="none", edgecolor=ORANGE, lw=2, zorder=3)
            for row in mine.itertuples():
                right = getattr(row, x) > rows[x].median()
                axis.annotate(
                    force, (getattr(row, x), getattr(row, y)), textcoords="offset points",
                    xytext=(-9 if right else 9, 9), ha="right" if right else "left",
                    fontsize=9, fontweight="bold", color="#a34700", zorder=4,
                    bbox={"facecolor": "white", "alpha": 0.55, "edgecolor": "none", "pad": 0.6},
                )  # fmt: skip
            axis.margins(0.1)
            axis.set_xlabel(x_label)
            axis.set_ylabel(y_label)
            axis.set_title(title, fontsize=10)
            for side, column in ((axis.xaxis, x), (axis.yaxis, y)):
                side.get_major_locator().set_params(nbins=5, steps=[1, 2, 5, 10])
                if column.endswith(("_change", "_grants")):
                    side.set_major_formatter(lambda v, _: f"{v:.0%}".replace("-", "−"))
    return out.getvalue()


def parting(claims: Mapping[str, tuple[Slope, str]]) -> str:
    """Return what may be said of some associations across forces, doubt first.

    Parameters
    ----------
    claims : mapping
        By what would be said were it clear: its slope, and that in words.

    Examples
    --------
    >>> lines = {"a moved with b": (Slope(1, 0.5, 2, 0.4, 42), "+1")}
    >>> parting(lines | {"c with d": (Slope(1, -1, 3, 0.1, 42), "+1")})
    'Across forces: cannot tell whether c with d (+1); a moved with b (+1)'
    """
    doubt = [f"cannot tell whether {c} ({said})" for c, (line, said) in claims.items()
             if not line.clear]  # fmt: skip
    clear = [f"{c} ({said})" for c, (line, said) in claims.items() if line.clear]
    return f"Across forces: {'; '.join(doubt + clear)}"


def points(line: Slope) -> str:
    """Return what ten percentage points more go with, in points, with its interval.

    Examples
    --------
    >>> points(Slope(-0.3, -0.4, -0.2, -0.6, 42))
    '−3.0 points for 10 more, −4.0 to −2.0'
    """
    estimate, low, high = (10 * value for value in (line.estimate, line.low, line.high))
    return f"{estimate:+.1f} points for 10 more, {low:+.1f} to {high:+.1f}".replace("-", "−")
