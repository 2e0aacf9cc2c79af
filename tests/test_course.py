"""The exercises, their checks, the two editions of the course, and the syllabus."""

import ast
import contextlib
import io
import itertools
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

import crime_analysis as ca
from crime_analysis import catalog, course, syllabus
from crime_analysis.errors import ParameterError, RenderError, UnknownNameError
from crime_analysis.exercises import EXERCISES, LEVELS, Exercise
from crime_analysis.exercises.claims import _SCALE
from crime_analysis.exercises.shipped import Shipped
from crime_analysis.findings import claims
from crime_analysis.reports.html import Page, to_html

SOURCE = Path(__file__).parents[1] / "notebooks"
MINUTES = {5: "five", 10: "ten", 15: "fifteen", 20: "twenty"}
WRITTEN = [path for path in course.notebooks(SOURCE) if "ex-" in path.read_text("utf-8")]


@pytest.fixture(scope="module")
def shipped():
    return Shipped()


def cells_of(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def source(cell):
    return "".join(cell["source"])


def tags(cell):
    return cell["metadata"].get("tags", [])


def exercise_of(cell):
    """Return the id of the exercise that a cell belongs to, by the cell's own."""
    found = re.fullmatch(r"ex-(.+)-(\d+)-(task|given|solution|check|notes)", cell["id"])
    return f"{found[1]}/{found[2]}" if found else None


def teaching(kind):
    return [
        pytest.param(exercise_of(cell), cell, id=exercise_of(cell))
        for path in WRITTEN
        for cell in cells_of(path)
        if cell["id"].startswith("ex-") and cell["id"].endswith(f"-{kind}")
    ]


def mistakes():
    return [
        pytest.param(e, mistake, id=f"{e.id}-{number}")
        for e in EXERCISES.values()
        for number, mistake in enumerate(e.mistakes)
    ]


# --- The answers.

# Worked out by hand from publications, or read in them: where, is said beside each.
KNOWN = {
    "00-start-here/1": "general grant",  # Mayor of London, 9 January 2018
    "00-start-here/2": 30390.23,  # Home Office open data, 31 March 2018
    "01-data/1": "2014/15",  # 128,556 to 161,058, Home Office
    "02-funding/1": 718,  # HMIC 2010: 2,202.6 in cash; HMIC 2017: 1,791.9
    "02-funding/2": 29,  # 718 of 2,510
    "02-funding/3": 79.1,  # HMIC 2010: London's share of 2009/10
    "03-officers/1": 100 * (30390.23 / 33366.55 - 1),  # Home Office open data
    "03-officers/3": "2018-03",  # MOPAC: 29,924
    "08-the-taskforce/5": 100 * 212 / 1400,  # the article's counts
}


@pytest.mark.parametrize(("exercise", "answer"), KNOWN.items())
def test_figures_of_record_are_right_answers(exercise, answer):
    assert ca.check_answer(exercise, answer).right or (
        abs(EXERCISES[exercise].answer(Shipped()) - answer) < 0.5
    )


@pytest.mark.parametrize(("exercise", "cell"), teaching("solution"))
def test_every_solution_works_alone_and_is_right(exercise, cell):
    given = [c for path in WRITTEN for c in cells_of(path) if exercise_of(c) == exercise]
    scope = {"ca": ca}
    with contextlib.redirect_stdout(io.StringIO()):
        for other in given:
            if other["id"].endswith("-given"):
                exec(source(other), scope)
        exec(source(cell), scope)
    assert ca.check_answer(exercise, scope["answer"]).right


@pytest.mark.parametrize(("exercise", "mistake"), mistakes())
def test_common_wrong_answers_are_met_with_their_hint_and_not_the_answer(
    exercise, mistake, shipped
):
    value, answer = mistake.value(shipped), exercise.answer(shipped)
    if value == answer:
        # Of a choice between two the other way round is there for other figures than these.
        assert exercise.choices is not None
        return
    found = ca.check_answer(exercise.id, value)
    assert (found.verdict, found.text) == (mistake.verdict, mistake.hint)
    for shown in (str(found), repr(found), found._repr_html_(), repr(vars(found))):
        assert not tells(shown.replace(exercise.id, ""), answer)


def tells(text, answer):
    """Whether a text holds a number within a hundredth of the answer, or the answer's words."""
    if isinstance(answer, str):
        return answer in text and answer not in ("association", "cannot tell")
    text = re.sub(r"(19|20)\d\d(/\d\d)?", "", text)  # years are names
    numbers = [float(n.replace(",", "")) for n in re.findall(r"-?\d[\d,]*(?:\.\d+)?", text)]
    return any(abs(n - answer) <= abs(answer) / 100 for n in numbers)


def test_every_exercise_has_a_common_wrong_answer(shipped):
    for exercise in EXERCISES.values():
        answer = exercise.answer(shipped)
        assert any(mistake.value(shipped) != answer for mistake in exercise.mistakes), exercise.id


@pytest.mark.parametrize("exercise", [e for e in EXERCISES.values() if e.choices is None])
def test_a_nonsense_number_is_wrong_and_learns_where_to_begin(exercise, shipped):
    answer = float(exercise.answer(shipped))
    found = ca.check_answer(exercise.id, 7.77 * answer + 55 * exercise.tolerance)
    assert (found.verdict, found.text) == ("wrong", exercise.start)
    assert not tells(exercise.start, answer)


@pytest.mark.parametrize("nothing", [..., None, "", "  "])
def test_dots_and_none_are_not_answered(nothing):
    assert {ca.check_answer(e, nothing).verdict for e in EXERCISES} == {"not answered"}


# --- What may be handed in.


@pytest.mark.parametrize(
    ("value", "verdict", "said"),
    [
        (718, "right", ""),
        (np.float64(717.9), "right", ""),
        (pd.Series([717.9]), "right", ""),
        ("717.9", "right", ""),
        (-718, "close", "sign"),
        (718e6, "close", "unit"),
        (0.718, "close", "unit"),
        (722, "close", "rounded"),
        (900, "wrong", "grant_cut"),
        (True, "wrong", "A number is asked for"),
        ("a lot", "wrong", "A number is asked for"),
        ([718], "wrong", "A number is asked for"),
        (np.array([1.0, 718.0]), "wrong", "holds 2"),
        (float("nan"), "wrong", "not a number"),
        (np.inf, "wrong", "not a number"),
        (pd.NA, "wrong", "A number is asked for"),
        (pd.DataFrame(), "wrong", "holds 0"),
    ],
)
def test_numbers_come_in_many_shapes(value, verdict, said):
    found = ca.check_answer("02-funding/1", value)
    assert found.verdict == verdict
    assert said in found.text


@pytest.mark.parametrize(
    ("exercise", "value", "verdict"),
    [
        ("06-officers-to-violence/3", "We can't tell.", "right"),
        ("06-officers-to-violence/3", "CANNOT TELL", "right"),
        ("06-officers-to-violence/3", "not an association", "right"),
        ("06-officers-to-violence/3", "an association", "wrong"),
        ("06-officers-to-violence/3", "association or cannot tell", "wrong"),
        ("06-officers-to-violence/3", "perhaps", "wrong"),
        ("06-officers-to-violence/3", 0.1, "wrong"),
        ("06-officers-to-violence/4", "not weak", "wrong"),
        ("03-officers/3", "in March 2018", "right"),
        ("02-funding/5", "northumbria", "right"),
        ("09-claims/1", "Misleading without context", "right"),
        ("09-claims/1", "Holds under one definition only", "wrong"),
        ("09-claims/1", "holds", "wrong"),
    ],
)
def test_words_may_be_ones_own(exercise, value, verdict):
    assert ca.check_answer(exercise, value).verdict == verdict


def test_a_count_that_is_one_off_is_not_nearly_right():
    assert ca.check_answer("03-officers/5", 41).verdict == "wrong"
    assert ca.check_answer("03-officers/5", 42).right


def test_an_unknown_exercise_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="03-officers/1"):
        ca.check_answer("3-officers/1", 1)


