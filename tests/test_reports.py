"""Reports: parameters checked early, private kernels, pages that are whole, inert and legible."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path

import nbformat.v4
import pytest

from crime_analysis import reports
from crime_analysis.errors import ParameterError, RenderError, UnknownNameError
from crime_analysis.reports.job import make_job
from crime_analysis.reports.names import report_name, slug
from crime_analysis.reports.parameters import Parameter
from crime_analysis.reports.records import RECORD_MIME
from crime_analysis.reports.rendering import Options, render_job

ROOT = Path(reports.__file__).parents[2]
CHROMIUM = next(
    filter(None, map(shutil.which, ["chromium", "chromium-browser", "google-chrome"])), None
)

PARAMETERS = """\
force = "Surrey"  # the police force
start: str = "2010/11"  # first year
end: str = "2017/18"  # last year
draws = 99
weight: float = 1
robust = True
outcomes: list[str] = [
    "homicide",
    "robbery",  # not the help: the last line's comment is
]  # what to count
note: str | None = None; colour = "#fff"
"""

YEARS = ["2009/10", "2010/11", "2014/15", "2017/18"]

SETTINGS = {
    "parameters": {
        "force": {"choices": ["Surrey", "Kent", "Avon & Somerset"]},
        "start": {"choices": YEARS},
        "end": {"choices": YEARS},
        "draws": {"minimum": 9, "maximum": 9999},
    },
    "ordered": [["start", "end"]],
    "name_by": ["force"],
}

GOOD = [
    (
        "markdown",
        "# A **force** and its officers\n\nWords, $x < y$, ![](https://example.org/a.png)",
    ),
    ("parameters", PARAMETERS),
    ("markdown", "## Officers\n\n### In figures\n\n[a link](https://example.org)"),
    (
        "code",
        "import sys, warnings\n"
        "from IPython.display import HTML, Image, Markdown, display\n"
        "from crime_analysis.reports import record\n"
        'display(HTML(\'<figure><svg width="9" height="9"><path d="M0 0"/></svg>\'\n'
        "             '<figcaption>Officers fell</figcaption></figure></div></main>'))",
    ),
    (
        "code",
        "display(HTML('<table border=1><caption>Counts</caption><tr><td>1</td></tr></table>'))\n"
        "display(HTML('<script src=\"https://example.org/x.js\"></script>'\n"
        '             \'<img src="https://example.org/b.png" onerror="alert(1)">\'))\n'
        "display(Markdown(f'## About {note}'))\n"
        "print(note, force, sys.executable == expected if 'expected' in dir() else '')\n"
        "warnings.warn('careful')",
    ),
    (
        "code",
        "png = b'iVBORw0KGgo='\n"
        "alt = {'image/png': {'alt': 'A \"dot\"'}}\n"
        "display({'image/png': png.decode()}, raw=True, metadata=alt)\n"
        "display({'image/png': png.decode()}, raw=True)\n"
        "import numpy as np\n"
        "record('officers', np.float64(60780.46) / 2); record('gap', float('nan'))\n"
        "record('python', sys.executable); record('many', np.arange(3))",
    ),
    ("markdown", "## Officers\n\nAgain the same heading."),
]


def write(path: Path, cells: list[tuple[str, str]], settings: dict | None = None) -> Path:
    nb = nbformat.v4.new_notebook()
    # A kernelspec of an environment that is not here: the usual state of a shared notebook.
    nb.metadata["kernelspec"] = {"name": "gone", "display_name": "Gone", "language": "python"}
    if settings is not None:
        nb.metadata["crime_analysis"] = settings
    for kind, source in cells:
        if kind == "markdown":
            nb.cells.append(nbformat.v4.new_markdown_cell(source))
        else:
            cell = nbformat.v4.new_code_cell(source)
            if kind == "parameters":
                cell.metadata["tags"] = ["parameters"]
            nb.cells.append(cell)
    path.write_text(nbformat.writes(nb), encoding="utf-8")
    return path


@pytest.fixture(scope="module", autouse=True)
def importable():
    """Let kernels import the package that is under test, installed or not."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
        # Kernels that import no more than they need to run.
        patch.setenv("CRIME_ANALYSIS_WARM_MODULES", "")
        yield


def render(*given, **how):
    """Render a batch of one and return its result."""
    return reports.render(*given, **how).results[0]


