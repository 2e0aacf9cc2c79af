"""The layout of the Met's borough tables: a row a borough and class, a month a column.

Several publications have it, and their headings have changed from edition to edition. What the
classes mean is for `mps_borough_crime` (the Home Office's) and `mps_borough_crime_old`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

from crime_analysis import places
from crime_analysis.errors import SourceError
from crime_analysis.sources.origin import Origin, span
from crime_analysis.sources.rawfile import Publication, RawFile
from crime_analysis.sources.sheet import plain

__all__ = [
    "ELSEWHERE",
    "Classification",
    "borough_or_elsewhere",
    "only_boroughs",
    "parse",
    "recognise",
]

#: The place of offences that the Met counts but puts in no borough.
ELSEWHERE = "Not in a borough"
_ELSEWHERE = {
    "", "unknown", "other / nk", "n/k", "n/k (legacy only)", "non met police force",
    "aviation security", "aviation security (so18)", "aviation security (so18) (legacy only)",
    "aviation security(so18)", "heathrow airport", "london heathrow and london city airports",
}  # fmt: skip

# Headings of the editions so far and those of the same meaning, letters only.
_HEADINGS = {
    "place": {"borough", "boroughname", "lookupboroughname", "boroughsnt"},
    "major": {"majortext", "majorcategory", "majorclass", "crimetype", "offencegroup"},
    "minor": {"minortext", "minorcategory", "minorclass", "crimesubtype", "offencesubgroup"},
}
_MONTH = re.compile(r"((?:19|20)\d\d)-?(0[1-9]|1[0-2])(?:-01)?")
# The most in any place, class and month so far is 1,799 (Unknown, March 2020), and 7 murders.
_MOST, _MOST_HOMICIDES = 10_000, 100
# As rare as homicides.
_DRIVING = "death_or_injury_driving"


@dataclass(frozen=True)
class Classification:
    """One way of sorting offences, and the publication that uses it.

    Attributes
    ----------
    name : str
        Value of the column ``classification``.
    publication : Publication
        Its id and edition are completed with the months that a file holds.
    major_of : mapping
        Every minor class of the major classes that groups are made of, and its major class.
    other_majors : collection of str
        The major classes that no group is made of; they are left out.
    groups : mapping
        Offence groups, and the minor classes that each adds up.
    killings : str
        The minor class that cannot have more than a hundred offences.
    may_lack : collection of str
        Minor classes that an edition need not have at all.
    none_counted : mapping
        Last month of an edition: borough and class that it prints no row for, as no edition
        has a row of noughts.
    """

    name: str
    publication: Publication
    major_of: Mapping[str, str]
    other_majors: Collection[str]
    groups: Mapping[str, Sequence[str]]
    killings: str
    may_lack: Collection[str] = ()
    none_counted: Mapping[str, Collection[tuple[str, str]]] = field(default_factory=dict)

    def edition(self, first: str, last: str) -> Publication:
        """Return the publication for a file of the months `first` to `last`."""
        months = f"{first}-{last}".replace("-", "")
        return replace(
            self.publication,
            id=f"{self.publication.id}-{months[:6]}-{months[6:]}",
            edition=f"{first} to {last}",
        )


def recognise(raw: RawFile, classification: Classification) -> Publication | None:
    """Return the edition if `raw` counts these classes by borough, a month a column."""
    rows = list(csv.reader(raw.head.splitlines()))
    columns, months = _columns(rows[0] if rows else [])
    if not months or any(len(found) != 1 for found in columns.values()):
        return None
    # The last line of the head may be half a line.
    at = [rows[0].index(columns[role][0]) for role in ("major", "minor")]
    pairs = {tuple(plain(row[i]) for i in at) for row in rows[1:-1] if len(row) > max(at)}
    own = {(major, minor) for minor, major in classification.major_of.items()}
    tell_tale = pairs & own | {p for p in pairs if p[0] in classification.other_majors}
    # Old and new classes alike have rape, and burglaries by other names.
    if not {p for p in tell_tale if p != ("sexual offences", "rape") and p[0] != "burglary"}:
        return None
    return classification.edition(min(months.values()), max(months.values()))


def borough_or_elsewhere(name: str) -> str:
    """Return a borough's official name, or `ELSEWHERE` for a known name of none.

    Raises
    ------
    UnknownNameError
        If the name is neither.

    Examples
    --------
    >>> borough_or_elsewhere("London Heathrow and London City Airports")
    'Not in a borough'
    """
    return ELSEWHERE if plain(name) in _ELSEWHERE else places.borough(name)


def only_boroughs(frame: pd.DataFrame, raw: RawFile) -> pd.DataFrame:
    """Return the rows of boroughs, having checked that all 32 are there.

    Raises
    ------
    SourceError
        Naming the boroughs that are not.
    """
    missing = sorted(set(places.BOROUGHS) - set(frame["place"]))
    if missing:
        raise SourceError(f"no rows of {missing[:5]}: get the whole file", raw.name)
    return frame[frame["place"] != ELSEWHERE].reset_index(drop=True)


def parse(raw: RawFile, classification: Classification) -> pd.DataFrame:
    """Return offences of every place in the file, boroughs missing or not."""
    heading = next((row for _, row in raw.lines()), [])
    columns, months = _require_columns(heading, raw)
    place, major, minor = (columns[role] for role in ("place", "major", "minor"))
    table = raw.table([place, major, minor, *months])
    table["where"] = raw.names(table[place], borough_or_elsewhere)
    table["class"] = table[minor].map(plain)
    majors = table[major].map(plain)
    known = majors.isin({*classification.major_of.values(), *classification.other_majors})
    if not known.all():
        found = table[major].at[(~known).idxmax()]
        raise raw.error(f"{found!r} is no major class of these", ~known.rename(major))
    raw.require_unique(table[["where", place, major, minor]].apply(lambda c: c.map(plain)))
    wanted = ~majors.isin(classification.other_majors)
    misplaced = wanted & (table["class"].map(classification.major_of) != majors)
    if misplaced.any():
        found = table.loc[misplaced.idxmax(), [major, minor]].tolist()
        raise raw.error(f"unknown class {found}", misplaced.rename(minor))
    table = table[wanted]
    boroughs = table[table["where"] != ELSEWHERE]
    raw.require_unique(boroughs[["where", "class"]])
    _require_every_class(boroughs, classification, max(months.values()), raw)
    counts = table[list(months)].apply(lambda column: raw.counts(column, high=_MOST))
    for name in (classification.killings, *classification.groups.get(_DRIVING, ())):
        killings = counts[table["class"] == name]
        for column in killings.columns[(killings > _MOST_HOMICIDES).any()]:
            raise raw.error(
                f"more than {_MOST_HOMICIDES} of {name!r} in a month",
                killings[column] > _MOST_HOMICIDES,
            )
    records = []
    for where, rows in table.groupby("where")["class"]:
        for group, parts in classification.groups.items():
            lines = rows.index[rows.isin(parts)]
            cells = span(lines)
            totals = counts.loc[lines].to_numpy().sum(axis=0)
            records += [
                (
                    where,
                    month,
                    classification.name,
                    group,
                    int(offences),
                    (Origin("", cells, column),) if cells else (),
                )
                for (column, month), offences in zip(months.items(), totals, strict=True)
            ]
    return pd.DataFrame(
        records,
        columns=["place", "month", "classification", "offence_group", "offences", "origin"],
    ).sort_values(["place", "month", "offence_group"], ignore_index=True)


def _columns(heading: Sequence[str]) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Return the headings that mean a place, a major and a minor class, and the months'."""
    bare = {cell: re.sub("[^a-z]", "", plain(cell)) for cell in heading}
    found = {role: [c for c in bare if bare[c] in known] for role, known in _HEADINGS.items()}
    months = {c: f"{m[1]}-{m[2]}" for c in heading if (m := _MONTH.fullmatch(plain(c)))}
    return found, months


