"""The picture of a specification curve: estimates from lowest to highest, and what made each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crime_analysis.drawing import BLUE, GREY, ORANGE, Figure, canvas
from crime_analysis.models.universe import CHOICES

if TYPE_CHECKING:
    from crime_analysis.curve import SpecificationCurve

__all__ = ["draw"]

#: More estimates than this are drawn as areas: single marks would touch.
_MANY = 150
_BINS = 60


def draw(curve: SpecificationCurve) -> Figure:
    """Draw a specification curve above its panel of choices.

    The upper part holds the sorted estimates with their intervals; an open circle marks an
    interval that holds zero, a filled diamond one that does not. The band is where 95% of the
    sorted curves lie under the null. Below, each estimate has a mark beside the choices that
    made it (with many estimates: a shade for how many of a stretch were made so).
    """
    table = curve.tidy()
    clear = (table["ci_low"] > 0) | (table["ci_high"] < 0)
    varied = [name for name in CHOICES if curve.table[name].nunique() > 1]
    options = [
        (name, option) for name in varied for option in dict.fromkeys(curve.table[name].tolist())
    ]
    lower = 0.19 * (len(options) + len(varied)) + 0.25 if varied else 0.0
    height = 2.9 + lower
    title = _title(curve, int(clear.sum()), len(table))
    shape = {"sharex": True, "height_ratios": [2.9, lower]} if varied else {}
    with canvas(2 if varied else 1, 1, height=height, squeeze=False, **shape) as (_, axes, out):
        if varied:
            _choices(axes[1, 0], table, varied, options)
        _estimates(axes[0, 0], table, clear, curve)
        axes[-1, 0].set_xlabel("specifications, sorted by estimate")
        axes[-1, 0].xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
    same = [f"{name.replace('_', ' ')} {curve.table[name].iloc[0]}" for name in CHOICES]
    same = [said for said, name in zip(same, CHOICES, strict=True) if name not in varied]
    refused = len(curve.refused)
    band = "Grey" if len(table) <= _MANY else "Between the dashed lines"
    return Figure(
        title=title,
        alt=_alt(curve, table),
        source=f"Least squares, {curve.level:.0%} intervals clustered by {curve.universe.cluster}."
        + (f" The same throughout: {', '.join(same)}." if same else "")
        + (
            f" {band}: where 95% of {curve.draws} curves drawn under the null ({curve.null}) lie at"
            " each rank, as in Simonsohn, Simmons and Nelson (2020)."
            if curve.draws
            else ""
        )
        + (f" {refused} specifications could not be estimated." if refused else ""),
        svg=out.getvalue(),
        data=table.reset_index(drop=True),
    )


def _title(curve: SpecificationCurve, clear: int, count: int) -> str:
    below = int((curve.tidy()["ci_high"] < 0).sum())
    text = f"{clear} of {count} specifications exclude zero ({clear - below} above, {below} below)"
    if not curve.draws:
        return text
    low, high = curve.joint["p_value"].min(), curve.joint["p_value"].max()
    return f"{text}; joint p from {low:.3f} to {high:.3f}: {curve.verdict}"


def _alt(curve: SpecificationCurve, table: pd.DataFrame) -> str:
    low, mid, high = table["estimate"].quantile([0, 0.5, 1])
    said = (
        f"Curve of {len(table)} sorted estimates, from {low:.2f} over a median of {mid:.2f} to"
        f" {high:.2f}. {curve.summary().splitlines()[0]}"
    )
    choices = [
        f"{choice.replace('_', ' ')} {option}: {row['median']:.2f}"
        for (choice, option), row in curve.by_choice().iterrows()
        if row["specifications"]
    ]
    said += f" Median by choice: {'; '.join(choices)}." if choices else ""
    return said.replace("-", "−")


def _estimates(axis: Any, table: pd.DataFrame, clear: pd.Series, curve: SpecificationCurve) -> None:
    rank = np.arange(1, len(table) + 1)
    band, few = curve.null_curve, len(table) <= _MANY
    label = "95% of curves without an effect"
    if len(band) and few:
        axis.fill_between(
            band.index, band["low"], band["high"], step="mid", facecolor="#dddddd",
            edgecolor=GREY, lw=0.6, ls=":", label=label,
        )  # fmt: skip
    elif len(band):
        axis.plot(band.index, band["low"], "--", color="black", lw=1.0, label=label)
        axis.plot(band.index, band["high"], "--", color="black", lw=1.0)
    sides = (
        (~clear, BLUE, {"marker": "o", "mfc": "white", "label": "interval holds zero"}),
        (clear, ORANGE, {"marker": "D", "mfc": ORANGE, "label": "interval excludes zero"}),
    )
    if few:
        for chosen, colour, mark in sides:
            part = table[chosen.to_numpy()]
            if len(part):
                at = rank[chosen.to_numpy()]
                axis.vlines(at, part["ci_low"], part["ci_high"], color=colour, lw=1.0)
                axis.plot(at, part["estimate"], ls="", ms=4, mec=colour, **mark)
    else:
        axis.fill_between(
            rank, table["ci_low"], table["ci_high"], facecolor=BLUE, alpha=0.25, lw=0,
            label=f"{curve.level:.0%} interval",
        )  # fmt: skip
        axis.plot(rank, table["estimate"], color="black", lw=1.8, label="estimate")
        if clear.any():
            at = clear.to_numpy()
            axis.plot(
                rank[at], table["estimate"][at], "D", ms=3.5, mfc=ORANGE, mec=ORANGE,
                label="interval excludes zero", rasterized=True,
            )  # fmt: skip
    axis.axhline(0, color="black", lw=0.9)
    axis.set_ylabel("coefficient of the measure")
    axis.set_xlim(0.3, len(table) + 0.7)
    axis.grid(axis="x", visible=False)
    axis.yaxis.set_major_formatter(lambda v, _: f"{v:g}".replace("-", "−"))
    axis.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)


def _choices(
    axis: Any, table: pd.DataFrame, varied: list[str], options: list[tuple[str, object]]
) -> None:
    """Draw a line a choice, in groups under the name of what is chosen."""
    rank = np.arange(1, len(table) + 1)
    y, ticks, names = 0.0, [], []
    bins = np.minimum((rank - 1) * _BINS // len(table), _BINS - 1)
    for name in varied:
        ticks.append(y)
        names.append(name.replace("_", " ").capitalize())
        y += 0.9
        for option in [option for group, option in options if group == name]:
            made = (table[name] == option).to_numpy()
            if len(table) <= _MANY:
                axis.plot(rank[made], np.full(made.sum(), y), "|", color="black", ms=6, mew=1.3)
            else:
                share = np.bincount(bins, made, _BINS) / np.bincount(bins, minlength=_BINS)
                axis.imshow(
                    share[None, :], cmap="Greys", vmin=0, vmax=1, aspect="auto",
                    extent=(0.5, len(table) + 0.5, y + 0.38, y - 0.38), interpolation="nearest",
                )  # fmt: skip
            ticks.append(y)
            names.append(f"{option}  ")
            y += 1
        y += 0.1
    axis.set_yticks(ticks, names)
    for label in axis.get_yticklabels():
        label.set_fontsize(8)
        if not label.get_text().endswith("  "):
            label.set_fontweight("bold")
    axis.tick_params(axis="y", length=0)
    axis.set_ylim(y - 0.4, -0.7)
    axis.set_xlim(0.3, len(table) + 0.7)
    axis.grid(visible=False)
