"""Open a raw publication, and complain by file, row and column.

Readers build on three small classes: `Publication` (what is cited), `RawFile` (one file, with
its hash) and `sheet.Sheet` (one sheet of it). Nothing here knows what any publication means.
"""

from __future__ import annotations

import csv
import functools
import gzip
import hashlib
import io
import itertools
import math
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crime_analysis.errors import ParameterError, SourceError, UnknownNameError
from crime_analysis.sources.sheet import Sheet, key_of, plain, read_number

__all__ = ["Publication", "RawFile"]

_WORKBOOKS = {".xls", ".xlsx", ".xlsm", ".ods"}


@dataclass(frozen=True)
class Publication:
    """What a reader cites for every figure it gives.

    Attributes
    ----------
    id : str
        Short stable name, used in the ``source`` column of shipped tables.
    publisher, title, edition, licence : str
        As the publisher prints them.
    note : str
        What a user of the figures should know: basis, known faults.
    series : str
        Id without its edition, of a publication whose later editions reprint the earlier: of
        several in a folder only the last is used. Empty where each edition stands for itself.
    """

    id: str
    publisher: str
    title: str
    edition: str
    licence: str = "Open Government Licence v3.0"
    note: str = ""
    series: str = ""

    def later(self, known: str, found: str, *, title: str = "", edition: str = "") -> Publication:
        """Return this publication, or its later edition if a file goes further than `known`.

        A later edition's id says how far it goes, and so does its edition where the file
        prints none of its own.

        Examples
        --------
        >>> rates = Publication("rates-2024", "ONS", "Rates", "2004 to 2024", series="rates")
        >>> rates.later("2024", "2024") is rates
        True
        >>> rates.later("2024", "2025").id, rates.later("2024", "2025").edition
        ('rates-to-2025', 'to 2025; the file prints no edition')
        """
        if found <= known:
            return self
        return replace(
            self,
            id=f"{self.series}-to-{re.sub('[^0-9a-z]+', '-', found.casefold())}",
            title=title or self.title,
            edition=edition or f"to {found}; the file prints no edition",
        )


