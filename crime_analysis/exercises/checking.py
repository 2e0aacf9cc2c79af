"""Checking what a student answered against an answer that is worked out at that moment."""

from __future__ import annotations

import functools
import html
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crime_analysis import catalog
from crime_analysis.errors import UnknownNameError
from crime_analysis.exercises.exercise import Choices, Exercise, words_of
from crime_analysis.exercises.shipped import Shipped

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CLOSE", "NOT_ANSWERED", "RIGHT", "WRONG", "CheckedAnswer", "check_answer"]

RIGHT, CLOSE, WRONG, NOT_ANSWERED = "right", "close", "wrong", "not answered"
_MARKS = {RIGHT: "✓", CLOSE: "≈", WRONG: "✗", NOT_ANSWERED: "…"}
#: Between units that are mixed up: pounds and millions, proportions and percentages, per head
#: and per 1,000.
_FACTORS = (1e-6, 1e-3, 1e-2, 1e2, 1e3, 1e6)
#: Within so many tolerances of the answer a number is near.
_NEAR = 4


@dataclass(frozen=True)
class CheckedAnswer:
    """What was found of an answer; it does not hold the right one.

    Attributes
    ----------
    exercise : str
        Its id.
    verdict : str
        ``right``, ``close``, ``wrong`` or ``not answered``.
    text : str
        What to say to who answered.
    """

    exercise: str
    verdict: str
    text: str

    @property
    def right(self) -> bool:
        """Whether it is right; an assertion of it is a test that graders can run."""
        return self.verdict == RIGHT

    def __str__(self) -> str:
        return f"{_MARKS[self.verdict]} {self.exercise}: {self.verdict}. {self.text}".rstrip()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        said = f"{_MARKS[self.verdict]} {self.verdict.capitalize()}."
        return (
            '<p style="border: 1px solid; padding: 0.4em 0.8em">'
            f"<strong>{said}</strong> {html.escape(self.text)}</p>"
        )


def check_answer(
    exercise: str, value: Any, *, load: Callable[[str], pd.DataFrame] = catalog.load
) -> CheckedAnswer:
    """Check an answer to an exercise of the course.

    The right answer is worked out from the shipped tables each time, and so are the common
    wrong ones; neither is stored, and neither is printed.

    Parameters
    ----------
    exercise : str
        As ``02-funding/1``; `exercises.EXERCISES` lists them.
    value : number or str
        The answer, in the unit that the exercise asks for, or one of its choices in your own
        words. ``...`` and None stand for no answer yet.
    load : callable
        Gives a shipped table by name.

    Returns
    -------
    CheckedAnswer
        ``right``; ``close``, where the idea is right and a unit, a sign, a year, a price base or
        a series is not; ``wrong``, with a hint; or ``not answered``.

    Raises
    ------
    UnknownNameError
        If there is no such exercise, with the nearest.

    Examples
    --------
    >>> check_answer("03-officers/1", ...)
    … 03-officers/1: not answered. Put your answer in place of the dots.
    >>> check_answer("03-officers/1", 8.9).verdict
    'close'
    """
    from crime_analysis.exercises import EXERCISES

    if exercise not in EXERCISES:
        raise UnknownNameError("exercise", exercise, EXERCISES)
    asked = EXERCISES[exercise]
    if value is None or value is ... or (isinstance(value, str) and not value.strip()):
        text = "Put your answer in place of the dots."
        return CheckedAnswer(exercise, NOT_ANSWERED, text)
    shipped = _shipped(load)
    if asked.choices is not None:
        found = _words(asked, value, asked.choices(shipped), shipped)
    else:
        found = _number(asked, value, shipped)
    return CheckedAnswer(exercise, *found)


@functools.lru_cache(maxsize=1)
def _shipped(load: Callable[[str], pd.DataFrame]) -> Shipped:
    """Return the tables, kept from one check to the next: a notebook has several."""
    return Shipped(load)


def _number(asked: Exercise, value: Any, shipped: Shipped) -> tuple[str, str]:
    number, refusal = _one_number(value, asked.unit)
    if refusal:
        return WRONG, refusal
    answer = float(asked.answer(shipped))
    if abs(number - answer) <= asked.tolerance:
        return RIGHT, ""
    distances = [(abs(number - float(m.value(shipped))), m) for m in asked.mistakes]
    for distance, mistake in sorted(distances, key=lambda pair: pair[0]):
        if distance <= asked.tolerance:
            return mistake.verdict, mistake.hint
    if abs(number + answer) <= asked.tolerance:
        return CLOSE, "The size is right, the sign is not: a fall is negative, a rise positive."
    if answer.is_integer():
        # A count has no unit to mix up, and one too many is not nearly right.
        return WRONG, asked.start
    for factor in _FACTORS:
        # 1e-12: a tolerance scaled down to an integer's unit may vanish in rounding.
        if abs(abs(number) / factor - abs(answer)) <= asked.tolerance + 1e-12:
            return CLOSE, f"The digits are right, the unit is not: the answer is in {asked.unit}."
    if abs(number - answer) <= _NEAR * asked.tolerance:
        return CLOSE, "Near: a rounded figure was carried on, or a neighbouring one taken."
    return WRONG, asked.start


def _one_number(value: Any, unit: str) -> tuple[float, str]:
    """Return a number, or why there is none."""
    if isinstance(value, str):
        value = value.replace(",", "").replace("−", "-").strip()
    elif getattr(value, "size", 1) != 1:
        return math.nan, f"One number is asked for, in {unit}; this holds {value.size}."
    try:
        number = float(value.item() if hasattr(value, "item") else value)
    except (TypeError, ValueError):
        return math.nan, f"A number is asked for, in {unit}."
    if isinstance(value, bool):
        return math.nan, f"A number is asked for, in {unit}."
    if not math.isfinite(number):
        return math.nan, "That is not a number: a figure is missing, or was divided by nought."
    return number, ""


def _words(asked: Exercise, value: Any, choices: Choices, shipped: Shipped) -> tuple[str, str]:
    listed = ", ".join(choices) if len(choices) <= 8 else ""
    choose = f"Answer with one of: {listed}." if listed else asked.start
    named = _named(value, choices) if isinstance(value, str) else set()
    if len(named) != 1:
        return WRONG, f"That names {len(named)} of the choices. {choose}" if named else choose
    (choice,) = named
    if choice == asked.answer(shipped):
        return RIGHT, ""
    for mistake in asked.mistakes:
        if choice == mistake.value(shipped):
            return mistake.verdict, mistake.hint
    return WRONG, asked.start


def _named(value: str, choices: Choices) -> set[str]:
    """Return the choices whose key words a text holds, the longest first.

    Examples
    --------
    >>> _named("No association!", {"yes": ["association"], "no": ["no association"]})
    {'no'}
    """
    text = f" {words_of(value)} "
    keys = [(words_of(key), choice) for choice, own in choices.items() for key in own]
    named = set()
    for key, choice in sorted(keys, key=lambda pair: -len(pair[0])):
        if f" {key} " in text:
            named.add(choice)
            text = text.replace(f" {key} ", " | ")
    return named
