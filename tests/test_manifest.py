"""Manifests, normalised notebooks, verification and the numbers collected from a folder."""

from __future__ import annotations

import copy
import json
import os
import random
from datetime import UTC, datetime
from pathlib import Path

import nbformat.v4
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crime_analysis import reports
from crime_analysis.errors import DataError, ParameterError
from crime_analysis.reports.collection import collect
from crime_analysis.reports.job import make_job
from crime_analysis.reports.manifest import manifest, own_hash
from crime_analysis.reports.normalise import (
    difference,
    figures_data,
    normalised,
    normalised_hash,
)
from crime_analysis.reports.records import RECORD_MIME
from crime_analysis.reports.verification import verify

ROOT = Path(reports.__file__).parents[2]
FIGURE = (
    "<figure class='chart'><figcaption>Officers fell</figcaption><table><tr><th>year</th>"
    "<td>2018</td></tr><tr><td>30390</td></tr></table></figure>"
)


def stream(text, name="stdout"):
    return nbformat.v4.new_output("stream", name=name, text=text)


def shown(data, kind="display_data", **more):
    return nbformat.v4.new_output(kind, data=data, **more)


def executed(outputs, *, injected="force = 'Kent'", first=1, parameters="force = 'Surrey'"):
    """A notebook as papermill leaves it: parameters, what was injected, one cell with outputs."""
    cells = [
        nbformat.v4.new_markdown_cell("# Officers"),
        nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("look()", outputs=outputs),
    ]
    if injected is not None:
        tags = {"tags": ["injected-parameters"]}
        cells.insert(2, nbformat.v4.new_code_cell(injected, metadata=tags))
    for count, cell in enumerate((c for c in cells if c.cell_type == "code"), start=first):
        cell.execution_count = count
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count
    return nbformat.v4.new_notebook(cells=cells, metadata={"crime_analysis": {"name_by": ["f"]}})


# --- the normalised notebook ------------------------------------------------------------------


def test_two_honest_runs_are_one_notebook():
    one = executed(
        [
            stream("half "),
            stream("careful /tmp/ipykernel_12/345.py:3: UserWarning\n", "stderr"),
            stream("and half\n"),
            shown({"text/html": "<b>9%</b>", "text/plain": "<Table at 0x7f3a5c0ffee0>"}),
            shown({"text/plain": "7"}, "execute_result", execution_count=3),
        ]
    )
    two = executed(
        [
            stream("half and half\n"),
            stream(f"careful {os.getcwd()}/<cell>:3: UserWarning\n", "stderr"),
            shown({"text/html": ["<b>", "9%</b>"], "text/plain": "<Table at 0x55d1e8a01230>"}),
            shown({"text/plain": "7"}, "execute_result", execution_count=9),
        ],
        # nbclient has nothing to inject: the value stands in the parameters cell itself.
        injected=None,
        parameters="force: str = 'Kent'  # the police force",
        first=7,
    )
    two.cells[2].outputs[1].text = "careful <cell>:3: UserWarning\n"
    two.metadata |= {
        "papermill": {"start_time": "2026-11-24T12:00:00", "duration": 3.1},
        "kernelspec": {"name": "python3", "display_name": "Mine"},
        "language_info": {"name": "python", "version": "3.13.1"},
    }
    for cell in two.cells:
        cell.metadata["papermill"] = {"duration": 0.1}
        cell.metadata["execution"] = {"iopub.status.busy": "2026-11-24T12:00:00"}
        cell.metadata.setdefault("tags", [])
    # The parameters cells are written differently, which readers of the code can see.
    one.cells[1].source = two.cells[1].source
    assert difference(one, two) == ""
    assert normalised_hash(one) == normalised_hash(two)
    assert one.metadata.get("papermill") is None, "the notebook itself was changed"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda nb: nb.cells[3].outputs[0].update(text="fell by 10%"), "'fell by 9%' against"),
        (lambda nb: nb.cells[3].update(source="look(2)"), "cell 3, source: 'look()' against"),
        (lambda nb: nb.cells[3].outputs.pop(), "3 outputs against 2"),
        (lambda nb: nb.cells.pop(), "3 cells against 2"),
        (lambda nb: nb.cells[2].update(source="force = 'Essex'"), 'force: "Kent" against "Essex"'),
        (lambda nb: nb.cells[3].update(execution_count=0), "was not run"),
        (lambda nb: nb.cells[3].metadata.update(tags=["x"]), "tags or other metadata differ"),
        (
            lambda nb: nb.cells[3].outputs[1]["data"][RECORD_MIME].update(value=-0.1),
            "record change: -0.09 against -0.1",
        ),
        (
            lambda nb: nb.cells[3].outputs[2]["data"].update({"text/html": FIGURE + "<i></i>"}),
            "same words; the drawing or markup differs",
        ),
        (
            lambda nb: nb.cells[3].outputs[2]["data"].update({"image/png": "iVBORw0KGgo="}),
            "(image/png): the pictures or data differ",
        ),
        (lambda nb: nb.metadata["crime_analysis"].clear(), "under crime_analysis differs"),
    ],
)
def test_what_a_reader_would_miss_differs_and_is_said(change, said):
    record = {RECORD_MIME: {"name": "change", "value": -0.09}, "text/plain": ""}
    one = executed([stream("fell by 9%"), shown(record), shown({"text/html": FIGURE})])
    two = copy.deepcopy(one)
    change(two)
    assert said in difference(one, two)
    assert normalised_hash(one) != normalised_hash(two)


