"""The series of notebooks as a reader finds it: a map with links, and how to ask for more.

Everything is read from the notebooks themselves: their first headings, their questions, their
parameters. A notebook that is added to the folder is on the map.
"""

from __future__ import annotations

import html
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from crime_analysis.errors import CrimeAnalysisError
from crime_analysis.tables import Table, minus

__all__ = ["Linked", "Map", "Ways", "links", "parameters_table", "series", "series_map", "ways"]

_NUMBERED = re.compile(r"(\d\d)-")


def folder() -> Path:
    """Return the package's folder of notebooks."""
    from crime_analysis.cli import notebooks_folder

    return notebooks_folder()


def series(notebooks: Path | None = None) -> pd.DataFrame:
    """Return the notebooks of a folder, numbered ones first.

    Parameters
    ----------
    notebooks : Path, optional
        The folder; the package's own if not given.

    Returns
    -------
    DataFrame
        By ``notebook``: ``number`` (empty for those beside the series), ``title`` (the first
        heading), ``question`` (what stands in bold, else the first question, else the first
        sentence), ``parameters`` (names, a tuple) and ``page`` (the report with default
        parameters, as a file in the folder of reports). A notebook that cannot be read is left
        out: `crime-analysis render` says what ails it.
    """
    rows = []
    for path in sorted((notebooks or folder()).glob("*.ipynb")):
        found = _read(path)
        if found is not None:
            rows.append(found)
    columns = ["notebook", "number", "title", "question", "parameters", "page"]
    frame = pd.DataFrame(rows, columns=columns)
    beside = frame["number"] == ""
    return frame.assign(beside=beside).sort_values(["beside", "notebook"]).drop(
        columns="beside"
    ).reset_index(drop=True)  # fmt: skip


def _read(path: Path) -> tuple[str, str, str, str, tuple[str, ...], str] | None:
    # Beside the notebook the name of its report is all that is needed: no kernel starts.
    from crime_analysis.reports.job import make_job

    try:
        job = make_job(path)
    except CrimeAnalysisError:
        return None
    texts = [
        "".join(cell["source"]) for cell in job.notebook["cells"] if cell["cell_type"] == "markdown"
    ]
    heading = re.search(r"^# +(.+)$", texts[0] if texts else "", re.MULTILINE)
    numbered = _NUMBERED.match(path.stem)
    return (
        path.stem,
        numbered[1] if numbered else "",
        heading[1].strip() if heading else path.stem,
        _question(texts[0][heading.end() :] if heading else ""),
        tuple(p.name for p in job.parameters),
        f"{job.name}.html",
    )


def _question(text: str) -> str:
    """Return what a notebook asks, from the words under its heading.

    Examples
    --------
    >>> _question("Cuts came. **How large were they?** We look.")
    'How large were they?'
    >>> _question("How large? In what sense? Official figures.")
    'How large? In what sense?'
    """
    plain = " ".join(text.split())
    for bold in re.findall(r"\*\*(.+?)\*\*", plain):
        if bold.endswith("?"):
            return bold
    plain = re.sub(r"[*_`]", "", plain)
    sentences = re.findall(r"[^.?!]+[.?!]+(?= |$)", plain)
    asked = [s.strip() for s in sentences if s.endswith("?")]
    return " ".join(asked) or (sentences[0].strip() if sentences else plain)


@dataclass(frozen=True)
class Linked:
    """Paragraphs, the first of them the answer, and links to the notebooks that show it.

    Attributes
    ----------
    answer : str
        One sentence.
    details : tuple of str
        Paragraphs.
    seen : tuple of (str, str)
        Name and address of each page; an empty address for a notebook that is not there.
    """

    answer: str
    details: tuple[str, ...] = ()
    seen: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        shown = [f"See {', '.join(name for name, _ in self.seen)}."] if self.seen else []
        return "\n\n".join([self.answer, *self.details, *shown])

    def _repr_html_(self) -> str:
        parts = [f"<p><strong>{html.escape(minus(self.answer))}</strong></p>"]
        parts += [f"<p>{html.escape(minus(p))}</p>" for p in self.details]
        if self.seen:
            shown = ", ".join(_anchor(name, address) for name, address in self.seen)
            parts.append(f"<p>Shown in {shown}.</p>")
        return "".join(parts)


def _anchor(name: str, address: str) -> str:
    if not address:
        return html.escape(name)
    return f'<a href="{html.escape(address, quote=True)}">{html.escape(name)}</a>'


