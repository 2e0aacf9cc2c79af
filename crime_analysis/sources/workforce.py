"""Home Office, Police workforce open data tables: people in post each 31 March, by force.

The published date reads 1 March and means 31 March. A force's figure is the sum over sex and
rank. Special constables and volunteers carry no full-time equivalent and are left out.
"""

from __future__ import annotations

import pandas as pd

from crime_analysis import places
from crime_analysis.errors import SourceError
from crime_analysis.sources.origin import total
from crime_analysis.sources.rawfile import Publication, RawFile

__all__ = ["HEADINGS", "PUBLICATION", "read", "recognise"]

PUBLICATION = Publication(
    id="home-office-workforce-open-data-2022",
    publisher="Home Office",
    title="Police workforce open data tables, 31 March 2007 to 2022",
    edition="July 2022",
    note="Full-time equivalents in post on 31 March; the date column reads 1 March.",
    series="home-office-workforce-open-data",
)

_LAST_DATE = "2022-03-31"
_COLUMNS = [
    "date", "force_name", "sex", "rank_description", "worker_type", "total_headcount", "total_fte",
]  # fmt: skip
#: What its heading row has.
HEADINGS: tuple[str, ...] = tuple(_COLUMNS)
# Designated officers (detention, escort, investigation) were counted as police staff in the
# profiles that give 2005 and 2006, so both count as staff here and the series can join.
_MEASURES = {
    "police officer": "officers",
    "police community support officer": "pcsos",
    "police staff": "staff",
    "designated officer": "staff",
}
# The Met, the largest force, had at most 34,000 officers, 15,000 staff and 5,000 PCSOs.
_MOST = {"officers": 50_000, "staff": 25_000, "pcsos": 10_000}
_WITHOUT_FTE = {"special constable", "police support volunteer"}


def recognise(raw: RawFile) -> Publication | None:
    """Return the edition that `raw` is, by its heading row and its last date."""
    if not raw.has(("worker_type", "total_fte")):
        return None
    year = max((date[:4] for date in raw.said("date")), default="")
    title = f"{PUBLICATION.title.removesuffix(_LAST_DATE[:4])}{year}"
    return PUBLICATION.later(_LAST_DATE[:4], year, title=title)


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
        figure or more full-time equivalents than heads, a year in which one of the 43 forces
        lacks a row that others have, a year that is missing, or an older edition.
    """
    table = raw.table(_COLUMNS)
    unknown = ~table["worker_type"].isin({*_MEASURES, *_WITHOUT_FTE})
    if unknown.any():
        kind = table["worker_type"].at[unknown.idxmax()]
        raise raw.error(f"unknown kind of worker {kind!r}", unknown.rename("worker_type"))
    dates = table["date"].str.extract(r"^(\d{4})-03-(?:01|31)$")[0]
    if dates.isna().any():
        raise raw.error("expected a day in March", dates.isna().rename("date"))
    table["date"] = dates + "-03-31"
    table["force_name"] = raw.names(table["force_name"], places.force)
    raw.require_unique(table[["date", "force_name", "sex", "rank_description", "worker_type"]])
    _require_every_force(table, raw)
    fte, heads = raw.numbers(table["total_fte"]), raw.numbers(table["total_headcount"])
    bad = ~((fte >= 0) & (fte <= heads + 1e-6)).rename("total_fte")
    if bad.any():
        raise raw.error("expected full-time equivalents from zero to the number of heads", bad)

    rows = pd.DataFrame(
        {
            "force": table["force_name"],
            "date": table["date"],
            "measure": table["worker_type"].map(_MEASURES),
            "fte": fte,
        }
    ).dropna(subset=["measure"])
    tidy = total(rows, ["force", "date", "measure"], "fte", "total_fte")
    # Sums of hundredths leave binary dust; the publication's own precision for these totals
    # is two places until 2016 and finer after, so six places lose nothing.
    tidy["fte"] = tidy["fte"].round(6)
    bad = (tidy["fte"] > tidy["measure"].map(_MOST)) | (
        (tidy["measure"] == "officers") & (tidy["fte"] < 100)
    )
    if bad.any():
        odd = tidy[bad].iloc[0]
        raise SourceError(
            f"{odd['fte']} {odd['measure']} in {odd['force']} on {odd['date']} cannot be full-time"
            " equivalents; are the units right?",
            raw.name,
            column="total_fte",
        )
    return tidy.sort_values(["force", "date", "measure"], ignore_index=True)


def _require_every_force(table: pd.DataFrame, raw: RawFile) -> None:
    """Check that whatever one force prints on a date all print: no row was lost on the way."""
    keys = ["date", "sex", "rank_description", "worker_type"]
    printed = table.groupby(keys)["force_name"].agg(set)
    for row, forces in printed[printed.map(len) < len(places.FORCES)].items():
        missing = sorted(set(places.FORCES) - forces)
        raise SourceError(
            f"no figures on {', '.join(row)} for {missing[:5]}", raw.name, column="force_name"
        )
    raw.require_edition(PUBLICATION, _LAST_DATE, table["date"], lambda date: int(date[:4]))
