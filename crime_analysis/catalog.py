"""Open a shipped table by name, having checked its bytes and every column first.

``load("officers")`` compares the file's SHA-256 with the one recorded when the table was
built, reads it with the types of its codebook, and validates every column. A missing, altered
or malformed file is refused with the command that mends it.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import io
import json
import math
import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crime_analysis import codebook
from crime_analysis.errors import DataError, nearest
from crime_analysis.swap import standing

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "data_folder",
    "data_home",
    "describe",
    "load",
    "package",
    "parse",
    "reach",
    "sources_of",
    "sources_table",
    "validate",
]

MEND = (
    "restore it with 'git checkout -- data', or rebuild all tables with"
    " 'crime-analysis data build --raw DIR'"
)


def data_folder() -> Path:
    """Return the folder of shipped tables: its home, or where a killed build has left them."""
    return standing(data_home())


def data_home() -> Path:
    """Return the folder where the shipped tables belong.

    The variable ``CRIME_ANALYSIS_DATA`` if set, else ``data`` inside the installed package,
    else ``data`` beside it (a checkout).
    """
    chosen = os.environ.get("CRIME_ANALYSIS_DATA")
    if chosen:
        return Path(chosen)
    here = Path(__file__).resolve().parent
    inside = here / "data"
    return inside if inside.is_dir() else here.parent / "data"


@functools.lru_cache(maxsize=8)
def _package(path: str, stamp: int) -> dict[str, Any]:
    found = json.loads(Path(path).read_text(encoding="utf-8"))
    for resource in found["resources"]:
        for needed in ("name", "path", "hash", "bytes", "sources"):
            resource[needed]
    return found


def package() -> dict[str, Any]:
    """Return the data package descriptor (Frictionless): tables, hashes, fields and sources.

    Raises
    ------
    DataError
        If the descriptor is missing or cannot be read.
    """
    # A copy: what a caller does to it must not reach the next one.
    return copy.deepcopy(_read_package())


def _read_package() -> dict[str, Any]:
    path = data_folder() / "datapackage.json"
    try:
        return _package(str(path), path.stat().st_mtime_ns)
    except FileNotFoundError:
        raise DataError(f"{path} is missing; {MEND}") from None
    except json.JSONDecodeError as problem:
        raise DataError(f"{path} is not valid JSON (line {problem.lineno}); {MEND}") from None
    except (UnicodeDecodeError, KeyError, TypeError) as problem:
        raise DataError(f"{path} is not a data package ({problem!r}); {MEND}") from None


def describe(name: str) -> dict[str, Any]:
    """Return one table's entry in the descriptor: path, hash, fields, key, sources.

    Raises
    ------
    UnknownNameError
        If there is no such table.
    DataError
        If the descriptor does not list it.
    """
    codebook.table(name)
    for resource in _read_package()["resources"]:
        if resource["name"] == name:
            return copy.deepcopy(resource)
    raise DataError(f"datapackage.json does not list {name!r}; {MEND}")


def sources_of(name: str) -> list[dict[str, Any]]:
    """Return the publications that a table was made from, as dictionaries."""
    return list(describe(name)["sources"])


def sources_table(*names: str) -> pd.DataFrame:
    """Return the publications behind some tables, one row each, for printing.

    Returns
    -------
    DataFrame
        ``publisher``, ``title``, ``edition``, ``tables``, ``licence``, ``sha256`` (of the raw
        file, its first twelve digits).
    """
    import pandas as pd

    found: dict[str, dict[str, Any]] = {}
    for name in names:
        for source in sources_of(name):
            row = found.setdefault(source["id"], {**source, "tables": []})
            row["tables"].append(name)
    return pd.DataFrame(
        [
            {
                "title": s["title"],
                "publisher": s["publisher"],
                "edition": s["edition"],
                "tables": ", ".join(s["tables"]),
                "licence": s["licence"],
                "sha256": s["sha256"][:12],
            }
            for s in found.values()
        ]
    )


def reach(**tables: pd.DataFrame) -> str:
    """Say up to when some tables have figures: the date of the data, for the head of a report.

    Parameters
    ----------
    **tables : DataFrame
        Tables with a column ``date``, ``month``, ``financial_year`` or ``year``, under the names
        to print, underscores for spaces.

    Returns
    -------
    str
        The newest period of each, in the order given.

    Raises
    ------
    DataError
        A table that has no such column, or no rows.

    Examples
    --------
    >>> reach(officers=load("officers"), recorded_crime=load("recorded_crime"))
    'officers to 31 March 2022, recorded crime to 2022/23'
    """
    told = []
    for name, table in tables.items():
        column = next((c for c in ("date", "month", "financial_year", "year") if c in table), None)
        if column is None or not len(table):
            raise DataError(f"{name}: no dated rows; give a table with a date, month or year")
        newest = str(table[column].max())
        if column in ("date", "month"):
            day = date.fromisoformat(newest if column == "date" else f"{newest}-01")
            newest = f"{day:%B %Y}" if column == "month" else f"{day.day} {day:%B %Y}"
        told.append(f"{name.replace('_', ' ')} to {newest}")
    return ", ".join(told)


def load(name: str) -> pd.DataFrame:
    """Return a shipped table, verified.

    Parameters
    ----------
    name : str
        One of the tables of `codebook.TABLES`.

    Returns
    -------
    DataFrame
        A new frame with the columns of the codebook, sorted by the table's key.

    Raises
    ------
    UnknownNameError
        If there is no such table.
    DataError
        If the file is missing, its bytes have changed, or a column is not as described; the
        message names the first line or column that differs and how to mend it.

    Examples
    --------
    >>> officers = load("officers")
    >>> met = officers[officers["force"] == "Metropolitan Police"].set_index("date")
    >>> float(met.at["2010-03-31", "officers_fte"])
    33366.55
    """
    resource = describe(name)
    path = data_folder() / resource["path"]
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path.name} is missing from {path.parent}; {MEND}") from None
    altered = hashlib.sha256(content).hexdigest() != resource["hash"].removeprefix("sha256:")
    try:
        frame = validate(name, parse(name, content), path.name)
    except DataError as problem:
        if not altered:
            raise
        raise DataError(f"{path.name} was altered: {problem}") from None
    if altered:
        raise DataError(
            f"{path.name} was altered: its SHA-256 is not the recorded one"
            f" ({len(content)} bytes, {resource['bytes']} recorded); {MEND}"
        )
    return frame


def parse(name: str, content: bytes) -> pd.DataFrame:
    """Return the bytes of a table as a frame with the codebook's types.

    Raises
    ------
    DataError
        If columns are missing, added or in another order, or a cell is not of its type; it
        names the column and line.
    """
    import pandas as pd

    spec = codebook.table(name)
    try:
        text = pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as problem:
        raise DataError(f"{name}.csv cannot be read: {str(problem).strip()}; {MEND}") from None
    if list(text.columns) != spec.columns:
        missing = [c for c in spec.columns if c not in text.columns]
        added = [c for c in text.columns if c not in spec.columns]
        detail = f"missing {missing}, unexpected {added}" if missing or added else "another order"
        raise DataError(f"{name}.csv: columns are not as described ({detail}); {MEND}")
    frame = {}
    for field in spec.fields:
        column = text[field.name]
        if field.type == "string":
            if not field.missing and (column == "").any():
                line = int((column == "").to_numpy().argmax())
                raise DataError(
                    f"{name}.csv, line {line + 2}, column {field.name}: nothing there; {MEND}"
                )
            frame[field.name] = column.mask(column == "") if field.missing else column
            continue
        numbers = pd.to_numeric(column.mask(column == ""), errors="coerce")
        bad = numbers.isna() if not field.missing else numbers.isna() & (column != "")
        bad |= numbers.abs() == math.inf
        if field.type == "integer":
            bad |= numbers.notna() & (numbers % 1 != 0)
        if bad.any():
            line = int(bad.to_numpy().argmax())
            raise DataError(
                f"{name}.csv, line {line + 2}, column {field.name}: {column.iloc[line]!r} is not"
                f" {'a whole number' if field.type == 'integer' else 'a number'}; {MEND}"
            )
        frame[field.name] = numbers.astype("int64" if field.type == "integer" else "float64")
    return pd.DataFrame(frame)


def validate(name: str, frame: pd.DataFrame, file: str | None = None) -> pd.DataFrame:
    """Return `frame` if it is as the codebook describes the table.

    Raises
    ------
    DataError
        Naming the first column and line at fault.
    """
    import pandera.errors as pe

    file = file or f"{name}.csv"
    try:
        return codebook.schema(name).validate(frame, lazy=True)
    except pe.SchemaErrors as problem:
        first = problem.failure_cases.iloc[0]
        count = len(problem.failure_cases)
        if first["check"] == "multiple_fields_uniqueness":
            key = list(codebook.table(name).key)
            line = int(frame.reset_index(drop=True).duplicated(key).idxmax()) + 2
            raise DataError(
                f"{file}, line {line}: repeats the key ({', '.join(key)}) of an earlier line;"
                f" {MEND}"
            ) from None
        index = first["index"]
        at = f", line {int(index) + 2}" if index is not None and index == index else ""
        more = f" (and {count - 1} more)" if count > 1 else ""
        raise DataError(
            f"{file}{at}, column {first['column']}: {_refusal(name, first)}{more}; {MEND}"
        ) from None


def _refusal(name: str, failure: pd.Series) -> str:
    """Return why a value was refused; of a list of allowed values, only the nearest."""
    value = failure["failure_case"]
    found = repr(value) if isinstance(value, str) else str(value)
    field = next((f for f in codebook.table(name).fields if f.name == failure["column"]), None)
    if field is not None and field.allowed is not None and str(failure["check"])[:4] == "isin":
        near = nearest(str(value), field.allowed)
        hint = f"; nearest: {', '.join(near)}" if near else ""
        return f"{found} is not one of the {len(field.allowed)} that are known{hint}"
    return f"{found} fails {failure['check']}"
