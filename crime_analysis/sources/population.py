"""ONS mid-year population estimates by single year of age and local authority (Nomis).

The estimates for 2012 to 2020 are those before the revision that followed the 2021 Census.
Years before 2001 lack the ages over 84 and are not read.
"""

from __future__ import annotations

import pandas as pd

from crime_analysis import places
from crime_analysis.errors import SourceError
from crime_analysis.sources.rawfile import Publication, RawFile

__all__ = ["PUBLICATION", "read", "recognise"]

PUBLICATION = Publication(
    id="ons-mid-year-population-1997-2020",
    publisher="Office for National Statistics (Nomis)",
    title="Mid-year population estimates by single year of age, local authorities",
    edition="1997 to 2020, before the revision to the 2021 Census",
)

_FIRST_COMPLETE_YEAR = 2001
_AGES = [f"Age {age}" for age in range(90)] + ["Aged 90+"]


def recognise(raw: RawFile) -> Publication | None:
    """Return the publication if `raw` is this one, by its heading row."""
    return PUBLICATION if raw.head.startswith("name,code,year,Age 0,Age 1,") else None


def read(raw: RawFile, authorities: pd.DataFrame) -> pd.DataFrame:
    """Return residents of forces and London boroughs on 30 June of each year.

    Parameters
    ----------
    raw : RawFile
        The estimates.
    authorities : DataFrame
        ``code`` and ``force`` of every local authority (`geography.authorities`).

    Returns
    -------
    DataFrame
        ``place``, ``kind`` (force, borough), ``year`` (of the 30 June), ``population``.

    Raises
    ------
    SourceError
        If an authority of England or Wales is unknown or repeated, an age is missing, or a
        force or borough is absent from a year.
    """
    table = raw.table(["name", "code", "year", *_AGES])
    table = table[table["code"].str.match(r"E0[6789]|W06")]
    table = table[table["year"].astype(int) >= _FIRST_COMPLETE_YEAR]
    unknown = sorted(set(table["code"]) - set(authorities["code"]))
    if unknown:
        raise SourceError(f"authorities {unknown} are in no force", raw.name, column="code")
    repeated = table.duplicated(["code", "year"])
    if repeated.any():
        raise SourceError("repeats an authority", raw.name, row=int(repeated.idxmax()) + 2)
    ages = table[_AGES].apply(raw.numbers)
    if ages.isna().any(axis=None):
        row = ages.index[ages.isna().any(axis=1)][0]
        raise SourceError("an age has no figure", raw.name, row=int(row) + 2)
    people = pd.DataFrame(
        {
            "code": table["code"],
            "name": table["name"],
            "year": table["year"].astype("int64"),
            "population": ages.sum(axis=1).astype("int64"),
        }
    ).merge(authorities[["code", "force"]], on="code", validate="many_to_one")
    forces = people.groupby(["force", "year"], as_index=False)["population"].sum()
    forces = forces.rename(columns={"force": "place"}).assign(kind="force")
    in_boroughs = people["code"].str.startswith("E09") & (people["force"] != "City of London")
    boroughs = people[in_boroughs].assign(kind="borough")
    boroughs["place"] = boroughs["name"].map(places.borough)
    both = pd.concat([forces, boroughs])[["place", "kind", "year", "population"]]
    expected = (len(places.FORCES) + len(places.BOROUGHS)) * both["year"].nunique()
    if len(both) != expected:
        raise SourceError(f"expected {expected} places x years, found {len(both)}", raw.name)
    return both.sort_values(["kind", "place", "year"], ascending=[False, True, True]).reset_index(
        drop=True
    )
