"""Many reports at once: planned whole, rendered side by side, summed up on one page."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import ParameterError, RenderError
from .names import as_text
from .progress import Progress
from .summary import FILES, Batch, BatchError, Result, write_summary

if TYPE_CHECKING:
    from .job import Job
    from .rendering import Options

__all__ = ["render", "render_jobs"]


class _Workers(Protocol):
    """What renders: processes on this computer, or a cluster."""

    def at_a_time(self) -> int: ...
    def free(self) -> bool: ...
    def hand_out(self, key: int, task: Mapping[str, Any]) -> None: ...
    def wait(self, timeout: float) -> tuple[int, dict[str, Any]] | None: ...


def render(
    target: str | Path,
    parameters: Mapping[str, object] | None = None,
    out: str | Path = "reports",
    *,
    over: Mapping[str, Any] | None = None,
    jobs: int | None = None,
    scheduler: str | None = None,
    force: bool = False,
    fail_fast: bool = False,
    timeout: float | None = 600,
    memory_gb: float | None = 4,
    warm: bool = True,
    pdf: bool = False,
    title: str | None = None,
    progress: bool | None = None,
    check: bool = True,
) -> Batch:
    """Render a notebook, or a set of them, once for each combination of parameters.

    Everything is checked before the first report starts. Each report is a notebook executed in
    a process of its own and three files in `out` that appear together or not at all: the page,
    the executed notebook and the manifest. One failure does not stop the others: it is kept as
    ``<name>.failed.ipynb``. A report that nothing it depends on would change is left as it is,
    so that an interrupted batch goes on where it stopped when it is asked for again.

    Parameters
    ----------
    target : str or Path
        A notebook with a cell tagged ``parameters``, or a set of notebooks (``.yml``).
    parameters : mapping of str to object, optional
        Values for all reports; the notebook's defaults fill the rest.
    out : str or Path
        The folder to write to; it is made if absent.
    over : mapping of str to "all" or list, optional
        Parameters to vary: one report for each combination. ``"all"`` takes every choice that
        the notebook declares.
    jobs : int, optional
        How many reports to render at a time; otherwise one for each processor.
    scheduler : str, optional
        Address of a Dask scheduler that renders them instead; `out` must lie where all of its
        workers see it. See `crime_analysis.reports.scheduler.Cluster`.
    force : bool
        Render what is up to date, too.
    fail_fast : bool
        After a failure begin no further report. Those being rendered are finished.
    timeout : float or None
        Seconds that any one cell may take.
    memory_gb : float or None
        The memory that a notebook's process may take.
    warm : bool
        Fork kernels from an interpreter that has imported what most notebooks need; otherwise
        start each anew.
    pdf : bool
        Print each page to a PDF, too, where Chromium is installed.
    title : str, optional
        Of the index; otherwise the set's own.
    progress : bool, optional
        Tell standard error how the batch goes; by default if that is a terminal.
    check : bool
        Raise if anything failed.

    Returns
    -------
    Batch
        What became of every report.

    Raises
    ------
    UnknownNameError, ParameterError
        Before anything runs: parameters that do not exist or do not fit, or a folder that
        cannot be written to.
    RenderError
        After all else is done and written, if a report failed; its ``batch`` tells of all.
    """
    from .index import write_index
    from .outputs import explained, ready, sweep
    from .plan import plan
    from .rendering import Options
    from .tiles import checked_settings

    started, clock = datetime.now(UTC), time.perf_counter()
    options = Options(timeout=timeout, memory_gb=memory_gb, warm=warm, pdf=pdf)
    if jobs is not None and (isinstance(jobs, bool) or not isinstance(jobs, int) or jobs < 1):
        raise ParameterError(f"jobs is {jobs!r}; give a whole number of at least 1")
    if jobs is not None and scheduler is not None:
        raise ParameterError("jobs and scheduler are both given; a cluster has its own workers")
    planned = plan(target, parameters, over)
    order = [job.name for job in planned.jobs]
    settings = {"order": order} | checked_settings(planned.settings, Path(target).name)
    folder = ready(out, planned.jobs)
    sweep(folder)
    found = {} if force else _fresh(planned.jobs, folder, pdf)
    tasks = deque(_tasks(planned.jobs, found, folder, options))
    shown = Progress(len(planned.jobs), silent=not _wanted(progress))
    try:
        for result in found.values():
            shown.ended(result)
        if tasks:
            count = min(jobs or _processors(), len(tasks))
            try:
                with _pool(count, scheduler, folder, planned.jobs, warm) as pool:
                    for key, told in _run(pool, tasks, shown, fail_fast):
                        found[key] = _result(planned.jobs[key], told, folder)
                        shown.ended(found[key])
            finally:
                # Of a worker that was killed, or that an interruption gave no time.
                sweep(folder)
    except KeyboardInterrupt:
        done = sum(r.status != "failed" for r in found.values())
        raise KeyboardInterrupt(
            f"{done} of {len(planned.jobs)} reports are done; "
            "run the same command again for the rest"
        ) from None
    finally:
        shown.close()
    results = [
        found.get(key) or Result(job.name, job.label, job.shown, "not run")
        for key, job in enumerate(planned.jobs)
    ]
    told = {
        "title": title or planned.title,
        "command": _command(target, parameters, out, over, options, force, fail_fast),
        "started": started.isoformat(timespec="seconds"),
    }
    try:
        index = write_index(folder, told["title"], settings)
        seconds = round(time.perf_counter() - clock, 2)
        batch = Batch(results, index, folder / "summary.json", seconds)
        write_summary(batch, told)
    except OSError as error:
        raise RenderError(explained(error, folder)) from error
    if batch.failed and check:
        raise BatchError(batch)
    return batch


def _processors() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _wanted(progress: bool | None) -> bool:
    return sys.stderr.isatty() if progress is None else progress


def _fresh(jobs: Sequence[Job], folder: Path, pdf: bool) -> dict[int, Result]:
    """Return the results of the jobs that need not be done."""
    from .freshness import is_fresh

    return {
        key: Result(job.name, job.label, job.shown, "fresh", **_files(folder, job))
        for key, job in enumerate(jobs)
        if is_fresh(job, folder, pdf=pdf)
    }


def _files(folder: Path, job: Job) -> dict[str, Any]:
    paths = {kind: folder / f"{job.name}{ending}" for kind, ending in FILES.items()}
    return {kind: path for kind, path in paths.items() if path.is_file()}


def render_jobs(jobs: Sequence[Job], out: Path, options: Options) -> list[dict[str, Any]]:
    """Render jobs side by side without index or summary, and return their results in order."""
    if not jobs:
        return []
    shown = Progress(len(jobs), silent=not _wanted(None))
    tasks = deque(_tasks(jobs, {}, out, options))
    try:
        with _pool(min(_processors(), len(jobs)), None, out, jobs, options.warm) as pool:
            found = dict(_run(pool, tasks, shown, fail_fast=False))
    finally:
        shown.close()
    return [found[key] for key in range(len(jobs))]


@contextlib.contextmanager
def _pool(
    count: int, scheduler: str | None, folder: Path, jobs: Sequence[Job], warm: bool
) -> Iterator[_Workers]:
    """Yield what renders; it is gone afterwards, however the batch ends."""
    if scheduler is not None:
        from .scheduler import Cluster

        with Cluster(scheduler, folder.absolute(), {job.source for job in jobs}) as cluster:
            yield cluster
        return
    from .keeper import available, start_keeper
    from .worker import Pool

    if not available():
        with Pool(count, {}) as pool:
            yield pool
        return
    keeper = start_keeper(warm=warm)
    # The keeper's folder goes with it: what a killed worker leaves there goes, too.
    environment = {**keeper.environment(), "TMPDIR": os.path.dirname(keeper.address)}
    try:
        with Pool(count, environment, (keeper.lifeline,)) as pool:
            try:
                yield pool
            except BaseException:
                keeper.process.terminate()
                raise
    except BaseException:
        # In the middle of an import it hears nothing; no kernel depends on it then.
        with contextlib.suppress(subprocess.TimeoutExpired):
            keeper.process.wait(0.4)
        keeper.process.kill()
        raise
    finally:
        keeper.close()


def _run(
    workers: _Workers, tasks: deque[tuple[int, dict[str, Any]]], shown: Progress, fail_fast: bool
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Hand out the tasks one at a time, and yield what becomes of each."""
    running = 0
    while tasks or running:
        shown.workers = workers.at_a_time()
        while tasks and workers.free():
            key, task = tasks.popleft()
            shown.began(task["name"], task["label"])
            workers.hand_out(key, task)
            running += 1
        ended = workers.wait(timeout=0.5)
        if ended is None:
            shown.tick()
            continue
        running -= 1
        yield ended
        if fail_fast and ended[1]["status"] == "failed":
            tasks.clear()


