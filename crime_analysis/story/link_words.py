"""What the pages on the links say: columns in plain words, and sentences made from results."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import Any, TypeVar

import pandas as pd

from crime_analysis import breaks, periods
from crime_analysis.checks import Verdict
from crime_analysis.curve import SpecificationCurve
from crime_analysis.findings.exchanged import NOMINAL
from crime_analysis.findings.link_evidence import Evidence, implied_by, weaker
from crime_analysis.inference.detectable import DesignAnalysis, DetectableEffect
from crime_analysis.instrument_report import InstrumentReport
from crime_analysis.links import OUTCOMES, Link, verdict
from crime_analysis.panel import change
from crime_analysis.prose import Text, link_effect, named, percent, rose_or_fell, spanning

__all__ = [
    "chance",
    "checked",
    "concerning",
    "funding_answer",
    "in_words",
    "instrument",
    "left_out",
    "nominal",
    "seen",
    "spelt",
    "verdicts",
    "violence_answer",
    "worth",
]

Result = TypeVar("Result")

#: Columns as a reader says them; `log` because coefficients are of logarithms.
WORDS = {
    "log_officers_end_per_1000": "log officers per resident (31 March after)",
    "log_officers_before_per_1000": "log officers per resident (a year earlier)",
    "log_officers_per_1000": "log officers per resident",
    "log_funding_real": "log real funding",
    "log_population": "log residents",
    "log_violence_with_injury_per_1000": "log violence with injury per resident",
    "log_robbery_per_1000": "log robbery per resident",
    "log_knife_offences_per_1000": "log knife offences per resident",
    "violence_with_injury_per_1000": "violence with injury per 1,000 residents",
    "robbery_per_1000": "robbery per 1,000 residents",
    "officers_per_1000": "officers per 1,000 residents",
    "recording_changed": "the change in recording",
    "death_or_injury_driving": "deaths and injuries by driving",
    "death or injury driving": "deaths and injuries by driving",
    "exposure_all_grants_lagged": "exposure to the cuts (a year earlier)",
    "exposure_all_grants": "exposure to the cuts",
    "share_all_grants": "government's share",
    "share all grants": "government's share",
    "deprivation_2010": "deprivation",
    "deprivation_later": "deprivation in the years of welfare reform",
    "randomisation_test": "a test that exchanges forces",
    "fy_start": "financial year, by the year it begins in",
    "financial_year": "year",
}
_NAME = re.compile(
    r"(?<!\w)(" + "|".join(map(re.escape, sorted(WORDS, key=len, reverse=True))) + r")(?!\w)"
)
_SHOWN = ("term", "formula", "outcome", "by", "time", "text", "compared")


def spelt(text: str) -> str:
    """Return text with the panel's columns, and formulas that are made of them, in words.

    Examples
    --------
    >>> spelt("homicide ~ log_officers_per_1000 | force + financial_year")
    'homicide on log officers per resident, force and year effects held'
    """
    text = text.replace("is 'poisson'", "is a model of counts")
    text = re.sub(r"'([^']* ~ [^']*)'", lambda found: f"“{_regression(found[1])}”", text)
    text = _regression(text) if " ~ " in text else text
    return _NAME.sub(lambda found: WORDS[found[0]], text)


def _regression(formula: str) -> str:
    """Return a formula as a sentence would put it, its columns still by their names."""
    left, right = formula.split(" | ")[0].split(" ~ ", 1)
    right = re.sub(r"(\w+):i\(fy_start, ref=\d+\)", r"\1 by year", right)
    terms = [term for term in right.split(" + ") if term not in ("0", "1")]
    told = f"{left} on {' and '.join(terms)}" if terms else left
    parts = formula.split(" | ")[1:]
    if parts:
        told += f", {parts[0].replace('fy_start', 'year').replace(' + ', ' and ')} effects held"
    if len(parts) > 1:
        cause, moved_by = parts[1].split(" ~ ", 1)
        told += f", with {cause} moved by {moved_by}"
    return told


def in_words(result: Result) -> Result:
    """Return a result that calls its columns by plain words wherever it shows them.

    Its numbers stay as they are: only what titles, axes, sentences and tables say is changed.
    """
    given: Any = result
    told = {
        name: spelt(getattr(given, name))
        for name in (f.name for f in fields(given))
        if name in _SHOWN and isinstance(getattr(given, name), str)
    }
    if isinstance(given, SpecificationCurve):
        names = {name: words.removeprefix("log ") for name, words in WORDS.items()}
        said = {"population": "by residents", "none": "alike"}
        table = given.table.replace({"outcome": names, "measure": names, "weights": said})
        told["table"] = table
    elif hasattr(given, "bounds"):
        told["bounds"] = given.bounds.assign(benchmark=given.bounds["benchmark"].map(spelt))
    return replace(given, **told)


def chance(p_value: float) -> str:
    """Return a p-value as a sentence says it.

    Examples
    --------
    >>> chance(0.0004), chance(0.034)
    ('p < 0.001', 'p = 0.034')
    """
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.2g}"


def concerning(register: pd.DataFrame, touched: tuple[tuple[str, str], ...]) -> dict[float, str]:
    """Return the breaks everywhere in some tables' series, by first calendar year.

    Judgements on figures that move none of them, and events in one place, are left to the
    register that every page prints.
    """
    found: dict[float, str] = {}
    for table, series in touched:
        rows = breaks.affecting(register, table, series)
        for row in rows[(rows["places"] == "all") & (rows["kind"] != "status")].itertuples():
            year = float(periods.start(breaks.financial_year(str(row.date))))
            told = found.get(year, "")
            found[year] = told if row.what in told else f"{told} {row.what}".strip()
    return dict(sorted(found.items()))


def _reasons(said: Verdict) -> str:
    """Return what led to a verdict, in words."""
    return "; ".join(spelt(reason) for reason in said.reasons)


def checked(evidence: Evidence) -> Text:
    """Return the verdict of the rule on a link's headline, with its reasons."""
    failed = [r.name for r in evidence.results if r.passed is False]
    ran = sum(r.ran and r.passed is not None for r in evidence.results)
    return Text(
        (
            f"By rule, of the headline ({evidence.link.headline}): {evidence.verdict.word}. The"
            f" reasons: {_reasons(evidence.verdict)}.",
            f"Of {ran} checks that can fail, {len(failed) or 'none'} did"
            f"{': ' + ', '.join(failed) if failed else ''}. Passing is no proof: a check can miss"
            " what it looks for, the more so where intervals are as wide as these.",
        )
    )


