"""A batch: planned whole, rendered side by side, told of while it runs and summed up after."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import threading
import time
import unicodedata
from pathlib import Path

import nbclient
import nbformat.v4
import papermill
import pytest

from crime_analysis import cli, reports
from crime_analysis.errors import ParameterError, RenderError
from crime_analysis.reports import index, progress, worker
from crime_analysis.reports.job import make_job
from crime_analysis.reports.normalise import difference, normalised
from crime_analysis.reports.summary import Result

ROOT = Path(reports.__file__).parents[2]


def write(path: Path, *cells: str, settings: dict | None = None) -> Path:
    """Write a notebook of code cells, of which the first holds the parameters."""
    nb = nbformat.v4.new_notebook()
    nb.metadata["crime_analysis"] = settings or {}
    nb.cells = [nbformat.v4.new_code_cell(text, id=f"c{n}") for n, text in enumerate(cells)]
    nb.cells[0].metadata["tags"] = ["parameters"]
    path.write_text(nbformat.writes(nb), encoding="utf-8")
    return path


@pytest.fixture(scope="module", autouse=True)
def light():
    """Kernels that import nothing of ours, in processes that find the package under test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
        patch.setenv("CRIME_ANALYSIS_WARM_MODULES", "")
        yield


CELLS = (
    "x = 1  # a number",
    "from crime_analysis.reports import record\nrecord('double', 2 * x)\nprint(x)",
    "assert x != 3, 'no\\nthrees'",
)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    rule = {"parameters": {"x": {"choices": [1, 2, 3, 4]}}, "name_by": ["x"]}
    return write(tmp_path_factory.mktemp("source") / "small.ipynb", *CELLS, settings=rule)


@pytest.fixture(scope="module")
def batch(source, tmp_path_factory):
    out = tmp_path_factory.mktemp("batch")
    return reports.render(source, out=out, over={"x": "all"}, jobs=2, check=False)


def statuses(batch):
    return [result.status for result in batch.results]


# --- what a batch gives -----------------------------------------------------------------------


def test_one_failure_does_not_stop_the_others_and_results_keep_the_plans_order(batch):
    assert [r.name for r in batch.results] == [f"small--{x}" for x in (1, 2, 3, 4)]
    assert statuses(batch) == ["rendered", "rendered", "failed", "rendered"]
    assert [r.records["double"] for r in batch.rendered] == [2, 4, 8]
    failed = batch.failed[0]
    assert (failed.where, failed.error) == ("cell 3", "AssertionError: no threes")
    assert failed.notebook.name == "small--3.failed.ipynb"
    assert batch.frame()["status"].tolist() == statuses(batch)


def test_the_folder_is_flat_and_holds_nothing_but_reports_index_and_summary(batch):
    names = {"index.html", "summary.json", "small--3.failed.ipynb"}
    for x in (1, 2, 4):
        names |= {f"small--{x}{ending}" for ending in (".html", ".ipynb", ".manifest.json")}
    assert set(os.listdir(batch.summary.parent)) == names


def test_the_summary_tells_of_every_job_in_order(batch):
    told = json.loads(batch.summary.read_text(encoding="utf-8"))
    assert list(told) == [
        "title", "command", "started", "finished", "seconds", "counts", "reports", "versions",
    ]  # fmt: skip
    assert told["counts"] == {"reports": 4, "rendered": 3, "fresh": 0, "failed": 1, "not run": 0}
    assert [entry["name"] for entry in told["reports"]] == [r.name for r in batch.results]
    assert told["reports"][0]["files"] == [
        "small--1.html", "small--1.ipynb", "small--1.manifest.json",
    ]  # fmt: skip
    assert told["reports"][2]["error"] == "AssertionError: no threes"
    assert "--over x=all" in told["command"]
    assert told["versions"]["python"].startswith("3.")


def test_the_index_lists_what_succeeded_and_what_failed(batch):
    page = batch.index.read_text(encoding="utf-8")
    assert "small--4.html" in page
    assert "small--3.failed.ipynb" in page


def test_the_closing_table_says_counts_failures_and_where_to_look(batch):
    table = progress.closing_table(batch)
    words = [line.split()[0] for line in table.splitlines()]
    assert words[:4] == ["reports", "rendered", "failed", "time"]
    assert "small--3: cell 3: AssertionError: no threes" in table
    assert str(batch.failed[0].notebook) in table
    assert str(batch.index) in table


def test_a_second_run_renders_only_what_is_not_there(batch, source):
    before = batch.results[0].manifest.stat().st_mtime_ns
    again = reports.render(
        source, out=batch.summary.parent, over={"x": [1, 2, 4]}, jobs=2, progress=False
    )
    assert statuses(again) == ["fresh", "fresh", "fresh"]
    assert again.skipped[0].records == {"double": 2}
    assert batch.results[0].manifest.stat().st_mtime_ns == before


