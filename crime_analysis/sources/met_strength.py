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
        If a month cannot be read, is repeated or missing, or a figure is not in the range of
        a force of the Met's size.
    """
    table = raw.table(["Date", *_COLUMNS])
    months = pd.to_datetime(table["Date"], format="%b-%y", errors="coerce")
    if months.isna().any():
        line = int(months.isna().idxmax()) + 2
        raise SourceError("expected a month like 'Mar-18'", raw.name, None, line, "Date")
    tidy = pd.DataFrame({"month": months.dt.strftime("%Y-%m")})
    for heading, name in _COLUMNS.items():
        tidy[name] = raw.numbers(table[heading])
    low = {"officers_fte": 20_000, "staff_fte": 5_000, "pcsos_fte": 500}
    for name, floor in low.items():
        odd = tidy[name].isna() | (tidy[name] < floor) | (tidy[name] > 50_000)
        if odd.any():
            line = int(odd.idxmax()) + 2
            raise SourceError("not a plausible strength of the Met", raw.name, None, line, name)
    tidy = tidy.sort_values("month", ignore_index=True)
    expected = pd.period_range(tidy["month"].iloc[0], tidy["month"].iloc[-1], freq="M")
    if list(tidy["month"]) != [str(p) for p in expected]:
        raise SourceError("a month is missing or repeated", raw.name, column="Date")
    return tidy