@pytest.fixture
def notebook(tmp_path):
    return write(tmp_path / "force_report.ipynb", GOOD, SETTINGS)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """One report whose free-text parameter is an attack, rendered where the temp folder is ours."""
    folder = tmp_path_factory.mktemp("hostile")
    source = write(
        folder / "force_report.ipynb", GOOD, {**SETTINGS, "headline": {"officers": "FTE"}}
    )
    given = {"force": "avon & somerset", "note": "<script>alert('x')</script>", "draws": "19"}
    with (
        tempfile.TemporaryDirectory(prefix="t") as temporary,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(tempfile, "tempdir", temporary)
        patch.setenv("TMPDIR", temporary)
        result = render(source, given, folder / "out")
        left = os.listdir(temporary)
    return result, left


@pytest.fixture(scope="module")
def html(hostile):
    return hostile[0].html.read_text(encoding="utf-8")


# --- parameters -------------------------------------------------------------------------------


def test_parameters_are_read_as_python_reads_them(notebook):
    found = {p.name: p for p in reports.read_parameters(notebook)}
    assert list(found) == [
        "force", "start", "end", "draws", "weight", "robust", "outcomes", "note", "colour",
    ]  # fmt: skip
    assert [p.type for p in found.values()] == [
        "str", "str", "str", "int", "float", "bool", "list[str]", "str", "str",
    ]  # fmt: skip
    assert found["force"].help == "the police force"
    assert found["outcomes"].help == "what to count"
    assert found["outcomes"].default == ["homicide", "robbery"]
    assert found["colour"].default == "#fff"
    assert found["colour"].help == ""
    assert found["note"].optional
    assert found["force"].choices == ("Surrey", "Kent", "Avon & Somerset")
    assert (found["draws"].minimum, found["draws"].maximum) == (9, 9999)
    assert found["start"].before == ("end",)


def check(notebook, **given):
    return reports.validate(reports.read_parameters(notebook), given, notebook)


def test_text_becomes_each_parameters_type_and_choices_their_canonical_form(notebook):
    values = check(
        notebook, force="  KENT ", draws="19", weight="1e-1", robust="no", outcomes="a, b", note=""
    )
    assert values["force"] == "Kent"
    assert (values["draws"], values["weight"], values["robust"]) == (19, 0.1, False)
    assert values["outcomes"] == ["a", "b"]
    assert values["start"] == "2010/11"
    assert next(iter(values)) == "force"


def test_an_unknown_parameter_is_answered_with_the_nearest(notebook):
    with pytest.raises(UnknownNameError, match=r"unknown parameter 'forse'.*nearest: force"):
        check(notebook, forse="Kent")


def test_an_unknown_choice_is_answered_with_the_nearest(notebook):
    with pytest.raises(UnknownNameError, match=r"unknown force 'Surey'.*nearest: Surrey"):
        check(notebook, force="Surey")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"draws": "many"}, "a whole number"),
        ({"draws": "1.5"}, "a whole number"),
        ({"draws": 2.0}, "a whole number"),
        ({"draws": True}, "a whole number"),
        ({"draws": None}, "a whole number"),
        ({"weight": "nan"}, "a number"),
        ({"weight": "heavy"}, "a number"),
        ({"robust": "perhaps"}, "true or false"),
        ({"robust": 1}, "true or false"),
        ({"colour": 5}, "text"),
        ({"outcomes": 5}, "a list of str"),
        ({"draws": "8"}, "from 9 to 9999"),
        ({"draws": 10_000}, "from 9 to 9999"),
    ],
)
def test_a_mistyped_value_says_what_to_give(notebook, given, said):
    with pytest.raises(ParameterError, match=said) as caught:
        check(notebook, **given)
    assert next(iter(given)) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", [{"start": "2017/18"}, {"end": "2009/10"}])
def test_parameters_out_of_order_are_refused(notebook, given):
    with pytest.raises(ParameterError, match="start must come before end"):
        check(notebook, **given)


