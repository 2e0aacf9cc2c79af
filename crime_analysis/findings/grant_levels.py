"""What "the Met's funding" can mean, by year: grants and totals, as printed and like for like."""

from __future__ import annotations

import numpy as np
import pandas as pd

__all__ = ["FOLDED_IN", "MET", "QUANTITIES", "levels"]

#: Specific grants of 2009/10 that later became part of the core grant.
FOLDED_IN = ("crime_fighting_fund", "rule_2_grant", "pcso_grant")

MET = "Metropolitan Police"
_LIKE_FOR_LIKE = "core grant with the grants later folded in"
#: Each quantity that "the Met's funding" can mean: grant or total, and whether it means the same
#: in every year that `levels` gives for it.
QUANTITIES = {
    _LIKE_FOR_LIKE: ("grant", True),
    f"{_LIKE_FOR_LIKE}, and council tax grants": ("grant", False),
    f"{_LIKE_FOR_LIKE}, to the GLA's outturn": ("grant", False),
    "core grant as printed": ("grant", False),
    "Home Office police grant alone": ("grant", False),
    "all government grants": ("grant", False),
    "all grants but for council tax": ("grant", True),
    "all grants but for security": ("grant", False),
    "all grants but for security and council tax": ("grant", False),
    "grants and council tax": ("total", True),
    "net revenue expenditure": ("total", True),
    "gross revenue expenditure": ("total", True),
    "police services in the GLA's outturn": ("total", False),
}
#: The printed core grant of these years seems to hold the council tax grants: it falls, and a
#: line for them appears, by about the same sum in 2015/16.
_HOLDS_COUNCIL_TAX = ("2013/14", "2014/15")
#: What to know of an amount, and the first and last year of which it holds.
_NOTES = {
    "tax": ("Grants that replaced council tax are in it from 2013/14.", "2013/14", "2017/18"),
    "swollen": ("The printed core grant of 2013/14 and 2014/15 seems to hold the council tax"
                " grants.", *_HOLDS_COUNCIL_TAX),
    "two lines": ("Security grants of 2009/10 and national policing grants of 2017/18 are"
                  " different lines.", "2017/18", "2017/18"),
    "two series": ("The later figure is from another series.", "2017/18", "2017/18"),
    "dropped": ("It fell by a tenth in 2013/14, when grants changed.", "2013/14", "2017/18"),
    "stand-in": ("The folded grants of 2010/11 are not shipped; those of 2009/10 stand in, in"
                 " cash.", "2010/11", "2010/11"),
}  # fmt: skip


def _note(names: tuple[str, ...], year: str) -> str:
    """Return the notes that hold for a year, in words."""
    held = [_NOTES[name] for name in names]
    return " ".join(text for text, first, last in held if first <= year <= last)


def levels(money: pd.DataFrame) -> pd.DataFrame:
    """Return every quantity that "the Met's funding" can mean, by year, in cash.

    Returns
    -------
    DataFrame
        ``quantity``, ``financial_year``, ``value_gbp_m``, ``series``, ``side`` ("start" or
        "end" where an amount can be one side of a comparison only, else "both"), ``assumed``
        (whether a figure stands in for one that is not shipped) and ``note``.
    """
    met = money[money["force"] == MET]
    wide = met.pivot(index="financial_year", columns=["series", "component"], values="value_gbp_m")
    blank = pd.Series(np.nan, wide.index)

    def line(component: str, series: str = "hmic_estimates") -> pd.Series:
        column = (series, component)
        return wide[column] if column in wide.columns else blank

    grants, core = line("government_grants"), line("formula_funding")
    for_tax = line("legacy_council_tax_grants").fillna(0.0)  # there were none before 2013/14
    security = line("security_grants").fillna(line("national_policing_grants"))
    settled = line("formula_funding", "mpa_settlement").reindex(["2010/11"])
    gla_grant = line("police_grant", "outturn_gla")
    folded = sum((line(name) for name in FOLDED_IN), start=blank.fillna(0.0))
    # The Met's specific grants of 2010/11 are not shipped: those of the year before stand in.
    settled_and_folded = settled + folded.get("2009/10", np.nan)
    one_meaning = core[(core.index > "2012/13") & ~core.index.isin(_HOLDS_COUNCIL_TAX)]

    hmic, gla = "hmic_estimates", "outturn_gla"
    entries: list[tuple[str, pd.Series, str, str, tuple[str, ...]]] = []
    for name, later, series, notes in (
        ("", one_meaning, hmic, ()),
        (", and council tax grants", one_meaning + for_tax, hmic, ("tax",)),
        (", to the GLA's outturn", gla_grant.reindex(["2017/18"]), gla, ("two series", "tax")),
    ):
        entries += [
            (_LIKE_FOR_LIKE + name, core + folded, hmic, "start", ()),
            (_LIKE_FOR_LIKE + name, settled_and_folded, "mpa_settlement", "start", ("stand-in",)),
            (_LIKE_FOR_LIKE + name, later, series, "end", notes),
        ]
    entries += [
        ("core grant as printed", core, hmic, "both", ("swollen",)),
        ("core grant as printed", settled, "mpa_settlement", "both", ()),
        ("Home Office police grant alone", line("police_grant"), hmic, "both", ()),
        ("Home Office police grant alone", gla_grant.reindex(["2010/11", "2011/12"]), gla,
         "both", ()),
        ("all government grants", grants, hmic, "both", ("tax",)),
        ("all grants but for council tax", grants - for_tax, hmic, "both", ("swollen",)),
        ("all grants but for security", grants - security, hmic, "both",
         ("two lines", "tax")),
        ("all grants but for security and council tax", grants - security - for_tax, hmic,
         "both", ("two lines",)),
        ("grants and council tax", line("grants_and_council_tax"), hmic, "both", ()),
        ("net revenue expenditure", line("net_revenue_expenditure"), hmic, "both", ()),
        ("gross revenue expenditure", line("gross_revenue_expenditure"), hmic, "both", ()),
        ("police services in the GLA's outturn",
         line("police_services_net_current_expenditure", gla), gla, "both",
         ("dropped",)),
    ]  # fmt: skip
    return pd.DataFrame(
        [
            (name, year, float(value), series, side, "stand-in" in notes, _note(notes, str(year)))
            for name, values, series, side, notes in entries
            for year, value in values.dropna().items()
        ],
        columns=["quantity", "financial_year", "value_gbp_m", "series", "side", "assumed", "note"],
    )
