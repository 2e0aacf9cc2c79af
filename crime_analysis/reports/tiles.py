"""A grid of tiles for the index: places laid out like a map, coloured by a recorded number.

Nothing is said by colour alone: a tile prints its number, and one without is hatched.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ..errors import ParameterError, nearest

__all__ = ["Scale", "checked_settings", "tiles_of"]

_BINS = 7
_TILES = ("parameter", "record", "label", "grid", "short", "format")
_CHART = ("record", "label", "format", "scale")
_FORMATS = ("number", "percent")


def checked_settings(given: Any, where: str) -> dict[str, Any]:
    """Return what an index was told, or refuse what it could not use.

    Parameters
    ----------
    given : mapping
        ``tiles``: ``parameter`` (whose values are places), ``record`` (the number that colours
        them), ``grid`` (place to row and column, from 1) and, if wanted, ``label``, ``format``
        (``number`` or ``percent``) and ``short`` (place to a name that fits a tile).
        ``chart``: ``record`` (a list of numbers, or a mapping of labels to numbers) and, if
        wanted, ``label``, ``format`` and ``scale`` (``shared`` or ``own``).
        ``order``: names of reports, in the order to list them.
        ``lead``: ``notebook`` and ``record``, a list of sentences that opens the page.
    where : str
        Whose settings these are, for the message.

    Raises
    ------
    ParameterError
        An unknown key, a missing one, or a grid in which places overlap.
    """
    settings = _mapping(
        given, where, "the settings of the index", ("tiles", "chart", "order", "lead")
    )
    if "lead" in settings:
        parts = ("notebook", "record")
        _mapping(settings["lead"], where, "the lead of the index", parts, parts)
    if "tiles" in settings:
        what = "the tiles of the index"
        tiles = _mapping(settings["tiles"], where, what, _TILES, ("parameter", "record", "grid"))
        _mapping(tiles.get("short", {}), where, "the short names of the tiles")
        taken: dict[tuple[int, int], str] = {}
        for place, at in _mapping(tiles["grid"], where, "the grid of the tiles").items():
            pair = isinstance(at, list | tuple) and len(at) == 2
            if not (pair and all(type(n) is int and 1 <= n <= 99 for n in at)):
                raise ParameterError(
                    f"{where}: the tile of {place!r} is at {at!r}; give its row and column, from 1"
                )
            other = taken.setdefault((at[0], at[1]), str(place))
            if other != place:
                raise ParameterError(f"{where}: {other!r} and {place!r} have one tile; move one")
    if "chart" in settings:
        chart = _mapping(settings["chart"], where, "the chart of the index", _CHART, ("record",))
        if chart.get("scale", "shared") not in ("shared", "own"):
            raise ParameterError(f"{where}: the chart's scale is shared or own")
    for part in ("tiles", "chart"):
        form = settings.get(part, {}).get("format", "number")
        if form not in _FORMATS:
            raise ParameterError(f"{where}: format {form!r}; give one of {', '.join(_FORMATS)}")
    return settings


def _mapping(
    given: Any, where: str, what: str, known: Sequence[str] = (), needed: Sequence[str] = ()
) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise ParameterError(f"{where}: {what} are {given!r}; write keys with values")
    for key in given:
        if known and key not in known:
            near = nearest(str(key), known) or known
            raise ParameterError(f"{where}: {what}: unknown key {key!r}; nearest: {near[0]}")
    for key in needed:
        if key not in given:
            raise ParameterError(f"{where}: {what} lack {key!r}; add it")
    return dict(given)


def _edge(value: float, form: str | None) -> str:
    """Return a bound of a colour, which is a round number."""
    text = f"{value * 100:.6g}%" if form == "percent" else f"{value:,.6g}"
    return text.replace("-", "−")


@dataclass(frozen=True)
class Scale:
    """Which colour a number has.

    Numbers on both sides of zero take a diverging scale, alike on both sides; others take one
    that runs from light to dark. Steps are round numbers, and a few extreme places do not
    stretch them: the outermost colours have no outer bound.

    Attributes
    ----------
    edges : tuple of float
        Between one colour and the next.
    diverging : bool
        Whether the middle colour is around zero.
    form : str or None
        How numbers are written.
    """

    edges: tuple[float, ...]
    diverging: bool
    form: str | None = None

    @classmethod
    def of(cls, values: Sequence[float], form: str | None = None) -> Scale:
        """Return the scale for some numbers."""
        ordered = sorted(values) or [0.0]
        if ordered[0] < 0 < ordered[-1] or form == "percent":
            step = _round(_quantile(sorted(map(abs, ordered)), 0.9) / 5)
            return cls(tuple(_exact(n * step) for n in (-5, -3, -1, 1, 3, 5)), True, form)
        low, high = _quantile(ordered, 0.05), _quantile(ordered, 0.95)
        step = _round((high - low) / (_BINS - 1))
        first = math.ceil(low / step) * step
        # By counting: sums of steps would drift.
        edges = [_exact(first + n * step) for n in range(_BINS - 1)]
        return cls(tuple(e for e in edges if e <= ordered[-1]) or (edges[0],), False, form)

    def colour(self, value: float) -> str:
        """Return the class of the colour that a number has."""
        return f"{'d' if self.diverging else 's'}{bisect_right(self.edges, value)}"

    def legend(self) -> list[tuple[str, str]]:
        """Return each colour's class and what it means, from low to high."""
        ends = [_edge(e, self.form) for e in self.edges]
        said = [f"below {ends[0]}"]
        said += [f"{a} to {b}" for a, b in pairwise(ends)]
        said.append(f"{ends[-1]} or more")
        letter = "d" if self.diverging else "s"
        return [(f"{letter}{place}", text) for place, text in enumerate(said)]


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def _exact(edge: float) -> float:
    """Return a number without what binary arithmetic added to it."""
    return float(f"{edge:.12g}")