@pytest.mark.parametrize(
    ("cells", "settings", "said"),
    [
        ([("code", "x = 1")], {}, "add the tag 'parameters'"),
        ([("parameters", "x = (")], {}, "not valid Python"),
        ([("parameters", "x = 60 * 60")], {}, "'x' is computed"),
        ([("parameters", "import os")], {}, "move anything else"),
        ([("parameters", "x = {'a': 1}")], {}, "type dict is not supported"),
        ([("parameters", "x = 1")], {"parameters": {"y": {}}}, "unknown parameter 'y'"),
        ([("parameters", "x = 1")], {"parameters": {"x": 3}}, "the rule for 'x'"),
        ([("parameters", "x = 1")], {"name_by": ["y"]}, "unknown parameter 'y'"),
    ],
)
def test_a_notebook_that_declares_no_sense_is_refused(tmp_path, cells, settings, said):
    source = write(tmp_path / "n.ipynb", cells, settings)
    with pytest.raises((ParameterError, UnknownNameError), match=said):
        reports.render(source, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_broken_and_missing_notebooks_are_refused_on_one_line(tmp_path):
    broken = tmp_path / "broken.ipynb"
    broken.write_text('{"cells": [\n', encoding="utf-8")
    with pytest.raises(ParameterError, match=r"broken.ipynb, line 2: not valid JSON; open it"):
        reports.render(broken, out=tmp_path / "out")
    broken.write_text("[]", encoding="utf-8")
    with pytest.raises(ParameterError, match="not a Jupyter notebook"):
        reports.read_parameters(broken)
    with pytest.raises(ParameterError, match=r"nearest: broken\.ipynb"):
        reports.read_parameters(tmp_path / "brokn.ipynb")


# --- names ------------------------------------------------------------------------------------


def test_names_are_safe_and_say_what_differs():
    force = Parameter("force", "Kent", "str", choices=("Kent", "Avon & Somerset"))
    weight = Parameter("weight", 1.0, "float")
    values = {"force": "Avon & Somerset", "weight": -0.5}
    assert report_name("A_b.ipynb", [force, weight], {"force": "Kent", "weight": 1.0}) == "a-b"
    assert (
        report_name("A_b.ipynb", [force, weight], values, ["force"])
        == "a-b--avon-somerset--weight-minus-0-5"
    )


@pytest.mark.parametrize("pair", [("a b", "a-b"), ("A", "a"), ("é", "e"), ("../x", "x"), ("", "£")])
def test_two_texts_never_share_a_name(pair):
    text = Parameter("t", "?", "str")
    names = {report_name("n.ipynb", [text], {"t": value}) for value in pair}
    assert len(names) == 2
    assert all(re.fullmatch(r"[a-z0-9-]+", name) for name in names)


def test_long_names_are_shortened_and_stay_apart():
    text = Parameter("t", "?", "str")
    one, two = (report_name("n.ipynb", [text], {"t": "x" * 300 + end}) for end in "ab")
    assert one != two
    assert len(one) <= 96
    assert slug("Ünïcode / Ltd.") == "unicode-ltd"


# --- records ----------------------------------------------------------------------------------


def test_records_outside_a_notebook_are_only_checked():
    assert reports.record("x", 1.5) is None
    with pytest.raises(ParameterError, match="a set cannot be stored"):
        reports.record("x", {1})
    with pytest.raises(ParameterError, match="non-empty"):
        reports.record(" ", 1)


def test_records_are_collected_and_the_last_of_a_name_counts():
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell()])
    for value in (1, 2):
        bundle = {RECORD_MIME: {"name": "x", "value": value}}
        nb.cells[0].outputs.append(nbformat.v4.new_output("display_data", data=bundle))
    assert reports.collect_records(nb) == {"x": 2}


# --- a report ---------------------------------------------------------------------------------


def test_three_files_of_one_name_and_nothing_else(hostile):
    result, left = hostile
    name = result.name
    assert name.startswith("force-report--avon-somerset--draws-19--note-script-alert-x-script-")
    assert sorted(os.listdir(result.html.parent)) == sorted(
        [f"{name}.html", f"{name}.ipynb", f"{name}.manifest.json", "index.html", "summary.json"]
    )
    assert left == []
    assert 0 < result.seconds < 120


def test_the_kernel_is_this_interpreter_whatever_the_notebook_names(hostile):
    assert hostile[0].records["python"] == sys.executable


def test_the_manifest_says_what_made_the_report(hostile):
    result, _ = hostile
    manifest = json.loads(result.manifest.read_text(encoding="utf-8"))
    assert manifest["parameters"]["force"] == "Avon & Somerset"
    assert manifest["parameters"]["draws"] == 19
    assert manifest["records"]["officers"] == 30390.23
    assert manifest["records"]["gap"] is None
    assert manifest["records"]["many"] == [0, 1, 2]
    assert manifest["headline"] == [{"record": "officers", "label": "FTE"}]
    assert manifest["title"] == "A force and its officers"
    assert {"python", "papermill", "nbconvert"} <= set(manifest["versions"])
    assert set(manifest["outputs"]) == {result.html.name, result.notebook.name}
    assert all(re.fullmatch("[0-9a-f]{64}", h) for h in manifest["outputs"].values())
    assert str(result.html.parent) not in result.manifest.read_text(encoding="utf-8")


