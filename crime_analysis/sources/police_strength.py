"""Home Office, officer strength of England and Wales on 31 March, 1977 to 2022, with population.

Officers to 2002 are whole numbers on the counting basis of their time; from 2003 they are
full-time equivalents as counted now. 2008 reads 141,156.91, exactly 700 below the sum of the
43 forces in the open data (141,856.91); every other year since 2007 is that sum. It is given
as printed: for 2008 use the open data.
"""

from __future__ import annotations

import pandas as pd

from crime_analysis.errors import SourceError
from crime_analysis.sources.origin import Origin
from crime_analysis.sources.rawfile import Publication, RawFile
from crime_analysis.sources.sheet import key_of

__all__ = ["HEADINGS", "PUBLICATION", "read", "recognise"]

PUBLICATION = Publication(
    id="home-office-police-strength-1977-2022",
    publisher="Home Office",
    title="Police officer strength, England and Wales, with ONS population estimates",
    edition="31 March 1977 to 2022",
    note="Old counting basis before 2003; 2008 is 700 below the sum of the forces.",
    series="home-office-police-strength",
)

_COLUMNS = ["date", "officers", "year", "population"]
#: What its heading row has.
HEADINGS: tuple[str, ...] = tuple(_COLUMNS)
_BOUNDS = {"officers": (90_000, 200_000), "population": (45_000_000, 75_000_000)}
_FIRST, _LAST = 1977, 2022


def recognise(raw: RawFile) -> Publication | None:
    """Return the edition that `raw` is, by its heading row and its last year."""
    heading = raw.head.partition("\n")[0]
    if {key_of(cell) for cell in heading.split(",")} != set(_COLUMNS):
        return None
    last = max(raw.said("year"), default="")
    return PUBLICATION.later(str(_LAST), last, edition=f"31 March {_FIRST} to {last}")


def read(raw: RawFile) -> pd.DataFrame:
    """Return national officer strength and population by year.

    Returns
    -------
    DataFrame
        ``date`` (ISO text, 31 March), ``measure`` (``officers``, ``population``), ``value``
        (people; full-time equivalents from 2003) and ``origin``.

    Raises
    ------
    SourceError
        If a date is not the 31 March of its row's year, is repeated or missing, a figure is
        not of the size of England and Wales, or it is an older edition.
    """
    table = raw.table(_COLUMNS)
    years = raw.counts(table["year"], low=1900, high=2100)
    odd = table["date"] != years.astype(str) + "-03-31"
    if odd.any():
        raise raw.error("expected the 31 March of the row's year", odd.rename("date"))
    raw.require_unique(table[["date"]])
    raw.require_edition(PUBLICATION, str(_LAST), years.astype(str), int)
    missing = sorted(set(range(_FIRST, years.max() + 1)) ^ set(years))
    if missing:
        raise SourceError(f"expected one row for {missing[0]}", raw.name, column="year")
    parts = []
    for measure, (low, high) in _BOUNDS.items():
        values = raw.numbers(table[measure])
        wrong = ~values.between(low, high)
        if wrong.any():
            raise raw.error(f"expected {low:,} to {high:,} in England and Wales", wrong)
        origin = [(Origin("", str(line), measure),) for line in table.index]
        parts.append(
            pd.DataFrame(
                {"date": table["date"], "measure": measure, "value": values, "origin": origin}
            )
        )
    return pd.concat(parts).sort_values(["date", "measure"], ignore_index=True)
