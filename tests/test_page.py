"""A report's page in a real browser: legible, operable, silent on the network, and inert."""

from __future__ import annotations

import base64
import io
import itertools
import json
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, unquote

import nbformat
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from crime_analysis.drawing import Figure, canvas
from crime_analysis.errors import ParameterError, RenderError
from crime_analysis.reports.fragments import Content
from crime_analysis.reports.html import Page, to_html
from crime_analysis.reports.inert import inert
from crime_analysis.reports.pdf import find_browser, print_pdf
from crime_analysis.reports.records import RECORD_MIME
from crime_analysis.tables import Folded, Table

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
DESK, PHONE = {"width": 1200, "height": 900}, {"width": 400, "height": 800}
SOURCE = "Home Office, workforce open data."

pytestmark = pytest.mark.browser


def page_of(**told) -> Page:
    about = {
        "title": None,
        "label": "Kent",
        "notebook": "notebooks/n.ipynb",
        "command": "crime-analysis render notebooks/n.ipynb -p force Kent",
        "sha256": "0" * 64,
        "finished": datetime(2018, 9, 17, 12, 0, tzinfo=UTC),
        "parameters": [{"name": "force", "text": "Kent", "help": "the police force"}],
        "versions": {"python": "3.11.7"},
    }
    return Page(**{**about, **told})


def shown(*displayed: object, **bundle: object) -> nbformat.NotebookNode:
    """A code cell that showed these things, or one bundle of forms."""
    bundles = [{"text/html": item._repr_html_()} for item in displayed] or [bundle["data"]]
    cell = new_code_cell("show(it)  # as code")
    cell.outputs = [
        new_output("display_data", data=data, metadata=bundle.get("metadata", {}))
        for data in bundles
    ]
    return cell


def chart(title: str = "Officers fell", source: str = SOURCE, data=None) -> Figure:
    with canvas(height=2) as (_, axis, out):
        axis.plot([2010, 2018], [33366.55, 30390.23])
    data = (
        pd.DataFrame({"year": [2010, 2018], "fte": [33366.55, 30390.23]}) if data is None else data
    )
    return Figure(title, f"A line: {title}", source, out.getvalue(), data)


NUMBERS = pd.DataFrame(
    {
        "force": ["Kent", "Surrey", "Essex", "Dorset", "Gwent"],
        "change": ["−3%", "+12%", "0.5%", "–", "−20%"],
        "money": ["£1,200", "£950", "£10,000", "£1.5m", "–"],
        "p": ["<0.001", "0.02", "0.5", "0.04", "–"],
    }
)
WORDY = pd.DataFrame(
    {
        "date": ["2014-11-18", "2017-05-22", "2013-04-01"],
        "series": ["violence_with_injury;violence_without_injury", "homicide", "council_tax"],
        "what": ["Recording was inspected; forces then recorded more of what they are told."] * 3,
    }
)


