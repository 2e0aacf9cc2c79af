"""Whether a folder of reports is what was rendered, and would be rendered again.

Hashes find what was altered by accident or by hand. They are no signature: who can write the
folder and knows the method can make a new manifest. A rerun needs no trust in the folder's
numbers, since it makes them again.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CrimeAnalysisError, ParameterError
from .manifest import own_hash, sealed
from .normalise import difference, figures_data, unequal
from .records import collect_records

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Finding", "Verification", "verify"]

_MANIFEST, _FAILED = ".manifest.json", ".failed.ipynb"
_NEEDED = ("name", "title", "label", "notebook", "command", "parameters", "records", "outputs")
_REPORT_KINDS = (".html", ".ipynb", ".json", ".pdf")


@dataclass(frozen=True)
class Finding:
    """One thing that was found out about a report or a file.

    Attributes
    ----------
    report : str
        The report's name, or the file's where it belongs to none.
    state : str
        ``whole``, ``altered``, ``missing``, ``unreadable``, ``extra``, ``failed`` (a notebook
        kept as failed), ``source changed`` or ``source not found``; after a rerun ``same``,
        ``differs`` or ``not rerun``.
    detail : str
        What exactly, and the next step.
    problem : bool
        Whether it keeps the folder from being as it was rendered.
    """

    report: str
    state: str
    detail: str
    problem: bool


@dataclass(frozen=True)
class Verification:
    """What `verify` found; as text, one line a finding that needs attention.

    Attributes
    ----------
    folder : Path
        The folder of reports.
    findings : tuple of Finding
        At least one a report.
    """

    folder: Path
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing was altered, missing or unreadable, and every rerun gave the same."""
        return not any(finding.problem for finding in self.findings)

    def frame(self) -> pd.DataFrame:
        """Return one row a finding: ``report``, ``state``, ``problem``, ``detail``."""
        import pandas as pd

        columns = ["report", "state", "problem", "detail"]
        return pd.DataFrame(
            [[getattr(f, c) for c in columns] for f in self.findings], columns=columns
        )

    def __str__(self) -> str:
        count: dict[str, int] = {}
        for finding in self.findings:
            count[finding.state] = count.get(finding.state, 0) + 1
        lines = [f"{self.folder}: " + ", ".join(f"{n} {state}" for state, n in count.items())]
        for finding in sorted(self.findings, key=lambda f: not f.problem):
            if finding.state not in ("whole", "same"):
                lines.append(f"{finding.state}: {finding.report}: {finding.detail}")
        return "\n".join(lines)


def verify(
    directory: str | Path, rerun: bool = False, *, notebooks: str | Path | None = None
) -> Verification:
    """Check that the reports of a folder are as they were rendered.

    Parameters
    ----------
    directory : str or Path
        A folder that `render` wrote to.
    rerun : bool
        Render every report again, from the same notebook with the same parameters in a
        temporary folder, and compare recorded numbers, the normalised notebook and the data of
        its figures. The folder itself is not touched.
    notebooks : str or Path, optional
        Where to look for the notebooks first; otherwise below the working directory at the path
        that the manifest shows, and beside the folder.

    Returns
    -------
    Verification
        ``ok`` is False if a report is altered, missing in part or unreadable, if there are
        pages or notebooks that no manifest vouches for, or if a rerun was asked for and gave
        something else or could not be made. That a source notebook has changed since is said
        and is no fault of the report.

    Raises
    ------
    ParameterError
        If there is no such folder, or no report in it.
    """
    folder = Path(directory)
    if not folder.is_dir():
        raise ParameterError(f"there is no folder {str(folder)!r}; give one that render wrote to")
    paths = sorted(folder.glob(f"*{_MANIFEST}"))
    failed = sorted(folder.glob(f"*{_FAILED}"))
    if not paths and not failed:
        raise ParameterError(f"there are no reports in {str(folder)!r}; render some first")
    findings: list[Finding] = []
    again: list[tuple[dict[str, Any], Path]] = []
    vouched = {path.name for path in [*paths, *failed]}
    for path in paths:
        told, faults = _read(path)
        if told is None:
            # Said once, of the manifest, and not again of each file beside it.
            name = path.name.removesuffix(_MANIFEST)
            vouched |= {f"{name}{ending}" for ending in _REPORT_KINDS}
        else:
            vouched |= set(told["outputs"])
            faults += _altered(told, path)
            source, said = _source(told, folder, notebooks)
            if source is not None:
                # Whoever renders into the folder of the notebooks has them there, too.
                vouched.add(source.name)
            if source is not None and not faults:
                again.append((told, source))
            if said is not None:
                # A rerun that cannot be made leaves the question open.
                faults.append(replace(said, problem=rerun))
        if not any(f.problem or f.state == "altered" for f in faults):
            name = path.name.removesuffix(_MANIFEST)
            faults.insert(0, Finding(name, "whole", "as it was rendered", False))
        findings += faults
    for path in failed:
        name = path.name.removesuffix(_FAILED)
        findings.append(Finding(name, "failed", "kept as a failure; there is no report", False))
    findings += _strangers(folder, vouched)
    if rerun:
        findings += _rerun(again, folder)
    return Verification(folder, tuple(findings))


