"""What an exercise is: a question whose answer is worked out when it is checked."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from crime_analysis.errors import ParameterError
from crime_analysis.exercises.shipped import Shipped

__all__ = ["CANNOT_TELL", "LEVELS", "Exercise", "Mistake", "close", "words_of", "wrong"]

#: From reading what is printed, over working something out, to weighing what it means.
LEVELS = ("read", "compute", "judge")

#: Choices of an exercise, each with the key words by which it is known.
Choices = Mapping[str, Sequence[str]]
#: What `links.verdict` says of an interval.
CANNOT_TELL: Choices = {
    "association": ("association", "associated"),
    "cannot tell": (
        "cannot tell", "can not tell", "can t tell", "not tell", "no association",
        "not associated", "not an association", "unclear",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Mistake:
    """A common wrong answer: what it gives, and what to say to who gives it.

    Attributes
    ----------
    hint : str
        Says what was done, never what the answer is.
    value : callable
        Works it out, as the answer is worked out.
    verdict : {"close", "wrong"}
        Close if the idea is right and a unit, a year, a price or a series is not.
    """

    hint: str
    value: Callable[[Shipped], float | str]
    verdict: str


def close(hint: str, value: Callable[[Shipped], float | str]) -> Mistake:
    """Return a slip in the unit, the year, the prices or the series."""
    return Mistake(hint, value, "close")


def wrong(hint: str, value: Callable[[Shipped], float | str]) -> Mistake:
    """Return a mistake in the idea."""
    return Mistake(hint, value, "wrong")


@dataclass(frozen=True, kw_only=True)
class Exercise:
    """One exercise of the course.

    Attributes
    ----------
    id : str
        Its notebook and its number there, as ``03-officers/2``.
    title, outcome : str
        What it is called, and what who solved it can do.
    level : str
        One of `LEVELS`.
    minutes : int
        How long a class takes over it.
    answer : callable
        Works the answer out from the shipped tables: a number, or one of the choices.
    start : str
        Where to begin, for who is lost.
    unit : str
        In which the number is asked for.
    tolerance : float
        How far from the answer a number may be, in that unit.
    choices : callable or None
        For an answer in words: what may be answered.
    mistakes : tuple of Mistake
    """

    id: str
    title: str
    outcome: str
    level: str
    minutes: int
    answer: Callable[[Shipped], float | str]
    start: str
    unit: str = ""
    tolerance: float = 0.0
    choices: Callable[[Shipped], Choices] | None = None
    mistakes: tuple[Mistake, ...] = ()

    def __post_init__(self) -> None:
        if not re.fullmatch(r"\d\d-[a-z-]+/\d+", self.id):
            raise ParameterError(f"exercise {self.id!r}: write NOTEBOOK/NUMBER, as 03-officers/2")
        if self.level not in LEVELS:
            raise ParameterError(f"exercise {self.id}: level {self.level!r} is none of {LEVELS}")
        numeric = self.choices is None
        if numeric != bool(self.unit) or (numeric and not 0 < self.tolerance < math.inf):
            raise ParameterError(
                f"exercise {self.id}: give a unit and a tolerance above 0, or choices"
            )

    @property
    def notebook(self) -> str:
        """The notebook it belongs to."""
        return self.id.partition("/")[0]


def words_of(text: str) -> str:
    """Return a text as plain words, so that case and punctuation do not matter.

    Examples
    --------
    >>> words_of("  We can't tell (yet). ")
    'we can t tell yet'
    """
    return " ".join(re.findall(r"[a-z0-9]+", text.casefold()))
