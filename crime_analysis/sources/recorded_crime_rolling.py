"""Home Office and ONS, Recorded crime by police force area: rolling twelve months.

Each row counts the year that *ends* on its date. Only years to 31 March are financial years,
and only they are read: rolling years overlap and must never be summed.
"""

from __future__ import annotations

import re

import pandas as pd

from crime_analysis import periods, places
from crime_analysis.errors import SourceError
from crime_analysis.sources.origin import total
from crime_analysis.sources.rawfile import Publication, RawFile

__all__ = ["HEADINGS", "PUBLICATION", "read", "recognise"]

PUBLICATION = Publication(
    id="home-office-recorded-crime-rolling-2018",
    publisher="Home Office and Office for National Statistics",
    title="Recorded crime data by police force area, rolling 12 months",
    edition="Year ending December 2018",
    note="Rolling years; only years ending 31 March are used.",
    series="home-office-recorded-crime-rolling",
)

_COLUMNS = ["12 months ending", "PFA", "Offence", "Rolling year total number of offences"]
#: What its heading row has.
HEADINGS: tuple[str, ...] = tuple(_COLUMNS)
_NOT_TERRITORIAL = {"British Transport Police", "Action Fraud", "CIFAS", "UK Finance"}
_GROUPS = {
    "Homicide": "homicide",
    "Violence with injury": "violence_with_injury",
    "Violence without injury": "violence_without_injury",
    "Stalking and harassment": "stalking_and_harassment",
    "Death or serious injury caused by illegal driving": "death_or_injury_driving",
    "Robbery": "robbery",
    "Sexual offences": "sexual_offences",
    "Possession of weapons offences": "possession_of_weapons",
}
_VIOLENCE = [
    "homicide", "violence_with_injury", "violence_without_injury", "stalking_and_harassment",
    "death_or_injury_driving",
]  # fmt: skip
_FRAUD = {"Fraud offences"}
# Counted in the total only. The two kinds of burglary changed their names in 2017/18.
_OTHERS = {
    "All other theft offences", "Bicycle theft", "Criminal damage and arson", "Domestic burglary",
    "Drug offences", "Miscellaneous crimes against society", "Non-domestic burglary",
    "Non-residential burglary", "Public order offences", "Residential burglary", "Shoplifting",
    "Theft from the person", "Vehicle offences",
}  # fmt: skip
_LAST_ENDING = "31-12-2018"
_ENDINGS = re.compile(r"3[01]-(03|06|09|12)-(\d{4})")
# The most in any force and year is 225; a number this high is not of homicides.
_MOST_HOMICIDES = 1000
# Of one offence in one force and year; of any.
_MOST_OFFENCES = 500_000


def recognise(raw: RawFile) -> Publication | None:
    """Return the edition that `raw` is, by its heading row and its last twelve months."""
    if not raw.has(_COLUMNS):
        return None
    last = max((_iso(day) for day in raw.said(_COLUMNS[0])), default="")
    return PUBLICATION.later(_iso(_LAST_ENDING), last)


def _iso(day: str) -> str:
    return "-".join(reversed(day.split("-")))


def _quarter_number(ending: str) -> int:
    """Return the place in time of the quarter that ends on '31-12-2018', one more for the next."""
    match = _ENDINGS.fullmatch(ending)
    return int(match[2]) * 4 + int(match[1]) // 3 if match else 0


def read(raw: RawFile) -> pd.DataFrame:
    """Return offences by force, financial year and offence group.

    Returns
    -------
    DataFrame
        ``force``, ``financial_year``, ``offence_group`` and ``offences`` (whole numbers): the
        groups of the file, ``violence_against_the_person`` and ``total_excluding_fraud``.

    Raises
    ------
    SourceError
        On a repeated row, an unknown offence, a force without an offence that others have, a
        figure that is not a whole number, or an older edition.
    """
    table = raw.table(_COLUMNS).set_axis(["ending", "place", "offence", "offences"], axis=1)
    march = table[table["ending"].str.fullmatch(r"31-03-\d{4}")]
    if march.empty:
        raise SourceError("no year ending 31-03-YYYY", raw.name, column="12 months ending")
    raw.require_edition(PUBLICATION, _LAST_ENDING, table["ending"].unique(), _quarter_number)
    territorial = march[~march["place"].isin(_NOT_TERRITORIAL)]
    unknown = ~territorial["offence"].isin({*_GROUPS, *_OTHERS, *_FRAUD})
    if unknown.any():
        found = territorial["offence"].at[unknown.idxmax()]
        raise raw.error(f"unknown offence {found!r}", unknown.rename("Offence"))
    rows = pd.DataFrame(
        {
            "force": raw.names(territorial["place"].rename("PFA"), places.force),
            "financial_year": [periods.label(int(day[-4:]) - 1) for day in territorial["ending"]],
            "offence": territorial["offence"],
            "offences": raw.counts(
                territorial["offences"].rename(_COLUMNS[-1]), high=_MOST_OFFENCES
            ),
        }
    )
    keys = ["force", "financial_year"]
    raw.require_unique(rows[[*keys, "offence"]])
    too_many = (rows["offence"] == "Homicide") & (rows["offences"] > _MOST_HOMICIDES)
    if too_many.any():
        raise raw.error("not a number of homicides", too_many.rename(_COLUMNS[-1]))
    printed = rows.groupby(["financial_year", "offence"])["force"].agg(set)
    for (year, offence), forces in printed[printed.map(len) < len(places.FORCES)].items():
        missing = sorted(set(places.FORCES) - forces)
        raise SourceError(f"no {offence!r} in {year} for {missing[:5]}", raw.name, column="PFA")
    grouped = rows.assign(offence_group=rows["offence"].map(_GROUPS))
    named = total(
        grouped.dropna(subset=["offence_group"]), [*keys, "offence_group"], "offences", _COLUMNS[-1]
    )
    complete = len(places.FORCES) * rows["financial_year"].nunique() * len(_GROUPS)
    if len(named) != complete:
        raise SourceError(
            f"expected {complete} rows (forces x years x groups), found {len(named)}",
            raw.name,
            column="Offence",
        )
    violence = total(
        grouped[grouped["offence_group"].isin(_VIOLENCE)], keys, "offences", _COLUMNS[-1]
    )
    every = total(rows[~rows["offence"].isin(_FRAUD)], keys, "offences", _COLUMNS[-1])
    tidy = pd.concat(
        [
            named,
            violence.assign(offence_group="violence_against_the_person"),
            every.assign(offence_group="total_excluding_fraud"),
        ]
    )
    return tidy[[*keys, "offence_group", "offences", "origin"]].sort_values(
        [*keys, "offence_group"], ignore_index=True
    )
