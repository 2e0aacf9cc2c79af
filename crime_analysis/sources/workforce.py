"""Home Office, Police workforce open data tables: people in post each 31 March, by force.

The published date reads 1 March and means 31 March. A force's figure is the sum over sex and
rank. Special constables and volunteers carry no full-time equivalent and are left out.
"""

from __future__ import annotations

import pandas as pd

from crime_analysis import places
from crime_analysis.errors import SourceError
from crime_analysis.sources.rawfile import Publication, RawFile

__all__ = ["PUBLICATION", "read", "recognise"]

PUBLICATION = Publication(
    id="home-office-workforce-open-data-2022",
    publisher="Home Office",
    title="Police workforce open data tables, 31 March 2007 to 2022",
    edition="July 2022",
    note="Full-time equivalents in post on 31 March; the date column reads 1 March.",
)

_COLUMNS = ["date", "geo_code", "force_name", "sex", "rank_description", "worker_type", "total_fte"]
# Designated officers (detention, escort, investigation) were counted as police staff in the
# profiles that give 2005 and 2006, so both count as staff here and the series can join.
_MEASURES = {
    "police officer": "officers",
    "police community support officer": "pcsos",
    "police staff": "staff",
    "designated officer": "staff",
}
_WITHOUT_FTE = {"special constable", "police support volunteer"}


def recognise(raw: RawFile) -> Publication | None:
    """Return the publication if `raw` is this one, by its heading row."""
    heading = raw.head.partition("\n")[0]
    return PUBLICATION if all(c in heading for c in ("worker_type", "total_fte")) else None


def read(raw: RawFile) -> pd.DataFrame:
    """Return full-time equivalents by force, date and kind of worker.

    Returns
    -------
    DataFrame
        ``force``, ``date`` (ISO text, 31 March), ``measure`` (officers, pcsos, staff) and
        ``fte`` (full-time equivalents), one row each, sorted.

    Raises
    ------
    SourceError
        On an unknown kind of worker, a date that is not in March, a repeated row, a negative
        figure, or a year in which one of the 43 forces is missing.
    """
    table = raw.table(_COLUMNS)
    kinds = set(table["worker_type"]) - set(_MEASURES) - _WITHOUT_FTE
    if kinds:
        raise SourceError(
            f"unknown kinds of worker {sorted(kinds)}", raw.name, column="worker_type"
        )
    dates = table["date"].str.extract(r"^(\d{4})-03-(?:01|31)$")[0]
    if dates.isna().any():
        line = int(dates.isna().idxmax()) + 2
        raise SourceError("expected a day in March", raw.name, row=line, column="date")
    keys = ["date", "force_name", "sex", "rank_description", "worker_type"]
    repeated = table.duplicated(keys)
    if repeated.any():
        line = int(repeated.idxmax()) + 2
        raise SourceError("repeats an earlier row's keys", raw.name, row=line)
    fte = raw.numbers(table["total_fte"])
    if (fte < 0).any() or fte.isna().any():
        line = int(((fte < 0) | fte.isna()).idxmax()) + 2
        raise SourceError(
            "expected a figure of zero or more", raw.name, row=line, column="total_fte"
        )

    names = {name: places.force(name) for name in table["force_name"].unique()}
    tidy = (
        pd.DataFrame(
            {
                "force": table["force_name"].map(names),
                "date": dates + "-03-31",
                "measure": table["worker_type"].map(_MEASURES),
                "fte": fte,
            }
        )
        .dropna(subset=["measure"])
        .groupby(["force", "date", "measure"], as_index=False)["fte"]
        .sum()
    )
    # Sums of hundredths leave binary dust; the publication's own precision for these totals
    # is two places until 2016 and finer after, so six places lose nothing.
    tidy["fte"] = tidy["fte"].round(6)
    for date, forces in tidy.groupby("date")["force"]:
        missing = set(places.FORCES) - set(forces)
        if missing:
            raise SourceError(f"no figures on {date} for {sorted(missing)}", raw.name)
    officers = tidy[tidy["measure"] == "officers"]
    if (officers["fte"] < 100).any() or (officers["fte"] > 100_000).any():
        odd = officers.loc[(officers["fte"] < 100) | (officers["fte"] > 100_000)].iloc[0]
        raise SourceError(
            f"{odd['fte']} officers in {odd['force']} on {odd['date']} cannot be full-time"
            " equivalents; are the units right?",
            raw.name,
            column="total_fte",
        )
    return tidy.sort_values(["force", "date", "measure"], ignore_index=True)
