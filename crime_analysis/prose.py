"""Sentences made from results: uncertainty before direction, and never past the evidence.

Every figure in a sentence comes from a frame; so does its direction. A link whose interval
holds zero reads "cannot tell" by rule (`links.verdict`).
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crime_analysis import periods
from crime_analysis.implied import route_in_words
from crime_analysis.links import OUTCOMES, Effect, Link, verdict
from crime_analysis.tables import minus

__all__ = [
    "Text",
    "answer",
    "chain_effect",
    "implied_title",
    "lines",
    "link_effect",
    "link_line",
    "links_title",
    "listed",
    "named",
    "percent",
    "rose_or_fell",
    "series_name",
    "spanning",
]

_TEN_PER_CENT_LESS = float(np.log(0.9))
_MANY = 10.0  # a rise of so much is a multiple, not a percentage


@dataclass(frozen=True)
class Text:
    """Paragraphs, shown as such in a notebook and in a report."""

    paragraphs: tuple[str, ...]

    def __str__(self) -> str:
        return "\n\n".join(self.paragraphs)

    def _repr_html_(self) -> str:
        return "".join(f"<p>{html.escape(minus(p))}</p>" for p in self.paragraphs)


def percent(value: float) -> str:
    """Return a proportion as a percentage, with a decimal below ten.

    Examples
    --------
    >>> percent(0.1887), percent(0.0444)
    ('19%', '4.4%')
    """
    return f"{value:.1%}" if abs(value) < 0.0995 else f"{value:.0%}"


def named(force: str) -> str:
    """Return a force's name as it reads in a sentence.

    Examples
    --------
    >>> named("Metropolitan Police"), named("Surrey")
    ('the Metropolitan Police', 'Surrey Police')
    """
    return f"the {force}" if force.endswith("Police") else f"{force} Police"


def rose_or_fell(value: float) -> str:
    """Return a change in words: direction and size, or that it is too small to show.

    Examples
    --------
    >>> rose_or_fell(-0.1887), rose_or_fell(0.0001), rose_or_fell(float("nan"))
    ('fell 19%', 'hardly changed', 'is not known for both years')
    """
    if not np.isfinite(value):
        return "is not known for both years"
    if abs(value) < 0.0005:
        return "hardly changed"
    return f"{'rose' if value > 0 else 'fell'} {percent(abs(value))}"


def spanning(low: float, high: float) -> str:
    """Return an interval of proportional changes in words.

    Examples
    --------
    >>> spanning(-0.07, 0.17), spanning(0.02, 0.3), spanning(float("nan"), 1.0)
    ('anything from 7.0% less to 17% more', 'between 2.0% and 30% more', 'no known change')
    """
    if not np.isfinite([low, high]).all():
        return "no known change"
    if max(abs(low), abs(high)) < 0.0005:
        return "next to nothing either way, less or more"
    if low > 0:
        upper = f"between {percent(low)} and {percent(high)} more"
        return upper if high < _MANY else f"at least {percent(low)} more"
    if high < 0:
        return f"between {percent(-high)} and {percent(-low)} less"
    most = f"{percent(high)} more" if high < _MANY else "many times as many"
    return f"anything from {percent(-low)} less to {most}"


def listed(words: Sequence[str]) -> str:
    """Return words as a list in a sentence.

    Examples
    --------
    >>> listed(["robbery"]), listed(["robbery", "homicide", "assault"])
    ('robbery', 'robbery, homicide and assault')
    """
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def series_name(series: str) -> str:
    """Return a funding series' name in words."""
    return {
        "hmic_actuals": "HMIC, actuals",
        "hmic_estimates": "HMIC, estimates",
        "outturn": "DCLG/MHCLG, outturn",
        "outturn_gla": "DCLG/MHCLG, outturn of the GLA",
        "mpa_settlement": "MPA, settlement",
    }.get(series, series)


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _range(low: float, high: float, noun: str) -> str:
    """Return an interval of proportional changes in words, smaller size first."""
    if not np.isfinite([low, high]).all():
        return f"no known change in {noun}"
    less = "fewer" if noun == "officers" else "less"
    if low > 0:
        return f"between {percent(low)} and {percent(high)} more {noun}"
    if high < 0:
        return f"between {percent(-high)} and {percent(-low)} {less} {noun}"
    return f"anything from {percent(-low)} {less} to {percent(high)} more {noun}"


def _point(value: float, noun: str) -> str:
    less = "fewer" if noun == "officers" else "less"
    return f"{percent(abs(value))} {'more' if value > 0 else less}"


