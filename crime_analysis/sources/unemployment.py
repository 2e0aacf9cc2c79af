"""ONS/Nomis, model-based estimates of unemployment by London borough, calendar years.

The Annual Population Survey is too small for most boroughs; ONS models them with claimant
counts. Nomis prints each rate with the half-width of its 95% confidence interval. The City of
London has no estimate.
"""

from __future__ import annotations

import re

import pandas as pd

from crime_analysis import places
from crime_analysis.errors import SourceError
from crime_analysis.sources.origin import Origin, letters
from crime_analysis.sources.rawfile import Publication, RawFile
from crime_analysis.sources.sheet import plain

__all__ = ["PUBLICATION", "parse", "read", "recognise"]

PUBLICATION = Publication(
    id="ons-model-based-unemployment-2024",
    publisher="Office for National Statistics (Nomis)",
    title="Model-based estimates of unemployment, London boroughs, January to December",
    edition="2004 to 2024, from Nomis on 7 January 2026",
    note="Per cent of the economically active aged 16 and over; half-width of the 95% interval.",
    series="ons-model-based-unemployment",
)

_TITLE = "model-based estimates of unemployment"
_ITEM = "unemployment rate (model based)"
_CONFIDENCE = "95% confidence interval (+/-)"
_YEAR = re.compile(r"^jan (\d{4})\s*-\s*dec (\d{4})$")
_AREA = re.compile(r"^[a-z]+\d*:", re.IGNORECASE)
_FIRST, _LAST = 2004, 2024
# Rates in any borough and year lie between 2.3 and 14.2 per cent.
_LOWEST, _HIGHEST = 0.5, 30


def recognise(raw: RawFile) -> Publication | None:
    """Return the edition that `raw` is, by its heading lines, its years and its day at Nomis."""
    head = raw.head.casefold()
    if not all(text in head for text in (_TITLE, _ITEM)):
        return None
    last = max(re.findall(r'"jan (\d{4})-dec \1"', head), default="")
    day = re.search(r"\[from nomis on ([^\]]+)\]", raw.head, re.IGNORECASE)
    edition = f"{_FIRST} to {last}, from Nomis on {day[1]}" if day else ""
    return PUBLICATION.later(str(_LAST), last, edition=edition)


def read(raw: RawFile) -> pd.DataFrame:
    """Return unemployment rates by borough and calendar year, with their half-widths.

    Returns
    -------
    DataFrame
        ``place`` (32 boroughs), ``year``, ``measure`` (``rate``, ``half_width``), ``value``
        (per cent, percentage points) and ``origin`` (columns in spreadsheet letters, as the
        file has lines above its heading).

    Raises
    ------
    SourceError
        If a borough is missing, it is an older edition, or as `parse` does.
    """
    frame = parse(raw)
    missing = sorted(set(places.BOROUGHS) - set(frame["place"]))
    if missing:
        raise SourceError(f"no figures for {missing[:5]}", raw.name, column="Area")
    raw.require_edition(PUBLICATION, str(_LAST), frame["year"].astype(str), int)
    if frame["year"].min() != _FIRST:
        raise SourceError(f"expected the years from {_FIRST}", raw.name)
    return frame


def parse(raw: RawFile) -> pd.DataFrame:
    """Return the figures of whatever boroughs are there, as `read` does.

    Raises
    ------
    SourceError
        If the heading lines or columns are not as expected, a borough is unknown or there
        twice, a figure is missing, out of range, or a rate is not above its half-width, or the
        boroughs' rates do not lie on both sides of London's.
    """
    years, table = _table(raw)
    raw.require_unique(table[["Area"]])
    # The City of London is printed with a dash for every figure.
    unprinted = (table["Area"] == "City of London") & table.iloc[:, 1:].eq("-").all(axis=1)
    table = table[~unprinted]
    places_of = raw.names(table["Area"], lambda n: n if n == "London" else places.borough(n))
    parts = []
    for column, year in years.items():
        beside = table.columns[table.columns.get_loc(column) + 1]
        rate, half_width = raw.numbers(table[column]), raw.numbers(table[beside])
        bad = ~((half_width > 0) & (half_width < rate) & rate.between(_LOWEST, _HIGHEST))
        if bad.any():
            found = table.loc[bad.idxmax(), [column, beside]].tolist()
            raise raw.error(
                f"expected a rate in per cent and a smaller half-width, found {found}",
                bad.rename(column),
            )
        _require_london(raw, rate, places_of == "London", year)
        for measure, values, at in (("rate", rate, column), ("half_width", half_width, beside)):
            parts.append(
                pd.DataFrame(
                    {
                        "place": places_of,
                        "year": year,
                        "measure": measure,
                        "value": values,
                        "origin": [(Origin("", str(line), at),) for line in table.index],
                    }
                )
            )
    frame = pd.concat(parts)
    return frame[frame["place"] != "London"].sort_values(
        ["place", "year", "measure"], ignore_index=True
    )


def _table(raw: RawFile) -> tuple[dict[str, int], pd.DataFrame]:
    """Return the year of each column of rates, and the areas' rows, by line and letters."""
    said = ""
    heading: list[str] = []
    years: dict[str, int] = {}
    index, rows = [], []
    for line, row in raw.lines():
        if not heading:
            said += " ".join(plain(cell) for cell in row) + "\n"
            if plain(row[0]) == "area":
                heading, years = row, _years(raw, line, row)
        elif _AREA.match(row[0]):
            if len(row) != len(heading):
                raise SourceError(
                    f"expected {len(heading)} cells as in the heading, found {len(row)}",
                    raw.name,
                    None,
                    line,
                )
            index.append(line)
            rows.append([_AREA.sub("", row[0]).strip(), *row[1:]])
    for text in (_TITLE, _ITEM, _CONFIDENCE):
        if text not in said:
            raise SourceError(f"no heading line with {text!r}", raw.name)
    if not heading:
        raise SourceError("no heading row that begins with 'Area'", raw.name)
    columns = ["Area", *(letters(c) for c in range(1, len(heading)))]
    table = pd.DataFrame(rows, index=index, columns=columns, dtype=str)
    if "London" not in set(table["Area"]):
        raise SourceError("no row of London: the file was cut short", raw.name, column="Area")
    return years, table


def _years(raw: RawFile, line: int, row: list[str]) -> dict[str, int]:
    """Return the year of each column of rates; each is followed by its column of confidence."""
    found: dict[str, int] = {}
    for column, cell in enumerate(row[1:], start=1):
        match = _YEAR.match(plain(cell))
        if column % 2 and match and match[1] == match[2]:
            found[letters(column)] = int(match[1])
        elif column % 2 or not plain(cell).startswith("conf"):
            raise SourceError(
                f"expected a year 'Jan 2004-Dec 2004' and 'Conf' in turn, found {cell!r}",
                raw.name,
                None,
                line,
                letters(column),
            )
    years = list(found.values())
    if not years or years != list(range(years[0], years[0] + len(years))) or len(row) % 2 == 0:
        raise SourceError(
            f"expected years in order, each with 'Conf'; found {years}", raw.name, None, line
        )
    return found


def _require_london(raw: RawFile, rate: pd.Series, is_london: pd.Series, year: int) -> None:
    """Check that London's rate lies among its boroughs'."""
    london, boroughs = rate[is_london].iloc[0], rate[~is_london]
    if not boroughs.min() <= london <= boroughs.max():
        raise raw.error(
            f"London's rate in {year} is {london}, its boroughs' {boroughs.min()} to"
            f" {boroughs.max()}",
            is_london.rename(str(rate.name)),
        )
