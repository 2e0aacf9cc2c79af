"""Met Police, recorded crime by borough in the Met's old classes: January 2008 to December 2018.

These classes are not the Home Office's and are never spliced with the new ones. Violence against
the person includes offensive weapons and all harassment: 25% above the Home Office's count of
the Met in 2008/09. The groups here bear the names of what is counted:

- ``murder``: the class Murder, without manslaughter;
- ``wounding_gbh``: Grievous Bodily Harm and Wounding/GBH together, for a month has its offences
  in the one or the other (Grievous Bodily Harm: March, April, September 2008 to July 2010);
- ``assault_with_injury``, ``common_assault``, ``harassment``, ``offensive_weapon``,
  ``other_violence``: the classes of these names;
- ``wounding_and_assault_with_injury``: the two together, the nearest to violence with injury;
- ``violence_against_the_person``, ``robbery``, ``sexual_offences``: the major classes.

Breaks: wounding goes from 363 to 1,089 a month in April 2008 and from 801 to 1,467 in April 2013,
each time as assault with injury falls: only their sum can be followed.
"""

from __future__ import annotations

import pandas as pd

from crime_analysis.sources import mps_borough_table
from crime_analysis.sources.mps_borough_table import ELSEWHERE, Classification
from crime_analysis.sources.rawfile import Publication, RawFile

__all__ = ["OLD", "PUBLICATIONS", "read", "read_elsewhere", "recognise"]

_VIOLENCE = "violence against the person"
_VIOLENT = [
    "assault with injury", "common assault", "grievous bodily harm", "harassment", "murder",
    "offensive weapon", "other violence", "wounding/gbh",
]  # fmt: skip

OLD = Classification(
    name="old",
    publication=Publication(
        id="mps-borough-crime-old-classes",
        publisher="Metropolitan Police Service (London Datastore)",
        title="MPS Recorded Crime: Geographic Breakdown, borough, old classes",
        edition="",
        licence="Open Government Licence v2.0",
        note="The Met's own classes; grievous bodily harm recoded in April 2008 and April 2013.",
    ),
    major_of={
        **dict.fromkeys(_VIOLENT, _VIOLENCE),
        "business property": "robbery",
        "personal property": "robbery",
        "other sexual": "sexual offences",
        "rape": "sexual offences",
    },
    other_majors={
        "burglary", "criminal damage", "drugs", "fraud or forgery", "other notifiable offences",
        "theft and handling",
    },
    groups={
        "assault_with_injury": ["assault with injury"],
        "common_assault": ["common assault"],
        "harassment": ["harassment"],
        "murder": ["murder"],
        "offensive_weapon": ["offensive weapon"],
        "other_violence": ["other violence"],
        "robbery": ["business property", "personal property"],
        "sexual_offences": ["other sexual", "rape"],
        "violence_against_the_person": _VIOLENT,
        "wounding_and_assault_with_injury": [
            "assault with injury", "grievous bodily harm", "wounding/gbh",
        ],
        "wounding_gbh": ["grievous bodily harm", "wounding/gbh"],
    },
    killings="murder",
    may_lack={"grievous bodily harm"},
    none_counted={"2018-12": {("Bexley", "murder"), ("Sutton", "murder")}},
)  # fmt: skip

PUBLICATIONS: tuple[Publication, ...] = (
    OLD.edition("2008-01", "2016-12"),
    OLD.edition("2017-01", "2018-12"),
)


def recognise(raw: RawFile) -> Publication | None:
    """Return the publication if `raw` counts the old classes by borough and month."""
    return mps_borough_table.recognise(raw, OLD)


def read(raw: RawFile) -> pd.DataFrame:
    """Return offences by borough, month and old offence group, the 32 boroughs each month.

    Where an edition has no row of a class for a borough, because it counted none in any
    month, the value is 0 and its ``origin`` empty: murder in Bexley and Sutton from 2017.

    Returns
    -------
    DataFrame
        ``place`` (borough), ``month``, ``classification`` (``old``), ``offence_group``,
        ``offences`` and ``origin``.

    Raises
    ------
    SourceError
        As `mps_borough_crime.read`.
    """
    return mps_borough_table.only_boroughs(mps_borough_table.parse(raw, OLD), raw)


def read_elsewhere(raw: RawFile) -> pd.DataFrame:
    """Return what `read` leaves out: the airports', in the same columns; none before 2017."""
    frame = mps_borough_table.parse(raw, OLD)
    return frame[frame["place"] == ELSEWHERE].reset_index(drop=True)
