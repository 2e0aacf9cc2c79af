"""Jobs and plans are checked whole before anything runs; reports are whole, or absent, or fresh."""

from __future__ import annotations

import contextlib
import errno
import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat.v4
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crime_analysis import reports
from crime_analysis.errors import ParameterError, UnknownNameError
from crime_analysis.reports import executed, freshness, html, kernel, outputs
from crime_analysis.reports.freshness import dependencies, is_fresh
from crime_analysis.reports.job import job_from_dict, make_job
from crime_analysis.reports.names import as_text, report_name
from crime_analysis.reports.notebook import notebook_settings
from crime_analysis.reports.parameters import Parameter, validate
from crime_analysis.reports.plan import parse_over, plan
from crime_analysis.reports.rendering import Options, render_job

ROOT = Path(reports.__file__).parents[2]
FORCES = ["Surrey", "Kent", "Avon, Somerset"]
SETTINGS = {
    "parameters": {
        "force": {"choices": FORCES},
        "start": {"choices": ["2009/10", "2010/11", "2011/12"]},
        "end": {"choices": ["2009/10", "2010/11", "2011/12"]},
        "draws": {"minimum": 9},
    },
    "ordered": [["start", "end"]],
    "name_by": ["force"],
}
CELLS = """\
force = "Surrey"  # the police force
start = "2009/10"
end = "2011/12"
draws = 99
note: str | None = None
outcomes: list[str] = ["robbery"]
"""


def write(
    path, code="print(force)", settings=SETTINGS, parameters=CELLS, heading="# Force by force"
):
    nb = nbformat.v4.new_notebook(metadata={"crime_analysis": settings})
    nb.cells = [
        nbformat.v4.new_markdown_cell(heading),
        nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(code),
    ]
    for number, cell in enumerate(nb.cells):
        cell["id"] = f"cell-{number}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nbformat.writes(nb), encoding="utf-8")
    return path


@pytest.fixture
def notebook(tmp_path):
    return write(tmp_path / "notebooks" / "force-report.ipynb")


@pytest.fixture(scope="session")
def still_package(tmp_path_factory):
    """A copy of the package's source, which nobody edits while the tests run."""
    copy = tmp_path_factory.mktemp("still") / "crime_analysis"
    shutil.copytree(ROOT / "crime_analysis", copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture(autouse=True)
def still(still_package, monkeypatch):
    monkeypatch.setattr(freshness, "_PACKAGE", still_package)


@pytest.fixture
def instant(monkeypatch):
    """Kernels that take no time: every cell has run and printed nothing."""
    monkeypatch.setattr(kernel, "execute", lambda nb, **how: kernel.Run(nb))


def told(injected, survived):
    print(f"injected: {injected}; survived: {survived}")


# --- jobs -------------------------------------------------------------------------------------


def test_a_job_is_the_same_in_another_process_and_folder(notebook, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = {"force": "kent", "draws": "19", "outcomes": "a,b", "note": "é\n"}
    job = make_job(notebook, given, title="T", group="G")
    assert job.shown == "notebooks/force-report.ipynb"
    sent = json.loads(json.dumps(job.as_dict()))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert job_from_dict(sent) == job
    assert job_from_dict(sent).command == job.command
    assert (job.values["force"], job.values["draws"], job.title) == ("Kent", 19, "T")


def test_a_batch_is_of_one_notebook_and_not_of_two(notebook):
    sent = make_job(notebook).as_dict()
    write(notebook, "print('other')")
    with pytest.raises(ParameterError, match=r"force-report\.ipynb was changed while its batch"):
        job_from_dict(sent)


def test_the_command_in_a_report_gives_its_values_again(notebook):
    import shlex

    given = {"force": "Avon, Somerset", "outcomes": ["a, b", " c", ""], "note": "it's\n<b>"}
    job = make_job(notebook, given)
    words = shlex.split(job.command)[3:]
    again = {words[i + 1]: words[i + 2] for i in range(0, len(words), 3)}
    assert make_job(notebook, again).values == job.values


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.lists(st.text(max_size=5)))
def test_every_list_of_texts_can_be_typed_on_a_command_line(items):
    texts = Parameter("texts", [], "list[str]")
    assert validate([texts], {"texts": as_text(items)}, "n.ipynb")["texts"] == items


ODD = [
    "a/b", "../../etc/passwd", "..", ".", ".hidden", "a\nb", "a\\b", "x" * 300, "x" * 299 + "y",
    "Ünïcode", "unicode", "北京", "京北", "\u202e", "CON", "con", "a b", "a  b", "A b", " a b",
    "\0", "~", "-rf", "<script>alert(1)</script>", "🚓", "", "Kent", "kent", "KENT", "ﬀ", "ff",
    "K", "\u212a",
]  # fmt: skip


def test_odd_values_give_file_names_that_are_safe_and_apart_on_any_disk(notebook):
    names = [make_job(notebook, {"note": value}).name for value in ODD]
    for name in names:
        assert re.fullmatch(r"[a-z0-9][a-z0-9-]*", name)
        assert all(len(f"{name}{e}".encode()) <= 255 for e in (*outputs.ENDINGS, outputs.FAILED))
    # Lower-case ASCII throughout: what differs here differs where case does not count.
    assert len(set(names)) == len(ODD)


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_two_pairs_of_texts_never_share_a_name(a, b, c, d):
    texts = [Parameter("a", "?", "str"), Parameter("a_b", "?", "str")]
    names = [report_name("n.ipynb", texts, {"a": x, "a_b": y}) for x, y in ((a, b), (c, d))]
    assert (names[0] == names[1]) == ((a, b) == (c, d))


def test_a_name_and_a_value_cannot_be_read_as_another_pair():
    choices = ("x", "b-c", "c")
    pair = [Parameter("a", "x", "str", choices=choices), Parameter("a_b", "x", "str", "", choices)]
    names = [
        report_name("n.ipynb", pair, v) for v in ({"a": "b-c", "a_b": "x"}, {"a": "x", "a_b": "c"})
    ]
    assert all(name.startswith("n--a-b-c-") for name in names)
    assert names[0] != names[1]


def test_notebooks_whose_letters_are_lost_stay_apart():
    stems = ["отчёт", "доклад", "отчёт-kent", "доклад-kent", ".kent", "..."]
    names = [report_name(f"{stem}.ipynb", [], {}) for stem in stems]
    assert len(set(names)) == len(stems)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9-]*", name) for name in names)


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"yeilds": {}}, r"unknown key 'yeilds' in the metadata of n\.ipynb; nearest: yields"),
        ({"yields": {"figure": 1}}, "unknown key 'figure' in 'yields'.*nearest: figures"),
        ({"yields": {"figures": -1}}, "it yields -1 figures"),
        ({"yields": {"records": "x"}}, "'records' is 'x'; give a list of names"),
        ({"name_by": "x"}, "'name_by' is 'x'"),
        ({"ordered": [["x"]]}, r"'ordered' lists \['x'\]"),
        ({"reads": ["/etc/passwd"]}, "give paths below the notebook"),
        ({"parameters": {"x": {"choises": []}}}, "unknown rule for 'x' 'choises'.*choices"),
        ({"parameters": {"x": {"choices": "ab"}}}, "the choices of 'x' are 'ab'"),
        ({"parameters": {"x": {"choices": [1, "b"]}}}, "'a rule for x'.*'b'; give a whole number"),
        ({"parameters": {"y": {"choices": ["A", "a "]}}}, "differ in case or spaces only"),
        ({"parameters": {"x": {"minimum": "1.5"}}}, "give a whole number"),
        ({"parameters": {"x": {"minimum": 2, "maximum": 1}}}, "the minimum of 'x' is above"),
        ([], "give a mapping"),
    ],
)
def test_metadata_that_would_not_do_what_was_meant_is_refused(tmp_path, declared, said):
    source = write(tmp_path / "n.ipynb", "", declared, "x = 1\ny = 'a'")
    with pytest.raises((ParameterError, UnknownNameError), match=said):
        make_job(source)


