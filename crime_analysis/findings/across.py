"""How one thing goes with another across places: a slope with an interval, never a bare fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crime_analysis.models.panel_regression import fit_panel

__all__ = ["Slope", "slope"]


@dataclass(frozen=True)
class Slope:
    """The slope of a straight line through places, each counted alike.

    Attributes
    ----------
    estimate, low, high : float
        More of ``y`` for one more of ``x``, with the 95% interval that does not suppose the
        same scatter everywhere (HC1; White 1980).
    correlation : float
    places : int
    """

    estimate: float
    low: float
    high: float
    correlation: float
    places: int

    @property
    def clear(self) -> bool:
        """Whether the interval leaves zero out."""
        return self.low > 0 or self.high < 0


def slope(rows: pd.DataFrame, x: str, y: str) -> Slope:
    """Return how `y` goes with `x` across the rows where both are known.

    A description of places as they are; not an effect, and not to be read for one place.

    Parameters
    ----------
    rows : DataFrame
        One row a place.
    x, y : str
        Columns.

    Raises
    ------
    ModelError
        If `x` is the same everywhere, or there are too few rows.

    Examples
    --------
    >>> rows = pd.DataFrame({"x": [0.0, 1, 2, 3, 4], "y": [0.1, 0.9, 2.1, 2.9, 4.0]})
    >>> line = slope(rows, "x", "y")
    >>> round(line.estimate, 2), line.clear
    (0.98, True)
    """
    pair = rows[[x, y]].astype(float).replace([np.inf, -np.inf], np.nan).dropna()
    pair = pair.reset_index(drop=True).set_axis(["x", "y"], axis=1)
    row = fit_panel("y ~ x", pair.assign(place=pair.index), keys=["place"]).term("x")
    return Slope(
        estimate=float(row["estimate"]),
        low=float(row["ci_low"]),
        high=float(row["ci_high"]),
        correlation=float(pair["x"].corr(pair["y"])),
        places=len(pair),
    )