@pytest.fixture(scope="module")
def sample() -> nbformat.NotebookNode:
    """A small notebook with one of each thing that a page shows."""
    noisy = new_code_cell("print('said')")
    noisy.outputs = [
        new_output("stream", name="stdout", text="said " * 80),
        new_output("stream", name="stderr", text="\x1b[31mcareful\x1b[0m"),
    ]
    return new_notebook(
        cells=[
            new_markdown_cell("# A force\n\nWords, and a [source](https://example.org/figures)."),
            new_markdown_cell("## Officers"),
            shown(chart(), chart("Officers fell again")),
            new_markdown_cell("#### A heading that skips a level"),
            shown(chart("Staff rose", "Another source.")),
            noisy,
            new_markdown_cell("## Tables"),
            shown(Table(NUMBERS, "Numbers")),
            shown(Table(WORDY, "Register")),
            shown(data={"text/html": pd.DataFrame({"a": [3, 1, 2]}).to_html()}),
            shown(data={RECORD_MIME: {"name": "data_date", "value": "19 October 2023"}}),
        ]
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    found = tmp_path_factory.mktemp("pages") / "ein Ordner, ünïcode & 100%"
    found.mkdir()
    return found


@pytest.fixture(scope="module")
def file(sample, folder) -> Path:
    path = folder / "a report é.html"
    path.write_text(to_html(sample, page_of())[0], encoding="utf-8")
    return path


@pytest.fixture
def opened(browser, file):
    """Open the page at a size; what went wrong in it is in `page.told`."""
    contexts = []

    def opening(size=DESK, path=file, **options):
        context = browser.new_context(viewport=size, reduced_motion="reduce", **options)
        contexts.append(context)
        page = context.new_page()
        page.told, page.asked = [], []
        page.on("console", lambda message: page.told.append(message.text))
        page.on("pageerror", lambda error: page.told.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(path.as_uri())
        return page

    yield opening
    for context in contexts:
        context.close()


# --- what a reader can do -----------------------------------------------------------------------


def test_the_page_asks_for_nothing_but_itself_and_nothing_goes_wrong(opened, file):
    page = opened()
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    page.wait_for_timeout(100)
    assert [url for url in page.asked if not url.startswith("data:")] == [file.as_uri()]
    assert page.told == []


def test_code_is_folded_by_cell_and_as_a_whole(opened):
    page = opened()
    code = page.locator("details.code")
    assert code.count() == 7
    assert not any(fold.is_visible() for fold in page.locator("details.code pre").all())
    code.first.locator("summary").focus()
    page.keyboard.press("Enter")
    assert code.first.locator("pre").is_visible()
    page.get_by_role("button", name="Show all code").click()
    assert all(fold.is_visible() for fold in page.locator("details.code pre").all())
    page.get_by_role("button", name="Hide all code").click()
    assert not any(fold.is_visible() for fold in page.locator("details.code pre").all())


def column(table, place):
    return [
        row.locator("th, td").nth(place).inner_text() for row in table.locator("tbody tr").all()
    ]


@pytest.mark.parametrize(
    ("heading", "place", "ascending"),
    [
        ("force", 0, ["Dorset", "Essex", "Gwent", "Kent", "Surrey"]),
        ("change", 1, ["−20%", "−3%", "0.5%", "+12%", "–"]),
        ("money", 2, ["£950", "£1,200", "£10,000", "£1.5m", "–"]),
        ("p", 3, ["<0.001", "0.02", "0.04", "0.5", "–"]),
    ],
)
def test_a_table_sorts_up_down_and_back_as_its_numbers_say(opened, heading, place, ascending):
    page = opened()
    table = page.get_by_role("table", name="Numbers")
    head = table.locator("thead th").nth(place)
    before = column(table, place)
    head.get_by_role("button", name=heading).click()
    assert column(table, place) == ascending
    assert head.get_attribute("aria-sort") == "ascending"
    page.keyboard.press("Enter")  # the button still has the focus
    known = [value for value in ascending if value != "–"]
    assert column(table, place) == known[::-1] + ascending[len(known) :]
    assert head.get_attribute("aria-sort") == "descending"
    assert page.locator("#sort-status").inner_text() == f"Sorted by {heading}, descending"
    page.keyboard.press("Space")
    assert column(table, place) == before
    assert head.get_attribute("aria-sort") is None


def test_only_one_column_is_marked_as_sorted_and_rows_stay_whole(opened):
    page = opened()
    table = page.get_by_role("table", name="Numbers")
    for heading in ("money", "change"):
        table.get_by_role("button", name=heading).click()
    assert table.locator("[aria-sort]").count() == 1
    assert table.locator("tbody tr").first.inner_text().split("\t") == ["Gwent", "−20%", "–", "–"]


def test_the_page_works_without_its_script(opened):
    page = opened(java_script_enabled=False)
    assert page.locator("#show-code").is_hidden()
    assert page.locator("nav.toc a").first.is_visible()
    assert column(page.locator("table", has_text="Numbers").first, 1)[0] == "−3%"
    page.locator("details.code summary").first.click()
    assert page.locator("details.code pre").first.is_visible()


def test_contents_stay_beside_the_text_on_a_desk_and_are_folded_on_a_phone(opened):
    desk, phone = opened(DESK), opened(PHONE)
    link = "nav.toc a >> text=How to reproduce"
    desk.evaluate("scrollTo(0, 1500)")
    box = desk.locator("nav.toc").bounding_box()
    assert 0 <= box["y"] < 200
    assert box["x"] > 800
    assert phone.locator(link).is_hidden()
    phone.locator("nav.toc summary").click()
    phone.locator(link).click()
    assert "How to reproduce this" in phone.locator(":target").inner_text()
    assert phone.locator("pre.command").bounding_box()["y"] < PHONE["height"]


def test_nothing_makes_a_phone_scroll_sideways_but_what_scrolls_by_itself(opened):
    page = opened(PHONE)
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    picture = page.locator(".picture").first
    assert picture.evaluate("p => p.scrollWidth > p.clientWidth && p.tabIndex === 0")
    # A table of words is a list there, with every value named.
    cell = page.get_by_role("table", name="Register").locator("td").nth(1)
    assert cell.bounding_box()["width"] < PHONE["width"]
    assert cell.evaluate("c => getComputedStyle(c, '::before').content").startswith('"what: ')
    assert cell.get_attribute("role") == "cell"


def test_only_what_scrolls_is_a_stop_of_the_tab_key(opened):
    page = opened(DESK)
    page.wait_for_timeout(50)
    assert page.locator(".scroll[tabindex]:visible, .picture[tabindex]:visible").count() == 0
    assert page.locator("pre.stdout[tabindex]").count() == 1


def test_a_charts_data_can_be_had_as_csv(opened):
    page = opened()
    figure = page.locator("figure.chart").first
    assert figure.locator("img").get_attribute("alt") == "A line: Officers fell"
    assert figure.locator("table").is_hidden()
    figure.locator("summary").click()
    assert column(figure.locator("table"), 1) == ["33,367", "30,390"]
    with page.expect_download() as caught:
        figure.get_by_role("link", name="Download as CSV").click()
    assert caught.value.suggested_filename == "officers-fell.csv"
    told = Path(caught.value.path()).read_bytes()
    pd.testing.assert_frame_equal(pd.read_csv(io.BytesIO(told)), chart().data)


def test_a_source_that_stands_under_two_charts_is_told_once_and_leads_back(opened):
    page = opened()
    assert page.get_by_text(SOURCE).count() == 1
    assert page.get_by_text("Another source.").count() == 1
    lines = page.locator("p.source", has_text="note 1")
    assert lines.count() == 2
    lines.nth(1).locator("a").click()
    note = page.locator("#note-1")
    assert page.evaluate("location.hash") == "#note-1"
    note.get_by_role("link", name="Back to: Officers fell again").click()
    assert page.evaluate("document.querySelector(':target').id") == lines.nth(1).get_attribute("id")


def test_headings_are_in_order_ids_are_unique_and_the_date_of_the_data_is_told(opened):
    page = opened()
    levels = page.evaluate(
        "[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.localName[1])"
    )
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    assert page.locator("header dd", has_text="19 October 2023").is_visible()


def test_links_to_what_lies_beside_the_page_are_relative(opened, sample, folder):
    path = folder / "beside.html"
    files = {"Notebook": "a b?#é.ipynb", "All reports": "index.html"}
    path.write_text(to_html(sample, page_of(files=files))[0], encoding="utf-8")
    page = opened(path=path)
    link = page.get_by_role("link", name="Notebook")
    assert link.evaluate("a => decodeURIComponent(a.href)").endswith("/a b?#é.ipynb")
    assert link.get_attribute("href") == "./" + quote("a b?#é.ipynb")


# --- for everyone -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def running(folder):
    """Our notebooks, each executed in a process of its own while the other tests go on."""
    program = (
        "import papermill, sys\n"
        "papermill.execute_notebook(*sys.argv[1:3], kernel_name='python3', progress_bar=False)"
    )
    runs = {}
    for source in (NOTEBOOKS / "07-the-chain.ipynb", NOTEBOOKS / "force-report.ipynb"):
        command = [sys.executable, "-W", "ignore", "-c", program, source, folder / source.name]
        if source.exists():
            with open(folder / f"{source.stem}.said", "wb") as said:
                runs[source.stem] = subprocess.Popen(command, stdout=said, stderr=said)
    yield runs
    for run in runs.values():
        run.kill()
        run.wait()


@pytest.fixture(scope="module", params=["sample", "07-the-chain", "force-report"])
def report(request, running, folder, file) -> Path:
    """A page to look at: the sample's, or that of a notebook of ours."""
    if request.param == "sample":
        return file
    if request.param not in running:
        pytest.skip(f"there is no notebook {request.param}")
    said = folder / f"{request.param}.said"
    assert running[request.param].wait() == 0, said.read_text(encoding="utf-8")
    done = folder / f"{request.param}.ipynb"
    html, _ = to_html(nbformat.read(done, as_version=4), page_of(notebook=done.name))
    path = done.with_suffix(".html")
    path.write_text(html, encoding="utf-8")
    return path


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_axe_finds_nothing_serious_folded_or_not(opened, axe, report, size):
    page = opened(size, report)
    assert axe(page) == []
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    page.wait_for_timeout(100)
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
    assert [url for url in page.asked if not url.startswith("data:")] == [report.as_uri()]
    assert page.told == []


def test_a_report_is_small(report):
    assert report.stat().st_size < 500_000


# --- on paper -----------------------------------------------------------------------------------


def words_of(pdf: Path) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not installed; on Debian: apt install poppler-utils")
    run = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, check=True)
    return run.stdout.decode()


def test_a_printed_page_shows_no_code_repeats_headings_and_tells_addresses(browser, folder):
    long = pd.DataFrame({"the heading": range(150), "value": range(150)})
    cells = [
        new_markdown_cell("# T\n\nA [link](https://example.org/figures)."),
        shown(chart()),
        shown(Table(long)),
    ]
    html = folder / "drucken ü.html"
    html.write_text(to_html(new_notebook(cells=cells), page_of())[0], encoding="utf-8")
    before = set(folder.iterdir())
    pdf = print_pdf(html, folder / "gedruckt ü.pdf")
    assert set(folder.iterdir()) - before == {pdf}
    text = words_of(pdf)
    pages = text.rstrip("\f").count("\f") + 1
    assert pages > 2
    assert re.search(rf"1 ?/ ?{pages}\n", text)
    assert len(re.findall(r"the heading +value", text)) >= pages - 1
    assert "as code" not in text
    assert "Figures behind" not in text
    assert "(https://example.org/figures)" in text
    # What ran is printed, though folded on the screen; parameters are at the top, in the command.
    assert "python 3" in text.replace("\xa0", " ")
    assert "the police force" not in text


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for a browser is a shell script")
def test_printing_that_fails_leaves_nothing(monkeypatch, tmp_path, file):
    pdf, fake = tmp_path / "x.pdf", tmp_path / "fake"
    monkeypatch.setenv("CRIME_ANALYSIS_CHROMIUM", str(fake))
    with pytest.raises(ParameterError, match=r"not installed.*print the page from any browser"):
        find_browser()
    for does, said in (("echo broken >&2", "printed nothing .broken"), ("sleep 60", "longer than")):
        fake.write_text(f"#!/bin/sh\n{does}\n")
        fake.chmod(0o755)
        with pytest.raises(RenderError, match=said):
            print_pdf(file, pdf, timeout=0.5)
    with pytest.raises(ParameterError, match=r"no page .*render it first"):
        print_pdf(tmp_path / "none.html", pdf)
    assert list(tmp_path.iterdir()) == [fake]


# --- inert --------------------------------------------------------------------------------------

RUNS = "window.hacked=1"
ATTACKS = [
    f"<script>{RUNS}</script>",
    f'"><img src=x onerror={RUNS}>',
    f"'><svg onload={RUNS}>",
    f"</title></style></textarea><script>{RUNS}</script>",
    f"--><img src=x onerror={RUNS}>]]>",
    f"<svg><style><img src=x onerror={RUNS}></style></svg>",
    f"<svg><a><animate attributeName=href values=javascript:{RUNS}></animate><text>x</text></svg>",
    "<math><mtext><table><mglyph><style><!--</style>"
    f'<img title="--&gt;&lt;img src=1 onerror={RUNS}&gt;">',
    f'<noscript><p title="</noscript><img src=x onerror={RUNS}>">',
    f"<a href='java\tscript:{RUNS}'>a</a><a href='&#1;javascript:{RUNS}'>b</a>",
    f"<a href='data:text/html,<script>{RUNS}</script>'>c</a>",
    f"<iframe srcdoc='<script>parent.{RUNS}</script>'></iframe>",
    f"<object data='data:text/html,<script>parent.{RUNS}</script>'></object>",
    f"<form action='javascript:{RUNS}'><button autofocus onfocus={RUNS}>d</button></form>",
    f"<details open ontoggle={RUNS}><summary>e</summary></details>",
    "<base href='https://example.org/'><meta http-equiv=refresh content='0;url=https://example.org'>",
    "<link rel=stylesheet href=https://example.org/x.css><img src=//example.org/x.png>",
    "<style>@import url(https://example.org/x.css); body{display:none}</style>",
    "<style>body{display:none}</style><p style='position:fixed;background:url(//x.org)'>f</p>",
    f"<svg><use href=\"data:image/svg+xml,<svg id='x' onload='{RUNS}'/>#x\"/></svg>",
    "</div></main></body></html><main id=main><h1>g</h1></main>",
    f'[x](javascript:{RUNS}) ![y](x" onerror="{RUNS}) <b id=show-code>h</b>',
    "{{ 7 * 7 }}{% raw %}",
    "\x00\x1b[31m\ud800",
]


@pytest.fixture(scope="module")
def hostile(folder) -> Path:
    """A page with every attack in every place that something from outside can come to."""
    all_of_it = " ".join(ATTACKS)
    frame = pd.DataFrame({a: [b] for a, b in zip(ATTACKS, ATTACKS[::-1], strict=True)})
    printed = new_code_cell(f"print({all_of_it!r})\n# {all_of_it}")
    printed.outputs = [
        new_output("stream", name="stdout", text=all_of_it),
        new_output("stream", name="stderr", text=all_of_it),
        new_output("error", ename=all_of_it, evalue=all_of_it, traceback=ATTACKS),
    ]
    picture = {"alt": all_of_it, "width": all_of_it, "image/png": {"alt": all_of_it}}
    cells = [
        shown(chart(all_of_it, all_of_it, frame), chart(all_of_it, all_of_it, frame)),
        shown(Table(frame, all_of_it)),
        printed,
        shown(data={"image/png": all_of_it}, metadata=picture),
        shown(data={"image/svg+xml": f"<svg xmlns='http://www.w3.org/2000/svg'>{all_of_it}</svg>"}),
        shown(data={"text/plain": all_of_it}),
        shown(data={"text/latex": all_of_it}),
        shown(data={RECORD_MIME: {"name": "data_date", "value": all_of_it}}),
    ]
    for attack in ATTACKS:
        cells.append(shown(data={"text/html": attack}))
        cells.append(shown(data={"text/html": f"<h2>{attack}</h2><table><tr><td>{attack}"}))
        cells.append(shown(data={"text/markdown": f"{attack}\n\n## {attack}\n\n- {attack}"}))
        cells.append(new_markdown_cell(attack))
    page = page_of(
        title=all_of_it,
        label=all_of_it,
        notebook=all_of_it,
        command=all_of_it,
        sha256=all_of_it,
        parameters=[{"name": a, "text": a, "help": a} for a in ATTACKS],
        versions={a: a for a in ATTACKS},
        data_date=all_of_it,
        files={a: a for a in ATTACKS},
    )
    path = folder / "hostile.html"
    path.write_text(to_html(new_notebook(cells=cells), page)[0], encoding="utf-8")
    return path


def test_the_probe_would_notice(opened, file):
    page = opened(bypass_csp=True)
    for attack in ATTACKS[:3]:
        page.set_content(f"<p title=\"{attack}\" id='{attack}'>{attack}</p>")
        page.wait_for_function("window.hacked === 1")


@pytest.mark.parametrize("policy", [True, False], ids=["with its policy", "without its policy"])
def test_nothing_hostile_runs_fetches_or_leaves_its_place(opened, hostile, policy):
    page = opened(path=hostile, bypass_csp=not policy)
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    page.evaluate("document.querySelectorAll('main a[href], footer a[href]').forEach(a => {"
                  " a.addEventListener('click', e => { if (/^(https?|file):/.test(a.href))"
                  " e.preventDefault() }); a.click() })")  # fmt: skip
    page.wait_for_timeout(300)
    assert page.evaluate("window.hacked") is None
    assert [url for url in page.asked if not url.startswith("data:")] == [hostile.as_uri()]
    assert page.url.partition("#")[0] == hostile.as_uri()
    # With nothing to refuse, the policy has nothing to say; one picture is of words, not of bytes.
    assert [told for told in page.told if "ERR_INVALID_URL" not in told] == []
    known = page.evaluate(
        "[...new Set([...document.body.querySelectorAll('*')].map(e => e.localName))]"
    )
    bad = {"iframe", "object", "embed", "form", "base", "meta", "link", "math", "input", "noscript"}
    assert not bad & set(known)
    for selector, count in {"script": 1, "main": 1, "h1": 1, "footer": 1, "style": 1}.items():
        assert page.locator(selector).count() == count, selector
    assert page.evaluate("[...document.querySelectorAll('*')].every(e =>"
                         " e.getAttributeNames().every(n => !n.startsWith('on')))")  # fmt: skip
    assert page.evaluate("document.body.lastElementChild.localName") == "script"
    assert page.evaluate("getComputedStyle(document.body).display") == "block"
    assert page.locator("p[style]").count() == 0


PIECES = [
    *ATTACKS,
    "<p>", "</p>", "<div>", "</div>", "<b>", "</b>", "<a href=#x>", "</a>", "<table>", "<tr>",
    "<td>", "</table>", "<svg>", "<g>", "</svg>", "<title>", "</title>", "<style>", "</style>",
    "<!--", "-->", "<desc>", "<li>", "<h2>", "</h2>", "<details>", "<summary>", "<caption>",
    "<svg><foreignObject>", "<![CDATA[", "]]>", "<?php", "<!x", "&lt;", "&", "'", '"', "x", " ",
    "<template>", "<select>", "<textarea>", "<plaintext>", "<math>", "<br>", "</br>", "</p>",
    "<img src=data:image/png;base64,AAAA alt='<b>'>", "<x y=", "=>", "/>",
]  # fmt: skip


@settings(deadline=None, derandomize=True, max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=9).map("".join) | st.text(max_size=60))
def test_what_is_made_inert_stays_as_it_is(html):
    once = str(inert(html))
    assert str(inert(once)) == once
    assert not re.search(r"<(script|iframe|object|form|!--)|\son\w+=", re.sub(r'"[^"]*"', "", once))


