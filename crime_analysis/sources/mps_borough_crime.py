"""Met Police, Recorded Crime: Geographic Breakdown (borough): months from April 2010.

The classes are the Home Office's. Offences that the Met places in no borough (the airports,
"Unknown") are kept apart: 0.9 to 3.2% of violence with injury each year to 2024/25, most in
2019/20 and from 2021/22 to 2023/24, and 0.2% in 2025/26. With them the Met's violence with
injury and robbery of 2015/16 to 2018/19 are within 0.6% of the Home Office's count.

From February 2024 the Met records on a new system: violence with injury falls from 79,502
(2023/24) to 64,543 (2024/25), while violence without injury does not. That is a break, not a
fall. Robbery before 2014/15 is 1 to 2% below the Home Office's count. The Met's own classes are
in `mps_borough_crime_old`.
"""

from __future__ import annotations

import pandas as pd

from crime_analysis.sources import mps_borough_table
from crime_analysis.sources.mps_borough_table import ELSEWHERE, Classification
from crime_analysis.sources.rawfile import Publication, RawFile

__all__ = ["NEW", "PUBLICATIONS", "read", "read_elsewhere", "recognise"]

_VIOLENCE, _WEAPONS = "violence against the person", "possession of weapons"
NEW = Classification(
    name="new",
    publication=Publication(
        id="mps-borough-crime",
        publisher="Metropolitan Police Service (London Datastore)",
        title="MPS Recorded Crime: Geographic Breakdown, borough",
        edition="",
        licence="Open Government Licence v2.0",
        note="A new recording system from February 2024 is a break in violence with injury.",
    ),
    major_of={
        "death serious injury illegal driving": _VIOLENCE,
        "homicide": _VIOLENCE,
        "stalking and harassment": _VIOLENCE,
        "violence with injury": _VIOLENCE,
        "violence without injury": _VIOLENCE,
        "possession of weapons": _WEAPONS,
        "robbery of business property": "robbery",
        "robbery of personal property": "robbery",
        "other sexual offences": "sexual offences",
        "rape": "sexual offences",
    },
    other_majors={
        "arson and criminal damage", "burglary", "drug offences", "fraud and forgery",
        "miscellaneous crimes against society", "nfib fraud", "public order offences", "theft",
        "vehicle offences",
    },
    groups={
        "death_or_injury_driving": ["death serious injury illegal driving"],
        "homicide": ["homicide"],
        "possession_of_weapons": ["possession of weapons"],
        "robbery": ["robbery of business property", "robbery of personal property"],
        "sexual_offences": ["other sexual offences", "rape"],
        "stalking_and_harassment": ["stalking and harassment"],
        "violence_against_the_person": [
            "death serious injury illegal driving", "homicide", "stalking and harassment",
            "violence with injury", "violence without injury",
        ],
        "violence_with_injury": ["violence with injury"],
        "violence_without_injury": ["violence without injury"],
    },
    killings="homicide",
)  # fmt: skip

PUBLICATIONS: tuple[Publication, ...] = (
    NEW.edition("2010-04", "2024-03"),
    NEW.edition("2024-04", "2026-03"),
)


def recognise(raw: RawFile) -> Publication | None:
    """Return the publication if `raw` counts the new classes by borough and month."""
    return mps_borough_table.recognise(raw, NEW)


def read(raw: RawFile) -> pd.DataFrame:
    """Return offences by borough, month and offence group, the 32 boroughs each month.

    Returns
    -------
    DataFrame
        ``place`` (borough), ``month`` (``2010-04``), ``classification`` (``new``),
        ``offence_group``, ``offences`` and ``origin``. `violence_against_the_person` is the
        major class with all its five parts, as the Home Office's.

    Raises
    ------
    SourceError
        On a heading that is not known, months that are repeated, missing or out of order, a
        class or place that is not known, a figure that is no whole number or too large, a
        repeated row, or a borough without a row that it should have.
    """
    return mps_borough_table.only_boroughs(mps_borough_table.parse(raw, NEW), raw)


def read_elsewhere(raw: RawFile) -> pd.DataFrame:
    """Return what `read` leaves out: offences in no borough, in the same columns.

    ``place`` is `ELSEWHERE`. With the boroughs they make the Met's total.
    """
    frame = mps_borough_table.parse(raw, NEW)
    return frame[frame["place"] == ELSEWHERE].reset_index(drop=True)
