"""Render parameterised notebooks into self-contained HTML reports.

The room knows nothing of its subject: it reads a notebook's parameters, checks what it is
given before anything runs, executes the notebook in a private kernel through papermill, and
writes three files beside each other: the executed notebook, one HTML file that asks the network
for nothing, and a manifest that says what made them.

A notebook speaks to this room through its metadata, under ``crime_analysis``:

``parameters``
    ``{name: {"choices": [...]}}`` or ``{name: {"minimum": .., "maximum": ..}}``.
``ordered``
    ``[["start", "end"], ...]``: the first of each pair must come before the second.
``name_by``
    Parameters whose values always name the report's files.
``yields``
    ``{"figures": n, "tables": n, "records": [names]}``: the least that a run must produce.
``headline``
    ``{record: label}`` or ``{record: {"label": .., "format": "percent"}}``: recorded values
    that the index shows.

The names below are imported when first used: papermill alone takes seconds.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .index import write_index
    from .parameters import Parameter, read_parameters, validate
    from .records import collect_records, record
    from .rendering import RenderResult, render

__all__ = [
    "Parameter",
    "RenderResult",
    "collect_records",
    "read_parameters",
    "record",
    "render",
    "validate",
    "write_index",
]

_HOME = {
    "Parameter": "parameters",
    "RenderResult": "rendering",
    "collect_records": "records",
    "read_parameters": "parameters",
    "record": "records",
    "render": "rendering",
    "validate": "parameters",
    "write_index": "index",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    # No module here shares a public name: importing a submodule `render` would put the module
    # where callers expect the function.
    return getattr(importlib.import_module(f".{_HOME[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
