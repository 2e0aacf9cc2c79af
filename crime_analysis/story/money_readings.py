"""Every reading of the £700m shown: charts and tables of `grant_cut.readings`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from crime_analysis import breaks, periods
from crime_analysis.drawing import BLUE, GREEN, GREY, ORANGE, Figure, canvas, year_axis
from crime_analysis.findings.grant_cut import (
    CLAIMED_GBP_M,
    CLAIMED_SHARE,
    ROUNDED_GBP_M,
    SHARE_TOLERANCE,
)
from crime_analysis.prose import Text
from crime_analysis.tables import Table

__all__ = [
    "FORMATS",
    "SOURCE",
    "base_years",
    "base_years_table",
    "claim",
    "draw_breaks",
    "every_reading",
    "gbp",
    "in_box",
    "index_name",
    "matching",
    "moved",
    "quantities",
    "windows_table",
    "windows_words",
]

SOURCE = (
    "Source: HMIC and HMICFRS Value for Money profiles 2010 and 2012 to 2017 (estimates);"
    " Metropolitan Police Authority settlement; DCLG/MHCLG revenue outturn of the GLA; ONS GDP"
    " deflator and CPIH."
)


def index_name(index: str) -> str:
    """Return a price index in words, or cash where there is none.

    Examples
    --------
    >>> index_name("cpih"), index_name("")
    ('CPIH', 'cash')
    """
    return {"gdp_deflator": "the GDP deflator", "cpih": "CPIH", "": "cash"}.get(index, index)


def gbp(value: float) -> str:
    """Return £ million as text, to the million."""
    return f"{'-' if value < 0 else ''}£{abs(value):,.0f}m"


def moved(fall: float) -> str:
    """Return a fall in £ million in words: fell, rose, or hardly changed."""
    if abs(fall) < 0.5:
        return "hardly changed"
    return f"{'fell' if fall > 0 else 'rose'} {gbp(abs(fall))}"


def claim() -> str:
    """Return the two numbers that were claimed."""
    return f"£{CLAIMED_GBP_M:,.0f}m and nearly {CLAIMED_SHARE:.0%}"


def in_box(rows: pd.DataFrame, side: str) -> int:
    """Return how many readings are near both numbers, the share being of one side's figure."""
    return int((rows["matches"] & rows["near_share"].isin([side, "both"])).sum())


FORMATS = {
    "fall_gbp_m": "{:,.0f}",
    "share_of_earlier": "{:.1%}",
    "share_of_later": "{:.1%}",
    "lowest_fall_gbp_m": "{:,.0f}",
    "highest_fall_gbp_m": "{:,.0f}",
    "earlier_gbp_m": "{:,.0f}",
    "later_gbp_m": "{:,.0f}",
}


