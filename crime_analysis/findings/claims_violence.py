"""The figures that bear on the article's claims of violence and of its causes.

Recorded violence moves with recording, so each claim is read by several measures. A claim of a
cause is read off the chain: an association is not enough, and an interval that holds zero tells
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from crime_analysis import breaks, periods
from crime_analysis.findings import link_evidence, measures, season
from crime_analysis.findings.claims_readings import (
    BEFORE,
    LAST_YEAR,
    MET,
    Causal,
    Evidence,
    Reading,
    compared,
    keys,
)
from crime_analysis.findings.one_force import admissions, residents
from crime_analysis.implied import chain
from crime_analysis.links import LONDON, verdict

__all__ = ["READINGS", "causal"]

#: offence group, how it is named; the first is the plain reading of "violent crime".
_RECORDED = {
    "violence_against_the_person": "violence against the person, recorded",
    "violence_with_injury": "violence with injury, recorded",
    "robbery": "robbery, recorded",
    "homicide": "homicide",
    "knife_offences": "knife offences, recorded",
}
_ADMISSIONS = "hospital admissions for assault by sharp object"


def sky_high(e: Evidence) -> list[Reading]:
    """Return the last whole year's violence over the highest earlier year's, by measure."""
    years = measures.yearly(MET, e.load)
    people = years.index.map(periods.start).map(residents(MET, e.load)).to_numpy(dtype=float)
    readings = []
    for group, label in _RECORDED.items():
        rates = years[group] / people * 1000
        origin = (
            f"{keys('recorded_crime', force=MET, offence_group=group, financial_year='..2017/18')};"
            f" {keys('population', place=MET)}"
        )
        role = "own" if group == "violence_against_the_person" else "rival"
        readings.append(_against_earlier(e, label, role, rates, group, "per 1,000", origin))
    readings.append(
        _against_earlier(
            e, "violence by ONS's Crime Severity Score", "rival", years["severity"],
            "violence_against_the_person", "weighted offences per resident",
            keys("crime_severity", force=MET, offence_group="violence_against_the_person"),
        )
    )  # fmt: skip
    rates = years["admissions"] / people * 100_000
    origin = f"{keys('hospital_admissions', region='London')}; {keys('population', place=MET)}"
    readings.append(_against_earlier(e, _ADMISSIONS, "rival", rates, "", "per 100,000", origin))
    return readings


def _against_earlier(
    e: Evidence, label: str, role: str, rates: pd.Series, group: str, unit: str, origin: str
) -> Reading:
    """Return the last year's rate over the highest earlier one: above 1 it is the highest."""
    rates = rates.dropna().sort_index(key=lambda years: years.map(periods.start))
    earlier = rates[rates.index < LAST_YEAR]
    if earlier.empty or LAST_YEAR not in rates.index:
        return compared(label, role, LAST_YEAR, np.nan, "of_highest", (1, np.inf), origin=origin,
                        note="The table has no figure.")  # fmt: skip
    highest = str(earlier.idxmax())
    enough = len(earlier) >= e.least_years
    note = (
        f"{rates[LAST_YEAR]:.3g} {unit}; the highest before, {earlier.max():.3g}, was {highest}, of"
        f" {len(earlier)} earlier years{'' if enough else ': too few to say'}."
    )
    # By breaks of recording alone: the status of the figures moves none of them.
    between = _breaks(e, group, f"{periods.start(highest) + 1}-04-01", "2018-03-31")
    caution = f"recording changed between {highest} and {LAST_YEAR}" if between else ""
    value = float(rates[LAST_YEAR] / earlier.max())
    told = compared(label, role, LAST_YEAR, value, "of_highest", (1, np.inf), caution=caution,
                    note=note, origin=origin)  # fmt: skip
    return told if enough else replace(told, agrees=None, caution="too few earlier years")


def _breaks(e: Evidence, group: str, since: str, until: str) -> list[str]:
    """Return the registered changes in recording of an offence group between two days."""
    if not group:
        return []
    found = breaks.affecting(e.load("breaks"), "recorded_crime", group, MET)
    moving = found["kind"].isin(["recording", "definition", "system"])
    return list(found.loc[moving & found["date"].between(since, until), "id"])


def bad_summer(e: Evidence) -> list[Reading]:
    """Return how summer 2018 stood out from the year before it, beside earlier summers.

    June to August over a quarter of the twelve months before takes season and drift out. A
    summer near a change in recording (from the summer before to the summer after) is not
    compared.
    """
    readings = []
    for group, label in [*_RECORDED.items(), ("admissions", _ADMISSIONS)]:
        if group == "knife_offences":  # not there by month in these years
            continue
        if group == "admissions":
            months = admissions(MET, e.load).set_index("month")[group]
            origin = keys("hospital_admissions", region="London", month="..2018-08")
        else:
            months = season.boroughs_added([group], e.load)[group]
            origin = keys("borough_crime_monthly", classification="new", month="..2018-08")
        own = "own" if group == "violence_with_injury" else "rival"
        readings += [_summer(e, label, own, months, group, origin), _motive(label, own)]
    return readings


def _motive(label: str, role: str) -> Reading:
    return compared(
        label, role, "a reaction to it", np.nan, "none",
        caution="no figure says why a decision was made",
        origin=keys("claims", id="knee-jerk"),
    )  # fmt: skip


