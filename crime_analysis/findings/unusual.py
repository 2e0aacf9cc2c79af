"""Counts that stand out of their own years by more than chance, found by rule and not by name."""

from __future__ import annotations

import pandas as pd

from crime_analysis import breaks, catalog
from crime_analysis.errors import ParameterError
from crime_analysis.findings.claims_readings import Load

__all__ = ["BESIDE", "CHANCE", "unusual"]

#: Years on either side with which a year is compared: nearer ones share its level, where a
#: course over decades would make the years of high levels look unusual.
BESIDE = 5
#: Of 43 forces in some 20 years one in a hundred such tables would hold a year by chance.
CHANCE = 1e-5


def unusual(
    group: str = "homicide",
    load: Load = catalog.load,
    *,
    beside: int = BESIDE,
    chance: float = CHANCE,
) -> pd.DataFrame:
    """Return the force-years with more offences than their neighbours make believable.

    Given the sum of a year and the years beside it, the year's count is binomial if all are
    Poisson with one rate (Przyborowski and Wilenski 1940): nothing has to be estimated. A year
    of victims of one event is what it finds; deaths of earlier years recorded together, too.
    Nothing is altered for it. Not for offences that recording moves: their counts drift by
    far more than a Poisson's, and every force would be listed.

    Parameters
    ----------
    group : str
        An offence group of the table ``recorded_crime``, rare and counted alike over time.
    load : callable
        Gives a shipped table by name.
    beside : int
        Years on either side, as far as there are any.
    chance : float
        The probability below which a count is unusual.

    Returns
    -------
    DataFrame
        Least likely first: ``force``, ``financial_year``, ``offences``, ``beside`` (mean of
        the years beside it), ``p_value``, and ``explained_by``: the register's entries of that
        force and year, by id, empty if there is none.

    Raises
    ------
    ParameterError
        If the table has no such group, or a setting is out of range.

    Examples
    --------
    >>> found = unusual().set_index(["force", "financial_year"])
    >>> int(found.at[("Essex", "2019/20"), "offences"])
    60
    >>> found.at[("Essex", "2019/20"), "explained_by"]
    ''
    """
    from scipy.stats import binom

    if beside < 1 or not 0 < chance < 1:
        raise ParameterError(
            f"beside is {beside} and chance {chance}; give at least 1 year, and a chance"
            " between 0 and 1"
        )
    crime = load("recorded_crime")
    rows = crime[crime["offence_group"] == group]
    if rows.empty:
        known = sorted(crime["offence_group"].unique())
        raise ParameterError(f"recorded_crime has no offence group {group!r}; it has {known}")
    counts = rows.pivot(index="financial_year", columns="force", values="offences").sort_index()
    there = counts.notna()
    near = {"window": 2 * beside + 1, "center": True, "min_periods": 1}
    sums, years = (frame.fillna(0).rolling(**near).sum() for frame in (counts, there))
    likely = pd.DataFrame(
        binom.sf(counts - 1, sums, 1 / years), index=counts.index, columns=counts.columns
    )
    found = pd.DataFrame(
        {
            "offences": counts.unstack(),
            "beside": ((sums - counts) / (years - 1)).unstack(),
            "p_value": likely.where(there & (years > 1)).unstack(),
        }
    )
    found = found[found["p_value"] < chance].sort_values("p_value").reset_index()
    register = load("breaks")
    found["offences"] = found["offences"].astype(int)
    found["explained_by"] = [
        _entries(register, group, force, year)
        for force, year in zip(found["force"], found["financial_year"], strict=True)
    ]
    return found


def _entries(register: pd.DataFrame, group: str, force: str, year: str) -> str:
    """Return what the register says of this force's year, not of every force's."""
    touching = breaks.affecting(register, "recorded_crime", group, force)
    own = touching[touching["places"] != "all"]
    return ";".join(own.loc[own["date"].map(breaks.financial_year) == year, "id"])
