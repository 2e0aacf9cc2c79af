"""The two syllabuses: a workshop of two hours and a course of six weeks.

Which exercises, in which order, is chosen here; what they are and how long they take comes from
the exercises themselves, and the rest of the time is for talk.
"""

from __future__ import annotations

from dataclasses import dataclass

from crime_analysis.errors import ParameterError
from crime_analysis.exercises import EXERCISES, Exercise

__all__ = ["COURSE", "SESSION_MINUTES", "WORKSHOP", "Session", "markdown"]

SESSION_MINUTES = 120


@dataclass(frozen=True)
class Session:
    """What is done together, and what at home.

    Attributes
    ----------
    title, aim : str
        What it is called, and the question to be answered by its end.
    talk : str
        What to show and discuss.
    together, at_home : tuple of str
        Exercises, by id.
    minutes : int
        Of the session; exercises at home are not in it.
    """

    title: str
    aim: str
    talk: str
    together: tuple[str, ...]
    at_home: tuple[str, ...] = ()
    minutes: int = SESSION_MINUTES

    def __post_init__(self) -> None:
        unknown = [i for i in (*self.together, *self.at_home) if i not in EXERCISES]
        if unknown or self.talk_minutes < 0:
            problem = f"unknown exercises {unknown}" if unknown else "its exercises take longer"
            raise ParameterError(f"session {self.title!r} of {self.minutes} minutes: {problem}")

    @property
    def talk_minutes(self) -> int:
        """What the exercises leave."""
        return self.minutes - _minutes(self.together)

    @property
    def home_minutes(self) -> int:
        """What the exercises at home take."""
        return _minutes(self.at_home)


def _minutes(ids: tuple[str, ...]) -> int:
    return sum(EXERCISES[i].minutes for i in ids)


WORKSHOP = (
    Session(
        "What was claimed", "Which sum, of what, since when, at whose prices?",
        "The article's sentences; the chain from money to officers to violence.",
        ("00-start-here/1", "02-funding/2"), minutes=30,
    ),
    Session(
        "What happened to officers", "How many, of whom, for how many?",
        "Bases that must not be spliced; a line crossed in one series only.",
        ("03-officers/1", "03-officers/3"), minutes=20,
    ),
    Session(
        "What happened to violence", "Which measures can recording not move?",
        "The inspection of 2014, drawn across recorded violence, homicide and hospital admissions.",
        ("01-data/4", "04-violence/4"), minutes=35,
    ),
    Session(
        "Did the one cause the other?", "What may be said, and how surely?",
        "Signs across and within forces; an interval that holds zero; it fell afterwards.",
        ("06-officers-to-violence/3", "08-the-taskforce/2"), minutes=35,
    ),
)  # fmt: skip

COURSE = (
    Session(
        "Figures and their makers", "Who counts what, and what breaks a series?",
        "Provenance, bases, audits of joins, the register of breaks.",
        ("00-start-here/1", "00-start-here/2", "00-start-here/3", "01-data/1", "01-data/4"),
        ("01-data/2", "01-data/3"),
    ),
    Session(
        "The cut", "How much was cut, in what sense?",
        "Cash and real terms, like for like, grant and total; a sentence and its rivals.",
        ("02-funding/1", "02-funding/2", "02-funding/5", "02-funding/6"),
        ("02-funding/3", "02-funding/4"),
    ),
    Session(
        "Officers and violence", "What fell, what rose, by which measure?",
        "Rates, seasons, part-years; measures that recording moves and measures that it does not.",
        ("03-officers/1", "03-officers/3", "03-officers/5", "04-violence/2", "04-violence/4"),
        ("03-officers/2", "03-officers/4", "04-violence/1", "04-violence/3"),
    ),
    Session(
        "From funding to officers", "Does money move officers, and how would one know?",
        "Fixed effects, the share of grant as an instrument, what the instrument also points at.",
        ("05-funding-to-officers/1", "05-funding-to-officers/3", "05-funding-to-officers/5"),
        ("05-funding-to-officers/2", "05-funding-to-officers/4"),
    ),
    Session(
        "From officers to violence", "Does the chain hold?",
        "Signs across and within, weak instruments, few clusters, uncertainty carried through.",
        ("06-officers-to-violence/1", "06-officers-to-violence/2", "06-officers-to-violence/4",
         "07-the-chain/1", "07-the-chain/2"),
        ("06-officers-to-violence/3", "06-officers-to-violence/5", "07-the-chain/3"),
    ),
    Session(
        "The taskforce and the claims", "What could any evaluation see, and which claims hold?",
        "Power before results, exaggeration, regression to the mean; verdicts by rule.",
        ("08-the-taskforce/1", "08-the-taskforce/2", "08-the-taskforce/3", "09-claims/1",
         "09-claims/4"),
        ("08-the-taskforce/4", "08-the-taskforce/5", "09-claims/2", "09-claims/3"),
    ),
)  # fmt: skip


def markdown() -> str:
    """Return both syllabuses and the list of exercises as markdown.

    Examples
    --------
    >>> markdown().splitlines()[0]
    '# Syllabus'
    """
    levels: dict[str, int] = {}
    for exercise in EXERCISES.values():
        levels[exercise.level] = levels.get(exercise.level, 0) + 1
    counted = ", ".join(f"{count} to {level}" for level, count in levels.items())
    lines = [
        "# Syllabus",
        "",
        f"{len(EXERCISES)} exercises: {counted}. Each is in the notebook that its name begins with."
        " Minutes are for a class that has met the tools; talk is what the exercises leave.",
        "",
        f"## A workshop of {sum(s.minutes for s in WORKSHOP)} minutes",
        "",
        *_told(WORKSHOP),
        f"## A course of {len(COURSE)} weeks",
        "",
        *_told(COURSE),
        "## Every exercise",
        "",
        "| exercise | title | who solved it can | level | minutes |",
        "| --- | --- | --- | --- | ---: |",
        *(_row(e) for e in EXERCISES.values()),
        f"| together | | | | {_minutes(tuple(EXERCISES))} |",
        "",
        "## With nbgrader",
        "",
        "Cells carry nbgrader's metadata. Take the student's edition as the source, and set"
        " `ClearSolutions.code_stub` to `answer = ...`. Answers are graded by hand, with the"
        " check's verdict below each; for marks by machine add a locked cell that asserts"
        " `ca.check_answer(ID, answer).right`.",
    ]
    return "\n".join(lines) + "\n"


def _told(sessions: tuple[Session, ...]) -> list[str]:
    lines = []
    for number, session in enumerate(sessions, start=1):
        lines += [
            f"### {number}. {session.title}",
            "",
            f"*{session.aim}* {session.minutes} minutes.",
            "",
            f"- Talk ({session.talk_minutes} minutes): {session.talk}",
            *(_item(i) for i in session.together),
        ]
        if session.at_home:
            lines.append(f"- At home ({session.home_minutes} minutes):")
            lines += [f"    {_item(i)}" for i in session.at_home]
        lines.append("")
    return lines


def _item(exercise: str) -> str:
    asked = EXERCISES[exercise]
    return f"- {asked.id}, {asked.title} ({asked.level}, {asked.minutes} minutes)"


def _row(e: Exercise) -> str:
    return f"| {e.id} | {e.title} | {e.outcome} | {e.level} | {e.minutes} |"
