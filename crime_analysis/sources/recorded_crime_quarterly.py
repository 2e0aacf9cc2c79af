"""Home Office, Police recorded crime open data: quarters by force and offence, 2012/13 on.

A financial year is given only when all four of its quarters are there: the edition of October
2023 ends with a single quarter of 2023/24, which is not a year. Two subgroups of violence have
rows of their own from 2013/14 only: stalking and harassment, inside violence without injury in
2012/13, and deaths and injuries by unlawful driving, inside violence with injury.
"""

from __future__ import annotations

import math

import pandas as pd

from crime_analysis import periods, places
from crime_analysis.errors import SourceError
from crime_analysis.sources.origin import total
from crime_analysis.sources.rawfile import Publication, RawFile

__all__ = ["HEADINGS", "PUBLICATION", "read", "recognise"]

PUBLICATION = Publication(
    id="home-office-recorded-crime-open-data-2023",
    publisher="Home Office",
    title="Police recorded crime, police force area open data, year ending March 2013 onwards",
    edition="19 October 2023",
    note="The workbook's sheets bound into one table by the mirror that holds it.",
    series="home-office-recorded-crime-open-data",
)

_COLUMNS = [
    "financial_year", "financial_quarter", "force_name", "offence_description", "offence_group",
    "offence_subgroup", "offence_code", "number_of_offences",
]  # fmt: skip
#: What its heading row has.
HEADINGS: tuple[str, ...] = tuple(_COLUMNS)
_NOT_TERRITORIAL = {"British Transport Police", "Action Fraud", "CIFAS", "UK Finance"}
_SUBGROUPS = {
    "Homicide": "homicide",
    "Violence with injury": "violence_with_injury",
    "Violence without injury": "violence_without_injury",
    "Stalking and harassment": "stalking_and_harassment",
    "Death or serious injury - unlawful driving": "death_or_injury_driving",
}
_FROM_2013 = {"Stalking and harassment", "Death or serious injury - unlawful driving"}
_GROUPS = {
    "Violence against the person": "violence_against_the_person",
    "Robbery": "robbery",
    "Sexual offences": "sexual_offences",
    "Possession of weapons offences": "possession_of_weapons",
}
_FRAUD = "Fraud offences"
# Every subgroup with its group: a row that has another pair is in a place we do not know.
_GROUP_OF = {
    **dict.fromkeys(_SUBGROUPS, "Violence against the person"),
    "Robbery of business property": "Robbery",
    "Robbery of personal property": "Robbery",
    "Rape offences": "Sexual offences",
    "Other sexual offences": "Sexual offences",
    "Possession of weapons offences": "Possession of weapons offences",
    "Arson": "Criminal damage and arson",
    "Criminal damage": "Criminal damage and arson",
    "Possession of drugs": "Drug offences",
    "Trafficking of drugs": "Drug offences",
    "Fraud offences to 2012/13": _FRAUD,
    "Miscellaneous crimes against society": "Miscellaneous crimes against society",
    "Public order offences": "Public order offences",
    **dict.fromkeys(
        [
            "Bicycle theft", "Domestic burglary", "Non-domestic burglary", "Other theft offences",
            "Shoplifting", "Theft from a vehicle", "Theft from the person",
            "Theft of a motor vehicle", "Vehicle interference",
        ],
        "Theft offences",
    ),
}  # fmt: skip
_LAST_QUARTER = "2023/24 quarter 1"
# The most in any force and year is 158; a number this high is not of homicides.
_MOST_HOMICIDES = 1000


def recognise(raw: RawFile) -> Publication | None:
    """Return the edition that `raw` is, by its heading row and its last quarter."""
    if not raw.has(("financial_quarter", "offence_subgroup", "number_of_offences")):
        return None
    last = max(raw.said("financial_year", "financial_quarter"), default="")
    return PUBLICATION.later(_LAST_QUARTER, last.replace(" ", " quarter "))


def read(raw: RawFile) -> pd.DataFrame:
    """Return offences by force, whole financial year and offence group.

    Returns
    -------
    DataFrame
        ``force``, ``financial_year``, ``offence_group`` and ``offences``: five subgroups of
        violence, four groups, and ``total_excluding_fraud``. The two subgroups that 2012/13
        does not use have no row in that year.

    Raises
    ------
    SourceError
        On a repeated row, a quarter other than 1 to 4, an offence in an unknown group, a
        figure that is not a whole number, a force without an offence or a quarter that others
        have, or an older edition.
    """
    rows = _rows(raw)
    return _grouped(
        rows[rows["financial_year"].isin(_whole_years(rows, raw.name))],
        ["force", "financial_year"],
        raw.name,
    )


def read_quarters(raw: RawFile) -> pd.DataFrame:
    """Return offences by force and quarter, the quarters of an unfinished year too.

    Returns
    -------
    DataFrame
        As `read`, with ``quarter`` (1 is April to June). A quarter can be negative: offences
        cancelled, or moved to another force, after they were counted.
    """
    return _grouped(_rows(raw), ["force", "financial_year", "quarter"], raw.name, least=-math.inf)


