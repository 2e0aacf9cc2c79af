"""A complete grid of units and periods from long data, or a refusal that names the holes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError, ParameterError, UnknownNameError

__all__ = ["balanced"]

_LARGEST = 1e100


def balanced(data: pd.DataFrame, outcome: str, unit: str, time: str) -> pd.DataFrame:
    """Return the outcome as units by periods, both in sorting order.

    Parameters
    ----------
    data : DataFrame
        One row a unit and period.
    outcome, unit, time : str
        Three of its columns.

    Raises
    ------
    UnknownNameError
        If a column is not there.
    ParameterError
        If two of the three are the same column, or there is no frame.
    ModelError
        If there are no rows; keys are missing, repeated, or cannot be sorted; outcomes are not
        finite numbers of ordinary size; or a unit lacks a period.
    """
    if not isinstance(data, pd.DataFrame):
        raise ParameterError(f"data is a {type(data).__name__}; give a pandas DataFrame")
    for column in (outcome, unit, time):
        if not isinstance(column, str):
            raise ParameterError(f"{column!r} is not the name of a column; give one name as text")
        if column not in data.columns:
            raise UnknownNameError("column", column, map(str, data.columns), "the data")
        if list(data.columns).count(column) > 1:
            raise ModelError(f"the data have column {column!r} more than once; keep one")
    if len({outcome, unit, time}) < 3:
        raise ParameterError(
            f"outcome {outcome!r}, unit {unit!r} and time {time!r} have to be three columns"
        )
    if data.empty:
        raise ModelError("the data have no rows; check the filter that made them")
    for column in (unit, time):
        if data[column].isna().any():
            raise ModelError(
                f"column {column!r} is missing in {_rows(data.index[data[column].isna()])}; name"
                " the unit and period of every row, or leave the row out"
            )
        odd = [value for value in data[column] if pd.api.types.is_list_like(value)]
        if odd:
            raise ModelError(
                f"column {column!r} holds {odd[0]!r}; name units and periods by one text, number"
                " or date each"
            )
    keys = list(zip(data[unit], data[time], strict=True))
    twice = data.duplicated([unit, time], keep=False).to_numpy()
    if twice.any():
        raise ModelError(
            f"more than one row for {_pairs(_among(keys, twice))}; keep one row a unit and period"
        )
    values = _numbers(data[outcome], keys, outcome)
    units, periods = _levels(data[unit]), _levels(data[time])
    wide = pd.DataFrame(np.nan, index=pd.Index(units, name=unit), columns=periods)
    rows = wide.index.get_indexer(pd.Index(list(data[unit])))
    grid = wide.to_numpy(copy=True)
    grid[rows, wide.columns.get_indexer(pd.Index(list(data[time])))] = values
    holes = np.isnan(grid)
    if holes.any():
        lacking = [
            f"{units[i]} lacks {', '.join(str(periods[t]) for t in np.flatnonzero(holes[i])[:4])}"
            + (", ..." if holes[i].sum() > 4 else "")
            for i in np.flatnonzero(holes.any(axis=1))
        ]
        more = f" and {len(lacking) - 4} more units lack some" if len(lacking) > 4 else ""
        raise ModelError(
            f"the panel is not complete: {'; '.join(lacking[:4])}{more}; leave out those units,"
            " or choose periods that every unit has"
        )
    return pd.DataFrame(grid, index=wide.index, columns=pd.Index(periods, name=time))


def _numbers(column: pd.Series, keys: list[Any], outcome: str) -> np.ndarray:
    if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
        raise ModelError(
            f"column {outcome!r} holds {column.dtype}, not numbers; convert it with pd.to_numeric"
        )
    if pd.api.types.is_complex_dtype(column):
        raise ModelError(f"column {outcome!r} holds complex numbers; give real ones")
    values = column.to_numpy(dtype="float64", na_value=np.nan)
    if np.isnan(values).any():
        raise ModelError(
            f"column {outcome!r} is missing for {_pairs(_among(keys, np.isnan(values)))}; leave"
            " out those units, or choose periods that every unit has"
        )
    if np.isinf(values).any():
        raise ModelError(
            f"column {outcome!r} is infinite for {_pairs(_among(keys, np.isinf(values)))}; a"
            " logarithm of zero is: use the rate itself, or leave out those units"
        )
    largest = np.abs(values).max()
    if largest > _LARGEST or 0 < largest < 1 / _LARGEST:
        raise ModelError(
            f"column {outcome!r} has values as far from one as {largest:g}, whose squares a"
            " computer can not hold; change its unit"
        )
    return values


def _levels(column: pd.Series) -> list[Any]:
    """Sort the values that occur; an ordered category keeps its own order."""
    if isinstance(column.dtype, pd.CategoricalDtype) and column.dtype.ordered:
        present = set(column)
        return [level for level in column.dtype.categories if level in present]
    try:
        return sorted(set(column))
    except TypeError:
        kinds = sorted({type(value).__name__ for value in column})
        raise ModelError(
            f"column {column.name!r} mixes {' and '.join(kinds)}, which have no order; make them"
            " one type, as with .astype(str)"
        ) from None


def _among(keys: list[Any], chosen: np.ndarray) -> list[Any]:
    return list(dict.fromkeys(key for key, wanted in zip(keys, chosen, strict=True) if wanted))


def _pairs(keys: list[Any]) -> str:
    shown = ", ".join(f"{unit} in {period}" for unit, period in keys[:4])
    return shown + (f" and {len(keys) - 4} more" if len(keys) > 4 else "")


def _rows(index: Iterable[Any]) -> str:
    labels = list(index)
    more = f" and {len(labels) - 4} more" if len(labels) > 4 else ""
    return f"row {', '.join(map(str, labels[:4]))}{more}"
