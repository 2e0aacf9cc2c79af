"""From one job to a report that is either whole or absent."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import CrimeAnalysisError, ParameterError
from . import outputs
from .executed import cell_of, cleaned, marked_failed, missing, said, written
from .freshness import dependencies, versions
from .job import Job, prepared
from .manifest import manifest
from .names import as_text
from .records import collect_records

__all__ = ["Options", "render_job"]


@dataclass(frozen=True)
class Options:
    """How jobs are run; none of it changes what a report says.

    Attributes
    ----------
    timeout : float or None
        Seconds that any one cell may take; None for as long as it needs.
    memory_gb : float or None
        What one kernel may use; None for no limit.
    warm : bool
        Whether kernels may be forked from an interpreter that has imported what they need.
    pdf : bool
        Whether to print each report to a PDF as well.
    startup_timeout : float
        Seconds that a kernel may take to answer.
    """

    timeout: float | None = 600
    memory_gb: float | None = 4
    warm: bool = True
    pdf: bool = False
    startup_timeout: float = 120

    def __post_init__(self) -> None:
        for name, unit, may_lack in (
            ("timeout", "seconds", True),
            ("memory_gb", "gigabytes", True),
            ("startup_timeout", "seconds", False),
        ):
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not (number and 0 < value < float("inf")) and not (may_lack and value is None):
                other = ", or None" if may_lack else ""
                raise ParameterError(f"{name} is {value!r}; give a number of {unit} above 0{other}")

    def as_dict(self) -> dict[str, Any]:
        """Return the options as JSON can hold them; ``Options(**told)`` makes them again."""
        return asdict(self)


def render_job(job: Job, out: str | Path, options: Options) -> dict[str, Any]:
    """Execute a job and write its report, or keep it as failed; never raise for a failure.

    Three files of one name appear in `out`: the executed notebook, one HTML file and a manifest
    (and the PDF, if asked for). They are written aside and put in place together. A notebook
    that fails is kept as ``<name>.failed.ipynb``, and an older report of that name is removed,
    so that nobody takes it for the current one.

    Returns
    -------
    dict
        As JSON can hold it: ``name``; ``status``, rendered or failed; ``seconds``; ``error`` and
        ``where`` of a failure; paths ``html``, ``notebook`` (or what was kept of it),
        ``manifest`` and ``pdf``, each None where there is none; ``records``.
    """
    clock = time.perf_counter()
    result: dict[str, Any] = {
        "name": job.name,
        "status": "failed",
        "seconds": 0.0,
        "error": None,
        "where": None,
        "html": None,
        "notebook": None,
        "manifest": None,
        "pdf": None,
        "records": {},
    }
    try:
        result |= _rendered(job, Path(out), options, clock)
    except _Failed as failure:
        result |= {"where": failure.where, "error": failure.error}
        if failure.nb is not None:
            result |= _kept(failure, job, Path(out))
    result["seconds"] = round(time.perf_counter() - clock, 2)
    return result


class _Failed(Exception):
    """A run that gives no report: where it stopped, why, and the notebook if that is to be kept."""

    def __init__(self, where: str, error: str, nb: Any = None) -> None:
        super().__init__(error)
        self.where, self.error, self.nb = where, error, nb


def _rendered(job: Job, out: Path, options: Options, clock: float) -> dict[str, Any]:
    """Return the part of the result that a report adds to it."""
    from .kernel import execute

    try:
        outputs.ready(out, [job])
        # Before the run: what changes during it makes the report one to render again.
        depends_on, nb = dependencies(job), prepared(job)
    except (CrimeAnalysisError, OSError) as error:
        raise _Failed("before the first cell", str(error)) from error
    started = datetime.now(UTC)
    run = execute(
        nb,
        timeout=options.timeout,
        startup_timeout=options.startup_timeout,
        memory_gb=options.memory_gb,
        warm=options.warm,
    )
    nb = cleaned(run.nb, job)
    if run.error is not None:
        raise _Failed(cell_of(nb, run.cell), said(*run.error), nb)
    lacking = missing(nb, job.settings.get("yields", {}))
    if lacking:
        silent = said("SilentFailure", f"every cell ran, but {lacking}")
        raise _Failed("after the last cell", silent, nb)
    try:
        finished = datetime.now(UTC)
        html, title = _page(nb, job, finished)
    except Exception as error:
        raise _Failed("making the page", said(type(error).__name__, str(error)), nb) from error
    try:
        with outputs.aside(out) as folder:
            files = {f"{job.name}.ipynb": written(nb), f"{job.name}.html": html.encode()}
            for name, content in files.items():
                (folder / name).write_bytes(content)
            if options.pdf:
                files[f"{job.name}.pdf"] = _printed(folder / f"{job.name}.html", options)
            told = manifest(
                job=job,
                texts=files,
                records=collect_records(nb),
                started=started,
                finished=finished,
                seconds=round(time.perf_counter() - clock, 2),
                versions=versions(),
                depends_on=depends_on,
                title=title,
            )
            text = json.dumps(told, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
            (folder / f"{job.name}.manifest.json").write_bytes(text.encode(errors="replace"))
            placed = {path.suffix: str(path) for path in outputs.place(out, job.name, folder)}
    except OSError as error:
        # The earlier report, if there is one, is whole and stays.
        raise _Failed("writing the report", outputs.explained(error, out)) from error
    except Exception as error:
        problem = str(error) if isinstance(error, CrimeAnalysisError) else repr(error)
        raise _Failed("writing the report", problem, nb) from error
    return {
        "status": "rendered",
        "html": placed[".html"],
        "notebook": placed[".ipynb"],
        "manifest": placed[".json"],
        "pdf": placed.get(".pdf"),
        "records": told["records"],
    }


def _kept(failure: _Failed, job: Job, out: Path) -> dict[str, Any]:
    """Keep the half-done notebook, marked as failed, in place of the older report."""
    nb = marked_failed(failure.nb, job, failure.where, failure.error)
    try:
        return {"notebook": str(outputs.keep_failed(out, job.name, written(nb)))}
    except OSError as error:
        # The failure is what the reader needs first; that it could not be kept comes second.
        return {"error": f"{failure.error}; not kept: {outputs.explained(error, out)}"}


def _page(nb: Any, job: Job, finished: datetime) -> tuple[str, str]:
    """Return the report's page and its title."""
    from .html import Page, to_html

    return to_html(
        nb,
        Page(
            title=job.title,
            label=job.label,
            notebook=job.shown,
            command=job.command,
            sha256=job.sha256,
            finished=finished,
            parameters=[
                {"name": p.name, "text": as_text(job.values[p.name]), "help": p.help}
                for p in job.parameters
            ],
            versions=versions(),
            folder=str(job.source.parent),
            files={
                "the executed notebook": f"{job.name}.ipynb",
                "the manifest": f"{job.name}.manifest.json",
            },
        ),
    )


def _printed(html: Path, options: Options) -> bytes:
    from .pdf import print_pdf

    pdf = html.with_suffix(".pdf")
    print_pdf(html, pdf, options.startup_timeout)
    return pdf.read_bytes()