def test_cells_run_out_of_order_differ_and_a_late_start_does_not():
    one, two = executed([], first=1), executed([], first=30)
    assert difference(one, two) == ""
    first, last = two.cells[1], two.cells[3]
    first.execution_count, last.execution_count = last.execution_count, first.execution_count
    assert "ran as number 1 against ran as number 2" in difference(one, two)


def test_only_an_address_of_an_object_is_taken_away():
    kept = executed([stream("colour 0x7f3a5c0ffee0, <f at 0x7f3a5c0ffee0>")])
    assert normalised(kept)["cells"][2]["outputs"][0]["text"] == (
        "colour 0x7f3a5c0ffee0, <f at 0x…>"
    )


def test_styled_tables_are_named_in_their_order():
    html = "<style>#T_{0}_row0 {{}}</style><table id='T_{0}'></table><table id='T_{1}'></table>"
    one = executed([shown({"text/html": html.format("a1b2c", "00ff1")})])
    two = executed([shown({"text/html": html.format("fffff", "12345")})])
    assert difference(one, two) == ""


def test_a_value_is_one_value_however_it_is_written():
    one = executed([], injected="force = 'Kent'; weight = 1.0", parameters="force = ''\nweight = 2")
    two = executed([], injected='weight = 1\nforce = "Kent"', parameters="force = ''\nweight = 2")
    assert difference(one, two) == ""
    odd = executed([], injected="x = 60 * 60; y, z = 1, 2\nimport os", parameters="x = (")
    assert normalised(odd)["metadata"]["parameters_in_force"] == {"x": "60 * 60"}


def test_many_differences_are_counted_and_not_all_listed():
    one = executed([stream("a") if n % 2 else shown({"text/plain": "a"}) for n in range(60)])
    two = copy.deepcopy(one)
    for output in two.cells[3].outputs:
        output.update({"text": "b"} if output.output_type == "stream" else {"data": {}})
    lines = difference(one, two).splitlines()
    assert len(lines) == 21
    assert lines[-1] == "and 40 more"


def test_figures_give_the_numbers_behind_them():
    nb = executed([shown({"text/html": f"<p>x</p>{FIGURE}<table><tr><td>no</td></tr></table>"})])
    assert figures_data(nb) == [[["year", "2018"], ["30390"]]]
    assert figures_data(executed([stream("<figure>")])) == []


