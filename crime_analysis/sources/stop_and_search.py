"""Stop and search by the Met, counted by month from the records on data.police.uk.

April 2015 to August 2024. The Met's records are missing from March 2019 to May 2021 and for
January 2022: those months are absent, not nought. December 2022 has 5,706 stops between months
of 13,109 and 16,401: it looks partial. April 2015 is 7% below the Met's own count of searches,
May to November 2015 within 2% of it.
"""

from __future__ import annotations

import pandas as pd

from crime_analysis.errors import SourceError
from crime_analysis.sources.origin import Origin
from crime_analysis.sources.rawfile import Publication, RawFile
from crime_analysis.sources.sheet import month_number, plain

__all__ = ["LOOKS_PARTIAL", "PUBLICATION", "parse", "read", "recognise"]

PUBLICATION = Publication(
    id="police-uk-met-stop-and-search-2024-08",
    publisher="Home Office (data.police.uk); Metropolitan Police Service",
    title="Stop and search records of the Metropolitan Police, counted by month",
    edition="April 2015 to August 2024",
    note="Missing: March 2019 to May 2021, January 2022. December 2022 looks partial.",
    series="police-uk-met-stop-and-search",
)

#: Months that are printed but look as if records were lost.
LOOKS_PARTIAL: tuple[str, ...] = ("2022-12",)

_FIRST, _LAST = "2015-04", "2024-08"
_GAPS = {*pd.period_range("2019-03", "2021-05", freq="M").astype(str), "2022-01"}
_BY_LAW = {
    "leg: (none)": "no_law_given",
    "leg: Criminal Justice Act 1988 (section 139B)": "section_139b_school_weapons",
    "leg: Criminal Justice and Public Order Act 1994 (section 60)": "section_60",
    "leg: Firearms Act 1968 (section 47)": "section_47_firearms",
    "leg: Misuse of Drugs Act 1971 (section 23)": "section_23_drugs",
    "leg: Police and Criminal Evidence Act 1984 (section 1)": "section_1_pace",
}
# The most in a month so far is 18,402.
_MOST = 100_000


def recognise(raw: RawFile) -> Publication | None:
    """Return the edition that `raw` is, by its heading row and its last month."""
    heading = plain(raw.head.partition("\n")[0])
    wanted = ("month,stops,", "obj: controlled drugs", "(section 60)")
    if not all(text in heading for text in wanted):
        return None
    return PUBLICATION.later(_LAST, max(raw.said("month"), default=""))


def read(raw: RawFile) -> pd.DataFrame:
    """Return stops by month and by the law they were made under.

    Returns
    -------
    DataFrame
        ``month``, ``measure`` (``all``, ``section_60`` and the other laws, which add up to
        all), ``stops`` and ``origin``. Missing months have no rows.

    Raises
    ------
    SourceError
        On an unknown or missing column, a month that is repeated, out of order or newly
        missing, a figure that is no whole number, laws or objects of search that do not add
        up to all stops, or another edition.
    """
    frame = parse(raw)
    months = set(frame["month"])
    raw.require_edition(PUBLICATION, _LAST, months, month_number)
    lost = set(pd.period_range(_FIRST, _LAST, freq="M").astype(str)) - _GAPS - months
    if lost or min(months) != _FIRST:
        raise SourceError(
            f"months from {min(months)}, without {sorted(lost)[:5]}", raw.name, column="month"
        )
    return frame


def parse(raw: RawFile) -> pd.DataFrame:
    """Return stops by month and law, as `read` does; any months."""
    heading = next((row for _, row in raw.lines()), [])
    objects = [cell for cell in heading if plain(cell).startswith("obj:")]
    unknown = [
        cell
        for cell in heading
        if cell not in objects
        and plain(cell) not in {plain(c) for c in ("month", "stops", *_BY_LAW)}
    ]
    if unknown or not objects:
        raise SourceError(
            f"expected month, stops, {len(_BY_LAW)} laws and the objects of search; unknown:"
            f" {unknown[:5]} among {heading[:8]}",
            raw.name,
            None,
            1,
        )
    table = raw.table(["month", "stops", *_BY_LAW, *objects])
    odd = ~table["month"].str.fullmatch(r"20\d\d-(?:0[1-9]|1[0-2])")
    if odd.any():
        raise raw.error("expected a month like '2015-04'", odd)
    later = table["month"] > table["month"].shift(fill_value="")
    if not later.all():
        raise raw.error("a month that is repeated or out of order", ~later.rename("month"))
    counts = table.drop(columns="month").apply(lambda column: raw.counts(column, high=_MOST))
    for parts in (list(_BY_LAW), objects):
        off = (counts[parts].sum(axis=1) != counts["stops"]).rename("stops")
        if off.any():
            found = f"{counts['stops'].at[off.idxmax()]} stops, not the sum of {parts[0]!r} to"
            raise raw.error(f"{found} {parts[-1]!r}", off)
    printed = {plain(cell): cell for cell in heading}
    parts = [
        pd.DataFrame(
            {
                "month": table["month"],
                "measure": measure,
                "stops": counts[column],
                "origin": [(Origin("", str(n), printed[plain(column)]),) for n in table.index],
            }
        )
        for column, measure in {"stops": "all", **_BY_LAW}.items()
    ]
    return pd.concat(parts).sort_values(["month", "measure"], ignore_index=True)