def test_a_check_is_shown_in_words_and_not_by_colour():
    shown = ca.check_answer("02-funding/1", 410.6)._repr_html_()
    assert "≈ Close." in shown
    assert "color" not in shown


# --- Answers come from the figures.


def test_other_figures_give_other_answers():
    def fewer(name):
        table = catalog.load(name)
        if name == "officers":
            met = (table["force"] == "Metropolitan Police") & (table["date"] == "2018-03-31")
            table.loc[met, "officers_fte"] = 20_000.0
        return table

    assert ca.check_answer("00-start-here/2", 20_000, load=fewer).right
    assert ca.check_answer("03-officers/1", 100 * (20_000 / 33366.55 - 1), load=fewer).right
    assert ca.check_answer("00-start-here/2", 30390.23, load=fewer).verdict == "wrong"


def test_shuffled_losses_turn_a_verdict():
    """Each force given another's change: what it lost says nothing of its share."""
    rng = np.random.default_rng(5)

    def shuffled(name):
        table = catalog.load(name)
        if name == "funding":
            rows = table[table["series"] == "hmic_estimates"]
            total = rows[rows["component"] == "grants_and_council_tax"]
            wide = total.pivot(index="force", columns="financial_year", values="value_gbp_m")
            change = (wide["2017/18"] / wide["2009/10"]).to_numpy()
            factor = pd.Series(rng.permutation(change) / change, wide.index)
            late = (table["series"] == "hmic_estimates") & (table["financial_year"] == "2017/18")
            table.loc[late, "value_gbp_m"] *= table.loc[late, "force"].map(factor)
        return table

    assert ca.check_answer("02-funding/6", "cannot tell", load=shuffled).right


