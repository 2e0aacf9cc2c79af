"""What a series must be before its interruption is estimated: whole, numeric, long enough."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError, ParameterError, UnknownNameError
from crime_analysis.models.seasons import Calendar, Start

__all__ = ["check_columns", "check_rank", "check_sides", "left_out"]

# Names of the model's own terms, which no regressor may take.
OWN = ("Intercept", "trend", "level_", "slope_", "season_", "control_")


def check_columns(
    data: pd.DataFrame,
    numeric: list[str],
    every: list[str],
    extra: list[str],
    family: str,
    offsets: list[str],
) -> None:
    """Refuse columns that are unknown, stand twice, or hold what no series can."""
    for column in every:
        if column not in data.columns:
            raise UnknownNameError("column", column, map(str, data.columns), "the data")
    if data.empty:
        raise ModelError("there are no rows to estimate an interrupted series from")
    roles = [column for column in every if column not in offsets]
    twice = sorted({column for column in roles if roles.count(column) > 1})
    if twice:
        raise ParameterError(f"{twice} stand twice; each column has one part to play")
    for column in extra:
        if column.startswith(OWN):
            raise ParameterError(f"a regressor may not be called {column!r}; rename the column")
    for column in numeric:
        values = data[column]
        if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            raise ModelError(f"column {column!r} is not numeric; turn it into numbers")
        if values.isna().all():
            raise ModelError(f"column {column!r} has only missing values")
        infinite = np.isinf(values.to_numpy(dtype=float, na_value=np.nan))
        if infinite.any():
            raise ModelError(
                f"column {column!r} is infinite in row {data.index[infinite][0]}: the logarithm"
                " of a zero? Model the count itself with family='quasipoisson'"
            )
        if column in offsets:
            if family == "ols":
                raise ParameterError("an offset needs counts; with family='ols' model the rate")
            if values.max() > 25:
                raise ModelError(f"offset {column!r} is an exposure, not its logarithm; log it")
        elif family != "ols" and column not in extra and (values < 0).any():
            raise ModelError(f"column {column!r} has negative counts; use family='ols'")


def left_out(
    data: pd.DataFrame, numeric: list[str], calendar: Calendar, start: Start, part: str
) -> np.ndarray:
    """Return, by row, why it is not used; empty where it is."""
    low, high = calendar.position.min(), calendar.position.max()
    if not low < start.first <= high:
        raise ParameterError(
            f"the interruption at {start.label} lies outside the series, which runs from"
            f" {calendar.label(low)} to {calendar.label(high)}"
        )
    why = np.full(len(data), "", dtype=object)
    for column in dict.fromkeys(numeric):
        missing = data[column].isna().to_numpy()
        why[missing] = [f"{text}, {column}" if text else f"no {column}" for text in why[missing]]
    if start.part is not None and part == "leave out":
        why[calendar.position == start.part] = f"partly before and partly after {start.label}"
    return why


def check_sides(
    kept: pd.DataFrame,
    when: np.ndarray,
    start: Start,
    calendar: Calendar,
    names: list[str],
    family: str,
    why: np.ndarray,
) -> None:
    """Refuse an interruption with too little, or nothing but zeros, on one side."""
    lost = int((why != "").sum())
    told = f" ({lost} rows were left out, the first because: {why[why != ''][0]})" if lost else ""
    for side, inside in (("before", when < start.first), ("after", when >= start.first)):
        if inside.sum() < 3:
            raise ModelError(
                f"only {int(inside.sum())} {calendar.name}s lie {side} {start.label}; an"
                f" interrupted series needs three or more on either side{told}"
            )
        for name in names:
            if family != "ols" and (kept[name].to_numpy()[inside] == 0).all():
                raise ModelError(
                    f"{name!r} is zero in every {calendar.name} {side} {start.label}: no ratio"
                    " can be estimated; compare the counts themselves"
                )
    for name in names:
        if kept[name].nunique() < 2:
            raise ModelError(f"{name!r} does not vary")


def check_rank(regressors: pd.DataFrame, formula: str) -> None:
    """Refuse too few rows, and terms that follow from those before them."""
    if len(regressors) < regressors.shape[1] + 3:
        raise ModelError(
            f"{len(regressors)} usable rows are too few for the {regressors.shape[1]} terms of"
            f" {formula!r}; use fewer Fourier pairs or slope=False"
        )
    names = ["Intercept", *[c for c in regressors if c != "Intercept"]]
    columns = regressors[names].to_numpy()
    columns = columns / np.maximum(np.linalg.norm(columns, axis=0), 1e-300)
    left = np.abs(np.diag(np.linalg.qr(columns, mode="r")))
    for name, size in zip(names, left, strict=True):
        if size < 1e-9:
            raise ModelError(
                f"{name!r} does not vary, or cannot be told apart from the other terms of"
                f" {formula!r}; leave it out"
            )
