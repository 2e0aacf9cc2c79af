"""The numbers that a folder of reports recorded, as one tidy frame."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import DataError, ParameterError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["collect"]

_BEFORE = ("report", "notebook")
_AFTER = ("record", "item", "value", "estimate", "ci_low", "ci_high", "text")
_NUMBERS = ("value", "estimate", "ci_low", "ci_high")


def collect(directory: str | Path = "reports") -> pd.DataFrame:
    """Return what the notebooks of a folder recorded, one row a value.

    Parameters
    ----------
    directory : str or Path
        A folder that `render` wrote to.

    Returns
    -------
    DataFrame
        ``report`` and ``notebook``; a column a parameter (missing where a notebook has no such
        parameter; ``parameter_<name>`` where the name is one of these columns); ``record``, the
        name under which the value was recorded; ``item``, which value of a list or mapping
        (counted from 1, or its keys, joined by dots; empty for a single value); ``value`` as a
        number (a boolean as 0 or 1, missing if it was recorded as null); ``estimate``,
        ``ci_low`` and ``ci_high`` of an effect, whose ``value`` is its estimate; ``text`` of an
        effect or of a recorded text. Sorted by report, then in the order of recording.

    Raises
    ------
    ParameterError
        If there is no such folder, or no report in it.
    DataError
        If a manifest cannot be read: a number left out in silence would not be missed.
    """
    import pandas as pd

    folder = Path(directory)
    if not folder.is_dir():
        raise ParameterError(f"there is no folder {str(folder)!r}; give one that render wrote to")
    paths = sorted(folder.glob("*.manifest.json"))
    if not paths:
        raise ParameterError(f"there are no reports in {str(folder)!r}; render some first")
    rows: list[dict[str, Any]] = []
    names: dict[str, str] = {}
    for path in paths:
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            first = {"report": told["name"], "notebook": told["notebook"]["file"]}
            parameters = {_column(n): _single(v) for n, v in told["parameters"].items()}
            names |= dict.fromkeys(parameters, "")
            for record, value in told["records"].items():
                rows += [first | parameters | {"record": record} | r for r in _values(value)]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(
                f"{path.name} cannot be read ({error!r}); "
                f"'crime-analysis verify {folder}' says what is wrong, rendering again mends it"
            ) from None
    frame = pd.DataFrame(rows, columns=[*_BEFORE, *names, *_AFTER])
    return frame.astype(dict.fromkeys(_NUMBERS, float))


def _column(parameter: str) -> str:
    taken = parameter in (*_BEFORE, *_AFTER)
    return f"parameter_{parameter}" if taken else parameter


def _single(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list) else value


def _values(value: Any, item: str = "") -> Iterator[dict[str, Any]]:
    """Yield the rows of one record."""
    if isinstance(value, Mapping) and {"table", "text"} == set(value.get("effect") or ()):
        yield from _effect(value["effect"], item)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _values(inner, f"{item}.{key}" if item else str(key))
    elif isinstance(value, list):
        for place, inner in enumerate(value, start=1):
            yield from _values(inner, f"{item}.{place}" if item else str(place))
    elif isinstance(value, str):
        yield {"item": item, "text": value}
    else:
        yield {"item": item, "value": _number(value)}


def _effect(effect: Mapping[str, Any], item: str) -> Iterator[dict[str, Any]]:
    """Yield a row for each estimate; the sentence goes with all of them."""
    for place, row in enumerate(effect["table"] or [{}], start=1):
        # Whatever names the rows (a term, a specification, an outcome) comes first in them.
        label = next((str(v) for v in row.values() if isinstance(v, str)), str(place))
        numbers = {key: _number(row.get(key)) for key in ("estimate", "ci_low", "ci_high")}
        yield {
            "item": f"{item}.{label}" if item else label,
            "value": numbers["estimate"],
            **numbers,
            "text": effect.get("text"),
        }


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