def test_metadata_of_others_is_left_alone():
    metadata = {"crime_analysis": {"mood": "blue"}}
    assert notebook_settings({"metadata": metadata}) == {"mood": "blue"}


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (1, "cell 2 is not a notebook's cell"),
        ({"cell_type": "spam", "source": ""}, "cell 2 is not"),
        ({"cell_type": "code", "source": 5}, "cell 2 is not"),
        ({"cell_type": "code", "source": [5]}, "cell 2 is not"),
        ({"cell_type": "code", "source": "", "metadata": []}, "cell 2 is not"),
    ],
)
def test_what_is_no_notebook_is_refused_with_the_cell(notebook, cell, said):
    content = json.loads(notebook.read_text(encoding="utf-8"))
    content["cells"].insert(1, cell)
    notebook.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ParameterError, match=said):
        make_job(notebook)


@pytest.mark.parametrize("raw", ["[" * 100_000, "", "\ufeff{}", "null", b"\xff\xfe"])
def test_bytes_that_are_no_json_are_refused(notebook, raw):
    notebook.write_bytes(raw if isinstance(raw, bytes) else raw.encode())
    with pytest.raises(ParameterError, match=r"not valid JSON|not a Jupyter notebook"):
        make_job(notebook)


# --- plans ------------------------------------------------------------------------------------


def names_of(planned):
    return [job.name.removeprefix("force-report--") for job in planned.jobs]


def test_all_takes_the_declared_choices_in_their_order(notebook):
    planned = plan(notebook, over={"force": "all"})
    assert [job.values["force"] for job in planned.jobs] == FORCES
    assert planned.title == "Force by force"


def test_a_grid_is_the_product_of_typed_values(notebook):
    planned = plan(notebook, {"end": "2011/12"}, {"force": "kent,SURREY", "draws": "9, 99"})
    got = [(job.values["force"], job.values["draws"]) for job in planned.jobs]
    assert got == [("Kent", 9), ("Kent", 99), ("Surrey", 9), ("Surrey", 99)]
    assert names_of(planned) == ["kent--draws-9", "kent", "surrey--draws-9", "surrey"]


