"""The charts of the fact-check: a strip of definitions a claim, and the counts of officers."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from crime_analysis import catalog
from crime_analysis.claims_register import claimed
from crime_analysis.drawing import BLUE, GREEN, GREY, ORANGE, Figure, canvas
from crime_analysis.findings.claims import Claims, definitions
from crime_analysis.findings.claims_officers import counts
from crime_analysis.findings.claims_readings import LAST_MONTH, rows
from crime_analysis.findings.claims_verdict import figure
from crime_analysis.prose import Text
from crime_analysis.story.dates import dated

__all__ = ["MARKS", "officers", "strip", "upper"]

MARKS = {True: "agrees", False: "does not agree", None: "cannot tell"}
_AXES = {
    "gbp_m": "fall, £ million", "percent": "per cent", "officers": "officers",
    "per_1000": "officers per 1,000 residents", "of_highest": "times the highest before",
    "elasticity": "elasticity, with 95% interval", "count": "count", "ratio": "ratio",
    "years": "years",
}  # fmt: skip
_COUNTS = {
    "MOPAC, monthly": (BLUE, "-", ""),
    "Home Office, 31 March": (ORANGE, "", "o"),
    "older basis, quoted": (GREY, "", "D"),
}
_SHOWN_UNTIL = "2019-03-31"
#: What is seen of an elasticity's interval.
_EDGE = 3.5


def upper(text: str) -> str:
    """Return a text that begins with a capital, the rest as it is."""
    return text[:1].upper() + text[1:]


def strip(found: Claims, claim: str) -> Figure | Text:
    """Draw a claim's figures by definition, with what was claimed marked.

    Returns
    -------
    Figure or Text
        The sentence alone where no table holds a figure: there is nothing to draw.
    """
    row, readings = found.row(claim), found.of(claim)
    # A part may agree where its definition does not, for want of the other parts.
    whole = readings["definition"].map(definitions(readings)["agrees"].to_dict())
    alone = [
        part is True and all_ is not True
        for part, all_ in zip(readings["agrees"], whole, strict=True)
    ]
    readings = readings.assign(alone=np.array(alone, dtype=bool) & (readings["role"] != "beside"))
    drawn = readings[np.isfinite(readings["value"])]
    counted = drawn[drawn["role"] != "beside"]
    if counted.empty:
        return Text((f"There is nothing to draw: {row['because']}.",))
    drawn = drawn[drawn["unit"] == counted["unit"].iloc[0]].drop_duplicates(["part", "value"])
    unit = drawn["unit"].iloc[0]
    # A part that all have is said once, on the axis.
    common = drawn["part"].iloc[0] if drawn["part"].nunique() == 1 else ""
    left, right = _reach(drawn, unit)
    with canvas(height=1.3 + 0.62 * len(drawn)) as (_, axis, out):
        bands = drawn[drawn["role"] != "beside"][["low", "high"]].drop_duplicates()
        if len(bands) == 1:
            _shade(axis, bands["low"].iloc[0], bands["high"].iloc[0], left, right)
        elif left < 0 < right:
            axis.axvline(0, color="black", lw=0.9)
        for y, (_, reading) in enumerate(drawn.iterrows()):
            _draw(axis, y, reading, left, right, common)
        axis.set_xlim(left, right)
        axis.set_ylim(len(drawn) - 0.4, -0.9)
        axis.set_yticks([])
        axis.grid(axis="y", visible=False)
        axis.set_xlabel(f"{common}: {_axis(found, unit)}" if common else _axis(found, unit))
        axis.xaxis.set_major_formatter(lambda v, _: f"{v:,.10g}".replace("-", "−"))
    spoken = "; ".join(
        f"{r['definition']}, {r['part']}: {figure(r)}, "
        + ("shown beside" if r["role"] == "beside" else _answer(r))
        for _, r in drawn.iterrows()
    )
    subject = "a whole interval" if unit == "elasticity" else "a figure"
    shaded = f"Shaded: where {subject} agrees with the claim. " if len(bands) == 1 else ""
    part = "Open circle: agrees, but the rest of its definition does not or cannot be tested. "
    columns = ["definition", "part", "value", "value_low", "value_high", "low", "high", "agrees"]
    data = drawn[columns].assign(agrees=[MARKS[a] for a in drawn["agrees"]])
    return Figure(
        title=_title(row),
        alt=dated(f"{row['claim']} {spoken}."),
        source=f"{shaded}Filled circle: agrees. {part if drawn['alone'].any() else ''}Cross: does"
        f" not. Open diamond: cannot tell. Open square: shown beside. {_publishers(drawn)}",
        svg=out.getvalue(),
        data=data,
    )


def _answer(reading: pd.Series) -> str:
    told = MARKS[reading["agrees"]]
    return f"{told}, the rest of its definition does not" if reading["alone"] else told


def _title(row: pd.Series) -> str:
    """Return the finding: the verdict, then the figure that it rests on and its rival's."""
    beside = f"; beside it, {row['rival']}: {row['rival_figure']}" if row["rival"] else ""
    return dated(f"{upper(row['verdict'])}: {row['definition']}: {row['figure']}{beside}")


