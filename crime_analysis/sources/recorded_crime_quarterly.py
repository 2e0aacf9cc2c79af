"""Home Office, Police recorded crime open data: quarters by force and offence, 2012/13 on.

A financial year is given only when all four of its quarters are there: the last edition ends
with a single quarter of 2023/24, which is not a year. Stalking and harassment sits inside
violence without injury in 2012/13 and has a subgroup of its own from 2013/14.
"""

from __future__ import annotations

import pandas as pd

from crime_analysis import periods, places
from crime_analysis.errors import SourceError
from crime_analysis.sources.rawfile import Publication, RawFile

__all__ = ["PUBLICATION", "read", "recognise"]

PUBLICATION = Publication(
    id="home-office-recorded-crime-open-data-2023",
    publisher="Home Office",
    title="Police recorded crime, police force area open data, year ending March 2013 onwards",
    edition="19 October 2023",
    note="The workbook's sheets bound into one table by the mirror that holds it.",
)

_COLUMNS = [
    "financial_year", "financial_quarter", "force_name", "offence_description", "offence_group",
    "offence_subgroup", "offence_code", "number_of_offences",
]  # fmt: skip
_NOT_TERRITORIAL = {"British Transport Police", "Action Fraud", "CIFAS", "UK Finance"}
_SUBGROUPS = {
    "Homicide": "homicide",
    "Violence with injury": "violence_with_injury",
    "Violence without injury": "violence_without_injury",
    "Stalking and harassment": "stalking_and_harassment",
    "Death or serious injury - unlawful driving": "death_or_injury_driving",
}
_GROUPS = {
    "Violence against the person": "violence_against_the_person",
    "Robbery": "robbery",
    "Sexual offences": "sexual_offences",
    "Possession of weapons offences": "possession_of_weapons",
}


def recognise(raw: RawFile) -> Publication | None:
    """Return the publication if `raw` is this one, by its heading row."""
    heading = raw.head.partition("\n")[0]
    wanted = ("financial_quarter", "offence_subgroup", "number_of_offences")
    return PUBLICATION if all(column in heading for column in wanted) else None


def read(raw: RawFile) -> pd.DataFrame:
    """Return offences by force, whole financial year and offence group.

    Returns
    -------
    DataFrame
        ``force``, ``financial_year``, ``offence_group`` and ``offences``: five subgroups of
        violence, four groups, and ``total_excluding_fraud``. A subgroup that a year does not
        use (stalking and harassment in 2012/13) has no row in that year.

    Raises
    ------
    SourceError
        On a repeated row, a quarter other than 1 to 4, a figure that is not a whole number,
        or a force without all quarters in a year that others have in full.
    """
    table = raw.table(_COLUMNS)
    table = table[~table["force_name"].isin(_NOT_TERRITORIAL)]
    repeated = table.duplicated(
        ["financial_year", "financial_quarter", "force_name", "offence_code", "offence_description"]
    )
    if repeated.any():
        raise SourceError("repeats an earlier row's keys", raw.name, row=int(repeated.idxmax()) + 2)
    quarters = table["financial_quarter"]
    if not quarters.isin(list("1234")).all():
        line = int((~quarters.isin(list("1234"))).idxmax()) + 2
        raise SourceError("expected a quarter 1 to 4", raw.name, None, line, "financial_quarter")
    # Single quarters can be negative: offences cancelled or moved to another force later.
    offences = raw.numbers(table["number_of_offences"])
    if offences.isna().any() or (offences % 1 != 0).any():
        line = int((offences.isna() | (offences % 1 != 0)).idxmax()) + 2
        raise SourceError("expected a whole number", raw.name, None, line, "number_of_offences")

    names = {name: places.force(name) for name in table["force_name"].unique()}
    years = {year: periods.label(periods.start(year)) for year in table["financial_year"].unique()}
    rows = pd.DataFrame(
        {
            "force": table["force_name"].map(names),
            "financial_year": table["financial_year"].map(years),
            "quarter": quarters,
            "group": table["offence_group"],
            "subgroup": table["offence_subgroup"],
            "offences": offences.astype("int64"),
        }
    )
    rows = rows[rows["financial_year"].isin(_whole_years(rows, raw.name))]
    keys = ["force", "financial_year"]
    parts = [
        rows.assign(offence_group=rows[column].map(names_of))
        .dropna(subset=["offence_group"])
        .groupby([*keys, "offence_group"], as_index=False)["offences"]
        .sum()
        for column, names_of in (("subgroup", _SUBGROUPS), ("group", _GROUPS))
    ]
    total = (
        rows[rows["group"] != "Fraud offences"]
        .groupby(keys, as_index=False)["offences"]
        .sum()
        .assign(offence_group="total_excluding_fraud")
    )
    tidy = pd.concat([*parts, total])
    if (tidy["offences"] < 0).any():
        odd = tidy[tidy["offences"] < 0].iloc[0]
        raise SourceError(
            f"a negative year: {odd['offence_group']} in {odd['force']}, {odd['financial_year']}",
            raw.name,
            column="number_of_offences",
        )
    return tidy[[*keys, "offence_group", "offences"]].sort_values(
        [*keys, "offence_group"], ignore_index=True
    )


def _whole_years(rows: pd.DataFrame, file: str) -> list[str]:
    """Return the years with four quarters for every force; a year some forces lack is refused."""
    counts = rows.groupby(["financial_year", "force"])["quarter"].nunique().unstack()
    counts = counts.reindex(columns=list(places.FORCES)).fillna(0)
    whole = []
    for year, by_force in counts.iterrows():
        if (by_force == 4).all():
            whole.append(str(year))
        elif by_force.nunique() > 1:
            short = by_force[by_force < by_force.max()].index.tolist()
            raise SourceError(f"quarters of {year} are missing for {short[:5]}", file)
    if not whole:
        raise SourceError("no financial year has all four quarters", file)
    return whole
