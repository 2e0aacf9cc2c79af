"""Render parameterised notebooks into self-contained HTML reports, one or hundreds at a time.

The room knows nothing of its subject: it reads a notebook's parameters, checks what it is
given before anything runs, executes each notebook in a private kernel through papermill, and
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
``reads``
    Files, or globs of them, below the notebook's folder that its report depends on.
``hide_tags``
    Tags of cells that run but have no place on the page.
``headline``
    ``{record: label}`` or ``{record: {"label": .., "format": "percent"}}``: recorded values
    that the index shows. ``{start}`` in a label is the report's parameter ``start``.

The names below are imported when first used: papermill alone takes seconds.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .batch import render
    from .collection import collect
    from .index import write_index
    from .parameters import Parameter, read_parameters, validate
    from .progress import closing_table
    from .records import collect_records, record
    from .summary import Batch, BatchError, Result
    from .verification import Verification, verify

__all__ = [
    "Batch",
    "BatchError",
    "Parameter",
    "Result",
    "Verification",
    "closing_table",
    "collect",
    "collect_records",
    "read_parameters",
    "record",
    "render",
    "validate",
    "verify",
    "write_index",
]

_HOME = {
    "Batch": "summary",
    "BatchError": "summary",
    "Parameter": "parameters",
    "Result": "summary",
    "Verification": "verification",
    "closing_table": "progress",
    "collect": "collection",
    "collect_records": "records",
    "read_parameters": "parameters",
    "record": "records",
    "render": "batch",
    "validate": "parameters",
    "verify": "verification",
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
