"""What a batch is to render: every job made and checked before the first one starts."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import CrimeAnalysisError, ParameterError, UnknownNameError
from .job import Job, make_job
from .notebook import read_notebook
from .parameters import Parameter, checked, listed, read_parameters
from .sets import Entry, ReportSet, read_set

__all__ = ["ALL", "Plan", "parse_over", "plan"]

ALL = "all"
_MOST = 10_000


@dataclass(frozen=True)
class Plan:
    """The jobs of a batch, in the order asked for, and what their index is told.

    Attributes
    ----------
    jobs : list of Job
        No two of one name.
    title : str
        Of the index: the set's, or the notebook's first heading.
    settings : dict
        What a set says under ``index``.
    """

    jobs: list[Job]
    title: str
    settings: dict[str, Any] = field(default_factory=dict)


def plan(
    target: str | Path,
    parameters: Mapping[str, object] | None = None,
    over: Mapping[str, object] | None = None,
) -> Plan:
    """Make every job of a batch and check it; nothing runs if one of them does not fit.

    Parameters
    ----------
    target : str or Path
        A notebook, or a set of them (``.yml``, ``.yaml``).
    parameters : mapping of str to object, optional
        Values for all reports. In a set they are for every notebook that has the parameter, in
        place of what the set says of it.
    over : mapping of str to object, optional
        Parameters to vary, one report for each combination of their values: ``"all"`` (the
        choices that the notebook declares, in their order), a list, or text as `listed` reads
        it. In a set, too, this takes the place of what the set says.

    Raises
    ------
    UnknownNameError, ParameterError
        A file that cannot be read; a parameter that no notebook has; a value that does not fit
        or is given twice; two reports that would have one name.

    Examples
    --------
    >>> batch = plan("notebooks/force-report.ipynb", over={"force": ["Kent", "Surrey"]})
    >>> [job.name for job in batch.jobs]
    ['force-report--kent', 'force-report--surrey']
    """
    given, vary = dict(parameters or {}), dict(over or {})
    both = [name for name in given if name in vary]
    if both:
        raise ParameterError(f"parameter {both[0]!r} is both given and varied over; do one of them")
    target = Path(target)
    if target.suffix.lower() in (".yml", ".yaml"):
        told = read_set(target)
        jobs = _jobs_of_set(told, given, vary, target.name)
        made = Plan(jobs, told.title or "Reports", dict(told.index))
    else:
        entry = Entry(target, where="", parameters=given, over=vary)
        made = Plan(_jobs(entry), _heading(target) or "Reports")
    _refuse_one_name_twice(made.jobs)
    return made


def parse_over(texts: Iterable[str]) -> dict[str, str]:
    """Return what ``--over name=values`` options say, as `plan` takes it.

    Examples
    --------
    >>> parse_over(["force=all", "start=2009/10,2010/11"])
    {'force': 'all', 'start': '2009/10,2010/11'}
    """
    over: dict[str, str] = {}
    for text in texts:
        name, equals, values = text.partition("=")
        if not equals or not name.strip():
            raise ParameterError(f"--over {text!r}: write NAME=all or NAME=VALUE,VALUE")
        if name.strip() in over:
            raise ParameterError(f"--over {name.strip()} is given twice; give it once")
        over[name.strip()] = values
    return over


def _jobs_of_set(
    told: ReportSet, given: Mapping[str, object], vary: Mapping[str, object], file: str
) -> list[Job]:
    """Return the jobs of all entries, with the user's parameters in place of the set's."""
    jobs: list[Job] = []
    known: set[str] = set()
    for entry in told.entries:
        try:
            names = {p.name for p in read_parameters(entry.notebook)}
            known |= names
            own = {n: v for n, v in entry.parameters.items() if n not in vary}
            own_over = {n: v for n, v in entry.over.items() if n not in given}
            jobs += _jobs(
                Entry(
                    notebook=entry.notebook,
                    where=entry.where,
                    title=entry.title,
                    group=entry.group,
                    parameters=own | {n: v for n, v in given.items() if n in names},
                    over=own_over | {n: v for n, v in vary.items() if n in names},
                )
            )
        except CrimeAnalysisError as error:
            raise ParameterError(f"{entry.where}: {error}") from None
    for name in [*given, *vary]:
        if name not in known:
            raise UnknownNameError("parameter", name, known, f"the notebooks of {file}")
    return jobs


def _jobs(entry: Entry) -> list[Job]:
    """Return one job for each combination of the values that an entry varies over."""
    where = entry.notebook.name
    by_name = {p.name: p for p in read_parameters(entry.notebook)}
    grid: dict[str, list[Any]] = {}
    for name, wanted in entry.over.items():
        if name in entry.parameters:
            raise ParameterError(f"parameter {name!r} is both given and varied over; do one")
        if name not in by_name:
            raise UnknownNameError("parameter", name, by_name, where)
        grid[name] = _values(by_name[name], wanted, where)
    size = math.prod(len(values) for values in grid.values())
    if size > _MOST:
        raise ParameterError(f"{where}: {size:,} reports are asked for; make {_MOST:,} at a time")
    return [
        make_job(
            entry.notebook,
            {**entry.parameters, **dict(zip(grid, values, strict=True))},
            title=entry.title,
            group=entry.group,
        )
        for values in itertools.product(*grid.values())
    ]


def _values(parameter: Parameter, wanted: object, where: str) -> list[Any]:
    """Return the values to vary a parameter over, each checked, none twice."""
    name = parameter.name
    if isinstance(wanted, str) and wanted.strip() == ALL:
        if parameter.choices is None:
            raise ParameterError(
                f"parameter {name!r} of {where} declares no choices, so there is no 'all'; "
                "list the values"
            )
        is_list = parameter.type.startswith("list[")
        wanted = [[choice] if is_list else choice for choice in parameter.choices]
    elif isinstance(wanted, str):
        wanted = listed(wanted)
    elif hasattr(wanted, "tolist"):  # an array, or a table's column
        wanted = wanted.tolist()
    if not isinstance(wanted, list | tuple):
        raise ParameterError(f"over {name!r} of {where} is {wanted!r}; give 'all' or a list")
    if not wanted:
        raise ParameterError(f"over {name!r} of {where} lists no value; give at least one")
    values = [checked(parameter, value, where) for value in wanted]
    seen: set[str] = set()
    for value in values:
        key = json.dumps(value)
        if key in seen:
            raise ParameterError(f"over {name!r} of {where} lists {value!r} twice; give it once")
        seen.add(key)
    return values


def _refuse_one_name_twice(jobs: Iterable[Job]) -> None:
    """Names are lower-case ASCII, so that names differing in case only cannot arise."""
    taken: dict[str, Job] = {}
    for job in jobs:
        other = taken.setdefault(job.name, job)
        if other is job:
            continue
        if (other.source, other.values) == (job.source, job.values):
            raise ParameterError(f"the report {job.name!r} is asked for twice; ask for it once")
        raise ParameterError(
            f"{other.shown} and {job.shown} would both make {job.name!r}; rename one notebook"
        )


def _heading(notebook: Path) -> str | None:
    """Return a notebook's first heading, if it opens with one."""
    for cell in read_notebook(notebook)["cells"]:
        if cell["cell_type"] == "markdown":
            first = "".join(cell.get("source", "")).strip().partition("\n")[0]
            return first.removeprefix("# ").strip() if first.startswith("# ") else None
    return None
