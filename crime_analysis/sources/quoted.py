"""Single published figures and statements, each with the address where it was read.

They come from excerpts of pages, not from publishers' tables, and are used only as evidence
for claims and for the one settlement figure that no workbook holds.
"""

from __future__ import annotations

import pandas as pd

from crime_analysis import periods
from crime_analysis.errors import SourceError
from crime_analysis.sources.rawfile import Publication, RawFile

__all__ = ["CLAIMS", "MET_BUDGET", "read_claims", "read_met_settlements", "recognise"]

CLAIMS = Publication(
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


def recognise(raw: RawFile) -> Publication | None:
    """Return which list `raw` is, by its heading row."""
    if raw.head.startswith("claim,date,speaker_or_publisher,"):
        return CLAIMS
    return MET_BUDGET if raw.head.startswith("financial_year,item,gbp_m,source_url") else None


def read_claims(raw: RawFile) -> pd.DataFrame:
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
        line = int((table["address"] == "").idxmax()) + 2
        raise SourceError("a statement without its address", raw.name, None, line, "source_url")
    table.insert(0, "number", range(1, len(table) + 1))
    return table


def read_met_settlements(raw: RawFile) -> pd.DataFrame:
    """Return the Met's formula funding as printed in Metropolitan Police Authority papers.

    Returns
    -------
    DataFrame
        ``force``, ``financial_year``, ``series`` (``mpa_settlement``), ``component``
        (``formula_funding``), ``value_gbp_k`` (nominal £ thousand).
    """
    table = raw.table(["financial_year", "item", "gbp_m", "source_url"])
    grant = table[table["item"].str.startswith("MPA formula grant")]
    if grant.empty:
        raise SourceError("no row 'MPA formula grant'", raw.name, column="item")
    return pd.DataFrame(
        {
            "force": "Metropolitan Police",
            "financial_year": [periods.label(periods.start(y)) for y in grant["financial_year"]],
            "series": "mpa_settlement",
            "component": "formula_funding",
            "value_gbp_k": (raw.numbers(grant["gbp_m"]) * 1000).round(3).to_numpy(),
        }
    )
