"""One notebook with checked parameters: all that a report needs to be known before it runs."""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ParameterError
from .names import render_command, report_label, report_name
from .notebook import notebook_settings, parse_notebook, read_bytes
from .parameters import Parameter, declared_parameters, validate

__all__ = ["Job", "job_from_dict", "make_job", "prepared"]


@dataclass(frozen=True)
class Job:
    """One notebook with checked parameters, and all that follows from the two.

    Attributes
    ----------
    source : Path
        The notebook, as an absolute path.
    sha256 : str
        Of the bytes that were read; the file is not read again.
    parameters : list of Parameter
        What the notebook may be asked.
    values : dict
        A value for each, in the notebook's order.
    settings : dict
        What the notebook declares under ``crime_analysis`` in its metadata.
    name, label : str
        What the files are called, without endings, and what tells the report from its siblings.
    shown : str
        The notebook's path as readers may see it.
    title, group : str or None
        As a set file gives them.
    notebook : dict
        The notebook's content.
    """

    source: Path
    sha256: str
    parameters: list[Parameter]
    values: dict[str, Any]
    settings: dict[str, Any]
    name: str
    label: str
    shown: str
    title: str | None = None
    group: str | None = None
    notebook: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def command(self) -> str:
        """The shell command that makes this report again."""
        return render_command(self.shown, self.values)

    def as_dict(self) -> dict[str, Any]:
        """Return what another process needs to make this job anew; JSON can hold it."""
        return {
            "source": str(self.source),
            "sha256": self.sha256,
            "values": self.values,
            "shown": self.shown,
            "title": self.title,
            "group": self.group,
        }


def make_job(
    source: str | Path,
    given: Mapping[str, object] | None = None,
    *,
    title: str | None = None,
    group: str | None = None,
    shown: str | None = None,
) -> Job:
    """Check everything that can be checked without running anything.

    Parameters
    ----------
    source : str or Path
        A notebook with a cell tagged ``parameters``.
    given : mapping of str to object, optional
        Values, as text or in their own types; the notebook's defaults fill the rest.
    title, group : str, optional
        The report's title, else its first heading; the heading it is listed under.
    shown : str, optional
        The notebook's path as readers see it, else relative to the working directory.

    Raises
    ------
    UnknownNameError, ParameterError
        A notebook that cannot be read, or parameters that do not exist or do not fit.
    """
    source = Path(source)
    raw = read_bytes(source)
    notebook = parse_notebook(raw, source.name)
    parameters = declared_parameters(notebook, source.name)
    settings = notebook_settings(notebook, source.name)
    values = validate(parameters, given or {}, source)
    name_by = settings.get("name_by", [])
    if shown is None:
        path = Path(os.path.relpath(source.resolve()))
        # A path that leaves the working directory would tell readers about this machine.
        shown = source.name if path.is_absolute() or ".." in path.parts else path.as_posix()
    return Job(
        # Not resolved: a link's own name names the report, in every process.
        source=Path(os.path.abspath(source)),
        sha256=hashlib.sha256(raw).hexdigest(),
        parameters=parameters,
        values=values,
        settings=settings,
        name=report_name(source, parameters, values, name_by),
        label=report_label(parameters, values, name_by),
        shown=shown,
        title=title,
        group=group,
        notebook=notebook,
    )


def job_from_dict(told: Mapping[str, Any]) -> Job:
    """Make the job anew in another process from what `Job.as_dict` returned.

    Raises
    ------
    ParameterError
        If the notebook has changed since: a batch is of one notebook, not of two.
    """
    job = make_job(
        told["source"],
        told["values"],
        title=told.get("title"),
        group=told.get("group"),
        shown=told.get("shown"),
    )
    if told.get("sha256", job.sha256) != job.sha256:
        raise ParameterError(
            f"{job.source.name} was changed while its batch was running; render the batch again"
        )
    return job


def prepared(job: Job) -> Any:
    """Return the notebook with its parameters injected and an id on every cell."""
    import nbformat
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    content = copy.deepcopy(job.notebook)
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
        reason = " ".join(str(error).split())[:300]
        raise ParameterError(
            f"{job.source.name}: not a valid notebook ({reason}); open it in Jupyter and save it"
        ) from None
    if job.values:
        nb = parameterize_notebook(nb, job.values, kernel_name="python3", language="python")
        tags = [cell.metadata.get("tags", []) for cell in nb.cells]
        at = next(i for i, t in enumerate(tags) if "injected-parameters" in t)
        nb.cells[at]["id"] = "injected-parameters"
    return nb
