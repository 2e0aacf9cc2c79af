"""The tables of money: funding by source, government's share of it, and prices."""

from __future__ import annotations

import pandas as pd

from crime_analysis import funding
from crime_analysis.build.books import figures, stack
from crime_analysis.build.recognised import Recognised
from crime_analysis.sources import (
    hmic_2010,
    hmic_expenditure,
    hmic_value_for_money,
    ons_series,
    quoted,
    revenue_outturn,
)
from crime_analysis.sources.origin import combine, scale, under

__all__ = ["make_funding", "make_government_share", "make_prices"]


def make_funding(found: Recognised) -> pd.DataFrame:
    """Stack the funding series, each under its own name, in £ million."""
    return _in_gbp_m(
        stack(
            found,
            _funding_2010,
            lambda f: quoted.read_met_settlements(f.one(quoted, quoted.MET_BUDGET)).assign(
                source=quoted.MET_BUDGET.id
            ),
            _funding_from_2012,
            lambda f: f.every(revenue_outturn),
        )
    )


def _funding_2010(found: Recognised) -> pd.DataFrame:
    facts = hmic_2010.read_funding(found.one(hmic_2010))
    return facts.assign(source=hmic_2010.PUBLICATION.id)


def _funding_from_2012(found: Recognised) -> pd.DataFrame:
    spent = [
        hmic_expenditure.read(raw).assign(source=publication.id)
        for publication, raw in found.of(hmic_value_for_money)
        if publication.edition in ("2012", "2016")
    ]
    return pd.concat([found.every(hmic_value_for_money), *spent], ignore_index=True)


def _in_gbp_m(facts: pd.DataFrame) -> pd.DataFrame:
    facts["value_gbp_m"] = (facts["value_gbp_k"] / 1000).round(6)
    facts["origin"] = [scale(origin, 0.001) for origin in facts["origin"]]
    return figures(facts, "value_gbp_m")


def make_government_share(found: Recognised) -> pd.DataFrame:
    """Divide grants by grants and council tax, for every year of HMIC's estimates."""
    facts = _in_gbp_m(stack(found, _funding_2010, _funding_from_2012))
    facts = facts[facts["series"] == "hmic_estimates"]
    books = facts.set_index(["force", "financial_year", "component"])["value_gbp_m@origin"]
    sources = facts.groupby(["force", "financial_year"])["source"].first()
    rows = []
    for year in sorted(facts["financial_year"].unique()):
        shares = funding.government_share(facts, year)
        for share in shares.itertuples(index=False):
            key = (share.force, year)
            tax = books[(*key, "council_tax")]
            record: dict[str, object] = {
                "force": share.force,
                "financial_year": year,
                "source": sources[key],
            }
            for field, component in (
                ("share_all_grants", "government_grants"),
                ("share_formula_grant", "formula_funding"),
            ):
                grant = books[(*key, component)]
                record[field] = round(getattr(share, field), 9)
                record[f"{field}@origin"] = under(grant, combine([grant, tax]))
                record[f"{field}@source"] = sources[key]
            rows.append(record)
    return pd.DataFrame(rows)


def make_prices(found: Recognised) -> pd.DataFrame:
    """Set the two indices side by side; one that is not in the folder stays as it stands."""
    parts = []
    for publication, field in (
        (ons_series.GDP_DEFLATOR, "gdp_deflator"),
        (ons_series.CPIH, "cpih"),
    ):
        if found.earlier and not found.has(publication):
            held = found.earlier.frame("prices")
            parts.append(held[["financial_year", field, f"{field}@origin", f"{field}@source"]])
            continue
        raw = found.one(ons_series, publication)
        key = next(key for key, file in found.files.items() if file is raw)
        series = ons_series.read(raw).assign(source=key)
        parts.append(figures(series, "index", field).drop(columns="source"))
    return parts[0].merge(parts[1], on="financial_year", validate="one_to_one")
