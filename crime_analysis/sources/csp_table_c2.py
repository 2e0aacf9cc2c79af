"""ONS, Table C2: recorded crime by Community Safety Partnership; the boroughs of London.

The table prints each force's total above its partnerships, and offences that were placed in
none as "Unassigned". The City of London is one partnership and has no total of its own. Forces
are told apart by name: in the year ending June 2025 Surrey's unassigned row carries Kent's code.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import re

import pandas as pd

from crime_analysis import places
from crime_analysis.errors import SourceError
from crime_analysis.sources.origin import Origin, letters
from crime_analysis.sources.rawfile import Publication, RawFile
from crime_analysis.sources.sheet import plain

__all__ = ["PUBLICATION", "parse", "read", "recognise"]

PUBLICATION = Publication(
    id="ons-csp-table-c2-2025-06",
    publisher="Office for National Statistics",
    title="Crime in England and Wales: Recorded crime by Community Safety Partnership, Table C2",
    edition="Year ending June 2025",
    note="Offences placed in no borough (4% of the Met's) are in the force's total only.",
    series="ons-csp-table-c2",
)

_TITLE = re.compile(
    r"table c2: .* by community safety partnership area\b.*\byear ending ([a-z]+ \d{4})"
)
_NOTE = re.compile(r"\s*\[note \d+\]")
_FORCE, _PARTNERSHIP = "police force area name", "community safety partnership name"
_AUTHORITY = "local authority code"
_HEADINGS = (
    "total recorded crime (excluding fraud)", "violence against the person", "homicide",
    "death or serious injury caused by illegal driving", "violence with injury",
    "violence without injury", "stalking and harassment", "sexual offences", "robbery",
    "theft offences", "burglary", "residential burglary", "non-residential burglary",
    "vehicle offences", "theft from the person", "bicycle theft", "shoplifting",
    "all other theft offences", "criminal damage and arson", "drug offences",
    "possession of weapons offences", "public order offences",
    "miscellaneous crimes against society",
)  # fmt: skip
# As the shipped table of recorded crime names them; the rest keep their headings.
_NAMES = {
    "total recorded crime (excluding fraud)": "total_excluding_fraud",
    "death or serious injury caused by illegal driving": "death_or_injury_driving",
    "possession of weapons offences": "possession_of_weapons",
}
_GROUPS = {h: _NAMES.get(h) or h.replace("-", "_").replace(" ", "_") for h in _HEADINGS}
_SUMS = {
    "total_excluding_fraud": [
        "violence_against_the_person", "sexual_offences", "robbery", "theft_offences",
        "criminal_damage_and_arson", "drug_offences", "possession_of_weapons",
        "public_order_offences", "miscellaneous_crimes_against_society",
    ],
    "violence_against_the_person": [
        "homicide", "death_or_injury_driving", "violence_with_injury",
        "violence_without_injury", "stalking_and_harassment",
    ],
    "theft_offences": [
        "burglary", "vehicle_offences", "theft_from_the_person", "bicycle_theft",
        "shoplifting", "all_other_theft_offences",
    ],
    "burglary": ["residential_burglary", "non_residential_burglary"],
}  # fmt: skip
# Whole numbers, and what is in no borough has a row: the Met's total is met to the offence.
# Elsewhere one offence stands in another force's partnerships (a shoplifting of South Wales in
# Gwent, June 2025); we read no partnerships there.
_TOLERANCE = 1
# The Met's total of all offences is 940,619.
_MOST = 5_000_000
_MET, _CITY = "Metropolitan Police", "City of London"


def recognise(raw: RawFile) -> Publication | None:
    """Return the publication, with its edition, if `raw` is a Table C2, by its first line."""
    match = _TITLE.search(plain(raw.head[:400]))
    if match is None:
        return None
    month = _month(match[1])
    if month is None:
        return None
    return dataclasses.replace(
        PUBLICATION, id=f"ons-csp-table-c2-{month}", edition=f"Year ending {match[1].title()}"
    )


def read(raw: RawFile) -> pd.DataFrame:
    """Return offences of the 43 forces and 32 boroughs by offence group in one year.

    Returns
    -------
    DataFrame
        ``place``, ``kind`` (force, borough), ``offence_group`` (23 headline groups, some
        within others), ``offences``, ``year_ending`` (text, ``2025-06``) and ``origin``
        (columns in spreadsheet letters, as the file has lines above its heading).

    Raises
    ------
    SourceError
        If a force or a borough is missing, or as `parse` does.
    """
    frame = parse(raw)
    for kind, known in (("force", places.FORCES), ("borough", places.BOROUGHS)):
        missing = sorted(set(known) - set(frame["place"][frame["kind"] == kind]))
        if missing:
            raise SourceError(f"no {kind} {missing[:5]}", raw.name, column=_FORCE)
    return frame


def parse(raw: RawFile) -> pd.DataFrame:
    """Return the figures of whatever forces are there, as `read` does.

    A figure marked unavailable, ``[x]``, has no row.

    Raises
    ------
    SourceError
        If the title or a column is missing, a force or borough unknown or there twice, a
        figure no whole number, parts of a group do not add up to it, or partnerships to their
        force's total.
    """
    title = plain(next((row[0] for _, row in raw.lines()), ""))
    match = _TITLE.search(title)
    year_ending = _month(match[1]) if match else None
    if year_ending is None:
        raise SourceError(
            "no title 'Table C2: ... by Community Safety Partnership area ... year ending'; found"
            f" {title[:60]!r}",
            raw.name,
            None,
            1,
        )
    table, columns = _table(raw)
    table["force"] = raw.names(table[_FORCE], places.force)
    partnership = table[_PARTNERSHIP].str.strip()
    raw.require_unique(table[["force"]].assign(partnership=partnership.str.casefold()))
    unassigned = partnership.str.casefold().str.startswith("unassigned")
    blank = table[list(_GROUPS)].apply(lambda c: c.str.strip() == "")
    table = table[~(unassigned & blank.all(axis=1))]
    counts = _counts(table, raw)
    is_total = (partnership == "").loc[table.index]
    _require_sums(counts, raw)
    _require_totals(counts, table["force"], is_total, raw)

    is_city = table["force"] == _CITY
    in_london = table[_AUTHORITY].str.strip().str.startswith("E09") & (table["force"] == _MET)
    parts = []
    for kind, chosen in (("force", is_total | is_city), ("borough", in_london)):
        names = table["force"][chosen]
        if kind == "borough":
            names = raw.names(table[_PARTNERSHIP][chosen], places.borough)
        wide = counts[chosen].assign(place=names, kind=kind, line=counts.index[chosen])
        parts.append(wide.melt(["place", "kind", "line"], var_name="offence_group"))
    frame = pd.concat(parts).dropna(subset=["value"]).assign(year_ending=year_ending)
    frame["offences"] = frame["value"].astype("int64")
    letters_of = {group: columns[heading] for heading, group in _GROUPS.items()}
    frame["origin"] = [
        (Origin("", str(line), letters_of[group]),)
        for line, group in zip(frame["line"], frame["offence_group"], strict=True)
    ]
    return frame[
        ["place", "kind", "offence_group", "offences", "year_ending", "origin"]
    ].sort_values(["kind", "place", "offence_group"], ignore_index=True)


def _month(text: str) -> str | None:
    """Return 'June 2025' as '2025-06'."""
    try:
        return f"{dt.datetime.strptime(text, '%B %Y'):%Y-%m}"
    except ValueError:
        return None


def _table(raw: RawFile) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the rows under the heading, by line, and each heading's column in letters."""
    heading: list[str] = []
    index, rows = [], []
    for line, row in raw.lines():
        if not heading:
            folded = [_NOTE.sub("", plain(cell)) for cell in row]
            if _FORCE in folded:
                heading = folded
        elif len(row) != len(heading):
            raise SourceError(
                f"expected {len(heading)} cells as in the heading, found {len(row)}",
                raw.name,
                None,
                line,
            )
        elif any(cell.strip() for cell in row):
            index.append(line)
            rows.append(row)
    for wanted in (_FORCE, _PARTNERSHIP, _AUTHORITY, *_GROUPS):
        if heading.count(wanted) != 1:
            raise SourceError(
                f"expected one column {wanted!r}, found {heading.count(wanted)} among"
                f" {heading[:12]}",
                raw.name,
                column=wanted,
            )
    table = pd.DataFrame(rows, index=index, columns=heading, dtype=str)
    return table, {name: letters(column) for column, name in enumerate(heading)}