# --- The register.


def test_there_are_exercises_of_every_level_for_every_notebook():
    assert len(EXERCISES) >= 25
    notebooks = {e.notebook for e in EXERCISES.values()}
    assert [name[:2] for name in sorted(notebooks)] == [f"{n:02}" for n in range(10)]
    assert {e.level for e in EXERCISES.values()} == set(LEVELS)
    for name in notebooks:
        numbers = [int(i.partition("/")[2]) for i in EXERCISES if i.startswith(f"{name}/")]
        assert numbers == list(range(1, len(numbers) + 1))


def test_verdicts_to_choose_from_are_the_scale_of_the_claims():
    assert tuple(_SCALE) == claims.SCALE


@pytest.mark.parametrize(
    "change",
    [
        {"id": "officers"},
        {"level": "hard"},
        {"unit": ""},
        {"tolerance": 0.0},
        {"choices": lambda f: {}},
    ],
)
def test_an_exercise_that_cannot_be_checked_is_refused(change):
    told = {
        "id": "03-officers/1", "title": "", "outcome": "", "level": "read", "minutes": 5,
        "answer": lambda f: 1.0, "start": "", "unit": "officers", "tolerance": 1.0,
    }  # fmt: skip
    Exercise(**told)
    with pytest.raises(ParameterError):
        Exercise(**(told | change))


# --- The cells.


@pytest.mark.parametrize("path", WRITTEN, ids=lambda p: p.name)
def test_each_exercise_has_its_cells_in_order_at_the_end_of_its_notebook(path):
    cells = cells_of(path)
    first = next(i for i, cell in enumerate(cells) if cell["id"].startswith("ex-"))
    assert all(cell["id"].startswith("ex-") for cell in cells[first:])
    own = [i for i, e in EXERCISES.items() if e.notebook == path.stem]
    found = [exercise_of(c) for c in cells if c["id"].endswith("-check")]
    assert found == own
    for exercise in own:
        kinds = [tags(c) for c in cells if exercise_of(c) == exercise]
        assert [k for i, (k,) in enumerate(kinds) if k != "exercise" or i == 0] == [*course.TAGS]


@pytest.mark.parametrize(("exercise", "cell"), teaching("task"))
def test_a_task_names_its_title_level_and_minutes(exercise, cell):
    asked = EXERCISES[exercise]
    heading, told = source(cell).splitlines()[:3:2]
    assert heading.endswith(f": {asked.title}")
    assert told == f"*{asked.level.capitalize()}, {MINUTES[asked.minutes]} minutes.*"


@pytest.mark.parametrize(("exercise", "cell"), teaching("check"))
def test_a_check_checks_its_own_exercise(exercise, cell):
    assert source(cell) == f'ca.check_answer("{exercise}", answer)'


