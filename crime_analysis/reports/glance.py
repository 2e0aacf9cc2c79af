"""Recorded values as the index shows them: a number in a table, a series as a small chart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .names import as_text

__all__ = ["Chart", "chart", "chart_range", "number"]

_WIDTH, _HEIGHT, _MARGIN = 132, 34, 4


def number(value: Any, form: str | None = None) -> str:
    """Return a recorded value for a table: separators in large numbers, three digits in small.

    Examples
    --------
    >>> number(-0.0912, "percent"), number(30390.23), number(2018), number(None)
    ('−9.1%', '30,390', '2018', '–')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if form == "percent" and isinstance(value, int | float):
        text = f"{value:+.1%}"
    elif isinstance(value, int):
        # Four digits are as likely a year as a count, and a year takes no separator.
        text = f"{value:,}" if abs(value) >= 10_000 else str(value)
    elif isinstance(value, float):
        text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:#.3g}".rstrip(".")
    else:
        return as_text(value)
    return text.replace("-", "−")


@dataclass(frozen=True)
class Chart:
    """A line of one report's numbers, and the same in words.

    Attributes
    ----------
    path : str
        Of the line, broken where a number is missing.
    end : tuple of float
        Where the last number is.
    zero : float or None
        How far down zero is, if it is within the scale.
    last : float
        The last number, by which a column of charts is sorted.
    alt : str
        First, last, lowest and highest.
    """

    path: str
    end: tuple[float, float]
    zero: float | None
    last: float
    alt: str
    width: int = _WIDTH
    height: int = _HEIGHT


def _series(recorded: Any) -> list[tuple[str, float | None]]:
    """Return the labels and numbers of a recorded series; nothing if it is none."""
    if isinstance(recorded, Mapping):
        pairs = [(str(key), value) for key, value in recorded.items()]
    elif isinstance(recorded, list):
        pairs = [(f"number {n}", value) for n, value in enumerate(recorded, start=1)]
    else:
        return []
    good = all(v is None or (_is_number(v) and math.isfinite(v)) for _, v in pairs)
    return pairs if good else []


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def chart_range(recorded: Sequence[Any]) -> tuple[float, float] | None:
    """Return the lowest and highest number of several recorded series."""
    values = [v for one in recorded for _, v in _series(one) if v is not None]
    return (min(values), max(values)) if values else None


def chart(
    recorded: Any, label: str, form: str | None = None, limits: tuple[float, float] | None = None
) -> Chart | None:
    """Return the small chart of a recorded series, if there are at least two numbers in it.

    Parameters
    ----------
    recorded : list or mapping
        Numbers, or labels and numbers; None where one is missing.
    label : str
        What they are.
    form : str, optional
        ``percent`` or ``number``.
    limits : tuple of float, optional
        The scale, where several charts share one; otherwise from the lowest to the highest.

    Examples
    --------
    >>> print(chart({"2010": 100, "2014": 88.5, "2018": 91}, "Officers").alt)
    Officers: 100 in 2010, 91.0 in 2018; lowest 88.5 in 2014, highest 100 in 2010
    """
    points = _series(recorded)
    known = [(key, value) for key, value in points if value is not None]
    if len(known) < 2:
        return None
    values = [value for _, value in known]
    low, high = limits or (min(values), max(values))
    across = (_WIDTH - 2 * _MARGIN) / (len(points) - 1)
    down = (_HEIGHT - 2 * _MARGIN) / ((high - low) or 1)

    def at(place: int, value: float) -> tuple[float, float]:
        return round(_MARGIN + place * across, 1), round(_MARGIN + (high - value) * down, 1)

    path, pen, end = "", "M", (0.0, 0.0)
    for place, (_, value) in enumerate(points):
        if value is None:
            pen = "M"
            continue
        end = at(place, value)
        path += f"{pen}{end[0]:g} {end[1]:g}"
        pen = "L"
    lowest, highest = min(known, key=lambda p: p[1]), max(known, key=lambda p: p[1])
    first, last, least, most = (
        f"{number(float(value), form)} in {key}"
        for key, value in (known[0], known[-1], lowest, highest)
    )
    alt = f"{label}: {first}, {last}; lowest {least}, highest {most}"
    gaps = len(points) - len(known)
    alt += f"; {gaps} missing" if gaps else ""
    zero = at(0, 0)[1] if low < 0 < high else None
    return Chart(path, end, zero, float(known[-1][1]), alt)