def links(
    found: pd.DataFrame, names: Sequence[str], parameters: Mapping[str, object] | None = None
) -> tuple[tuple[str, str], ...]:
    """Return names and pages of some notebooks, for `Linked`.

    Parameters
    ----------
    found : DataFrame
        From `series`.
    names : sequence of str
        Notebooks; those that are not in the folder are named without a link.
    parameters : mapping, optional
        For notebooks that are rendered for many values (the reports of places): those they have.
    """
    pages = found.set_index("notebook")
    told = []
    for name in names:
        if name not in pages.index:
            told.append((name, ""))
            continue
        asked = {k: v for k, v in (parameters or {}).items() if k in pages.at[name, "parameters"]}
        numbered = bool(pages.at[name, "number"])
        told.append((name, str(pages.at[name, "page"]) if numbered else _page(name, asked)))
    return tuple(told)


def _page(name: str, parameters: Mapping[str, object]) -> str:
    from crime_analysis.reports.job import make_job

    return f"{make_job(folder() / f'{name}.ipynb', parameters).name}.html"


@dataclass(frozen=True)
class Map:
    """The series as a table whose titles lead to their pages.

    Attributes
    ----------
    frame : DataFrame
        From `series`.
    here : str
        The notebook that shows it: named, not linked.
    """

    frame: pd.DataFrame
    here: str = ""

    def __str__(self) -> str:
        return self.frame[["notebook", "title", "question"]].to_string(index=False)

    def _repr_html_(self) -> str:
        heads = "".join(
            f'<th scope="col">{head}</th>' for head in ("notebook", "question", "parameters")
        )
        rows = []
        for row in self.frame.itertuples():
            name = _anchor(row.title, "" if row.notebook == self.here else row.page)
            number = f"{row.number} " if row.number else ""
            asks = ", ".join(p.replace("_", " ") for p in row.parameters)
            rows.append(
                f'<tr><th scope="row">{number}{name}</th>'
                f'<td data-label="question">{html.escape(row.question)}</td>'
                f'<td data-label="parameters">{html.escape(asks or "none")}</td></tr>'
            )
        return (
            '<table class="data words"><caption>The notebooks; a title leads to its page in the'
            f" folder of reports</caption><thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}"
            "</tbody></table>"
        )


def series_map(here: str = "", notebooks: Path | None = None) -> Map:
    """Return the map of the series.

    Parameters
    ----------
    here : str
        The notebook that shows it.
    notebooks : Path, optional
        The folder; the package's own if not given.
    """
    return Map(series(notebooks), here)


@dataclass(frozen=True)
class Ways:
    """Commands, each with what it does."""

    commands: tuple[tuple[str, str], ...]

    def __str__(self) -> str:
        return "\n".join(f"{what}:\n    {command}" for what, command in self.commands)

    def _repr_html_(self) -> str:
        return "".join(
            f"<p>{html.escape(what)}:</p><pre><code>{html.escape(command)}</code></pre>"
            for what, command in self.commands
        )


def ways(notebook: str, value: tuple[str, str], notebooks: Path | None = None) -> Ways:
    """Return how to render a notebook for another value of a parameter, as commands.

    Parameters
    ----------
    notebook : str
        Its name.
    value : (str, str)
        A parameter and a value that it takes.
    notebooks : Path, optional
        The folder; the package's own if not given.

    Raises
    ------
    UnknownNameError, ParameterError
        If the notebook has no such parameter, or the parameter does not take the value.
    """
    from crime_analysis.reports.job import make_job

    name, given = value
    where = notebooks or folder()
    file = f"notebooks/{notebook}.ipynb"
    page = make_job(where / f"{notebook}.ipynb", {name: given}).name
    quoted = shlex.quote(given)
    return Ways(
        (
            ("Which parameters it has, and what they take", f"crime-analysis parameters {file}"),
            (
                f"Render it with {name} {given}, to reports/{page}.html",
                f"crime-analysis render {file} -p {name} {quoted} --out reports",
            ),
            (
                f"Render it for every {name}",
                f"crime-analysis render {file} --over {name}=all --out reports",
            ),
            (
                "With papermill alone, to a notebook of your own",
                f"papermill {file} mine.ipynb -p {name} {quoted}",
            ),
            ("Open it, to change the first code cell by hand", f"jupyter lab {file}"),
        )
    )


def parameters_table(notebook: str, notebooks: Path | None = None) -> Table:
    """Return a notebook's parameters: what each is, its default and what it takes."""
    from crime_analysis.reports.parameters import read_parameters

    rows = []
    for p in read_parameters((notebooks or folder()) / f"{notebook}.ipynb"):
        takes = p.type
        if p.choices is not None:
            first, last = p.choices[0], p.choices[-1]
            takes = f"one of {len(p.choices)}, {first} to {last}"
        elif p.minimum is not None or p.maximum is not None:
            takes = f"{p.type}, {p.minimum:g} to {p.maximum:g}"
        default = p.default if isinstance(p.default, str) else json.dumps(p.default)
        rows.append({"parameter": p.name, "default": default, "takes": takes, "meaning": p.help})
    return Table(pd.DataFrame(rows), f"The parameters of {notebook}")