def _counts(table: pd.DataFrame, raw: RawFile) -> pd.DataFrame:
    """Return the offences as numbers: NaN only where the publisher printed ``[x]``."""
    counts = pd.DataFrame(index=table.index)
    for heading, group in _GROUPS.items():
        cells = table[heading]
        counts[group] = raw.numbers(cells)
        unavailable = cells.str.strip() == "[x]"
        bad = ~unavailable & ~(counts[group].between(0, _MOST) & (counts[group] % 1 == 0))
        if bad.any():
            found = cells.at[bad.idxmax()]
            raise raw.error(
                f"expected a whole number of offences, found {found!r}", bad.rename(heading)
            )
    return counts


def _require_sums(counts: pd.DataFrame, raw: RawFile) -> None:
    """Check each row's printed groups against their parts, where all are available."""
    for group, parts in _SUMS.items():
        apart = counts[group] - counts[parts].sum(axis=1, skipna=False)
        bad = apart.abs() > 0
        if bad.any():
            raise raw.error(
                f"the parts of {group} miss it by {apart[bad].iloc[0]:+.0f}", bad.rename(group)
            )


def _require_totals(
    counts: pd.DataFrame, forces: pd.Series, is_total: pd.Series, raw: RawFile
) -> None:
    """Check each force's printed total against its partnerships, where all are available."""
    totals = counts[is_total].set_axis(forces[is_total])
    for force, rows in counts[~is_total].groupby(forces[~is_total]):
        if force not in totals.index:
            if force == _CITY:
                continue
            raise SourceError(f"no total of {force}", raw.name, None, int(rows.index[0]), _FORCE)
        apart = rows.sum(skipna=False) - totals.loc[force]
        bad = apart.abs() > (0 if force == _MET else _TOLERANCE)
        if bad.any():
            line = int(is_total.index[is_total & (forces == force)][0])
            raise SourceError(
                f"the partnerships of {force} miss its total by {apart[bad.idxmax()]:+.0f}",
                raw.name,
                None,
                line,
                str(bad.idxmax()),
            )
    alone = sorted(set(totals.index) - set(forces[~is_total]))
    if alone:
        raise SourceError(f"no partnership of {alone[0]}", raw.name, column=_PARTNERSHIP)