class Elements(HTMLParser):
    """Every start tag of a page, with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def all(self, tag):
        return [attrs for name, attrs in self.found if name == tag]


def test_the_page_asks_the_network_for_nothing(html):
    for tag, attrs in Elements(html).found:
        for name in ("src", "href", "srcset", "poster", "data", "xlink:href"):
            if tag != "a":
                assert not re.match(r"\s*(https?:)?//", attrs.get(name) or ""), (tag, attrs)
        assert not any(name.startswith("on") for name in attrs)
    assert "default-src 'none'" in html
    assert "@import" not in html
    assert "url(" not in html


def test_what_a_parameter_holds_is_text_and_never_code(html):
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html
    assert len(Elements(html).all("script")) == 1


def test_the_page_has_the_landmarks_and_headings_a_reader_needs(html):
    page = Elements(html)
    assert page.all("html") == [{"lang": "en-GB"}]
    assert len(page.all("h1")) == len(page.all("main")) == len(page.all("nav")) == 1
    assert html.index('class="skip"') < html.index("<header")
    assert "<title>A force and its officers – Avon &amp; Somerset" in html
    entries = re.findall(r'<li class="(h\d)"><a href="#([^"]+)">', html)
    assert entries[:2] == [("h2", "officers"), ("h3", "in-figures")]
    assert entries[-1] == ("h2", "officers-2")
    ids = [attrs["id"] for _, attrs in page.found if attrs.get("id")]
    assert len(ids) == len(set(ids))
    assert {target for _, target in entries} <= set(ids)


def test_images_and_drawings_are_described_and_tables_scroll(html):
    page = Elements(html)
    assert [img["alt"] for img in page.all("img")] == ['A "dot"', ""]
    assert page.all("svg")[0]["aria-label"] == "Officers fell"
    regions = [d for d in page.all("div") if d.get("role") == "region"]
    assert regions[0]["aria-label"] == "Counts"
    assert all(r["tabindex"] == "0" for r in regions)


def test_code_and_warnings_are_folded_and_records_unseen(html):
    page = Elements(html)
    folded = [d for d in page.all("details") if d.get("class") in ("code", "stderr")]
    assert len([d for d in folded if d.get("class") == "code"]) == 5
    assert len([d for d in folded if d.get("class") == "stderr"]) == 1
    assert not any("open" in d for d in folded)
    assert "&lt;cell&gt;:6: UserWarning: careful" in html
    assert "30390.23" not in html


def test_the_footer_says_how_to_reproduce_the_report(html, hostile):
    command = "-p force &#39;Avon &amp; Somerset&#39; -p start 2010/11"
    assert command in html
    assert "-p outcomes homicide,robbery" in html
    source = json.loads(hostile[0].manifest.read_text(encoding="utf-8"))["notebook"]["sha256"]
    assert source in html


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    parts = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def test_every_colour_of_text_is_legible_on_every_background(html):
    css = html[html.index("<style>") : html.index("</style>")]
    named = dict(re.findall(r"--(ink|soft|link|warn): (#[0-9a-f]{6})", css))
    colours = {*named.values(), *re.findall(r"\.highlight \.\w+ \{ color: (#[0-9A-Fa-f]{6})", css)}
    assert len(colours) > 8
    for colour in colours:
        for background in ("#ffffff", "#f6f7f9"):
            contrast = (luminance(background) + 0.05) / (luminance(colour) + 0.05)
            assert contrast >= 4.5, (colour, background, contrast)


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_a_browser_shows_the_page_and_runs_our_button(hostile, tmp_path):
    options = "--headless --no-sandbox --disable-gpu --no-first-run --disable-sync"
    options += " --disable-background-networking --disable-component-update"
    command = [CHROMIUM, *options.split(), f"--user-data-dir={tmp_path}", "--dump-dom"]
    run = subprocess.run(
        [*command, hostile[0].html.resolve().as_uri()], capture_output=True, timeout=60, check=True
    )
    dom = Elements(run.stdout.decode())
    # The button is hidden until our script, allowed by its hash, has run.
    assert "hidden" not in dom.all("button")[0]
    assert len(dom.all("h1")) == 1
    assert next(h["id"] for h in dom.all("h2") if "id" in h) == "officers"
    assert len([d for d in dom.all("details") if d.get("class") == "code"]) == 5


# --- runs that repeat, fail and stop ----------------------------------------------------------


def test_two_renders_side_by_side_give_the_same_notebook_and_page(notebook, tmp_path):
    job = make_job(notebook, {"force": "Kent"})
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda out: render_job(job, tmp_path / out, Options()), "ab"))
    assert [result["name"] for result in results] == ["force-report--kent"] * 2
    one, two = (Path(result["notebook"]).read_bytes() for result in results)
    assert one == two
    text = one.decode()
    assert str(tmp_path) not in text
    assert "start_time" not in text
    pages = [re.sub(r"<time.*?</time>", "", Path(r["html"]).read_text("utf-8")) for r in results]
    assert pages[0] == pages[1]


def test_a_failing_cell_leaves_the_failure_and_no_older_report(tmp_path):
    cells = [
        ("markdown", "# F"),
        ("parameters", "x = 1"),
        ("code", "print('half')\nraise ValueError('no\\nsuch thing')"),
        ("code", "print('never')"),
    ]
    source, out = write(tmp_path / "f.ipynb", cells), tmp_path / "out"
    out.mkdir()
    for ending in ("html", "ipynb", "manifest.json"):
        (out / f"f--x-2.{ending}").write_text("older", encoding="utf-8")
    with pytest.raises(RenderError) as caught:
        reports.render(source, {"x": "2"}, out)
    said = str(caught.value)
    assert said.startswith("f.ipynb, cell 3: ValueError: no such thing; what ran is kept in ")
    assert sorted(os.listdir(out)) == ["f--x-2.failed.ipynb", "index.html", "summary.json"]
    kept = nbformat.read(out / "f--x-2.failed.ipynb", as_version=4)
    assert "cell 3" in kept.cells[0].source
    assert "ValueError: no such thing" in kept.cells[0].source
    assert kept.cells[4].outputs[0].text == "half\n"
    assert not kept.cells[5].outputs

    index = reports.write_index(out, "All").read_text(encoding="utf-8")
    assert "f--x-2.failed.ipynb" in index
    assert "ValueError: no such thing" in index


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "pass",
            r"after the last cell: SilentFailure: every cell ran, but it shows 0 of 1 figures",
        ),
        ("import sys; sys.exit(0)", "cell 2: SystemExit: 0"),
        ("import os; os._exit(3)", "cell 2: DeadKernelError: the kernel died"),
        ("import time; time.sleep(60)", "cell 2: TimeoutError: the cell took longer than 1 s"),
    ],
)
def test_silence_exits_deaths_and_delays_are_failures(tmp_path, code, said):
    yields = {"yields": {"figures": 1, "records": ["effect"]}}
    source = write(tmp_path / "s.ipynb", [("parameters", "x = 1"), ("code", code)], yields)
    result = render_job(make_job(source), tmp_path / "out", Options(timeout=1))
    assert result["status"] == "failed"
    assert re.match(said, f"{result['where']}: {result['error']}")
    assert os.listdir(tmp_path / "out") == ["s.failed.ipynb"]


@pytest.mark.skipif(os.name == "nt", reason="sends a POSIX signal")
def test_an_interruption_leaves_no_kernel_and_no_folder(tmp_path):
    code = f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid()))"
    cells = [("parameters", "x = 1"), ("code", code + "; time.sleep(600)")]
    source = write(tmp_path / "i.ipynb", cells)
    # A shell starts what it puts in the background with SIGINT ignored, and children inherit that.
    script = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"from crime_analysis.reports import render; render({str(source)!r}, out='out')"
    )
    with tempfile.TemporaryDirectory(prefix="t") as temporary:
        process = subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=tmp_path,
            env={**os.environ, "TMPDIR": temporary},
            stderr=subprocess.PIPE,
        )
        deadline = time.monotonic() + 40
        while not (tmp_path / "pid").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        try:
            _, said = process.communicate(timeout=40)
        finally:
            process.kill()
        assert os.listdir(temporary) == []
    assert said.decode().splitlines()[-1].startswith("KeyboardInterrupt: 0 of 1 reports are done")
    kernel = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(kernel, 0)
    assert os.listdir(tmp_path / "out") == []


# --- the index --------------------------------------------------------------------------------


def test_the_index_lists_whole_reports_with_their_numbers(hostile, tmp_path):
    shutil.copytree(hostile[0].html.parent, tmp_path / "out")
    (tmp_path / "out" / "half.manifest.json").write_text("{", encoding="utf-8")
    path = reports.write_index(tmp_path / "out", "Reports <all>")
    text = path.read_text(encoding="utf-8")
    page = Elements(text)
    assert path.name == "index.html"
    assert "<h1>Reports &lt;all&gt;</h1>" in text
    assert "30,390" in text
    assert "1 report" in text
    assert "<script" not in text
    assert "half" not in text
    assert [a["href"] for a in page.all("a")][1] == hostile[0].html.name
    assert not [name for name in os.listdir(tmp_path / "out") if name.startswith(".")]


def test_importing_the_room_loads_nothing_slow():
    code = (
        "import sys, crime_analysis.reports as r; r.read_parameters; r.record;"
        "print([m for m in ('papermill', 'nbformat', 'nbconvert', 'pandas') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"
