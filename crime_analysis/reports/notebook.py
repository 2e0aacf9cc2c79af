"""A notebook as it lies on disk: its cells, and what it declares of itself to this room."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from ..errors import ParameterError, UnknownNameError, nearest

__all__ = ["notebook_settings", "parse_notebook", "read_bytes", "read_notebook"]

_KNOWN = ("headline", "hide_tags", "index", "name_by", "ordered", "parameters", "reads", "yields")
_YIELDS = ("figures", "records", "tables")


def read_notebook(path: str | Path) -> dict[str, Any]:
    """Read a notebook's JSON without the seconds that nbformat takes to import.

    Raises
    ------
    ParameterError
        A missing file, invalid JSON, or JSON that is no notebook of format 4.
    """
    path = Path(path)
    return parse_notebook(read_bytes(path), path.name)


def read_bytes(path: Path) -> bytes:
    """Return a notebook's bytes; a missing one is answered with the nearest in its folder."""
    try:
        return path.read_bytes()
    except OSError as error:
        if path.is_file():
            raise ParameterError(f"cannot read {path.name!r}: {error.strerror}") from None
    known = [p.name for p in path.parent.glob("*.ipynb")] if path.parent.is_dir() else []
    near = nearest(path.name, known)
    hint = f"nearest: {', '.join(near)}" if near else "check the path"
    raise ParameterError(f"no notebook {path.name!r} in {path.parent.name or '.'!r}; {hint}")


@functools.lru_cache(maxsize=8)
def parse_notebook(raw: bytes, name: str) -> dict[str, Any]:
    """Return the notebook that `raw` holds; `name` is for the messages.

    A batch asks for the same one again and again: take it as read-only.
    """
    mend = "open it in Jupyter and save it again"
    try:
        notebook = json.loads(raw.decode("utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        line = getattr(error, "lineno", None)
        place = f", line {line}" if line else ""
        raise ParameterError(
            f"{name}{place}: not valid JSON; {mend}, or restore an earlier copy"
        ) from None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list) or notebook.get("nbformat") != 4:
        raise ParameterError(f"{name}: not a Jupyter notebook of format 4; {mend}")
    for number, cell in enumerate(cells, start=1):
        whole = (
            isinstance(cell, dict)
            and cell.get("cell_type") in ("code", "markdown", "raw")
            and isinstance(cell.get("metadata", {}), dict)
            and _is_text(cell.get("source", ""))
        )
        if not whole:
            raise ParameterError(f"{name}: cell {number} is not a notebook's cell; {mend}")
    if not isinstance(notebook.get("metadata", {}), dict):
        raise ParameterError(f"{name}: its metadata is no mapping; {mend}")
    return notebook


def _is_text(source: object) -> bool:
    if isinstance(source, list):
        return all(isinstance(line, str) for line in source)
    return isinstance(source, str)


def notebook_settings(notebook: Mapping[str, Any], name: str = "the notebook") -> dict[str, Any]:
    """Return what a notebook declares under ``crime_analysis`` in its metadata.

    Raises
    ------
    UnknownNameError, ParameterError
        A declaration that would do nothing, or not what was meant. Keys that are like none of
        ours may be somebody else's and are left alone.
    """
    settings = notebook.get("metadata", {}).get("crime_analysis", {})
    where = f"the metadata of {name}"
    _of_kind(settings, Mapping, where, "crime_analysis", "a mapping")
    for key in settings:
        if key not in _KNOWN and get_close_matches(str(key), _KNOWN, cutoff=0.8):
            raise UnknownNameError("key", key, _KNOWN, where)
    _of_kind(settings.get("parameters", {}), Mapping, where, "parameters", "a mapping")
    for key in ("hide_tags", "name_by", "reads"):
        _names(settings.get(key, []), where, key)
    for pair in _of_kind(settings.get("ordered", []), list, where, "ordered", "a list of pairs"):
        if not _are_names(pair) or len(pair) != 2:
            raise ParameterError(f"{where}: 'ordered' lists {pair!r}; give pairs of names")
    for path in settings.get("reads", []):
        if not path or PurePosixPath(path).is_absolute() or PureWindowsPath(path).anchor:
            raise ParameterError(f"{where}: 'reads' names {path!r}; give paths below the notebook")
    yields = _of_kind(settings.get("yields", {}), Mapping, where, "yields", "a mapping")
    for key, value in yields.items():
        if key not in _YIELDS:
            raise UnknownNameError("key", key, _YIELDS, f"'yields' in {where}")
        if key == "records":
            _names(value, where, key)
        elif not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ParameterError(f"{where}: it yields {value!r} {key}; give a whole number")
    return dict(settings)


def _of_kind(value: Any, kind: type, where: str, key: str, wanted: str) -> Any:
    if not isinstance(value, kind):
        raise ParameterError(f"{where}: {key!r} is {value!r}; give {wanted}")
    return value


def _names(value: Any, where: str, key: str) -> None:
    if not _are_names(value):
        raise ParameterError(f"{where}: {key!r} is {value!r}; give a list of names")


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)
