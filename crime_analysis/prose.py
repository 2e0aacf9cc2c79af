"""Sentences made from results: uncertainty before direction, and never past the evidence.

Every figure in a sentence comes from a frame; so does its direction. A link whose interval
holds zero reads "cannot tell" by rule (`links.verdict`).
"""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crime_analysis.links import OUTCOMES, Effect, Link, verdict

__all__ = [
    "Text",
    "answer",
    "chain_effect",
    "implied_title",
    "lines",
    "link_effect",
    "link_line",
    "links_title",
    "percent",
    "rose_or_fell",
    "series_name",
]


@dataclass(frozen=True)
class Text:
    """Paragraphs, shown as such in a notebook and in a report."""

    paragraphs: tuple[str, ...]

    def __str__(self) -> str:
        return "\n\n".join(self.paragraphs)

    def _repr_html_(self) -> str:
        return "".join(f"<p>{html.escape(p)}</p>" for p in self.paragraphs)


def percent(value: float) -> str:
    """Return a proportion as a percentage, with a decimal below ten.

    Examples
    --------
    >>> percent(0.1887), percent(0.0444)
    ('19%', '4.4%')
    """
    return f"{value:.1%}" if abs(value) < 0.0995 else f"{value:.0%}"


def rose_or_fell(value: float) -> str:
    """Return the verb for a change; one too small to show is no change.

    Examples
    --------
    >>> rose_or_fell(-0.2), rose_or_fell(0.0001)
    ('fell', 'stayed the same, within')
    """
    if abs(value) < 0.0005:
        return "stayed the same, within"
    return "rose" if value > 0 else "fell"


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


def _more(value: float) -> str:
    """Return a proportional change in words."""
    return f"{percent(abs(value))} {'more' if value > 0 else 'less'}"


def _interval(low: float, high: float) -> str:
    if np.isinf(low) and np.isinf(high):
        return "no bound on either side"
    if low > high:
        return f"below {_signed(high)} or above {_signed(low)}"
    return f"{_signed(low)} to {_signed(high)}"


def _row(link: Link) -> pd.Series:
    return link.table.loc[link.headline]


def link_line(link: Link) -> str:
    """Return one line for a terminal: the elasticity, its interval, and what can be said."""
    row = _row(link)
    strength = f", F {row['f_statistic']:.0f}" if np.isfinite(row["f_statistic"]) else ""
    return (
        f"{link.cause} → {link.outcome}: elasticity {_signed(row['estimate'])}"
        f" [{_signed(row['ci_low'])}, {_signed(row['ci_high'])}]"
        f" ({verdict(row['ci_low'], row['ci_high'])}; {link.headline}{strength},"
        f" {row['forces']:.0f} forces)"
    )


def link_effect(link: Link) -> Effect:
    """Return a link's table with the sentence that its headline produces."""
    row = _row(link)
    at_ten = sorted((np.log(0.9) * row["ci_low"], np.log(0.9) * row["ci_high"]))
    low, high = (float(np.expm1(v)) for v in at_ten)
    middle = float(np.expm1(np.log(0.9) * row["estimate"]))
    what = f"10% less {link.cause}" if link.cause == "funding" else "10% fewer officers"
    basis = f"{link.headline}; {row['forces']:.0f} forces"
    if np.isfinite(row["f_statistic"]):
        basis += f"; first-stage F {row['f_statistic']:.0f}"
    if verdict(row["ci_low"], row["ci_high"]) == "association":
        text = (
            f"With 95% confidence, {what} is associated with between {_more(low)} and {_more(high)}"
            f" {link.outcome}; the best estimate is {_more(middle)} ({basis})."
        )
    else:
        text = (
            f"These data cannot tell how {link.outcome} moves with {link.cause}: {what} goes with"
            f" anything from {_more(low)} to {_more(high)} {link.outcome} (95% interval of the"
            f" elasticity {_interval(row['ci_low'], row['ci_high'])}; {basis})."
        )
    return Effect(link.table, text)


