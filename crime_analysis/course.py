"""The course: the notebooks in two editions, a student's and an instructor's.

The notebooks hold the instructor's edition. Cells are tagged ``exercise`` (the task, and what is
given), ``solution``, ``check`` and ``instructor`` (notes).
"""

from __future__ import annotations

import copy
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from crime_analysis import syllabus
from crime_analysis.errors import ParameterError, UnknownNameError
from crime_analysis.exercises import EXERCISES

__all__ = ["EDITIONS", "TAGS", "YOURS", "edition", "notebooks", "write_course"]

EDITIONS = ("student", "instructor")
TAGS = ("exercise", "solution", "check", "instructor")
#: What stands in a student's notebook where the instructor's has a solution.
YOURS = "answer = ...  # your answer"


def edition(notebook: Mapping[str, Any], which: str) -> dict[str, Any]:
    """Return a notebook as one edition of the course has it.

    Parameters
    ----------
    notebook : mapping
        A notebook's JSON.
    which : {"student", "instructor"}
        A student's has `YOURS` in place of every solution, and no instructor's notes. Both show
        the cells that reports leave out.

    Raises
    ------
    UnknownNameError
        If there is no such edition.

    Examples
    --------
    >>> cell = {"cell_type": "code", "source": "answer = 42", "metadata": {"tags": ["solution"]}}
    >>> edition({"cells": [cell], "metadata": {}}, "student")["cells"][0]["source"]
    'answer = ...  # your answer'
    """
    if which not in EDITIONS:
        raise UnknownNameError("edition", which, EDITIONS)
    made = copy.deepcopy(dict(notebook))
    made.get("metadata", {}).get("crime_analysis", {}).pop("hide_tags", None)
    if which == "student":
        made["cells"] = [c for c in made["cells"] if "instructor" not in _tags(c)]
        for cell in made["cells"]:
            if "solution" in _tags(cell):
                cell["source"] = YOURS
    return made


def notebooks(folder: str | Path) -> list[Path]:
    """Return the notebooks of the course that are in a folder, in its order.

    Raises
    ------
    ParameterError
        If there is none.
    """
    names = dict.fromkeys(e.notebook for e in EXERCISES.values())
    found = [path for name in names if (path := Path(folder) / f"{name}.ipynb").is_file()]
    if not found:
        raise ParameterError(f"no notebook of the course is in {str(folder)!r}; it has {[*names]}")
    return found


def write_course(
    out: str | Path, which: str, source: str | Path, *, html: bool = False
) -> list[Path]:
    """Write one edition of the course: its notebooks, ``SYLLABUS.md``, and pages if wanted.

    All of it appears at once or not at all.

    Parameters
    ----------
    out : str or Path
        The folder to make. It may be there if it is empty; what is in a folder may be a
        student's work, and is never written over.
    which : {"student", "instructor"}
        The edition.
    source : str or Path
        The folder of the package's notebooks.
    html : bool
        Also execute every notebook and put its page into ``pages``.

    Returns
    -------
    list of Path
        The notebooks, the syllabus, and the index of the pages.

    Raises
    ------
    UnknownNameError, ParameterError
        If there is no such edition, or the folder is not to be written to.
    RenderError
        If a notebook failed; nothing is kept.
    """
    if which not in EDITIONS:
        raise UnknownNameError("edition", which, EDITIONS)
    out, found = Path(out), notebooks(source)
    with _whole(out) as folder:
        for path in found:
            made = edition(json.loads(path.read_text(encoding="utf-8")), which)
            text = json.dumps(made, indent=1, ensure_ascii=False) + "\n"
            (folder / path.name).write_text(text, encoding="utf-8")
        (folder / "SYLLABUS.md").write_text(syllabus.markdown(), encoding="utf-8")
        if html:
            _render(folder, [path.stem for path in found], which)
    written = [out / path.name for path in found] + [out / "SYLLABUS.md"]
    return [*written, out / "pages" / "index.html"] if html else written


def _tags(cell: Mapping[str, Any]) -> list[str]:
    return list(cell.get("metadata", {}).get("tags", []))


def _render(folder: Path, names: list[str], which: str) -> None:
    """Execute the notebooks of a folder into its pages."""
    from crime_analysis.reports import render

    told = {"title": f"The course, {which}'s edition",
            "reports": [{"notebook": f"{name}.ipynb"} for name in names]}  # fmt: skip
    with _working_in(folder):
        listed = Path("course.yml")
        # JSON is YAML.
        listed.write_text(json.dumps(told), encoding="utf-8")
        render(listed, out="pages")
        # Both name the folder aside, which nobody will find.
        for passing in (listed, Path("pages", "summary.json")):
            passing.unlink(missing_ok=True)


@contextmanager
def _working_in(folder: Path) -> Iterator[None]:
    """Work in a folder: pages name notebooks as they are seen from where they are rendered."""
    chosen = os.environ.get("CRIME_ANALYSIS_DATA")
    before = os.getcwd()
    if chosen:
        os.environ["CRIME_ANALYSIS_DATA"] = os.path.abspath(chosen)
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        if chosen:
            os.environ["CRIME_ANALYSIS_DATA"] = chosen


@contextmanager
def _whole(out: Path) -> Iterator[Path]:
    """Yield a folder aside that becomes `out` if all goes well, and vanishes if not."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ParameterError(f"{str(out)!r} is there and not empty; give a new folder with --out")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    except OSError as error:
        raise ParameterError(
            f"cannot write to {str(out)!r} ({error.strerror}); give another folder with --out"
        ) from None
    try:
        # mkdtemp makes a private folder; a course is to be read by a class.
        aside.chmod(0o777 & ~_umask())
        yield aside
        if out.exists():
            out.rmdir()
        os.replace(aside, out)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