def test_a_value_that_holds_a_comma_is_given_as_json_or_in_a_list(notebook):
    for over in ('["Avon, Somerset", "Kent"]', ["avon, somerset", "Kent"]):
        planned = plan(notebook, over={"force": over})
        assert [job.values["force"] for job in planned.jobs] == ["Avon, Somerset", "Kent"]


def test_a_parameter_that_is_a_list_varies_over_lists(notebook):
    planned = plan(notebook, over={"outcomes": '[["a", "b"], "c"]'})
    assert [job.values["outcomes"] for job in planned.jobs] == [["a", "b"], ["c"]]


def test_an_array_or_column_can_be_varied_over(notebook):
    import numpy as np

    planned = plan(notebook, over={"draws": np.array([9, 10])})
    assert [job.values["draws"] for job in planned.jobs] == [9, 10]


@pytest.mark.parametrize(
    ("parameters", "over", "said"),
    [
        ({}, {"forse": "all"}, "unknown parameter 'forse'.*nearest: force"),
        ({}, {"force": "all,Kent"}, "unknown force 'all'"),
        ({}, {"force": "Kent,Surey"}, "unknown force 'Surey'.*nearest: Surrey"),
        ({}, {"force": "<script>alert(1)</script>"}, "unknown force '<script>"),
        ({}, {"force": ["Kent", " kent"]}, "lists 'Kent' twice; give it once"),
        ({}, {"force": []}, "lists no value"),
        ({}, {"force": " , "}, "lists no value"),
        ({}, {"force": 5}, "give 'all' or a list"),
        ({}, {"draws": "all"}, "declares no choices, so there is no 'all'"),
        ({}, {"draws": "9,many"}, "'draws' of force-report.ipynb is 'many'; give a whole number"),
        ({}, {"draws": [9, 8]}, "of at least 9"),
        ({"force": "Kent"}, {"force": "all"}, "both given and varied over"),
        ({"end": "2010/11"}, {"start": "all"}, "start must come before end"),
        ({}, {"draws": list(range(9, 10_010))}, "10,001 reports are asked for"),
    ],
)
def test_one_job_that_does_not_fit_refuses_the_whole_batch(notebook, parameters, over, said):
    with pytest.raises((ParameterError, UnknownNameError), match=said):
        plan(notebook, parameters, over)


def test_over_options_are_read_and_given_once():
    assert parse_over(["force=all", " note = a=b"]) == {"force": "all", "note": " a=b"}
    with pytest.raises(ParameterError, match="write NAME=all or NAME=VALUE"):
        parse_over(["force"])
    with pytest.raises(ParameterError, match="--over force is given twice"):
        parse_over(["force=a", "force=b"])


# --- sets -------------------------------------------------------------------------------------

SET = """\
title: Funding and officers
reports:
  - notebook: notebooks/force-report.ipynb
    group: Forces
    over: {force: all}
    parameters: {draws: 19}
  - notebook: notebooks/chain.ipynb
    title: The chain
index:
  map: force
"""


@pytest.fixture
def set_of_two(notebook, tmp_path):
    write(notebook.with_name("chain.ipynb"), settings={}, parameters="force = 'All'\nyear = 2018")
    (tmp_path / "reports.yml").write_text(SET, encoding="utf-8")
    return tmp_path / "reports.yml"


def test_a_set_is_notebooks_times_grids_with_titles_and_groups(set_of_two, tmp_path, monkeypatch):
    monkeypatch.chdir("/")  # paths are the set's, not the working directory's
    planned = plan(set_of_two)
    assert names_of(planned) == [
        "surrey--draws-19", "kent--draws-19", "avon-somerset--draws-19", "chain",
    ]  # fmt: skip
    assert [job.group for job in planned.jobs] == ["Forces"] * 3 + [None]
    assert planned.jobs[3].title == "The chain"
    assert (planned.title, planned.settings) == ("Funding and officers", {"map": "force"})


def test_the_user_overrides_what_a_set_says_wherever_it_applies(set_of_two):
    def values(*given):
        return [(j.values["force"], j.values.get("draws")) for j in plan(set_of_two, *given).jobs]

    assert values({"force": "Kent"}) == [("Kent", 19), ("Kent", None)]
    assert values({"draws": "9"}) == [*((force, 9) for force in FORCES), ("All", None)]
    over = {"draws": [9, 10], "force": "Kent"}
    assert values(None, over) == [("Kent", 9), ("Kent", 10), ("Kent", None)]


