"""Home Office and ONS, Recorded crime by police force area: rolling twelve months.

Each row counts the year that *ends* on its date. Only years to 31 March are financial years,
and only they are read: rolling years overlap and must never be summed.
"""

from __future__ import annotations

import pandas as pd

from crime_analysis import periods, places
from crime_analysis.errors import SourceError
from crime_analysis.sources.rawfile import Publication, RawFile

__all__ = ["PUBLICATION", "read", "recognise"]

PUBLICATION = Publication(
    id="home-office-recorded-crime-rolling-2018",
    publisher="Home Office and Office for National Statistics",
    title="Recorded crime data by police force area, rolling 12 months",
    edition="Year ending December 2018",
    note="Rolling years; only years ending 31 March are used.",
)

_COLUMNS = ["12 months ending", "PFA", "Offence", "Rolling year total number of offences"]
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
_FRAUD = {"Fraud offences", "Action Fraud", "CIFAS", "UK Finance"}


def recognise(raw: RawFile) -> Publication | None:
    """Return the publication if `raw` is this one, by its heading row."""
    return PUBLICATION if "Rolling year total number of offences" in raw.head else None


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
        On a repeated row, a missing group or force, or a figure that is not a whole number.
    """
    table = raw.table(_COLUMNS).set_axis(["ending", "place", "offence", "offences"], axis=1)
    march = table[table["ending"].str.fullmatch(r"31-03-\d{4}")]
    if march.empty:
        raise SourceError("no year ending 31-03-YYYY", raw.name, column="12 months ending")
    territorial = march[~march["place"].isin(_NOT_TERRITORIAL)]
    repeated = territorial.duplicated(["ending", "place", "offence"])
    if repeated.any():
        raise SourceError("repeats an earlier row's keys", raw.name, row=int(repeated.idxmax()) + 2)
    offences = raw.numbers(territorial["offences"].rename("Rolling year total"))
    if offences.isna().any() or (offences % 1 != 0).any():
        line = int((offences.isna() | (offences % 1 != 0)).idxmax()) + 2
        raise SourceError("expected a whole number", raw.name, row=line, column=_COLUMNS[-1])
    names = {name: places.force(name) for name in territorial["place"].unique()}
    rows = pd.DataFrame(
        {
            "force": territorial["place"].map(names),
            "financial_year": [periods.label(int(day[-4:]) - 1) for day in territorial["ending"]],
            "offence": territorial["offence"],
            "offences": offences.astype("int64"),
        }
    )
    keys = ["force", "financial_year"]
    named = rows.assign(offence_group=rows["offence"].map(_GROUPS)).dropna(
        subset=["offence_group"]
    )[[*keys, "offence_group", "offences"]]
    complete = len(places.FORCES) * rows["financial_year"].nunique() * len(_GROUPS)
    if len(named) != complete:
        raise SourceError(
            f"expected {complete} rows (forces x years x groups), found {len(named)}", raw.name
        )
    violence = (
        named[named["offence_group"].isin(_VIOLENCE)]
        .groupby(keys, as_index=False)["offences"]
        .sum()
    )
    total = rows[~rows["offence"].isin(_FRAUD)].groupby(keys, as_index=False)["offences"].sum()
    tidy = pd.concat(
        [
            named,
            violence.assign(offence_group="violence_against_the_person"),
            total.assign(offence_group="total_excluding_fraud"),
        ]
    )
    return tidy[[*keys, "offence_group", "offences"]].sort_values(
        [*keys, "offence_group"], ignore_index=True
    )
