"""From a notebook and its parameters to a report that is either whole or absent."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import ParameterError, RenderError
from .names import as_text, changed, render_command, report_label, report_name
from .parameters import Parameter, notebook_settings, read_notebook, read_parameters, validate
from .records import collect_records

__all__ = ["RenderResult", "render"]

_PACKAGES = (
    "crime-analysis",
    "numpy",
    "pandas",
    "scipy",
    "statsmodels",
    "pyfixest",
    "matplotlib",
    "seaborn",
    "papermill",
    "nbclient",
    "nbconvert",
    "ipykernel",
)


@dataclass(frozen=True)
class RenderResult:
    """A report that was written.

    Attributes
    ----------
    name : str
        What its files are called, without endings.
    html, notebook, manifest : Path
        The report, the executed notebook and what made them.
    seconds : float
        How long it took.
    records : dict
        Values that the notebook recorded.
    """

    name: str
    html: Path
    notebook: Path
    manifest: Path
    seconds: float
    records: dict[str, Any]


@dataclass(frozen=True)
class _Job:
    """One notebook with checked parameters, and all that follows from the two."""

    source: Path
    sha256: str
    parameters: list[Parameter]
    values: dict[str, Any]
    settings: dict[str, Any]
    name: str
    label: str
    shown: str

    @property
    def command(self) -> str:
        return render_command(self.shown, self.values)


def render(
    notebook: str | Path,
    parameters: Mapping[str, object] | None = None,
    out: str | Path = "reports",
    *,
    title: str | None = None,
    timeout: float | None = None,
) -> RenderResult:
    """Execute a notebook with the given parameters and write its report.

    Three files of one name appear in `out`: the executed notebook, one HTML file and a
    manifest. They are written aside and put in place together, the manifest last. A notebook
    that fails is kept as ``<name>.failed.ipynb``, and an older report of that name is removed,
    so that nobody takes it for the current one.

    Parameters
    ----------
    notebook : str or Path
        A notebook with a cell tagged ``parameters``.
    parameters : mapping of str to object, optional
        Values, as text or in their own types; the notebook's defaults fill the rest.
    out : str or Path
        The folder to write to; it is made if absent.
    title : str, optional
        The report's title; otherwise the notebook's first heading.
    timeout : float, optional
        Seconds that any one cell may take; otherwise as long as it needs.

    Returns
    -------
    RenderResult
        The paths, the time and the recorded values.

    Raises
    ------
    UnknownNameError, ParameterError
        Before anything runs: parameters that do not exist or do not fit.
    RenderError
        A cell failed, or the run produced less than the notebook promises under ``yields``.
    """
    job = _job(Path(notebook), parameters or {})
    if timeout is not None and not timeout > 0:
        raise ParameterError(f"timeout is {timeout!r}; give a number of seconds above 0, or None")
    out = Path(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ParameterError(
            f"cannot write to {str(out)!r}: {error.strerror}; give another folder"
        ) from None
    from .kernel import execute

    started, clock = datetime.now(UTC), time.perf_counter()
    run = execute(_prepared(job), timeout=timeout)
    nb = _cleaned(run.nb, job)
    if run.error is not None:
        place = _cell_of(nb, run.cell)
        raise _keep_failed(nb, job, out, place, run.error)
    missing = _missing(nb, job.settings.get("yields", {}))
    if missing:
        silent = ("SilentFailure", f"every cell ran, but {missing}")
        raise _keep_failed(nb, job, out, "after the last cell", silent)
    return _write(nb, job, out, title, started, clock)


def _job(source: Path, given: Mapping[str, object]) -> _Job:
    """Check everything that can be checked without running anything."""
    parameters = read_parameters(source)
    settings = notebook_settings(read_notebook(source))
    values = validate(parameters, given, source)
    name_by = settings.get("name_by", [])
    path = Path(os.path.relpath(source.resolve()))
    return _Job(
        source=source,
        sha256=hashlib.sha256(source.read_bytes()).hexdigest(),
        parameters=parameters,
        values=values,
        settings=settings,
        name=report_name(source, parameters, values, name_by),
        label=report_label(parameters, values, name_by),
        # A path that leaves the working directory would tell readers about this machine.
        shown=source.name if path.is_absolute() or ".." in path.parts else path.as_posix(),
    )


def _prepared(job: _Job) -> Any:
    """Return the notebook with its parameters injected and an id on every cell."""
    import nbformat
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    content = read_notebook(job.source)
    content.setdefault("metadata", {})
    # nbformat gives random ids to cells that lack one, and two runs would differ by them.
    content["nbformat_minor"] = max(5, content.get("nbformat_minor", 0))
    taken = {cell["id"] for cell in content["cells"] if "id" in cell}
    for number, cell in enumerate(content["cells"], start=1):
        fresh = f"cell-{number}"
        cell.setdefault("id", fresh if fresh not in taken else f"{fresh}-of-{job.sha256[:8]}")
    # A kernelspec names an environment of whoever saved the notebook; ours is always used.
    spec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content["metadata"]["kernelspec"] = spec
    content["metadata"].pop("papermill", None)
    try:
        nb = nbformat.from_dict(content)
        nbformat.validate(nb)
        nb = load_notebook_node(nb)
    except Exception as error:
        reason = _one_line(str(error))
        raise ParameterError(
            f"{job.source.name}: not a valid notebook ({reason}); open it in Jupyter and save it"
        ) from None
    if job.values:
        nb = parameterize_notebook(nb, job.values, kernel_name="python3", language="python")
        nb.cells[_injected(nb)]["id"] = "injected-parameters"
    return nb


def _injected(nb: Any) -> int:
    """Return the index of the injected cell, or one past every cell."""
    tags = [cell.metadata.get("tags", []) for cell in nb.cells]
    return next((i for i, t in enumerate(tags) if "injected-parameters" in t), len(tags))


def _cleaned(nb: Any, job: _Job) -> Any:
    """Strip what differs between two runs or tells of this machine."""
    for cell in nb.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if not cell.metadata.get("tags", True):
            del cell.metadata["tags"]
        for output in cell.get("outputs", []):
            if output.output_type == "stream" and output.name == "stderr":
                output.text = _without_paths(output.text)
            elif output.output_type == "error":
                output.evalue = _without_paths(output.evalue)
                output.traceback = [_without_paths(line) for line in output.traceback]
    nb.metadata.papermill = {"parameters": dict(job.values)}
    return nb


def _without_paths(text: str) -> str:
    """Replace this machine's folders and process numbers in what the code said."""
    text = re.sub(r"[^\s\"'<>]*ipykernel_\d+[/\\]\d+\.py", "<cell>", text)
    for folder, name in ((os.getcwd(), "."), (sys.prefix, "<python>"), (str(Path.home()), "~")):
        if len(folder) > 1:
            text = text.replace(folder, name)
    return text