def every_reading(readings: pd.DataFrame) -> Figure:
    """Draw every reading's fall against its share, of the earlier and of the later figure.

    Parameters
    ----------
    readings : DataFrame
        From `grant_cut.readings`.
    """
    from matplotlib.patches import Rectangle

    rows = readings.dropna(subset=["share_of_earlier", "share_of_later"])
    found = rows[rows["matches"]]
    with canvas(1, 2, height=4.0, sharex=True, sharey=True) as (_, axes, out):
        for axis, side in zip(axes, ("earlier", "later"), strict=True):
            column = f"share_of_{side}"
            near = rows["matches"] & rows["near_share"].isin([side, "both"])
            real, alike = rows["terms"] == "real", rows["like_for_like"]
            for mask, style, label in (
                (~real, {"marker": "x", "c": GREY}, "cash"),
                (
                    real & ~alike,
                    {"facecolor": "none", "edgecolor": BLUE},
                    "real, not like for like",
                ),
                (real & alike, {"c": BLUE}, "real, like for like"),
            ):
                shown = rows[mask & ~near]
                axis.scatter(
                    shown["fall_gbp_m"], shown[column], s=16, lw=0.8, alpha=0.7, label=label,
                    **style,
                )  # fmt: skip
            axis.scatter(
                rows.loc[near, "fall_gbp_m"], rows.loc[near, column], s=26, marker="D", c=ORANGE,
                zorder=4, label="near both numbers",
            )  # fmt: skip
            reach = ROUNDED_GBP_M
            axis.add_patch(Rectangle(
                (CLAIMED_GBP_M - reach, CLAIMED_SHARE - SHARE_TOLERANCE), 2 * reach,
                2 * SHARE_TOLERANCE, fill=False, ec="black", lw=1.4, zorder=3,
            ))  # fmt: skip
            axis.annotate(
                f"£{CLAIMED_GBP_M:,.0f}m, {CLAIMED_SHARE:.0%}",
                (CLAIMED_GBP_M - reach, CLAIMED_SHARE + SHARE_TOLERANCE), xytext=(-2, 8),
                textcoords="offset points", ha="right", va="bottom", fontsize=9,
            )  # fmt: skip
            axis.set_title(f"as a share of the {side} figure")
            axis.set_xlabel("fall, £ million")
            axis.xaxis.set_major_formatter(lambda v, _: f"{v:,.0f}".replace("-", "−"))
            axis.yaxis.set_major_formatter(lambda v, _: f"{v:.0%}".replace("-", "−"))
        axes[0].set_ylabel("fall as a share")
        axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center",
                              ncols=4)  # fmt: skip
    return Figure(
        title=_count_title(rows),
        alt=f"Two scatter plots of {len(rows)} readings: fall in £ million against the fall as"
        f" a share of the earlier, and of the later figure. A box marks {claim()};"
        f" {in_box(rows, 'earlier')} readings lie in it on the left,"
        f" {in_box(rows, 'later')} on the right. Falls reach {gbp(rows['fall_gbp_m'].max())}.",
        source=f"{SOURCE} Box: within {gbp(ROUNDED_GBP_M)} of £{CLAIMED_GBP_M:,.0f}m, which is what"
        f" would be rounded to it, and {100 * SHARE_TOLERANCE:g} points of {CLAIMED_SHARE:.0%}."
        " A price base more is a reading more, with the same share. Savings are not drawn: no"
        " earlier and later amount was said.",
        svg=out.getvalue(),
        data=_shown(found),
    )


def _count_title(rows: pd.DataFrame) -> str:
    earlier, later = in_box(rows, "earlier"), in_box(rows, "later")
    count = int(rows["matches"].sum())
    if not count:
        return f"None of {len(rows)} readings comes near both {claim()}"
    where = (
        f"{later or 'none'} as a share of what the money became, {earlier or 'none'} of what it was"
    )
    return f"{count} of {len(rows)} readings come near both {claim()}: {where}"


def _shown(rows: pd.DataFrame) -> pd.DataFrame:
    """Return readings with the columns that a reader needs."""
    shown = rows[
        [
            "quantity", "like_for_like", "fall_gbp_m", "share_of_earlier", "share_of_later", "note",
        ]
    ].copy()  # fmt: skip
    shown["like_for_like"] = shown["like_for_like"].map({True: "yes", False: "no"})
    prices = rows["index"].map(index_name) + (", " + rows["price_base"]).where(
        rows["index"] > "", ""
    )
    shown.insert(2, "years", rows["start"] + " to " + rows["end"])
    shown.insert(3, "prices", prices)
    shown["note"] = shown["note"].replace("", "–")
    return shown.reset_index(drop=True)


def matching(readings: pd.DataFrame) -> Table | Text:
    """Return the readings that come near both numbers, or a sentence if none does."""
    found = readings[readings["matches"]]
    if found.empty:
        return Text((f"No reading comes near both {claim()}.",))
    return Table(_shown(found), f"Readings that come near both {claim()}", FORMATS)


