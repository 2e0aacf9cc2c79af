"""What a figure that bears on a claim is, and what all of them are made from.

A claim can be read in several ways. Each way is a definition; each of its figures is a
`Reading`: a value from the shipped tables, the band in which it agrees with the claim, and the
rows that it was made from. `claims` puts them together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = [
    "BEFORE", "LAST_MARCH", "LAST_MONTH", "LAST_YEAR", "MET", "Causal", "Evidence", "Load",
    "Reading", "compared", "keys", "quoted_figure", "rows",
]  # fmt: skip

Load = Callable[[str], pd.DataFrame]

MET = "Metropolitan Police"
#: The last 31 March, month and financial year before the article of September 2018.
LAST_MARCH, LAST_MONTH, LAST_YEAR = "2018-03-31", "2018-08", "2017/18"
BEFORE = "2009/10"


@dataclass(frozen=True)
class Reading:
    """One figure that bears on a claim.

    Attributes
    ----------
    definition : str
        The way of reading the claim.
    role : str
        ``own``: the plain reading of its words; ``rival``: another; ``beside``: shown and never
        counted.
    part : str
        What of the definition the figure is; a definition agrees if all its parts do.
    value : float
        NaN if the tables do not hold it.
    unit : str
    low, high : float
        The figure agrees if ``low <= value < high``; infinite where there is no bound.
    agrees : bool or None
        None: the tables cannot tell.
    value_low, value_high : float
        The interval or bracket of the value, if it has one.
    caution : str
        What keeps an agreement from being enough, or why the tables cannot tell.
    note, origin : str
        What a reader should know; tables and keys.
    """

    definition: str
    role: str
    part: str
    value: float
    unit: str
    low: float = -np.inf
    high: float = np.inf
    agrees: bool | None = None
    value_low: float = np.nan
    value_high: float = np.nan
    caution: str = ""
    note: str = ""
    origin: str = ""


@dataclass(frozen=True)
class Causal:
    """What the chain says of causes.

    Attributes
    ----------
    table : DataFrame
        By link (``officers``, then the outcomes): ``cause``, ``outcome``, ``specification``,
        ``estimate``, ``ci_low``, ``ci_high``, ``forces``, ``word`` (``effect``,
        ``association`` or ``cannot tell``) and ``reasons``.
    implied : DataFrame
        From `implied.chain`, for the Met.
    """

    table: pd.DataFrame
    implied: pd.DataFrame


@dataclass(frozen=True)
class Evidence:
    """What the readings are made from: tables, what is claimed, and the choices made.

    Attributes
    ----------
    load : callable
        Gives a shipped table by name.
    claimed : mapping
        Figures of the claim, by name.
    price_base, price_index : str
        Prices of real terms.
    least_years : int
        With fewer earlier years a year cannot be called the highest.
    causal : callable
        Gives what the chain says of causes; called only by claims that need it.
    """

    load: Load
    claimed: Mapping[str, float]
    price_base: str
    price_index: str
    least_years: int
    causal: Callable[[], Causal]


def keys(table: str, **key: str) -> str:
    """Return a table and keys as text: several values with ``|``, a span with ``..``.

    Commas end a key, so values hold none.

    Examples
    --------
    >>> keys("officers", date="2010-03-31|2018-03-31")
    'officers[date=2010-03-31|2018-03-31]'
    """
    told = ", ".join(f"{name}={value}" for name, value in key.items())
    return f"{table}[{told}]" if told else table


def rows(origin: str, load: Load) -> dict[str, pd.DataFrame]:
    """Return the rows of each table that an origin, as `keys` writes it, names."""
    found: dict[str, pd.DataFrame] = {}
    for one in origin.split("; ") if origin else []:
        table, _, told = one.removesuffix("]").partition("[")
        frame = load(table)
        for key in told.split(", ") if told else []:
            name, _, value = key.partition("=")
            column = frame[name].astype(str)
            first, span, last = value.partition("..")
            if span:
                keep = (column >= first) & (column <= (last or column.max()))
            else:
                keep = column.isin(value.split("|"))
            frame = frame[keep]
        found[table] = pd.concat([found[table], frame]) if table in found else frame
    return found


def compared(
    definition: str, role: str, part: str, value: float, unit: str,
    band: tuple[float, float] = (-np.inf, np.inf), *, caution: str = "", note: str = "",
    origin: str = "",
) -> Reading:  # fmt: skip
    """Return a reading that agrees if its value lies in a band, and cannot tell if it is NaN."""
    agrees = None if role == "beside" or np.isnan(value) else bool(band[0] <= value < band[1])
    return Reading(
        definition, role, part, float(value), unit, *band, agrees=agrees, caution=caution,
        note=note, origin=origin,
    )  # fmt: skip


def quoted_figure(quoted: pd.DataFrame, measure: str, period: str) -> float:
    """Return a quoted figure; NaN if the list does not hold it."""
    held = quoted[(quoted["measure"] == measure) & (quoted["period"] == period)]
    return float(held["value"].iloc[0]) if len(held) else np.nan