TEXT = st.text("ab 0x7f/\n<>T_:", max_size=30) | st.sampled_from(
    ["<f at 0x7f0123456789>", "/tmp/ipykernel_1/2.py", f"{os.getcwd()}/x", "T_a1b2c_row T_00ff1"]
)
OUTPUT = st.one_of(
    st.builds(stream, TEXT, st.sampled_from(["stdout", "stderr"])),
    st.builds(lambda t: shown({"text/html": t, "text/plain": [t, t]}), TEXT),
    st.builds(
        lambda t: nbformat.v4.new_output("error", ename="E", evalue=t, traceback=[t, t]), TEXT
    ),
    st.builds(lambda t: shown({"text/plain": t}, "execute_result", execution_count=3), TEXT),
)


@settings(deadline=None, derandomize=True, max_examples=80)
@given(st.lists(OUTPUT, max_size=6), st.integers(1, 50))
def test_normalising_twice_is_normalising_once(outputs, first):
    once = normalised(executed(outputs, first=first))
    assert normalised(once) == once
    assert json.loads(json.dumps(once)) == once


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.text("ab\n", min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_where_a_print_was_cut_does_not_matter(text, chance: random.Random):
    cuts = sorted(chance.sample(range(len(text) + 1), k=min(3, len(text))))
    parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert difference(executed([stream(p) for p in parts]), executed([stream(text)])) == ""


# --- the manifest -----------------------------------------------------------------------------


@pytest.fixture
def source(tmp_path):
    cells = [
        nbformat.v4.new_markdown_cell("# One force"),
        nbformat.v4.new_code_cell(
            "force = 'Surrey'\nyear = 2018", metadata={"tags": ["parameters"]}
        ),
        nbformat.v4.new_code_cell("look()"),
    ]
    declared = {
        "parameters": {"force": {"choices": ["", "Kent", "Essex"]}},
        "name_by": ["force"],
        "headline": {"change": {"label": "officers", "format": "percent"}},
    }
    nb = nbformat.v4.new_notebook(cells=cells, metadata={"crime_analysis": declared})
    (tmp_path / "force.ipynb").write_text(nbformat.writes(nb), encoding="utf-8")
    return tmp_path / "force.ipynb"


def rendered(source, out, force, records):
    """A report with the real manifest, without the time that a kernel takes."""
    job = make_job(source, {"force": force}, group="Forces")
    outputs = [
        shown({RECORD_MIME: {"name": name, "value": value}, "text/plain": ""})
        for name, value in records.items()
    ]
    nb = executed([*outputs, shown({"text/html": FIGURE})], injected=f"force = {force!r}")
    texts = {f"{job.name}.ipynb": nbformat.writes(nb), f"{job.name}.html": f"<p>{force}</p>"}
    now = datetime(2026, 11, 24, 9, 5, tzinfo=UTC)
    told = manifest(job, texts, records, now, now, 1.25, {"python": "3.11"}, {"data": "d"}, "T")
    out.mkdir(exist_ok=True)
    for name, text in texts.items():
        (out / name).write_text(text, encoding="utf-8")
    text = json.dumps(told, indent=2, ensure_ascii=False)
    (out / f"{job.name}.manifest.json").write_bytes(text.encode(errors="replace"))
    return out / f"{job.name}.manifest.json"


@pytest.fixture
def folder(source, tmp_path):
    out = tmp_path / "out"
    for force, change in (("Kent", -0.09), ("Essex", -0.18)):
        rendered(source, out, force, {"change": change, "note": "n"})
    reports.write_index(out)
    (out / "summary.json").write_text("{}", encoding="utf-8")
    return out


def states(found):
    return {(f.report, f.state) for f in found.findings}


def test_a_manifest_says_what_went_in_and_what_came_out(folder):
    told = json.loads((folder / "force--kent.manifest.json").read_text(encoding="utf-8"))
    assert told["parameters"] == {"force": "Kent", "year": 2018}
    assert told["changed"] == ["force"]
    assert told["group"] == "Forces"
    assert told["headline"] == [{"record": "change", "label": "officers", "format": "percent"}]
    assert set(told["outputs"]) == {"force--kent.ipynb", "force--kent.html"}
    assert told["depends_on"] == {"data": "d"}
    assert told["platform"]["system"]
    assert told["started"] == "2026-11-24T09:05:00+00:00"
    nb = json.loads((folder / "force--kent.ipynb").read_text(encoding="utf-8"))
    assert told["normalised"] == normalised_hash(nb)
    assert told["sha256"] == own_hash(told)


def test_a_folder_as_it_was_rendered_passes(folder):
    found = verify(folder)
    assert found.ok
    assert states(found) == {("force--kent", "whole"), ("force--essex", "whole")}
    assert str(found) == f"{folder}: 2 whole"
    assert list(found.frame().columns) == ["report", "state", "problem", "detail"]


def altered(path):
    path.write_text(path.read_text(encoding="utf-8").replace("Kent", "Gwent"), encoding="utf-8")


def edited(path, **changes):
    told = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps(told), encoding="utf-8")
    return told


