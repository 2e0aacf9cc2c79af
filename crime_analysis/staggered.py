"""Changes that came to places at different times, as a column that designs can use."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crime_analysis import breaks, periods
from crime_analysis.errors import ModelError, UnknownNameError

__all__ = ["recording_starts"]


def recording_starts(panel: pd.DataFrame, register: pd.DataFrame, series: str) -> pd.DataFrame:
    """Return the panel with the year from which a force's recording of a series changed.

    Cuts came to every force at once, so they are no staggered event. Changes in how single
    forces record an offence are: the register of breaks dates them. They are events of
    recording, not of crime, and show how far a step in figures can come from the recording.

    Parameters
    ----------
    panel : DataFrame
        From `force_panel`.
    register : DataFrame
        The shipped table ``breaks``.
    series : str
        An offence group of the panel.

    Returns
    -------
    DataFrame
        With ``recording_changed`` (first year, in part or whole, of the first change of kind
        ``recording`` or ``system``; missing for forces that the register does not name) and
        ``log_{series}_per_1000`` (missing where nothing is counted).

    Raises
    ------
    UnknownNameError
        If the panel has no such series.
    ModelError
        If the register dates no change of it in a place.

    Examples
    --------
    >>> import crime_analysis as ca
    >>> panel = ca.force_panel("2015/16", "2017/18")
    >>> rows = recording_starts(panel, ca.load("breaks"), "knife_offences")
    >>> int(rows.set_index("force").loc["Surrey", "recording_changed"].iloc[0])
    2016
    """
    rate = f"{series}_per_1000"
    if rate not in panel:
        raise UnknownNameError("series", series, [c[:-9] for c in panel if c.endswith("_per_1000")])
    found = breaks.affecting(register, "recorded_crime", series)
    found = found[found["kind"].isin(["recording", "system"]) & (found["places"] != "all")]
    if found.empty:
        raise ModelError(f"the register dates no change in the recording of {series!r} by place")
    single = found.assign(force=found["places"].str.split(";")).explode("force")
    first = single.groupby("force")["date"].min()
    years = first.map(lambda date: periods.start(breaks.financial_year(date)))
    return panel.assign(
        recording_changed=panel["force"].map(years).astype(float),
        **{f"log_{rate}": np.log(panel[rate].where(panel[rate] > 0))},
    )
