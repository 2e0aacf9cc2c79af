"""Whether a report still says what a new run would say: nothing it depends on has changed.

A report depends on its notebook's words and code (not on outputs saved with it), on its
parameters, the shipped tables, this package's source and templates, Python, the packages that
this one needs and what those need, and on what the notebook imports beyond them: a package's
version, or the source of a module of one's own. Files that a parameter names, or the notebook's
metadata under ``reads``, count as well. What a notebook opens in any other way is not seen.

Only the standard library is imported here: to find that there is nothing to do must be quick.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.machinery
import importlib.metadata
import json
import os
import platform
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .job import Job
from .outputs import ENDINGS, digest

__all__ = ["dependencies", "is_fresh", "versions"]

_PACKAGE = Path(__file__).resolve().parents[1]
# What computes and writes a report; what they need in turn counts as well.
_PACKAGES = (
    "crime-analysis",
    "numpy",
    "pandas",
    "scipy",
    "statsmodels",
    "pyfixest",
    "matplotlib",
    "seaborn",
    "linearmodels",
    "papermill",
    "nbclient",
    "nbconvert",
    "ipykernel",
)
# An editor: no report is made by it.
_APART = {"jupyterlab"}
# What an editor or a run leaves in a cell, and no reader of a report sees.
_PASSING = {"ExecuteTime", "collapsed", "execution", "jupyter", "papermill", "scrolled", "trusted"}


def dependencies(job: Job) -> dict[str, str]:
    """Return a hash, or the text itself, of everything that a job's report depends on.

    Two calls give the same if and only if nothing has changed in between; the files of the
    package and its data are read again only if their times or sizes have changed.
    """
    from ..catalog import data_folder

    code = _code(job.notebook)
    own, versions = _imported(tuple(sorted(_imports(code))), os.getcwd())
    found = {
        "notebook": _hash([_content(job.notebook), job.settings]),
        "parameters": _hash(job.values),
        "title": job.title or "",
        "group": job.group or "",
        "data": _hash_of_files(data_folder()),
        "package": _hash_of_files(_PACKAGE, apart=("data", "notebooks")),
        "packages": _hash(_needed() | versions),
        "python": f"{platform.python_implementation()} {platform.python_version()}"
        f" on {platform.system()} {platform.machine()}",
    }
    files = {*own, *_named(job)}
    if files:
        found["files"] = _hash({str(path): _hash_of_file(path) for path in sorted(files)})
    return found


def is_fresh(job: Job, out: str | Path, *, pdf: bool = False) -> bool:
    """Tell whether `out` holds this job's report, whole and up to date.

    Parameters
    ----------
    job : Job
        What would be rendered.
    out : str or Path
        The folder of reports.
    pdf : bool
        Whether a PDF belongs to it.
    """
    out = Path(out)
    try:
        told = json.loads((out / f"{job.name}{ENDINGS[0]}").read_bytes())
        wanted = {f"{job.name}{ending}" for ending in (".html", ".ipynb", *[".pdf"] * pdf)}
        return (
            told["depends_on"] == dependencies(job)
            and wanted <= set(told["outputs"])
            and all(digest(out / Path(n).name) == sha for n, sha in told["outputs"].items())
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


@functools.cache
def versions() -> dict[str, str]:
    """Return the versions of what computes and writes the reports."""
    found = {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }
    needed = _needed()
    return found | {name: needed[name] for name in _PACKAGES if name in needed}


def _content(notebook: Mapping[str, Any]) -> list[Any]:
    """Return what a run takes from a notebook's cells."""
    return [
        [
            cell["cell_type"],
            "".join(cell.get("source", "")),
            {k: v for k, v in cell.get("metadata", {}).items() if k not in _PASSING},
            cell.get("attachments"),
        ]
        for cell in notebook["cells"]
    ]


def _code(notebook: Mapping[str, Any]) -> str:
    """Return a notebook's Python, without the lines that only IPython understands."""
    cells = ["".join(c.get("source", "")) for c in notebook["cells"] if c["cell_type"] == "code"]
    parts = []
    for cell in cells:
        plain = re.sub(r"(?m)^(\s*)[%!?].*$", r"\1pass", cell)
        try:
            ast.parse(plain)
        except SyntaxError:
            continue  # a cell in another language, or one that will fail
        parts.append(plain)
    return "\n".join(parts)