def test_what_no_notebook_of_a_set_has_is_refused(set_of_two):
    with pytest.raises(UnknownNameError, match=r"'forse' in the notebooks of reports\.yml; near"):
        plan(set_of_two, {"forse": "Kent"})
    with pytest.raises(UnknownNameError, match="'weight'"):
        plan(set_of_two, over={"weight": [1]})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the file is empty; write keys with values"),
        ("- a", "the file is a list"),
        ("title: x", "the file has no 'reports'; give a list of entries"),
        ("reports: []", r"reports\.yml, line 1: 'reports' in the file is empty"),
        ("reports:\n- a", "entry 1 of 'reports' is 'a'; write keys"),
        ("reports: [", r"reports\.yml, line 1: not valid YAML"),
        ("a: \t- x", r"reports\.yml, line 1: not valid YAML"),
        ("reports: !!python/object:os.system {}", "not valid YAML"),
        ("titel: x\nreports: []", r"line 1: 'titel' in the file is not known; nearest: title"),
        ("title: x\ntitle: y", r"line 2: 'title' was given on line 1 already"),
        ("title: [x]\nreports:\n- notebook: a", r"'title' in the file is a list; give text"),
        ("reports:\n- title: x", "entry 1 of 'reports' has no 'notebook'; give a notebook's path"),
        ("reports:\n- notebook: 5", r"line 2: 'notebook' in entry 1 of 'reports' is 5"),
        ("reports:\n- notebook: x\n  ovr: {}", "line 3: 'ovr'.*nearest: over"),
        ("reports:\n- notebook: x\n  over: all", "line 3: 'over'.*is 'all'; give a mapping"),
        ("reports:\n- notebook: x\n  over:\n    draws: 5", "line 4: 'draws'.*give all, or a list"),
        ("reports:\n- notebook: x\n  over:\n    5: all", "line 4: 5 .*is no name"),
        (
            "reports:\n- notebook: notebooks/force-reprt.ipynb",
            r"line 2: no notebook 'force-reprt.ipynb' in 'notebooks'; nearest: force-report\.ipynb",
        ),
        (
            "reports:\n- notebook: notebooks/force-report.ipynb\n  over: {force: [Surey]}",
            r"reports\.yml, line 2: unknown force 'Surey'.*nearest: Surrey",
        ),
        (
            "reports:\n- notebook: notebooks/force-report.ipynb\n  parameters: {note: 2018-03-31}",
            "line 2: parameter 'note'.*give text",
        ),
        (
            "reports:\n" + 2 * "- notebook: notebooks/force-report.ipynb\n",
            "the report 'force-report--surrey' is asked for twice",
        ),
    ],
)  # fmt: skip
def test_a_set_with_an_error_says_file_line_and_key(notebook, tmp_path, text, said):
    (tmp_path / "reports.yml").write_text(text, encoding="utf-8")
    with pytest.raises(ParameterError, match=said) as caught:
        plan(tmp_path / "reports.yml")
    assert "\n" not in str(caught.value)


def test_a_missing_set_is_answered_with_the_nearest(set_of_two):
    with pytest.raises(ParameterError, match=r"no set of reports 'report\.yml'.*reports\.yml"):
        plan(set_of_two.with_name("report.yml"))


def test_two_notebooks_that_would_make_one_report_are_refused(notebook, tmp_path):
    write(tmp_path / "other" / "Force_Report.ipynb")
    (tmp_path / "s.yml").write_text(
        "reports:\n- notebook: notebooks/force-report.ipynb\n- notebook: other/Force_Report.ipynb"
    )
    with pytest.raises(ParameterError, match=r"would both make 'force-report--surrey'; rename"):
        plan(tmp_path / "s.yml")


def test_yaml_anchors_and_merges_are_read(notebook, tmp_path):
    (tmp_path / "s.yml").write_text(
        "reports:\n- &one\n  notebook: notebooks/force-report.ipynb\n  group: G\n"
        "- <<: *one\n  parameters: {force: Kent}\n"
    )
    assert [(j.values["force"], j.group) for j in plan(tmp_path / "s.yml").jobs] == [
        ("Surrey", "G"), ("Kent", "G"),
    ]  # fmt: skip


def test_the_packages_own_set_can_be_planned():
    assert plan(ROOT / "notebooks" / "reports.yml").jobs


# --- rendering one job ------------------------------------------------------------------------


def test_a_result_is_json_and_names_whole_files(notebook, tmp_path):
    job = make_job(notebook, {"force": "Kent"}, group="Forces")
    result = render_job(job, tmp_path / "out", Options(timeout=60))
    assert json.loads(json.dumps(result)) == result
    assert (result["status"], result["error"], result["where"]) == ("rendered", None, None)
    manifest = json.loads(Path(result["manifest"]).read_text(encoding="utf-8"))
    assert manifest["depends_on"] == dependencies(job)
    assert {n: outputs.digest(tmp_path / "out" / n) for n in manifest["outputs"]} == manifest[
        "outputs"
    ]
    assert "Kent" in Path(result["notebook"]).read_text(encoding="utf-8")
    assert sorted(os.listdir(tmp_path / "out")) == sorted(
        Path(result[kind]).name for kind in ("html", "notebook", "manifest")
    )
    assert is_fresh(job, tmp_path / "out")


def test_a_failing_cell_gives_a_result_and_a_kept_notebook(notebook, tmp_path):
    write(notebook, "raise ValueError('no ``` such thing')")
    result = render_job(make_job(notebook), tmp_path / "out", Options())
    assert result["status"] == "failed"
    assert (result["where"], result["error"]) == ("cell 3", "ValueError: no ``` such thing")
    assert os.listdir(tmp_path / "out") == [Path(result["notebook"]).name]
    kept = nbformat.read(result["notebook"], as_version=4)
    assert "````\nValueError" in kept.cells[0].source
    assert kept.metadata["crime_analysis_report"]["failed"]


