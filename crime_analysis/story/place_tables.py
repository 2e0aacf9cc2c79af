"""The tables of one force's report: at a glance, and what its figures rest on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from crime_analysis import catalog
from crime_analysis.findings.place_report import MEASURES, ForceReport
from crime_analysis.panel import audits
from crime_analysis.prose import Text, named
from crime_analysis.story.place_words import crosses_own_break, place_among
from crime_analysis.tables import Table, worded

__all__ = [
    "breaks_table",
    "choices_table",
    "glance",
    "joins",
    "publications",
    "sources_table",
]


_SHORT = {"admissions": "Admissions, sharp object"}
# The register's choices that move a figure of every force; others count where they name it.
_CHOICES = ("deflator-gdp", "events-left-out", "grants-all-kinds", "population-before-census")
_SOURCED = ("officers", "recorded_crime", "population", "prices", "hospital_admissions")


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
        then, now = report.violence.homicides["per_million"]
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
        if (
            len(known) < 2
            or known.index[-1] != report.end
            or crosses_own_break(report, group, known)
        ):
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
    # A judgement on the figures moves none of them; the report's last words give it.
    moving = report.breaks["kind"] != "status"
    rows = report.breaks.loc[moving, ["date", "what", "advice"]]
    return Table(rows, f"Breaks that touch the figures of {named(report.force)}")


def choices_table(report: ForceReport) -> Table:
    """Return the choices of the cleaning that move this force's figures."""
    rows = catalog.load("assumptions").set_index("id")
    told = rows["what"].str.cat(rows["effect"], sep=" ")
    moves = rows.index.isin(_CHOICES) | told.str.contains(report.force, regex=False)
    return Table(
        rows.loc[moves, ["what", "effect"]],
        "Choices of the cleaning that move these figures (all are in the notebook on the data)",
    )


def joins(report: ForceReport) -> Text:
    """Return in words the joins behind the rates, and what found no partner in them."""
    rows = audits(report.panel)
    gaps = rows[rows["without partner"] > 0]
    left = "; ".join(
        f"{worded(row.joined)}: {row.met} of {row.rows} ({row.why.partition(';')[0]})"
        for row in gaps.rename(columns={"rows before": "rows"}).itertuples()
    )
    return Text(
        (
            f"Joins behind the rates: {len(rows) - len(gaps)} of {len(rows)} met for every force"
            " and year" + (f"; the rest did not: {left}." if left else "."),
        )
    )


def sources_table(report: ForceReport) -> Table:
    """Return the publications used for this force."""
    return publications(
        source
        for name in (*_SOURCED, "funding")
        for source in catalog.sources_of(name)
        if (name != "funding" or source["id"] in report.funding_sources)
        and not (name == "prices" and source["title"].startswith("CPIH"))
    )


def publications(sources: Iterable[Mapping[str, Any]]) -> Table:
    """Return publications by title, editions of one title in a row.

    Parameters
    ----------
    sources : iterable of mapping
        From `catalog.sources_of`.
    """
    found: dict[str, tuple[list[str], list[str]]] = {}
    for source in sources:
        title = re.sub(r" \d{4}(-\d{2})?(?=,)", "", source["title"])
        publishers, editions = found.setdefault(title, ([], []))
        publishers.append(source["publisher"])
        editions.append(source["edition"])
    rows = [
        {
            "publication": f"{title}. {', '.join(dict.fromkeys(publishers))}",
            "editions": "; ".join(dict.fromkeys(editions)),
        }
        for title, (publishers, editions) in found.items()
    ]
    return Table(pd.DataFrame(rows), "Publications; copies from public mirrors")