def test_no_fragment_leaves_its_box_whatever_it_opens_or_closes(opened, file):
    """Parsed by the browser itself: what follows the box is beside it, and all is allowed."""
    mixes = ["".join(mix) for mix in itertools.product(PIECES[len(ATTACKS) :], repeat=2)]
    boxes = [f"<main><div id=box>{inert(mix)}</div><p id=after></p></main>" for mix in mixes]
    page = opened(java_script_enabled=True)
    astray = page.evaluate(
        """boxes => boxes.filter(html => {
            const parsed = new DOMParser().parseFromString(html, "text/html");
            const after = parsed.querySelector("#after");
            return !after || after.parentNode.localName !== "main"
                || after.parentNode.children.length !== 2
                || parsed.querySelector("script, iframe, style, math, form");
        })""",
        boxes,
    )
    assert astray == []


def test_markdown_that_code_made_opens_no_file(tmp_path):
    picture = base64.b64decode("iVBORw0KGgo=")
    (tmp_path / "secret.png").write_bytes(picture)
    text = "![drawn](secret.png)"
    cells = [shown(data={"text/markdown": text})]
    html, _ = to_html(new_notebook(cells=cells), page_of(folder=str(tmp_path)))
    assert "[drawn]" in html
    assert "iVBORw0KGgo" not in html
    html, _ = to_html(new_notebook(cells=[new_markdown_cell(text)]), page_of(folder=str(tmp_path)))
    assert 'alt="drawn" src="data:image/png;base64,iVBORw0KGgo' in html