@pytest.mark.parametrize(("exercise", "cell"), teaching("solution"))
def test_a_solution_ends_in_an_answer(exercise, cell):
    assigned = [
        target.id
        for node in ast.walk(ast.parse(source(cell)))
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    assert assigned.count("answer") == 1


@pytest.mark.parametrize("path", WRITTEN, ids=lambda p: p.name)
def test_graders_find_their_marks(path):
    """nbgrader: ids that are unique, answers unlocked and graded by hand, the rest locked."""
    told = [(c, c["metadata"]["nbgrader"]) for c in cells_of(path) if "nbgrader" in c["metadata"]]
    assert told
    ids = [marks["grade_id"] for _, marks in told]
    assert len(ids) == len(set(ids))
    for cell, marks in told:
        answer = "solution" in tags(cell)
        assert (marks["solution"], marks["grade"], marks["locked"]) == (answer, answer, not answer)
        assert ("points" in marks) == answer


# --- Reports leave them out.


def page_of(notebook):
    whole = {"nbformat": 4, "nbformat_minor": 5, **notebook}
    nb = nbformat.reads(json.dumps(whole), as_version=4)
    told = Page(
        title="T", label="", notebook="n.ipynb", command="c", sha256="0",
        finished=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip
    return to_html(nb, told)[0]


@pytest.mark.parametrize("path", WRITTEN, ids=lambda p: p.name)
def test_an_ordinary_report_does_not_show_the_exercises_and_the_course_does(path):
    notebook = json.loads(path.read_text(encoding="utf-8"))
    plain = page_of(notebook)
    assert "Exercise" not in plain
    assert "check_answer" not in plain
    student = page_of(course.edition(notebook, "student"))
    assert ">Exercises<" in student
    assert "For the instructor" not in student
    instructor = page_of(course.edition(notebook, "instructor"))
    assert "For the instructor" in instructor
    assert len(plain) < len(student) < len(instructor)


def test_tags_hide_nothing_unless_the_notebook_says_so():
    cell = {
        "cell_type": "markdown",
        "id": "a",
        "metadata": {"tags": ["exercise"]},
        "source": "Seen",
    }
    assert "Seen" in page_of({"cells": [cell], "metadata": {}})
    hidden = {"cells": [cell], "metadata": {"crime_analysis": {"hide_tags": ["exercise"]}}}
    assert "Seen" not in page_of(hidden)


# --- Editions.


def test_a_students_edition_holds_neither_solutions_nor_notes():
    notebook = json.loads(WRITTEN[0].read_text(encoding="utf-8"))
    before = json.dumps(notebook)
    made = course.edition(notebook, "student")
    solutions = [source(c) for c in made["cells"] if "solution" in tags(c)]
    assert solutions
    assert set(solutions) == {course.YOURS}
    assert not any("instructor" in tags(c) for c in made["cells"])
    assert json.dumps(notebook) == before
    kept = course.edition(notebook, "instructor")
    assert kept["cells"] == notebook["cells"]
    assert "hide_tags" not in kept["metadata"]["crime_analysis"]


def test_a_course_is_written_whole_and_never_over_anothers_work(tmp_path):
    out = tmp_path / "course"
    out.mkdir()
    written = course.write_course(out, "student", SOURCE)
    assert {p.name for p in out.iterdir()} == {p.name for p in written}
    assert (out / "SYLLABUS.md").read_text(encoding="utf-8") == syllabus.markdown()
    (out / WRITTEN[0].name).write_text("mine", encoding="utf-8")
    with pytest.raises(ParameterError, match="not empty"):
        course.write_course(out, "student", SOURCE)
    assert (out / WRITTEN[0].name).read_text(encoding="utf-8") == "mine"
    assert [p.name for p in tmp_path.iterdir()] == ["course"]


def test_a_course_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def broken():
        raise RuntimeError

    monkeypatch.setattr(syllabus, "markdown", broken)
    with pytest.raises(RuntimeError):
        course.write_course(tmp_path / "course", "student", SOURCE)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(ParameterError, match="cannot write"):
        course.write_course(tmp_path / "course", "student", SOURCE)


def test_an_unknown_edition_or_an_empty_source_is_refused(tmp_path):
    with pytest.raises(UnknownNameError, match="student"):
        course.write_course(tmp_path / "c", "students", SOURCE)
    with pytest.raises(ParameterError, match="no notebook of the course"):
        course.write_course(tmp_path / "c", "student", tmp_path)


def test_a_students_notebook_runs_whole_and_every_check_says_not_answered(tmp_path):
    """With plain papermill; nothing is answered, and nothing fails."""
    path = next(p for p in WRITTEN if p.name == "04-violence.ipynb")
    made = course.edition(json.loads(path.read_text(encoding="utf-8")), "student")
    asked, done = tmp_path / "asked.ipynb", tmp_path / "done.ipynb"
    asked.write_text(json.dumps(made), encoding="utf-8")
    program = (
        "import papermill, sys\n"
        "papermill.execute_notebook(*sys.argv[1:], kernel_name='python3', progress_bar=False)"
    )
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, str(asked), str(done)],
        check=True, capture_output=True,
    )  # fmt: skip
    checks = [cell for cell in cells_of(done) if "check" in tags(cell)]
    assert len(checks) == sum(e.notebook == "04-violence" for e in EXERCISES.values())
    for cell in checks:
        assert "not answered" in "".join(cell["outputs"][0]["data"]["text/plain"])