def _rows(raw: RawFile) -> pd.DataFrame:
    """Return the file's rows of police forces, checked, under the package's names."""
    table = raw.table(_COLUMNS)
    table = table[~table["force_name"].isin(_NOT_TERRITORIAL)]
    odd = ~table["financial_quarter"].isin(list("1234"))
    if odd.any():
        raise raw.error("expected a quarter 1 to 4", odd.rename("financial_quarter"))
    groups = table["offence_subgroup"].map(_GROUP_OF)
    misplaced = groups != table["offence_group"]
    if misplaced.any():
        found = table.loc[misplaced.idxmax(), ["offence_group", "offence_subgroup"]].tolist()
        raise raw.error(f"unknown group and subgroup {found}", misplaced.rename("offence_subgroup"))
    rows = pd.DataFrame(
        {
            "force": raw.names(table["force_name"], places.force),
            "financial_year": raw.names(
                table["financial_year"], lambda year: periods.label(periods.start(year))
            ),
            "quarter": table["financial_quarter"].astype("int64"),
            "offence": table["offence_code"] + " " + table["offence_description"],
            "group": table["offence_group"],
            "subgroup": table["offence_subgroup"],
            # Single quarters can be negative: offences cancelled or moved to another force later.
            "offences": raw.counts(table["number_of_offences"], low=-math.inf),
        }
    )
    raw.require_unique(rows[["financial_year", "quarter", "force", "offence"]])
    _require_every_force(rows, raw)
    return rows


def _grouped(rows: pd.DataFrame, keys: list[str], file: str, *, least: float = 0) -> pd.DataFrame:
    """Return the rows' offences added up by group, each with the lines that it adds up."""
    parts = [
        total(
            rows.assign(offence_group=rows[column].map(names_of)).dropna(subset=["offence_group"]),
            [*keys, "offence_group"],
            "offences",
            _COLUMNS[-1],
        )
        for column, names_of in (("subgroup", _SUBGROUPS), ("group", _GROUPS))
    ]
    every = total(rows[rows["group"] != _FRAUD], keys, "offences", _COLUMNS[-1])
    tidy = pd.concat([*parts, every.assign(offence_group="total_excluding_fraud")])
    if (tidy["offences"] < least).any():
        odd = tidy[tidy["offences"] < least].iloc[0]
        raise SourceError(
            f"a negative year: {odd['offence_group']} in {odd['force']}, {odd['financial_year']}",
            file,
            column="number_of_offences",
        )
    homicides = tidy[tidy["offence_group"] == "homicide"]
    if homicides["offences"].max() > _MOST_HOMICIDES:
        most = homicides["offences"].max()
        raise SourceError(f"{most} is not a number of homicides", file, column="number_of_offences")
    return tidy[[*keys, "offence_group", "offences", "origin"]].sort_values(
        [*keys, "offence_group"], ignore_index=True
    )


def _require_every_force(rows: pd.DataFrame, raw: RawFile) -> None:
    """Check that no row was lost: what one force prints with a count in a quarter, all print.

    Rows of nought may be there for some forces only, as two of Greater Manchester's of 2019/20.
    """
    if rows.empty:
        raise SourceError("no row of a police force", raw.name)
    keys = ["financial_year", "quarter", "offence"]
    printed = rows.groupby(keys)["offences"].agg(["size", "min", "max"])
    counted = (printed["min"] != 0) | (printed["max"] != 0)
    for key in printed.index[counted & (printed["size"] < len(places.FORCES))]:
        there = rows.set_index(keys).sort_index().loc[key, "force"]
        missing = sorted(set(places.FORCES) - set(there))
        year, quarter, offence = key
        raise SourceError(
            f"no {offence!r} in quarter {quarter} of {year} for {missing[:5]}",
            raw.name,
            column="force_name",
        )
    quarters = {f"{year} quarter {quarter}" for year, quarter, _ in printed.index}
    raw.require_edition(PUBLICATION, _LAST_QUARTER, quarters, _quarter_number)
    kinds = rows[["financial_year", "group", "subgroup"]].drop_duplicates()
    for year, group in kinds.groupby("financial_year"):
        wanted = set(_SUBGROUPS) - (_FROM_2013 if year < "2013/14" else set())
        missing = sorted(wanted - set(group["subgroup"])) + sorted(
            set(_GROUPS) - set(group["group"])
        )
        if missing:
            raise SourceError(f"no row of {missing} in {year}", raw.name, column="offence_subgroup")


def _quarter_number(quarter: str) -> int:
    """Return the place in time of '2023/24 quarter 1', one more for the next."""
    return periods.start(quarter[:7]) * 4 + int(quarter[-1])


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
