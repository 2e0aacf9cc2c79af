"""The course's exercises, a module a notebook: what is asked, never what the answer is.

The tasks themselves are cells of the notebooks. An answer is worked out from the shipped tables
when it is checked, and so are the common wrong ones, each with its hint.
"""

from __future__ import annotations

from crime_analysis.exercises import (
    chain,
    claims,
    data,
    first_link,
    money,
    officers,
    second_link,
    start_here,
    taskforce,
    violence,
)  # fmt: skip
from crime_analysis.exercises.exercise import LEVELS, Exercise, Mistake

__all__ = ["EXERCISES", "LEVELS", "Exercise", "Mistake"]

_TOPICS = (
    start_here, data, money, officers, violence, first_link, second_link, chain, taskforce, claims,
)  # fmt: skip

#: Every exercise by its id, in the order of the course.
EXERCISES: dict[str, Exercise] = {e.id: e for topic in _TOPICS for e in topic.EXERCISES}