def quantities(readings: pd.DataFrame) -> Table:
    """Return one row a quantity: how many readings it has, how far they reach, what matches."""
    groups = readings.groupby("quantity", sort=False)
    frame = pd.DataFrame(
        {
            "kind": groups["kind"].first(),
            "like_for_like": groups["like_for_like"].first().map({True: "yes", False: "no"}),
            "readings": groups.size(),
            "lowest_fall_gbp_m": groups["fall_gbp_m"].min(),
            "highest_fall_gbp_m": groups["fall_gbp_m"].max(),
            "near_the_amount": groups["near_amount"].sum(),
            "near_a_share": groups["near_share"].agg(lambda s: int((s != "neither").sum())),
            "near_both": groups["matches"].sum(),
        }
    ).reset_index()
    frame.loc[frame["kind"] == "savings", "like_for_like"] = "–"
    return Table(
        frame, f"Every quantity, and how many of its readings come near {claim()}", FORMATS
    )


def windows_words(found: pd.DataFrame) -> Text:
    """Return how the number of quantities that agree grows with the distance allowed.

    Parameters
    ----------
    found : DataFrame
        From `grant_windows.windows`.
    """
    distances = [column for column in found if isinstance(column, float)]
    agreeing = [int((found[distance] > 0).sum()) for distance in distances]
    every = [int((found[distance] == found["readings"]).sum()) for distance in distances]
    nearest = found.iloc[0]
    steps = ", ".join(
        f"of {count} within {distance:.0%}"
        for distance, count in zip(distances, agreeing, strict=True)
    )
    always = (
        "at none of these distances does one agree at every price base and index"
        if not any(every)
        else f"{max(every)} of them at every price base and index"
    )
    return Text(
        (
            f"Which quantity agrees depends on how near is near and on the prices chosen. Of"
            f" {len(found)} quantities in real terms, a reading comes near £{CLAIMED_GBP_M:,.0f}m"
            f" {steps}; {always}. The nearest, {nearest['quantity']},"
            f" fell by £{nearest['lowest_gbp_m']:,.0f}m to £{nearest['highest_gbp_m']:,.0f}m, and"
            f" {nearest[distances[0]]} of its {nearest['readings']} readings come within"
            f" {distances[0]:.0%}.",
        )
    )


def windows_table(found: pd.DataFrame) -> Table:
    """Return one row a quantity: how many of its readings agree at each distance."""
    distances = [column for column in found if isinstance(column, float)]
    spans = zip(found["lowest_gbp_m"], found["highest_gbp_m"], strict=True)
    frame = pd.DataFrame(
        {
            "quantity": found["quantity"]
            + found["like_for_like"].map({True: " (like for like)", False: ""}),
            "readings": found["readings"],
            **{f"within {distance:.0%}": found[distance] for distance in distances},
            "fall, £m": [f"{low:,.0f}\u00a0to\u00a0{high:,.0f}" for low, high in spans],
        }
    )
    return Table(
        frame,
        f"Of each quantity's readings in real terms, how many fall near £{CLAIMED_GBP_M:,.0f}m, by"
        " the distance allowed",
    )


_BY_BASE = {
    "core grant with the grants later folded in": ("D", ORANGE, "core grant like for like"),
    "core grant as printed": ("o", BLUE, "core grant as printed"),
    "all government grants": ("s", GREEN, "all government grants"),
    "grants and council tax": ("^", "black", "grants and council tax"),
}


def _by_base(readings: pd.DataFrame, index: str, price_base: str, end: str) -> pd.DataFrame:
    keep = (
        readings["quantity"].isin(list(_BY_BASE))
        & (readings["index"] == index)
        & (readings["price_base"] == price_base)
        & (readings["end"] == end)
    )
    order = {name: place for place, name in enumerate(_BY_BASE)}
    return readings[keep].sort_values(
        ["quantity", "start"], key=lambda c: c.map(order) if c.name == "quantity" else c
    )