@functools.lru_cache(maxsize=64)
def _imports(code: str) -> set[str]:
    """Return the first parts of the names of all modules that some code imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names - sys.stdlib_module_names - {_PACKAGE.name}


def _imported(names: tuple[str, ...], folder: str) -> tuple[set[Path], dict[str, str]]:
    """Return the files of modules of one's own, and the versions of packages beyond our needs."""
    own: set[Path] = set()
    versions: dict[str, str] = {}
    waiting, seen = list(names), set(names)
    while waiting:
        name = waiting.pop()
        place = _place(name, folder)
        if place is None or {"site-packages", "dist-packages"} & set(place.parts):
            versions |= _version(name)
            continue
        files = set(place.rglob("*.py")) if place.is_dir() else {place}
        for path in files - own:
            further = _imports(_source(path)) - seen
            waiting += further
            seen |= further
        own |= files
    return own, versions


@functools.cache
def _place(name: str, folder: str) -> Path | None:
    """Return a module's file, or its folder, without importing it; a kernel looks here first."""
    spec = importlib.machinery.PathFinder.find_spec(name, [folder, *sys.path])
    if spec is None:
        return None
    if spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    return Path(spec.origin) if spec.origin and spec.has_location else None


def _source(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
        ast.parse(text)
    except (OSError, ValueError, SyntaxError):
        return ""
    return text


@functools.cache
def _version(module: str) -> dict[str, str]:
    """Return the version of what a module was installed with."""
    try:
        return {module: importlib.metadata.version(module)}
    except importlib.metadata.PackageNotFoundError:
        names = importlib.metadata.packages_distributions().get(module, [])
        return {name: importlib.metadata.version(name) for name in names}


@functools.cache
def _needed() -> dict[str, str]:
    """Return the versions of all packages that this one needs, and those need in turn."""
    found: dict[str, str] = {}
    # By name as well, for a checkout that is on the path and not installed.
    waiting, seen = list(_PACKAGES), {*_PACKAGES, *_APART}
    while waiting:
        name = waiting.pop()
        try:
            told = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        found[name] = told.version
        for line in told.requires or []:
            further = re.split(r"[^\w.-]", line, maxsplit=1)[0]
            further = re.sub(r"[-_.]+", "-", further).lower()
            if "extra ==" not in line and further not in seen:
                seen.add(further)
                waiting.append(further)
    return found


def _named(job: Job) -> Iterator[Path]:
    """Yield the files that a job's parameters name, and those that its notebook says it reads."""
    for value in job.values.values():
        for text in value if isinstance(value, list) else [value]:
            # Longer than any path, and the system would complain.
            if isinstance(text, str) and 0 < len(text) < 1024 and "\0" not in text:
                path = Path(text)
                if os.path.isfile(path):
                    yield path
    for pattern in job.settings.get("reads", []):
        yield from (p for p in sorted(job.source.parent.glob(pattern)) if p.is_file())


def _hash_of_files(folder: Path, apart: tuple[str, ...] = ()) -> str:
    """Return a hash of the names and contents of all files below a folder but some."""
    stamps = []
    for where, folders, names in os.walk(folder):
        below = os.path.relpath(where, folder)
        skipped = {"__pycache__", *(apart if below == "." else ())}
        folders[:] = sorted(f for f in folders if f not in skipped and not f.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and not name.endswith(".pyc"):
                stat = os.stat(os.path.join(where, name))
                stamps.append((os.path.join(below, name), stat.st_size, stat.st_mtime_ns))
    return _hash_by_stamps(folder, tuple(stamps))


@functools.lru_cache(maxsize=16)
def _hash_by_stamps(folder: Path, stamps: tuple[tuple[str, int, int], ...]) -> str:
    return _hash([[name, digest(folder / name)] for name, _, _ in stamps])


def _hash_of_file(path: Path) -> str:
    stat = path.stat()
    return _hash_by_stamps(path.parent, ((path.name, stat.st_size, stat.st_mtime_ns),))


def _hash(told: Any) -> str:
    text = json.dumps(told, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
