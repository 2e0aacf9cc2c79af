"""Read printed cells: names and numbers as publishers write them, and sheets of them.

Nothing here knows what any publication means, nor where a sheet came from but its file's name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from crime_analysis.errors import SourceError, UnknownNameError
from crime_analysis.sources.origin import Traced, at

__all__ = ["Sheet", "key_of", "month_number", "plain", "read_number"]

_MISSING = {"", "-", "–", "..", "...", ":", "n/a", "na", "*", "[x]", "[z]", "[u]", "[c]", "x"}
_NOTE = re.compile(r"\s*(?:\[[a-z0-9, ]+\]|\([a-z]\)|[*†‡#]+)\s*$", re.IGNORECASE)
# A comma that does not stand before three digits is not a thousands separator: "12,5" may be
# twelve and a half, and is not read as 125.
_NUMBER = re.compile(
    r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?|[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?[0-9]+)?",
    re.IGNORECASE,
)


def plain(text: object) -> str:
    r"""Collapse white space and fold case, so that printed headings can be compared.

    Examples
    --------
    >>> plain("  Net revenue\n expenditure ")
    'net revenue expenditure'
    """
    return " ".join(str(text).replace("\ufeff", "").replace("\u00a0", " ").split()).casefold()


def key_of(heading: object) -> str:
    """Return a heading without case, spaces and marks: what stays as publishers restyle it.

    Examples
    --------
    >>> key_of("Total (FTE)") == key_of("total_fte")
    True
    """
    return re.sub(r"[\s_./:()-]+", "", plain(heading))


def month_number(month: str) -> int:
    """Return the place in time of a month written ``2018-03``, one more for the next.

    Examples
    --------
    >>> month_number("2019-01") - month_number("2018-12")
    1
    """
    return int(month[:4]) * 12 + int(month[5:7])


def read_number(value: object) -> float:
    """Return a printed number as a float; a printed "no figure" is NaN.

    Understands thousands separators, a pound sign, brackets for negatives and trailing
    footnote marks. Never turns other text into a missing value.

    Raises
    ------
    ValueError
        If the text is neither a number nor a known mark of absence.

    Examples
    --------
    >>> read_number("1,234 [r]"), read_number("(12.5)")
    (1234.0, -12.5)
    >>> read_number("[x]")
    nan
    """
    if value is None:
        return math.nan
    if isinstance(value, bool):
        raise ValueError("a logical value where a number was expected")
    if isinstance(value, (int, float)):
        return float(value)
    text = " ".join(str(value).replace("\u00a0", " ").split())
    if text.casefold() in _MISSING:
        return math.nan
    bare = _NOTE.sub("", text).removeprefix("£").strip()
    if bare.startswith("(") and bare.endswith(")"):
        bare = "-" + bare[1:-1].removeprefix("£").strip()
    number = float(bare.replace(",", "")) if _NUMBER.fullmatch(bare) else math.nan
    if not math.isfinite(number):
        raise ValueError(f"{str(value)!r} is not a number")
    return number


class Sheet:
    """The cells of one sheet, with rows and columns counted from 0 and reported from 1."""

    def __init__(self, file: str, name: str, rows: list[list[Any]]) -> None:
        self.file, self.name, self.rows = file, name, rows

    def error(self, message: str, row: int | None = None, column: int | None = None) -> SourceError:
        """Return (not raise) an error that names this sheet and the given place in it."""
        return SourceError(
            message,
            self.file,
            self.name,
            None if row is None else row + 1,
            None if column is None else column + 1,
        )

    def cell(self, row: int, column: int) -> Any:
        """Return a cell's value, or an empty text beyond the sheet's edge."""
        if row < len(self.rows) and column < len(self.rows[row]):
            return self.rows[row][column]
        return ""

    def text(self, row: int, column: int) -> str:
        """Return a cell's text with white space collapsed."""
        return " ".join(str(self.cell(row, column)).replace("\u00a0", " ").split())

    def number(self, row: int, column: int, *, required: bool = False) -> Traced:
        """Return a cell as a number that knows its place; NaN where no figure is printed.

        Raises
        ------
        SourceError
            If the cell holds other text, or nothing while `required`.
        """
        try:
            value = read_number(self.cell(row, column))
        except ValueError as problem:
            raise self.error(f"expected a number, found {problem}", row, column) from None
        if required and math.isnan(value):
            raise self.error("expected a number, found none", row, column)
        return Traced(value, at(self.name, row, column))

    def named(self, row: int, column: int, known: Callable[[str], str]) -> str:
        """Return a cell's name as `known` (a function of `places`) spells it.

        Raises
        ------
        SourceError
            If `known` does not know the name; it carries the nearest ones.
        """
        try:
            return known(self.text(row, column))
        except UnknownNameError as problem:
            raise self.error(str(problem), row, column) from None

    def require_sum(
        self, parts: Iterable[float], printed: float, tolerance: float, row: int, column: int
    ) -> None:
        """Check that `parts` add up to the total printed at the given place.

        Raises
        ------
        SourceError
            If they miss it by more than `tolerance`, or either is no number.
        """
        total = math.fsum(parts)
        if not abs(total - printed) <= tolerance:
            raise self.error(f"the parts add up to {total:,.2f}, not {printed:,.2f}", row, column)

    def find_row(self, labels: Sequence[str], *, within: int = 40) -> int:
        """Return the first row, among the first `within`, that has a cell for every label.

        Labels are compared without regard to case and white space; a cell matches if it
        begins with the label.

        Raises
        ------
        SourceError
            If no such row is there; it lists what was looked for.
        """
        wanted = [plain(label) for label in labels]
        for number, row in enumerate(self.rows[:within]):
            cells = [plain(cell) for cell in row]
            if all(any(cell.startswith(label) for cell in cells) for label in wanted):
                return number
        raise self.error(f"no heading row with {', '.join(map(repr, labels))}")

    def find_column(self, row: int, *labels: str, after: int = -1) -> int:
        """Return the first column right of `after` whose cell in `row` begins with a label.

        Raises
        ------
        SourceError
            If none does; it lists what was looked for and found.
        """
        wanted = tuple(plain(label) for label in labels)
        for column, cell in enumerate(self.rows[row]):
            if column > after and plain(cell).startswith(wanted):
                return column
        found = [self.text(row, c) for c in range(len(self.rows[row])) if self.text(row, c)]
        raise self.error(f"no column {' or '.join(map(repr, labels))}; found {found[:12]}", row)