def base_years(
    readings: pd.DataFrame,
    register: pd.DataFrame,
    index: str,
    price_base: str,
    end: str = "2017/18",
) -> Figure:
    """Draw the fall to one year from each base year, by four meanings of the money.

    Parameters
    ----------
    readings, register : DataFrame
        From `grant_cut.readings`, and the shipped table ``breaks``.
    index, price_base, end : str
        The deflator, the prices and the later year.
    """
    rows = _by_base(readings, index, price_base, end)
    years = rows["start"].map(periods.start)
    first = rows[rows["start"] == "2009/10"].set_index("quantity")["fall_gbp_m"]
    said = [
        f"{label} {moved(first[name])}"
        for name, (_, _, label) in _BY_BASE.items()
        if name in first.index
    ]
    with canvas(height=4.0) as (_, axis, out):
        for name, (marker, colour, label) in _BY_BASE.items():
            mine = rows[rows["quantity"] == name]
            for stands_in, face in ((False, colour), (True, "white")):
                shown = mine[mine["assumed"] == stands_in]
                axis.plot(
                    shown["start"].map(periods.start), shown["fall_gbp_m"], marker, ms=8,
                    color=colour, mfc=face, ls="none", label=None if stands_in else label,
                )  # fmt: skip
        axis.axhline(CLAIMED_GBP_M, color=GREY, lw=1)
        axis.annotate(
            f"£{CLAIMED_GBP_M:,.0f}m", (1, CLAIMED_GBP_M), xycoords=("axes fraction", "data"),
            xytext=(-2, 3), textcoords="offset points", ha="right", fontsize=9,
        )  # fmt: skip
        axis.axhline(0, color="black", lw=0.9)
        marks = draw_breaks(axis, register)
        axis.set_ylabel(f"fall to {end}, £ million,\n{price_base} prices")
        axis.set_xlabel("base year", labelpad=2)
        year_axis(axis, list(years) or [periods.start(end)], every=1)
        axis.yaxis.set_major_formatter(lambda v, _: f"{v:,.0f}".replace("-", "−"))
        axis.figure.legend(loc="outside lower center", ncols=2)
    spoken = "; ".join(
        f"{_BY_BASE[str(r.quantity)][2]} from {r.start} {gbp(r.fall_gbp_m)}"
        for r in rows.itertuples()
    )
    return Figure(
        title=f"The Met's money at {price_base} prices, 2009/10 to {end}:"
        f" {'; '.join(said) or 'no figure'}",
        alt=f"Falls to {end} from each base year, at {price_base} prices: {spoken}.",
        source=f"{SOURCE} Prices by {index_name(index)}. Hollow: a figure stands in (see the"
        f" notes). Dashed lines, breaks: {marks}",
        svg=out.getvalue(),
        data=_shown(rows),
    )


def draw_breaks(
    axis: Any,
    register: pd.DataFrame,
    touched: Sequence[tuple[str, str]] = (
        ("funding", "formula_funding"),
        ("funding", "council_tax"),
    ),
) -> str:
    """Draw the breaks in some tables' series on an axis of years; return them in words."""
    said = []
    for table, series in touched:
        for event in breaks.affecting(register, table, series).itertuples():
            year = breaks.financial_year(str(event.date))
            axis.axvline(periods.start(year) - 0.5, color=ORANGE, ls="--", lw=1.1)
            said.append(f"{year}, {event.what}")
    return " ".join(said) or "none in the register."


def base_years_table(
    readings: pd.DataFrame, index: str, price_base: str, end: str = "2017/18"
) -> Table:
    """Return what `base_years` draws, with shares of both figures and the notes."""
    return Table(
        _shown(_by_base(readings, index, price_base, end)).drop(columns="prices"),
        f"The fall to {end} by base year, at {price_base} prices by {index_name(index)}",
        FORMATS,
    )