def _read(path: Path) -> tuple[dict[str, Any] | None, list[Finding]]:
    """Return a manifest and what is wrong with it as it stands."""
    name = path.name.removesuffix(_MANIFEST)
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        lacking = [key for key in _NEEDED if key not in told]
        if lacking:
            raise ValueError(f"it lacks {', '.join(lacking)}")
        told |= {key: dict(told[key]) for key in ("notebook", "parameters", "records", "outputs")}
        strange = [n for n in told["outputs"] if Path(n).name != n or not n.startswith(name)]
        if told["name"] != name or strange:
            wrong = f"of {told['name']!r}" if told["name"] != name else f"naming {strange[0]!r}"
            raise ValueError(f"it is a manifest {wrong}")
        told["notebook"]["file"], told["notebook"]["sha256"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        said = f"{path.name} cannot be used ({error}); render the report again"
        return None, [Finding(name, "unreadable", said, True)]
    if told.get("sha256") == own_hash(told):
        return told, []
    return told, [Finding(name, "altered", f"{path.name}: not as it was written", True)]


def _altered(told: Mapping[str, Any], path: Path) -> list[Finding]:
    """Return what is wrong with a report's files."""
    name, found = told["name"], []
    mend = f"; to make it again: {told['command']}"
    for file, sha256 in told["outputs"].items():
        output = path.with_name(file)
        try:
            content = output.read_bytes()
        except FileNotFoundError:
            found.append(Finding(name, "missing", file + mend, True))
            continue
        except OSError as error:
            found.append(Finding(name, "unreadable", f"{file}: {error.strerror}", True))
            continue
        if hashlib.sha256(content).hexdigest() != sha256:
            found.append(Finding(name, "altered", f"{file}: not as it was written{mend}", True))
        elif file == f"{name}.ipynb":
            # A manifest whose hashes were made anew still has to agree with the notebook.
            records = collect_records(json.loads(content))
            lines = list(unequal("record", told["records"], records))
            found += [
                Finding(name, "altered", f"manifest against notebook, {x}", True) for x in lines
            ]
    return found


def _source(
    told: Mapping[str, Any], folder: Path, notebooks: str | Path | None
) -> tuple[Path | None, Finding | None]:
    """Return the notebook that a report was made from, or say why it cannot be had."""
    shown = Path(told["notebook"]["file"])
    places = [Path(notebooks) / shown.name] if notebooks is not None else []
    places += [shown, folder.parent / shown, folder.parent / shown.name, folder / shown.name]
    # The executed notebook has the source's name where no parameter is in it; it is no source.
    executed = {(folder / name).resolve() for name in told["outputs"]}
    there = [p for p in places if p.is_file() and p.resolve() not in executed]
    for path in there:
        if hashlib.sha256(path.read_bytes()).hexdigest() == told["notebook"]["sha256"]:
            return path, None
    for path in there:
        if _same_content(path, told):
            return path, None
    if there:
        said = f"{there[0]} is not as it was when this was rendered; to bring it up to date: "
        return None, Finding(told["name"], "source changed", said + told["command"], False)
    said = f"there is no {shown} to be seen from here; say where its folder is, with notebooks"
    return None, Finding(told["name"], "source not found", said, False)


def _same_content(path: Path, told: Mapping[str, Any]) -> bool:
    """Tell whether a notebook that was saved again still says what the report was made from."""
    from .freshness import dependencies
    from .job import make_job

    try:
        found = dependencies(make_job(path, told["parameters"]))["notebook"]
    except CrimeAnalysisError:
        return False
    return bool(found == told.get("depends_on", {}).get("notebook"))


def _strangers(folder: Path, vouched: set[str]) -> Iterator[Finding]:
    """Yield what lies in the folder and belongs to no report."""
    for path in sorted(folder.iterdir()):
        if path.name == "index.html":
            if not sealed(path.read_text(encoding="utf-8", errors="replace")):
                said = "not as it was written; render again, and it is made anew"
                yield Finding(path.name, "altered", said, True)
        elif path.name not in vouched and path.name != "summary.json":
            report = path.is_file() and path.suffix in _REPORT_KINDS
            said = "no manifest vouches for it; remove it" if report else "not part of any report"
            yield Finding(path.name, "extra", said, report)


# --- rerun ------------------------------------------------------------------------------------


def _rerun(again: Iterable[tuple[dict[str, Any], Path]], folder: Path) -> Iterator[Finding]:
    """Render reports anew in a temporary folder and yield how each compares."""
    from .batch import render_jobs
    from .job import make_job
    from .rendering import Options

    jobs, olds = [], []
    for told, source in again:
        try:
            job = make_job(
                source,
                told["parameters"],
                title=told.get("depends_on", {}).get("title") or None,
                group=told.get("group"),
                shown=told["notebook"]["file"],
            )
        except CrimeAnalysisError as error:
            yield Finding(told["name"], "not rerun", str(error), True)
            continue
        jobs.append(job)
        olds.append(told)
    with tempfile.TemporaryDirectory(prefix="verify-") as temporary:
        results = render_jobs(jobs, Path(temporary), Options())
        for told, result in zip(olds, results, strict=True):
            if result["status"] != "rendered":
                said = f"it now fails: {result['where']}: {result['error']}"
                yield Finding(told["name"], "differs", said, True)
                continue
            new = json.loads(Path(result["manifest"]).read_text(encoding="utf-8"))
            yield _compared(told, new, folder / f"{told['name']}.ipynb", Path(result["notebook"]))


def _compared(old: Mapping[str, Any], new: Mapping[str, Any], one: Path, two: Path) -> Finding:
    """Return how a report and its rerun compare, number by number."""
    a, b = (json.loads(path.read_text(encoding="utf-8")) for path in (one, two))
    figures = [figures_data(nb) for nb in (a, b)]
    lines = difference(a, b)
    if not lines:
        count = f"recorded values ({len(old['records'])}) and the data of figures"
        said = f"equal: the notebook, {count} ({len(figures[0])})"
        return Finding(old["name"], "same", said, False)
    if figures[0] != figures[1]:
        pairs = enumerate(zip(*figures, strict=False), start=1)
        unlike = [str(n) for n, (x, y) in pairs if x != y] or ["their number"]
        lines += f"\nthe data of figures differ: {', '.join(unlike)}"
    elif figures[0]:
        lines += "\nthe data of its figures are equal"
    before, after = old.get("depends_on", {}), new.get("depends_on", {})
    since = [key for key in {**before, **after} if before.get(key) != after.get(key)]
    cause = f"changed since: {', '.join(since)}" if since else "nothing that it depends on changed"
    text = "\n  ".join(["then against now:", *lines.splitlines(), cause])
    return Finding(old["name"], "differs", text, True)
