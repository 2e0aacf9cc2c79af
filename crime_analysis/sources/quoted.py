"""Single published figures and statements, each with the address where it was read.

They come from excerpts of pages, not from publishers' tables, and are used only as evidence
for claims and for the one settlement figure that no workbook holds.
"""

from __future__ import annotations

import pandas as pd

from crime_analysis import periods
from crime_analysis.errors import SourceError
from crime_analysis.sources.origin import lines
from crime_analysis.sources.rawfile import Publication, RawFile

__all__ = [
    "MET_BUDGET",
    "PUBLICATIONS",
    "STATEMENTS",
    "read_budget",
    "read_met_settlements",
    "read_statements",
    "recognise",
]

STATEMENTS = Publication(
    id="quoted-claims-evidence",
    publisher="various, named in each row",
    title="What was said about the Met's funding and officers, 2012 to 2019",
    edition="as read in page excerpts",
    licence="brief quotation, cited in each row",
    note="From page excerpts; each row names its address.",
)
MET_BUDGET = Publication(
    id="quoted-met-budget-points",
    publisher="Metropolitan Police Authority and others, named in each row",
    title="Single published figures of the Met's budget",
    edition="as read in page excerpts",
    licence="brief quotation, cited in each row",
    note="From page excerpts. 2010/11 is the provisional figure of the three-year settlement.",
)
PUBLICATIONS = (STATEMENTS, MET_BUDGET)


def recognise(raw: RawFile) -> Publication | None:
    """Return which list `raw` is, by its heading row."""
    if raw.head.startswith("claim,date,speaker_or_publisher,"):
        return STATEMENTS
    return MET_BUDGET if raw.head.startswith("financial_year,item,gbp_m,source_url") else None


def read_statements(raw: RawFile) -> pd.DataFrame:
    """Return what was said, by whom, when and where.

    Returns
    -------
    DataFrame
        ``number`` (from 1, the file's order), ``claim``, ``date`` (as printed), ``said_by``,
        ``wording``, ``definition``, ``address``, ``kind``.
    """
    table = raw.table(
        [
            "claim", "date", "speaker_or_publisher", "wording_or_figure", "definition_note",
            "source_url", "source_type",
        ]
    )  # fmt: skip
    table.columns = pd.Index(
        ["claim", "date", "said_by", "wording", "definition", "address", "kind"]
    )
    if (table["address"] == "").any():
        bad = (table["address"] == "").rename("source_url")
        raise raw.error("a statement without its address", bad)
    raw.require_unique(table)
    table["origin"] = lines(table.index, "wording_or_figure")
    table = table.reset_index(drop=True)
    table.insert(0, "number", range(1, len(table) + 1))
    return table


def read_met_settlements(raw: RawFile) -> pd.DataFrame:
    """Return the Met's formula funding as printed in Metropolitan Police Authority papers.

    Returns
    -------
    DataFrame
        ``force``, ``financial_year``, ``series`` (``mpa_settlement``), ``component``
        (``formula_funding``), ``value_gbp_k`` (nominal £ thousand).

    Raises
    ------
    SourceError
        If 2009/10 or 2010/11 is not there, a year is repeated, or a figure cannot be
        £ million of the Met's grant.
    """
    table = raw.table(["financial_year", "item", "gbp_m", "source_url"])
    grant = table[table["item"].str.startswith("MPA formula grant")].copy()
    grant["financial_year"] = raw.names(
        grant["financial_year"], lambda year: periods.label(periods.start(year))
    )
    raw.require_unique(grant[["financial_year"]])
    if list(grant["financial_year"]) != ["2009/10", "2010/11"]:
        raise SourceError(
            "expected a row 'MPA formula grant' of 2009/10 and one of 2010/11", raw.name,
            column="item",
        )  # fmt: skip
    amounts = raw.numbers(grant["gbp_m"])
    bad = ~amounts.between(1_000, 5_000)
    if bad.any():
        raise raw.error("cannot be £ million of the Met's formula grant", bad)
    return pd.DataFrame(
        {
            "force": "Metropolitan Police",
            "financial_year": grant["financial_year"],
            "series": "mpa_settlement",
            "component": "formula_funding",
            "value_gbp_k": (amounts * 1000).round(3),
            "origin": lines(grant.index, "gbp_m", 1000.0),
        }
    ).reset_index(drop=True)


def read_budget(raw: RawFile) -> pd.DataFrame:
    """Return every figure of the list of the Met's budget, as `quoted_figures.read` does.

    Returns
    -------
    DataFrame
        ``place`` (Metropolitan Police), ``measure`` (the item, in £ million), ``period``,
        ``definition`` (the list's note, or ``not said``), ``value``, ``address``, ``origin``.

    Raises
    ------
    SourceError
        If a figure cannot be £ million of the Met's budget, a year is none, an address is
        missing, or a row is there twice.
    """
    table = raw.table(["financial_year", "item", "gbp_m", "source_url", "note"])
    years = raw.names(table["financial_year"], lambda year: periods.label(periods.start(year)))
    amounts = raw.numbers(table["gbp_m"])
    bad = ~amounts.between(100, 5_000)
    if bad.any():
        raise raw.error("cannot be £ million of the Met's budget", bad)
    if (table["source_url"] == "").any():
        raise raw.error("a figure without its address", table["source_url"] == "")
    frame = pd.DataFrame(
        {
            "place": "Metropolitan Police",
            "measure": table["item"] + " (£m)",
            "period": years,
            "definition": table["note"].replace("", "not said"),
            "value": amounts,
            "address": table["source_url"],
            "origin": lines(table.index, "gbp_m"),
        }
    )
    raw.require_unique(frame[["measure", "period"]])
    return frame.reset_index(drop=True)
