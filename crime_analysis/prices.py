"""Money of different years at the prices of one: nominal to real terms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crime_analysis import periods
from crime_analysis.errors import ParameterError, UnknownNameError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["INDICES", "to_real"]

INDICES = ("gdp_deflator", "cpih")


def to_real(
    values: pd.Series,
    financial_years: pd.Series,
    base: str,
    prices: pd.DataFrame,
    index: str = "gdp_deflator",
) -> pd.Series:
    """Return nominal amounts at the prices of the year `base`.

    Parameters
    ----------
    values : Series
        Nominal amounts, any unit.
    financial_years : Series
        The year of each amount, with the index of `values`.
    base : str
        The year whose prices to use, e.g. ``2017/18``.
    prices : DataFrame
        The shipped table ``prices``.
    index : {"gdp_deflator", "cpih"}
        Which index. The GDP deflator is the Treasury's for public spending.

    Raises
    ------
    UnknownNameError
        If the index, the base or one of the years is not in `prices`.
    ParameterError
        If `base` is not a financial year, or amounts and years have different indexes.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame(
    ...     {"financial_year": ["2009/10", "2017/18"], "gdp_deflator": [80.0, 100.0]}
    ... )
    >>> to_real(pd.Series([8.0]), pd.Series(["2009/10"]), "2017/18", table).tolist()
    [10.0]
    """
    if index not in INDICES:
        raise UnknownNameError("price index", index, INDICES)
    if not values.index.equals(financial_years.index):
        # pandas would line them up by label, and give figures or gaps of its own making.
        raise ParameterError(
            "the amounts and their financial years have different indexes; take both from one frame"
        )
    level = prices.set_index("financial_year")[index]
    base = periods.label(periods.start(base))
    for year in [base, *financial_years.unique()]:
        if year not in level.index:
            raise UnknownNameError("financial year", year, level.index, "the table prices")
    return values * (level[base] / financial_years.map(level))
