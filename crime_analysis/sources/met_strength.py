"""MOPAC, Police Force Strength: the Met's officers, staff and PCSOs by month from May 2013.

Each 31 March it is 0.7 to 1.5% below the Home Office's count, so the two are never spliced.
"""

from __future__ import annotations

import pandas as pd

from crime_analysis.errors import SourceError
from crime_analysis.sources.origin import lines
from crime_analysis.sources.rawfile import Publication, RawFile
from crime_analysis.sources.sheet import month_number

__all__ = ["HEADINGS", "PUBLICATION", "read", "recognise"]

PUBLICATION = Publication(
    id="mopac-police-force-strength-2026",
    publisher="Mayor's Office for Policing and Crime (London Datastore)",
    title="Police Force Strength",
    edition="March 2026",
    licence="Open Government Licence v2.0",
    note="Full-time equivalents; 0.7 to 1.5% below the Home Office's count each 31 March.",
    series="mopac-police-force-strength",
)
_FIRST, _LAST = "2013-05", "2026-03"
_COLUMNS = {
    "Police Officer Strength": ("officers", 20_000),
    "Police Staff Strength": ("staff", 5_000),
    "PCSO Strength": ("pcsos", 500),
}
#: What its heading row has.
HEADINGS: tuple[str, ...] = ("Date", *_COLUMNS)


def recognise(raw: RawFile) -> Publication | None:
    """Return the edition that `raw` is, by its heading row and its last month."""
    if not raw.has(["Date", *_COLUMNS]):
        return None
    months = pd.to_datetime(pd.Series(raw.said("Date")), format="%b-%y", errors="coerce")
    return PUBLICATION.later(_LAST, max(months.dropna().dt.strftime("%Y-%m"), default=""))


def read(raw: RawFile) -> pd.DataFrame:
    """Return the Met's strength by month.

    Returns
    -------
    DataFrame
        ``month`` (text, ``2018-03``), ``measure`` (officers, staff, pcsos) and ``fte`` with its
        ``origin``, sorted.

    Raises
    ------
    SourceError
        If a month cannot be read, is repeated or missing, a figure is not in the range of a
        force of the Met's size, or it is an older edition.
    """
    table = raw.table(["Date", *_COLUMNS])
    if table.empty:
        raise SourceError("no month", raw.name)
    months = pd.to_datetime(table["Date"], format="%b-%y", errors="coerce")
    if months.isna().any():
        raise raw.error("expected a month like 'Mar-18'", months.isna())
    month = months.dt.strftime("%Y-%m")
    raw.require_edition(PUBLICATION, _LAST, month, month_number)
    if sorted(month) != [str(p) for p in pd.period_range(_FIRST, month.max(), freq="M")]:
        raise SourceError("a month is missing or repeated", raw.name, column="Date")
    parts = []
    for heading, (measure, least) in _COLUMNS.items():
        fte = raw.numbers(table[heading])
        odd = ~fte.between(least, 50_000)
        if odd.any():
            raise raw.error("not a plausible strength of the Met", odd.rename(heading))
        part = pd.DataFrame({"month": month, "measure": measure, "fte": fte})
        parts.append(part.assign(origin=lines(table.index, heading)))
    return pd.concat(parts).sort_values(["month", "measure"], ignore_index=True)