def forged(path, **changes):
    told = edited(path, **changes)
    edited(path, sha256=own_hash(told))


@pytest.mark.parametrize(
    ("harm", "report", "state", "said"),
    [
        (lambda f: altered(f / "force--kent.html"), "force--kent", "altered", "kent.html"),
        (lambda f: altered(f / "force--kent.ipynb"), "force--kent", "altered", "kent.ipynb"),
        (lambda f: (f / "force--kent.html").unlink(), "force--kent", "missing", "render"),
        (
            lambda f: edited(f / "force--kent.manifest.json", seconds=1),
            "force--kent",
            "altered",
            "kent.manifest.json",
        ),
        (
            lambda f: forged(f / "force--kent.manifest.json", records={"change": 0.5, "note": "n"}),
            "force--kent",
            "altered",
            "manifest against notebook, record change: 0.5 against -0.09",
        ),
        (
            lambda f: (f / "force--kent.manifest.json").write_text("{"),
            "force--kent",
            "unreadable",
            "render the report again",
        ),
        (
            lambda f: edited(f / "force--kent.manifest.json", outputs=["force--kent.html"]),
            "force--kent",
            "unreadable",
            "cannot be used",
        ),
        (
            lambda f: forged(f / "force--kent.manifest.json", outputs={"../force.ipynb": "0"}),
            "force--kent",
            "unreadable",
            "naming '../force.ipynb'",
        ),
        (
            lambda f: (f / "force--kent.manifest.json").rename(f / "other.manifest.json"),
            "other",
            "unreadable",
            "of 'force--kent'",
        ),
        (lambda f: (f / "new.html").write_text("x"), "new.html", "extra", "no manifest vouches"),
        (lambda f: altered(f / "index.html"), "index.html", "altered", "render again"),
    ],
)
def test_what_was_altered_is_found_and_named(folder, harm, report, state, said):
    harm(folder)
    found = verify(folder)
    assert not found.ok
    detail = [f.detail for f in found.findings if (f.report, f.state) == (report, state)]
    assert detail, str(found)
    assert said in detail[0]
    assert detail[0].splitlines()[0] in str(found)
    assert ("force--essex", "whole") in states(found)


def test_a_failure_and_a_stranger_are_said_and_are_no_fault(folder):
    (folder / "force--gwent.failed.ipynb").write_text("{}", encoding="utf-8")
    (folder / "README.txt").write_text("ours", encoding="utf-8")
    found = verify(folder)
    assert found.ok
    assert {("force--gwent", "failed"), ("README.txt", "extra")} <= states(found)


