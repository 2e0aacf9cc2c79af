"""Follow any cell of any shipped table back to the cells of the publication it came from.

Beside the tables, ``data/provenance`` holds for every figure its publication, sheet, rows and
column, and what each cell counts for (see `sources.origin`). `trace` reads that; with the folder
of raw files at hand it also opens them, and works the figure out again.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crime_analysis import catalog, codebook
from crime_analysis.errors import DataError, ParameterError, UnknownNameError
from crime_analysis.sources.origin import Origin, expand
from crime_analysis.sources.sheet import read_number

if TYPE_CHECKING:
    import pandas as pd

    from crime_analysis.sources.rawfile import RawFile

__all__ = ["Cells", "Trace", "pack", "recompute", "trace", "trace_row", "unpack", "verify"]

_COLUMNS = ["row", "field", "source", "sheet", "rows", "column", "factor", "role"]


@dataclass(frozen=True)
class Cells:
    """Cells of one publication that a figure was made from."""

    source: Mapping[str, Any]
    origin: Origin

    def __str__(self) -> str:
        where = f"sheet {self.origin.sheet!r}, " if self.origin.sheet else ""
        many = "rows" if len(expand(self.origin.rows)) > 1 else "row"
        text = f"{where}{many} {self.origin.rows}, column {self.origin.column}"
        if self.origin.factor != 1:
            text += f", each x {self.origin.factor:g}"
        return (
            text
            + {"": "", "times": " (multiplied by this)", "over": " (divided by this)"}[
                self.origin.role
            ]
        )


@dataclass(frozen=True)
class Trace:
    """A figure, where it came from, and what was done to it since.

    Attributes
    ----------
    table, field : str
        Where the figure stands.
    key : dict
        The row's key.
    value : object
        The figure.
    cells : tuple of Cells
        What it was made from; empty for a text that the package itself holds (a register).
    steps : tuple of str
        What was done, in order.
    """

    table: str
    field: str
    key: dict[str, Any]
    value: Any
    cells: tuple[Cells, ...]
    steps: tuple[str, ...]

    def __str__(self) -> str:
        key = ", ".join(f"{name} {value}" for name, value in self.key.items())
        lines = [f"{self.table}.{self.field}, {key}: {self.value}"]
        for cells in self.cells:
            s = cells.source
            lines += [
                f"  {s['publisher']}: {s['title']} ({s['edition']})",
                f"    file {s['file']}, sha256 {s['sha256']}",
                f"    {cells}",
            ]
        lines += [f"  {number}. {step}" for number, step in enumerate(self.steps, start=1)]
        return "\n".join(lines)


def pack(origins: Mapping[str, tuple[list[tuple[Origin, ...]], list[str]]]) -> bytes:
    """Return the origins of a table's figures as bytes, the same for the same origins.

    Parameters
    ----------
    origins : mapping
        By field: for each row of the table, in order, its origins and its publication's id.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for field, (cells, sources) in origins.items():
        for row, (parts, source) in enumerate(zip(cells, sources, strict=True)):
            for o in parts:
                factor = f"{o.factor:.12g}"
                writer.writerow([row, field, source, o.sheet, o.rows, o.column, factor, o.role])
    return text.getvalue().encode()


def unpack(content: bytes) -> list[dict[str, str]]:
    """Return the rows of `pack`."""
    return list(csv.DictReader(io.StringIO(content.decode())))


def _load(table: str) -> dict[tuple[int, str], list[tuple[str, Origin]]]:
    """Return a table's origins by row and field, their bytes checked."""
    told = catalog.describe(table).get("provenance")
    if told is None:
        return {}
    path = catalog.data_folder() / told["path"]
    stamp = path.stat().st_mtime_ns if path.exists() else 0
    return _index(str(path), stamp, told["hash"])


def verify(table: str) -> int:
    """Check the bytes of a table's origins, and return how many lines they hold.

    Raises
    ------
    DataError
        If they are missing or altered.
    """
    told = catalog.describe(table).get("provenance")
    if told is None:
        return 0
    return _content(catalog.data_folder() / told["path"], told["hash"]).count(b"\n") - 1


def _content(path: Path, expected: str) -> bytes:
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as problem:
        raise DataError(f"{path.name} cannot be read ({problem}); {catalog.MEND}") from None
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != expected:
        raise DataError(f"{path.name} was altered; {catalog.MEND}")
    return content


@lru_cache(maxsize=32)
def _index(path: str, stamp: int, expected: str) -> dict[tuple[int, str], list[tuple[str, Origin]]]:
    found: dict[tuple[int, str], list[tuple[str, Origin]]] = {}
    for row in unpack(_content(Path(path), expected)):
        origin = Origin(row["sheet"], row["rows"], row["column"], float(row["factor"]), row["role"])
        found.setdefault((int(row["row"]), row["field"]), []).append((row["source"], origin))
    return found