def test_a_missing_picture_costs_no_report():
    cells = [new_markdown_cell("![gone](attachment:gone.png) ![lost](lost.png)")]
    html, _ = to_html(new_notebook(cells=cells), page_of())
    assert "[lost]" in html


# --- fragments ----------------------------------------------------------------------------------


def test_an_output_that_needs_a_script_says_that_it_is_absent():
    assert "not part of this page" in Content().tidy("<div><script>draw()</script></div>")
    assert "not part" not in Content().tidy("<p>1<script>draw()</script></p>")


def test_ids_that_two_outputs_share_are_told_apart_with_what_refers_to_them():
    content = Content("T")
    drawing = (
        '<svg aria-labelledby="t"><title id="t">x</title><defs><path id="m"/><clipPath id="p"/>'
        '</defs><use xlink:href="#m" clip-path="url(#p)" style="fill: url(#p)"/></svg>'
    )
    first, second = content.tidy(drawing), content.tidy(drawing)
    assert 'id="m"' in first
    for told in ('id="m-2"', 'href="#m-2"', 'clip-path="url(#p-2)"', "fill: url(#p-2)", '"t-2"'):
        assert told in second
    assert "#m-2-2" in content.tidy('<a href="#m-2">x</a><p id="m-2"></p>')
    assert 'id="its-source-1"' in content.tidy('<p id="source-1"></p>')
    assert 'id="main-2"' in content.tidy('<p id="main"></p>')