def _require_columns(heading: Sequence[str], raw: RawFile) -> tuple[dict[str, str], dict[str, str]]:
    """Return the heading of each role, and each month's; nothing else may be there."""
    roles, months = _columns(heading)
    known = {cell for cells in roles.values() for cell in cells} | set(months)
    unknown = [cell for cell in heading if cell not in known]
    ambiguous = any(len(cells) != 1 for cells in roles.values())
    if unknown or ambiguous or not months:
        raise SourceError(
            "expected a column each for borough, major and minor class (as BoroughName, MajorText,"
            f" MinorText) and months like 201004; found {[*heading[:6]]}, of which unknown:"
            f" {unknown[:6]}",
            raw.name,
            None,
            1,
        )
    named = list(months.values())
    complete = pd.period_range(named[0], named[-1], freq="M").astype(str)
    if named != list(complete):
        raise SourceError(
            f"expected every month from {named[0]} to {named[-1]} once and in order", raw.name,
            None, 1,
        )  # fmt: skip
    return {role: cells[0] for role, cells in roles.items()}, months


def _require_every_class(
    boroughs: pd.DataFrame, classification: Classification, last: str, raw: RawFile
) -> None:
    """Check that no row was lost: every borough has every class, but for those known to lack."""
    there = boroughs.groupby("class")["where"].agg(set)
    lacking = set(classification.major_of) - set(there.index) - set(classification.may_lack)
    if lacking:
        raise SourceError(f"no row of {sorted(lacking)} for any borough", raw.name)
    excused = classification.none_counted.get(last, ())
    for name, having in there.items():
        missing = {w for w in set(boroughs["where"]) - having if (w, name) not in excused}
        if missing:
            raise SourceError(
                f"no row of {name!r} for {sorted(missing)[:5]}: a lost row cannot be told from a"
                " count of none; if the Met counts none there, add the row with noughts",
                raw.name,
            )
