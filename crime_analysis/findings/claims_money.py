"""The figures that bear on the article's claims of money: who pays, and how much was cut."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from crime_analysis import funding, prices
from crime_analysis.errors import UnknownNameError
from crime_analysis.findings import grant_cut
from crime_analysis.findings.claims_readings import (
    BEFORE,
    LAST_YEAR,
    MET,
    Evidence,
    Load,
    Reading,
    compared,
    keys,
)

__all__ = ["READINGS"]

#: A round figure agrees with what would be rounded to it.
ROUNDED = {"gbp_m": grant_cut.ROUNDED_GBP_M, "percent": 5.0}


def _around(figure: float, unit: str) -> tuple[float, float]:
    return figure - ROUNDED[unit], figure + ROUNDED[unit]


def _funding(load: Load) -> pd.Series:
    """Return the Met's funding by series, year and component; a missing one reads NaN."""
    money = load("funding")
    rows = money[money["force"] == MET]
    return rows.set_index(["series", "financial_year", "component"])["value_gbp_m"]


def _money_keys(series: str, years: str, component: str) -> str:
    return keys("funding", force=MET, series=series, financial_year=years, component=component)


def cut(e: Evidence) -> list[Reading]:
    """Return how far the Met's funding fell since 2010, by what is counted and in which terms."""
    held, table = _funding(e.load), e.load("prices")
    band = _around(e.claimed["gbp_m"], "gbp_m")
    span = f"{BEFORE}|{LAST_YEAR}"

    def amounts(*components: str, less: str = "") -> pd.Series:
        years = [BEFORE, LAST_YEAR]
        wanted = [
            sum(held.get(("hmic_estimates", year, c), np.nan) for c in components) for year in years
        ]
        taken = [held.get(("hmic_estimates", year, less), 0.0) for year in years]
        return pd.Series(wanted) - pd.Series(taken)

    def fall(pair: pd.Series, years: tuple[str, str] = (BEFORE, LAST_YEAR)) -> float:
        real = prices.to_real(pair, pd.Series(years), e.price_base, table, e.price_index)
        return float(real[0] - real[1])

    def drop(pair: pd.Series) -> float:
        return float(pair[0] - pair[1])

    def reading(
        definition: str, role: str, value: float, component: str, note: str = ""
    ) -> Reading:
        origin = _money_keys("hmic_estimates", span, component)
        if "real" in definition:
            origin += f"; {keys('prices', financial_year=f'{span}|{e.price_base}')}"
        return compared(
            definition, role, "fall", value, "gbp_m", band, note=note, origin=origin
        )  # fmt: skip

    grants, core = amounts("government_grants"), amounts("formula_funding")
    without_tax = amounts("government_grants", less="legacy_council_tax_grants")
    both = amounts("grants_and_council_tax")
    alike = _reconstructed(e)
    cash = alike.parts["value_gbp_m"] if alike else pd.Series([np.nan] * 2)
    like_cash = float(cash.iloc[:-1].sum(min_count=1) - cash.iloc[-1])
    parts = "formula_funding|" + "|".join(grant_cut.FOLDED_IN)
    total = "grants and council tax together, real terms"
    settled = held.get(("mpa_settlement", "2010/11", "formula_funding"), np.nan)
    folded = float(cash.iloc[1:-1].sum())
    later = pd.Series([settled + folded, cash.iloc[-1]])
    named = "core grant, real terms, like for like"
    return [
        reading("all government grants, cash", "own", drop(grants), "government_grants"),
        reading("all government grants, real terms", "rival", fall(grants), "government_grants"),
        reading(
            "all grants but those that replaced council tax, real terms", "rival",
            fall(without_tax), "government_grants|legacy_council_tax_grants",
        ),
        reading("core grant as printed, cash", "rival", drop(core), "formula_funding",
                "Other grants were folded into it."),
        reading("core grant as printed, real terms", "rival", fall(core), "formula_funding",
                "Other grants were folded into it."),
        reading("core grant, cash, like for like", "rival", like_cash, parts),
        reading(
            named, "rival", alike.fall_gbp_m if alike else np.nan, parts,
            "A reconstruction, not the Mayor's workings" + (
                f": {alike.share_of_earlier:.0%} of the earlier figure and"
                f" {alike.share_of_later:.0%} of the later." if alike else "."
            ),
        ),
        reading(total, "rival", fall(both), "grants_and_council_tax",
                "The Mayor sets council tax, not government."),
        Reading(
            total, "rival", "of which government's grants", fall(grants), "gbp_m", *band,
            agrees=bool(band[0] <= fall(grants) < band[1]) if np.isfinite(fall(grants)) else None,
            origin=_money_keys("hmic_estimates", span, "government_grants"),
        ),
        compared(
            f"{named}, from the settlement of 2010/11", "beside", "fall",
            fall(later, ("2010/11", LAST_YEAR)), "gbp_m", band,
            note=f"The folded grants of {BEFORE} stand in for those of the year after.",
            origin=_money_keys("mpa_settlement", "2010/11", "formula_funding"),
        ),
    ]  # fmt: skip


