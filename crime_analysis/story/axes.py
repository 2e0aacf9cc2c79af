"""Axes set by hand: round numbers and margins at a fraction of the automatic ones' time."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["lay_out", "nice_ticks", "percent_axis", "upright"]


def nice_ticks(low: float, high: float, count: int = 4) -> list[float]:
    """Return about `count` round numbers that reach from `low` to at least `high`.

    matplotlib finds such numbers too, at several times the price.

    Examples
    --------
    >>> nice_ticks(0, 33_000)
    [0.0, 10000.0, 20000.0, 30000.0, 40000.0]
    >>> nice_ticks(-0.27, 0.06)
    [-0.3, -0.2, -0.1, 0.0, 0.1]
    """
    span = max(high - low, 1e-9)
    rough = span / count
    unit = 10.0 ** np.floor(np.log10(rough))
    # No step of two and a half: counts have no halves.
    steps = (1, 2, 5, 10) if unit == 1 else (1, 2, 2.5, 5, 10)
    step = unit * min(steps, key=lambda m: (m * unit < rough * 0.99, m))
    edges = np.arange(np.floor(low / step + 1e-9), np.ceil(high / step - 1e-9) + 1)
    return [round(float(edge * step), 10) for edge in edges]


def lay_out(drawing: Any, **margins: float) -> None:
    """Place the axes by hand: the automatic layout costs as much as the drawing."""
    drawing.set_layout_engine("none")
    drawing.axes[0].get_gridspec().update(**margins)
    for axis in drawing.axes:
        axis.set_position(axis.get_subplotspec().get_position(drawing))


def upright(axis: Any, top: float, form: str = "{:,.0f}", count: int = 4) -> None:
    """Set round numbers on the y axis, from nought."""
    if form.endswith(".0f}"):
        top = max(top, count)
    ticks = nice_ticks(0, top, count)
    axis.set_yticks(ticks, [form.format(tick) for tick in ticks])
    axis.set_ylim(ticks[0], ticks[-1])


def percent_axis(axis: Any, low: float, high: float) -> None:
    """Set signed percentages on the x axis, and its range."""
    ticks = [tick for tick in nice_ticks(low, high, 6) if low <= tick <= high]
    labels = [f"{tick:+.0%}".replace("-", "−").replace("+0%", "0%") for tick in ticks]
    axis.set_xticks(ticks, labels)
    axis.set_xlim(low, high)
