"""Officers for each £1m shown: a ratio year by year, and what the first link implies for a loss."""

from __future__ import annotations

import numpy as np
import pandas as pd

from crime_analysis import breaks, periods
from crime_analysis.drawing import BLUE, GREEN, ORANGE, Figure, canvas, year_axis
from crime_analysis.findings.link_evidence import Evidence
from crime_analysis.findings.officers_bought import Bought
from crime_analysis.panel import TOO_FEW_RESIDENTS
from crime_analysis.prose import Text, listed, named, percent, rose_or_fell, series_name
from crime_analysis.story.link_words import nominal
from crime_analysis.story.timeline import by_financial_year, mark_breaks, named_breaks
from crime_analysis.tables import Table

__all__ = ["answer", "implied_table", "ratio"]

_LOOKS = {
    "hmic_actuals": ("s", GREEN),
    "hmic_estimates": ("o", BLUE),
    "outturn": ("D", ORANGE),
}


def ratio(found: Bought, register: pd.DataFrame) -> Figure:
    """Draw officers for each £1m of grants and council tax, beside the median force's.

    Parameters
    ----------
    found : Bought
    register : DataFrame
        The shipped table ``breaks``.
    """
    rows = found.table.assign(x=found.table["financial_year"].map(periods.start))
    with canvas(height=3.9) as (_, axis, out):
        for series, (marker, colour) in _LOOKS.items():
            part = rows[rows["series"] == series]
            label: str | None = series_name(series)
            # A line joins years that follow each other in one series, and nothing else.
            for _run, run in part.groupby((part["x"].diff() != 1).cumsum()):
                axis.plot(run["x"], run["officers_per_gbp_m"], marker=marker, color=colour, ms=5.5,
                          label=label)  # fmt: skip
                label = None
        hmic = rows[rows["series"].str.startswith("hmic")]
        axis.plot(hmic["x"], hmic["median_per_gbp_m"], "_", color="black", ms=12, mew=1.6,
                  ls="none", label="median of 42 forces, HMIC")  # fmt: skip
        axis.set_ylim(0, 1.12 * rows[["officers_per_gbp_m", "median_per_gbp_m"]].max().max())
        axis.set_ylabel(f"officers for each £1m,\n{found.price_base} prices")
        entries = pd.concat(
            [breaks.affecting(register, "funding", name) for name in
             ("formula_funding", "council_tax")]
        )  # fmt: skip
        marks = mark_breaks(axis, entries, by_financial_year, rows["x"].min(), rows["x"].max())
        year_axis(axis, list(rows["x"]), every=2)
        axis.figure.legend(loc="outside lower center", ncols=2)
    first, last = found.at(found.start), found.at(found.end)
    change = last["officers_per_gbp_m"] / first["officers_per_gbp_m"] - 1
    return Figure(
        title=f"Officers of {named(found.force)} for each £1m of real grants and council tax"
        f" {rose_or_fell(float(change))}: {first['officers_per_gbp_m']:.1f} in {found.start},"
        f" {last['officers_per_gbp_m']:.1f} in {found.end}; a ratio, not a price",
        alt=f"Officers for each £1m of {named(found.force)} by year and series. "
        + "; ".join(
            f"{r.financial_year} {r.officers_per_gbp_m:.1f} ({series_name(str(r.series))})"
            for r in rows.itertuples()
            if np.isfinite(r.officers_per_gbp_m)
        )
        + ".",
        source="Source: HMIC and HMICFRS Value for Money profiles; DCLG and MHCLG revenue outturn;"
        " Home Office workforce open data (31 March that ends the year); ONS GDP deflator. The same"
        f" money pays staff, buildings and cars. {named_breaks(marks)}",
        svg=out.getvalue(),
        data=rows.drop(columns="x").assign(series=rows["series"].map(series_name)),
    )


def implied_table(found: Bought) -> Table:
    """Return the elasticity, and what it implies for £1m and for the whole loss, with intervals."""
    columns = ["estimate", "ci_low", "ci_high"]
    rows = pd.DataFrame(
        [found.elasticity, found.per_gbp_m, found.implied_lost],
        index=[
            "% officers for 1% real funding, all forces",
            f"officers for £1m lost, from the level of {found.end}",
            f"officers for the change in money, {found.start} to {found.end}",
        ],
    )[columns]
    # Minus a loss is no loss: where money grew the last row is of officers gained.
    return Table(
        rows.reset_index(names="what the link implies"),
        f"Link 1 ({found.specification}) applied to {named(found.force)}",
    )


def answer(found: Bought, evidence: Evidence, alarms: pd.Series) -> Text:
    """Return what the link implies for £1m lost and what happened, doubt first.

    Parameters
    ----------
    found : Bought
    evidence : Evidence
        From `link_evidence.funding_evidence`: what the checks leave of the link.
    alarms : Series
        From `exchanged.alarms`: what its nominal 95% is worth.
    """
    money = abs(found.lost_gbp_m)
    course = "lost" if found.lost_gbp_m > 0 else "gained"
    first = found.at(found.start)
    opening = (
        f"From {found.start} to {found.end} {named(found.force)} {course} £{money:,.0f}m of real"
        f" grants and council tax ({percent(money / first['funding_real_gbp_m'])}) and the number"
        f" of its officers {rose_or_fell(-found.officers_lost / first['officers_fte'])}"
        f" ({first['officers_fte']:,.0f} to {first['officers_fte'] - found.officers_lost:,.0f})."
    )
    if not found.clear:
        return Text(
            ("These data cannot tell how many officers go with £1m: the interval of the link"
             " between money and officers holds zero or has no bound.", opening)
        )  # fmt: skip
    one, whole = found.per_gbp_m, found.implied_lost
    small, large = sorted((abs(whole["ci_low"]), abs(whole["ci_high"])))
    inside = whole["ci_low"] <= found.officers_lost <= whole["ci_high"]
    fewer = "fewer" if one["estimate"] > 0 else "more"
    ends = sorted((abs(one["ci_low"]), abs(one["ci_high"])))
    also = "fewer" if whole["estimate"] > 0 else "more"
    doubt = ""
    if evidence.verdict.word == "cannot tell":
        failed = [result.name for result in evidence.results if result.passed is False]
        why = f"fails its checks of {listed(failed)}" if failed else "does not pass its checks"
        doubt = (
            "These data cannot tell how many officers go with £1m: the link between money and"
            f" officers {why}. Before any check: "
        )
    return Text(
        (
            f"{doubt}With 95% confidence, £1m less at the level of {found.end} is associated,"
            f" across forces, with {ends[0]:.0f} to {ends[1]:.0f} {fewer} officers in a force of"
            f" this size (best estimate {abs(one['estimate']):.0f}); the plain ratio is"
            f" {found.at(found.end)['officers_per_gbp_m']:.1f}. {nominal(alarms, evidence.link)}.",
            f"{opening} For that change in money the link implies {small:,.0f} to {large:,.0f}"
            f" {also} officers; what happened lies {'inside' if inside else 'outside'} that range."
            + (
                f" {found.force} was not among the forces that the link was estimated from."
                if found.force in TOO_FEW_RESIDENTS
                else ""
            ),
        )
    )
