"""Values that a notebook hands on: displayed as data, collected from the executed notebook."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from datetime import date
from typing import Any

from ..errors import ParameterError

__all__ = ["RECORD_MIME", "collect_records", "record"]

RECORD_MIME = "application/vnd.crime-analysis.record+json"


def record(name: str, value: object) -> None:
    """Leave `value` in the notebook's outputs under `name`, out of the reader's sight.

    Outside a notebook it checks the value and does nothing else, so that the same cells run as
    a script.

    Parameters
    ----------
    name : str
        What the manifest and the index will call it.
    value : object
        A number, text, boolean, date, or lists and mappings of them; numpy scalars and arrays
        too. NaN, NaT and infinities become null, which JSON can hold. An Effect, or whatever
        has a ``table`` and a ``text``, is kept as ``{"effect": {"table": rows, "text": ..}}``.

    Raises
    ------
    ParameterError
        A nameless record or a value that JSON cannot hold.

    Examples
    --------
    >>> record("officers_2018", 30390.23)
    """
    if not isinstance(name, str) or not name.strip():
        raise ParameterError(f"record: the name is {name!r}; give a non-empty text")
    if hasattr(value, "table") and hasattr(value, "text"):
        value = {"effect": {"table": _rows(name, value.table), "text": str(value.text)}}
    bundle = {RECORD_MIME: {"name": name, "value": _plain(name, value)}, "text/plain": ""}
    # Where IPython was never imported there is no notebook to leave anything in.
    if "IPython" in sys.modules and sys.modules["IPython"].get_ipython() is not None:
        from IPython.display import display

        display(bundle, raw=True)


def collect_records(nb: Mapping[str, Any]) -> dict[str, Any]:
    """Return every recorded value of an executed notebook, the last one for a repeated name.

    Parameters
    ----------
    nb : NotebookNode or mapping
        The executed notebook.

    Returns
    -------
    dict
        Name to value, in the order of the cells.
    """
    found: dict[str, Any] = {}
    for cell in nb.get("cells", []):
        for output in cell.get("outputs", []):
            entry = output.get("data", {}).get(RECORD_MIME)
            if isinstance(entry, Mapping) and "name" in entry:
                found[str(entry["name"])] = _thawed(entry.get("value"))
    return found


def _rows(name: str, table: Any) -> list[Any]:
    """Return a table's rows as mappings, with what its index holds unless it only counts rows."""
    if hasattr(table, "reset_index"):
        counts = type(table.index).__name__ == "RangeIndex"
        table = (table if counts else table.reset_index()).to_dict("records")
    if not isinstance(table, list):
        raise ParameterError(
            f"record {name!r}: the table is a {type(table).__name__}; give a DataFrame"
        )
    return table


def _plain(name: str, value: Any) -> Any:
    """Return `value` as JSON would hold it."""
    # numpy arrays and pandas series know `tolist`, numpy scalars `item`: asking for the method
    # spares this module the import of either.
    if hasattr(value, "tolist"):
        value = value.tolist()
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(k): _plain(name, v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(name, v) for v in value]
    raise ParameterError(
        f"record {name!r}: a {type(value).__name__} cannot be stored as JSON; "
        "give a number, text, date, or a list or mapping of them"
    )


def _thawed(value: Any) -> Any:
    """Return plain dicts and lists in place of nbformat's nodes."""
    if isinstance(value, Mapping):
        return {k: _thawed(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_thawed(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