def test_a_source_is_found_though_its_report_has_its_name(folder, source):
    """A report of nothing but defaults is called as its notebook."""
    named = source.with_name("plain.ipynb")
    nb = json.loads(source.read_text(encoding="utf-8"))
    nb["metadata"]["crime_analysis"] = {}
    named.write_text(json.dumps(nb), encoding="utf-8")
    default = next(p.default for p in make_job(named).parameters if p.name == "force")
    manifest = rendered(named, folder, default, {"change": 0.0})
    assert manifest.name == "plain.manifest.json"
    assert ("plain", "whole") in states(verify(folder, notebooks=source.parent))
    assert "not found" not in str(verify(folder, notebooks=source.parent))


def test_a_changed_source_is_said_and_counts_only_for_a_rerun(folder, source):
    saved = json.loads(source.read_text(encoding="utf-8"))
    saved["cells"][2]["source"] = "look(2)"
    source.write_text(json.dumps(saved), encoding="utf-8")
    found = verify(folder)
    assert found.ok
    assert ("force--kent", "source changed") in states(found)
    assert not verify(folder, rerun=True).ok
    source.unlink()
    assert ("force--kent", "source not found") in states(verify(folder))
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "force.ipynb").write_text(json.dumps(saved), encoding="utf-8")
    found = verify(folder, notebooks=elsewhere)
    assert ("force--kent", "source changed") in states(found)


def test_a_folder_without_reports_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="no folder"):
        verify(tmp_path / "none")
    with pytest.raises(ParameterError, match="no reports"):
        verify(tmp_path)
    with pytest.raises(ParameterError, match="no reports"):
        collect(tmp_path)


def test_what_utf8_cannot_hold_leaves_the_manifest_true(source, tmp_path):
    path = rendered(source, tmp_path / "out", "Kent", {"change": 0.1})
    job = make_job(source, {"force": "Kent"})
    nb = executed([])
    now = datetime(2026, 11, 24, tzinfo=UTC)
    texts = {f"{job.name}.ipynb": nbformat.writes(nb)}
    told = manifest(job, texts, {"odd": "\ud800"}, now, now, 1, {}, {}, "T")
    path.write_bytes(json.dumps(told, ensure_ascii=False).encode(errors="replace"))
    again = json.loads(path.read_text(encoding="utf-8"))
    assert again["sha256"] == own_hash(again)