def test_one_failing_report_is_an_error_that_names_the_cell_and_holds_the_batch(source, tmp_path):
    with pytest.raises(RenderError) as caught:
        reports.render(source, {"x": "3"}, tmp_path)
    said = str(caught.value)
    assert said.startswith("small.ipynb, cell 3: AssertionError: no threes; what ran is kept in ")
    assert statuses(caught.value.batch) == ["failed"]
    assert (tmp_path / "summary.json").exists()


def test_after_a_failure_fail_fast_begins_nothing_more_and_says_what_was_not_run(
    source, tmp_path, capsys
):
    arguments = ["render", str(source), "--over", "x=3,1,2", "--out", str(tmp_path)]
    assert cli.main([*arguments, "--fail-fast", "--jobs", "1"]) == 1
    captured = capsys.readouterr()
    told = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert [entry["status"] for entry in told["reports"]] == ["failed", "not run", "not run"]
    assert re.search(r"not run +2", captured.out)
    assert captured.err.startswith("1/3 failed small--3 ")
    assert len(captured.err.splitlines()) == 1


def test_a_notebook_gives_one_result_under_papermill_nbclient_and_every_kind_of_batch(tmp_path):
    source = write(
        tmp_path / "same.ipynb",
        "x = 1  # a number",
        "import sys\nprint(x)\nprint('careful', file=sys.stderr)\nprint(object())",
        "from IPython.display import HTML\nHTML(f'<table><tr><td>{x}</td></tr></table>')",
        "from crime_analysis.reports import record\nrecord('x', x)\nsorted({'b', 'a'})",
    )
    papermill.execute_notebook(
        source, tmp_path / "papermill.ipynb", kernel_name="python3", progress_bar=False
    )
    by_nbclient = nbformat.read(source, as_version=4)
    nbclient.NotebookClient(by_nbclient, kernel_name="python3").execute()
    paths = [tmp_path / "papermill.ipynb"]
    for number, given in enumerate([{"jobs": 1}, {"jobs": 2}, {"jobs": 2, "warm": False}]):
        over = {"x": [1, 2][: given["jobs"]]}
        batch = reports.render(source, out=tmp_path / str(number), over=over, **given)
        paths.append(batch.results[0].notebook)
    found = [by_nbclient, *(nbformat.read(path, as_version=4) for path in paths)]
    expected, *others = map(normalised, found)
    assert len(expected["cells"]) == 4
    for other in others:
        assert difference(expected, other) == ""


def test_a_disk_that_is_full_at_the_end_is_said_and_spoils_no_report(batch, source, monkeypatch):
    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(index, "write_index", full)
    with pytest.raises(RenderError, match=r"no space is left for reports .* the next run makes"):
        reports.render(source, {"x": 1}, batch.summary.parent)
    assert batch.results[0].records == {"double": 2}


# --- what is refused before anything runs -----------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"jobs": 0}, "jobs is 0"),
        ({"jobs": 1.5}, "jobs is 1.5"),
        ({"jobs": True}, "jobs is True"),
        ({"timeout": -1}, "timeout is -1"),
        ({"memory_gb": 0}, "memory_gb is 0"),
        ({"jobs": 2, "scheduler": "tcp://localhost:1"}, "jobs and scheduler are both given"),
        ({"over": {"x": [1, 1]}}, "twice"),
    ],
)
def test_bad_settings_are_refused_with_nothing_written(source, tmp_path, given, said):
    with pytest.raises(ParameterError, match=said):
        reports.render(source, out=tmp_path / "out", **given)
    assert not (tmp_path / "out").exists()


def test_a_scheduler_without_dask_is_refused_with_the_command_that_installs_it(
    source, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ParameterError, match=r"pip install 'crime-analysis\[cluster\]'"):
        reports.render(source, out=tmp_path, scheduler="tcp://127.0.0.1:9")