def tiny(folder, code):
    """A folder with one notebook of the course, of three cells."""
    parameters = nbformat.v4.new_code_cell(
        "year = 2018  # a year", metadata={"tags": ["parameters"]}
    )
    task = nbformat.v4.new_markdown_cell("## Exercises", metadata={"tags": ["exercise"]})
    notebook = nbformat.v4.new_notebook(cells=[parameters, task, nbformat.v4.new_code_cell(code)])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}
    folder.mkdir()
    nbformat.write(notebook, folder / "09-claims.ipynb")
    return folder


def test_a_course_has_pages_if_asked_and_none_of_it_if_a_notebook_fails(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # where the folder aside could be named as a path from here
    written = course.write_course(tmp_path / "c", "student", tiny(tmp_path / "s", "1"), html=True)
    assert all(path.is_file() for path in written)
    pages = list((tmp_path / "c" / "pages").iterdir())
    assert any("Exercises" in p.read_text("utf-8") for p in pages if p.suffix == ".html")
    assert not any(".c-" in p.read_text("utf-8") for p in pages)  # the folder aside
    (page,) = (p for p in pages if p.suffix == ".html" and p.name != "index.html")
    assert "crime-analysis render 09-claims.ipynb" in page.read_text("utf-8")
    assert Path.cwd() == tmp_path
    with pytest.raises(RenderError):
        course.write_course(tmp_path / "d", "student", tiny(tmp_path / "f", "1 / 0"), html=True)
    assert {p.name for p in tmp_path.iterdir()} == {"c", "s", "f"}


# --- The syllabus.


def test_minutes_of_a_session_are_those_of_its_exercises_and_of_talk():
    for session in (*syllabus.WORKSHOP, *syllabus.COURSE):
        together = sum(EXERCISES[i].minutes for i in session.together)
        assert together + session.talk_minutes == session.minutes
        assert session.talk_minutes >= session.minutes / 4
    assert sum(session.minutes for session in syllabus.WORKSHOP) == 120
    assert [session.minutes for session in syllabus.COURSE] == [120] * 6


def test_the_course_holds_every_exercise_once_in_the_order_of_the_notebooks():
    done = [i for s in syllabus.COURSE for i in (*s.together, *s.at_home)]
    assert sorted(done) == sorted(EXERCISES)
    weeks = [{EXERCISES[i].notebook for i in (*s.together, *s.at_home)} for s in syllabus.COURSE]
    for before, after in itertools.pairwise(weeks):
        assert max(before) < min(after)


def test_the_syllabus_says_minutes_that_add_up():
    text = syllabus.markdown()
    rows = re.findall(r"^\| \d\d-\S+ \|.*\| (\d+) \|$", text, re.M)
    (total,) = re.findall(r"^\| together \|.*\| (\d+) \|$", text, re.M)
    assert len(rows) == len(EXERCISES)
    assert sum(map(int, rows)) == int(total)


def test_a_session_that_is_too_short_for_its_exercises_is_refused():
    with pytest.raises(ParameterError, match="longer"):
        syllabus.Session("S", "", "", ("02-funding/1",), minutes=10)
    with pytest.raises(ParameterError, match="unknown"):
        syllabus.Session("S", "", "", ("02-funding/99",))
