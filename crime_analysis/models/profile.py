"""The picture of an event: coefficients by period around a reference."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from crime_analysis.drawing import BLUE, GREY, ORANGE, Figure, canvas

__all__ = ["draw_profile"]


def draw_profile(
    profile: pd.DataFrame, *, title: str, source: str, x_label: str, y_label: str,
    line: tuple[float, float, float] | None = None,
    breaks: Mapping[float, str] | None = None,
) -> Figure:  # fmt: skip
    """Draw coefficients by period: before open and hatched, the reference a diamond at zero.

    Parameters
    ----------
    profile : DataFrame
        ``period``, ``phase``, ``estimate``, ``ci_low``, ``ci_high``; where there are
        ``band_low`` and ``band_high``, simultaneous bands are drawn as thin bars.
    title, source, x_label, y_label : str
    line : (value at origin, slope, origin), optional
        The trend before, drawn on.
    breaks : mapping of float to str, optional
        By period, what made the figures jump there; drawn and told where the chart reaches it.
    """
    with canvas(height=3.8) as (_, axis, out):
        x = profile["period"]
        reference = float(x[profile["phase"] == "reference"].iloc[0])
        first, last = float(x.min()), float(x.max())
        axis.axvspan(
            first - 0.5, reference + 0.5, facecolor="#f3f3f3", edgecolor="#dddddd", hatch="//",
            lw=0, zorder=0,
        )  # fmt: skip
        axis.axhline(0, color="black", lw=0.9)
        if line:
            ends = np.array([first, last])
            axis.plot(
                ends, line[0] + line[1] * (ends - line[2]), "--", color=ORANGE, lw=1.2,
                label="Line through the periods before, drawn on",
            )  # fmt: skip
        marks = {"before": ("o", "white", "Before"), "after": ("o", BLUE, "After")}
        for phase, (mark, face, name) in marks.items():
            some = profile[profile["phase"] == phase]
            if some.empty:
                continue
            if "band_low" in some:
                axis.vlines(some["period"], some["band_low"], some["band_high"], color=GREY, lw=1)
            axis.vlines(some["period"], some["ci_low"], some["ci_high"], color=BLUE, lw=2)
            axis.plot(
                some["period"], some["estimate"], mark, color=BLUE, mfc=face, mew=1.5, ms=6,
                label=name,
            )  # fmt: skip
        axis.plot([reference], [0], "D", color="black", ms=6, label="Reference (zero)")
        seen = {at: what for at, what in (breaks or {}).items() if first <= at <= last}
        for number, at in enumerate(seen):
            told = {} if number else {"label": "Break in the figures"}
            axis.axvline(at, color=GREY, ls=":", lw=1.6, zorder=1, **told)
        axis.set_xlim(first - 0.5, last + 0.5)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(axis="x", visible=False)
        axis.set_xlabel(x_label)
        axis.set_ylabel(y_label)
        axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=3 if seen else 4)
    spoken = "; ".join(
        f"{row.period:g}: {row.estimate:.3g} ({row.ci_low:.3g} to {row.ci_high:.3g})"
        for row in profile[profile["phase"] != "reference"].itertuples()
    )
    return Figure(
        title=title,
        alt=f"Points with 95% intervals by period, reference {reference:g} at zero, periods before"
        f" it on a hatched ground. {spoken}.",
        source=source + "".join(f" Dotted, {at:g}: {what}" for at, what in seen.items()),
        svg=out.getvalue(),
        data=profile.reset_index(),
    )