def _interval(low: float, high: float) -> str:
    if np.isinf(low) and np.isinf(high):
        return "without bound"
    if low > high:
        return f"below {_signed(high)} or above {_signed(low)}"
    return f"{_signed(low)} to {_signed(high)}"


def _row(link: Link) -> pd.Series:
    return link.table.loc[link.headline]


def _clear(link: Link) -> bool:
    row = _row(link)
    return verdict(row["ci_low"], row["ci_high"]) == "association"


def _dissent(link: Link) -> str:
    """Return how many of a link's specifications are not clear of zero, if any, in words."""
    rows = link.table[["ci_low", "ci_high"]].itertuples(index=False)
    unclear = sum(verdict(low, high) != "association" for low, high in rows)
    if not unclear:
        return ""
    return (
        f" by the headline estimate, but {unclear} of {len(link.table)} specifications cannot tell"
    )


def link_line(link: Link, word: str | None = None) -> str:
    """Return one line for a terminal: the elasticity, its interval, and what can be said.

    Parameters
    ----------
    link : Link
    word : str, optional
        What the link's checks leave to be said (`checks.Verdict.word`); the interval's word if
        they were not run.
    """
    row = _row(link)
    strength = f", F {row['f_statistic']:.0f}" if np.isfinite(row["f_statistic"]) else ""
    return (
        f"{link.cause} → {link.outcome}: elasticity {_signed(row['estimate'])}"
        f" [{_signed(row['ci_low'])}, {_signed(row['ci_high'])}]"
        f" ({_checked(verdict(row['ci_low'], row['ci_high']), word)}; {link.headline}{strength},"
        f" {row['forces']:.0f} forces)"
    )


def _checked(said: str, word: str | None) -> str:
    """Return what an interval says, or what the checks leave of it where that is another word."""
    return said if word in (None, said) else f"{word} after the checks"


def link_effect(link: Link) -> Effect:
    """Return a link's table with the sentence that its headline produces."""
    row = _row(link)
    bounds = np.array([row["ci_low"], row["ci_high"]])
    low, high = np.sort(np.expm1(_TEN_PER_CENT_LESS * bounds))
    what = "10% less real funding" if link.cause == "funding" else "10% fewer officers"
    basis = f"{link.headline}; {row['forces']:.0f} forces"
    if np.isfinite(row["f_statistic"]):
        basis += f"; first-stage F {row['f_statistic']:.0f}"
    if _clear(link):
        middle = float(np.expm1(_TEN_PER_CENT_LESS * row["estimate"]))
        text = (
            f"With 95% confidence, {what} is associated with {_range(low, high, link.outcome)};"
            f" the best estimate is {_point(middle, link.outcome)} ({basis})."
        )
    else:
        reach = ""
        if np.isfinite(bounds).all() and bounds[0] <= bounds[1]:
            verb = "goes" if link.cause == "funding" else "go"
            reach = f" {what} {verb} with {_range(low, high, link.outcome)}"
        move = "move" if link.outcome == "officers" else "moves"
        text = (
            f"These data cannot tell how {link.outcome} {move} with {link.cause}:{reach} (95%"
            f" interval of the elasticity {_interval(*bounds)}; {basis})."
        )
    return Effect(link.table, text)


def links_title(links: Mapping[str, Link]) -> str:
    """Return a chart title for several links: which clear zero, which do not."""
    clear = [f"{k.cause} → {k.outcome}" for k in links.values() if _clear(k)]
    unclear = [f"{k.cause} → {k.outcome}" for k in links.values() if not _clear(k)]
    if not clear:
        return f"No link is clear of zero: {', '.join(unclear)}"
    if not unclear:
        return f"Every link is clear of zero: {', '.join(clear)}"
    return (
        f"By the headline estimates not clear of zero: {', '.join(unclear)}."
        f" Clear: {', '.join(clear)}"
    )


def implied_title(table: pd.DataFrame, force: str) -> str:
    """Return a chart title for the chain: whether implied changes exclude none at all."""
    if table.empty:
        return f"{force} has too few residents for rates, so nothing is carried through for it."
    spans = (table["ci_low"] < 0) & (table["ci_high"] > 0)
    if spans.all():
        return f"For {named(force)}, every implied change is compatible with none at all"
    clear = ", ".join(sorted(set(table.loc[~spans, "outcome"])))
    return f"For {named(force)}, the implied change is clear of zero only for {clear}"


