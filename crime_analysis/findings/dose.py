"""Event studies by dose, and in per cent: the one place where their logarithms become changes."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import pandas as pd

from crime_analysis.errors import UnknownNameError
from crime_analysis.findings.link_evidence import REFERENCE
from crime_analysis.links import OUTCOMES
from crime_analysis.models.event_study import EventStudy, event_study

__all__ = ["as_change", "by_dose", "by_one_sd", "early_parting"]

Numbers = TypeVar("Numbers", pd.Series, pd.DataFrame)


def by_dose(
    rows: pd.DataFrame, series: str, dose: str = "share_all_grants", reference: int = REFERENCE,
    weights: str = "population",
) -> EventStudy:  # fmt: skip
    """Return how a series parted by the government's share of funding, year by year.

    Parameters
    ----------
    rows : DataFrame
        From `force_panel`.
    series : str
        ``officers`` (in post on the 31 March before each year), or one of `links.OUTCOMES`.
    dose, reference : str, int
        As in `event_study`; officers of 31 March 2010 belong to 2010.
    weights : str
        Column by which forces count; counts take none.

    Raises
    ------
    UnknownNameError
        If the series is not known.
    """
    if series not in ("officers", *OUTCOMES):
        raise UnknownNameError("series", series, ["officers", *OUTCOMES])
    counts = series != "officers" and OUTCOMES[series][1] == "poisson"
    return event_study(
        rows, series if counts else f"log_{series}_per_1000", "force", "fy_start", dose, reference,
        weights=None if counts else weights, family="poisson" if counts else "ols",
        offset="log_population" if counts else None,
    )  # fmt: skip


def by_one_sd(study: EventStudy) -> pd.Series:
    """Return what one standard deviation of the dose goes with, as proportional changes.

    Parameters
    ----------
    study : EventStudy
        From `by_dose`.

    Returns
    -------
    Series
        ``estimate``, ``ci_low``, ``ci_high`` of the average after; ``net_low``, ``net_high``:
        the interval less the line through the periods before, missing where there are none.
    """
    mean, size = study.average(), study.dose_sd
    logs = mean[["estimate", "ci_low", "ci_high"]].astype(float)
    net = study.net_of_trend().loc["average after"] if study.before else mean * np.nan
    logs["net_low"], logs["net_high"] = float(net["ci_low"]), float(net["ci_high"])
    return as_change(logs * size)


def as_change(logs: Numbers) -> Numbers:
    """Return differences of logarithms as proportional changes: exp(b) - 1.

    Examples
    --------
    >>> as_change(pd.Series([-0.0513, 0.0])).round(4).tolist()
    [-0.05, 0.0]
    """
    return np.expm1(logs)


def early_parting(study: EventStudy) -> bool:
    """Return whether the joint or the linear test rejects at 5%, as the check of it does."""
    chances = study.pre_trends()["p_value"].reindex(["joint", "linear"])
    return bool((chances < 0.05).any())
