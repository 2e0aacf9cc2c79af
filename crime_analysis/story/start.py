"""The first page in words: four questions answered, each in a sentence made from results.

Every sentence is made from the results that the other notebooks show at length; it says what is
uncertain before it says which way.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from crime_analysis import periods
from crime_analysis.findings.claims import Claims
from crime_analysis.findings.grant_cut import GrantFall
from crime_analysis.findings.link_evidence import Evidence
from crime_analysis.findings.place_report import ForceReport
from crime_analysis.links import LONDON, OUTCOMES
from crime_analysis.links import verdict as link_verdict
from crime_analysis.prose import Text, listed, named, percent, rose_or_fell, spanning
from crime_analysis.story import chain, violence_words
from crime_analysis.story.claims import upper
from crime_analysis.story.place_words import (
    crosses_own_break,
    place_among,
    rates,
    since_lowest,
    spans_reform,
)
from crime_analysis.story.series import Linked, links
from crime_analysis.tables import Table

__all__ = [
    "claims_table", "cut", "explained", "how_sure", "learnt", "officers", "records", "violence",
]  # fmt: skip

_VIOLENCE = "violence_with_injury"
_LABEL = OUTCOMES[_VIOLENCE][0]


def _rank(report: ForceReport, column: str) -> str:
    """Return where the force stands, counted from the largest fall."""
    place = place_among(report, column)
    return f" Counted from the largest fall, the force is number {place}." if place else ""


def _grants_change(report: ForceReport) -> float:
    pair = report.estimates["grants_real_gbp_m"]
    return float(pair.iloc[1] / pair.iloc[0] - 1)


def _from_to(report: ForceReport, column: str) -> str:
    first, last = report.estimates[column]
    return f"£{first:,.0f}m to £{last:,.0f}m"


def cut(report: ForceReport, fall: GrantFall, claims: Claims, pages: pd.DataFrame) -> Linked:
    """Return how much was cut, and in what sense.

    Parameters
    ----------
    report : ForceReport
        From `place_report.force_report`.
    fall : GrantFall
        From `grant_cut.reconstruction`: always the Met's.
    claims : Claims
        From `claims.check_claims`.
    pages : DataFrame
        From `series.series`, to link to.
    """
    moved = report.standing.loc[report.force, "funding"]
    answer = (
        f"It depends on what is counted: from {report.start} to {report.end} government grants to"
        f" {named(report.force)} {rose_or_fell(_grants_change(report))} in real terms"
        f" ({_from_to(report, 'grants_real_gbp_m')}), grants and council tax together"
        f" {rose_or_fell(moved)} ({_from_to(report, 'funding_real_gbp_m')}), and at each year's"
        f" own prices these {rose_or_fell(report.funding_cash_change)}."
    )
    amounts = (
        f"Real terms are {report.price_base} prices; the amounts are estimates of HMIC, the"
        f" inspectorate of police, made before each year.{_rank(report, 'funding')}"
    )
    row = claims.row("cut-since-2010")
    fell = "fell" if fall.fall_gbp_m > 0 else "rose"
    claim = (
        "What was claimed is a sum of money, and of the Met alone:"
        f" “{row['claim'].rstrip('.')}”. Checked, that {row['verdict']} ({row['because']}). One"
        " reconstruction, the core grant with the grants later folded into it, "
        f"{fell} £{abs(fall.fall_gbp_m):,.0f}m from {fall.start} to {fall.end} at"
        f" {fall.price_base} prices. That is {percent(abs(fall.share_of_earlier))} of the figure of"
        f" {fall.start} and {percent(abs(fall.share_of_later))} of that of {fall.end}: the same"
        " fall sounds larger as a share of what is left. No workings of the claim were found."
    )
    told = tuple(filter(None, (amounts, _council_tax(report), claim)))
    return Linked(answer, told, _seen(pages, report, "02-funding", "force-report"))


def _council_tax(report: ForceReport) -> str:
    """Return what the sum of both sources holds that is not government's to cut."""
    first, last = report.estimates["council_tax_real_gbp_m"]
    if not first > 0:
        return ""
    who = "the Mayor of London sets" if report.force == LONDON else "is set locally"
    text = f"The sum of both includes council tax, which {who}: it {rose_or_fell(last / first - 1)}"
    if periods.start(report.start) < 2013 <= periods.start(report.end):
        text += (
            " by itself, in part because support for council tax payers became a grant in 2013/14."
            " That moved money from the one to the other, so only the two together are like for"
            " like"
        )
    return f"{text}."