def _dissent(link: Link) -> str:
    """Return how the ways of estimating a link divide."""
    rows = link.table[["ci_low", "ci_high"]].itertuples(index=False)
    words = [verdict(low, high) for low, high in rows]
    unclear = words.count("cannot tell")
    if unclear == len(words):
        return f"None of the {len(words)} ways of estimating it is clear of zero."
    if not unclear:
        return f"All {len(words)} ways of estimating it are clear of zero."
    return f"Of the {len(words)} ways of estimating it {unclear} cannot tell it from zero."


def nominal(alarms: pd.Series, link: Link) -> str:
    """Return what a link's nominal 95% is worth, from forces exchanged at random.

    Parameters
    ----------
    alarms : Series
        From `exchanged.alarms`, or a row of `exchanged.false_alarms`.
    link : Link
        The link that was exchanged.

    Examples
    --------
    >>> row = pd.Series({"share": 0.02, "exchanges": 499, "ci_low": 0.01, "ci_high": 0.04})
    >>> empty = pd.DataFrame()
    >>> nominal(row, Link("funding", "officers", empty, empty, "", {}))[-34:].strip()
    '499 exchanges, less often than 5%'
    """
    given = "money" if link.cause == "funding" else link.cause
    return (
        f"That 95% is nominal: with every force given another's {given} at random, such intervals"
        f" leave zero out in {percent(alarms['share'])} of {alarms['exchanges']:.0f} exchanges,"
        f" {worth(alarms)}"
    )


def worth(alarms: pd.Series) -> str:
    """Return how a share of false alarms stands to the one that intervals promise."""
    promised = f"{NOMINAL:.0%}"
    if alarms["ci_low"] > NOMINAL:
        return f"more often than {promised}, so they are too narrow"
    if alarms["ci_high"] < NOMINAL:
        return f"less often than {promised}"
    return f"about as often as {promised}"


def funding_answer(
    evidence: Evidence, panel: pd.DataFrame, force: str, start: str, end: str,
    alarms: pd.Series | None = None,
) -> Text:  # fmt: skip
    """Return what can be said of money and officers, doubt first.

    Parameters
    ----------
    evidence : Evidence
        From `link_evidence.funding_evidence`.
    panel : DataFrame
        From `force_panel`.
    force, start, end : str
        The place that the last sentence is about, and the years.
    alarms : Series, optional
        From `exchanged.alarms`: what the interval's 95% is worth is told after it.
    """
    opening = {
        "cannot tell": f"These data cannot tell how far officers moved with money from {start} to"
        f" {end}.",
        "association": f"From {start} to {end} officers are associated with money; the checks do"
        " not let that be called an effect.",
        "effect": f"From {start} to {end} officers moved with money, and no check speaks against"
        " calling that an effect.",
    }[evidence.verdict.word]
    return Text(
        (
            f"{opening} {_dissent(evidence.link)}",
            _estimate(evidence, alarms),
            _funding_of(evidence, panel, force, start, end),
        )
    )