def _missing(nb: Any, yields: Mapping[str, Any]) -> str:
    """Say what the outputs lack of what the notebook promises; nothing if they lack nothing."""
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
    absent = [name for name in yields.get("records", []) if name not in collect_records(nb)]
    if absent:
        lacking.append(f"it did not record {', '.join(absent)}")
    return " and ".join(lacking)


def _cell_of(nb: Any, index: int | None) -> str:
    """Return the failing cell's number as readers of the source notebook count it."""
    if index is None:
        return "before the first cell"
    # Their notebook has no injected cell.
    return f"cell {index if index >= _injected(nb) else index + 1}"


def _keep_failed(nb: Any, job: _Job, out: Path, place: str, error: tuple[str, str]) -> RenderError:
    """Keep the half-done notebook, remove the older report, and return the error to raise."""
    import nbformat

    kind, message = error[0], _one_line(error[1])
    said = f"{kind}: {message}" if message else kind
    notice = (
        f"**This notebook failed: {place} of `{job.source.name}`.** "
        "It is kept as far as it came and is not a report.\n\n"
        f"```\n{said}\n```\n\nThe same run again:\n\n```\n{job.command}\n```"
    )
    nb.cells.insert(0, nbformat.v4.new_markdown_cell(notice, id="failure-notice"))
    nb.metadata["crime_analysis_report"] = {
        "failed": True,
        "name": job.name,
        "label": job.label,
        "notebook": job.source.name,
        "parameters": dict(job.values),
        "error": f"{place}: {said}",
    }
    kept = out / f"{job.name}.failed.ipynb"
    with _aside(out) as folder:
        part = folder / kept.name
        part.write_text(nbformat.writes(nb, version=4), encoding="utf-8")
        for ending in (".manifest.json", ".html", ".ipynb"):
            (out / f"{job.name}{ending}").unlink(missing_ok=True)
        part.replace(kept)
    return RenderError(f"{job.source.name}, {place}: {said}; what ran is kept in {kept}")