def _axis(found: Claims, unit: str) -> str:
    words = {"gdp_deflator": "GDP deflator", "cpih": "CPIH"}
    base, index = found.choices["price_base"], words.get(str(found.choices["price_index"]))
    return (
        f"{_AXES[unit]}; real terms in {base} prices, {index}" if unit == "gbp_m" else _AXES[unit]
    )


def _reach(drawn: pd.DataFrame, unit: str) -> tuple[float, float]:
    """Return the ends of the axis: every value, its interval and its band, and some room."""
    if unit == "elasticity":
        return -_EDGE, _EDGE
    ends = drawn[["value", "value_low", "value_high", "low", "high"]].to_numpy(float)
    ends = ends[np.isfinite(ends)]
    low, high = float(ends.min()), float(ends.max())
    room = 0.12 * (high - low or abs(high) or 1.0)
    # A share or a fall is read from nought; a count or a rate is not.
    return (0.0 if unit in ("gbp_m", "of_highest") and low >= 0 else low - room), high + room


def _shade(axis: Any, low: float, high: float, left: float, right: float) -> None:
    axis.axvspan(max(low, left), min(high, right), color="#dfeaf2", lw=0)
    for edge in (low, high):
        if left < edge < right:
            axis.axvline(edge, color="#7a9bb3", lw=0.9, ls=":")


def _draw(axis: Any, y: int, reading: pd.Series, left: float, right: float, common: str) -> None:
    """Draw one figure: its name above, its interval, its marker and its value."""
    beside, agrees = reading["role"] == "beside", reading["agrees"]
    mark, colour, fill = (
        ("s", GREY, "white") if beside
        else ("o", BLUE, "white") if reading["alone"]
        else ("o", BLUE, BLUE) if agrees is True
        else ("X", ORANGE, ORANGE) if agrees is False
        else ("D", GREY, "white")
    )  # fmt: skip
    low, high = reading["value_low"], reading["value_high"]
    if not np.isnan([low, high]).any():
        axis.plot([max(low, left), min(high, right)], [y, y], color=colour, lw=2)
    axis.plot([reading["value"]], [y], mark, color=colour, mfc=fill, ms=8, mew=1.6, clip_on=False)
    part = "" if reading["part"] in ("fall", common) else dated(reading["part"])
    name = f"{upper(reading['definition'])}{f' ({part})' if part else ''}"
    shown = textwrap.shorten(name, 84, placeholder="…")
    # Not beside the marker, where it would hide the interval.
    label = axis.annotate(shown, (left, y - 0.42), fontsize=9.5, va="center")
    axis.annotate(
        _bare(reading), (1, 0.5), xycoords=label, xytext=(6, 0), textcoords="offset points",
        fontsize=9.5, fontweight="bold", va="center",
    )  # fmt: skip