def _seen(pages: pd.DataFrame, report: ForceReport, *names: str) -> tuple[tuple[str, str], ...]:
    return links(pages, names, {"force": report.force})


def officers(report: ForceReport, pages: pd.DataFrame) -> Linked:
    """Return what happened to officers, in number and per resident.

    Parameters
    ----------
    report : ForceReport
        From `place_report.force_report`.
    pages : DataFrame
        From `series.series`, to link to.
    """
    moved = report.standing.loc[report.force]
    first, last = report.counted
    answer = (
        f"Officers of {named(report.force)} {rose_or_fell(moved['officers'])} in number from 31"
        f" March {first} to 31 March {last}"
    )
    if report.rates:
        answer += f"; for each resident they {rose_or_fell(moved['officers_per_resident'])}"
    posts = report.officers["officers_fte"].dropna()
    low, now = int(posts.idxmin()), int(posts.index[-1])
    amounts = f"That is from {posts[first]:,.0f} to {posts[last]:,.0f} full-time equivalents"
    if report.rates:
        rate = report.officers["officers_per_1000"]
        amounts += f", and from {rates(rate[first], rate[last])} for every 1,000 residents"
    else:
        amounts += "; too few people live here for a rate per resident to mean anything"
    amounts += f".{_rank(report, 'officers')}"
    after = (
        f"Of the years on hand, {posts.index[0]} to {now}, the lowest count is that of {low}:"
        f" {posts[low]:,.0f}. On 31 March {now} it was {posts[now]:,.0f}."
    )
    return Linked(f"{answer}.", (amounts, after), _seen(pages, report, "03-officers"))


def violence(report: ForceReport, pages: pd.DataFrame) -> Linked:
    """Return whether violence rose, by which measure.

    Parameters
    ----------
    report : ForceReport
        From `place_report.force_report`.
    pages : DataFrame
        From `series.series`, to link to.
    """
    change = report.violence
    in_number = " ".join(filter(None, (violence_words.in_number(change), _other_measures(report))))
    details = (violence_words.alone(change), in_number, _between(report))
    return Linked(
        violence_words.answer(change),
        tuple(filter(None, details)),
        _seen(pages, report, "04-violence", "01-data"),
    )


def _other_measures(report: ForceReport) -> str:
    """Return the counts that have not been named yet, each over the years in which it is known."""
    told, missing = [], []
    for name, label in (
        ("knife_offences", "knife offences"),
        ("admissions", "hospital admissions for assault by sharp object in the whole region"),
    ):
        known = report.offences[name].loc[report.start : report.end].dropna()
        if len(known) < 2 or known.iloc[0] <= 0:
            missing.append(label)
            continue
        if crosses_own_break(report, name, known):
            told.append(f"{label} cannot be compared across these years (see the breaks below)")
            continue
        told.append(
            f"{label} {rose_or_fell(known.iloc[-1] / known.iloc[0] - 1)} from {known.index[0]} to"
            f" {known.index[-1]}"
        )
    text = f"Also in number, {'; '.join(told)}." if told else ""
    text += f" Not on hand: {', '.join(missing)}." if missing else ""
    return text.strip()


def _between(report: ForceReport) -> str:
    """Return what the two years alone hide: a lower year between, the reform of recording."""
    text = ""
    if report.rates:
        panel = report.panel[report.panel["force"] == report.force]
        course = panel.set_index("financial_year")[f"{_VIOLENCE}_per_1000"]
        text = since_lowest(course.loc[report.start : report.end], f"recorded {_LABEL}")
    if spans_reform(report.start, report.end):
        text += " Between these years forces changed how they record violence, homicide apart."
    return text.strip()