class RawFile:
    """One downloaded file, opened only as far as it is asked for."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.name = self.path.name
        if not self.path.is_file():
            raise SourceError("the file is not there", self.name)

    def __repr__(self) -> str:
        return f"RawFile({self.name!r})"

    @functools.cached_property
    def sha256(self) -> str:
        """The SHA-256 of the file's bytes."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    @property
    def is_workbook(self) -> bool:
        """Whether the file is a spreadsheet (xls, xlsx, xlsm or ods)."""
        return self.path.suffix.casefold() in _WORKBOOKS

    @property
    def is_text(self) -> bool:
        """Whether the file is comma-separated text, gzipped or not."""
        return self.name.casefold().endswith((".csv", ".csv.gz"))

    @functools.cached_property
    def head(self) -> str:
        """The first 4 KB of a text file; empty for a workbook."""
        if not self.is_text:
            return ""
        opener = gzip.open if self.path.suffix == ".gz" else open
        try:
            with opener(self.path, "rb") as stream:
                return bytes(stream.read(4096)).decode("utf-8-sig", errors="replace")
        except (OSError, EOFError, zlib.error) as problem:
            raise SourceError(f"cannot be read ({problem}); download it again", self.name) from None

    @functools.cached_property
    def _workbook(self) -> Any:
        from python_calamine import CalamineError, CalamineWorkbook

        try:
            return CalamineWorkbook.from_path(self.path)
        except (CalamineError, OSError) as problem:
            raise SourceError(
                f"cannot be opened ({problem}); download it again", self.name
            ) from None

    @functools.cached_property
    def sheet_names(self) -> list[str]:
        """The names of a workbook's sheets, in order; empty for a text file."""
        return list(self._workbook.sheet_names) if self.is_workbook else []

    def sheet(self, name: str) -> Sheet:
        """Return one sheet by name, white space and case aside.

        Raises
        ------
        SourceError
            If the workbook has no such sheet; it lists those it has.
        """
        for candidate in self.sheet_names:
            if plain(candidate) == plain(name):
                rows = self._workbook.get_sheet_by_name(candidate).to_python(skip_empty_area=False)
                return Sheet(self.name, candidate, rows)
        raise SourceError(f"no sheet {name!r}; it has {self.sheet_names}", self.name)

    @functools.cached_property
    def _cells(self) -> dict[str, dict[int, list[Any]]]:
        """The sheets asked for so far, by name and row from 1; a text file under no name."""
        return {}

    def cells(self, sheet: str, row: int, column: str) -> list[Any]:
        """Return the cells of one row that an `Origin` names, as they are printed.

        Parameters
        ----------
        sheet : str
            A sheet's name; empty for a text file.
        row : int
            From 1; for a text file the line that the record ends on.
        column : str
            A heading of the text file's first line, spreadsheet letters, or two of either with
            a colon between: all columns from the one to the other.
        """
        if sheet not in self._cells:
            rows = enumerate(self.sheet(sheet).rows, start=1) if sheet else self.lines()
            self._cells[sheet] = dict(rows)
        held = self._cells[sheet]
        headings = [] if sheet else [key_of(cell) for cell in held[min(held)]]

        def place(name: str) -> int:
            if key_of(name) in headings:
                return headings.index(key_of(name))
            position = 0
            for letter in name:
                position = position * 26 + ord(letter) - 64
            return position - 1

        if key_of(column) in headings or ":" not in column:
            first = last = place(column)
        else:
            first, last = (place(name) for name in column.split(":"))
        found = held.get(row, [])
        return [found[c] if c < len(found) else "" for c in range(first, last + 1)]

    def lines(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows of a text file with the number of the line that each ends on.

        Blank lines are left out.

        Raises
        ------
        SourceError
            If the file cannot be unpacked, is not in UTF-8, or ends within a line, as a
            download does that was cut short.
        """
        opener = gzip.open if self.path.suffix == ".gz" else open
        try:
            with opener(self.path, "rb") as stream:
                content = bytes(stream.read())
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            line = content.count(b"\n", 0, problem.start) + 1
            raise SourceError(
                "not in UTF-8; save it as it was published", self.name, None, line
            ) from None
        except (OSError, EOFError, zlib.error) as problem:
            raise SourceError(f"cannot be read ({problem}); download it again", self.name) from None
        if not text.endswith("\n"):
            raise SourceError(
                "the last line has no end: the download was cut short; get it again",
                self.name,
                None,
                text.count("\n") + 1,
            )
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        try:
            for row in reader:
                if row:
                    yield reader.line_num, row
        except csv.Error as problem:
            raise SourceError(
                f"cannot be read as a table: {problem}", self.name, None, reader.line_num
            ) from None

    def table(self, columns: Sequence[str]) -> pd.DataFrame:
        """Return the named columns of a text file with a heading row, all as text.

        Headings are compared without case, spaces and marks (`key_of`), and given back under
        the names asked for. The frame's index is the line of the file.

        Raises
        ------
        SourceError
            If a column is missing or twice there, or a row has more or fewer cells than the
            heading.
        """
        numbered = self.lines()
        _, heading = next(numbered, (1, []))
        folded = [key_of(cell) for cell in heading]
        positions = []
        for column in columns:
            count = folded.count(key_of(column))
            if count != 1:
                raise SourceError(
                    f"expected one column {column!r}, found {count} among {heading[:20]}",
                    self.name,
                    None,
                    1,
                )
            positions.append(folded.index(key_of(column)))
        index, rows = [], []
        for line, row in numbered:
            if len(row) != len(heading):
                raise SourceError(
                    f"expected {len(heading)} cells as in the heading, found {len(row)}",
                    self.name,
                    None,
                    line,
                )
            index.append(line)
            rows.append(tuple([row[position] for position in positions]))
        return pd.DataFrame(rows, index=index, columns=list(columns), dtype=str)

    def has(self, columns: Iterable[str]) -> bool:
        """Return whether a text file's first line has a heading for every column."""
        heading = next(csv.reader(self.head.splitlines()[:1]), [])
        return {key_of(column) for column in columns} <= {key_of(cell) for cell in heading}

    def said(self, *columns: str) -> list[str]:
        """Return what columns of a text file say together, once each; empty if unreadable.

        For telling editions apart: reading the file says what is wrong with it.
        """
        try:
            rows = self.lines()
            heading = [key_of(cell) for cell in next(rows, (1, []))[1]]
            at = [heading.index(key_of(column)) for column in columns]
            found = {tuple([row[n] for n in at]) for _, row in rows if len(row) > max(at)}
        except (SourceError, ValueError):
            return []
        return sorted(" ".join(cells) for cells in found)

    def error(self, message: str, bad: pd.Series) -> SourceError:
        """Return (not raise) an error at the first true value of a column of `table`."""
        name = None if bad.name is None else str(bad.name)
        return SourceError(message, self.name, None, int(bad.idxmax()), name)

    def numbers(self, column: pd.Series) -> pd.Series:
        """Return a text column of `table` as numbers, naming the first row that is none.

        Raises
        ------
        SourceError
            With the line of the file, if a cell is neither a number nor a mark of absence.
        """
        values = pd.to_numeric(column, errors="coerce").astype(float)
        for line in column.index[~np.isfinite(values)]:
            try:
                values.at[line] = read_number(column.at[line])
            except ValueError as problem:
                raise SourceError(
                    f"expected a number, found {problem}", self.name, None, line, str(column.name)
                ) from None
        return values

    def counts(self, column: pd.Series, *, low: float = 0, high: float = math.inf) -> pd.Series:
        """Return a text column of `table` as whole numbers, each within bounds.

        Raises
        ------
        SourceError
            With the line of the file, if a cell is no whole number from `low` to `high`.
        """
        values = self.numbers(column)
        bad = ~((values % 1 == 0) & (values >= low) & (values <= high))
        if bad.any():
            found = column.at[bad.idxmax()]
            most = "" if high == math.inf else f" to {high:,.0f}"
            least = "" if low == -math.inf else f" from {low:,.0f}{most}"
            raise self.error(f"expected a whole number{least}, found {found!r}", bad)
        return values.astype("int64")

    def names(self, column: pd.Series, known: Callable[[str], str]) -> pd.Series:
        """Return a text column of `table` as `known` spells it (a force, a borough, a year).

        Raises
        ------
        SourceError
            With the line of the file, if `known` refuses a name; it carries its advice.
        """
        spelt = {}
        for name in column.unique():
            try:
                spelt[name] = known(name)
            except (UnknownNameError, ParameterError) as problem:
                raise self.error(str(problem), column == name) from None
        return column.map(spelt)

    def require_unique(self, keys: pd.DataFrame) -> None:
        """Check that no row repeats an earlier row's keys.

        Raises
        ------
        SourceError
            With the line of the first row that does.
        """
        repeated = keys.duplicated()
        if repeated.any():
            raise self.error("repeats an earlier row's keys", repeated)

    def require_edition(
        self,
        publication: Publication,
        last: str,
        found: Iterable[str],
        place: Callable[[str], int] | None = None,
    ) -> None:
        """Check that the file goes as far as the edition of record, and on without a gap.

        Parameters
        ----------
        publication : Publication
            What is cited for it.
        last : str
            The last period of the earliest edition that may be cited.
        found : iterable of str
            The periods that the file holds.
        place : callable, optional
            A period's place in time, one more for the next; without it no later edition is
            known to have been published, and none is taken for one.

        Raises
        ------
        SourceError
            If it ends earlier: it was cut short, or is an edition older than those that
            figures have been made from. If it goes further and a period is missing.
        """
        periods = set(found)
        if place is not None and last in periods:
            ordered = sorted((place(period), period) for period in periods)
            for (before, _), (after, period) in itertools.pairwise(ordered):
                if before >= place(last) and after != before + 1:
                    raise SourceError(f"periods are missing before {period}", self.name)
            return
        newest = max(periods, default="nothing", key=place)
        if newest != last:
            raise SourceError(
                f"ends with {newest}, but the edition cited for it ({publication.edition}) ends"
                f" with {last} and a later one would have that too: get the whole file, or the"
                " last edition",
                self.name,
            )