def links_title(links: Mapping[str, Link]) -> str:
    """Return a chart title for several links: which clear zero, which do not."""
    clear = [
        link.outcome
        for link in links.values()
        if verdict(_row(link)["ci_low"], _row(link)["ci_high"]) == "association"
    ]
    unclear = [link.outcome for link in links.values() if link.outcome not in clear]
    if not clear:
        return f"No interval is clear of zero: {', '.join(unclear)}"
    if not unclear:
        return f"The interval is clear of zero for {', '.join(clear)}"
    return f"Clear of zero: {', '.join(clear)}; not clear: {', '.join(unclear)}"


def implied_title(table: pd.DataFrame, force: str) -> str:
    """Return a chart title for the chain: whether implied changes exclude none at all."""
    if table.empty:
        return f"{force} has too few residents for rates"
    spans = (table["ci_low"] < 0) & (table["ci_high"] > 0)
    if spans.all():
        return f"For {force}, every implied change is compatible with none at all"
    clear = ", ".join(sorted(set(table.loc[~spans, "outcome"])))
    return f"For {force}, the implied change is clear of zero only for {clear}"


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
    money = rows.loc["funding lost"]
    people = rows.loc["officers lost"]
    recorded = money["actual_change"]

    def range_of(row: pd.Series) -> str:
        return f"between {_more(row['ci_low'])} and {_more(row['ci_high'])} {label}"

    share = ""
    if np.isfinite(people["share"]):
        share = (
            f" That loss of officers can account for between {people['share_low']:.0%} and"
            f" {people['share_high']:.0%} of the recorded rise.".replace("-", "−")
        )
    text = (
        f"For {force}, {start} to {end}: real funding {_moved(money['cause_change'])} and officers"
        f" per resident {_moved(people['cause_change'])}. Through both links the money implies"
        f" {range_of(money)} per resident (95% interval); the officers alone imply"
        f" {range_of(people)}. Recorded {label} per resident {_moved(recorded)}, a year later.{share}"
    )
    return Effect(table, text)


def _moved(value: float) -> str:
    if not np.isfinite(value):
        return "is not known for both years"
    return f"{rose_or_fell(value)} {percent(abs(value))}"


def answer(
    links: Mapping[str, Link], table: pd.DataFrame, force: str, outcome: str,
    start: str, end: str,
) -> Text:  # fmt: skip
    """Return the report's answer in plain words, uncertainty first.

    Parameters
    ----------
    links : mapping
        ``"officers"`` and the outcomes, from `chain`.
    table : DataFrame
        From `links.chain`; without rows where the force has too few residents for rates.
    force, outcome, start, end : str
        What the report is about.
    """
    second = links[outcome]
    label = OUTCOMES[outcome][0]
    clear = verdict(_row(second)["ci_low"], _row(second)["ci_high"]) == "association"
    opening = (
        f"Fewer officers are associated with a change in {label} across the forces of England and"
        " Wales, but an association is not proof of a cause."
        if clear
        else f"These data cannot tell whether losing officers raised {label}."
    )
    paragraphs = [opening, link_effect(links["officers"]).text, link_effect(second).text]
    paragraphs.append(chain_effect(table, force, outcome, start, end).text)
    return Text(tuple(paragraphs))


def lines(links: Mapping[str, Link], table: pd.DataFrame, force: str, outcome: str) -> list[str]:
    """Return one line a link, for a terminal: estimate, interval, what can be said."""
    label = OUTCOMES[outcome][0]
    third = f"funding → officers → {label}, {force}: "
    rows = table[(table["outcome"] == label) & (table["route"] == "funding lost")]
    if rows.empty:
        third += "not computed, too few residents for rates"
    else:
        row = rows.iloc[0]
        shown = [
            f"{row[c]:+.1%}".replace("-", "−") for c in ("implied_change", "ci_low", "ci_high")
        ]
        third += (
            f"implied change {shown[0]} [{shown[1]}, {shown[2]}]"
            f" ({verdict(row['ci_low'], row['ci_high'])}), recorded {row['actual_change']:+.1%}"
        ).replace("-", "−")
    return [link_line(links["officers"]), link_line(links[outcome]), third]
