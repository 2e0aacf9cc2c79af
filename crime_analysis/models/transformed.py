"""First differences and between: the same formula, fitted to changes or to units' means."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError, UnknownNameError
from crime_analysis.models.fit import Design, Fit
from crime_analysis.models.formula import whole_periods
from crime_analysis.models.panel_regression import estimate, prepare

__all__ = ["between", "first_differences"]


def first_differences(
    formula: str,
    data: pd.DataFrame,
    *,
    unit: str,
    time: str,
    cluster: str | None = None,
    weights: str | None = None,
    small_sample: str = "nested",
    errors: str = "robust",
) -> Fit:
    """Regress changes from one period to the next on changes.

    Differencing takes out what is constant in a unit. The slope is an effect only if changes in
    the regressor are unrelated to the outcome's other changes now, just before and just after.
    It uses short-run movements, so that measurement error in the regressor weighs more than in
    `fit_panel` with unit effects (Griliches and Hausman 1986); not for regressors that barely
    move, nor for effects that take longer than a period. Wooldridge (2010), chapter 10.

    Parameters
    ----------
    formula : str
        As in `fit_panel`. Outcome, slopes, endogenous terms and instruments are differenced;
        fixed effects are not, so ``| year`` holds constant what is common to a period's
        changes. Without fixed effects the intercept is a common trend.
    data : DataFrame
    unit, time : str
        Columns that say which rows follow one another: by the calendar, so a period that is
        not there makes the next one's change missing.
    cluster, weights, small_sample, errors
        As in `fit_panel`; weights are those of the later period.

    Returns
    -------
    Fit
        ``data_used`` names first periods and gaps with the reason.

    Raises
    ------
    UnknownNameError, ModelError
        As `fit_panel`; also if a unit has a period twice.

    Examples
    --------
    >>> panel = pd.DataFrame({"unit": [1, 1, 1, 2, 2, 2], "year": [1, 2, 3] * 2})
    >>> panel["x"] = [0.0, 1.0, 3.0, 5.0, 5.5, 9.0]
    >>> panel["y"] = 2 * panel["x"] + panel["unit"] + [0.1, 0.0, 0.1, 0.0, 0.1, 0.0]
    >>> fit = first_differences("y ~ x", panel, unit="unit", time="year")
    >>> round(float(fit.term("x")["estimate"]), 1), fit.nobs
    (2.0, 4)
    """
    formula = " ".join(formula.split())
    _require(data, formula, unit=unit, time=time)
    design, _ = prepare(formula, data, cluster, weights, None, unit, time)
    at = whole_periods(data[time].reset_index(drop=True), time)
    place = pd.MultiIndex.from_arrays([data[unit].to_numpy(), at.to_numpy()])
    if place.has_duplicates:
        first = place[place.duplicated()][0]
        raise ModelError(f"{unit} {first[0]} has {time} {first[1]:g} twice, so no one change")
    before = place.get_indexer(
        pd.MultiIndex.from_arrays([data[unit].to_numpy(), at.to_numpy() - 1])
    )

    def change(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame.astype("float64")
        earlier = values.to_numpy()[before]
        earlier[before < 0] = np.nan
        moved = values - earlier
        if "Intercept" in moved:
            moved["Intercept"] = 1.0
        return moved

    differenced = dataclasses.replace(
        design,
        outcome=change(design.outcome.to_frame()).iloc[:, 0],
        slopes=change(design.slopes),
        endogenous=change(design.endogenous),
        instruments=change(design.instruments),
    )
    fit = estimate(
        formula, differenced, data[[unit, time]], family="ols", errors=errors,
        small_sample=small_sample,
    )  # fmt: skip
    return dataclasses.replace(fit, vcov=f"first differences; {fit.vcov}")


def between(
    formula: str,
    data: pd.DataFrame,
    *,
    unit: str,
    weights: str | None = None,
    errors: str = "robust",
) -> Fit:
    """Regress units' means on units' means: what distinguishes places, not what moves in them.

    The slope is an effect only if nothing else that differs between units and moves the outcome
    goes with the regressor, which is hardly ever so: police are sent to where crime is. It shows
    what fixed effects throw away; not for an answer. Instruments make it between two-stage
    least squares (Baltagi 2013, chapter 7).

    Parameters
    ----------
    formula : str
        As in `fit_panel`, without fixed effects; terms are made first and averaged then.
    data : DataFrame
    unit : str
        Column whose groups are averaged, over rows that have every term.
    weights : str, optional
        Column of positive weights, averaged too.
    errors : {"robust", "classical"}

    Returns
    -------
    Fit
        One row a unit; ``data_used`` names units without a complete row.

    Raises
    ------
    UnknownNameError, ModelError
        As `fit_panel`; also if the formula has fixed effects.

    Examples
    --------
    >>> panel = pd.DataFrame({"unit": [1, 1, 2, 2, 3, 3, 4, 4], "x": [1, 3, 2, 4, 5, 5, 7, 9.0]})
    >>> panel["y"] = 3 * panel["x"] + [1, -1, 0, 0, 0, 0, -2, 2]
    >>> fit = between("y ~ x", panel, unit="unit")
    >>> round(float(fit.term("x")["estimate"]), 6), fit.nobs
    (3.0, 4)
    """
    formula = " ".join(formula.split())
    _require(data, formula, unit=unit)
    design, _ = prepare(formula, data, None, weights, None)
    if design.effects.shape[1]:
        raise ModelError(f"{formula!r}: means of units take no fixed effects; leave them out")
    groups = data[unit].reset_index(drop=True)
    parts = [design.outcome.to_frame(), design.slopes, design.endogenous, design.instruments]
    parts += [] if design.weights is None else [design.weights.to_frame()]
    complete = ~pd.concat(parts, axis=1).isna().any(axis=1)

    def mean(frame: pd.DataFrame) -> pd.DataFrame:
        means = frame[complete].groupby(groups[complete], sort=True).mean()
        return means.reindex(sorted(groups.dropna().unique())).reset_index(drop=True)

    averaged = Design(
        outcome=mean(design.outcome.to_frame()).iloc[:, 0],
        slopes=mean(design.slopes),
        endogenous=mean(design.endogenous),
        instruments=mean(design.instruments),
        effects=pd.DataFrame(index=range(groups.nunique())),
        weights=None if design.weights is None else mean(design.weights.to_frame()).iloc[:, 0],
    )
    names = pd.DataFrame({unit: sorted(groups.dropna().unique())})
    fit = estimate(formula, averaged, names, family="ols", errors=errors, small_sample="nested")
    return dataclasses.replace(fit, vcov=f"between units; {fit.vcov}")


def _require(data: pd.DataFrame, formula: str, **columns: str) -> None:
    for role, column in columns.items():
        if column not in data.columns:
            raise UnknownNameError(f"{role} column", column, map(str, data.columns), formula)