def _summer(
    e: Evidence, label: str, role: str, months: pd.Series, group: str, origin: str
) -> Reading:
    ratios = season.summer_over_year(season.placed(months), 12)["ratio"].dropna()
    register = e.load("breaks")
    like = [y for y in ratios.index if not season.near_a_break(group, "summer", register, MET, y)]
    ratios = ratios[like]
    now, earlier = ratios.get(season.SUMMER, np.nan), ratios[ratios.index < season.SUMMER]
    part = f"summer {season.SUMMER} over the year before it"
    value, note = np.nan, f"{len(earlier)} earlier summers can be compared: too few to say."
    if len(earlier) >= season.FEWEST_EARLIER and np.isfinite(now):
        value = float(now / earlier.max())
        note = (
            f"{now - 1:+.1%} on the twelve months before; the most before was"
            f" {earlier.max() - 1:+.1%} ({earlier.idxmax()}), of {len(earlier)} summers."
        ).replace("-", "−")
    return compared(label, role, part, value, "of_highest", (1, np.inf), note=note, origin=origin)


def causal(panel: pd.DataFrame, found: Mapping[str, link_evidence.Evidence]) -> Causal:
    """Return what may be said of each link, by rule, and what the links imply for the Met.

    Parameters
    ----------
    panel : DataFrame
        From `force_panel`.
    found : mapping
        From `link_evidence.every_link`: the word of a link is that of its checks.
    """
    rows = {}
    for name, evidence in found.items():
        link = evidence.link
        row = link.table.loc[link.headline]
        rows[name] = {
            "cause": link.cause, "outcome": link.outcome, "specification": link.headline,
            "estimate": row["estimate"], "ci_low": row["ci_low"], "ci_high": row["ci_high"],
            "forces": row["forces"], "word": evidence.verdict.word,
            "reasons": _reasons(evidence),
        }  # fmt: skip
    links = {name: evidence.link for name, evidence in found.items()}
    implied = chain(panel, links, LONDON, BEFORE, LAST_YEAR, rng=2018)
    return Causal(pd.DataFrame.from_dict(rows, orient="index").rename_axis("link"), implied)


def _reasons(evidence: link_evidence.Evidence) -> str:
    """Return in words what led to a link's verdict: its interval, and the checks that failed."""
    row = evidence.link.table.loc[evidence.link.headline]
    failed = [result.name for result in evidence.results if result.passed is False]
    told = []
    if verdict(row["ci_low"], row["ci_high"]) == "cannot tell":
        told.append("the 95% interval holds zero")
    if failed:
        told.append(f"{'checks' if len(failed) > 1 else 'a check'} failed: {', '.join(failed)}")
    return " and ".join(told) or "; ".join(evidence.verdict.reasons)


def _link(e: Evidence, name: str, definition: str, role: str, part: str, sign: float) -> Reading:
    """Return a link's estimate: it agrees if it is an effect of the right sign.

    An association of that sign agrees with a caution; a clear one of the other sign does not.
    """
    table = e.causal().table
    if name not in table.index:
        return compared(definition, role, part, np.nan, "elasticity", caution="not estimated")
    row = table.loc[name]
    agrees = None
    if row["word"] != "cannot tell":
        agrees = bool(np.sign(row["estimate"]) == sign)
    band = (-np.inf, 0.0) if sign < 0 else (0.0, np.inf)
    caution = "" if row["word"] == "effect" else "it is an association, not shown to be an effect"
    if agrees is None:
        caution = f"{row['cause']} to {row['outcome']}: {row['reasons']}"
    return Reading(
        definition, role, part, float(row["estimate"]), "elasticity", *band, agrees=agrees,
        value_low=float(row["ci_low"]), value_high=float(row["ci_high"]),
        caution=caution,
        note=f"{row['word']} ({row['reasons']}); {row['specification']},"
        f" {row['forces']:.0f} forces.",
        origin="; ".join(keys(t) for t in ("officers", "funding", "recorded_crime", "population")),
    )  # fmt: skip


_OUTCOMES = ("violence_with_injury", "robbery", "homicide")


def made_worse(e: Evidence) -> list[Reading]:
    """Return whether fewer officers made violence worse, and what is held of youth services."""
    readings = []
    for number, name in enumerate(_OUTCOMES):
        label, role = name.replace("_", " "), "rival" if number else "own"
        readings += [
            _link(e, name, label, role, "officers", -1),
            compared(
                label, role, "youth services", np.nan, "none",
                caution="no table holds youth services by place and year",
                origin=keys("quoted_figures", place="London"),
            ),
        ]  # fmt: skip
    implied = e.causal().implied
    for row in implied[implied["route"] == "officers lost"].itertuples():
        if np.isfinite(row.share):
            readings.append(
                Reading(
                    f"part of the Met's rise that officers lost account for: {row.outcome}",
                    "beside", "share", 100 * row.share, "percent", value_low=100 * row.share_low,
                    value_high=100 * row.share_high,
                    origin=f"{keys('officers', force=MET)}; {keys('recorded_crime', force=MET)}",
                )
            )  # fmt: skip
    return readings


def consequences(e: Evidence) -> list[Reading]:
    """Return whether money moved officers, and whether through them it moved violence."""

    def both(name: str, role: str) -> list[Reading]:
        label = f"more {name.replace('_', ' ')}"
        return [
            _link(e, "officers", label, role, "money to officers", 1),
            _link(e, name, label, role, "officers to violence", -1),
        ]

    own, *rivals = _OUTCOMES
    return [
        _link(e, "officers", "fewer officers", "rival", "money to officers", 1),
        *both(own, "own"),
        *(reading for name in rivals for reading in both(name, "rival")),
    ]


#: The claims that these figures bear on.
READINGS: Mapping[str, Callable[[Evidence], list[Reading]]] = {
    "cuts-made-violence-worse": made_worse,
    "cuts-have-consequences": consequences,
    "violence-sky-high": sky_high,
    "knee-jerk": bad_summer,
}