def _tasks(
    jobs: Sequence[Job], found: Mapping[int, Result], folder: Path, options: Options
) -> list[tuple[int, dict[str, Any]]]:
    """Return what is to be done, the longest first: begun last, it would be waited for."""
    known = {}
    for key in (missing := [key for key in range(len(jobs)) if key not in found]):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            manifest = json.loads((folder / f"{jobs[key].name}.manifest.json").read_bytes())
            known[key] = float(manifest["seconds"])
    usual = sum(known.values()) / len(known) if known else 0.0
    missing.sort(key=lambda key: -known.get(key, usual))
    same = {"out": str(folder.absolute()), "options": options.as_dict()}
    return [
        (key, {"name": jobs[key].name, "label": jobs[key].label, "job": jobs[key].as_dict()} | same)
        for key in missing
    ]


def _result(job: Job, told: Mapping[str, Any], folder: Path) -> Result:
    outcome = {word: told[word] for word in ("status", "seconds", "error", "where")}
    files: dict[str, Any] = {
        kind: folder / Path(told[kind]).name for kind in FILES if told.get(kind)
    }
    return Result(job.name, job.label, job.shown, **outcome, **files)


def _command(
    target: str | Path, parameters: Mapping[str, object] | None, out: str | Path,
    over: Mapping[str, Any] | None, options: Options, force: bool, fail_fast: bool,
) -> str:  # fmt: skip
    """Return the shell command that asks for the same batch."""
    words = ["crime-analysis", "render", os.fspath(target)]
    for name, value in (parameters or {}).items():
        words += ["-p", name, as_text(value)]
    for name, values in (over or {}).items():
        words += ["--over", f"{name}={as_text(values)}"]
    words += ["--out", os.fspath(out)]
    flags = {"force": force, "fail-fast": fail_fast, "cold": not options.warm, "pdf": options.pdf}
    words += [f"--{name}" for name, given in flags.items() if given]
    return shlex.join(words)
