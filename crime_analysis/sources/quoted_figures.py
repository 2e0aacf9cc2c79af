"""Single published figures: budgets and precepts, surveys, homicide, hospitals, officers.

Six lists, read from excerpts of pages and not from publishers' tables. Each figure keeps the
address where it was read and is used only to set beside a table, never in one. What a list
means by a figure is in its measure, as written there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from crime_analysis.sources.origin import lines
from crime_analysis.sources.rawfile import Publication, RawFile

__all__ = ["LISTS", "PUBLICATIONS", "List", "read", "recognise"]

_PERIOD = re.compile(
    r"(?:y/e [A-Z][a-z]{2} )?(?:19|20)\d\d(?:[/-]\d\d(?!\d))?(?:-\d\d(?!\d)|-20\d\d/\d\d)?"
    r"(?: \([^()]+\))?|[A-Z][a-z]{2}\d\d-[A-Z][a-z]{2}\d\d"
)
_PLACES = {
    "Met": "Metropolitan Police", "London": "London", "England": "England",
    "England and Wales": "England and Wales",
}  # fmt: skip
NOT_SAID = "not said"


@dataclass(frozen=True)
class List:
    """One list: what is cited, its headings, and what its measures may be.

    Attributes
    ----------
    publication : Publication
        What is cited.
    heading : tuple of str
        Its columns, by which it is known.
    columns : mapping
        Of the table's ``place``, ``measure``, ``period``, ``value``, ``definition``,
        ``address``: the list's column.
    measures : mapping
        Of every measure, the least and the most that it can be.
    fixed : mapping
        What the list does not print because it is the same in every row.
    """

    publication: Publication
    heading: tuple[str, ...]
    columns: Mapping[str, str]
    measures: Mapping[str, tuple[float, float]]
    fixed: Mapping[str, str] = field(default_factory=dict)


def _publication(name: str, title: str) -> Publication:
    return Publication(
        id=f"quoted-{name}",
        publisher="various, named by the address of each row",
        title=title,
        edition="as read in page excerpts",
        licence="brief quotation, cited in each row",
        note="From page excerpts; each row names its address.",
    )


_MET = "Metropolitan Police"
_COMMON = {"place": "area", "period": "period", "value": "value", "address": "source_url"}

LISTS: tuple[List, ...] = (
    List(
        _publication("band-d-precept", "Band D council tax for policing, Greater London"),
        ("financial_year", "mopac_band_d_gbp", "source_url"),
        {"period": "financial_year", "value": "mopac_band_d_gbp", "address": "source_url"},
        {"police precept on a Band D home (£)": (100, 500)},
        {"place": "London", "measure": "police precept on a Band D home (£)"},
    ),
    List(
        _publication("crime-survey", "Crime Survey for England and Wales: violence"),
        ("area", "period", "measure", "value", "source_url"),
        {**_COMMON, "measure": "measure"},
        {"incidents (million)": (0.5, 6), "adults victims %": (1, 8)},
    ),
    List(
        _publication("met-homicide", "Homicides in London, single years"),
        ("area", "period", "count", "source_url"),
        {**_COMMON, "value": "count"},
        {"homicides": (50, 300)},
        {"measure": "homicides"},
    ),
    List(
        _publication("met-figures", "Officers and knife offences, single figures"),
        ("measure", "period", "value", "definition", "source"),
        {
            "measure": "measure", "period": "period", "value": "value",
            "definition": "definition", "address": "source",
        },
        {
            "police_officers_fte": (20_000, 40_000),
            "police_officers_fte_EW43": (110_000, 160_000),
            "police_officers_headcount_EW43": (110_000, 160_000),
            "knife_offences": (5_000, 25_000),
        },
        {"place": _MET},
    ),
    List(
        _publication("nhs", "Hospital care after assault, single figures"),
        ("area", "period", "measure", "value", "source_url"),
        {**_COMMON, "measure": "measure"},
        {
            "FCE X99": (500, 8_000), "admissions X99": (500, 8_000),
            "admissions X99 (ONS)": (500, 8_000),
            "A&E attendances assault": (100_000, 300_000), "assault FAEs all": (20_000, 60_000),
        },
    ),
    List(
        _publication("youth-services", "Youth services of London councils, single figures"),
        ("period", "item", "value", "source_url"),
        {"measure": "item", "period": "period", "value": "value", "address": "source_url"},
        {
            "cut to council youth service budgets, London (£m)": (10, 100),
            "annual budgets lower by (£m); -44%": (10, 100),
            "annual budgets lower by (£m); -46%": (10, 100),
            "average borough youth budget (£m)": (0.5, 5),
        },
        {"place": "London"},
    ),
)  # fmt: skip
PUBLICATIONS: tuple[Publication, ...] = tuple(one.publication for one in LISTS)
_COUNTRY = {"police_officers_fte_EW43", "police_officers_headcount_EW43"}


def _of(raw: RawFile) -> List | None:
    """Return which list a file is: by its headings, and its measures where two share them."""
    heading, _, rest = raw.head.partition("\n")
    columns = tuple(heading.strip().split(","))
    for one in LISTS:
        if one.heading == columns and (
            "measure" in one.fixed or any(f",{m}," in f",{rest}" or m in rest for m in one.measures)
        ):
            return one
    return None


def recognise(raw: RawFile) -> Publication | None:
    """Return which list `raw` is, by its heading row and measures; else None."""
    found = _of(raw)
    return found.publication if found else None


def read(raw: RawFile) -> pd.DataFrame:
    """Return the figures of one list.

    Returns
    -------
    DataFrame
        ``place``, ``measure`` and ``period`` (as written), ``definition`` (``not said`` if it
        is not), ``value``, ``address``, ``origin``.

    Raises
    ------
    SourceError
        If a figure is no number or cannot be of its measure, a measure, place or period is
        unknown, an address is missing, or a row is there twice.
    """
    one = _of(raw)
    if one is None:
        # Columns may be there all the same; the first that is missing is named.
        one = next((o for o in LISTS if raw.head.startswith(o.heading[0] + ",")), LISTS[0])
    table = raw.table(list(one.heading))
    frame = pd.DataFrame(
        {name: table[column] for name, column in one.columns.items()}, index=table.index
    )
    for name, text in one.fixed.items():
        frame[name] = text
    if "definition" not in frame:
        frame["definition"] = NOT_SAID
    frame["definition"] = frame["definition"].replace("", NOT_SAID)
    unknown = ~frame["measure"].isin(list(one.measures))
    if unknown.any():
        raise raw.error(f"expected a measure of {list(one.measures)}", unknown)
    if "place" not in one.fixed:
        known = frame["place"].isin(_PLACES)
        if not known.all():
            raise raw.error(f"expected a place of {list(_PLACES)}", ~known)
        frame["place"] = frame["place"].map(_PLACES)
    country = frame["measure"].isin(_COUNTRY)
    frame["place"] = frame["place"].where(~country, "England and Wales")
    odd = ~frame["period"].str.fullmatch(_PERIOD)
    if odd.any():
        raise raw.error("expected a year or years", odd)
    if (frame["address"] == "").any():
        raise raw.error("a figure without its address", frame["address"] == "")
    column = one.columns["value"]
    values = raw.numbers(table[column])
    bounds = [one.measures[m] for m in frame["measure"]]
    bad = ~values.between([low for low, _ in bounds], [high for _, high in bounds])
    if bad.any():
        measure = frame["measure"].at[bad.idxmax()]
        raise raw.error(f"cannot be {measure!r}", bad.rename(column))
    frame["value"] = values
    frame["origin"] = lines(table.index, column)
    raw.require_unique(frame[["place", "measure", "period", "definition"]])
    names = ["place", "measure", "period", "definition", "value", "address", "origin"]
    return frame[names].reset_index(drop=True)