def _reconstructed(e: Evidence) -> grant_cut.GrantFall | None:
    """Return the core grant's fall like for like; None if the tables lack one of its parts."""
    try:
        return grant_cut.reconstruction(
            e.load("funding"), e.load("prices"), price_base=e.price_base, index=e.price_index,
            end=LAST_YEAR,
        )  # fmt: skip
    except UnknownNameError:
        return None


#: Denominators as the definitions name them; the quoted budget is gross too.
_OVER = {
    "gross revenue expenditure": "gross spending",
    "budget, as quoted": "gross spending",
    "net revenue expenditure": "net spending",
    "grants and council tax": "grants and council tax",
    "core grant and council tax": "core grant and council tax",
}
_PARTS = {
    "gross revenue expenditure": "HMIC's figure",
    "budget, as quoted": "the budget as quoted",
}
#: Rows of the table funding behind each numerator and denominator.
_BEHIND = {
    "all government grants": "government_grants",
    "all grants but for council tax": "government_grants|legacy_council_tax_grants",
    "core grant": "formula_funding",
    "gross revenue expenditure": "gross_revenue_expenditure",
    "net revenue expenditure": "net_revenue_expenditure",
    "grants and council tax": "grants_and_council_tax",
    "core grant and council tax": "council_tax",
}


def share(e: Evidence) -> list[Reading]:
    """Return the government's share of the Met's money, by every fraction of `funding.shares`."""
    found = funding.shares(e.load("funding"), MET, e.load("quoted_figures"))
    band = _around(e.claimed["percent"], "percent")
    readings = []
    for row in funding.latest_shares(found, LAST_YEAR).to_dict("records"):
        top, bottom, year = (row[name] for name in ("numerator", "denominator", "financial_year"))
        definition = f"{top.replace('government ', '')} over {_OVER[bottom]}"
        behind = "|".join(_BEHIND[name] for name in (top, bottom) if name in _BEHIND)
        origin = _money_keys("hmic_estimates", year, behind)
        if bottom == "budget, as quoted":
            origin += f"; {keys('quoted_figures', measure='Met budget (£m)', period=year)}"
        readings.append(
            compared(
                definition, "own" if definition == "all grants over gross spending" else "rival",
                f"{year}, {_PARTS[bottom]}" if bottom in _PARTS else year,
                100 * row["share"], "percent", band, origin=origin,
            )
        )  # fmt: skip
    tops = [name.replace("government ", "") for name in dict.fromkeys(found["numerator"])]
    below = list(dict.fromkeys(_OVER.values()))

    def place(reading: Reading) -> tuple[int, int, str]:
        top, bottom = reading.definition.split(" over ")
        return tops.index(top), below.index(bottom), reading.part

    return sorted(readings, key=place)


#: The claims that these figures bear on.
READINGS: Mapping[str, Callable[[Evidence], list[Reading]]] = {
    "cut-since-2010": cut,
    "government-share": share,
}