def explained(
    report: ForceReport, found: Mapping[str, Evidence], alarms: pd.DataFrame, pages: pd.DataFrame
) -> Linked:
    """Return how much of the violence the cut explains, and how sure that is.

    Parameters
    ----------
    report : ForceReport
        From `place_report.force_report`.
    found : mapping
        From `link_evidence.every_link`: each link, and what its checks leave of it.
    alarms : DataFrame
        From `exchanged.false_alarms`: what a nominal 95% is worth.
    pages : DataFrame
        From `series.series`, to link to.
    """
    seen = _seen(pages, report, "05-funding-to-officers", "06-officers-to-violence", "07-the-chain")
    sure = f"How sure? {how_sure(found, alarms)}"
    doubt = (
        "These data cannot tell how much of it the cut explains"
        if "cannot tell" in (found["officers"].verdict.word, found[_VIOLENCE].verdict.word)
        else "The cut and violence are associated through officers, which is no proof of a cause"
    )
    if report.implied.empty:
        return Linked(
            f"{doubt}; for {named(report.force)} nothing is worked out, because the estimates are"
            " of rates per resident and too few people live there.",
            (sure,),
            seen,
        )
    rows = report.implied[report.implied["outcome"] == _LABEL].set_index("route")
    money = rows.loc["funding lost"]
    within = spanning(money["ci_low"], money["ci_high"])
    after = [periods.label(periods.start(year) + 1) for year in (report.start, report.end)]
    answer = (
        f"{doubt}: with 95% confidence the change in money goes, through officers, with {within}"
        f" {_LABEL} per resident, and what was recorded {rose_or_fell(money['actual_change'])}"
        f" between the years that followed, {after[0]} and {after[1]}."
    )
    details = (
        violence_words.followed(report.violence, _VIOLENCE),
        _share(money, report),
        sure,
    )
    return Linked(answer, details, seen)


def _share(money: pd.Series, report: ForceReport) -> str:
    if not np.isfinite([money["share_low"], money["share_high"]]).all():
        return (
            f"No share of a rise can be given: what {named(report.force)} recorded did not rise, or"
            " is not known for both years."
        )
    low = "nothing" if money["share_low"] <= 0 else percent(money["share_low"])
    high = "more than all" if money["share_high"] >= 1 else percent(max(money["share_high"], 0.0))
    return (
        f"As a share of the recorded rise that is anything from {low} to {high} of it, were the"
        " estimate an effect, and were all of the rise one of violence and none of recording."
    )


def how_sure(found: Mapping[str, Evidence], alarms: pd.DataFrame) -> str:
    """Return what the checks leave of both links, and what their nominal 95% is worth.

    Parameters
    ----------
    found : mapping
        From `link_evidence.every_link`.
    alarms : DataFrame
        From `exchanged.false_alarms`.
    """
    told = []
    for name in ("officers", _VIOLENCE):
        link, verdict = found[name].link, found[name].verdict
        rows = link.table[["ci_low", "ci_high"]].itertuples(index=False)
        unclear = sum(link_verdict(low, high) != "association" for low, high in rows)
        failed = [result.name for result in found[name].results if result.passed is False]
        checks = f"after the checks (failed: {listed(failed)})" if failed else "after the checks"
        told.append(
            f"{link.cause} to {link.outcome}: {verdict.word} {checks}, and {unclear or 'none'} of"
            f" {len(link.table)} ways of estimating it cannot tell"
        )
    return (
        f"{upper('; '.join(told))}. {chain.nominal(alarms, found['officers'], found[_VIOLENCE])}"
        " An association becomes an effect only if nothing else that"
        " differed between forces moved both."
    )


def claims_table(claims: Claims) -> Table:
    """Return the article's claims, each with its verdict and the reason in short."""
    rows = [
        {"claim": row.claim, "verdict": upper(row.verdict), "because": upper(row.because)}
        for row in claims.table.itertuples()
    ]
    return Table(
        pd.DataFrame(rows), "What the article claimed, in our words, and what became of it"
    )


def learnt(
    report: ForceReport, fall: GrantFall, claims: Claims, found: Mapping[str, Evidence],
    alarms: pd.DataFrame, pages: pd.DataFrame,
) -> Text:  # fmt: skip
    """Return the four answers, a sentence each."""
    answers = {
        "The cut": cut(report, fall, claims, pages),
        "Officers": officers(report, pages),
        "Violence": violence(report, pages),
        "What the cut explains of it": explained(report, found, alarms, pages),
    }
    return Text(tuple(f"{what}. {told.answer}" for what, told in answers.items()))


def records(report: ForceReport, fall: GrantFall) -> dict[str, float]:
    """Return the numbers that the four answers rest on, by name."""
    moved = report.standing.loc[report.force]
    money = report.implied[
        (report.implied["outcome"] == _LABEL) & (report.implied["route"] == "funding lost")
    ]
    low, high = money[["ci_low", "ci_high"]].iloc[0] if len(money) else (np.nan, np.nan)
    return {
        "funding_change": float(moved["funding"]),
        "grants_change": _grants_change(report),
        "grant_fall_gbp_m": fall.fall_gbp_m,
        "officers_change": float(moved["officers"]),
        "violence_change": float(report.violence.recorded.at[_VIOLENCE, "change"]),
        "implied_low": float(low),
        "implied_high": float(high),
    }
