"""The £700m shown: the reconstruction step by step, what the claim needs, and what can be said."""

from __future__ import annotations

import pandas as pd

from crime_analysis.drawing import BLUE, GREY, ORANGE, YELLOW, Figure, canvas
from crime_analysis.findings.grant_cut import CLAIMED_GBP_M, CLAIMED_SHARE, GrantFall, needed
from crime_analysis.prose import Text, percent, rose_or_fell
from crime_analysis.story.money_readings import (
    FORMATS,
    SOURCE,
    claim,
    gbp,
    in_box,
    index_name,
    moved,
)
from crime_analysis.tables import Table

__all__ = ["answer", "steps", "what_it_needs"]

_PARTS = {
    "formula_funding": "core grant",
    "crime_fighting_fund": "Crime Fighting Fund",
    "rule_2_grant": "Rule 2 grant",
    "pcso_grant": "community support officers",
}


def steps(fall: GrantFall) -> Figure:
    """Draw the reconstruction as steps: the core grant, what was folded in, prices, the fall."""
    parts = fall.parts.assign(name=fall.parts["part"].map(lambda part: _PARTS.get(part, part)))
    before = parts.iloc[:-1]
    core = float(before["value_gbp_m"].iloc[0])
    cash = float(before["value_gbp_m"].sum())
    bars = [  # label, foot, height, colour, hatch, what is written above
        (f"Core grant\n{fall.start}, cash", 0.0, core, BLUE, "", gbp(core)),
        ("Grants folded\nin later, cash", core, cash - core, YELLOW, "//", f"+{gbp(cash - core)}"),
        (f"To prices\nof {fall.price_base}", cash, fall.earlier_gbp_m - cash, GREY, "--",
         f"{'+' if fall.earlier_gbp_m >= cash else ''}{gbp(fall.earlier_gbp_m - cash)}"),
        (f"{fall.start}\nlike for like", 0.0, fall.earlier_gbp_m, BLUE, "",
         gbp(fall.earlier_gbp_m)),
        ("Difference", fall.later_gbp_m, fall.fall_gbp_m, ORANGE, "xx",
         f"{'-' if fall.fall_gbp_m > 0 else '+'}{gbp(abs(fall.fall_gbp_m))}"),
        (f"Core grant\n{fall.end}", 0.0, fall.later_gbp_m, BLUE, "", gbp(fall.later_gbp_m)),
    ]  # fmt: skip
    with canvas(height=3.8) as (_, axis, out):
        for place, (_label, foot, height, colour, hatch, words) in enumerate(bars):
            axis.bar(place, height, bottom=foot, color=colour, hatch=hatch, edgecolor="white")
            axis.annotate(
                words.replace("-", "−"), (place, max(foot, foot + height)), xytext=(0, 3),
                textcoords="offset points", ha="center", fontsize=9, fontweight="bold",
            )  # fmt: skip
        axis.set_xticks(range(len(bars)), [bar[0] for bar in bars])
        axis.set_ylim(0, 1.12 * max(foot + max(height, 0) for _, foot, height, *_ in bars))
        axis.set_ylabel("£ million")
        axis.yaxis.set_major_formatter("{x:,.0f}")
        axis.grid(axis="x", visible=False)
    said = zip(parts["name"], parts["financial_year"], parts["value_gbp_m"], strict=True)
    spoken = "; ".join(f"{name} {year} {gbp(value)}" for name, year, value in said)
    return Figure(
        title=f"At {fall.price_base} prices and like for like the Met's core grant"
        f" {moved(fall.fall_gbp_m)}, {fall.start} to {fall.end}:"
        f" {percent(abs(fall.share_of_earlier))} of the earlier figure,"
        f" {percent(abs(fall.share_of_later))} of the later",
        alt=f"Bars step by step, in cash: {spoken}. At the prices of {fall.price_base}:"
        f" {gbp(fall.earlier_gbp_m)} before, {gbp(fall.later_gbp_m)} after.",
        source=f"{SOURCE} Prices by {index_name(fall.index)}. One reconstruction: no published"
        " workings of the claim were found.",
        svg=out.getvalue(),
        data=parts[["name", "financial_year", "value_gbp_m", "value_real_gbp_m"]],
    )


def what_it_needs(fall: GrantFall) -> Table:
    """Return the grants that the claim's two numbers need, beside those reconstructed."""
    frame = needed().rename(columns={"share_of": "the claim's share is of the"})
    made = {
        "the claim's share is of the": "reconstruction",
        "earlier_gbp_m": fall.earlier_gbp_m,
        "later_gbp_m": fall.later_gbp_m,
    }
    frame = pd.concat([frame, pd.DataFrame([made])], ignore_index=True)
    return Table(
        frame,
        f"What a fall of £{CLAIMED_GBP_M:,.0f}m and {CLAIMED_SHARE:.0%} needs, and the"
        f" reconstruction at {fall.price_base} prices",
        FORMATS,
    )


def answer(readings: pd.DataFrame, fall: GrantFall) -> Text:
    """Return what can be said of the £700m, doubt first."""
    rows = readings.dropna(subset=["share_of_earlier", "share_of_later"])
    found = rows[rows["matches"]]
    said = readings[readings["terms"] == "as said"]
    fits = {0: "no reading fits", 1: "one reading fits"}.get(len(found), "several readings fit")
    opening = (
        f"These figures cannot tell which money was meant by {claim()}: no published workings"
        f" were found, and {fits}."
    )
    if len(found):
        kinds = found["quantity"].nunique()
        alike = int(found["like_for_like"].sum())
        count = (
            f"Of {len(rows)} readings, {len(found)} come near both numbers, of {kinds}"
            f" {'quantity' if kinds == 1 else 'different quantities'}; {alike} of them are like"
            f" for like, {int((found['terms'] == 'real').sum())} in real terms,"
            f" {in_box(rows, 'later')} give the share of the later figure and"
            f" {in_box(rows, 'earlier') or 'none'} of the earlier one."
        )
    else:
        count = f"Of {len(rows)} readings, none comes near both numbers."
    share = f"{percent(abs(fall.share_of_earlier))} of the earlier figure"
    other = f"{percent(abs(fall.share_of_later))} of the later"
    made = (
        f"The core grant with the grants later folded into it {moved(fall.fall_gbp_m)} from"
        f" {fall.start} to {fall.end} at {fall.price_base} prices by {index_name(fall.index)}:"
        f" {share}, {other}. A fall is usually given as a share of the earlier figure."
    )
    everything = rows[
        (rows["index"] == fall.index)
        & (rows["price_base"] == fall.price_base)
        & (rows["start"] == fall.start)
        & (rows["end"] == fall.end)
    ].set_index("quantity")
    beside = [
        f"{name} {rose_or_fell(-everything.loc[name, 'share_of_earlier'])}"
        f" ({gbp(abs(everything.loc[name, 'fall_gbp_m']))})"
        for name in ("all government grants", "grants and council tax")
        if name in everything.index
    ]
    also = f"In the same terms {' and '.join(beside)}. " if beside else ""
    sums = sorted(set(said.loc[said["kind"] == "savings", "fall_gbp_m"]))
    savings = ", ".join(gbp(amount) for amount in sums)
    return Text(
        (
            opening,
            count,
            made,
            f"{also}Savings of {savings} were also said: they are no cut in grant, and no"
            " earlier and later amount was said with them.",
        )
    )