def test_a_notebook_that_the_format_forbids_fails_alone(notebook, tmp_path, instant):
    content = json.loads(notebook.read_text(encoding="utf-8"))
    content["cells"][2]["outputs"] = [{"output_type": "spam"}]
    notebook.write_text(json.dumps(content), encoding="utf-8")
    result = render_job(make_job(notebook), tmp_path / "out", Options())
    assert (result["status"], result["where"]) == ("failed", "before the first cell")
    assert "force-report.ipynb: not a valid notebook" in result["error"]


def test_a_page_that_cannot_be_made_fails_its_report_only(notebook, tmp_path, instant, monkeypatch):
    def broken(nb, page):
        raise FileNotFoundError("no template")

    monkeypatch.setattr(html, "to_html", broken)
    result = render_job(make_job(notebook), tmp_path / "out", Options())
    assert (result["where"], result["error"]) == (
        "making the page",
        "FileNotFoundError: no template",
    )
    assert os.listdir(tmp_path / "out") == ["force-report--surrey.failed.ipynb"]


def test_a_notebook_never_takes_the_place_of_its_source(notebook, instant):
    source = write(notebook.with_name("plain.ipynb"), "", {}, "x = 1")
    before = source.read_bytes()
    result = render_job(make_job(source), source.parent, Options())
    assert "would be overwritten by its own report" in result["error"]
    assert source.read_bytes() == before
    with pytest.raises(ParameterError, match="give another folder with --out"):
        outputs.ready(source.parent, [make_job(source)])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"timeout": 0}, "timeout is 0; give a number of seconds above 0, or None"),
        ({"timeout": float("nan")}, "timeout is nan"),
        ({"memory_gb": "4"}, "memory_gb is '4'"),
        ({"memory_gb": True}, "memory_gb is True"),
        ({"startup_timeout": None}, "startup_timeout is None; give a number of seconds above 0$"),
    ],
)
def test_options_out_of_reason_are_refused(options, said):
    with pytest.raises(ParameterError, match=said):
        Options(**options)


def test_options_are_json():
    options = Options(timeout=None, pdf=True)
    assert Options(**json.loads(json.dumps(options.as_dict()))) == options


FIGURE = "<figure></figure>"


@pytest.mark.parametrize(
    ("yields", "said"),
    [
        ({}, ""),
        ({"figures": 2, "tables": 1, "records": ["x"]}, ""),
        ({"figures": 3}, "it shows 2 of 3 figures"),
        ({"tables": 2, "records": ["x", "y"]}, "it shows 1 of 2 tables and it did not record y"),
    ],
)
def test_what_a_notebook_promises_is_counted(yields, said):
    from crime_analysis.reports.records import RECORD_MIME

    shown = [
        {
            "text/html": [
                "<figure class='a'></figure>",
                "<figure>\n<figcaption></figcaption></figure>",
            ]
        },
        {"text/html": "<tablet></tablet><table>"},
        {"text/plain": "<figure>"},
        {RECORD_MIME: {"name": "x", "value": None}},
    ]
    made = [nbformat.v4.new_output("display_data", data=data) for data in shown]
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=made)])
    assert executed.missing(nb, yields) == said


def test_half_a_megabyte_without_a_space_is_cleaned_at_once(notebook):
    """Tried from each letter, as such a pattern is by default, this would take an hour."""
    said = "M" * 500_000 + " /tmp/ipykernel_12/345.py:1: careful"
    made = [nbformat.v4.new_output("stream", name="stderr", text=said)]
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=made)])
    text = executed.cleaned(nb, make_job(notebook)).cells[0].outputs[0].text
    assert text == "M" * 500_000 + " <cell>:1: careful"


def test_an_effect_is_recorded_as_its_rows_and_its_sentence():
    import pandas as pd

    import crime_analysis as ca
    from crime_analysis.reports.records import _plain, _rows

    table = pd.DataFrame({"estimate": [0.1, float("nan")]}, index=pd.Index(["a", "b"], name="term"))
    assert ca.record("effect", ca.Effect(table, "It cannot be told.")) is None
    assert _plain("effect", _rows("effect", table)) == [
        {"term": "a", "estimate": 0.1}, {"term": "b", "estimate": None},
    ]  # fmt: skip
    with pytest.raises(ParameterError, match="the table is a int; give a DataFrame"):
        ca.record("effect", ca.Effect(3, "no table"))


# --- up to date -------------------------------------------------------------------------------


@pytest.fixture
def own_data(tmp_path, monkeypatch):
    """Shipped tables that a test may alter."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "officers.csv").write_text("force,officers\n", encoding="utf-8")
    monkeypatch.setenv("CRIME_ANALYSIS_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def edit(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def with_outputs(path):
    content = json.loads(path.read_text(encoding="utf-8"))
    content["cells"][2] |= {
        "outputs": [{"output_type": "stream", "name": "stdout", "text": "Surrey"}],
        "execution_count": 3,
        "metadata": {"execution": {"shell": "now"}, "collapsed": True},
    }
    content["metadata"]["kernelspec"] = {"name": "other", "display_name": "Other"}
    path.write_text(json.dumps(content, indent=4), encoding="utf-8")


@pytest.fixture
def rendered(notebook, tmp_path, own_data, instant, monkeypatch):
    """A notebook with a report that is up to date, and the folder it is in."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own_module.py").write_text("import own_too\n", encoding="utf-8")
    (tmp_path / "own_too.py").write_text("x = 1\n", encoding="utf-8")
    (notebook.parent / "beside.csv").write_text("a\n", encoding="utf-8")
    (tmp_path / "named.csv").write_text("a\n", encoding="utf-8")
    code = "%matplotlib inline\nimport own_module\nimport hypothesis\nprint(force)"
    write(notebook, code, {**SETTINGS, "reads": ["*.csv"]})
    result = render_job(make_job(notebook, {"note": "named.csv"}), "out", Options())
    assert result["status"] == "rendered", result
    return notebook, tmp_path / "out"


