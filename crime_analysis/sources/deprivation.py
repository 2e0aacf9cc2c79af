"""MHCLG, English Indices of Deprivation 2004 to 2019 by local authority.

Score is the mean of the neighbourhoods' (LSOA) scores, proportion the share of neighbourhoods
in England's most deprived tenth, extent the share of people in the most deprived three tenths,
counted less as deprivation falls. Scores have no unit and no fixed origin: they rank places
within an edition and cannot be subtracted between editions.

Nothing in the files names their edition: 2004 to 2015 have the same columns and authorities. An
edition is known by the printed scores of its first three authorities (Hartlepool, Middlesbrough,
Redcar and Cleveland); a file with other scores is another edition, and is not guessed.
"""

from __future__ import annotations

import re

import pandas as pd

from crime_analysis.errors import SourceError
from crime_analysis.sources.origin import Origin
from crime_analysis.sources.rawfile import Publication, RawFile
from crime_analysis.sources.sheet import plain

__all__ = ["PUBLICATIONS", "parse", "read", "recognise"]

_MEASURES = {"Score": "score", "Proportion": "proportion", "Extent": "extent"}
_KNOWN = {
    2004: {"E06000001": 37.61701, "E06000002": 40.73443, "E06000003": 30.57279},
    2007: {"E06000001": 33.91975, "E06000002": 38.94017, "E06000003": 29.69036},
    2010: {"E06000001": 33.25223, "E06000002": 37.62035, "E06000003": 28.54555},
    2015: {"E06000001": 33.17787, "E06000002": 40.21562, "E06000003": 28.56674},
    2019: {"E06000001": 35.037, "E06000002": 40.46, "E06000003": 29.792},
}
_AUTHORITIES = {2004: 309, 2007: 309, 2010: 309, 2015: 309, 2019: 317}
_CODE = re.compile(r"ltla\d\d_code")
# Extent counts everyone whom proportion counts: below it only by rounding and by unequal
# numbers of people (one authority in 2015, by 0.0007).
_TOLERANCE = 0.002


def _publication(year: int) -> Publication:
    drawn = "2019" if year == 2019 else "2021, re-aggregated from neighbourhoods"
    return Publication(
        id=f"mhclg-indices-of-deprivation-{year}",
        publisher="Ministry of Housing, Communities and Local Government",
        title=f"English Indices of Deprivation {year}, local authority summaries",
        edition=f"{year}, local authorities of {drawn}",
        note="Ranks places within an edition; scores of two editions cannot be subtracted.",
    )


PUBLICATIONS = tuple(_publication(year) for year in _KNOWN)


def recognise(raw: RawFile) -> Publication | None:
    """Return the edition that `raw` is, by its headings and its first authorities' scores."""
    heading, *lines = raw.head.splitlines() or [""]
    cells = [plain(cell) for cell in heading.split(",")]
    if not _CODE.match(cells[0]) or not {plain(m) for m in _MEASURES} <= set(cells):
        return None
    at = cells.index("score")
    rows = (line.split(",") for line in lines)
    year = _edition({row[0]: row[at] for row in rows if len(row) == len(cells)})
    return None if year is None else _publication(year)


def read(raw: RawFile) -> pd.DataFrame:
    """Return the three summary measures of every local authority of England in one edition.

    Returns
    -------
    DataFrame
        ``code`` (ONS local authority; boroughs of London are E09000002 to E09000033),
        ``year`` (of the edition), ``measure`` (score, proportion, extent), ``value`` and
        ``origin``.

    Raises
    ------
    SourceError
        If the edition has fewer or more authorities, or as `parse` does.
    """
    frame = parse(raw)
    year = int(frame["year"].iloc[0])
    found = frame["code"].nunique()
    if found != _AUTHORITIES[year]:
        raise SourceError(
            f"expected the {_AUTHORITIES[year]} authorities of the edition of {year}, found"
            f" {found}; get the whole file",
            raw.name,
        )
    return frame


def parse(raw: RawFile) -> pd.DataFrame:
    """Return the figures of whatever authorities are there, as `read` does.

    Raises
    ------
    SourceError
        If the edition is none that is known, a code is no authority of England or repeated, or
        a figure is missing, out of range or less extensive than its proportion.
    """
    heading = raw.head.partition("\n")[0].split(",")
    code = next((plain(cell) for cell in heading if _CODE.match(plain(cell))), "ltla.._code")
    table = raw.table([code, *_MEASURES])
    year = _edition(dict(zip(table[code], table["Score"], strict=True)))
    if year is None:
        first = {
            c: dict(zip(table[code], table["Score"], strict=True)).get(c) for c in _KNOWN[2004]
        }
        raise SourceError(
            f"no known edition of the indices ({', '.join(map(str, _KNOWN))}): its scores are"
            f" {first}",
            raw.name,
            column="Score",
        )
    odd = ~table[code].str.fullmatch(r"E0[6-9]\d{6}")
    if odd.any():
        raise raw.error("expected the code of a local authority of England", odd)
    raw.require_unique(table[[code]])
    values = {name: raw.numbers(table[column]) for column, name in _MEASURES.items()}
    for column, name in _MEASURES.items():
        low, high = (1, 100) if name == "score" else (0, 1)
        bad = ~values[name].between(low, high)
        if bad.any():
            raise raw.error(f"expected a {name} from {low} to {high}", bad.rename(column))
    less = values["extent"] < values["proportion"] - _TOLERANCE
    if less.any():
        raise raw.error("an extent below the proportion", less.rename("Extent"))
    parts = [
        pd.DataFrame(
            {
                "code": table[code],
                "year": year,
                "measure": name,
                "value": values[name],
                "origin": [(Origin("", str(line), column),) for line in table.index],
            }
        )
        for column, name in _MEASURES.items()
    ]
    return pd.concat(parts).sort_values(["code", "measure"], ignore_index=True)


def _edition(scores: dict[str, str]) -> int | None:
    """Return the year of the edition that prints these scores."""
    for year, known in _KNOWN.items():
        try:
            if all(abs(float(scores[code]) - score) < 1e-4 for code, score in known.items()):
                return year
        except (KeyError, ValueError):
            return None
    return None