def left_out(force: str) -> str:
    """Return why a force is in no estimate."""
    return (
        f"{force} is in none of these estimates: it has too few residents for rates, and a few"
        " thousand people live where hundreds of thousands work."
    )


def _estimate(evidence: Evidence, alarms: pd.Series | None = None) -> str:
    """Return the headline's sentence, put in its place where the checks say more than it."""
    told = link_effect(evidence.link).text
    if alarms is not None:
        told = f"{told} {nominal(alarms, evidence.link)}."
    if evidence.verdict.word == "cannot tell" and not told.startswith("These data cannot tell"):
        return f"Before any check: {told}"
    return told


def _funding_of(evidence: Evidence, panel: pd.DataFrame, force: str, start: str, end: str) -> str:
    if force in panel.attrs.get("excluded", ()):
        return left_out(force)
    money = change(panel, force, "funding_real_gbp_m", start, end)
    officers = change(panel, force, "officers_end_fte", start, end)
    people = change(panel, force, "population", start, end)
    _, low, high = implied_by(evidence.link, money)
    return (
        f"In {named(force)} real funding {rose_or_fell(money)} from {start} to {end}. Were"
        f" the link to hold, that would make {spanning(low, high).replace('less', 'fewer')}"
        f" officers for the same number of residents; officers {rose_or_fell(officers)}, and"
        f" residents {rose_or_fell(people)}."
    )


def violence_answer(
    evidence: Evidence, outcome: str, designed: DesignAnalysis, detectable: DetectableEffect,
    alarms: pd.Series | None = None,
) -> Text:  # fmt: skip
    """Return what can be said of officers and violence, doubt first.

    Parameters
    ----------
    evidence : Evidence
        From `link_evidence.violence_evidence`.
    outcome : str
        One of `links.OUTCOMES`.
    designed, detectable : DesignAnalysis, DetectableEffect
        What the headline could have found.
    alarms : Series, optional
        From `exchanged.alarms`: what the interval's 95% is worth is told after it.
    """
    label = OUTCOMES[outcome][0]
    opening = {
        "cannot tell": f"These data cannot tell whether losing officers raised {label}.",
        "association": f"Recorded {label} is associated with officers; the checks do not let that"
        " be called an effect.",
        "effect": f"Recorded {label} moved with officers, and no check speaks against calling"
        " that an effect.",
    }[evidence.verdict.word]
    return Text(
        (
            f"{opening} {_dissent(evidence.link)}",
            _estimate(evidence, alarms),
            *seen(designed, detectable).paragraphs,
        )
    )


def seen(designed: DesignAnalysis, detectable: DetectableEffect) -> Text:
    """Return what a link's headline could have found, in words."""
    rows = designed.tidy().reset_index().sort_values("true_effect", key=abs)
    told = [
        f"Were the true elasticity {row.true_effect:.2f}, {row.power:.0%} of such studies would"
        " find it significant,"
        + (
            f" and then {row.exaggeration:.2g} times too large on average."
            if row.exaggeration >= 1.05
            else " and hardly too large on average."
        )
        for row in rows.iloc[[0, -1] if len(rows) > 1 else [0]].itertuples()
    ]
    return Text(
        (
            f"An elasticity smaller than {detectable.effect:.2f} either way would mostly be"
            f" missed: that one is found in {detectable.power:.0%} of such studies."
            f" {' '.join(told)}",
        )
    )


def instrument(report: InstrumentReport, outcome: str, cause: str) -> Text:
    """Return what the instrument says of one outcome, in every way that it can be built.

    Parameters
    ----------
    report : InstrumentReport
    outcome, cause : str
        As the report's tables name them; an outcome that takes no instrument is said so.
    """
    told = [p for p in report.paragraphs() if p.startswith(f"As an instrument for {cause} ")]
    found = [p for p in report.paragraphs() if p.startswith(f"{outcome.capitalize()}: ")]
    if not found:
        found = [
            f"{outcome.capitalize()} is counted, and few: it is a Poisson model of counts, which"
            " takes no instrument here. What follows the dose itself is shown below."
        ]
    return Text((*told, *found))


def verdicts(first: Evidence, second: Evidence) -> Text:
    """Return the verdicts on both links, and on the chain that they make, by rule."""
    chain = weaker(first.verdict, second.verdict)
    told = [
        f"{e.link.cause.capitalize()} and {e.link.outcome}: {e.verdict.word}"
        f" ({_reasons(e.verdict)})."
        for e in (first, second)
    ]
    return Text(
        (
            f"The whole chain, by rule: {chain.word}. A chain holds no better than its weakest"
            " link.",
            *told,
        )
    )