def test_a_frame_that_pandas_coloured_keeps_its_colours_and_nothing_else_is_restyled():
    own = "<style>#T_1 td, #T_1 th.x:hover { color: #900; position: fixed }</style>"
    table = '<table id="T_1"><tr><td>1</td></tr></table>'
    assert "#T_1 td, #T_1 th.x:hover {color: #900}" in Content().tidy(own + table)
    for style in ("body {color: red}", "#T_1 td {} p {}", "#main {color: red}", "#T_1 {@import x}"):
        assert "<style" not in Content().tidy(f"<style>{style}</style>{table}")
    content = Content()
    content.tidy(table)
    assert "#T_1-2 td, #T_1-2 th.x:hover" in content.tidy(own + table)


def test_a_plain_table_gets_scopes_and_its_empty_corner_heads_nothing():
    html = Content().tidy(pd.DataFrame({"a": [1]}, index=["x"]).to_html())
    assert re.search(r'<thead>\s*<tr[^>]*>\s*<td></td>\s*<th scope="col">a</th>', html)
    assert '<th scope="row">x</th>' in html


def test_a_picture_drawn_for_fine_screens_is_shown_at_its_size():
    cell = shown(data={"image/png": "iVBORw0KGgo="}, metadata={"image/png": {"width": 640.4}})
    html, _ = to_html(new_notebook(cells=[cell]), page_of())
    assert '<img src="data:image/png;base64,iVBORw0KGgo=" alt="" width="640">' in html


