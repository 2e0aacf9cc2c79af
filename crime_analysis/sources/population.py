"""ONS mid-year population estimates by single year of age and local authority (Nomis).

The estimates for 2012 to 2020 are those before the revision that followed the 2021 Census.
Years before 2001 lack the ages over 84 and are not read.
"""

from __future__ import annotations

import pandas as pd

from crime_analysis import places
from crime_analysis.errors import SourceError
from crime_analysis.sources.origin import lines, total
from crime_analysis.sources.rawfile import Publication, RawFile

__all__ = ["HEADINGS", "PUBLICATION", "read", "recognise"]

PUBLICATION = Publication(
    id="ons-mid-year-population-1997-2020",
    publisher="Office for National Statistics (Nomis)",
    title="Mid-year population estimates by single year of age, local authorities",
    edition="1997 to 2020, before the revision to the 2021 Census",
    series="ons-mid-year-population",
)

_FIRST, _LAST = 2001, 2020
# The largest authority has 1.1 million residents, the smallest 2,100.
_MOST_RESIDENTS = 2_000_000
_AGES = [f"Age {age}" for age in range(90)] + ["Aged 90+"]
#: What its heading row has.
HEADINGS: tuple[str, ...] = ("name", "code", "year", *_AGES)


def recognise(raw: RawFile) -> Publication | None:
    """Return the edition that `raw` is, by its heading row and its last year."""
    if not raw.has(["name", "code", "year", *_AGES]):
        return None
    return PUBLICATION.later(str(_LAST), max(raw.said("year"), default=""))


def read(raw: RawFile, authorities: pd.DataFrame) -> pd.DataFrame:
    """Return residents of forces and London boroughs on 30 June of each year.

    Parameters
    ----------
    raw : RawFile
        The estimates.
    authorities : DataFrame
        Every local authority with its force and successor (`geography.authorities`).

    Returns
    -------
    DataFrame
        ``place``, ``kind`` (force, borough), ``year`` (of the 30 June), ``population``.

    Raises
    ------
    SourceError
        If an authority of England or Wales is unknown, repeated or absent from a year, an age
        is missing or not a whole number, a year is missing, or it is an older edition. An
        authority made after April 2021 is unknown: ask Nomis for the authorities of 2021.
    """
    people = residents(raw, authorities)
    ages = f"{_AGES[0]}:{_AGES[-1]}"
    forces = total(people, ["force", "year"], "population", ages)
    forces = forces.rename(columns={"force": "place"}).assign(kind="force")
    in_boroughs = people["code"].str.startswith("E09") & (people["force"] != "City of London")
    boroughs = people[in_boroughs].assign(kind="borough")
    boroughs["place"] = raw.names(boroughs["name"], places.borough)
    boroughs["origin"] = lines(boroughs.index, ages)
    both = pd.concat([forces, boroughs])[["place", "kind", "year", "population", "origin"]]
    expected = (len(places.FORCES) + len(places.BOROUGHS)) * (people["year"].max() - _FIRST + 1)
    if len(both) != expected or both.duplicated(["kind", "place", "year"]).any():
        raise SourceError(
            f"expected {expected} places x years, found {len(both)}", raw.name, column="name"
        )
    return both.sort_values(["kind", "place", "year"], ascending=[False, True, True]).reset_index(
        drop=True
    )


def residents(raw: RawFile, authorities: pd.DataFrame) -> pd.DataFrame:
    """Return residents of each local authority of England and Wales, a line of the file each.

    Returns
    -------
    DataFrame
        ``code``, ``name``, ``year``, ``population`` and ``force``; indexed by line.

    Raises
    ------
    SourceError
        As `read`.
    """
    table = raw.table(["name", "code", "year", *_AGES])
    table = table[table["code"].str.match(r"E0[6789]|W06")]
    years = raw.counts(table["year"], low=1900, high=2100)
    table = table.assign(year=years)[years >= _FIRST]
    raw.require_edition(PUBLICATION, str(_LAST), table["year"].astype(str), int)
    unknown = ~table["code"].isin(authorities["code"])
    if unknown.any():
        code = table["code"].at[unknown.idxmax()]
        raise raw.error(
            f"authority {code} is in no force of the lookup; get the estimates for the local"
            " authorities of April 2021",
            unknown.rename("code"),
        )
    raw.require_unique(table[["code", "year"]])
    _require_every_authority(table, authorities, raw)
    count = table[_AGES].apply(raw.counts).sum(axis=1)
    if (count > _MOST_RESIDENTS).any():
        raise raw.error("more residents than any authority has", count > _MOST_RESIDENTS)
    people = table[["code", "name", "year"]].assign(population=count)
    return people.join(authorities.set_index("code")["force"], on="code")


def _require_every_authority(table: pd.DataFrame, authorities: pd.DataFrame, raw: RawFile) -> None:
    """Check that each year has every authority of the lookup once, by itself or merged."""
    first = authorities[~authorities["code"].isin(set(authorities["succeeded_by"]))]
    for year in range(_FIRST, table["year"].max() + 1):
        there = table["code"][table["year"] == year]
        times = first["code"].isin(there).astype(int) + first["succeeded_by"].isin(there)
        if (times != 1).any():
            odd = first.loc[(times != 1).idxmax()]
            raise SourceError(
                f"{odd['name']} ({odd['code']}) is there {times[odd.name]} times in {year}",
                raw.name,
                column="code",
            )