def fresh(rendered, **given):
    notebook, out = rendered
    return is_fresh(make_job(notebook, {"note": "named.csv"}, **given), out)


def test_an_untouched_report_is_fresh_whatever_outputs_its_notebook_was_saved_with(rendered):
    assert fresh(rendered)
    with_outputs(rendered[0])
    assert fresh(rendered)


@pytest.mark.parametrize(
    "change",
    [
        lambda n, p: edit(n, "print(force)", "print(force) "),
        lambda n, p: edit(n, "Force by force", "Another heading"),
        lambda n, p: edit(n, '"minimum": 9', '"minimum": 8'),
        lambda n, p: edit(n, '"parameters"\n', '"parameters", "hide"\n'),
        lambda n, p: (p / "data" / "officers.csv").write_text("force,officers \n"),
        lambda n, p: (p / "data" / "more.csv").write_text(""),
        lambda n, p: edit(p / "own_module.py", "own_too", "own_too  "),
        lambda n, p: edit(p / "own_too.py", "1", "2"),
        lambda n, p: edit(n.parent / "beside.csv", "a", "b"),
        lambda n, p: edit(p / "named.csv", "a", "b"),
        lambda n, p: (p / "named.csv").unlink(),
    ],
    ids=[
        "code", "words", "metadata", "tags", "data", "more-data", "module", "its-import", "reads",
        "named-file", "no-named-file",
    ],
)  # fmt: skip
def test_whatever_a_report_depends_on_makes_it_stale(rendered, tmp_path, change):
    assert fresh(rendered)
    change(rendered[0], tmp_path)
    assert not fresh(rendered)


def test_titles_and_groups_of_a_set_count(rendered):
    assert not fresh(rendered, title="Another")
    assert not fresh(rendered, group="Another")


def test_versions_and_python_count(rendered, monkeypatch):
    for name, told in (("_needed", {"numpy": "0.1"}), ("_version", {"hypothesis": "0.1"})):
        with monkeypatch.context() as patch:
            patch.setattr(freshness, name, lambda *args, told=told: told)
            assert not fresh(rendered)
    with monkeypatch.context() as patch:
        patch.setattr(freshness.platform, "python_version", lambda: "3.10.0")
        assert not fresh(rendered)
    assert fresh(rendered)


def test_what_packages_need_in_turn_is_among_the_versions():
    needed = freshness._needed()
    assert {"numpy", "papermill", "formulaic", "jinja2", "jupyter-client"} <= set(needed)
    assert not {"jupyterlab", "pytest"} & set(needed)


def test_the_packages_source_and_templates_count(rendered, tmp_path, still_package, monkeypatch):
    copy = tmp_path / "crime_analysis"
    shutil.copytree(still_package, copy)
    monkeypatch.setattr(freshness, "_PACKAGE", copy)
    (copy / "data").mkdir()  # as in an installed package; tables are judged apart
    (copy / "data" / "x.csv").write_text("x")
    assert fresh(rendered)
    style = copy / "reports" / "templates" / "report" / "style.css"
    style.write_text(style.read_text(encoding="utf-8") + " ", encoding="utf-8")
    assert not fresh(rendered)


