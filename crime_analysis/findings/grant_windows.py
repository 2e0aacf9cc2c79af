"""How near is near: whether a fall agrees with the sum claimed, by what is called agreement."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from crime_analysis.errors import ParameterError
from crime_analysis.findings.grant_cut import CLAIMED_GBP_M

__all__ = ["WINDOWS", "windows"]

#: Distances from the sum claimed, as a proportion of it, within which a fall may be said to agree.
WINDOWS = (0.05, 0.07, 0.10, 0.15)


def windows(
    readings: pd.DataFrame,
    start: str = "2009/10",
    end: str = "2017/18",
    *,
    distances: Sequence[float] = WINDOWS,
    amount: float = CLAIMED_GBP_M,
) -> pd.DataFrame:
    """Return how many of a quantity's readings in real terms agree, by how near they must come.

    A verdict that holds within one distance and not within another is a verdict on the distance.

    Parameters
    ----------
    readings : DataFrame
        From `grant_cut.readings`.
    start, end : str
        The financial years between which the fall is taken.
    distances : sequence of float
        Proportions of `amount`.
    amount : float
        The sum claimed, £ million.

    Returns
    -------
    DataFrame
        By ``quantity``, nearest first: ``like_for_like``, ``readings`` (price indices times price
        bases), ``lowest_gbp_m`` and ``highest_gbp_m``, ``nearest`` (the least distance of any
        reading) and a count for each distance, the column named by it.

    Raises
    ------
    ParameterError
        If no reading is of these years in real terms, or a distance is negative.
    """
    if min(distances, default=-1) < 0:
        raise ParameterError(f"distances is {tuple(distances)}; give proportions of 0 or more")
    rows = readings[
        (readings["terms"] == "real") & (readings["start"] == start) & (readings["end"] == end)
    ]
    if rows.empty:
        raise ParameterError(f"no reading in real terms is from start {start} to end {end}")
    off = (rows["fall_gbp_m"] - amount).abs() / amount
    groups = rows.groupby("quantity", sort=False)
    found = pd.DataFrame(
        {
            "like_for_like": groups["like_for_like"].first(),
            "readings": groups.size(),
            "lowest_gbp_m": groups["fall_gbp_m"].min(),
            "highest_gbp_m": groups["fall_gbp_m"].max(),
            "nearest": off.groupby(rows["quantity"], sort=False).min(),
        }
        | {
            distance: (off <= np.nextafter(distance, 1)).groupby(rows["quantity"], sort=False).sum()
            for distance in distances
        }
    )
    return found.sort_values("nearest", kind="stable").reset_index()
