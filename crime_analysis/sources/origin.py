"""Where a figure stands in its publication: every value carries the cells it was made from.

A reader's frame has a column ``origin`` beside its value: a tuple of `Origin`, one for each
sheet, column and factor. The value is

    sum of factor x cell, over all rows of its origins

multiplied by the same sum over those in the role ``times``, and divided by that over those in
the role ``over``, where there are any. So a machine can follow any figure back to its cells
and work it out again; a test does so for hundreds.

Readers of sheets need not keep these books by hand: `Sheet.number` gives `Traced` numbers,
which do their own as they are added, scaled, multiplied and divided.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import pandas as pd

__all__ = [
    "Origin",
    "Traced",
    "at",
    "combine",
    "expand",
    "letters",
    "lines",
    "origin_of",
    "scale",
    "span",
    "total",
    "under",
]


class Origin(NamedTuple):
    """Cells of one column of one sheet, and what each counts for.

    Attributes
    ----------
    sheet : str
        The sheet's name; empty for a text file.
    rows : str
        Rows as a spreadsheet counts them, from 1, as spans: ``12-15;20``. Lines, for a text
        file: its heading is line 1.
    column : str
        Spreadsheet letters, or the heading of a text file's column.
    factor : float
        What each cell is multiplied by: 0.001 turns thousands into millions.
    role : str
        Empty for what is added up; ``times`` for a multiplier, ``over`` for the divisor.
    """

    sheet: str
    rows: str
    column: str
    factor: float = 1.0
    role: str = ""


def letters(column: int) -> str:
    """Return a spreadsheet's name of a column counted from 0.

    Examples
    --------
    >>> letters(0), letters(25), letters(26), letters(701), letters(702)
    ('A', 'Z', 'AA', 'ZZ', 'AAA')
    """
    name, rest = "", column + 1
    while rest:
        rest, digit = divmod(rest - 1, 26)
        name = chr(65 + digit) + name
    return name


def span(rows: Iterable[int]) -> str:
    """Return row numbers as spans, in order and once each.

    Examples
    --------
    >>> span([20, 12, 13, 14, 15])
    '12-15;20'
    """
    parts: list[list[int]] = []
    for row in sorted(set(rows)):
        if parts and row == parts[-1][1] + 1:
            parts[-1][1] = row
        else:
            parts.append([row, row])
    return ";".join(str(a) if a == b else f"{a}-{b}" for a, b in parts)


def expand(rows: str) -> list[int]:
    """Return the row numbers of spans.

    Examples
    --------
    >>> expand("12-15;20")
    [12, 13, 14, 15, 20]
    """
    found: list[int] = []
    for part in rows.split(";"):
        first, _, last = part.partition("-")
        found.extend(range(int(first), int(last or first) + 1))
    return found


def at(sheet: str, row: int, column: int, factor: float = 1.0) -> tuple[Origin, ...]:
    """Return the origin of one cell of a sheet, its row and column counted from 0.

    Examples
    --------
    >>> at("Table P5", 3, 1)
    (Origin(sheet='Table P5', rows='4', column='B', factor=1.0, role=''),)
    """
    return (Origin(sheet, str(row + 1), letters(column), factor),)


def combine(origins: Iterable[Sequence[Origin]]) -> tuple[Origin, ...]:
    """Return the origin of a sum: the cells of all its parts, each column's rows together.

    A cell that several parts count is counted as often: its factor grows.
    """
    counted: dict[tuple[str, str, float, str], dict[int, int]] = {}
    for parts in origins:
        for part in parts:
            rows = counted.setdefault((part.sheet, part.column, part.factor, part.role), {})
            for row in expand(part.rows):
                rows[row] = rows.get(row, 0) + 1
    merged = []
    for (sheet, column, factor, role), rows in counted.items():
        for times in sorted(set(rows.values())):
            same = span(row for row, count in rows.items() if count == times)
            merged.append(Origin(sheet, same, column, factor * times, role))
    return tuple(merged)


def scale(origin: Sequence[Origin], factor: float) -> tuple[Origin, ...]:
    """Return the origin of a value multiplied by a number that is no cell."""
    return tuple(o if o.role else o._replace(factor=o.factor * factor) for o in origin)


def under(value: Sequence[Origin], divisor: Sequence[Origin]) -> tuple[Origin, ...]:
    """Return the origin of a quotient of two sums of cells."""
    return (*value, *(o._replace(role="over") for o in divisor))


class Traced(float):
    """A number that knows its cells, and keeps knowing them through plain arithmetic.

    Sums and differences of such numbers, their products with and quotients by constants, and
    one product or quotient of two sums are followed. What else is done gives an ordinary float,
    which no reader can pass off as traced.

    Examples
    --------
    >>> police, formula = Traced(40.0, at("Funding", 5, 2)), Traced(2.0, at("Funding", 4, 2))
    >>> both = (police + formula) * 1000
    >>> float(both), both.origin
    (42000.0, (Origin(sheet='Funding', rows='5-6', column='C', factor=1000.0, role=''),))
    """

    origin: tuple[Origin, ...]

    def __new__(cls, value: float, origin: Sequence[Origin] = ()) -> Traced:
        """Make a number of a value and its cells."""
        number = super().__new__(cls, value)
        number.origin = tuple(origin)
        return number

    def __reduce__(self) -> tuple[type[Traced], tuple[float, tuple[Origin, ...]]]:
        return Traced, (float(self), self.origin)

    def _roles(self) -> set[str]:
        return {o.role for o in self.origin if o.role}

    def __add__(self, other: float) -> float:
        value = float(self) + float(other)
        if isinstance(other, Traced):
            # Two products add up to one only if their multipliers are the same cells.
            mine = {o for o in self.origin if o.role}
            theirs = {o for o in other.origin if o.role}
            if not self.origin or not other.origin or mine == theirs:
                summed = ([o for o in n.origin if not o.role] for n in (self, other))
                return Traced(value, (*combine(summed), *sorted(mine or theirs)))
            return value
        return Traced(value, self.origin) if other == 0 else value

    __radd__ = __add__

    def __neg__(self) -> float:
        return Traced(-float(self), scale(self.origin, -1.0))

    def __sub__(self, other: float) -> float:
        return self + -other

    def __mul__(self, other: float) -> float:
        value = float(self) * float(other)
        if not isinstance(other, Traced):
            return Traced(value, scale(self.origin, other))
        if self._roles() or other._roles():
            return value
        return Traced(value, (*self.origin, *(o._replace(role="times") for o in other.origin)))

    __rmul__ = __mul__

    def __truediv__(self, other: float) -> float:
        value = float(self) / float(other)
        if not isinstance(other, Traced):
            return Traced(value, scale(self.origin, 1 / other))
        if "over" in self._roles() or other._roles():
            return value
        return Traced(value, under(self.origin, other.origin))

    def __round__(self, digits: int | None = None) -> Any:  # type: ignore[override]
        return Traced(round(float(self), digits or 0), self.origin)


def origin_of(number: float) -> tuple[Origin, ...]:
    """Return the cells of a traced number.

    Raises
    ------
    TypeError
        If the number is not traced: a reader lost its books.
    """
    if isinstance(number, Traced) and number.origin:
        return number.origin
    raise TypeError(f"{number!r} does not know its cells")


def lines(numbers: Iterable[int], column: str, factor: float = 1.0) -> list[tuple[Origin, ...]]:
    """Return the origins of one column's cells in a text file, a line each.

    Examples
    --------
    >>> lines([2, 3], "Date")[1]
    (Origin(sheet='', rows='3', column='Date', factor=1.0, role=''),)
    """
    return [(Origin("", str(number), column, factor),) for number in numbers]


def total(
    frame: pd.DataFrame,
    keys: Sequence[str],
    value: str,
    column: str,
    *,
    factor: float = 1.0,
) -> pd.DataFrame:
    """Return sums of a text file's column by group, each with the lines that it adds up.

    Parameters
    ----------
    frame : DataFrame
        Rows of the file with `keys` and the numbers `value`; its index is the file's lines,
        as `RawFile.table` has it.
    keys : sequence of str
        What to group by.
    value : str
        The numbers to add up.
    column : str
        The heading of their column in the file.
    factor : float
        What each figure was multiplied by already.

    Returns
    -------
    DataFrame
        `keys`, `value` and ``origin``, one row a group, sorted.
    """
    grouped = frame.assign(origin=frame.index).groupby(list(keys), as_index=False)
    sums = grouped.agg(**{value: (value, "sum"), "origin": ("origin", list)})
    sums["origin"] = [(Origin("", span(rows), column, factor),) for rows in sums["origin"]]
    return sums
