"""The specifications of officers and violence that could be defended, declared as a universe."""

from __future__ import annotations

import pandas as pd

from crime_analysis.curve import Universe
from crime_analysis.errors import UnknownNameError
from crime_analysis.links import LONDON

__all__ = ["officers_universe", "with_measures"]

#: The first financial year in which the Welfare Reform Act 2012 took hold.
WELFARE_REFORM = 2013


def with_measures(panel: pd.DataFrame, era: int = WELFARE_REFORM) -> pd.DataFrame:
    """Return the panel with the columns that `officers_universe` asks for beside its own.

    Parameters
    ----------
    panel : DataFrame
        From `force_panel`.
    era : int
        First year of the rival explanation.

    Returns
    -------
    DataFrame
        With ``log_officers_before_per_1000`` (officers at the start of the year before,
        missing in a force's first year) and ``deprivation_later`` (the score of 2010 from
        `era` on, zero before; missing for forces without one).

    Raises
    ------
    UnknownNameError
        If the panel lacks a column.

    Examples
    --------
    >>> import crime_analysis as ca
    >>> rows = with_measures(ca.force_panel("2012/13", "2013/14"))
    >>> int(rows["log_officers_before_per_1000"].isna().sum())  # the first year of 42 forces
    42
    """
    for column in ("force", "fy_start", "log_officers_per_1000", "deprivation_2010"):
        if column not in panel:
            raise UnknownNameError("column", column, panel.columns)
    earlier = panel.set_index(["force", "fy_start"])["log_officers_per_1000"]
    keys = pd.MultiIndex.from_arrays([panel["force"], panel["fy_start"] - 1])
    return panel.assign(
        log_officers_before_per_1000=earlier.reindex(keys).to_numpy(),
        deprivation_later=panel["deprivation_2010"] * (panel["fy_start"] >= era),
    )


def officers_universe() -> Universe:
    """Return the universe of officers and recorded violence on the force panel.

    Outcomes, measures, samples and controls that a referee could ask for, none of them chosen
    by what it gives. All columns are logarithms per resident, so coefficients are elasticities.
    Funding is no control: it moves officers, and holding it leaves little of them to vary.

    Returns
    -------
    Universe
        For `specification_curve`, with `with_measures` of the panel.

    Examples
    --------
    >>> universe = officers_universe()
    >>> len(universe.specifications())
    360
    """
    without = f"force != '{LONDON}'"
    return Universe(
        outcomes=["log_violence_with_injury_per_1000", "log_robbery_per_1000"],
        measures=[
            "log_officers_per_1000", "log_officers_end_per_1000", "log_officers_before_per_1000",
        ],
        unit="force",
        time="fy_start",
        samples={
            "all years": None,
            "without London": without,
            "from 2010/11": "fy_start >= 2010",
            "from 2010/11, without London": f"fy_start >= 2010 and {without}",
            "to 2013/14, before recording was reformed": "fy_start <= 2013",
        },
        controls={
            "none": [],
            "residents": ["log_population"],
            "deprivation in the years of welfare reform": ["deprivation_later"],
        },
        fixed_effects={
            "force, year": ["force", "fy_start"],
            "force, year, force's line": ["force", "fy_start", "force[fy_start]"],
        },
        weights=[None, "population"],
    )  # fmt: skip