# --- a rerun ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """Two real reports, one of a notebook that gives other numbers each time."""
    folder = tmp_path_factory.mktemp("real")
    code = {
        "steady": "from crime_analysis.reports import record\nrecord('change', scale * -0.09)",
        "shaky": "import os\nfrom crime_analysis.reports import record\n"
        "record('change', int.from_bytes(os.urandom(6)))\nrecord('same', 1)",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
        patch.setenv("CRIME_ANALYSIS_WARM_MODULES", "")
        for name, text in code.items():
            cells = [
                nbformat.v4.new_markdown_cell(f"# {name}"),
                nbformat.v4.new_code_cell("scale = 1", metadata={"tags": ["parameters"]}),
                nbformat.v4.new_code_cell(text),
            ]
            (folder / f"{name}.ipynb").write_text(
                nbformat.writes(nbformat.v4.new_notebook(cells=cells)), encoding="utf-8"
            )
        told = "".join(f"  - notebook: {name}.ipynb\n" for name in code)
        (folder / "set.yml").write_text(f"reports:\n{told}", encoding="utf-8")
        reports.render(folder / "set.yml", {"scale": 2}, folder / "out", jobs=1)
        yield folder, verify(folder / "out", rerun=True)


def test_a_rerun_says_which_reports_are_equal_and_what_differs(real):
    folder, found = real
    said = {f.report: f.detail for f in found.findings if f.state in ("same", "differs")}
    assert said["steady--scale-2"] == (
        "equal: the notebook, recorded values (1) and the data of figures (0)"
    )
    assert "record change: " in said["shaky--scale-2"]
    assert "record same" not in said["shaky--scale-2"]
    assert "nothing that it depends on changed" in said["shaky--scale-2"]
    assert not found.ok
    assert verify(folder / "out").ok, "the rerun touched the folder"


def test_a_source_saved_again_with_the_same_code_is_no_change(real):
    folder, _ = real
    path = folder / "steady.ipynb"
    before = path.read_bytes()
    saved = json.loads(before)
    saved["cells"][2]["execution_count"] = 5
    saved["metadata"]["kernelspec"] = {"name": "mine", "display_name": "Mine"}
    path.write_text(json.dumps(saved), encoding="utf-8")
    try:
        found = verify(folder / "out")
        assert "source changed" not in {f.state for f in found.findings}
    finally:
        path.write_bytes(before)


# --- the numbers of a folder ------------------------------------------------------------------


def test_collect_returns_one_row_a_number(source, tmp_path):
    effect = {
        "table": [
            {"term": "grants", "estimate": 0.5, "ci_low": -0.1, "ci_high": 1.1},
            {"term": "tax", "estimate": 0.2, "ci_low": None, "ci_high": None},
        ],
        "text": "cannot tell",
    }
    records = {
        "change": -0.09,
        "series": {"2010": 100, "2011": None},
        "verdict": "fell",
        "held": True,
        "many": [1, {"a": 2.5}],
        "link": {"effect": effect},
    }
    rendered(source, tmp_path / "out", "Kent", records)
    rendered(source, tmp_path / "out", "Essex", {"change": -0.18})
    frame = collect(tmp_path / "out")
    assert list(frame.columns) == [
        "report", "notebook", "force", "year",
        "record", "item", "value", "estimate", "ci_low", "ci_high", "text",
    ]  # fmt: skip
    assert frame["value"].dtype == float
    kent = frame[frame["force"] == "Kent"].set_index(["record", "item"])
    assert kent.loc[("change", ""), "value"] == -0.09
    assert kent.loc[("series", "2010"), "value"] == 100
    assert kent["value"].isna()[("series", "2011")]
    assert kent.loc[("verdict", ""), "text"] == "fell"
    assert kent.loc[("held", ""), "value"] == 1
    assert kent.loc[("many", "2.a"), "value"] == 2.5
    grants = kent.loc[("link", "grants")]
    assert (grants["estimate"], grants["ci_low"], grants["ci_high"]) == (0.5, -0.1, 1.1)
    assert grants["value"] == grants["estimate"]
    assert kent["text"][("link", "tax")] == "cannot tell"
    assert len(kent) == 9
    changes = frame[frame["record"] == "change"].set_index("force")["value"]
    assert changes.to_dict() == {"Kent": -0.09, "Essex": -0.18}


def test_a_parameter_named_like_a_column_keeps_its_values(tmp_path):
    cells = [nbformat.v4.new_code_cell("value = 'a'", metadata={"tags": ["parameters"]})]
    path = tmp_path / "n.ipynb"
    path.write_text(nbformat.writes(nbformat.v4.new_notebook(cells=cells)), encoding="utf-8")
    job, now = make_job(path, {"value": "b"}), datetime(2026, 1, 1, tzinfo=UTC)
    texts = {f"{job.name}.ipynb": nbformat.writes(nbformat.v4.new_notebook())}
    told = manifest(job, texts, {"x": 1}, now, now, 1, {}, {}, "T")
    (tmp_path / f"{job.name}.manifest.json").write_text(json.dumps(told), encoding="utf-8")
    frame = collect(tmp_path)
    assert frame.loc[0, "parameter_value"] == "b"
    assert frame.loc[0, "value"] == 1


def test_collect_never_leaves_a_report_out_in_silence(folder):
    (folder / "force--kent.manifest.json").write_text("{", encoding="utf-8")
    with pytest.raises(DataError, match=r"force--kent\.manifest\.json cannot be read"):
        collect(folder)
