"""What several findings read of one force: its residents, and the admissions of its region."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crime_analysis import catalog, places
from crime_analysis.findings.claims_readings import Load
from crime_analysis.panel import TOO_FEW_RESIDENTS

__all__ = ["admissions", "residents"]


def residents(force: str, load: Load = catalog.load) -> pd.Series:
    """Return a force's residents by year (30 June); missing where they are too few for rates.

    Examples
    --------
    >>> int(residents("Surrey")[2017]), residents("City of London").notna().any()
    (1185321, np.False_)
    """
    force = places.force(force)
    people = load("population").query("place == @force").set_index("year")["population"]
    return people * np.nan if force in TOO_FEW_RESIDENTS else people


def admissions(force: str, load: Load = catalog.load) -> pd.DataFrame:
    """Return the hospital admissions of a force's region by ``month``; no rows where none is told.

    None is told in Wales, nor beside a force that is a small part of its region by residents.
    """
    force = places.force(force)
    region = "" if force in TOO_FEW_RESIDENTS else places.region_of(force)
    stays = load("hospital_admissions")
    return stays[stays["region"] == region]