def test_the_same_notebook_gives_the_same_bytes_but_for_the_date(sample):
    first, _ = to_html(sample, page_of())
    later, _ = to_html(sample, page_of(finished=datetime(2019, 1, 1, tzinfo=UTC)))
    assert first != later
    dated = r"<time .*?</time>"
    assert re.sub(dated, "", first) == re.sub(dated, "", later)
    assert json.dumps(sample) == json.dumps(nbformat.from_dict(json.loads(json.dumps(sample))))


# --- tables and charts --------------------------------------------------------------------------


@pytest.mark.browser
def test_in_print_a_folded_table_is_named_and_the_figures_behind_charts_are_not(opened, tmp_path):
    folded = Folded(Table(WORDY, "Publications"))._repr_html_()
    behind = "<details><summary>Figures behind this chart</summary><p>1</p></details>"
    nb = new_notebook(cells=[shown(data={"text/html": html}) for html in (folded, behind)])
    path = tmp_path / "print.html"
    path.write_text(to_html(nb, page_of())[0], encoding="utf-8")
    page = opened(path=path)
    page.emulate_media(media="print")
    assert page.get_by_text("Publications").is_visible()
    assert not page.get_by_text("Recording was inspected").first.is_visible()
    assert not page.get_by_text("Figures behind this chart").is_visible()