def _write(
    nb: Any, job: _Job, out: Path, title: str | None, started: datetime, clock: float
) -> RenderResult:
    """Write the three files aside and put them in place, the manifest last."""
    import nbformat

    from .html import Page, to_html

    versions = _versions()
    finished = datetime.now(UTC)
    page = Page(
        title=title,
        label=job.label,
        notebook=job.shown,
        command=job.command,
        sha256=job.sha256,
        finished=finished,
        parameters=[
            {"name": p.name, "text": as_text(job.values[p.name]), "help": p.help}
            for p in job.parameters
        ],
        versions=versions,
        folder=str(job.source.parent),
    )
    html, title = to_html(nb, page)
    texts = {
        f"{job.name}.ipynb": nbformat.writes(nb, version=4) + "\n",
        f"{job.name}.html": html,
    }
    seconds = round(time.perf_counter() - clock, 2)
    records = collect_records(nb)
    manifest = {
        "name": job.name,
        "title": title,
        "label": job.label,
        "notebook": {"file": job.shown, "sha256": job.sha256},
        "command": job.command,
        "parameters": job.values,
        "changed": changed(job.parameters, job.values),
        "records": records,
        "headline": _headline(job.settings.get("headline", {})),
        "outputs": {
            name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()
        },
        "versions": versions,
        "started": started.isoformat(timespec="seconds"),
        "finished": finished.isoformat(timespec="seconds"),
        "seconds": seconds,
    }
    texts[f"{job.name}.manifest.json"] = (
        json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    )
    with _aside(out) as folder:
        for name, text in texts.items():
            (folder / name).write_bytes(text.encode())
        # Three renames are not one: while they go on, there is no manifest and no page, so that
        # an interruption leaves a report absent and never a mixture of two.
        for ending in (".manifest.json", ".html", ".failed.ipynb"):
            (out / f"{job.name}{ending}").unlink(missing_ok=True)
        for name in texts:
            (folder / name).replace(out / name)
    written = [out / name for name in texts]
    return RenderResult(job.name, written[1], written[0], written[2], seconds, records)


@contextlib.contextmanager
def _aside(out: Path) -> Iterator[Path]:
    """Yield a folder inside `out`, so that renaming out of it stays within one file system."""
    folder = Path(tempfile.mkdtemp(prefix=".rendering-", dir=out))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _headline(declared: Any) -> list[dict[str, str]]:
    """Return the records for the index: names, or a mapping to labels, or to label and format."""
    pairs = declared.items() if isinstance(declared, Mapping) else ((n, n) for n in declared)
    entries = []
    for name, told in pairs:
        told = told if isinstance(told, Mapping) else {"label": told}
        entry = {"record": str(name), "label": str(told.get("label", name))}
        entries.append(entry | ({"format": "percent"} if told.get("format") == "percent" else {}))
    return entries


def _versions() -> dict[str, str]:
    """Return the versions of what computed and wrote the report."""
    versions = {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def _one_line(text: str) -> str:
    words = " ".join(_without_paths(text).split())
    return words if len(words) <= 300 else words[:299] + "…"