def _round(step: float) -> float:
    """Return the number nearest to `step`, in proportion, that is 1, 2, 2.5 or 5 at its front."""
    if not step > 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(step))
    return min((n * power for n in (1, 2, 2.5, 5, 10)), key=lambda n: abs(math.log(n / step)))


# --- the tiles --------------------------------------------------------------------------------


def tiles_of(
    section: Mapping[str, Any], told: Mapping[str, Any], failures: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return what the grid shows, and give every cell of a report on it its colour.

    Parameters
    ----------
    section : mapping
        Its ``reports``, each with ``cells``, and its ``columns``.
    told : mapping
        The settings, and the ``column`` whose number comes first.
    failures : sequence of mapping
        Notebooks that were kept as failed.
    """
    parameter, grid = told["parameter"], told["grid"]
    there: dict[str, list[dict[str, Any]]] = {}
    for report in section["reports"]:
        there.setdefault(report["parameters"].get(parameter), []).append(report)
    broken = {f["parameters"].get(parameter): f for f in failures}
    placed = [place for place in grid if place in there]
    labels = [c["label"] for c in section["columns"] if c["numeric"]]
    labels.sort(key=lambda label: label != told["column"])
    if len(placed) < 2 or told["column"] not in labels:
        lack = "fewer than two places" if len(placed) < 2 else f"no number {told['record']!r}"
        return {"note": f"No map: the reports here have {lack}."}
    on_grid = [report for place in placed for report in there[place]]
    legends = [_legend(label, [r["cells"][label] for r in on_grid]) for label in labels]
    for report in on_grid:
        report["place"] = report["parameters"][parameter]
    tiles = []
    for place in sorted(grid, key=lambda p: tuple(grid[p])):
        row, column = grid[place]
        tile = {"place": place, "short": _short(place, told.get("short", {}))}
        tile |= {"row": row, "column": column, "html": None, "text": "–", "colour": "none"}
        if place in there:
            report = there[place][0]
            cell = report["cells"][labels[0]]
            tile |= {"html": report["html"], "text": _start(cell.text)}
            tile |= {"colour": cell.colour or "none", "said": f"{labels[0]} {cell.text}"}
        elif place in broken:
            tile |= {"html": broken[place]["html"], "text": "failed", "said": "failed"}
        else:
            tile["said"] = "no report"
        tiles.append(tile)
    return {
        "parameter": parameter,
        "columns": max(column for _, column in grid.values()),
        # The longest name and number, so that the page can choose a size in which they fit.
        "letters": max(len(tile["short"]) for tile in tiles),
        "digits": max(6, *(len(_start(r["cells"][x].text)) for r in on_grid for x in labels)),
        "tiles": tiles,
        "legends": legends,
        "absent": [t["place"] for t in tiles if t["said"] == "no report"],
        "failed": [t["place"] for t in tiles if t["said"] == "failed"],
        "outside": sorted(str(place) for place in there if place is not None and place not in grid),
        "several": any(len(there[place]) > 1 for place in placed),
    }


def _start(said: str) -> str:
    """Return an estimate without its interval, for which a tile has no room."""
    return said.partition(" (")[0]


def _legend(label: str, cells: Sequence[Any]) -> dict[str, Any]:
    """Colour one number of all reports on the grid, and return what the colours mean."""
    known = [cell for cell in cells if cell.value is not None]
    form = next((cell.form for cell in known), None)
    scale = Scale.of([cell.value for cell in known if not cell.unsure], form)
    for cell in known:
        cell.colour = "z" if cell.unsure else scale.colour(cell.value)
    steps = scale.legend()
    if any(cell.unsure for cell in known):
        steps.append(("z", "interval holds zero"))
    if len(known) < len(cells):
        steps.append(("none", "no number"))
    return {"label": label, "steps": steps}


def _short(place: str, given: Mapping[str, str]) -> str:
    """Return a name that fits a tile: the one that is given, else the first letters."""
    if place in given:
        return str(given[place])
    return place if len(place) <= 8 else f"{place[:7].rstrip()}."