def test_a_table_of_words_names_its_values_and_lets_long_names_break():
    html = Table(WORDY)._repr_html_()
    assert '<table class="data words">' in html
    assert '<th scope="row" class="date">2014-11-18</th>' in html
    assert 'data-label="what"' in html
    # A name is told in words; a name to type, in a column of such, breaks at its joints.
    assert "violence with injury; violence" in html
    typed = Table(WORDY.rename(columns={"series": "table"}))._repr_html_()
    assert "<code>violence_<wbr>with_<wbr>injury;<wbr>violence" in typed
    apostrophe = Table(pd.DataFrame({"a": ["a_long_name_of_a_column HMIC's"]}))._repr_html_()
    assert "HMIC&#x27;s" in apostrophe
    assert "words" not in Table(NUMBERS)._repr_html_()
    assert Table(pd.DataFrame({"a": []}))._repr_html_().endswith("<tbody></tbody></table>")


def test_columns_are_headed_in_words_with_units_as_people_write_them():
    columns = ["grants_real_gbp_m", "officers_fte", "rate_per_1000", "ci_low", "force"]
    html = Table(pd.DataFrame([[1.0] * 5], columns=columns))._repr_html_()
    assert re.findall("<th scope=.col.[^>]*>(.*?)</th>", html) == [
        "grants real, £m", "officers, FTE", "rate per 1,000", "95% from", "force",
    ]  # fmt: skip


