"""Every way the package refuses: one root, narrow children.

An error says what was wrong, where, and the exact next step. The command prints it on one
line and exits with the error's ``exit_code``: 2 for bad input, 1 for failed work.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = [
    "CrimeAnalysisError",
    "DataError",
    "MergeError",
    "ModelError",
    "ParameterError",
    "RenderError",
    "SourceError",
    "UnknownNameError",
    "nearest",
]


def nearest(name: str, valid: Iterable[str], count: int = 3) -> list[str]:
    """Return the valid names most like `name`, best first.

    Parameters
    ----------
    name : str
        What the user wrote.
    valid : iterable of str
        What would have been accepted.
    count : int
        How many to return at most.

    Examples
    --------
    >>> nearest("Surey", ["Surrey", "Sussex", "Kent"], count=1)
    ['Surrey']
    """
    by_folded = {v.casefold(): v for v in valid}
    wanted = name.casefold()
    inside = [f for f in by_folded if wanted and (wanted in f or f in wanted)]
    alike = difflib.get_close_matches(wanted, by_folded, n=count, cutoff=0.4)
    return [by_folded[f] for f in dict.fromkeys([*alike, *inside])][:count]


class CrimeAnalysisError(Exception):
    """The root of every error the package raises on purpose."""

    exit_code = 1


class UnknownNameError(CrimeAnalysisError, LookupError):
    """A name (force, borough, table, outcome, parameter ...) that the package does not know."""

    exit_code = 2

    def __init__(self, kind: str, name: object, valid: Iterable[str], where: str = "") -> None:
        self.kind, self.name, self.valid = kind, name, sorted(valid)
        near = nearest(str(name), self.valid)
        if near:
            hint = "nearest: " + ", ".join(near)
        else:
            shown = ", ".join(self.valid[:8])
            hint = f"one of: {shown}" + (", ..." if len(self.valid) > 8 else "")
        place = f" in {where}" if where else ""
        super().__init__(f"unknown {kind} {str(name)!r}{place}; {hint}")


class ParameterError(CrimeAnalysisError, ValueError):
    """A value of the wrong type, out of range, or at odds with another one."""

    exit_code = 2


class DataError(CrimeAnalysisError):
    """A shipped table that is missing, altered or not as its codebook says."""

    exit_code = 2


class SourceError(CrimeAnalysisError):
    """A raw publication that is not as its reader expects.

    Parameters
    ----------
    message : str
        What was looked for and what was found.
    file : str
        The file's name.
    sheet, row, column : optional
        Where in it; rows and columns as a spreadsheet shows them, from 1.
    """

    exit_code = 2

    def __init__(
        self,
        message: str,
        file: str,
        sheet: str | None = None,
        row: int | None = None,
        column: int | str | None = None,
    ) -> None:
        self.file, self.sheet, self.row, self.column = file, sheet, row, column
        where = [file]
        if sheet is not None:
            where.append(f"sheet {sheet!r}")
        if row is not None:
            where.append(f"row {row}")
        if column is not None:
            where.append(f"column {column}")
        super().__init__(f"{', '.join(where)}: {message}")


class MergeError(CrimeAnalysisError):
    """A join that lost or multiplied rows it should have kept as they were."""


class ModelError(CrimeAnalysisError, ValueError):
    """A model that cannot be estimated as asked."""

    exit_code = 2


class RenderError(CrimeAnalysisError):
    """A notebook that failed; what ran is kept, marked as failed, beside the reports."""