@pytest.mark.parametrize("ending", [".html", ".ipynb", ".manifest.json"])
def test_a_file_that_was_altered_cut_or_lost_makes_a_report_stale(rendered, ending):
    path = rendered[1] / f"{make_job(rendered[0], {'note': 'named.csv'}).name}{ending}"
    whole = path.read_bytes()
    for damaged in (whole + b" ", whole[: len(whole) // 2], b"{}", b"[]", b""):
        path.write_bytes(damaged)
        # A space behind a manifest's end changes nothing that it says.
        assert fresh(rendered) == (damaged == whole + b" " and ending == ".manifest.json")
    path.write_bytes(whole)
    assert fresh(rendered)
    path.unlink()
    assert not fresh(rendered)


def test_a_report_without_its_pdf_is_stale_where_one_is_asked_for(rendered):
    assert not is_fresh(make_job(rendered[0], {"note": "named.csv"}), rendered[1], pdf=True)


def test_a_hundred_reports_are_judged_without_any_slow_import(rendered, still_package):
    """What has nothing to do must find that out quickly; the time is printed, not tested."""
    script = f"""
import hashlib, json, sys, time
from pathlib import Path
from crime_analysis.reports import freshness
from crime_analysis.reports.plan import plan
from crime_analysis.reports.freshness import dependencies, is_fresh
freshness._PACKAGE = Path({str(still_package)!r})
out = Path("many"); out.mkdir()
jobs = plan({str(rendered[0])!r}, over={{"draws": list(range(9, 109))}}).jobs
for job in jobs:
    texts = {{f"{{job.name}}.html": b"x" * 600_000, f"{{job.name}}.ipynb": b"y" * 200_000}}
    for name, text in texts.items(): (out / name).write_bytes(text)
    hashes = {{name: hashlib.sha256(text).hexdigest() for name, text in texts.items()}}
    told = {{"depends_on": dependencies(job), "outputs": hashes}}
    (out / f"{{job.name}}.manifest.json").write_text(json.dumps(told))
clock = time.perf_counter()
jobs = plan({str(rendered[0])!r}, over={{"draws": list(range(9, 109))}}).jobs
assert len(jobs) == 100 and all(is_fresh(job, out) for job in jobs)
print(f"100 reports judged in {{time.perf_counter() - clock:.2f}} s", file=sys.stderr)
slow = "pandas numpy nbformat nbclient nbconvert papermill yaml jinja2 bs4 IPython zmq".split()
print([name for name in slow if name in sys.modules])
"""
    run = python(script)
    print(run.stderr.strip())
    assert run.stdout == "[]\n"


# --- whole or absent --------------------------------------------------------------------------


def filled(folder, name, content="new"):
    """Write the files of a report, with a manifest that vouches for them."""
    for ending in (".html", ".ipynb"):
        (folder / f"{name}{ending}").write_text(f"{content}{ending}", encoding="utf-8")
    names = [f"{name}.html", f"{name}.ipynb"]
    told = {"outputs": {n: outputs.digest(folder / n) for n in names}, "content": content}
    (folder / f"{name}.manifest.json").write_text(json.dumps(told), encoding="utf-8")
    return {*names, f"{name}.manifest.json"}


def whole(folder, name):
    """Return what a report holds if its manifest vouches for its files."""
    told = json.loads((folder / f"{name}.manifest.json").read_text(encoding="utf-8"))
    assert {n: outputs.digest(folder / n) for n in told["outputs"]} == told["outputs"]
    return told["content"]


def test_a_report_takes_the_place_of_the_older_one_and_of_a_failure(tmp_path):
    filled(tmp_path, "r", "old")
    for name in ("r.pdf", "r.failed.ipynb", "r--other.html"):
        (tmp_path / name).write_text("old", encoding="utf-8")
    with outputs.aside(tmp_path) as folder:
        filled(folder, "r")
        placed = outputs.place(tmp_path, "r", folder)
    assert placed[-1].name == "r.manifest.json"
    assert whole(tmp_path, "r") == "new"
    assert sorted(os.listdir(tmp_path)) == ["r--other.html", "r.html", "r.ipynb", "r.manifest.json"]


# What a subprocess needs of this file, without the seconds that importing it takes.
FILLED = f"""
import json, os, sys
from pathlib import Path
from crime_analysis.reports import outputs
{inspect.getsource(filled)}
"""
KILLED = """
out, replace, left = Path({out!r}), os.replace, [{after}]
def deadly(a, b):
    if left[0] == 0: os._exit(9)
    left[0] -= 1
    replace(a, b)
os.replace = deadly
if {failed}:
    outputs.keep_failed(out, "r", b"half")
else:
    with outputs.aside(out) as folder:
        filled(folder, "r")
        outputs.place(out, "r", folder)
os._exit(0)
"""


def killed(out, after, failed=False):
    """Put a report in place in a process that dies at one of its renames."""
    script = FILLED + KILLED.format(out=str(out), after=after, failed=failed)
    return python(script).returncode


def python(script, *words):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script, *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment)


@pytest.mark.parametrize(("after", "failed"), [(0, False), (1, False), (2, False), (0, True)])
def test_a_process_killed_between_renames_leaves_a_report_whole_or_absent(tmp_path, after, failed):
    out = tmp_path / "out"
    out.mkdir()
    filled(out, "r", "old")
    filled(out, "other", "old")
    assert killed(out, after, failed) == 9
    assert not (out / "r.manifest.json").exists()
    assert any(name.startswith(".rendering-") for name in os.listdir(out))
    outputs.sweep(out)
    assert sorted(os.listdir(out)) == ["other.html", "other.ipynb", "other.manifest.json"]
    with outputs.aside(out) as folder:
        filled(folder, "r")
        outputs.place(out, "r", folder)
    assert whole(out, "r") == "new"
    told(f"kill -9 after {after} of the renames", "the other report; the next run made this one")


def test_what_was_made_since_is_not_taken_back(tmp_path):
    """Another batch finished the report before anyone swept up after the killed one."""
    assert killed(tmp_path, after=2) == 9
    with outputs.aside(tmp_path) as folder:
        names = filled(folder, "r", "newer")
        outputs.place(tmp_path, "r", folder)
    outputs.sweep(tmp_path)
    assert set(os.listdir(tmp_path)) == names
    assert whole(tmp_path, "r") == "newer"


def test_only_what_dead_processes_left_is_swept(tmp_path):
    with outputs.aside(tmp_path) as mine:
        other = mine.name.split("-")
        other[1] = "0" * 8
        elsewhere = tmp_path / "-".join(other)
        elsewhere.mkdir()
        again = mine.name.split("-")
        again[3] = "1"  # a process of this number that began at another time
        (tmp_path / "-".join(again)).mkdir()
        (tmp_path / ".rendering-x").mkdir()
        assert outputs.sweep(tmp_path) == ["-".join(again)]
        os.utime(elsewhere, (0, 0))
        assert outputs.sweep(tmp_path) == [elsewhere.name]
        assert mine.is_dir()
    assert os.listdir(tmp_path) == [".rendering-x"]
    assert outputs.sweep(tmp_path / "absent") == []


def test_two_batches_in_one_folder_never_mix_their_files(tmp_path):
    script = FILLED + (
        f"out = Path({str(tmp_path)!r})\n"
        "for n in range(60):\n"
        "    with outputs.aside(out) as folder:\n"
        "        filled(folder, 'r', f'{sys.argv[1]} {n}')\n"
        "        outputs.place(out, 'r', folder)\n"
    )
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda who: python(script, who), ("one", "two")))
    assert [run.returncode for run in runs] == [0, 0]
    assert whole(tmp_path, "r") in ("one 59", "two 59")
    assert len(os.listdir(tmp_path)) == 3
    told("two batches that write one report 60 times each", "a report of one of them, whole")