def test_a_chart_of_thousands_of_points_shows_some_and_says_so():
    many = chart(data=pd.DataFrame({"x": range(4000)}))._repr_html_()
    assert "The first 300 of 4,000 rows." in many
    assert many.count("<tr>") == 301
    wide = chart(data=pd.DataFrame({f"x{n}": range(4000) for n in range(20)}))._repr_html_()
    assert "The first 90 of 4,000 rows." in wide
    assert "text/csv" not in many
    heavy = chart(data=pd.DataFrame({"x": ["long " * 40] * 200}))._repr_html_()
    assert "text/csv" not in heavy


def test_a_charts_data_are_linked_unrounded_and_escaped():
    data = pd.DataFrame({"a,b": ['x"<y', "é"], "n": [1 / 3, None]})
    html = chart("<b>Ü & 100%", data=data)._repr_html_()
    found = re.search(r'<a download="(.*?)" href="data:text/csv;charset=utf-8,(.*?)">', html)
    assert found[1] == "b-100.csv"
    assert unquote(found[2]) == '\ufeff"a,b",n\n"x""<y",0.3333333333\né,\n'


def test_a_drawing_is_compact_and_its_words_are_untouched():
    with canvas(height=2) as (_, axis, out):
        axis.plot([0, 1 / 3, 2 / 3], [1 / 7, 2 / 7, 1.23456789])
        axis.set_title('x="1.23456789" y  z <metadata>')
    svg = out.getvalue().decode()
    assert "1.23456789" in svg
    assert "y  z &lt;metadata&gt;" in svg
    assert not re.search(r' d="[^"]*\.\d{3}', svg)
    assert "<metadata>" not in svg
    assert "rotate(-0" not in svg


def test_what_shows_itself_as_nothing_leaves_nothing_on_the_page():
    silent = new_output("display_data", {"text/html": "", "text/plain": "Text(paragraphs=())"})
    nb = new_notebook(cells=[new_code_cell("x", outputs=[silent])])
    assert "paragraphs" not in to_html(nb, page_of())[0]
