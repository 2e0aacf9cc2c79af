"""What the whole chain says of one force: how much the cut explains, and how sure that is."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from crime_analysis.findings.exchanged import NOMINAL
from crime_analysis.findings.link_evidence import Evidence, weaker
from crime_analysis.findings.violence_change import ViolenceChange
from crime_analysis.implied import route_in_words
from crime_analysis.links import OUTCOMES
from crime_analysis.prose import Text, named, percent, rose_or_fell
from crime_analysis.story import violence_words
from crime_analysis.story.link_words import left_out, worth
from crime_analysis.tables import Table

__all__ = ["explained", "false_alarms", "false_alarms_table", "in_short", "nominal"]


def in_short(
    first: Evidence, second: Evidence, implied: pd.DataFrame, change: ViolenceChange, outcome: str,
    alarms: pd.DataFrame | None = None,
) -> Text:  # fmt: skip
    """Return how much of a rise the cut explains and how sure that is, in two paragraphs.

    Parameters
    ----------
    first, second : Evidence
        The two links.
    implied : DataFrame
        From `implied.chain`; without rows where the force has too few residents.
    change : ViolenceChange
        From `violence_change.violence_change`: the place, and how its violence moved.
    outcome : str
        One of `links.OUTCOMES`.
    alarms : DataFrame, optional
        From `exchanged.false_alarms`: what the interval's 95% is worth is told after it.
    """
    label, force = OUTCOMES[outcome][0], change.force
    said = weaker(first.verdict, second.verdict)
    weak = [e for e in (first, second) if e.verdict.word == said.word]
    weakest = (
        "both links, which by rule read"
        if len(weak) > 1
        else f"{weak[0].link.cause} and {weak[0].link.outcome}, which by rule reads"
    )
    how_sure = {
        "cannot tell": "not sure enough to say that it explains any of it",
        "association": "sure of an association, not of an effect",
        "effect": "an effect, so far as the checks can see",
    }[said.word]
    sure = (
        f"How sure: {how_sure}. A chain is as weak as its weakest link, here {weakest}"
        f" “{said.word}”."
    )
    if implied.empty:
        return Text((left_out(force), sure))
    rows = implied[implied["outcome"] == label].set_index("route")
    row = rows.loc["funding lost"]
    recorded = float(row["actual_change"])
    moved = f"recorded {label} per resident {rose_or_fell(recorded)} in {named(force)}'s area"
    beside = violence_words.followed(change, outcome)
    if not recorded > 0:
        much = f"Nothing is there to explain: {moved}. {beside}"
    elif not np.isfinite([row["share_low"], row["share_high"]]).all():
        much = f"How much the cut explains is not known: {moved}, and funding is not known."
    else:
        open_ended = "These data cannot tell how much" if said.word == "cannot tell" else "How much"
        much = (
            f"{open_ended} of the rise the cut explains: {moved}, and if both links were effects"
            f" the cut would explain {_part(row)}, with 95% confidence. {beside}"
        )
        if alarms is not None:
            much += f" {nominal(alarms, first, second)}"
    return Text((much, sure))


def nominal(alarms: pd.DataFrame, first: Evidence, second: Evidence) -> str:
    """Return what the 95% of a chain's interval is worth, by that of its links.

    Parameters
    ----------
    alarms : DataFrame
        From `exchanged.false_alarms`.
    first, second : Evidence
        The links that were exchanged.
    """
    told = [
        f"{percent(alarms.at[name, 'share'])} ({evidence.link.cause} and {evidence.link.outcome})"
        for name, evidence in (("first", first), ("second", second))
    ]
    # The chain's interval is as wide as its links': one that is too narrow makes it so.
    widest = alarms.loc[alarms.loc[["first", "second"], "ci_low"].idxmax()]
    return (
        "That 95% is nominal: with forces exchanged at random, the links' 95% intervals leave zero"
        f" out in {' and '.join(told)} of {alarms.at['first', 'exchanges']:.0f} exchanges,"
        f" {worth(widest)}."
    )


def _part(row: Mapping[Hashable, Any] | pd.Series) -> str:
    """Return what part of a rise lies within an interval of shares."""
    if row["share_high"] <= 0:
        return "none of it"
    low = "none" if row["share_low"] <= 0 else percent(row["share_low"])
    high = "more than all" if row["share_high"] >= 1 else percent(row["share_high"])
    return f"anything from {low} of it to {high}"


def explained(implied: pd.DataFrame, change: ViolenceChange, outcome: str) -> Text:
    """Return how much of a recorded rise each loss could account for, if the links were effects.

    Parameters
    ----------
    implied : DataFrame
        From `implied.chain`; without rows where the force has too few residents.
    change : ViolenceChange
        From `violence_change.violence_change`: the place, and how its violence moved.
    outcome : str
        One of `links.OUTCOMES`.
    """
    label, force = OUTCOMES[outcome][0], change.force
    if implied.empty:
        return Text((left_out(force),))
    rows = implied[implied["outcome"] == label]
    recorded = float(rows["actual_change"].iloc[0])
    if not recorded > 0:
        return Text(
            (
                f"Recorded {label} per resident in {named(force)}'s area"
                f" {rose_or_fell(recorded)}: there is no rise to account for.",
            )
        )
    told = [
        f"the {route} could account for {_part(row)}"
        if np.isfinite([row["share_low"], row["share_high"]]).all()
        else f"what the {route} could account for is not known"
        for row in rows.to_dict("records")
        for route in [route_in_words(row["route"], row["cause_change"])]
    ]
    return Text(
        (
            f"Recorded {label} per resident in {named(force)}'s area rose {percent(recorded)}. If"
            f" the links were effects, with 95% confidence {' and '.join(told)}."
            f" {violence_words.followed(change, outcome)}",
        )
    )


def false_alarms(table: pd.DataFrame, first: Evidence, second: Evidence) -> Text:
    """Return how often exchanged figures read as associations, and what that says of intervals.

    Parameters
    ----------
    table : DataFrame
        From `exchanged.false_alarms`.
    first, second : Evidence
        The links that were exchanged.
    """
    count = int(table["exchanges"].iloc[-1])
    chain = int(table.at["chain", "alarms"])
    told = []
    for name, evidence in (("first", first), ("second", second)):
        row = table.loc[name]
        width = (
            "more often than a 95% interval should, so that link's intervals are too narrow"
            if row["ci_low"] > NOMINAL
            else "less often than a 95% interval would"
            if row["ci_high"] < NOMINAL
            else "about as often as a 95% interval should"
        )
        told.append(
            f"{evidence.link.cause.capitalize()} and {evidence.link.outcome} read as an"
            f" association in {row['alarms']:.0f} of {row['exchanges']:.0f} exchanges, {width};"
            f" what the real figures show is matched in {percent(row['p_value'])} of them."
        )
    return Text(
        (
            "With every force given another's money and another's officers at random, the chain"
            f" reads as an association in {chain} of {count} exchanges, and “cannot tell” in the"
            f" other {count - chain}.",
            *told,
        )
    )


def false_alarms_table(table: pd.DataFrame, first: Evidence, second: Evidence) -> Table:
    """Return what `false_alarms` says, as rows."""
    links = [f"{e.link.cause} and {e.link.outcome}" for e in (first, second)]
    names = dict(zip(("first", "second"), links, strict=True)) | {"chain": "both, the chain"}
    shown = table.reset_index()
    shown["link"] = shown["link"].map(names)
    return Table(
        shown,
        "Forces exchanged at random: how often an interval leaves zero out where nothing is"
        " linked, and how often chance goes as far as the real figures (p)",
        dict.fromkeys(("share", "ci_low", "ci_high"), "{:.1%}"),
    )
