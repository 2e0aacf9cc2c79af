"""The tables of one force's report: at a glance, and what its figures rest on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from crime_analysis import breaks, catalog, periods
from crime_analysis.findings.place_report import MEASURES, ForceReport
from crime_analysis.panel import audits
from crime_analysis.prose import named
from crime_analysis.story.place_words import place_among
from crime_analysis.tables import Table

__all__ = [
    "breaks_table",
    "choices_table",
    "glance",
    "joins_table",
    "publications",
    "sources_table",
]


_SHORT = {"admissions": "Admissions, sharp object"}
# The register's choices that move a figure shown here.
_CHOICES = (
    "city-of-london-out", "deflator-gdp", "grants-all-kinds", "outturn-grants-outside-aef",
    "national-fall-linked", "overlap-nearer-neighbours", "population-of-the-year",
    "population-before-census", "whole-years-only", "stalking-separate-throughout",
    "knife-one-edition", "events-left-out",
)  # fmt: skip
_SOURCED = ("officers", "recorded_crime", "population", "prices", "hospital_admissions")


def _broken(report: ForceReport, group: str, known: pd.Series) -> bool:
    """Return whether the register warns of comparing a group here, across the known years."""
    dates = report.breaks.loc[
        report.breaks["series"].str.contains(group) & (report.breaks["places"] != "all"), "date"
    ]
    years = [periods.start(breaks.financial_year(day)) for day in dates]
    return any(
        periods.start(known.index[0]) <= year <= periods.start(known.index[-1]) for year in years
    )


def glance(report: ForceReport) -> Table:
    """Return the report in one table, the same rows for every force."""
    money, (first, last) = report.estimates["funding_real_gbp_m"], report.counted
    posts = report.officers
    rows: list[tuple[str, float, float, str]] = [
        (f"Real grants and council tax, £m at {report.price_base} prices",
         money.iloc[0], money.iloc[1], "funding"),
        ("Officers, full-time equivalents", posts.at[first, "officers_fte"],
         posts.at[last, "officers_fte"], "officers"),
    ]  # fmt: skip
    if report.rates:
        rows.append(
            ("Officers per 1,000 residents", posts.at[first, "officers_per_1000"],
             posts.at[last, "officers_per_1000"], "officers_per_resident")
        )  # fmt: skip
        then, now = report.homicide_pair["per_million"]
        rows.append(("Homicides per million residents a year", then, now, ""))
    panel = report.panel[report.panel["force"] == report.force].set_index("financial_year")
    for group in ("robbery", "violence_with_injury", "violence_without_injury"):
        source = panel[f"{group}_per_1000"] if report.rates else report.offences[group]
        unit = " per 1,000 residents" if report.rates else ", offences"
        label = MEASURES[group].capitalize() + unit
        rows.append(
            (label, source[report.start], source[report.end], group if report.rates else "")
        )
    for group, unit in (("knife_offences", ""), ("admissions", f", {report.region}")):
        known = report.offences[group].loc[report.start : report.end].dropna()
        if len(known) < 2 or known.index[-1] != report.end or _broken(report, group, known):
            continue
        since = f" (from {known.index[0]})" if known.index[0] != report.start else ""
        label = _SHORT.get(group, MEASURES[group].capitalize()) + unit + since
        rows.append((label, known.iloc[0], known.iloc[-1], ""))
    frame = pd.DataFrame(
        [
            {
                "measure": label,
                report.start: before,
                report.end: after,
                "change": after / before - 1 if before > 0 else np.nan,
                "median": report.standing[column].median() if column else np.nan,
                "rank": (place_among(report, column) or None) if column else None,
            }
            for label, before, after, column in rows
        ]
    )
    shown = dict.fromkeys(("change", "median"), "{:+.1%}")
    return Table(
        frame,
        "At a glance, with the forces' median change. Rank: 1 fell most, or rose least.",
        shown,
    )


def breaks_table(report: ForceReport) -> Table:
    """Return the register's entries for this force in the figures shown."""
    rows = report.breaks[["date", "kind", "what", "advice"]]
    return Table(rows, f"Breaks that touch the figures of {named(report.force)}")


def choices_table(report: ForceReport) -> Table:
    """Return the choices of the cleaning that bear on the figures of a force's report."""
    rows = catalog.load("assumptions").set_index("id").loc[list(_CHOICES)]
    return Table(rows[["what", "effect"]], "Choices that the cleaning makes")


def joins_table(report: ForceReport) -> Table:
    """Return the joins behind the estimates across forces that left something without partner."""
    rows = audits(report.panel)
    gaps = rows.loc[rows["without partner"] > 0, ["joined", "rows before", "met", "why"]]
    met = len(rows) - len(gaps)
    return Table(
        gaps, f"Joins behind the rates: {met} of {len(rows)} met for every force and year, the rest"
    )


def sources_table(report: ForceReport) -> Table:
    """Return the publications used for this force."""
    return publications(
        (name, source)
        for name in (*_SOURCED, "funding")
        for source in catalog.sources_of(name)
        if name != "funding" or source["id"] in report.funding_sources
    )


def publications(sources: Iterable[tuple[str, Mapping[str, Any]]]) -> Table:
    """Return publications by title, editions of one title in a row.

    Parameters
    ----------
    sources : iterable of (str, mapping)
        A shipped table, and a source from `catalog.sources_of`.
    """
    found: dict[str, dict[str, list[str]]] = {}
    for name, source in sources:
        title = re.sub(r" \d{4}(-\d{2})?(?=,)", "", source["title"])
        row = found.setdefault(title, {"publisher": [], "editions": [], "tables": []})
        row["publisher"].append(source["publisher"])
        row["editions"].append(source["edition"])
        row["tables"].append(name)
    rows = [
        {"title": title} | {key: "; ".join(dict.fromkeys(items)) for key, items in row.items()}
        for title, row in found.items()
    ]
    return Table(pd.DataFrame(rows), "Publications; copies from public mirrors")
