"""What a run leaves: a notebook to be cleaned, checked, and marked if it failed."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .job import Job
from .records import collect_records

__all__ = ["cell_of", "cleaned", "marked_failed", "missing", "said", "without_paths", "written"]

# Only from where a word begins: tried from each of its letters, half a megabyte takes hours.
_CELL_FILE = re.compile(r"(?<![^\s\"'<>])[^\s\"'<>]*ipykernel_\d+[/\\]\d+\.py")


def cleaned(nb: Any, job: Job) -> Any:
    """Strip what differs between two runs or tells of this machine."""
    for cell in nb.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if not cell.metadata.get("tags", True):
            del cell.metadata["tags"]
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                output.text = without_paths(output.text)
            elif output.output_type == "error":
                output.evalue = without_paths(output.evalue)
                output.traceback = [without_paths(line) for line in output.traceback]
    nb.metadata.papermill = {"parameters": dict(job.values)}
    return nb


def missing(nb: Any, yields: Mapping[str, Any]) -> str:
    """Say what the outputs lack of what the notebook promises; nothing if they lack nothing.

    Figures are counted by their ``<figure>`` element, tables by ``<table>``.
    """
    html = [
        "".join(output.get("data", {}).get("text/html", ""))
        for cell in nb.cells
        for output in cell.get("outputs", [])
    ]
    lacking = []
    for kind, tag in (("figures", "figure"), ("tables", "table")):
        wanted = int(yields.get(kind, 0))
        found = sum(len(re.findall(rf"<{tag}[\s>]", text)) for text in html)
        if found < wanted:
            lacking.append(f"it shows {found} of {wanted} {kind}")
    recorded = collect_records(nb)
    absent = [name for name in yields.get("records", []) if name not in recorded]
    if absent:
        lacking.append(f"it did not record {', '.join(absent)}")
    return " and ".join(lacking)


def cell_of(nb: Any, index: int | None) -> str:
    """Return the failing cell's number as readers of the source notebook count it."""
    if index is None:
        return "before the first cell"
    # Their notebook has no injected cell.
    return f"cell {index if index >= _injected(nb) else index + 1}"


def marked_failed(nb: Any, job: Job, where: str, error: str) -> Any:
    """Put a notice before a half-done notebook's cells, and the failure in its metadata."""
    import nbformat

    fence = _fence(error, job.command)
    notice = (
        f"**This notebook failed: {where} of `{job.source.name}`.** "
        "It is kept as far as it came and is not a report.\n\n"
        f"{fence}\n{error}\n{fence}\n\nThe same run again:\n\n{fence}\n{job.command}\n{fence}"
    )
    nb.cells.insert(0, nbformat.v4.new_markdown_cell(notice, id="failure-notice"))
    nb.metadata["crime_analysis_report"] = {
        "failed": True,
        "name": job.name,
        "title": job.title,
        "label": job.label,
        "group": job.group,
        "notebook": job.source.name,
        "parameters": dict(job.values),
        "error": f"{where}: {error}",
    }
    return nb


def written(nb: Any) -> bytes:
    """Return a notebook's bytes; what UTF-8 cannot hold, cells may print all the same."""
    import nbformat

    return (nbformat.writes(nb, version=4) + "\n").encode(errors="replace")


def said(kind: str, message: str) -> str:
    """Return an error as one line that tells of no folder of this machine."""
    message = _one_line(message)
    return f"{kind}: {message}" if message else kind


def _one_line(text: str) -> str:
    words = " ".join(without_paths(text).split())
    return words if len(words) <= 300 else words[:299] + "…"


def _injected(nb: Any) -> int:
    """Return the index of the injected cell, or one past every cell."""
    tags = [cell.metadata.get("tags", []) for cell in nb.cells]
    return next((i for i, t in enumerate(tags) if "injected-parameters" in t), len(tags))


def _fence(*texts: str) -> str:
    """Return a fence that none of the texts can close."""
    runs = [len(run) for text in texts for run in re.findall("`+", text)]
    return "`" * max(3, 1 + max(runs, default=0))


def without_paths(text: str) -> str:
    """Replace this machine's folders and process numbers in what the code said."""
    text = _CELL_FILE.sub("<cell>", text)
    for folder, name in ((os.getcwd(), "."), (sys.prefix, "<python>"), (str(Path.home()), "~")):
        if len(folder) > 1:
            text = text.replace(folder, name)
    return text
