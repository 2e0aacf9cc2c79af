"""How things go together across places: first and last years, a slope with its interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError
from crime_analysis.models.panel_regression import fit_panel

__all__ = ["Slope", "ends", "slope"]


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


def ends(panel: pd.DataFrame, outcome: str, years: int = 3) -> pd.DataFrame:
    """Return forces' officers and violence per resident in the first years and in the last.

    Several years are pooled at each end: a year's homicides are too few to compare.

    Parameters
    ----------
    panel : DataFrame
        From `force_panel`.
    outcome : str
        An offence group.
    years : int
        How many at each end.

    Returns
    -------
    DataFrame
        ``force``, ``population`` (of the last), ``officers_per_1000`` and
        ``{outcome}_per_1000`` (of the last), ``officers_change``, ``outcome_change``
        (proportions; missing where the first years have none). ``attrs`` has ``first`` and
        ``last``, the years pooled.
    """
    labels = sorted(panel["financial_year"].unique())
    if len(labels) < 2 * years:
        raise ModelError(f"the panel has {len(labels)} years; {years} at each end need more")
    pooled = {}
    for name, span in (("first", labels[:years]), ("last", labels[-years:])):
        part = panel[panel["financial_year"].isin(span)]
        sums = part.groupby("force")[["officers_start_fte", outcome, "population"]].sum(min_count=1)
        pooled[name] = pd.DataFrame(
            {
                "officers_per_1000": 1000 * sums["officers_start_fte"] / sums["population"],
                f"{outcome}_per_1000": 1000 * sums[outcome] / sums["population"],
                "population": sums["population"] / years,
            }
        )
    before, after = pooled["first"].where(pooled["first"] > 0), pooled["last"]
    table = after.assign(
        officers_change=after["officers_per_1000"] / before["officers_per_1000"] - 1,
        outcome_change=after[f"{outcome}_per_1000"] / before[f"{outcome}_per_1000"] - 1,
    ).reset_index()
    table.attrs = {
        "first": f"{labels[0]} to {labels[years - 1]}", "last": f"{labels[-years]} to {labels[-1]}"
    }  # fmt: skip
    return table