def test_the_command_refuses_on_one_line_with_exit_code_two(source, tmp_path, capsys):
    for words in (["--over", "x=5"], ["--over", "x"], ["-p", "y", "1"], ["--jobs", "0"]):
        assert cli.main(["render", str(source), *words, "--out", str(tmp_path / "out")]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert len(captured.err.splitlines()) == 1
    assert not (tmp_path / "out").exists()


# --- the workers ------------------------------------------------------------------------------


def tasks(source, out, values):
    made = [make_job(source, {"x": x}) for x in values]
    options = {"timeout": 60, "memory_gb": None, "warm": False, "pdf": False}
    return [
        {"name": job.name, "job": job.as_dict(), "out": str(out), "options": options}
        for job in made
    ]


def test_a_pool_starts_no_more_workers_than_it_has_jobs(source, tmp_path):
    with worker.Pool(5, {}) as pool:
        (task,) = tasks(source, tmp_path, [1])
        pool.hand_out(0, task)
        assert len(pool._workers) == 1
        key, told = wait_for(pool)
        assert (key, told["status"]) == (0, "rendered")
        pool.hand_out(1, task)
        assert len(pool._workers) == 1
        assert wait_for(pool)[0] == 1
        process = pool._workers[0].process
    assert process.returncode == 0


def wait_for(pool, patience=60):
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if ended := pool.wait(1):
            return ended
    raise AssertionError("the pool said nothing")


def test_a_script_without_a_main_guard_renders_and_stray_prints_harm_nothing(source, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "import crime_analysis as ca\n"
        "print('once')\n"
        f"batch = ca.render({str(source)!r}, out='out', over={{'x': [1, 2]}}, jobs=2)\n"
        "print(len(batch.rendered))\n",
        encoding="utf-8",
    )
    # Python runs this in every process that can import it, workers and kernels included.
    (tmp_path / "sitecustomize.py").write_text("import os; os.write(1, b'stray\\n')\n")
    path = os.pathsep.join([str(tmp_path), os.environ["PYTHONPATH"]])
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, env={**os.environ, "PYTHONPATH": path},
        capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.stdout == "stray\nonce\n2\n", done.stderr
    assert done.stderr == ""


def test_a_batch_imports_nothing_heavy_and_its_piped_output_is_plain(source, batch):
    code = (
        "import sys; from crime_analysis import cli; code = cli.main(sys.argv[1:]); "
        "heavy = 'pandas numpy nbformat nbconvert nbclient papermill IPython matplotlib zmq'; "
        "print([m for m in heavy.split() if m in sys.modules], file=sys.stderr); sys.exit(code)"
    )
    words = ["render", str(source), "--over", "x=1,2,4", "--out", str(batch.summary.parent)]
    done = subprocess.run(
        [sys.executable, "-c", code, *words, "--jobs", "2"], capture_output=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    lines = done.stderr.decode().splitlines()
    assert lines == ["1/3 fresh small--1", "2/3 fresh small--2", "3/3 fresh small--4", "[]"]
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", done.stdout + done.stderr)


# --- what a person sees -----------------------------------------------------------------------

LABELS = [
    "Kent",
    "Dyfed-Powys",
    "日本の警察本部" * 3,
    "two\nlines",
    "\x1b[31mred\x1b[0m",
    "e\u0301" * 9,
]


def seen_on_a_terminal(columns: int) -> str:
    """Return what a batch with awkward labels writes on a terminal of that width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    read: list[bytes] = []

    def follow() -> None:
        while True:
            try:
                read.append(os.read(ours, 4096))
            except OSError:  # Linux's end of file
                return
            if not read[-1]:
                return

    reader = threading.Thread(target=follow)
    reader.start()
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        shown = progress.Progress(40, stream)
        for number in range(40):
            name = f"report--{number}"
            shown.began(name, LABELS[number % len(LABELS)])
            status = "failed" if number % 7 == 0 else "rendered"
            shown.ended(Result(name, "", "n.ipynb", status, 1.5 + number))
            shown.began(f"{name}-2", LABELS[(number + 1) % len(LABELS)])
            shown.tick()
        shown.close()
    reader.join(10)
    os.close(ours)
    return b"".join(read).decode("utf-8")


def columns_of(text: str) -> int:
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))


@pytest.mark.parametrize("columns", [200, 80, 40, 12])
def test_the_bar_is_one_line_that_never_wraps_and_goes_away(columns):
    written = seen_on_a_terminal(columns)
    assert "\n" not in written
    assert "\x1b" not in written
    drawn = written.split("\r")
    assert len(drawn) > 100
    assert {columns_of(line) for line in drawn if line} == {columns - 1}
    assert drawn[-2].strip() == drawn[-1] == ""


def test_the_time_left_is_the_mean_over_the_workers_and_unsaid_before_two_are_done():
    class Terminal:
        encoding = "ascii"
        text = ""

        def isatty(self):
            return True

        def fileno(self):
            raise OSError

        def write(self, text):
            self.text = text

        def flush(self):
            pass

    stream = Terminal()
    shown = progress.Progress(10, stream)
    shown.workers = 2
    shown.began("a", "Málaga")
    shown.ended(Result("a", "", "n.ipynb", "rendered", 10.0))
    shown.ended(Result("z", "", "n.ipynb", "fresh"))
    assert "left" not in stream.text
    shown.ended(Result("b", "", "n.ipynb", "failed", 20.0))
    shown.began("c", "Málaga")
    # Seven are left, 15 s each, two at a time.
    assert stream.text.rstrip() == "\r[######..............] 3/10, 1 failed, 53 s left: M?laga"


def test_a_pipe_gets_one_plain_line_a_report(capfd):
    shown = progress.Progress(2)
    shown.began("force-report--kent", "Kent")
    shown.tick()
    shown.ended(Result("force-report--kent", "Kent", "n.ipynb", "rendered", 0.94))
    failed = Result("x", "", "n.ipynb", "failed", 70.0, "E: \x1b[1mbold\x07\nline", "cell 3")
    shown.ended(failed)
    shown.close()
    assert capfd.readouterr().err == (
        "1/2 rendered force-report--kent 0.9 s\n"
        "2/2 failed x 1 min 10 s: cell 3: E: ?[1mbold? line\n"
    )