def _bare(reading: pd.Series) -> str:
    """Return a figure in words without its unit, which the axis says."""
    text = figure(reading).removeprefix("elasticity ")
    return text.removesuffix(" times the highest before").removesuffix(" officers")


def _publishers(drawn: pd.DataFrame) -> str:
    """Return who published the rows that the figures were made from."""
    told: dict[str, None] = {}
    for origin in dict.fromkeys(drawn["origin"]):
        for table, found in rows(origin, catalog.load).items():
            used = found["source"].str.split(";").explode() if "source" in found else None
            for source in catalog.sources_of(table):
                if used is None or source["id"] in set(used):
                    told[source["publisher"].split(", named ")[0]] = None
    return f"Source: {'; '.join(told) or 'none'}."


def officers(
    found: Claims, *, per_head: bool = False, load: Callable[[str], pd.DataFrame] = catalog.load
) -> Figure:
    """Draw every count of the Met's officers on hand, with the line of the claim.

    Parameters
    ----------
    found : Claims
    per_head : bool
        Officers per 1,000 residents of the same year's 30 June, beside the claim of the fewest;
        else officers, beside the claim of the line.
    load : callable
        Gives a shipped table by name.
    """
    held, line = counts(load), np.nan
    claim, column, unit = "under-30000", "officers_fte", "officers, full-time equivalents"
    if per_head:
        claim, column, unit = "fewest-in-20-years", "per_1000", "officers per 1,000 residents"
    else:
        line = claimed(load("claims"), claim)["officers"]
    held = held[held["date"] <= _SHOWN_UNTIL].dropna(subset=[column]).reset_index(drop=True)
    # A month's count is that of its last day, as the Home Office's is.
    when = pd.to_datetime(held["date"], format="ISO8601") + pd.offsets.MonthEnd(0)
    row = found.row(claim)
    with canvas(height=3.9) as (_, axis, out):
        for name, (colour, style, mark) in _COUNTS.items():
            mine = held["count"] == name
            axis.plot(
                when[mine], held.loc[mine, column], linestyle=style, marker=mark or None,
                color=colour, ms=5, label=name,
            )  # fmt: skip
        if np.isfinite(line):
            axis.axhline(line, color=GREEN, lw=1.2, ls="--")
            axis.annotate(
                f"{line:,.0f}", (when.min(), line), textcoords="offset points", xytext=(2, 5),
                fontsize=9, color=GREEN, fontweight="bold",
            )  # fmt: skip
        article = pd.Timestamp(f"{LAST_MONTH}-01") + pd.offsets.MonthBegin(1)
        axis.axvline(article, color="black", lw=0.9, ls=":")
        axis.annotate(
            "article", (article, held[column].max()), textcoords="offset points",
            xytext=(-3, 4), ha="right", fontsize=9,
        )  # fmt: skip
        axis.set_ylabel(unit)
        axis.yaxis.set_major_formatter("{x:,.1f}" if per_head else "{x:,.0f}")
        axis.legend(loc="lower center")
    return Figure(
        title=_title(row),
        alt=dated(
            f"Counts of the Met's {unit}, {held['date'].min()} to {held['date'].max()}."
            f" {row['definition']}: {row['figure']}. {row['rival']}: {row['rival_figure']}."
        )
        + (f" The dashed line is {line:,.0f}." if np.isfinite(line) else ""),
        source="Source: MOPAC (London Datastore); Home Office and HMIC, 31 March; earlier figures"
        " quoted from pages, on an older counting basis"
        + ("; ONS mid-year estimates." if per_head else ".")
        + f" Nothing is on hand before {dated(held['date'].min())}, nor between the quoted figures"
        " and HMIC's.",
        svg=out.getvalue(),
        data=held,
    )
