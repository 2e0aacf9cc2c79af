"""What any design over units and periods asks of its table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from crime_analysis.errors import ModelError, UnknownNameError

__all__ = ["constant_in_unit", "panel_rows", "starts"]


def panel_rows(data: pd.DataFrame, columns: Sequence[str], unit: str, time: str) -> np.ndarray:
    """Refuse what is no panel; return why rows cannot be placed in it, empty where they can.

    The first four columns are the outcome, unit, time, and dose or start.
    """
    for column in columns:
        if column not in data.columns:
            raise UnknownNameError("column", column, map(str, data.columns))
        if isinstance(data[column], pd.DataFrame):
            raise ModelError(f"two columns of the data are called {column!r}; rename one")
    if len(set(columns[:4])) < 4:
        raise ModelError(f"{list(columns[:4])} name one column twice; each has one part to play")
    if data.empty:
        raise ModelError("there are no rows to estimate from")
    values = data[time]
    whole = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if not whole or (values.dropna().astype(float) % 1 != 0).any():
        raise ModelError(f"time column {time!r} must hold whole numbers; use one such as fy_start")
    why = np.full(len(data), "", dtype=object)
    for column in (time, unit):
        why[data[column].isna().to_numpy()] = f"no {column}"
    twice = data.duplicated([unit, time]).to_numpy() & (why == "")
    if twice.any():
        named = data.loc[twice, [unit, time]].head(3).itertuples(index=False)
        where = ", ".join(f"{one} {two:g}" for one, two in named)
        raise ModelError(
            f"{int(twice.sum())} rows repeat a {unit} and {time} ({where}); keep one row of each"
        )
    if data.loc[why == "", time].nunique() < 2:
        raise ModelError(f"{time!r} has one period; an event needs some before and some after")
    return why


def constant_in_unit(data: pd.DataFrame, column: str, unit: str) -> None:
    """Refuse a column that is not a number, or not the same in all rows of a unit."""
    if not pd.api.types.is_numeric_dtype(data[column]):
        raise ModelError(f"column {column!r} is not numeric")
    differ = data.groupby(unit, observed=True)[column].nunique(dropna=False) > 1
    if differ.any():
        named = ", ".join(map(str, differ.index[differ][:3]))
        raise ModelError(
            f"{column!r} varies within {int(differ.sum())} units of {unit!r} ({named}); it must be"
            " one number in all rows of a unit, set before the event"
        )


def starts(values: pd.Series, name: str) -> pd.Series:
    """Return first treated periods as floats, infinite for never."""
    begun = values.astype(float).fillna(np.inf)
    if (begun[np.isfinite(begun)] % 1 != 0).any():
        raise ModelError(f"start column {name!r} must hold whole periods; missing means never")
    return begun