def _share(row: pd.Series) -> str:
    """Return how much of a recorded rise the change in officers can account for, in words."""
    if not np.isfinite(row["share"]):
        return ""
    route = route_in_words("officers lost", row["cause_change"])
    low = "none" if row["share_low"] <= 0 else f"{row['share_low']:.0%}"
    high = "more than all" if row["share_high"] >= 1 else f"{max(row['share_high'], 0):.0%}"
    if low == "none" and row["share_high"] <= 0:
        return f" The {route} accounts for none of that rise."
    return f" The {route} can account for anything from {low} to {high} of that rise."


def chain_effect(table: pd.DataFrame, force: str, outcome: str, start: str, end: str) -> Effect:
    """Return the chain's table with its sentence for one outcome."""
    label = OUTCOMES[outcome][0]
    if table.empty:
        return Effect(
            table,
            f"{force} has too few residents for rates per resident: a few thousand people live"
            " there and far more come each day. Nothing is carried through for it.",
        )
    rows = table[table["outcome"] == label].set_index("route")
    money, people = rows.loc["funding lost"], rows.loc["officers lost"]
    recorded = rose_or_fell(money["actual_change"])
    text = (
        f"In {named(force)}, real funding {rose_or_fell(money['cause_change'])} from {start} to"
        f" {end}, and officers per resident {rose_or_fell(people['cause_change'])}. With 95%"
        " confidence, that change in officers implies"
        f" {_range(people['ci_low'], people['ci_high'], label)} per resident, and the change in"
        f" money, through both links, {_range(money['ci_low'], money['ci_high'], label)}."
        f" Recorded {label} per resident {recorded} between the years that followed,"
        f" {periods.label(periods.start(start) + 1)} and {periods.label(periods.start(end) + 1)}."
        f"{_share(people)}"
    )
    return Effect(table, text)


def answer(
    links: Mapping[str, Link],
    table: pd.DataFrame,
    force: str,
    outcome: str,
    start: str,
    end: str,
    words: Mapping[str, str] | None = None,
) -> Text:
    """Return the report's answer in plain words, uncertainty first.

    Parameters
    ----------
    links : mapping
        ``"officers"`` and the outcomes, from `links.fit_links`.
    table : DataFrame
        From `implied.chain`; without rows where the force has too few residents for rates.
    force, outcome, start, end : str
        What the report is about.
    words : mapping, optional
        By link, what its checks leave to be said (`checks.Verdict.word`): a link that they leave
        at “cannot tell” is told so, however clear its interval.
    """
    label = OUTCOMES[outcome][0]
    left = {name: (words or {}).get(name, "") != "cannot tell" for name in ("officers", outcome)}
    opening = (
        f"Across the forces of England and Wales, {label} is associated with the number of"
        " officers; that is not yet proof of a cause."
        if _clear(links[outcome]) and left[outcome]
        else f"These data cannot tell whether losing officers raised {label}."
    )
    money = _clear(links["officers"])
    if money and left["officers"]:
        opening += f" They do tie money to officers{_dissent(links['officers'])}."
    elif money:
        opening += (
            " Money and officers are tied by the headline estimate, but it does not pass its"
            " checks: these data cannot tell how far money moved officers."
        )
    else:
        opening += " Nor can they tell how far money moved officers."
    return Text(
        (
            opening,
            link_effect(links["officers"]).text,
            link_effect(links[outcome]).text,
            chain_effect(table, force, outcome, start, end).text,
        )
    )


def lines(
    links: Mapping[str, Link],
    table: pd.DataFrame,
    force: str,
    outcome: str,
    words: Mapping[str, str] | None = None,
) -> list[str]:
    """Return one line a link, for a terminal: estimate, interval, what can be said.

    Parameters
    ----------
    links, table, force, outcome, words
        As in `answer`.
    """
    label, left = OUTCOMES[outcome][0], words or {}
    shown_links = [link_line(links[name], left.get(name)) for name in ("officers", outcome)]
    weak = "cannot tell" if "cannot tell" in left.values() else None
    third = f"funding → officers → {label}, {force}: "
    rows = table[(table["outcome"] == label) & (table["route"] == "funding lost")]
    if rows.empty:
        third += "not computed, too few residents for rates"
    else:
        row = rows.iloc[0]
        if not np.isfinite(row["implied_change"]):
            third += "not computed, the funding of both years is not known"
            return [*shown_links, third]
        shown = [f"{row[c]:+.1%}" for c in ("implied_change", "ci_low", "ci_high", "actual_change")]
        third += (
            f"implied change {shown[0]} [{shown[1]}, {shown[2]}]"
            f" ({_checked(verdict(row['ci_low'], row['ci_high']), weak)}), recorded {shown[3]}"
        ).replace("-", "−")
    return [*shown_links, third]