def trace(table: str, field: str | None = None, **key: Any) -> Trace:
    """Return where one figure of a shipped table came from.

    Parameters
    ----------
    table : str
        A shipped table.
    field : str, optional
        Which of its columns; the first that holds figures if not given.
    **key
        The row's key, e.g. ``force="Kent", date="2018-03-31"``.

    Returns
    -------
    Trace

    Raises
    ------
    UnknownNameError
        For an unknown table, column or key value, with the nearest ones.
    ParameterError
        If the key does not name exactly one row.

    Examples
    --------
    >>> found = trace("officers", force="Metropolitan Police", date="2018-03-31")
    >>> found.value, found.cells[0].source["publisher"]
    (30390.23, 'Home Office')
    """
    spec, frame = codebook.table(table), catalog.load(table)
    field = field or _first_measure(spec)
    if field not in spec.columns:
        raise UnknownNameError("column", field, spec.columns, f"the table {table}")
    row = _row(spec, frame, key)
    record = frame.iloc[row]
    value = record[field]
    value = value.item() if hasattr(value, "item") else value
    return trace_row(spec, row, field, {name: str(record[name]) for name in spec.key}, value)


def trace_row(spec: codebook.Table, row: int, field: str, key: dict[str, Any], value: Any) -> Trace:
    """Return the `Trace` of one cell, given its row's position in the table."""
    origins = _load(spec.name)
    told = next(f for f in spec.fields if f.name == field)
    own = origins.get((row, field))
    parts = own or []
    names = told.type == "string" or field in spec.key
    if own is None and names:
        # A name or a date came from where its row's first figure did.
        parts = next((origins[row, f] for f in spec.columns if (row, f) in origins), [])
    sources = {source["id"]: source for source in catalog.sources_of(spec.name)}
    cells = tuple(Cells(sources[source], origin) for source, origin in parts)
    steps = [f"read by crime_analysis.sources.{s['reader']}" for s in _unique(cells)]
    if spec.made_by:
        steps.append(f"kept in the package's own register ({spec.made_by})")
    elif not cells:
        steps.append("no cell: the publication prints no figure here")
    elif own is None:
        steps.append("a name, spelt as the package spells it")
    elif told.made:
        steps.append(told.made)
    return Trace(spec.name, field, key, value, cells, tuple(steps))


def _unique(cells: tuple[Cells, ...]) -> list[Mapping[str, Any]]:
    return list({c.source["id"]: c.source for c in cells}.values())


def _first_measure(spec: codebook.Table) -> str:
    figures = [f.name for f in spec.fields if f.type != "string" and f.name not in spec.key]
    return figures[0] if figures else spec.columns[0]


def _row(spec: codebook.Table, frame: pd.DataFrame, key: Mapping[str, Any]) -> int:
    """Return the position of the one row that the key names."""
    keep = None
    for name, value in key.items():
        if name not in spec.columns:
            raise UnknownNameError("key", name, spec.key, f"the table {spec.name}")
        text = frame[name].astype(str)
        hit = text == str(value)
        if not hit.any():
            raise UnknownNameError(name, value, text.unique(), f"the table {spec.name}")
        keep = hit if keep is None else keep & hit
    count = len(frame) if keep is None else int(keep.sum())
    if keep is None or count != 1:
        missing = [name for name in spec.key if name not in key]
        raise ParameterError(
            f"{count} rows of {spec.name} fit; say also {', '.join(missing) or 'another key'}"
        )
    return int(keep.to_numpy().argmax())


def recompute(cells: tuple[Cells, ...], files: Mapping[str, RawFile]) -> float:
    """Work a figure out again from the raw files: what its cells hold, by what they count for.

    Parameters
    ----------
    cells : tuple of Cells
        From a `Trace`.
    files : mapping
        Raw files by publication id (`build.recognise`).

    Raises
    ------
    DataError
        If a file is not there, or not the one that the figure was made from.
    """
    sums = {"": 0.0, "times": 0.0, "over": 0.0}
    for part in cells:
        raw = files.get(part.source["id"])
        if raw is None:
            raise DataError(f"no file among those given is {part.source['title']!r}")
        if raw.sha256 != part.source["sha256"]:
            raise DataError(f"{raw.name} is another edition than the figure was made from")
        o = part.origin
        printed = (raw.cells(o.sheet, row, o.column) for row in expand(o.rows))
        # What is printed as no figure counts as nought, as in the sums of the publications.
        figures = (read_number(cell) for row in printed for cell in row)
        sums[o.role] += o.factor * sum(0.0 if isnan(f) else f for f in figures)
    roles = {part.origin.role for part in cells}
    value = sums[""]
    value = value * sums["times"] if "times" in roles else value
    return value / sums["over"] if "over" in roles else value
