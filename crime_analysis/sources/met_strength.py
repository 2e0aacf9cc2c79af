"""MOPAC, Police Force Strength: the Met's officers, staff and PCSOs by month from May 2013.

Each 31 March it is 0.7 to 1.5% below the Home Office's count, so the two are never spliced.
"""

from __future__ import annotations

import pandas as pd

from crime_analysis.errors import SourceError
from crime_analysis.sources.rawfile import Publication, RawFile

__all__ = ["PUBLICATION", "read", "recognise"]

PUBLICATION = Publication(
    id="mopac-police-force-strength-2026",
    publisher="Mayor's Office for Policing and Crime (London Datastore)",
    title="Police Force Strength",
    edition="March 2026",
    licence="Open Government Licence v2.0",
    note="Full-time equivalents; 0.7 to 1.5% below the Home Office's count each 31 March.",
)
_FIRST, _LAST = "2013-05", "2026-03"
_COLUMNS = {
    "Police Officer Strength": "officers_fte",
    "Police Staff Strength": "staff_fte",
    "PCSO Strength": "pcsos_fte",
}


def recognise(raw: RawFile) -> Publication | None:
    """Return the publication if `raw` is this one, by its heading row."""
    return PUBLICATION if raw.head.startswith("Date,Police Officer Strength,") else None


def read(raw: RawFile) -> pd.DataFrame:
    """Return the Met's strength by month.

    Returns
    -------
    DataFrame
        ``month`` (text, ``2018-03``), ``officers_fte``, ``staff_fte``, ``pcsos_fte``.

    Raises
    ------
    SourceError
        If a month cannot be read, is repeated or missing, a figure is not in the range of a
        force of the Met's size, or it is another edition.
    """
    table = raw.table(["Date", *_COLUMNS])
    if table.empty:
        raise SourceError("no month", raw.name)
    months = pd.to_datetime(table["Date"], format="%b-%y", errors="coerce")
    if months.isna().any():
        raise raw.error("expected a month like 'Mar-18'", months.isna())
    tidy = pd.DataFrame({"month": months.dt.strftime("%Y-%m")})
    for heading, name in _COLUMNS.items():
        tidy[name] = raw.numbers(table[heading])
    low = {"officers_fte": 20_000, "staff_fte": 5_000, "pcsos_fte": 500}
    for heading, name in _COLUMNS.items():
        floor = low[name]
        odd = tidy[name].isna() | (tidy[name] < floor) | (tidy[name] > 50_000)
        if odd.any():
            raise raw.error("not a plausible strength of the Met", odd.rename(heading))
    tidy = tidy.sort_values("month", ignore_index=True)
    raw.require_edition(PUBLICATION, _LAST, tidy["month"].iloc[-1])
    if list(tidy["month"]) != [str(p) for p in pd.period_range(_FIRST, _LAST, freq="M")]:
        raise SourceError("a month is missing or repeated", raw.name, column="Date")
    return tidy