@contextlib.contextmanager
def mounted(folder, options):
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this user cannot mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_keeps_what_is_there_and_says_what_to_do(notebook, tmp_path, instant):
    with mounted(tmp_path / "out", "size=1m") as out:
        good = render_job(make_job(notebook), out, Options())
        assert good["status"] == "rendered"
        before = {name: (out / name).read_bytes() for name in os.listdir(out)}
        with contextlib.suppress(OSError), (out / "ballast").open("wb", buffering=0) as file:
            while file.write(b"x" * 4096):
                pass
        write(notebook, "print('changed')")
        for given in ({}, {"force": "Kent"}):
            result = render_job(make_job(notebook, given), out, Options())
            assert (result["status"], result["where"]) == ("failed", "writing the report")
            assert "no space is left" in result["error"]
            assert "free some space or give another folder with --out" in result["error"]
        assert {n: (out / n).read_bytes() for n in os.listdir(out) if n != "ballast"} == before
        (out / "ballast").unlink()
        assert render_job(make_job(notebook, {}), out, Options())["status"] == "rendered"
        told("a full disk of 1 MB", "the earlier report; the next run after space was freed")


def test_a_failure_on_a_full_disk_is_still_told(notebook, tmp_path, monkeypatch):
    monkeypatch.setattr(
        kernel, "execute", lambda nb, **how: kernel.Run(nb, 2, ("ValueError", "no such thing"))
    )
    full_disk(monkeypatch, after=0)
    result = render_job(make_job(notebook), tmp_path / "out", Options())
    assert result["error"].startswith("ValueError: no such thing; not kept: no space is left")
    assert result["notebook"] is None
    assert os.listdir(tmp_path / "out") == []


def full_disk(monkeypatch, after):
    """Let the disk be full once `after` files have been written."""
    written, left = Path.write_bytes, [after]

    def write_bytes(path, content):
        if left[0] == 0:
            written(path, content[: len(content) // 2])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        left[0] -= 1
        return written(path, content)

    monkeypatch.setattr(Path, "write_bytes", write_bytes)


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_disk_that_fills_midway_leaves_nothing_half_done(
    notebook, tmp_path, instant, monkeypatch, after
):
    full_disk(monkeypatch, after)
    result = render_job(make_job(notebook), tmp_path / "out", Options())
    assert (result["status"], result["where"]) == ("failed", "writing the report")
    assert "no space is left for reports" in result["error"]
    assert os.listdir(tmp_path / "out") == []
    told(f"no space after {after} files", "an empty folder and an error that says what to do")


def test_a_rename_that_fails_takes_back_the_ones_before_it(tmp_path, monkeypatch):
    replace = os.replace

    def failing(a, b):
        if str(b).endswith(".html"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        replace(a, b)

    monkeypatch.setattr(os, "replace", failing)
    with outputs.aside(tmp_path) as folder:
        filled(folder, "r")
        with pytest.raises(OSError, match="Input/output error"):
            outputs.place(tmp_path, "r", folder)
    assert os.listdir(tmp_path) == []


def test_a_folder_that_is_read_only_is_refused_before_anything_runs(notebook, tmp_path):
    with mounted(tmp_path / "out", "size=1m,ro") as out:
        for folder in (out, out / "below"):
            with pytest.raises(ParameterError, match=r"cannot write to .*--out"):
                outputs.ready(folder)
        result = render_job(make_job(notebook), out, Options())
        assert (result["status"], result["where"]) == ("failed", "before the first cell")
        assert "read-only" in result["error"]
        assert os.listdir(out) == []
        told("a folder on a read-only disk", "nothing was run; the error names --out")


def test_a_file_in_the_folders_place_is_refused(tmp_path):
    (tmp_path / "out").write_text("")
    with pytest.raises(ParameterError, match=r"cannot write to .*File exists.*--out"):
        outputs.ready(tmp_path / "out")
